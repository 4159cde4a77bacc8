"""A school in the middle of its afternoon, as views: 45 pupils with real-looking names, a queue at the gate, open cases.

Everybody is invented. Times are those of Monday, 2026-11-23, 17:42 at the school.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from kiosk.core.people import Role, SchoolClass, Staff, Stage
from kiosk.core.roster import (
    Bar,
    CallLine,
    CaseLine,
    ChildLine,
    ChildView,
    CollectorLine,
    DeviceLine,
    DisplayView,
    DutyView,
    GuardianLine,
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
from kiosk.web.faces_notices import NoticesState, NoticesView, NoticeTarget
from kiosk.web.faces_office import (
    CardLine,
    ChangeLine,
    DevicesView,
    FindingLine,
    ImportView,
    PeopleView,
    PersonLine,
    ProblemLine,
    SettingLine,
    SettingsView,
    TrialView,
)

NAMES = [
    "王小明",
    "李思远",
    "张雨桐",
    "刘一诺",
    "陈浩然",
    "杨梓涵",
    "赵欣怡",
    "黄子轩",
    "周若曦",
    "吴宇航",
    "徐诗涵",
    "孙嘉懿",
    "胡俊杰",
    "朱沐宸",
    "高语嫣",
    "林佳琪",
    "何明哲",
    "郭紫萱",
    "马天佑",
    "罗可馨",
    "梁书瑶",
    "宋承泽",
    "郑亦菲",
    "谢昊天",
    "韩雪晴",
    "唐子墨",
    "冯晓彤",
    "于一凡",
    "董依诺",
    "萧景行",
    "程安然",
    "曹梦琪",
    "袁浩宇",
    "邓欣妍",
    "许知远",
    "傅思齐",
    "沈星辰",
    "曾乐瑶",
    "彭睿哲",
    "吕佳宁",
    "苏沐阳",
    "卢芷晴",
    "蒋文博",
    "欧阳若曦",
    "阿依古丽·买买提",
]
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
        unseen_gates=("南门",),
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


def duty() -> DutyView:
    return DutyView(
        cases=(_uncollected(), _late(), _restricted()),
        on_campus=612,
        by_place=(
            ("教学楼", 214),
            ("二楼阅览室", 43),
            ("三楼美术室", 32),
            ("科学教室", 38),
            ("操场", 121),
            ("音乐教室", 44),
            ("延时托管室", 40),
            ("机器人教室", 28),
            ("候接区", 38),
            ("门卫室", 3),
            ("南门", 11),
        ),
        by_collection=(("NOT_DUE", 571), ("WAITING", 38), ("OVERDUE", 2), ("ESCALATED", 1)),
        arrived_today=1588,
        released_today=976,
        expected_today=1620,
        open_offers=(
            OfferLine(
                handover="H9",
                kind="to_gatehouse",
                giver=9031,
                giver_name="王敏",
                taker=9100,
                taker_name="赵建国",
                place="门卫室",
                expected=3,
                offered_ms=at("17:38"),
                lapses_ms=at("17:48"),
                children=(1021, 1022, 1023),
            ),
        ),
        devices=(
            *(
                DeviceLine(name=name, health="ok", why="", since_ms=at("07:00"))
                for name in ("东门 1", "东门 3", "东门 4", "门卫室", "相机 1", "继电器")
            ),
            DeviceLine(name="东门 2", health="down", why="读卡器已拔出", since_ms=at("17:31")),
        ),
        can_clear=False,
        clear_blockers=("children:612", "conflicts:1"),
        cleared_ms=None,
        bar=bar(),
    )


def _guardians() -> tuple[GuardianLine, ...]:
    return (
        GuardianLine(guardian=5021, name="董建军", relation="父亲", phone="138 0013 8000"),
        GuardianLine(guardian=5022, name="许静", relation="母亲", phone="139 0013 9000"),
    )


def _uncollected() -> CaseLine:
    return CaseLine(
        case="uncollected:1029",
        kind="uncollected",
        line=child(29, collection="ESCALATED", place="门卫室", custodian_name="赵建国", ends_ms=None, class_name="一(3)班"),
        opened_ms=at("16:30"),
        t0_ms=at("16:30"),
        rung=3,
        state="gatehouse",
        do="移交门卫室或延时托管，双方签字",
        do_en="Two-party handover to the gatehouse or extended care",
        told=("chief_duty", "guard", "duty_leader"),
        next_due_ms=NOW + 7 * 60_000 + 12_000,
        acknowledged_by="陈立新",
        acknowledged_ms=at("17:04"),
        eta_ms=at("17:55"),
        calls=(
            CallLine(
                at_ms=at("16:47"),
                by_name="李慧",
                guardian=5021,
                guardian_name="董建军",
                relation="父亲",
                result="no_answer",
                eta_ms=None,
            ),
            CallLine(
                at_ms=at("16:49"),
                by_name="李慧",
                guardian=5022,
                guardian_name="许静",
                relation="母亲",
                result="on_the_way",
                eta_ms=at("17:55"),
            ),
        ),
        guardians=_guardians(),
        detail="",
    )


def _late() -> CaseLine:
    return replace(
        _uncollected(),
        case="uncollected:1005",
        line=child(5, collection="OVERDUE", place="候接区", custodian_name="王敏", ends_ms=None, class_name="四(1)班"),
        opened_ms=at("17:30"),
        t0_ms=at("17:30"),
        rung=1,
        state="late",
        do="自动通知家长",
        do_en="Automatic notice to the guardians",
        told=("guardian_1",),
        next_due_ms=NOW + 2 * 60_000 + 40_000,
        acknowledged_by="",
        acknowledged_ms=None,
        eta_ms=None,
        calls=(),
        guardians=(
            GuardianLine(guardian=5031, name="陈国栋", relation="父亲", phone="137 0013 7000"),
            GuardianLine(guardian=5032, name="李敏", relation="母亲", phone="136 0013 6000"),
        ),
    )


def _restricted() -> CaseLine:
    return CaseLine(
        case="restricted:q37",
        kind="restricted_person",
        line=child(27, place="操场", custodian_name="刘强"),
        opened_ms=at("17:38"),
        t0_ms=at("17:38"),
        rung=0,
        state="waiting",
        do="请到东门门卫室，孩子留在老师身边",
        do_en="Go to the east gatehouse; the child stays with the teacher",
        told=("duty_leader",),
        next_due_ms=None,
        acknowledged_by="",
        acknowledged_ms=None,
        eta_ms=None,
        calls=(),
        guardians=(),
        detail="冯志强 在东门门卫室刷卡",
    )


def quiet_duty() -> DutyView:
    return replace(
        duty(),
        cases=(),
        on_campus=0,
        by_place=(),
        by_collection=(),
        open_offers=(),
        released_today=1588,
        can_clear=True,
        clear_blockers=(),
        devices=tuple(replace(device, health="ok", why="") for device in duty().devices),
        bar=bar(at("19:34")),
    )


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


def classes() -> tuple[SchoolClass, ...]:
    numerals = "一二三四五六"
    return tuple(
        SchoolClass(
            id=f"primary-{2027 - grade}-{number}",
            name=f"{numerals[grade - 1]}({number})班",
            stage=Stage.PRIMARY,
            grade=grade,
            class_no=number,
            entry_year=2027 - grade,
            teacher=None,
            room="",
            release_gate="east",
        )
        for grade in range(1, 7)
        for number in range(1, 7)
    )


def import_preview(*, broken: bool = False) -> ImportView:
    problems = (
        ProblemLine(
            file="学生名单.xlsx",
            where="学生 第 18 行 C 列",
            what="班级“三年二班”在这所学校里没有",
            fix="写成 三(2)班，或先在班级表里加上",
        ),
        ProblemLine(
            file="学生名单.xlsx",
            where="学生 第 44 行 E 列",
            what="出生日期“20183015”不是日期",
            fix="写成 2018-03-15 或 20180315",
        ),
        ProblemLine(file="接送人.csv", where="第 7 行", what="学号 20240099 没有这个学生", fix="核对学号，或先导入该学生"),
    )
    changes = (
        ChangeLine(change="added", sort="学生", name="梁书瑶", detail="三(2)班 21 号"),
        ChangeLine(change="changed", sort="接送人", name="王建平", detail="有效期至 2026-12-31 → 2027-01-20"),
        ChangeLine(change="removed", sort="卡", name="04A1B2C3", detail="王小明，已归还"),
    )
    return ImportView(
        bar=bar(at("10:05")),
        state="preview",
        token="t1",
        files=("学生名单.xlsx", "接送人.csv"),
        problems=problems if broken else (),
        changes=() if broken else changes,
        counts=(("学生", 12, 3, 1), ("接送人", 4, 1, 0), ("卡", 9, 0, 1)),
    )


def people() -> PeopleView:
    return PeopleView(
        bar=bar(at("10:05")),
        text="王",
        people=(
            PersonLine(
                kind="pupil",
                number=1001,
                name="王小明",
                where="三(2)班 1 号",
                has_photo=True,
                cards=(CardLine(uid="04A1B2C3", state="active"), CardLine(uid="049988AA", state="lost")),
            ),
            PersonLine(
                kind="collector",
                number=5001,
                name="王建平",
                where="祖父 · 王小明",
                has_photo=True,
                cards=(CardLine(uid="0455667788AABB", state="active"),),
            ),
            PersonLine(kind="staff", number=9031, name="王敏", where="教师", has_photo=False, cards=()),
        ),
    )


def settings() -> SettingsView:
    return SettingsView(
        bar=bar(at("10:05")),
        policy="天津（市内六区）",
        day_words="教学日，按星期一课表，有课后服务",
        decided_by="term",
        findings=(
            FindingLine(
                level="warn",
                message="课后服务 18:00 结束，早于 18:30",
                document="天津市课后服务实施意见",
                clause="市内六区中小学结束时间原则上不早于18:30",
            ),
        ),
        groups=(
            (
                "放学与交接",
                (
                    SettingLine(key="handover_max_grade", value="2", source="school.toml"),
                    SettingLine(key="offer_lapse_min", value="10", source="school.toml"),
                    SettingLine(key="freshness.green_min", value="15", source="默认值"),
                ),
            ),
        ),
    )


def devices(*, trial: TrialView | None = None, asked: str = "") -> DevicesView:
    counts = (2, 5, 10, 7, 57, 152, 217, 92, 57, 152, 217, 92, 54, 141, 218, 105, 7, 3)
    kinds = {"继电器": "relay", "相机 1": "camera", "小票机": "printer"}
    printer = DeviceLine(name="小票机", health="ok", why="ESC/POS, 48 columns", since_ms=at("07:02"))
    wedge = DeviceLine(name="门卫室 2", health="starting", why="", since_ms=at("10:04"))
    listed = (*duty().devices, printer, wedge)
    return DevicesView(
        bar=bar(at("10:05")),
        devices=listed,
        drivers=tuple((device.name, "rdm6300") for device in listed),
        kinds=tuple((device.name, kinds.get(device.name, "reader")) for device in listed),
        contacts=(("继电器", (1, 2)),),
        trial=trial,
        asked=asked,
        arrivals=tuple((at("07:10") + index * 300_000, count) for index, count in enumerate(counts)),
    )


def trial(state: str, device: str) -> TrialView:
    return TrialView(device=device, state=state, left_s=9, scheme="uid", value="04A1B2C3D4E5F6")


def notices(*, trouble: str = "") -> NoticesView:
    lines = (
        NoticeTarget(
            name="值班群", kind="dingtalk", host="oapi.dingtalk.com", state="held", waiting=3, last_sent_ms=at("17:38"),
            last_error="130101：发送过快，机器人停用十分钟 / 130101: too fast: the robot is shut out for ten minutes",
            last_error_ms=at("17:40"), retry_ms=at("17:50"), alarms=True,
        ),
        NoticeTarget(
            name="一年级组", kind="feishu", host="open.feishu.cn", state="ok", last_sent_ms=at("17:41"), name_children=True
        ),
        NoticeTarget(name="总务", kind="wecom", host="qyapi.weixin.qq.com", state="new", testing=True, waiting=1),
        NoticeTarget(
            name="校长信箱", kind="email", host="smtp.example.cn", state="failing", waiting=1, failed=2,
            last_error="未送达：Connection error while submitting email；[Errno 111] Connection refused / not taken",
            last_error_ms=at("17:30"), retry_ms=at("17:44"),
        ),
    )  # fmt: skip
    dropped = 4 if trouble else 0
    state = NoticesState(waiting=5, failed=2, clock_trusted=not trouble, trouble=trouble, dropped=dropped, lines=lines)
    return NoticesView(bar=bar(), notices=state, tested="一年级组")
