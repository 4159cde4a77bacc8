"""How a command asks a running gate to erase somebody: a file in `asked/`, numbers only, and the answer beside it.

Only one process may write to a journal. So `kiosk erase` beside a running gate leaves the question here, and the gate's privacy
thread takes it within seconds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from kiosk.controller import Controller
from kiosk.core.commands_privacy import ErasePersons, ExportChild
from kiosk.core.decisions import Outcome
from kiosk.durable_files import make_folder, write_whole

FOLDER: Final = "asked"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    persons: tuple[int, ...]
    why: str
    by: int
    export: bool = False  # the file is made by whoever asked; here it goes on record that it is


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """reason: a word of `kiosk.core.decisions.Reason` where nobody is erased."""

    persons: tuple[int, ...]
    held: tuple[int, ...] = ()
    here: tuple[int, ...] = ()
    reason: str = ""


def put_question(state: Path, question: Question, *, name: str) -> Path:
    """Where the reply will be. Raises OSError."""
    make_folder(state / FOLDER)
    write_whole(state / FOLDER / f"{name}.json", msgspec.json.encode(question))
    return state / FOLDER / f"{name}.reply"


def read_reply(path: Path) -> Reply | None:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Reply)
    except (OSError, msgspec.MsgspecError):
        return None
    path.unlink(missing_ok=True)
    return found


def answer_questions(state: Path, controller: Controller) -> int:
    """How many were answered. Raises OSError, TimeoutError."""
    answered = 0
    for path, question in _questions(state):
        reply = ask(controller, question)
        write_whole(path.with_suffix(".reply"), msgspec.json.encode(reply))
        path.unlink(missing_ok=True)
        answered += 1
    return answered


def ask(controller: Controller, question: Question) -> Reply:
    command: ErasePersons | ExportChild = ErasePersons(persons=question.persons, why=question.why, by=question.by)
    if question.export:
        command = ExportChild(child=question.persons[0], by=question.by)
    decision = controller.ask(command).decision
    if decision.outcome is not Outcome.GRANTED:
        return Reply(persons=(), reason=decision.reason.value)
    if question.export:
        return Reply(persons=question.persons)
    detail = decision.detail
    return Reply(persons=tuple(detail["persons"]), held=tuple(detail["held"]), here=tuple(detail["here"]))


def _questions(state: Path) -> Iterator[tuple[Path, Question]]:
    folder = state / FOLDER
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        with contextlib.suppress(msgspec.MsgspecError):
            yield path, msgspec.json.decode(path.read_bytes(), type=Question)
