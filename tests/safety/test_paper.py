"""The list on paper, and from the records alone when nothing else is left of the gate."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.printer_supervisor import PrinterSupervisor
from drivers.protocols import Health
from drivers.registry import load
from drivers.simulated.receipt_printer import SimulatedReceiptPrinter
from drivers.supervisor import Patience
from kiosk.core import commands as c
from kiosk.core import roster_safety as s
from kiosk.directory import publish
from kiosk.directory_schema import Content
from kiosk.muster import MusterError, muster_at
from kiosk.paper import Paper, as_text, muster_slip, waiting_slip
from tests.support.people import PUPILS
from tests.support.running_gate import run_kiosk
from tests.support.school import CONFIG, School

QUICKLY = Patience(first_s=0.05, longest_s=0.2, misconfigured_s=0.2)


@pytest.fixture(name="school")
def the_school_in_the_morning(tmp_path: Path) -> Iterator[School]:
    school = School(tmp_path / "state", at="08:10")
    for name in ("王小明", "王小红", "李雷", "欧阳娜"):
        school.tap(name, "east-in")
    yield school
    school.close()


@pytest.fixture(name="printer")
def a_printer() -> Iterator[SimulatedReceiptPrinter]:
    with SimulatedReceiptPrinter() as printer:
        yield printer


@pytest.fixture(name="stopped")
def set_as_soon_as_the_printer_is_down() -> threading.Event:
    return threading.Event()


@pytest.fixture(name="paper")
def paper_in_the_gatehouse(school: School, printer: SimulatedReceiptPrinter, stopped: threading.Event) -> Iterator[Paper]:
    def told(name: str, health: Health, why: str) -> None:
        if health is Health.DOWN:
            stopped.set()

    desk = PrinterSupervisor(load(printer.url, "slips"), on_health=told, patience=QUICKLY).start()
    yield Paper(controller=school.gate, printers={"slips": desk}, only="", by_itself=True, note=school.gate.journal.note)
    assert desk.stop()


def declare(school: School, *, drill: bool = False) -> None:
    school.ask(c.DeclareEmergency(by=school.number("赵师傅"), drill=drill))


def squeezed(text: str) -> str:
    return re.sub(r" +", " ", text)


@pytest.mark.row("D6", "changzhi", "xiji", "tianjin", "yueyang")
def test_d6_turning_the_key_prints_the_list_with_class_seat_place_and_custodian(
    school: School, printer: SimulatedReceiptPrinter, paper: Paper
) -> None:
    who = {"name": "钱工", "organisation": "电梯公司", "purpose": "repair", "id_type": "id_card", "id_last4": "0027"}
    school.ask(c.VisitorIn(gate="east", by=130, **who))
    declare(school)
    assert printer.wait_for_slips(1)
    text = squeezed(printer.slips[0])
    assert "紧急疏散 · 集合清点" in text and "11月23日 星期一 08:10:00 east" in text and "由 赵师傅 启动" in text
    assert "名单 4 未清点 4" in text
    assert "一(1)班 1 人 缺 1 101 张老师\n 在 校园 · 张老师 1 人\n□01王小明" in text
    assert "□ 钱工 电梯公司 维修施工" in text
    assert all(f"□{row.seat:02}{row.name}" in text for one in school.look(s.MusterQuery()).classes for row in one.rows)
    assert text.endswith("名单完")


def test_a_drill_is_a_drill_on_paper_too(school: School, printer: SimulatedReceiptPrinter, paper: Paper) -> None:
    declare(school, drill=True)
    assert printer.wait_for_slips(1)
    assert "【演练】集合清点" in printer.slips[0]


def test_a_list_is_printed_once_for_one_emergency(school: School, printer: SimulatedReceiptPrinter, paper: Paper) -> None:
    declare(school)
    declare(school)
    school.at("08:20")
    assert printer.wait_for_slips(1)
    paper.print(school.look(s.WaitingQuery("east")))  # goes behind whatever waits
    assert printer.wait_for_slips(2)
    assert "待接名单" in printer.slips[1]


def test_a_list_that_waited_for_paper_says_that_it_is_the_second_try(
    school: School, printer: SimulatedReceiptPrinter, paper: Paper, stopped: threading.Event
) -> None:
    printer.leave_lines(5)
    declare(school)
    assert stopped.wait(10)
    printer.load_paper()
    assert printer.wait_for_slips(2)
    assert "第 2 次打印" in printer.slips[1]
    assert "□01王小明" in printer.slips[1]


def test_whoever_is_still_looked_for_stands_first_on_a_later_print(school: School) -> None:
    declare(school)
    school.ask(c.Muster(point="操场", children=(1, 2), by=101))
    school.tap("李雷", "south-out")
    text = squeezed(as_text(muster_slip(school.look(s.MusterQuery()), columns=48)))
    assert "还没有找到的人\n□ 三(1)班 02 欧阳娜\n 最后：校园 · 陈老师 08:10" in text
    assert "08:10 在南门出口刷卡出门，尚未清点" in text
    assert "√01王小明" in text


def test_the_waiting_list_names_whom_to_call(school: School) -> None:
    school.at("15:50")
    text = squeezed(as_text(waiting_slip(school.look(s.WaitingQuery("east")), columns=32)))
    assert "待接名单 · 东门" in text
    assert "□ 一(1)班 01 王小明" in text and "母亲 王妈妈 尾号 0001" in text
    assert "王爸爸" not in text, "a restricted person is never named as somebody to call"


def test_no_name_is_cut_while_a_line_can_hold_it(school: School) -> None:
    declare(school)
    view: s.MusterView = school.look(s.MusterQuery())
    long = "阿卜杜热合曼·买买提"
    first = view.classes[0]
    named = replace(first, rows=(replace(first.rows[0], name=long), *first.rows[1:]))
    text = as_text(muster_slip(replace(view, classes=(named, *view.classes[1:]), staff=()), columns=32))
    assert f"□01{long}" in text


# --- from the records alone --------------------------------------------------------------------------------------


@pytest.fixture(name="dead")
def a_gate_that_died(school: School) -> Path:
    """It had declared, and counted one child; then the power went. Only its folder is left."""
    school.at("08:42")
    declare(school)
    school.ask(c.Muster(point="操场", children=(1,), by=101))
    school.close()
    content = Content(pupils=tuple(school.directory.pupils.values()), classes=tuple(school.directory.classes.values()),
                      staff=tuple(school.directory.staff.values()))  # fmt: skip
    publish(school.state / "directory.db", content, 1, school.clock.now_ms())
    return school.state


def test_the_records_of_a_dead_gate_give_the_same_list(dead: Path, school: School) -> None:
    found = muster_at(school.settings, dead)
    assert (found.state, found.expected, found.mustered, found.missing) == ("running", 4, 1, 3)
    assert muster_at(school.settings, dead, "2026-11-23T08:41").state == "none"
    assert {row.name for one in found.classes for row in one.rows} == {"王小明", "王小红", "李雷", "欧阳娜"}


def test_without_the_people_file_the_list_has_numbers(dead: Path, school: School) -> None:
    (dead / "directory.db").unlink()
    found = muster_at(school.settings, dead)
    assert sorted(row.name for one in found.classes for row in one.rows) == ["#1", "#2", "#3", "#6"]


def test_an_empty_folder_is_named_with_its_remedy(tmp_path: Path, school: School) -> None:
    with pytest.raises(MusterError, match="--state"):
        muster_at(school.settings, tmp_path)


def test_kiosk_muster_on_the_command_line(dead: Path) -> None:
    said = run_kiosk("muster", "--config", str(CONFIG), "--state", str(dead))
    assert said.returncode == 0, said.stderr
    assert "√01王小明" in said.stdout and "□02欧阳娜" in said.stdout
    as_json = json.loads(run_kiosk("muster", "--config", str(CONFIG), "--state", str(dead), "--json").stdout)
    assert (as_json["expected"], as_json["missing"], as_json["drill"]) == (4, 3, False)
    assert [row["name"] for one in as_json["classes"] for row in one["rows"] if row["what"] == "mustered"] == ["王小明"]
    nothing = run_kiosk("muster", "--config", str(CONFIG), "--state", str(dead), "--print")
    assert nothing.returncode == 1 and "no printer is set up" in nothing.stderr


def test_kiosk_muster_writes_bytes_for_a_printer_and_prints(dead: Path, tmp_path: Path, printer: SimulatedReceiptPrinter) -> None:
    config = tmp_path / "config"
    config.mkdir()
    for path in CONFIG.glob("*.toml"):
        (config / path.name).write_bytes(path.read_bytes())
    site = ["[node]", 'id = "east"', "[[device]]", 'name = "slips"', f'url = "{printer.url}"']
    (config / "site.toml").write_text("\n".join(site), encoding="utf-8")
    said = run_kiosk("muster", "--config", str(config), "--state", str(dead), "--print")
    assert said.returncode == 0, said.stderr
    assert printer.wait_for_slips(1)
    assert "□02欧阳娜" in printer.slips[0]
    assert len(PUPILS) == 10
