"""Lists on paper: the muster list, printed by itself when an emergency or a drill begins, and 待接名单 when somebody asks.

Views in, lines of a slip out; the device's own thread makes the bytes and waits for the printer. Never delays the loop, and never
fails it: a printer in trouble is a device in trouble, which the bar shows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from drivers.escpos import Line, columns_of, in_cells, padded
from drivers.printer_supervisor import PrinterSupervisor
from kiosk.controller import Batch, Controller
from kiosk.core.campus_parts import Order
from kiosk.core.commands import Look
from kiosk.core.register import VisitorNote, read_note
from kiosk.core.roster_safety import MusterAdult, MusterClass, MusterQuery, MusterRow, MusterView, WaitingView
from kiosk.web.faces_format import clock, clock_s, day
from kiosk.web.words import say

log = logging.getLogger("kiosk.paper")

CELL = 12  # columns for a box, a seat and a name of three characters; longer names make all cells of their class wider
MARKS = {"missing": "□", "mustered": "√", "released": "■", "extra": "√", "outside": "○", "on_site": "□"}
Notes = Callable[[str], str | None]
Slip = Callable[[int], list[Line]]


def nobody_knows(digest: str) -> None:
    """For a computer that has not the notes: names of visitors stay blank."""


class Paper:
    """The printers of one gate. `print` and the listener are called from any thread and return at once."""

    def __init__(
        self, *, controller: Controller, printers: Mapping[str, PrinterSupervisor], only: str, by_itself: bool, note: Notes
    ) -> None:
        self._controller, self._note = controller, note
        self._printers = [printer for name, printer in printers.items() if not only or name == only]
        self._printed: Order | None = None  # which emergency's list has been asked for
        if self._printers and by_itself:
            controller.listeners.append(self._told)

    def __bool__(self) -> bool:
        return bool(self._printers)

    def print(self, view: MusterView | WaitingView) -> bool:
        """False when no printer has room for one more slip."""
        note = self._note

        def slip(columns: int) -> Slip:
            if isinstance(view, WaitingView):
                return lambda tries: waiting_slip(view, columns=columns, tries=tries)
            return lambda tries: muster_slip(view, columns=columns, tries=tries, note=note)

        taken = [printer.print(slip(printer.driver.columns)) for printer in self._printers]
        return any(taken)

    def _told(self, batch: Batch) -> None:
        """On the controller's thread: an emergency that has no list on paper yet gets one, wherever it was declared."""
        emergency = self._controller.world.campus.emergency
        if emergency is None or emergency.order == self._printed:
            return
        self._printed = emergency.order
        self._controller.submit(Look(query=MusterQuery()), self._print_first)

    def _print_first(self, view: Any) -> None:
        if not isinstance(view, MusterView) or not self.print(view):
            log.error("the muster list could not be given to a printer; print it from the page")


# --- the muster list -----------------------------------------------------------------------------------------


def muster_slip(view: MusterView, *, columns: int, tries: int = 1, note: Notes = nobody_knows) -> list[Line]:
    """Who is on the list, by class, and where each was when it was frozen; boxes to tick with a pen."""
    return [*_head(view, tries), *_looked_for(view), *_by_class(view, columns), *_others(view, columns, note), *_foot()]


def _head(view: MusterView, tries: int) -> Iterator[Line]:
    title = {"none": "paper.now", "running": "muster.title_drill" if view.drill else "muster.title_real"}
    over = "muster.title_drill_over" if view.drill else "muster.title_over"
    yield Line(text=view.bar.school, size=2, align="centre")
    yield Line(text=say(title.get(view.state, over)), size=1 if view.state == "over" else 2, bold=True, align="centre")
    yield Line(text=f"{day(view.since_ms, 'zh')} {clock_s(view.since_ms)}  {view.bar.node}", align="centre")
    if view.by_name:
        yield Line(text=say("muster.by", name=view.by_name), align="centre")
    if view.ended_ms:
        yield Line(text=say("muster.ended", time=clock_s(view.ended_ms)), align="centre")
    if tries > 1:
        yield Line(text=say("paper.again", n=tries), bold=True)
    if view.unseen_gates:
        yield Line(text=say("muster.unseen", gates="、".join(view.unseen_gates)), bold=True)
    if view.state == "none":
        yield Line(text=f"{say('muster.on_site')} {view.expected}", size=2, bold=True)
        return
    yield Line(
        text=say(
            "paper.figures", expected=view.expected, missing=view.missing, mustered=view.mustered, released=view.released
        ),
        bold=True,
    )
    yield Line(text=say("paper.legend"))


