"""A report as a PDF to sign: A4, the head row on every page, page numbers, a line for each signature, the font inside.

For what goes on paper and is signed; charts are on the page and in the spreadsheet. The library and a Chinese font are the
computer's to have: FormMissing says what to install.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kiosk.reports.forms import TELL_EVERY, FormMissing, Making, clean, is_number, is_text, period, shown
from kiosk.reports.table import Cell, Report, Sheet, Value, Words
from kiosk.reports.workbook import GROUND, MADE, NOTE, PERIOD, SEAL, SIGN

if TYPE_CHECKING:
    from fpdf import FPDF

# (regular, bold, which font of the collection is simplified Chinese)
FONTS: Final = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc", 2),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", "/usr/share/fonts/noto-cjk/NotoSansCJK-Bold.ttc", 2),
    ("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Bold.ttc", 2),
    ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", 0),
    ("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", 0),
)
NO_LIBRARY: Final = "没有安装 PDF 组件：请安装 campus-kiosk[pdf] / there is no library for PDF: install campus-kiosk[pdf]"
NO_FONT: Final = (
    "没有中文字体，不能生成 PDF：请安装软件包 fonts-noto-cjk"
    " / there is no Chinese font for PDF: install the package fonts-noto-cjk"
)
MARGIN, HEAD_ROOM, FOOT_ROOM = 12.0, 20.0, 16.0  # mm
SIZE, LEAST_SIZE = 9.0, 5.0  # points
MM_OF_POINT: Final = 25.4 / 72
PORTRAIT_CHARS: Final = 96
MAX_CELLS: Final = 200_000  # more is no paper that somebody signs
PAD: Final = 0.8  # mm, left and right of a text
OF: Final = Words("第 {page} 页 共 {{nb}} 页", "Page {page} of {{nb}}")


def write_pdf(
    report: Report, path: Path, making: Making, *, known: Sequence[tuple[str, str, int]] = FONTS, max_cells: int = MAX_CELLS
) -> None:
    """Raises FormMissing, or OSError when the disk refuses."""
    try:
        from kiosk.reports.paper_sheets import Paper
    except ImportError as error:
        raise FormMissing(NO_LIBRARY) from error
    fonts = next((font for font in known if Path(font[0]).exists()), None)
    if fonts is None:
        raise FormMissing(NO_FONT)
    paper = Paper(report, making, fonts)
    writer = _Writer(paper, report, making, max_cells)
    for sheet in report.sheets:
        writer.sheet(sheet)
    if report.signed:
        writer.signatures()
    paper.output(str(path))


class _Writer:
    """Draws from the top down. Rows come and go; only the pages stay."""

    def __init__(self, paper: FPDF, report: Report, making: Making, max_cells: int) -> None:
        self.paper, self.report, self.making = paper, report, making
        self.max_cells = self.cells_left = max_cells
        self.size = SIZE
        self.widths: list[float] = []

    @property
    def line_mm(self) -> float:
        return self.size * MM_OF_POINT * 1.45

    def sheet(self, sheet: Sheet) -> None:
        wide = sum(column.width + 2 for column in sheet.columns)
        self.paper.add_page(orientation="landscape" if wide > PORTRAIT_CHARS else "portrait")
        room = self.paper.w - 2 * MARGIN
        self.size = max(LEAST_SIZE, min(SIZE, SIZE * room / (wide * SIZE / 2 * MM_OF_POINT)))
        self.widths = [room * (column.width + 2) / wide for column in sheet.columns]
        self._title(sheet)
        self._head(sheet)
        written = 0
        for written, row in enumerate(sheet.rows, 1):
            self._row(row, sheet)
            if written % TELL_EVERY == 0:
                self.making.tell(TELL_EVERY)
        self.making.tell(written % TELL_EVERY)
        if sheet.total is not None:
            self._row(sheet.total, sheet, bold=True)
        for note in sheet.notes:
            self._text(f"{self.making.say(NOTE)}：{self.making.say(note)}", 8)

    def _title(self, sheet: Sheet) -> None:
        say, report = self.making.say, self.report
        several = len(report.sheets) > 1
        self._text(say(report.title) + (f" · {say(sheet.name)}" if several else ""), 15, bold=True, align="C")
        made = f"{say(MADE)} {self.making.made_at:%Y-%m-%d %H:%M}"
        self._text("    ".join((report.school, f"{say(PERIOD)} {period(report)}", made)), SIZE, align="C")
        if sheet is report.sheets[0]:
            for quoted in report.quoted:
                self._text(f"{say(GROUND)}：{say(quoted)}", 8)
        self.paper.ln(1)

    def _text(self, text: str, size: float, *, bold: bool = False, align: str = "L") -> None:
        self.paper.set_font("cjk", "B" if bold else "", size)
        self.paper.multi_cell(0, size * MM_OF_POINT * 1.5, clean(text), align=align, new_x="LMARGIN", new_y="NEXT")

    def _head(self, sheet: Sheet) -> None:
        texts = [clean(self.making.say(column.head)) for column in sheet.columns]
        self._cells(texts, ["C"] * len(texts), bold=True, fill=(227, 233, 239))

    def _row(self, row: tuple[Value, ...], sheet: Sheet, *, bold: bool = False) -> None:
        self.cells_left -= len(row)
        if self.cells_left < 0:
            raise FormMissing(
                f"这张报表超过 {self.max_cells} 格，不适合印成 PDF：请下载 .xlsx"
                f" / the report has more than {self.max_cells} cells, which is no paper to sign: take the .xlsx"
            )
        cells = [column.cell for column in sheet.columns]
        texts = [shown(value, cell, self.making).replace("\t", " ") for value, cell in zip(row, cells, strict=True)]
        aligns = [_align(value, cell) for value, cell in zip(row, cells, strict=True)]
        self._cells(texts, aligns, bold=bold, again=sheet)

    def _cells(
        self, texts: Sequence[str], aligns: Sequence[str], *, bold: bool = False, fill: tuple[int, int, int] | None = None,
        again: Sheet | None = None,
    ) -> None:  # fmt: skip
        """A row as high as its highest cell, whole on one page, under the head row again where a page begins."""
        paper = self.paper
        paper.set_font("cjk", "B" if bold else "", self.size)
        lines = [self._lines(text, width - 2 * PAD) for text, width in zip(texts, self.widths, strict=True)]
        height = max(len(one) for one in lines) * self.line_mm + 1
        if again is not None and paper.get_y() + height > paper.h - FOOT_ROOM:
            paper.add_page(same=True)
            self._head(again)
            paper.set_font("cjk", "B" if bold else "", self.size)
        x, y = MARGIN, paper.get_y()
        paper.set_line_width(0.15)
        for width, of, align in zip(self.widths, lines, aligns, strict=True):
            if fill is not None:
                paper.set_fill_color(*fill)
            paper.rect(x, y, width, height, style="DF" if fill else "D")
            top = y + (height - len(of) * self.line_mm) / 2
            for n, line in enumerate(of):
                paper.set_xy(x + PAD, top + n * self.line_mm)
                paper.cell(width - 2 * PAD, self.line_mm, line, align=align)
            x += width
        paper.set_xy(MARGIN, y + height)

    def _lines(self, text: str, room: float) -> list[str]:
        if "\n" not in text and self.paper.get_string_width(text) <= room:
            return [text]
        found: list[str] = []
        for part in text.split("\n"):
            line = ""
            for letter in part:
                if line and self.paper.get_string_width(line + letter) > room:
                    found.append(line)
                    line = ""
                line += letter
            found.append(line)
        return found

    def signatures(self) -> None:
        """Together on one page, with room for a pen."""
        say, paper = self.making.say, self.paper
        if paper.get_y() + 24 > paper.h - FOOT_ROOM:
            paper.add_page(same=True)
        paper.ln(8)
        paper.set_font("cjk", "", 11)
        width = (paper.w - 2 * MARGIN) / len(SIGN)
        for n, word in enumerate(SIGN):
            text, x, y = f"{say(word)}：", MARGIN + n * width, paper.get_y()
            paper.set_xy(x, y)
            paper.cell(width, 8, text)
            begins = x + paper.get_string_width(text) + 1
            paper.line(begins, y + 7, x + width - 4, y + 7)
            paper.set_xy(MARGIN, y)
        paper.ln(12)
        paper.cell(0, 8, say(SEAL), align="R")


def _align(value: Any, cell: Cell) -> str:
    if cell in (Cell.DATE, Cell.TIME, Cell.FLAG):
        return "C"
    return "R" if is_number(value) and not is_text(cell) else "L"
