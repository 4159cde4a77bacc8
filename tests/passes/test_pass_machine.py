"""Whatever happens in whatever order - scans, releases, undos, revocations, restarts - a pass never opens twice.

Two passes for one child and one for the sister; after every step each pass stands for at most one child gone, and that child
is the one it names.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kiosk.core import commands as c
from kiosk.core.campus import Campus
from tests.passes.delegation import CHECKED, Gatehouse, gatehouse

CHILDREN = {"王小明": "张老师", "王小红": "陈老师"}
PRESSED = [("王小明",), ("王小红",), ("王小明", "王小红"), ("王小明", "王小明")]
EVERYTHING = (*CHECKED, "call_back")


class Passes(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.house: Gatehouse = gatehouse(self.folder / "state")
        for child in CHILDREN:
            self.house.school.tap(child, "east-in")
        self.house.school.at("17:40")
        self.keys = [
            self.house.register(), self.house.register(name="周叔叔"),
            self.house.register(child="王小红", by="陈老师", name="何奶奶"),
        ]  # fmt: skip

    @rule(which=st.integers(0, 2), point=st.sampled_from(["east-out", "east-in", "south-out"]))
    def scan(self, which: int, point: str) -> None:
        self.house.scan(self.keys[which], point)

    @rule(which=st.integers(0, 2), children=st.sampled_from(PRESSED), second=st.booleans())
    def release(self, which: int, children: tuple[str, ...], second: bool) -> None:
        self.house.release(self.keys[which], *EVERYTHING, children=children, second="孙主任" if second else "")

    @rule()
    def undo(self) -> None:
        for entry in self.house.school.entries("released")[-1:]:
            self.house.school.ask(c.UndoRelease(release=str(entry.id), by=self.house.school.number("赵师傅")))

    @rule(child=st.sampled_from(list(CHILDREN)))
    def correct(self, child: str) -> None:
        number = self.house.school.number
        self.house.school.ask(
            c.Correct(child=number(child), what="not_released", by=number("张老师"), second=number("赵师傅"), note="看错")
        )

    @rule(child=st.sampled_from(list(CHILDREN)))
    def comes_back(self, child: str) -> None:
        self.house.school.tap(child, "east-in")

    @rule(which=st.integers(0, 2))
    def revoke(self, which: int) -> None:
        self.house.school.ask(c.RevokeDelegate(pass_id=self.keys[which], by=self.house.school.number("办公室")))

    @rule(minutes=st.integers(1, 30))
    def later(self, minutes: int) -> None:
        self.house.school.clock.advance(minutes * 60_000)
        self.house.school.ask(c.Tick())

    @rule()
    def restart(self) -> None:
        before = self.house.school.gate.world.campus.passes.tables()
        self.house.school.restart()
        assert self.house.school.gate.world.campus.passes.tables() == before

    @invariant()
    def each_pass_stands_for_one_child_at_most(self) -> None:
        taken_back = {e.body.get("release") for kind in ("release_undone", "correction") for e in self.house.school.entries(kind)}
        for which, key in enumerate(self.keys):
            child = self.house.school.number("王小红" if which == 2 else "王小明")
            uses = [e for e in self.house.school.entries("released") if e.body.get("pass_id") == key]
            assert all(e.body["child"] == child and e.body["access_point"].startswith("east") for e in uses)
            assert len([e for e in uses if str(e.id) not in taken_back]) <= 1

    @invariant()
    def a_shuffled_record_says_the_same(self) -> None:
        entries = self.house.school.entries()
        campus = Campus()
        for entry in (*reversed(entries), *entries):
            campus.apply(entry)
        assert campus.passes.tables() == self.house.school.gate.world.campus.passes.tables()

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.school.close()
            shutil.rmtree(self.folder)


TestPasses = Passes.TestCase
TestPasses.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
