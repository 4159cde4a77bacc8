"""Made-up views of the records, for the tests of the pages."""

from __future__ import annotations

from dataclasses import replace

from kiosk.web.faces_records import EvidenceView, FactRow, FlawRow, LineRow, ReplayView, StatementView
from tests.faces import sample_views as s

DAY = "2026-11-23"


def replay() -> ReplayView:
    counts = tuple((s.at("07:00") + n * 600_000, min(1_588, n * 200)) for n in range(66))
    return ReplayView(bar=s.bar(), day=DAY, from_ms=s.at("07:00"), to_ms=s.at("18:00"), counts=counts, start_ms=s.at("17:42"))


def replay_of_nothing() -> ReplayView:
    return replace(replay(), counts=(), from_ms=s.at("00:00"), to_ms=s.at("00:00"))


def evidence() -> EvidenceView:
    first = LineRow(
        custodian="张老师", place="校园", from_ms=s.at("07:41"), to_ms=s.at("16:31"), began="到校", began_entry="east/ab/4",
        ended="交接：接收", ended_entry="east/ab/9",
    )  # fmt: skip
    second = replace(first, custodian="李老师", place="201", from_ms=s.at("16:31"), to_ms=None, ended="", ended_entry="")
    fact = FactRow(
        at_ms=s.at("07:41"), kind="arrived", words="到校", details=(("地点", "校园"), ("负责人", "张老师")), entry="east/ab/4",
        hash="0f" * 32, trusted=True, note="",
    )  # fmt: skip
    return EvidenceView(
        bar=s.bar(), day=DAY, child=1_003, name="王小明", class_name="三(2)班", school_number="20260003",
        segments=(first, second), flaws=(), facts=(fact, replace(fact, note="穿蓝色外套")), held=True,
    )  # fmt: skip


def broken_evidence() -> EvidenceView:
    flaws = (
        FlawRow(sort="overlap", at_ms=s.at("17:02"), words="两次放行", entries=("east/ab/12", "south/cd/7"), closed="east/ab/15"),
        FlawRow(sort="remark", at_ms=s.at("07:41"), words="没有到校记录", entries=("east/ab/4",), closed=""),
    )
    return replace(evidence(), flaws=flaws, held=False)


def statement() -> StatementView:
    return StatementView(
        bar=s.bar(), day=DAY, at_ms=s.at("19:42"), by="陈立新", boarders=12, entry="east/0f1e2d3c4b5a6978/6612", hash="0f" * 32,
        counts=(("in_custody", 0), ("arrived", 1_588), ("released", 1_588), ("something_new", 3)), signature="ab" * 64,
        public_key="cd" * 32, fingerprint="065f 771d e639 905c 0bda d5b5 b1a4 d876", qr='<svg viewBox="0 0 9 9"></svg>',
    )  # fmt: skip
