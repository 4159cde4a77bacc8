"""The live parts of each page, piece by piece: what the stream sends.

A piece is (element id, html). Lists are sent as a skeleton that only names its members in order, and each member as a
piece of its own: a tap on a roster changes one row's bytes and no others, so only that row travels. The full page
uses the same macros, so an update can never look different from a reload. Nothing here says what time it is: ages
and clocks tick in the browser, and equal views give equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from kiosk.core.roster import Bar, CaseLine, DisplayView, DutyView, GuardView, RosterListView, RosterView
from kiosk.core.roster import RosterRow as Row
from kiosk.core.roster_safety import MusterView, RegisterView
from kiosk.web.faces_engine import dom_id, macro
from kiosk.web.faces_format import Lang
from kiosk.web.faces_guard import guard_pieces
from kiosk.web.faces_roster import by_seat, counts_on_top, free_to_take, looking_for, moment, suggested
from kiosk.web.faces_safety import muster_pieces, register_pieces

Piece = tuple[str, str]

KEPT_ROWS = 8_192  # rendered roster rows that are remembered: 1,620 children in two sessions and two languages
KEPT_ITEMS = 512  # rendered cases
OUTSIDE = re.compile("门|候接|接送|gate", re.IGNORECASE)  # places on the edge of the plan

_ROSTER, _DUTY, _CASE = "parts/roster.html", "parts/duty.html", "parts/duty_case.html"
_ROSTER_ACT = "parts/roster_act.html"


def pieces(view: object, lang: Lang) -> list[Piece]:
    """The live parts of any view that a page streams. Raises TypeError for a view that no page streams."""
    match view:
        case Bar():
            return [("bar", _html("parts/bar.html", "bar_part", lang, view))]
        case DisplayView():
            return [("display-idle", _html("parts/display_idle.html", "idle_part", lang, view))]
        case GuardView():
            return guard_pieces(view, lang)
        case RosterView():
            return _roster(view, lang)
        case RosterListView():
            return [("roster-list", _html(_ROSTER, "list_part", lang, view))]
        case DutyView():
            return _duty(view, lang)
        case MusterView():
            return muster_pieces(view, lang)
        case RegisterView():
            return register_pieces(view, lang)
        case _:
            raise TypeError(f"no live parts for a {type(view).__name__}: see kiosk/web/faces_live.py")


def slots(tag: str, ids: Iterable[str]) -> list[Markup]:
    """Empty elements that name a list's members; the script puts the members that it has in their places."""
    return [Markup(f'<{tag} id="{each}" data-slot></{tag}>') for each in ids]


def campus_edge(places: Iterable[tuple[str, int]]) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Places inside the plan and places on its edge (gates, waiting areas), in the order given."""
    inside: list[tuple[str, int]] = []
    outside: list[tuple[str, int]] = []
    for place, count in places:
        (outside if OUTSIDE.search(place) else inside).append((place, count))
    return inside, outside


def blockers(view: DutyView) -> list[tuple[str, int]]:
    """What still stands in the way of 静校: always the same three lines, zero included."""
    counts = {"children": 0, "conflicts": 0, "emergency": 0}
    for text in view.clear_blockers:
        key, _, number = text.partition(":")
        counts[key] = int(number) if number.isdigit() else 1
    return list(counts.items())


def _html(template: str, name: str, lang: Lang, *values: Any) -> str:
    return str(getattr(macro(template, lang), name)(*values))


# --- roster -------------------------------------------------------------------------------------


def _roster(view: RosterView, lang: Lang) -> list[Piece]:
    rows, now = by_seat(view), moment(view)
    ids = [f"row-{row.line.child}" for row in rows]
    again, accepts = counts_on_top(view)
    return [
        ("roster-head", _html(_ROSTER, "head_part", lang, view)),
        ("roster-returned", _html(_ROSTER, "returned_part", lang, view, again)),
        ("roster-incoming", _html(_ROSTER, "incoming_part", lang, view, accepts)),
        ("roster-searches", _html(_ROSTER, "searches_part", lang, view.searches)),
        ("roster-looking", _html(_ROSTER, "looking_part", lang, looking_for(view))),
        ("roster-offers", _html(_ROSTER, "offers_part", lang, view)),
        ("roster-rows", _html(_ROSTER, "rows_part", lang, slots("li", ids), view.kind == "staff")),
        ("roster-act", _html(_ROSTER_ACT, "act_part", lang, view, now, free_to_take(view))),
        *((key, row_html(row, lang)) for key, row in zip(ids, rows, strict=True)),
    ]


@lru_cache(maxsize=KEPT_ROWS)
def row_html(row: Row, lang: Lang) -> Markup:
    """One child's row. Its values are the whole input, so equal rows are rendered once."""
    return Markup(_html(_ROSTER, "row_part", lang, row, suggested(row)))


def row_list(view: RosterView, lang: Lang) -> Sequence[Markup]:
    return [row_html(row, lang) for row in by_seat(view)]


# --- duty ---------------------------------------------------------------------------------------


def _duty(view: DutyView, lang: Lang) -> list[Piece]:
    cases = [(f"case-{dom_id(case.case)}", case_html(case, lang)) for case in view.cases]
    inside, outside = campus_edge(view.by_place)
    return [
        ("duty-counts", _html(_DUTY, "counts_part", lang, view)),
        ("duty-cases", _html(_DUTY, "cases_part", lang, slots("article", (key for key, _ in cases)))),
        ("duty-places", _html(_DUTY, "places_part", lang, view, inside, outside)),
        ("duty-offers", _html(_DUTY, "offers_part", lang, view)),
        ("duty-clear", _html(_DUTY, "clear_part", lang, view, blockers(view))),
        ("duty-devices", _html(_DUTY, "devices_part", lang, view)),
        ("duty-emergency", _html(_DUTY, "emergency_part", lang, view)),
        *cases,
    ]


@lru_cache(maxsize=KEPT_ITEMS)
def case_html(case: CaseLine, lang: Lang) -> Markup:
    return Markup(_html(_CASE, "case_part", lang, case))
