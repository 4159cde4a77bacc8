"""What the sync bench sends: entries as a gate seals them, signed in batches as its agent sends them, and the same rows bare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import zstandard

from kiosk.bench.school import ARRIVAL_MS
from kiosk.core.entries import GENESIS, Fact, Kind, Stream
from sync_agent.keys import SigningKey, signing_key
from sync_agent.protocol import DEFAULT_BATCH_ENTRIES, Sealed
from sync_agent.transports.http import ZSTD_LEVEL
from sync_agent.up_sync import signed_batch

SCHOOL: Final = "bench"
NODE, INCARNATION = "east", "9f3ac2d17b604e58"
KEY: Final[SigningKey] = signing_key(bytes(range(32)))
ENTRIES: Final = 200_000
_OTHERS: Final = {f"gate-{n}/{n:016x}": 1_000 * n for n in range(1, 3)}  # what a gate on a campus with three has seen

Row = tuple[int, str, int, bytes, bytes]  # seq, kind, at_ms, raw, hash


@dataclass(frozen=True, slots=True)
class Load:
    """One batch after the other: its body as JSON, the same packed as it travels, and its rows."""

    bodies: Sequence[bytes]
    packed: Sequence[bytes]
    rows: Sequence[Sequence[Row]]

    @property
    def entries(self) -> int:
        return sum(map(len, self.rows))


def prepare(entries: int = ENTRIES) -> Load:
    """Arrivals with all that an arrival says, at a gate that hears of two others now and then."""
    stream = Stream(node=NODE, incarnation=INCARNATION, seen=_OTHERS)
    bodies: list[bytes] = []
    rows: list[list[Row]] = []
    for first in range(0, entries, DEFAULT_BATCH_ENTRIES):
        count, prev_hash = min(DEFAULT_BATCH_ENTRIES, entries - first), stream.head if first else GENESIS
        sealed = [stream.seal(_arrival(first + n), at_ms=ARRIVAL_MS + 40 * (first + n), trusted=True) for n in range(count)]
        batch = signed_batch(
            school=SCHOOL,
            stream=(NODE, INCARNATION),
            first_seq=first + 1,
            prev_hash=prev_hash,
            entries=[Sealed(one.raw, one.hash) for one in sealed],
            key=KEY,
        )
        bodies.append(msgspec.json.encode(batch))
        rows.append([(one.entry.seq, one.entry.kind, one.entry.at_ms, one.raw, one.hash) for one in sealed])
    packer = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
    return Load(bodies, [packer.compress(body) for body in bodies], rows)


def _arrival(number: int) -> Fact:
    child = 1_000 + number % 1_620
    body = {
        "child": child, "class": f"primary-2024-{child % 36 + 1}", "access_point": "east-in-1", "reason": "on_time",
        "reader": "east-in-1", "scheme": "uid", "assurance": "uid", "custodian": 900_001 + child % 36,
    }  # fmt: skip
    return Fact(Kind.ARRIVED, body)
