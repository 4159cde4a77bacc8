"""Whether the clock can be trusted, and why not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kiosk.clock import FAR_AHEAD_MS, FixedClock, ScaledClock, SystemClock

MS = 1_000_000  # nanoseconds


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


class Oscillators:
    """The two clocks of a computer, as a hand could turn them."""

    def __init__(self, wall: str) -> None:
        self.wall_ms, self.steady_ms, self.kept = at(wall), 5_000, False

    def pass_ms(self, ms: int) -> None:
        self.wall_ms += ms
        self.steady_ms += ms

    def clock(self, not_before_ms: int = 0) -> SystemClock:
        return SystemClock(
            not_before_ms=not_before_ms, wall_ns=lambda: self.wall_ms * MS, steady_ns=lambda: self.steady_ms * MS,
            kept=lambda: self.kept,
        )  # fmt: skip


def test_a_clock_that_just_runs_is_trusted() -> None:
    hardware = Oscillators("2026-11-25T00:00")
    clock = hardware.clock()
    for _ in range(100):
        hardware.pass_ms(600_000)
        assert clock.trusted() and clock.reason() == ""
    assert clock.now_ms() == hardware.wall_ms


def test_honest_slewing_never_adds_up_to_a_step() -> None:
    hardware = Oscillators("2026-11-25T00:00")
    clock = hardware.clock()
    for _ in range(10_000):
        hardware.pass_ms(60_001)
        hardware.wall_ms += 30  # 500 ppm
        assert clock.trusted()


def test_a_clock_that_woke_up_in_1970_is_not_trusted_until_it_is_set() -> None:
    hardware = Oscillators("1970-01-01T00:03")
    clock = hardware.clock()
    assert clock.reason() == "implausible_year"
    hardware.wall_ms = at("2026-11-25T07:00")  # the time server answers
    assert clock.trusted()


def test_a_clock_behind_the_journal_is_not_trusted_until_it_is_set() -> None:
    hardware = Oscillators("2026-11-25T07:00")
    clock = hardware.clock(not_before_ms=at("2026-11-25T09:30"))
    assert clock.reason() == "behind_records"
    hardware.wall_ms = at("2026-11-25T09:31")
    assert clock.trusted()


def test_a_clock_that_woke_up_a_year_ahead_is_not_trusted_until_it_is_set() -> None:
    hardware = Oscillators("2027-11-25T07:00")
    clock = hardware.clock(not_before_ms=at("2026-11-24T17:30"))
    assert clock.reason() == "ahead_of_records"
    hardware.pass_ms(86_400_000)
    assert clock.reason() == "ahead_of_records"
    hardware.wall_ms = at("2026-11-25T07:00")
    assert clock.trusted()
    hardware.pass_ms(FAR_AHEAD_MS + 86_400_000)  # and then it runs for a year
    assert clock.trusted()


def test_a_gate_that_stood_still_over_the_summer_trusts_its_clock_and_one_without_records_as_well() -> None:
    assert Oscillators("2026-09-01T07:00").clock(not_before_ms=at("2026-06-25T17:30")).trusted()
    assert Oscillators("2027-11-25T07:00").clock().trusted()


@pytest.mark.parametrize("wall", ["2027-11-25T07:00", "2026-11-25T07:00"])
def test_a_time_server_counts_more_than_the_records(wall: str) -> None:
    hardware = Oscillators(wall)
    clock = hardware.clock(not_before_ms=at("2026-11-25T09:30"))
    assert not clock.trusted()
    hardware.kept = True
    assert clock.trusted()
    hardware.kept = False
    assert clock.trusted()
    hardware.wall_ms -= 7_200_000
    assert clock.reason() == "stepped:-7200000"


@pytest.mark.parametrize("by_ms", [3_600_000, -3_600_000, 31_000])
def test_a_step_while_running_makes_the_clock_untrusted_and_names_its_size(by_ms: int) -> None:
    hardware = Oscillators("2026-11-25T16:00")
    clock = hardware.clock()
    hardware.wall_ms += by_ms
    assert clock.reason() == f"stepped:{by_ms:+d}"
    hardware.pass_ms(3_600_000)
    assert not clock.trusted()


def test_a_step_that_is_taken_back_is_forgiven() -> None:
    hardware = Oscillators("2026-11-25T16:00")
    clock = hardware.clock()
    hardware.wall_ms += 3_600_000
    assert not clock.trusted()
    hardware.pass_ms(120_000)
    hardware.wall_ms -= 3_600_000
    assert clock.trusted()


def test_a_person_can_vouch_for_the_time_after_a_step() -> None:
    hardware = Oscillators("2026-11-25T16:00")
    clock = hardware.clock()
    hardware.wall_ms += 3_600_000
    assert not clock.trusted()
    clock.confirm()
    assert clock.trusted()


def test_a_small_correction_is_no_step() -> None:
    hardware = Oscillators("2026-11-25T16:00")
    clock = hardware.clock()
    hardware.wall_ms -= 2_000
    assert clock.trusted()


def test_the_real_clock_of_this_computer_runs() -> None:
    clock = SystemClock()
    first = clock.now_ms()
    assert clock.now_ms() >= first > at("2020-01-01T00:00")


def test_the_demo_clock_runs_faster_from_where_it_was_started() -> None:
    steady_ms = [1_000]
    clock = ScaledClock(start_ms=at("2026-11-25T00:00"), speed=60, steady_ns=lambda: steady_ms[0] * MS)
    steady_ms[0] += 1_000
    assert clock.now_ms() == at("2026-11-25T00:01")
    assert clock.trusted() and clock.reason() == ""
    with pytest.raises(ValueError, match="speed"):
        ScaledClock(start_ms=0, speed=0)


def test_the_fixed_clock_moves_only_when_told() -> None:
    clock = FixedClock(1_000)
    assert clock.now_ms() == clock.now_ms() == 1_000
    assert clock.advance(500) == 1_500
    clock.set(9_000)
    clock.distrust("stepped:+8000")
    assert (clock.now_ms(), clock.trusted(), clock.reason()) == (9_000, False, "stepped:+8000")
    clock.distrust("")
    assert clock.trusted()
