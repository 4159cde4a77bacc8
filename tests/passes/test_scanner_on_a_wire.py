"""The shipped scanner driver on a serial line and the shipped loop behind it: a pass goes in as light, out comes a fact."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from drivers.serial_reader import REPEAT_S
from drivers.simulated.bench_rack import BenchRack, RackItem
from kiosk.core.commands import LinkChanged
from kiosk.devices import Devices
from kiosk.settings.values import Device
from kiosk.snapshots import SnapshotStore
from tests.passes.delegation import CHECKED, gatehouse, said
from tests.web.gate_online import wait_for


def test_a_2d_scanner_at_the_desk_reads_a_pass_with_the_network_down_and_reads_it_a_second_time_as_used(tmp_path: Path) -> None:
    house = gatehouse(tmp_path / "state")
    house.school.tap("王小明", "east-in")
    house.school.at("15:35")
    house.school.ask(LinkChanged(waiting=40, last_contact_ms=house.school.ms("08:00"), own=True))  # the server is far away
    with BenchRack([RackItem("scan", "lines")], links_folder=tmp_path) as rack:
        desk = Device(name="scan", url=rack.urls["scan"], access_point="east-desk")
        settings = replace(house.school.settings, site=replace(house.school.settings.site, devices=(desk,)))
        devices = Devices(settings, house.school.gate, SnapshotStore(tmp_path / "state", utc_offset_ms=0))
        devices.start()
        try:
            key = house.register()
            text = house.texts[key]
            wait_for(lambda: devices.by_name["scan"].health.value == "ok")
            wait_for(lambda: rack.devices["scan"].tap(text) and house.queue())  # type: ignore[union-attr, arg-type]
            assert [(item.kind, item.reason) for item in house.queue()] == [("pass", "list_amber")]
            assert said(house.release(key, *CHECKED, "call_back", point="east-desk")) == ("granted", "collected")
            house.school.at("15:37")
            time.sleep(REPEAT_S + 0.1)  # the paper was taken away: until then the driver takes it for the same sight
            rack.devices["scan"].tap(text)  # type: ignore[union-attr, arg-type]
            wait_for(lambda: [item.reason for item in house.queue()] == ["pass_used"])
        finally:
            devices.stop()
            house.school.close()
