"""The privacy commands: `kiosk erase`. Beside a running gate it asks that gate; alone it does the work itself.

It prints numbers and counts, never a name.
"""

from __future__ import annotations

import argparse
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from kiosk.command_line import FINE, NOT_FINE, Stop, say_answer, settings_of, shared

Add = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]

WHY: Final = ("asked", "left", "office")
POLL_S: Final = 0.2


def add_commands(add: Add) -> None:
    erase = shared(add("erase", _erase, "erase people: rows, pictures, texts, copies; the records stay whole"), "config", "state")
    shared(erase, "json")
    erase.add_argument("person", nargs="*", help="学号, 接送人编号, or #NUMBER of somebody who left")
    erase.add_argument("--by", required=True, metavar="工号", help="who decided it: of the office, or a duty leader")
    erase.add_argument("--why", choices=WHY, default="asked", help="asked by the family (default), left the school, the office")
    erase.add_argument("--copies", type=Path, action="append", default=[], metavar="DIR", help="a folder of backups, also")
    erase.add_argument("--wait", type=float, default=300.0, metavar="S", help="seconds for a running gate to do it")
    given = add("export-child", _export, "everything that there is of one child, for its family: a zip")
    shared(given, "config", "state", "json")
    given.add_argument("person", help="学号, or #NUMBER")
    given.add_argument("--by", required=True, metavar="工号", help="who approves it: of the office, or a duty leader")
    given.add_argument("--to", type=Path, default=Path(), metavar="DIR", help="folder for the file (default: here)")
    given.add_argument("--wait", type=float, default=30.0, metavar="S", help="seconds for a running gate to put it on record")


@dataclass(frozen=True, slots=True)
class _Erased:
    persons: tuple[int, ...]
    held: tuple[int, ...]
    here: tuple[int, ...]
    receipts: tuple[dict[str, Any], ...]
    copies: int = 0
    left: tuple[str, ...] = ()


def _erase(options: argparse.Namespace) -> int:
    from kiosk.journal import JournalBusy
    from kiosk.privacy.asked import Question
    from kiosk.privacy.erasing import ERRORS

    settings = settings_of(options.config)
    persons, by = _numbers(options.state, options.person), _staff(options.state, options.by)
    question = Question(persons=persons, why=options.why, by=by)
    try:
        try:
            found = _alone(settings, options.state, question)
        except JournalBusy:
            found = _by_the_gate(options.state, question, options.wait)
        found = _copies_too(found, options.state, options.copies)
    except ERRORS as error:
        raise Stop(str(error), NOT_FINE) from error
    say_answer(options, asdict(found), _words(found))
    return FINE if not (found.left or found.held or found.here) else NOT_FINE


def _export(options: argparse.Namespace) -> int:
    from kiosk.clock import SystemClock
    from kiosk.composition import load_directory
    from kiosk.durable_files import write_whole
    from kiosk.journal import JournalBusy
    from kiosk.opening import local_date
    from kiosk.privacy.access_log import AccessLog
    from kiosk.privacy.asked import Question
    from kiosk.privacy.subject import ERRORS, StoredPictures, gather_child, packed

    settings, state = settings_of(options.config), options.state
    (child,), by = _numbers(state, [options.person]), _staff(state, options.by)
    question = Question(persons=(child,), why="asked", by=by, export=True)
    try:
        try:
            _on_record_alone(settings, state, question)
        except JournalBusy:
            _reply(state, question, options.wait)
        directory, now_ms = load_directory(state), SystemClock().now_ms()
        found = gather_child(settings, state, directory, child, access=AccessLog(state))
        name, data = packed(
            settings,
            found,
            pictures=StoredPictures(state),
            now_ms=now_ms,
            approver=directory.name_of(by),
            day=local_date(settings, now_ms),
        )
        write_whole(options.to / name, data)
    except ERRORS as error:
        raise Stop(str(error), NOT_FINE) from error
    say_answer(options, {"file": str(options.to / name), "child": child, "bytes": len(data)}, str(options.to / name))
    return FINE


def _on_record_alone(settings: Any, state: Path, question: Any) -> None:
    from kiosk.clock import SystemClock
    from kiosk.composition import load_directory
    from kiosk.journal import last_trusted_ms
    from kiosk.opening import open_gate
    from kiosk.privacy.asked import ask

    clock = SystemClock(not_before_ms=last_trusted_ms(state))
    gate = open_gate(settings=settings, directory=load_directory(state), state=state, clock=clock)
    gate.start()
    try:
        reply = ask(gate, question)
    finally:
        gate.stop()
    if reply.reason:
        raise Stop(_why_not(reply.reason), NOT_FINE)


