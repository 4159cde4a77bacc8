"""Goes along a journal's chain, entry by entry, and says what is the first thing wrong: for `kiosk verify`.

Where bytes were let go of (`kiosk.core.pruned`) it goes on by the stored hashes, and holds all of them against the digest
that the fact about it gives; that fact stands in the chain itself. It opens no file and mends nothing.
"""

from __future__ import annotations

import hashlib

from kiosk.core.entries import GENESIS, UnreadableEntry, chain_hash, decode
from kiosk.core.pruned import KEPT_KINDS


class Walk:
    """Where the verification stands in the chain."""

    def __init__(self) -> None:
        self.node = self.incarnation = ""
        self.seq, self.head = 0, GENESIS
        self.sealed: tuple[str, int, str] | None = None  # what the next incarnation must seal
        self.said: dict[str, dict[int, str]] = {}  # stream -> seq -> digest of the hashes so far, where bytes were let go of
        self.hashes = hashlib.sha256()

    def open(self, node: str, incarnation: str) -> None:
        if self.seq:
            self.sealed = (self.incarnation, self.seq, self.head.hex())
        self.node, self.incarnation, self.seq, self.head = node, incarnation, 0, GENESIS
        self.hashes = hashlib.sha256()

    def step(self, seq: int, kind: str, raw: object, hash_: object) -> str:
        """"" when this entry follows, else why it does not."""
        if not isinstance(raw, bytes) or not isinstance(hash_, bytes):
            return "the stored bytes have the wrong type"
        if seq != self.seq + 1:
            return f"entry {self.seq + 1} is missing"
        self.hashes.update(hash_)
        said = self.said.get(f"{self.node}/{self.incarnation}", {})
        if seq in said and self.hashes.hexdigest() != said[seq]:
            return "the hashes up to here are not those of the entries that were let go of"
        if raw == b"" and kind not in KEPT_KINDS and seq <= max(said, default=0):
            self.seq, self.head = seq, hash_
            return ""
        if chain_hash(self.head, raw) != hash_:
            return "the bytes do not match their hash"
        try:
            entry = decode(raw)
        except UnreadableEntry as error:
            return str(error)
        if (entry.node, entry.incarnation, entry.seq, entry.kind) != (self.node, self.incarnation, seq, kind):
            return "the entry names another place in the chain than where it stands"
        if seq == 1 and self.sealed is not None:
            sealed = entry.body.get("sealed") or {}
            if (sealed.get("incarnation"), sealed.get("seq"), sealed.get("hash")) != self.sealed:
                return f"it does not seal incarnation {self.sealed[0]} at entry {self.sealed[1]}"
        self.seq, self.head = seq, hash_
        return ""
