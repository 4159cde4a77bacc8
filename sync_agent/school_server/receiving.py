"""Takes one batch: form, signature, then - in one transaction - compare, judge, write, commit. Then it answers.

The answer is made after the commit, so an acknowledged entry is on the disk. Which entry goes where is rules.py.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

import msgspec

from sync_agent import protocol
from sync_agent.protocol import Code, MalformedMessage, Sealed, Verdict
from sync_agent.school_server.announced import sound
from sync_agent.school_server.enrolling import check_signature
from sync_agent.school_server.refusals import Refused
from sync_agent.school_server.rules import GoBack, Judgement, Run, judge
from sync_agent.school_server.store import Head, Node, Store

_ASIDE: Final = (Verdict.QUARANTINED, Verdict.FORKED)
_decoder = msgspec.json.Decoder(protocol.Batch)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Received:
    """node: whose signature the batch bore. waiting: how much it said it had still to send. ahead: what it announced."""

    node: str
    incarnation: str
    waiting: int
    ahead: list[protocol.Announcement]
    answer: protocol.BatchAnswer


def receive(store: Store, body: bytes, *, school: str, at_ms: int) -> Received:
    """Raises Refused or StoreUnavailable. `body`: unpacked, within its limit. at_ms: the server's clock, for people."""
    batch = _decoded(body)
    run = _checked(batch)
    node = _enrolled(store, school=school, node=run.node)
    head = _signed_head(store, batch, run, school=school, node=node)
    ahead = _announced(store, batch, school=school, node=node)
    with store.locked_stream(school=school, node=run.node, incarnation=run.incarnation) as stream:
        judgement = judge(run, stream.known(first_seq=run.first_seq, last_seq=run.last_seq))
        if isinstance(judgement, GoBack):
            raise Refused(judgement.code, judgement.message, durable_through=judgement.durable_through)
        if judgement.entries or judgement.branch:
            stream.write(entries=judgement.entries, branch=judgement.branch, head=head, at_ms=at_ms)
    _tell(run, judgement)
    answer = protocol.BatchAnswer(durable_through=judgement.durable_through, verdicts=list(judgement.verdicts))
    return Received(run.node, run.incarnation, min(max(batch.waiting, 0), protocol.MAX_SEQ), ahead, answer)


def _decoded(body: bytes) -> protocol.Batch:
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Code.MALFORMED, f"the body is not a batch: {error}") from error


def _checked(batch: protocol.Batch) -> Run:
    try:
        _check_names(batch)
        entries = _unpacked(batch.entries)
        run = Run(
            node=batch.node,
            incarnation=batch.incarnation,
            first_seq=batch.first_seq,
            prev_hash=protocol.hash_bytes(batch.prev_hash, where="prev_hash"),
            entries=entries,
        )
        head = protocol.hash_bytes(batch.head_hash, where="head_hash")
    except MalformedMessage as error:
        raise Refused(Code.MALFORMED, str(error)) from error
    if head != (entries[-1].hash if entries else run.prev_hash):
        raise Refused(Code.MALFORMED, "head_hash is not the hash of the last entry of the batch")
    _check_sizes(entries)
    return run


def _unpacked(items: list[protocol.Item]) -> list[Sealed]:
    try:
        return [protocol.unpack(item, where="") for item in items]
    except MalformedMessage:  # once more, to say which it was
        return [protocol.unpack(item, where=f"entries[{index}]") for index, item in enumerate(items)]


def _check_names(batch: protocol.Batch) -> None:
    for where, name in (("node", batch.node), ("incarnation", batch.incarnation)):
        if not protocol.is_name(name):
            raise MalformedMessage(f"{where} must be 1 to 64 of A-Z a-z 0-9 . _ -, not {name[:80]!r}")
    if not protocol.FIRST_SEQ <= batch.first_seq <= protocol.MAX_SEQ - len(batch.entries):
        raise MalformedMessage(f"first_seq must be from {protocol.FIRST_SEQ} to {protocol.MAX_SEQ}")


def _check_sizes(entries: list[Sealed]) -> None:
    if len(entries) > protocol.MAX_BATCH_ENTRIES:
        raise Refused(
            Code.TOO_LARGE, f"the batch has {len(entries)} entries; at most {protocol.MAX_BATCH_ENTRIES} are taken at once"
        )
    for index, sealed in enumerate(entries):
        if len(sealed.raw) > protocol.MAX_ENTRY_BYTES:
            raise Refused(
                Code.TOO_LARGE,
                f"entries[{index}] has {len(sealed.raw)} bytes; an entry has at most {protocol.MAX_ENTRY_BYTES}",
            )


def _enrolled(store: Store, *, school: str, node: str) -> Node:
    found = store.node(school=school, node=node)
    if found is None:
        raise Refused(Code.UNKNOWN_NODE, f"node {node} is not enrolled in school {school}; enrol it with the office's code")
    return found


def _signed_head(store: Store, batch: protocol.Batch, run: Run, *, school: str, node: Node) -> Head:
    """Raises Refused unless the node itself signed exactly these bytes."""
    digest = protocol.content_digest(run.entries)
    text = protocol.batch_text(
        school=school,
        node=run.node,
        incarnation=run.incarnation,
        first_seq=run.first_seq,
        count=len(run.entries),
        prev_hash=run.prev_hash,
        head_hash=bytes.fromhex(batch.head_hash),
        content_sha256=digest,
    )
    check_signature(store, node, text=text, signature=batch.signature, what="the batch")
    return Head(
        first_seq=run.first_seq,
        last_seq=run.last_seq,
        hash=bytes.fromhex(batch.head_hash),
        content_sha256=digest,
        signature=bytes.fromhex(batch.signature),
    )


def _announced(store: Store, batch: protocol.Batch, *, school: str, node: Node) -> list[protocol.Announcement]:
    """What goes ahead of its turn never holds up what is in its turn: what is not sound of it is not taken, and that is all."""
    try:
        return sound(store, batch, school=school, node=node)
    except (MalformedMessage, Refused) as error:
        log.warning("what %s sent ahead is not taken: %s", batch.node, error)
        return []


def _tell(run: Run, judgement: Judgement) -> None:
    """One line for a batch, however many entries of it a person has to look at."""
    aside = [found for found in judgement.verdicts if found.verdict in _ASIDE]
    if aside:
        first = aside[0]
        name = f"{run.node}/{run.incarnation}/{first.seq}"
        log.error("ALARM %d entries set aside, the first %s (%s): %s", len(aside), name, first.verdict, first.reason)
