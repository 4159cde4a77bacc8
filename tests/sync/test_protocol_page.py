"""docs/sync-protocol.md says what the code does: its golden example, its limits and its words."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec
import pytest

from kiosk.core.acts import EXCUSES, ROLL_MARKS
from kiosk.core.entries import Kind
from kiosk.core.releases import CORRECTIONS
from sync_agent import protocol
from sync_agent.keys import signing_key
from sync_agent.protocol import Code, MalformedMessage, Sealed, Verdict
from sync_agent.school_server.read_api import DEFAULT_ENTRIES
from sync_agent.school_server.refusals import STATUS_OF
from sync_agent.school_server.store import Node
from tests.support.sync_world import SCHOOL, SyncWorld

PAGE = (Path(__file__).parents[2] / "docs" / "sync-protocol.md").read_text("utf-8")
NODE_KEY = signing_key(bytes(range(32)))


def block(name: str) -> str:
    found = re.search(rf"```\w+ {name}\n(.*?)\n```", PAGE, re.DOTALL)
    assert found, name
    return found.group(1)


def test_the_golden_batch_is_stored_as_the_page_says(world: SyncWorld) -> None:
    world.server.store.add_node(Node(school=SCHOOL, node="south-gate", public_key=block("golden-public-key"), enrolled_ms=0))
    for answer in ("golden-answer", "golden-answer-again"):
        found = world.ask("POST", protocol.ENTRIES_PATH, content=block("golden-batch").encode())
        assert found.text == block(answer)


def test_the_golden_signatures_are_those_of_the_golden_key() -> None:
    batch = msgspec.json.decode(block("golden-batch").encode(), type=protocol.Batch)
    assert NODE_KEY.public_hex == block("golden-public-key")
    assert batch.signature == NODE_KEY.sign(block("golden-signed").encode())
    text = protocol.batch_text(
        school="yucai",
        node=batch.node,
        incarnation=batch.incarnation,
        first_seq=batch.first_seq,
        count=len(batch.entries),
        prev_hash=bytes.fromhex(batch.prev_hash),
        head_hash=bytes.fromhex(batch.head_hash),
        content_sha256=protocol.content_digest([protocol.unpack(item, where="item") for item in batch.entries]),
    )
    assert text.decode() == block("golden-signed")
    request = protocol.request_text(
        method="GET",
        target="/sync/v1/entries?have=north-gate:5d0c4b1e9a7f2630:118",
        school="yucai",
        node="south-gate",
        body_sha256=hashlib.sha256(b"").hexdigest(),
        extra=(),
    )
    assert NODE_KEY.sign(request) == block("golden-request-signature")


def test_the_page_names_every_verdict_refusal_header_and_limit() -> None:
    for word in (*Verdict, *Code):
        assert f"`{word.value}`" in PAGE, word
    for name, value in vars(protocol).items():
        if name.startswith("HEADER_"):
            assert f"`{value}`" in PAGE, value
        if name.endswith("_PATH"):
            assert value in PAGE, value
    assert f"{protocol.MAX_BATCH_ENTRIES:,} ({protocol.DEFAULT_BATCH_ENTRIES} is usual)" in PAGE
    for limit in (protocol.MAX_BODY_BYTES, protocol.MAX_ENTRY_BYTES, protocol.MAX_DIRECTORY_BYTES):
        assert f"{limit // 1024 // 1024} MiB" in PAGE
    assert set(STATUS_OF) == set(Code)


def test_what_the_page_says_of_attendance_is_in_the_code() -> None:
    part = PAGE.split("### 9.1")[1].split("## 10")[0]
    table = part.split("| `kind` |")[1].split("\n\n")[0]
    first = [re.findall(r"`(\w+)`", row.split("|")[1]) for row in table.splitlines()[2:]]
    assert {name for names in first for name in names} <= set(Kind) and len(first) == 11
    for word in (*ROLL_MARKS, *EXCUSES, *CORRECTIONS):
        assert f"`{word}`" in table, word
    assert f"`limit` is 1 to {protocol.MAX_RELAY_ENTRIES:,}, and {DEFAULT_ENTRIES} where it is not said" in PAGE


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a" : 1.0 ,\n "b":"\\u4e2d"}',
        b' {"a":1}',
        b'{"a":1}\n',
        b"[1]",
        b"",
        b"\x00\xff",
        b'{"a":"\xff"}',
        b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
    ],
)
def test_whatever_a_journal_holds_travels_byte_for_byte(raw: bytes) -> None:
    wire = msgspec.json.encode(protocol.pack(Sealed(raw, bytes(32))))
    assert protocol.unpack(msgspec.json.decode(wire, type=protocol.Item), where="item") == Sealed(raw, bytes(32))


def test_have_says_the_same_both_ways() -> None:
    have = [("south", "boot.1", 12), ("north", "b_2-x", 0)]
    assert protocol.read_have(protocol.have_text(have)) == {("south", "boot.1"): 12, ("north", "b_2-x"): 0}
    assert protocol.read_have("") == {}
    with pytest.raises(MalformedMessage, match="at most 500"):
        protocol.read_have(protocol.have_text([("n", f"b{n}", 1) for n in range(501)]))
