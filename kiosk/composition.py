"""The composition root: every real part of one gate process, made once and wired together.

`kiosk serve`, the demo, the bench and the tests all start a gate here. Order of starting: journal and state, pages, devices,
neighbours; stopping goes the other way round.
"""

from __future__ import annotations

import json
import logging
import secrets
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import FrameType

from fastapi import FastAPI

from kiosk.ballast import Ballast
from kiosk.checking import check_config
from kiosk.clock import Clock
from kiosk.controller import Controller, settle_interpreter
from kiosk.core.commands_privacy import RetentionErased
from kiosk.core.people import Directory
from kiosk.credentials import PinDesk, SignInOutcome, load_pepper
from kiosk.device_trials import Trials
from kiosk.devices import Devices
from kiosk.directory import DirectoryMissing, PinHashes, index, load, load_pin_hashes
from kiosk.directory_schema import Content
from kiosk.disk_watch import DiskWatch
from kiosk.durable_files import make_folder, write_whole
from kiosk.enrolment_office import OfficeEnrolment
from kiosk.face.desk import FaceDesk
from kiosk.face.engine import EngineUnusable
from kiosk.face.process import EngineProcess
from kiosk.face.templates import TemplateStore
from kiosk.face.weights import MODELS_FOLDER
from kiosk.face.withdrawal import Withdrawals
from kiosk.journal import refuse_half_restored
from kiosk.journal_lookups import NoteReader
from kiosk.neighbours import Neighbours
from kiosk.notices.opening import open_notices
from kiosk.opening import open_gate, open_journal
from kiosk.paper import Paper
from kiosk.pass_keys import PassKeyError, PassSigner, open_signer
from kiosk.people_import import DIRECTORY_FILE, OfficeImport
from kiosk.photos import with_photos
from kiosk.privacy.access_log import Looked
from kiosk.privacy.office import PrivacyDesk
from kiosk.privacy.running import Keeping
from kiosk.pruning import Pruner
from kiosk.publishing import DueWatch, Publishing
from kiosk.reading_back import last_row_of_peers
from kiosk.record_keeping import OfficeRecords
from kiosk.recorded import local_time
from kiosk.report_desk import ReportDesk
from kiosk.report_pages import ReportPages
from kiosk.reports.wanted import School
from kiosk.school_year import open_years
from kiosk.session_desk import SessionDesk
from kiosk.settings import Settings
from kiosk.snapshots import PictureError, SnapshotStore
from kiosk.web.app import Server, create_app
from kiosk.web.faces_office import FindingLine
from kiosk.web.gate import Gate, PageRead, PinVerdict, Setting, WebSettings

log = logging.getLogger("kiosk")
access = logging.getLogger("kiosk.access")

DEVICE_KEYS_FILE = "device_keys.json"


@dataclass(frozen=True, slots=True)
class Pictures:
    """Photos and snapshots for the pages; None where there is none."""

    store: SnapshotStore

    def photo(self, person: int) -> bytes | None:
        return self._read(lambda: self.store.photo(person))

    def snapshot(self, snapshot_id: str) -> bytes | None:
        return self._read(lambda: self.store.read(snapshot_id))

    @staticmethod
    def _read(read: Callable[[], bytes | None]) -> bytes | None:
        try:
            return read()
        except PictureError as error:
            log.info("%s", error)
            return None


class PortTaken(Exception):
    """Somebody else listens where the pages should be."""


