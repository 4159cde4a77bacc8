"""One child at two gates that are cut off from each other: no gate lets it go plainly, and what two exceptions were is one case.

The real loop and journal at each gate, the real agent's parts over HTTP messages to a real school server. 高个子 is
released at the west gate, whose computer is off; 丁一 at the south gate, which is one of the two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk.core import commands as c
from kiosk.core import roster as r
from kiosk.core.decisions import Answer
from kiosk.neighbours import Neighbours
from kiosk.settings import load
from kiosk.snapshots import SnapshotStore
from tests.support.agent_side import AgentSide
from tests.support.school import CONFIG, School
from tests.support.sync_processes import wait_until
from tests.support.sync_world import Clock, Server

BOTH = ("call_back", "child_recognises")


class CutOffGate(AgentSide):
    """A running gate that serves itself alone, and its agent, which works only when the test lets the link be up."""

    def __init__(self, folder: Path, node: str, server: Server) -> None:
        base = load(CONFIG)
        settings = replace(base, rules=replace(base.rules, serves=frozenset({node})))
        self.school = School(folder, node=node, settings=settings)
        super().__init__(folder, node, server)
        snapshots = SnapshotStore(folder, utc_offset_ms=28_800_000)
        self.neighbours = Neighbours(
            controller=self.school.gate, state=folder, snapshots=snapshots, peers_row=0, keep_pictures_days=30
        )

    def close(self) -> None:
        self.school.close()
        super().close()


class Campus:
    """The east and the south gate. Nothing passes between them but in `link_is_back`."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.server = Server(folder / "server", Clock())
        self.gates = [CutOffGate(folder / node, node, self.server) for node in ("east", "south")]
        self.east, self.south = (gate.school for gate in self.gates)
        for gate in self.gates:
            self.runner.run(gate.enrol())

    def link_is_back(self) -> None:
        for gate in self.gates:
            self.runner.run(gate.send())
        for gate in self.gates:
            self.runner.run(gate.fetch())
            gate.neighbours.look()
            school = gate.school
            wait_until(lambda at=school: at.ask(c.Tick()) and not at.gate.world.reread, "what came is folded in")

    def time(self, at: str) -> None:
        for gate in self.gates:
            gate.school.at(at)

    def close(self) -> None:
        for gate in self.gates:
            self.runner.run(gate.transport.close())
            gate.close()
        self.server.stop()
        self.runner.close()


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    one = Campus(tmp_path)
    yield one
    one.close()


def let_go(school: School, child: str, adult: str, gate: str, by: str, second: str = "") -> Answer:
    return school.release([child], adult, by=by, second=second, point=f"{gate}-out")


def to_the_aunt(school: School, child: str, gate: str, by: str, second: str) -> Answer:
    answer: Answer = school.ask(
        c.ReleaseExceptionally(
            child=school.number(child), access_point=f"{gate}-out", by=school.number(by), second=school.number(second),
            name="姑妈", relation="姑母", id_type="id_card", id_last4="123X", reason="父母都在外地", verified=BOTH,
        )
    )  # fmt: skip
    return answer


def cases(school: School) -> list[tuple[str, str]]:
    return [(case.kind, case.line.name) for case in school.duty().cases if case.line and case.kind != "uncollected"]


def sides(school: School) -> tuple[r.CaseLine, list[dict[str, Any]]]:
    [case] = [case for case in school.duty().cases if case.kind == "double_release"]
    keys = ("entry", "gate_name", "home", "guard_name", "second_name", "to_name", "relation")
    return case, [{key: getattr(side, key) for key in keys} for side in case.sides]


