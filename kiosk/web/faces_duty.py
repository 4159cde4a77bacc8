"""The live parts of the duty leader's page: cases in groups, who is where, what keeps the day open.

Searches come first, then alarms, then children who wait longest. A group is a heading and its members; each case travels by
itself. Nothing here decides how urgent a case is: the order within a group is the core's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from markupsafe import Markup

from kiosk.core.roster import CaseLine, DutyView
from kiosk.web.faces_engine import dom_id, macro
from kiosk.web.faces_format import Lang

Piece = tuple[str, str]

KEPT_ITEMS = 512  # rendered cases
OUTSIDE = re.compile("门|候接|接送|gate", re.IGNORECASE)  # places on the edge of the plan
_DUTY, _CASE = "parts/duty.html", "parts/duty_case.html"

# group -> the kinds of case in it, most urgent first; what is in none of them is a conflict of the record
GROUPS: dict[str, tuple[str, ...]] = {
    "search": ("incident", "locate"),
    "alarm": ("duress", "restricted_person", "card_forged", "card_replayed", "lost_card", "exceptional_release"),
    "uncollected": ("uncollected",),
    "lists": ("exit_unused", "arrival_unused", "escort_late", "escort_due", "roll_overdue", "absence", "no_arrival"),
    "sessions": ("staff_not_vetted", "teacher_missing", "patrol_due", "session_unclosed"),
    "machines": ("disk_last", "disk_low", "gate_shut_out"),
    "conflict": (),
}
_GROUP_OF = {kind: group for group, kinds in GROUPS.items() for kind in kinds}
BLOCKERS = ("children", "offers", "escorts", "groups", "shifts", "visitors", "alarms", "conflicts", "emergency")


class Group(NamedTuple):
    """A heading with its cases, as whole HTML or as slots."""

    name: str
    size: int
    members: list[Markup]


def duty_pieces(view: DutyView, lang: Lang) -> list[Piece]:
    """Every live part as (element id, html), lists before their members."""
    inside, outside = campus_edge(view.by_place)
    return [
        ("duty-counts", _html("counts_part", lang, view)),
        ("duty-cases", _html("cases_part", lang, [g._replace(members=_slots(view, g.name)) for g in case_groups(view, lang)])),
        ("duty-places", _html("places_part", lang, view, inside, outside)),
        ("duty-moving", _html("moving_part", lang, view)),
        ("duty-watch", _html("watch_part", lang, view)),
        ("duty-offers", _html("offers_part", lang, view)),
        ("duty-rest", _html("rest_part", lang, view)),
        ("duty-clear", _html("clear_part", lang, view, blockers(view))),
        ("duty-devices", _html("devices_part", lang, view)),
        ("duty-emergency", _html("emergency_part", lang, view)),
        *((f"case-{dom_id(case.case)}", case_html(case, lang)) for case in view.cases),
    ]


def duty_extra(view: DutyView, lang: Lang) -> dict[str, Any]:
    """What the whole page needs beside its view."""
    inside, outside = campus_edge(view.by_place)
    return {"inside": inside, "outside": outside, "blockers": blockers(view), "groups": case_groups(view, lang)}


def case_groups(view: DutyView, lang: Lang) -> list[Group]:
    """The groups that have cases, each with its cases in the core's order; incidents before other searches."""
    found = []
    for name in GROUPS:
        cases = _of(view, name)
        if cases:
            found.append(Group(name, len(cases), [case_html(case, lang) for case in cases]))
    return found


def _of(view: DutyView, group: str) -> list[CaseLine]:
    kinds = GROUPS[group]
    mine = [case for case in view.cases if _GROUP_OF.get(case.kind, "conflict") == group]
    return sorted(mine, key=lambda case: kinds.index(case.kind) if case.kind in kinds else 0)


def _slots(view: DutyView, group: str) -> list[Markup]:
    return [Markup(f'<article id="case-{dom_id(case.case)}" data-slot></article>') for case in _of(view, group)]


def _html(name: str, lang: Lang, *values: Any) -> str:
    return str(getattr(macro(_DUTY, lang), name)(*values))


@lru_cache(maxsize=KEPT_ITEMS)
def case_html(case: CaseLine, lang: Lang) -> Markup:
    """One case, in the form that its kind has."""
    group = _GROUP_OF.get(case.kind, "conflict")
    name = {"search": "search_part", "lists": "list_case_part", "sessions": "list_case_part"}.get(group, "case_part")
    return Markup(getattr(macro(_CASE, lang), name)(case))


def campus_edge(places: Iterable[tuple[str, int]]) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Places inside the plan and places on its edge (gates, waiting areas), in the order given."""
    inside: list[tuple[str, int]] = []
    outside: list[tuple[str, int]] = []
    for place, count in places:
        (outside if OUTSIDE.search(place) else inside).append((place, count))
    return inside, outside


def blockers(view: DutyView) -> list[tuple[str, int]]:
    """What still stands in the way of 静校: always the same lines, zero included; and what only some schools have."""
    counts = dict.fromkeys(BLOCKERS, 0)
    for text in view.clear_blockers:
        key, _, number = text.partition(":")
        counts[key] = int(number) if number.isdigit() else 1
    return list(counts.items())
