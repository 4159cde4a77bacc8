"""门卫登记, as the guards would tell it: visitors in and out, whom they came to see, who is still inside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.core import commands as c
from kiosk.core import roster_safety as s
from kiosk.core.decisions import Answer
from kiosk.core.register import VisitorNote, read_note
from tests.support.school import School


@pytest.fixture(name="school")
def the_school_before_noon(tmp_path: Path) -> Iterator[School]:
    school = School(tmp_path / "state", at="09:00")
    yield school
    school.close()


def lets_in(school: School, name: str, purpose: str = "repair", *, gate: str = "east", host: str = "", **more: str) -> Answer:
    fields: dict[str, str] = {"id_type": "id_card", "id_last4": "0027", **more}
    answer: Answer = school.ask(
        c.VisitorIn(
            gate=gate, name=name, purpose=purpose, by=school.number("赵师傅"), host=school.number(host) if host else 0, **fields
        )
    )
    return answer


def lets_out(school: School, visit: Answer, by: str = "赵师傅") -> Answer:
    answer: Answer = school.ask(c.VisitorOut(visit=str(visit.entry), by=school.number(by)))
    return answer


def page(school: School, gate: str = "east") -> s.RegisterView:
    view: s.RegisterView = school.look(s.RegisterQuery(gate))
    return view


@pytest.mark.row("D5", "xiji", "tianjin", "yueyang")
def test_d5_a_repairman_comes_to_see_the_office_and_leaves_an_hour_later(school: School) -> None:
    visit = lets_in(school, "钱工", host="办公室", organisation="电梯公司", plate="津a12345", id_last4="002x")
    assert visit.decision.outcome == "granted"
    (inside,) = page(school).inside
    assert (inside.purpose, inside.host_name, inside.id_type, inside.id_last4) == ("repair", "办公室", "id_card", "002X")
    assert (inside.gate_name, inside.by_name, inside.out_ms) == ("东门", "赵师傅", None)
    school.at("10:05")
    assert lets_out(school, visit).decision.outcome == "granted"
    view = page(school)
    assert view.inside == ()
    assert [one.out_ms for one in view.today] == [school.ms("10:05")]
    assert lets_out(school, visit).decision.reason == "no_such_case", "nobody leaves twice"


def test_the_name_is_in_the_erasable_note_and_never_in_the_chain(school: School) -> None:
    visit = lets_in(school, "钱工", organisation="电梯公司", plate="津A12345")
    body = school.entries("visitor_in")[-1].body
    assert "钱工" not in str(body) and "电梯" not in str(body) and "津A" not in str(body)
    journal = school.gate.journal
    assert read_note(journal.note(body["note"])) == VisitorNote("钱工", "电梯公司", "津A12345")
    assert journal.erase_note(body["note"])
    assert read_note(journal.note(body["note"])) == VisitorNote()
    assert [one.visit for one in page(school).inside] == [str(visit.entry)], "the visit itself stays on record"


@pytest.mark.parametrize(
    ("why", "wrong"),
    [
        ("reason_needed", {"purpose": "sightseeing"}),
        ("reason_needed", {"id_type": "library_card"}),
        ("identity_unconfirmed", {"id_last4": "27"}),
        ("identity_unconfirmed", {"id_last4": "110101199001010027"}),
        ("identity_unconfirmed", {"id_last4": "１２３４"}),
        ("identity_unconfirmed", {"name": "  "}),
        ("no_such_access_point", {"gate": "west"}),
    ],
)
def test_an_entry_that_says_too_little_or_too_much_is_not_taken(school: School, why: str, wrong: dict[str, str]) -> None:
    told = lets_in(school, **{"name": "钱工", **wrong})  # type: ignore[arg-type]
    assert (told.decision.outcome, told.decision.reason) == ("refused", why)
    assert school.entries("visitor_in") == []


def test_a_host_who_does_not_work_here_is_refused(school: School) -> None:
    told = school.ask(
        c.VisitorIn(gate="east", name="钱工", purpose="meeting", by=130, id_type="id_card", id_last4="0027", host=201)
    )
    assert told.decision.reason == "no_such_person"


def test_a_teacher_does_not_keep_the_register(school: School) -> None:
    told = school.ask(
        c.VisitorIn(gate="east", name="钱工", purpose="meeting", by=school.number("张老师"), id_type="id_card", id_last4="0027")
    )
    assert told.decision.reason == "not_permitted"


def test_whoever_came_in_at_the_east_may_leave_at_the_south(school: School) -> None:
    visit = lets_in(school, "钱工")
    assert [one.gate_name for one in page(school, "south").inside] == ["东门"]
    assert lets_out(school, visit, by="钱师傅").decision.outcome == "granted"
    assert page(school, "south").today == (), "the register of the day is that of the gate of entry"


@pytest.mark.row("D5", "xiji", "tianjin", "yueyang")
def test_d5_at_the_change_of_shift_the_next_guard_is_told_who_is_still_inside(school: School) -> None:
    school.ask(c.OfferShift(gate="east", taker=school.number("赵师傅"), by=school.number("赵师傅")))
    school.at("09:30")
    lets_in(school, "钱工")
    lets_in(school, "孙工")
    offered = school.at("16:00").ask(c.OfferShift(gate="east", taker=school.number("钱师傅"), by=school.number("赵师傅")))
    assert school.entries("shift_offered")[-1].body["visitors"] == 2
    school.ask(c.AcceptShift(shift=str(offered.entry), counted=0, by=school.number("钱师傅")))
    view = page(school)
    assert view.guard_name == "钱师傅"
    assert [one.earlier_shift for one in view.inside] == [True, True]
    lets_in(school, "李工")
    assert [one.earlier_shift for one in page(school).inside] == [False, True, True], "newest first"


def test_the_campus_cannot_be_closed_while_a_visitor_is_inside(school: School) -> None:
    visit = lets_in(school, "钱工")
    close = c.ClearCampus(by=school.number("孙主任"))
    assert school.ask(close).decision.detail["blockers"] == ["visitors:1"]
    lets_out(school, visit)
    assert school.ask(close).decision.outcome == "granted"
    assert school.entries("campus_cleared")[-1].body["visitors"] == 1


def test_who_is_inside_survives_a_restart_and_the_night(school: School) -> None:
    lets_in(school, "钱工")
    school.restart()
    school.at("2026-11-24T08:00:00")
    assert [one.day for one in page(school).inside] == ["2026-11-23"]


@pytest.mark.row("D5", "xiji", "tianjin", "yueyang")
def test_d5_late_pupils_and_early_leavers_stand_in_the_register_by_themselves(school: School) -> None:
    school.tap("王小明", "east-in")
    school.tap("李雷", "south-in")
    assert [one.line.name for one in page(school).late] == ["王小明"], "the south gate has its own register"
    school.at("10:00")
    slip = c.GrantLeaveSlip(
        child=1, from_ms=school.ms("10:00"), to_ms=school.ms("11:00"), by=school.number("张老师"), with_collector=201,
        kind="leave_sick",
    )  # fmt: skip
    school.ask(slip)
    assert school.release(["王小明"], "王妈妈").decision.outcome == "granted"
    (early,) = page(school).early
    assert (early.line.name, early.at_ms, early.detail) == ("王小明", school.ms("10:00"), "母亲")


def test_the_list_of_those_still_waiting_has_whom_to_call(school: School) -> None:
    for name in ("王小明", "小妹妹", "李雷"):
        school.tap(name, "east-in")
    assert school.look(s.WaitingQuery("east")).lines == ()
    school.at("15:50")
    view: s.WaitingView = school.look(s.WaitingQuery("east"))
    assert [one.line.name for one in view.lines] == ["王小明", "小妹妹"]
    to_call = [(g.name, g.relation, g.tail) for g in view.lines[0].guardians]
    assert to_call == [("王妈妈", "母亲", "0001")], "never the restricted father"
    assert school.look(s.WaitingQuery("south")).lines == ()
