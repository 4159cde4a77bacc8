"""The devices of one gate, wired to the controller: reads go in, lamps and doors follow what became durable.

Each device has its own supervised thread. A read is only put into the inbox; a door opens only after the fact is on
disk. No failure here stops the loop or another device.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import Full, Queue
from typing import Any, NamedTuple, Protocol

from drivers.board_supervisor import BoardSupervisor, PassageSupervisor
from drivers.errors import DriverError
from drivers.printer_supervisor import PrinterSupervisor
from drivers.protocols import (
    Camera,
    CredentialRead,
    Driver,
    Frame,
    Health,
    Passage,
    PassageSensor,
    Printer,
    Reader,
    Relay,
    Speaker,
)
from drivers.registry import load
from drivers.speaker_supervisor import SpeakerSupervisor
from drivers.supervisor import CameraSupervisor, DeviceSupervisor, ReaderSupervisor, RelaySupervisor
from kiosk.controller import Batch, Controller
from kiosk.core.commands import ClaimSeat, DeviceChanged, Passed, Read, TryRelay, WatchTurns
from kiosk.core.decisions import Answer, Outcome, Reason
from kiosk.core.late_reads import LATE_AFTER_MS
from kiosk.kept_reads import KeptReads
from kiosk.settings.values import Device, Settings
from kiosk.signalling import Signalling
from kiosk.snapshots import PictureError, SnapshotStore, new_token, snapshot_id
from kiosk.sounds import Sounds

log = logging.getLogger("kiosk.devices")

PICTURES_WAITING = 64  # pictures that may wait to be encrypted and filed; more are dropped and logged
HELD_OPEN_S = 15.0  # in an emergency every contact is closed for so long, again and again: it opens by itself when we are gone
HOLD_AGAIN_S = 5.0
TRY_S = 0.5  # a contact that the office tries
LOOK_EVERY_S = 1.0  # whether every driver still moves


class _Job(NamedTuple):
    """A picture that will be filed: from which camera, of which moment, under which name."""

    camera: CameraSupervisor
    at_ms: int
    token: str
    mono_s: float
    utc_offset_ms: int
    frame: Frame | None = None  # taken already, or found in the camera's ring when it is filed
    person: int | None = None  # whose picture it is, so that it can be erased with all of that person
    file: bool = True
    of: str = ""  # the entry of the tap or claim, when somebody looks at the face
    access_point: str = ""

    def picture(self) -> bytes | None:
        frame = self.frame or self.camera.at(self.mono_s)
        return frame.jpeg if frame is not None else None

    @property
    def id(self) -> str:
        return snapshot_id(taken_at_ms=self.at_ms, token=self.token, utc_offset_ms=self.utc_offset_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Somebody stood in front of a camera. `of`: the entry of the tap or claim; `person` 0: nobody was named.

    `picture` is the JPEG of that moment, empty when the camera gave none.
    """

    of: str
    access_point: str
    person: int
    snapshot: str
    picture: bytes


class Onlooker(Protocol):
    """Whoever compares faces."""

    def wants(self, person: int) -> bool:
        """Whether that person may be looked at. Asked on the controller's thread, before a picture is taken."""
        ...

    def offer(self, sighting: Sighting) -> None:
        """Never waits."""
        ...


def nobody_tries(read: CredentialRead, stored: bool) -> bool:
    """No device is being tried: every read counts."""
    return False


