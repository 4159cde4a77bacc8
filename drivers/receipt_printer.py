"""Receipt printers that speak ESC/POS: `escpos:tcp://HOST:9100`, `escpos:/dev/usb/lp0`, or a serial line with `?baud=9600`.

The connection lasts for one slip or one look, no longer: a network printer serves one computer at a time, and a gate that dies
must not keep the others from it. Before a slip the printer is asked what ails it; after it, whether everything is on paper. A
printer that stops half-way is `DeviceLost` with what it said: the whole slip is printed again, never the rest of it.

Options: columns (48 on 80 mm paper, 32 on 58 mm), charset (gb18030, or gbk for old printers), answers (false for a printer
without a way back: then nobody knows whether it printed), stall_s (a printer that takes nothing for so long has stopped).
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import stat
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from drivers import escpos
from drivers.device_urls import DeviceUrl, OptionValue, merged_options, split_url
from drivers.errors import DeviceLost, Misconfigured
from drivers.protocols import Info, Printer

PORT = 9100
USB_FOLDER = Path("/dev/usb")
CONNECT_S = 3.0
ANSWER_S = 1.5  # a real-time status is answered at once
STALLED_S = 10.0
PRINTED_S = 90.0  # the longest slip that it may still be working off when all bytes are taken: some 10 m of paper
SLICE_S = 0.25  # how long it waits at a stretch, so that it can be told to stop
LOOK_EVERY_S = 2.0  # how often it is asked what ails it while it works
CHUNK_BYTES = 4096
OUR_BUFFER_BYTES = 16 * 1024  # what waits in our own kernel is not at the printer: a stop is noticed early
CHARSETS = ("gb18030", "gbk")


class Link(Protocol):
    """Bytes to and from an open printer, never waiting longer than it is told to."""

    def write(self, data: bytes, timeout_s: float) -> int: ...
    def read(self, timeout_s: float) -> bytes: ...
    def close(self) -> None: ...


class EscposPrinter(Printer):
    schemes = ("escpos",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {
        "columns": 48, "charset": "gb18030", "answers": True, "baud": 0, "stall_s": STALLED_S,
    }  # fmt: skip

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        where = split_url(url)
        settings = merged_options(where, options, defaults=self.option_defaults)
        self.columns, self._charset = int(str(settings["columns"])), str(settings["charset"]).lower()
        self._answers, self._baud = bool(settings["answers"]), int(str(settings["baud"]))
        self._stall_s = float(str(settings["stall_s"]))
        if not 16 <= self.columns <= 96:
            raise Misconfigured(f"{url}: columns={self.columns} is no width of paper; write 48 for 80 mm, 32 for 58 mm")
        if self._charset not in CHARSETS:
            raise Misconfigured(f"{url}: charset={self._charset} is none of {', '.join(CHARSETS)}")
        self._opener, self._cancelled = _opener(where, self._baud), threading.Event()

    @classmethod
    def discover(cls, folder: Path = USB_FOLDER) -> Iterable[str]:
        """By the name that our udev rule gives a printer, which stays; by the order of plugging where there is no rule."""
        named = sorted(folder.glob("by-id/*"))
        links = {link.resolve() for link in named}
        return [f"escpos:{path}" for path in [*named, *(one for one in sorted(folder.glob("lp[0-9]*")) if one not in links)]]

    def open(self) -> Info:
        """Looks once and lets go again. Raises DeviceLost, Misconfigured."""
        self._cancelled.clear()
        self.ping()
        return Info(model=f"ESC/POS, {self.columns} columns", capabilities=frozenset({"answers"} if self._answers else ()))

    def close(self) -> None:
        """Nothing is kept open between two slips."""

    def cancel(self) -> None:
        self._cancelled.set()

    def ping(self) -> None:
        with self._connected() as talk:
            self._ask(talk)

    def print(self, lines: Iterable[escpos.Line]) -> None:
        data = escpos.document(lines, columns=self.columns, charset=self._charset)
        with self._connected() as talk:
            self._ask(talk)
            self._send(talk, data)
            if self._answers:
                self._wait_until_printed(talk)

    # --- one connection ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _connected(self) -> Iterator[_Talk]:
        link = self._opener()
        try:
            yield _Talk(link)
        except OSError as error:
            raise DeviceLost(f"{self.url} broke off ({error.strerror or error}); check its power and cable") from error
        finally:
            link.close()

    def _ask(self, talk: _Talk) -> None:
        """Raises DeviceLost with what must be done at the printer."""
        if not self._answers:
            return
        first = talk.real_time(1)
        if first is None:
            raise DeviceLost(f"{self.url} does not answer; switch it on, or add answers=false if it has no way back")
        if not first & 0x08:
            return
        answers = {1: first, **{n: byte for n in (2, 3, 4) if (byte := talk.real_time(n)) is not None}}
        raise DeviceLost(f"{self.url}: {escpos.status_from(answers).trouble}")

    def _send(self, talk: _Talk, data: bytes) -> None:
        sent, moved_s = 0, time.monotonic()
        while sent < len(data):
            self._unless_cancelled()
            taken = talk.link.write(data[sent : sent + CHUNK_BYTES], SLICE_S)
            if taken:
                sent, moved_s = sent + taken, time.monotonic()
            elif time.monotonic() - moved_s >= self._stall_s:
                so_far = f"{sent} of {len(data)} bytes"
                why = f"{self.url} took {so_far} and then nothing for {self._stall_s:g} s; look at its paper and cover"
                raise DeviceLost(why)

    def _wait_until_printed(self, talk: _Talk) -> None:
        """Until it answers in turn. Meanwhile it is asked what ails it: a roll may end in the middle of a list."""
        talk.link.write(escpos.IN_TURN, self._stall_s)
        began_s = asked_s = time.monotonic()
        while not talk.in_turn(SLICE_S):
            self._unless_cancelled()
            now_s = time.monotonic()
            if now_s - began_s >= PRINTED_S:
                raise DeviceLost(f"{self.url} did not say within {PRINTED_S:g} s that the slip is printed; look at it")
            if now_s - asked_s >= LOOK_EVERY_S:
                asked_s = now_s
                self._ask(talk)

    def _unless_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise DeviceLost(f"{self.url}: this gate is stopping; the slip is printed again after its next start")


class _Talk:
    """The printer's answers, sorted: neither sort is lost while the other is waited for. Other bytes are noise."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._answers = escpos.PrinterAnswers()
        self._real: int | None = None
        self._turns = 0

    def real_time(self, which: int) -> int | None:
        """The answer to DLE EOT `which`; None when there is none in time."""
        self._real = None
        self.link.write(escpos.REAL_TIME[which], ANSWER_S)
        return self._real if self._hear(lambda: self._real is not None, ANSWER_S) else None

    def in_turn(self, timeout_s: float) -> bool:
        """Whether everything that was sent has been worked off."""
        return self._hear(lambda: self._turns > 0, timeout_s)

    def _hear(self, enough: Callable[[], bool], timeout_s: float) -> bool:
        until_s = time.monotonic() + timeout_s
        while not enough():
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return False
            for answer in self._answers.feed(self.link.read(left_s)):
                if isinstance(answer, escpos.RealTime):
                    self._real = answer.byte
                else:
                    self._turns += 1
        return True


