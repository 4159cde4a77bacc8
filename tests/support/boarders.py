"""The small school with a dormitory: one boarder, the teacher of the dormitory, a duty teacher without a roster."""

from __future__ import annotations

from dataclasses import replace

from kiosk.core.people import Card, Directory, Enrolment, Role, Staff
from tests.support.people import COLLECTORS, ENROLMENTS, PUPILS, STAFF, small_school, uid_of

DORMITORY_TEACHER = Staff(
    number=114, staff_number="T14", name="宿管老师", pinyin="suguan", initials="sg", roles=frozenset({Role.TEACHER})
)
DUTY_TEACHER = Staff(
    number=115, staff_number="T15", name="护导老师", pinyin="hudao", initials="hd", roles=frozenset({Role.TEACHER})
)
BOARDER = replace(
    next(pupil for pupil in PUPILS if pupil.name == "李雷"),
    number=11, name="住校生", school_number="20260011", seat=5, boarder=True, leaves_alone=False,
)  # fmt: skip


def boarding_school() -> Directory:
    people = (*PUPILS, BOARDER, *STAFF, *COLLECTORS)
    return small_school(
        cards=tuple(Card(uid=uid_of(person.number), holder=person.number) for person in people),
        pupils=(*PUPILS, BOARDER), staff=(*STAFF, DORMITORY_TEACHER, DUTY_TEACHER),
        enrolments=(*ENROLMENTS, Enrolment(child=BOARDER.number, session="S1")),
    )  # fmt: skip
