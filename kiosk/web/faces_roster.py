"""Which button stands at the bottom of a roster: it changes with the moment.

One question decides: what must this teacher do next? An offer that waits comes first, then the group that is on its way,
then the children who are here but still in others' care, then the roll, then the next custodian. Pure; the page and its
script only show it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kiosk.core.roster import ChildLine, EscortLine, GroupLine, NextGroup, OfferLine, ReturnedLine, RosterRow, RosterView
from kiosk.web.faces_count import ACCEPT_WHY, ARRIVE_WHY, BACK_WHY, LEAVE_WHY, Count

HERE_MARKS = frozenset({"present", "late"})
ABSENT = "absent_unexplained"
MISSING = "missing"
MINUTE_MS = 60_000
HAND_OVER_FROM_MS = 10 * MINUTE_MS  # before a session ends, its next custodian becomes the next thing to do


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """kind: accept | arrive | back | check_in | take | call | hand | close | wait | done. `count` and `exceptions` are
    those of the rows as they stand; `task` is what the button opens, None where it sends at once or there is no button."""

    kind: str
    count: int = 0
    exceptions: int = 0
    task: Count | None = None
    tasks: tuple[Count, ...] = field(default=())  # all that may be done instead


def suggested(row: RosterRow) -> str:
    """The mark that the row shows before the teacher has said anything: what the readers saw."""
    if row.mark:
        return row.mark
    return "present" if row.here else (ABSENT if row.expected else "")


def moment(view: RosterView) -> Moment:
    """What comes next, and everything else that may be done with the children whom this person holds."""
    tasks = (*_handovers(view), *_always(view))
    belong = [row for row in view.rows if row.expected or row.here]
    here = [row for row in belong if suggested(row) in HERE_MARKS]
    exceptions = len(belong) - len(here)
    takeable = frozenset(free_to_take(view))
    if view.incoming:
        return _with(accept_count(view, view.incoming[0]), "accept", tasks)
    if view.escorts:
        return _with(arrive_count(view, view.escorts[0]), "arrive", tasks)
    if view.groups:
        return _with(back_count(view, view.groups[0]), "back", tasks)
    if _checks_in(view, bool(takeable)):
        return Moment(kind="check_in", tasks=tasks)
    if takeable:
        count = sum(row.line.child in takeable for row in here)
        return Moment(kind="take", count=count, exceptions=exceptions, task=take_count(view), tasks=tasks)
    if view.rows and view.roll_called_ms is None and view.kind != "staff":
        return Moment(kind="call", count=len(here), exceptions=exceptions, tasks=tasks)
    return _towards_the_end(view, tasks)


def _towards_the_end(view: RosterView, tasks: tuple[Count, ...]) -> Moment:
    ending = not view.end_ms or view.bar.now_ms >= view.end_ms - HAND_OVER_FROM_MS
    due = [task for task in _handovers(view) if view.kind != "staff" or task.words.get("kind") in _SOON]
    if ending and due:
        return _with(due[0], "hand", tasks)
    if closes(view) and ending:
        return Moment(kind="close", count=len(here_now(view)), tasks=tasks)
    waiting = sum(row.at_gate and row.held_by_me for row in view.rows)
    if waiting:
        return Moment(kind="wait", count=waiting, tasks=tasks)
    return Moment(kind="done", count=len(_mine(view)), tasks=tasks)


EARLY_MS = 30 * MINUTE_MS


def _checks_in(view: RosterView, takeable: bool) -> bool:
    """Whether this person must check in first. Taking children over, or calling them, checks the planned teacher in."""
    one = view.service
    if one is None or one.me_here or one.standing in ("over", "closed") or not view.start_ms:
        return False
    if view.bar.now_ms < view.start_ms - EARLY_MS:
        return False
    nobody_yet = not takeable and not here_now(view)
    return one.needs_reason or (nobody_yet and view.me == one.planned)


def closes(view: RosterView) -> bool:
    """Whether this person may close the session now, with or without questions."""
    one = view.service
    return one is not None and (one.me_came or one.me_leads) and one.standing in ("open", "over")


def here_now(view: RosterView) -> tuple[RosterRow, ...]:
    return tuple(row for row in view.rows if row.here)


_SOON = ("to_class", "to_session", "to_extended_care")  # what a supervisor hands on as a matter of course


def _with(task: Count, kind: str, tasks: tuple[Count, ...]) -> Moment:
    away = len(task.away)
    return Moment(kind=kind, count=len(task.children) - away, exceptions=away, task=task, tasks=tasks)


# --- counts ---------------------------------------------------------------------------------------------


def take_count(view: RosterView) -> Count:
    """Whoever is here and somebody else's, and by name whoever should be here and is not."""
    free, away = set(free_to_take(view)), dict[int, str]()
    for row in by_seat(view):
        child = row.line.child
        if not row.expected or child in free or row.held_by_me or row.offered_to or suggested(row) in HERE_MARKS:
            continue
        away[child] = _known_why(row)
    children = [row.line.child for row in by_seat(view) if row.line.child in free or row.line.child in away]
    body = {"roster": view.roster}
    return Count(act="take_group", body=body, children=tuple(children), away=away, reasons=ACCEPT_WHY)


