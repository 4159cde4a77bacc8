"""Made-up views of the muster page, the gate register and 待接名单, in every state that has a design of its own."""

from __future__ import annotations

from dataclasses import replace

from kiosk.core import roster_safety as r
from tests.faces import sample_views as s

MINUTE = 60_000
FAMILY, GIVEN = "王李张刘陈杨黄赵吴周", ("小明", "晓红", "子涵", "雨桐", "浩然", "欣怡", "一诺", "宇轩", "梓萱", "思远")


def row(number: int, *, what: str = "missing", class_name: str = "三(2)班", **more: object) -> r.MusterRow:
    name = FAMILY[number % 10] + GIVEN[number // 10 % 10]
    values: dict[str, object] = {
        "child": number, "name": name, "class_name": class_name, "seat": number % 45 + 1, "place": "校园",
        "custodian_name": "张老师", "last_seen_ms": s.NOW - 40 * MINUTE, "what": what, "gate": "east", **more,
    }  # fmt: skip
    if what == "mustered":
        values |= {"point": "操场", "at_ms": s.NOW - 2 * MINUTE, "by_name": "张老师"}
    return r.MusterRow(**values)


def one_class(number: int, missing: int, state: str = "running") -> r.MusterClass:
    name = f"{'一二三四五六'[number // 6]}({number % 6 + 1})班"
    rows = [
        row(number * 45 + n, what="on_site" if state == "none" else "missing" if n < missing else "mustered", class_name=name)
        for n in range(45)
    ]
    return r.MusterClass(
        class_id=f"primary-{2026 - number // 6}-{number % 6 + 1}", name=name, room=f"{number // 6 + 1}0{number % 6 + 1}",
        teacher_name=f"{FAMILY[number % 10]}老师", expected=45, missing=missing if state != "none" else 0, rows=tuple(rows),
    )  # fmt: skip


def muster(state: str = "running", *, drill: bool = False, missing: tuple[int, ...] = (45, 3, 0, 0, 1, 0)) -> r.MusterView:
    classes = tuple(one_class(number, count, state) for number, count in enumerate(missing))
    left = sum(one.missing for one in classes)
    looked_for = tuple(each for one in classes for each in one.rows if each.what == "missing") if left <= 60 else ()
    hinted = replace(looked_for[0], hint="南门出口", hint_ms=s.NOW - 3 * MINUTE) if looked_for else None
    return r.MusterView(
        state=state, drill=drill, since_ms=s.NOW - 6 * MINUTE, by_name="" if state == "none" else "赵师傅",
        ended_ms=s.NOW - MINUTE if state == "over" else None, expected=45 * len(missing), missing=left,
        mustered=0 if state == "none" else 45 * len(missing) - left - 2, released=0 if state == "none" else 2,
        searched=() if state == "none" or hinted is None else (hinted, *looked_for[1:]), classes=classes,
        places=(
            r.MusterPlace(place="校园", expected=201, missing=left), r.MusterPlace(place="301", expected=45, missing=0),
            r.MusterPlace(place="美术室", expected=24, missing=0),
        ),
        outside=(r.MusterGroup(venue="少年宫", teacher_name="周老师", rows=(row(901), row(902))),),
        extra=(row(903, what="mustered"),) if state != "none" else (),
        staff=(
            r.MusterAdult(key="staff:113", name="吴老师", detail="teacher", here=True, point="操场"),
            r.MusterAdult(key="staff:112", name="周老师", detail="teacher", here=False),
        ),
        visitors=(
            r.MusterAdult(key="visit:a", name="钱工 · 电梯公司", detail="repair", here=False, note="x", gate_name="东门"),
            r.MusterAdult(key="visit:b", name="", detail="delivery", here=False, gate_name="南门"),
        ),
        unseen_gates=("南门",) if drill else (), points=("操场", "东门外广场"),
        bar=s.bar(emergency="" if state in ("none", "over") else "drill" if drill else "emergency"),
    )  # fmt: skip


def visit(number: int, name: str, **more: object) -> r.VisitLine:
    values: dict[str, object] = {
        "visit": f"east/{'a' * 16}/{number}", "gate_name": "东门", "purpose": "repair", "host_name": "办公室主任",
        "id_type": "id_card", "id_last4": "002X", "in_ms": s.NOW - 35 * MINUTE, "out_ms": None, "by_name": "赵师傅", "note": "d",
        "earlier_shift": False, "day": "2026-11-23", "name": name, "organisation": "电梯公司", "plate": "津A12345", **more,
    }  # fmt: skip
    return r.VisitLine(**values)


def register(*, empty: bool = False) -> r.RegisterView:
    inside = (
        visit(1, "钱工"),
        visit(2, "李女士", purpose="guardian", host_name="张老师", organisation="", plate="", in_ms=s.NOW - 4 * MINUTE),
        visit(3, "", earlier_shift=True, in_ms=s.NOW - 300 * MINUTE, purpose="delivery", host_name=""),
    )
    left = (visit(4, "孙督学", purpose="inspection", out_ms=s.NOW - MINUTE, id_type="work_card"),)
    pupils = tuple(r.PassageLine(line=each.line, at_ms=s.NOW - 9 * MINUTE, detail="母亲") for each in s.roster().rows[:3])
    return r.RegisterView(
        gate="east", gate_name="东门", inside=() if empty else inside, today=() if empty else left,
        late=() if empty else pupils, early=() if empty else pupils[:1],
        hosts=(r.HostLine(staff=101, name="张老师", initials="zls"), r.HostLine(staff=150, name="办公室", initials="bgs")),
        guard_name="赵师傅", bar=s.bar(),
    )  # fmt: skip


def waiting(*, empty: bool = False) -> r.WaitingView:
    lines = tuple(
        r.WaitingLine(
            line=each.line, due_ms=s.NOW - MINUTE,
            guardians=(
                r.PhoneTail(name="王妈妈", relation="母亲", tail="0001"), r.PhoneTail(name="王爷爷", relation="祖父", tail=""),
            ),
        )
        for each in s.roster().rows[:5]
    )  # fmt: skip
    return r.WaitingView(gate="east", gate_name="东门", now_ms=s.NOW, lines=() if empty else lines, bar=s.bar())
