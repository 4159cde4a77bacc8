"""ESC/POS without a printer: text that can command nothing, widths that hold, and status bytes from anywhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drivers import escpos
from drivers.escpos import Line

TEXTS = st.text(max_size=60)
BYTES = st.integers(0, 255)


def test_the_bytes_of_a_slip_are_these() -> None:
    made = escpos.document([Line(text="集合", bold=True), Line(text="A1")], columns=48)
    assert made == (b"\x1b@\x1c&\x1b2\x1d!\x00\x1bE\x01\x1ba\x00\xbc\xaf\xba\xcf\n\x1d!\x00\x1bE\x00\x1ba\x00A1\n\x1dVB\x03")


@given(TEXTS)
def test_no_text_holds_a_control_byte(text: str) -> None:
    assert not [byte for byte in escpos.encoded(text) if byte < 0x20 or byte == 0x7F]


@given(TEXTS)
def test_what_can_be_printed_is_printed_as_it_is(text: str) -> None:
    assert escpos.encoded(text).decode("gb18030") == escpos.plain(text)


@given(TEXTS, st.integers(1, 48))
def test_a_cell_is_exactly_as_wide_as_it_should_be(text: str, columns: int) -> None:
    assert escpos.columns_of(escpos.padded(text, columns)) == columns
    assert escpos.columns_of(escpos.cut_to(text, columns)) <= columns


@given(st.lists(TEXTS, max_size=20), st.integers(1, 60), st.integers(16, 48))
def test_cells_never_outgrow_the_paper_and_nobody_is_left_out(texts: list[str], cell: int, columns: int) -> None:
    rows = escpos.in_cells(texts, cell=cell, columns=columns)
    assert all(escpos.columns_of(row) <= max(columns, cell) for row in rows)
    assert len(rows) == -(-len(texts) // max(1, columns // cell))


@given(BYTES)
def test_no_byte_is_an_answer_of_both_sorts(byte: int) -> None:
    assert not (escpos.is_real_time(byte) and escpos.is_in_turn(byte))


@given(st.dictionaries(st.integers(0, 9), BYTES))
def test_any_bytes_make_a_status(answers: dict[int, int]) -> None:
    assert isinstance(escpos.status_from(answers).trouble, str)


def test_the_status_of_a_printer_without_paper_or_with_its_cover_open() -> None:
    no_paper = escpos.status_from({1: 0x1A, 2: 0x32, 3: 0x12, 4: 0x72})
    assert (no_paper.offline, no_paper.paper_out, no_paper.cover_open) == (True, True, False)
    assert escpos.status_from({1: 0x1A, 2: 0x16}).trouble == "its cover is open; close it"
    assert escpos.status_from({1: 0x1A, 3: 0x1A}).trouble.startswith("its cutter is stuck")
    assert escpos.status_from({1: 0x16, 4: 0x1E}).paper_low
    assert escpos.status_from({1: 0x16}).trouble == ""
