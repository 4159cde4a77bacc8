"""Old records whose bytes a gate lets go of once the server holds them: chain, state and other gates lose nothing by it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from kiosk.__main__ import main
from kiosk.backup import back_up, check
from kiosk.core import commands as c
from kiosk.core.entries import Kind, decode
from kiosk.core.pruned import KEPT_KINDS
from kiosk.journal import FILE_NAME, connect, last_trusted_ms, verify
from kiosk.people_import import first_free_number
from kiosk.pruning import Pruner, due
from kiosk.reading_back import OtherGates
from kiosk.recorded import RecordsError
from kiosk.replaying import film
from sync_agent.errors import StreamDamaged
from sync_agent.head_sync import HeadSync
from sync_agent.keys import load_or_create
from sync_agent.up_sync import Step
from tests.support.agent_side import AgentSide
from tests.support.people import PUPILS, uid_of
from tests.support.running_gate import wait_until
from tests.support.school import School
from tests.support.sync_world import SCHOOL, Clock, Server
from tests.support.terms import DAYS, Term, close_day, told

SEEDS = range(1, 1 + int(os.environ.get("KIOSK_TERMS", "2")))
BEFORE = DAYS[5]  # what was closed before that day may go


class Kept:
    """A gate whose whole term the server has acknowledged and countersigned."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.state, self.runner = folder / "east", asyncio.Runner()
        self.school = Term(self.state, seed).school
        self.server = Server(folder / "server", Clock())
        self.agent = AgentSide(self.state, "east", self.server)
        self.runner.run(self.agent.enrol())
        self.send()

    def send(self) -> None:
        self.runner.run(self.agent.send())
        heads = HeadSync(
            journal=self.agent.tail, state=self.agent.state, ask=self.agent.transport.countersign,
            key=load_or_create(self.state / "keys" / "node.key"), server_key=self.agent.enrolment.server_key, school=SCHOOL,
            monotonic_s=self.server.clock.monotonic_s,
        )  # fmt: skip
        for _ in range(2):  # an incarnation that goes on has its turn after five minutes
            while self.runner.run(heads.step()) is Step.MOVED:
                pass
            self.server.clock.seconds += 1_000
        while self.runner.run(heads.step()) is Step.MOVED:
            pass

    def prune(self) -> None:
        prune(self.school)

    def close(self) -> None:
        self.school.close()
        self.agent.close()
        self.server.stop()
        self.runner.close()


def pruner(school: School) -> Pruner:
    days = (date.fromisoformat(DAYS[-1]) - date.fromisoformat(BEFORE)).days
    return Pruner(controller=school.gate, state=school.state, keep_days=days, worth_it=1)


def prune(school: School) -> None:
    pruner(school).prune()
    until_done(school)


def until_done(school: School) -> None:
    """A little goes in each turn of the loop in which nobody waits."""
    while school.ask(c.Tick()) and school.gate.journal.prunes:
        pass


def rows(state: Path) -> list[tuple[int, int, str, bytes, bytes]]:
    with closing(sqlite3.connect(state / FILE_NAME)) as db:
        return db.execute("SELECT boot, seq, kind, raw, hash FROM entries ORDER BY boot, seq").fetchall()


def again(folder: Path, to: Path) -> School:
    """The same gate on a copy of its disk, at the same moment."""
    shutil.copytree(folder, to)
    (to / "journal.lock").unlink()
    return School(to, at=f"{DAYS[-1]}T16:40:00")


@pytest.fixture
def seed() -> int:
    return 7


@pytest.fixture
def kept(tmp_path: Path, seed: int) -> Iterator[Kept]:
    one = Kept(tmp_path, seed)
    yield one
    one.close()


# --- nothing is lost by it -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_gate_stands_after_a_prune_where_it_stood_before_and_after_every_start(kept: Kept, tmp_path: Path, seed: int) -> None:
    before, first = rows(kept.state), told(kept.school)
    whole = again(kept.state, tmp_path / "whole")
    kept.prune()
    assert told(kept.school) == first, "the running gate"
    pruned = again(kept.state, tmp_path / "pruned")
    assert told(pruned)[:3] == told(whole)[:3], "the next start"
    assert last_trusted_ms(pruned.state) == last_trusted_ms(whole.state)

    after = rows(kept.state)[: len(before)]
    assert [(*one[:3], one[4]) for one in after] == [(*one[:3], one[4]) for one in before], "number, kind and hash stay"
    gone = [old for old, new in zip(before, after, strict=True) if new[3] != old[3]]
    assert all(new[3] in (old[3], b"") for old, new in zip(before, after, strict=True))
    assert len(gone) > 50 and {decode(one[3]).body.get("day", "") < BEFORE for one in gone} == {True}
    assert not {one[2] for one in gone} & KEPT_KINDS
    for school in (whole, pruned):
        found = verify(school.state / FILE_NAME)
        assert found.ok, found.first_bad
        school.close()


