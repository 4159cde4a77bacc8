"""The sample school: its settings, its people, its rush, and the plans for the five cities."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from kiosk.core.timetable import DayType, resolve_day
from kiosk.sample_school import Sheet, arrival_curve, make_sheets
from kiosk.sample_school.__main__ import SEED, main, write
from kiosk.settings import load

CONFIG = Path(__file__).parents[2] / "config"
SAMPLE = CONFIG / "sample_school"
CITIES = ("changzhi", "xiji", "tianjin", "luoyang", "yueyang")


@pytest.fixture(scope="module")
def sheets() -> dict[str, list[dict[str, str]]]:
    return {sheet.name: [dict(zip(sheet.header, row, strict=True)) for row in sheet.rows] for sheet in make_sheets(SEED)}


def test_the_data_that_ships_is_what_the_seed_makes(tmp_path: Path) -> None:
    write(tmp_path, SEED)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(made) == 11
    for name, content in made.items():
        assert (SAMPLE / name).read_bytes() == content, f"{name}: run python -m kiosk.sample_school config/sample_school"


def test_another_seed_makes_other_people() -> None:
    assert make_sheets(1)[1] != make_sheets(2)[1]


def test_the_school_has_the_size_that_it_claims(sheets: dict[str, list[dict[str, str]]]) -> None:
    pupils = sheets["学生"]
    assert (len(sheets["班级"]), len(pupils)) == (36, 1620)
    assert set(Counter(p["班级"] for p in pupils).values()) == {45}
    assert sum(p["课后服务"] == "是" for p in pupils) == 1350
    assert sum(p["延时托管"] == "是" for p in pupils) == 40
    assert 0.66 < sum(p["抓拍同意"] == "是" for p in pupils) / 1620 < 0.74
    assert 2_800 < len({g["接送人编号"] for g in sheets["监护人"]}) < 3_200
    assert 1_300 < len({d["接送人编号"] for d in sheets["委托接送"]}) < 1_700
    assert len(sheets["限制接送"]) == 4
    roles = Counter(member["角色"] for member in sheets["教职工"])
    assert (roles["教师"], roles["门卫"], roles["值班领导、教师"]) == (100, 4, 2)


def test_children_leave_alone_by_grade_and_never_in_the_two_lowest(sheets: dict[str, list[dict[str, str]]]) -> None:
    alone = Counter(p["班级"][0] for p in sheets["学生"] if p["自行离校同意"] == "是")
    assert dict(alone) == {"三": 40, "四": 94, "五": 148, "六": 189}


def test_both_slots_one_slot_and_the_other_are_all_chosen(sheets: dict[str, list[dict[str, str]]]) -> None:
    slot = {item["课程编号"]: item["时段"] for item in sheets["课程"]}
    chosen: dict[str, set[str]] = {}
    for place in sheets["报名"]:
        if slot[place["课程编号"]] in "12":
            chosen.setdefault(place["学号"], set()).add(slot[place["课程编号"]])
    assert Counter("".join(sorted(slots)) for slots in chosen.values()) == {"1": 330, "2": 20, "12": 1000}
    assert Counter(slot.values())["1"] == 39
    clubs = [item for item in sheets["课程"] if item["时段"] == "2"]
    for day in "一二三四五":
        assert sum(day in item["星期"] for item in clubs) == 40
    assert sum(bool(item["合作机构"]) for item in clubs) == 10


def test_no_session_is_overbooked_and_nobody_teaches_or_sits_in_two_at_once(sheets: dict[str, list[dict[str, str]]]) -> None:
    sessions = {item["课程编号"]: item for item in sheets["课程"]}
    taken = Counter(place["课程编号"] for place in sheets["报名"])
    assert all(not item["容量"] or taken[number] <= int(item["容量"]) for number, item in sessions.items())
    busy: set[tuple[str, str, str]] = set()
    for item in sessions.values():
        for day in item["星期"].split("、"):
            assert (item["负责教师"], item["时段"], day) not in busy
            busy.add((item["负责教师"], item["时段"], day))
    seats: set[tuple[str, str, str]] = set()
    for place in sheets["报名"]:
        item = sessions[place["课程编号"]]
        for day in item["星期"].split("、"):
            assert (place["学号"], item["时段"], day) not in seats
            seats.add((place["学号"], item["时段"], day))


def test_numbers_are_unique_and_point_to_somebody(sheets: dict[str, list[dict[str, str]]]) -> None:
    pupils = {p["学号"] for p in sheets["学生"]}
    staff = {m["工号"] for m in sheets["教职工"]}
    adults = {a["接送人编号"] for name in ("监护人", "委托接送") for a in sheets[name]}
    assert len(pupils) == 1620 and len({p["学籍号"] for p in sheets["学生"]}) == 1620
    assert all(p["学籍号"].startswith("G000000") for p in sheets["学生"])
    assert len({card["卡号"] for card in sheets["卡"]}) == len(sheets["卡"])
    holders = {"学生": pupils, "接送人": adults, "教职工": staff}
    assert all(card["持有人编号"] in holders[card["持有人类型"]] for card in sheets["卡"])
    assert all(row["学号"] in pupils for name in ("监护人", "委托接送", "限制接送", "报名", "申请") for row in sheets[name])
    assert all(row["负责教师"] in staff for row in sheets["课程"])
    assert all(row["接送人编号"] in adults for row in sheets["限制接送"])
    kinds = Counter(card["卡类型"] for card in sheets["卡"] if card["持有人类型"] == "学生")
    assert kinds["ID"] == 60 and kinds["M1"] == 1620 - 8 - 60 + 6
    assert sum(len(card["卡号"]) == 10 and card["卡类型"] == "M1" for card in sheets["卡"]) == 40


def test_the_same_adult_is_the_same_person_in_every_row(sheets: dict[str, list[dict[str, str]]]) -> None:
    known: dict[str, tuple[str, str]] = {}
    for name in ("监护人", "委托接送"):
        for row in sheets[name]:
            who = (row["姓名"], row["手机号"])
            assert known.setdefault(row["接送人编号"], who) == who
    assert len({phone for _, phone in known.values()}) == len(known)
    siblings = Counter(row["接送人编号"] for row in sheets["监护人"])
    assert sum(n > 1 for n in siblings.values()) > 50


def test_names_that_software_stumbles_over_are_there(sheets: dict[str, list[dict[str, str]]]) -> None:
    names = {p["姓名"] for p in sheets["学生"]}
    assert {"欧阳若曦", "阿依古丽·买买提", "刘䶮", "陈㛃", "李𠮷"} <= names


def test_the_files_open_in_chinese_spreadsheets() -> None:
    raw = (SAMPLE / "people" / "学生.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") and b"\r\n" in raw
    rows = list(csv.reader(raw.decode("utf-8-sig").splitlines()))
    assert rows[0][:2] == ["学号", "姓名"]
    assert Sheet("表", ("姓名",), (("a,b",),)).csv_bytes() == '\ufeff姓名\r\n"a,b"\r\n'.encode()


def test_the_readme_names_every_sheet_and_column() -> None:
    readme = (SAMPLE / "people" / "README.md").read_text("utf-8")
    for sheet in make_sheets(SEED):
        assert f"{sheet.name}.csv" in readme
        for column in sheet.header:
            assert column in readme, f"{sheet.name}.{column}"


def test_the_rush_has_the_waves_and_the_peaks_that_it_claims() -> None:
    curve = arrival_curve()
    assert len(curve) == 100 and curve[0][0] == 7 * 60
    assert sum(row[1] for row in curve) == sum(row[2] for row in curve) == 1588
    assert max(row[1] for row in curve) == 49
    assert max(row[2] for row in curve) == 76
    wave = [row[1] for row in curve if 7 * 60 + 30 <= row[0] < 7 * 60 + 50]
    assert sum(wave) == 518


def test_a_school_of_another_size_keeps_the_shares() -> None:
    small = {sheet.name: sheet for sheet in make_sheets(SEED, classes_per_grade=2)}
    assert (len(small["班级"].rows), len(small["学生"].rows)) == (12, 540)
    assert len(small["教职工"].rows) == 30 + 4 + 2 + 2 + 1 + 3


def test_the_generator_says_what_it_cannot_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path), "--classes-per-grade", "0"])
    assert stopped.value.code == 2
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "file")]) == 2
    assert "cannot write to" in capsys.readouterr().err


def test_the_sample_schools_afternoon_is_the_one_of_its_plan() -> None:
    settings = load(SAMPLE)
    winter = settings.plan.schedules["winter"]
    assert [(s.start_min, s.end_min) for s in winter.slots] == [(990, 1050), (1050, 1110)]
    assert winter.gate_closes_min == 19 * 60 + 30
    assert winter.dismissal_min == {"primary-1": 930, "primary-2": 930, "*": 970}
    assert [rung.at_min for rung in settings.rules.ladder] == [0, 10, 15, 30, 60, 90]
    assert set(settings.rules.gates) == {"east", "south"}
    rooms = {point.room for point in settings.rules.access_points.values()}
    taught = {row[5] for sheet in make_sheets(SEED) if sheet.name == "课程" for row in sheet.rows}
    assert taught <= rooms


@pytest.mark.parametrize("city", CITIES)
def test_each_city_has_a_plan_that_loads(city: str) -> None:
    settings = load(SAMPLE / "variants" / city)
    assert settings.school.city == city
    assert settings.find("people") == SAMPLE / "people"


def test_the_cities_differ_on_the_makeup_saturday() -> None:
    makeup = date(2026, 10, 10)
    days = {city: resolve_day(makeup, load(SAMPLE / "variants" / city).calendar) for city in CITIES}
    assert all(day.type is DayType.TEACHING for day in days.values())
    service = {city for city, day in days.items() if day.after_school}
    assert service == {"changzhi", "xiji"}


def test_the_example_for_a_real_school_loads_and_has_no_device_yet() -> None:
    settings = load(CONFIG / "site.example")
    assert (settings.site.node, settings.site.gate, settings.site.devices) == ("gate-main", "main", ())