# --- where the printer is ---------------------------------------------------------------------------------


def _opener(where: DeviceUrl, baud: int) -> Callable[[], Link]:
    if where.address.startswith("tcp://"):
        host, port = _host(where)
        return lambda: _TcpLink(host, port)
    if where.address.startswith("/"):
        return lambda: _FileLink(where.address, baud)
    raise Misconfigured(f"escpos:{where.address} names no printer: write escpos:tcp://HOST:{PORT} or escpos:/dev/usb/lp0")


def _host(where: DeviceUrl) -> tuple[str, int]:
    try:
        found = urlsplit(where.address)
        host, port = found.hostname, found.port or PORT
    except ValueError as error:
        raise Misconfigured(f"escpos:{where.address} names no printer ({error}); write escpos:tcp://HOST:{PORT}") from error
    if not host or found.path.strip("/"):
        raise Misconfigured(f"escpos:{where.address} names no printer: write escpos:tcp://HOST:{PORT}")
    return host, port


class _TcpLink:
    """One connection to a network printer."""

    def __init__(self, host: str, port: int) -> None:
        try:
            self._socket = socket.create_connection((host, port), timeout=CONNECT_S)
        except OSError as error:
            raise DeviceLost(
                f"the printer at {host}:{port} cannot be reached ({error}); check its power and network cable, and that no other "
                "program is printing"
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, OUR_BUFFER_BYTES)

    def write(self, data: bytes, timeout_s: float) -> int:
        self._socket.settimeout(timeout_s)
        try:
            return self._socket.send(data)
        except TimeoutError:
            return 0

    def read(self, timeout_s: float) -> bytes:
        self._socket.settimeout(timeout_s)
        try:
            data = self._socket.recv(256)
        except TimeoutError:
            return b""
        if not data:
            raise DeviceLost("the printer closed the connection; check its power and network cable")
        return data

    def close(self) -> None:
        """Closing with an answer unread would reset the line and cost the last lines of the slip."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.setblocking(False)
            while self._socket.recv(256):
                pass
        with contextlib.suppress(OSError):
            self._socket.close()


class _FileLink:
    """A device file: a USB printer (usblp), or a printer on a serial line, whose line is then set up."""

    def __init__(self, path: str, baud: int) -> None:
        try:
            self._file = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise DeviceLost(f"{path} is not there; plug the printer in and switch it on") from error
        except OSError as error:
            why = f"{path} cannot be opened ({error.strerror}); may this user, and is no other program printing?"
            raise DeviceLost(why) from error
        try:
            if not stat.S_ISCHR(os.fstat(self._file).st_mode):
                raise Misconfigured(f"{path} is no device; write /dev/usb/lp0 or the path of the serial line")
            if os.isatty(self._file):
                _set_line(self._file, path, baud)
        except BaseException:
            self.close()
            raise

    def write(self, data: bytes, timeout_s: float) -> int:
        if not self._ready(select.POLLOUT, timeout_s):
            return 0
        try:
            return os.write(self._file, data)
        except BlockingIOError:
            return 0

    def read(self, timeout_s: float) -> bytes:
        if not self._ready(select.POLLIN, timeout_s):
            return b""
        try:
            data = os.read(self._file, 256)
        except BlockingIOError:
            return b""
        if not data:
            raise DeviceLost("the printer is gone; check its power and cable")
        return data

    def _ready(self, for_what: int, timeout_s: float) -> bool:
        poller = select.poll()
        poller.register(self._file, for_what)
        return bool(poller.poll(max(0.0, timeout_s) * 1000))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._file)


def _set_line(file: int, path: str, baud: int) -> None:
    speed = getattr(termios, f"B{baud}", None)
    if not baud or speed is None:
        raise Misconfigured(f"{path} is a serial line: add ?baud=, such as 9600 or 115200, as the printer is set")
    tty.setraw(file)
    settings = termios.tcgetattr(file)
    settings[4] = settings[5] = speed
    termios.tcsetattr(file, termios.TCSANOW, settings)
