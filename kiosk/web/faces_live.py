"""The live parts of each page, piece by piece: what the stream sends.

A piece is (element id, html). Lists are sent as a skeleton that only names its members in order, and each member as a
piece of its own: a tap on a roster changes one row's bytes and no others, so only that row travels. The full page
uses the same macros, so an update can never look different from a reload. Nothing here says what time it is: ages
and clocks tick in the browser, and equal views give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from kiosk.core.roster import Bar, DisplayView, DutyView, GuardView, PatrolView, RosterListView, RosterView
from kiosk.core.roster import RosterRow as Row
from kiosk.core.roster_safety import MusterView, RegisterView
from kiosk.web.faces_duty import duty_pieces
from kiosk.web.faces_engine import macro
from kiosk.web.faces_format import Lang
from kiosk.web.faces_guard import guard_pieces
from kiosk.web.faces_patrol import patrol_pieces
from kiosk.web.faces_roster import by_seat, closes, counts_on_top, free_to_take, looking_for, moment, suggested
from kiosk.web.faces_safety import muster_pieces, register_pieces

Piece = tuple[str, str]

KEPT_ROWS = 8_192  # rendered roster rows that are remembered: 1,620 children in two sessions and two languages

_ROSTER, _ROSTER_ACT = "parts/roster.html", "parts/roster_act.html"
_ROSTER_SERVICE = "parts/roster_service.html"


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
            return duty_pieces(view, lang)
        case MusterView():
            return muster_pieces(view, lang)
        case PatrolView():
            return patrol_pieces(view, lang)
        case RegisterView():
            return register_pieces(view, lang)
        case _:
            raise TypeError(f"no live parts for a {type(view).__name__}: see kiosk/web/faces_live.py")


def slots(tag: str, ids: Iterable[str]) -> list[Markup]:
    """Empty elements that name a list's members; the script puts the members that it has in their places."""
    return [Markup(f'<{tag} id="{each}" data-slot></{tag}>') for each in ids]


def _html(template: str, name: str, lang: Lang, *values: Any) -> str:
    return str(getattr(macro(template, lang), name)(*values))


# --- roster -------------------------------------------------------------------------------------


def _roster(view: RosterView, lang: Lang) -> list[Piece]:
    rows, now = by_seat(view), moment(view)
    ids = [f"row-{row.line.child}" for row in rows]
    again, accepts = counts_on_top(view)
    return [
        ("roster-head", _html(_ROSTER, "head_part", lang, view)),
        ("roster-service", _html(_ROSTER_SERVICE, "service_part", lang, view)),
        ("roster-returned", _html(_ROSTER, "returned_part", lang, view, again)),
        ("roster-incoming", _html(_ROSTER, "incoming_part", lang, view, accepts)),
        ("roster-searches", _html(_ROSTER, "searches_part", lang, view.searches)),
        ("roster-looking", _html(_ROSTER, "looking_part", lang, looking_for(view))),
        ("roster-offers", _html(_ROSTER, "offers_part", lang, view)),
        ("roster-rows", _html(_ROSTER, "rows_part", lang, slots("li", ids), view.kind == "staff")),
        ("roster-close", _html(_ROSTER_SERVICE, "close_part", lang, view, closes(view))),
        ("roster-act", _html(_ROSTER_ACT, "act_part", lang, view, now, free_to_take(view))),
        *((key, row_html(row, lang)) for key, row in zip(ids, rows, strict=True)),
    ]


@lru_cache(maxsize=KEPT_ROWS)
def row_html(row: Row, lang: Lang) -> Markup:
    """One child's row. Its values are the whole input, so equal rows are rendered once."""
    return Markup(_html(_ROSTER, "row_part", lang, row, suggested(row)))


def row_list(view: RosterView, lang: Lang) -> Sequence[Markup]:
    return [row_html(row, lang) for row in by_seat(view)]
