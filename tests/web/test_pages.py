"""The pages as HTTP: headers, language, errors, who looked at whom, and names that are masked."""

from __future__ import annotations

import pytest

from tests.web.gate_online import JPEG, Online

STAFF_PAGES = ["/guard/east", "/rosters", "/roster/class:primary-2022-1", "/duty"]


@pytest.mark.parametrize("path", ["/sign-in", "/display/east-in", "/nope", "/healthz", "/static/tokens.css", "/api/v1/stream"])
def test_every_answer_says_what_a_browser_may_do_with_it(here: Online, path: str) -> None:
    headers = here.client().get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers
    if path != "/api/v1/stream":
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


def test_pages_of_people_are_never_kept_by_a_browser(here: Online) -> None:
    leader = here.as_staff("L1")
    assert {leader.get(path).headers["cache-control"] for path in [*STAFF_PAGES, "/child/3", "/search?q=w"]} == {"no-store"}


def test_a_style_sheet_is_asked_for_each_time_and_sent_once(here: Online) -> None:
    first = here.client().get("/static/tokens.css")
    assert first.headers["cache-control"] == "no-cache"
    again = here.client().get("/static/tokens.css", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


def test_the_language_stays_as_chosen(here: Online) -> None:
    client = here.client()
    assert "登录" in client.get("/sign-in").text
    assert "Staff number" in client.get("/sign-in?lang=en").text
    assert "Staff number" in client.get("/sign-in").text
    assert "工号" in client.get("/sign-in?lang=zh").text
    assert "set-cookie" not in client.get("/sign-in?lang=fr").headers


def test_trouble_is_a_page_for_people_and_json_for_programs(here: Online) -> None:
    guard = here.as_staff("G1")
    assert guard.get("/duty").json()["error"].startswith("This needs one of the roles")
    page = guard.get("/duty", headers={"accept": "text/html"})
    assert page.status_code == 403
    assert "您没有打开这个页面的权限" in page.text
    assert "没有这个页面" in here.client().get("/nope", headers={"accept": "text/html"}).text


def test_the_public_screen_needs_no_sign_in_and_offers_the_classes(here: Online) -> None:
    page = here.client().get("/display/east-in")
    assert page.status_code == 200
    assert "东门入口" in page.text


def test_the_guards_page_leads_to_the_gate_of_this_computer(here: Online) -> None:
    guard = here.as_staff("G1")
    assert guard.get("/guard").headers["location"] == "/guard/east"
    assert guard.get("/guard/nowhere").status_code == 404


def test_every_look_at_a_child_or_a_picture_is_on_record(here: Online) -> None:
    here.pictures.photos[3] = JPEG
    here.pictures.snapshots["20261123-aa"] = JPEG
    guard = here.as_staff("G1")
    here.page_reads.clear()
    assert guard.get("/child/3").status_code == 200
    photo = guard.get("/photo/3")
    assert (photo.content, photo.headers["content-type"], photo.headers["cache-control"]) == (JPEG, "image/jpeg", "no-store")
    assert guard.get("/snapshot/20261123-aa").content == JPEG
    here.as_staff("T5").get("/roster/class:primary-2022-1")
    looks = [(read.by, read.what, read.subject) for read in here.page_reads]
    assert looks == [
        (130, "child", "3"),
        (130, "photo", "3"),
        (130, "snapshot", "20261123-aa"),
        (105, "roster", "class:primary-2022-1"),
    ]


def test_a_search_is_on_record_without_its_words(here: Online) -> None:
    here.page_reads.clear()
    found = here.as_staff("G1").get("/search", params={"q": "李雷"})
    assert "李雷" in found.text
    assert [(read.what, "李雷" in read.subject) for read in here.page_reads] == [("search", False)]


@pytest.mark.parametrize("path", ["/photo/4", "/photo/999999", "/snapshot/none", "/child/999999", "/child/130"])
def test_what_is_not_there_is_said_and_not_on_record(here: Online, path: str) -> None:
    guard = here.as_staff("G1")
    here.page_reads.clear()
    assert guard.get(path).status_code == 404
    assert here.page_reads == []


@pytest.mark.parametrize("path", ["/photo/3", "/snapshot/20261123-aa", "/child/3", "/search?q=w"])
def test_nobody_sees_a_child_without_signing_in(here: Online, path: str) -> None:
    here.pictures.photos[3] = JPEG
    assert here.client().get(path).status_code == 401
    assert here.as_staff("D1").get(path).status_code == 403


def test_an_inspector_sees_staffing_and_counts_but_no_childs_name(here: Online) -> None:
    here.tap("李雷", "east-in")
    inspector = here.as_staff("D1")
    for path in ("/roster/class:primary-2022-1", "/duty", "/rosters"):
        page = inspector.get(path).text
        assert "杨老师" in page or path == "/duty"
        for pupil in here.school.directory.pupils.values():
            assert pupil.name not in page, path
            assert pupil.school_number not in page, path
