"""A real LibreOffice opens the spreadsheets, prints them on A4, and says what it read. It is started once for all of them.

The printed PDF carries the document as LibreOffice has it (`IsAddStream`), so printing and re-exporting are one start.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import pypdf
import pytest

from kiosk.reports.workbook import write_workbook
from tests.reports import samples

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
WITHIN_S = 240
TABLE, OFFICE_NS = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}", "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
NO_JAVA = "failed to launch javaldx"  # it says so on every computer without Java, about itself and not about a file
A4_PT = (595.3, 841.9)

pytestmark = pytest.mark.skipif(OFFICE is None, reason="install the package libreoffice-calc-nogui to open spreadsheets with it")


@dataclass(frozen=True)
class Opened:
    printed: pypdf.PdfReader
    content: ET.Element
    said: str

    def cells(self) -> list[tuple[str, str, str]]:
        """(type, formula, text) of every cell that has a value."""
        return [
            (kind, cell.get(f"{TABLE}formula", ""), "\n".join("".join(line.itertext()) for line in cell))
            for cell in self.content.iter(f"{TABLE}table-cell")
            if (kind := cell.get(f"{OFFICE_NS}value-type"))
        ]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Opened]:
    folder = tmp_path_factory.mktemp("office")
    files = {"report": samples.report(), "empty": samples.report(rows=()), "long": samples.report(rows=samples.Many(150))}
    for name, report in files.items():
        write_workbook(report, folder / f"{name}.xlsx", samples.making())
    single = replace(samples.report(), sheets=samples.report().sheets[1:], signed=False)
    write_workbook(single, folder / "english.xlsx", samples.making(lang="en"))
    names = [*files, "english"]
    assert OFFICE is not None
    command = [
        OFFICE, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--norestore", "--convert-to",
        'pdf:calc_pdf_Export:{"IsAddStream":{"type":"boolean","value":"true"}}', "--outdir", str(folder / "printed"),
        *(str(folder / f"{name}.xlsx") for name in names),
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=WITHIN_S, cwd=folder, env={**os.environ, "HOME": str(folder)}
    )
    said = "\n".join(line for line in done.stderr.splitlines() if NO_JAVA not in line)
    return {name: _opened(folder / "printed" / f"{name}.pdf", said) for name in names}


def _opened(path: Path, said: str) -> Opened:
    printed = pypdf.PdfReader(path)
    stream = printed.trailer["/AdditionalStreams"][1].get_object()
    with zipfile.ZipFile(io.BytesIO(stream.get_data())) as document:
        return Opened(printed, ET.fromstring(document.read("content.xml")), said)


def test_it_opens_every_spreadsheet_without_a_warning(opened: dict[str, Opened]) -> None:
    assert [one.said for one in opened.values()] == [""] * 4


def test_every_page_that_it_prints_is_a4(opened: dict[str, Opened]) -> None:
    for name, one in opened.items():
        for page in one.printed.pages:
            size = sorted((float(page.mediabox.width), float(page.mediabox.height)))
            assert size == pytest.approx(A4_PT, abs=1), name


def test_pages_are_numbered_and_each_has_the_head_row(opened: dict[str, Opened]) -> None:
    pages = [page.extract_text() for page in opened["long"].printed.pages]
    assert f"第 2 页 共 {len(pages)} 页" in pages[1] and "星河路小学 & 分校" in pages[1]
    of_pupils = [page for page in pages if samples.ID[:12] in page]
    assert len(of_pupils) > 3 and all("学籍号" in page and "课时" in page for page in of_pupils)


def test_it_reads_eighteen_digits_as_text(opened: dict[str, Opened]) -> None:
    types = {text: kind for kind, _, text in opened["report"].cells()}
    assert types[samples.ID] == "string" and types["140402201609120050"] == "string"


def test_it_runs_nothing_that_somebody_wrote_into_a_name(opened: dict[str, Opened]) -> None:
    cells = opened["report"].cells()
    assert not [cell for cell in cells if cell[1]]
    for attack in samples.ATTACKS:
        assert ("string", "", attack.replace("\r", "\n").lstrip("\t")) in [(k, f, t.lstrip("\t")) for k, f, t in cells], attack


def test_numbers_dates_and_times_are_what_they_are(opened: dict[str, Opened]) -> None:
    kinds = {text: kind for kind, _, text in opened["report"].cells()}
    assert (kinds["2026-10-09"], kinds["07:46"], kinds["61.0%"], kinds["2,805"]) == ("date", "time", "percentage", "float")
