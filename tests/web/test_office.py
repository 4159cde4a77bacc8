"""The office over HTTP: a dry run before anything changes, limits on uploads, people and their cards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from kiosk.web.faces_office import ChangeLine, ProblemLine
from kiosk.web.gate import ImportMoved, ImportPlan, WebSettings
from tests.support.people import uid_of
from tests.web.gate_online import Online, online

LIMIT = 200_000


@dataclass
class Ledger:
    """An importer that knows two files: one that is fine and one that is not."""

    applied: list[tuple[object, int]] = field(default_factory=list)
    moved: bool = False

    def plan(self, files: Sequence[tuple[str, bytes]]) -> ImportPlan:
        problems = [
            ProblemLine(file=name, where="第 2 行", what="没有学号", fix="补上学号")
            for name, content in files
            if content == b"bad"
        ]
        changes = () if problems else (ChangeLine(change="added", sort="学生", name="新同学", detail=""),)
        return ImportPlan(problems=tuple(problems), changes=changes, counts=(("学生", 1, 0, 0),), content=list(files))

    def apply(self, plan: ImportPlan, *, by: int) -> int:
        if self.moved:
            raise ImportMoved
        self.applied.append((plan.content, by))
        return 7


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, ledger: Ledger) -> Iterator[Online]:
    with online(tmp_path_factory.mktemp("gate"), importer=ledger, web=WebSettings(upload_max_bytes=LIMIT)) as gate:
        yield gate


def upload(client: httpx.Client, *contents: bytes, **headers: str) -> httpx.Response:
    files = [("files", (f"{n}.csv", content, "text/csv")) for n, content in enumerate(contents)]
    return client.post("/office/import", files=files, headers={"accept": "application/json", **headers})


def test_files_are_shown_as_a_difference_first_and_taken_over_by_a_second_press(office: Online, ledger: Ledger) -> None:
    client = office.as_staff("O1")
    shown = upload(client, b"good", b"good too").json()
    assert shown["changes"][0]["name"] == "新同学"
    assert ledger.applied == []
    done = client.post("/office/import/apply", data={"token": shown["token"]})
    assert done.headers["location"] == "/office/import?done=7"
    assert ledger.applied == [([("0.csv", b"good"), ("1.csv", b"good too")], 150)]
    assert "7" in client.get(done.headers["location"]).text
    assert client.post("/office/import/apply", data={"token": shown["token"]}).status_code == 404  # once


def test_one_problem_in_one_file_leaves_nothing_to_press(office: Online) -> None:
    shown = upload(office.as_staff("O1"), b"good", b"bad").json()
    assert shown["problems"][0] == {"file": "1.csv", "where": "第 2 行", "what": "没有学号", "fix": "补上学号"}
    assert shown["token"] == ""


def test_the_page_shows_problems_and_their_remedies(office: Online) -> None:
    page = upload(office.as_staff("O1"), b"bad", accept="text/html")
    assert page.status_code == 200
    assert "补上学号" in page.text


def test_somebody_elses_preview_is_not_taken_over(office: Online, ledger: Ledger) -> None:
    token = upload(office.as_staff("O1"), b"good").json()["token"]
    before = len(ledger.applied)
    assert office.as_staff("L1").post("/office/import/apply", data={"token": token}).status_code == 403
    assert len(ledger.applied) == before


def test_a_preview_of_people_who_have_changed_since_is_refused(office: Online, ledger: Ledger) -> None:
    client = office.as_staff("O1")
    token = upload(client, b"good").json()["token"]
    ledger.moved = True
    answer = client.post("/office/import/apply", data={"token": token})
    ledger.moved = False
    assert answer.status_code == 409
    assert "upload the files again" in answer.json()["error"]


def test_an_upload_beyond_the_limit_is_refused_before_it_is_read(office: Online) -> None:
    client = office.as_staff("O1")
    assert upload(client, b"x" * (LIMIT + 1)).status_code == 413

    def unannounced() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
        for _ in range(20):
            yield b"x" * 20_000

    kind = {"content-type": "multipart/form-data; boundary=x"}
    answer = client.post("/office/import", content=unannounced(), headers=kind)
    assert answer.status_code == 413
    assert "KiB" in answer.json()["error"]


def test_an_upload_needs_the_pages_token(office: Online) -> None:
    client = office.as_staff("O1")
    assert upload(client, b"good", **{"x-csrf-token": "wrong"}).status_code == 403
    token = client.headers.pop("x-csrf-token")
    as_form = client.post("/office/import", files=[("files", ("a.csv", b"good"))], data={"csrf": token})
    assert as_form.status_code == 200


def test_too_many_files_are_one_clear_error(office: Online) -> None:
    answer = upload(office.as_staff("O1"), *[b"good"] * 21)
    assert answer.status_code == 400
    assert "files" in answer.json()["error"]


@pytest.mark.parametrize("query", ["李雷", "ll", "2026" + "0003", "五(1)班", uid_of(3), str(int(uid_of(3), 16)).rjust(10, "0")])
def test_the_office_finds_a_pupil_by_whatever_is_at_hand(office: Online, query: str) -> None:
    page = office.as_staff("O1").get("/office/people", params={"q": query})
    assert "李雷" in page.text
    assert uid_of(3) in page.text


@pytest.mark.parametrize(("query", "name"), [("0001", "王妈妈"), ("G1", "赵师傅"), ("王奶奶", "王奶奶")])
def test_the_office_finds_adults_too(office: Online, query: str, name: str) -> None:
    assert name in office.as_staff("O1").get("/office/people", params={"q": query}).text


def test_settings_in_force_are_shown_with_the_file_they_came_from(office: Online) -> None:
    page = office.as_staff("O1").get("/office/settings").text
    assert "school.name" in page
    assert "school.toml" in page


def test_devices_are_shown_with_todays_arrivals(office: Online) -> None:
    office.tap("李雷", "east-in")
    office.tap("韩梅", "east-in")
    page = office.as_staff("O1").get("/office/devices")
    assert "07:40 · 2" in page.text


def test_nothing_is_imported_while_another_import_is_read(tmp_path: Path) -> None:
    import threading

    begun, go_on = threading.Event(), threading.Event()

    class Slow(Ledger):
        def plan(self, files: Sequence[tuple[str, bytes]]) -> ImportPlan:
            begun.set()
            go_on.wait(timeout=10)
            return super().plan(files)

    with online(tmp_path, importer=Slow()) as gate:
        client = gate.as_staff("O1")
        first = threading.Thread(target=upload, args=(gate.as_staff("O1"), b"good"))
        first.start()
        assert begun.wait(timeout=10)
        second = upload(client, b"good")
        go_on.set()
        first.join()
        assert second.status_code == 429
