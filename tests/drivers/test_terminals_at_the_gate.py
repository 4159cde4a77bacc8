"""School terminals at a running gate: taps arrive as entries; what was stored while cut off arrives once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.simulated.adms_terminal import SimulatedAdmsTerminal
from drivers.simulated.isapi_terminal import FACE, SimulatedIsapiTerminal
from kiosk.core import commands as c
from kiosk.devices import Devices
from kiosk.settings.values import Device
from kiosk.snapshots import SnapshotStore
from tests.support.running_gate import wait_until
from tests.support.school import School

TODAY = "2026-11-23"


class Gate:
    """The small school with one terminal at an entrance; the clock of the terminal goes with the school's."""

    def __init__(self, state: Path, url: str, point: str = "east-in") -> None:
        self.school = School(state)
        self._url, self._point = url, point
        self.devices = self._started()

    def _started(self) -> Devices:
        school, terminal = self.school, Device(name="terminal", url=self._url, access_point=self._point)
        points = dict(school.settings.rules.access_points)
        points[self._point] = replace(points[self._point], relay="terminal", relay_channel=1)
        rules = replace(school.settings.rules, access_points=points)
        settings = replace(school.settings, rules=rules, site=replace(school.settings.site, devices=(terminal,)))
        devices = Devices(settings, school.gate, SnapshotStore(school.state, utc_offset_ms=settings.plan.utc_offset_ms))
        devices.start()
        return devices

    def restart(self, *, day: str = TODAY, at: str = "") -> None:
        """The power goes; when it is back it may be another day."""
        self.devices.stop()
        self.school.close()
        if at:
            self.school.day = day
            self.school.clock.set(self.school.ms(at))
        self.school.restart()
        self.school.ask(c.Tick())
        self.devices = self._started()
        self.healthy()

    def healthy(self) -> None:
        wait_until(lambda: self.devices.by_name["terminal"].health.value == "ok", "the terminal is healthy")

    def all_facts(self) -> list[tuple[str, int]]:
        entries = self.school.gate.journal.of_kinds(frozenset({"arrived", "seen", "released", "read_stored"}))
        return [(entry.kind, entry.body["child"]) for entry in entries]

    def close(self) -> None:
        self.devices.stop()
        self.school.close()


@contextmanager
def adms(tmp_path: Path) -> Iterator[tuple[SimulatedAdmsTerminal, Gate]]:
    with SimulatedAdmsTerminal(pace=0.05, clock=f"{TODAY} 07:40:00") as terminal:
        gate = Gate(tmp_path / "state", f"{terminal.url}&door=1")
        try:
            gate.healthy()
            yield terminal, gate
        finally:
            gate.close()


@pytest.fixture(name="both")
def a_terminal_and_its_gate(tmp_path: Path) -> Iterator[tuple[SimulatedAdmsTerminal, Gate]]:
    with adms(tmp_path) as both:
        yield both


def test_a_tap_is_an_arrival_and_the_terminal_opens_its_door(both: tuple[SimulatedAdmsTerminal, Gate]) -> None:
    terminal, gate = both
    terminal.tap("20260001")
    wait_until(lambda: gate.all_facts() == [("arrived", 1)], "the arrival is on record")
    wait_until(lambda: terminal.doors_opened == ["01010103"], "the terminal opened its door")
    (entry,) = gate.school.entries("arrived")
    assert "20260001" not in str(entry.body), "the journal knows people by opaque numbers only"
    assert terminal.wait_until_sent()


def test_what_was_stored_while_the_gate_was_off_arrives_once_with_its_own_time(
    both: tuple[SimulatedAdmsTerminal, Gate],
) -> None:
    terminal, gate = both
    terminal.cut_off()
    terminal.set_clock(f"{TODAY} 07:45:00")
    for number in (1, 2, 3):
        terminal.tap(f"2026000{number}")
    gate.restart(at="09:10")
    terminal.cut_off(False)
    wait_until(lambda: len(gate.all_facts()) == 3, "all three have arrived")
    assert terminal.wait_until_sent()
    assert gate.all_facts() == [("arrived", 1), ("arrived", 2), ("arrived", 3)]
    assert gate.school.child("王小明").arrived_ms // 60_000 == gate.school.ms("07:45") // 60_000
    assert terminal.doors_opened == []
    for _ in range(2):  # the terminal forgets what was answered, and the gate forgets everything but its disk
        terminal.resend_all()
        assert terminal.wait_until_sent()
        gate.restart()
    assert len(gate.all_facts()) == 3


