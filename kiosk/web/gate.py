"""What the web part is given by the composition root: one gate, seen from its pages.

Values and protocols only. Nothing here opens a file, reads a clock or starts a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from kiosk.controller import Batch
from kiosk.core.commands import Command
from kiosk.core.commands_privacy import RecordConsentRow
from kiosk.core.passes import Pass
from kiosk.core.people import Directory
from kiosk.core.roster import Bar
from kiosk.core.roster_safety import MusterView, WaitingView
from kiosk.core.rules import Rules
from kiosk.core.world import SunReader
from kiosk.school_year import SchoolYears
from kiosk.web.enrolment_desk import EnrolmentDesk
from kiosk.web.faces_format import Lang
from kiosk.web.faces_notices import NoticesState
from kiosk.web.faces_office import ChangeLine, FindingLine, ProblemLine, TrialView
from kiosk.web.faces_privacy import IncidentsView, PrivacyChildView, PrivacyView, TextView
from kiosk.web.faces_publications import InspectionView, PolicyView, Publication
from kiosk.web.faces_records import EvidenceView, ReplayView, StatementView
from kiosk.web.faces_reports import ReportsView, ReportView
from kiosk.web.faces_sessions import ArchivedView, GrowthLine, SessionsView


class Inbox(Protocol):
    """The controller, as far as a page can see it."""

    listeners: list[Callable[[Batch], None]]  # each is called once a batch, on the controller's thread

    def submit(self, command: Command, on_answer: Callable[[Any], None] | None = None) -> None: ...


class Clock(Protocol):
    def now_ms(self) -> int: ...

    def trusted(self) -> bool: ...


class Pictures(Protocol):
    """JPEG bytes, decrypted; None where there is none (any more). Both block: call them in a thread."""

    def photo(self, person: int) -> bytes | None: ...

    def snapshot(self, snapshot_id: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PinVerdict:
    """`ok` with our number of the member of staff; or not, because the pair is wrong or locked for `locked_s`. `duress`: the
    PIN was the one that calls for help; nothing that this person can see may differ."""

    ok: bool
    staff: int | None = None
    duress: bool = False
    locked_s: int = 0


class PinCheck(Protocol):
    """Blocks for the time of one argon2id: call it in a thread. Counts failures; a lockout survives a restart."""

    def __call__(self, staff_number: str, pin: str) -> PinVerdict: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRead:
    """Somebody looked at a person's page or picture (网络保护条例 art. 36): who, when, what, of whom."""

    at_ms: int
    by: int
    what: str  # child, photo, snapshot, roster, search, people, session, growth, ...
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """idle_s: a session ends this long after its last press. public_input_from: the networks whose browsers may
    give input without a sign-in (card typed by a wedge reader, class and seat): the gate's own screens."""

    idle_s: int = 15 * 60
    longest_s: int = 12 * 3600
    secure_cookie: bool = False  # set where the pages are served over https
    public_input_from: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    upload_max_bytes: int = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting in force, for the office page: its dotted key, its value as written, the file it came from."""

    key: str
    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """A dry run: what is wrong, what would change, and whatever `apply` needs. Problems block; nothing is half done.
    counts: (sort, added, changed, removed)."""

    problems: tuple[ProblemLine, ...]
    changes: tuple[ChangeLine, ...]
    counts: tuple[tuple[str, int, int, int], ...]
    content: Any = None


class Importer(Protocol):
    """People files in. Both block for seconds: call them in a thread.

    `apply` publishes the next directory and returns its number; the gate adopts it by itself. It raises
    `ImportMoved` when the directory has changed since the plan was made.
    """

    def plan(self, files: Sequence[tuple[str, bytes]]) -> ImportPlan: ...

    def apply(self, plan: ImportPlan, *, by: int) -> int: ...


class Records(Protocol):
    """What is on record, made ready for the pages. All of them block for up to seconds: call them in a thread.

    Each raises `RecordsUnreadable`. `masked`: as an inspector sees it.
    """

    def replay(self, day: date, bar: Bar) -> ReplayView: ...

    def moment(self, at_ms: int, *, find: str, lang: Lang, masked: bool) -> dict[str, Any]: ...

    def evidence(self, child: int, day: date, bar: Bar, *, lang: Lang) -> EvidenceView: ...

    def pack(self, child: int, day: date, *, whole_chain: bool) -> tuple[str, bytes]: ...

    def statement(self, day: date, bar: Bar) -> StatementView: ...


class SessionArchive(Protocol):
    """Archived sessions, from the records. All of them block: call them in a thread. Each raises `RecordsUnreadable`.

    `held_by`: only what this teacher held, 0 for all.
    """

    def day(self, day: date, bar: Bar, *, held_by: int, lang: Lang) -> SessionsView: ...

    def sitting(self, day: date, session: str, bar: Bar, *, lang: Lang) -> ArchivedView | None: ...

    def growth(self, child: int, by: int, *, lang: Lang) -> tuple[GrowthLine, ...]: ...


class Publications(Protocol):
    """What the school publishes and owes. All of them block for files: call them in a thread."""

    def policy(self, bar: Bar, lang: Lang, done: str = "") -> PolicyView: ...

    def paper(self, what: str, lang: Lang = "zh") -> Publication: ...

    def workbook(self, lang: Lang) -> tuple[str, bytes]: ...

    def keep(self, paper: Publication, by: str) -> str: ...

    def kept(self, name: str) -> str | None: ...

    def inspection(self, bar: Bar, lang: Lang) -> InspectionView: ...


class PrivacyOffice(Protocol):
    """What the privacy pages show and give out. Every method blocks: call it in a thread. Raises `RecordsUnreadable`."""

    def overview(self, bar: Bar, *, lang: Lang, said: str) -> PrivacyView: ...

    def child(self, number: int, text: str, bar: Bar, *, lang: Lang, said: str) -> PrivacyChildView: ...

    def text(self, what: str, bar: Bar, *, lang: Lang, said: str) -> TextView: ...

    def markdown(self, what: str, bar: Bar, *, lang: Lang) -> str: ...

    def incidents(self, bar: Bar, *, lang: Lang, said: str) -> IncidentsView: ...

    def log_csv(self) -> bytes: ...

    def affected_csv(self, class_id: str) -> bytes: ...

    def pack(self, child: int, *, by: int) -> tuple[str, bytes]: ...

    def consent_sheet(self, data: bytes, *, by: int) -> tuple[tuple[RecordConsentRow, ...], tuple[str, ...]]: ...


class DeviceTrials(Protocol):
    """Trying one device at a time, by its name. Nothing is recorded but a contact that closes, which the core decides."""

    def kinds(self) -> Mapping[str, str]: ...

    def contacts(self, name: str) -> tuple[int, ...]: ...

    def begin(self, name: str) -> None: ...

    def closed(self, name: str, done: bool) -> None: ...

    def state(self, name: str) -> TrialView | None: ...

    def picture(self, name: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """A form of a report: the name that it should have, and where it lies for now."""

    name: str
    path: Path


class Reports(Protocol):
    """The reports, made by a process of their own. `query`: period, and whatever else a report is asked for. `masked`: as an
    inspector sees it. `begin` and `stop` answer at once; the others may read a file: call them in a thread."""

    def listed(self, bar: Bar, lang: Lang) -> ReportsView: ...

    def view(self, id: str, query: dict[str, str], bar: Bar, *, masked: bool, lang: Lang) -> ReportView: ...

    def begin(self, id: str, query: dict[str, str], *, masked: bool, afresh: bool) -> None: ...

    def stop(self, id: str, query: dict[str, str], *, masked: bool) -> None: ...

    def file(self, id: str, query: dict[str, str], form: str, *, masked: bool, lang: Lang) -> ReportFile: ...


class NoSuchReport(Exception):
    """The catalogue has no such report, or it was asked for wrongly; the sentence says what there is."""


class ReportBusy(Exception):
    """Others are before it."""


class ReportNotMade(Exception):
    """The form cannot be made here; the sentence says why and what to install."""


class RecordsUnreadable(Exception):
    """The journal or the settings do not give what was asked; the sentence says why and what to do."""


class ImportMoved(Exception):
    """Somebody else changed the people since the dry run; look at the differences again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gate computer. `device_keys`: SHA-256 (hex) of each key -> the access points it may read for,
    empty = all. `take_snapshot(access_point)` blocks up to a second and returns a picture's id, "" without one."""

    controller: Inbox
    rules: Rules
    directory: Callable[[], Directory]
    clock: Clock
    check_pin: PinCheck
    pictures: Pictures
    importer: Importer
    take_snapshot: Callable[[str], str]
    access_log: Callable[[PageRead], None]
    records: Records
    state_dir: Path
    reports: Reports | None = None  # None where no report can be made
    sessions: SessionArchive | None = None  # None where no archive is kept
    note: Callable[[str], str | None] | None = None  # the free text behind a digest, None where it was erased; quick
    print_list: Callable[[MusterView | WaitingView], bool] | None = None  # hands a list to the printers; None without any
    home_gate: str = ""  # where this computer stands: /guard leads there; "" = the first gate
    device_keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    web: WebSettings = field(default_factory=WebSettings)
    settings_in_force: tuple[Setting, ...] = ()
    sun: SunReader | None = None  # what a signing card proves; None where this gate has no key for such cards
    policy: str = ""  # the city's document that the plan is held against, in words
    plan_findings: tuple[FindingLine, ...] = ()  # what the plan breaks, with the clause
    device_drivers: tuple[tuple[str, str], ...] = ()  # (device, driver), for the office page
    school_years: SchoolYears | None = None  # the calendar that the settings in force make
    privacy: PrivacyOffice | None = None  # None where no privacy pages are kept
    trials: DeviceTrials | None = None  # None where there are no devices to try
    notices: Callable[[], NoticesState] | None = None  # as of now, from memory; None where the school has no targets
    enrolment: EnrolmentDesk | None = None  # None where no list of people is kept
    sign_pass: Callable[[Pass], str] | None = None  # the text of a delegate's QR code; None where the key cannot be used
    publications: Publications | None = None  # None where nothing is published from here
    test_notice: Callable[[str, int], bool] | None = None  # (target, by): whether a test notice is on its way now
