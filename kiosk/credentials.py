"""Staff PINs: hashed with argon2id under a pepper that is not in any database, and locked after wrong ones.

Hashes travel in the directory snapshot; the pepper is a file beside the keys and must be the same on every
gate of a school. Wrong attempts are kept in a small database of their own, so that switching the computer
off and on gives nobody five more guesses. Never logs a PIN and never says whether a staff number exists.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.ballast import is_of_room
from kiosk.durable_files import make_folder

if TYPE_CHECKING:
    from argon2 import PasswordHasher

PEPPER_BYTES = 32
PIN_DIGITS = range(4, 13)  # how many digits a PIN may have
WRONG_PINS_ALLOWED = 5
LOCKOUT_MS = 15 * 60_000
MAX_REMEMBERED_NUMBERS = 10_000  # staff numbers, real and invented, whose attempts are kept
_HASHING_THREADS = 4

# OWASP's second choice for argon2id: about 25 ms on a gate computer, bearable for a hundred staff at import.
_TIME_COST, _MEMORY_KIB, _LANES = 2, 19 * 1024, 1


class CredentialsError(Exception):
    """Base of what can be wrong with PINs and their files."""


class PinUnfit(CredentialsError):
    """The text cannot be a PIN."""


class PepperUnreadable(CredentialsError):
    """The pepper file is missing, too short, or readable by everybody."""


class AttemptsUnreadable(CredentialsError):
    """The record of wrong PINs cannot be used; nobody signs in by PIN until it can."""


# ---- hashes --------------------------------------------------------------------------------------------


def load_pepper(path: Path, *, create: bool = False) -> bytes:
    """32 secret bytes. `create` makes the file (mode 0600) where there is none. Raises PepperUnreadable."""
    try:
        if create and not path.exists():
            _create_pepper(path)
        if path.stat().st_mode & 0o077:
            raise PepperUnreadable(f"{path}: other users may read the pepper; run chmod 600 on it")
        pepper = path.read_bytes()
    except OSError as error:
        raise PepperUnreadable(f"{path}: the pepper cannot be read ({error.strerror}); copy it from the other gate") from error
    if len(pepper) != PEPPER_BYTES:
        raise PepperUnreadable(f"{path}: a pepper has {PEPPER_BYTES} bytes, this file {len(pepper)}; restore it")
    return pepper


def _create_pepper(path: Path) -> None:
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(descriptor, secrets.token_bytes(PEPPER_BYTES))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    with contextlib.suppress(FileExistsError):  # another process was first: its pepper counts
        os.link(temporary, path)
    temporary.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def fit_pin(pin: str) -> str:
    """The PIN itself, when it consists of 4 to 12 digits 0-9. Raises PinUnfit."""
    if not (pin.isascii() and pin.isdigit() and len(pin) in PIN_DIGITS):
        raise PinUnfit("a PIN has 4 to 12 digits")
    return pin


def hash_pin(pin: str, pepper: bytes) -> str:
    """The argon2id hash in PHC form. Raises PinUnfit."""
    return _hasher().hash(_peppered(fit_pin(pin), pepper))


def verify_pin(pin_hash: str, pin: str, pepper: bytes) -> bool:
    """Whether the PIN is the one that was hashed. A hash that cannot be read fits no PIN."""
    from argon2.exceptions import VerificationError

    try:
        return _hasher().verify(pin_hash, _peppered(pin, pepper))
    except (VerificationError, ValueError):  # ValueError: not an argon2 hash at all
        return False


def hash_changed_pins(pins: Mapping[str, str], known: Mapping[str, str], pepper: bytes) -> dict[str, str]:
    """Staff number -> hash for each staff number -> PIN; a hash in `known` that still fits is kept as it is."""

    def settle(staff_number: str) -> str:
        old = known.get(staff_number, "")
        pin = fit_pin(pins[staff_number])
        return old if old and verify_pin(old, pin, pepper) else hash_pin(pin, pepper)

    with ThreadPoolExecutor(_HASHING_THREADS) as pool:  # argon2 works outside the interpreter lock
        return dict(zip(pins, pool.map(settle, pins), strict=True))


def _peppered(pin: str, pepper: bytes) -> bytes:
    return hmac.digest(pepper, pin.encode("utf-8", "surrogatepass"), "sha256")


def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher, Type

    return PasswordHasher(time_cost=_TIME_COST, memory_cost=_MEMORY_KIB, parallelism=_LANES, type=Type.ID)


# ---- attempts ------------------------------------------------------------------------------------------


class SignInOutcome(StrEnum):
    OK = "ok"
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What became of an attempt. `locked_until_ms` is set while locked; `left` counts guesses before that. `duress`: it
    was the PIN that calls for help."""

    outcome: SignInOutcome
    duress: bool = False
    left: int = 0
    locked_until_ms: int | None = None


