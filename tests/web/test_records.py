"""The records as pages: who may look back, who may take a child's day away, and that taking it is on record."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kiosk.core.commands import ClearCampus
from kiosk.evidence.verifying import check
from kiosk.recorded import day_from
from kiosk.statement import is_genuine, signed_statement
from tests.web.gate_online import Online, online

DAY = "2026-11-23"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    """The small school on a Monday: two children came, one was released, and the day was closed."""
    with online(tmp_path_factory.mktemp("gate")) as gate:
        school = gate.school
        school.tap("王小明", "east-in")
        school.tap("李雷", "east-in")
        school.at("15:35").release(["王小明"], "王妈妈", "photo")
        school.at("18:35").tap("李雷", "east-out")
        cleared = school.ask(ClearCampus(by=school.number("孙主任")))
        assert cleared.decision.outcome == "granted", cleared
        yield gate


def at(here: Online, time: str, **more: str) -> dict[str, object]:
    told: dict[str, object] = here.as_staff("L1").get("/records/replay.json", params={"at": f"{DAY}T{time}", **more}).json()
    return told


def test_the_slider_shows_who_was_where_and_in_whose_custody(here: Online) -> None:
    noon = at(here, "12:00")
    assert noon["counts"] == {"on_campus": 2, "arrived": 2, "left": 0, "open": 0}
    assert sorted(noon["custodians"]) == [["张老师", 1], ["杨老师", 1]]  # type: ignore[call-overload]
    assert at(here, "15:36")["counts"] == {"on_campus": 1, "arrived": 2, "left": 1, "open": 0}
    assert at(here, "07:00")["places"] == []


def test_a_child_is_found_at_that_moment(here: Online) -> None:
    (row,) = at(here, "12:00", q="王小明")["found"]  # type: ignore[misc]
    assert (row["custodian"], row["place"]) == ("张老师", "校园")
    (later,) = at(here, "16:00", q="wxm")["found"]  # type: ignore[misc]
    assert later["custodian"] == "" and later["state"] == "已离校"


def test_an_inspector_looks_back_without_a_childs_name(here: Online) -> None:
    inspector = here.as_staff("D1")
    told = inspector.get("/records/replay.json", params={"at": f"{DAY}T12:00", "q": "王"}).text
    assert "王*明" in told and "张老师" in told
    for pupil in here.school.directory.pupils.values():
        assert pupil.name not in told
    assert inspector.get(f"/records/replay?day={DAY}").status_code == 200
    assert inspector.get(f"/records/statement/{DAY}").status_code == 200
    assert inspector.get(f"/records/evidence/1?day={DAY}").status_code == 403
    assert inspector.post("/records/evidence/1", data={"day": DAY}).status_code == 403


@pytest.mark.parametrize("staff", ["G1", "T1"])
def test_guards_and_teachers_have_no_business_in_the_records(here: Online, staff: str) -> None:
    client = here.as_staff(staff)
    for path in ("/records/replay", f"/records/replay.json?at={DAY}T12:00", "/records/evidence/1", f"/records/statement/{DAY}"):
        assert client.get(path).status_code == 403


def test_nobody_looks_back_without_signing_in(here: Online) -> None:
    assert here.client().get(f"/records/replay.json?at={DAY}T12:00").status_code == 401


def test_the_page_of_a_childs_day_draws_the_line(here: Online) -> None:
    page = here.as_staff("O1").get(f"/records/evidence/1?day={DAY}").text
    for words in ("王小明", "张老师", "从到校到离校没有间断", "王妈妈（母亲）", "离校放行"):
        assert words in page, words
    assert [read.what for read in here.page_reads][-1] == "evidence"


def test_the_bundle_is_on_record_before_it_is_handed_out(here: Online) -> None:
    office = here.as_staff("O1")
    answer = office.post("/records/evidence/1", data={"day": DAY})
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    assert "evidence-20260001-2026-11-23.zip" in answer.headers["content-disposition"]
    found = check(answer.content)
    assert found.ok, found.problems
    (fact,) = here.school.entries("evidence_exported")
    assert fact.body == {"child": 1, "for_day": DAY, "by": 150, "day": DAY}
    whole = office.post("/records/evidence/1", data={"day": DAY, "whole": "1"})
    assert check(whole.content).ok and len(whole.content) > len(answer.content)


def test_a_bundle_needs_the_press_of_this_session(here: Online) -> None:
    office = here.as_staff("O1")
    del office.headers["x-csrf-token"]
    before = len(here.school.entries("evidence_exported"))
    assert office.post("/records/evidence/1", data={"day": DAY}).status_code == 403
    assert len(here.school.entries("evidence_exported")) == before


def test_the_statement_of_zero_is_signed_and_says_which_entry_it_repeats(here: Online) -> None:
    page = here.as_staff("L1").get(f"/records/statement/{DAY}").text
    found = signed_statement(here.school.state, day_from(DAY), 8 * 3_600_000)
    assert is_genuine(found) and not is_genuine({**found, "body": {**found["body"], "released": 9}})
    for words in ("静校声明", "孙主任", found["entry"], found["hash"], found["signature"], found["fingerprint"], "<svg"):
        assert words in page, words
    assert here.as_staff("L1").get("/records/statement/2026-11-20").text.count("没有静校记录") == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/records/replay?day=yesterday", 422),
        ("/records/replay.json?at=noon", 422),
        ("/records/replay.json?at=99999999999999999999", 422),
        ("/records/evidence/999999", 404),
        ("/records/evidence/x", 422),
        ("/records/statement/0", 422),
        ("/records/replay?day=2019-01-01", 200),
        ("/records/replay.json?at=1", 200),
    ],
)
def test_whatever_is_asked_has_an_answer(here: Online, path: str, status: int) -> None:
    assert here.as_staff("L1").get(path).status_code == status


def test_replay_is_json_for_programs(here: Online) -> None:
    answer = here.as_staff("L1").get("/records/replay.json", params={"at": str(here.school.ms("12:00"))})
    assert answer.headers["cache-control"] == "no-store"
    assert json.loads(answer.text)["at"] == "2026-11-23T12:00:00+08:00"
