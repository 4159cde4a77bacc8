"""The server side of ZKTeco push terminals (ADMS): one listener for each address, one mailbox for each serial number.

A terminal keeps what it is not told "OK" for, and sends it again. So a tap is answered with OK only after whoever takes the
reads has said that it is kept for good (`taken`); a tap that is sent again meanwhile is not a second one. There is no
authentication in this protocol but the serial number: one that nobody configured is refused, remembered by name
for whoever looks, and never read. The lines are understood in `adms_lines`; nothing here decides what a tap means.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from drivers.adms_lines import (
    MAX_COMMANDS,
    MAX_LINES,
    SERIAL_NUMBER,
    Tap,
    access_events,
    attendance,
    commands_text,
    decoded,
    line_count,
    options_text,
    push_options_text,
    replies,
)
from drivers.http_listener import Answer, HttpListener, Request

MAX_WAITING = 512  # taps of one terminal that nobody has taken yet; with more it is told to come again
MAX_REMEMBERED = MAX_LINES  # taps of one terminal that were taken
MAX_STRANGERS = 8
TAKEN_WAIT_S = 10.0
LINGER_S = 20.0  # longer than a supervisor waits before it opens a device again: no terminal meets a closed door meanwhile
COMMAND_LIFE_S = 3.0  # a door must not open for somebody who has walked on
ERROR_DELAY_S = 3  # shorter than a driver waits for a call in open()
HISTORY, GO_ON = "0", "9999"  # stamps: send everything you have; go on where you stopped
BUSY = Answer("ERROR: come again", 503)
STRANGER = Answer("ERROR: unknown device", 403)
OK = Answer("OK")


class Occupied(Exception):
    """Another device listens for this serial number."""


@dataclass(slots=True)
class _Batch:
    """One post that waits until all of its taps are taken."""

    remaining: set[str]
    done: asyncio.Event
    failed: bool = False


@dataclass(slots=True)
class _Command:
    number: int
    text: str
    asked_mono_s: float


@dataclass(slots=True)
class Mailbox:
    """One terminal: what it has told, what it is to be told. Its methods are thread-safe."""

    sn: str
    delay_s: int = 2
    zone_hours: int = 8
    stamp: str = GO_ON
    open: bool = False
    heard_mono_s: float = float("-inf")
    trouble: str = ""  # of its last command
    unreadable: int = 0
    registered: bool = False
    news: threading.Condition = field(default_factory=threading.Condition)
    _taps: deque[tuple[str, Tap]] = field(default_factory=deque)
    _pending: dict[str, list[_Batch]] = field(default_factory=dict)
    _taken: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _commands: deque[_Command] = field(default_factory=deque)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _listener: HttpListener | None = None

    # --- the driver's side ---------------------------------------------------------------------------

    def fetch(self, timeout_s: float, limit: int, stop: threading.Event) -> list[tuple[str, Tap]]:
        """Taps in order, waiting up to `timeout_s` for the first."""
        with self.news:
            self.news.wait_for(lambda: self._taps or stop.is_set(), timeout_s)
            return [self._taps.popleft() for _ in range(min(limit, len(self._taps)))]

    def taken(self, nonce: str) -> None:
        """This tap is kept for good."""
        with self.news:
            self._taken[nonce] = None
            while len(self._taken) > MAX_REMEMBERED:
                self._taken.popitem(last=False)
            for batch in self._pending.pop(nonce, ()):
                batch.remaining.discard(nonce)
                if not batch.remaining:
                    self._wake(batch)

    def command(self, text: str) -> None:
        with self.news:
            self._commands.append(_Command(next(self._numbers), text, time.monotonic()))
            while len(self._commands) > MAX_COMMANDS:
                self._commands.popleft()

    def shut(self) -> None:
        """Nobody takes taps any more: whoever waits is told to come again."""
        with self.news:
            self.open = False
            batches = [batch for waiting in self._pending.values() for batch in waiting]
            self._taps.clear()
            self._pending.clear()
            self._commands.clear()
            for batch in batches:
                batch.failed = True
                self._wake(batch)

    def _wake(self, batch: _Batch) -> None:
        if self._listener is not None:
            self._listener.call(batch.done.set)

    # --- the terminal's side, on the listener's thread --------------------------------------------------

    def heard(self) -> None:
        with self.news:
            self.heard_mono_s = time.monotonic()
            self.news.notify_all()

    def offer(self, taps: tuple[Tap, ...], listener: HttpListener) -> _Batch | None:
        """Puts new taps into the queue. None when it cannot take them now."""
        with self.news:
            self._listener = listener
            named = {nonce_of(self.sn, tap): tap for tap in taps}
            missing = {nonce: tap for nonce, tap in named.items() if nonce not in self._taken}
            new = {nonce: tap for nonce, tap in missing.items() if nonce not in self._pending}
            if not self.open or (self._taps and len(self._taps) + len(new) > MAX_WAITING):
                return None
            batch = _Batch(set(missing), asyncio.Event())
            for nonce in missing:
                self._pending.setdefault(nonce, []).append(batch)
            self._taps.extend(new.items())
            if not missing:
                batch.done.set()
            self.news.notify_all()
            return batch

    def commands(self) -> list[tuple[int, str]]:
        with self.news:
            fresh = [c for c in self._commands if time.monotonic() - c.asked_mono_s <= COMMAND_LIFE_S]
            self._commands.clear()
            return [(command.number, command.text) for command in fresh]


def nonce_of(sn: str, tap: Tap) -> str:
    """The same tap, however often and after whatever it is sent."""
    return "|".join((sn, tap.person or tap.card, tap.at, tap.status))


class Station:
    """One address with its listener and the terminals that may call it."""

    def __init__(self, host: str, port: int) -> None:
        self.boxes: dict[str, Mailbox] = {}
        self.strangers: OrderedDict[str, str] = OrderedDict()  # serial number -> address it came from
        self.listener = HttpListener(host, port, self._answer)
        self._sessions = itertools.count(1)

    async def _answer(self, request: Request) -> Answer:
        sn = request.query.get("SN", "")
        box = self.boxes.get(sn)
        if not request.path.startswith("/iclock/"):
            return Answer("ERROR", 404)
        if box is None:
            self._stranger(sn, request.host)
            return STRANGER
        box.heard()
        handler = _HANDLERS.get((request.method, request.path.removeprefix("/iclock/")))
        return OK if handler is None else await handler(self, box, request)

    def _stranger(self, sn: str, host: str) -> None:
        """A name for whoever looks, if it could be one; nothing of what it sent."""
        name = sn if SERIAL_NUMBER.fullmatch(sn) else "?"
        self.strangers[name] = host
        self.strangers.move_to_end(name)
        while len(self.strangers) > MAX_STRANGERS:
            self.strangers.popitem(last=False)

    async def _options(self, box: Mailbox, request: Request) -> Answer:
        if request.query.get("DeviceType") == "acc" or request.query.get("pushver", "").startswith("3."):
            return Answer(f"registry=ok\r\n{self._pushed(box)}") if box.registered else OK
        return Answer(
            options_text(box.sn, stamp=box.stamp, delay_s=box.delay_s, error_delay_s=ERROR_DELAY_S, zone_hours=box.zone_hours)
        )

    async def _registry(self, box: Mailbox, request: Request) -> Answer:
        box.registered = True
        return Answer(f"RegistryCode={box.sn}")

    async def _push(self, box: Mailbox, request: Request) -> Answer:
        return Answer(self._pushed(box))

    def _pushed(self, box: Mailbox) -> str:
        return push_options_text(box.sn, session=next(self._sessions), delay_s=box.delay_s, error_delay_s=ERROR_DELAY_S)

    async def _data(self, box: Mailbox, request: Request) -> Answer:
        table, text = request.query.get("table", "").upper(), decoded(request.body)
        if table not in ("ATTLOG", "RTLOG"):
            return Answer(f"OK: {line_count(text)}")  # operations, users, templates: neither asked for nor kept
        post = attendance(text) if table == "ATTLOG" else access_events(text)
        batch = box.offer(post.taps, self.listener)
        if batch is None:
            return BUSY
        try:
            async with asyncio.timeout(TAKEN_WAIT_S):
                await batch.done.wait()
        except TimeoutError:
            return BUSY
        if batch.failed:
            return BUSY
        box.unreadable += post.unreadable
        stamp = request.query.get("Stamp", "")
        if table == "ATTLOG" and stamp.isascii() and stamp.isdecimal() and len(stamp) <= 16:
            box.stamp = stamp
        return Answer(f"OK: {post.lines}")

    async def _getrequest(self, box: Mailbox, request: Request) -> Answer:
        return Answer(commands_text(box.commands()))

    async def _devicecmd(self, box: Mailbox, request: Request) -> Answer:
        for reply in replies(decoded(request.body)):
            box.trouble = f"it refused command {reply.command} with code {reply.result}" if reply.result < 0 else ""
        return OK


_HANDLERS = {
    ("GET", "cdata"): Station._options,
    ("POST", "cdata"): Station._data,
    ("GET", "getrequest"): Station._getrequest,
    ("POST", "devicecmd"): Station._devicecmd,
    ("POST", "registry"): Station._registry,
    ("POST", "push"): Station._push,
    ("GET", "push"): Station._push,
}


class Stations:
    """The listeners of this process: terminals that share an address share one."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._by_address: dict[tuple[str, int], Station] = {}
        self._lingering: dict[tuple[str, int], threading.Timer] = {}

    def attach(self, host: str, port: int, box: Mailbox) -> Station:
        """From now on `box` has its terminal's taps. Raises OSError when the address is taken, Occupied for the number."""
        with self._guard:
            station = self._by_address.get((host, port))
            if station is None:
                station = Station(host, port)
                station.listener.start()
                self._by_address[host, port] = station
            before = station.boxes.get(box.sn)
            if before is not None and before is not box and before.open:
                raise Occupied
            if before is not None:
                box.heard_mono_s = max(box.heard_mono_s, before.heard_mono_s)
            station.boxes[box.sn] = box
            box.open = True
            if (timer := self._lingering.pop((host, port), None)) is not None:
                timer.cancel()
            return station

    def detach(self, host: str, port: int, box: Mailbox) -> None:
        """The listener goes on for a while: a device that is opened again soon finds it."""
        box.shut()
        with self._guard:
            station = self._by_address.get((host, port))
            if station is None or any(other.open for other in station.boxes.values()) or (host, port) in self._lingering:
                return
            timer = threading.Timer(LINGER_S, self._let_go, (host, port))
            timer.daemon = True
            timer.name = f"linger-{port}"
            self._lingering[host, port] = timer
            timer.start()

    def _let_go(self, host: str, port: int) -> None:
        with self._guard:
            self._lingering.pop((host, port), None)
            station = self._by_address.get((host, port))
            if station is None or any(box.open for box in station.boxes.values()):
                return
            del self._by_address[host, port]
            station.listener.stop()


STATIONS = Stations()
