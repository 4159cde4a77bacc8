"""The stage of the demo: folders, simulated devices, and three real processes; everything ends together."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from drivers.simulated.bench_rack import BenchRack, RackItem
from drivers.simulated.camera import SimulatedCamera
from drivers.simulated.camera_portrait import portrait
from kiosk.clock import steady_s
from kiosk.composition import new_device_key
from kiosk.demo.link import CuttableLink
from kiosk.directory import load
from kiosk.people_import import import_people
from kiosk.settings import Settings, shared_data_dir
from kiosk.settings import load as load_settings
from kiosk.snapshots import SnapshotStore

READY_S = 60.0
ENROL_CODE = "demo-2026"
PORTRAITS_PER_CLASS = 45

# name -> (kind of simulator, access point). The three NFC readers go through nfcpy, the others through pyserial.
READERS: dict[str, tuple[str, str]] = {
    "east-nfc-1": ("pn532", "east-in-1"),
    "east-nfc-2": ("field", "east-in-2"),
    "east-7941-3": ("m7941", "east-in-3"),
    "east-line-4": ("lines", "east-in-4"),
    "east-id-house": ("rdm6300", "east-house-in"),
    "east-out-7941": ("m7941", "east-out-1"),
    "east-out-line": ("lines", "east-out-2"),
    "east-id-out": ("rdm6300", "east-house-out"),
    "east-desk-nfc": ("pn532", "east-desk"),
    "east-desk-scan": ("lines", "east-desk"),
    "south-7941-1": ("m7941", "south-in-1"),
    "south-7941-2": ("m7941", "south-in-2"),
    "south-line-3": ("lines", "south-in-3"),
    "south-id-house": ("rdm6300", "south-house-in"),
    "south-out-7941": ("m7941", "south-out-1"),
    "south-out-line": ("lines", "south-out-2"),
    "south-id-out": ("rdm6300", "south-house-out"),
    "south-desk-7941": ("m7941", "south-desk"),
    "south-desk-scan": ("lines", "south-desk"),
}
SCANNERS = frozenset({"east-desk-scan", "south-desk-scan"})  # for codes on paper and telephones, not for cards
RELAYS = {"east-doors": ("east-in-1", "east-out-1"), "south-doors": ("south-in-1", "south-out-1")}
CAMERAS = {"east-camera": ("east-in-1", "east-in-2", "east-desk"), "south-camera": ("south-in-1", "south-desk")}


class DemoError(Exception):
    """The demo cannot start; the sentence names the remedy."""


class Stage:
    """Where the demo plays. Use `with raised(...)`."""

    def __init__(self, state: Path, *, port: int, keep: bool, start: str, speed: float) -> None:
        self.state, self.port, self.start_at, self.speed = state.absolute(), port, start, speed
        self.gate_state, self.server_state = self.state / "gate", self.state / "server"
        if not _is_free(port):
            raise DemoError(f"port {port} is taken; stop what listens there (another demo?) or name another --port")
        if self.state.exists() and not keep:
            _clear(self.state)
        self.gate_state.mkdir(parents=True, exist_ok=True)
        self.config = shared_data_dir("sample_school")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.server_port = _free_port()
        self._began_s = steady_s()

    def open(self) -> None:
        items = [RackItem(name, kind) for name, (kind, _) in READERS.items()]
        items += [RackItem(name, "lcus") for name in RELAYS]
        self.rack = BenchRack(items, links_folder=self._folder("dev"), verbs_folder=self._folder("verbs"))
        self.cameras = {name: SimulatedCamera() for name in CAMERAS}
        for camera in self.cameras.values():
            camera.start()
        self.site = self._write_site()
        self.settings: Settings = load_settings(self.config, site_file=self.site)
        self._import_people()
        self.device_key = new_device_key(self.gate_state, [])
        self._start_server()
        self.link = CuttableLink(target=("127.0.0.1", self.server_port))
        self.start_gate()
        self._start_agent()

    def _folder(self, name: str) -> Path:
        folder = self.state / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _write_site(self) -> Path:
        """site.toml of the demo: every simulated device by the URL that a real one would have."""
        lines = ['[node]', 'id = "east"', f"port = {self.port}", "", "[disk]", "ballast_mib = 1", ""]
        for name, (kind, point) in READERS.items():
            options = '\noptions = { as = "number" }' if kind == "lines" and name not in SCANNERS else ""
            lines += ["[[device]]", f'name = "{name}"', f'url = "{self.rack.urls[name]}"']
            lines += [f'access_point = "{point}"{options}', ""]
        for name in RELAYS:
            lines += ["[[device]]", f'name = "{name}"', f'url = "{self.rack.urls[name]}"', ""]
        for name, camera in self.cameras.items():
            lines += ["[[device]]", f'name = "{name}"', f'url = "{camera.url}"', ""]
        access: dict[str, list[str]] = {}
        for name, barriers in RELAYS.items():
            for channel, point in enumerate(barriers, 1):
                access.setdefault(point, []).extend([f'relay = "{name}"', f"relay_channel = {channel}"])
        for name, points in CAMERAS.items():
            for point in points:
                access.setdefault(point, []).append(f'camera = "{name}"')
        for point, settings in access.items():
            lines += [f"[access.{point}]", *settings, ""]
        path = self.state / "site.toml"
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    def _import_people(self) -> None:
        if (self.gate_state / "directory.db").exists():
            return
        people = self.settings.find("people")
        assert people is not None, "the sample school has people"
        result = import_people(
            [people], self.gate_state, settings=self.settings, dry_run=False, now_ms=self.now_ms()
        )
        if not result.ok:
            raise DemoError(f"the sample school cannot be imported: {result.text()}")
        directory, store = load(self.gate_state / "directory.db"), SnapshotStore(self.gate_state)
        first_classes = [pupils for _, pupils in zip(range(6), directory.pupils_of_class.values(), strict=False)]
        for child in (child for pupils in first_classes for child in pupils[:PORTRAITS_PER_CLASS]):
            store.put_photo(child, portrait(child))
            for authorisation in directory.collectors_of.get(child, ())[:2]:
                store.put_photo(authorisation.collector, portrait(authorisation.collector, adult=True))

    # --- processes ------------------------------------------------------------------------------------

    def _run(self, name: str, *arguments: str) -> None:
        log = (self.state / f"{name}.log").open("ab")
        with log:
            # A session of its own: Ctrl-C reaches us alone and we stop the others in order.
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments], stdout=log, stderr=log, start_new_session=True
            )

    def _start_server(self) -> None:
        self._run(
            "server", "sync_agent", "serve", "--state", str(self.server_state), "--port", str(self.server_port),
            "--school", "sample", "--code", ENROL_CODE, "--office", "east",
        )  # fmt: skip
        _wait_for(f"http://127.0.0.1:{self.server_port}/", self.processes["server"], self.state / "server.log")

    def now_ms(self) -> int:
        """The moment of the played day, in UTC milliseconds; the same in every process, also after a restart."""
        start_ms = int(datetime.fromisoformat(self.start_at).timestamp() * 1000)
        return start_ms + int((steady_s() - self._began_s) * 1000 * self.speed)

    def start_gate(self) -> None:
        if "gate" not in self.processes:
            self._began_s = steady_s()  # the played clock starts when the gate does
        self._run(
            "gate", "kiosk", "serve", "--config", str(self.config), "--site", str(self.site), "--state", str(self.gate_state),
            "--clock-start", self.start_at, "--clock-speed", str(self.speed), "--clock-began", str(self._began_s),
        )  # fmt: skip
        _wait_for(f"{self.url}/healthz", self.processes["gate"], self.state / "gate.log")

    def _start_agent(self) -> None:
        self._run(
            "agent", "sync_agent", "run", "--state", str(self.gate_state), "--server", f"http://127.0.0.1:{self.link.port}",
            "--school", "sample", "--node", "east", "--code", ENROL_CODE, "--longest-pause", "5", "--peers-every", "2",
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write_note(self, sign_ins: list[dict[str, str]]) -> None:
        """demo.json: everything that somebody outside needs to join in."""
        readers = {
            name: {"url": self.rack.urls[name], "access_point": point, "verbs": str(self.state / "verbs" / name)}
            for name, (_, point) in READERS.items()
        }
        note: dict[str, Any] = {
            "url": self.url,
            "school_server": f"http://127.0.0.1:{self.server_port}",
            "pids": {name: process.pid for name, process in self.processes.items()},
            "readers": readers,
            "cameras": {name: camera.url for name, camera in self.cameras.items()},
            "device_key": self.device_key,
            "sign_ins": sign_ins,
            "state": str(self.gate_state),
        }
        draft = self.state / "demo.json.new"
        draft.write_text(json.dumps(note, ensure_ascii=False, indent=1), encoding="utf-8")
        draft.replace(self.state / "demo.json")

    def close(self) -> None:
        """Agent, gate, server, then the devices. Whoever does not end in time is killed and said so."""
        for name in ("agent", "gate", "server"):
            process = self.processes.get(name)
            if process is None or process.poll() is not None:
                continue
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                print(f"{name} did not stop and was killed; see {self.state / name}.log", file=sys.stderr)
        if hasattr(self, "link"):
            self.link.close()
        for camera in getattr(self, "cameras", {}).values():
            camera.stop()
        if hasattr(self, "rack"):
            self.rack.close()


@contextmanager
def raised(state: Path, *, port: int, keep: bool, start: str, speed: float) -> Iterator[Stage]:
    stage = Stage(state, port=port, keep=keep, start=start, speed=speed)
    try:
        stage.open()
        yield stage
    finally:
        stage.close()


def _clear(state: Path) -> None:
    """Only a folder that an earlier demo made is emptied."""
    if any(state.iterdir()) and not (state / "site.toml").exists():
        raise DemoError(f"{state} is not empty and no demo's; name another --state or remove it")
    shutil.rmtree(state)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end_s = steady_s() + READY_S
    with httpx.Client(timeout=2, trust_env=False) as client:
        while steady_s() < end_s:
            if process.poll() is not None:
                tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
                raise DemoError(f"a process ended at once: {' / '.join(tail) or 'no word'}; the whole story is in {log}")
            try:
                if client.get(url).status_code < 500:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
    raise DemoError(f"{url} did not answer within {READY_S:g} s; see {log}")
