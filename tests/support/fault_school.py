"""A whole school for fault runs, as a directory on disk: every sort of child, nobody with a name from life.

36 classes of the sample school's rooms. Each child has a card for contactless readers and a tag for 125 kHz readers, so
that any reader in a rack can read any child. Everybody's PIN is the same.
"""

from __future__ import annotations

from pathlib import Path

from kiosk.core.people import (
    Authorisation,
    Card,
    Collector,
    Enrolment,
    Pupil,
    Role,
    SchoolClass,
    Session,
    Staff,
    Stage,
)
from kiosk.credentials import hash_pin, load_pepper
from kiosk.directory import publish
from kiosk.directory_schema import Content, Person, PersonKind

PIN = "246810"
CLASSES, SEATS = 36, 45
MONDAY_MS = 1_795_391_100_000  # 2026-11-23 07:45 in the school
DAILY = frozenset({1, 2, 3, 4, 5})
LEADER, EARLY, CARE, OFFICE, EVERYTHING = 900_000, 900_090, 900_100, 900_300, 900_400
GUARDS = (900_200, 900_201)
CLASS_TEACHERS, SESSION_TEACHERS, GUARDIANS = 910_001, 920_001, 500_000


def uid_of(child: int) -> str:
    """The card that contactless readers, scanners and network readers read."""
    return f"A5{child:06X}"


def tag_of(child: int) -> str:
    """The same child's 125 kHz tag: five bytes."""
    return f"5A{child:08X}"


def printed_of(child: int) -> str:
    """What stands printed on the tag, ten digits, as readers with a keypad output send it."""
    return f"{child:010d}"


def guardian_of(child: int) -> int:
    return GUARDIANS + child


def class_of(child: int) -> int:
    """0..35"""
    return (child - 1) // SEATS


def leaves_alone(child: int) -> bool:
    """Every second child of grade 3 and above."""
    return class_of(child) >= 12 and child % 2 == 0


def room_of(child: int) -> str:
    """The access point of the room in which the child's homework session is."""
    number = class_of(child)
    return f"room-{number // 6 + 1}0{number % 6 + 1}"


def write(state: Path, pupils: int = CLASSES * SEATS) -> None:
    """directory.db and keys/ for a gate in a process of its own."""
    assert pupils <= CLASSES * SEATS, "the building has no more rooms"
    pepper = load_pepper(state / "keys" / "pepper", create=True)
    staff, pin = _staff(), hash_pin(PIN, pepper)
    children = range(1, pupils + 1)
    people = tuple(map(_pupil, children))
    guardians = tuple(
        Collector(number=guardian_of(n), name=f"家长{n}", pinyin=f"jiazhang{n}", initials="jz", key=f"P{n}") for n in children
    )
    persons = [Person(p.number, PersonKind.PUPIL, p.school_number) for p in people]
    persons += [Person(s.number, PersonKind.STAFF, s.staff_number) for s in staff]
    persons += [Person(g.number, PersonKind.COLLECTOR, g.key) for g in guardians]
    content = Content(
        classes=tuple(map(_class, range(CLASSES))), pupils=people, staff=staff, collectors=guardians,
        authorisations=tuple(
            Authorisation(child=n, collector=guardian_of(n), relation="母亲", guardian=True, order=1) for n in children
        ),
        cards=tuple(card for n in children for card in (Card(uid=uid_of(n), holder=n), Card(uid=tag_of(n), holder=n))),
        sessions=_sessions(), enrolments=tuple(Enrolment(child=n, session=f"H{class_of(n)}") for n in children),
        persons=tuple(persons), next_number=1_000_000, school_year_start=2026, pins={s.number: pin for s in staff},
    )  # fmt: skip
    publish(state / "directory.db", content, 1, MONDAY_MS)


def _class(number: int) -> SchoolClass:
    grade, class_no = number // 6 + 1, number % 6 + 1
    return SchoolClass(
        id=f"primary-{2027 - grade}-{class_no}", name=f"{'一二三四五六'[grade - 1]}({class_no})班", stage=Stage.PRIMARY,
        grade=grade, class_no=class_no, entry_year=2027 - grade, teacher=CLASS_TEACHERS + number,
        room=f"{grade}0{class_no}", release_gate="east",
    )  # fmt: skip


def _pupil(number: int) -> Pupil:
    home = _class(class_of(number))
    return Pupil(
        number=number, school_number=f"S{number}", name=f"学生{number}", pinyin=f"xuesheng{number:05}", initials="xs",
        class_id=home.id, seat=(number - 1) % SEATS + 1, grade=home.grade, stage=Stage.PRIMARY,
        leaves_alone=leaves_alone(number), extended_care=number % 9 == 0,
    )  # fmt: skip


def _staff() -> tuple[Staff, ...]:
    few = [
        _member(LEADER, "D001", Role.DUTY_LEADER, Role.TEACHER),
        _member(EARLY, "T090", Role.TEACHER),
        _member(CARE, "T100", Role.TEACHER),
        _member(OFFICE, "O001", Role.OFFICE),
        _member(EVERYTHING, "A001", *Role),
        *(_member(number, f"G{n:03}", Role.GUARD) for n, number in enumerate(GUARDS, 1)),
    ]
    teachers = [_member(CLASS_TEACHERS + n, f"B{n + 1:03}", Role.TEACHER) for n in range(CLASSES)]
    return (*few, *teachers, *(_member(SESSION_TEACHERS + n, f"S{n + 1:03}", Role.TEACHER) for n in range(CLASSES)))


def _member(number: int, staff_number: str, *roles: Role) -> Staff:
    return Staff(number=number, staff_number=staff_number, name=f"员工{number}", pinyin="", initials="", roles=frozenset(roles))


def _sessions() -> tuple[Session, ...]:
    homework = [
        Session(
            id=f"H{n}", name=f"作业辅导{n + 1}", kind="homework", slot=1, weekdays=DAILY, room=_class(n).room,
            teacher=SESSION_TEACHERS + n,
        )
        for n in range(CLASSES)
    ]  # fmt: skip
    care = Session(id="E", name="延时托管", kind="extended_care", slot=0, weekdays=DAILY, room="托管室", teacher=CARE)
    return (*homework, care)
