"""A likeness is a word for the guard: it comes after the tap, refuses nobody, and counts only while the family agrees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk.core import commands as c
from kiosk.core import roster as r
from kiosk.core.campus import Campus
from kiosk.core.people import Directory
from kiosk.core.roster_faces import ConsentQuery, FaceExpectedQuery
from kiosk.core.rules import FaceRules
from kiosk.settings import load
from tests.support.people import small_school
from tests.support.school import CONFIG, School

BOTH = frozenset({"snapshot", "face_match"})
PICTURE = "20261123-" + "a" * 32
MING, LEI = 1, 3


def agreed(*children: int) -> Directory:
    school = small_school()
    pupils = {n: replace(p, consents=BOTH) if n in children else p for n, p in school.pupils.items()}
    return replace(school, pupils=pupils)


@pytest.fixture(name="school")
def a_school_that_compares(tmp_path: Path) -> Iterator[School]:
    base = load(CONFIG)
    settings = replace(base, rules=replace(base.rules, face=FaceRules(candidates=True)))
    school = School(tmp_path, settings=settings, directory=agreed(MING, LEI))
    yield school
    school.close()


def compare(school: School, of: Any, person: int, score: int = 0, point: str = "east-in", **more: Any) -> Any:
    return school.ask(c.FaceCompared(of=str(of), access_point=point, person=person, engine="dlib", score=score, **more)).decision


def queue(school: School) -> tuple[r.QueueItem, ...]:
    return school.look(r.GuardQuery("east")).queue


def claim(school: School, point: str = "east-in", class_id: str = "primary-2026-1", seat: int = 1) -> Any:
    return school.ask(c.ClaimSeat(access_point=point, class_id=class_id, seat=seat, snapshot=PICTURE))


# --- one to one, after a tap -----------------------------------------------------------------------------


def test_a_face_that_fits_is_a_fact_and_nobody_is_called(school: School) -> None:
    tap = school.tap("王小明", "east-in")
    compare(school, tap.entry, MING, 700)
    (fact,) = school.entries("face_compared")
    assert (fact.body["verdict"], fact.body["of"], fact.body["person"]) == ("clear_match", str(tap.entry), MING)
    assert queue(school) == ()


def test_a_face_that_differs_is_shown_to_the_guard_and_takes_nothing_back(school: School) -> None:
    tap = school.tap("王小明", "east-in")
    assert tap.decision.outcome == "granted"
    assert compare(school, tap.entry, MING, 250, snapshot=PICTURE).outcome == "granted"
    (item,) = queue(school)
    assert (item.kind, item.name, item.reason, item.snapshot) == ("face", "王小明", "face_differs", PICTURE)
    assert item.face is not None and item.face.verdict == "mismatch"
    assert school.custodian("王小明") == "张老师", "the arrival stands"
    school.ask(c.DismissFromQueue(queue_id=item.id, by=school.number("赵师傅")))
    assert queue(school) == ()


def test_who_waits_for_the_guard_already_gets_the_word_on_the_same_line(school: School) -> None:
    school.tap("王小明", "east-in")
    school.at("17:45")
    tap = school.tap("王小明", "east-out")  # grade 1: an adult is needed
    compare(school, tap.entry, MING, 250, point="east-out")
    items = [item for item in queue(school) if item.person == MING]
    assert len(items) <= 1
    assert school.child("王小明").hold.live, "no face releases anybody"


@pytest.mark.parametrize("why", ["no_face", "several_faces", "too_small", "turned_away", "blurred", "too_dark", "too_bright"])
def test_a_picture_that_was_refused_says_why_and_calls_nobody(school: School, why: str) -> None:
    tap = school.tap("王小明", "east-in")
    compare(school, tap.entry, MING, refusal=why)
    assert [e.body["verdict"] for e in school.entries("face_compared")] == [why]
    assert queue(school) == ()


def test_without_consent_no_word_is_taken(school: School) -> None:
    tap = school.tap("韩梅", "south-in")
    assert compare(school, tap.entry, 4, 900, point="south-in").reason == "no_consent"
    school.ask(c.RecordConsent(child=MING, purpose="face_match", given=False, by=school.number("办公室")))
    tap = school.tap("王小明", "east-in")
    assert compare(school, tap.entry, MING, 900).reason == "no_consent"
    assert school.entries("face_compared") == []


def test_another_engines_numbers_and_a_school_without_faces_are_refused(school: School, tmp_path: Path) -> None:
    tap = school.tap("王小明", "east-in")
    answer = school.ask(c.FaceCompared(of=str(tap.entry), access_point="east-in", person=MING, engine="sface", score=900))
    assert answer.decision.reason == "not_permitted"
    off = School(tmp_path / "off", directory=agreed(MING))
    tap = off.tap("王小明", "east-in")
    assert compare(off, tap.entry, MING, 900).reason == "not_permitted"
    off.close()


# --- without a card ------------------------------------------------------------------------------------


def test_a_pupil_without_a_card_whose_face_fits_is_recorded_as_if_read(school: School) -> None:
    asked = claim(school)
    assert asked.decision.outcome == "ask_guard" and len(queue(school)) == 1
    done = compare(school, asked.entry, MING, 640)
    assert (done.outcome, done.reason, done.open_door, done.child) == ("granted", "on_time", True, MING)
    (arrived,) = school.entries("arrived")
    assert (arrived.body["scheme"], arrived.body["requests"], arrived.body["snapshot"]) == ("face", [str(asked.entry)], PICTURE)
    assert arrived.body["assurance"] == "face"
    assert school.custodian("王小明") == "张老师" and queue(school) == ()


@pytest.mark.parametrize(("score", "verdict"), [(450, "unclear"), (200, "mismatch")])
def test_anything_else_is_left_to_the_guard_who_still_decides(school: School, score: int, verdict: str) -> None:
    asked = claim(school)
    compare(school, asked.entry, MING, score)
    assert school.custodian("王小明") == ""
    (item,) = queue(school)
    assert (item.id, item.face and item.face.verdict) == (str(asked.entry), verdict)
    school.ask(c.ConfirmIdentity(claim=item.id, by=school.number("赵师傅")))
    assert school.custodian("王小明") == "张老师"


def test_nobody_leaves_by_a_face_alone(school: School) -> None:
    school.tap("李雷", "east-in")
    school.at("17:45")
    asked = claim(school, "east-out", "primary-2022-1", 1)
    compare(school, asked.entry, LEI, 900, point="east-out")
    assert school.child("李雷").hold.live
    assert [(i.kind, i.face and i.face.verdict) for i in queue(school)] == [("claim", "clear_match")]


def test_the_face_of_another_child_lets_no_claim_stand(school: School) -> None:
    asked = claim(school)
    compare(school, asked.entry, LEI, 900)
    assert school.custodian("王小明") == "" and school.custodian("李雷") == ""


def test_a_school_may_leave_every_claim_to_the_guard(tmp_path: Path) -> None:
    base = load(CONFIG)
    settings = replace(base, rules=replace(base.rules, face=FaceRules(claims=False)))
    school = School(tmp_path, settings=settings, directory=agreed(MING))
    asked = claim(school)
    compare(school, asked.entry, MING, 900)
    assert school.custodian("王小明") == "" and len(queue(school)) == 1
    school.close()


# --- nobody was named ------------------------------------------------------------------------------------


def test_candidates_are_few_expected_here_and_agreed_and_only_shown(school: School) -> None:
    assert set(school.look(FaceExpectedQuery("east-in")).children) == {MING, LEI}
    tap = school.tap_card("DEADBEEF", "east-in")
    compare(school, tap.entry, 0, candidates=((MING, 520), (LEI, 610), (4, 990)))  # 韩梅 has not agreed
    (item,) = queue(school)
    assert item.face is not None
    assert [line.name for line in item.face.candidates] == ["李雷", "王小明"]
    assert school.custodian("李雷") == "" and school.entries("arrived") == []


def test_who_has_arrived_is_not_expected_and_more_than_a_few_are_nobody(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    school.tap("李雷", "east-in")
    assert school.look(FaceExpectedQuery("east-in")).children == (MING,)
    monkeypatch.setattr("kiosk.core.faces.FEW", 0)
    assert school.look(FaceExpectedQuery("east-in")).children == ()


# --- consent ---------------------------------------------------------------------------------------------


def withdraw(school: School, child: int, purpose: str, *, given: bool = False, by: str = "办公室") -> Any:
    return school.ask(c.RecordConsent(child=child, purpose=purpose, given=given, by=school.number(by))).decision


def test_a_withdrawal_outranks_the_list_until_the_office_says_otherwise(school: School) -> None:
    assert withdraw(school, MING, "face_match", by="赵师傅").reason == "not_permitted"
    assert withdraw(school, MING, "face_match").outcome == "granted"
    assert withdraw(school, MING, "face_match").reason == "step_refused", "it stands so already"
    newer = replace(agreed(MING, LEI), number=2)
    school.ask(c.AdoptDirectory(directory=newer, digest="d"))
    assert school.look(ConsentQuery()).face == {LEI}, "a spreadsheet that nobody corrected gives nothing back"
    school.restart()
    assert school.look(ConsentQuery()).face == {LEI}
    assert withdraw(school, MING, "face_match", given=True).outcome == "granted"
    assert school.look(ConsentQuery()).face == {MING, LEI}


def test_a_picture_is_not_named_any_more_once_that_consent_is_taken_back(school: School) -> None:
    withdraw(school, MING, "snapshot")
    tap = school.ask(c.Read(access_point="east-in", scheme="uid", value=uid(MING), snapshot=PICTURE))
    assert all("snapshot" not in fact.body for fact in tap.decision.facts)
    assert withdraw(school, MING, "messaging").reason == "reason_needed"


def uid(child: int) -> str:
    from tests.support.people import uid_of

    return uid_of(child)


def test_words_and_withdrawals_fold_alike_in_any_order(school: School) -> None:
    tap = school.tap("王小明", "east-in")
    compare(school, tap.entry, MING, 250)
    compare(school, tap.entry, MING, 700)
    withdraw(school, MING, "face_match")
    withdraw(school, MING, "face_match", given=True)
    entries, campus = school.entries(), Campus()
    for entry in [*reversed(entries), *entries]:
        assert campus.apply(entry)
    assert campus.fingerprint() == school.gate.world.campus.fingerprint()
