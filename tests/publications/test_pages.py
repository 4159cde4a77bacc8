"""The policy page, papers and the inspector's page over HTTP, on a running gate of the small school."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO

import pytest
from openpyxl import load_workbook

from kiosk.publishing import Publishing
from tests.web.gate_online import Online, online


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    with online(
        tmp_path_factory.mktemp("gate"),
        more=lambda school: {
            "publications": Publishing(
                settings=school.settings, state=school.state, directory=lambda: school.gate.world.directory, clock=school.clock
            )
        },
    ) as gate:
        yield gate


def test_the_office_sees_every_clause_its_strength_and_that_the_paper_has_lapsed(here: Online) -> None:
    page = here.as_staff("O1").get("/office/policy").text
    for words in ("天津市", "每天至少开展2小时", "必须", "原则上", "已过有效期", "120 分钟", "方案备案", "文件没有写的"):
        assert words in page, words
    english = here.as_staff("O1").get("/office/policy", params={"lang": "en"}).text
    assert "lapsed" in english and "120 minutes" in english


@pytest.mark.row("C4", "tianjin")
def test_c4_a_publication_is_on_record_with_its_words_before_it_is_kept(here: Online) -> None:
    office = here.as_staff("O1")
    text = office.get("/office/policy/guardian_notice.md").text
    answer = office.post("/office/policy/publish", data={"what": "guardian_notice"})
    assert answer.status_code == 303 and answer.headers["location"] == "/office/policy?done=guardian_notice"
    fact = here.school.entries("published")[-1]
    assert fact.body == {
        "what": "guardian_notice", "digest": sha256(text.encode()).hexdigest(), "by": 150, "day": "2026-11-23",
    }  # fmt: skip
    page = office.get("/office/policy?done=guardian_notice").text
    assert "已记录公布：告家长书" in page and "2026-11-23_guardian_notice_1.md" in page
    kept = office.get("/office/policy/published/2026-11-23_guardian_notice_1.md").text
    assert kept.partition("\n")[2] == text


def test_a_second_publication_of_a_day_stands_beside_the_first(here: Online) -> None:
    office = here.as_staff("O1")
    for _ in range(2):
        assert office.post("/office/policy/publish", data={"what": "timetable"}).status_code == 303
    page = office.get("/office/policy").text
    assert "2026-11-23_timetable_1.md" in page and "2026-11-23_timetable_2.md" in page


@pytest.mark.row("B1", "tianjin")
def test_b1_the_timetable_opens_as_a_page_to_print(here: Online) -> None:
    page = here.as_staff("O1").get("/office/policy/timetable").text
    for session in here.school.directory.sessions.values():
        assert session.name in page
    assert "data-print" in page


@pytest.mark.row("B1", "tianjin")
def test_b1_the_timetable_is_a_spreadsheet_that_opens(here: Online) -> None:
    answer = here.as_staff("O1").get("/office/policy/timetable.xlsx")
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    cells = [str(cell.value) for row in load_workbook(BytesIO(answer.content)).active.iter_rows() for cell in row]
    assert {"服务项目", "容纳人数", *(s.name for s in here.school.directory.sessions.values())} <= set(cells)


@pytest.mark.row("F6", "tianjin")
def test_f6_an_inspector_reads_the_page_made_for_inspection_and_changes_nothing(here: Online) -> None:
    inspector = here.as_staff("D1")
    page = inspector.get("/records/inspection")
    assert page.status_code == 200
    for words in ("督导查看", "服务时间", "师资与规模", "安全措施"):
        assert words in page.text, words
    for pupil in here.school.directory.pupils.values():
        assert pupil.name not in page.text
    assert inspector.get("/office/policy").status_code == 403
    before = len(here.school.entries("published"))
    assert inspector.post("/office/policy/publish", data={"what": "timetable"}).status_code == 403
    assert len(here.school.entries("published")) == before


@pytest.mark.parametrize("staff", ["G1", "T1"])
def test_guards_and_teachers_do_not_publish(here: Online, staff: str) -> None:
    client = here.as_staff(staff)
    assert client.get("/office/policy").status_code == 403
    assert client.get("/records/inspection").status_code == 403
    assert client.post("/office/policy/publish", data={"what": "timetable"}).status_code == 403


@pytest.mark.parametrize("path", ["secrets", "published/..%2Fjournal.db", "published/x.md"])
def test_what_there_is_not_is_not_found(here: Online, path: str) -> None:
    assert here.as_staff("O1").get(f"/office/policy/{path}").status_code == 404


def test_publishing_needs_the_press_of_this_session(here: Online) -> None:
    office = here.as_staff("O1")
    del office.headers["x-csrf-token"]
    assert office.post("/office/policy/publish", data={"what": "timetable"}).status_code == 403
