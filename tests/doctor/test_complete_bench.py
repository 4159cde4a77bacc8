"""One simulator of every kind at once: the doctor finds them all healthy, and a running gate loses and finds each.

Done as a technician would: the devices of `kiosk simulate-device all`, the doctor as a command, the gate as a process,
plugs pulled by hand. By default every second device is pulled at the same time, then the others; KIOSK_PULLS=each pulls
them one by one. No time is asserted; what was measured is printed (`pytest -s`).
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from drivers import registry
from drivers.simulated.bench_rack import KINDS, BenchRack
from kiosk.core.entries import Kind
from kiosk.settings import shared_data_dir
from kiosk.simulated_devices import SITE_FILE, complete_bench, site_toml
from tests.support import fault_school
from tests.support.journal_facts import check_verified, read_journal
from tests.support.running_gate import RunningGate, VirtualDay, run_kiosk, tap, wait_until

EACH = os.environ.get("KIOSK_PULLS") == "each"
WITHIN_S = 60.0
TAPPED = ("m7941", "stxlrc")  # one in each half
SAMPLE = shared_data_dir("sample_school")
SAID = re.compile(r"^(?:WARNING|INFO) drivers\.supervisor: device (\S+) is (down|misconfigured|ok)( again)?:", re.M)
SHOWN = re.compile(r'class="device device-(\w+)"><span class="device-name">([^<]+)<')


@dataclass
class Bench:
    gate: RunningGate
    rack: BenchRack
    leader: httpx.Client
    next_child: int = 0

    def shown(self) -> dict[str, str]:
        """The devices of the duty page by name, as the leader sees them."""
        page = self.leader.get("/duty")
        assert page.status_code == 200, page.text
        return {name: health for health, name in SHOWN.findall(page.text)}

    def journalled(self, kind: Kind) -> Counter[str]:
        found = read_journal(self.gate.state)
        return Counter(str(one.entry.body["device"]) for one in found if one.entry.kind == kind)

    def logged(self) -> dict[str, list[str]]:
        lines: dict[str, list[str]] = {}
        for name, health, again in SAID.findall(self.gate.said()):
            lines.setdefault(name, []).append(health + again)
        return lines

    def tap_goes_on(self, name: str) -> None:
        """The next child holds a card to this reader, until it is recorded as arrived."""
        self.next_child += 1
        child, device = self.next_child, self.rack.devices[name]
        uid = fault_school.uid_of(child)
        card = f"{int(uid, 16):010d}" if name == "stxlrc" else uid

        def arrived() -> bool:
            device.tap(card)
            found = read_journal(self.gate.state)
            return any(one.entry.kind == Kind.ARRIVED and one.entry.body["child"] == child for one in found)

        wait_until(arrived, f"child {child} arrives at {name}", within_s=WITHIN_S)

    def all_well(self) -> None:
        wait_until(lambda: set(self.shown().values()) == {"ok"} and set(self.shown()) >= set(self.rack.devices),
                   f"everything is well again: {self.shown()}", within_s=WITHIN_S)  # fmt: skip


def test_the_doctor_finds_every_driver_healthy(tmp_path: Path) -> None:
    with complete_bench(tmp_path / "bench") as rack:
        site, state = tmp_path / "bench" / SITE_FILE, tmp_path / "bench" / "state"
        told = ""

        def looked() -> bool:
            nonlocal told
            done = run_kiosk("doctor", "--config", str(SAMPLE), "--site", str(site), "--state", str(state), "--json")
            told = done.stdout
            return all(row["health"] == "ok" for row in json.loads(told)["devices"])

        wait_until(looked, f"the doctor finds all devices healthy: {told}", within_s=WITHIN_S)
        rows = {row["name"]: row for row in json.loads(told)["devices"]}
        assert set(rows) == set(KINDS) - set(rack.left_out)
        left_out = {KINDS[kind].scheme for kind in rack.left_out}
        assert {row["driver"] for row in rows.values()} >= set(registry.BUILT_IN) - left_out
        for row in rows.values():
            assert row["detail"], f"{row['name']} does not say what it is"
    if rack.left_out:
        pytest.skip(f"not simulated on this computer: {rack.left_out}")


@pytest.fixture(name="bench", scope="module")
def a_running_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("bench")
    with complete_bench(folder / "bench") as rack:
        fault_school.write(folder / "state", pupils=2 * fault_school.SEATS)
        gate = RunningGate(folder, day=VirtualDay("2026-11-23T07:50:00+08:00"))
        gate.site.write_text(site_toml(rack.urls, port=gate.port), encoding="utf-8")
        try:
            gate.start().ready()
            with gate.signed_in("D001") as leader:
                yield Bench(gate, rack, leader)
            assert gate.stop() == 0, gate.said()[-1000:]
            assert "Traceback" not in gate.said()
            check_verified(gate.state)
        finally:
            gate.close()


def halves() -> list[list[str]]:
    kinds = list(KINDS)
    return [[kind] for kind in kinds] if EACH else [kinds[0::2], kinds[1::2]]


@pytest.mark.parametrize("kinds", halves(), ids=lambda kinds: kinds[0] if EACH else f"{kinds[0]}-and-every-second")
def test_a_pulled_device_is_one_line_one_entry_one_mark_and_comes_back(bench: Bench, kinds: list[str]) -> None:
    pulled = [kind for kind in kinds if kind in bench.rack.devices]
    if not pulled:
        pytest.skip(f"not simulated on this computer: {bench.rack.left_out}")
    others = set(bench.rack.devices) - set(pulled)
    bench.all_well()
    lost, back, said = bench.journalled(Kind.DEVICE_LOST), bench.journalled(Kind.DEVICE_BACK), bench.logged()

    for name in pulled:
        bench.rack.devices[name].unplug()
    wait_until(lambda: all(bench.shown()[name] == "down" for name in pulled), "the duty page marks them", within_s=WITHIN_S)
    wait_until(lambda: all(bench.shown()[name] == "ok" for name in others), "the others stay well", within_s=WITHIN_S)
    bench.tap_goes_on(next(name for name in TAPPED if name in others))
    with bench.gate.reader() as reader:
        bench.next_child += 1
        assert tap(reader, bench.next_child, "south-in-1")["entry"] is not None

    plugged_s, took_s = time.monotonic(), dict[str, float]()
    for name in pulled:
        bench.rack.devices[name].replug()

    def all_are_back() -> bool:
        for name in pulled:
            if name not in took_s and bench.journalled(Kind.DEVICE_BACK)[name] > back[name]:
                took_s[name] = time.monotonic() - plugged_s
        return len(took_s) == len(pulled)

    wait_until(all_are_back, f"they come back by themselves: {pulled}", within_s=WITHIN_S)
    print("\n" + "\n".join(f"{name:<16} back after {seconds:.1f} s" for name, seconds in took_s.items()))
    for name in pulled:
        assert bench.journalled(Kind.DEVICE_LOST)[name] == lost[name] + 1
        assert bench.journalled(Kind.DEVICE_BACK)[name] == back[name] + 1
        assert bench.logged()[name] == [*said.get(name, []), "down", "ok again"]
    bench.all_well()
