"""What lies in an evidence bundle and how it is written down: the words that maker and verifier share. Pure.

`docs/records.md` has the same for people. Members are text in UTF-8; JSON has sorted keys, so that equal facts give equal bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kiosk.core.entries import Entry, UnreadableEntry, chain_hash, decode
from kiosk.evidence.chain import Line

FORMAT = "campus-kiosk evidence 1"
SIGNED_AS = b"campus-kiosk evidence 1\n"  # in front of the manifest, so that a signature of ours never counts elsewhere
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
ENTRIES, CHAIN, CUSTODY, NOTES = "entries.jsonl", "chain.txt", "custody.json", "notes.json"
PAGE, POLICY, TIMETABLE, WHOLE = "page.html", "policy.json", "timetable.json", "whole.jsonl"
ALWAYS = frozenset({CHAIN, CUSTODY, ENTRIES, MANIFEST, SIGNATURE, NOTES, PAGE, POLICY, TIMETABLE})
MEMBERS = ALWAYS | {WHOLE}


class Misfit(ValueError):
    """A member does not say what it must. `line` counts from 1, 0 where it is about the whole; `entry`: its id or ""."""

    def __init__(self, member: str, line: int, why: str, entry: str = "") -> None:
        super().__init__(why)
        self.member, self.line, self.why, self.entry = member, line, why, entry


class Kept(NamedTuple):
    """An entry as a bundle holds it."""

    stream: str
    seq: int
    previous: bytes
    hash: bytes
    raw: bytes

    @property
    def id(self) -> str:
        return f"{self.stream}/{self.seq}"


class Stretch(NamedTuple):
    """A piece of a stream: the hash before its first entry, then the hash of each."""

    first: int
    hashes: tuple[bytes, ...]  # [0] is of entry first - 1


def as_json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def fingerprint(public_hex: str) -> str:
    """What two people compare over the telephone: the first half of the key's SHA-256 in groups of four."""
    digest = hashlib.sha256(bytes.fromhex(public_hex)).hexdigest()[:32]
    return " ".join(digest[n : n + 4] for n in range(0, len(digest), 4))


# --- entries -------------------------------------------------------------------------------------------


def entries_member(kept: Iterable[Kept]) -> bytes:
    """One line an entry: its place, its hashes, its exact bytes as text, or in base64 where they are no text."""
    return b"".join(_line(one) for one in kept)


def _line(one: Kept) -> bytes:
    value: dict[str, Any] = {
        "stream": one.stream, "seq": one.seq, "prev_hash": one.previous.hex(), "hash": one.hash.hex()
    }  # fmt: skip
    try:
        value["raw"] = one.raw.decode()
    except UnicodeDecodeError:
        value["raw_base64"] = base64.b64encode(one.raw).decode()
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n").encode()


def read_entries(content: bytes, member: str = ENTRIES) -> list[Kept]:
    """Raises Misfit at the first line that is none."""
    found = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if line:
            found.append(_kept(line, number, member))
    return found


def _kept(line: bytes, number: int, member: str) -> Kept:
    try:
        value = json.loads(line)
        raw = base64.b64decode(value["raw_base64"], validate=True) if "raw_base64" in value else value["raw"].encode()
        previous, hash_ = bytes.fromhex(value["prev_hash"]), bytes.fromhex(value["hash"])
        return Kept(str(value["stream"]), int(value["seq"]), previous, hash_, raw)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Misfit(member, number, f"this line is no entry ({error})") from error


def entry_of(kept: Kept, line: int, member: str = ENTRIES) -> Entry:
    """The entry, once its bytes are those that were hashed and it is what it is listed as. Raises Misfit."""
    if chain_hash(kept.previous, kept.raw) != kept.hash:
        raise Misfit(member, line, "the bytes do not match their hash", kept.id)
    try:
        entry = decode(kept.raw)
    except UnreadableEntry as error:
        raise Misfit(member, line, str(error), kept.id) from error
    if (entry.stream, entry.seq) != (kept.stream, kept.seq):
        raise Misfit(member, line, f"it says that it is {entry.id}", kept.id)
    return entry


