"""Erasing a child who left: nothing of the name on any disk, the chain whole, every total as it was."""

from __future__ import annotations

import json
import shutil
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiosk.__main__ import main
from kiosk.backup import back_up, check, copies, last_backup
from kiosk.core import commands as c
from kiosk.core import commands_privacy as p
from kiosk.core import commands_service as cs
from kiosk.core.decisions import Outcome
from kiosk.directory import load
from kiosk.journal import entries_of_kinds, verify
from kiosk.reports.asking import NOTHING
from kiosk.reports.books import open_books
from kiosk.reports.catalogue import make
from kiosk.settings import load as load_settings
from kiosk.snapshots import SnapshotStore
from tests.privacy.leaving_child import CHILD, GONE, MOTHER, NAME, SCHOOL_NUMBER, SHARED, found_in, put_people, put_pictures
from tests.support.people import MADE_AT_MS, uid_of
from tests.support.school import CONFIG, School

OTHER_TEXT = "韩梅头疼，妈妈来接"


def a_day(state: Path) -> None:
    """The child comes, is ill, is spoken of in words of every sort, and goes home with its mother."""
    put_people(state)
    put_pictures(state)
    school = School(state, directory=load(state / "directory.db"))
    office = school.number("办公室")
    try:
        for name in (NAME, "韩梅", "李雷"):
            cards = school.directory.cards.items()
            school.tap_card(next(uid for uid, held in cards if held[0].holder == school.number(name)), "east-in")
        school.ask(c.ExcuseAbsence(child=CHILD, kind="leave_sick", by=school.number("杨老师"), note=f"{NAME} 发烧"))
        school.ask(c.ExcuseAbsence(child=4, kind="leave_sick", by=school.number("杨老师"), note=OTHER_TEXT))
        for n in range(60):  # enough for pages of texts to be split and joined again
            for child, who in ((CHILD, NAME), (8, "不参加")):
                school.ask(c.ExcuseAbsence(child=child, kind="leave_sick", by=105, note=f"{n} {who} 又请假 " * 9))
        school.ask(c.ExcuseAbsence(child=3, kind="leave_personal", by=school.number("杨老师"), note=f"和{NAME}的妈妈一起走"))
        school.ask(p.AskCorrection(child=CHILD, what="name", old=NAME, new="阿依古丽", by=office, guardian=MOTHER))
        hold_session(school)
        school.clock.set(school.ms("17:35"))
        school.ask(c.Tick())
        gone = school.release([NAME], "帕提古丽·艾山", "card", "photo", point="south-out")
        assert gone.decision.outcome is Outcome.GRANTED, gone
        school.clock.set(school.ms("18:35"))
        for name in ("韩梅", "李雷"):
            school.tap_card(uid_of(school.number(name)), "south-out")
        closed = school.ask(c.ClearCampus(by=school.number("孙主任")))
        assert closed.decision.outcome is Outcome.GRANTED, closed
    finally:
        school.close()


def hold_session(school: School) -> None:
    """S1 with the child in it, closed and archived by its teacher."""
    for at, asked in (
        ("16:25", cs.CheckIn(session="S1", by=111)),
        ("16:33", c.CallRoll(roster="session:S1", marks={CHILD: "present", 4: "present", 3: "late", 2: "leave_sick"}, by=111)),
        ("17:30", cs.CloseSession(session="S1", by=111)),
    ):
        school.clock.set(school.ms(at))
        school.ask(c.Tick())
        told = school.ask(asked)
        assert told.decision.outcome is Outcome.GRANTED, told


def totals(state: Path) -> dict[str, Any]:
    """The totals of the service reports, and every number of their sessions. Not the statistics: how many pupils a school has
    is what the list in force says, and whoever left is on it no more since the import."""
    settings = load_settings(CONFIG)
    books = open_books(settings, state, load(state / "directory.db"), today=date(2026, 11, 24))
    found = {}
    for id_ in ("attendance", "archive", "class_hours", "funding"):
        report = make(id_, books, books.period("2026-11"), NOTHING)
        for sheet in report.sheets:
            rows = list(sheet.rows) if sheet.id == "sessions" else [sheet.total or ()]
            found[f"{id_} {sheet.id}"] = [[cell for cell in row if isinstance(cell, int | float)] for row in rows]
    assert len(found["attendance sessions"]) == len(found["archive sessions"]) == 1
    return found


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(list(arguments))
    return code, capsys.readouterr().out


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    a_day(state := tmp_path_factory.mktemp("played") / "state")
    return state


