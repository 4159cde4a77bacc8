"""A simulated OSDP reader: libosdp's own peripheral in another process, behind a serial adapter (a pseudo terminal).

`tap("163,12177")` is a Wiegand card of 26 bits, `tap("00623,27706")` one of 34, `tap("DEADBEEF")` a UID without parity.
Physics: it speaks only when asked, only over the Secure Channel, and reports a card once; without its panel a tap is
lost; lamp and beeper do what the panel says (`.shown`). Faults: `power` (off kills the process), `half_answers`,
`garbage`, `echo`, `silence`, `slow`, `unplug`, `replug`.

Run as a program it is the peripheral: verbs on stdin, what happened on stdout, the line on a socket.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import secrets
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections import deque
from pathlib import Path
from typing import Any, ClassVar

from drivers.errors import Misconfigured
from drivers.osdp_packets import OsdpPackets
from drivers.simulated.pty_device import PtyDevice
from drivers.simulated.pty_wire import PtyWire
from drivers.wiegand_bits import wiegand_bits

BAUD = 9600
ADDRESS = 0
STEP_S = 0.005
TAP_WAIT_S = 2.0
START_WAIT_S = 15.0
MAX_SHOWN = 1_000
READ_BYTES = 4096


class SimulatedOsdpReader(PtyDevice):
    """`link` is the stable path of the adapter; the key lies beside it, made when there is none."""

    noise: ClassVar[bytes] = bytes(range(0x80, 0x9F)) + b"\x53\x80\x08\x00\x05zz"  # ends like the beginning of an answer
    verbs: ClassVar[tuple[str, ...]] = (
        "tap", "place", "remove", "power", "half_answers", "garbage", "echo", "silence", "slow", "unplug", "replug",
    )  # fmt: skip

    def __init__(self, *, link: Path | None = None, address: int = ADDRESS) -> None:
        _require_libosdp()
        self.address = address
        self.shown: deque[dict[str, Any]] = deque(maxlen=MAX_SHOWN)  # lamp and beeper, as libosdp tells them
        self._half_left = 0
        self._echoes = False
        self._numbers = itertools.count(1)
        self._delivered: dict[int, bool] = {}
        self._news = threading.Condition()
        self._process: _Peripheral | None = None
        self._own_folder = None if link else tempfile.TemporaryDirectory(prefix="osdp-")
        place = link if link else Path(self._own_folder.name) / "tty" if self._own_folder else Path()
        self.key_file = place.with_name(f"{place.name}.key")
        _make_key(self.key_file)
        self.wire = PtyWire(baud=BAUD, link=place, on_bytes=self._to_reader)
        self.power(True)

    @property
    def url(self) -> str:
        return f"osdp:{self.wire.path}?address={self.address}&key={self.key_file}"

    def tap(self, value: str) -> bool:
        """A card comes, is read, and goes. Whether the panel took it."""
        read, number = _read_of(value), next(self._numbers)
        process = self._process
        if process is None or not process.say({"tap": number, **read}):
            return False
        with self._news:
            self._news.wait_for(lambda: number in self._delivered, TAP_WAIT_S)
            return self._delivered.pop(number, False)

    def place(self, value: str) -> None:
        """Leave the card on the reader: it is reported once."""
        self.tap(value)

    def remove(self) -> None:
        """Take the card away: nothing is said for that."""

    def power(self, on: bool) -> None:
        """Its supply, apart from the adapter's: off ends its process and every secret of the session."""
        process, self._process = self._process, None
        if process is not None:
            process.close()
        if on:
            self._process = _Peripheral(self.key_file, address=self.address, from_reader=self._to_host, told=self._told)

    def half_answers(self, times: int) -> None:
        """Only the first half of its next answers comes through."""
        self._half_left = times

    def echo(self, on: bool) -> None:
        """An adapter that hears itself: whatever the host sends comes back first."""
        self._echoes = on

    def slow(self, byte_gap_s: float) -> None:
        """A pause after every byte; the panel waits 200 ms for an answer of up to 50 bytes."""
        self.wire.slow(byte_gap_s)

    def unplug(self) -> None:
        """Pull the adapter: the path vanishes. The reader has its own supply and stays awake."""
        self.wire.unplug()

    def close(self) -> None:
        self.power(False)
        self.wire.close()
        if self._own_folder is not None:
            self._own_folder.cleanup()

    def wait_until_shown(self, command: int, *, timeout_s: float = 10.0) -> dict[str, Any]:
        """The first lamp or beeper command of this number since the start; {} when none came."""
        with self._news:
            self._news.wait_for(lambda: any(one["command"] == command for one in self.shown), timeout_s)
            return next((one for one in self.shown if one["command"] == command), {})

    def _to_reader(self, data: bytes) -> None:
        if self._echoes:
            self.wire.send(data)
        if self._process is not None:
            self._process.hear(data)

    def _to_host(self, data: bytes) -> None:
        if self._half_left:
            self._half_left -= 1
            data = data[: len(data) // 2]
        self.wire.send(data)

    def _told(self, fact: dict[str, Any]) -> None:
        with self._news:
            if "delivered" in fact:
                self._delivered[fact["delivered"]] = fact["ok"]
            else:
                self.shown.append(fact["shown"])
            self._news.notify_all()


class _Peripheral:
    """The other process, and the threads that carry its bytes and its words."""

    def __init__(self, key_file: Path, *, address: int, from_reader: Any, told: Any) -> None:
        ours, theirs = socket.socketpair()
        self._line, self._from_reader, self._tell = ours, from_reader, told
        self._ready = threading.Event()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), str(address), str(key_file)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[theirs.fileno()], cwd=Path(__file__).parents[2],
            )  # fmt: skip
        self._threads = [threading.Thread(target=run, name="osdp-reader", daemon=True) for run in (self._carry, self._listen)]
        for thread in self._threads:
            thread.start()
        self._ready.wait(START_WAIT_S)

    def say(self, word: dict[str, Any]) -> bool:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(word).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            return False
        return True

    def hear(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._line.sendall(data)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(START_WAIT_S)
        self._line.close()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()

    def _carry(self) -> None:
        while True:
            try:
                data = self._line.recv(READ_BYTES)
            except OSError:
                return
            if not data:
                return
            self._from_reader(data)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            fact = json.loads(line)
            if "ready" in fact:
                self._ready.set()
            else:
                self._tell(fact)
        self._ready.set()  # it ended: nobody waits for it


def _read_of(value: str) -> dict[str, Any]:
    """A card as the reader hands it over: format, length in bits, and the bits in hex. Raises ValueError."""
    if pair := re.fullmatch(r"(\d{1,5}),(\d{1,5})", value):
        bits = 26 if len(pair[1]) <= 3 else 34
        high, low = int(pair[1]), int(pair[2])
        if high >= 1 << bits - 18 or low >= 1 << 16:
            raise ValueError(f"{value} does not fit into {bits} bits")
        return {"format": 1, "length": bits, "data": wiegand_bits(high << 16 | low, bits=bits).hex()}
    return {"format": 0, "length": 8 * len(bytes.fromhex(value)), "data": value}


def _make_key(path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(16) + "\n")


def _require_libosdp() -> None:
    try:
        import osdp  # noqa: F401 - asked for here, so that a hand hears of it before a process fails
    except ImportError as error:
        raise Misconfigured("libosdp is not installed: install campus-kiosk[osdp]") from error


# --- the other process --------------------------------------------------------------------------------------


def peripheral(line: socket.socket, *, address: int, key: bytes) -> None:
    """Serves until stdin ends. One thread; libosdp is turned whenever something came, and every few milliseconds."""
    import osdp

    class LineChannel(osdp.Channel):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self._packets, self._kept = OsdpPackets(), b""

        def read(self, max_bytes: int) -> bytes:
            with contextlib.suppress(BlockingIOError):
                self._kept += b"".join(self._packets.feed(line.recv(READ_BYTES)))
            whole, self._kept = self._kept[:max_bytes], self._kept[max_bytes:]
            return whole

        def write(self, buf: bytes) -> int:
            line.setblocking(True)
            line.sendall(buf)
            line.setblocking(False)
            return len(buf)

        def flush(self) -> None:
            self._packets.reset()

    def obeyed(command: dict[str, Any]) -> tuple[int, None]:
        _print({"shown": {name: value for name, value in command.items() if not isinstance(value, bytes)}})
        return 0, None

    line.setblocking(False)
    kinds = (osdp.Capability.CommunicationSecurity, osdp.Capability.LEDControl, osdp.Capability.AudibleControl)
    capabilities = osdp.PDCapabilities([(kind, 1, 1) for kind in (*kinds, osdp.Capability.CardDataFormat)])
    about = osdp.PDInfo(address, LineChannel(), scbk=key, flags=[osdp.LibFlag.EnforceSecure])
    underway: deque[int] = deque()
    device = osdp.PeripheralDevice(
        about, capabilities, log_level=osdp.LogLevel.Emergency, command_handler=obeyed,
        event_completion_handler=lambda _, status: _print({"delivered": underway.popleft(), "ok": status == 0}),
    )  # fmt: skip
    _print({"ready": True})
    words = b""
    while True:
        ready, _, _ = select.select([line, sys.stdin], [], [], STEP_S)
        if sys.stdin in ready:
            said = os.read(sys.stdin.fileno(), READ_BYTES)
            if not said:
                return
            *whole, words = (words + said).split(b"\n")
            for word in whole:
                _tap(osdp, device, json.loads(word), underway)
        device.ctx.refresh()


def _tap(osdp: Any, device: Any, word: dict[str, Any], underway: deque[int]) -> None:
    """Without its panel a reader shows a red light and forgets."""
    event = {"event": osdp.Event.CardRead, "reader_no": 0, "direction": 0, "format": word["format"]}
    if device.ctx.is_sc_active() and device.ctx.submit_event(
        event | {"length": word["length"], "data": bytes.fromhex(word["data"])}
    ):
        underway.append(word["tap"])
    else:
        _print({"delivered": word["tap"], "ok": False})


def _print(fact: dict[str, Any]) -> None:
    print(json.dumps(fact), flush=True)


def main() -> None:
    handle, address, key_file = sys.argv[1:4]
    key = bytes.fromhex(Path(key_file).read_text(encoding="ascii"))
    with socket.socket(fileno=int(handle)) as line:
        peripheral(line, address=int(address), key=key)


if __name__ == "__main__":
    main()