# --- the chain -----------------------------------------------------------------------------------------


def chain_member(stretches: Mapping[str, Stretch]) -> bytes:
    lines = [f"# {FORMAT}: hash(n) = SHA-256(hash(n-1) || raw bytes of entry n). The first line of a stream is the hash before."]
    for stream, stretch in sorted(stretches.items()):
        lines.append(f"stream {stream}")
        lines += [f"{stretch.first - 1 + n} {hash_.hex()}" for n, hash_ in enumerate(stretch.hashes)]
    return ("\n".join(lines) + "\n").encode()


def read_chain(content: bytes) -> dict[str, Stretch]:
    """Raises Misfit at the first line that does not follow."""
    found: dict[str, tuple[int, list[bytes]]] = {}
    stream = ""
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        word, _, rest = line.partition(" ")
        if word == "#":
            continue
        if word == "stream":
            stream = rest
            continue
        try:
            seq, hash_ = int(word), bytes.fromhex(rest)
        except ValueError as error:
            raise Misfit(CHAIN, number, "this line is no number and hash") from error
        first, hashes = found.setdefault(stream, (seq + 1, []))
        if not stream or seq != first - 1 + len(hashes) or len(hash_) != 32:
            raise Misfit(CHAIN, number, "this line does not follow the one before", f"{stream}/{seq}")
        hashes.append(hash_)
    return {name: Stretch(first, tuple(hashes)) for name, (first, hashes) in found.items()}


def check_place(kept: Kept, stretches: Mapping[str, Stretch], line: int) -> None:
    """An entry must stand in the list of its stream, behind the hash that it names. Raises Misfit."""
    stretch = stretches.get(kept.stream)
    at = kept.seq - stretch.first + 1 if stretch else 0
    if stretch is None or not 1 <= at < len(stretch.hashes):
        raise Misfit(ENTRIES, line, "it does not stand in the chain of its stream", kept.id)
    if stretch.hashes[at - 1 : at + 1] != (kept.previous, kept.hash):
        raise Misfit(ENTRIES, line, "the chain of its stream has another hash there", kept.id)


# --- custody and notes -----------------------------------------------------------------------------------


def custody_document(line: Line) -> dict[str, Any]:
    """The line as JSON: who answered, from when to when (UTC ms), where, and by which entries it changed."""
    return {
        "child": line.child,
        "whole": line.whole,
        "segments": [
            {
                "custodian": s.custodian, "place": s.place, "from_ms": s.from_ms, "to_ms": s.to_ms,
                "began": s.began._asdict(), "ended": s.ended._asdict() if s.ended else None,
            }
            for s in line.segments
        ],
        "flaws": [{**f._asdict(), "entries": list(f.entries)} for f in line.flaws],
        "remarks": [{**r._asdict(), "entries": list(r.entries)} for r in line.remarks],
    }  # fmt: skip


def note_digest(salt: bytes, text: str) -> str:
    return hashlib.sha256(salt + text.encode()).hexdigest()


def check_notes(notes: Any, entries: Sequence[Entry]) -> None:
    """Every digest in the entries has its row, and every text that is there makes its digest. Raises Misfit."""
    wanted = {str(entry.id): entry.body["note"] for entry in entries if isinstance(entry.body.get("note"), str)}
    rows = {str(row.get("entry")): row for row in notes if isinstance(row, dict)} if isinstance(notes, list) else {}
    if set(rows) != set(wanted):
        odd = sorted(set(rows) ^ set(wanted))[0]
        raise Misfit(NOTES, 0, "notes and entries do not belong together", odd)
    for id_, row in rows.items():
        text, salt = row.get("text"), row.get("salt")
        try:
            digest = note_digest(bytes.fromhex(str(salt)), text) if text is not None else row["digest"]
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise Misfit(NOTES, 0, "this note cannot be read", id_) from error
        if digest != wanted[id_] or row.get("digest") != wanted[id_]:
            raise Misfit(NOTES, 0, "the text does not match the digest in the entry", id_)
