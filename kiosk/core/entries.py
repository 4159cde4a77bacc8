"""Every fact that the journal can hold, its wire form, and the chain that seals it.

An entry is identified for ever by (node, incarnation, seq). `raw` is the exact JSON that was hashed:
it is stored, sent and verified byte for byte, so fields that a newer version adds survive an older one.
Extend the vocabularies by adding, never by reusing a word.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

GENESIS = bytes(32)  # prev_hash of the first entry of every incarnation


class Kind(StrEnum):
    INCARNATION_OPENED = "incarnation_opened"
    READ_REFUSED = "read_refused"
    READ_STORED = "read_stored"  # delivered later by a terminal that was cut off; it moves nothing
    SEEN = "seen"  # a read that moves no custody: already in, emergency exit, in front of the own classroom
    ARRIVED = "arrived"
    SESSION_ENTERED = "session_entered"
    SESSION_LEFT = "session_left"
    ROLL_CALLED = "roll_called"
    HANDOVER_OFFERED = "handover_offered"
    HANDOVER_ACCEPTED = "handover_accepted"
    HANDOVER_DECLINED = "handover_declined"
    HANDOVER_LAPSED = "handover_lapsed"
    ESCORT_DEPARTED = "escort_departed"
    ESCORT_ARRIVED = "escort_arrived"
    GROUP_OUT = "group_out"  # a group leaves the campus in its teacher's custody
    GROUP_BACK = "group_back"
    SHIFT_OFFERED = "shift_offered"
    SHIFT_ACCEPTED = "shift_accepted"
    SHIFT_ENDED = "shift_ended"  # an offer of the shift was declined or not answered
    LOCATE_OPENED = "locate_opened"  # a child is not where it should be: somebody looks, by a moment
    LOCATED = "located"
    INCIDENT_DECLARED = "incident_declared"  # not found in time: a lost child, gates on hold
    INCIDENT_ENDED = "incident_ended"
    RELEASED = "released"
    RELEASE_UNDONE = "release_undone"
    RELEASE_TOKEN_ASKED = "release_token_asked"  # a gate wants the right to release a child (接送权)
    RELEASE_TOKEN_GIVEN = "release_token_given"  # by the gate that had it: from here on it has it no more
    RELEASE_TOKEN_TAKEN = "release_token_taken"  # by the gate that it was given to: from here on that one has it
    RECORDS_COMPARED = "records_compared"  # a gate that started on records that may be old has heard what the server has of it
    PASSAGE_UNUSED = "passage_unused"  # a granted tap opened the turnstile and nobody went through: the tap does not count
    PICKUP_REQUESTED = "pickup_requested"  # an adult presented a credential; the guard decides
    PICKUP_REFUSED = "pickup_refused"
    LEFT_QUEUE = "left_queue"  # whoever stood at the gate went away again without a decision
    IDENTITY_CLAIMED = "identity_claimed"
    IDENTITY_DECLINED = "identity_declined"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    GUARDIAN_CONTACTED = "guardian_contacted"
    CASE_CLOSED = "case_closed"
    ABSENCE_EXCUSED = "absence_excused"
    LEAVE_SLIP_GRANTED = "leave_slip_granted"
    DELEGATE_REGISTERED = "delegate_registered"
    DELEGATE_REVOKED = "delegate_revoked"
    DURESS = "duress"
    VISITOR_IN = "visitor_in"
    VISITOR_OUT = "visitor_out"
    MUSTERED = "mustered"
    CARD_LOST = "card_lost"
    CARD_PROVEN = "card_proven"  # a signing card was read and nothing else is to be recorded: its counter
    CARD_COUNTERS = "card_counters"  # how far each signing card has counted, at the close of a day
    CORRECTION = "correction"
    EMERGENCY_DECLARED = "emergency_declared"
    EMERGENCY_ENDED = "emergency_ended"
    DEVICE_LOST = "device_lost"
    DEVICE_BACK = "device_back"
    RELAY_TRIED = "relay_tried"  # who closed a contact to see whether it works: a door may have opened
    CLOCK_STEPPED = "clock_stepped"
    CLOCK_FIXED = "clock_fixed"
    SETTINGS_ADOPTED = "settings_adopted"
    DIRECTORY_ADOPTED = "directory_adopted"
    SERVER_WENT_BACK = "server_went_back"  # the school server has less than it had: an older copy of it was restored
    GATE_SHUT_OUT = "gate_shut_out"  # the school server takes nothing from this gate: revoked, or replaced by another computer
    DISK_NEARLY_FULL = "disk_nearly_full"  # of the gate's computer: pictures have stopped, or the last reserve is in use
    RECORD_FORKED = "record_forked"  # the server keeps two versions of a stretch of a gate's records
    RECORDS_PRUNED = "records_pruned"  # the bytes of old entries that the school server holds are let go of
    PICTURES_ERASED = "pictures_erased"
    FACE_COMPARED = "face_compared"  # a word for the guard after the tap; moves no custody
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_RENEWED = "consent_renewed"  # of a consent that had been withdrawn
    FACE_ERASED = "face_erased"  # the receipt: templates and pictures of a child that are gone from this computer
    STAFF_SIGNED_IN = "staff_signed_in"
    EVIDENCE_EXPORTED = "evidence_exported"  # who took which child's day out of the house
    PUBLISHED = "published"  # the notice to parents or the public timetable went out, and in which words (digest)
    REMINDED = "reminded"  # of a report or a filing that is due
    CAMPUS_CLEARED = "campus_cleared"
    # service records: their bodies are in kiosk.core.service_records
    STAFF_CHECKED_IN = "staff_checked_in"  # somebody is there and takes a session; moves no custody
    STAFF_CHECKED_OUT = "staff_checked_out"
    SESSION_CLOSED = "session_closed"  # the archive row of one session on one day: reports are computed from these
    SESSION_CORRECTED = "session_corrected"  # a later row with a reason; the first one stays
    MONTH_LOCKED = "month_locked"  # the office has reported this month: corrections need the office from here on
    PATROLLED = "patrolled"  # somebody looked at a session that was running
    GROWTH_NOTED = "growth_noted"  # interest and potential of a child in words; the words are a note
    # the privacy side: their meaning is in kiosk.core.privacy
    PERSON_ERASED = "person_erased"  # from here on nothing of these persons is kept, at any gate
    ERASURE_DONE = "erasure_done"  # the receipt of one computer
    ERASED_BY_RETENTION = "erased_by_retention"  # how many of a category, of up to which day
    HOLD_SET = "hold_set"  # nothing of a child or a case is erased while it stands
    HOLD_LIFTED = "hold_lifted"
    CHILD_EXPORTED = "child_exported"  # a family was given all that there is of its child
    CORRECTION_ASKED = "correction_asked"
    CORRECTION_DECIDED = "correction_decided"
    CONSENT_RECORDED = "consent_recorded"  # a line of the consent ledger
    NOTICE_ISSUED = "notice_issued"  # a notice, signs, an assessment or an audit sheet was made from the settings
    PRIVACY_INCIDENT = "privacy_incident"  # a step of its time line


class EntryId(NamedTuple):
    node: str
    incarnation: str
    seq: int

    def __str__(self) -> str:
        return f"{self.node}/{self.incarnation}/{self.seq}"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One fact.

    tick: hybrid logical clock in ms, never behind anything the writer had seen; it orders the fold.
    at_ms: the writer's UTC clock, for people. clock: "trusted" or "untrusted".
    based_on: for every other stream "node/incarnation", the last seq that the writer had folded in;
    earlier entries of the same stream are implied. Two entries of which neither covers the other
    are concurrent, whatever their clocks say.
    """

    node: str
    incarnation: str
    seq: int
    tick: int
    at_ms: int
    clock: str
    kind: str
    body: dict[str, Any]
    based_on: dict[str, int] = {}

    @property
    def id(self) -> EntryId:
        return EntryId(self.node, self.incarnation, self.seq)

    @property
    def order(self) -> tuple[int, str, str, int]:
        """A total order that every node computes alike and that never contradicts causality."""
        return (self.tick, self.node, self.incarnation, self.seq)

    @property
    def happened_ms(self) -> int:
        """When it happened: `at_ms`, or before it, for a read that a device delivered later."""
        told: int = self.body.get("read_at_ms", 0)
        return min(told, self.at_ms) if told > 0 else self.at_ms

    @property
    def stream(self) -> str:
        return f"{self.node}/{self.incarnation}"

    def knew(self, other: Entry) -> bool:
        """Whether the writer of this entry had already folded in `other`."""
        if other.node == self.node and other.incarnation == self.incarnation:
            return other.seq < self.seq
        return self.based_on.get(other.stream, 0) >= other.seq