class PinDesk:
    """Checks PINs and counts wrong ones per staff number. Safe to use from several threads.

    An attempt is written down as wrong before it is checked, and struck off when it was right: neither a
    power cut nor a hundred parallel requests buy a guess.
    """

    def __init__(self, path: Path, pepper: bytes) -> None:
        """`path` is the database of attempts, made when missing. Raises AttemptsUnreadable."""
        self._path, self._pepper = path, pepper
        self._lock = threading.Lock()
        # Checked in place of the hash that an unknown staff number does not have, so that both take as long.
        self._nobody = hash_pin("000000", secrets.token_bytes(PEPPER_BYTES))
        with self._database() as db:
            db.execute("CREATE TABLE IF NOT EXISTS attempts (who BLOB NOT NULL, at_ms INTEGER NOT NULL) STRICT")
            db.execute("CREATE TABLE IF NOT EXISTS locks (who BLOB PRIMARY KEY, until_ms INTEGER NOT NULL) STRICT")
            db.execute("CREATE INDEX IF NOT EXISTS attempts_who ON attempts (who)")

    def attempt(
        self, staff_number: str, pin: str, pin_hash: str | None, now_ms: int, *, duress_hash: str | None = None
    ) -> SignIn:
        """One try to sign in. `pin_hash` is None for a staff number that nobody has or that has no PIN yet.

        Both hashes are checked every time, there or not: the clock tells nobody which of the two was typed.
        """
        who = self._who(staff_number)
        with self._lock, self._database() as db:
            refused = _reserve(db, who, now_ms)
        if refused is not None:
            return refused
        fits = verify_pin(pin_hash or self._nobody, pin, self._pepper) and pin_hash is not None
        threatened = verify_pin(duress_hash or self._nobody, pin, self._pepper) and duress_hash is not None
        with self._lock, self._database() as db:
            if fits or (threatened and pin_hash is not None):
                _forget(db, who)
                return SignIn(outcome=SignInOutcome.OK, left=WRONG_PINS_ALLOWED, duress=threatened and not fits)
            return _state_after_wrong(db, who, now_ms)

    def unlock(self, staff_number: str) -> None:
        """The office vouches for the person: attempts and lock are struck off."""
        with self._lock, self._database() as db:
            _forget(db, self._who(staff_number))

    def locked_until_ms(self, staff_number: str, now_ms: int) -> int | None:
        """When the lock of this staff number ends, or None."""
        with self._lock, self._database() as db:
            return _locked_until(db, self._who(staff_number), now_ms)

    def _who(self, staff_number: str) -> bytes:
        """A digest: what people type into the wrong field (a PIN, a phone number) must not stay on disk."""
        return hmac.digest(self._pepper, b"attempt:" + staff_number.encode("utf-8", "surrogatepass"), "sha256")[:16]

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        try:
            db = sqlite3.connect(self._path, timeout=10)
            try:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")  # WAL with less loses the last attempts in a power cut
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.commit()
            finally:
                db.close()
        except sqlite3.Error as error:
            full = is_of_room(error, self._path.parent)
            remedy = "free some space on this computer" if full else "move the file away and try again"
            where = f"{self._path}: wrong PINs cannot be counted ({error})"
            raise AttemptsUnreadable(f"{where}, so nobody signs in; {remedy}") from error


def _reserve(db: sqlite3.Connection, who: bytes, now_ms: int) -> SignIn | None:
    """Writes the attempt down, or says why it may not be made."""
    _tidy(db, now_ms)
    until_ms = _locked_until(db, who, now_ms)
    if until_ms is not None:
        return SignIn(outcome=SignInOutcome.LOCKED, locked_until_ms=until_ms)
    db.execute("INSERT INTO attempts (who, at_ms) VALUES (?, ?)", [who, now_ms])
    if _count(db, who) >= WRONG_PINS_ALLOWED:  # the last guess: if it is right, the lock is struck off again
        db.execute("INSERT OR REPLACE INTO locks (who, until_ms) VALUES (?, ?)", [who, now_ms + LOCKOUT_MS])
    return None


def _state_after_wrong(db: sqlite3.Connection, who: bytes, now_ms: int) -> SignIn:
    until_ms = _locked_until(db, who, now_ms)
    if until_ms is not None:
        return SignIn(outcome=SignInOutcome.LOCKED, locked_until_ms=until_ms)
    return SignIn(outcome=SignInOutcome.WRONG, left=max(0, WRONG_PINS_ALLOWED - _count(db, who)))


def _locked_until(db: sqlite3.Connection, who: bytes, now_ms: int) -> int | None:
    row = db.execute("SELECT until_ms FROM locks WHERE who = ?", [who]).fetchone()
    if row is None or row[0] <= now_ms:
        return None
    return min(int(row[0]), now_ms + LOCKOUT_MS)


def _count(db: sqlite3.Connection, who: bytes) -> int:
    return int(db.execute("SELECT count(*) FROM attempts WHERE who = ?", [who]).fetchone()[0])


def _forget(db: sqlite3.Connection, who: bytes) -> None:
    db.execute("DELETE FROM attempts WHERE who = ?", [who])
    db.execute("DELETE FROM locks WHERE who = ?", [who])


def _tidy(db: sqlite3.Connection, now_ms: int) -> None:
    """Old attempts and locks go. Times ahead of the clock are drawn back to it: a clock that was years
    ahead must neither lock somebody for years nor, once set right, forget the guesses."""
    db.execute("UPDATE attempts SET at_ms = ?1 WHERE at_ms > ?1", [now_ms])
    db.execute("UPDATE locks SET until_ms = ?1 WHERE until_ms > ?1", [now_ms + LOCKOUT_MS])
    db.execute("DELETE FROM attempts WHERE at_ms <= ?", [now_ms - LOCKOUT_MS])
    ended = "SELECT who FROM locks WHERE until_ms <= ?"
    db.execute(f"DELETE FROM attempts WHERE who IN ({ended})", [now_ms])
    db.execute("DELETE FROM locks WHERE until_ms <= ?", [now_ms])
    newest = "SELECT rowid FROM attempts ORDER BY rowid DESC LIMIT ?"
    db.execute(f"DELETE FROM attempts WHERE rowid NOT IN ({newest})", [MAX_REMEMBERED_NUMBERS * WRONG_PINS_ALLOWED])
