"""The live parts of the guard's page, piece by piece.

A line on the left opens a page on the right. Who stands at the gate, what is to be received (the watch, an escort, children
handed to the gatehouse) and whom the gatehouse holds are lists of such pairs. The same bytes go to everybody who may see the
page: what concerns one person only carries that person's number, and the script shows it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from markupsafe import Markup

from kiosk.core.roster import CaseLine, ChildLine, EscortLine, GuardView, OfferLine, QueueItem, ShiftOfferLine
from kiosk.web.faces_engine import dom_id, macro
from kiosk.web.faces_format import Lang

Piece = tuple[str, str]
Pair = tuple[str, Markup, Markup]  # key, line, page

KEPT_ITEMS = 512  # rendered lines and pages that are remembered

_GUARD, _ITEM, _WATCH = "parts/guard.html", "parts/guard_item.html", "parts/guard_watch.html"


def guard_pieces(view: GuardView, lang: Lang) -> list[Piece]:
    """Every live part as (element id, html), lists before their members."""
    people, tasks, held = _people(view, lang), _tasks(view, lang), _held(view, lang)
    pairs = [*people, *tasks, *held]
    lines = [(f"line-{key}", line) for key, line, _ in pairs if line]
    pages = [(f"item-{key}", page) for key, _, page in _pages(view, pairs, lang)]
    return [
        ("guard-watch", _html(_WATCH, "watch_part", lang, view)),
        ("guard-undo", _html(_WATCH, "undo_part", lang, view.undoable)),
        ("guard-counts", _html(_GUARD, "counts_part", lang, view)),
        ("guard-tasks", _html(_WATCH, "tasks_part", lang, _slots("li", "line", tasks))),
        ("guard-queue", _html(_GUARD, "queue_part", lang, _slots("li", "line", people))),
        ("guard-held", _html(_WATCH, "held_part", lang, _slots("li", "line", held))),
        ("guard-details", _html(_GUARD, "details_part", lang, [_slot("section", key) for key, _ in pages])),
        *lines,
        *pages,
    ]


def guard_lists(view: GuardView, lang: Lang) -> dict[str, list[Markup]]:
    """The same lines and pages for the whole page: tasks, lines (the queue), held, details."""
    people, tasks, held = _people(view, lang), _tasks(view, lang), _held(view, lang)
    pages = _pages(view, [*people, *tasks, *held], lang)
    return {
        "tasks": [line for _, line, _ in tasks],
        "lines": [line for _, line, _ in people],
        "held": [line for _, line, _ in held],
        "details": [page for _, _, page in pages],
    }


def _html(template: str, name: str, lang: Lang, *values: Any) -> str:
    return str(getattr(macro(template, lang), name)(*values))


def _slot(tag: str, key: str) -> Markup:
    return Markup(f'<{tag} id="{key}" data-slot></{tag}>')


def _slots(tag: str, prefix: str, pairs: list[Pair]) -> list[Markup]:
    return [_slot(tag, f"{prefix}-{key}") for key, _, _ in pairs]


def _people(view: GuardView, lang: Lang) -> list[Pair]:
    return [(dom_id(item.id), queue_line(item, lang), item_detail(item, lang)) for item in view.queue]


def _tasks(view: GuardView, lang: Lang) -> list[Pair]:
    """What waits to be received: the watch first, then groups on their way, then children offered to the gatehouse."""
    shift = [("shift", _shift_line(view.shift_offer, lang), Markup(""))] if view.shift_offer else []
    escorts = [(f"escort-{dom_id(e.escort)}", _escort_line(e, lang), _escort_page(e, lang)) for e in view.escorts]
    offers = [(f"offer-{dom_id(o.handover)}", _offer_line(o, lang), _offer_page(o, lang)) for o in view.incoming]
    return [*shift, *escorts, *offers]


def _held(view: GuardView, lang: Lang) -> list[Pair]:
    cases = {case.line.child: case for case in view.held_cases if case.line}
    return [(f"held-{h.child}", _held_line(h, lang), _held_page(h, cases.get(h.child), lang)) for h in view.held]


def _pages(view: GuardView, pairs: list[Pair], lang: Lang) -> list[Pair]:
    """Every page on the right. The watch has one as soon as somebody has it, with or without an offer."""
    pages = [pair for pair in pairs if pair[0] != "shift"]
    if view.shift or view.shift_offer:
        pages.append(("shift", Markup(""), Markup(_html(_WATCH, "shift_detail", lang, view))))
    return pages


@lru_cache(maxsize=KEPT_ITEMS)
def queue_line(item: QueueItem, lang: Lang) -> Markup:
    return Markup(_html(_ITEM, "queue_line", lang, item))


@lru_cache(maxsize=KEPT_ITEMS)
def item_detail(item: QueueItem, lang: Lang) -> Markup:
    return Markup(_html(_ITEM, "item_detail", lang, item))


@lru_cache(maxsize=KEPT_ITEMS)
def _escort_line(escort: EscortLine, lang: Lang) -> Markup:
    return Markup(_html(_WATCH, "escort_line", lang, escort))


@lru_cache(maxsize=KEPT_ITEMS)
def _escort_page(escort: EscortLine, lang: Lang) -> Markup:
    return Markup(_html(_WATCH, "escort_detail", lang, escort))


@lru_cache(maxsize=KEPT_ITEMS)
def _offer_line(offer: OfferLine, lang: Lang) -> Markup:
    return Markup(_html(_WATCH, "incoming_line", lang, offer))


@lru_cache(maxsize=KEPT_ITEMS)
def _offer_page(offer: OfferLine, lang: Lang) -> Markup:
    return Markup(_html(_WATCH, "incoming_detail", lang, offer))


@lru_cache(maxsize=KEPT_ITEMS)
def _shift_line(offer: ShiftOfferLine, lang: Lang) -> Markup:
    return Markup(_html(_WATCH, "shift_line", lang, offer))


@lru_cache(maxsize=KEPT_ITEMS)
def _held_line(line: ChildLine, lang: Lang) -> Markup:
    return Markup(_html(_WATCH, "held_line", lang, line))


@lru_cache(maxsize=KEPT_ITEMS)
def _held_page(line: ChildLine, case: CaseLine | None, lang: Lang) -> Markup:
    return Markup(_html(_WATCH, "held_detail", lang, line, case))
