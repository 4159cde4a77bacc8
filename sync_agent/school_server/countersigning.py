"""Countersigns a gate's head: says, with the server's key, that exactly this record was here by now.

It compares with what is stored and signs nothing else. A head that differs is kept and is an alarm: another chain runs under that
name, or somebody has rewritten one. The first countersignature of a head stands; asking again gives the same one.
"""

from __future__ import annotations

import logging

import msgspec

from kiosk.core.heads import Countersigned, head_text
from sync_agent import protocol
from sync_agent.keys import SigningKey
from sync_agent.protocol import Code, MalformedMessage
from sync_agent.school_server.enrolling import check_signature
from sync_agent.school_server.refusals import Refused
from sync_agent.school_server.store import SignedHead, Store

log = logging.getLogger(__name__)


def countersign(store: Store, body: bytes, *, school: str, key: SigningKey, at_ms: int) -> protocol.HeadAnswer:
    """Raises Refused or StoreUnavailable. Durable when it returns."""
    head = _checked(body)
    enrolled = store.node(school=school, node=head.node)
    if enrolled is None:
        raise Refused(Code.UNKNOWN_NODE, f"node {head.node} is not enrolled in school {school}; enrol it with the office's code")
    text = head_text(school=school, node=head.node, incarnation=head.incarnation, seq=head.seq, hash_hex=head.hash)
    check_signature(store, enrolled, text=text, signature=head.signature, what="the head")
    name = f"{head.node}/{head.incarnation}/{head.seq}"
    stored = store.run_of(school=school, node=head.node, incarnation=head.incarnation, after_seq=head.seq - 1, most=1)
    if not stored:
        through = _through(store, head, school)
        raise Refused(Code.HOLE, f"{name} is not stored yet; send the entries first", durable_through=through)
    same = stored[0].hash.hex() == head.hash
    said = Countersigned(
        school=school, node=head.node, incarnation=head.incarnation, seq=head.seq, hash=head.hash, seen_ms=at_ms, signature=""
    )
    kept = store.keep_head(
        SignedHead(
            node=head.node,
            incarnation=head.incarnation,
            seq=head.seq,
            hash=bytes.fromhex(head.hash),
            signature=bytes.fromhex(head.signature),
            countersignature=bytes.fromhex(key.sign(said.text())) if same else b"",
            at_ms=at_ms,
        ),
        school=school,
    )
    if not kept.countersignature:
        log.error("ALARM the signed head %s is not what is stored here: another chain under this name", name)
        raise Refused(Code.OTHER_HEAD, f"{name} is stored here with another hash; both are kept, and a person has to look")
    return protocol.HeadAnswer(seen_ms=kept.at_ms, countersignature=kept.countersignature.hex())


def _checked(body: bytes) -> protocol.SignedHead:
    try:
        head = msgspec.json.decode(body, type=protocol.SignedHead)
        for where, name in (("node", head.node), ("incarnation", head.incarnation)):
            if not protocol.is_name(name):
                raise MalformedMessage(f"{where} must be 1 to 64 of A-Z a-z 0-9 . _ -, not {name[:80]!r}")
        protocol.hash_bytes(head.hash, where="hash")
        if not protocol.FIRST_SEQ <= head.seq <= protocol.MAX_SEQ:
            raise MalformedMessage(f"seq must be from {protocol.FIRST_SEQ} to {protocol.MAX_SEQ}")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, MalformedMessage) as error:
        raise Refused(Code.MALFORMED, f"the body is not a head: {error}") from error
    return head


def _through(store: Store, head: protocol.SignedHead, school: str) -> int:
    rows = store.streams(school=school, node=head.node)
    return next((row.durable_through for row in rows if row.incarnation == head.incarnation), 0)
