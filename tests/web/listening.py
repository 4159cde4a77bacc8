"""A page that listens: reads server-sent events from a real connection in a thread."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx

from tests.web.gate_online import wait_for


class Event(NamedTuple):
    name: str
    id: str
    data: Any
    raw: bytes


@dataclass
class Listening:
    """`events` grows as they come."""

    status: int = 0
    ended: bool = False
    events: list[Event] = field(default_factory=list)

    def named(self, *names: str) -> list[Event]:
        return [event for event in self.events if event.name in names]

    def wait(self, count: int, *names: str) -> list[Event]:
        wait_for(lambda: len(self.named(*names)) >= count)
        return self.named(*names)

    def html(self) -> str:
        """Every piece that came, in order."""
        return "".join(piece["html"] for event in self.named("patch", "bar") for piece in event.data)


@contextmanager
def listening(client: httpx.Client, *topics: str, path: str = "/live", **headers: str) -> Iterator[Listening]:
    """Joins and waits until the gate has answered; leaves at the end of the block."""
    here = Listening()
    line = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=30)
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    key = client.headers.get("x-device-key", "")
    line.request(
        "GET", f"{path}?{urlencode([('topic', t) for t in topics])}", headers={"Cookie": cookie, "X-Device-Key": key, **headers}
    )
    sock = line.sock
    answer = line.getresponse()
    here.status = answer.status

    def run() -> None:
        buffer = b""
        with contextlib.suppress(OSError, http.client.HTTPException):  # the block ended: the socket is shut
            while chunk := answer.read1(65536):
                *whole, buffer = (buffer + chunk).split(b"\n\n")
                here.events.extend(event for raw in whole if (event := _parsed(raw)))
        here.ended = True

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)
        answer.close()
        line.close()


def _parsed(raw: bytes) -> Event | None:
    fields = dict(line.split(b": ", 1) for line in raw.split(b"\n") if b": " in line)
    if b"event" not in fields:
        return None
    return Event(fields[b"event"].decode(), fields.get(b"id", b"").decode(), json.loads(fields[b"data"]), raw)
