"""One thread for each device: opens it, serves it, and brings it back when it goes away.

A driver raises; what follows is decided here. `DeviceLost`: close, wait 0.2 s doubling to 6.4 s, open again.
`Misconfigured`: a person must act, so it is tried every 30 s only. Anything else is a mistake in a program: logged once
with its traceback, the device is DOWN, and it is tried again. Health is told once per change, and logged once. A driver that
hangs in a call cannot raise: whoever owns the supervisors calls `look` from time to time, and it is DOWN until it moves again.

A supervisor never lets one device touch another, never blocks its callers, and never decides what a read means.
"""

from __future__ import annotations

import abc
import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Generic, Self, TypeVar

from drivers.errors import IO_ERRORS, DeviceLost, Misconfigured
from drivers.protocols import Camera, CredentialRead, Driver, Frame, Health, Info, Reader, Relay

log = logging.getLogger(__name__)

POLL_S = 0.25
HANGS_S = 15.0  # open() may take 5 s, a turn of the loop much less; more is a driver that hangs
JOIN_S = 5.0  # a driver may block that long in open(); nfcpy over udp for two seconds in a look
MAX_TRACEBACKS = 16  # different mistakes that are logged for one device
MAX_FEEDBACK = 4
MAX_PULSES = 16
MAX_PULSE_S = 60.0
STALE_PULSE_S = 2.0  # a door must not open for somebody who has given up and walked on
OFF_AGAIN_S = 5.0  # most boards cannot be read back: an OFF that noise has eaten is mended by the next one