class GateProcess:
    """One gate, whole. `start()` returns with devices running; `app` is served by the caller's event loop."""

    def __init__(self, *, settings: Settings, state: Path, clock: Clock) -> None:
        make_folder(state, mode=0o777)
        refuse_half_restored(state)
        self.settings, self.state, self.clock = settings, state, clock
        ballast, pictures_stop_at = Ballast(state, mib=settings.site.disk.ballast_mib), settings.site.disk.pictures_stop_at
        self.snapshots = SnapshotStore(
            state, utc_offset_ms=settings.plan.utc_offset_ms, pictures_stop_at=pictures_stop_at
        )  # fmt: skip
        directory = with_photos(load_directory(state), self.snapshots)
        for number in settings.staff_unknown_to(directory):
            log.warning("nobody has the staff number %s that school.toml puts on duty; import the staff list", number)
        row = last_row_of_peers(state)  # before the fold: what comes in between is folded twice, which changes nothing
        self._sign_pass = pass_signer(state, settings.site.node)  # first: the gate takes its own passes
        self.controller: Controller = open_gate(
            settings=settings, directory=directory, state=state, clock=clock,
            journal_in=lambda folder, node: open_journal(folder, node, reserve=ballast),
        )  # fmt: skip
        self.devices = Devices(settings, self.controller, self.snapshots)
        self.faces, self.withdrawals = open_faces(settings, self.controller, self.snapshots, state)
        self.devices.onlooker = self.faces
        self.publishing = Publishing(
            settings=settings, state=state, clock=clock, directory=lambda: self.controller.world.directory,
            findings=plan_findings(settings, directory),
        )  # fmt: skip
        self.neighbours = Neighbours(
            controller=self.controller, state=state, snapshots=self.snapshots, peers_row=row,
            keep_pictures_days=settings.site.web.keep_pictures_days,
            disk=DiskWatch(
                state=state, ballast=ballast, pictures_stop_at=pictures_stop_at, submit=self.controller.submit
            ),
            pruner=Pruner(controller=self.controller, state=state, keep_days=settings.site.disk.keep_records_days),
            dues=DueWatch(publishing=self.publishing, state=state, clock=clock, submit=self.controller.submit),
        )  # fmt: skip
        self.privacy = Keeping(
            controller=self.controller, state=state, settings=settings, snapshots=self.snapshots,
            templates=self.withdrawals.templates,
        )  # fmt: skip
        self.notices = open_notices(settings=settings, gate=self.controller, state=state, clock=clock)
        if self.notices:
            self.notices.on_erased = self._messages_erased
        self.notes = NoteReader(state)
        self.paper = Paper(
            controller=self.controller, printers=self.devices.printers, only=settings.site.printing.device,
            by_itself=settings.site.printing.emergency, note=self.notes,
        )  # fmt: skip
        self.reports = ReportDesk(settings=settings, state=state, clock=clock)
        self._pins = PinDesk(state / "credentials.db", load_pepper(state / "keys" / "pepper", create=True))
        self.app: FastAPI = create_app(self._gate())

    def _gate(self) -> Gate:
        controller, notices = self.controller, self.notices
        return Gate(
            controller=controller,
            rules=controller.world.rules,
            directory=lambda: controller.world.directory,
            clock=self.clock,
            check_pin=self._check_pin,
            pictures=Pictures(self.snapshots),
            importer=OfficeImport(settings=self.settings, state=self.state, clock=self.clock),
            take_snapshot=self.devices.take_snapshot,
            access_log=self._log_page_read,
            records=OfficeRecords(
                settings=self.settings, state=self.state, directory=lambda: controller.world.directory, clock=self.clock,
                pictures=Pictures(self.snapshots),
            ),
            state_dir=self.state,
            reports=ReportPages(
                settings=self.settings, desk=self.reports, directory=lambda: controller.world.directory, clock=self.clock,
                school=lambda: School(settings=self.settings, state=self.state, now_ms=self.clock.now_ms()),
            ),
            sessions=SessionDesk(
                settings=self.settings, state=self.state, directory=lambda: controller.world.directory, clock=self.clock
            ),
            privacy=self._privacy_desk(),
            note=self.notes,
            print_list=self.paper.print if self.paper else None,
            device_keys=load_device_keys(self.state),
            web=web_settings(self.settings),
            settings_in_force=settings_in_force(self.settings),
            home_gate=self.settings.site.gate,
            policy=self.settings.school.city,
            plan_findings=self.publishing.findings,
            publications=self.publishing,
            school_years=open_years(self.settings),
            trials=Trials(self.devices, school=self.settings.school.name, clock=self.clock),
            device_drivers=tuple((device.name, device.scheme) for device in self.settings.site.devices),
            notices=notices.state if notices else None,
            test_notice=notices.test if notices else None,
            enrolment=OfficeEnrolment(settings=self.settings, state=self.state, clock=self.clock),
            sign_pass=self._sign_pass,
            sun=controller.world.sun,
        )

    def _privacy_desk(self) -> PrivacyDesk:
        return PrivacyDesk(
            settings=self.settings, state=self.state, controller=self.controller, keeping=self.privacy,
            templates=self.withdrawals.templates, pictures=Pictures(self.snapshots), note=self.notes, clock=self.clock,
            notices=lambda: self.notices.kinds() if self.notices else (),
        )  # fmt: skip

    def _check_pin(self, staff_number: str, pin: str) -> PinVerdict:
        staff = self.controller.world.directory.by_staff_number.get(staff_number)
        known = bool(self.controller.world.directory.staff)  # read for a number that nobody has as well: it takes as long
        pins, duress = load_pin_hashes(self.state / DIRECTORY_FILE) if known else PinHashes({}, {})
        mine = (pins.get(staff), duress.get(staff)) if staff is not None else (None, None)
        now_ms = self.clock.now_ms()
        tried = self._pins.attempt(staff_number, pin, mine[0], now_ms, duress_hash=mine[1])
        if tried.outcome is SignInOutcome.OK:
            return PinVerdict(ok=True, staff=staff, duress=tried.duress)
        locked_s = max(0, (tried.locked_until_ms or now_ms) - now_ms) // 1000
        return PinVerdict(ok=False, locked_s=locked_s)

    def _messages_erased(self, count: int, before_ms: int) -> None:
        through = local_time(before_ms, self.settings.plan.utc_offset_ms).date().isoformat()
        self.controller.submit(RetentionErased(category="messages", count=count, through=through))

    def _log_page_read(self, read: PageRead) -> None:
        """网络保护条例 art. 36: who looked at whom. A line in the service's log, and one that is erased when its time is over."""
        access.info("%d staff %d %s %s", read.at_ms, read.by, read.what, read.subject)
        if self.privacy.access is not None:
            self.privacy.access.note(Looked(read.at_ms, read.by, read.what, read.subject))

    def start(self) -> None:
        if self.notices:
            self.notices.start()
        self.controller.start()
        self.devices.start()
        self.withdrawals.start()
        if self.faces:
            self.faces.start()
        self.neighbours.start()
        self.privacy.start()

    def stop(self) -> None:
        self.reports.close()
        self.privacy.stop()
        self.neighbours.stop()
        self.devices.stop()
        if self.faces:
            self.faces.stop()
        self.withdrawals.stop()
        self.controller.stop()
        self.notes.close()
        if self.notices:
            self.notices.stop()  # last: what the controller said at the end is written down


