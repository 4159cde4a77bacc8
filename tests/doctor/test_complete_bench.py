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
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
AGAIN_S = 2.0
LOOK_S = 0.1  # a journal and a page that are read without a pause would take the computer from the devices
TAPPED = ("m7941", "stxlrc")  # one in each half
SAMPLE = shared_data_dir("sample_school")
SAID = re.compile(r"^(?:WARNING|INFO) drivers\.supervisor: device (\S+) is (down|misconfigured|ok)( again)?:", re.M)
SHOWN = re.compile(r'class="device device-(\w+)"><span class="device-name">([^<]+)<')


def eventually(done: Callable[[], Any], what: Callable[[], str]) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while not done():
        assert time.monotonic() < give_up_s, what()
        time.sleep(LOOK_S)


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
            found = read_journal(self.gate.state)
            return any(one.entry.kind == Kind.ARRIVED and one.entry.body["child"] == child for one in found)

        give_up_s = time.monotonic() + WITHIN_S
        while not arrived():
            assert time.monotonic() < give_up_s, f"child {child} does not arrive at {name}"
            device.tap(card)  # a person who takes the card away for a moment when the lamp stays dark
            with suppress(AssertionError):
                wait_until(arrived, "", within_s=AGAIN_S)

    def all_well(self) -> None:
        def well() -> bool:
            shown = self.shown()
            return set(shown.values()) == {"ok"} and set(shown) >= set(self.rack.devices)

        eventually(well, lambda: f"everything is well again: {self.shown()}")


@pytest.fixture(name="rack", scope="module")
def a_complete_rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, BenchRack]]:
    folder = tmp_path_factory.mktemp("bench")
    with complete_bench(folder / "bench") as rack:
        yield folder, rack


def test_the_doctor_finds_every_driver_healthy(rack: tuple[Path, BenchRack]) -> None:
    folder, devices = rack[0] / "bench", rack[1]
    told = ""

    def looked() -> bool:
        nonlocal told
        arguments = ("--config", str(SAMPLE), "--site", str(folder / SITE_FILE), "--state", str(folder / "state"), "--json")
        told = run_kiosk("doctor", *arguments).stdout
        return all(row["health"] == "ok" for row in json.loads(told)["devices"])

    eventually(looked, lambda: f"the doctor finds all devices healthy: {told}")
    rows = {row["name"]: row for row in json.loads(told)["devices"]}
    assert set(rows) == set(KINDS) - set(devices.left_out)
    left_out = {KINDS[kind].scheme for kind in devices.left_out}
    assert {row["driver"] for row in rows.values()} >= set(registry.BUILT_IN) - left_out
    for row in rows.values():
        assert row["detail"], f"{row['name']} does not say what it is"
    if devices.left_out:
        pytest.skip(f"not simulated on this computer: {devices.left_out}")


@pytest.fixture(name="bench", scope="module")
def a_running_bench(rack: tuple[Path, BenchRack]) -> Iterator[Bench]:
    folder, devices = rack
    fault_school.write(folder / "state", pupils=2 * fault_school.SEATS)
    gate = RunningGate(folder, day=VirtualDay("2026-11-23T07:50:00+08:00"))
    gate.site.write_text(site_toml(devices.urls, port=gate.port), encoding="utf-8")
    try:
        gate.start().ready()
        with gate.signed_in("D001") as leader:
            yield Bench(gate, devices, leader)
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

    pulled_s, noticed_s = time.monotonic(), dict[str, float]()
    for name in pulled:
        bench.rack.devices[name].unplug()
    # The others go on while these are gone; and every answer is heard, so that a speaker is missed at once.
    bench.tap_goes_on(next(name for name in TAPPED if name in others))
    with bench.gate.reader() as reader:
        bench.next_child += 1
        assert tap(reader, bench.next_child, "south-in-1")["entry"] is not None

    def marked() -> bool:
        shown = bench.shown()
        for name in pulled:
            if shown[name] == "down":
                noticed_s.setdefault(name, time.monotonic() - pulled_s)
        return len(noticed_s) == len(pulled)

    eventually(marked, lambda: f"the duty page marks them: {bench.shown()}")
    eventually(lambda: all(bench.shown()[name] == "ok" for name in others), lambda: f"the others stay well: {bench.shown()}")

    plugged_s, took_s = time.monotonic(), dict[str, float]()
    for name in pulled:
        bench.rack.devices[name].replug()

    def all_are_back() -> bool:
        found = bench.journalled(Kind.DEVICE_BACK)
        for name in pulled:
            if found[name] > back[name]:
                took_s.setdefault(name, time.monotonic() - plugged_s)
        return len(took_s) == len(pulled)

    eventually(all_are_back, lambda: f"they come back by themselves, and only {sorted(took_s)} did")
    for name in pulled:
        print(f"\n{name:<16} noticed after {noticed_s[name]:.1f} s, back after {took_s[name]:.1f} s", end="")
    for name in pulled:
        assert bench.journalled(Kind.DEVICE_LOST)[name] == lost[name] + 1, name
        assert bench.journalled(Kind.DEVICE_BACK)[name] == back[name] + 1, name
        assert bench.logged()[name] == [*said.get(name, []), "down", "ok again"]
    bench.all_well()