def _known_why(row: RosterRow) -> str:
    """Why a child is not here, as far as anybody knows; "" where the teacher must say."""
    if row.mark and row.mark != ABSENT:
        return row.mark
    if not row.line.on_campus:
        return "not_arrived"
    if row.searched_ms:
        return MISSING
    return "" if row.missing_since_ms else "with_teacher"


def accept_count(view: RosterView, offer: OfferLine) -> Count:
    words = {"name": offer.giver_name, "n": offer.expected, "place": offer.place, "kind": offer.kind}
    return Count(
        act="accept", body={"handover": offer.handover}, children=offer.children, away=_sought(view, offer.children),
        reasons=ACCEPT_WHY, words=words, others=_others(view, offer.lines),
    )  # fmt: skip


def arrive_count(view: RosterView, escort: EscortLine) -> Count:
    children = tuple(line.child for line in escort.children)
    return Count(
        act="end_escort", body={"escort": escort.escort}, children=children, away=_sought(view, children),
        reasons=ARRIVE_WHY, words={"name": escort.gate_name}, others=_others(view, escort.children),
    )  # fmt: skip


def back_count(view: RosterView, group: GroupLine) -> Count:
    children = tuple(line.child for line in group.children)
    return Count(
        act="bring_back", body={"group": group.group}, children=children, away=_sought(view, children),
        reasons=BACK_WHY, words={"venue": group.venue, "since": group.out_ms}, others=_others(view, group.children),
    )  # fmt: skip


def again_count(view: RosterView, back: ReturnedLine) -> Count:
    """The offer that came back, once more to the same taker."""
    children = tuple(line.child for line in back.children)
    body = {"kind": back.kind, "taker": back.taker, "place": back.place}
    return Count(
        act="offer", body=body, children=children, away=_sought(view, children), reasons=LEAVE_WHY,
        words={"kind": back.kind, "name": back.taker_name}, others=_others(view, back.children),
    )  # fmt: skip


def counts_on_top(view: RosterView) -> tuple[list[Count], list[Count]]:
    """For each offer that came back the offer again, for each that waits its acceptance."""
    return [again_count(view, back) for back in view.returned], [accept_count(view, offer) for offer in view.incoming]


def _handovers(view: RosterView) -> list[Count]:
    """To whom the children go by the timetable, then home: led to their gate."""
    free = set(_mine(view))
    tasks, grouped = [], set[int]()
    for group in view.next_groups:
        members = tuple(child for child in group.children if child in free)
        grouped.update(group.children)
        if members:
            tasks.append(_to_group(view, group, members))
    gates = {row.line.child for row in view.rows if row.at_gate}
    home = tuple(row.line.child for row in by_seat(view) if row.line.child in free - grouped - gates)
    if home and view.escort_gates:
        tasks.append(_escort(view, home))
    return tasks


