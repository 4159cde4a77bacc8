"""The guard's afternoon with everything that custody brings to a gate: the watch, an escort, the gatehouse, a hold, a pass.

Everybody is invented; the moment is that of `sample_views`.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.core.roster import (
    ChildLine,
    EscortLine,
    GuardView,
    OfferLine,
    PickupLine,
    RightLine,
    ShiftLine,
    ShiftOfferLine,
    ShiftReturnLine,
    StaffLine,
    UndoLine,
)
from tests.faces import sample_duty
from tests.faces import sample_views as s

NEXT_GUARD = StaffLine(staff=9101, name="钱卫东")
GUARDS = (StaffLine(staff=s.GUARD.number, name=s.GUARD.name), NEXT_GUARD, StaffLine(staff=s.LEADER.number, name=s.LEADER.name))
WATCH = ShiftLine(guard=s.GUARD.number, guard_name=s.GUARD.name, since_ms=s.at("13:00"))


def waiting(seat: int, class_name: str = "一(3)班", **changes: object) -> ChildLine:
    return s.child(seat, collection="WAITING", place="候接区", ends_ms=None, now_in="", class_name=class_name, **changes)


def asked(seat: int, relation: str, reason: str, needs: tuple[str, ...]) -> PickupLine:
    return replace(s.pickup(seat, relation=relation, reason=reason, class_name="二(2)班"), needs=needs)


def escort() -> EscortLine:
    return EscortLine(
        escort="east/1/77", teacher=9001, teacher_name="李慧", gate="east", gate_name="东门", departed_ms=s.at("17:33"),
        due_ms=s.at("17:48"), children=tuple(waiting(seat) for seat in range(10, 19)),
    )  # fmt: skip


def incoming() -> OfferLine:
    lines = tuple(waiting(seat, "二(1)班") for seat in (21, 22, 23))
    return OfferLine(
        handover="east/1/78", kind="to_gatehouse", giver=9031, giver_name="王敏", taker=s.GUARD.number,
        taker_name=s.GUARD.name, place="门卫室", expected=3, offered_ms=s.at("17:38"), lapses_ms=s.at("17:48"),
        children=tuple(line.child for line in lines), lines=lines,
    )  # fmt: skip


def held() -> tuple[ChildLine, ...]:
    return (
        s.child(29, collection="ESCALATED", place="门卫室", custodian_name=s.GUARD.name, ends_ms=None, class_name="一(3)班"),
        waiting(30, "二(2)班", custodian_name=s.GUARD.name),
    )


def on_watch(**changes: object) -> GuardView:
    """赵建国 has the watch; an escort is on its way, three children are handed over, two are at the gatehouse."""
    uncollected = sample_duty.duty().cases[0]
    view = replace(
        s.guard(), shift=WATCH, guards=GUARDS, escorts=(escort(),), incoming=(incoming(),), held=held(),
        held_cases=(replace(uncollected, line=held()[0]),), open_cases=3, visitors=1,
    )  # fmt: skip
    return replace(view, **changes)


def offered() -> GuardView:
    """He has offered it to 钱卫东, who counts two children."""
    offer = ShiftOfferLine(
        shift="east/1/90", gate="east", gate_name="东门", giver=s.GUARD.number, giver_name=s.GUARD.name,
        taker=NEXT_GUARD.staff, taker_name=NEXT_GUARD.name, offered_ms=s.at("17:40"), lapses_ms=s.at("17:50"), on_site=612,
        open_cases=3, visitors=1, children=held(),
    )  # fmt: skip
    return on_watch(shift_offer=offer)


def nobody_on_watch() -> GuardView:
    return replace(s.guard(), guards=GUARDS)


def came_back() -> GuardView:
    back = ShiftReturnLine(giver=s.GUARD.number, taker_name=NEXT_GUARD.name, how="lapsed", at_ms=s.at("17:40"))
    return on_watch(shift_returned=back, escorts=(), incoming=())


def just_released() -> GuardView:
    lines = (s.child(2, collection="COLLECTED", on_campus=False), s.child(3, collection="COLLECTED", on_campus=False))
    undo = tuple(
        UndoLine(release=f"east/1/{100 + n}", line=line, guard=s.GUARD.number, until_ms=s.NOW + 8_000)
        for n, line in enumerate(lines)
    )
    return on_watch(undoable=undo)


def gate_hold() -> GuardView:
    """A child is lost: everybody is verified, and whoever would go alone is left to the guard."""
    checks = ("photo", "child_recognises", "id_seen")
    father = s.queue_item("q61", "马志远", (asked(19, "父亲", "gate_hold", checks),), person=5061)
    line = waiting(36, "五(2)班", leaves_alone=True)
    alone = PickupLine(line=line, relation="", outcome="ask_guard", reason="gate_hold", needs=())
    boy = s.queue_item(
        "q60", alone.line.name, (alone,), kind="child", person=alone.line.child, reason="gate_hold", phone_tail="",
        access_point="east-out-1", access_point_name="东门 1 号通道", snapshot="snap-7",
    )  # fmt: skip
    held_bar = replace(s.bar(), hold=("三(2)班",))
    return on_watch(queue=(father, boy), bar=held_bar)


def right_elsewhere() -> GuardView:
    """An adult for two children of another gate, a third whose right is on the way, and a child who may leave alone there."""
    checks = ("photo", "second_person")
    there = RightLine(state="elsewhere", gate_name="南门")
    asked_for = RightLine(state="asked", gate_name="南门", until_ms=s.NOW + 140_000)
    late = RightLine(state="asked", gate_name="南门", until_ms=s.NOW - 1_000)
    two = (
        replace(asked(19, "母亲", "elsewhere_gate", checks), right=asked_for),
        replace(asked(20, "母亲", "elsewhere_gate", checks), right=there),
    )
    mother = s.queue_item("q71", "马晓燕", two, person=5061)
    coming = replace(asked(22, "父亲", "elsewhere_gate", checks), right=RightLine(state="coming", gate_name="南门"))
    father = s.queue_item("q72", "高志强", (coming,), person=5062)
    unsure = replace(asked(23, "父亲", "right_unproven", checks), right=RightLine(state="unproven"))
    other = s.queue_item("q73", "孙立", (unsure,), person=5063)
    line = waiting(36, "五(2)班", leaves_alone=True)
    alone = PickupLine(line=line, relation="", outcome="ask_guard", reason="elsewhere_gate", needs=(), right=late)
    boy = s.queue_item(
        "q70", line.name, (alone,), kind="child", person=line.child, reason="elsewhere_gate", phone_tail="",
        access_point="east-out-1", access_point_name="东门 1 号通道", snapshot="snap-7",
    )  # fmt: skip
    return on_watch(queue=(mother, father, other, boy))


def not_gone_through() -> GuardView:
    """Granted at a turnstile that nobody used: one who stayed outside, one who stayed inside."""
    out = s.child(21, on_campus=False, place="", custodian=None, custodian_name="")
    inside = waiting(36, "五(2)班", leaves_alone=True)
    queue = tuple(
        s.queue_item(
            key, line.name, (PickupLine(line=line, relation="", outcome="ask_guard", reason="passage_unused", needs=()),),
            kind="child", person=line.child, reason="passage_unused", phone_tail="", access_point=point,
            access_point_name=name,
        )
        for key, line, point, name in (("q80", out, "east-in-1", "东门 1 号通道"), ("q81", inside, "east-out-1", "东门 3 号通道"))
    )  # fmt: skip
    return on_watch(queue=queue)


def police_rung() -> GuardView:
    """Everything at once that a list past its time asks for."""
    needs = ("photo", "child_recognises", "call_back", "id_seen", "second_person")
    uncle = s.queue_item("q62", "许志明", (asked(35, "舅舅", "list_stale", needs),), person=5062)
    return on_watch(queue=(uncle,), bar=replace(s.bar(), freshness="red"))


def passes() -> GuardView:
    """A delegate with a pass that is good here, and one whose pass has been used."""
    checks = ("child_recognises", "id_seen")
    line = asked(20, "姑姑", "pass_present", checks)
    card = {"pass_id": "P-1", "pass_name": "罗文静", "pass_relation": "姑姑", "pass_id_last4": "318X"}
    good = s.queue_item(
        "q70", "罗文静", (line,), kind="pass", person=None, reason="pass_present", phone_tail="", has_photo=True, **card
    )
    used = replace(line, outcome="refused", reason="pass_used", needs=())
    bad = replace(good, id="q71", outcome="refused", reason="pass_used", children=(used,))
    return on_watch(queue=(good, bad), escorts=(), incoming=(), held=(), held_cases=())
