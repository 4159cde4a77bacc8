"""Staff PINs: what opens, what does not, and that wrong guesses stay counted."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kiosk.credentials import (
    LOCKOUT_MS,
    WRONG_PINS_ALLOWED,
    AttemptsUnreadable,
    PepperUnreadable,
    PinDesk,
    PinUnfit,
    SignInOutcome,
    hash_changed_pins,
    hash_pin,
    load_pepper,
    verify_pin,
)

PEPPER = bytes(range(32))
HASH = hash_pin("2580", PEPPER)
NOON = 1_790_000_000_000


@pytest.fixture
def desk(tmp_path: Path) -> PinDesk:
    return PinDesk(tmp_path / "credentials.db", PEPPER)


def guess(desk: PinDesk, times: int, *, now_ms: int = NOON, who: str = "T001") -> list[SignInOutcome]:
    return [desk.attempt(who, "0000", HASH, now_ms).outcome for _ in range(times)]


def test_the_right_pin_fits_only_under_the_same_pepper() -> None:
    assert HASH.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert verify_pin(HASH, "2580", PEPPER)
    assert not verify_pin(HASH, "2581", PEPPER)
    assert not verify_pin(HASH, "2580", bytes(32))
    assert hash_pin("2580", PEPPER) != HASH  # salted


@pytest.mark.parametrize("broken", ["", "2580", "$argon2id$", "名", pytest.param(HASH[:-1], id="cut short")])
def test_a_hash_that_cannot_be_read_fits_no_pin(broken: str) -> None:
    assert not verify_pin(broken, "2580", PEPPER)


@pytest.mark.parametrize("pin", ["", "123", "1" * 13, "12a4", "１２３４", "12 34", "-1234"])
def test_a_text_that_is_no_pin_is_not_hashed(pin: str) -> None:
    with pytest.raises(PinUnfit, match="4 to 12 digits"):
        hash_pin(pin, PEPPER)


def test_only_changed_pins_are_hashed_again() -> None:
    hashes = hash_changed_pins({"T001": "2580", "T002": "1357"}, {"T001": HASH, "T002": HASH}, PEPPER)
    assert hashes["T001"] == HASH
    assert hashes["T002"] != HASH and verify_pin(hashes["T002"], "1357", PEPPER)


def test_five_wrong_pins_lock_and_the_right_one_no_longer_opens(desk: PinDesk) -> None:
    assert guess(desk, 5) == [SignInOutcome.WRONG] * 4 + [SignInOutcome.LOCKED]
    right = desk.attempt("T001", "2580", HASH, NOON + 1)
    assert right.outcome is SignInOutcome.LOCKED
    assert right.locked_until_ms == NOON + LOCKOUT_MS
    assert desk.locked_until_ms("T001", NOON + 1) == NOON + LOCKOUT_MS
    assert desk.attempt("T002", "2580", HASH, NOON + 1).outcome is SignInOutcome.OK


def test_the_lock_survives_a_restart_and_ends_by_time(desk: PinDesk, tmp_path: Path) -> None:
    guess(desk, WRONG_PINS_ALLOWED)
    again = PinDesk(tmp_path / "credentials.db", PEPPER)
    assert guess(again, 1, now_ms=NOON + LOCKOUT_MS - 1) == [SignInOutcome.LOCKED]
    assert again.attempt("T001", "2580", HASH, NOON + LOCKOUT_MS).outcome is SignInOutcome.OK


def test_a_right_pin_on_the_last_guess_opens_and_clears_the_count(desk: PinDesk) -> None:
    guess(desk, 4)
    assert desk.attempt("T001", "2580", HASH, NOON).outcome is SignInOutcome.OK
    first = desk.attempt("T001", "0000", HASH, NOON)
    assert (first.outcome, first.left) == (SignInOutcome.WRONG, 4)


def test_wrong_pins_of_long_ago_do_not_count(desk: PinDesk) -> None:
    guess(desk, 4)
    assert guess(desk, 1, now_ms=NOON + LOCKOUT_MS) == [SignInOutcome.WRONG]


def test_a_clock_set_back_neither_locks_for_years_nor_forgets(desk: PinDesk) -> None:
    future = NOON + 10 * 365 * 86_400_000
    guess(desk, 5, now_ms=future)
    locked = desk.attempt("T001", "2580", HASH, NOON)
    assert locked.locked_until_ms == NOON + LOCKOUT_MS
    assert desk.attempt("T001", "2580", HASH, NOON + LOCKOUT_MS).outcome is SignInOutcome.OK
    guess(desk, 4, now_ms=future, who="T002")
    assert guess(desk, 1, who="T002") == [SignInOutcome.LOCKED]


def test_an_unknown_number_is_answered_like_a_known_one(desk: PinDesk) -> None:
    answers = [desk.attempt("nobody", "000000", None, NOON) for _ in range(6)]
    assert [a.outcome for a in answers] == [SignInOutcome.WRONG] * 4 + [SignInOutcome.LOCKED] * 2
    assert [a.left for a in answers[:4]] == [4, 3, 2, 1]


def test_parallel_guesses_buy_nothing(desk: PinDesk) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: desk.attempt("T001", "0000", HASH, NOON), range(16)))
    assert sum(a.outcome is SignInOutcome.WRONG for a in answers) <= 4
    assert desk.attempt("T001", "2580", HASH, NOON).outcome is SignInOutcome.LOCKED


def test_the_office_can_unlock(desk: PinDesk) -> None:
    guess(desk, 5)
    desk.unlock("T001")
    assert desk.locked_until_ms("T001", NOON) is None
    assert desk.attempt("T001", "2580", HASH, NOON).outcome is SignInOutcome.OK


def test_what_was_typed_is_not_on_disk(desk: PinDesk, tmp_path: Path) -> None:
    desk.attempt("13812341234", "97531864", None, NOON)
    stored = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert b"13812341234" not in stored and b"97531864" not in stored


@pytest.mark.parametrize("text", ["", "\ud800", "🙂" * 1000, "'; DROP TABLE attempts; --"])
def test_no_typed_text_raises(desk: PinDesk, text: str) -> None:
    assert desk.attempt(text, text, HASH, NOON).outcome is SignInOutcome.WRONG


def test_a_broken_record_of_attempts_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / "credentials.db"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(AttemptsUnreadable, match="move the file away"):
        PinDesk(path, PEPPER)
    path.unlink()
    desk = PinDesk(path, PEPPER)
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE attempts")
    connection.commit()
    connection.close()
    with pytest.raises(AttemptsUnreadable):
        desk.attempt("T001", "2580", HASH, NOON)


def test_the_pepper_is_made_once_and_guarded(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "pepper"
    with pytest.raises(PepperUnreadable, match="copy it from the other gate"):
        load_pepper(path)
    pepper = load_pepper(path, create=True)
    assert len(pepper) == 32 and load_pepper(path, create=True) == pepper
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(PepperUnreadable, match="chmod 600"):
        load_pepper(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(PepperUnreadable, match="32 bytes"):
        load_pepper(path)