class Devices:
    """All supervisors of `settings.site.devices`, and the wires between them and the controller."""

    def __init__(self, settings: Settings, controller: Controller, snapshots: SnapshotStore) -> None:
        self._controller, self._snapshots = controller, snapshots
        self._points = settings.rules.access_points
        self._readers: dict[str, list[ReaderSupervisor]] = {}
        self._relays: dict[str, RelaySupervisor | ReaderSupervisor] = {}  # a terminal may have a door of its own
        self._cameras: dict[str, CameraSupervisor] = {}
        self._speakers: dict[str, SpeakerSupervisor] = {}
        sounds = Sounds(snapshots.state_dir, speak=settings.site.sound.speak)
        self._signals = Signalling(settings.site, sounds, relays=self._relays, speakers=self._speakers)
        self.printers: dict[str, PrinterSupervisor] = {}
        self._hold_again_s = 0.0
        self._utc_offset_ms = settings.plan.utc_offset_ms
        self._kept = KeptReads(controller.journal.path.parent, utc_offset_ms=self._utc_offset_ms)
        self._late: set[str] = set()  # devices whose last read came late
        self._held: dict[str, _Job] = {}  # taken for a claim that the core has not answered yet
        self._filing: Queue[_Job | None] = Queue(PICTURES_WAITING)
        self._filer = threading.Thread(target=self._file_pictures, name="snapshots", daemon=True)
        self.watching: Callable[[CredentialRead, bool], bool] = nobody_tries  # whether a read is only a trial's
        self._ending = threading.Event()
        self._looker = threading.Thread(target=self._look_after_all, name="device-look", daemon=True)
        self._supervisors: list[DeviceSupervisor[Any]] = []
        self.onlooker: Onlooker | None = None
        self._turns = {(point.turn_sensor, point.turn_input): point.id for point in self._points.values() if point.turn_sensor}
        for device in settings.site.devices:
            self._add(device)
        controller.listeners.append(self._told)

    def _add(self, device: Device) -> None:
        """A device that cannot even be named is shown as misconfigured; the others run."""
        try:
            driver = load(device.url, device.name, **device.options)
            self._supervise(driver, device.access_point)
        except DriverError as error:
            log.error("device %s: %s", device.name, error)
            self._controller.submit(DeviceChanged(device=device.name, health=Health.MISCONFIGURED, why=str(error)))

    def _supervise(self, driver: Driver, point: str) -> None:
        supervisor: DeviceSupervisor[Any]
        if isinstance(driver, Relay):
            supervisor = self._relays[driver.name] = self._relay(driver)
        elif isinstance(driver, PassageSensor):
            supervisor = PassageSupervisor(driver, on_passage=self._passed, on_health=self._health)
        elif isinstance(driver, Speaker):
            supervisor = self._speakers[driver.name] = SpeakerSupervisor(driver, on_health=self._health)
        elif isinstance(driver, Printer):
            supervisor = self.printers[driver.name] = PrinterSupervisor(driver, on_health=self._health)
        elif isinstance(driver, Camera):
            supervisor = self._cameras[driver.name] = CameraSupervisor(driver, on_health=self._health)
        else:
            assert isinstance(driver, Reader), driver

            def on_read(read: CredentialRead) -> None:
                self._read(read, point, driver)

            reader = ReaderSupervisor(driver, on_read=on_read, on_health=self._health, says_taken=True)
            if driver.doors:
                self._relays[driver.name] = reader
            self._readers.setdefault(point, []).append(reader)
            supervisor = reader
        self._supervisors.append(supervisor)

    def _relay(self, driver: Relay) -> RelaySupervisor:
        """Contacts, and where the board has inputs that somebody asks about, those too: on one thread."""
        if isinstance(driver, PassageSensor) and any(device == driver.name for device, _ in self._turns):
            return BoardSupervisor(driver, on_passage=self._passed, on_health=self._health)
        return RelaySupervisor(driver, on_health=self._health)

    def _watch_turns(self) -> None:
        """Only an input that is really there may take a passage back."""
        inputs = {s.name: s.driver.inputs for s in self._supervisors if isinstance(s.driver, PassageSensor)}
        watched = {point for (device, number), point in self._turns.items() if number in inputs.get(device, ())}
        for (device, number), point in self._turns.items():
            if point not in watched:
                why = f"access.{point}: {device} has no input {number}; correct turn_sensor, turn_input or the inputs= of its URL"
                log.error("%s", why)
                self._health(f"{device}:{number}", Health.MISCONFIGURED, why)
        self._controller.submit(WatchTurns(access_points=frozenset(watched)))

    def start(self) -> None:
        self._filer.start()
        if self._turns:
            self._watch_turns()
        for supervisor in self._supervisors:
            supervisor.start()
        self._looker.start()

    def stop(self) -> None:
        self._ending.set()
        for supervisor in self._supervisors:
            supervisor.ask_to_stop()
        for supervisor in self._supervisors:
            supervisor.stop()
        if self._filer.is_alive():
            self._filing.put(None)
            self._filer.join(timeout=5)
        self._kept.close()

    def _look_after_all(self) -> None:
        while not self._ending.wait(LOOK_EVERY_S):
            for supervisor in self._supervisors:
                supervisor.look()

    # --- in ------------------------------------------------------------------------------------------

    def _read(self, read: CredentialRead, point: str, reader: Reader) -> None:
        """A picture's name goes in with the read; the picture itself is filed afterwards, if the fact kept the name. A device
        that stores its reads is told that one is kept when it is on disk, or was already."""
        name, at_ms = self._kept.name(read), self._kept.moment_ms(read)
        if self._kept.has(point, name):
            reader.taken(read)
            return
        if self.watching(read, bool(name) or at_ms is not None):
            return
        now_ms = self._controller.clock.now_ms()
        late_ms = now_ms - at_ms if at_ms is not None else 0
        self._note_late(read.device, late_ms)
        job = None if late_ms > LATE_AFTER_MS else self._new_job(point, read.read_mono_s)
        snapshot = job.id if job else ""
        command = Read(
            access_point=point,
            scheme=read.scheme,
            value=read.value,
            assurance=read.assurance.value,
            random_uid=read.random_uid,
            sun=str(read.evidence.get("sun", "")),
            snapshot=snapshot,
            read_at_ms=at_ms,
            stored=at_ms is not None,
            nonce=name,
        )

        def on_answer(answer: Answer) -> None:
            if answer.decision.reason is not Reason.CANNOT_SAVE:
                reader.taken(read)
            kept = any(fact.body.get("snapshot") == snapshot for fact in answer.decision.facts)
            self._use(job, answer, point, file=kept)

        self._controller.submit(command, on_answer if snapshot or name else None)

    def _note_late(self, device: str, late_ms: int) -> None:
        """Said once when reads begin to come late: a slow clock in a terminal opens no door, and nobody would know why."""
        if late_ms <= LATE_AFTER_MS:
            self._late.discard(device)
        elif device not in self._late:
            self._late.add(device)
            minutes = late_ms // 60_000
            log.warning("device %s delivers reads of %d min ago: it was cut off, or its clock is slow", device, minutes)

    def _new_job(self, point: str, mono_s: float) -> _Job | None:
        """A picture to be filed from the camera at this access point; None when no camera looks at it now."""
        access = self._points.get(point)
        camera = self._cameras.get(access.camera) if access else None
        if camera is None or camera.health is not Health.OK:
            return None
        return _Job(camera, self._controller.clock.now_ms(), new_token(), mono_s, self._utc_offset_ms)

    def _use(self, job: _Job | None, answer: Answer, point: str, *, file: bool) -> None:
        """A picture is taken to be filed, to be looked at, or not at all: no consent, or nothing recorded. Never an adult's."""
        decision = answer.decision
        looked_at = (
            self.onlooker is not None and answer.entry is not None and decision.person is None and not decision.adult
            and self.onlooker.wants(decision.child or 0)
        )  # fmt: skip
        if job is not None and (file or looked_at):
            of = str(answer.entry) if looked_at else ""
            self._keep(job._replace(person=decision.child, file=file, of=of, access_point=point))

    def _keep(self, job: _Job) -> None:
        try:
            self._filing.put_nowait(job)
        except Full:
            log.warning("too many pictures wait; %s is not kept", job.id)

    def take_snapshot(self, point: str) -> str:
        """Takes a picture now (no-card button) and holds it; it is filed once the claim's fact names it, so never
        without consent. Blocks up to a second; "" without one."""
        job = self._new_job(point, time.monotonic())
        frame = job.camera.latest() if job else None
        if job is None or frame is None:
            return ""
        while len(self._held) >= PICTURES_WAITING:
            self._held.pop(next(iter(self._held)), None)
        self._held[job.id] = job._replace(frame=frame)
        return job.id

    def _file_pictures(self) -> None:
        while (job := self._filing.get()) is not None:
            picture = job.picture()
            if picture is not None and job.file:
                self._file(job, picture)
            if job.of and self.onlooker is not None:
                self.onlooker.offer(
                    Sighting(
                        of=job.of, access_point=job.access_point, person=job.person or 0, snapshot=job.id if job.file else "",
                        picture=picture or b"",
                    )
                )  # fmt: skip

    def _file(self, job: _Job, jpeg: bytes) -> None:
        try:
            self._snapshots.file(jpeg, taken_at_ms=job.at_ms, token=job.token, person=job.person)
        except PictureError as error:
            log.warning("%s", error)

    def _passed(self, passage: Passage) -> None:
        point = self._turns.get((passage.device, passage.input))
        if point is not None:
            self._controller.submit(Passed(access_point=point))

    def _health(self, name: str, health: Health, why: str) -> None:
        if health in (Health.STARTING, Health.STOPPED):
            return
        self._controller.submit(DeviceChanged(device=name, health=health.value, why=why))

    # --- out -----------------------------------------------------------------------------------------

    def _told(self, batch: Batch) -> None:
        """On the controller's thread, after the commit: only hands work to device threads."""
        self._hold_open()
        for command, answer in batch.answers:
            decision = answer.decision
            if isinstance(command, ClaimSeat):
                self._claimed(command, answer)
            if isinstance(command, TryRelay) and decision.outcome is Outcome.GRANTED and command.device in self._relays:
                self._relays[command.device].pulse(command.contact, TRY_S)
            point = self._points.get(decision.access_point)
            if point is None:
                continue
            if decision.open_door and point.relay in self._relays:
                self._relays[point.relay].pulse(point.relay_channel, point.pulse_s)
            if isinstance(command, Read):
                self._signals.tell(point.id, decision, self._controller.world.directory)
                for reader in self._readers.get(point.id, ()):
                    reader.feedback(decision.outcome is Outcome.GRANTED)

    def _claimed(self, command: ClaimSeat, answer: Answer) -> None:
        job = self._held.pop(command.snapshot, None)
        kept = any(fact.body.get("snapshot") == command.snapshot for fact in answer.decision.facts)
        self._use(job, answer, command.access_point, file=kept)

    def _hold_open(self) -> None:
        """While a real emergency runs, whoever declared it and wherever, every door with a relay is held open; a drill opens
        none. A board can hold a contact only as long as it has power and is told again: what people depend on to get out is
        wired to open without power (docs/emergency.md)."""
        emergency, now_s = self._controller.world.campus.emergency, time.monotonic()
        if emergency is None or emergency.drill:
            self._hold_again_s = 0.0
        elif now_s >= self._hold_again_s:
            self._hold_again_s = now_s + HOLD_AGAIN_S
            for point in self._points.values():
                if point.relay in self._relays:
                    self._relays[point.relay].pulse(point.relay_channel, HELD_OPEN_S)

    @property
    def by_name(self) -> Mapping[str, DeviceSupervisor[Any]]:
        return {supervisor.name: supervisor for supervisor in self._supervisors}