@pytest.fixture
def state(played: Path, tmp_path: Path) -> Path:
    return shutil.copytree(played, tmp_path / "state")


def day_report(state: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    _, out = run("report", "day", "--config", str(CONFIG), "--state", str(state), "--day", "2026-11-23", "--json", capsys=capsys)
    return json.loads(out)


def test_nothing_of_the_name_is_left_in_any_byte_and_the_record_is_whole(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = back_up(state, tmp_path / "copies", now_ms=MADE_AT_MS + 40_000_000)
    assert {word for _, word in found_in(state, made.copy)} == set(GONE)  # the search finds what is there
    before, entries = (day_report(state, capsys), totals(state)), verify(state / "journal.db").entries
    code, out = run(
        "erase", SCHOOL_NUMBER, "--by", "O1", "--config", str(CONFIG), "--state", str(state), "--json", capsys=capsys
    )
    assert code == 0, out
    assert json.loads(out)["persons"] == [CHILD]
    assert found_in(state, tmp_path / "copies") == []
    found = verify(state / "journal.db")
    assert found.ok and found.entries > entries
    assert (day_report(state, capsys), totals(state)) == before
    assert SnapshotStore(state).people_with_photos() == {SHARED}
    kept = load(state / "directory.db")
    assert CHILD not in kept.pupils and MOTHER not in kept.collectors and SHARED in kept.collectors
    (copy,) = copies(tmp_path / "copies")
    check(copy)
    assert last_backup(state).copy == str(copy)


def test_texts_of_others_stay(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("erase", SCHOOL_NUMBER, "--by", "O1", "--config", str(CONFIG), "--state", str(state), capsys=capsys)
    school = School(state, directory=load(state / "directory.db"))
    try:
        written = entries_of_kinds(state, frozenset({"absence_excused"}))
        texts = [school.gate.journal.note(entry.body["note"]) for entry in written]
    finally:
        school.close()
    assert OTHER_TEXT in texts
    assert sum(text is None for text in texts) == 62
    assert sum("不参加" in (text or "") for text in texts) == 60


def test_a_held_child_is_not_erased_by_the_command(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    school = School(state, directory=load(state / "directory.db"))
    school.ask(p.SetHold(child=CHILD, by=school.number("办公室"), reason="有诉讼"))
    school.close()
    assert main(["erase", SCHOOL_NUMBER, "--by", "O1", "--config", str(CONFIG), "--state", str(state)]) == 1
    assert "保全" in capsys.readouterr().err
    assert found_in(state)


def test_a_gate_that_finds_old_files_back_erases_again(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The facts say whom; so whatever comes back from an old copy of the files goes again at the next look."""
    run("erase", SCHOOL_NUMBER, "--by", "O1", "--config", str(CONFIG), "--state", str(state), capsys=capsys)
    (state / "leavers.json").unlink()
    put_pictures(state)
    run("erase", "--by", "O1", "--config", str(CONFIG), "--state", str(state), capsys=capsys)
    assert SnapshotStore(state).people_with_photos() == {SHARED}
    assert verify(state / "journal.db").ok


def test_a_family_is_given_its_data_by_command_with_the_approver_on_record(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--config", str(CONFIG), "--state", str(state), "--to", str(tmp_path))
    code, out = run("export-child", SCHOOL_NUMBER, "--by", "O1", *where, capsys=capsys)
    assert code == 0, out
    told = json.loads(zipfile.ZipFile(out.strip()).read("data.json"))
    assert told["name"] == NAME and len(told["facts"]) > 60 and len(told["pictures"]) == 0
    assert [value for what, value in told["rows"] if what == "课后服务申请"] == [
        "五年级作业辅导 · BM7 · 参加中 · 2026-09-01 申请 · 家庭经济困难"
    ]
    (said,) = entries_of_kinds(state, frozenset({"child_exported"}))
    assert (said.body["child"], said.body["by"]) == (CHILD, 150)
    assert main(["export-child", SCHOOL_NUMBER, "--by", "G1", *where]) == 1
