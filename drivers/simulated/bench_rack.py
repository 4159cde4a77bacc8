"""A rack of simulated devices, started from a list and closed together. For the demo, for tests and for a desk.

With a `verbs_folder` every device gets a named pipe there, and anyone can use the rack from a shell while a gate runs:
`echo 62E3086CED > verbs/north-reader` taps that card; `unplug`, `replug`, `silence on`, `silence off`, `place CARD`,
`remove` do what they say. A line that makes no sense is dropped: a desk is no protocol.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from drivers.simulated.pn532_chip import SimulatedPn532
from drivers.simulated.relay_board import SimulatedRelayBoard
from drivers.simulated.rf_field import SimulatedField
from drivers.simulated.serial_readers import SimulatedSerialReader

Kind = Literal["pn532", "field", "rdm6300", "stxlrc", "m7941", "lines", "lcus"]
Simulated = SimulatedPn532 | SimulatedField | SimulatedSerialReader | SimulatedRelayBoard
READ_BYTES = 4096
MAX_LINE_BYTES = 1024
STOP_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class RackItem:
    """One device to start. `name` is also the name of its link and of its pipe."""

    name: str
    kind: Kind


class BenchRack:
    """`.urls[name]` is what a driver opens, `.devices[name]` is what a hand does. Links appear in `links_folder`."""

    def __init__(self, items: Iterable[RackItem], *, links_folder: Path, verbs_folder: Path | None = None) -> None:
        self.devices: dict[str, Simulated] = {}
        self._pipes: VerbPipes | None = None
        try:
            for item in items:
                assert item.name not in self.devices, f"two devices are called {item.name}"
                self.devices[item.name] = _started(item, links_folder / item.name)
            if verbs_folder is not None:
                self._pipes = VerbPipes(self.devices, folder=verbs_folder)
        except BaseException:
            self.close()
            raise

    @property
    def urls(self) -> dict[str, str]:
        return {name: device.url for name, device in self.devices.items()}

    def close(self) -> None:
        if self._pipes is not None:
            self._pipes.close()
        for device in self.devices.values():
            device.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class VerbPipes:
    """One named pipe for each device, read by one thread."""

    def __init__(self, devices: Mapping[str, Simulated], *, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._paths = {name: folder / name for name in devices}
        self._devices = devices
        self._fds: dict[int, str] = {}
        for name, path in self._paths.items():
            path.unlink(missing_ok=True)
            os.mkfifo(path, 0o600)
            # Opened for writing too: then it never comes to its end when a writer goes.
            self._fds[os.open(path, os.O_RDWR | os.O_NONBLOCK)] = name
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="verb-pipes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join(STOP_WAIT_S)
        for fd in (*self._fds, self._stop_read, self._stop_write):
            os.close(fd)
        for path in self._paths.values():
            path.unlink(missing_ok=True)

    def _run(self) -> None:
        poller = select.poll()
        for fd in (*self._fds, self._stop_read):
            poller.register(fd, select.POLLIN)
        kept = dict.fromkeys(self._fds, b"")
        while True:
            for fd, _ in poller.poll():
                if fd == self._stop_read:
                    return
                with contextlib.suppress(BlockingIOError):
                    kept[fd] += os.read(fd, READ_BYTES)
                *lines, rest = kept[fd].split(b"\n")
                kept[fd] = rest[-MAX_LINE_BYTES:]
                for line in lines:
                    do_verb(self._devices[self._fds[fd]], line.decode("utf-8", "replace").strip())


def do_verb(device: Simulated, line: str) -> bool:
    """One line from a hand. False when it made no sense for this device."""
    word, _, rest = line.partition(" ")
    plain: dict[str, Callable[[], object]] = {"unplug": device.unplug, "replug": device.replug}
    if not isinstance(device, SimulatedRelayBoard):
        plain["remove"] = device.remove
    try:
        if line in plain:
            plain[line]()
        elif word == "silence":
            device.silence(rest.strip() != "off")
        elif isinstance(device, SimulatedRelayBoard) or not line:
            return False
        elif word == "place":
            device.place(rest.strip())
        else:
            device.tap(rest.strip() if word == "tap" else line)
    except (ValueError, AssertionError):  # no card has such a number
        return False
    return True


def _started(item: RackItem, link: Path) -> Simulated:
    if item.kind == "pn532":
        return SimulatedPn532(link=link)
    if item.kind == "field":
        return SimulatedField()
    if item.kind == "lcus":
        return SimulatedRelayBoard(link=link)
    return SimulatedSerialReader(item.kind, link=link)
