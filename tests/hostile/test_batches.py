"""5,000 hostile batches between those of an honest gate: never a 5xx, nothing false stored as true, nothing true lost.

Three mean it badly: a stranger without a key, a gate of this school that was taken over, and the honest gate's own twin with a
disk that lies. What each sends is drawn from a seed; what became of it is read from the store, not from the answers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from kiosk.core.entries import GENESIS, Fact, Kind, Stream, UnreadableEntry, chain_hash, decode, encode
from sync_agent import protocol
from sync_agent.keys import SigningKey, signing_key
from sync_agent.protocol import Batch, Sealed
from sync_agent.school_server.store import Node
from tests.support.journals import MONDAY_MS
from tests.support.sync_world import SCHOOL, Gate, SyncWorld, in_memory

SEED, BATCHES = 20261129, 5_000
PLAIN = {protocol.HEADER_VERSION: "1", protocol.HEADER_SCHOOL: SCHOOL}
STRANGER, TAKEN_OVER = signing_key(b"\x01" * 32), signing_key(b"\x02" * 32)
ALL_CODES = {200, 400, 401, 409, 413, 415}


@pytest.fixture
def world() -> Iterator[SyncWorld]:
    with tempfile.TemporaryDirectory(dir=in_memory(), prefix="hostile-") as folder:
        one = SyncWorld(Path(folder))
        yield one
        one.close()


class Villain:
    """A gate that was taken over: it has a key that is good, streams of its own, and no scruples."""

    def __init__(self, world: SyncWorld, honest: Gate) -> None:
        self.world, self.honest, self.random = world, honest, Random(SEED)
        world.server.store.add_node(Node(school=SCHOOL, node="evil", public_key=TAKEN_OVER.public_hex, enrolled_ms=0))
        self.streams = [Stream(node="evil", incarnation=f"{n:016x}") for n in range(3)]
        self.sent: dict[str, list[Sealed]] = {stream.incarnation: [] for stream in self.streams}
        self.codes: dict[str, set[int]] = {}

    def truth(self) -> list[tuple[str, int, Sealed]]:
        rows = sorted(self.honest.journal.everything().items(), key=lambda row: row[0])
        return [(boot, seq, Sealed(raw, digest)) for (boot, seq), (raw, digest) in rows]

    def more(self, stream: Stream, count: int = 3, **changes: Any) -> list[Sealed]:
        made = []
        for _ in range(count):
            one = stream.seal(Fact(Kind.SEEN, {"child": self.random.randrange(9)}), at_ms=MONDAY_MS, trusted=True)
            raw = encode(msgspec.structs.replace(one.entry, **changes)) if changes else one.raw
            made.append(Sealed(raw, chain_hash(self.head(stream, made), raw)))
        return made

    def head(self, stream: Stream, made: list[Sealed]) -> bytes:
        known = [*self.sent[stream.incarnation], *made]
        return known[-1].hash if known else GENESIS

    def batch(
        self, entries: list[Sealed], *, node: str, incarnation: str, first_seq: int, prev: bytes, key: SigningKey
    ) -> bytes:
        head = entries[-1].hash if entries else prev
        text = protocol.batch_text(
            school=SCHOOL, node=node, incarnation=incarnation, first_seq=first_seq, prev_hash=prev, count=len(entries),
            head_hash=head, content_sha256=protocol.content_digest(entries),
        )  # fmt: skip
        items = [protocol.pack(one) for one in entries]
        return msgspec.json.encode(
            Batch(
                node=node, incarnation=incarnation, first_seq=first_seq, prev_hash=prev.hex(), entries=items,
                head_hash=head.hex(), signature=key.sign(text),
            )
        )  # fmt: skip

    def own(self, stream: Stream, entries: list[Sealed], *, keep: bool = True) -> bytes:
        """A batch of its own that continues its own stream."""
        known = self.sent[stream.incarnation]
        body = self.batch(
            entries, node="evil", incarnation=stream.incarnation, first_seq=len(known) + 1, prev=self.head(stream, []),
            key=TAKEN_OVER,
        )  # fmt: skip
        if keep:
            known += entries
        return body

    def send(self, what: str, body: bytes, **headers: str) -> int:
        answer = self.world.ask("POST", protocol.ENTRIES_PATH, content=body, headers=PLAIN | headers)
        self.codes.setdefault(what, set()).add(answer.status_code)
        assert answer.status_code in ALL_CODES, (what, answer.status_code, answer.text)
        assert answer.status_code == 200 or answer.json()["message"], what
        return answer.status_code

    # --- what it does ------------------------------------------------------------------------------

    def forges_the_honest_gates_entries(self) -> None:
        """Signed by anybody else: the next ones, or another version of those that are there."""
        boot, seq, last = self.random.choice(self.truth())
        fake = Stream(node="south", incarnation=boot, tick=MONDAY_MS)
        fake.seq, fake.head = seq, last.hash
        one = fake.seal(Fact(Kind.RELEASED, {"child": 1, "collector": 666}), at_ms=MONDAY_MS, trusted=True)
        key = self.random.choice((STRANGER, TAKEN_OVER))
        body = self.batch([Sealed(one.raw, one.hash)], node="south", incarnation=boot, first_seq=seq + 1, prev=last.hash, key=key)
        assert self.send("forged", body) == 401

    def changes_a_byte_under_way(self) -> None:
        boot, seq, one = self.random.choice(self.truth())
        body = bytearray(self._again(boot, seq, one))
        body[self.random.randrange(len(body))] ^= 1 << self.random.randrange(8)
        self.send("bent", bytes(body))

    def repeats_what_was_sent(self) -> None:
        boot, seq, one = self.random.choice(self.truth())
        self.send("repeated", self._again(boot, seq, one))

    def _again(self, boot: str, seq: int, one: Sealed) -> bytes:
        """A batch as the honest gate itself has sent it, which somebody has recorded."""
        known = self.honest.journal.everything()
        prev = known[boot, seq - 1][1] if seq > 1 else GENESIS
        return self.batch([one], node="south", incarnation=boot, first_seq=seq, prev=prev, key=self.honest.key())

    def lies_about_who_it_is_in_an_entry(self) -> None:
        stream = self.random.choice(self.streams)
        lie = self.random.choice(({"node": "south"}, {"incarnation": "f" * 16}, {"seq": 7_777}))
        assert self.send("misplaced", self.own(stream, self.more(stream, 1, **lie))) == 200

    def breaks_its_chain(self) -> None:
        stream = self.random.choice(self.streams)
        good = self.more(stream, 3)
        good[1] = Sealed(good[1].raw, bytes(32)) if self.random.random() < 0.5 else Sealed(good[1].raw + b" ", good[1].hash)
        assert self.send("broken chain", self.own(stream, good)) == 200

    def leaves_a_hole(self) -> None:
        stream = self.random.choice(self.streams)
        entries = self.more(stream, 2)
        first = len(self.sent[stream.incarnation]) + self.random.randrange(2, 2_000)
        body = self.batch(
            entries, node="evil", incarnation=stream.incarnation, first_seq=first, prev=bytes(32), key=TAKEN_OVER
        )
        assert self.send("hole", body) == 409
        stream.seq -= len(entries)

    def forks_its_stream(self) -> None:
        stream = self.random.choice(self.streams)
        known = self.sent[stream.incarnation]
        if len(known) < 2:
            return
        at = self.random.randrange(1, len(known))
        other = Sealed(b'{"other":%d}' % self.random.randrange(10**9), bytes(32))
        fork = Sealed(other.raw, chain_hash(known[at - 1].hash, other.raw))
        body = self.batch(
            [fork], node="evil", incarnation=stream.incarnation, first_seq=at + 1, prev=known[at - 1].hash, key=TAKEN_OVER
        )
        self.send("forked", body)

    def comes_from_the_future(self) -> None:
        stream = self.random.choice(self.streams)
        when = self.random.choice((2**53 - 1, -1, 10**15, 0))
        assert self.send("future", self.own(stream, self.more(stream, 1, at_ms=when, tick=max(0, when)))) == 200

    def speaks_of_things_that_nobody_knows(self) -> None:
        stream = self.random.choice(self.streams)
        odd: dict[str, Any] = {"kind": "teleported", "body": {"to": ["moon"] * self.random.randrange(5)}}
        assert self.send("unknown kind", self.own(stream, self.more(stream, 2, **odd))) == 200

    def sends_no_entry_at_all(self) -> None:
        stream = self.random.choice(self.streams)
        junk = self.random.choice((b"\xff\xfe", b"null", b"[]", b"", b"{", b'"' * 50, b"1e999", b'{"a":' * 3_000))
        one = Sealed(junk, chain_hash(self.head(stream, []), junk), unread=self.random.random() < 0.3)
        stream.seq += 1
        assert self.send("no entry", self.own(stream, [one])) == 200

    def sends_too_much(self) -> None:
        stream = self.random.choice(self.streams)
        large = b'{"x":"' + b"y" * protocol.MAX_ENTRY_BYTES + b'"}'
        entries = [Sealed(large, chain_hash(self.head(stream, []), large))]
        assert self.send("oversize", self.own(stream, entries, keep=False)) == 413

    def packs_badly(self) -> None:
        body = self.random.randbytes(self.random.randrange(200))
        self.send("packed", body, **{"Content-Encoding": self.random.choice(("zstd", "gzip", "br"))})


def doings(villain: Villain) -> list[Callable[[], None]]:
    often = [
        villain.forges_the_honest_gates_entries, villain.changes_a_byte_under_way, villain.repeats_what_was_sent,
        villain.lies_about_who_it_is_in_an_entry, villain.breaks_its_chain, villain.leaves_a_hole, villain.forks_its_stream,
        villain.comes_from_the_future, villain.speaks_of_things_that_nobody_knows, villain.sends_no_entry_at_all,
        villain.packs_badly,
    ]  # fmt: skip
    return [*often * 20, villain.sends_too_much]


def test_five_thousand_hostile_batches(world: SyncWorld) -> None:
    south, north = world.gate("south", batch_entries=40), world.gate("north")
    south.journal.write(20)
    world.run(south.drain())
    villain = Villain(world, south)
    choices = doings(villain)
    for number in range(BATCHES):
        villain.random.choice(choices)()
        if number % 100 == 0:
            south.journal.write(villain.random.randrange(1, 5))
            world.run(south.drain())
        if number % 1_500 == 1_499:
            world.server.restart()
    world.run(south.drain())

    assert world.server.everything("south") == south.journal.everything(), "nothing true is lost, nothing is added to it"
    _nothing_false_is_stored_as_true(world)
    assert all(len(known) > 100 for known in villain.sent.values()) and len(villain.codes) == 12, villain.codes
    world.run(north.drain_down())
    got = {(boot, seq): row for (node, boot, seq), row in north.peers_rows().items() if node == "south"}
    assert got == south.journal.everything()


def _nothing_false_is_stored_as_true(world: SyncWorld) -> None:
    """Read with plain means: what bears no remark continues its chain, can be read, and says where it stands."""
    heads: dict[tuple[str, str], bytes] = {}
    remarked = 0
    for entry in world.server.store.entries_after(school=SCHOOL, position=0, most=1_000_000):
        stream = (entry.node, entry.incarnation)
        sound = chain_hash(heads.get(stream, GENESIS), entry.raw) == entry.hash
        heads[stream] = entry.hash
        try:
            told = decode(entry.raw)
            sound = sound and (told.node, told.incarnation, told.seq) == (*stream, entry.seq)
        except (UnreadableEntry, RecursionError):
            sound = False
        assert sound or entry.quarantined, (entry.node, entry.incarnation, entry.seq)
        remarked += bool(entry.quarantined)
    assert remarked > 500
