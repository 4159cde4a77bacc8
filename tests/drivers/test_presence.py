"""One presentation is one read, however often the reader repeats itself."""

from __future__ import annotations

from drivers.presence import MAX_TRACKED, PresenceFilter


def test_a_card_that_stays_is_new_once() -> None:
    presence = PresenceFilter(absent_s=0.5)
    assert [presence.is_new("A", now_s=tenth / 10) for tenth in range(20)] == [True] + [False] * 19


def test_a_card_that_was_away_long_enough_is_new_again() -> None:
    presence = PresenceFilter(absent_s=0.5)
    assert presence.is_new("A", now_s=0.0)
    assert not presence.is_new("A", now_s=0.5)
    assert presence.is_new("A", now_s=1.01)


def test_two_cards_that_take_turns_are_new_once_each() -> None:
    presence = PresenceFilter(absent_s=0.5)
    seen = [presence.is_new("AB"[look % 2], now_s=look / 10) for look in range(10)]
    assert seen == [True, True] + [False] * 8


def test_it_remembers_a_bounded_number_of_cards() -> None:
    presence = PresenceFilter(absent_s=1e9)
    for card in range(10 * MAX_TRACKED):
        assert presence.is_new(str(card), now_s=0.0)
    assert presence.is_new("0", now_s=0.0), "long forgotten"
    assert not presence.is_new(str(10 * MAX_TRACKED - 1), now_s=0.0)