# --- the office tries them -------------------------------------------------------------------------------


@pytest.fixture(name="office", scope="module")
def the_office(bench: Bench) -> Iterator[httpx.Client]:
    with bench.gate.signed_in("O001") as client:
        yield client


def press_try(office: httpx.Client, device: str, **more: str) -> httpx.Response:
    return office.post("/office/devices/try", data={"device": device, **more}, follow_redirects=False)


def page_says(office: httpx.Client, device: str, words: str) -> str:
    """The page about this try, as soon as it says so."""
    last = ""

    def said() -> str:
        nonlocal last
        last = office.get("/office/devices", params={"tried": device}).text
        return last if words in last else ""

    return str(wait_until(said, f"the page says {words!r}; it says {last[-2000:]}", within_s=WITHIN_S))


def test_a_tried_reader_shows_the_first_card_and_records_the_next(bench: Bench, office: httpx.Client) -> None:
    bench.all_well()
    bench.next_child += 1
    child = bench.next_child
    assert press_try(office, "m7941").headers["location"] == "/office/devices?tried=m7941#tried"
    shown = page_says(office, "m7941", "请现在刷卡")
    assert '<meta http-equiv="refresh"' in shown
    wait_until(lambda: bench.rack.devices["m7941"].tap(fault_school.uid_of(child)), "the card is read", within_s=WITHIN_S)
    shown = page_says(office, "m7941", "读到了")
    assert fault_school.uid_of(child) in shown and "refresh" not in shown
    bench.next_child -= 1
    bench.tap_goes_on("m7941")
    arrived = [one for one in read_journal(bench.gate.state) if one.entry.body.get("child") == child]
    assert [one.entry.kind for one in arrived] == [Kind.ARRIVED], "the card of the try was not recorded"


def test_a_tried_contact_closes_after_a_second_press_and_is_on_record(bench: Bench, office: httpx.Client) -> None:
    board = bench.rack.devices["lcus"]
    bench.all_well()
    assert "闭合触点 2" in office.get("/office/devices", params={"ask": "lcus"}).text
    assert press_try(office, "lcus").status_code == 422
    assert press_try(office, "lcus", contact="9").status_code == 404
    assert not any(one.entry.kind == Kind.RELAY_TRIED for one in read_journal(bench.gate.state))
    board.history.clear()
    assert press_try(office, "lcus", contact="2").status_code == 303
    assert board.wait_for_change(2, True, timeout_s=WITHIN_S) and board.wait_for(2, False, timeout_s=WITHIN_S)
    assert not any(change.channel == 1 for change in board.history)
    page_says(office, "lcus", "已记入记录")
    (tried,) = [one.entry for one in read_journal(bench.gate.state) if one.entry.kind == Kind.RELAY_TRIED]
    assert (tried.body["device"], tried.body["contact"], tried.body["by"]) == ("lcus", 2, fault_school.OFFICE)
    assert press_try(bench.leader, "lcus", contact="2").status_code == 403, "only the office tries"


def test_a_tried_camera_shows_a_fresh_picture_and_a_tried_printer_prints(bench: Bench, office: httpx.Client) -> None:
    bench.all_well()
    press_try(office, "camera")
    assert "/office/devices/picture?device=camera" in page_says(office, "camera", "现在的画面")
    picture = office.get("/office/devices/picture", params={"device": "camera"})
    assert picture.content.startswith(b"\xff\xd8\xff") and picture.headers["cache-control"] == "no-store"
    assert office.get("/office/devices/picture", params={"device": "m7941"}).status_code == 404
    printer = bench.rack.devices["escpos-tcp"]
    slips = len(printer.slips)
    press_try(office, "escpos-tcp")
    assert printer.wait_for_slips(slips + 1, timeout_s=WITHIN_S) and "打印机测试" in printer.slips[-1]
    page_says(office, "escpos-tcp", "测试条已打印")


def test_what_is_not_there_or_not_well_cannot_be_tried(bench: Bench, office: httpx.Client) -> None:
    bench.all_well()
    assert press_try(office, "teapot").status_code == 404
    assert office.post("/office/devices/try", data={"device": "lcus"}, headers={"X-CSRF-Token": "x"}).status_code == 403
    bench.rack.devices["lcus"].unplug()
    wait_until(lambda: bench.shown()["lcus"] == "down", "the page marks it", within_s=WITHIN_S)
    before = len(read_journal(bench.gate.state))
    press_try(office, "lcus", contact="1")
    assert "现在不能试" in office.get("/office/devices", params={"tried": "lcus"}).text
    assert len(read_journal(bench.gate.state)) == before, "nothing moved, nothing is on record"
    bench.rack.devices["lcus"].replug()
    bench.all_well()
