"""A simulated Hikvision access terminal: a real HTTP server with Digest, a stream of alerts and stored events.

Physics: each event has the next serial number and is stored; listeners of the stream get it with its picture beside it,
everybody gets a heart-beat every few seconds; five wrong passwords lock its administrator out, whatever is sent afterwards.
Verbs: `tap`, `tap_card`, `cut_off` (it goes on storing), `unplug`, `replug`, `silence`, `slow`, `garbage`, `half_frame`,
`hang_up`, `change_password`, `forget_nonces`, `set_clock`. `doors_opened` counts its relay, `wrong_passwords` what it
refused.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import tempfile
import threading
import time
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from drivers.simulated.http_digest import DigestGate

FIRST_DAY = "2026-09-01 07:30:00"
FACE, FINGER, CARD, UNKNOWN_CARD, FACE_FAILED = 75, 38, 1, 9, 76
REALM, ZONE = "DS-K1T671", "+08:00"
MAX_BODY = 65_536
STOP_WAIT_S = 5.0
BOUNDARY = b"--MIME_boundary\r\n"
PICTURE = b"\xff\xd8--MIME_boundary is no boundary in a picture\xff\xd9"
GARBAGE = b"\x00\xff--MIME\r\n\r\n{]--MIME_boundary\r\nContent-Length: 12\r\n\r\n<not xml>\r\n" + bytes(range(256)) + b"\r\n"


class SimulatedIsapiTerminal:
    """`password_file` is what a gate's settings name; the terminal writes its first password there."""

    verbs: ClassVar[tuple[str, ...]] = (
        "tap", "tap_card", "place", "remove", "cut_off", "unplug", "replug", "silence", "slow", "garbage", "half_frame",
        "hang_up", "forbid_doors", "change_password", "forget_nonces", "set_clock",
    )  # fmt: skip

    def __init__(
        self, *, user: str = "admin", password: str = "Abc12345", beat_s: float = 0.3, clock: str = FIRST_DAY,
        password_file: Path | None = None,
    ) -> None:  # fmt: skip
        self.user, self.beat_s = user, beat_s
        self.digest = DigestGate(user, password, realm=REALM)  # five wrong passwords lock its administrator out
        self.serial_number, self.port = "DS-K1T671M20260101AACH", 0
        self.doors_opened: list[int] = []
        self.pages_asked = 0
        self._doors_forbidden = False
        self.picture_beside = True
        self._folder = None if password_file else tempfile.TemporaryDirectory(prefix="isapi-")
        self.password_file = password_file or Path(self._folder.name if self._folder else "") / "password"
        self.password_file.parent.mkdir(parents=True, exist_ok=True)
        self.password_file.write_text(f"{password}\n", encoding="utf-8")
        self._events: list[dict[str, Any]] = []
        self._streams: list[_Stream] = []
        self._news = threading.RLock()
        self._silent, self._gap_s, self._plugged = False, 0.0, False
        self._server: _Server | None = None
        self._power_s = 0.0
        self.set_clock(clock)
        self.replug()

    @property
    def url(self) -> str:
        return f"isapi:http://127.0.0.1:{self.port}?user={self.user}&password_file={self.password_file}"

    @property
    def wrong_passwords(self) -> int:
        return self.digest.refused

    def clock(self) -> str:
        """What it shows now: the time that it was set to, and what has gone by since."""
        set_to, at_s = self._clock
        return (set_to + timedelta(seconds=int(time.monotonic() - at_s))).isoformat()

    # --- verbs ---------------------------------------------------------------------------------------

    def set_clock(self, local_time: str) -> None:
        """Its own clock, as `2026-09-01 07:30:00`. Nobody sets it for it, so it may be wrong."""
        self._clock = (datetime.fromisoformat(local_time), time.monotonic())

    def tap(self, person: str, minor: int = CARD) -> bool:
        """Somebody whom the terminal knows by this number. False without power."""
        return self._happen({"minor": minor, "employeeNoString": person, "cardNo": ""})

    def tap_card(self, card: str) -> bool:
        """A card that it does not know."""
        return self._happen({"minor": UNKNOWN_CARD, "employeeNoString": "", "cardNo": card})

    def place(self, person: str) -> None:
        """Somebody who stays in front of it is recognised once."""
        self.tap(person)

    def remove(self) -> None:
        """Whoever stood there has gone."""

    def cut_off(self, off: bool = True) -> None:
        """The network cable: the terminal goes on by itself and stores what it sees."""
        if off:
            self._go_dark()
        elif self._plugged:
            self._listen()

    def unplug(self) -> None:
        """Its power: it recognises nobody, and what it stored survives."""
        self._plugged = False
        self._go_dark()

    def replug(self) -> None:
        """Power and cable are back, at the same address."""
        self._plugged = True
        self._listen()

    def silence(self, silent: bool) -> None:
        """It hangs: connections stand, and nothing comes any more."""
        self._silent = silent

    def slow(self, byte_gap_s: float) -> None:
        """A slow line: so long for each byte that it sends."""
        self._gap_s = byte_gap_s

    def garbage(self) -> None:
        """Noise in the middle of the stream."""
        self._send(GARBAGE)

    def half_frame(self, person: str) -> None:
        """An alert that breaks off in the middle."""
        alert = _part(_json(self._alert(self._told(10_000_000, {"minor": CARD, "employeeNoString": person}))))
        self._send(alert[: len(alert) - 40] + b"\r\n")

    def hang_up(self) -> None:
        """It closes the stream, as some firmware does every few hours."""
        for stream in list(self._streams):
            stream.end()

    def forbid_doors(self, forbidden: bool) -> None:
        """Whether its user may open doors from afar."""
        self._doors_forbidden = forbidden

    def change_password(self, password: str) -> None:
        """In its menu; nobody tells the gate."""
        self.digest = DigestGate(self.user, password, realm=REALM)

    def forget_nonces(self) -> None:
        """As it does after a while: the next request is challenged anew."""
        self.digest.forget()

    def close(self) -> None:
        self.unplug()
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- inside --------------------------------------------------------------------------------------

    def _listen(self) -> None:
        if self._server is None:
            self._server = _Server(("127.0.0.1", self.port), _Handler, terminal=self)
            self.port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, args=(0.05,), name=f"isapi-{self.port}", daemon=True).start()

    def _go_dark(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.drop_all()
        for stream in list(self._streams):
            stream.end()

    def _happen(self, what: dict[str, Any]) -> bool:
        with self._news:
            if not self._plugged:
                return False
            event = self._told(len(self._events) + 1, what)
            self._events.append(event)
        self._send(_part(_json(self._alert(event))) + (_part(PICTURE, "image/jpeg") if self.picture_beside else b""))
        return True

    def _told(self, serial: int, what: dict[str, Any]) -> dict[str, Any]:
        return {"major": 5, "time": self.clock() + ZONE, "serialNo": serial, "doorNo": 1, "name": "", **what}

    def _alert(self, event: dict[str, Any]) -> dict[str, Any]:
        inner = {"majorEventType": event["major"], "subEventType": event["minor"], "currentEvent": True}
        inner |= {name: event[name] for name in event if name not in ("major", "minor", "time")}
        return {
            "ipAddress": "127.0.0.1", "dateTime": event["time"], "eventType": "AccessControllerEvent", "eventState": "active",
            "AccessControllerEvent": inner,
        }  # fmt: skip

    def _send(self, data: bytes) -> None:
        for stream in list(self._streams):
            stream.send(data)

    def search(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A page of what it stored."""
        first, most = int(asked.get("beginSerialNo", 0)), int(asked.get("maxResults", 30))
        since, until = str(asked.get("startTime", "")), str(asked.get("endTime", "9"))
        with self._news:
            found = [e for e in self._events if e["serialNo"] >= first and since <= e["time"] and e["time"][:19] <= until]
        page = found[int(asked.get("searchResultPosition", 0)) :][:most]
        self.pages_asked += 1
        more = "MORE" if len(found) > len(page) else "OK" if page else "NO MATCH"
        return {"AcsEvent": {"responseStatusStrg": more, "numOfMatches": len(page), "InfoList": page}}


class _Stream:
    """One listener: its connection, and a lock so that parts are never mixed."""

    def __init__(self, terminal: SimulatedIsapiTerminal, wire: socket.socket) -> None:
        self._terminal, self._wire, self._turn = terminal, wire, threading.Lock()
        self._ended = threading.Event()

    def run(self) -> None:
        """Heart-beats until it ends; on the connection's thread."""
        while not self._ended.wait(self._terminal.beat_s):
            self.send(
                _part(_json({"eventType": "videoloss", "eventState": "inactive", "dateTime": self._terminal.clock() + ZONE}))
            )

    def send(self, data: bytes) -> None:
        if self._terminal._silent:
            return
        if self._terminal._gap_s:
            time.sleep(min(1.0, self._terminal._gap_s * len(data)))
        with self._turn:
            try:
                self._wire.sendall(b"%x\r\n%s\r\n" % (len(data), data))
            except OSError:
                self._ended.set()

    def end(self) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], *, terminal: SimulatedIsapiTerminal
    ) -> None:
        self.terminal = terminal
        self._wires: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._wires.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._wires.discard(request)
        super().shutdown_request(request)

    def drop_all(self) -> None:
        for wire in list(self._wires):
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hung up is no event here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """A terminal keeps no log of ours."""

    def _do(self) -> None:
        terminal = self.server.terminal
        body = self.rfile.read(min(MAX_BODY, int(self.headers.get("Content-Length") or 0)))
        while terminal._silent and terminal._plugged:
            time.sleep(0.02)
        if not terminal.digest.admits(self.command, self.path, self.headers.get("Authorization", "")):
            self._answer(401, b"", challenge=terminal.digest.challenge())
            return
        path = urlsplit(self.path).path
        if path == "/ISAPI/Event/notification/alertStream":
            self._stream()
        elif path == "/ISAPI/System/deviceInfo":
            info = f"<DeviceInfo><model>{REALM}</model><serialNumber>{terminal.serial_number}</serialNumber></DeviceInfo>"
            self._answer(200, info.encode())
        elif path == "/ISAPI/System/time":
            self._answer(200, f"<Time><localTime>{terminal.clock()}{ZONE}</localTime></Time>".encode())
        elif path == "/ISAPI/AccessControl/AcsEvent":
            self._answer(200, _json(terminal.search(json.loads(body)["AcsEventCond"])))
        elif found := re.fullmatch(r"/ISAPI/AccessControl/RemoteControl/door/(\d)", path):
            if terminal._doors_forbidden:
                self._answer(403, b"")
                return
            terminal.doors_opened.append(int(found.group(1)))
            self._answer(200, b'{"statusCode": 1, "statusString": "OK"}')
        else:
            self._answer(404, b"")

    do_GET = do_POST = do_PUT = _do

    def _answer(self, status: int, body: bytes, *, challenge: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if body.startswith(b"{") else "application/xml")
        self.send_header("Content-Length", str(len(body)))
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/mixed; boundary=MIME_boundary")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        terminal = self.server.terminal
        stream = _Stream(terminal, self.connection)
        terminal._streams.append(stream)
        try:
            stream.run()
        finally:
            terminal._streams.remove(stream)
            self.close_connection = True


def _part(body: bytes, kind: str = 'application/json; charset="UTF-8"') -> bytes:
    return BOUNDARY + f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body + b"\r\n"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
