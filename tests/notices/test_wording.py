"""What a message says, and what it never says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kiosk.core.entries import EntryId, Fact, Kind
from kiosk.core.masking import mask_name
from kiosk.notices.facts import Told, of_fact
from kiosk.notices.wording import Reader, Row, message
from kiosk.notices.words import TABLE
from kiosk.settings import load
from tests.support.people import COLLECTORS, PUPILS, STAFF, small_school
from tests.support.school import CONFIG

RULES = load(CONFIG).rules
READER = Reader(lang="zh", name_children=False, max_bytes=2048, heading="【实验小学】", utc_offset_ms=8 * 3_600_000)
NOW_MS = 1_795_427_520_000  # 17:52 in the school
TOLD = ["class_teacher", "duty_leader"]


def told(kind: str, number: int = 1, *, ago_min: int = 1, **body: Any) -> Told:
    found = of_fact(EntryId("east", "i", number), kind, body, NOW_MS - ago_min * 60_000)
    assert found is not None
    return found


def text(*facts: Told, reader: Reader = READER, **more: Any) -> str:
    rows = [Row(fact, **more) for fact in facts]
    taken, said = message(rows, reader, small_school(), RULES, NOW_MS)
    assert list(taken) == rows
    return said


def rung(child: int, number: int = 1, *, rung: int = 2, **more: Any) -> Told:
    return told(Kind.ESCALATED, number, child=child, rung=rung, case=f"uncollected:{child}:d", told=TOLD, **more)


def test_an_escalation_says_class_and_count_and_whom_to_tell() -> None:
    assert text(rung(2)) == "【实验小学】\n17:51 三(1)班 1 名学生未接，应告知班主任、值班领导\n请看值班屏"


def test_children_of_one_rung_are_one_line() -> None:
    said = text(rung(2, 1), rung(6, 2), rung(5, 3))
    assert "三(1)班 2 名学生、五(1)班 1 名学生未接" in said
    assert len(said.splitlines()) == 3


def test_a_child_that_climbed_meanwhile_is_told_once_where_it_stands() -> None:
    said = text(rung(2, 1, rung=0), rung(2, 2, rung=3))
    assert said.count("未接") == 1


def test_children_are_named_only_where_the_school_wants_it_and_then_masked() -> None:
    reader = replace(READER, name_children=True)
    assert "三(1)班 王*红未接" in text(rung(2), reader=reader)
    many = [rung(child, child) for child in range(1, 8)]
    assert "*" not in text(*many, reader=reader)  # more than five: counted


def test_two_children_with_the_same_mask_get_their_seats() -> None:
    twin = replace(PUPILS[1], number=12, name="王大红", seat=9)
    directory = small_school(pupils=(*PUPILS, twin))
    reader = replace(READER, name_children=True)
    _, said = message([Row(rung(12))], reader, directory, RULES, NOW_MS)
    assert "王*红 9号" in said


@pytest.mark.parametrize("kind", ["restricted_person", "lost_card", "duress", "exceptional_release", "something_new"])
@pytest.mark.parametrize("name_children", [False, True])
def test_a_silent_alarm_names_a_gate_and_nobody(kind: str, name_children: bool) -> None:
    fact = told(
        Kind.PICKUP_REQUESTED, alarm=kind, person=202, collector=202, candidates=[1], children=[1], access_point="east-desk"
    )
    said = text(fact, reader=replace(READER, name_children=name_children))
    assert "东门" in said
    assert fact.words.silent
    assert no_names(said)


def no_names(said: str) -> bool:
    names = [person.name for person in (*PUPILS, *STAFF, *COLLECTORS)]
    return not any(name in said or mask_name(name) in said for name in names)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("kind", sorted(TABLE))
def test_every_line_of_the_table_can_be_said(kind: str, lang: Any) -> None:
    body = {"child": 1, "children": [1, 2], "told": TOLD, "device": "east-nfc", "access_point": "east-in", "rung": 1}
    said = text(Told(EntryId("east", "i", 1), kind, body, NOW_MS), reader=replace(READER, lang=lang))
    assert "{" not in said and no_names(said)


def test_a_body_of_another_shape_breaks_nothing() -> None:
    for body in ({}, {"child": "x", "children": 5, "told": "y", "rung": "z", "case": 7, "device": ["a"], "access_point": 3}):
        for kind in TABLE:
            assert text(Told(EntryId("east", "i", 1), kind, body, NOW_MS))


def test_an_erased_child_is_counted() -> None:
    assert "1 名学生未接" in text(rung(999))


def test_a_drill_says_so() -> None:
    assert "【演练】" in text(told(Kind.EMERGENCY_DECLARED, drill=True, by=140))
    assert "【演练】" not in text(told(Kind.EMERGENCY_DECLARED, drill=False, by=140))


def test_what_is_late_or_may_be_a_repeat_says_so() -> None:
    late = told(Kind.DEVICE_LOST, device="east-nfc", ago_min=30)
    assert "（补发）" in text(late)
    assert "（补发）" not in text(late, digest=True)
    assert "（可能重复）" in text(late, twice=True)
    assert "11-22" in text(told(Kind.DEVICE_LOST, device="east-nfc", ago_min=24 * 60))


def test_the_same_thing_several_times_is_counted() -> None:
    said = text(*(told(Kind.DEVICE_LOST, n, device="east-nfc") for n in range(1, 4)))
    assert "设备断开：east-nfc（3 次）" in said


def test_a_message_is_never_longer_than_the_platform_takes_and_leaves_the_rest() -> None:
    rows = [Row(told(Kind.DEVICE_LOST, n, device=f"设备{'长' * 30}{n}")) for n in range(200)]
    taken, said = message(rows, READER, small_school(), RULES, NOW_MS)
    assert 0 < len(taken) < 200
    assert list(taken) == rows[: len(taken)]
    assert len(said.encode()) <= 2048


def test_free_text_never_gets_into_a_notice() -> None:
    fact = Fact(Kind.PICKUP_REFUSED, {"alarm": "restricted_person", "access_point": "east-desk", "reason": "他叫王爸爸"}, "秘密")
    found = of_fact(EntryId("east", "i", 1), fact.kind, fact.body, NOW_MS)
    assert found is not None
    assert found.body == {"access_point": "east-desk"}


def test_facts_that_are_nobodys_business_make_no_notice() -> None:
    for kind in (Kind.ARRIVED, Kind.RELEASED, Kind.ROLL_CALLED, Kind.CARD_LOST, Kind.SEEN):
        assert of_fact(EntryId("east", "i", 1), kind, {"child": 1}, NOW_MS) is None