class Sealed(NamedTuple):
    """An entry with its exact bytes and its place in the chain."""

    entry: Entry
    raw: bytes
    hash: bytes


class Fact(NamedTuple):
    """What a decision wants recorded; the stream gives it identity, time and hash.

    note: free text. It goes to an erasable side table; the body keeps only a salted digest under "note".
    """

    kind: Kind
    body: dict[str, Any]
    note: str = ""


class UnreadableEntry(ValueError):
    """The bytes are not an entry. They are kept and shown, never guessed at."""


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8."""
    return _encoder.encode(entry)


def decode(raw: bytes) -> Entry:
    """Raises UnreadableEntry. Fields unknown to this version are ignored here and survive in `raw`."""
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableEntry(f"not a journal entry: {error}") from error


def chain_hash(previous: bytes, raw: bytes) -> bytes:
    """SHA-256(previous hash || exact entry bytes), 32 bytes."""
    return hashlib.sha256(previous + raw).digest()


class Stream:
    """The writing end of one incarnation: numbers, ticks and chains facts. Holds no I/O."""

    __slots__ = ("head", "incarnation", "node", "seen", "seq", "tick")

    def __init__(self, *, node: str, incarnation: str, tick: int = 0, seen: dict[str, int] | None = None) -> None:
        self.node, self.incarnation = node, incarnation
        self.seq, self.tick, self.head = 0, tick, GENESIS
        self.seen: dict[str, int] = dict(seen or {})  # other streams -> last seq folded in

    def seal(self, fact: Fact, *, at_ms: int, trusted: bool) -> Sealed:
        """The next entry of this stream. Advances the stream."""
        self.seq += 1
        self.tick = at_ms if at_ms > self.tick else self.tick + 1
        entry = Entry(
            node=self.node,
            incarnation=self.incarnation,
            seq=self.seq,
            tick=self.tick,
            at_ms=at_ms,
            clock="trusted" if trusted else "untrusted",
            kind=fact.kind.value,
            body=fact.body,
            based_on=self.seen,
        )
        raw = _encoder.encode(entry)
        self.head = hashlib.sha256(self.head + raw).digest()
        return Sealed(entry, raw, self.head)

    def observe(self, entry: Entry) -> None:
        """Takes note of another stream's entry, so that whatever is sealed next stands behind it."""
        self.tick = max(self.tick, entry.tick)
        # A fresh mapping: entries sealed before keep the vector that they were sealed with.
        self.seen = {**self.seen, entry.stream: max(entry.seq, self.seen.get(entry.stream, 0))}

    def catch_up(self, seen: dict[str, int], tick: int) -> None:
        """Takes note of all that was folded in elsewhere: a vector and the highest tick of it."""
        self.tick = max(self.tick, tick)
        self.seen = {**self.seen, **{stream: max(seq, self.seen.get(stream, 0)) for stream, seq in seen.items()}}
