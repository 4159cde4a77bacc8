"""A report as an .xlsx file that a school can send upward: types, headings, print set-up, charts. Never a formula, never a macro.

Rows go to the disk as they come, so memory does not grow with the report. Numbers of people are text, and so is every text
that begins like a formula: it is stored as a string, with the mark that keeps it one when somebody edits the cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unicodedata import east_asian_width

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from kiosk.reports.forms import MINUTE_MS, TELL_EVERY, Making, clean, dangerous, facts_of, is_number, is_text, period, shown
from kiosk.reports.table import Cell, Chart, Column, Report, Sheet, Value, Words

MAX_ROWS: Final = 1_000_000  # of a table on one worksheet; the format ends at 1,048,576
MAX_TEXT: Final = 32_000  # characters of a cell; the format ends at 32,767
MAX_HEIGHTS: Final = 20_000  # rows whose own height is kept in memory; below them a long text is cut off on paper
MAX_CHART_ROWS: Final = 400  # more bars than that are no picture
WIDEST, NARROWEST, MARGIN = 60, 3, 2  # of columns, in half-width characters
PORTRAIT_CHARS: Final = 92  # that an upright A4 page holds at a size which can be read
MARK: Final = 5  # a column as narrow as this has one mark in a cell
LEAST_CHARS: Final = 76  # that a table is wide, so that its title block has room
A4: Final = 9
PALETTE: Final = ("#1D5FA8", "#C98A00", "#0B5C50", "#6A4A93", "#8C0F1B", "#4C5956")
FONT: Final = "宋体"
LINE_PT, ROW_PT, MAX_HEIGHT_PT = 16.0, 19.0, 409.0
CHART_ROWS, CHARTS_ON_A_PAGE = 24, 2  # an A4 page has 48 rows of the usual height: none of them is cut
_FORMATS: Final = {
    Cell.TEXT: "@", Cell.ID: "@", Cell.WHOLE: "0", Cell.HOURS: "0.0", Cell.MINUTES: "0", Cell.PERCENT: "0.0%",
    Cell.YUAN: "#,##0", Cell.DATE: "yyyy-mm-dd", Cell.TIME: "hh:mm", Cell.FLAG: "@",
}  # fmt: skip
_WRAPPED: Final = frozenset({Cell.TEXT})
_MIDDLE: Final = frozenset({Cell.DATE, Cell.TIME, Cell.FLAG})
_SHAPES: Final = {"bar": "column", "line": "line", "pie": "pie"}
SIGN: Final = (Words("填表人", "Filled in by"), Words("审核人", "Checked by"), Words("负责人", "Head"), Words("日期", "Date"))
SEAL: Final = Words("（盖章）", "(seal)")
MADE: Final = Words("制表时间", "Made at")
PERIOD: Final = Words("统计时段", "Period")
GROUND: Final = Words("依据", "Ground")
NOTE: Final = Words("说明", "Note")
PICTURE: Final = Words("图", "chart")
PAGES: Final = Words("第 &P 页 共 &N 页", "Page &P of &N")


def write_workbook(report: Report, path: Path, making: Making, *, max_rows: int = MAX_ROWS) -> None:
    """Raises OSError when the disk refuses."""
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "in_memory": False, "tmpdir": str(path.parent), "default_format_properties": {"font_name": FONT, "font_size": 11},
    }  # fmt: skip
    try:
        with xlsxwriter.Workbook(str(path), options) as book:
            book.set_properties({"title": making.say(report.title), "company": report.school, "created": making.made_at})
            writer = _Book(report, book, making)
            for sheet in report.sheets:
                writer.add(sheet, max_rows)
    except XlsxWriterException as error:  # the library wraps what the disk said
        raise OSError(str(error)) from error


@dataclass
class _Book:
    """One workbook while it is written."""

    report: Report
    book: Any
    making: Making
    formats: dict[tuple[object, ...], Any] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def format(self, **properties: Any) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format(properties)
        return self.formats[key]

    def name(self, wanted: str) -> str:
        """A worksheet's name: 31 characters at most, none of []:*?/\\, each once."""
        name = "".join("·" if c in "[]:*?/\\'" or c < " " else c for c in clean(wanted))[:28].strip() or "表"
        found, n = name, 1
        while found.lower() in self.names:
            n += 1
            found = f"{name[:24]}({n})"
        self.names.add(found.lower())
        return found

    def add(self, sheet: Sheet, max_rows: int) -> None:
        """One worksheet, or several where the rows do not fit on one; then one for its charts."""
        rows, first = _Rows(sheet.rows), True
        while first or rows.more:
            page = _Page(self, sheet, self.name(self.making.say(sheet.name)))
            page.head(first)
            page.table(rows.take(max_rows))
            if not rows.more:
                page.foot()
            page.set_up()
            if first and sheet.charts and page.last >= page.first:
                self._charts(sheet, page)
            first = False

    def _charts(self, sheet: Sheet, page: _Page) -> None:
        name = self.name(f"{self.making.say(sheet.name)[:20]}·{self.making.say(PICTURE)}")
        drawn = self.book.add_worksheet(name)
        drawn.hide_gridlines(2)
        for n, chart in enumerate(sheet.charts):
            place = {"x_offset": 4, "y_offset": 4, "object_position": 3}  # as large as said, whatever the columns are
            drawn.insert_chart(n * CHART_ROWS, 0, self._chart(chart, sheet, page), place)
        a_page = CHART_ROWS * CHARTS_ON_A_PAGE
        drawn.set_h_pagebreaks(list(range(a_page, len(sheet.charts) * CHART_ROWS, a_page)))
        drawn.set_paper(A4)
        drawn.set_margins(left=0.5, right=0.5, top=0.8, bottom=0.7)
        drawn.fit_to_pages(1, 0)
        _set_headers(drawn, self.report, self.making)

    def _chart(self, chart: Chart, sheet: Sheet, page: _Page) -> Any:
        """A native chart of the cells: it changes with them."""
        drawn = self.book.add_chart({"type": _SHAPES.get(chart.shape, "column")})
        keys = [column.key for column in sheet.columns]
        last = min(page.last, page.first + MAX_CHART_ROWS - 1)
        for n, key in enumerate(chart.values[: 1 if chart.shape == "pie" else None]):
            at = keys.index(key)
            series: dict[str, Any] = {
                "name": self.making.say(sheet.columns[at].head),
                "categories": [page.name, page.first, keys.index(chart.categories), last, keys.index(chart.categories)],
                "values": [page.name, page.first, at, last, at],
                "gap": 60, "fill": {"color": PALETTE[n % len(PALETTE)]}, "line": {"color": PALETTE[n % len(PALETTE)]},
            }  # fmt: skip
            if chart.shape == "pie":
                del series["fill"], series["line"]
                series["points"] = [{"fill": {"color": colour}} for colour in PALETTE]
                series["data_labels"] = {"percentage": True, "category": True, "position": "outside_end"}
            elif chart.shape == "line":
                series["marker"] = {"type": ("circle", "square", "diamond", "triangle")[n % 4], "size": 6, "fill": series["fill"]}
            drawn.add_series(series)
        font = {"name": FONT}
        drawn.set_title({"name": self.making.say(chart.title), "name_font": {**font, "size": 14}, "overlay": False})
        if chart.shape != "pie":
            drawn.set_x_axis({"num_font": font})
            lines = {"visible": True, "line": {"color": "#D5D2C8"}}
            share = all(sheet.columns[keys.index(key)].cell is Cell.PERCENT for key in chart.values)
            scale = {"max": 1, "num_format": "0%"} if share else {}
            drawn.set_y_axis({"num_font": font, "min": 0, "major_gridlines": lines, **scale})
        named = len(chart.values) > 1 or chart.shape == "pie"
        drawn.set_legend({"position": "bottom", "font": font} if named else {"none": True})
        drawn.set_size({"width": 620, "height": 400})
        return drawn


