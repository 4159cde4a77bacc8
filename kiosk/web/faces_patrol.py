"""The live parts of the patrol page: what is still to be looked at, and one card a session."""

from __future__ import annotations

from markupsafe import Markup

from kiosk.core.roster import PatrolView
from kiosk.web.faces_engine import dom_id, macro
from kiosk.web.faces_format import Lang

_PATROL = "parts/patrol.html"


def patrol_pieces(view: PatrolView, lang: Lang) -> list[tuple[str, str]]:
    """As (element id, html), the list before its members."""
    parts = macro(_PATROL, lang)
    ids = [f"patrol-{dom_id(line.session)}" for line in view.lines]
    slots = [Markup(f'<li id="{each}" data-slot></li>') for each in ids]
    cards = [str(card) for card in patrol_cards(view, lang)]
    return [
        ("patrol-head", str(parts.head_part(view))),
        ("patrol-list", str(parts.list_part(slots))),
        *zip(ids, cards, strict=True),
    ]


def patrol_cards(view: PatrolView, lang: Lang) -> list[Markup]:
    parts = macro(_PATROL, lang)
    return [Markup(parts.card_part(line)) for line in view.lines]
