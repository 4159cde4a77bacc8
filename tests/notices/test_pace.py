"""Limits, back-off and moments: arithmetic, held by properties."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kiosk.notices.pace import (
    BACK_OFF_LEAST_S,
    BACK_OFF_MOST_S,
    HALF_HOUR_MS,
    JITTER_MS,
    KEEP_AWAY_MS,
    Limit,
    Pace,
    away,
    back_off_s,
    digest_due_ms,
    share,
)
from kiosk.notices.robots import LIMITS

DAY_MS = 86_400_000
EAST_8_MS = 8 * 3_600_000
NOON_MS = 1_795_406_400_000


@given(st.lists(st.floats(0, 20, allow_nan=False), max_size=120), st.sampled_from(sorted(LIMITS)))
def test_whoever_waits_as_told_never_exceeds_a_limit_in_any_window(pauses: list[float], kind: str) -> None:
    pace, now_s, sent = Pace(LIMITS[kind]), 0.0, list[float]()
    for pause in pauses:
        now_s += pause / 20 if kind == "feishu" else pause / 4
        now_s += pace.wait_s(now_s) * (1 + 1e-9) + 1e-6
        assert pace.wait_s(now_s) == 0
        pace.took(now_s)
        sent.append(now_s)
    for limit in LIMITS[kind]:
        for at in sent:
            assert sum(at - limit.window_s < other <= at for other in sent) <= limit.messages


def test_the_limits_are_below_the_platforms() -> None:
    assert LIMITS["dingtalk"] == LIMITS["wecom"] == (Limit(18, 60.0),)
    assert LIMITS["feishu"] == (Limit(90, 60.0), Limit(4, 1.0))


@given(st.integers(1, 1000), st.floats(0, 1, exclude_max=True))
def test_back_off_lies_between_a_minute_and_a_quarter_of_an_hour(failures: int, luck: float) -> None:
    assert BACK_OFF_LEAST_S <= back_off_s(failures, luck) <= BACK_OFF_MOST_S
    assert back_off_s(failures, luck) <= back_off_s(failures + 1, luck)


@given(st.integers(0, 10**13))
def test_away_is_never_near_the_full_or_the_half_hour(at_ms: int) -> None:
    moved = away(at_ms)
    assert KEEP_AWAY_MS <= moved % HALF_HOUR_MS <= HALF_HOUR_MS - KEEP_AWAY_MS
    assert 0 <= moved - at_ms <= 2 * KEEP_AWAY_MS


@given(st.integers(NOON_MS, NOON_MS + 400 * DAY_MS), st.lists(st.integers(0, 1439), min_size=1, max_size=4), st.text(max_size=8))
def test_a_digest_goes_near_its_hour_later_than_asked_and_the_same_for_the_same_seed(
    after_ms: int, times: list[int], seed: str
) -> None:
    due_ms = digest_due_ms(after_ms, tuple(times), utc_offset_ms=EAST_8_MS, seed=seed, target="x")
    assert due_ms == digest_due_ms(after_ms, tuple(times), utc_offset_ms=EAST_8_MS, seed=seed, target="x")
    assert due_ms > after_ms
    assert KEEP_AWAY_MS <= due_ms % HALF_HOUR_MS <= HALF_HOUR_MS - KEEP_AWAY_MS
    minute_ms = (due_ms + EAST_8_MS) % DAY_MS
    apart = min(min(abs(minute_ms - t * 60_000), DAY_MS - abs(minute_ms - t * 60_000)) for t in times)
    assert apart <= JITTER_MS + 2 * KEEP_AWAY_MS
    assert due_ms - after_ms <= DAY_MS + 2 * JITTER_MS


def test_two_gates_and_two_targets_do_not_send_in_the_same_second() -> None:
    hours = (17 * 60, 18 * 60 + 30)
    due = {
        digest_due_ms(NOON_MS, hours, utc_offset_ms=EAST_8_MS, seed=seed, target=target)
        for seed in ("east", "south", "west")
        for target in ("a", "b", "c")
    }
    assert len(due) == 9
    assert {abs(moment - NOON_MS) < 6 * 3_600_000 for moment in due} == {True}


def test_shares_are_spread_over_the_whole_interval() -> None:
    found = [share("east", n) for n in range(1000)]
    assert all(0 <= one < 1 for one in found)
    assert {int(one * 10) for one in found} == set(range(10))