def open_faces(
    settings: Settings, controller: Controller, snapshots: SnapshotStore, state: Path
) -> tuple[FaceDesk | None, Withdrawals]:
    """Whoever compares faces, if this computer does, and whoever erases what a family takes back, always."""
    templates: TemplateStore | None = None
    try:
        templates = TemplateStore(state)
    except EngineUnusable as error:
        log.error("%s", error)
    rules, desk = settings.rules.face, None
    if rules is not None and templates is not None:
        process = EngineProcess(rules.engine, state / MODELS_FOLDER)
        desk = FaceDesk(controller=controller, process=process, templates=templates)
    return desk, Withdrawals(controller=controller, snapshots=snapshots, templates=templates)


def load_directory(state: Path) -> Directory:
    """The snapshot in place; an empty one before the first import, so that a new gate already records every tap."""
    try:
        return load(state / DIRECTORY_FILE)
    except DirectoryMissing:
        log.warning("no people yet: import them on the office page or with `kiosk import`")
        return index(Content(), number=0, made_at_ms=0)


def pass_signer(state: Path, node: str) -> PassSigner | None:
    """Taps must go on without it: a gate that cannot sign says so where a pass would be made."""
    try:
        return open_signer(state, node)
    except PassKeyError as error:
        log.error("no delegate's pass can be made here: %s", error)
        return None


def load_device_keys(state: Path) -> Mapping[str, frozenset[str]]:
    """SHA-256 of each network reader's key -> the access points it may read for (none = all)."""
    path = state / "keys" / DEVICE_KEYS_FILE
    if not path.exists():
        return {}
    return {digest: frozenset(points) for digest, points in json.loads(path.read_text()).items()}


def new_device_key(state: Path, access_points: list[str]) -> str:
    """A key for a network reader; only its digest is kept."""
    key, path = secrets.token_urlsafe(24), state / "keys" / DEVICE_KEYS_FILE
    make_folder(path.parent)
    keys = {digest: sorted(points) for digest, points in load_device_keys(state).items()}
    keys[sha256(key.encode()).hexdigest()] = access_points
    write_whole(path, json.dumps(keys, indent=1).encode())
    return key


def web_settings(settings: Settings) -> WebSettings:
    web = settings.site.web
    return WebSettings(idle_s=web.idle_min * 60, public_input_from=web.public_input_from, secure_cookie=web.https)


def settings_in_force(settings: Settings) -> tuple[Setting, ...]:
    """Every value that a file sets, for the office page, with the file it came from."""
    import tomllib

    found: list[Setting] = []
    for name, path in settings.files.items():
        if path.suffix == ".toml":
            found += (Setting(key=k, value=v, source=name) for k, v in _flat("", tomllib.loads(path.read_text())))
    return tuple(found)


def _flat(prefix: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in _flat(f"{prefix}.{key}" if prefix else key, inner)]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [pair for n, inner in enumerate(value, 1) for pair in _flat(f"{prefix}[{n}]", inner)]
    return [(prefix, json.dumps(value, ensure_ascii=False, default=str))]


def plan_findings(settings: Settings, directory: Directory) -> tuple[FindingLine, ...]:
    """What the plan breaks, with the clause; as `kiosk check` says, without reading the people files again."""
    found = check_config(settings.folder, sessions=tuple(directory.sessions.values())).findings
    return tuple(
        FindingLine(level=f.level.value, message=f.message, document=f.document, clause=f.clause) for f in found if not f.accepted
    )


def serve(gate: GateProcess, *, host: str, port: int) -> None:
    """Runs the pages until SIGINT or SIGTERM. The gate is started before and stopped after. Raises PortTaken."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        gate.controller.journal.close()
        sentence = f"{host}:{port} cannot be listened on ({error.strerror}); name another --port or stop the other program"
        raise PortTaken(sentence) from error
    # The web server raises the signal again when it is done; unhandled, that would end us before the gate is stopped.
    signal.signal(signal.SIGTERM, _end)
    gate.start()
    settle_interpreter()
    try:
        Server(gate.app, host=host, port=port).run(sockets=[listening])
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        gate.stop()


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
