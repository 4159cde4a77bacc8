"""The calendar page over HTTP: who may see it, one day opened up, and a national schedule after a dry run."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kiosk.school_year import open_years
from kiosk.settings import load
from tests.support.school import CONFIG
from tests.web.gate_online import Online, online

DAYS = (("2027-04-05", True), ("2027-04-10", False))
SCHEDULE = {"year": 2027, "days": [{"name": "清明节", "date": day, "isOffDay": off} for day, off in DAYS]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("settings") / "config"
    shutil.copytree(CONFIG, found)
    (found / "calendar.toml").write_text(
        (found / "calendar.toml").read_text(encoding="utf-8")
        + '\n[term.2027_spring]\nname = "第二学期"\nfrom = 2027-02-22\nto = 2027-07-02\n',
        encoding="utf-8",
    )
    return found


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Online]:
    years = open_years(load(folder))
    with online(tmp_path_factory.mktemp("gate"), more=lambda school: {"school_years": years}) as gate:
        yield gate


def send(client: httpx.Client, data: bytes, name: str = "2027.json") -> httpx.Response:
    return client.post("/office/calendar/national", files={"file": (name, data, "application/json")})


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found, page
    return found[1]


def test_only_the_office_opens_the_calendar(office: Online) -> None:
    assert office.as_staff("T1").get("/office/calendar").status_code == 403
    page = office.as_staff("O1").get("/office/calendar")
    assert page.status_code == 200 and page.text.count("data-day=") == 365
    assert office.client().get("/office/calendar", headers={"accept": "text/html"}).status_code == 303


def test_a_day_says_who_decided_it_with_its_bells_and_its_sessions(office: Online) -> None:
    page = office.as_staff("O1").get("/office/calendar?day=2026-11-23").text
    assert "2026年11月23日 星期一" in page and "五年级作业辅导" in page and "李老师" in page
    holiday = office.as_staff("O1").get("/office/calendar?day=2026-10-07").text
    assert "国庆节" in holiday and "国家放假安排" in holiday and "这一天不上课" in holiday
    makeup = office.as_staff("O1").get("/office/calendar?day=2026-10-10&lang=en").text
    assert "make-up day" in makeup and "nobody has answered" in makeup and "[[override]]" in makeup
    assert "author = &#34;O1&#34;" in makeup


def test_other_years_open_and_what_is_no_date_is_one_sentence(office: Online) -> None:
    client = office.as_staff("O1")
    assert "2029—2030学年" in client.get("/office/calendar?year=2029").text
    assert client.get("/office/calendar?day=2026-13-01").status_code == 422
    assert client.get("/office/calendar?day=9999-12-31").status_code == 422
    assert client.get("/office/calendar?year=999999").status_code == 422


def test_a_wrong_file_is_one_sentence_and_changes_nothing(office: Online, folder: Path) -> None:
    client = office.as_staff("O1")
    for data, words in (
        (b"{", "is not a holiday file"),
        (b"[" * 5_000, "is not a holiday file"),
        (b'{"year": 2027, "days": []}', "is not out yet"),
        (b'{"year": 2027, "days": [{"name": "x", "date": "2026-05-01", "isOffDay": "yes"}]}', "true or false"),
        (b'{"year": 2027, "days": [{"name": "x", "date": "2029-05-01", "isOffDay": true}]}', "does not belong"),
    ):
        page = send(client, data)
        assert page.status_code == 200 and words in page.text and 'name="token"' not in page.text
    assert not (folder / "national").exists()


def test_a_schedule_is_shown_first_kept_by_a_second_press_and_holds_from_the_next_start(office: Online, folder: Path) -> None:
    client = office.as_staff("O1")
    assert client.get("/office/calendar?day=2027-04-05").text.count("校历未核对") > 1
    page = send(client, json.dumps(SCHEDULE).encode()).text
    assert "2027年4月5日 星期一" in page and "清明节" in page and not (folder / "national").exists()
    token = token_of(page)
    assert office.as_staff("L1").post("/office/calendar/national/apply", data={"token": token}).status_code == 403
    done = client.post("/office/calendar/national/apply", data={"token": token})
    assert done.status_code == 200 and "下次启动后生效" in done.text
    assert client.post("/office/calendar/national/apply", data={"token": token}).status_code == 404, "once"
    calendar = load(folder).calendar
    assert 2027 in calendar.national_years
    shutil.rmtree(folder / "national")


def test_a_folder_that_is_not_ours_to_write_leaves_everything_and_says_what_to_do(office: Online, folder: Path) -> None:
    client = office.as_staff("O1")
    (folder / "national").write_text("in the way")
    done = client.post(
        "/office/calendar/national/apply", data={"token": token_of(send(client, json.dumps(SCHEDULE).encode()).text)}
    )
    assert "kiosk calendar import" in done.text
    (folder / "national").unlink()
