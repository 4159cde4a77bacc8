"""docs/examples/attendance.sh as another system runs it: a day of two gates, a school server and agents as processes, the script
as a process. What it prints is compared with what the journals say, read here by SQLite and json and by none of our code."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.core import commands as c
from kiosk.core.entries import Fact, Kind, Sealed, chain_hash
from tests.support.gate_folder import GateFolder
from tests.support.journals import MONDAY_MS
from tests.support.people import uid_of
from tests.support.sync_processes import TOKEN, Campus, ServerProcess, wait_until
from tests.support.turnstiles import WITHIN_S
from tests.support.two_gates import NODES, TwoGates, morning_ms

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "attendance.sh"
DAY, MINUTE_MS = "2026-11-23", 60_000
CHECKS = ("photo", "child_recognises", "call_back", "id_seen")
GUARD, LEADER = 130, 140
MISSING = [name for name in ("sh", "curl", "jq") if shutil.which(name) is None]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"install {' and '.join(MISSING)} (the Debian packages are called so)")


# --- the day ---------------------------------------------------------------------------------------------


class Story(TwoGates):
    def later(self, minutes: float) -> None:
        for node in NODES:
            self.clock[node].advance(round(minutes * MINUTE_MS))
            self.press(node, c.Tick())

    def taps(self, node: str, child: int, way: str, *, goes: bool = True) -> None:
        self.press(node, c.Read(access_point=f"{node}-{way}", scheme="uid", value=uid_of(child)))
        if goes:
            self.press(node, c.Passed(access_point=f"{node}-{way}"))

    def fetched(self, node: str, child: int, adult: int) -> str:
        """The entry id of the release."""
        self.press(node, c.Release(
            children=(child,), collector=adult, access_point=f"{node}-out", by=GUARD, verified=CHECKS, second=LEADER
        ))  # fmt: skip
        return next(str(one.entry.id) for one in reversed(self.own(node)) if one.entry.kind == Kind.RELEASED)


def played(folder: Path) -> None:
    """Every way in which a child comes, goes, and did not go after all."""
    day = Story(folder, start_ms=morning_ms())
    for child in (1, 2, 3):
        day.taps("east", child, "in")
    for child in (4, 5, 8):
        day.taps("south", child, "in")
    day.taps("south", 9, "in")
    day.later(1)
    day.taps("east", 10, "in", goes=False)  # nobody went through: taken back
    day.later((WITHIN_S + 1) / 60)
    early_ms = day.clock["east"].now_ms() - 5 * MINUTE_MS
    day.press("east", c.Read(access_point="east-in", scheme="uid", value=uid_of(6), stored=True, read_at_ms=early_ms))
    day.restart("south")
    day.press("south", c.CallRoll(roster="class:primary-2022-1", marks={3: "present", 4: "late"}, by=105))
    day.later(9 * 60 + 50)
    undone = day.fetched("east", 1, 201)
    day.press("east", c.UndoRelease(release=undone, by=GUARD))
    day.fetched("east", 1, 201)
    day.fetched("east", 2, 201)
    day.later(15)
    day.press("east", c.Correct(child=2, what="not_released", by=LEADER, second=GUARD, note="看了监控", custodian=103))
    day.taps("south", 4, "out")
    day.press("south", c.Correct(child=9, what="never_arrived", by=LEADER, second=GUARD, note="刷了别人的卡"))
    day.press("south", c.Correct(child=8, what="left_unrecorded", by=LEADER, second=GUARD, note="家长电话确认"))
    day.later(14 * 60)
    day.taps("east", 7, "in")  # the next morning
    day.close()


def spoil(folder: Path, child: int, raw: bytes | None) -> None:
    """Bit rot in the arrival of that child: other bytes, or (None) one digit of the entry."""
    db = sqlite3.connect(folder / "journal.db")
    guard = db.execute("SELECT sql FROM sqlite_master WHERE name='entries_no_update'").fetchone()[0]
    rows = db.execute("SELECT boot, seq, raw FROM entries WHERE kind='arrived'").fetchall()
    boot, seq, was = next((boot, seq, raw) for boot, seq, raw in rows if json.loads(raw)["body"]["child"] == child)
    db.execute("DROP TRIGGER entries_no_update")
    rotten = raw or was.replace(b'"child":%d' % child, b'"child":99')
    db.execute("UPDATE entries SET raw=? WHERE boot=? AND seq=?", (rotten, boot, seq))
    db.execute(guard)
    db.commit()
    db.close()


# --- what the journals say -------------------------------------------------------------------------------


def expected(*folders: Path, spoilt: int) -> list[str]:
    found: list[dict[str, Any]] = []
    for folder in folders:
        for _, (raw, _) in GateFolder(folder, "").everything().items():
            try:
                found.append(json.loads(raw))
            except ValueError:
                spoilt -= 1
    kept = [one for one in found if one["body"].get("child") != 99]
    assert spoilt == len(found) - len(kept), "as many entries are spoilt as were meant to be"
    gone = {one["body"].get("release") for one in kept if one["kind"] in ("release_undone", "correction")}
    gone |= {one["body"]["passage"] for one in kept if one["kind"] == "passage_unused"}
    lines = []
    for one in kept:
        body, name = one["body"], f"{one['node']}/{one['incarnation']}/{one['seq']}"
        kind = body["what"] if one["kind"] == "correction" else one["kind"]
        if kind in ("arrived", "released", "left_unrecorded", "never_arrived") and body.get("day") == DAY and name not in gone:
            at = datetime.fromtimestamp(body.get("read_at_ms", one["at_ms"]) // 1000, UTC) + timedelta(hours=8)
            lines.append(f'{body["child"]},"{kind}","{at:%Y-%m-%dT%H:%M:%S}+08:00","{one["node"]}","{name}"')
    return sorted(lines, key=lambda line: (line.split(",", 2)[2], line))


def kinds(lines: list[str]) -> list[tuple[str, str]]:
    return sorted((line.split(",")[0], line.split(",")[1].strip('"')) for line in lines)


# --- the script ------------------------------------------------------------------------------------------


class Consumer:
    def __init__(self, server: ServerProcess, state: Path) -> None:
        self._server, self.state = server, state

    def run(self, *, limit: int, token: str = TOKEN) -> tuple[list[str], list[int]]:
        """The lines that it prints, and the positions that it asks after, of which `sh -x` tells."""
        settings = {"SERVER": self._server.url, "TOKEN": token, "DATE": DAY, "STATE": str(self.state), "LIMIT": str(limit)}
        done = subprocess.run(
            ["sh", "-x", str(SCRIPT)], env={**os.environ, **settings, "NO_PROXY": "*"}, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        self.said = done.stderr
        assert done.returncode == (0 if token == TOKEN else 1), done.stderr
        return done.stdout.splitlines(), [int(n) for n in re.findall(r"^\++ ask .*after=(\d+)", done.stderr, re.MULTILINE)]

    def unread(self) -> list[str]:
        return sorted(line.split("\t")[1] for line in (self.state / "unread").read_text().splitlines())


def test_the_sample_consumer_prints_what_the_journals_say(campus: Campus, tmp_path: Path) -> None:
    played(tmp_path)
    east, south = (GateFolder(tmp_path / node, node) for node in NODES)
    spoil(east.folder, 3, b"\x00\xff not an entry")
    spoil(south.folder, 5, None)
    north = campus.gate("north")  # its entry has white space around it: it travels as octets, and is as good as any
    before = north.stream.head
    odd = north.stream.seal(Fact(Kind.ARRIVED, {"child": 6, "day": DAY}), at_ms=MONDAY_MS, trusted=True)
    raw = b" " + odd.raw
    north.journal.append([Sealed(odd.entry, raw, chain_hash(before, raw))])

    server = campus.server()
    consumer = Consumer(server, tmp_path / "other system")
    assert consumer.run(limit=1) == ([], [0])  # nothing there yet
    assert consumer.run(limit=1, token="guess")[0] == [] and "bad_token" not in consumer.said and "401" in consumer.said

    campus.agent(east, server.url)
    wait_until(lambda: server.has(east), "the east gate's entries are there")
    lines, asked = consumer.run(limit=9)
    assert lines == expected(east.folder, spoilt=1)
    assert asked == list(range(0, len(server.entries()), 9))

    campus.agent(south, server.url)
    campus.agent(north, server.url)
    wait_until(lambda: server.has(south) and server.has(north), "the others' as well")
    at = len(east.everything())
    lines, asked = consumer.run(limit=4)
    whole = expected(east.folder, south.folder, north.folder, spoilt=2)
    assert lines == whole
    assert asked == list(range(at, len(server.entries()), 4)), "it goes on where it stopped"
    assert kinds(lines) == [
        ("1", "arrived"), ("1", "released"), ("2", "arrived"), ("4", "arrived"), ("4", "released"), ("6", "arrived"),
        ("6", "arrived"), ("8", "arrived"), ("8", "left_unrecorded"), ("9", "arrived"), ("9", "never_arrived"),
    ]  # fmt: skip
    aside = [one for one in server.entries() if one.get("quarantined")]
    assert [("octets" in one) for one in aside] == [True, False], "one that is no JSON, one that breaks its chain"
    assert consumer.unread() == sorted(f"{one['node']}/{one['incarnation']}/{one['seq']}" for one in aside)
    assert "a person should look" in consumer.said

    server.process.stop()  # a copy from before the first entry is put back, and the gates send everything again
    for file in server.folder.glob("server.db*"):
        file.unlink()
    server.start()
    wait_until(lambda: all(server.has(gate) for gate in (east, south, north)), "everything is there again")
    again, asked = consumer.run(limit=2_000)
    assert (again, asked) == (whole, [0]), "positions were given anew, and nothing is counted twice"
    assert len(consumer.unread()) == 2
    assert consumer.run(limit=2_000) == (whole, [len(server.entries())])
