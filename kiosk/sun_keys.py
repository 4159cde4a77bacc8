"""The master key of the school's signing cards (NTAG 424 DNA): `keys/sun.key`, 0600, made once and never overwritten.

Every card's own key is derived from it and from the card's UID (AN10922), so one card that is taken apart gives away itself and
no other. Gates of one school share the key: the file is copied by hand, nothing here sends or fetches it.
"""

from __future__ import annotations

import logging
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from drivers.sun import SunForged, SunKeys, message_in, proof_of
from kiosk.core.world import SunReader, SunTap
from kiosk.durable_files import make_folder
from kiosk.pass_keys import write_once

KEY_FILE = "sun.key"
KEY_BYTES = 16
LINK_PLACES = "?e={picc}&c={mac}"

_KEY_TEXT = re.compile(r"[0-9a-f]{32}\n?")
_UID = re.compile(r"[0-9A-F]{14}")

log = logging.getLogger("kiosk.sun_keys")


class SunKeyError(Exception):
    """The key cannot be used or made; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class CardKeys:
    """What a personalisation tool writes into one card. Shown once, to the person who holds the card."""

    uid: str
    meta: str  # SDMMetaRead, the same in every card
    file: str  # SDMFileRead, this card's own

    def as_json(self) -> dict[str, str]:
        return {"uid": self.uid, "meta_read_key": self.meta, "file_read_key": self.file, "link": LINK_PLACES}

    def as_text(self) -> str:
        return (
            f"card {self.uid}\nSDM meta read key (key 1)  {self.meta}\nSDM file read key (key 2)  {self.file}\n"
            f"NDEF link ending           {LINK_PLACES}"
        )


def make_key(state: Path) -> Path:
    """A new master key. Raises SunKeyError where there is one: cards that are written with it would be dead."""
    path = state / "keys" / KEY_FILE
    try:
        make_folder(path.parent)
        if path.exists():
            raise SunKeyError(f"{path} is there already; cards written with it would stop working, so it is never replaced")
        write_once(path, secrets.token_bytes(KEY_BYTES).hex())
    except OSError as error:
        raise SunKeyError(f"{path} cannot be made ({error}); check owner and rights") from error
    return path


def load_keys(state: Path) -> SunKeys | None:
    """None where no key was made. Raises SunKeyError for one that cannot be used."""
    path = state / "keys" / KEY_FILE
    try:
        text = path.read_text("ascii")
        if path.stat().st_mode & 0o077:
            raise SunKeyError(f"{path}: other users may read the key of the cards; run chmod 600 on it")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SunKeyError(f"{path} cannot be read ({error}); check owner and rights") from error
    if _KEY_TEXT.fullmatch(text) is None:
        raise SunKeyError(f"{path} is not 32 hex digits; copy it again from the gate where it was made")
    return SunKeys.from_master(bytes.fromhex(text.strip()))


def keys_of_card(state: Path, uid: str) -> CardKeys:
    """Raises SunKeyError."""
    spelled = uid.strip().upper()
    if _UID.fullmatch(spelled) is None:
        raise SunKeyError(f"{uid[:64]} is no UID of an NTAG 424 DNA; write its 14 hex digits, as `kiosk enrol` shows them")
    keys = load_keys(state)
    if keys is None:
        raise SunKeyError(f"{state / 'keys' / KEY_FILE} is not there; run `kiosk keys sun --state {state}` first")
    return CardKeys(spelled, keys.meta.hex().upper(), keys.of_card(bytes.fromhex(spelled)).hex().upper())


def sun_reader(state: Path) -> SunReader | None:
    """What the core asks about a text. Taps must go on without it: a key that cannot be used is logged, and such cards are
    known by their number only."""
    try:
        keys = load_keys(state)
    except SunKeyError as error:
        log.error("signing cards prove nothing here: %s", error)
        return None
    return None if keys is None else reader_with(keys)


def reader_with(keys: SunKeys) -> SunReader:
    def looked_at(text: str) -> SunTap | None:
        message = message_in(text)
        if message is None:
            return None
        try:
            proof = proof_of(message, keys)
        except SunForged:
            return SunTap(message.uid.hex().upper(), 0, False)
        return SunTap(proof.uid, proof.counter, True)

    return looked_at
