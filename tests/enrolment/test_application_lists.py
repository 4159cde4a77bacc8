"""A workbook of applications through the office's import page, and the roster of the running gate at the end of the way."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path

import httpx
import pytest
from openpyxl import Workbook

from kiosk.clock import FixedClock
from kiosk.composition import GateProcess
from kiosk.core import commands as c
from kiosk.core import roster as r
from kiosk.directory import load
from kiosk.enrolment_office import OfficeEnrolment
from kiosk.people_import import OfficeImport
from kiosk.settings import load as load_settings
from kiosk.web.enrolment_desk import Act
from tests.cards.people_list import put_list
from tests.support.people import MADE_AT_MS
from tests.support.running_gate import wait_until
from tests.support.school import CONFIG
from tests.web.gate_online import online

FILE = "directory.db"
HEADER = ["学号", "学生姓名", "课程编号", "申请日期", "有效期起", "离开时间", "优先类别", "申请编号"]
JOINS = ["20260008", "不参加", "S1", "2026-11-20", "2026-11-23", "17:00", "随迁子女", "2026-0042"]


def workbook(*rows: list[str]) -> bytes:
    book, stream = Workbook(), io.BytesIO()
    sheet = book.active
    sheet.title = "课后服务申请表"
    for row in (HEADER, *rows):
        sheet.append(row)
    book.save(stream)
    return stream.getvalue()


def uploaded(office: httpx.Client, *rows: list[str]) -> str:
    answer = office.post("/office/import", files=[("files", ("申请.xlsx", workbook(*rows), "application/octet-stream"))])
    assert answer.status_code == 200, answer.text
    return html.unescape(re.sub(r"\s+", " ", answer.text))


@pytest.mark.row("B2", "changzhi", "xiji", "tianjin", "yueyang")
def test_b2_a_workbook_of_applications_is_tried_first_and_a_conflict_in_it_changes_nothing(tmp_path: Path) -> None:
    put_list(tmp_path)
    settings, clock = load_settings(CONFIG), FixedClock(MADE_AT_MS)
    importer = OfficeImport(settings=settings, state=tmp_path, clock=clock)
    desk = OfficeEnrolment(settings=settings, state=tmp_path, clock=clock)
    with online(tmp_path, importer=importer, more=lambda school: {"enrolment": desk}) as here:
        office = here.as_staff("O1")
        twice = ["20260003", "李雷", "S1", "2026-11-20", "2026-11-23", "", "", ""]
        refused = uploaded(office, JOINS, twice)
        assert "学号 20260003 同一时间报了“五年级作业辅导”和“五年级作业辅导”" in refused and "第3行" in refused
        assert load(tmp_path / FILE).number == 1
        shown = uploaded(office, JOINS)
        assert "申请" in shown and "20260008 S1 2026-11-20" in shown and load(tmp_path / FILE).number == 1
        token = re.search(r'name="token" value="([^"]+)"', shown)
        assert token
        assert office.post("/office/import/apply", data={"token": token[1]}).status_code == 303
        page = office.get("/office/enrolment").text
        assert "2026-0042" in page and "已申请，待班级审核" in page and "17:00 离开" in page
        assert not load(tmp_path / FILE).enrolments_of.get(8)  # a list approves nobody


def test_what_the_office_approves_is_on_the_roster_of_the_running_gate_by_itself(tmp_path: Path) -> None:
    clock = FixedClock(MADE_AT_MS)
    gate = GateProcess(settings=load_settings(CONFIG), state=put_list(tmp_path), clock=clock)
    desk = OfficeEnrolment(settings=gate.settings, state=tmp_path, clock=clock)
    gate.start()
    try:
        number = desk.do(Act(kind="apply", child=8, sessions=("S1",)), base=1, by=150)
        for kind in ("review", "approve"):
            number = desk.do(Act(kind=kind, application="SQ00001"), base=number, by=150)
        wait_until(lambda: gate.controller.world.directory.number == number, "the gate takes the list", within_s=30)
        view: r.RosterView = gate.controller.ask(c.Look(query=r.RosterQuery(roster="session:S1")))
        assert "不参加" in [row.line.name for row in view.rows if row.expected]
    finally:
        gate.stop()
