"""A school of four pupils as lists, and the ways to hand lists to the importer."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from kiosk.core.people import Directory
from kiosk.directory import Content, index
from kiosk.importing import ImportPlan, Source, apply, plan_import

Lists = dict[str, list[list[Any]]]

SCHOOL: Lists = {
    "班级": [
        ["班级", "学段", "入学年份", "班主任", "教室", "放行门"],
        ["三(2)班", "小学", "2024", "T001", "302", "east"],
        ["五(1)班", "小学", "2022", "T002", "501", "南门"],
    ],
    "教职工": [
        ["工号", "姓名", "角色", "手机号"],
        ["T001", "李老师", "教师", "13800000001"],
        ["T002", "欧阳娜", "教师、值班领导", "13800000002"],
        ["G001", "赵师傅", "门卫", ""],
    ],
    "学生": [
        ["学号", "姓名", "学籍号", "班级", "座号", "接送方式", "自行离校同意", "住校", "抓拍同意"],
        ["20240201", "王小明", "G000000201803150012", "三年级2班", "1", "家长接", "否", "走读", "是"],
        ["20240202", "王大明", "G000000201909070125", "三（2）班", "2", "托管机构", "否", "走读", "否"],
        ["20220101", "阿依古丽·买买提", "", "五(1)班", "1", "自行离校", "是", "住校", "是"],
        ["20220102", "单小雨", "", "小学2022级1班", "2", "", "", "", ""],
    ],
    "监护人": [
        ["学号", "接送人编号", "姓名", "关系", "手机号", "证件后四位", "顺序"],
        ["20240201", "J1", "张兰", "妈妈", "13812341234", "002X", "1"],
        ["20240202", "J1", "张兰", "母亲", "13812341234", "002X", "1"],
        ["20220101", "J2", "买买提·艾则孜", "父亲", "13800000011", "", "1"],
    ],
    "委托接送": [
        ["学号", "接送人编号", "姓名", "关系", "手机号", "未成年", "机构", "每日人数上限", "有效期起", "有效期止"],
        ["20240202", "J3", "彭海", "托管机构", "13800000012", "否", "晨光托管", "20", "2026-09-01", "2027-01-22"],
    ],
    "限制接送": [["学号", "接送人编号", "姓名", "有效期起"], ["20240201", "J4", "王强", "2026/9/1"]],
    "卡": [
        ["卡号", "卡类型", "持有人类型", "持有人编号", "状态"],
        ["04A32F91", "M1", "学生", "20240201", "在用"],
        ["5630F009", "M1", "学生", "20240202", "挂失"],
        ["01026F6C3A", "ID", "接送人", "J1", "在用"],
        ["2A83155E", "M1", "教职工", "T001", "在用"],
    ],
    "课程": [
        ["课程编号", "课程名称", "类型", "时段", "星期", "教室", "负责教师", "容量", "含体育"],
        ["S1", "课业辅导", "课业辅导", "1", "一、二、三、四、五", "302", "T001", "30", "否"],
        ["S2", "篮球", "体育", "2", "一、三", "操场", "T002", "20", "是"],
        ["YS", "延时托管", "延时托管", "延时", "周一至周五", "托管室", "G001", "", ""],
    ],
    "报名": [
        ["学号", "课程编号", "有效期起", "有效期止", "离开时间"],
        ["20240201", "S1", "2026-09-01", "2027-01-22", ""],
        ["20240201", "S2", "2026-09-01", "2027-01-22", "18:00"],
        ["20240202", "S1", "2026-09-01", "", ""],
    ],
}

GATES = {"east": "东门", "south": "南门"}


@pytest.fixture
def lists() -> Lists:
    """All nine lists of a small school without a fault; change what the test is about."""
    return deepcopy(SCHOOL)


@pytest.fixture
def as_csv() -> Callable[[Lists], list[Source]]:
    def make(lists: Lists, *, encoding: str = "utf-8-sig", delimiter: str = ",") -> list[Source]:
        found = []
        for name, rows in lists.items():
            text = io.StringIO(newline="")
            csv.writer(text, delimiter=delimiter).writerows(rows)
            found.append(Source(f"{name}.csv", text.getvalue().encode(encoding)))
        return found

    return make


@pytest.fixture
def as_xlsx() -> Callable[..., Source]:
    def make(lists: Lists, change: Callable[[Workbook], None] | None = None) -> Source:
        book = Workbook()
        book.remove(book.active)
        for name, rows in lists.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
        if change:
            change(book)
        stream = io.BytesIO()
        book.save(stream)
        return Source("名单.xlsx", stream.getvalue())

    return make


@pytest.fixture
def plan(as_csv: Callable[[Lists], list[Source]]) -> Callable[..., ImportPlan]:
    """A plan for lists, sources or paths, in the school year 2026 unless told otherwise."""

    def make(what: Lists | Source | list[Source] | list[Path], current: Directory | None = None, **options: Any) -> ImportPlan:
        sources = as_csv(what) if isinstance(what, dict) else [what] if isinstance(what, Source) else what
        return plan_import(sources, current, **{"school_year_start": 2026, "gates": GATES, **options})

    return make


@pytest.fixture
def content(plan: Callable[..., ImportPlan], lists: Lists) -> Content:
    """The small school, imported."""
    made = plan(lists)
    assert made.ok, made.problems
    return apply(made, None)


@pytest.fixture
def directory(content: Content) -> Directory:
    return index(content, number=1, made_at_ms=0)
