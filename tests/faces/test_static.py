"""The style sheets and scripts: tokens only, nothing from outside, every module there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kiosk.web.faces_engine import STATIC, static_url

SHEETS = sorted(STATIC.glob("*.css"))
SCRIPTS = sorted(STATIC.glob("*.js"))
TOKENS = (STATIC / "tokens.css").read_text()


def _plain(path: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("sheet", [s for s in SHEETS if s.name != "tokens.css"], ids=lambda path: path.name)
def test_colours_live_in_the_tokens_only(sheet: Path) -> None:
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsl", _plain(sheet))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_every_token_that_a_sheet_uses_exists(sheet: Path) -> None:
    assert not set(re.findall(r"var\((--[\w-]+)", _plain(sheet))) - set(re.findall(r"(--[\w-]+):", TOKENS))


def test_no_token_is_there_for_nobody() -> None:
    used = "".join(sheet.read_text() for sheet in SHEETS)
    assert not [name for name in set(re.findall(r"^  (--[\w-]+):", TOKENS, re.MULTILINE)) if f"var({name})" not in used]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_no_text_is_smaller_than_16_px(sheet: Path) -> None:
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)rem", _plain(sheet))]
    assert all(size >= 1 for size in sizes)
    assert sheet.name == "office.css" or not re.findall(r"font-size: [\d.]+px", _plain(sheet))


@pytest.mark.parametrize("path", [*SHEETS, *SCRIPTS], ids=lambda path: path.name)
def test_nothing_comes_from_outside(path: Path) -> None:
    assert not re.search(r"https?://|@import|url\((?!data:)", path.read_text())


def test_fingers_have_12_mm_for_staff_and_20_mm_in_public() -> None:
    sizes = dict(re.findall(r"--(touch[\w-]*): ([\d.]+)mm", TOKENS))
    assert float(sizes["touch"]) >= 12 and float(sizes["touch-public"]) >= 20


def test_nothing_flashes_and_stillness_is_honoured() -> None:
    breath = re.search(r"--breath: (\d+)ms", TOKENS)
    assert breath and int(breath[1]) > 1000  # far below 3 Hz
    assert "prefers-reduced-motion: reduce" in TOKENS and "prefers-reduced-motion: reduce" in (STATIC / "base.css").read_text()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_imported_module_is_there_and_exports_what_is_asked(script: Path) -> None:
    for names, module in re.findall(r"import \{([^}]+)\} from \"\./([\w.]+)\"", script.read_text()):
        text = (STATIC / module).read_text()
        for name in (part.strip() for part in names.split(",")):
            assert re.search(rf"export (async )?(function|const) {name}\b", text), (module, name)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_open_with_what_they_are_for_and_stay_short(script: Path) -> None:
    lines = script.read_text().splitlines()
    assert lines[0].startswith("// ")
    assert len(lines) <= 260


def test_a_changed_file_gets_a_new_address() -> None:
    assert re.fullmatch(r"/static/tokens\.css\?v=[0-9a-f]{10}", static_url("tokens.css"))
