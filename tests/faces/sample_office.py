"""The office's pages, filled with the people of the sample views."""

from __future__ import annotations

from kiosk.core.people import SchoolClass, Stage
from kiosk.core.roster import (
    DeviceLine,
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
from tests.faces.sample_duty import duty
from tests.faces.sample_views import at, bar


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
