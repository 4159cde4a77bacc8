"""A simulated receipt printer on a TCP port or a pseudo terminal. It prints what it was sent onto paper that a test can read.

Physics: it works line by line and answers GS r in turn; DLE EOT is answered as soon as it is received, also by a printer that has
stopped; without paper or with its cover open it prints nothing and keeps what fits its buffer. Verbs: `paper_out`, `load_paper`,
`open_cover`, `close_cover`, `leave_lines` (so many are left on the roll), `slow`, `take_only` (so many bytes, then no more),
`silence`, `unplug`, `replug`. It understands what a slip needs and skips other commands of a fixed length.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Self

from drivers.simulated.pty_wire import PtyWire

BAUD = 115_200
BUFFER_BYTES = 64 * 1024
READ_BYTES = 4096
STOP_WAIT_S = 5.0
ACCEPT_S = 0.05
_AFTER_ESC = {ord("@"): 0, ord("2"): 0, ord("E"): 1, ord("a"): 1, ord("!"): 1, ord("3"): 1, ord("d"): 1}
_AFTER_FS = {ord("&"): 0, ord("."): 0, ord("!"): 1, ord("S"): 2}
_AFTER_GS = {ord("!"): 1, ord("r"): 1, ord("B"): 1}
DLE_EOT = b"\x10\x04"
REAL_TIME = re.compile(DLE_EOT + b"(.)", re.DOTALL)
_OK = 0x12


class SlipBytes:
    """Takes the real-time commands (DLE EOT n) out of what is sent: `feed` gives each n; what is to be printed is `waiting`."""

    def __init__(self) -> None:
        self.waiting = bytearray()
        self.received = 0  # bytes of slips
        self._begun = b""  # of a command that has not come whole

    @property
    def buffered(self) -> int:
        return len(self.waiting) + len(self._begun)

    def feed(self, data: bytes) -> list[int]:
        *before, rest = REAL_TIME.split(self._begun + data)
        slips, asked = before[::2], [n[0] for n in before[1::2]]
        self._begun = next((start for start in (DLE_EOT, DLE_EOT[:1]) if rest.endswith(start)), b"")
        for slip in (*slips, rest.removesuffix(self._begun)):
            self.waiting += slip
            self.received += len(slip)
        return asked

    def clear(self) -> None:
        """Power is off."""
        self.waiting.clear()
        self._begun = b""


class SimulatedReceiptPrinter:
    """`.slips` is the paper, cut by cut; `.printing` the lines since the last cut."""

    verbs: ClassVar[tuple[str, ...]] = (
        "paper_out", "load_paper", "leave_lines", "open_cover", "close_cover", "slow", "take_only", "silence", "unplug", "replug",
    )  # fmt: skip

    def __init__(self, *, link: Path | None = None, over: str = "tcp", charset: str = "gb18030") -> None:
        self.slips: list[str] = []
        self.printing: list[str] = []
        self.received = 0  # bytes of slips, real-time commands not counted
        self._charset = charset
        self._paper, self._lines_left, self._covered = True, -1, True
        self._silent, self._line_s, self._takes = False, 0.0, -1
        self._chinese, self._line = False, bytearray()
        self._slip = SlipBytes()
        self._buffer = self._slip.waiting
        self._changed = threading.Condition(threading.RLock())
        self._stop = threading.Event()
        self._reply: Callable[[bytes], None] = lambda data: None
        self._wire = _TcpSide(self) if over == "tcp" else _PtySide(self, link)
        self._worker = threading.Thread(target=self._work, name="printer-head", daemon=True)
        self._worker.start()

    @property
    def url(self) -> str:
        return self._wire.url

    # --- what people do ------------------------------------------------------------------------------------

    def paper_out(self) -> None:
        """The roll has ended."""
        self._set(_paper=False)

    def load_paper(self) -> None:
        """Put in a new roll."""
        self._set(_paper=True, _lines_left=-1)

    def leave_lines(self, lines: int) -> None:
        """The roll ends after so many more lines."""
        self._set(_lines_left=lines)

    def open_cover(self) -> None:
        """Nothing is printed with the cover open."""
        self._set(_covered=False)

    def close_cover(self) -> None:
        """Close the cover again."""
        self._set(_covered=True)

    def slow(self, line_s: float) -> None:
        """So long for every line."""
        self._set(_line_s=line_s)

    def take_only(self, count: int) -> None:
        """Takes so many bytes more, then hangs: nothing is read and nothing answered. -1: as it should be."""
        self._set(_takes=count)

    def silence(self, silent: bool) -> None:
        """Prints, and answers nothing."""
        self._set(_silent=silent)

    def unplug(self) -> None:
        """Pull the plug; what was not printed is lost."""
        self._wire.unplug()
        with self._changed:
            self._slip.clear()
            self._line.clear()

    def replug(self) -> None:
        """Plug it in again."""
        self._wire.replug()

    def wait_for_slips(self, count: int, *, timeout_s: float = 10.0) -> bool:
        """True as soon as so many slips were cut off."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.slips) >= count, timeout_s)

    def wait_for_lines(self, count: int, *, timeout_s: float = 10.0) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self.printing) >= count, timeout_s)

    def close(self) -> None:
        self._stop.set()
        self._wire.unplug()
        with self._changed:
            self._changed.notify_all()
        self._worker.join(STOP_WAIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _set(self, **changes: object) -> None:
        with self._changed:
            for name, value in changes.items():
                setattr(self, name, value)
            self._changed.notify_all()

    # --- bytes come ------------------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """Bytes that it would take now."""
        with self._changed:
            room = BUFFER_BYTES - len(self._buffer)
            return room if self._takes < 0 else min(room, self._takes)

    def hear(self, data: bytes, reply: Callable[[bytes], None]) -> None:
        """On the wire's thread: real-time commands are answered at once, the rest waits its turn."""
        with self._changed:
            self._reply = reply
            if self._takes >= 0:
                data, self._takes = data[: self._takes], max(0, self._takes - len(data))
            for which in self._slip.feed(data):
                self._say(self._status(which))
            self.received = self._slip.received
            self._changed.notify_all()

    def _say(self, byte: int) -> None:
        if not self._silent and self._takes != 0:
            self._reply(bytes((byte,)))

    def _status(self, which: int) -> int:
        stopped = not self._paper or not self._covered
        return {
            1: _OK | 0x08 * stopped,
            2: _OK | 0x04 * (not self._covered) | 0x20 * (not self._paper),
            4: _OK | 0x60 * (not self._paper),
        }.get(which, _OK)

    # --- the head works ------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._stop.is_set():
            with self._changed:
                if not self._buffer or not self._paper or not self._covered:
                    self._changed.wait(0.2)
                    continue
                lines = len(self.slips) + len(self.printing)
                self._take_one()
                printed = len(self.slips) + len(self.printing) > lines
            if printed and self._line_s:
                self._stop.wait(self._line_s)

    def _take_one(self) -> None:
        """One command, or one byte of text, off the buffer; a command that has not come whole waits."""
        buffer = self._buffer
        first = buffer[0]
        table = {0x1B: _AFTER_ESC, 0x1C: _AFTER_FS, 0x1D: _AFTER_GS}.get(first)
        if table is not None:
            self._command(first, table)
        elif first == 0x0A:
            del buffer[0]
            self._feed()
        else:
            del buffer[0]
            self._line.append(first)

    def _command(self, first: int, table: dict[int, int]) -> None:
        buffer = self._buffer
        if len(buffer) < 2:
            self._changed.wait(0.05)
            return
        second = buffer[1]
        length = 2 + (2 if (first, second) == (0x1D, ord("V")) else table.get(second, 0))
        if len(buffer) < length:
            self._changed.wait(0.05)
            return
        del buffer[:length]
        if first == 0x1C and second in b"&.":
            self._chinese = second == ord("&")
        elif (first, second) == (0x1D, ord("r")):
            self._say(0x00)
        elif (first, second) == (0x1D, ord("V")):
            self.slips.append("\n".join(self.printing))
            self.printing = []
            self._changed.notify_all()

    def _feed(self) -> None:
        encoding = self._charset if self._chinese else "ascii"
        self.printing.append(self._line.decode(encoding, errors="replace").rstrip())
        self._line.clear()
        if self._lines_left > 0:
            self._lines_left -= 1
        if self._lines_left == 0:
            self._paper = False
        self._changed.notify_all()


class _TcpSide:
    """One connection at a time, as network printers have it; the same port after a power cut."""

    def __init__(self, printer: SimulatedReceiptPrinter) -> None:
        self._printer, self.port = printer, 0
        self._server: socket.socket | None = None
        self._host: socket.socket | None = None
        self.replug()

    @property
    def url(self) -> str:
        return f"escpos:tcp://127.0.0.1:{self.port}"

    def replug(self) -> None:
        if self._server is not None:
            return
        server = self._server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BYTES)  # a network card's few kilobytes
        server.bind(("127.0.0.1", self.port))
        server.listen(1)
        self.port = server.getsockname()[1]
        server.settimeout(ACCEPT_S)
        self._thread = threading.Thread(target=self._serve, args=(server,), name="printer-net", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        self._thread.join(STOP_WAIT_S)
        server.close()

    def _serve(self, server: socket.socket) -> None:
        while self._server is server:
            with contextlib.suppress(TimeoutError):
                host, _ = server.accept()
                with host, contextlib.suppress(OSError):
                    self._talk(server, host)

    def _talk(self, server: socket.socket, host: socket.socket) -> None:
        host.settimeout(ACCEPT_S)

        def reply(data: bytes) -> None:
            with contextlib.suppress(OSError):
                host.sendall(data)

        while self._server is server:
            room = min(READ_BYTES, self._printer.room)
            if room <= 0:
                threading.Event().wait(ACCEPT_S)
                continue
            with contextlib.suppress(TimeoutError):
                data = host.recv(room)
                if not data:
                    return
                self._printer.hear(data, reply)


class _PtySide:
    """A serial cable, or what a USB printer's device file looks like to a program."""

    def __init__(self, printer: SimulatedReceiptPrinter, link: Path | None) -> None:
        self._printer = printer
        self._wire = PtyWire(baud=BAUD, link=link, on_bytes=self._hear)

    @property
    def url(self) -> str:
        return f"escpos:{self._wire.path}?baud={BAUD}"

    def _hear(self, data: bytes) -> None:
        self._printer.hear(data, self._wire.send)

    def unplug(self) -> None:
        self._wire.unplug()

    def replug(self) -> None:
        self._wire.replug()
