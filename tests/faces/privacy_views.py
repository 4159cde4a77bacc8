"""The privacy pages as a school sees them after a term: something held, something due, something left behind."""

from __future__ import annotations

from kiosk.core.privacy import LEDGER_PURPOSES
from kiosk.web.faces_privacy import (
    ConsentLine,
    FoundChild,
    HoldLine,
    IncidentLine,
    IncidentsView,
    KeptLine,
    LogLine,
    PrivacyChildView,
    PrivacyView,
    RequestLine,
    StepLine,
    TextSection,
    TextView,
)
from tests.faces.sample_views import at, bar

CHILD = FoundChild(number=1, name="欧阳若曦", class_name="三(2)班", school_number="20240231")
HOLD = HoldLine(child=1, name="欧阳若曦", case="", since_ms=at("09:10"), by="孙主任", reason="家长诉讼，案号 2026-17")
OPEN = RequestLine(
    request="east/a/5", child=1, name="欧阳若曦", what="phone", old="13900000001", new="13900000002", guardian="欧阳爸爸",
    at_ms=at("08:30"), due="2026-12-08", overdue=True,
)  # fmt: skip
REFUSED = RequestLine(
    request="east/a/6", child=1, name="欧阳若曦", what="name", old="欧阳若曦", new="欧阳若希", guardian="欧阳爸爸", at_ms=
        at("08:30"),
    due="2026-12-08", overdue=False, state="refused", reason="户口簿上是若曦", decided_ms=at("10:30"), by="办公室",
)  # fmt: skip


def overview() -> PrivacyView:
    kept = (
        KeptLine(category="left", how="year_end", days=90, setting="retention.left_days", last_ms=at("00:10"), last_count=212),
        KeptLine(category="visitors", how="days", days=365, setting="retention.visitors_days"),
        KeptLine(category="records", how="days", days=0, setting="disk.keep_records_days"),
        KeptLine(category="templates", how="at_once", days=0, setting="face.on"),
        KeptLine(category="video", how="elsewhere", days=0, setting=""),
    )
    log = (
        LogLine(
            at_ms=at("11:20"), node="east", kind="erasure_done", what="#1208、#4031", count=2, counts=(("notes", 14), (
                "photos", 2)),
            left=("/var/backups/campus-kiosk: Permission denied",),
        ),
        LogLine(at_ms=at("11:19"), node="east", kind="person_erased", what="#1208", count=1, why="asked", by="办公室"),
        LogLine(at_ms=at("00:10"), node="south", kind="erased_by_retention", what="visitors", count=31, through="2025-11-22"),
    )  # fmt: skip
    return PrivacyView(
        bar=bar(), kept=kept, log=log, more=7, holds=(HOLD,), requests=(OPEN,), leavers=4, home=False, said="on_hold", faces=120
    )


def child() -> PrivacyChildView:
    states = ("statutory", "active", "withdrawn", "none", "active", "expired", "active")
    rows = [ConsentLine(purpose=purpose, state=state) for purpose, state in zip(LEDGER_PURPOSES, states, strict=True)]
    rows[1] = ConsentLine(
        purpose="face_match", state="active", source="row", guardian="欧阳爸爸", how="paper", paper="2026-三-07",
            text_version="2026-09",
        basis="consent", valid_from="2026-09-01", valid_to="2027-07-10", at_ms=at("09:00"), may_withdraw=True,
    )  # fmt: skip
    rows[2] = ConsentLine(
        purpose="snapshot", state="withdrawn", source="list", basis="consent", withdrawn_ms=at("08:00"), may_renew=True
    )
    return PrivacyChildView(
        bar=bar(), child=CHILD, consents=tuple(rows), guardians=((9, "欧阳爸爸（父亲）"), (10, "王妈妈（母亲）")), hold=HOLD,
        requests=(OPEN, REFUSED), exported_ms=at("09:30"), said="done",
    )  # fmt: skip


def nobody() -> PrivacyChildView:
    return PrivacyChildView(bar=bar(), text="赵钱孙")


def text() -> TextView:
    table = (
        ("种类", "目的", "依据", "保存期限"),
        (
            "姓名、学号、班级、座号、卡号",
            "进出校和课后服务考勤",
            "法定安全管理职责，并告知",
            "在校期间；离校后：学年结束后 90 天",
        ),
    )
    sections = (
        TextSection(heading="一、处理什么、为什么、保存多久", table=table),
        TextSection(heading="二、怎样处理", lines=("数据在学校自己的电脑里，照片加密保存。", "人脸比对：未启用。")),
    )
    return TextView(
        bar=bar(), what="notice", title="星河路小学 个人信息处理告知书", lead="处理者：星河路小学。", sections=sections,
            digest="ab" * 32,
        last_digest="cd" * 32,
    )  # fmt: skip


def incidents() -> IncidentsView:
    steps = (
        StepLine(at_ms=at("09:00"), step="noticed", words="一台平板丢失，登录未退出", by="孙主任", count=40),
        StepLine(at_ms=at("09:12"), step="contained", words="已在办公室注销该会话", by="办公室", count=0),
    )
    one = IncidentLine(incident="east/a/9", began_ms=at("09:00"), steps=steps, closed=False)
    return IncidentsView(
        bar=bar(), incidents=(one,), classes=(("primary-2024-2", "三(2)班"),), draft="星河路小学：我校发现一起个人信息安全事件。"
    )
