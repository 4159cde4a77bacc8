"""The Modbus driver: against its own simulator where a fault is needed, and against pymodbus's server, which is nobody's
here."""

from __future__ import annotations

import asyncio
import os
import select
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from drivers.errors import DeviceLost, Misconfigured
from drivers.modbus_board import ModbusBoard
from drivers.registry import load
from drivers.simulated.modbus_board import SimulatedModbusBoard
from drivers.turns import REST_S, TurnFilter

SOON_S = 30.0


@pytest.fixture(name="board")
def a_board(tmp_path: Path) -> Iterator[SimulatedModbusBoard]:
    with SimulatedModbusBoard(link=tmp_path / "board", channels=4, inputs=2) as board:
        yield board


def opened(board: SimulatedModbusBoard, more: str = "") -> ModbusBoard:
    driver = load(board.url + more, "board")
    assert isinstance(driver, ModbusBoard)
    driver.open()
    return driver


class TestOurOwnBoard:
    @pytest.mark.parametrize(("channel", "is_closed"), [(1, True), (4, True), (2, False)])
    def test_a_contact_is_read_back(self, board: SimulatedModbusBoard, channel: int, is_closed: bool) -> None:
        with closing(opened(board)) as driver:
            driver.set(channel, is_closed)
            assert board.state[channel] is is_closed
            assert driver.get(channel) is is_closed

    def test_a_welded_contact_cannot_be_seen_in_the_coil_and_a_stuck_coil_can(self, board: SimulatedModbusBoard) -> None:
        with closing(opened(board)) as driver:
            driver.set(1, True)
            board.jam(1)
            driver.set(1, False)
            assert driver.closed() == {1}

    def test_more_channels_than_the_board_has_is_a_mistake_of_the_settings(self, board: SimulatedModbusBoard) -> None:
        with pytest.raises(Misconfigured, match=r"exception 2 .*channels="):
            opened(board, "&channels=9")

    def test_more_inputs_than_the_board_has_is_a_mistake_of_the_settings(self, board: SimulatedModbusBoard) -> None:
        with pytest.raises(Misconfigured, match=r"exception 2 .*inputs="):
            opened(board, "&inputs=3")

    def test_a_board_that_fails_is_lost_and_may_come_back(self, board: SimulatedModbusBoard) -> None:
        with closing(opened(board)) as driver:
            board.refuse(4)
            with pytest.raises(DeviceLost, match="device failure"):
                driver.set(1, True)
            board.refuse(0)
            driver.set(1, True)

    def test_another_unit_does_not_answer(self, board: SimulatedModbusBoard) -> None:
        with pytest.raises(DeviceLost, match="unit 9 does not answer"):
            opened(board, "&unit=9")

    def test_an_adapter_that_hears_itself_is_no_board(self, board: SimulatedModbusBoard) -> None:
        """Its own command comes back and looks like the board's answer; without a board it must not count."""
        board.hear_itself()
        with closing(opened(board)) as driver:
            driver.set(2, True)
            assert board.state[2]
            board.miss(1_000)
            with pytest.raises(DeviceLost):
                driver.set(2, False)

    @pytest.mark.parametrize(
        "wrong",
        ["unit=0", "unit=248", "channels=33", "inputs=-1", "channels=0&inputs=0", "first_coil=-1", "normally=ajar", "volts=5"],
    )
    def test_a_wrong_option_is_named(self, wrong: str) -> None:
        with pytest.raises(Misconfigured, match=wrong.partition("=")[0]):
            load(f"modbus:/dev/x?{wrong}", "board")


class TestTurns:
    def test_a_turn_is_one_passage(self, board: SimulatedModbusBoard) -> None:
        with closing(opened(board)) as driver, Watching(driver) as watching:
            for _ in range(3):
                assert board.turn(2)
            watching.wait_for(3)
        assert watching.seen == [2, 2, 2]

    def test_what_is_active_when_the_gate_starts_is_nobodys_passage(self, board: SimulatedModbusBoard) -> None:
        board.press(1)
        with closing(opened(board)) as driver:
            assert driver.poll(0.1) == []

    def test_an_input_that_rests_closed_turns_when_it_opens(self, board: SimulatedModbusBoard) -> None:
        board.press(1)
        with closing(opened(board, "&normally=closed&inputs=1")) as driver:
            assert driver.poll(0.0) == []
            board.release(1)
            assert [passage.input for passage in driver.poll(1.0)] == [1]

    def test_a_bouncing_contact_has_turned_once(self) -> None:
        turns = TurnFilter()
        states = [(0.0, False), (1.0, True), (1.02, False), (1.04, True), (1.3, False), (1.3 + REST_S, True)]
        assert [turns.look({1: active}, now_s=at) for at, active in states] == [[], [1], [], [], [], [1]]

    def test_a_board_without_inputs_sees_nobody(self, board: SimulatedModbusBoard) -> None:
        with closing(opened(board, "&inputs=0")) as driver:
            assert driver.poll(0.05) == []

    def test_cancel_ends_a_long_look(self, board: SimulatedModbusBoard) -> None:
        with closing(opened(board)) as driver:
            thread = threading.Thread(target=driver.poll, args=(60.0,))
            thread.start()
            while thread.is_alive():
                driver.cancel()
                thread.join(0.1)


