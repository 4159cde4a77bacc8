"""Modbus RTU boards with contacts and inputs: `modbus:/dev/serial/by-id/...?unit=1&channels=8&inputs=8`.

Contacts are coils (written by function 05, read back by 01), inputs are discrete inputs (02). Unlike an LCUS board it
answers: a command counts when the board has repeated it. An input that says "the turnstile turned" makes it a passage
sensor too; one serial port has one owner, so contacts and inputs of a board are one device with one thread.

It never decides how long a contact stays closed (`supervisor.RelaySupervisor`) nor who went through. One board on a
port: a second board on the same pair of wires needs its own adapter.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from drivers.device_urls import OptionValue, merged_options, split_url, tty_path
from drivers.errors import DeviceLost, DriverError, Misconfigured
from drivers.modbus_frames import (
    EXCEPTIONS,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    REQUEST_BYTES,
    UNITS,
    WRITE_COIL,
    ModbusAnswer,
    ModbusAnswerFrames,
    ModbusRequest,
    answers,
    read_coils,
    read_inputs,
    request_frame,
    unpacked,
    write_coil,
)
from drivers.protocols import Info, Passage, PassageSensor, Relay
from drivers.serial_frames import MAX_FRAME_BYTES
from drivers.serial_port import SerialPort, stable_tty_paths
from drivers.turns import TurnFilter

MAX_CONTACTS = 32
LIMITS: Final = {
    "unit": UNITS,
    "channels": range(MAX_CONTACTS + 1),
    "inputs": range(MAX_CONTACTS + 1),
    "first_coil": range(0x10000 - MAX_CONTACTS),
    "first_input": range(0x10000 - MAX_CONTACTS),
}
ANSWER_WAIT_S = 0.4
TRIES = 3  # noise on a long pair of wires eats a frame now and then; a coil may be told the same thing twice
LOOK_PAUSE_S = 0.02  # a turnstile says "turned" for a tenth of a second or more
WRONG_SETTINGS = (ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE)


class ModbusBoard(Relay, PassageSensor):
    """Channel 1 is the coil `first_coil`, input 1 the discrete input `first_input`, both counted from 0 as on the wire.

    `normally=closed` is for inputs that are closed while nobody goes through.
    """

    kind = "relay"
    schemes = ("modbus",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {
        "baud": 9600,
        "unit": 1,
        "channels": 8,
        "first_coil": 0,
        "inputs": 0,
        "first_input": 0,
        "normally": "open",
    }

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        where = split_url(url)
        settings = merged_options(where, options, defaults=self.option_defaults)
        number = {key: int(str(value)) for key, value in settings.items() if key != "normally"}
        self._check(number, str(settings["normally"]))
        self._unit, self._first_coil, self._first_input = number["unit"], number["first_coil"], number["first_input"]
        self._resting = settings["normally"] == "closed"
        self.channels = tuple(range(1, number["channels"] + 1))
        self.inputs = tuple(range(1, number["inputs"] + 1))
        self._port = SerialPort(tty_path(where), baud=number["baud"])
        self._parser = ModbusAnswerFrames(self._unit)
        self._turns = TurnFilter()
        self._cancelled = threading.Event()
        self._own_bytes = 0  # some two-wire adapters hear themselves: so many bytes before each answer are our own

    def _check(self, number: dict[str, int], normally: str) -> None:
        for key, limits in LIMITS.items():
            if number[key] not in limits:
                raise Misconfigured(
                    f"{self.url}: {key}={number[key]} is impossible; it lies between {limits[0]} and {limits[-1]}"
                )
        if normally not in ("open", "closed"):
            raise Misconfigured(f"{self.url}: normally={normally} is unknown; write normally=open or normally=closed")
        if number["channels"] + number["inputs"] == 0:
            raise Misconfigured(f"{self.url}: channels=0 and inputs=0 leave nothing to do")

    @classmethod
    def discover(cls) -> Iterable[str]:
        """A serial adapter does not say what hangs on it: each is a candidate."""
        return [f"modbus:{path}?unit=1" for path in stable_tty_paths()]

    def open(self) -> Info:
        self._port.open()
        self._cancelled.clear()
        self._turns = TurnFilter()
        self._own_bytes = 0
        try:
            self._own_bytes = self._listened(self._look_at_first())
            if self.channels:
                self.closed()
            if self.inputs:
                self._turned()  # how the contacts stand now is nobody's passage
        except DriverError:
            self.close()
            raise
        described = f"{len(self.channels)} channel(s), {len(self.inputs)} input(s)"
        return Info(model=f"Modbus unit {self._unit}, {described}, on {self._port.path}")

    def close(self) -> None:
        self._port.close()

    def cancel(self) -> None:
        self._cancelled.set()
        self._port.cancel()

    def set(self, channel: int, on: bool) -> None:
        """Returns when the board has repeated the command. Raises DeviceLost or Misconfigured."""
        assert channel in self.channels, f"{self.name} has no channel {channel}"
        self._ask(write_coil(self._unit, self._first_coil + channel - 1, on))

    def get(self, channel: int) -> bool:
        return channel in self.closed()

    def closed(self) -> frozenset[int]:
        if not self.channels:
            return frozenset()
        answer = self._ask(read_coils(self._unit, self._first_coil, len(self.channels)))
        states = unpacked(answer.data, len(self.channels))
        return frozenset(channel for channel, is_on in zip(self.channels, states, strict=True) if is_on)

    def ping(self) -> None:
        self._ask(self._look_at_first())

    def poll(self, timeout_s: float) -> list[Passage]:
        deadline_s = time.monotonic() + timeout_s
        while True:
            passages = self._turned()
            if passages or time.monotonic() + LOOK_PAUSE_S > deadline_s or self._cancelled.wait(LOOK_PAUSE_S):
                self._cancelled.clear()
                return passages

    def _turned(self) -> list[Passage]:
        if not self.inputs:
            return []
        answer = self._ask(read_inputs(self._unit, self._first_input, len(self.inputs)))
        states = zip(self.inputs, unpacked(answer.data, len(self.inputs)), strict=True)
        now_s = time.monotonic()
        turned = self._turns.look({number: is_on != self._resting for number, is_on in states}, now_s=now_s)
        return [Passage(device=self.name, input=number, at_mono_s=now_s) for number in turned]

    def _look_at_first(self) -> ModbusRequest:
        """The smallest question that every such board answers."""
        if self.channels:
            return read_coils(self._unit, self._first_coil, 1)
        return read_inputs(self._unit, self._first_input, 1)

    def _listened(self, request: ModbusRequest) -> int:
        """Whether the adapter hears what it sends: then the repetition of a command must be heard twice to count."""
        self._parser.reset()
        self._port.drain()
        self._port.write(request_frame(request))
        heard, answered, deadline_s = b"", False, time.monotonic() + ANSWER_WAIT_S
        while not answered and (left_s := deadline_s - time.monotonic()) > 0:
            data = self._port.read(left_s)
            heard = (heard + data)[-MAX_FRAME_BYTES:]
            answered = bool(self._parser.feed(data))
        return REQUEST_BYTES if request_frame(request) in heard else 0

    def _ask(self, request: ModbusRequest) -> ModbusAnswer:
        answer = next(filter(None, (self._answer_to(request) for _ in range(TRIES))), None)
        if answer is None:
            silent = f"{self._port.path}: Modbus unit {self._unit} does not answer"
            raise DeviceLost(f"{silent}; check its power, the wires A and B, unit= and baud=")
        if answer.exception:
            raise self._refusal(request, answer.exception)
        return answer

    def _answer_to(self, request: ModbusRequest) -> ModbusAnswer | None:
        self._parser.reset()
        self._port.drain()  # a late answer belongs to the question before
        self._port.write(request_frame(request))
        own, deadline_s = self._own_bytes, time.monotonic() + ANSWER_WAIT_S
        while (left_s := deadline_s - time.monotonic()) > 0:
            data = self._port.read(left_s)
            skipped, own = data[own:], max(0, own - len(data))
            for answer in self._parser.feed(skipped):
                if answers(request, answer):
                    return answer
        return None

    def _refusal(self, request: ModbusRequest, exception: int) -> DriverError:
        meaning = EXCEPTIONS.get(exception, "unknown")
        said = f"{self._port.path}: Modbus unit {self._unit} answers exception {exception} ({meaning})"
        if exception not in WRONG_SETTINGS:
            return DeviceLost(f"{said}; switch its power off and on")
        keys = "channels= and first_coil=" if request.function in (WRITE_COIL, 1) else "inputs= and first_input="
        return Misconfigured(f"{said}: it has no such contact; correct {keys}")
