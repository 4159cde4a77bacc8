"""The commands about what is on record: verify, replay, evidence, statement."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosk.command_line import FINE, NOT_FINE, Stop, say_answer, settings_of, shared

if TYPE_CHECKING:
    from kiosk.countersigned import Found

CHINA_OFFSET_MS = 8 * 3_600_000
Run = Callable[[argparse.Namespace], int]
Add = Callable[[str, Run, str], argparse.ArgumentParser]


def add_commands(add: Add) -> None:
    verify = shared(add("verify", _verify, "prove that a journal, or an evidence bundle, is whole"), "json")
    verify.add_argument("bundle", type=Path, nargs="?", metavar="BUNDLE", help="an evidence bundle; nothing else is needed")
    verify.add_argument("--state", type=Path, metavar="DIR", help="state folder of a gate: its journal")
    verify.add_argument("--key", default="", metavar="HEX", help="the public key by which the bundle must be signed")

    replay = shared(add("replay", _replay, "where every child was at a moment, from the records"), "config", "state", "json")
    replay.add_argument("date", nargs="?", metavar="DATE", help="a whole day in half hours, such as 2026-11-23")
    replay.add_argument("--at", metavar="ISO", help="local date and time, such as 2026-11-23T17:42")

    evidence = shared(add("evidence", _evidence, "one child's day as a signed file"), "config", "state", "json")
    evidence.add_argument("--child", required=True, metavar="SCHOOL_NUMBER", help="学号")
    evidence.add_argument("--day", required=True, metavar="YYYY-MM-DD")
    evidence.add_argument("--whole-chain", action="store_true", help="with every entry of the day's streams: proves completeness")
    evidence.add_argument("--out", type=Path, metavar="FILE", help="default: evidence-SCHOOL_NUMBER-DAY.zip in this folder")

    statement = shared(add("statement", _statement, "the signed statement of zero of a day (静校声明)"), "state", "json")
    statement.add_argument("--day", required=True, metavar="YYYY-MM-DD")
    statement.add_argument("--config", type=Path, metavar="DIR", help="settings folder, for the school's name and time zone")


def _verify(options: argparse.Namespace) -> int:
    if (options.bundle is None) == (options.state is None):
        raise Stop("name one thing to verify: a BUNDLE, or a journal with --state DIR")
    return _verify_bundle(options) if options.bundle else _verify_journal(options)


def _verify_journal(options: argparse.Namespace) -> int:
    from kiosk.countersigned import Found, look
    from kiosk.journal import FILE_NAME, JournalDamaged, verify

    try:
        found = verify(options.state / FILE_NAME)
    except JournalDamaged as error:
        raise Stop(str(error), NOT_FINE) from error
    seen = look(options.state) if found.ok else Found((), 0, None)
    bad = found.first_bad or seen.first_bad
    words = f"{found.entries} entries in {found.incarnations} incarnations: whole" + _countersigned(seen)
    if bad:
        words = f"first bad entry: node {bad['node']}, incarnation {bad['incarnation']}, seq {bad['seq']}: {bad['why']}"
    answer = {**asdict(found), "ok": bad is None, "first_bad": bad}
    if seen.through or seen.unproven:
        answer["countersigned"] = [asdict(one) for one in seen.through]
        answer["countersignatures_unproven"] = seen.unproven
        answer["given_back"] = seen.given_back
    say_answer(options, answer, words)
    return FINE if bad is None else NOT_FINE


def _countersigned(seen: Found) -> str:
    """A line for each incarnation that the school server has countersigned; the time is the server's, in the school's zone."""
    lines = [
        f"\n  {one.node}/{one.incarnation}: countersigned by the school server to {one.seq},"
        f" {datetime.fromtimestamp((one.seen_ms + CHINA_OFFSET_MS) / 1000, UTC):%Y-%m-%d %H:%M:%S}"
        for one in seen.through
    ]
    if seen.given_back:
        lines.append(f"\n  {seen.given_back} entries that this disk had lost are back from the school server, beside the journal")
    if seen.unproven:
        lines.append(f"\n  {seen.unproven} countersignatures are not of the server that this gate is enrolled with: not counted")
    return "".join(lines)


def _verify_bundle(options: argparse.Namespace) -> int:
    from kiosk.evidence.verifying import check

    try:
        data = options.bundle.read_bytes()
    except OSError as error:
        raise Stop(f"{options.bundle} cannot be read ({error.strerror}); name the file of the bundle") from error
    found = check(data, key=options.key)
    document = found.as_json()
    says, lines = document["bundle"], [str(problem) for problem in found.problems]
    if found.ok:
        lines = [f"{says['school_number']} · {says['day']} · {found.entries} entries: whole"]
        lines += [f"made at gate {says['node']}, {says['made_at']}"]
        if found.key_checked:
            lines += ["signed by the key that you named"]
        else:
            lines += [f"signed by the key {says['fingerprint']}: compare it with the school's statement page"]
    say_answer(options, document, "\n".join(lines))
    return FINE if found.ok else NOT_FINE


def _replay(options: argparse.Namespace) -> int:
    from kiosk.recorded import RecordsError
    from kiosk.replaying import ReplayError, replay, replay_day

    if (options.date is None) == (options.at is None):
        raise Stop("name a DATE, or a moment with --at 2026-11-23T17:42")
    settings = settings_of(options.config)
    try:
        found = replay_day(settings, options.state, options.date) if options.date else replay(settings, options.state, options.at)
    except (ReplayError, RecordsError) as error:
        raise Stop(str(error)) from error
    say_answer(options, found, "\n".join(_replayed(found)))
    return FINE


def _replayed(found: dict[str, Any]) -> list[str]:
    names = found["names"]
    lines = [_step(step) for step in found.get("steps", ())]
    lines.append(found["at"])
    for row in found["children"]:
        custodian = names.get(row["custodian"], "") if row["custodian"] else ""
        lines.append("\t".join((str(row["child"]), names[row["child"]], row["place"], custodian, row["collection"])))
    return [*lines, *(f"open: {case}" for case in found["open_cases"])]


def _step(step: dict[str, Any]) -> str:
    happened = ", ".join(f"{kind} {count}" for kind, count in sorted(step["happened"].items(), key=lambda item: -item[1]))
    places = ", ".join(f"{place} {count}" for place, count in step["by_place"][:4])
    counts = f"在校 {step['on_campus']} 已到 {step['arrived']} 已离 {step['released']} 未结 {step['open']}"
    return f"{step['at'][11:16]}  {counts}" + (f" | {places}" if places else "") + (f" | {happened}" if happened else "")


def _people(state: Path) -> Any:
    from kiosk.directory import DirectoryError, load

    try:
        return load(state / "directory.db")
    except DirectoryError as error:
        raise Stop(str(error)) from error


def _evidence(options: argparse.Namespace) -> int:
    from kiosk.clock import SystemClock
    from kiosk.evidence.dossier import child_of
    from kiosk.evidence.packing import make_pack
    from kiosk.evidence.pictures import kept_pictures
    from kiosk.recorded import RecordsError, day_from

    settings, directory = settings_of(options.config), _people(options.state)
    try:
        pack = make_pack(
            settings, options.state, directory, child=child_of(directory, options.child), day=day_from(options.day),
            now_ms=SystemClock().now_ms(), pictures=kept_pictures(settings, options.state), whole_chain=options.whole_chain,
        )  # fmt: skip
        path = options.out or Path(pack.name)
        path.write_bytes(pack.data)
    except RecordsError as error:
        raise Stop(str(error)) from error
    except OSError as error:
        raise Stop(f"{options.out or '.'} cannot be written ({error.strerror}); name another file with --out") from error
    print("this export is not on record: the page 证据 of a running gate records who exported what", file=sys.stderr)
    counts = pack.manifest["counts"]
    words = f"{path}: {counts['entries']} entries, {counts['flaws']} gaps or overlaps, {counts['pictures']} pictures"
    say_answer(options, {"file": str(path), **pack.manifest}, words)
    return FINE


def _statement(options: argparse.Namespace) -> int:
    from kiosk.recorded import RecordsError, day_from
    from kiosk.statement import NotCleared, counts, signed_statement

    settings = settings_of(options.config) if options.config else None
    school, offset_ms = (settings.school.name, settings.plan.utc_offset_ms) if settings else ("", CHINA_OFFSET_MS)
    try:
        found = signed_statement(options.state, day_from(options.day), offset_ms)
    except NotCleared as error:
        raise Stop(str(error), NOT_FINE) from error
    except RecordsError as error:
        raise Stop(str(error)) from error
    lines = [f"{school} {found['day']} 静校声明 / statement of zero residue · {found['at']}".strip()]
    lines += [f"{word}: {count}" for word, count in counts(found["body"]).items()]
    lines += [f"{word}: {found[word]}" for word in ("entry", "hash", "signature", "public_key", "fingerprint")]
    say_answer(options, found, "\n".join(lines))
    return FINE
