"""The manual's page of settings."""

from __future__ import annotations

from pathlib import Path

from kiosk.settings.keys import FILES
from kiosk.settings.manual import manual

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_every_setting_has_its_line_in_the_manual() -> None:
    page = PAGE.read_text("utf-8")
    for file, section in FILES.items():
        assert f"## {file}" in page
        for path, key in section.asked():
            assert f"| `{key.name}` |" in page, f"{file}: {path} is not in docs/settings.md"
            assert key.zh and key.en


def test_the_page_is_the_one_that_the_keys_print() -> None:
    assert PAGE.read_text("utf-8") == manual(), "run: python -m kiosk.settings.manual > docs/settings.md"
