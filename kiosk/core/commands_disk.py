"""Commands of the gate's disk and of the records on it.

Part of `kiosk.core.commands`, which names them all.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneRecords:
    """The bytes of old entries may go: see `kiosk.core.pruned`. streams: (stream, last seq, digest of the hashes so far).

    before: of days before that one. highest: number of a person among those whom they name.
    """

    streams: tuple[tuple[str, int, str], ...]
    before: str
    entries: int
    highest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSeen:
    """How full this gate's disk is. level: "" while there is room, else a word of `kiosk.core.disk`."""

    level: str
    used_percent: int
