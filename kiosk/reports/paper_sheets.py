"""The sheet of paper under a report: A4, its margins, what stands above and below on every page. Brings in the PDF library."""

from __future__ import annotations

from fpdf import FPDF

from kiosk.reports.forms import Making, clean, period
from kiosk.reports.paper_form import FOOT_ROOM, HEAD_ROOM, MARGIN, OF
from kiosk.reports.table import Report
from kiosk.reports.workbook import MADE


class Paper(FPDF):
    """Every page says whose it is, of which days, when it was made, and which page of how many."""

    def __init__(self, report: Report, making: Making, fonts: tuple[str, str, int]) -> None:
        super().__init__(unit="mm", format="A4")
        self._report, self._making = report, making
        regular, bold, which = fonts
        self.add_font("cjk", "", regular, collection_font_number=which)
        self.add_font("cjk", "B", bold, collection_font_number=which)
        self.set_margins(MARGIN, HEAD_ROOM, MARGIN)
        self.set_auto_page_break(True, margin=FOOT_ROOM)
        self.set_title(clean(making.say(report.title)))
        self.set_author(clean(report.school))
        self.set_lang("en" if making.lang == "en" else "zh-CN")
        self.set_creation_date(making.made_at)

    def header(self) -> None:
        self.set_font("cjk", "", 8)
        self.set_xy(MARGIN, 9)
        self._three(self._report.school, self._making.say(self._report.title), period(self._report))
        self.set_xy(MARGIN, HEAD_ROOM)

    def footer(self) -> None:
        self.set_font("cjk", "", 8)
        self.set_xy(MARGIN, self.h - 11)
        made = f"{self._making.say(MADE)} {self._making.made_at:%Y-%m-%d %H:%M}"
        self._three(made, self._making.say(OF).format(page=self.page_no()), "")

    def _three(self, left: str, middle: str, right: str) -> None:
        y, width = self.get_y(), self.w - 2 * MARGIN
        for text, align in ((left, "L"), (middle, "C"), (right, "R")):
            self.set_xy(MARGIN, y)
            self.cell(width, 4, clean(text)[:60].replace("\n", " "), align=align)
