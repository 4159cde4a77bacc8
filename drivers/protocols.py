"""What may be asked of a device. Drivers block; each runs in one thread that the supervisor owns.

A driver never retries, never sleeps in a loop, never logs repeatedly and never swallows an error:
it raises `DeviceLost` or `Misconfigured` and the supervisor decides. Only `cancel()` may be called
from another thread.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from drivers.escpos import Line


class Health(StrEnum):
    STARTING = "starting"
    OK = "ok"
    DOWN = "down"
    MISCONFIGURED = "misconfigured"
    STOPPED = "stopped"


class Assurance(StrEnum):
    """How far a read can be trusted. A UID identifies; it never proves."""

    UID = "uid"
    AUTHENTICATED = "authenticated"
    PIN = "pin"
    FACE = "face"
    BODY = "body"  # a finger, a palm, a vein, as a terminal recognised it: nobody is asked to agree, so it is never used
    STAFF_SIGHT = "staff_sight"


@dataclass(frozen=True, slots=True)
class Info:
    """What the device said about itself when it was opened."""

    model: str = ""
    serial: str = ""
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRead:
    """One credential presented to one reader. `value` is raw for its scheme; no de-bounce has happened.

    scheme: `uid` (upper hex, air order), `em4100` (10 hex), `number` (a spelling typed by a wedge or
    Wiegand converter, to be looked up through card-number candidates), `qr` (text), `seat` (class/seat), `face`, `person` (the
    number under which a terminal of the school knows somebody: 学号 or 工号).
    read_mono_s: time.monotonic() of the read, for latency; the journal time is the controller's.
    presented_at: "2026-09-01 07:31:02" by the device's own local clock, where the read may have waited in the device; "" for one
    that happened now. nonce: names this presentation however often the device sends it, "" where it never sends twice.
    """

    device: str
    scheme: str
    value: str
    read_mono_s: float
    assurance: Assurance = Assurance.UID
    random_uid: bool = False  # a phone's random UID: never enrolled, never looked up
    presented_at: str = ""
    nonce: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


class Driver(abc.ABC):
    """Life cycle: construct (touches nothing) -> open -> poll/set/latest ... -> close; open again any time."""

    kind: ClassVar[str]
    schemes: ClassVar[tuple[str, ...]] = ()  # URL schemes, e.g. ("rdm6300",) for rdm6300:/dev/serial/by-id/...

    def __init__(self, name: str, url: str, **options: Any) -> None:
        self.name, self.url, self.options = name, url, options

    @classmethod
    def discover(cls) -> Iterable[str]:
        """Candidate URLs by stable path. Touches no device."""
        return ()

    @abc.abstractmethod
    def open(self) -> Info:
        """Blocks for at most 5 s. Raises DeviceLost or Misconfigured."""

    @abc.abstractmethod
    def close(self) -> None:
        """Idempotent, never raises, called only on the thread that called open()."""

    def cancel(self) -> None:  # noqa: B027 - a driver that never waits has nothing to cancel
        """Thread-safe: makes a blocked poll() return early. Never waits for the device: the gate's one loop calls it."""


class Reader(Driver):
    kind = "reader"
    doors: tuple[int, ...] = ()  # contacts of its own that it can close, as school terminals have

    @abc.abstractmethod
    def poll(self, timeout_s: float) -> list[CredentialRead]:
        """Returns within `timeout_s`; [] when nothing was presented. Raises DeviceLost."""

    def feedback(self, granted: bool) -> None:
        """Lamp or beep on the reader itself, where it has one."""

    def taken(self, read: CredentialRead) -> None:
        """Thread-safe: this read is kept for good, so a device that stores its reads may let go of it."""

    def open_door(self, door: int, seconds: float) -> None:
        """Closes one of its own `doors` for about so long; the device itself opens it again. Raises DeviceLost."""
        raise AssertionError(f"{self.name} has no door of its own")

    def detail(self) -> str:
        """What somebody should know although it works, or ''."""
        return ""


class Relay(Driver):
    kind = "relay"
    channels: tuple[int, ...] = (1,)

    @abc.abstractmethod
    def set(self, channel: int, on: bool) -> None: ...

    def ping(self) -> None:
        """Raises DeviceLost when the board is gone. A relay is idle most of the day: this is how that is noticed."""

    def get(self, channel: int) -> bool | None:
        """None when the board cannot tell: then only a door sensor proves anything."""
        return None

    def closed(self) -> frozenset[int] | None:
        """The channels whose contacts are closed, in one look; None when the board cannot tell."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Somebody went through: a turnstile turned, a light barrier was crossed. `input` is the contact that said so."""

    device: str
    input: int
    at_mono_s: float


class PassageSensor(Driver):
    """Contacts that say "somebody went through". A board may be this and a `Relay` in one: it has one owner, one thread."""

    kind = "passage"
    inputs: tuple[int, ...] = (1,)

    @abc.abstractmethod
    def poll(self, timeout_s: float) -> list[Passage]:
        """Returns within `timeout_s`; [] when nobody went through. Looks at least once, so that 0 is a look.

        Raises DeviceLost. What went through while nobody looked is never made up for: that is not known.
        """


class Speaker(Driver):
    """Plays short WAV clips, one at a time. Nobody waits for sound."""

    kind = "speaker"

    @abc.abstractmethod
    def play(self, wav: bytes) -> None:
        """Begins at once and returns at once; what still plays is cut off. Raises DeviceLost."""

    @abc.abstractmethod
    def ping(self) -> None:
        """Plays nothing that can be heard. Raises DeviceLost, or lets `poll` raise it."""

    @abc.abstractmethod
    def poll(self, timeout_s: float) -> bool:
        """True when nothing plays any more, waiting up to `timeout_s` for that. Raises DeviceLost when it could not be played."""


class Printer(Driver):
    kind = "printer"
    columns: int = 48  # characters on a line; a Chinese one counts two

    @abc.abstractmethod
    def print(self, lines: Iterable[Line]) -> None:
        """Blocks until all of it is on paper. Raises DeviceLost when it is not: the whole slip is to be printed again."""

    @abc.abstractmethod
    def ping(self) -> None:
        """Raises DeviceLost when the printer is gone, or could not print now: no paper, an open cover."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture. `jpeg` is encoded on demand by the camera driver, `taken_mono_s` is time.monotonic()."""

    jpeg: bytes
    taken_mono_s: float
    sequence: int


class Camera(Driver):
    kind = "camera"

    @abc.abstractmethod
    def latest(self, *, max_age_s: float = 0.5, wait_s: float = 1.0) -> Frame | None:
        """A frame not older than `max_age_s`, waiting up to `wait_s` for one; never an old picture."""

    @abc.abstractmethod
    def at(self, mono_s: float, *, tolerance_s: float = 0.5) -> Frame | None:
        """Thread-safe. The kept picture nearest to a moment of time.monotonic(); None when none lies that near."""

    def detail(self) -> str:
        """What is wrong with frames that do arrive, such as a covered lens, or ''. No loss: nights are dark."""
        return ""

    @abc.abstractmethod
    def watch(self, timeout_s: float) -> None:
        """Called by the supervisor in a loop; raises DeviceLost when frames stop or freeze."""
