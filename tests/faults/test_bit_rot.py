"""One flipped bit anywhere in the journal file: either `kiosk verify` finds it, or every entry still reads as it was written."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from pathlib import Path

from kiosk.journal import JournalDamaged, verify
from tests.support.people import PUPILS, uid_of
from tests.support.running_gate import run_kiosk
from tests.support.school import School

FULL = os.environ.get("KIOSK_FAULTS") == "full"
SEED = int(os.environ.get("KIOSK_FAULTS_SEED", "20261123"))
FLIPS = 5_000 if FULL else 300
Rows = list[tuple[int, int, str, bytes, bytes]]


def written(folder: Path) -> bytes:
    """The bytes of a journal with three boots."""
    school = School(folder)
    for _ in range(3):
        for pupil in PUPILS:
            school.clock.advance(10_000)
            school.tap_card(uid_of(pupil.number), "east-in")
        school.restart()
    school.close()
    return (folder / "journal.db").read_bytes()


def rows(path: Path) -> Rows:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT * FROM entries ORDER BY boot, seq").fetchall()
    finally:
        connection.close()


def test_no_flipped_bit_changes_an_entry_unseen(tmp_path: Path) -> None:
    whole, chance = written(tmp_path / "state"), random.Random(SEED)
    before, path = rows(tmp_path / "state" / "journal.db"), tmp_path / "rotten" / "journal.db"
    path.parent.mkdir()
    found = harmless = 0
    for _ in range(FLIPS):
        at, bit = chance.randrange(len(whole)), chance.randrange(8)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
        try:
            ok = verify(path).ok
        except JournalDamaged:
            ok = False
        if ok:
            assert rows(path) == before, f"seed {SEED}: byte {at}, bit {bit} changed an entry unseen"
        found, harmless = found + (not ok), harmless + ok
    print(f"seed {SEED}: {FLIPS} flips, {found} found, {harmless} in bytes that no entry uses")
    assert found


def test_the_command_names_the_entry_and_exits_1(tmp_path: Path) -> None:
    state = tmp_path / "state"
    whole = written(state)
    seq, raw = next((row[1], row[3]) for row in rows(state / "journal.db") if row[0] == 2 and row[2] == "seen")
    at = whole.index(raw) + 40
    (state / "journal.db").write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
    done = run_kiosk("verify", "--state", str(state), "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert (told["ok"], told["first_bad"]["node"], told["first_bad"]["seq"]) == (False, "east", seq)
