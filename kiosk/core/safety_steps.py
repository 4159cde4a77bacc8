"""What the facts of an emergency and of the gate register do to the campus. One function a kind, one table.

Each gives the same state for every order in which the facts arrive: emergencies are made anew from their sorted log, the last
word about a person is the one with the highest order, a visit and its end are kept apart.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from kiosk.core.campus_parts import Emergency, EmergencyOver, Listed, Mustered, Order, Visit
from kiosk.core.entries import Entry, Kind

if TYPE_CHECKING:
    from kiosk.core.campus import Campus

T = TypeVar("T")


def _declared(campus: Campus, entry: Entry) -> None:
    body = entry.body
    what = Emergency(
        since_ms=entry.at_ms,
        drill=bool(body.get("drill")),
        by=body["by"],
        order=entry.order,
        on_site=_listed(body.get("on_site_list", ())),
        outside=_listed(body.get("outside_list", ())),
        staff=tuple(body.get("staff_list", ())),
        visits=tuple(body.get("visit_list", ())),
        unseen=tuple(body.get("unseen", ())),
    )
    _log(campus, entry, what)


def _listed(rows: Iterable[Iterable[object]]) -> tuple[Listed, ...]:
    return tuple(Listed(*row) for row in rows)  # type: ignore[arg-type]  # `shapes` has looked at every row


def _over(campus: Campus, entry: Entry) -> None:
    _log(campus, entry, EmergencyOver(entry.at_ms, entry.body["by"], tuple(entry.body.get("unaccounted", ()))))


def _log(campus: Campus, entry: Entry, what: Emergency | EmergencyOver) -> None:
    insort(campus.emergency_log, (entry.order, what), key=lambda item: item[0])
    campus.emergencies = _told_in_order(campus.emergency_log)


def _told_in_order(log: Iterable[tuple[Order, Emergency | EmergencyOver]]) -> tuple[Emergency, ...]:
    """The emergencies of a log. A real one ends a drill; a drill changes nothing about a real one."""
    told = list[Emergency]()
    for _, what in log:
        running = told.pop() if told and not told[-1].ended_ms else None
        if isinstance(what, EmergencyOver):
            if running is not None:
                told.append(running._replace(ended_ms=what.at_ms, ended_by=what.by, unaccounted=what.unaccounted))
        elif running is None:
            told.append(what)
        elif running.drill and not what.drill:
            told += [running._replace(ended_ms=max(1, what.since_ms), ended_by=what.by), what]
        else:
            told.append(_both(running, what) if running.drill == what.drill else running)
    return tuple(told)


def _both(first: Emergency, second: Emergency) -> Emergency:
    """Two gates declared apart from each other: whoever stands on either list is looked for."""
    known = {one.child for one in first.on_site}
    outside = {one.child for one in first.outside}
    return first._replace(
        on_site=(*first.on_site, *(one for one in second.on_site if one.child not in known)),
        outside=(*first.outside, *(one for one in second.outside if one.child not in outside)),
        staff=_joined(first.staff, second.staff),
        visits=_joined(first.visits, second.visits),
        unseen=_joined(first.unseen, second.unseen),
    )


def _joined(one: tuple[T, ...], other: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _mustered(campus: Campus, entry: Entry) -> None:
    body = entry.body
    word = Mustered(body["point"], entry.at_ms, body["by"], bool(body.get("drill")), body.get("present", True))
    for key in (*(f"child:{child}" for child in body["children"]), *body.get("others", ())):
        now = (entry.order, word)
        campus.mustered[key] = max(now, campus.mustered.get(key, now))


def _staff_signed_in(campus: Campus, entry: Entry) -> None:
    now = (entry.order, str(entry.body["day"]))
    campus.staff_seen[entry.body["staff"]] = max(now, campus.staff_seen.get(entry.body["staff"], now))


def _visitor_in(campus: Campus, entry: Entry) -> None:
    body, key = entry.body, str(entry.id)
    campus.visits[key] = Visit(
        key, body["gate"], body["purpose"], body.get("host", 0), body.get("id_type", ""), body.get("id_last4", ""), body["by"],
        entry.at_ms, body["day"], body.get("note", ""),
    )  # fmt: skip


def _visitor_out(campus: Campus, entry: Entry) -> None:
    ended = (entry.at_ms, entry.body["by"])
    campus.visit_ends[entry.body["visit"]] = min(ended, campus.visit_ends.get(entry.body["visit"], ended))


SAFETY_STEPS: dict[str, Callable[[Campus, Entry], None]] = {
    Kind.EMERGENCY_DECLARED: _declared,
    Kind.EMERGENCY_ENDED: _over,
    Kind.MUSTERED: _mustered,
    Kind.STAFF_SIGNED_IN: _staff_signed_in,
    Kind.VISITOR_IN: _visitor_in,
    Kind.VISITOR_OUT: _visitor_out,
}