def test_two_cut_off_gates_refuse_plainly_and_two_exceptions_are_one_case_with_both_sides(campus: Campus) -> None:
    east, south = campus.east, campus.south
    east.tap("高个子", "east-in")
    campus.link_is_back()  # both know that the child is here; then the link goes down
    campus.time("18:35")
    for school, gate, guard in ((east, "east", "赵师傅"), (south, "south", "钱师傅")):
        refused = let_go(school, "高个子", "高妈妈", gate, guard).decision
        assert (refused.outcome, refused.reason, refused.detail) == ("refused", "elsewhere_gate", {"needs": ["second_person"]})
        alone = let_go(school, "高个子", "高妈妈", gate, guard, second=guard).decision
        assert (alone.outcome, alone.reason) == ("refused", "elsewhere_gate"), "one person twice is not two"
        assert school.custodian("高个子") == "黄老师" and cases(school) == []

    one = let_go(east, "高个子", "高妈妈", "east", "赵师傅", second="孙主任")
    campus.time("18:40")
    other = to_the_aunt(south, "高个子", "south", "钱师傅", "孙主任")
    assert one.decision.outcome == other.decision.outcome == "granted"
    for school in (east, south):
        assert cases(school) == [("exceptional_release", "高个子")], "open until somebody has looked"
        assert "alarms:1" in school.ask(c.ClearCampus(by=school.number("孙主任"))).decision.detail["blockers"]

    campus.link_is_back()
    for school in (east, south):
        assert cases(school) == [("double_release", "高个子")], "one thing is one case"
        case, told = sides(school)
        assert told == [
            {"entry": str(one.entry), "gate_name": "东门", "home": False, "guard_name": "赵师傅", "second_name": "孙主任",
             "to_name": "高妈妈", "relation": "母亲"},
            {"entry": str(other.entry), "gate_name": "南门", "home": False, "guard_name": "钱师傅", "second_name": "孙主任",
             "to_name": "", "relation": "姑母"},
        ]  # fmt: skip
        assert [side.at_ms for side in case.sides] == [east.ms("18:35"), east.ms("18:40")]
        assert (case.owner_name, case.next_due_ms) == ("孙主任", east.ms("18:40") + school.gate.world.rules.locate_limit_ms)
    assert sides(east) == sides(south)

    school, leader = south, south.number("孙主任")
    key = sides(school)[0].case
    assert school.ask(c.CloseCase(case=key, by=school.number("钱师傅"), note="接走了")).decision.reason == "not_permitted"
    assert school.ask(c.CloseCase(case=key, by=leader, note=" ")).decision.reason == "reason_needed"
    school.ask(c.CloseCase(case=key, by=leader, note="与高妈妈通话：孩子在她身边，姑妈没有接到"))
    campus.link_is_back()
    assert cases(east) == cases(south) == [], "closed once, at both gates, and the exceptions do not come back"
    east.restart()
    assert cases(east) == []


def test_at_its_own_gate_a_child_goes_plainly_and_the_exception_elsewhere_makes_it_one_case(campus: Campus) -> None:
    east, south = campus.east, campus.south
    south.tap("丁一", "south-in")
    campus.link_is_back()
    campus.time("18:35")
    assert let_go(east, "丁一", "丁妈妈", "east", "赵师傅").decision.reason == "elsewhere_gate"
    assert let_go(east, "丁一", "丁妈妈", "east", "赵师傅", second="孙主任").decision.outcome == "granted"
    campus.time("18:37")
    assert let_go(south, "丁一", "丁妈妈", "south", "钱师傅").decision.outcome == "granted", "the home gate needs nobody's word"
    assert cases(south) == []
    campus.link_is_back()
    for school in (east, south):
        assert cases(school) == [("double_release", "丁一")]
        told = [(side["gate_name"], side["home"], side["guard_name"], side["second_name"]) for side in sides(school)[1]]
        assert told == [("东门", False, "赵师傅", "孙主任"), ("南门", True, "钱师傅", "")]


def test_an_exception_that_nothing_contradicts_is_its_own_case_at_both_gates_until_it_is_closed(campus: Campus) -> None:
    east, south = campus.east, campus.south
    east.tap("高个子", "east-in")
    campus.time("18:35")
    let_go(east, "高个子", "高妈妈", "east", "赵师傅", second="孙主任")
    campus.link_is_back()
    assert cases(east) == cases(south) == [("exceptional_release", "高个子")]
    [case] = [case for case in south.duty().cases if case.kind == "exceptional_release"]
    south.ask(c.CloseCase(case=case.case, by=south.number("孙主任"), note="西门停电，已与高妈妈通话"))
    campus.link_is_back()
    assert cases(east) == cases(south) == []


def test_with_the_link_up_the_right_comes_and_one_guard_releases_at_the_other_gate(campus: Campus) -> None:
    east, south = campus.east, campus.south
    south.tap("丁一", "south-in")
    south.tap("韩梅", "south-in")
    campus.link_is_back()
    campus.time("18:35")

    def ask(child: str) -> Answer:
        wish = c.AskReleaseRight(child=east.number(child), access_point="east-out", by=east.number("赵师傅"))
        answer: Answer = east.ask(wish)
        return answer

    assert let_go(east, "丁一", "丁妈妈", "east", "赵师傅").decision.reason == "elsewhere_gate"
    assert [ask(child).decision.outcome for child in ("丁一", "韩梅")] == ["granted", "granted"]
    campus.link_is_back()
    campus.link_is_back()
    assert let_go(south, "丁一", "丁妈妈", "south", "钱师傅").decision.reason == "elsewhere_gate", "it has given the right away"
    assert let_go(east, "丁一", "丁妈妈", "east", "赵师傅").decision.outcome == "granted"
    assert east.tap("韩梅", "east-out").decision.reason == "leaves_alone"
    campus.link_is_back()
    assert cases(east) == cases(south) == []
    told = [(school.settings.site.node, entry.kind) for school in (east, south) for entry in school.entries()]
    kinds = sorted(f"{node} {kind}" for node, kind in told if "token" in kind)
    wanted = ("east release_token_asked", "east release_token_taken", "south release_token_given")
    assert kinds == sorted(wanted * 2), "each fact in the record of the gate that did it"
    assert all((school.state / "last_ran").exists() for school in (east, south)), "a start will know how long each was off"
