"""A school of any size for the bench: as many pupils as wanted, each with a card, and nothing that needs a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kiosk.clock import FixedClock
from kiosk.controller import Controller, settle_interpreter
from kiosk.core.people import Card, Directory, Pupil, Role, SchoolClass, Staff, Stage
from kiosk.credentials import hash_pin, load_pepper
from kiosk.directory import index, publish
from kiosk.directory_schema import Content, Person, PersonKind
from kiosk.opening import open_gate
from kiosk.settings import load, shared_data_dir

CLASS_SIZE = 45
ARRIVAL_MS = 1_795_391_100_000  # 2026-11-23 07:45 in the school
PIN = "246810"


def uid_of(number: int) -> str:
    return f"04{number:06X}"


def content(pupils: int) -> Content:
    """Pupils are numbered from 1, staff from 900,001: one teacher for each class and a duty leader."""
    classes, people, staff = [], [], []
    for n in range((pupils + CLASS_SIZE - 1) // CLASS_SIZE):
        teacher = 900_001 + n
        classes.append(
            SchoolClass(
                id=f"primary-2024-{n + 1}", name=f"三({n + 1})班", stage=Stage.PRIMARY, grade=3, class_no=n + 1, entry_year=2024,
                teacher=teacher, room=f"{n + 1:03}", release_gate="east",
            )
        )
        staff.append(_staff(teacher, f"B{n}", f"教师{n}", Role.TEACHER))
    for number in range(1, pupils + 1):
        people.append(
            Pupil(
                number=number, school_number=str(number), name=f"学生{number}", pinyin=f"{number:06}", initials="",
                class_id=classes[(number - 1) // CLASS_SIZE].id, seat=(number - 1) % CLASS_SIZE + 1, grade=3, stage=Stage.PRIMARY,
            )
        )
    leader = _staff(900_000, "D001", "值班", Role.DUTY_LEADER, Role.TEACHER)
    persons = [Person(p.number, PersonKind.PUPIL, p.school_number) for p in people]
    persons += [Person(s.number, PersonKind.STAFF, s.staff_number) for s in (leader, *staff)]
    return Content(
        classes=tuple(classes), pupils=tuple(people), staff=(leader, *staff), persons=tuple(persons), next_number=1_000_000,
        cards=tuple(Card(uid=uid_of(p.number), holder=p.number) for p in people), school_year_start=2026,
    )  # fmt: skip


def _staff(number: int, staff_number: str, name: str, *roles: Role) -> Staff:
    return Staff(number=number, staff_number=staff_number, name=name, pinyin="", initials="", roles=frozenset(roles))


def directory(pupils: int) -> Directory:
    return index(content(pupils), number=1, made_at_ms=ARRIVAL_MS)


def write_directory(state: Path, pupils: int) -> None:
    """A snapshot on disk with one PIN for the duty leader, for a gate in a process of its own."""
    pepper = load_pepper(state / "keys" / "pepper", create=True)
    whole = content(pupils)
    publish(state / "directory.db", replace(whole, pins={900_000: hash_pin(PIN, pepper)}), 1, ARRIVAL_MS)


def gate_in_process(state: Path, pupils: int) -> tuple[Controller, FixedClock]:
    """The real loop and journal on the settings of the sample school, without devices or pages."""
    clock = FixedClock(ARRIVAL_MS)
    settings = load(shared_data_dir("sample_school"))
    gate = open_gate(settings=settings, directory=directory(pupils), state=state, clock=clock)
    settle_interpreter()  # as `kiosk serve` does
    return gate, clock
