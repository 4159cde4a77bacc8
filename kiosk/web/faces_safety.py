"""The live pieces of the muster page and the gate register. Values in, HTML out; nothing here says what time it is."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from kiosk.core.roster_safety import MusterClass, MusterView, RegisterView
from kiosk.web.faces_engine import dom_id, macro
from kiosk.web.faces_format import Lang

Piece = tuple[str, str]

KEPT_CLASSES = 256  # rendered classes that are remembered: a check-off changes one of them
_MUSTER, _CLASS, _REGISTER = "parts/muster.html", "parts/muster_class.html", "parts/register.html"


def muster_pieces(view: MusterView, lang: Lang) -> list[Piece]:
    classes = [(f"mclass-{dom_id(one.class_id)}", class_html(one, view.state, lang)) for one in view.classes]
    slots = [Markup(f'<details id="{key}" data-slot></details>') for key, _ in classes]
    return [
        ("muster-head", _html(_MUSTER, "head_part", lang, view)),
        ("muster-searched", _html(_MUSTER, "searched_part", lang, view)),
        ("muster-classes", _html(_MUSTER, "classes_part", lang, slots)),
        ("muster-places", _html(_MUSTER, "places_part", lang, view)),
        ("muster-outside", _html(_MUSTER, "outside_part", lang, view)),
        ("muster-extra", _html(_MUSTER, "extra_part", lang, view)),
        ("muster-adults", _html(_MUSTER, "adults_part", lang, view)),
        *classes,
    ]


@lru_cache(maxsize=KEPT_CLASSES)
def class_html(one: MusterClass, state: str, lang: Lang) -> Markup:
    return Markup(_html(_CLASS, "class_part", lang, one, state))


def class_list(view: MusterView, lang: Lang) -> list[Markup]:
    return [class_html(one, view.state, lang) for one in view.classes]


def register_pieces(view: RegisterView, lang: Lang) -> list[Piece]:
    return [
        ("register-inside", _html(_REGISTER, "inside_part", lang, view)),
        ("register-today", _html(_REGISTER, "today_part", lang, view)),
        ("register-late", _html(_REGISTER, "late_part", lang, view)),
        ("register-early", _html(_REGISTER, "early_part", lang, view)),
    ]


def hosts_of(view: RegisterView) -> list[list[Any]]:
    """Whom somebody may come to see, for the form's own search: [number, name, initials]."""
    return [[host.staff, host.name, host.initials] for host in view.hosts]


def _html(template: str, name: str, lang: Lang, *values: Any) -> str:
    return str(getattr(macro(template, lang), name)(*values))


def ids(rows: Iterable[Any]) -> list[int]:
    """The children of these rows."""
    return [row.child for row in rows]
