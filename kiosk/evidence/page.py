"""The printable page of a bundle: Chinese, A4, whole in itself, so that it opens from a disk with nothing beside it.

Shows the child and its family in full and every other child masked. Pictures only where the family still agrees to them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from kiosk.core.people import Directory
from kiosk.evidence.bundle import fingerprint
from kiosk.evidence.dossier import Dossier
from kiosk.settings import Settings
from kiosk.web.faces_engine import render
from kiosk.web.faces_facts import Names
from kiosk.web.faces_records import fact_rows, flaw_rows, line_rows

MAX_PICTURES = 24  # of one child's day; more would be a film


class Pictures(Protocol):
    """JPEG bytes of a picture that is still kept; None otherwise."""

    def snapshot(self, snapshot_id: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    at_ms: int
    source: str  # a data: URI


def printed_page(
    settings: Settings, directory: Directory, found: Dossier, made: Mapping[str, Any], pictures: Pictures | None
) -> tuple[str, int]:
    """The page as HTML, and how many pictures it shows."""
    names = Names(directory=directory, rules=settings.rules, child=found.child)
    shown = _pictures(found, pictures)
    school_class = directory.classes.get(found.pupil.class_id) if found.pupil else None
    notes = {row["entry"]: row["text"] for row in found.notes}
    html = render(
        "evidence_pack.html", "zh",
        made=made, school=settings.school.name, child_name=names.person(found.child),
        class_name=school_class.name if school_class else "", day=found.day.isoformat(), line=found.line,
        segments=line_rows(found.line, names, "zh"), flaws=flaw_rows(found.line, "zh"),
        facts=fact_rows(((one.entry, one.hash) for one in found.entries), names, "zh", notes=notes),
        pictures=shown, timetable=found.timetable, policy=_policy_lines(found.policy),
        fingerprint=fingerprint(made["public_key"]),
        streams=[(name, s.first, s.first + len(s.hashes) - 2, s.hashes[-1].hex()) for name, s in sorted(found.stretches.items())],
    )  # fmt: skip
    return html, len(shown)


def _pictures(found: Dossier, pictures: Pictures | None) -> list[Picture]:
    """Those that were taken with the child's own entries and are still kept. Without consent today, none."""
    if pictures is None or found.pupil is None or "snapshot" not in found.pupil.consents:
        return []
    shown = list[Picture]()
    for one in found.entries:
        key = one.entry.body.get("snapshot")
        if isinstance(key, str) and key and len(shown) < MAX_PICTURES:
            jpeg = pictures.snapshot(key)
            if jpeg is not None:
                source = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
                shown.append(Picture(at_ms=one.entry.at_ms, source=source))
    return shown


def _policy_lines(policy: Mapping[str, Any]) -> list[str]:
    """The documents that the school's plan is held against."""
    found = []
    for part in (policy["city"], policy["overlay"]):
        rules = part.get("rules", ()) if isinstance(part, dict) else ()
        titles = dict.fromkeys(f"《{rule['document']['title']}》{rule['document']['number']}" for rule in rules)
        if isinstance(part, dict) and titles:
            found.append(f"{part['name']}：" + "、".join(titles))
    return found
