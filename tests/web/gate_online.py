"""A gate with its pages on a real port, for the tests of this folder: real controller, real PIN desk, real server.

Only the clock, the photos and the importer are the test's own; nothing is patched.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from kiosk.core.people import Directory, Role, Staff
from kiosk.credentials import PinDesk, SignInOutcome, hash_pin, load_pepper
from kiosk.record_keeping import OfficeRecords
from kiosk.session_desk import SessionDesk
from kiosk.web.app import Server, create_app
from kiosk.web.gate import Gate, Importer, ImportPlan, PageRead, PinVerdict, Setting, WebSettings
from tests.support.people import STAFF, small_school, uid_of
from tests.support.plain_http import http_client
from tests.support.school import School

PIN = "135790"
DURESS_PIN = "246802"
PEPPER = sha256(b"of every gate of these tests").digest()
DEVICE_KEY = "reader-at-the-east-gate"
EAST_ONLY_KEY = "reader-that-may-read-one-lane"
JPEG = b"\xff\xd8\xff\xe0 not really a picture"
START_WITHIN_S = 30.0
INSPECTOR = Staff(number=160, staff_number="D1", name="督学", pinyin="dx", initials="dx", roles=frozenset({Role.INSPECTOR}))


@dataclass
class Pictures:
    photos: dict[int, bytes] = field(default_factory=dict)
    snapshots: dict[str, bytes] = field(default_factory=dict)

    def take(self, access_point: str) -> str:
        """The camera of an access point: every picture has an id of its own."""
        taken = f"20261123-{len(self.snapshots):032x}"
        self.snapshots[taken] = JPEG
        return taken

    def photo(self, person: int) -> bytes | None:
        return self.photos.get(person)

    def snapshot(self, snapshot_id: str) -> bytes | None:
        return self.snapshots.get(snapshot_id)


class NoImporter:
    """Nothing to import."""

    def plan(self, files: Sequence[tuple[str, bytes]]) -> ImportPlan:
        return ImportPlan(problems=(), changes=(), counts=())

    def apply(self, plan: ImportPlan, *, by: int) -> int:
        return 1


@dataclass
class Online:
    """A running gate: `client()` is a browser, `as_staff("G1")` one that has signed in."""

    school: School
    server: Server
    base: str
    pictures: Pictures
    page_reads: list[PageRead]
    _clients: list[httpx.Client] = field(default_factory=list)

    def client(self, **headers: str) -> httpx.Client:
        client = http_client(self.base, headers=headers)
        self._clients.append(client)
        return client

    def as_staff(self, staff_number: str, pin: str = PIN) -> httpx.Client:
        client = self.client()
        answer = client.post("/sign-in", json={"staff_number": staff_number, "pin": pin})
        assert answer.status_code == 200, answer.text
        client.headers["x-csrf-token"] = answer.json()["csrf"]
        return client

    def tap(self, name: str, point: str) -> dict[str, object]:
        body = {"access_point": point, "scheme": "uid", "value": uid_of(self.school.number(name))}
        answer = self.client().post("/api/v1/reads", json=body, headers={"X-Device-Key": DEVICE_KEY})
        assert answer.status_code == 200, answer.text
        told: dict[str, object] = answer.json()
        return told

    def close(self) -> None:
        for client in self._clients:
            client.close()


@contextmanager
def online(
    tmp_path: Path, *, at: str = "07:40", web: WebSettings | None = None, importer: Importer | None = None,
    more: Callable[[School], Mapping[str, Any]] = lambda school: {}, directory: Directory | None = None,
) -> Iterator[Online]:  # fmt: skip
    """The small school on a free port, until the end of the block. `more`: further fields of the gate."""
    school = School(tmp_path / "state", at, directory=directory or small_school(staff=(*STAFF, INSPECTOR)))
    pictures, page_reads = Pictures(), list[PageRead]()
    gate = Gate(
        controller=school.gate,
        rules=school.gate.world.rules,
        directory=lambda: school.gate.world.directory,
        clock=school.clock,
        check_pin=_pin_check(school, tmp_path),
        pictures=pictures,
        importer=importer or NoImporter(),
        take_snapshot=pictures.take,
        access_log=page_reads.append,
        records=OfficeRecords(
            settings=school.settings,
            state=school.state,
            directory=lambda: school.gate.world.directory,
            clock=school.clock,
            pictures=pictures,
        ),
        sessions=SessionDesk(
            settings=school.settings, state=school.state, directory=lambda: school.gate.world.directory, clock=school.clock
        ),
        state_dir=tmp_path,
        device_keys={_digest(DEVICE_KEY): frozenset(), _digest(EAST_ONLY_KEY): frozenset({"east-in"})},
        web=web or WebSettings(),
        settings_in_force=(Setting(key="school.name", value="样本小学", source="school.toml"),),
        **more(school),
    )
    server = Server(create_app(gate), host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, name="web")
    thread.start()
    wait_for(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    here = Online(school, server, f"http://127.0.0.1:{port}", pictures, page_reads)
    try:
        yield here
    finally:
        here.close()
        server.should_exit = True
        thread.join(timeout=START_WITHIN_S)
        assert not thread.is_alive(), "the server did not stop"
        school.close()


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _pepper(folder: Path) -> bytes:
    """The same at every gate of a run, so that the two PINs are hashed once."""
    path = folder / "keys" / "pepper"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(PEPPER)
        path.chmod(0o600)
    return load_pepper(path)


@cache
def _hashes() -> tuple[str, str]:
    return hash_pin(PIN, PEPPER), hash_pin(DURESS_PIN, PEPPER)


def _pin_check(school: School, folder: Path) -> Callable[[str, str], PinVerdict]:
    desk, (pin_hash, duress_hash) = PinDesk(folder / "credentials.db", _pepper(folder)), _hashes()
    numbers = {staff.staff_number: staff.number for staff in school.directory.staff.values()}

    def check(staff_number: str, pin: str) -> PinVerdict:
        now_ms = school.clock.now_ms()
        hashes = (pin_hash, duress_hash) if staff_number in numbers else (None, None)
        tried = desk.attempt(staff_number, pin, hashes[0], now_ms, duress_hash=hashes[1])
        if tried.outcome is SignInOutcome.OK:
            return PinVerdict(ok=True, staff=numbers[staff_number], duress=tried.duress)
        return PinVerdict(ok=False, locked_s=max(0, (tried.locked_until_ms or now_ms) - now_ms) // 1000)

    return check


def wait_for(what: Callable[[], object], within_s: float = START_WITHIN_S) -> None:
    """Returns as soon as it is so. Fails when it is not so in time."""
    until = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.005)
