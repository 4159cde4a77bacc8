"""A small book of applications: four sessions, a few children, and how a test presses."""

from __future__ import annotations

from datetime import date, timedelta

from kiosk.core.enrolment_book import Book, Press, Wish, apply, approve, review
from kiosk.core.people import Enrolment, Pupil, Session, Stage

MONDAY = date(2026, 11, 23)
DAILY = frozenset({1, 2, 3, 4, 5})
END = date(2027, 1, 22)


def pupil(number: int, grade: int = 3) -> Pupil:
    return Pupil(
        number=number, school_number=f"2026{number:04d}", name=f"学生{number}", pinyin=f"p{number}", initials="p",
        class_id=f"primary-{2027 - grade}-1", seat=number, grade=grade, stage=Stage.PRIMARY,
    )  # fmt: skip


def session(key: str, name: str, slot: int, capacity: int = 0, **more: object) -> Session:
    return Session(id=key, name=name, kind="club", slot=slot, weekdays=DAILY, room=key, teacher=100, capacity=capacity, **more)


SESSIONS = (
    session("KY", "课业辅导", 1),
    session("ZQ", "足球", 2, 2),
    session("HC", "合唱", 2, 2),
    session("JQ", "机器人", 2, 1, audience=frozenset({"primary-5", "primary-2026-1"})),
)


def book(*lines: Enrolment, children: int = 6) -> Book:
    return Book(
        pupils={n: pupil(n) for n in range(1, children + 1)}, sessions={one.id: one for one in SESSIONS}, enrolments=lines
    )  # fmt: skip


def press(day: int = 0, *, agreement: bool = False, by: int = 150) -> Press:
    """On the day-th day after the Monday."""
    today = MONDAY + timedelta(days=day)
    return Press(today=today, now_ms=day * 86_400_000, by=by, agreement_required=agreement, leave_times_min=(17 * 60, 18 * 60))


def wish(child: int, key: str, day: int = 0, **more: object) -> Wish:
    return Wish(child=child, session=key, valid_from=MONDAY + timedelta(days=day), valid_to=END, **more)


def joined(before: Book, wanted: Wish, by: Press) -> tuple[Book, str]:
    """Applied, reviewed and decided; and the number of the application."""
    applied = apply(before, wanted, by)
    number = applied.applications[-1].id
    return approve(review(applied, number, by), number, by), number
