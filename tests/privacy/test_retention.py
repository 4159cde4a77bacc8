"""Retention: what is past its time goes by itself, what is held stays, and every deletion is a fact without names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from kiosk.core import commands as c
from kiosk.core import commands_privacy as p
from kiosk.directory import erase_person, load, publish, read_content
from kiosk.journal import entries_of_kinds
from kiosk.privacy.access_log import Looked
from kiosk.privacy.asked import Question, put_question, read_reply
from kiosk.privacy.retention import category_of, left_is_over, over_before, year_end
from kiosk.privacy.running import Keeping
from kiosk.settings.values import Retention
from kiosk.snapshots import SnapshotStore
from tests.privacy.leaving_child import CHILD, MOTHER, NAME, found_in, put_people, put_pictures
from tests.support.school import School

KEPT = Retention()
DAY_MS = 86_400_000


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    put_people(tmp_path / "state")
    put_pictures(tmp_path / "state")
    found = School(tmp_path / "state", directory=load(tmp_path / "state" / "directory.db"))
    yield found
    found.close()


def keeping(school: School, **more: int) -> Keeping:
    settings = replace(school.settings, retention=replace(school.settings.retention, **more))
    return Keeping(
        controller=school.gate, state=school.state, settings=settings, snapshots=SnapshotStore(school.state), templates=None
    )


def on(school: School, day: str) -> None:
    """That many days pass without anybody at school."""
    school.clock.set(school.ms(f"{day}T10:00"))
    school.ask(c.Tick())


def leaves_the_list(school: School) -> None:
    """An import without the child: the rows go, who the numbers were stays."""
    path = school.state / "directory.db"
    content, info = read_content(path)
    without, gone = erase_person(content, CHILD)
    publish(path, replace(without, persons=content.persons), info.number + 1, school.clock.now_ms())
    school.ask(c.AdoptDirectory(directory=load(path), digest=""))
    assert gone == {CHILD, MOTHER}


def texts(school: School, kind: str) -> list[str | None]:
    return [school.gate.journal.note(e.body["note"]) for e in entries_of_kinds(school.state, frozenset({kind}))]


def erased(school: School) -> list[tuple[str, int]]:
    found = entries_of_kinds(school.state, frozenset({"erased_by_retention"}))
    return [(entry.body["category"], entry.body["count"]) for entry in found]


def test_years_end_where_the_school_says() -> None:
    assert year_end(date(2026, 11, 23), "08-31") == date(2027, 8, 31)
    assert year_end(date(2027, 8, 31), "08-31") == date(2027, 8, 31)
    assert year_end(date(2027, 9, 1), "08-31") == date(2028, 8, 31)
    assert year_end(date(2027, 2, 1), "02-29") == date(2027, 2, 28)


@pytest.mark.parametrize(
    ("today", "first_that_stays"),
    [("2026-11-23", "2025-09-01"), ("2026-11-29", "2025-09-01"), ("2026-11-30", "2026-09-01"), ("2027-01-01", "2026-09-01")],
)
def test_notes_of_a_school_year_go_ninety_days_after_its_end(today: str, first_that_stays: str) -> None:
    assert over_before("notes", KEPT, date.fromisoformat(today)) == date.fromisoformat(first_that_stays)


def test_nothing_is_over_where_the_school_keeps_for_ever() -> None:
    for_ever = Retention(left_days=0, notes_days=0, dossier_days=0, visitors_days=0, access_days=0)
    assert all(over_before(one, for_ever, date(2099, 1, 1)) is None for one in ("notes", "dossiers", "visitors", "access"))
    assert not left_is_over("2026-01-01", for_ever, date(2099, 1, 1))
    assert over_before("visitors", KEPT, date(2026, 11, 23)) == date(2026, 11, 23) - timedelta(days=365)


def test_every_free_text_has_a_category() -> None:
    assert category_of("visitor_in") == "visitors" and category_of("absence_excused") == "notes"
    assert category_of("handover_declined") == category_of("of_a_later_version") == "dossiers"
    assert category_of("hold_set") == ""


def test_whoever_left_goes_ninety_days_after_the_school_year_and_nothing_of_the_name_is_left(school: School) -> None:
    job = keeping(school)
    job.look()
    leaves_the_list(school)
    school.ask(c.ExcuseAbsence(child=3, kind="leave_personal", by=105, note=f"去送{NAME}"))
    job.look()
    assert set(job.eraser.leavers.all()) == {CHILD, MOTHER}
    on(school, "2027-11-29")
    job.look()
    assert CHILD in job.eraser.leavers.all()
    on(school, "2027-11-30")
    job.look()  # decided and on record
    job.look()  # done
    assert found_in(school.state) == []
    assert ("left", 2) in erased(school)
    persons = {person.number for person in read_content(school.state / "directory.db")[0].persons}
    assert not persons & {CHILD, MOTHER}
    assert SnapshotStore(school.state).people_with_photos() == {206}


def test_whoever_comes_back_is_no_leaver(school: School) -> None:
    job, path = keeping(school), school.state / "directory.db"
    job.look()
    before, _ = read_content(path)
    leaves_the_list(school)
    job.look()
    publish(path, before, 9, school.clock.now_ms())
    school.ask(c.AdoptDirectory(directory=load(path), digest=""))
    job.look()
    assert job.eraser.leavers.all() == {}


def test_a_hold_stops_what_is_past_its_time_and_lifting_it_lets_it_go(school: School) -> None:
    school.ask(c.ExcuseAbsence(child=4, kind="leave_sick", by=105, note="韩梅发烧"))
    school.ask(c.ExcuseAbsence(child=3, kind="leave_sick", by=105, note="李雷发烧"))
    school.ask(p.SetHold(child=4, by=150, reason="诉讼"))
    job = keeping(school)
    on(school, "2027-11-30")
    job.look()
    assert texts(school, "absence_excused") == ["韩梅发烧", None]
    assert erased(school) == [("notes", 1)]
    school.ask(p.LiftHold(child=4, by=150, reason="结案"))
    on(school, "2027-12-01")
    job.look()
    assert texts(school, "absence_excused") == [None, None]
    assert texts(school, "hold_set") == ["诉讼"], "why something was held is the school's own account"


def test_visitors_go_after_a_year_and_access_records_after_six_months(school: School) -> None:
    school.ask(c.VisitorIn(gate="east", name="周某", purpose="repair", id_type="id_card", id_last4="1234", by=130))
    job = keeping(school)
    assert job.access is not None
    job.access.write([Looked(school.clock.now_ms(), 101, "child", "3")])
    on(school, "2027-05-20")
    job.look()
    assert len(job.access.of(3)) == 1
    on(school, "2027-05-26")
    job.look()
    assert job.access.of(3) == []
    on(school, "2027-11-23")
    job.look()
    assert texts(school, "visitor_in")[0] is not None
    on(school, "2027-11-25")
    job.look()
    assert texts(school, "visitor_in") == [None]
    assert erased(school) == [("access", 1), ("visitors", 1)]


def test_nothing_is_old_by_a_clock_that_nobody_trusts(school: School) -> None:
    school.ask(c.ExcuseAbsence(child=4, kind="leave_sick", by=105, note="韩梅发烧"))
    job = keeping(school)
    school.clock.distrust("in 2099")
    school.clock.set(school.ms("2099-01-01T10:00"))
    school.ask(c.Tick())
    job.look()
    assert texts(school, "absence_excused") == ["韩梅发烧"]


def test_a_running_gate_answers_the_command(school: School) -> None:
    job = keeping(school)
    reply = put_question(school.state, Question(persons=(8,), why="asked", by=150), name="a")
    refused = put_question(school.state, Question(persons=(7,), why="asked", by=130), name="b")
    job.look()
    found, no = read_reply(reply), read_reply(refused)
    assert found is not None and found.persons == (8,)
    assert no is not None and no.reason == "not_permitted"
    assert entries_of_kinds(school.state, frozenset({"erasure_done"}))[0].body["persons"] == [8]
    assert list((school.state / "asked").iterdir()) == []
