"""The smallest school in which several gates can disagree: one class a gate, a few children, every rule with its child.

Bells, ladder and policy are the sample school's. Nothing is read from a state folder, and nothing here changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache

from kiosk.core.people import (
    Authorisation,
    Card,
    Collector,
    Directory,
    Enrolment,
    Pupil,
    Restriction,
    Role,
    SchoolClass,
    Session,
    Staff,
    Stage,
)
from kiosk.core.rules import AccessKind, AccessPoint, Gate
from kiosk.directory import index
from kiosk.directory_schema import Content
from kiosk.settings import Settings, Sync, shared_data_dir
from kiosk.settings import load as load_settings

GATES = ("east", "south", "west", "north", "bridge", "field", "canteen", "harbour")
MAX_GATES = len(GATES)
FIRST_DAY = date(2026, 11, 23)  # a Monday
LEADER, SECOND_LEADER, SESSION_1, SESSION_2 = 140, 141, 111, 112
CARER = 600  # listed for every child: the adult who could be at two gates
BARRED = 601  # kept from the first child
DAY_MS = 86_400_000
_DAILY = frozenset({1, 2, 3, 4, 5})


@dataclass(frozen=True, slots=True)
class FleetSchool:
    """What every gate of a simulated fleet has in common, and the settings of each."""

    gates: tuple[str, ...]
    directory: Directory
    settings: tuple[Settings, ...]
    midnight_ms: int  # UTC, of the first day in the school's zone

    @property
    def children(self) -> tuple[int, ...]:
        return tuple(self.directory.pupils)

    @property
    def staff(self) -> tuple[int, ...]:
        return tuple(self.directory.staff)

    def guard(self, gate: int) -> int:
        return 121 + gate

    def teacher(self, gate: int) -> int:
        return 101 + gate


@cache
def fleet_school(gates: int, children: int) -> FleetSchool:
    """`gates` of at most MAX_GATES, and `children` spread over their classes."""
    names, base = GATES[:gates], load_settings(shared_data_dir("sample_school"))
    midnight_ms = int(datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC).timestamp() * 1000)
    midnight_ms -= base.plan.utc_offset_ms
    return FleetSchool(
        gates=names, directory=_directory(names, children, midnight_ms), midnight_ms=midnight_ms,
        settings=tuple(_settings(base, name, names) for name in names),
    )  # fmt: skip


def uid_of(person: int) -> str:
    return f"04A3{person:04X}"


def _settings(base: Settings, node: str, gates: tuple[str, ...]) -> Settings:
    kinds = (("in", AccessKind.ENTRANCE), ("out", AccessKind.EXIT), ("desk", AccessKind.DESK))
    points = [AccessPoint(id=f"{g}-{word}", name=f"{g}-{word}", kind=kind, gate=g) for g in gates for word, kind in kinds]
    points.append(AccessPoint(id="room-201", name="201", kind=AccessKind.ROOM, room="201"))
    rules = replace(
        base.rules, node=node, gates={g: Gate(id=g, name=g) for g in gates}, access_points={p.id: p for p in points},
        serves=frozenset({node}),
    )  # fmt: skip
    site = replace(base.site, node=node, devices=(), sync=Sync(server="http://school-server", school="simulated"))
    return replace(base, site=site, rules=rules, duty_leader="L1", early_teacher="T1")


def _directory(gates: tuple[str, ...], children: int, midnight_ms: int) -> Directory:
    pupils = tuple(_pupil(n, gates) for n in range(1, children + 1))
    mothers = tuple(_adult(500 + p.number) for p in pupils)
    may = [Authorisation(child=p.number, collector=500 + p.number, relation="母亲", guardian=True, order=1) for p in pupils]
    may += [Authorisation(child=p.number, collector=CARER, relation="托管", guardian=False, order=3) for p in pupils]
    may.append(Authorisation(child=1, collector=BARRED, relation="父亲", guardian=True, order=2))
    with_cards = [*(p.number for p in pupils), 501, CARER, BARRED]
    return index(
        Content(
            classes=tuple(_class(at, gate) for at, gate in enumerate(gates)), pupils=pupils, staff=_staff(gates),
            collectors=(*mothers, _adult(CARER), _adult(BARRED)), authorisations=tuple(may),
            restrictions=(Restriction(child=1, collector=BARRED),),
            cards=tuple(Card(uid=uid_of(n), holder=n) for n in with_cards), sessions=_SESSIONS,
            enrolments=tuple(Enrolment(child=p.number, session=f"S{1 + p.number % 2}") for p in pupils if p.number % 4),
        ),
        number=1, made_at_ms=midnight_ms,
    )  # fmt: skip


def _class(at: int, gate: str) -> SchoolClass:
    grade = 1 + (at * 2) % 6
    return SchoolClass(
        id=f"c{at}", name=f"{grade}({at + 1})班", stage=Stage.PRIMARY, grade=grade, class_no=at + 1, entry_year=2027 - grade,
        teacher=101 + at, room=str(201 + at), release_gate=gate,
    )  # fmt: skip


def _pupil(number: int, gates: tuple[str, ...]) -> Pupil:
    at = (number - 1) % len(gates)
    grade = 1 + (at * 2) % 6
    return Pupil(
        number=number, school_number=f"2026{number:04d}", name=f"学生{number}", pinyin=f"xuesheng {number}", initials="xs",
        class_id=f"c{at}", seat=number, grade=grade, stage=Stage.PRIMARY, leaves_alone=number % 3 == 2, boarder=number % 7 == 0,
    )  # fmt: skip


def _adult(number: int) -> Collector:
    return Collector(number=number, name=f"家长{number}", pinyin=f"jiazhang {number}", initials="jz", phone=f"139{number:08d}")


def _staff(gates: tuple[str, ...]) -> tuple[Staff, ...]:
    rows = [(101 + at, f"T{1 + at}", Role.TEACHER) for at in range(len(gates))]
    rows += [(SESSION_1, "T11", Role.TEACHER), (SESSION_2, "T12", Role.TEACHER)]
    rows += [(121 + at, f"G{1 + at}", Role.GUARD) for at in range(len(gates))]
    rows += [(LEADER, "L1", Role.DUTY_LEADER), (SECOND_LEADER, "L2", Role.DUTY_LEADER)]
    return tuple(
        Staff(number=number, staff_number=key, name=f"教工{number}", pinyin="jiaogong", initials="jg", roles=frozenset({role}))
        for number, key, role in rows
    )


_SESSIONS = (
    Session(id="S1", name="作业辅导", kind="homework", slot=1, weekdays=_DAILY, room="201", teacher=SESSION_1),
    Session(id="S2", name="美术", kind="arts", slot=2, weekdays=_DAILY, room="201", teacher=SESSION_2),
)
