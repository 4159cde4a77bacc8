"""The report of a day is one command: what happened, whether every chain holds, and what was left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.__main__ import main
from kiosk.core import commands as c
from kiosk.directory import publish
from kiosk.directory_schema import Content
from kiosk.evidence.verifying import check
from kiosk.statement import is_genuine
from tests.support.people import AUTHORISATIONS, CLASSES, COLLECTORS, ENROLMENTS, MADE_AT_MS, PUPILS, SESSIONS, STAFF
from tests.support.school import CONFIG, School

DAY = "2026-11-23"


def people(state: Path) -> None:
    content = Content(
        classes=CLASSES, pupils=PUPILS, staff=STAFF, collectors=COLLECTORS, authorisations=AUTHORISATIONS, sessions=SESSIONS,
        enrolments=ENROLMENTS, next_number=1000,
    )  # fmt: skip
    publish(state / "directory.db", content, 1, MADE_AT_MS)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """A quiet day: one late collection, one handover, and nobody left."""
    school = School(tmp_path_factory.mktemp("gate"))
    people(school.state)
    for name in ("王小明", "李雷", "丁一"):
        school.tap(name, "east-in")
    school.at("16:20").release(["王小明"], "王妈妈", "photo")
    school.at("17:20")
    offer = school.offer(["丁一"], "杨老师", "周老师", place="美术室")
    school.accept(offer, "周老师", 1)
    school.at("18:32").tap("李雷", "east-out")
    school.release(["丁一"], "丁妈妈", "photo")
    assert school.ask(c.ClearCampus(by=140)).decision.outcome == "granted"
    school.close()
    yield school


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main([str(a) for a in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def report(capsys: pytest.CaptureFixture[str], state: Path) -> tuple[int, Any]:
    code, out, _ = run(capsys, "report", "day", "--config", CONFIG, "--state", state, "--day", DAY, "--json")
    return code, json.loads(out)


def test_a_day_that_ended_well_is_fine(gate: School, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = report(capsys, gate.state)
    assert (code, found["ok"]) == (0, True)
    assert (found["arrived"], found["released"], found["stayers"]) == (3, 3, 2)
    assert found["released_by_mode"] == {"alone": 1, "collected": 2}
    assert found["late_collections"] == {"10": 1, "30": 1, "60": 0}  # due at 15:45, fetched at 16:20
    assert found["handovers"] == {"to_session": {"offered": 1, "accepted": 1}}
    assert [(row["child"], row["ended"]) for row in found["ladder"]] == [(1, "collected")]
    assert found["chain"]["children"] == 3 and found["chain"]["gaps"] == 0 and found["chain"]["changes_of_hands"] == 1
    assert found["residue"] == {"children": [], "open": [], "visitors": []}
    assert is_genuine(found["statement"])


def test_the_text_says_the_chains_and_the_gaps(gate: School, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "report", "day", "--config", CONFIG, "--state", gate.state, "--day", DAY)
    assert code == 0
    for words in ("3 chains, 0 gaps", "王小明 一(1)班", "滞留 0", "静校", "正常 / fine"):
        assert words in out, words


def test_a_gap_or_a_child_left_behind_is_not_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    school = School(tmp_path)
    people(tmp_path)
    school.tap("李雷", "east-in")
    code, found = report(capsys, tmp_path)
    assert code == 1 and [row["child"] for row in found["residue"]["children"]] == [3]
    school.at("18:32").tap("李雷", "east-out")
    assert report(capsys, tmp_path)[0] == 0
    school.release(["丁一"], "丁妈妈", "photo")  # never arrived
    code, found = report(capsys, tmp_path)
    (flaw,) = found["chain"]["flaws"]
    assert code == 1 and found["chain"]["gaps"] == 1 and flaw["why"] == "out_without_in" and flaw["entries"]
    for case in school.gate.world.campus.conflicts():
        school.ask(c.CloseCase(case=case.case, by=140, note="早上没带卡"))
    code, found = report(capsys, tmp_path)
    assert code == 0 and found["chain"]["flaws"][0]["closed"]
    school.close()


def test_replay_of_a_date_is_its_time_line_and_how_it_ended(gate: School, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "replay", DAY, "--config", CONFIG, "--state", gate.state, "--json")
    found = json.loads(out)
    assert code == 0 and {row["collection"] for row in found["children"]} == {"COLLECTED"}
    steps = {step["at"][11:16]: step for step in found["steps"]}
    assert (steps["12:00"]["on_campus"], steps["16:30"]["on_campus"], steps["19:00"]["on_campus"]) == (3, 2, 0)
    assert steps["08:00"]["happened"]["arrived"] == 3
    code, out, _ = run(capsys, "replay", DAY, "--config", CONFIG, "--state", gate.state)
    assert "王小明" in out and "在校 3" in out


def test_statement_and_evidence_are_a_command_each(gate: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "statement", "--state", gate.state, "--day", DAY, "--json")
    statement = json.loads(out)
    assert code == 0 and is_genuine(statement)
    assert run(capsys, "statement", "--state", gate.state, "--day", "2026-11-20")[0] == 1
    out_file = tmp_path / "one.zip"
    arguments = ("--config", CONFIG, "--state", gate.state, "--child", "20260001", "--day", DAY, "--out", out_file)
    code, out, err = run(capsys, "evidence", *arguments)
    assert code == 0 and "not on record" in err and check(out_file.read_bytes()).ok
    code, out, _ = run(capsys, "verify", out_file)
    assert code == 0 and statement["fingerprint"] in out
    assert run(capsys, "verify", out_file, "--key", statement["public_key"])[0] == 0
    assert run(capsys, "verify", out_file, "--key", "0" * 64)[0] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("verify",), 2, "BUNDLE"),
        (("verify", "x.zip", "--state", "x"), 2, "one thing"),
        (("verify", "no-such.zip"), 2, "no-such.zip"),
        (("replay", "--config", CONFIG, "--state", "GATE"), 2, "--at"),
        (("replay", "monday", "--config", CONFIG, "--state", "GATE"), 2, "2026-11-23"),
        (("report", "day", "--config", CONFIG, "--state", "GATE", "--day", "x"), 2, "2026-11-23"),
        (("evidence", "--config", CONFIG, "--state", "GATE", "--child", "nobody", "--day", DAY), 2, "nobody"),
        (("statement", "--state", "nowhere", "--day", DAY), 2, "--state"),
    ],
)
def test_wrong_usage_is_one_sentence(
    gate: School, capsys: pytest.CaptureFixture[str], arguments: tuple[Any, ...], code: int, words: str
) -> None:
    found, out, err = run(capsys, *(gate.state if a == "GATE" else a for a in arguments))
    assert (found, out) == (code, "") and words in err and len(err.strip().splitlines()) == 1


def test_a_visitor_who_has_not_left_is_left_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    school = School(tmp_path)
    people(tmp_path)
    came = school.ask(
        c.VisitorIn(gate="east", name="张先生", purpose="meeting", host=101, id_type="id_card", id_last4="1234", by=130)
    )
    assert came.decision.outcome == "granted", came
    code, found = report(capsys, tmp_path)
    assert code == 1 and found["residue"]["visitors"] == [str(came.entry)] and found["visitors_in"] == 1
    school.close()
