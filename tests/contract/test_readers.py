"""What every reader promises, held by every reader driver against its simulator on the device's own wire.

Every test names its rule, and the benches are in reader_benches.py: who cannot be asked a rule says why there or in
drivers/QUALITY.toml, and only then is it skipped, with that reason. Nothing here knows one simulator from another.
"""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import DeviceLost
from drivers.protocols import CredentialRead, Health, Info, Reader
from drivers.registry import load
from drivers.supervisor import Patience, ReaderSupervisor
from tests.contract.reader_benches import BENCHES, RULES, Bench

SOON_S = 30.0
QUICKLY = Patience(first_s=0.05, longest_s=0.2, misconfigured_s=0.2)


class Rig:
    """A driver under its supervisor, its simulator, and everything that was told."""

    def __init__(self, bench: Bench, simulator: Any) -> None:
        self.bench, self.simulator = bench, simulator
        self.url = simulator.url + bench.options
        self.reads: list[CredentialRead] = []
        self.told: list[tuple[Health, str]] = []
        self._news = threading.Condition()
        self.supervisor = ReaderSupervisor(
            load(self.url, "north"), on_read=self._on_read, on_health=self._on_health, patience=QUICKLY
        )

    def _on_read(self, read: CredentialRead) -> None:
        with self._news:
            self.reads.append(read)
            self._news.notify_all()

    def _on_health(self, name: str, health: Health, why: str) -> None:
        assert name == "north"
        with self._news:
            self.told.append((health, why))
            self._news.notify_all()

    def wait_until(self, said: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(said, SOON_S), (self.reads, self.told)

    def wait_for(self, health: Health, *, after: int = 0) -> int:
        """Until it was told after the first `after` changes. Gives how many had been told when it was."""
        self.wait_until(lambda: health in self.healths()[after:])
        return len(self.told)

    def healths(self) -> list[Health]:
        return [health for health, _ in self.told]

    def seen(self) -> list[tuple[str, str]]:
        return [(read.scheme, read.value) for read in self.reads]

    def tap_until_read(self, card: str, scheme: str, value: str) -> None:
        """A person holds the card again when the light stays dark."""
        give_up_s = time.monotonic() + SOON_S
        while (scheme, value) not in self.seen() and time.monotonic() < give_up_s:
            self.simulator.tap(card)
            with self._news:
                self._news.wait_for(lambda: (scheme, value) in self.seen(), 0.3)
        assert (scheme, value) in self.seen(), (self.reads, self.told)


def opened(driver: Reader) -> Info:
    """As the supervisor does: a busy machine makes a simulated chip late for nfcpy's 100 ms, once in a while."""
    give_up_s = time.monotonic() + SOON_S
    while True:
        try:
            return driver.open()
        except DeviceLost:
            driver.close()
            if time.monotonic() > give_up_s:
                raise


def each_told_once(healths: list[Health]) -> bool:
    return all(one is not next_one for one, next_one in itertools.pairwise(healths))


@pytest.fixture(params=BENCHES, name="bench")
def every_bench(request: pytest.FixtureRequest) -> Bench:
    """Skips here, before anything is started, what the bench cannot be asked."""
    bench = BENCHES[request.param]
    marker = request.node.get_closest_marker("rule")
    assert marker is not None, "a test of the contract names its rule"
    if why := bench.why_not(marker.args[0]):
        pytest.skip(why)
    return bench


@pytest.fixture(name="simulator")
def its_simulator(bench: Bench, tmp_path: Path) -> Iterator[Any]:
    with bench.started(tmp_path / "by-id" / "reader") as simulator:
        yield simulator


@pytest.fixture(name="rig")
def a_running_rig(bench: Bench, simulator: Any) -> Iterator[Rig]:
    rig = Rig(bench, simulator)
    rig.supervisor.start()
    rig.wait_for(Health.OK)
    yield rig
    assert rig.supervisor.stop()


@pytest.fixture(name="driver")
def a_bare_driver(bench: Bench, simulator: Any) -> Iterator[Reader]:
    driver = load(simulator.url + bench.options, "north")
    assert isinstance(driver, Reader)
    yield driver
    driver.close()


@pytest.mark.rule("construct")
def test_constructing_touches_nothing(bench: Bench, tmp_path: Path) -> None:
    with bench.started(tmp_path / "reader") as simulator:
        url = simulator.url
    load(url, "north")


@pytest.mark.rule("open_close_twice")
def test_it_opens_twice_and_closes_twice(driver: Reader) -> None:
    for _ in range(2):
        info = opened(driver)
        assert isinstance(info, Info) and info.model
        driver.close()
        driver.close()


@pytest.mark.rule("open_close_twice")
def test_opening_an_open_device_starts_afresh(driver: Reader) -> None:
    opened(driver)
    opened(driver)
    driver.poll(0.05)


@pytest.mark.rule("open_close_twice")
def test_polling_a_closed_device_is_a_lost_device(driver: Reader) -> None:
    with pytest.raises(DeviceLost):
        driver.poll(0.05)


@pytest.mark.rule("tap")
def test_nothing_presented_is_an_empty_list(driver: Reader) -> None:
    opened(driver)
    assert driver.poll(0.1) == []


@pytest.mark.rule("not_there")
def test_a_device_that_is_not_there_is_lost_and_the_sentence_names_it(bench: Bench, tmp_path: Path) -> None:
    with bench.started(tmp_path / "reader") as simulator:
        url = simulator.url + bench.options
    driver = load(url, "north")
    with pytest.raises(DeviceLost) as caught:
        driver.open()
    place = re.sub(r"^([a-z]\w*:)+", "", url).partition("?")[0]
    assert place in str(caught.value)
    driver.close()


@pytest.mark.rule("tap")
def test_one_tap_is_one_read(rig: Rig) -> None:
    for card, scheme, value in rig.bench.cards:
        before_s = time.monotonic()
        assert rig.simulator.tap(card)
        rig.wait_until(lambda scheme=scheme, value=value: (scheme, value) in rig.seen())  # type: ignore[misc]
        assert before_s <= rig.reads[-1].read_mono_s <= time.monotonic()
    assert rig.seen() == [(scheme, value) for _, scheme, value in rig.bench.cards]
    assert {read.device for read in rig.reads} == {"north"}
    assert not any(read.random_uid for read in rig.reads)


@pytest.mark.rule("lying_card")
def test_a_card_left_lying_is_one_read(rig: Rig) -> None:
    (card, scheme, value), (other, *_), *_ = rig.bench.cards
    rig.simulator.place(card)
    rig.wait_until(lambda: len(rig.reads) == 1)
    time.sleep(0.3)  # several repeats, or several looks
    rig.simulator.remove()
    rig.simulator.tap(other)
    rig.wait_until(lambda: len(rig.reads) >= 2)
    assert rig.seen().count((scheme, value)) == 1


@pytest.mark.rule("unplug_and_replug")
def test_unplugged_is_down_and_plugged_in_again_reads_again(rig: Rig) -> None:
    first, second = rig.bench.cards[:2]
    rig.tap_until_read(*first)
    before = len(rig.told)  # a chip that a busy machine made late for nfcpy's 100 ms may have been lost and found until now
    rig.simulator.unplug()
    down = rig.wait_for(Health.DOWN, after=before)
    rig.simulator.replug()
    rig.wait_for(Health.OK, after=down)
    rig.tap_until_read(*second)
    assert rig.supervisor.stop()
    assert rig.healths()[0] is Health.STARTING
    assert rig.healths()[before - 1 : before + 1] == [Health.OK, Health.DOWN]
    assert rig.healths()[-2:] == [Health.OK, Health.STOPPED]
    assert each_told_once(rig.healths())


@pytest.mark.rule("health_sequence")
def test_down_is_said_once_with_a_sentence_however_long_it_lasts(bench: Bench, simulator: Any) -> None:
    simulator.unplug()
    rig = Rig(bench, simulator)
    rig.supervisor.start()
    rig.wait_for(Health.DOWN)
    time.sleep(0.3)  # several attempts
    simulator.replug()
    rig.wait_for(Health.OK)
    assert rig.supervisor.stop()
    assert rig.healths()[:3] == [Health.STARTING, Health.DOWN, Health.OK]
    assert each_told_once(rig.healths())
    assert len(rig.told[1][1]) > 20, "a sentence, not a word"


@pytest.mark.rule("garbage")
def test_garbage_on_the_wire_does_not_stop_the_next_card(rig: Rig) -> None:
    rig.bench.spoil(rig.simulator)
    rig.tap_until_read(*rig.bench.cards[0])
    assert rig.seen() == [rig.bench.cards[0][1:]], "garbage was never a card"


@pytest.mark.rule("half_frame")
def test_half_a_frame_is_no_card_and_the_next_card_is_read(rig: Rig) -> None:
    whole, scheme, value = rig.bench.cards[0]
    rig.bench.half(rig.simulator, rig.bench.cards[1][0])
    rig.tap_until_read(whole, scheme, value)
    assert rig.seen() == [(scheme, value)]


@pytest.mark.rule("wedge")
def test_a_device_that_says_nothing_any_more_is_down_and_comes_back(rig: Rig) -> None:
    rig.simulator.silence(True)
    down = rig.wait_for(Health.DOWN, after=len(rig.told))
    rig.simulator.silence(False)
    rig.wait_for(Health.OK, after=down)
    rig.tap_until_read(*rig.bench.cards[0])


@pytest.mark.rule("slow")
def test_a_slow_device_still_reads(rig: Rig) -> None:
    rig.simulator.slow(rig.bench.slow_s)
    rig.tap_until_read(*rig.bench.cards[0])


@pytest.mark.rule("cancel")
def test_cancel_from_another_thread_ends_a_poll(driver: Reader) -> None:
    polled: list[list[CredentialRead]] = []

    def poll_for_a_minute() -> None:
        while not polled:
            opened(driver)
            with suppress(DeviceLost):
                polled.append(driver.poll(60.0))

    thread = threading.Thread(target=poll_for_a_minute)
    thread.start()
    give_up_s = time.monotonic() + SOON_S
    while thread.is_alive() and time.monotonic() < give_up_s:
        thread.join(0.1)
        driver.cancel()
    assert not thread.is_alive()
    assert polled == [[]]


@pytest.mark.rule("cancel")
def test_cancel_is_harmless_at_any_time(driver: Reader) -> None:
    driver.cancel()
    opened(driver)
    driver.cancel()
    driver.poll(0.05)
    driver.close()
    driver.cancel()


@pytest.mark.rule("stop")
def test_stop_during_a_poll_ends_the_thread_and_closes_the_device(rig: Rig, bench: Bench) -> None:
    assert rig.supervisor.stop()
    assert rig.healths()[-1] is Health.STOPPED
    again = load(rig.url, "north")  # an exclusive port that was left open could not be opened again
    assert isinstance(again, Reader)
    with closing(again):
        opened(again)


@pytest.mark.rule("exclusive")
def test_two_owners_cannot_share_a_port(rig: Rig) -> None:
    second = load(rig.url, "second")
    with closing(second), pytest.raises(DeviceLost, match="another program"):
        second.open()
    rig.tap_until_read(*rig.bench.cards[0])


# --- the table itself ---------------------------------------------------------------------------------------


def test_every_rule_has_its_test_and_every_test_its_rule() -> None:
    named = [
        mark.args[0]
        for name, test in globals().items()
        if name.startswith("test_")
        for mark in getattr(test, "pytestmark", ())
        if mark.name == "rule"
    ]
    assert set(named) == set(RULES)


def test_a_bench_is_exempt_only_from_a_rule_that_exists_and_for_a_reason_in_words() -> None:
    for name, bench in BENCHES.items():
        assert set(bench.exempt) <= set(RULES), name
        assert len(bench.cards) >= 2, name
        for rule, why in bench.exempt.items():
            assert len(why.split()) >= 5, (name, rule, why)
