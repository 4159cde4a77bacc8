"""The second reckoning is worth what it sees: mistakes that somebody could make in an afternoon, each planted and each seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk.core import closing
from kiosk.core.entries import Entry
from kiosk.core.service_records import Corrected, SessionClosed, Sitting
from kiosk.core.settling import Settled
from kiosk.reports import archive, class_hours, columns, fees
from kiosk.reports.books import open_books
from kiosk.reports.service_rows import Held
from kiosk.simulation.term import Size
from tests.support import term_books
from tests.support.term_books import TermBooks, played_term

SMALL = Size(classes=2, pupils=9, first=date(2026, 9, 14), last=date(2026, 9, 30))
Plant = Callable[[pytest.MonkeyPatch], None]


def counts_guests_as_enrolled(monkeypatch: pytest.MonkeyPatch) -> None:
    def add(self: columns.Tally, held: Held) -> None:
        self.states.update(state for _, state in held.enrolled())
        self.states["present"] += len(list(held.guests()))

    monkeypatch.setattr(columns.Tally, "add", add)


def forgets_corrections(monkeypatch: pytest.MonkeyPatch) -> None:
    def first(entry: Entry, row: SessionClosed, corrections: Iterable[Corrected]) -> Sitting:
        return Sitting(entry=entry, first=row, row=row)

    monkeypatch.setattr(archive, "standing", first)


def credits_the_planned_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    people = class_hours._people

    def planned(held: Iterable[Held]) -> Any:
        return people([replace(one, row=_with_planned(one.row)) for one in held])

    monkeypatch.setattr(class_hours, "_people", planned)


def _with_planned(row: SessionClosed) -> SessionClosed:
    return msgspec.structs.replace(row, teachers=(row.planned_teacher,))


def charges_for_days_on_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fees, "ATTENDED", frozenset({"present", "late", "left_early", "leave_sick", "leave_personal"}))


IN_REPORTS: tuple[tuple[Plant, Callable[[TermBooks], Any]], ...] = (
    (counts_guests_as_enrolled, term_books.attendance_agrees),
    (forgets_corrections, term_books.attendance_agrees),
    (credits_the_planned_teacher, term_books.class_hours_agree),
    (charges_for_days_on_the_list, term_books.monthly_fees_agree),
)


@pytest.fixture(scope="module")
def term(tmp_path_factory: pytest.TempPathFactory) -> TermBooks:
    return played_term(tmp_path_factory.mktemp("tianjin") / "state", "tianjin", SMALL)


@pytest.mark.parametrize(("plant", "compare"), IN_REPORTS, ids=[plant.__name__ for plant, _ in IN_REPORTS])
def test_a_mistake_in_a_report_is_seen(
    term: TermBooks, plant: Plant, compare: Callable[[TermBooks], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(term)
    plant(monkeypatch)
    afresh = open_books(term.books.settings, term.state, term.books.directory, today=term.books.today)
    with pytest.raises(AssertionError):
        compare(replace(term, books=afresh))


def test_an_archive_row_that_says_late_for_present_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle = closing.settle

    def lax(*given: Any) -> dict[int, Settled]:
        return {child: Settled("present") if one.state == "late" else one for child, one in settle(*given).items()}

    monkeypatch.setattr(closing, "settle", lax)
    term = played_term(tmp_path / "state", "xiji", SMALL)
    with pytest.raises(AssertionError):
        term_books.archived_as_scripted(term)
