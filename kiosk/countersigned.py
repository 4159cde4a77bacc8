"""How far the school server has countersigned this gate's record, for `kiosk verify`: reads, compares, and changes nothing.

A chain alone proves that nobody changed one entry; it does not notice somebody who wrote all of it anew. The server's word from
that day does. It is checked with the server's key that was pinned at enrolment, so no network is needed and no trust in agent.db.
What an older copy of the disk had lost, and the server gave back, is beside the journal in peers.db: it counts as here.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.core.entries import GENESIS, chain_hash
from kiosk.core.heads import Countersigned
from kiosk.journal import FILE_NAME, connect
from kiosk.reading_back import PEERS_FILE

AGENT_FILE: Final = "agent.db"
SERVER_KEY_FILE: Final = Path("keys") / "server.pub"
_MISSING: Final = "it is missing here; an older copy of the disk gets it back once gate and sync agent run: verify again then"
_KEY: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Through:
    """One incarnation: the highest entry that the server has countersigned, and when by its clock."""

    node: str
    incarnation: str
    seq: int
    seen_ms: int


@dataclass(frozen=True, slots=True)
class Found:
    """unproven: rows that the pinned key does not bear. first_bad: an entry that is not the one that the server saw.

    given_back: entries that this disk had lost with the journal, and that came back from the server, chain and all.
    """

    through: tuple[Through, ...]
    unproven: int
    first_bad: dict[str, Any] | None
    given_back: int = 0


def look(state: Path) -> Found:
    """Of a state folder whose chain was found whole; nothing found where no server ever countersigned anything."""
    key = _server_key(state)
    through: dict[tuple[str, str], Through] = {}
    unproven, bad, given_back = 0, None, dict[tuple[str, str], int]()
    hashes, back = _Hashes(state / FILE_NAME), _GivenBack(state / PEERS_FILE)
    try:
        for said in _kept(state / AGENT_FILE):
            if key is None or not _is_signed(key, said):
                unproven += 1
                continue
            here = hashes.at(said)
            if here is None and (count := back.through(said, hashes.end(said))):
                here = said.hash
                given_back[said.node, said.incarnation] = count
            if here == said.hash:
                through[said.node, said.incarnation] = Through(said.node, said.incarnation, said.seq, said.seen_ms)
            elif bad is None:
                why = _MISSING if here is None else "it is another one here"
                bad = {
                    "node": said.node, "incarnation": said.incarnation, "seq": said.seq,
                    "why": f"the school server has countersigned this entry, and {why}",
                }  # fmt: skip
    finally:
        hashes.close()
        back.close()
    return Found(tuple(through.values()), unproven, bad, sum(given_back.values()))


class _Hashes:
    """The journal's own, as it has them now."""

    def __init__(self, path: Path) -> None:
        self._db = connect(path, read_only=True)

    def at(self, said: Countersigned) -> str | None:
        row = self._db.execute(
            "SELECT hash FROM entries JOIN incarnations USING (boot) WHERE node = ? AND incarnation = ? AND seq = ?",
            (said.node, said.incarnation, said.seq),
        ).fetchone()
        return bytes(row[0]).hex() if row else None

    def end(self, said: Countersigned) -> tuple[int, bytes]:
        """The last number of that incarnation, and its hash; the beginning of a chain where there is nothing of it."""
        row = self._db.execute(
            "SELECT seq, hash FROM entries JOIN incarnations USING (boot) WHERE node = ? AND incarnation = ?"
            " ORDER BY seq DESC LIMIT 1",
            (said.node, said.incarnation),
        ).fetchone()
        return (row[0], bytes(row[1])) if row else (0, GENESIS)

    def close(self) -> None:
        self._db.close()


class _GivenBack:
    """This gate's own entries as the sync agent fetched them back, after the journal had lost them."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5) if path.exists() else None

    def through(self, said: Countersigned, end: tuple[int, bytes]) -> int:
        """How many entries continue the journal, unbroken, from its end to the countersigned one; 0 if any is missing."""
        last, before = end
        for number, (seq, raw, digest) in enumerate(self._rows(said, last), start=1):
            if seq != last + number or chain_hash(before, raw) != digest:
                return 0
            if seq == said.seq:
                return number if bytes(digest).hex() == said.hash else 0
            before = bytes(digest)
        return 0

    def close(self) -> None:
        if self._db is not None:
            self._db.close()

    def _rows(self, said: Countersigned, last: int) -> list[tuple[int, bytes, bytes]]:
        if self._db is None:
            return []
        try:
            return self._db.execute(
                "SELECT seq, raw, hash FROM peers WHERE node = ? AND incarnation = ? AND seq > ? AND seq <= ? ORDER BY seq",
                (said.node, said.incarnation, last, said.seq),
            ).fetchall()
        except sqlite3.DatabaseError:
            return []


def _kept(path: Path) -> Iterator[Countersigned]:
    """In the order of numbers. Nothing from a file that is not there, is damaged, or is of a version before countersignatures."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as db:
            rows = db.execute(
                "SELECT school, node, incarnation, seq, hash, seen_ms, signature FROM countersigned"
                " ORDER BY node, incarnation, seq"
            ).fetchall()
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return
    for school, node, incarnation, seq, hash_hex, seen_ms, signature in rows:
        yield Countersigned(
            school=str(school), node=str(node), incarnation=str(incarnation), seq=int(seq), hash=str(hash_hex),
            seen_ms=int(seen_ms), signature=str(signature),
        )  # fmt: skip


def _server_key(state: Path) -> Ed25519PublicKey | None:
    try:
        text = (state / SERVER_KEY_FILE).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text)) if _KEY.fullmatch(text) else None


def _is_signed(key: Ed25519PublicKey, said: Countersigned) -> bool:
    try:
        key.verify(bytes.fromhex(said.signature), said.text())
    except (InvalidSignature, ValueError):
        return False
    return True
