"""What all commands share: exit codes, the sentence that ends a command, common options, and how an answer is printed."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

FINE: Final = 0
NOT_FINE: Final = 1
WRONG: Final = 2


class Stop(Exception):
    """A command cannot go on; the sentence is for the person at the terminal."""

    def __init__(self, sentence: str, code: int = WRONG) -> None:
        super().__init__(sentence)
        self.code = code


def shared(command: argparse.ArgumentParser, *names: str) -> argparse.ArgumentParser:
    """The options that many commands have, with the same words."""
    if "config" in names:
        command.add_argument("--config", type=Path, required=True, metavar="DIR", help="settings folder")
    if "state" in names:
        command.add_argument("--state", type=Path, required=True, metavar="DIR", help="state folder of this gate")
    if "json" in names:
        command.add_argument("--json", action="store_true", help="one JSON document on stdout")
    return command


def settings_of(folder: Path, site: Path | None = None) -> Any:
    """The settings of a folder. Raises Stop with every problem."""
    from kiosk.settings import SettingsError, load

    try:
        return load(folder, site_file=site)
    except SettingsError as error:
        raise Stop(str(error)) from error


def say_answer(options: argparse.Namespace, document: Any, words: str) -> None:
    """One JSON document, or the words."""
    if options.json:
        print(json.dumps(document, ensure_ascii=False, default=str))
    elif words:
        print(words)