OnHealth = Callable[[str, Health, str], None]
D = TypeVar("D", bound=Driver)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait before a device is tried again, in seconds."""

    first_s: float = 0.2
    longest_s: float = 6.4  # with the slowest open, a device is back within ten seconds of its return
    misconfigured_s: float = 30.0
    stable_s: float = 5.0  # a device that ran so long has recovered: its next failure starts at `first_s`


USUAL_PATIENCE = Patience()


class DeviceSupervisor(abc.ABC, Generic[D]):
    """Owns `driver` and the thread that alone may open, use and close it."""

    hangs_s: ClassVar[float] = HANGS_S

    def __init__(self, driver: D, *, on_health: OnHealth, patience: Patience = Patience()) -> None:
        self.driver = driver
        self._on_health, self._patience = on_health, patience
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"device-{driver.name}", daemon=True)
        self._health: tuple[Health, str] | None = None
        self._info = Info()
        self._turn_mono_s: float | None = None  # when the call began in which the driver may hang; None: it is at rest
        self._logged: set[str] = set()
        self._telling = threading.RLock()
        self._hung = False

    @property
    def name(self) -> str:
        return self.driver.name

    @property
    def health(self) -> Health:
        return self._health[0] if self._health else Health.STARTING

    @property
    def why(self) -> str:
        """The sentence that came with the present health."""
        return self._health[1] if self._health else ""

    @property
    def info(self) -> Info:
        """What the device said when it was last opened."""
        return self._info

    def look(self) -> bool:
        """Whether the driver moves. From another thread, now and then: one that hangs in a call is told as DOWN, once."""
        with self._telling:
            began_s = self._turn_mono_s
            if began_s is None or (hung_s := time.monotonic() - began_s) < self.hangs_s:
                return True
            self._hung = True
            self._change(Health.DOWN, f"{self.driver.url} has not answered for {hung_s:.0f} s: switch it off and on")
        return False

    def start(self) -> Self:
        """Returns at once; the device is opened on its own thread."""
        self._thread.start()
        return self

    def ask_to_stop(self) -> None:
        """Returns at once. Whoever stops several asks all of them first: each may need a moment."""
        self._stopping.set()
        self.driver.cancel()
        self._wake()

    def stop(self) -> bool:
        """Close the device and end the thread. False when a driver hangs in a call and the thread was left behind."""
        self.ask_to_stop()
        if self._thread.ident is not None:
            self._thread.join(JOIN_S)
        if self._thread.is_alive():
            log.error("device %s does not stop: its driver hangs in a call", self.name)
        return not self._thread.is_alive()

    @abc.abstractmethod
    def _serve(self) -> None:
        """A bounded piece of work on an open device: at most about POLL_S."""

    def _opened(self) -> None:
        """Runs after every open, before OK is told."""

    def _closing(self) -> None:
        """Runs before the device is closed on purpose."""

    def _wake(self) -> None:
        """Make `_serve` return early."""

    def _run(self) -> None:
        wait_s = self._patience.first_s
        self._change(Health.STARTING, "")
        while not self._stopping.is_set():
            started_s = self._turn_mono_s = time.monotonic()
            health, why = self._one_life()
            with self._telling:
                self._turn_mono_s, self._hung = None, False
            if self._stopping.is_set():
                break
            self._change(health, why)
            if health is Health.MISCONFIGURED:
                self._stopping.wait(self._patience.misconfigured_s)
                continue
            if time.monotonic() - started_s >= self._patience.stable_s:
                wait_s = self._patience.first_s
            self._stopping.wait(wait_s)
            wait_s = min(2 * wait_s, self._patience.longest_s)
        self._change(Health.STOPPED, "")

    def _one_life(self) -> tuple[Health, str]:
        """From open to close. Gives what ended it."""
        try:
            self._info = self.driver.open()
            self._opened()
            self._change(Health.OK, self._info.model)
            while not self._stopping.is_set():
                self._turn_mono_s = time.monotonic()
                if self._hung:
                    self._moves_again()
                self._serve()
            self._closing()
        except Misconfigured as error:
            return Health.MISCONFIGURED, str(error)
        except DeviceLost as error:
            return Health.DOWN, str(error)
        except IO_ERRORS as error:
            return Health.DOWN, f"{self.driver.url}: {error}; check cable and power"
        except Exception as error:  # a mistake in a program must neither kill the thread nor pass in silence
            self._log_once(error)
            return (
                Health.DOWN,
                f"{self.driver.url}: fault in the program ({type(error).__name__}: {error}); see the log",
            )
        finally:
            self._close()
        return Health.STOPPED, ""

    def _moves_again(self) -> None:
        with self._telling:
            self._hung = False
            self._change(Health.OK, self._info.model)

    def _close(self) -> None:
        try:
            self.driver.close()
        except Exception as error:  # close() promises not to raise: a driver that does must not end the others' day
            self._log_once(error)

    def _change(self, health: Health, why: str) -> None:
        with self._telling:
            self._tell(health, why)

    def _tell(self, health: Health, why: str) -> None:
        before = self._health
        self._health = (health, why)
        if before is not None and before[0] is health:
            return
        if health in (Health.DOWN, Health.MISCONFIGURED):
            log.warning("device %s is %s: %s", self.name, health.value, why)
        elif before is not None and before[0] in (Health.DOWN, Health.MISCONFIGURED):
            log.info("device %s is %s again: %s", self.name, health.value, why)
        try:
            self._on_health(self.name, health, why)
        except Exception as error:  # the listener's mistake: the device still works
            self._log_once(error)

    def _log_once(self, error: Exception) -> None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        mistake = f"{type(error).__name__} {place.filename}:{place.lineno}"
        if mistake in self._logged or len(self._logged) >= MAX_TRACEBACKS:
            return
        self._logged.add(mistake)
        log.error("device %s: fault in the program", self.name, exc_info=error)


@dataclass(frozen=True, slots=True)
class _Pulse:
    channel: int
    seconds: float
    begins_mono_s: float


class ReaderSupervisor(DeviceSupervisor[Reader]):
    """`on_read` gets every read, on this device's thread: it must only put it into an inbox.

    A device that stores its reads is told that one is kept as soon as `on_read` has returned; with `says_taken` whoever
    listens tells the driver itself (`Reader.taken`), once the read is durable.
    """

    def __init__(
        self,
        driver: Driver,
        *,
        on_read: Callable[[CredentialRead], None],
        on_health: OnHealth,
        patience: Patience = Patience(),
        says_taken: bool = False,
    ) -> None:
        if not isinstance(driver, Reader):
            raise Misconfigured(f"{driver.name}: {driver.url} is no reader")
        super().__init__(driver, on_health=on_health, patience=patience)
        self._on_read, self._says_taken = on_read, says_taken
        self._feedback: deque[bool] = deque(maxlen=MAX_FEEDBACK)
        self._doors: deque[_Pulse] = deque(maxlen=MAX_FEEDBACK)

    def feedback(self, granted: bool) -> None:
        """Lamp or beep on the reader. Thread-safe; the oldest is dropped when four wait."""
        self._feedback.append(granted)
        self.driver.cancel()

    def pulse(self, channel: int, seconds: float) -> bool:
        """Opens a door of the reader's own, as `RelaySupervisor.pulse`. False: it is not there, or has no such door."""
        if self.health is not Health.OK or channel not in self.driver.doors or seconds <= 0:
            return False
        self._doors.append(_Pulse(channel, min(seconds, MAX_PULSE_S), time.monotonic()))
        self.driver.cancel()
        return True

    def detail(self) -> str:
        """What somebody should know although it works; why it does not, otherwise."""
        return self.driver.detail() if self.health is Health.OK else self.why

    def _opened(self) -> None:
        self._doors.clear()

    def _serve(self) -> None:
        for read in self.driver.poll(POLL_S):
            self._on_read(read)
            if not self._says_taken:
                self.driver.taken(read)
        while self._feedback:
            self.driver.feedback(self._feedback.popleft())
        while self._doors:
            door = self._doors.popleft()
            if time.monotonic() - door.begins_mono_s <= STALE_PULSE_S:
                self.driver.open_door(door.channel, door.seconds)


