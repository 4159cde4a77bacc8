"""Makes the bundle: one child's day as a file that anybody can open, print, and check on a computer that has nothing else.

Reads the records and signs with this gate's key. Records nothing: who exported is the caller's to put on record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from kiosk import __version__
from kiosk.core.people import Directory
from kiosk.evidence import bundle as b
from kiosk.evidence.container import write
from kiosk.evidence.dossier import Dossier, gather
from kiosk.evidence.page import Pictures, printed_page
from kiosk.recorded import RecordsError, local_time
from kiosk.settings import Settings
from sync_agent.errors import Misconfigured
from sync_agent.keys import SigningKey, load_or_create


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """`name` is the file's; `manifest` what it says of itself."""

    name: str
    data: bytes
    manifest: dict[str, Any]


def node_key(state: Path) -> SigningKey:
    """The key of this gate, made when there is none yet: the same with which the sync agent signs. Raises RecordsError."""
    try:
        return load_or_create(state / "keys" / "node.key")
    except Misconfigured as error:
        raise RecordsError(str(error)) from error


def make_pack(
    settings: Settings, state: Path, directory: Directory, *, child: int, day: date, now_ms: int,
    pictures: Pictures | None = None, whole_chain: bool = False,
) -> Pack:  # fmt: skip
    """Everything of one child's day, signed. Takes a second or two. Raises RecordsError."""
    found = gather(settings, state, directory, child=child, day=day, whole_chain=whole_chain)
    key, offset_ms = node_key(state), settings.plan.utc_offset_ms
    made = {
        "format": b.FORMAT,
        "version": __version__,
        "child": child,
        "school_number": found.pupil.school_number if found.pupil else str(child),
        "day": day.isoformat(),
        "since": found.since,
        "utc_offset_ms": offset_ms,
        "node": settings.site.node,
        "made_at_ms": now_ms,
        "made_at": local_time(now_ms, offset_ms).isoformat(),
        "whole_chain": whole_chain,
        "public_key": key.public_hex,
    }
    kept = [b.Kept(one.entry.stream, one.entry.seq, one.previous, one.hash, one.raw) for one in found.entries]
    page, shown = printed_page(settings, directory, found, made, pictures)
    members = {
        b.ENTRIES: b.entries_member(kept),
        b.CHAIN: b.chain_member(found.stretches),
        b.CUSTODY: b.as_json(b.custody_document(found.line)),
        b.NOTES: b.as_json(list(found.notes)),
        b.POLICY: b.as_json(found.policy),
        b.TIMETABLE: b.as_json(found.timetable),
        b.PAGE: page.encode(),
    }
    if whole_chain:
        members[b.WHOLE] = b.entries_member(found.whole)
    manifest = {**made, "counts": {**_counts(found), "pictures": shown}, "files": _files(members)}
    members[b.MANIFEST] = b.as_json(manifest)
    members[b.SIGNATURE] = (key.sign(b.SIGNED_AS + members[b.MANIFEST]) + "\n").encode()
    return Pack(name=f"evidence-{made['school_number']}-{day}.zip", data=write(members), manifest=manifest)


def _counts(found: Dossier) -> dict[str, int]:
    return {
        "entries": len(found.entries),
        "streams": len(found.stretches),
        "segments": len(found.line.segments),
        "flaws": len(found.line.flaws),
        "notes": len(found.notes),
    }


def _files(members: dict[str, bytes]) -> dict[str, Any]:
    return {name: {"sha256": sha256(content).hexdigest(), "bytes": len(content)} for name, content in members.items()}
