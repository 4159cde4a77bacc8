"""Checks an evidence bundle on a computer that has nothing but the bundle.

Whose key signed, that no byte changed since, that every entry stands in its chain, that folding the entries gives the very
custody line that the bundle shows, and that every text belongs to its entry. What is wrong is named: member, line, byte, entry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any

from kiosk.core.entries import Entry, UnreadableEntry, chain_hash, decode
from kiosk.evidence import bundle as b
from kiosk.evidence.chain import line_of
from kiosk.evidence.container import Member, NotABundle, one_byte_back, read
from kiosk.evidence.mentions import of_child_day
from sync_agent.keys import verify as signed_by

_SAYS = ("format", "child", "school_number", "day", "node", "made_at", "whole_chain", "public_key", "counts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong. line and byte count from 1 and 0; -1 and 0 where they are not known."""

    member: str
    why: str
    line: int = 0
    byte: int = -1
    entry: str = ""

    def __str__(self) -> str:
        where = [self.member]
        where += [f"line {self.line}"] if self.line else []
        where += [f"byte {self.byte}"] if self.byte >= 0 else []
        where += [f"entry {self.entry}"] if self.entry else []
        return f"{', '.join(where)}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found. `says`: what the bundle's manifest claims, only to be believed when `ok`."""

    ok: bool
    entries: int = 0
    streams: int = 0
    key_checked: bool = False
    says: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The shape of `kiosk verify --json`, with `bundle` added."""
        first = self.problems[0] if self.problems else None
        bad = None
        if first is not None:
            node, incarnation, seq = [*first.entry.split("/"), "", "", "0"][:3] if first.entry else ("", "", "0")
            bad = {"node": node, "incarnation": incarnation, "seq": int(seq) if seq.isdecimal() else 0, "why": str(first)}
        bundle = {
            **self.says,
            "fingerprint": _fingerprint(self.says.get("public_key")),
            "key_checked": self.key_checked,
            "problems": [asdict(problem) for problem in self.problems],
        }
        return {"ok": self.ok, "entries": self.entries, "incarnations": self.streams, "first_bad": bad, "bundle": bundle}


def _fingerprint(key: Any) -> str:
    return b.fingerprint(key) if isinstance(key, str) and len(key) == 64 else ""


def check(data: bytes, *, key: str = "") -> Checked:
    """`key`: the public key (64 hex digits) by which it must be signed; "" = whichever it names. Never raises."""
    try:
        members, fault = read(data, b.MEMBERS)
    except NotABundle as error:
        return Checked(ok=False, problems=(Problem(member="the file", why=str(error)),))
    found = {member.name: member for member in members}
    problems = [Problem(member=name, why="this does not belong into a bundle") for name in sorted(found.keys() - b.MEMBERS)]
    problems += [Problem(member=name, why="it is missing") for name in sorted(b.ALWAYS - found.keys())]
    if fault is not None:
        problems.append(Problem(member=f"the file ({fault.where})", byte=fault.byte, why="it was changed"))
    if b.ALWAYS - found.keys():
        return Checked(ok=False, problems=tuple(problems))
    manifest, signature_problems = _signed_manifest(found, key)
    problems += signature_problems
    problems += _digests(found, manifest)
    entries: list[Entry] = []
    if not problems:
        problems, entries = _contents(found, manifest)
    says = {word: manifest[word] for word in _SAYS if word in manifest}
    return Checked(
        ok=not problems, entries=len(entries), streams=len({entry.stream for entry in entries}), key_checked=bool(key),
        says=says, problems=tuple(problems),
    )  # fmt: skip


# --- the signature and the digests -------------------------------------------------------------------------


def _signed_manifest(found: Mapping[str, Member], key: str) -> tuple[dict[str, Any], list[Problem]]:
    """The manifest as it was signed, also where one byte of it or of its signature was changed, and what is wrong."""
    manifest, signature = found[b.MANIFEST], found[b.SIGNATURE]
    if _is_signed(manifest.content, signature.content):
        problems = _of_whom(_parsed(manifest.content), key)
        return _parsed(manifest.content), problems
    for byte, content in one_byte_back(manifest):
        if _is_signed(content, signature.content):
            return _parsed(content), [_changed(b.MANIFEST, content, byte)]
    for byte, content in one_byte_back(signature):
        if _is_signed(manifest.content, content):
            return _parsed(manifest.content), [_changed(b.SIGNATURE, content, byte)]
    return _parsed(manifest.content), [Problem(member=b.SIGNATURE, why="the signature is not that of the key over the manifest")]


def _is_signed(manifest: bytes, signature: bytes) -> bool:
    public = _parsed(manifest).get("public_key")
    text = signature.decode("ascii", "replace")
    if not isinstance(public, str) or not text.endswith("\n"):
        return False
    return signed_by(public_hex=public, text=b.SIGNED_AS + manifest, signature=text[:-1])


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _of_whom(manifest: Mapping[str, Any], key: str) -> list[Problem]:
    wanted = key.strip().lower().replace(" ", "")
    if manifest.get("format") != b.FORMAT:
        return [Problem(member=b.MANIFEST, why=f"this version reads {b.FORMAT!r} only, not {str(manifest.get('format'))[:60]!r}")]
    if wanted and wanted != manifest.get("public_key"):
        return [Problem(member=b.MANIFEST, why="it was signed by another key than the one that you named")]
    return []


def _changed(member: str, before: bytes, byte: int, *, why: str = "this byte was changed", entry: str = "") -> Problem:
    return Problem(member=member, line=before[:byte].count(b"\n") + 1, byte=byte, entry=entry, why=why)


def _digests(found: Mapping[str, Member], manifest: Mapping[str, Any]) -> list[Problem]:
    """Every member against the digest that was signed. A single changed byte is named, with the entry whose line it was in."""
    listed = manifest.get("files")
    if not isinstance(listed, dict):
        return [Problem(member=b.MANIFEST, why="it lists no files")]
    problems = []
    for name in sorted((found.keys() | listed.keys()) - {b.MANIFEST, b.SIGNATURE}):
        wanted = listed.get(name, {}).get("sha256") if isinstance(listed.get(name), dict) else None
        if name not in found or wanted is None:
            problems.append(Problem(member=name, why="the manifest and the file do not agree that it is here"))
        elif sha256(found[name].content).hexdigest() != wanted:
            problems.append(_which_byte(found[name], wanted))
    return problems


def _which_byte(member: Member, wanted: str) -> Problem:
    for byte, content in one_byte_back(member):
        if sha256(content).hexdigest() == wanted:
            return _changed(member.name, content, byte, entry=_entry_at(member.name, content, byte))
    return _first_misfit(member) or Problem(member=member.name, why="it is not what was signed")


def _entry_at(name: str, content: bytes, byte: int) -> str:
    """The entry in whose line a byte lies, "" in a member of another sort."""
    line = content[:byte].count(b"\n")
    try:
        if name in (b.ENTRIES, b.WHOLE):
            return b.read_entries(content.split(b"\n")[line], name)[0].id
        if name == b.CHAIN:
            words = content.decode().splitlines()
            stream = next(text for text in reversed(words[: line + 1]) if text.startswith("stream "))
            return f"{stream.removeprefix('stream ')}/{words[line].split()[0]}" if words[line][0].isdigit() else ""
    except (b.Misfit, IndexError, StopIteration):
        pass  # the place has no entry of its own
    return ""


def _first_misfit(member: Member) -> Problem | None:
    """Where more than one byte was changed: the first line that is no longer what it must be."""
    try:
        if member.name in (b.ENTRIES, b.WHOLE):
            for line, kept in enumerate(b.read_entries(member.content, member.name), 1):
                b.entry_of(kept, line, member.name)
        if member.name == b.CHAIN:
            b.read_chain(member.content)
    except b.Misfit as misfit:
        return _problem(misfit)
    return None


def _problem(misfit: b.Misfit) -> Problem:
    return Problem(member=misfit.member, line=misfit.line, entry=misfit.entry, why=misfit.why)


# --- what the members say ---------------------------------------------------------------------------------


def _contents(found: Mapping[str, Member], manifest: Mapping[str, Any]) -> tuple[list[Problem], list[Entry]]:
    """Whether a bundle that nobody changed also holds together: whoever made it may have been wrong, or lied."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    steps: tuple[Callable[[], None], ...] = (
        lambda: entries.extend(_entries(found)),
        lambda: _whole(found, manifest, entries),
        lambda: b.check_notes(_loaded(found, b.NOTES), entries),
        lambda: _custody(found, manifest, entries),
    )
    for step in steps:
        try:
            step()
        except b.Misfit as misfit:
            problems.append(_problem(misfit))
    return problems, entries


