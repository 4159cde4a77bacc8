"""What comes from other gates, from the school server and from people's disks: batches, entries, evidence, lists of names."""

from __future__ import annotations

from random import Random

import msgspec

from kiosk.core.card_numbers import CardNumberUnclear, canonical_uid, spellings
from kiosk.evidence import container
from kiosk.importing.csv_reader import read_csv
from kiosk.importing.problems import Unreadable
from kiosk.importing.tables import Source
from sync_agent import protocol
from sync_agent.protocol import MalformedMessage, Sealed
from sync_agent.school_server import receiving
from sync_agent.school_server.refusals import Refused
from tests.fuzz.message import Message, text_of_line
from tests.fuzz.wire import DIGITS, HEX, text_of

UNREADABLE = (MalformedMessage, msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
NAMES = ("entries.jsonl", "bundle.json")


def _entries(random: Random) -> list[Sealed]:
    bodies = [b'{"kind":"arrived","child":%d}' % random.randrange(2_000) for _ in range(random.randrange(1, 4))]
    return [Sealed(body, random.randbytes(32)) for body in [*bodies, random.randbytes(9)]]


def _batch(random: Random) -> tuple[bytes, list[Sealed]]:
    entries = _entries(random)
    batch = protocol.Batch(
        node="west", incarnation="a1", first_seq=1, prev_hash=bytes(32).hex(), entries=[protocol.pack(one) for one in entries],
        head_hash=entries[-1].hash.hex(), signature=random.randbytes(64).hex(),
    )  # fmt: skip
    return msgspec.json.encode(batch), entries


def _relay(random: Random) -> tuple[bytes, list[Sealed]]:
    entries = _entries(random)
    run = protocol.Segment(node="west", incarnation="a1", first_seq=1, entries=[protocol.pack(one) for one in entries])
    return msgspec.json.encode(protocol.Relay(segments=[run], more=False, server_now_ms=random.randrange(2**41))), entries


def _relayed(data: bytes) -> list[Sealed]:
    relay = msgspec.json.decode(data, type=protocol.Relay)
    return [protocol.unpack(item, where="entries") for run in relay.segments for item in run.entries]


def _bundle(random: Random) -> tuple[bytes, dict[str, bytes]]:
    members = {name: random.randbytes(random.randrange(80)) for name in NAMES}
    return container.write(members), members


def _members(data: bytes) -> dict[str, bytes]:
    """Whole only when nothing differs from the one form that the members have."""
    members, fault = container.read(data, NAMES)
    if fault is not None:
        raise container.NotABundle(fault.where)
    return {one.name: one.content for one in members}


def _list(random: Random) -> tuple[bytes, list[tuple[str, ...]]]:
    rows = [("姓名", "学号"), *(("张三", text_of(random, DIGITS, 8)) for _ in range(random.randrange(5)))]
    text = "".join(",".join(row) + random.choice(("\n", "\r\n")) for row in rows)
    return text.encode(random.choice(("utf-8", "utf-8-sig", "gb18030", "utf-16"))), rows


def _number(random: Random) -> tuple[bytes, str]:
    """Any printed spelling of a card leads to the card, or is said to be unclear."""
    uid = text_of(random, HEX, random.choice((8, 14)))
    return uid.encode(), uid


def _card(data: bytes) -> str:
    uid = canonical_uid(text_of_line(data))
    spellings(uid)
    return uid


RECORDS: dict[str, Message] = {
    "peer's batch": Message(
        read=lambda data: receiving._checked(receiving._decoded(data)).entries, valid=_batch, errors=(Refused,),
        marks=(b"[" * 60, b"null", b'"entries":', b"\\ud800"),
    ),
    "relayed entries": Message(read=_relayed, valid=_relay, errors=UNREADABLE, marks=(b"[" * 60, b"null", b'"entry":', b"\xff")),
    "evidence bundle": Message(
        read=_members, valid=_bundle, errors=(container.NotABundle,), marks=(b"PK\3\4", b"PK\1\2", b"PK\5\6", b"\xff\xff\xff\xff")
    ),
    "list in csv": Message(
        read=lambda data: [row.cells for row in read_csv(Source("list.csv", data)).rows], valid=_list, errors=(Unreadable,),
        marks=(b'"', b"\x00", b"=", b"\xff\xfe", b"sep=;\n"),
    ),
    "card number": Message(read=_card, valid=_number, errors=(CardNumberUnclear,), marks=(b",", b":", b"0000", b"\xef\xbc\x90")),
}  # fmt: skip
