"""A report as a PDF to sign."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pypdf
import pytest

from kiosk.reports import paper_form
from kiosk.reports.forms import FormMissing
from kiosk.reports.paper_form import write_pdf
from tests.reports import samples

HAS_FONT = any(Path(font[0]).exists() for font in paper_form.FONTS)
needs_font = pytest.mark.skipif(not HAS_FONT, reason="install the package fonts-noto-cjk to make PDF files")


def read(page: pypdf.PageObject) -> str:
    return page.extract_text().replace("\x00", "")  # the reader takes the two bytes of a character apart


@needs_font
def test_it_is_a4_with_the_head_row_and_the_number_on_every_page(tmp_path: Path) -> None:
    write_pdf(samples.report(rows=samples.Many(60)), tmp_path / "a.pdf", samples.making())
    pages = pypdf.PdfReader(tmp_path / "a.pdf").pages
    assert len(pages) > 3
    for n, page in enumerate(pages, 1):
        assert sorted((float(page.mediabox.width), float(page.mediabox.height))) == pytest.approx((595.3, 841.9), abs=1)
        text = read(page)
        assert f"第 {n} 页 共 {len(pages)} 页" in text and "星河路小学 & 分校" in text and "制表时间 2026-11-23 07:45" in text
        assert "学籍号" in text or "班级" in text


@needs_font
def test_it_has_every_digit_every_name_and_a_line_for_each_signature(tmp_path: Path) -> None:
    write_pdf(samples.report(), tmp_path / "a.pdf", samples.making())
    reader = pypdf.PdfReader(tmp_path / "a.pdf")
    text = "\n".join(read(page) for page in reader.pages)
    for words in (samples.ID, "王小明", "合计", "61.0%", "依据", "填表人：", "审核人：", "负责人：", "日期：", "（盖章）"):
        assert words in text, words
    fonts = [font for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    assert all("/FontFile3" in font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in fonts)


@needs_font
def test_what_nobody_can_sign_is_refused_with_the_form_to_take_instead(tmp_path: Path) -> None:
    with pytest.raises(FormMissing, match=r"take the \.xlsx"):
        write_pdf(samples.report(), tmp_path / "a.pdf", samples.making(), max_cells=100)


def test_without_a_font_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(FormMissing, match="fonts-noto-cjk"):
        write_pdf(replace(samples.report(), signed=False), tmp_path / "a.pdf", samples.making(), known=())