def _looked_for(view: MusterView) -> Iterator[Line]:
    """Once most are counted: those who are not, each with the last place and the last adult."""
    if not view.searched or view.missing == view.expected:
        return
    yield Line(text="")
    yield Line(text=say("muster.looked_for"), size=2, bold=True)
    for row in view.searched:
        yield Line(text=f"□ {row.class_name} {row.seat:02} {row.name}", bold=True)
        last = say("muster.last", place=row.place, adult=row.custodian_name)
        yield Line(text=f"   {last} {clock(row.last_seen_ms)}")
        if row.hint:
            yield Line(text="   " + say("muster.hint", time=clock(row.hint_ms), point=row.hint))


def _by_class(view: MusterView, columns: int) -> Iterator[Line]:
    for one in view.classes:
        yield Line(text="")
        key = "paper.class_missing" if view.state != "none" else "paper.class"
        words = say(key, name=one.name, n=one.expected, missing=one.missing, room=one.room, teacher=one.teacher_name)
        yield Line(text=words, bold=True)
        yield from _by_holder(one, columns)


def _by_holder(one: MusterClass, columns: int) -> Iterator[Line]:
    """Where they were and who answered for them, then their names beside each other."""
    rows = sorted(one.rows, key=lambda row: (row.place, row.custodian_name, row.seat, row.name))
    for (place, adult), group in groupby(rows, key=lambda row: (row.place, row.custodian_name)):
        held = list(group)
        yield Line(text=" " + say("paper.held", place=place, adult=adult, n=len(held)))
        yield from _cells([_cell(row) for row in held], columns)


def _cells(texts: list[str], columns: int) -> Iterator[Line]:
    """As many names beside each other as fit. No name is cut while a line can hold it."""
    cell = max([CELL, *(columns_of(text) + 1 for text in texts)])
    return (Line(text=text) for text in in_cells(texts, cell=min(cell, columns), columns=columns))


def _cell(row: MusterRow) -> str:
    return f"{MARKS.get(row.what, '□')}{row.seat:02}{row.name}"


def _others(view: MusterView, columns: int, note: Notes) -> Iterator[Line]:
    for group in view.outside:
        yield Line(text="")
        yield Line(text=say("muster.outside"), bold=True)
        yield Line(text=say("muster.group", venue=group.venue, teacher=group.teacher_name, n=len(group.rows)))
        yield from _cells([_cell(row) for row in group.rows], columns)
    if view.extra:
        yield Line(text="")
        yield Line(text=say("muster.extra"), bold=True)
        yield from _cells([_cell(row) for row in view.extra], columns)
    yield Line(text="")
    yield Line(text=say("muster.visitors", n=len(view.visitors)), bold=True)
    yield from (Line(text=_visitor(one, note)) for one in view.visitors)
    yield Line(text=say("muster.staff", n=len(view.staff)), bold=True)
    yield from _cells([f"{'√' if one.here else '□'}{one.name}" for one in view.staff], columns)


def _visitor(one: MusterAdult, note: Notes) -> str:
    found: VisitorNote = read_note(note(one.note) if one.note else None)
    purpose = say(f"purpose.{one.detail}") if one.detail else ""
    name = found.name or say("register.elsewhere", gate=one.gate_name)
    left = say("muster.visitor_out", time=clock(one.out_ms)) if one.out_ms else ""
    return " ".join(filter(None, ("√" if one.here or one.out_ms else "□", name, found.organisation, purpose, left)))


def _foot() -> Iterator[Line]:
    yield Line(text="")
    yield Line(text=say("paper.note"))
    yield Line(text=say("paper.cut_here"), align="centre")


# --- still waiting -----------------------------------------------------------------------------------------------


def waiting_slip(view: WaitingView, *, columns: int, tries: int = 1) -> list[Line]:
    """Who still waits at a gate, with the tails of the numbers that answer for them."""
    lines = [
        Line(text=f"{say('waiting.title')} · {view.gate_name}", size=2, align="centre"),
        Line(text=f"{day(view.now_ms, 'zh')} {clock_s(view.now_ms)}", align="centre"),
        Line(text=say("waiting.count", n=len(view.lines)), bold=True),
    ]
    if tries > 1:
        lines.append(Line(text=say("paper.again", n=tries), bold=True))
    for one in view.lines:
        line = one.line
        who, due = f"□ {line.class_name} {line.seat:02} {line.name}", clock(one.due_ms)
        lines.append(Line(text=padded(who, columns - columns_of(due)) + due, bold=True))
        lines.append(Line(text=f"   {line.place} · {line.custodian_name}"))
        for adult in one.guardians:
            key = "waiting.tail" if adult.tail else "waiting.no_phone"
            words = say(key, relation=adult.relation, name=adult.name, tail=adult.tail)
            lines.append(Line(text="   " + words))
    return [*lines, *_foot()]


def as_text(lines: Iterable[Line]) -> str:
    """A slip for a screen or another sort of printer."""
    return "\n".join(line.text.rstrip() for line in lines)