def _to_group(view: RosterView, group: NextGroup, members: tuple[int, ...]) -> Count:
    body = {"kind": group.kind, "taker": group.taker, "place": group.room}
    return Count(
        act="offer", body=body, children=members, away=_sought(view, members), reasons=LEAVE_WHY,
        choose="" if group.taker else "colleague",
        words={"kind": group.kind, "title": group.title, "name": group.taker_name},
    )  # fmt: skip


def _escort(view: RosterView, members: tuple[int, ...]) -> Count:
    gate, name = view.escort_gates[0]
    return Count(
        act="start_escort", body={"gate": gate}, children=members, away=_sought(view, members), reasons=LEAVE_WHY,
        choose="gate" if len(view.escort_gates) > 1 else "", words={"name": name},
    )  # fmt: skip


def _always(view: RosterView) -> list[Count]:
    """What the timetable does not foresee: an outing, the duty leader, the gatehouse, a colleague."""
    members = _mine(view)
    if not members:
        return []

    def one(act: str, body: dict[str, Any], **more: Any) -> Count:
        children = more.pop("children", members)
        return Count(act=act, body=body, children=children, away=_sought(view, children), reasons=LEAVE_WHY, **more)

    known = {(group.kind, group.taker) for group in view.next_groups}
    takers = [taker for taker in view.next_takers if (taker[0], taker[1]) not in known]
    tasks = [one("take_out", {}, choose="venue")]
    tasks += [one("offer", {"kind": k, "taker": n, "place": ""}, words={"kind": k, "name": label}) for k, n, label in takers]
    if view.colleagues:
        for kind in ("to_colleague", "to_offsite"):
            body = {"kind": "between_slots" if kind == "to_colleague" else kind, "place": ""}
            tasks.append(one("offer", body, choose="colleague", words={"kind": kind}))
    boarders = tuple(row.line.child for row in view.rows if row.boarder and row.line.child in set(members))
    if boarders and view.colleagues and not any(group.kind == "to_dormitory" for group in view.next_groups):
        body = {"kind": "to_dormitory", "place": ""}
        tasks.append(one("offer", body, choose="colleague", words={"kind": "to_dormitory"}, children=boarders))
    return tasks


def _mine(view: RosterView) -> tuple[int, ...]:
    """In this person's care, with the person, promised to nobody."""
    return tuple(row.line.child for row in by_seat(view) if row.held_by_me and not row.offered_to and not row.escorted)


def _sought(view: RosterView, children: tuple[int, ...]) -> dict[int, str]:
    """Of these children, those who are being looked for already."""
    sought = {line.line.child for line in view.searches}
    return {child: MISSING for child in children if child in sought}


def _others(view: RosterView, lines: tuple[ChildLine, ...]) -> tuple[tuple[int, str, int], ...]:
    """Names of children who have no row on this page."""
    rows = {row.line.child for row in view.rows}
    return tuple((line.child, line.name, line.seat) for line in lines if line.child not in rows)


# --- rows ----------------------------------------------------------------------------------------------


def free_to_take(view: RosterView) -> tuple[int, ...]:
    """Children here in others' care whom nobody else was offered."""
    offered = {row.line.child for row in view.rows if row.offered_to}
    return tuple(child for child in view.takeable if child not in offered)


def looking_for(view: RosterView) -> tuple[RosterRow, ...]:
    """On campus, expected here, not here: longest missing first. They stand on top; no row jumps for it."""
    missing = [row for row in view.rows if row.missing_since_ms is not None and not row.searched_ms]
    return tuple(sorted(missing, key=lambda row: (row.missing_since_ms or 0, row.line.seat)))


def by_seat(view: RosterView) -> tuple[RosterRow, ...]:
    """Rows where the thumb expects them: by class and seat, guests last. The order never follows the state."""
    return tuple(
        sorted(view.rows, key=lambda row: (not row.expected, row.line.class_name, row.line.seat, row.line.child))
    )
