"""What becomes of a batch: pure rules over the batch and over what the store has of that stream.

START HERE for the server's side. The theory in three sentences. A stream is a chain, so an entry's hash speaks
for all before it: same hash, same past. A batch may only touch or continue what is there - it never leaves a hole.
Where two entries claim one number, the first stays and the other is kept beside it, with all that follows it,
as a branch; nobody is told no, because both are on somebody's disk and a person has to look.

This never refuses an entry for what it says, and it never does I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from kiosk.core.entries import GENESIS, Entry, UnreadableEntry, chain_hash, decode
from sync_agent.protocol import FIRST_SEQ, MAX_SEQ, Code, EntryVerdict, Sealed, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A batch whose form and signature have been checked. prev_hash: the hash before its first entry."""

    node: str
    incarnation: str
    first_seq: int
    prev_hash: bytes
    entries: Sequence[Sealed]

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.entries) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store has of the stream, between first_seq - 1 and last_seq of the run.

    hashes: of the stream proper, by number. branches: (number, hash) of entries kept beside it.
    """

    durable_through: int
    hashes: Mapping[int, bytes]
    branches: Set[tuple[int, bytes]]


class NewEntry(NamedTuple):
    """A row to store. quarantined: why it could not be read, kind is "" then; "" when it could.

    at_ms: for searching; None where it is unknown or no time at all.
    """

    seq: int
    raw: bytes
    hash: bytes
    kind: str
    at_ms: int | None
    quarantined: str


class NewBranchEntry(NamedTuple):
    """A row to keep beside the stream. prev_hash places it on its branch."""

    seq: int
    raw: bytes
    hash: bytes
    prev_hash: bytes


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to write, and what to answer once that is durable."""

    entries: Sequence[NewEntry]
    branch: Sequence[NewBranchEntry]
    durable_through: int
    verdicts: Sequence[EntryVerdict]


@dataclass(frozen=True, slots=True)
class GoBack:
    """The run does not touch what is there. The sender continues after `durable_through`."""

    code: Code
    durable_through: int
    message: str


def judge(run: Run, known: Known) -> Judgement | GoBack:
    """Total: every run that is well formed gets an answer."""
    before = run.first_seq - 1
    on_main = before < FIRST_SEQ or known.hashes.get(before) == run.prev_hash
    on_branch = (before, run.prev_hash) in known.branches
    if not on_main and not on_branch:
        return _go_back(run, known)
    previous = GENESIS if before < FIRST_SEQ else run.prev_hash
    entries: list[NewEntry] = []
    branch: list[NewBranchEntry] = []
    verdicts: list[EntryVerdict] = []
    for seq, sealed in enumerate(run.entries, start=run.first_seq):
        on_main = on_main and known.hashes.get(seq, sealed.hash) == sealed.hash
        if not on_main:
            verdict = _beside(seq, sealed, previous, known, branch)
        elif seq <= known.durable_through:
            verdict = EntryVerdict(seq, Verdict.DUPLICATE)
        else:
            entry = _opened(run, seq, sealed, previous)
            entries.append(entry)
            verdict = EntryVerdict(seq, Verdict.QUARANTINED if entry.quarantined else Verdict.STORED, entry.quarantined)
        verdicts.append(verdict)
        previous = sealed.hash
    durable_through = max(known.durable_through, run.last_seq) if on_main else run.last_seq
    return Judgement(entries, branch, durable_through, verdicts)


def _go_back(run: Run, known: Known) -> GoBack:
    stream = f"{run.node}/{run.incarnation}"
    if run.first_seq > known.durable_through + 1:
        return GoBack(
            Code.HOLE,
            known.durable_through,
            f"{stream} is stored to {known.durable_through}; send from {known.durable_through + 1}, not {run.first_seq}",
        )
    return GoBack(
        Code.FORK_POINT_UNKNOWN,
        0,
        f"{stream} has another entry {run.first_seq - 1} here; send it from 1 so that the parting is found and both are kept",
    )


def _beside(seq: int, sealed: Sealed, previous: bytes, known: Known, branch: list[NewBranchEntry]) -> EntryVerdict:
    if (seq, sealed.hash) in known.branches:
        return EntryVerdict(seq, Verdict.DUPLICATE)
    branch.append(NewBranchEntry(seq, sealed.raw, sealed.hash, previous))
    return EntryVerdict(seq, Verdict.FORKED, "another entry bears this number; both are kept")


def _opened(run: Run, seq: int, sealed: Sealed, previous: bytes) -> NewEntry:
    """Reads one entry as far as it can be read. The stated hash is carried on, so that one bad entry spoils no other."""
    if sealed.unread:
        return NewEntry(seq, sealed.raw, sealed.hash, "", None, "stored unread: the server broke on it before")
    if chain_hash(previous, sealed.raw) != sealed.hash:
        return NewEntry(seq, sealed.raw, sealed.hash, "", None, "the chain breaks here: the writer's disk is at fault")
    try:
        entry = decode(sealed.raw)
    except (UnreadableEntry, RecursionError, ValueError) as error:
        return NewEntry(seq, sealed.raw, sealed.hash, "", None, f"unreadable: {str(error)[:200]}")
    if reason := _not_its_place(entry, run, seq):
        return NewEntry(seq, sealed.raw, sealed.hash, "", None, reason)
    at_ms = entry.at_ms if 0 <= entry.at_ms <= MAX_SEQ else None  # a wild clock is for people to judge; the raw bytes have it
    return NewEntry(seq, sealed.raw, sealed.hash, entry.kind, at_ms, "")


def _not_its_place(entry: Entry, run: Run, seq: int) -> str:
    if (entry.node, entry.incarnation, entry.seq) == (run.node, run.incarnation, seq):
        return ""
    return f"says that it is {str(entry.id)[:100]}, but came as {run.node}/{run.incarnation}/{seq}"
