"""A whole gate in a process of its own, cut off from everything: doors, paper and screen when the key is turned.

1,620 pupils of the fault school; no network, no school server. The relay board and the receipt printer are simulated on their
own wires, so the shipped drivers run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.simulated.receipt_printer import SimulatedReceiptPrinter
from drivers.simulated.relay_board import SimulatedRelayBoard
from kiosk.clock import FixedClock
from kiosk.core.commands import Read
from kiosk.directory import load as load_directory
from kiosk.opening import open_gate
from kiosk.settings import load, shared_data_dir
from tests.support import fault_school
from tests.support.running_gate import RunningGate, VirtualDay, Wire, press, run_kiosk, wait_until

PUPILS = fault_school.CLASSES * fault_school.SEATS
SOON_S = 30.0


def everybody_came(state: Path) -> None:
    """The morning of 1,620 pupils, written by the real loop before the gate starts."""
    fault_school.write(state)
    settings = load(shared_data_dir("sample_school"))
    clock = FixedClock(fault_school.MONDAY_MS)
    gate = open_gate(settings=settings, directory=load_directory(state / "directory.db"), state=state, clock=clock)
    gate.start()
    for child in range(1, PUPILS + 1):
        gate.submit(Read(access_point="east-in-1", scheme="uid", value=fault_school.uid_of(child)))
    gate.ask(Read(access_point="east-in-1", scheme="uid", value="DEADBEEF"))
    gate.stop()


@pytest.fixture(name="printer")
def a_printer() -> Iterator[SimulatedReceiptPrinter]:
    with SimulatedReceiptPrinter() as printer:
        yield printer


@pytest.fixture(name="board")
def a_relay_board(tmp_path: Path) -> Iterator[SimulatedRelayBoard]:
    with SimulatedRelayBoard(link=tmp_path / "doors", channels=2) as board:
        yield board


@pytest.fixture(name="gate")
def a_gate_cut_off(tmp_path: Path, printer: SimulatedReceiptPrinter, board: SimulatedRelayBoard) -> Iterator[RunningGate]:
    everybody_came(tmp_path / "gate" / "state")
    gate = RunningGate(
        tmp_path / "gate",
        day=VirtualDay("2026-11-23T10:42:00+08:00"),
        wires=(Wire(name="slips", url=printer.url), Wire(name="doors", url=board.url)),
        relays={"east-in-1": "doors", "east-out-1": "doors"},
        state=tmp_path / "gate" / "state",
    )
    gate.start().ready()
    yield gate
    gate.close()


def test_with_the_network_down_and_the_server_off_the_list_is_on_screen_and_on_paper_and_the_doors_stay_open(
    gate: RunningGate, printer: SimulatedReceiptPrinter, board: SimulatedRelayBoard
) -> None:
    with gate.signed_in("D001") as leader:
        drill = press(leader, "emergency", drill=True)
        assert drill["outcome"] == "granted", drill
        assert printer.wait_for_slips(1, timeout_s=SOON_S)
        assert not any(change.on for change in board.history), "a drill opens no door"
        assert press(leader, "emergency_end")["detail"] == {"missing": PUPILS}

        assert press(leader, "emergency")["reason"] == "emergency"
        assert board.wait_for(1, True, timeout_s=SOON_S)
        assert board.wait_for(2, True, timeout_s=SOON_S), "entrances and exits alike"
        assert printer.wait_for_slips(2, timeout_s=SOON_S)
        whole_on(printer.slips[1])
        page = leader.get("/muster").text
        assert len(set(re.findall(r'data-child="(\d+)"', page))) == PUPILS
        assert gate.process is not None
        gate.kill()

    said = run_kiosk("muster", "--config", str(shared_data_dir("sample_school")), "--state", str(gate.state))
    assert said.returncode == 0, said.stderr
    whole_on(said.stdout)

    gate.start().ready()
    with gate.signed_in("D001") as leader:
        wait_until(lambda: board.state[1] and board.state[2], "the doors are held again after the restart")
        assert press(leader, "emergency_end")["outcome"] == "granted"
        wait_until(lambda: not board.state[1] and not board.state[2], "the doors shut by themselves after the end")


def whole_on(paper: str) -> None:
    """Every one of the 1,620 once, with class and seat."""
    assert f"名单 {PUPILS}" in paper
    cells = re.findall(r"□(\d\d)(\S+)", paper)
    assert len(cells) == PUPILS
    assert paper.count("45 人 缺 45") == fault_school.CLASSES
