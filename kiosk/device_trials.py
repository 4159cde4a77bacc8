"""Trying one device from the office page, through the supervisor that owns it: a card, a contact, a picture, a slip.

A trial has no consequences that nobody asked for: the first card that a tried reader reads within LISTEN_S is shown and not
recorded, and then the reader is an ordinary one again; reads that a device stores are recorded all the same. A contact closes
through the core (TryRelay), on record first. Pictures are shown and kept nowhere.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from drivers.escpos import Line
from drivers.printer_supervisor import PrinterSupervisor
from drivers.protocols import CredentialRead, Health
from drivers.speaker_supervisor import SpeakerSupervisor
from drivers.supervisor import CameraSupervisor, ReaderSupervisor
from drivers.tones import tone
from kiosk.clock import Clock, steady_s
from kiosk.devices import Devices
from kiosk.web.faces_format import clock
from kiosk.web.faces_office import TrialView
from kiosk.web.words import say

LISTEN_S = 15.0
TRIED = frozenset({"reader", "relay", "camera", "printer", "speaker"})
TEST_TONE = "rise"
SHOWN_S = 120.0  # how long the page remembers what became of a trial
SHOWN_CHARACTERS = 24  # of what was read: a pass on paper is longer, and nobody's business
PICTURE_WAIT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    began_s: float
    state: str
    value: str = ""
    scheme: str = ""


class Trials:
    """Every method may be called from any thread and returns soon."""

    def __init__(self, devices: Devices, *, school: str, clock: Clock) -> None:
        self._devices, self._school, self._clock = devices.by_name, school, clock
        self._guard = threading.Lock()
        self._trials: dict[str, _Trial] = {}
        devices.watching = self._saw

    def kinds(self) -> Mapping[str, str]:
        """Device -> reader, relay, camera, printer, speaker: what can be tried."""
        kinds = {name: supervisor.driver.kind for name, supervisor in self._devices.items()}
        return {name: kind for name, kind in kinds.items() if kind in TRIED}

    def contacts(self, name: str) -> tuple[int, ...]:
        """What can be closed on it, a door of a reader's own included."""
        driver = self._devices[name].driver
        found: tuple[int, ...] = getattr(driver, "channels", ()) or getattr(driver, "doors", ())
        return found

    def begin(self, name: str) -> None:
        """What happens depends on the kind; a relay's part is the core's, which has recorded it by now."""
        supervisor = self._devices[name]
        state = "down"
        if supervisor.health is Health.OK:
            state = self._begun(supervisor)
        self._note(name, _Trial(began_s=steady_s(), state=state))

    def _begun(self, supervisor: Any) -> str:
        if isinstance(supervisor, PrinterSupervisor):
            return "printing" if supervisor.print(lambda tries: self._slip(supervisor.name, tries)) else "full"
        if isinstance(supervisor, SpeakerSupervisor):
            return "played" if supervisor.say(lambda: tone(TEST_TONE)) else "down"
        return {"reader": "listening", "relay": "closed", "camera": "picture"}.get(supervisor.driver.kind, "down")

    def closed(self, name: str, done: bool) -> None:
        """What the core said about a contact."""
        self._note(name, _Trial(began_s=steady_s(), state="closed" if done else "down"))

    def state(self, name: str) -> TrialView | None:
        """How the latest trial of this device stands; None without one, and when it was long ago."""
        with self._guard:
            trial = self._trials.get(name)
        if trial is None or (age_s := steady_s() - trial.began_s) > SHOWN_S:
            return None
        state, left_s = trial.state, 0
        if state == "listening":
            left_s = max(0, round(LISTEN_S - age_s))
            state = "listening" if age_s < LISTEN_S else "nobody"
        elif state == "printing":
            supervisor = self._devices[name]
            if supervisor.health is not Health.OK:
                state = "kept"
            elif isinstance(supervisor, PrinterSupervisor) and not supervisor.waiting:
                state = "printed"
        return TrialView(device=name, state=state, value=trial.value, scheme=trial.scheme, left_s=left_s)

    def picture(self, name: str) -> bytes | None:
        """A fresh one, kept nowhere. Blocks for up to a second."""
        supervisor = self._devices.get(name)
        frame = supervisor.latest(wait_s=PICTURE_WAIT_S) if isinstance(supervisor, CameraSupervisor) else None
        return frame.jpeg if frame is not None else None

    def _note(self, name: str, trial: _Trial) -> None:
        with self._guard:
            self._trials[name] = trial

    def _saw(self, read: CredentialRead, stored: bool) -> bool:
        """On the reader's thread. Whether this read belongs to a trial and is not recorded."""
        with self._guard:
            trial = self._trials.get(read.device)
            if trial is None or trial.state != "listening" or steady_s() - trial.began_s >= LISTEN_S:
                return False
            value = read.value if len(read.value) <= SHOWN_CHARACTERS else f"{read.value[:SHOWN_CHARACTERS]}…"
            state = "read_kept" if stored else "read"
            self._trials[read.device] = replace(trial, state=state, value=value, scheme=read.scheme)
        supervisor = self._devices.get(read.device)
        if isinstance(supervisor, ReaderSupervisor) and not stored:
            supervisor.feedback(True)
        return not stored

    def _slip(self, name: str, tries: int) -> list[Line]:
        again = [Line(text=say("paper.again", n=tries), bold=True)] if tries > 1 else []
        return [
            Line(text=self._school, bold=True, align="centre"),
            Line(text="打印机测试 · printer test", align="centre"),
            *again,
            Line(text=f"{name}  {clock(self._clock.now_ms())}"),
            Line(text="王小明 李雷 韩梅梅 □ √ ■ ○"),
            Line(text="0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        ]