class Watching:
    """A thread that polls, as the supervisor's does."""

    def __init__(self, driver: ModbusBoard) -> None:
        self.seen: list[int] = []
        self._driver, self._news, self._done = driver, threading.Condition(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def wait_for(self, count: int) -> None:
        with self._news:
            assert self._news.wait_for(lambda: len(self.seen) >= count, SOON_S)

    def __enter__(self) -> Watching:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(SOON_S)

    def _run(self) -> None:
        while not self._done.is_set():
            passages = self._driver.poll(0.1)
            with self._news:
                self.seen += [passage.input for passage in passages]
                self._news.notify_all()


class CrossedWires:
    """Two pseudo terminals with their far ends joined: what one side writes the other reads."""

    def __init__(self) -> None:
        self._far: list[int] = []
        self._near: list[int] = []
        for _ in range(2):
            far, near = os.openpty()
            tty.setraw(far)
            tty.setraw(near)
            self._far.append(far)
            self._near.append(near)
        self.paths = [os.ttyname(near) for near in self._near]
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()

    def close(self) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join(SOON_S)
        for fd in (*self._far, *self._near, self._stop_read, self._stop_write):
            os.close(fd)

    def _pump(self) -> None:
        other = {self._far[0]: self._far[1], self._far[1]: self._far[0]}
        while True:
            for fd in select.select([*other, self._stop_read], [], [])[0]:
                if fd == self._stop_read:
                    return
                os.write(other[fd], os.read(fd, 256))


class PymodbusServer:
    """pymodbus's own serial server with 8 coils and 8 inputs; `inputs` may be changed while it runs."""

    def __init__(self, path: str) -> None:
        from pymodbus import FramerType
        from pymodbus.server import ModbusSerialServer
        from pymodbus.simulator import DataType, SimData, SimDevice

        self.inputs = [False] * 8

        def bits() -> list[SimData]:
            return [SimData(0, values=[False] * 8, datatype=DataType.BITS)]

        async def asked(function: int, _start: int, _first: int, _count: int, registers: list[int], _new: object) -> None:
            if function == 2:  # pymodbus keeps sixteen bits in a register
                registers[0] = sum(int(is_active) << at for at, is_active in enumerate(self.inputs))

        registers = [SimData(0, values=[0] * 4, datatype=DataType.REGISTERS)]
        device = SimDevice(1, simdata=(bits(), bits(), registers, registers), action=asked)
        self._started = threading.Event()

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._server = ModbusSerialServer(device, framer=FramerType.RTU, port=path, baudrate=9600)
            self._loop.call_soon(self._started.set)
            await self._server.serve_forever()

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        self._thread.start()
        assert self._started.wait(SOON_S)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop).result(SOON_S)
        self._thread.join(SOON_S)


def test_pymodbus_own_server_obeys_and_is_read_back() -> None:
    pytest.importorskip("pymodbus", reason="pymodbus is not installed: pip install -e '.[test]'")
    with closing(CrossedWires()) as wires, closing(PymodbusServer(wires.paths[0])) as server:
        driver = load(f"modbus:{wires.paths[1]}?channels=8&inputs=8", "board")
        assert isinstance(driver, ModbusBoard)
        with closing(driver):
            give_up_s = time.monotonic() + SOON_S
            while True:
                try:
                    driver.open()
                    break
                except DeviceLost:
                    assert time.monotonic() < give_up_s
            driver.set(1, True)
            driver.set(4, True)
            assert driver.closed() == {1, 4}
            driver.set(1, False)
            assert driver.closed() == {4}
            assert driver.poll(0.0) == []
            server.inputs[2] = True
            assert [passage.input for passage in driver.poll(SOON_S)] == [3]
        wrong = load(f"modbus:{wires.paths[1]}?first_coil=900", "board")
        with closing(wrong), pytest.raises(Misconfigured, match="exception 2"):
            wrong.open()
