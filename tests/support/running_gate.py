"""`kiosk serve` as a process of its own: started, asked over HTTP, killed, started again on the same state.

The whole shipped program runs, with nothing replaced. What a test may say is the clock's start and speed, as the demo does.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from kiosk.composition import new_device_key
from kiosk.settings import shared_data_dir
from tests.support import fault_school
from tests.support.plain_http import http_client

WAIT_S = 60.0
LOOK_EVERY_S = 0.02


def wait_until(done: Callable[[], Any], what: str, *, within_s: float = WAIT_S) -> Any:
    """The first true answer. Bounded; no timing is asserted by it."""
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        if answer := done():
            return answer
        time.sleep(LOOK_EVERY_S)
    raise AssertionError(f"waited {within_s:g} s in vain: {what}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A device of site.toml. `as_` is for `lines` readers: number or qr."""

    name: str
    url: str
    access_point: str = ""
    as_: str = ""


class VirtualDay:
    """The played time: `speed` school seconds a second, going on through kills and restarts."""

    def __init__(self, start: str, speed: float = 1.0) -> None:
        self.speed = speed
        self._start_s = datetime.fromisoformat(start).timestamp()
        self._began_s = time.monotonic()

    def now_ms(self) -> int:
        return int((self._start_s + (time.monotonic() - self._began_s) * self.speed) * 1000)

    def arguments(self) -> list[str]:
        at = datetime.fromtimestamp(self.now_ms() / 1000, UTC).isoformat()
        return ["--clock-start", at, "--clock-speed", str(self.speed)]


class RunningGate:
    """One gate of the fault school. `start` returns at once, `ready` when it answers."""

    def __init__(
        self,
        folder: Path,
        *,
        day: VirtualDay,
        wires: tuple[Wire, ...] = (),
        relays: Mapping[str, str] | None = None,
        state: Path | None = None,
        node: str = "east",
        port: int = 0,
    ) -> None:
        self.folder, self.state, self.day = folder, state or folder / "state", day
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.site, self.log = folder / "site.toml", folder / "gate.log"
        folder.mkdir(parents=True, exist_ok=True)
        if not (self.state / "directory.db").exists():
            fault_school.write(self.state)
        self.key = new_device_key(self.state, [])
        self.site.write_text(_site(node, wires, relays or {}), encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    # --- the process -------------------------------------------------------------------------------

    def start(self) -> RunningGate:
        command = [
            sys.executable, "-m", "kiosk", "serve", "--config", str(shared_data_dir("sample_school")), "--site", str(self.site),
            "--state", str(self.state), "--port", str(self.port), *self.day.arguments(),
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        return self

    def ready(self) -> RunningGate:
        wait_until(self.answers, f"the gate answers; its log: {self.log}")
        return self

    def answers(self) -> bool:
        assert self.process is not None
        ended = self.process.poll()
        assert ended is None, f"the gate ended with {ended}: {self.said()[-1500:]}"
        try:
            with http_client(self.url, timeout=5) as client:
                return client.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """kill -9: nothing of the program runs after this."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(WAIT_S)

    def stop(self) -> int:
        """SIGTERM, as systemd does, and the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_S)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    # --- talking to it -----------------------------------------------------------------------------

    def reader(self) -> httpx.Client:
        """A network reader with its device key."""
        return http_client(self.url, headers={"X-Device-Key": self.key})

    @contextmanager
    def signed_in(self, staff_number: str) -> Iterator[httpx.Client]:
        """A member of staff at a tablet, to the end of the block."""
        body = {"staff_number": staff_number, "pin": fault_school.PIN}
        with http_client(self.url) as client:
            answer = wait_until(lambda: not_busy(client.post("/sign-in", json=body)), f"{staff_number} signs in")
            assert answer.status_code == 200, answer.text
            client.headers["X-CSRF-Token"] = answer.json()["csrf"]
            yield client


def not_busy(answer: httpx.Response) -> httpx.Response | None:
    """Only so many sign-ins a second are taken from one screen."""
    return None if answer.status_code == 429 else answer


def tap(client: httpx.Client, child: int, access_point: str) -> dict[str, Any]:
    """A card at a network reader. The answer comes after the entry is durable."""
    body = {"access_point": access_point, "scheme": "uid", "value": fault_school.uid_of(child)}
    answer = client.post("/api/v1/reads", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def press(client: httpx.Client, act: str, **body: Any) -> dict[str, Any]:
    """A button on a staff page: {"outcome", "reason", "detail", "entry", ...}."""
    answer = client.post(f"/act/{act}", json=body)
    assert answer.status_code == 200, f"{act}: {answer.status_code} {answer.text}"
    told: dict[str, Any] = answer.json()
    return told


def _site(node: str, wires: tuple[Wire, ...], relays: Mapping[str, str]) -> str:
    """`relays`: access point -> name of the relay board that opens it."""
    lines = ["[node]", f'id = "{node}"', "", "[disk]", "ballast_mib = 1", ""]
    for wire in wires:
        lines += ["[[device]]", f'name = "{wire.name}"', f'url = "{wire.url}"']
        lines += [f'access_point = "{wire.access_point}"'] if wire.access_point else []
        lines += [f'options = {{ as = "{wire.as_}" }}'] if wire.as_ else []
        lines.append("")
    for channel, (point, board) in enumerate(relays.items(), 1):
        lines += [f"[access.{point}]", f'relay = "{board}"', f"relay_channel = {channel}", ""]
    return "\n".join(lines)


def run_kiosk(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of `kiosk`, to its end."""
    command = [sys.executable, "-m", "kiosk", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S * 2, check=False, env=dict(os.environ))