def _numbers(state: Path, keys: list[str]) -> tuple[int, ...]:
    """Raises Stop for a key that nobody has."""
    from kiosk.privacy.leavers import persons_of

    persons = persons_of(state / "directory.db")
    by_key: dict[str, list[int]] = {}
    for person in persons:
        if person.kind.value != "staff":
            by_key.setdefault(person.key, []).append(person.number)
    found: list[int] = []
    for key in keys:
        if key.startswith("#") and key[1:].isdecimal():
            found.append(int(key[1:]))
        elif len(by_key.get(key, [])) == 1:
            found += by_key[key]
        else:
            whose = "a pupil and a collector have" if by_key.get(key) else "nobody has"
            raise Stop(f"{key}: {whose} this number; write #NUMBER as the pages show it")
    return tuple(dict.fromkeys(found))


def _staff(state: Path, staff_number: str) -> int:
    from kiosk.composition import load_directory

    number = load_directory(state).by_staff_number.get(staff_number)
    if number is None:
        raise Stop(f"{staff_number}: no member of staff has this 工号")
    return number


def _alone(settings: Any, state: Path, question: Any) -> _Erased:
    """No gate runs here. Raises JournalBusy when one does."""
    from kiosk.clock import SystemClock
    from kiosk.composition import load_directory
    from kiosk.face.templates import TemplateStore
    from kiosk.journal import last_trusted_ms
    from kiosk.opening import open_gate
    from kiosk.privacy.asked import ask
    from kiosk.privacy.erasing import Eraser
    from kiosk.privacy.running import is_home
    from kiosk.snapshots import SnapshotStore

    clock = SystemClock(not_before_ms=last_trusted_ms(state))
    gate = open_gate(settings=settings, directory=load_directory(state), state=state, clock=clock)
    gate.start()
    try:
        reply = ask(gate, question) if question.persons else None
        eraser = Eraser(
            controller=gate, state=state, snapshots=SnapshotStore(state), templates=TemplateStore(state), home=is_home(settings)
        )
        while eraser.look():
            pass  # adults whom no other child needs follow
    finally:
        gate.stop()
    if reply is None:
        return _Erased((), (), (), ())
    if reply.reason:
        raise Stop(_why_not(reply.reason), NOT_FINE)
    return _Erased(reply.persons, reply.held, reply.here, _receipts(state, reply.persons))


def _by_the_gate(state: Path, question: Any, wait_s: float) -> _Erased:
    """The gate that runs does it, and this waits for its receipt."""
    reply, pause = _reply(state, question, wait_s), threading.Event()
    for _ in range(round(wait_s / POLL_S)):
        receipts = _receipts(state, reply.persons)
        if {person for one in receipts for person in one["persons"]} >= set(reply.persons):
            return _Erased(reply.persons, reply.held, reply.here, receipts)
        pause.wait(POLL_S)
    raise Stop("it is decided and on record, and the gate is still at it; its receipt is on the privacy page", NOT_FINE)


def _reply(state: Path, question: Any, wait_s: float) -> Any:
    from kiosk.privacy.asked import put_question, read_reply

    answer, pause = put_question(state, question, name=secrets.token_hex(8)), threading.Event()
    for _ in range(round(wait_s / POLL_S)):
        pause.wait(POLL_S)
        reply = read_reply(answer)
        if reply is not None and reply.reason:
            raise Stop(_why_not(reply.reason), NOT_FINE)
        if reply is not None:
            return reply
    raise Stop(f"the gate that runs on {state} did not answer; it takes the question when it does", NOT_FINE)


def _receipts(state: Path, persons: tuple[int, ...]) -> tuple[dict[str, Any], ...]:
    from kiosk.core.entries import Kind
    from kiosk.journal import entries_of_kinds

    found = entries_of_kinds(state, frozenset({Kind.ERASURE_DONE.value}))
    return tuple(entry.body for entry in found if set(entry.body["persons"]) & set(persons))


def _copies_too(found: _Erased, state: Path, folders: list[Path]) -> _Erased:
    from dataclasses import replace

    from kiosk.privacy.copies import clean_copies
    from kiosk.privacy.leavers import Leavers

    copies, left = 0, [place for receipt in found.receipts for place in receipt["left"]]
    for folder in folders:
        cleaned = clean_copies(folder, Leavers(state).done, state=state)
        copies += cleaned.made_again
        left += cleaned.left
    return replace(found, copies=copies, left=tuple(left))


def _why_not(reason: str) -> str:
    from kiosk.web.words import say

    return f"{say(f'reason.{reason}')} / {say(f'reason.{reason}', 'en')}"


def _words(found: _Erased) -> str:
    lines = [f"{len(found.persons)} persons are erased: {', '.join(f'#{n}' for n in found.persons) or '-'}"]
    for one in found.receipts:
        counted = ", ".join(f"{one[name]} {name}" for name in ("notes", "pictures", "photos", "templates", "copies"))
        lines.append(f"  on this computer: {counted}; list {one['number'] or '-'}")
    if found.copies:
        lines.append(f"  copies made again without them: {found.copies}")
    lines += [f"  under a hold, not erased: #{n}" for n in found.held]
    lines += [f"  on campus now, not erased: #{n}" for n in found.here]
    lines += [f"  look here, something may be left: {place}" for place in found.left]
    return "\n".join(lines)
