"""Whole imports: what a school's lists become, what contradicts itself, and what a partial list changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.core.people import CardState, Directory, Role, Stage
from kiosk.credentials import verify_pin
from kiosk.directory import Content, erase_person, index
from kiosk.importing import ImportPlan, ImportRefused, Source, apply
from kiosk.importing.rows import rows_of
from tests.importing.saying import only, said

Lists = dict[str, list[list[Any]]]
Plan = Callable[..., ImportPlan]
PEPPER = bytes(32)


def pupil(directory: Directory, school_number: str) -> int:
    return next(p.number for p in directory.pupils.values() if p.school_number == school_number)


# ---- a whole school ------------------------------------------------------------------------------------


def test_nine_lists_become_one_directory(directory: Directory) -> None:
    ming = directory.pupils[pupil(directory, "20240201")]
    assert (ming.class_id, ming.seat, ming.grade, ming.stage) == ("primary-2024-2", 1, 3, Stage.PRIMARY)
    assert (ming.pinyin, ming.initials, ming.way_home, ming.consents) == ("wang xiaoming", "wxm", "guardian", {"snapshot"})
    boarder = directory.pupils[pupil(directory, "20220101")]
    assert boarder.boarder and boarder.leaves_alone
    assert directory.classes["primary-2022-1"].release_gate == "south"
    teacher = directory.staff[directory.by_staff_number["T002"]]
    assert teacher.roles == {Role.TEACHER, Role.DUTY_LEADER}
    assert directory.classes["primary-2022-1"].teacher == teacher.number
    (mother,) = directory.collectors_of[ming.number]
    assert (mother.relation, mother.guardian, len(directory.children_of[mother.collector])) == ("母亲", True, 2)
    (delegate,) = [a for a in directory.collectors_of[pupil(directory, "20240202")] if not a.guardian]
    assert (delegate.valid_from, delegate.valid_to) == (date(2026, 9, 1), date(2027, 1, 22))
    assert directory.collectors[delegate.collector].daily_limit == 20
    assert directory.name_of(directory.restrictions_of[ming.number][0].collector) == "王强"
    assert directory.cards["5630F009"][0].state is CardState.LOST
    assert directory.sessions["YS"].slot == 0 and directory.sessions["YS"].kind == "extended_care"
    assert directory.sessions["S2"].weekdays == {1, 3} and directory.sessions["S2"].includes_pe
    assert {e.leave_at_min for e in directory.enrolments_of[ming.number]} == {None, 1080}


def test_a_workbook_says_the_same_as_nine_files(plan: Plan, lists: Lists, as_xlsx: Callable[..., Source]) -> None:
    assert plan(as_xlsx(lists)).rows == plan(lists).rows


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ","), ("utf-8", ";"), ("gb18030", ","), ("gb18030", "\t"), ("utf-16", "\t")]
)
def test_every_encoding_and_delimiter_says_the_same(
    plan: Plan, lists: Lists, as_csv: Callable[..., list[Source]], encoding: str, delimiter: str
) -> None:
    lists["学生"][1][1] = "王䶮𠮷"
    assert plan(as_csv(lists, encoding=encoding, delimiter=delimiter)).rows == plan(lists).rows


def test_the_same_lists_again_change_nothing_and_renumber_nobody(plan: Plan, lists: Lists, directory: Directory) -> None:
    again = plan(lists, directory)
    assert again.ok and again.changes_nothing
    assert rows_of(directory) == again.rows


def test_what_is_not_needed_at_a_gate_is_not_kept(plan: Plan, lists: Lists) -> None:
    content = apply(plan(lists), None)
    assert "G000000201803150012" not in repr(content)
    assert not any("学籍" in field for field in repr(content))


def test_other_names_for_sheets_and_columns_are_understood(plan: Plan, lists: Lists) -> None:
    lists["2026级学生信息汇总表"] = [
        ["附件：学生名单"],
        [
            "全国学籍号",
            "学生姓名",
            "校内学号*",
            "年级",
            "班级",
            "座位号（必填）",
            "IC卡号",
            "监护人1姓名",
            "关系",
            "联系电话",
            "备注",
        ],
        ["", "王小明", "20240201", "三年级", "2班", "1", "04A32F91", "张兰", "妈妈", "13812341234", ""],
        ["", "王大明", "20240202", "三年级", "2班", "2", "", "张兰", "母亲", "13812341234", ""],
    ]
    for name in ("学生", "监护人", "委托接送", "限制接送", "卡", "课程", "报名"):
        del lists[name]
    made = plan(lists)
    assert made.ok, said(made)
    assert [r.collector for r in made.rows.guardians.values()] == ["张兰/13812341234"] * 2
    assert [c.uid for c in made.rows.cards.values()] == ["04A32F91"]


# ---- every problem at once -----------------------------------------------------------------------------


def test_every_problem_is_reported_at_once_with_its_place_and_a_remedy(plan: Plan, lists: Lists) -> None:
    lists["班级"][1][3] = "T999"
    lists["班级"][2][5] = "北门"
    lists["学生"][1][2] = "1.1E+17"
    lists["学生"][2][3] = "三(9)班"
    lists["学生"][3][4] = "十"
    lists["学生"][4][1] = ""
    lists["监护人"][1][4] = "138/139"
    lists["限制接送"][1][0] = "20249999"
    lists["卡"][1][0] = "卡"
    lists["课程"][1][6] = "T998"
    lists["报名"][1][1] = "S9"
    lists["报名"][3][2] = "明天"
    made = plan(lists)
    places = {(sheet, row, column) for sheet, row, column, _ in said(made)}
    assert places == {
        ("班级", 2, "班主任"),
        ("班级", 3, "放行门"),
        ("学生", 2, "学籍号"),
        ("学生", 3, "班级"),
        ("学生", 4, "座号"),
        ("学生", 5, "姓名"),
        ("监护人", 2, "手机号"),
        ("限制接送", 2, "学号"),
        ("卡", 2, "卡号"),
        ("课程", 2, "负责教师"),
        ("报名", 2, "课程编号"),
        ("报名", 4, "有效期起"),
    }
    for problem in made.problems:
        assert problem.file.endswith(".csv") and problem.what.zh and problem.what.en and problem.remedy.zh and problem.remedy.en
    with pytest.raises(ImportRefused, match="12 problems; nothing was changed"):
        apply(made, None)


def test_a_missing_column_is_named_and_its_list_is_not_blamed_elsewhere(plan: Plan, lists: Lists) -> None:
    lists["班级"] = [row[1:] for row in lists["班级"]]
    sheet, row, _, what = only(plan(lists))
    assert (sheet, row, what) == ("班级", 1, "缺少“班级”列。")


def test_two_columns_that_mean_the_same_are_refused(plan: Plan, lists: Lists) -> None:
    lists["教职工"] = [[*row, "电话" if n == 0 else ""] for n, row in enumerate(lists["教职工"])]
    assert "意思相同" in only(plan(lists))[3]


def test_a_list_that_may_be_two_kinds_is_asked_about(plan: Plan) -> None:
    rows = [["学号", "接送人编号", "姓名", "关系", "手机号", "证件后四位"], ["1", "J1", "张兰", "母亲", "", ""]]
    assert "看不出是哪种名单" in only(plan({"Sheet1": rows}))[3]


def test_files_without_any_list_say_so(plan: Plan) -> None:
    made = plan({"说明": [["请先阅读"], ["谢谢"]]})
    assert [p.what.zh for p in made.problems] == ["没有找到任何名单。"]


def test_endless_problems_are_counted_not_listed(plan: Plan, lists: Lists) -> None:
    lists["报名"] += [["没有", "没有", "", "", ""] for _ in range(700)]
    made = plan(lists)
    assert len(made.problems) == 500 and made.problems_unlisted == 900 and not made.ok


# ---- card numbers --------------------------------------------------------------------------------------


def cards_of(plan: Plan, lists: Lists, *numbers: str, **options: Any) -> tuple[ImportPlan, list[str]]:
    holders = ["20240201", "20240202", "20220101", "20220102"]
    lists["卡"] = [lists["卡"][0]] + [[n, "M1", "学生", h, "在用"] for n, h in zip(numbers, holders, strict=False)]
    made = plan(lists, **options)
    return made, [card.uid for card in made.rows.cards.values()]


def test_decimal_and_hex_numbers_are_told_apart_by_their_column(plan: Plan, lists: Lists) -> None:
    assert cards_of(plan, lists, "04A32F91", "12345678")[1] == ["04A32F91", "12345678"]
    assert cards_of(plan, lists, "0713233758", "77803409")[1] == ["2A83155E", "04A32F91"]
    assert cards_of(plan, lists, "0x12345678")[1] == ["12345678"]
    assert cards_of(plan, lists, "2435818244", reversed_decimal_cards=True)[1] == ["04A32F91"]


def test_eight_digits_alone_are_asked_about(plan: Plan, lists: Lists) -> None:
    made, _ = cards_of(plan, lists, "12345678")
    assert "十六进制还是十进制" in only(made)[3]


def test_a_known_card_is_found_again_under_another_spelling(plan: Plan, lists: Lists, directory: Directory) -> None:
    lists["卡"][1][0], lists["卡"][3][0] = "2435818244", "0040856634"
    made = plan({"卡": lists["卡"]}, directory)
    assert made.ok and made.changes_nothing, (said(made), made.diff)


def test_a_reversed_hex_list_names_the_same_cards(plan: Plan, lists: Lists, directory: Directory) -> None:
    lists["卡"][1][0], lists["卡"][4][0] = "912FA304", "5E15832A"
    made = plan({"卡": lists["卡"]}, directory)
    assert made.ok and made.changes_nothing, (said(made), made.diff)


def test_a_new_hex_number_is_never_taken_for_a_known_card_by_its_decimal_look(
    plan: Plan, lists: Lists, directory: Directory
) -> None:
    lists["卡"].append(["16312177", "M1", "学生", "20220101", "在用"])  # as a decimal pair, 163,12177 = 04A32F91
    made = plan({"卡": lists["卡"]}, directory)
    assert made.ok, said(made)
    assert "16312177" in {card.uid for card in made.rows.cards.values()}


def test_a_number_that_fits_two_known_cards_is_asked_about(plan: Plan, lists: Lists, directory: Directory) -> None:
    lists["卡"].append(["77A32F91", "M1", "学生", "20220101", "在用"])
    both = index(apply(plan(lists), None), number=1, made_at_ms=0)
    lists["卡"][1][0] = "163,12177"
    assert "可能是几张卡" in only(plan({"卡": lists["卡"][:4]}, both, allow_removals=True))[3]


# ---- partial imports -----------------------------------------------------------------------------------


def indexed(content: Content) -> Directory:
    return index(content, number=2, made_at_ms=0)


def test_one_list_changes_only_its_kind(plan: Plan, lists: Lists, content: Content, directory: Directory) -> None:
    lists["监护人"][1][4] = lists["监护人"][2][4] = "13900000001"
    lists["监护人"][3][3] = "爷爷"
    made = plan({"监护人": lists["监护人"]}, directory)
    assert made.ok
    changes = {d.kind.value: d for d in made.diff}
    assert set(changes) == {"collectors", "guardians"}
    (phone,) = changes["collectors"].changed
    assert phone.what == "J1 张兰" and phone.fields == {"手机号": ("138****1234", "139****0001")}
    (relation,) = changes["guardians"].changed
    assert relation.fields == {"关系": ("父亲", "祖父")}
    after = indexed(apply(made, content))
    assert after.cards == directory.cards and after.restrictions_of == directory.restrictions_of


def test_what_a_kept_list_says_of_an_adult_survives_another_list(
    plan: Plan, lists: Lists, content: Content, directory: Directory
) -> None:
    lists["监护人"].append(["20220102", "J3", "彭海", "舅舅", "", "", "2"])
    after = indexed(apply(plan({"监护人": lists["监护人"]}, directory), content))
    uncle = next(c for c in after.collectors.values() if c.key == "J3")
    assert (uncle.phone, uncle.organisation, uncle.daily_limit) == ("13800000012", "晨光托管", 20)


def test_a_pupil_who_leaves_takes_along_what_hung_on_him(
    plan: Plan, lists: Lists, content: Content, directory: Directory
) -> None:
    del lists["学生"][1]
    made = plan({"学生": lists["学生"]}, directory)
    assert made.ok
    removed = {d.kind.value: d.removed for d in made.diff}
    assert removed["pupils"] == ("20240201 王小明",)
    assert removed["cards"] == ("04A32F91 pupil 20240201",) and len(removed["enrolments"]) == 2
    assert removed["collectors"] == ("J4 王强",)  # known only by the restriction for this child
    after = indexed(apply(made, content))
    assert len(after.pupils) == 3 and pupil(directory, "20240201") not in after.collectors_of


def test_numbers_are_never_given_to_somebody_else(plan: Plan, lists: Lists, content: Content, directory: Directory) -> None:
    ming = pupil(directory, "20240201")
    without = apply(plan({"学生": [lists["学生"][0], *lists["学生"][2:]]}, directory), content)
    newcomer = [*lists["学生"][1]]
    newcomer[0], newcomer[1], newcomer[2] = "20240203", "新同学", ""
    with_new = apply(plan({"学生": [*lists["学生"][:1], *lists["学生"][2:], newcomer]}, indexed(without)), without)
    assert pupil(indexed(with_new), "20240203") == content.next_number
    back = apply(plan(lists, indexed(with_new)), with_new)
    assert pupil(indexed(back), "20240201") == ming
    erased, _ = erase_person(back, ming)
    again = apply(plan(lists, indexed(erased)), erased)
    assert pupil(indexed(again), "20240201") == with_new.next_number


def test_numbers_begin_above_those_of_an_old_journal(plan: Plan, lists: Lists) -> None:
    made = apply(plan(lists), None, first_number=5_000)
    assert min(p.number for p in made.persons) == 5_000


def test_a_number_that_changes_its_name_is_pointed_out(plan: Plan, lists: Lists, directory: Directory) -> None:
    lists["学生"][1][1] = "另一人"
    made = plan({"学生": lists["学生"]}, directory)
    assert made.ok and "由“王小明”改名为“另一人”" in made.warnings[0].what.zh


def test_a_list_that_would_remove_most_of_the_school_needs_a_word(plan: Plan, lists: Lists) -> None:
    lists["学生"] += [[f"2022{n:04d}", "某同学", "", "五(1)班", str(n % 90), "", "", "", ""] for n in range(103, 153)]
    many = indexed(apply(plan(lists), None))
    few = {"学生": lists["学生"][:5]}
    made = plan(few, many)
    assert "将删除 50 条学生记录" in only(made)[3] and "--allow-removals" in made.problems[0].remedy.zh
    assert plan(few, many, allow_removals=True).ok


def test_lists_that_stay_may_not_lose_what_they_stand_on(plan: Plan, lists: Lists, directory: Directory) -> None:
    assert "仍有 2 名学生" in only(plan({"班级": lists["班级"][:2]}, directory))[3]
    made = plan({"教职工": lists["教职工"][:2]}, directory)
    assert {"课程“篮球”的负责教师 T002 已不在教职工表中。", "课程“延时托管”的负责教师 G001 已不在教职工表中。"} == {
        p.what.zh for p in made.problems
    }
    assert any("班主任 T002" in w.what.zh for w in made.warnings)


def test_in_a_new_school_year_everybody_is_a_grade_older(
    plan: Plan, lists: Lists, content: Content, directory: Directory
) -> None:
    made = plan({"教职工": lists["教职工"]}, directory, school_year_start=2027)
    after = indexed(apply(made, content))
    assert {c.id: c.grade for c in after.classes.values()} == {"primary-2024-2": 4, "primary-2022-1": 6}
    assert after.pupils[pupil(after, "20240201")].grade == 4
    left = plan({"教职工": lists["教职工"]}, directory, school_year_start=2028)
    assert left.ok and "已毕业" in left.warnings[0].what.zh


def test_schools_without_numbers_for_adults_go_by_name_and_telephone(plan: Plan, lists: Lists) -> None:
    for name in ("监护人", "委托接送", "限制接送"):
        lists[name] = [[cell for at, cell in enumerate(row) if at != 1] for row in lists[name]]
    lists["限制接送"][1][1] = "张兰"  # the mother herself: the restriction must hit the same person
    del lists["卡"][3]
    made = plan(lists)
    assert made.ok, said(made)
    assert set(made.rows.collectors) == {"张兰/13812341234", "买买提·艾则孜/13800000011", "彭海/13800000012"}
    (restriction,) = made.rows.restrictions.values()
    assert restriction.collector == "张兰/13812341234"
    lists["监护人"][1][3] = lists["监护人"][2][3] = "13900000009"
    again = plan(lists, indexed(apply(made, None)))
    assert "张兰/13812341234" in again.rows.collectors  # a new telephone is not a new person


def test_pins_are_hashed_once_and_kept_by_later_lists(plan: Plan, lists: Lists) -> None:
    lists["教职工"] = [[*row, ("演示密码", "2580", "", "1357")[n]] for n, row in enumerate(lists["教职工"])]
    made = plan(lists)
    assert "2580" not in repr(made) and "2580" not in str(made.as_json())
    with pytest.raises(ImportRefused, match="pepper"):
        apply(made, None)
    first = apply(made, None, pepper=PEPPER)
    number = indexed(first).by_staff_number["T001"]
    assert verify_pin(first.pins[number], "2580", PEPPER) and len(first.pins) == 2
    assert apply(made, first, pepper=PEPPER) == first
    lists["教职工"][1][4], lists["教职工"][3][4] = "", "2468"
    second = apply(plan({"教职工": lists["教职工"]}, indexed(first)), first, pepper=PEPPER)
    assert second.pins[number] == first.pins[number]
    guard = indexed(second).by_staff_number["G001"]
    assert verify_pin(second.pins[guard], "2468", PEPPER)
    lists["教职工"][1][4] = "12"
    assert "4 至 12 位数字" in only(plan(lists))[3]


# ---- round trips ---------------------------------------------------------------------------------------

names = st.text("王李欧阳司马小明丽若曦䶮𠮷·", min_size=1, max_size=5).filter(lambda s: s.strip("·") == s)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_pupils_come_back_from_the_directory_as_they_were_listed(plan: Plan, lists: Lists, data: st.DataObject) -> None:
    seats = data.draw(st.lists(st.integers(1, 60), unique=True, min_size=1, max_size=12))
    rows = [
        [
            f"P{seat}",
            data.draw(names),
            "",
            data.draw(st.sampled_from(["三(2)班", "三年级2班", "五（1）班"])),
            str(seat),
            data.draw(st.sampled_from(["", "家长接", "校车"])),
            data.draw(st.sampled_from(["", "是", "否", "√"])),
            data.draw(st.sampled_from(["", "走读", "住校"])),
            data.draw(st.sampled_from(["", "1", "0"])),
        ]
        for seat in seats
    ]
    made = plan({"班级": lists["班级"], "教职工": lists["教职工"], "学生": [lists["学生"][0], *rows]})
    assert made.ok, said(made)
    content = apply(made, None)
    assert rows_of(indexed(content)) == made.rows
    assert sorted(p.number for p in content.persons) == list(range(1, content.next_number))
    assert [p.name for p in content.pupils] == [row[1] for row in rows]


@pytest.mark.row("D7", "xiji", "tianjin", "luoyang", "yueyang")
def test_d7_whose_staff_from_outside_are_is_read_and_kept_by_a_list_without_these_columns(
    plan: Plan, lists: Lists, directory: Directory
) -> None:
    vetted = {"机构": "少年宫", "合同起": "2026-09-01", "合同止": "2027-01-31", "资质编号": "Z-17"}
    vetted |= {"犯罪记录查询日期": "2026-08-20"}
    plain = [list(row) for row in lists["教职工"]]
    lists["教职工"] = [[*row, *(vetted if n == 0 else vetted.values() if n == 1 else [""] * 5)] for n, row in enumerate(plain)]
    content = apply(plan(lists), None)
    (one,) = content.outside
    assert (one.organisation, one.contract_to, one.qualification) == ("少年宫", date(2027, 1, 31), "Z-17")
    assert (one.record_checked, one.health_checked) == (date(2026, 8, 20), None)
    known = index(content, number=1, made_at_ms=1)
    assert plan({"教职工": plain}, known).rows == rows_of(known)
    plain[0], plain[1] = [*plain[0], "机构"], [*plain[1], "本校"]
    assert not plan({"教职工": plain}, known).rows.staff[plain[1][0]].organisation
