"""A school in the middle of its afternoon, as views: 45 pupils with real-looking names, a queue at the gate, open cases.

Everybody is invented. Times are those of Monday, 2026-11-23, 17:42 at the school.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from kiosk.core.people import Role, Staff
from kiosk.core.roster import (
    Bar,
    ChildLine,
    ChildView,
    CollectorLine,
    DeviceLine,
    DisplayView,
    GuardView,
    OfferLine,
    PickupLine,
    QueueItem,
    RosterLink,
    RosterListView,
    RosterRow,
    RosterView,
    SearchHit,
    SearchView,
)

NAMES = (
    "王小明 李思远 张雨桐 刘一诺 陈浩然 杨梓涵 赵欣怡 黄子轩 周若曦 "
    "吴宇航 徐诗涵 孙嘉懿 胡俊杰 朱沐宸 高语嫣 林佳琪 何明哲 郭紫萱 "
    "马天佑 罗可馨 梁书瑶 宋承泽 郑亦菲 谢昊天 韩雪晴 唐子墨 冯晓彤 "
    "于一凡 董依诺 萧景行 程安然 曹梦琪 袁浩宇 邓欣妍 许知远 傅思齐 "
    "沈星辰 曾乐瑶 彭睿哲 吕佳宁 苏沐阳 卢芷晴 蒋文博 欧阳若曦 阿依古丽·买买提"
).split()
TEACHER = Staff(number=9001, staff_number="T0017", name="李慧", pinyin="li hui", initials="lh", roles=frozenset({Role.TEACHER}))
GUARD = Staff(
    number=9100,
    staff_number="G0002",
    name="赵建国",
    pinyin="zhao jianguo",
    initials="zjg",
    roles=frozenset({Role.GUARD}),
)
LEADER = Staff(
    number=9200,
    staff_number="D0001",
    name="陈立新",
    pinyin="chen lixin",
    initials="clx",
    roles=frozenset({Role.DUTY_LEADER, Role.OFFICE}),
)


def at(text: str) -> int:
    """17:42 on the sample day, as UTC milliseconds."""
    hour, minute = (int(part) for part in text.split(":"))
    return int(datetime(2026, 11, 23, hour, minute, tzinfo=UTC).timestamp() * 1000) - 8 * 3_600_000


NOW = at("17:42")


def bar(now_ms: int = NOW, **changes: object) -> Bar:
    online = Bar(
        node="east",
        school="星河路小学",
        now_ms=now_ms,
        clock_trusted=True,
        online=True,
        last_contact_ms=now_ms - 20_000,
        waiting=0,
        directory_number=118,
        directory_made_ms=at("17:35"),
        freshness="green",
        unseen_gates=(),
        devices_down=(),
        calendar_unverified=False,
        day_note="",
        emergency="",
        can_save=True,
    )
    return replace(online, **changes)  # type: ignore[arg-type]


def cut_off(now_ms: int = NOW) -> Bar:
    return bar(
        now_ms,
        online=False,
        last_contact_ms=now_ms - 38 * 60_000,
        waiting=214,
        directory_made_ms=at("07:42"),
        freshness="amber",
        unseen_gates=("南门",), behind_gates=("北门",),
        devices_down=(DeviceLine(name="east-in-2", health="down", why="读卡器已拔出", since_ms=at("17:31")),),
    )


def child(seat: int, **changes: object) -> ChildLine:
    line = ChildLine(
        child=1000 + seat,
        name=NAMES[(seat - 1) % len(NAMES)],
        class_name="三(2)班",
        seat=seat,
        school_number=f"2024{seat:04d}",
        on_campus=True,
        place="二楼阅览室",
        custodian=TEACHER.number,
        custodian_name="李慧",
        collection="NOT_DUE",
        last_seen_ms=at("16:31"),
        now_in="阅读社团",
        ends_ms=at("17:30"),
        release_opens_ms=at("17:30"),
        leaves_alone=False,
        has_photo=True,
    )
    return replace(line, **changes)  # type: ignore[arg-type]


def roster(*, called: bool = False, taken: bool = False) -> RosterView:
    rows = tuple(_row(seat, taken=taken) for seat in range(1, 46))
    present = sum(row.here for row in rows)
    return RosterView(
        roster="session:S101",
        kind="session",
        title="阅读社团",
        room="二楼阅览室",
        teacher=TEACHER.number,
        teacher_name="李慧",
        start_ms=at("16:30"),
        end_ms=at("17:30"),
        expected=45,
        present=present,
        missing=45 - present - 1,
        excused=1,
        roll_called_ms=at("16:38") if called else None,
        roll_due_ms=at("16:40"),
        rows=rows,
        incoming=(),
        outgoing=(),
        takeable=() if taken else tuple(row.line.child for row in rows if row.here),
        next_takers=(("to_extended_care", 9031, "王敏（延时托管）"), ("to_gatehouse", 9100, "门卫室")),
        bar=bar(at("16:37")),
    )


def _row(seat: int, *, taken: bool) -> RosterRow:
    here, mark, since = True, "", None
    line = child(seat, last_seen_ms=at("16:29") + seat % 7 * 60_000)
    if seat in (9, 27):
        here, since = False, at("16:33") - seat * 1000
        line = replace(
            line, place="操场" if seat == 9 else "东门", last_seen_ms=at("16:12"), custodian_name="张伟", custodian=9044
        )
    elif seat == 14:
        here, mark = False, "leave_sick"
        line = replace(line, on_campus=False, place="", last_seen_ms=None, custodian_name="", custodian=None)
    elif seat == 31:
        here = False
        line = replace(line, on_campus=False, place="", last_seen_ms=None, custodian_name="", custodian=None)
    elif not taken:
        line = replace(line, custodian=9044, custodian_name="张伟")
    held = taken and here
    return RosterRow(line=line, mark=mark, here=here, expected=True, missing_since_ms=since, held_by_me=held, offered_to="")


def offered_roster() -> RosterView:
    view = roster()
    offer = OfferLine(
        handover="H7",
        kind="class_to_session",
        giver=9044,
        giver_name="张伟",
        taker=9001,
        taker_name="李慧",
        place="二楼阅览室",
        expected=41,
        offered_ms=at("16:35"),
        lapses_ms=at("16:45"),
        children=tuple(row.line.child for row in view.rows if row.here),
    )
    return replace(view, incoming=(offer,))


def rosters() -> RosterListView:
    sessions = (
        ("S101", "阅读社团", "二楼阅览室", 45, 41),
        ("S102", "创意美术", "三楼美术室", 32, 32),
        ("S118", "少儿篮球", "操场", 40, 37),
    )
    links = [
        RosterLink(
            roster="class:primary-2024-2",
            title="三(2)班",
            room="二楼 203",
            teacher_name="李慧",
            start_ms=None,
            end_ms=None,
            expected=45,
            present=43,
            mine=True,
        )
    ]
    links += [
        RosterLink(
            roster=f"session:{key}",
            title=title,
            room=room,
            teacher_name="李慧" if key == "S101" else "王敏",
            start_ms=at("16:30"),
            end_ms=at("17:30"),
            expected=expected,
            present=present,
            mine=key == "S101",
        )
        for key, title, room, expected, present in sessions
    ]
    links.append(
        RosterLink(
            roster="staff:9001", title="", room="", teacher_name="李慧", start_ms=None, end_ms=None, expected=3, present=3,
            mine=True,
        )
    )  # fmt: skip
    return RosterListView(rosters=tuple(links), bar=bar(at("16:37")), staff=TEACHER.number)


def pickup(
    seat: int, *, relation: str, outcome: str = "ask_guard", reason: str = "collector_present", **changes: object
) -> PickupLine:
    waiting: dict[str, object] = {"collection": "WAITING", "ends_ms": None, "now_in": "", "place": "候接区"}
    needs = ("photo", "child_recognises") if outcome == "ask_guard" else ()
    line = child(seat, **{**waiting, **changes})
    return PickupLine(line=line, relation=relation, outcome=outcome, reason=reason, needs=needs)


def queue_item(key: str, name: str, children: tuple[PickupLine, ...], **changes: object) -> QueueItem:
    item = QueueItem(
        id=key,
        kind="collector",
        at_ms=NOW - 30_000,
        access_point="east-desk",
        access_point_name="东门门卫室",
        person=5001,
        name=name,
        organisation="",
        phone_tail="1234",
        outcome="ask_guard",
        reason="collector_present",
        children=children,
        restricted=False,
        snapshot="",
        has_photo=True,
    )
    return replace(item, **changes)  # type: ignore[arg-type]


def guard(**bar_changes: object) -> GuardView:
    still_in_session = pickup(
        24,
        relation="母亲",
        name="宋承悦",
        outcome="refused",
        reason="in_session",
        place="三楼美术室",
        custodian_name="王敏",
        collection="NOT_DUE",
        ends_ms=at("18:30"),
        class_name="五(1)班",
    )
    slow = pickup(38, relation="托管机构", reason="list_amber", class_name="二(4)班")
    return GuardView(
        gate="east",
        gate_name="东门",
        queue=(
            queue_item("q41", "王建平", (pickup(1, relation="祖父"),)),
            queue_item(
                "q40",
                "宋丽娟",
                (pickup(22, relation="母亲", class_name="一(3)班", name="宋承泽"), still_in_session),
                person=5002,
                at_ms=NOW - 75_000,
            ),
            queue_item(
                "claim-7",
                "周若曦",
                (pickup(9, relation="", reason="identity_unconfirmed", place="东门"),),
                kind="claim",
                person=1009,
                snapshot="snap-7",
                phone_tail="",
                access_point="east-out-1",
                access_point_name="东门 1 号通道",
                reason="identity_unconfirmed",
                at_ms=NOW - 110_000,
            ),
            queue_item(
                "q38",
                "曾伟",
                (replace(slow, needs=("photo", "call_back", "second_person")),),
                person=5003,
                organisation="阳光托管中心",
                at_ms=NOW - 160_000,
            ),
            queue_item(
                "q37",
                "冯志强",
                (pickup(27, relation="父亲", outcome="refused", reason="collector_restricted"),),
                person=5004,
                restricted=True,
                outcome="refused",
                reason="collector_restricted",
                at_ms=NOW - 240_000,
            ),
            queue_item(
                "q36",
                "",
                (),
                kind="unknown",
                person=None,
                reason="unknown_credential",
                has_photo=False,
                phone_tail="",
                at_ms=NOW - 330_000,
                snapshot="snap-8",
            ),
        ),
        on_campus=612,
        waiting=38,
        released_today=976,
        bar=bar(**bar_changes),  # type: ignore[arg-type]
    )


def child_view(seat: int = 1) -> ChildView:
    line = child(seat, collection="WAITING", place="候接区", custodian_name="李慧", ends_ms=None, now_in="")
    adults = (
        CollectorLine(
            collector=5001,
            name="王建平",
            relation="祖父",
            guardian=False,
            phone="138****1234",
            has_photo=True,
            valid_to="2027-01-20",
        ),
        CollectorLine(
            collector=5011,
            name="王海峰",
            relation="父亲",
            guardian=True,
            phone="139****7788",
            has_photo=True,
            valid_to="",
        ),
        CollectorLine(
            collector=5012,
            name="林晓燕",
            relation="母亲",
            guardian=True,
            phone="136****0912",
            has_photo=False,
            valid_to="",
        ),
    )
    lines = (
        PickupLine(
            line=line,
            relation="祖父",
            outcome="ask_guard",
            reason="collector_present",
            needs=("photo", "child_recognises"),
        ),
        PickupLine(line=line, relation="父亲", outcome="ask_guard", reason="collector_present", needs=("photo",)),
        PickupLine(line=line, relation="母亲", outcome="ask_guard", reason="list_amber", needs=("id_seen", "call_back")),
    )
    today = (
        (at("07:43"), "arrived", "on_time"),
        (at("16:31"), "session_entered", "on_time"),
        (at("17:33"), "handover_accepted", ""),
    )
    return ChildView(line=line, collectors=lines, adults=adults, today=today)


def search() -> SearchView:
    hits = [
        SearchHit(kind="pupil", number=1000 + seat, name=NAMES[seat - 1], where="三(2)班", line=child(seat)) for seat in (1, 2, 3)
    ]
    found = ((1001, "王小明"),)
    hits.append(SearchHit(kind="collector", number=5001, name="王建平", where="祖父 · 王小明", line=None, children=found))
    return SearchView(text="w", hits=tuple(hits))


def display(**changes: object) -> DisplayView:
    view = DisplayView(
        access_point="east-in-1",
        name="东门 1 号通道",
        gate="east",
        kind="entrance",
        now_ms=at("07:43"),
        window_name="arrival",
        window_from_ms=at("07:30"),
        window_to_ms=at("08:30"),
        room="",
        out_of_order=False,
        emergency="",
        no_card_possible=True,
    )
    return replace(view, **changes)  # type: ignore[arg-type]