@dataclass
class _Page:
    """One worksheet with a table. Rows are written from the top down and never touched again."""

    book: _Book
    sheet: Sheet
    name: str
    at: int = 0  # the next row
    head_at: int = 0
    first: int = 0  # rows of the table
    last: int = -1

    def __post_init__(self) -> None:
        self.work = self.book.book.add_worksheet(self.name)
        self.work.set_default_row(ROW_PT)
        self.widths = [
            max(NARROWEST, min(WIDEST, column.width)) + (MARGIN if column.width > MARK else 1) for column in self.sheet.columns
        ]
        for n, (column, width) in enumerate(zip(self.sheet.columns, self.widths, strict=True)):
            self.widths[n] = max(width, min(24, -(-width_of(self.book.making.say(column.head)) // 2) + MARGIN))
        if (wide := sum(self.widths)) < LEAST_CHARS:
            self.widths = [width * LEAST_CHARS // wide for width in self.widths]
        for n, width in enumerate(self.widths):
            self.work.set_column(n, n, width)
        self.cells = [self._format(column) for column in self.sheet.columns]
        self.quoted = self.book.format(num_format="@", border=1, valign="vcenter", text_wrap=True, quote_prefix=True)

    @property
    def wide(self) -> int:
        return len(self.widths) - 1

    def _format(self, column: Column, **more: Any) -> Any:
        align = "center" if column.cell in _MIDDLE else "left" if is_text(column.cell) else "right"
        wrap = column.cell in _WRAPPED
        return self.book.format(
            num_format=_FORMATS[column.cell], align=align, valign="vcenter", border=1, text_wrap=wrap, **more
        )

    def head(self, whole: bool) -> None:
        """The title block, then the head row, which stays in sight and on every page."""
        report, making, book = self.book.report, self.book.making, self.book
        several = len(report.sheets) > 1
        title = making.say(report.title) + (f" · {making.say(self.sheet.name)}" if several else "")
        self.line(title, height=30, bold=True, font_size=18, align="center")
        made = f"{making.say(MADE)} {making.made_at:%Y-%m-%d %H:%M}"
        self.line("    ".join((report.school, f"{making.say(PERIOD)} {period(report)}", made)), align="center")
        if whole:
            if facts := facts_of(report, making):
                self.line("    ".join(f"{name} {value}" for name, value in facts), font_color="#4C5956", font_size=10)
            for quoted in report.quoted:
                self.line(f"{making.say(GROUND)}：{making.say(quoted)}", font_color="#4C5956", font_size=10)
        heading = book.format(
            bold=True, align="center", valign="vcenter", border=1, text_wrap=True, bg_color="#E3E9EF", num_format="@"
        )
        deepest = max(
            (-(-width_of(making.say(c.head)) // w) for c, w in zip(self.sheet.columns, self.widths, strict=True)), default=1
        )
        self.work.set_row(self.at, max(24.0, LINE_PT * deepest + 4))
        for n, column in enumerate(self.sheet.columns):
            self.work.write_string(self.at, n, clean(making.say(column.head)), heading)
        self.head_at, self.at = self.at, self.at + 1
        self.first = self.at

    def line(self, text: str, *, height: float = 0.0, **properties: Any) -> None:
        """A text over the whole width, as many lines high as it needs."""
        shape = self.book.format(**{"text_wrap": True, "valign": "vcenter", "align": "left", **properties, "num_format": "@"})
        size = float(properties.get("font_size", 11)) / 11
        room = max(1, int(sum(self.widths) / size) - 2)
        self.work.set_row(self.at, min(MAX_HEIGHT_PT, max(height, LINE_PT * size * lines_of(text, room) + 3)))
        text = clean(text)[:MAX_TEXT]
        if self.wide:
            self.work.merge_range(self.at, 0, self.at, self.wide, "", shape)
        self.work.write_string(self.at, 0, text, shape)
        self.at += 1

    def table(self, rows: Iterable[tuple[Value, ...]]) -> None:
        tell = self.book.making.tell
        for n, row in enumerate(rows, 1):
            self._row(row, self.cells, self.quoted)
            self.last = self.at - 1
            if n % TELL_EVERY == 0:
                tell(TELL_EVERY)
        tell((self.last - self.first + 1) % TELL_EVERY)

    def _row(self, row: tuple[Value, ...], cells: list[Any], quoted: Any) -> None:
        lines = 1
        for n, (value, column) in enumerate(zip(row, self.sheet.columns, strict=True)):
            if isinstance(value, str) and column.cell in _WRAPPED and (len(value) * 2 > self.widths[n] or "\n" in value):
                lines = max(lines, lines_of(value, self.widths[n] - 1))
        if lines > 1 and self.at < MAX_HEIGHTS:
            self.work.set_row(self.at, min(MAX_HEIGHT_PT, LINE_PT * lines + 4))
        for n, (value, column, shape) in enumerate(zip(row, self.sheet.columns, cells, strict=True)):
            self._cell(n, value, column.cell, shape, quoted)
        self.at += 1

    def _cell(self, at: int, value: Value, cell: Cell, shape: Any, quoted: Any) -> None:
        making = self.book.making
        if value is None or value == "":
            self.work.write_blank(self.at, at, None, shape)
        elif cell is Cell.DATE and not isinstance(value, str | int | float):
            self.work.write_datetime(self.at, at, value, shape)
        elif cell is Cell.TIME and isinstance(value, int | float) and math.isfinite(value):
            self.work.write_number(self.at, at, (int(value) + making.offset_ms) // MINUTE_MS % 1440 / 1440, shape)
        elif is_number(value) and not is_text(cell) and cell is not Cell.FLAG:
            assert isinstance(value, int | float)
            self.work.write_number(self.at, at, value, shape)
        else:
            text = shown(value, cell, making)[:MAX_TEXT]
            self.work.write_string(self.at, at, text, quoted if dangerous(text) else shape)

    def foot(self) -> None:
        """The total, the notes, and the lines for the signatures."""
        making = self.book.making
        if self.sheet.total is not None:
            bold = [self._format(column, bold=True, bg_color="#F5F3EE") for column in self.sheet.columns]
            self._row(self.sheet.total, bold, self.quoted)
        for n, note in enumerate(self.sheet.notes):
            self.line(f"{making.say(NOTE)}{n + 1 if len(self.sheet.notes) > 1 else ''}：{making.say(note)}", font_size=10)
        if self.book.report.signed:
            self.line("")
            blank = "＿" * 6
            signs = "  ".join(f"{making.say(word)}：{blank}" for word in SIGN)
            self.line(f"{signs}  {making.say(SEAL)}", height=36)

    def set_up(self) -> None:
        """In sight: the head row stays. On paper: A4, as wide as the page, the head row on every page."""
        work = self.work
        work.freeze_panes(self.head_at + 1, 0)
        if self.last >= self.first:
            work.autofilter(self.head_at, 0, self.last, self.wide)
        work.set_paper(A4)
        if sum(self.widths) > PORTRAIT_CHARS:
            work.set_landscape()
        work.set_margins(left=0.5, right=0.5, top=0.8, bottom=0.7)
        work.fit_to_pages(1, 0)
        work.repeat_rows(self.head_at)
        work.center_horizontally()
        work.print_area(0, 0, max(self.at - 1, 0), self.wide)
        _set_headers(work, self.book.report, self.book.making)


def _set_headers(work: Any, report: Report, making: Making) -> None:
    """On every page of paper: whose it is, of which days, when it was made, and which page of how many."""
    work.set_header(f"&L&9{_header(report.school)}&C&9{_header(making.say(report.title))}&R&9{_header(period(report))}")
    made = f"{making.say(MADE)} {making.made_at:%Y-%m-%d %H:%M}"
    work.set_footer(f"&L&9{_header(made)}&C&9{making.say(PAGES)}")


def _header(text: str) -> str:
    """In a header & begins an instruction, and digits after a size would lengthen it."""
    return " " + clean(text)[:60].replace("&", "&&").replace("\n", " ")


def lines_of(text: str, room: int) -> int:
    return sum(max(1, -(-width_of(part) // max(1, room))) for part in text.split("\n"))


def width_of(text: str) -> int:
    """In half-width characters: a Chinese one takes two."""
    return sum(2 if east_asian_width(letter) in "WFA" else 1 for letter in text)


class _Rows:
    """Rows as they come, some at a time."""

    def __init__(self, rows: Iterable[tuple[Value, ...]]) -> None:
        self._rows = iter(rows)
        self._next = next(self._rows, None)

    @property
    def more(self) -> bool:
        return self._next is not None

    def take(self, most: int) -> Iterator[tuple[Value, ...]]:
        for _ in range(most):
            if self._next is None:
                return
            row, self._next = self._next, next(self._rows, None)
            yield row
