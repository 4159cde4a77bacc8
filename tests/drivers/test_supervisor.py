"""What a device may do to its supervisor, and what never happens to the other devices."""

from __future__ import annotations

import logging
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from drivers.errors import DeviceLost, Misconfigured
from drivers.protocols import Camera, CredentialRead, Frame, Health, Info, Reader, Relay
from drivers.supervisor import CameraSupervisor, Patience, ReaderSupervisor, RelaySupervisor

SOON_S = 30.0
QUICKLY = Patience(first_s=0.01, longest_s=0.02, misconfigured_s=0.02, stable_s=60.0)


class ScriptedReader(Reader):
    """A third party's driver: every call does the next thing of its script, the last thing for ever."""

    schemes = ("scripted",)

    def __init__(self, name: str = "scripted", *, opens: Sequence[Any] = (), polls: Sequence[Any] = ()) -> None:
        super().__init__(name, f"scripted:{name}")
        self.opens, self.polls = list(opens) or [Info(model="paper")], list(polls) or [[]]
        self.calls: list[tuple[str, int]] = []
        self.feedbacks: list[bool] = []
        self._cancelled = threading.Event()

    def _next(self, call: str, script: list[Any]) -> Any:
        self.calls.append((call, threading.get_ident()))
        step = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(step, BaseException):
            raise step
        return step() if callable(step) else step

    def open(self) -> Info:
        info: Info = self._next("open", self.opens)
        return info

    def poll(self, timeout_s: float) -> list[CredentialRead]:
        reads: list[CredentialRead] = self._next("poll", self.polls)
        if not reads:
            self._cancelled.wait(timeout_s)
            self._cancelled.clear()
        return reads

    def close(self) -> None:
        self.calls.append(("close", threading.get_ident()))

    def cancel(self) -> None:
        self._cancelled.set()

    def feedback(self, granted: bool) -> None:
        self.feedbacks.append(granted)


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.reads: list[CredentialRead] = []
        self.told: list[tuple[str, Health, str]] = []
        self._news = threading.Condition()

    def on_read(self, read: CredentialRead) -> None:
        with self._news:
            self.reads.append(read)
            self._news.notify_all()

    def on_health(self, name: str, health: Health, why: str) -> None:
        with self._news:
            self.told.append((name, health, why))
            self._news.notify_all()

    def wait_until(self, said: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(said, SOON_S), self.told

    def healths(self) -> list[Health]:
        return [health for _, health, _ in self.told]

    def wait_for(self, health: Health, times: int = 1) -> None:
        self.wait_until(lambda: self.healths().count(health) >= times)


def a_read(value: str) -> CredentialRead:
    return CredentialRead(device="scripted", scheme="uid", value=value, read_mono_s=0.0)


@pytest.fixture(name="heard")
def a_listener() -> Listener:
    return Listener()


@pytest.fixture(name="watch")
def start_and_stop(heard: Listener) -> Iterator[Callable[[ScriptedReader], ReaderSupervisor]]:
    started: list[ReaderSupervisor] = []

    def watch(driver: ScriptedReader) -> ReaderSupervisor:
        supervisor = ReaderSupervisor(driver, on_read=heard.on_read, on_health=heard.on_health, patience=QUICKLY)
        started.append(supervisor)
        return supervisor.start()

    yield watch
    for supervisor in started:
        assert supervisor.stop()


Watch = Callable[[ScriptedReader], ReaderSupervisor]


def test_a_day_in_the_life_of_a_device(watch: Watch, heard: Listener) -> None:
    driver = ScriptedReader(polls=[[a_read("A")], DeviceLost("pulled"), [a_read("B")], []])
    supervisor = watch(driver)
    heard.wait_until(lambda: len(heard.reads) == 2)
    assert supervisor.stop()
    assert [read.value for read in heard.reads] == ["A", "B"]
    assert heard.told == [
        ("scripted", Health.STARTING, ""),
        ("scripted", Health.OK, "paper"),
        ("scripted", Health.DOWN, "pulled"),
        ("scripted", Health.OK, "paper"),
        ("scripted", Health.STOPPED, ""),
    ]
    assert supervisor.health is Health.STOPPED


def test_only_its_own_thread_opens_polls_and_closes(watch: Watch, heard: Listener) -> None:
    driver = ScriptedReader(polls=[DeviceLost("pulled"), []])
    supervisor = watch(driver)
    heard.wait_for(Health.OK, times=2)
    assert supervisor.stop()
    assert len({thread for _, thread in driver.calls}) == 1
    assert threading.get_ident() not in {thread for _, thread in driver.calls}


def test_a_device_that_failed_is_closed_before_it_is_opened_again(watch: Watch, heard: Listener) -> None:
    driver = ScriptedReader(opens=[DeviceLost("not there"), Info()], polls=[DeviceLost("pulled"), []])
    watch(driver)
    heard.wait_for(Health.OK, times=2)
    assert [call for call, _ in driver.calls][:7] == ["open", "close", "open", "poll", "close", "open", "poll"]


def test_what_a_person_must_mend_is_its_own_state_and_is_tried_again(watch: Watch, heard: Listener) -> None:
    watch(ScriptedReader(opens=[Misconfigured("add the user to dialout"), Misconfigured("still"), Info()]))
    heard.wait_for(Health.OK)
    assert heard.healths() == [Health.STARTING, Health.MISCONFIGURED, Health.OK]
    assert heard.told[1][2] == "add the user to dialout"


@pytest.mark.parametrize("error", [OSError(5, "I/O"), termios.error(5, "I/O"), EOFError("end")])
def test_an_io_error_that_a_driver_let_through_is_a_lost_device(watch: Watch, heard: Listener, error: Exception) -> None:
    watch(ScriptedReader(polls=[error, []]))
    heard.wait_for(Health.OK, times=2)
    assert Health.DOWN in heard.healths()


def test_a_mistake_in_a_driver_is_logged_once_with_its_traceback_and_the_device_is_tried_again(
    watch: Watch, heard: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    def mistake() -> list[CredentialRead]:
        return [][1]  # type: ignore[no-any-return,misc]

    with caplog.at_level(logging.ERROR):
        watch(ScriptedReader(polls=[mistake, mistake, mistake, []]))
        heard.wait_for(Health.OK, times=4)
    assert heard.told[2][1] is Health.DOWN
    assert "IndexError" in heard.told[2][2]
    faults = [record for record in caplog.records if record.exc_info]
    assert len(faults) == 1
    assert "scripted" in faults[0].getMessage()


def test_a_mistake_in_the_listener_does_not_kill_the_thread(heard: Listener) -> None:
    def on_read(read: CredentialRead) -> None:
        if read.value == "A":
            raise RuntimeError("inbox")
        heard.on_read(read)

    def on_health(name: str, health: Health, why: str) -> None:
        heard.on_health(name, health, why)
        raise RuntimeError("board")

    driver = ScriptedReader(polls=[[a_read("A")], [a_read("B")], []])
    supervisor = ReaderSupervisor(driver, on_read=on_read, on_health=on_health, patience=QUICKLY).start()
    heard.wait_until(lambda: [read.value for read in heard.reads] == ["B"])
    assert supervisor.stop()


def test_a_driver_that_raises_in_close_is_opened_again_all_the_same(heard: Listener) -> None:
    class BadManners(ScriptedReader):
        def close(self) -> None:
            super().close()
            raise ValueError("close() must not raise")

    driver = BadManners(polls=[DeviceLost("pulled"), []])
    supervisor = ReaderSupervisor(driver, on_read=heard.on_read, on_health=heard.on_health, patience=QUICKLY).start()
    heard.wait_for(Health.OK, times=2)
    assert supervisor.stop()


def test_a_device_that_hangs_takes_no_other_device_with_it(watch: Watch, heard: Listener) -> None:
    released = threading.Event()

    def hang() -> Info:
        released.wait(SOON_S)
        return Info()

    watch(ScriptedReader("hanging", opens=[hang]))
    watch(ScriptedReader("healthy", polls=[[a_read("A")], []]))
    heard.wait_until(lambda: len(heard.reads) == 1)
    assert ("hanging", Health.OK, "") not in heard.told
    released.set()


def look_until_it_hangs(supervisor: ReaderSupervisor) -> None:
    """As the gate does, once in a while."""
    give_up_s = time.monotonic() + SOON_S
    while supervisor.look():
        assert time.monotonic() < give_up_s
        time.sleep(0.02)


def test_a_driver_that_hangs_in_a_call_is_down_once_and_ok_again_when_it_moves(
    watch: Watch, heard: Listener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ReaderSupervisor, "hangs_s", 0.1)
    caplog.set_level("INFO", "drivers.supervisor")
    released = threading.Event()

    def hang() -> list[CredentialRead]:
        released.wait(SOON_S)
        return [a_read("late")]

    supervisor = watch(ScriptedReader(polls=[hang, []]))
    heard.wait_for(Health.OK)
    look_until_it_hangs(supervisor)
    assert not supervisor.look(), "it is looked at again and again"
    assert supervisor.health is Health.DOWN and "switch it off and on" in supervisor.why
    released.set()
    monkeypatch.setattr(ReaderSupervisor, "hangs_s", SOON_S)
    heard.wait_for(Health.OK, times=2)
    assert heard.healths() == [Health.STARTING, Health.OK, Health.DOWN, Health.OK]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert [read.value for read in heard.reads] == ["late"] and supervisor.look()


def test_a_driver_that_hangs_in_open_is_down_and_a_device_that_rests_between_two_tries_is_not_hanging(
    watch: Watch, heard: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReaderSupervisor, "hangs_s", 0.1)
    released = threading.Event()

    def hang() -> Info:
        released.wait(SOON_S)
        raise Misconfigured("no permission")

    supervisor = watch(ScriptedReader(opens=[hang]))
    look_until_it_hangs(supervisor)
    assert heard.healths() == [Health.STARTING, Health.DOWN]
    released.set()
    heard.wait_for(Health.MISCONFIGURED)
    released.wait(0.2)
    assert supervisor.health is Health.MISCONFIGURED


def test_feedback_reaches_the_device_on_its_own_thread(watch: Watch, heard: Listener) -> None:
    driver = ScriptedReader()
    supervisor = watch(driver)
    heard.wait_for(Health.OK)
    supervisor.feedback(True)
    deadline = threading.Event()
    for _ in range(100):
        if driver.feedbacks:
            break
        deadline.wait(0.05)
    assert driver.feedbacks == [True]


def test_stop_before_start_and_stop_twice_are_harmless(heard: Listener) -> None:
    supervisor = ReaderSupervisor(ScriptedReader(), on_read=heard.on_read, on_health=heard.on_health)
    assert supervisor.stop()
    started = ReaderSupervisor(ScriptedReader(), on_read=heard.on_read, on_health=heard.on_health).start()
    assert started.stop()
    assert started.stop()


def test_the_wrong_kind_of_driver_is_refused_by_name(heard: Listener) -> None:
    with pytest.raises(Misconfigured, match="no relay board"):
        RelaySupervisor(ScriptedReader(), on_health=heard.on_health)
    with pytest.raises(Misconfigured, match="no camera"):
        CameraSupervisor(ScriptedReader(), on_health=heard.on_health)

    class Door(Relay):
        def open(self) -> Info:
            return Info()

        def close(self) -> None:
            return None

        def set(self, channel: int, on: bool) -> None:
            return None

    with pytest.raises(Misconfigured, match="no reader"):
        ReaderSupervisor(Door("door", "door:x"), on_read=heard.on_read, on_health=heard.on_health)


class TestCameras:
    class Pinhole(Camera):
        def __init__(self) -> None:
            super().__init__("eye", "pinhole:x")
            self.trouble: Exception | None = None
            self._looked = threading.Event()

        def open(self) -> Info:
            if self.trouble:
                raise self.trouble
            return Info(model="pinhole")

        def close(self) -> None:
            return None

        def watch(self, timeout_s: float) -> None:
            self._looked.wait(0.01)
            if self.trouble:
                raise self.trouble

        def latest(self, *, max_age_s: float = 0.5, wait_s: float = 1.0) -> Frame | None:
            return Frame(jpeg=b"jpeg", taken_mono_s=1.0, sequence=1)

        def at(self, mono_s: float, *, tolerance_s: float = 0.5) -> Frame | None:
            return self.latest()

        def detail(self) -> str:
            return "dark"

    def test_a_camera_that_is_down_gives_no_picture_and_comes_back(self, heard: Listener) -> None:
        camera = self.Pinhole()
        supervisor = CameraSupervisor(camera, on_health=heard.on_health, patience=QUICKLY)
        assert supervisor.latest() is None
        supervisor.start()
        heard.wait_for(Health.OK)
        assert supervisor.latest() is not None
        assert supervisor.at(1.0) is not None
        assert supervisor.detail() == "dark"
        camera.trouble = DeviceLost("the picture has frozen")
        heard.wait_for(Health.DOWN)
        assert supervisor.latest() is None
        assert supervisor.at(1.0) is None
        assert supervisor.detail() == "the picture has frozen"
        camera.trouble = None
        heard.wait_for(Health.OK, times=2)
        assert supervisor.stop()
        assert supervisor.latest() is None
