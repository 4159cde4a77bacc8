"""The school server's HTTP face: one clear sentence for every wrong request, and never a 5xx."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.core.entries import GENESIS, Fact, Kind, Stream, chain_hash
from sync_agent import protocol
from sync_agent.errors import Misconfigured
from sync_agent.keys import signing_key, verify
from sync_agent.protocol import Sealed
from sync_agent.school_server.sqlite_store import SqliteStore
from tests.support.sync_requests import VERSION, post, sentence
from tests.support.sync_world import SCHOOL, TOKEN, Gate, SyncWorld, endless

POSTS = [protocol.ENTRIES_PATH, protocol.ENROL_PATH]
SPOKEN = [("POST", protocol.ENTRIES_PATH), ("GET", protocol.ENTRIES_PATH), ("POST", protocol.ENROL_PATH)]
SPOKEN += [("PUT", protocol.DIRECTORY_PATH), ("GET", protocol.DIRECTORY_PATH)]
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
KEY = signing_key(b"k" * 32)


def batch(
    gate: Gate, *, first_seq: int = 1, prev: bytes = GENESIS, entries: list[Sealed] | None = None, **changes: Any
) -> dict[str, Any]:
    """A sound batch of one entry, signed, as plain JSON; `changes` are made after signing."""
    sealed = gate.journal.journal.resumed()
    assert sealed is not None
    if entries is None:
        rows = gate.journal.everything()
        entries = [Sealed(*rows[gate.journal.incarnation, 1])]
    head = entries[-1].hash if entries else prev
    text = protocol.batch_text(
        school=SCHOOL,
        node=gate.node,
        incarnation=gate.journal.incarnation,
        first_seq=first_seq,
        count=len(entries),
        prev_hash=prev,
        head_hash=head,
        content_sha256=protocol.content_digest(entries),
    )
    plain: dict[str, Any] = json.loads(
        msgspec.json.encode(
            protocol.Batch(
                node=gate.node,
                incarnation=gate.journal.incarnation,
                first_seq=first_seq,
                prev_hash=prev.hex(),
                entries=[
                    protocol.Item(hash=one.hash.hex(), octets=protocol.pack(one._replace(unread=True)).octets) for one in entries
                ],
                head_hash=head.hex(),
                signature=gate.up._key.sign(text),
            )
        )
    )
    return plain | changes


def test_a_batch_in_plain_json_is_stored(world: SyncWorld) -> None:
    gate = world.gate("south")
    answer = post(world, batch(gate))
    assert answer.json() == {"durable_through": 1, "verdicts": [{"seq": 1, "verdict": "stored", "reason": ""}]}
    assert answer.headers[protocol.HEADER_VERSION] == "1"


WRONG: dict[str, Callable[[dict[str, Any]], Any]] = {
    "not json": lambda good: b"{",
    "not utf-8": lambda good: b'{"node":"\xff"}',
    "empty": lambda good: b"",
    "a list": lambda good: [good],
    "a number": lambda good: 5,
    "null": lambda good: None,
    "nested too deeply": lambda good: b"[" * 100_000,
    "without entries": lambda good: {k: v for k, v in good.items() if k != "entries"},
    "entries as text": lambda good: good | {"entries": "none"},
    "an entry as text": lambda good: good | {"entries": ["x"]},
    "an entry without hash": lambda good: good | {"entries": [{"entry": {}}]},
    "an entry twice": lambda good: good | {"entries": [good["entries"][0] | {"entry": {}}]},
    "an entry without bytes": lambda good: good | {"entries": [{"hash": "0" * 64}]},
    "octets that are not base64": lambda good: good | {"entries": [{"hash": "0" * 64, "octets": "?"}]},
    "a hash in capitals": lambda good: good | {"prev_hash": "A" * 64},
    "a hash with a newline": lambda good: good | {"head_hash": "0" * 64 + "\n"},
    "a number as text": lambda good: good | {"first_seq": "1"},
    "a negative number": lambda good: good | {"first_seq": -1},
    "zero": lambda good: good | {"first_seq": 0},
    "a huge number": lambda good: good | {"first_seq": 10**30},
    "a fraction": lambda good: good | {"first_seq": 1.5},
    "not a number": lambda good: b'{"first_seq": NaN}',
    "a node with a slash": lambda good: good | {"node": "../south"},
    "an empty node": lambda good: good | {"node": ""},
    "a long node": lambda good: good | {"node": "x" * 65},
    "a node with a surrogate": lambda good: json.dumps(good | {"node": "\ud800"}).encode(),
    "an incarnation with a colon": lambda good: good | {"incarnation": "a:b"},
    "a head that is not the last hash": lambda good: good | {"head_hash": "0" * 64},
}


def test_a_wrong_batch_gets_one_sentence_and_stores_nothing(world: SyncWorld) -> None:
    gate = world.gate("south")
    good = batch(gate)
    for name, spoil in WRONG.items():
        assert sentence(post(world, spoil(good)), status=400, error="malformed"), name
    assert world.server.everything("south") == {}


@pytest.mark.parametrize("path", POSTS)
@given(
    body=st.one_of(
        st.binary(max_size=200), st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps).map(str.encode)
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_bytes_are_refused_without_a_5xx(world: SyncWorld, path: str, body: bytes) -> None:
    assert post(world, body, path).status_code in (400, 401, 403, 429)


def test_a_batch_must_bear_the_signature_of_its_own_node(world: SyncWorld) -> None:
    south, north = world.gate("south"), world.gate("north")
    sentence(post(world, batch(south, signature="0" * 128)), status=401, error="bad_signature")
    sentence(post(world, batch(south, signature="short")), status=401, error="bad_signature")
    sentence(post(world, batch(south, node="north")), status=401, error="bad_signature")
    sentence(post(world, batch(north, incarnation="other")), status=401, error="bad_signature")
    sentence(post(world, batch(south, node="nobody")), status=401, error="unknown_node")
    assert world.server.everything("south") == world.server.everything("north") == {}


def test_a_byte_changed_under_way_is_a_bad_signature_and_not_a_rotten_entry(world: SyncWorld) -> None:
    gate = world.gate("south")
    good = batch(gate)
    other = protocol.pack(Sealed(b"{}", GENESIS, unread=True)).octets
    sentence(post(world, good | {"entries": [good["entries"][0] | {"octets": other}]}), status=401, error="bad_signature")


def test_a_hole_is_409_with_the_number_to_go_back_to(world: SyncWorld) -> None:
    gate = world.gate("south")
    gate.journal.write(3)
    rows = gate.journal.everything()
    entry = Sealed(*rows[gate.journal.incarnation, 3])
    late = batch(gate, first_seq=3, prev=rows[gate.journal.incarnation, 2][1], entries=[entry])
    answer = post(world, late)
    sentence(answer, status=409, error="hole")
    assert answer.json()["durable_through"] == 0


def test_unknown_fields_survive_byte_for_byte(world: SyncWorld) -> None:
    gate = world.gate("south")
    raw = (
        rb'{ "node":"south","later": {"b" : [1.0, 1e3], "a":"\u4e2d"}, "seq":1,"incarnation":"i1" ,"tick":1,'
        rb'"at_ms":1,"clock":"trusted","kind":"new_kind","body":{}}'
    )
    digest = chain_hash(GENESIS, raw)
    gate.journal.incarnation = "i1"
    body = msgspec.json.encode(batch(gate, entries=[Sealed(raw, digest)]))
    embedded = body.replace(
        b'"octets":"' + protocol.pack(Sealed(raw, digest, unread=True)).octets.encode() + b'"', b'"entry":' + raw
    )  # type: ignore[union-attr]
    assert post(world, embedded).json()["verdicts"][0]["verdict"] == "stored"
    assert world.server.everything("south")["i1", 1] == (raw, digest)
    page = world.ask("GET", "/api/v1/entries", headers={"Authorization": f"Bearer {TOKEN}"})
    assert raw in page.content


def test_more_entries_than_allowed_are_refused_whole(world: SyncWorld) -> None:
    gate = world.gate("south")
    one = batch(gate)["entries"][0]
    many = batch(gate, entries=None) | {"entries": [one] * (protocol.MAX_BATCH_ENTRIES + 1)}
    assert str(protocol.MAX_BATCH_ENTRIES) in sentence(post(world, many), status=413, error="too_large")


def test_an_entry_that_is_too_long_is_refused(world: SyncWorld) -> None:
    gate = world.gate("south")
    long = Sealed(b"x" * (protocol.MAX_ENTRY_BYTES + 1), GENESIS)
    sentence(post(world, batch(gate, entries=[long])), status=413, error="too_large")


@pytest.mark.parametrize("path", POSTS)
def test_a_huge_body_is_refused_while_it_comes(world: SyncWorld, path: str) -> None:
    sentence(post(world, b" " * (protocol.MAX_BODY_BYTES + 1), path), status=413, error="too_large")
    mib = b" " * (1024 * 1024)
    answer = world.ask("POST", path, content=endless(mib, 10), headers=VERSION)
    sentence(answer, status=413, error="too_large")


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(world: SyncWorld) -> None:
    bomb = zstandard.ZstdCompressor().compress(b" " * (200 * 1024 * 1024))
    assert len(bomb) < 50_000
    answer = world.ask("POST", protocol.ENTRIES_PATH, content=bomb, headers=VERSION | {"Content-Encoding": "zstd"})
    sentence(answer, status=413, error="too_large")


@pytest.mark.parametrize(("encoding", "status", "error"), [("gzip", 415, "unsupported_encoding"), ("zstd", 400, "malformed")])
def test_a_body_that_is_not_packed_as_it_says_is_refused(world: SyncWorld, encoding: str, status: int, error: str) -> None:
    answer = world.ask("POST", protocol.ENTRIES_PATH, content=b"{}", headers=VERSION | {"Content-Encoding": encoding})
    sentence(answer, status=status, error=error)


def test_every_message_says_which_version_it_speaks(world: SyncWorld) -> None:
    for method, path in SPOKEN:
        for version in ("", "0", "2", "x", "1.0", "-1", "9" * 40):
            answer = world.ask(method, path, headers={protocol.HEADER_VERSION: version, protocol.HEADER_SCHOOL: SCHOOL})
            assert "speaks 1" in sentence(answer, status=400, error="unsupported_version"), (method, path, version)


def test_another_school_is_not_served(world: SyncWorld) -> None:
    answer = world.ask("POST", protocol.ENTRIES_PATH, headers=VERSION | {protocol.HEADER_SCHOOL: "elsewhere"})
    sentence(answer, status=401, error="unknown_node")
    sentence(world.ask("GET", "/?school=elsewhere"), status=404, error="not_found")


def test_what_does_not_exist_is_said_in_json(world: SyncWorld) -> None:
    sentence(world.ask("GET", "/sync/v1/nothing"), status=404, error="not_found")
    sentence(world.ask("DELETE", protocol.ENTRIES_PATH), status=405, error="method_not_allowed")


def signed(gate: Gate, method: str, target: str, **headers: str) -> dict[str, str]:
    text = protocol.request_text(method=method, target=target, school=SCHOOL, node=gate.node, body_sha256=EMPTY_SHA256, extra=())
    return VERSION | {protocol.HEADER_NODE: gate.node, protocol.HEADER_SIGNATURE: gate.up._key.sign(text)} | headers


def test_only_an_enrolled_node_is_told_what_others_wrote(world: SyncWorld) -> None:
    gate = world.gate("south")
    target = f"{protocol.ENTRIES_PATH}?have="
    assert world.ask("GET", target, headers=signed(gate, "GET", target)).status_code == 200
    for path in (target, protocol.DIRECTORY_PATH):
        sentence(world.ask("GET", path), status=401, error="unknown_node")
        sentence(world.ask("GET", path, headers=signed(gate, "GET", "/elsewhere")), status=401, error="bad_signature")


def test_a_wrong_have_is_refused(world: SyncWorld) -> None:
    gate = world.gate("south")
    for have in ("x", "a:b", "a:b:c", "a:b:-1", "a:b:1:2", "a/b:c:1", ",", "a:b:99999999999999999999", "a:b:1," * 600):
        target = f"{protocol.ENTRIES_PATH}?have={have}"
        assert sentence(world.ask("GET", target, headers=signed(gate, "GET", target)), status=400, error="malformed"), have


@pytest.mark.parametrize(
    ("headers", "status", "error"),
    [
        ({}, 400, "malformed"),
        ({protocol.HEADER_NUMBER: "1"}, 400, "malformed"),
        ({protocol.HEADER_NUMBER: "one", protocol.HEADER_BASE: "0"}, 400, "malformed"),
        ({protocol.HEADER_NUMBER: "1", protocol.HEADER_BASE: "0", protocol.HEADER_SHA256: "xyz"}, 400, "malformed"),
        ({protocol.HEADER_NUMBER: "1", protocol.HEADER_BASE: "0", protocol.HEADER_SHA256: "0" * 64}, 401, "unknown_node"),
    ],
)
def test_a_wrong_directory_put_is_refused(world: SyncWorld, headers: dict[str, str], status: int, error: str) -> None:
    world.gate("south")
    sentence(world.ask("PUT", protocol.DIRECTORY_PATH, content=b"x", headers=VERSION | headers), status=status, error=error)


def put_headers(gate: Gate, *, number: int, base: int, sha256: str) -> dict[str, str]:
    text = protocol.request_text(
        method="PUT",
        target=protocol.DIRECTORY_PATH,
        school=SCHOOL,
        node=gate.node,
        body_sha256=sha256,
        extra=(str(number), str(base)),
    )
    return VERSION | {
        protocol.HEADER_NODE: gate.node,
        protocol.HEADER_SIGNATURE: gate.up._key.sign(text),
        protocol.HEADER_NUMBER: str(number),
        protocol.HEADER_BASE: str(base),
        protocol.HEADER_SHA256: sha256,
    }


def test_a_directory_whose_bytes_or_size_or_number_are_wrong_is_refused(world: SyncWorld) -> None:
    gate = world.gate("south")
    headers = put_headers(gate, number=1, base=0, sha256="0" * 64)
    sentence(world.ask("PUT", protocol.DIRECTORY_PATH, content=b"x", headers=headers), status=400, error="malformed")
    chunks = endless(b" " * 1024 * 1024, protocol.MAX_DIRECTORY_BYTES // 1024 // 1024 + 1)
    sentence(world.ask("PUT", protocol.DIRECTORY_PATH, content=chunks, headers=headers), status=413, error="too_large")
    headers = put_headers(gate, number=3, base=3, sha256="0" * 64)
    sentence(world.ask("PUT", protocol.DIRECTORY_PATH, content=b"x", headers=headers), status=400, error="malformed")


def test_the_store_runs_in_wal_with_full_synchronous_writes(world: SyncWorld) -> None:
    writer = world.server.store._writer
    assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert writer.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_stored_entry_can_neither_be_changed_nor_deleted(world: SyncWorld) -> None:
    gate = world.gate("south")
    world.run(gate.drain())
    for sql in ("UPDATE entries SET raw=x'00'", "DELETE FROM entries"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            world.server.store._writer.execute(sql)


def test_every_batch_leaves_the_nodes_signature_as_evidence(world: SyncWorld) -> None:
    gate = world.gate("south", batch_entries=100)
    gate.journal.write(4)
    world.run(gate.drain())
    row = world.server.store._writer.execute("SELECT first_seq, last_seq, hash, content_sha256, signature FROM heads").fetchone()
    text = protocol.batch_text(
        school=SCHOOL, node="south", incarnation=gate.journal.incarnation, first_seq=row[0], count=row[1] - row[0] + 1,
        prev_hash=GENESIS, head_hash=row[2], content_sha256=row[3],
    )  # fmt: skip
    assert verify(public_hex=gate.up._key.public_hex, text=text, signature=row[4].hex())


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "server.db").write_bytes(os.urandom(4096))
    with pytest.raises(Misconfigured, match="cannot be opened"):
        SqliteStore(tmp_path)


def test_an_entry_with_a_time_beyond_all_numbers_is_stored_or_set_aside(world: SyncWorld) -> None:
    gate = world.gate("south")
    stream = Stream(node="south", incarnation="i9")
    raws = [
        stream.seal(Fact(Kind.SEEN, {}), at_ms=10**15, trusted=True).raw.replace(b"1000000000000000", b"1" + b"0" * 40),
        stream.seal(Fact(Kind.SEEN, {}), at_ms=5, trusted=True).raw.replace(b'"seen"', rb'"\ud800"'),
        stream.seal(Fact(Kind.SEEN, {}), at_ms=5, trusted=True).raw.replace(b'"seen"', rb'"a\u0000b"'),
    ]
    entries, previous = [], GENESIS
    for raw in raws:
        previous = chain_hash(previous, raw)
        entries.append(Sealed(raw, previous))
    gate.journal.incarnation = "i9"
    answer = post(world, batch(gate, entries=entries))
    assert answer.status_code == 200, answer.text
    assert world.server.everything("south") == {("i9", n): one[:2] for n, one in enumerate(entries, start=1)}
