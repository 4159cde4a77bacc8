"""A whole gate as a process, with a reader on every kind of wire and a relay board, for everybody who means it harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from drivers.simulated.bench_rack import BenchRack, Kind, RackItem
from tests.support import fault_school
from tests.support.journal_facts import check_numbers, check_verified, read_journal
from tests.support.plain_http import http_client
from tests.support.running_gate import RunningGate, VirtualDay, Wire, tap, wait_until

READERS: dict[str, tuple[Kind, str]] = {
    "rdm": ("rdm6300", "east-in-1"),
    "stx": ("stxlrc", "east-in-2"),
    "asked": ("m7941", "east-in-3"),
    "lines": ("lines", "east-in-4"),
    "chip": ("pn532", "south-in-1"),
}
BOARD = "doors"


@dataclass
class Site:
    """The gate, its devices, and the next child who has not tapped yet."""

    gate: RunningGate
    rack: BenchRack
    next_child: int = 200  # the fuzz of the pages plays with the first ones

    def child(self) -> int:
        self.next_child += 1
        return self.next_child

    def still_works(self) -> None:
        """A child who taps now is recorded, durable before it is told."""
        with self.gate.reader() as reader:
            assert tap(reader, self.child(), "south-in-2")["entry"] is not None

    def arrived(self, child: int) -> bool:
        found = read_journal(self.gate.state)
        return any(one.entry.kind == "arrived" and one.entry.body["child"] == child for one in found)

    def healthy(self, device: str) -> bool:
        """The duty leader's programs see the device as ok, or do not see it at all because it never failed."""
        with http_client(self.gate.url) as client:
            return client.get("/healthz").status_code == 200


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("hostile")
    items = [RackItem(name, kind) for name, (kind, _) in READERS.items()] + [RackItem(BOARD, "lcus")]
    with BenchRack(items, links_folder=folder / "dev") as rack:
        wires = [
            Wire(name=name, url=rack.urls[name], access_point=point, as_="number" if kind == "lines" else "")
            for name, (kind, point) in READERS.items()
        ]
        wires.append(Wire(name=BOARD, url=rack.urls[BOARD]))
        doors = {"south-in-2": BOARD, "east-in-1": BOARD}
        gate = RunningGate(folder, day=VirtualDay("2026-11-23T07:50:00+08:00"), wires=tuple(wires), relays=doors)
        try:
            gate.start().ready()
            yield Site(gate, rack)
            assert gate.stop() == 0, gate.said()[-1000:]
        finally:
            gate.close()


@pytest.fixture
def unharmed(site: Site) -> Iterator[Site]:
    """The site; afterwards the same process still records, its journal is whole, and its log holds no fault of ours."""
    process = site.gate.process
    yield site
    assert process is not None and process.poll() is None, f"the gate ended: {site.gate.said()[-1500:]}"
    site.still_works()
    check_numbers(read_journal(site.gate.state))
    check_verified(site.gate.state)
    said = site.gate.said()
    assert "Traceback" not in said, said[said.index("Traceback") - 300 :][:3000]


__all__ = ["BOARD", "READERS", "Site", "fault_school", "wait_until"]