class CameraSupervisor(DeviceSupervisor[Camera]):
    """Keeps a camera alive. Pictures are asked for from any thread."""

    def __init__(self, driver: Driver, *, on_health: OnHealth, patience: Patience = Patience()) -> None:
        if not isinstance(driver, Camera):
            raise Misconfigured(f"{driver.name}: {driver.url} is no camera")
        super().__init__(driver, on_health=on_health, patience=patience)

    def latest(self, *, max_age_s: float = 0.5, wait_s: float = 1.0) -> Frame | None:
        """None at once when the camera is not OK; otherwise as `Camera.latest`."""
        if self.health is not Health.OK:
            return None
        return self.driver.latest(max_age_s=max_age_s, wait_s=wait_s)

    def at(self, mono_s: float, *, tolerance_s: float = 0.5) -> Frame | None:
        """None at once when the camera is not OK; otherwise as `Camera.at`."""
        if self.health is not Health.OK:
            return None
        return self.driver.at(mono_s, tolerance_s=tolerance_s)

    def detail(self) -> str:
        """What is wrong with the pictures, or with the camera; '' when nothing is."""
        return self.driver.detail() if self.health is Health.OK else self.why

    def _serve(self) -> None:
        self.driver.watch(POLL_S)


class RelaySupervisor(DeviceSupervisor[Relay]):
    """Owns how long a contact stays closed. Every channel is told OFF at start, at stop, and whenever it idles.

    After a crash the contact stays as it was until the next start tells it OFF: an exit that people depend on is wired
    to open without power, never left to this.
    """

    def __init__(self, driver: Driver, *, on_health: OnHealth, patience: Patience = Patience()) -> None:
        if not isinstance(driver, Relay):
            raise Misconfigured(f"{driver.name}: {driver.url} is no relay board")
        super().__init__(driver, on_health=on_health, patience=patience)
        self._asked: deque[_Pulse] = deque()
        self._changed = threading.Condition()
        self._off_at_s: dict[int, float] = {}  # closed contacts; only the device's thread touches this
        self._off_again_s = 0.0
        self._refused: set[int] = set()  # channels that were asked for in vain: the settings name no more than a few

    def pulse(self, channel: int, seconds: float) -> bool:
        """Close `channel` now, for `seconds` from now. Thread-safe, returns at once.

        False: nothing will happen, because the board is not there, has no such channel, or too much is waiting. A
        longer pulse extends a running one, a shorter one does not cut it; none is longer than MAX_PULSE_S. It never
        raises: its caller is the one loop of the gate, which must outlive a wrong number in the settings.
        """
        if not (channel in self.driver.channels and seconds > 0):
            self._refuse_once(channel, seconds)
            return False
        return self._ask([_Pulse(channel, min(seconds, MAX_PULSE_S), time.monotonic())])

    def signal(self, channel: int, beats: Iterable[tuple[float, float]]) -> bool:
        """A lamp or a beeper: closed for the second after the first number of each beat, in seconds from now.

        As `pulse`; and what an earlier signal on this channel still had to say is dropped: the newest answer counts.
        """
        now_s = time.monotonic()
        pulses = [_Pulse(channel, min(lasts_s, MAX_PULSE_S), now_s + after_s) for after_s, lasts_s in beats]
        if channel not in self.driver.channels:
            self._refuse_once(channel, pulses[0].seconds if pulses else 0.0)
            return False
        return self._ask(pulses, instead_of=channel)

    def _ask(self, pulses: list[_Pulse], *, instead_of: int | None = None) -> bool:
        with self._changed:
            kept = [pulse for pulse in self._asked if pulse.channel != instead_of]
            if self.health is not Health.OK or len(kept) + len(pulses) > MAX_PULSES:
                return False
            self._asked = deque([*kept, *pulses])
            self._changed.notify()
        return True

    def _refuse_once(self, channel: int, seconds: float) -> None:
        if channel in self._refused:
            return
        self._refused.add(channel)
        has = ", ".join(str(known) for known in self.driver.channels)
        log.error("device %s: no pulse of %r s on channel %d; it has %s", self.name, seconds, channel, has)

    def _opened(self) -> None:
        with self._changed:
            self._asked.clear()
        self._off_at_s.clear()
        self._all_off()

    def _closing(self) -> None:
        self._all_off()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def _serve(self) -> None:
        with self._changed:
            if not self._begun() and not self._stopping.is_set():
                self._changed.wait(self._until_next_duty_s())
            begun = self._begun()
            self._asked = deque(pulse for pulse in self._asked if pulse not in begun)
        for pulse in begun:
            self._close_contact(pulse)
        self._open_contacts_due()
        self._look()

    def _look(self) -> None:
        """Raises DeviceLost when the board is gone."""
        self.driver.ping()

    def _until_next_duty_s(self) -> float:
        now_s = time.monotonic()
        due_s = min([now_s + POLL_S, *self._off_at_s.values(), *(pulse.begins_mono_s for pulse in self._asked)])
        return max(0.0, due_s - now_s)

    def _begun(self) -> list[_Pulse]:
        now_s = time.monotonic()
        return [pulse for pulse in self._asked if pulse.begins_mono_s <= now_s]

    def _close_contact(self, pulse: _Pulse) -> None:
        now_s = time.monotonic()
        if now_s - pulse.begins_mono_s > STALE_PULSE_S:
            log.warning("device %s: a pulse on channel %d came too late and was dropped", self.name, pulse.channel)
            return
        off_at_s = max(now_s + pulse.seconds, self._off_at_s.get(pulse.channel, 0.0))
        self._off_at_s[pulse.channel] = off_at_s  # noted before it is sent: a contact is never on without its end
        self.driver.set(pulse.channel, True)

    def _open_contacts_due(self) -> None:
        now_s = time.monotonic()
        for channel in [channel for channel, due_s in self._off_at_s.items() if due_s <= now_s]:
            self.driver.set(channel, False)
            del self._off_at_s[channel]
            self._off_again_s = min(self._off_again_s, now_s + POLL_S)
        if now_s >= self._off_again_s:
            self._off_again()

    def _off_again(self) -> None:
        """Every contact that should be open and may not be: a board that can be read back is told only what it got wrong."""
        closed = self.driver.closed()
        doubtful = self.driver.channels if closed is None else sorted(closed)
        self._off(channel for channel in doubtful if channel not in self._off_at_s)

    def _all_off(self) -> None:
        self._off(self.driver.channels)

    def _off(self, channels: Iterable[int]) -> None:
        for channel in channels:
            self.driver.set(channel, False)
        self._off_again_s = time.monotonic() + OFF_AGAIN_S