def test_once_holds_across_midnight_and_a_closed_day(both: tuple[SimulatedAdmsTerminal, Gate]) -> None:
    terminal, gate = both
    school = gate.school
    terminal.set_clock(f"{TODAY} 07:41:00")
    school.at("07:41")
    terminal.tap("20260003")
    wait_until(lambda: gate.all_facts() == [("arrived", 3)], "the arrival is on record")
    assert terminal.wait_until_sent()
    school.at("18:40").tap("李雷", "south-out")
    assert school.at("18:55").ask(c.ClearCampus(by=school.number("孙主任"))).decision.outcome == "granted"
    before = gate.all_facts()
    gate.restart(day="2026-11-25", at="07:30")
    terminal.resend_all()
    assert terminal.wait_until_sent()
    assert gate.all_facts() == before
    terminal.set_clock(f"{TODAY} 18:45:00")  # and one that nobody has heard of yet
    terminal.tap("20260001")
    assert terminal.wait_until_sent()
    assert gate.all_facts() == [*before, ("read_stored", 1)]
    assert school.custodian("王小明") == ""


@pytest.fixture(name="isapi")
def an_isapi_terminal_and_its_gate(tmp_path: Path) -> Iterator[tuple[SimulatedIsapiTerminal, Gate]]:
    with SimulatedIsapiTerminal(clock=f"{TODAY} 07:40:00") as terminal:
        gate = Gate(tmp_path / "state", f"{terminal.url}&door=1")
        try:
            gate.healthy()
            yield terminal, gate
        finally:
            gate.close()


def test_an_isapi_terminal_is_a_reader_with_a_door(isapi: tuple[SimulatedIsapiTerminal, Gate]) -> None:
    terminal, gate = isapi
    terminal.tap("20260002")
    wait_until(lambda: gate.all_facts() == [("arrived", 2)], "the arrival is on record")
    wait_until(lambda: terminal.doors_opened == [1], "the terminal opened its door")
    terminal.tap("20260001", FACE)  # nobody agreed
    wait_until(lambda: len(gate.school.entries("read_refused")) == 1, "the guard is asked")
    assert gate.school.entries("read_refused")[0].body["reason"] == "face_not_agreed"
    assert gate.all_facts() == [("arrived", 2)]


def test_what_an_isapi_terminal_stored_while_the_gate_was_off_is_fetched_once(
    isapi: tuple[SimulatedIsapiTerminal, Gate],
) -> None:
    terminal, gate = isapi
    terminal.tap("20260001")
    wait_until(lambda: gate.all_facts() == [("arrived", 1)], "the arrival is on record")
    terminal.cut_off()
    terminal.set_clock(f"{TODAY} 07:45:00")
    for number in (2, 3):
        terminal.tap(f"2026000{number}")
    gate.devices.stop()
    terminal.cut_off(False)
    gate.restart(at="09:10")
    wait_until(lambda: len(gate.all_facts()) == 3, "the other two have arrived")
    assert gate.school.child("李雷").arrived_ms // 60_000 == gate.school.ms("07:45") // 60_000
    asked = terminal.pages_asked
    gate.restart(day="2026-11-24", at="07:30")
    wait_until(lambda: terminal.pages_asked > asked, "it asked again for what was stored")
    terminal.set_clock("2026-11-24 07:30:00")
    terminal.tap("20260004")
    wait_until(lambda: gate.all_facts()[-1] == ("arrived", 4), "the next day has begun")
    assert gate.all_facts() == [("arrived", 1), ("arrived", 2), ("arrived", 3), ("arrived", 4)]
