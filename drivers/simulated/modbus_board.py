"""A simulated Modbus RTU board with contacts and inputs on a pseudo terminal.

Physics: it has its own power supply, so that pulling the adapter out of the computer moves no contact; only `power_cut`
opens them all. It answers nobody but its own unit, and answers late, half or not at all when it is told to. Verbs of the
world: `turn` (a turnstile), `press`, `release`. Faults: `unplug`, `replug`, `silence`, `slow`, `garbage`, `garble`,
`half_frame`, `refuse`, `hear_itself`, `jam`, `miss`, `power_cut`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar

from drivers.modbus_frames import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    OFF,
    ON,
    READ_COILS,
    READ_INPUTS,
    WRITE_COIL,
    ModbusRequest,
    ModbusRequestFrames,
    answer_to,
    exception_to,
    request_frame,
)
from drivers.simulated.contacts import Contacts
from drivers.simulated.pty_device import PtyDevice
from drivers.simulated.pty_wire import PtyWire

BAUD = 9600
TURN_TAKES_S = 0.3  # an arm cannot turn again sooner


class SimulatedModbusBoard(PtyDevice, Contacts):
    """Channels and inputs are counted from 1, as on the board's print; on the wire they begin with 0."""

    noise: ClassVar[bytes] = bytes(range(0x80, 0x9F)) + b"\x01\x05\x00\x00\xff\x00\x00\x00" + b"\x01\x02\x01"
    verbs: ClassVar[tuple[str, ...]] = (
        "turn", "press", "release", "jam", "miss", "garble", "half_frame", "garbage", "refuse", "hear_itself", "silence", "slow",
        "power_cut", "unplug", "replug",
    )  # fmt: skip

    def __init__(self, *, link: Path | None = None, channels: int = 8, inputs: int = 8, unit: int = 1) -> None:
        super().__init__(channels)
        self.inputs = dict.fromkeys(range(1, inputs + 1), False)
        self.unit = unit
        self._parser = ModbusRequestFrames(unit)
        self._missed_left = self._garbled_left = self._halved_left = 0
        self._refusal = 0
        self._hears_itself = False
        self._looks = 0  # how often the host has looked at the inputs
        self._turned_mono_s = 0.0
        self.wire = PtyWire(baud=BAUD, link=link, on_bytes=self._hear)

    @property
    def url(self) -> str:
        return f"modbus:{self.wire.path}?unit={self.unit}&channels={len(self.state)}&inputs={len(self.inputs)}"

    # --- the world -----------------------------------------------------------------------------------

    def turn(self, number: int = 1, *, hold_s: float = 3.0) -> bool:
        """Somebody goes through the turnstile on this input. True when the host has looked at that moment.

        The contact is active until it was looked at, at most `hold_s`, and is at rest before the next turn.
        """
        time.sleep(max(0.0, self._turned_mono_s + TURN_TAKES_S - time.monotonic()))
        self.press(number)
        seen = self.wait_for_looks(2, timeout_s=hold_s)  # the first may have been answered before the arm moved
        self.release(number)
        self._turned_mono_s = time.monotonic()
        return seen and self.wait_for_looks(2, timeout_s=hold_s)

    def press(self, number: int = 1) -> None:
        """The contact of this input closes."""
        self._set_input(number, True)

    def release(self, number: int = 1) -> None:
        """The contact of this input opens."""
        self._set_input(number, False)

    def _set_input(self, number: int, active: bool) -> None:
        if number not in self.inputs:
            raise ValueError(f"there is no input {number}; there are 1 to {len(self.inputs)}")
        self.inputs[number] = active

    def wait_for_looks(self, count: int, *, timeout_s: float = 5.0) -> bool:
        """True as soon as the host has looked at the inputs so often from now on."""
        with self._moved:
            wanted = self._looks + count
            return self._moved.wait_for(lambda: self._looks >= wanted, timeout_s)

    # --- faults --------------------------------------------------------------------------------------

    def miss(self, commands: int) -> None:
        """Noise on the line eats the next requests."""
        self._missed_left = commands

    def garble(self, answers: int) -> None:
        """One bit of each of the next answers is wrong."""
        self._garbled_left = answers

    def half_frame(self, answers: int = 1) -> None:
        """Of the next answers only the first half comes."""
        self._halved_left = answers

    def refuse(self, exception: int) -> None:
        """Answer everything with this exception; 0 ends it."""
        self._refusal = exception

    def hear_itself(self, hears: bool = True) -> None:
        """A two-wire adapter that gives the host its own bytes back."""
        self._hears_itself = hears

    def unplug(self) -> None:
        """Pull the adapter out of the computer: the board has its own power, and its contacts stay."""
        self.wire.unplug()

    def replug(self) -> None:
        """Put the adapter back."""
        self._parser.reset()
        self.wire.replug()

    def power_cut(self) -> None:
        """Its power fails for a moment: every contact opens."""
        for channel in self.state:
            self._move(channel, on=False)

    # --- the wire ------------------------------------------------------------------------------------

    def _hear(self, data: bytes) -> None:
        for request in self._parser.feed(data):
            if self._hears_itself:
                self.wire.send(request_frame(request))
            if self._missed_left > 0:
                self._missed_left -= 1
            else:
                self._send(self._answer(request))
                self._looked(request)

    def _send(self, answer: bytes) -> None:
        if self._garbled_left > 0:
            self._garbled_left -= 1
            answer = answer[:2] + bytes([answer[2] ^ 0x10]) + answer[3:]
        if self._halved_left > 0:
            self._halved_left -= 1
            answer = answer[: len(answer) // 2]
        self.wire.send(answer)

    def _looked(self, request: ModbusRequest) -> None:
        if request.function == READ_INPUTS:
            with self._moved:
                self._looks += 1
                self._moved.notify_all()

    def _answer(self, request: ModbusRequest) -> bytes:
        exception = self._refusal or _mistake(request, coils=len(self.state), inputs=len(self.inputs))
        if exception:
            return exception_to(request, exception)
        if request.function == WRITE_COIL:
            self._commanded(request.first + 1, on=request.value == ON)
            return answer_to(request)
        bits = self.state if request.function == READ_COILS else self.inputs
        return answer_to(request, [bits[request.first + 1 + at] for at in range(request.value)])


def _mistake(request: ModbusRequest, *, coils: int, inputs: int) -> int:
    """The exception that a board gives to a request that it cannot carry out; 0 when it can."""
    if request.function == WRITE_COIL:
        if request.first >= coils:
            return ILLEGAL_ADDRESS
        return 0 if request.value in (ON, OFF) else ILLEGAL_VALUE
    if request.function not in (READ_COILS, READ_INPUTS):
        return ILLEGAL_FUNCTION
    last = request.first + request.value
    return ILLEGAL_ADDRESS if not request.value or last > (coils if request.function == READ_COILS else inputs) else 0
