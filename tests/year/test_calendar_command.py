"""`kiosk calendar`: what machines and people read of a day, a term and a year."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from kiosk.__main__ import main
from kiosk.settings import load
from tests.support.school import CONFIG
from tests.year.cities import CITIES, VARIANTS, settings_of


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["calendar", *words])
    return code, capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code, out = said(capsys, *words, "--json")
    return code, json.loads(out)


@pytest.mark.parametrize("city", CITIES)
def test_each_citys_answer_to_the_makeup_saturday_names_who_decided(city: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = document(capsys, str(VARIANTS / city), "2026-10-10")
    assert code == 0 and found["type"] == "teaching" and found["makeup"]
    assert found["decided_by"] == "term"
    assert found["service_by"] == ("" if city == "xiji" else "term"), "in Xiji the policy answers: if the school teaches"
    assert found["service"] is (city in ("changzhi", "xiji"))
    assert [s["layer"] for s in found["layers"]] == ["weekday", "national", "district", "term", "override"]
    assert found["layers"][1]["says"] == {"type": "teaching", "note": "国庆节调休上班"}
    assert bool(found["clauses"]) is (city != "luoyang"), "a silent document is silent"


@pytest.mark.parametrize("city", CITIES)
def test_a_day_that_needs_a_look_ends_with_exit_code_one(city: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, str(VARIANTS / city), "2027-03-08")
    assert code == 1 and "国家放假安排未收录该年份" in text
    code, text = said(capsys, str(VARIANTS / city), "2026-10-07")
    assert code == 0 and "② 国家放假安排 national" in text and "国庆节" in text


def test_an_early_dismissal_is_shown_by_grade(capsys: pytest.CaptureFixture[str]) -> None:
    _, found = document(capsys, str(VARIANTS / "yueyang"), "2026-09-30")
    assert [(b["grades"][0], b["dismissal"], b["early"]) for b in found["bells"]] == [
        ("primary-1", "14:05", True),
        ("primary-3", "14:30", True),
    ]


@pytest.mark.parametrize("city", CITIES)
def test_a_year_counts_months_weeks_openings_and_what_is_unverified(city: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = document(capsys, str(VARIANTS / city), "--year", "2026")
    months = {m["month"]: m for m in found["months"]}
    assert code == 0 and len(months) == 12 and len(found["days"]) == 365
    assert sum(m["opening"] for m in found["months"]) == (28 if city == "changzhi" else 0)
    assert months["2026-10"]["makeup"] == 1 and months["2027-03"]["unverified"] == 31
    assert (months["2026-11"]["weekend"] > 0) is (city == "changzhi")
    (weeks,) = found["weeks"]
    assert (weeks["demanded"], weeks["stages"]) == ((40, ["primary"]) if city == "xiji" else (None, []))
    assert weeks["planned"] == 40
    _, text = said(capsys, str(VARIANTS / city), "--year", "2026")
    assert "2026-10-08" in text and "2026-09-20" in text


def test_a_term_lists_each_of_its_days(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = document(capsys, str(VARIANTS / "xiji"), "--term", "2026_autumn")
    assert code == 0 and (found["days"][0]["date"], found["days"][-1]["date"]) == ("2026-09-01", "2027-01-22")
    _, text = said(capsys, str(VARIANTS / "xiji"), "--term", "2026_autumn")
    assert len(text.splitlines()) == len(found["days"]) == 144


def test_what_cannot_be_shown_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calendar", str(VARIANTS / "xiji"), "10.10.2026"]) == 2
    assert "write it as 2026-10-10" in capsys.readouterr().err
    assert main(["calendar", str(VARIANTS / "xiji"), "--term", "2030"]) == 2
    assert settings_of("xiji").calendar.terms[0].id in capsys.readouterr().err


def test_a_national_schedule_is_taken_in_after_a_dry_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, file = tmp_path / "config", tmp_path / "2027.json"
    shutil.copytree(CONFIG, folder)
    days = [("2027-01-04", True), ("2027-01-09", False), ("2027-01-01", True)]
    rows = [{"name": "元旦", "date": day, "isOffDay": off} for day, off in days]
    file.write_text(json.dumps({"year": 2027, "days": rows}), encoding="utf-8")
    into = ("import", str(file), "--config", str(folder))
    code, found = document(capsys, *into, "--dry-run")
    assert code == 0 and {c["date"] for c in found["changes"]} == {day for day, _ in days} and not found["replaces"]
    assert not (folder / "national").exists() and 2027 not in load(folder).calendar.national_years
    code, text = said(capsys, *into)
    assert code == 0 and "元旦调休上班" in text
    _, found = document(capsys, str(folder), "2027-01-04")
    assert (found["type"], found["decided_by"], found["unverified"]) == ("holiday", "national", False)
    _, found = document(capsys, str(folder), "2027-01-05")
    assert not found["unverified"]
    code, found = document(capsys, *into)
    assert found["replaces"] and not found["changes"]


def test_a_file_that_is_no_schedule_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "2027.json"
    wrong.write_text("{}")
    assert main(["calendar", "import", str(wrong), "--config", str(CONFIG)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["calendar", "import", str(tmp_path / "none.json"), "--config", str(CONFIG)]) == 2
    assert main(["calendar", "import"]) == 2