def _entries(found: Mapping[str, Member]) -> Iterator[Entry]:
    stretches = b.read_chain(found[b.CHAIN].content)
    for line, kept in enumerate(b.read_entries(found[b.ENTRIES].content), 1):
        b.check_place(kept, stretches, line)
        yield b.entry_of(kept, line)


def _whole(found: Mapping[str, Member], manifest: Mapping[str, Any], entries: Sequence[Entry]) -> None:
    """With the whole chain: every hash from the first entry on, and that no entry of the child was left out."""
    if b.WHOLE not in found:
        if manifest.get("whole_chain"):
            raise b.Misfit(b.MANIFEST, 0, "it promises the whole chain, which is not here")
        return
    stretches = b.read_chain(found[b.CHAIN].content)
    everything, counted = list[Entry](), dict.fromkeys(stretches, 0)
    for line, kept in enumerate(b.read_entries(found[b.WHOLE].content, b.WHOLE), 1):
        stretch = stretches.get(kept.stream)
        at = counted.get(kept.stream, 0) + 1
        counted[kept.stream] = at
        follows = stretch is not None and stretch.first == 1 and kept.seq == at and at < len(stretch.hashes)
        if stretch is None or not follows or stretch.hashes[at - 1 : at + 1] != (kept.previous, kept.hash):
            raise b.Misfit(b.WHOLE, line, "it does not follow the entry before it in the chain", kept.id)
        if chain_hash(kept.previous, kept.raw) != kept.hash:
            raise b.Misfit(b.WHOLE, line, "the bytes do not match their hash", kept.id)
        with suppress(UnreadableEntry):  # a later version's: it is in the chain, and about nobody that we know
            everything.append(decode(kept.raw))
    short = next((name for name, stretch in stretches.items() if counted[name] != len(stretch.hashes) - 1), None)
    if short is not None:
        raise b.Misfit(b.WHOLE, 0, "entries of this stream are missing", f"{short}/{counted[short] + 1}")
    _complete(manifest, everything, entries)


