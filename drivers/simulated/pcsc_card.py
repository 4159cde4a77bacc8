"""A simulated PC/SC reader: a real pcscd of its own, its driver for virtual readers (vpcd), and virtual contactless cards.

A card is a TCP client of vpcd: connected is placed, closed is removed. Physics: pcscd looks every 0.4 s, so a tap takes
that long; a card speaks only when it is asked. `unplug` ends the daemon, `silence` halts it. Faults: `garbage`,
`half_frame`, `mute`, `slow`, `silence`, `unplug`, `replug`. Needs the packages pcscd and vsmartcard-vpcd; any number run
beside each other and beside the system's pcscd, each with its own socket and port.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import reduce
from operator import xor
from pathlib import Path
from typing import ClassVar, Self

from drivers.errors import Misconfigured
from drivers.simulated.rf_cards import Type4Card

READER = "Virtual PCD 00 00"
DRIVERS = Path("/usr/lib/pcsc/drivers/serial")
HOLD_S = 3.0
START_WAIT_S = 10.0
STOP_WAIT_S = 5.0
NOTICE_WAIT_S = 5.0
LISTENING, IN_USE = frozenset({"0A"}), frozenset({"01", "08"})  # /proc/net/tcp: listening; established, closed by the other end
STARTS = 5  # the ports may be taken by another in the moment between choosing and listening
OFF, ON, RESET, GET_ATR = 0x00, 0x01, 0x02, 0x04  # what vpcd says in one byte
OK, UNKNOWN = b"\x90\x00", b"\x6d\x00"
# sd_listen_fds(3): the socket is descriptor 3, and the variables name the process that it is meant for.
ACTIVATE = """import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])"""
GARBAGE = bytes(range(0x80, 0x9F)) + OK


class SimulatedPcscReader:
    """`link` is the socket of its pcscd, for `?socket=`."""

    verbs: ClassVar[tuple[str, ...]] = (
        "tap", "place", "remove", "garbage", "half_frame", "mute", "slow", "silence", "unplug", "replug",
    )  # fmt: skip

    def __init__(self, *, link: Path | None = None) -> None:
        self._pcscd, self._driver = _require_packages()
        self._folder = tempfile.TemporaryDirectory(prefix="pcscd-")  # a socket's name must be short
        self.link = link if link else Path(self._folder.name) / "link"
        self._service: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._card: _VirtualCard | None = None
        self._gap_s = 0.0
        self._verbs = threading.RLock()
        try:
            self.replug()
        except Misconfigured:
            self._folder.cleanup()
            raise

    @property
    def url(self) -> str:
        return f"pcsc:{READER}?socket={self.link}"

    def tap(self, value: str, *, hold_s: float = HOLD_S) -> bool:
        """A card comes, is read, and goes. False when nobody asked for its UID."""
        return self._show(_answering(bytes.fromhex(value)), hold_s=hold_s)

    def place(self, value: str) -> None:
        """Leave the card on the reader."""
        self._put(_answering(bytes.fromhex(value)))

    def place_card(self, card: Type4Card) -> None:
        """Leave a card on the reader that has more to say than its UID: the field comes up anew for it."""
        card.power_down()
        self._put(lambda command: card.uid + OK if command[:2] == b"\xff\xca" else card.answer_apdu(command))

    def remove(self) -> None:
        """Take the card away."""
        with self._verbs:
            card, self._card = self._card, None
            if card is not None:
                card.close()
                self._wait_until_noticed()

    def garbage(self) -> None:
        """A card that answers noise to every question."""
        self._show(lambda command: GARBAGE, hold_s=HOLD_S)

    def half_frame(self, value: str) -> None:
        """A card that is pulled away in the middle of its answer."""
        self._show(_answering(bytes.fromhex(value)), hold_s=HOLD_S, halves=True)

    def mute(self) -> None:
        """A card that is no contactless card: it knows no UID."""
        self._show(lambda command: UNKNOWN, hold_s=HOLD_S)

    def slow(self, byte_gap_s: float) -> None:
        """A pause for every byte of an answer."""
        self._gap_s = byte_gap_s

    def silence(self, silent: bool) -> None:
        """A pcscd that hangs: it takes every question and answers none."""
        with self._verbs:
            if self._service is not None:
                self._service.send_signal(signal.SIGSTOP if silent else signal.SIGCONT)

    def unplug(self) -> None:
        """Stop pcscd: every reader of it is gone, and the socket too."""
        with self._verbs:
            self.silence(False)
            self.remove()
            service, self._service = self._service, None
            self.link.unlink(missing_ok=True)
            if service is not None:
                _ended(service)

    def replug(self) -> None:
        """Start pcscd again, with the same socket."""
        with self._verbs:
            if self._service is not None:
                return
            for _ in range(STARTS):
                self._port = _two_free_ports()
                self._service = self._started()
                if self._service is not None:
                    break
            else:
                raise Misconfigured("pcscd does not start with a virtual reader: run it by hand, pcscd -f, to see why")
            self.link.parent.mkdir(parents=True, exist_ok=True)
            beside = self.link.with_name(f".{self.link.name}.new")
            beside.unlink(missing_ok=True)
            beside.symlink_to(self._socket)
            beside.replace(self.link)

    def close(self) -> None:
        self.unplug()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _socket(self) -> Path:
        return Path(self._folder.name) / "comm"

    def _started(self) -> subprocess.Popen[bytes] | None:
        """pcscd with our configuration, given its socket as systemd would; None when it could not have the port."""
        config = Path(self._folder.name) / "readers"
        config.mkdir(exist_ok=True)
        port = f"0x{self._port:04X}"
        (config / "vpcd").write_text(
            f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{port}\nLIBPATH {self._driver}\nCHANNELID {port}\n'
        )
        self._socket.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(self._socket))
            listening.listen()
            number = listening.fileno()
            service = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", ACTIVATE, str(number), self._pcscd, "--foreground", "--config", str(config)],
                pass_fds=[number], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        give_up_s = time.monotonic() + START_WAIT_S
        while time.monotonic() < give_up_s and service.poll() is None:
            if _listens(service.pid, self._port):
                return service
            time.sleep(0.02)
        _ended(service)
        return None

    def _wait_until_noticed(self) -> None:
        """vpcd takes a card that follows at once for the one before: a hand needs longer than its next look."""
        give_up_s = time.monotonic() + NOTICE_WAIT_S
        while self._service is not None and _connections(self._port, IN_USE) and time.monotonic() < give_up_s:
            time.sleep(0.02)

    def _put(self, answer: Callable[[bytes], bytes], *, halves: bool = False) -> _VirtualCard | None:
        with self._verbs:
            self.remove()
            if self._service is None:
                return None
            self._card = _VirtualCard(self._port, answer, gap_s=self._gap_s, halves=halves)
            return self._card

    def _show(self, answer: Callable[[bytes], bytes], *, hold_s: float, halves: bool = False) -> bool:
        card = self._put(answer, halves=halves)
        if card is None:
            return False
        asked = card.was_asked.wait(hold_s)
        self.remove()
        return asked


class _VirtualCard:
    """Answers vpcd on a connection of its own, until it is closed."""

    def __init__(self, port: int, answer: Callable[[bytes], bytes], *, gap_s: float, halves: bool) -> None:
        self._answer, self._gap_s, self._halves = answer, gap_s, halves
        self.was_asked = threading.Event()
        self._line = socket.create_connection(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._run, name="virtual-card", daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        if self._thread is not threading.current_thread():
            self._thread.join(STOP_WAIT_S)
        self._line.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                command = self._exactly(int.from_bytes(self._exactly(2), "big"))
                if command == bytes([GET_ATR]):
                    self._say(storage_card_atr())
                elif len(command) > 1:
                    self._tell(command)

    def _tell(self, command: bytes) -> None:
        answer = self._answer(command)
        if self._halves:
            self._line.sendall(_message(answer)[: 2 + len(answer) // 2])
            self._line.shutdown(socket.SHUT_RDWR)
        else:
            self._say(answer)
        self.was_asked.set()

    def _say(self, answer: bytes) -> None:
        if self._gap_s:
            time.sleep(self._gap_s * len(answer))
        self._line.sendall(_message(answer))

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._line.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data


def storage_card_atr(*, standard: int = 0x03, name: int = 0x0001) -> bytes:
    """What a PC/SC reader makes up for a card without an ATR (PC/SC part 3): ISO 14443 A, MIFARE Classic 1K."""
    body = bytes.fromhex("8F8001804F0CA000000306") + bytes([standard]) + name.to_bytes(2, "big") + bytes(4)
    return b"\x3b" + body + bytes([reduce(xor, body)])


def _answering(uid: bytes) -> Callable[[bytes], bytes]:
    return lambda command: uid + OK if command[:2] == b"\xff\xca" else UNKNOWN


def _message(answer: bytes) -> bytes:
    return len(answer).to_bytes(2, "big") + answer


def _require_packages() -> tuple[str, Path]:
    pcscd = shutil.which("pcscd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    drivers = sorted(DRIVERS.glob("libifdvpcd.so*"))
    if pcscd is None or not drivers:
        raise Misconfigured("a virtual PC/SC reader needs the system packages pcscd and vsmartcard-vpcd: install them")
    if importlib.util.find_spec("smartcard") is None:
        raise Misconfigured("pyscard is not installed: install campus-kiosk[pcsc]")
    return pcscd, drivers[0]


def _two_free_ports() -> int:
    """vpcd opens a second slot at the next port."""
    while True:
        with socket.socket() as one, socket.socket() as next_one:
            one.bind(("0.0.0.0", 0))
            port: int = one.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                next_one.bind(("0.0.0.0", port + 1))
                return port


def _listens(pid: int, port: int) -> bool:
    """Whether this process, and no other, listens at `port`: asking by connecting would place a card."""
    with contextlib.suppress(OSError):
        held = {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()}
        return not held.isdisjoint(_connections(port, LISTENING))
    return False


def _connections(port: int, states: frozenset[str]) -> set[str]:
    """The sockets of this computer that have `port` and are in one of `states`, as /proc/*/fd names them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}") and row[3] in states}


def _ended(service: subprocess.Popen[bytes]) -> None:
    service.terminate()
    try:
        service.wait(STOP_WAIT_S)
    except subprocess.TimeoutExpired:
        service.kill()
        service.wait()