def test_whoever_joins_later_gets_everything_from_the_server(kept: Kept, tmp_path: Path) -> None:
    before = {(seq, hash_): raw for _, seq, _, raw, hash_ in rows(kept.state)}
    kept.prune()
    kept.send()
    new = AgentSide(tmp_path / "south", "south", kept.server)
    kept.runner.run(new.enrol())
    kept.runner.run(new.fetch())
    with closing(sqlite3.connect(tmp_path / "south" / "peers.db")) as db:
        heard = {(seq, hash_): raw for seq, raw, hash_ in db.execute("SELECT seq, raw, hash FROM peers WHERE node = 'east'")}
    assert before.items() <= heard.items()
    new.close()
    kept.runner.run(kept.agent.up.compare())
    assert not kept.agent.up.lost and not kept.agent.up.stuck, "the gate misses nothing of its own"


def test_a_server_put_back_to_before_is_told_what_is_gone_and_gets_the_rest(kept: Kept, tmp_path: Path) -> None:
    kept.prune()
    kept.server.stop()
    shutil.rmtree(kept.server.folder)
    kept.server.start()
    kept.runner.run(kept.agent.enrol())
    kept.agent.up = type(kept.agent.up)(
        journal=kept.agent.tail, state=kept.agent.state, transport=kept.agent.transport,
        key=load_or_create(kept.state / "keys" / "node.key"), school=SCHOOL, monotonic_s=kept.server.clock.monotonic_s,
    )  # fmt: skip
    kept.runner.run(kept.agent.send())
    stuck = kept.agent.up.stuck
    assert stuck and all(isinstance(one, StreamDamaged) and "has let go of" in str(one) for one in stuck.values())
    assert due(kept.state, DAYS[-1]) is None, "what the server has not got any more stays here"


def test_what_another_gate_says_months_late_stops_no_gate_and_puts_nobody_on_campus(kept: Kept, tmp_path: Path) -> None:
    late = School(tmp_path / "south", at=f"{DAYS[1]}T08:00:00", node="south")
    for child in PUPILS:
        late.clock.advance(9_000)
        late.tap_card(uid_of(child.number), "south-in")
    lost = late.ask(c.ReportCardLost(uid=uid_of(9), by=130))
    late.close()
    here = {n for n, _ in kept.school.gate.world.campus.on_campus()}
    kept.prune()
    side = AgentSide(tmp_path / "south", "south", kept.server)
    kept.runner.run(side.enrol())
    kept.runner.run(side.send())
    side.close()
    kept.runner.run(kept.agent.fetch())
    with closing(OtherGates(kept.state)) as others:
        kept.school.ask(c.PeerEntries(sealed=tuple(others.after(0)[1])))
    until_done(kept.school)
    for start_anew in (False, True):
        school = kept.school.restart() if start_anew else kept.school
        wait_until(lambda: not kept.school.gate.world.reread, "what is on the disk is read back")
        campus = school.gate.world.campus
        assert {n for n, _ in campus.on_campus()} == here and not school.gate.world.unreadable
        assert campus.knows(lost.entry), "a lost card is lost however late one hears of it"


# --- what may go ----------------------------------------------------------------------------------------------


def test_nothing_goes_that_the_server_has_not_both_taken_and_countersigned(kept: Kept) -> None:
    everything = due(kept.state, BEFORE)
    assert everything is not None and everything.entries > 50
    with closing(sqlite3.connect(kept.state / "agent.db")) as db:
        db.execute("UPDATE cursors SET durable_through = 4")
        db.commit()
        fewer = due(kept.state, BEFORE)
        assert fewer is None or max(seq for _, seq, _ in fewer.streams) <= 4
        db.execute("UPDATE cursors SET durable_through = 100000")
        db.execute("DELETE FROM countersigned")
        db.commit()
    assert due(kept.state, BEFORE) is None
    (kept.state / "agent.db").unlink()
    assert due(kept.state, BEFORE) is None, "a gate without a server keeps everything"


def test_nothing_goes_under_a_clock_that_nobody_trusts_and_nothing_twice(kept: Kept) -> None:
    found = due(kept.state, BEFORE)
    assert found is not None
    kept.school.clock.distrust("the battery is flat")
    assert kept.school.ask(found).entry is None
    kept.school.clock.distrust("")
    kept.prune()
    assert due(kept.state, BEFORE) is None
    assert len([one for one in rows(kept.state) if one[2] == Kind.RECORDS_PRUNED]) == 1
    assert due(kept.state, DAYS[-1]) is not None, "later days go later"