def _complete(manifest: Mapping[str, Any], everything: Sequence[Entry], entries: Sequence[Entry]) -> None:
    child, day, offset_ms, since = _asked(manifest)
    wanted = [str(e.id) for e in of_child_day(everything, child, day, offset_ms, since=since)]
    listed = {str(entry.id) for entry in entries}
    odd = next((id_ for id_ in wanted if id_ not in listed), None) or next(iter(sorted(listed - set(wanted))), None)
    if odd is not None:
        raise b.Misfit(b.ENTRIES, 0, "the child's entries and the chain do not agree about this one", odd)


def _custody(found: Mapping[str, Member], manifest: Mapping[str, Any], entries: Sequence[Entry]) -> None:
    """The line, drawn again from the entries."""
    child, *_ = _asked(manifest)
    shown, drawn = _loaded(found, b.CUSTODY), json.loads(b.as_json(b.custody_document(line_of(child, entries))))
    if shown == drawn:
        return
    segments = shown.get("segments", []) if isinstance(shown, dict) else []
    for one, other in zip(segments, drawn["segments"], strict=False):
        if one != other:
            raise b.Misfit(b.CUSTODY, 0, "folding the entries gives another custody from here on", str(other["began"]["entry"]))
    raise b.Misfit(b.CUSTODY, 0, "folding the entries gives another custody line")


def _asked(manifest: Mapping[str, Any]) -> tuple[int, date, int, str]:
    """Child, day, offset, since. Raises Misfit."""
    try:
        day = date.fromisoformat(manifest["day"])
        return int(manifest["child"]), day, int(manifest["utc_offset_ms"]), str(manifest["since"])
    except (KeyError, TypeError, ValueError) as error:
        raise b.Misfit(b.MANIFEST, 0, f"it does not say whose day this is ({error})") from error


def _loaded(found: Mapping[str, Member], name: str) -> Any:
    try:
        return json.loads(found[name].content)
    except (ValueError, RecursionError) as error:
        raise b.Misfit(name, 0, f"this is no JSON ({error})") from error
