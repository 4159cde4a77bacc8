"""The reports as pages: made once by a process of their own, masked for an inspector, on record when they leave the house."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from kiosk.directory import publish
from kiosk.directory_schema import Content
from kiosk.report_desk import ReportDesk
from kiosk.report_pages import ReportPages
from kiosk.reports.catalogue import CATALOGUE
from kiosk.reports.wanted import School as Whose
from tests.support.people import CLASSES, COLLECTORS, ENROLMENTS, PUPILS, SESSIONS, STAFF
from tests.support.school import School
from tests.support.service_journal import ServiceJournal
from tests.web.gate_online import INSPECTOR, Online, online, wait_for

MON, TUE, MONTH = "2026-11-23", "2026-11-24", "2026-11"
ATTENDANCE = "/office/reports/attendance"
PEOPLE = {
    "classes": CLASSES, "pupils": PUPILS, "staff": (*STAFF, INSPECTOR), "collectors": COLLECTORS, "sessions": SESSIONS,
    "enrolments": ENROLMENTS,
}  # fmt: skip


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    """The small school, and a journal with two afternoons of its service."""
    folder = tmp_path_factory.mktemp("reports")
    journal = ServiceJournal(folder / "records")
    journal.session(MON, "S1", {3: "present", 4: "late", 2: "moved"}, guests=(8,))
    journal.session(TUE, "S1", {3: "present", 4: "leave_personal", 2: "present"})
    journal.close()
    publish(folder / "records" / "directory.db", Content(**PEOPLE), 1, 0)
    desks: list[ReportDesk] = []

    def reports(school: School) -> Mapping[str, Any]:
        desk = ReportDesk(settings=school.settings, state=folder / "records", clock=school.clock)
        desks.append(desk)
        whose = Whose(settings=school.settings, state=folder / "records", now_ms=school.clock.now_ms())
        pages = ReportPages(
            settings=school.settings, desk=desk, directory=lambda: school.directory, clock=school.clock, school=lambda: whose
        )
        return {"reports": pages}

    with online(folder / "gate", more=reports) as gate:
        yield gate
    for desk in desks:
        desk.close()


def made(client: httpx.Client, path: str = ATTENDANCE, **asked: str) -> str:
    """The page of a report, once it is made."""
    begun = client.post(path, data={"period": MONTH, **asked})
    assert begun.status_code == 303, begun.text
    at = begun.headers["location"]
    state = at.replace("?", "/state?")
    wait_for(lambda: client.get(state).json()["state"] not in ("waiting", "running"))
    return client.get(at).text


def file(client: httpx.Client, form: str, **asked: str) -> httpx.Response:
    return client.post(f"{ATTENDANCE}/file", data={"period": MONTH, "form": form, **asked})


def test_the_list_has_the_whole_catalogue_with_periods(here: Online) -> None:
    page = here.as_staff("O1").get("/office/reports").text
    for id, listed in CATALOGUE.items():
        assert f'href="/office/reports/{id}"' in page and listed.title.zh in page
    assert '<option value="2026-11">2026年11月</option>' in page and "2026-W48" in page


def test_a_report_is_a_page_with_its_ground_and_its_figures(here: Online) -> None:
    office = here.as_staff("O1")
    assert "请选择时段" in office.get(ATTENDANCE).text
    page = made(office)
    for words in ("2026年11月", "李雷", "出勤率", "制表时间", "归档记录", "按归档记录和更正计算"):
        assert words in page, words
    assert [read.what for read in here.page_reads][-1] == "report"


@pytest.mark.row("F6", "changzhi", "xiji", "tianjin", "luoyang", "yueyang")
def test_f6_an_inspector_reads_masked_names_and_takes_no_personal_data_away(here: Online) -> None:
    inspector = here.as_staff("D1")
    page = made(inspector)
    assert "李*" in page and "含个人信息的报表不提供下载" in page and "data-file" not in re.sub("data-file-said", "", page)
    for pupil in PUPILS:
        assert pupil.name not in page and (pupil.school_number not in page)
    assert file(inspector, "xlsx").status_code == 403
    assert inspector.post(ATTENDANCE, data={"period": MONTH, "child": PUPILS[0].school_number}).status_code == 403


def test_an_inspector_never_gets_what_the_office_had_made(here: Online) -> None:
    made(here.as_staff("O1"))
    page = made(here.as_staff("D1"))
    assert "李雷" not in page


@pytest.mark.row("F1", "tianjin", "yueyang")
@pytest.mark.parametrize("form", ["xlsx", "csv", "json", "pdf"])
def test_f1_every_form_can_be_taken_and_is_on_record_before(here: Online, form: str) -> None:
    office = here.as_staff("O1")
    made(office)
    answer = file(office, form)
    assert answer.status_code == 200, answer.text
    assert here.page_reads[-1].what == "report_file" and form in here.page_reads[-1].subject
    assert here.page_reads[-1].by == 150 and "no-store" in answer.headers["cache-control"]
    starts = {"xlsx": b"PK", "csv": b"PK", "json": b"{", "pdf": b"%PDF"}
    assert answer.content.startswith(starts[form])
    if form == "xlsx":
        titles = [sheet.title for sheet in load_workbook(io.BytesIO(answer.content)).worksheets]
        assert titles[0] == "按场次" and "按学生" in "".join(titles)
    if form == "csv":
        assert all(name.endswith(".csv") for name in zipfile.ZipFile(io.BytesIO(answer.content)).namelist())


def test_a_second_request_joins_the_first(here: Online) -> None:
    office, leader = here.as_staff("O1"), here.as_staff("L1")
    first, second = made(office, period="2026-10"), made(leader, period="2026-10")
    when = re.compile(r"制表时间 <b class=\"num\">([^<]+)</b>")
    assert when.search(first) and when.search(first).group() == when.search(second).group()
    assert "这个时段没有记录" in first


def test_it_can_be_stopped_and_begun_again(here: Online) -> None:
    office = here.as_staff("O1")
    asked = {"period": "2026-09"}
    assert office.post(ATTENDANCE, data=asked).status_code == 303
    assert office.post(f"{ATTENDANCE}/stop", data=asked).status_code == 303
    state = f"{ATTENDANCE}/state?period=2026-09"
    wait_for(lambda: office.get(state).json()["state"] in ("stopped", "ready"))
    assert "这个时段没有记录" in made(office, **asked)


@pytest.mark.parametrize("staff", ["G1", "T1"])
def test_guards_and_teachers_see_no_reports(here: Online, staff: str) -> None:
    client = here.as_staff(staff)
    assert client.get("/office/reports").status_code == 403
    assert client.post(ATTENDANCE, data={"period": MONTH}).status_code == 403


def test_nothing_is_made_or_taken_without_the_press_of_this_session(here: Online) -> None:
    office = here.as_staff("O1")
    del office.headers["x-csrf-token"]
    for path in (ATTENDANCE, f"{ATTENDANCE}/stop", f"{ATTENDANCE}/file"):
        assert office.post(path, data={"period": MONTH, "form": "xlsx"}).status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/office/reports/nosuch", 404),
        (f"{ATTENDANCE}?period=soon", 422),
        (f"{ATTENDANCE}/state?period=2026-13", 422),
        (f"{ATTENDANCE}?period=2019-01", 200),
        (f"{ATTENDANCE}?period={MONTH}&child=x", 404),
        ("/office/reports/..%2f..%2fetc", 404),
    ],
)
def test_whatever_is_asked_has_an_answer(here: Online, path: str, status: int) -> None:
    assert here.as_staff("O1").get(path).status_code == status


def test_a_file_that_was_not_made_is_not_there(here: Online) -> None:
    office = here.as_staff("O1")
    assert file(office, "xlsx", period="2026-08").status_code == 404
    made(office)
    assert file(office, "exe").status_code == 404


def test_nothing_of_a_report_lies_in_the_state_folder(here: Online) -> None:
    """Where a backup would take it along and an erasure would have to look for it."""
    made(here.as_staff("O1"))
    assert not [path.name for path in here.school.state.parent.parent.rglob("*") if path.name.endswith((".jsonl", ".xlsx"))]
