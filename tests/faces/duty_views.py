"""A duty leader's afternoon in which everything is open at once, and one in which only the signature is missing.

Everybody is invented; the moment is that of `sample_views`.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.core.roster import CaseLine, DutyView, GroupLine, SearchLine, ShiftLine
from tests.faces import sample_duty
from tests.faces import sample_views as s
from tests.faces import watch_views as w


def search(seat: int, **changes: object) -> SearchLine:
    line = s.child(seat, place="操场", custodian_name="张伟", ends_ms=None, now_in="")
    found = SearchLine(
        line=line, why="not_in_session", opened_ms=s.at("17:36"), due_ms=s.at("17:51"), owner_name="陈立新",
        last_place="操场", last_adult_name="张伟", last_seen_ms=s.at("17:12"), incident_ms=None,
    )  # fmt: skip
    return replace(found, **changes)


def case(kind: str, **changes: object) -> CaseLine:
    plain = replace(sample_duty.duty().cases[2], case=f"{kind}:1", kind=kind, state=kind, do="", do_en="", line=None, detail="")
    return replace(plain, opened_ms=s.at("17:30"), t0_ms=s.at("17:30"), **changes)


def locate(**changes: object) -> CaseLine:
    found = search(9, **changes)
    kind = "incident" if found.incident_ms else "locate"
    guardians = sample_duty.duty().cases[0].guardians
    return case(kind, line=found.line, search=found, owner_name="陈立新", guardians=guardians)


def police() -> CaseLine:
    """The rung from which two adults stay with the child."""
    uncollected = sample_duty.duty().cases[0]
    return replace(
        uncollected, case="uncollected:1031", line=replace(uncollected.line, child=1031, name=s.NAMES[30]), rung=5,
        state="police_help", do="请派出所协助，两名成人陪同", do_en="Ask for help; two adults stay", adults=2,
        told=("principal", "police_station"), acknowledged_by="", acknowledged_ms=None, eta_ms=None,
        next_due_ms=s.NOW + 180_000,
    )  # fmt: skip


def lists() -> tuple[CaseLine, ...]:
    line = s.child(31, on_campus=False, place="", last_seen_ms=None, custodian_name="", custodian=None)
    return (
        case("exit_unused", line=s.child(36), detail="东门 3 号通道", told=("guard",)),
        case("escort_late", detail="东门", owner_name="李慧"),
        case("roll_overdue", detail="少儿篮球 · 操场", owner_name="刘强"),
        case("absence", line=line, owner_name="张伟"),
    )


def everything() -> DutyView:
    group = GroupLine(
        group="east/1/60", teacher=9044, teacher_name="张伟", venue="区少年宫", out_ms=s.at("16:20"),
        children=tuple(s.child(seat) for seat in range(40, 45)),
    )  # fmt: skip
    shift = replace(w.WATCH, gate="east", gate_name="东门")
    base = sample_duty.duty()
    incident = replace(locate(incident_ms=s.at("17:40")), case="incident:1")
    alarms = (base.cases[2], case("exceptional_release", line=s.child(33), detail="刘德海 · 东门门卫室"))
    return replace(
        base,
        cases=(*base.cases[:2], police(), *alarms, *lists(), locate(), incident),
        escorts=(w.escort(),), groups=(group,), shifts=(shift,), unwatched=(("south", "南门"),), boarders=0,
        clear_blockers=("children:612", "offers:1", "escorts:1", "groups:1", "visitors:1", "alarms:2"),
        bar=replace(base.bar, hold=("三(2)班",)),
    )  # fmt: skip


def disk_full() -> DutyView:
    """Between an afternoon's other cases; the bar says it on every page."""
    base, disks = sample_duty.duty(), (case("disk_last", detail="东门"), case("disk_low", detail="南门"))
    return replace(base, cases=(*base.cases, *disks), bar=replace(base.bar, disk="disk_last", disk_percent=100))


def ready() -> DutyView:
    shift: ShiftLine = replace(w.WATCH, gate="east", gate_name="东门")
    return replace(sample_duty.quiet_duty(), shifts=(shift,), unwatched=(("south", "南门"),), boarders=46)


def closed() -> DutyView:
    return replace(ready(), cleared_ms=s.at("19:33"))
