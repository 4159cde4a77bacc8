"""How far the school server has countersigned this gate's record, for `kiosk verify`: reads, compares, and changes nothing.

A chain alone proves that nobody changed one entry; it does not notice somebody who wrote all of it anew. The server's word from
that day does. It is checked with the server's key that was pinned at enrolment, so no network is needed and no trust in agent.db.
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

from kiosk.core.heads import Countersigned
from kiosk.journal import FILE_NAME, connect

AGENT_FILE: Final = "agent.db"
SERVER_KEY_FILE: Final = Path("keys") / "server.pub"
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
    """unproven: rows that the pinned key does not bear. first_bad: an entry that is not the one that the server saw."""

    through: tuple[Through, ...]
    unproven: int
    first_bad: dict[str, Any] | None


def look(state: Path) -> Found:
    """Of a state folder whose chain was found whole; nothing found where no server ever countersigned anything."""
    key = _server_key(state)
    through: dict[tuple[str, str], Through] = {}
    unproven, bad = 0, None
    hashes = _Hashes(state / FILE_NAME)
    try:
        for said in _kept(state / AGENT_FILE):
            if key is None or not _is_signed(key, said):
                unproven += 1
                continue
            here = hashes.at(said)
            if here == said.hash:
                through[said.node, said.incarnation] = Through(said.node, said.incarnation, said.seq, said.seen_ms)
            elif bad is None:
                why = "it is missing here" if here is None else "it is another one here"
                bad = {
                    "node": said.node, "incarnation": said.incarnation, "seq": said.seq,
                    "why": f"the school server has countersigned this entry, and {why}",
                }  # fmt: skip
    finally:
        hashes.close()
    return Found(tuple(through.values()), unproven, bad)


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

    def close(self) -> None:
        self._db.close()


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
