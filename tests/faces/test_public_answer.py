"""What bystanders at the gate get to read."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.people import Collector, Directory, Pupil, SchoolClass, Staff, Stage
from kiosk.core.rules import AccessKind, AccessPoint
from kiosk.web import faces
from tests.faces.sample_views import NOW

EAST = AccessPoint(id="east-in-1", name="东门 1 号通道", kind=AccessKind.ENTRANCE, gate="east")
DESK = AccessPoint(id="east-desk", name="东门门卫室", kind=AccessKind.DESK, gate="east")
HOME = SchoolClass(
    id="primary-2024-2", name="三(2)班", stage=Stage.PRIMARY, grade=3, class_no=2, entry_year=2024, teacher=9, room="203",
    release_gate="east",
)  # fmt: skip


def _pupil(number: int, name: str, seat: int) -> Pupil:
    return Pupil(
        number=number, school_number=f"S{number}", name=name, pinyin="", initials="", class_id=HOME.id, seat=seat, grade=3,
        stage=Stage.PRIMARY,
    )  # fmt: skip


PUPILS = (_pupil(1, "王小明", 12), _pupil(2, "欧阳若曦", 13), _pupil(3, "李一诺", 14), _pupil(4, "李二诺", 15))
DIRECTORY = Directory(
    number=1,
    made_at_ms=0,
    classes=MappingProxyType({HOME.id: HOME}),
    pupils=MappingProxyType({pupil.number: pupil for pupil in PUPILS}),
    staff=MappingProxyType({9: Staff(number=9, staff_number="T1", name="赵建国", pinyin="", initials="", roles=frozenset())}),
    collectors=MappingProxyType({50: Collector(number=50, name="冯志强", pinyin="", initials="")}),
    pupils_of_class=MappingProxyType({HOME.id: (1, 2, 3, 4)}),
)


def _answer(outcome: Outcome, reason: Reason, *, ap: AccessPoint = EAST, **who: object) -> dict[str, object]:
    decision = Decision(outcome=outcome, reason=reason, access_point=ap.id, **who)  # type: ignore[arg-type]
    return faces.answer(decision, DIRECTORY, NOW, ap)


@pytest.mark.parametrize(
    ("outcome", "reason", "state", "word", "tone"),
    [
        (Outcome.GRANTED, Reason.ON_TIME, "granted", "请通行", "rise"),
        (Outcome.GRANTED, Reason.LATE, "granted", "请通行", "rise"),
        (Outcome.GRANTED, Reason.REPEAT, "recorded", "已记录", "tick"),
        (Outcome.GRANTED, Reason.ALREADY_IN, "recorded", "已记录", "tick"),
        (Outcome.ASK_GUARD, Reason.IDENTITY_UNCONFIRMED, "look", "请稍候 门卫确认", "level"),
        (Outcome.REFUSED, Reason.NEEDS_ADULT, "refused", "请在候接区等候家长", "fall"),
        (Outcome.REFUSED, Reason.IN_SESSION, "refused", "课后服务未结束", "fall"),
        (Outcome.REFUSED, Reason.NOT_YET_DISMISSED, "refused", "未到放学时间，请等候老师", "fall"),
        (Outcome.REFUSED, Reason.CARD_LOST, "refused", "请到门卫室", "fall"),
        (Outcome.REFUSED, Reason.UNKNOWN_CREDENTIAL, "refused", "卡号未登记，请到门卫室", "fall"),
    ],
)
def test_a_child_sees_one_state_with_its_word_and_tone(
    outcome: Outcome, reason: Reason, state: str, word: str, tone: str
) -> None:
    told = _answer(outcome, reason, child=1)
    assert (told["state"], told["word"], told["tone"]) == (state, word, tone)
    assert told["time"] == "17:42" and told["word_en"]


def test_the_name_is_masked_and_the_class_is_there() -> None:
    told = _answer(Outcome.GRANTED, Reason.ON_TIME, child=1)
    assert (told["name"], told["class"]) == ("王*明", "三(2)班")
    assert _answer(Outcome.GRANTED, Reason.ON_TIME, child=2)["name"] == "欧阳*曦"


def test_two_children_of_a_class_with_one_mask_are_told_apart_by_the_seat() -> None:
    assert _answer(Outcome.GRANTED, Reason.ON_TIME, child=3)["name"] == "李*诺 14号"
    assert _answer(Outcome.GRANTED, Reason.ON_TIME, child=4)["name"] == "李*诺 15号"


def test_the_wrong_room_names_the_right_one() -> None:
    assert _answer(Outcome.REFUSED, Reason.WRONG_ROOM, child=1, room="三楼美术室")["word"] == "请到 三楼美术室 签到"


@pytest.mark.parametrize(
    "reason",
    [
        Reason.COLLECTOR_RESTRICTED, Reason.COLLECTOR_EXPIRED, Reason.COLLECTOR_MINOR, Reason.COLLECTOR_UNKNOWN, Reason.CARD_LOST,
        Reason.NOT_YET_DISMISSED,
    ],
)  # fmt: skip
@pytest.mark.parametrize("ap", [EAST, DESK], ids=["lane", "desk"])
def test_an_adult_who_is_refused_sees_what_every_adult_sees_who_is_checked(reason: Reason, ap: AccessPoint) -> None:
    """Nobody beside a restricted person, nor that person, learns anything from the screen, its colour or its tone."""
    checked = _answer(Outcome.ASK_GUARD, Reason.COLLECTOR_PRESENT, person=50, child=1, ap=ap)
    refused = _answer(Outcome.REFUSED, reason, person=50, child=1, ap=ap)
    assert refused == checked
    assert refused["state"] == "look" and refused["class"] == "" and refused["name"] == "冯*强"
    assert refused["tone"] == "", "no adult's card makes a sound, so that none stands out"


@pytest.mark.parametrize(
    "reason",
    [
        Reason.COLLECTOR_RESTRICTED, Reason.PASS_FORGED, Reason.PASS_USED, Reason.PASS_REVOKED, Reason.PASS_OTHER_GATE,
        Reason.PASS_OTHER_DATE, Reason.NOT_YET_DISMISSED, Reason.NOT_ON_CAMPUS,
    ],
)  # fmt: skip
def test_a_delegate_whose_pass_is_refused_sees_what_one_sees_whose_pass_is_checked(reason: Reason) -> None:
    checked = _answer(Outcome.ASK_GUARD, Reason.PASS_PRESENT, adult=True)
    refused = _answer(Outcome.REFUSED, reason, adult=True)
    assert refused == checked and refused["state"] == "look" and refused["tone"] == "" and refused["name"] == ""


@given(
    outcome=st.sampled_from(Outcome),
    reason=st.sampled_from(Reason),
    kind=st.sampled_from(AccessKind),
    child=st.none() | st.integers(0, 5),
    person=st.none() | st.sampled_from([9, 50, 77]),
    room=st.sampled_from(["", "203"]),
)
def test_every_decision_has_a_whole_answer_that_names_nobody_in_full(
    outcome: Outcome, reason: Reason, kind: AccessKind, child: int | None, person: int | None, room: str
) -> None:
    point = AccessPoint(id="x", name="x", kind=kind)
    told = faces.answer(
        Decision(outcome=outcome, reason=reason, access_point="x", child=child, person=person, room=room),
        DIRECTORY,
        NOW,
        point,
    )
    assert told["state"] in ("granted", "look", "refused", "recorded")
    assert told["word"] and told["word_en"] and "{" not in "".join(str(value) for value in told.values())
    assert (told["state"] in ("refused", "look")) == (told["hold_ms"] >= 4_000)
    for name in ("王小明", "欧阳若曦", "李一诺", "赵建国", "冯志强"):
        assert name not in str(told)
