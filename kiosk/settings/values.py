"""What settings are, once read: frozen values, and the error that says why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from kiosk.core.people import Directory, Stage
from kiosk.core.rules import Rules
from kiosk.core.signals import Signal
from kiosk.core.timetable import Calendar, Plan
from kiosk.settings.schema import Problem


class SettingsError(Exception):
    """The settings cannot be used. `problems` has every reason, each with its file, place and remedy."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    id: str
    name: str
    city: str  # policy id, "" where no city's policy applies
    variant: str
    stages: frozenset[Stage]
    primary_years: int
    local_off_work_min: int  # minutes since local midnight
    national_overlay: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What the school offers; the policy check reads it. Times are minutes since local midnight."""

    offers: frozenset[str]
    practices: frozenset[str]
    never: frozenset[str]  # practices that the school says it does not have
    slot_choice: frozenset[str]  # of "1", "2", "1+2"
    leave_times_min: tuple[int, ...]
    menu_fields: frozenset[str]
    enrolment_period: str  # month, term
    weeks_per_year: int  # 0 = not fixed
    weekend_content: str  # interest, care, "" = not said
    external_staff: bool
    filed_on: date | None
    approved_on: date | None
    approval_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """Who pays for the service. The kiosk itself never takes money."""

    mode: str  # none, parents_pay, cost_share, county_funded, none_until_standard_set
    basis: str  # none, pupil_month, pupil_term_once
    cny: int
    evening_cny: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A deviation that somebody answered for."""

    rule: str
    where: str
    reason: str
    by: str
    on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    name: str
    url: str
    access_point: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scheme(self) -> str:
        return self.url.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalContact:
    """A lamp or a beeper on a relay."""

    access_point: str
    relay: str
    channel: int
    kind: str = "beeper"
    answers: frozenset[Signal] = frozenset(Signal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    device: str = ""  # "" = silent
    access_points: frozenset[str] = frozenset()  # empty = all of this computer
    speak: frozenset[Signal] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Printing:
    device: str = ""  # "" = every printer of this computer
    emergency: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    server: str = ""  # "" = this gate works alone
    school: str = ""
    ca_file: str = ""  # with https://: "" = what this computer believes


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    idle_min: int = 15
    public_input_from: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    https: bool = False
    keep_pictures_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    ballast_mib: int = 32  # 0 = none
    pictures_stop_percent: int = 90
    keep_records_days: int = 0  # 0 = for ever

    @property
    def pictures_stop_at(self) -> float:
        return self.pictures_stop_percent / 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """This gate computer. Without a site.toml: node `gate-1` on the loopback address, no devices."""

    node: str = "gate-1"
    gate: str = ""
    host: str = "127.0.0.1"
    port: int = 8470
    office: bool = False
    devices: tuple[Device, ...] = ()
    signals: tuple[SignalContact, ...] = ()
    sound: Sound = field(default_factory=Sound)
    printing: Printing = field(default_factory=Printing)
    sync: Sync = field(default_factory=Sync)
    web: Web = field(default_factory=Web)
    disk: Disk = field(default_factory=Disk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Days that each category is kept; 0 = for ever. school_year_ends: MM-DD."""

    school_year_ends: str = "08-31"
    left_days: int = 90  # after the end of the school year in which they left
    notes_days: int = 90  # likewise
    dossier_days: int = 1_095
    visitors_days: int = 365
    messages_days: int = 90
    access_days: int = 183


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a person may set, checked. `digest` changes when a byte of any file does."""

    folder: Path
    files: Mapping[str, Path]  # where each file was found, by name
    digest: str
    school: School
    service: Service
    fees: Fees
    accepted: tuple[Accepted, ...]
    calendar: Calendar
    plan: Plan
    rules: Rules
    release_window_min: int
    site: Site
    retention: Retention = field(default_factory=Retention)
    early_teacher: str = ""  # staff numbers; `rules_for` turns them into persons
    duty_leader: str = ""
    bases: tuple[Path, ...] = ()  # the folder itself, then where missing files come from

    def find(self, name: str) -> Path | None:
        """A file or folder beside the settings (`people`, `arrivals.csv`), in this folder or its base."""
        return next((folder / name for folder in self.bases if (folder / name).exists()), None)

    def rules_for(self, directory: Directory) -> Rules:
        """The rules with the persons on duty. A staff number that the directory lacks stays None."""
        numbers = {member.staff_number: member.number for member in directory.staff.values()}
        return replace(
            self.rules,
            early_duty_teacher=numbers.get(self.early_teacher),
            duty_leader=numbers.get(self.duty_leader),
        )

    def staff_unknown_to(self, directory: Directory) -> tuple[str, ...]:
        """Staff numbers on duty that the directory does not have: `kiosk doctor` names them."""
        known = {member.staff_number for member in directory.staff.values()}
        return tuple(n for n in (self.early_teacher, self.duty_leader) if n and n not in known)
