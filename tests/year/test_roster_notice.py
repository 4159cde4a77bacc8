"""Teachers are told of what changes about their roster before it happens (B5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kiosk.core import roster as r
from kiosk.core.people import Directory, Enrolment
from kiosk.core.roster_changes import ComingChange, coming_changes
from kiosk.web import faces
from kiosk.web.masking import masked
from tests.support.people import ENROLMENTS, SESSIONS, small_school
from tests.support.school import School

MONDAY, WEDNESDAY = date(2026, 11, 23), date(2026, 11, 25)


def people() -> Directory:
    """From Wednesday art has another teacher and room; one child joins, one leaves, one has two periods without a break."""
    art = SESSIONS[1]
    rows = (replace(art, valid_to=date(2026, 11, 24)), replace(art, teacher=111, room="201", valid_from=WEDNESDAY))
    others = tuple(e for e in ENROLMENTS if e.session != "S2")
    places = (
        Enrolment(child=3, session="S2", valid_to=date(2026, 11, 24)),
        Enrolment(child=4, session="S2", valid_from=WEDNESDAY),
        Enrolment(child=5, session="S2", valid_to=date(2026, 11, 24)),
        Enrolment(child=5, session="S2", valid_from=WEDNESDAY),
        Enrolment(child=6, session="S2", valid_from=date(2026, 12, 7)),
    )
    return small_school(sessions=(SESSIONS[0], *rows, SESSIONS[2]), enrolments=(*others, *places))


def test_b5_changes_of_the_week_ahead_name_who_joins_and_leaves_and_what_else_becomes_other() -> None:
    (change,) = coming_changes(people(), "S2", MONDAY)
    assert change == ComingChange(day=WEDNESDAY, joins=("韩梅",), leaves=("李雷",), teacher="李老师", room="201")
    assert coming_changes(people(), "S2", WEDNESDAY) == (change,), "told on the day itself too"
    assert not coming_changes(people(), "S2", date(2026, 11, 26)) and not coming_changes(people(), "E1", MONDAY)


@pytest.mark.row("B5", "changzhi", "yueyang")
def test_b5_the_teacher_reads_it_on_the_roster_and_an_inspector_reads_no_names(tmp_path: Path) -> None:
    school = School(tmp_path, "16:00", directory=people())
    view = school.look(r.RosterQuery("session:S2"))
    page = faces.page("roster", view=view)
    assert "名单将有变化" in page and "2026年11月25日 星期三起：" in page
    assert "教师 李老师；地点 201；加入 1 人：韩梅；退出 1 人：李雷" in page
    assert "韩梅" not in faces.page("roster", view=masked(view), lang="en")
    assert "名单将有变化" not in faces.page("roster", view=school.look(r.RosterQuery("session:S1")))
    school.close()
