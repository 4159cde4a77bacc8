"""`kiosk simulate-device`: one simulated device, or one of every kind, until Ctrl-C; a hand types what happens to it.

Verbs come on stdin and by a named pipe for each device. With one of every kind, a site.toml that names them all is
written beside them, for the doctor and for a gate. It serves nothing but loopback and pseudo terminals, and never
touches a device that is really there.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import FrameType
from typing import Any

from drivers.registry import driver_class
from drivers.simulated.bench_rack import KINDS, BenchRack, RackItem, obey
from drivers.simulated.rack_verbs import NoSuchVerb, written
from kiosk.clock import SystemClock
from kiosk.core.rules import AccessKind
from kiosk.settings import load, shared_data_dir

SITE_FILE = "site.toml"
STATE = "state"  # a folder for the gate that uses the bench
PORT = 8470
SAMPLE_ZONE = timezone(timedelta(hours=8))


class NoSuchKind(ValueError):
    """Nothing of this name can be simulated; the sentence lists what can."""


@contextmanager
def one_device(kind: str, folder: Path) -> Iterator[BenchRack]:
    """Raises NoSuchKind; Misconfigured where something is missing that this kind needs."""
    if kind not in KINDS:
        raise NoSuchKind(f"no device is called {kind!r}; write one of {', '.join(KINDS)}, or all")
    with BenchRack([RackItem(kind, kind)], links_folder=folder / "dev", verbs_folder=folder / "verbs") as rack:
        _set_clocks(rack)
        yield rack


@contextmanager
def complete_bench(folder: Path, *, port: int = PORT) -> Iterator[BenchRack]:
    """One simulator of every kind that can run here, named like its kind; SITE_FILE in `folder` names them all."""
    items = [RackItem(kind, kind) for kind in KINDS]
    with BenchRack(items, links_folder=folder / "dev", verbs_folder=folder / "verbs", what_starts=True) as rack:
        (folder / SITE_FILE).write_text(site_toml(rack.urls, port=port), encoding="utf-8")
        (folder / STATE).mkdir(mode=0o700, exist_ok=True)
        _set_clocks(rack)
        yield rack


def _set_clocks(rack: BenchRack) -> None:
    """Devices with a clock of their own show the time of the sample school, as after a look at a time server."""
    local = datetime.fromtimestamp(SystemClock().now_ms() / 1000, SAMPLE_ZONE)
    for name, device in rack.devices.items():
        if "set_clock" in device.verbs:
            obey(rack.devices[name], f"set_clock {local:%Y-%m-%d %H:%M:%S}")


def site_toml(urls: Mapping[str, str], *, port: int) -> str:
    """site.toml of the sample school with these devices (kind -> URL): readers at entrances, relay and camera at the first.

    What is decided at any of them is heard from the loudspeaker.
    """
    access_points = load(shared_data_dir("sample_school")).rules.access_points.values()
    points = [point.id for point in access_points if point.kind is AccessKind.ENTRANCE]
    lines, by_role = ["[node]", 'id = "east"', f"port = {port}", ""], dict[str, list[str]]()
    for kind, url in urls.items():
        alike = by_role.setdefault(driver_class(KINDS[kind].scheme).kind, [])
        alike.append(kind)
        lines += _device_toml(kind, url)
        if alike is by_role.get("reader"):
            lines += [f'access_point = "{points[(len(alike) - 1) % len(points)]}"']
        lines += [""]
    lines += [f"[access.{points[0]}]"]
    lines += [f'relay = "{relay}"\nrelay_channel = 1' for relay in by_role.get("relay", [])[:1]]
    lines += [f'camera = "{camera}"' for camera in by_role.get("camera", [])[:1]]
    lines += [f'\n[sound]\ndevice = "{speaker}"' for speaker in by_role.get("speaker", [])[:1]]
    return "\n".join([*lines, ""])


def _device_toml(kind: str, url: str) -> list[str]:
    pairs = ", ".join(f"{name} = {json.dumps(value)}" for name, value in KINDS[kind].options.items())
    lines = ["[[device]]", f'name = "{kind}"', f'url = "{url}"']
    return [*lines, f"options = {{ {pairs} }}"] if pairs else lines


# --- at the terminal -------------------------------------------------------------------------------------


def list_kinds(*, as_json: bool) -> None:
    rows = [{"kind": kind, "driver": found.scheme, "words": found.words} for kind, found in KINDS.items()]
    if as_json:
        print(json.dumps({"kinds": rows}, ensure_ascii=False))
    else:
        print("\n".join(f"{row['kind']:<16} {row['words']}" for row in rows))


def run(kind: str, folder: Path | None, *, as_json: bool) -> None:
    """`kind` is a name of KINDS, or "all". Returns after Ctrl-C or SIGTERM. Raises NoSuchKind, Misconfigured."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell started us with SIGINT ignored
    with _folder(folder) as place, complete_bench(place) if kind == "all" else one_device(kind, place) as rack:
        site = place / SITE_FILE if kind == "all" else None
        for left, why in rack.left_out.items():
            print(f"{left} cannot be simulated here: {why}", file=sys.stderr)
        print(json.dumps(_document(rack, site), ensure_ascii=False) if as_json else _text(rack, site), flush=True)
        try:
            _take_verbs(rack, alone="" if kind == "all" else kind)
        except (KeyboardInterrupt, SystemExit):
            return


def _take_verbs(rack: BenchRack, *, alone: str) -> None:
    for line in sys.stdin:
        name, _, rest = (alone, "", line) if alone else line.strip().partition(" ")
        device = rack.devices.get(name)
        if device is None:
            print(f"begin with a device, such as `{next(iter(rack.devices))} help`", file=sys.stderr, flush=True)
            continue
        try:
            print(obey(device, rest), file=sys.stderr, flush=True)
        except NoSuchVerb as error:
            print(error, file=sys.stderr, flush=True)
    while True:  # nobody types any more; the pipes still work
        signal.pause()


def _document(rack: BenchRack, site: Path | None) -> dict[str, Any]:
    devices = [
        {
            "name": name, "kind": name, "driver": KINDS[name].scheme, "url": device.url, "pipe": str(rack.pipes[name]),
            "verbs": [written(device, verb) for verb in device.verbs],
        }
        for name, device in rack.devices.items()
    ]  # fmt: skip
    return {"devices": devices, "site": str(site) if site else None, "left_out": rack.left_out}


def _text(rack: BenchRack, site: Path | None) -> str:
    lines = []
    for name, device in rack.devices.items():
        lines += [*_device_toml(name, device.url), f"# verbs: {rack.pipes[name]}", ""]
    if site is None:
        return "\n".join([*lines, "# type a verb; `help` lists them, Ctrl-C ends it"])
    end = f"--config {shared_data_dir('sample_school')} --site {site} --state {site.with_name(STATE)}"
    return "\n".join([
        *lines, f"# all of them are in {site}; in another terminal:", f"#   kiosk doctor {end}", f"#   kiosk serve {end}",
        "# here: NAME VERB, such as `rdm6300 help`; Ctrl-C ends it",
    ])  # fmt: skip


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """The folder of the links and pipes: a stable one that was named, or one that goes away afterwards."""
    if given is not None:
        yield given.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="kiosk-device-") as fresh:
        yield Path(fresh)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
