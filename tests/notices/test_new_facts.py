"""The facts that the core writes today, as the notices read them: a change of a body's shape is noticed here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kiosk.core import commands as c
from tests.notices.conftest import Open, Serve
from tests.support.school import School

Told = Callable[..., str]


@pytest.fixture
def told(school: School, serve: Serve, telling: Open) -> Told:
    """told() -> everything that the group has read, a minute later."""
    server = serve("feishu")
    gate = telling(server, from_level="info", alarms=True)

    def after(after_s: int = 60) -> str:
        gate.tell(after_s=after_s)
        return "\n".join(server.accepted)

    return after


def test_a_drill_is_a_drill_from_beginning_to_end(school: School, told: Told) -> None:
    by = school.number("孙主任")
    school.ask(c.DeclareEmergency(by=by, drill=True))
    school.ask(c.EndEmergency(by=by))
    said = told()
    assert said.count("【演练】") == 2


def missed(school: School) -> None:
    """In at the gate, and her class teacher does not see her."""
    school.tap("王小红", "east-in")
    school.at("08:40").roll("class:primary-2024-1", "陈老师", 王小红="absent_unexplained")
    school.at("08:41")


def test_a_child_that_is_looked_for_is_a_class_and_a_count(school: School, told: Told) -> None:
    missed(school)
    assert school.entries("locate_opened")
    said = told()
    assert "三(1)班 1 名学生去向待查" in said and "王" not in said


def test_the_incident_that_follows_is_told_and_so_is_its_end(school: School, told: Told) -> None:
    missed(school)
    school.at("09:40")
    assert school.entries("incident_declared")
    assert "走失事件（三(1)班 1 名学生）" in told(after_s=0)
    school.ask(c.Located(child=school.number("王小红"), place="图书馆", by=school.number("陈老师")))
    school.at("09:42")
    assert "走失事件结束（三(1)班 1 名学生）" in told()


def test_the_guards_silent_call_for_help_is_told_where_alarms_go(school: School, told: Told) -> None:
    guard = school.number("赵师傅")
    school.ask(c.CallForHelp(staff=guard, where="guard", access_point="east-desk"))
    said = told(after_s=0)
    assert "东门：门岗无声求助" in said and "赵" not in said