def test_a_prune_that_was_cut_off_goes_on_with_the_next_start(kept: Kept) -> None:
    found = due(kept.state, BEFORE)
    assert found is not None
    kept.school.ask(found)
    school = kept.school.restart()
    assert verify(kept.state / FILE_NAME).ok, "the fact is there and the bytes are"
    school.gate.journal.prune_through({stream: seq for stream, seq, _ in found.streams})
    until_done(school.restart())
    assert due(kept.state, BEFORE) is None and verify(kept.state / FILE_NAME).ok


def test_notes_go_with_their_facts_and_numbers_of_people_are_remembered(kept: Kept) -> None:
    with closing(connect(kept.state / FILE_NAME, read_only=True)) as db:
        count = "SELECT count(*) FROM notes"
        before, free = db.execute(count).fetchone()[0], first_free_number(kept.state)
        kept.prune()
        closings = db.execute("SELECT count(*) FROM entries WHERE kind = 'case_closed'").fetchone()[0]
        assert closings <= db.execute(count).fetchone()[0] < before, "why a case was closed is kept"
    assert first_free_number(kept.state) == free


# --- what the chain says ----------------------------------------------------------------------------------------


def tampered(state: Path, *statements: str) -> dict[str, object]:
    with closing(sqlite3.connect(state / FILE_NAME)) as db:
        for trigger in ("entries_no_update", "entries_no_delete"):
            db.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            assert db.execute(statement).rowcount > 0, statement
        db.commit()
    found = verify(state / FILE_NAME)
    assert not found.ok and found.first_bad is not None
    return found.first_bad


_GONE = "(SELECT seq FROM entries WHERE boot = 1 AND raw = x'' ORDER BY seq LIMIT 1 OFFSET 5)"


def test_verify_finds_what_was_changed_in_a_pruned_journal(kept: Kept, tmp_path: Path) -> None:
    kept.prune()
    kept.school.close()
    for number, (statement, why) in enumerate(
        (
            (f"UPDATE entries SET hash = zeroblob(32) WHERE boot = 1 AND seq = {_GONE}", "not those of the entries"),
            (f"DELETE FROM entries WHERE boot = 1 AND seq = {_GONE}", "is missing"),
            ("UPDATE entries SET raw = x'' WHERE boot = 1 AND kind = 'incarnation_opened'", "bytes do not match"),
            ("UPDATE entries SET raw = x'' WHERE kind = 'arrived'", "bytes do not match"),
            ("UPDATE entries SET raw = x'' WHERE kind = 'records_pruned'", "bytes do not match"),
        )
    ):
        copy = tmp_path / str(number)
        copy.mkdir()
        shutil.copy(kept.state / FILE_NAME, copy)
        bad = tampered(copy, statement)
        assert why in str(bad["why"]), (statement, bad)
    assert verify(kept.state / FILE_NAME).ok


def test_the_gate_does_it_by_itself_after_the_close_of_a_day(kept: Kept) -> None:
    school, own = kept.school, pruner(kept.school)
    own.look()
    assert not [one for one in rows(kept.state) if one[2] == Kind.RECORDS_PRUNED], "cards first"
    close_day(school, DAYS[-1])
    own.look()
    own.look()
    until_done(school)
    assert len([one for one in rows(kept.state) if one[2] == Kind.RECORDS_PRUNED]) == 1
    assert due(kept.state, BEFORE) is None and verify(kept.state / FILE_NAME).ok


def test_only_the_bytes_of_what_a_fact_names_can_be_taken_away(kept: Kept) -> None:
    kept.prune()
    with closing(sqlite3.connect(kept.state / FILE_NAME)) as db:
        for statement in (
            "UPDATE entries SET raw = x'' WHERE boot = (SELECT max(boot) FROM entries)",
            "UPDATE entries SET raw = x'00' WHERE boot = 1",
            "UPDATE entries SET hash = x'00', raw = x'' WHERE boot = 1",
            "DELETE FROM entries WHERE raw = x''",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                db.execute(statement)


def test_verify_backup_and_replay_know_what_is_gone(kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings, people = kept.school.settings, kept.school.directory
    recent = film(settings, kept.state, date.fromisoformat(DAYS[-2]), people).events
    kept.prune()
    assert film(settings, kept.state, date.fromisoformat(DAYS[-2]), people).events == recent
    assert film(settings, kept.state, date.fromisoformat(BEFORE), people).events
    with pytest.raises(RecordsError, match="let go of the records of that time"):
        film(settings, kept.state, date.fromisoformat(DAYS[1]), people)
    copy = back_up(kept.state, tmp_path / "copies", now_ms=kept.school.clock.now_ms()).copy
    assert check(copy).entries == len(rows(kept.state))
    assert main(["verify", "--state", str(kept.state)]) == 0
    assert "countersigned by the school server" in capsys.readouterr().out
