"""The report of one day: who came and went, what was late, what was handed over, what was open, and whether every chain holds.

Counts what the records say and judges only two things: a custody chain with a gap that nobody has closed, and somebody or
something that was left at the end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from kiosk.core.calendar import Day
from kiosk.core.child import ChildState
from kiosk.core.close_of_day import of_list
from kiosk.core.closing import unclosed
from kiosk.core.entries import Entry, Kind
from kiosk.core.people import Directory
from kiosk.core.world import World
from kiosk.evidence.chain import Line, lines
from kiosk.evidence.mentions import day_of
from kiosk.replaying import film, open_matters
from kiosk.settings import Settings

MINUTE_MS: Final = 60_000
_HANDOVER: Final = {
    Kind.HANDOVER_OFFERED: "offered", Kind.HANDOVER_ACCEPTED: "accepted", Kind.HANDOVER_DECLINED: "declined",
    Kind.HANDOVER_LAPSED: "lapsed",
}  # fmt: skip
_COUNTED: Final = {  # kinds of a later version or of another part are counted by their name
    "escorts": "escort_departed", "groups_out": "group_out", "watches": "shift_accepted", "searches": "locate_opened",
    "found": "located", "incidents": "incident_declared", "visitors_in": "visitor_in", "visitors_out": "visitor_out",
    "patrols": "patrolled", "refused_pickups": "pickup_refused", "refused_taps": "read_refused", "undone": "release_undone",
    "sessions_closed": "session_closed", "corrections": "correction", "emergencies": "emergency_declared",
    "exports": "evidence_exported",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """`document` is the shape of `kiosk report day --json`. ok: no open gap, and nothing and nobody left."""

    ok: bool
    document: dict[str, Any]
    directory: Directory


def day_report(
    settings: Settings, state: Path, directory: Directory, day: date, *, statement: dict[str, Any] | None = None
) -> DayReport:
    """Reads one day. Raises RecordsError, ReplayError. `statement`: that of the day, where there is one."""
    shown = film(settings, state, day, directory)
    entries = [one.entry for one in shown.entries]
    today = [entry for entry in entries if day_of(entry, settings.plan.utc_offset_ms) == day]
    drawn = [_of_day(line, shown.start_ms, shown.end_ms) for line in lines(entries).values()]
    chain = _chain([line for line in drawn if line.segments or line.flaws])
    end_ms = shown.end_ms - 1
    world, present = shown.at(end_ms), shown.present(end_ms)
    residue = _residue(world, present)
    document = {
        "day": day.isoformat(),
        "node": settings.site.node,
        "calendar": _calendar(world.book.day),
        **_people(world, present, _of_close(today)),
        **{name: sum(1 for entry in today if entry.kind == kind) for name, kind in _COUNTED.items()},
        "sessions_unclosed": [times.session for times in unclosed(world, end_ms)],
        "handovers": _handovers(today),
        "ladder": _ladder(today, world),
        "discrepancies": _discrepancies(world, today),
        "chain": chain,
        "residue": residue,
        "statement": statement,
    }
    ok = not chain["gaps"] and not any(residue.values())
    return DayReport(ok=ok, document={"ok": ok, **document}, directory=directory)


def _calendar(day: Day) -> dict[str, Any]:
    """What kind of day it was and by whose word: an early dismissal stands here with its reason."""
    return {
        "type": day.type.value,
        "service": day.after_school,
        "decided_by": day.decided_by.value,
        "early_dismissal": day.dismissal_profile,
        "note": day.note,
        "author": day.author,
    }


def _of_day(line: Line, start_ms: int, end_ms: int) -> Line:
    """What of a line falls on the day."""
    kept = tuple(s for s in line.segments if s.from_ms < end_ms and (s.to_ms is None or s.to_ms >= start_ms))
    flaws = tuple(f for f in line.flaws if start_ms <= f.at_ms < end_ms)
    remarks = tuple(r for r in line.remarks if start_ms <= r.at_ms < end_ms)
    return Line(child=line.child, segments=kept, flaws=flaws, remarks=remarks)


def _chain(found: Sequence[Line]) -> dict[str, Any]:
    flaws = [
        {"child": line.child, "why": f.why, "sort": f.sort, "at_ms": f.at_ms, "entries": list(f.entries), "closed": f.closed}
        for line in found
        for f in line.flaws
    ]
    return {
        "children": len(found),
        "whole": sum(1 for line in found if line.whole),
        "gaps": sum(1 for flaw in flaws if not flaw["closed"]),
        "changes_of_hands": sum(max(0, len(line.custodians) - 1) for line in found),
        "remarks": dict(Counter(remark.why for line in found for remark in line.remarks)),
        "flaws": flaws,
    }


def _people(world: World, present: Sequence[tuple[int, ChildState]], of_close: dict[str, Any]) -> dict[str, Any]:
    """of_close: what the list of the day said when it was closed, which no later list changes; empty for an open day."""
    today = [s for _, s in present if s.day == world.day]
    gone = [s for s in today if s.released_ms and not s.hold.live]
    said = {**of_list(world), **of_close}
    return {
        "expected": said["expected"],
        "arrived": sum(1 for s in today if s.arrived_ms),
        "stayers": said["stayers"],
        "released": len(gone),
        "released_by_mode": dict(sorted(Counter(_mode(s) for s in gone).items())),
        "late_collections": said["late_collections"],
    }


def _of_close(today: Iterable[Entry]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in today:
        said = entry.body.get("of_list") if entry.kind == Kind.CAMPUS_CLEARED else None
        found = said if isinstance(said, dict) else found
    return found


def _mode(state: ChildState) -> str:
    body = state.released_entry.body if state.released_entry else {}
    return str(body.get("mode") or body.get("what") or "unknown")


def _handovers(today: Iterable[Entry]) -> dict[str, dict[str, int]]:
    """By kind of handover: how many were offered, accepted, declined, lapsed."""
    kinds: dict[str, str] = {}
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in today:
        if entry.kind not in _HANDOVER:
            continue
        key = str(entry.body.get("handover") or entry.id)
        if entry.kind == Kind.HANDOVER_OFFERED:
            kinds[str(entry.id)] = str(entry.body.get("reason", ""))
        found[kinds.get(key, "")][_HANDOVER[Kind(entry.kind)]] += 1
    return {kind: dict(counted) for kind, counted in sorted(found.items())}


def _ladder(today: Iterable[Entry], world: World) -> list[dict[str, Any]]:
    """Every child for whom the ladder began, how far it went, and how that ended."""
    found: dict[str, dict[str, Any]] = {}
    for entry in today:
        case = entry.body.get("case")
        if entry.kind == Kind.ESCALATED:
            blank = {"case": case, "child": entry.body["child"], "t0_ms": entry.body["t0_ms"], "rung": -1, "calls": 0}
            row = found.setdefault(str(case), {**blank, "answered_by": []})
            row["rung"] = max(row["rung"], entry.body["rung"])
        elif case in found and entry.kind == Kind.GUARDIAN_CONTACTED:
            found[case]["calls"] += 1
        elif case in found and entry.kind == Kind.ACKNOWLEDGED:
            found[case]["answered_by"].append(entry.body["by"])
    for row in found.values():
        state = world.campus.child(row["child"])
        open_now = state.case is not None and state.case.case == row["case"] and state.hold.live
        row["ended"] = "open" if open_now else _mode(state) if state.released_ms else "handed_over"
        row["minutes"] = max(0, state.released_ms - row["t0_ms"]) // MINUTE_MS if state.released_ms else None
    return sorted(found.values(), key=lambda row: (-row["rung"], row["child"]))


def _discrepancies(world: World, today: Iterable[Entry]) -> list[dict[str, Any]]:
    """Conflicts and silent alarms of the day, closed or not."""
    closed = {str(entry.body.get("case")): str(entry.id) for entry in today if entry.kind == Kind.CASE_CLOSED}
    conflicts = [(c.case, c.kind, c.at_ms, [c.child]) for s in world.campus.children.values() for c in s.conflicts]
    alarms = [(a.case, a.kind, a.at_ms, list(a.children)) for a in world.campus.alarms.values()]
    of_day = [row for row in (*conflicts, *alarms) if world.book.start_ms <= row[2] < world.book.end_ms]
    return [
        {"case": case, "kind": kind, "at_ms": at_ms, "children": children, "closed": closed.get(case, "")}
        for case, kind, at_ms, children in sorted(of_day, key=lambda row: (row[2], row[0]))
    ]


def _residue(world: World, present: Sequence[tuple[int, ChildState]]) -> dict[str, Any]:
    """Who and what was left when the day was over. Boarders in their dormitory are not left."""
    matters = [m for m in open_matters(world) if m.sort not in ("request", "uncollected", "visit")]  # listed by themselves
    return {
        "children": [
            {"child": n, "custodian": s.hold.custodian, "place": s.place} for n, s in present if s.hold.live and not s.dormitory
        ],
        "open": [{"sort": m.sort, "case": m.case, "since_ms": m.since_ms, "children": list(m.children)} for m in matters],
        "visitors": sorted(visit.id for visit in world.campus.open_visits()),
    }
