"""Visitors' names, put into views where pages are made: the core knows only the digest of the note that has them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from kiosk.core.register import read_note
from kiosk.core.roster import Query
from kiosk.core.roster_safety import MusterAdult, MusterView, RegisterView, VisitLine

Notes = Callable[[str], str | None]
Look = Callable[[Query], Awaitable[Any]]


def named(view: Any, note: Notes | None) -> Any:
    """The view with the names of its visitors. Views without visitors come back as they are."""
    if note is None:
        return view
    if isinstance(view, RegisterView):
        return replace(
            view, inside=tuple(_visit(line, note) for line in view.inside), today=tuple(_visit(line, note) for line in view.today)
        )
    if isinstance(view, MusterView) and view.visitors:
        return replace(view, visitors=tuple(_adult(one, note) for one in view.visitors))
    return view


def _visit(line: VisitLine, note: Notes) -> VisitLine:
    found = read_note(note(line.note) if line.note else None)
    return replace(line, name=found.name, organisation=found.organisation, plate=found.plate)


def _adult(one: MusterAdult, note: Notes) -> MusterAdult:
    found = read_note(note(one.note) if one.note else None)
    return replace(one, name=" · ".join(filter(None, (found.name, found.organisation))))


def naming(look: Look, note: Notes | None) -> Look:
    """`look` for pages that show visitors."""

    async def look_named(query: Query) -> Any:
        return named(await look(query), note)

    return look_named
