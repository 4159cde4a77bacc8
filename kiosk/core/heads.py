"""The two sentences by which a gate's record is held fast elsewhere: the gate's head, and the server's countersignature.

A head names one entry and its hash, and a hash speaks for everything before it. Countersigned, it proves that the server held
that record at that time: whoever writes the whole chain anew, with every hash right, is found. Keys and disks are elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Countersigned:
    """The server's word. hash: 64 hex digits. seen_ms: by its clock. signature: its Ed25519 over `text`, 128 hex digits."""

    school: str
    node: str
    incarnation: str
    seq: int
    hash: str
    seen_ms: int
    signature: str

    def text(self) -> bytes:
        stream = (self.school, self.node, self.incarnation)
        lines = ("kiosk-sync-v1 countersigned", *stream, str(self.seq), self.hash, str(self.seen_ms))
        return "\n".join(lines).encode("utf-8")


def head_text(*, school: str, node: str, incarnation: str, seq: int, hash_hex: str) -> bytes:
    """What the gate signs."""
    return "\n".join(("kiosk-sync-v1 head", school, node, incarnation, str(seq), hash_hex)).encode("utf-8")
