"""What a printer promises, held by the receipt printer driver against its simulator, over TCP and over a device file.

A slip is on paper as a whole, or it is not called printed. Every trouble names what to do at the printer.
"""

from __future__ import annotations

import itertools
import threading
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from drivers.errors import DeviceLost, Misconfigured
from drivers.escpos import Line
from drivers.printer_supervisor import PrinterSupervisor
from drivers.protocols import Health, Printer
from drivers.registry import load
from drivers.simulated.receipt_printer import SimulatedReceiptPrinter
from drivers.supervisor import Patience

SOON_S = 30.0
QUICKLY = Patience(first_s=0.05, longest_s=0.2, misconfigured_s=0.2)
QUALITY = tomllib.loads((Path(__file__).parents[2] / "drivers" / "QUALITY.toml").read_text(encoding="utf-8"))


@pytest.fixture(name="printer", params=["tcp", "pty"])
def a_printer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SimulatedReceiptPrinter]:
    with SimulatedReceiptPrinter(over=request.param, link=tmp_path / "lp0") as printer:
        yield printer


def driver_of(printer: SimulatedReceiptPrinter, **options: object) -> Printer:
    driver = load(printer.url, "paper", **options)
    assert isinstance(driver, Printer)
    return driver


class Desk:
    """A printer under its supervisor, and everything that was told."""

    def __init__(self, printer: SimulatedReceiptPrinter, **options: object) -> None:
        self.told: list[tuple[Health, str]] = []
        self._news = threading.Condition()
        driver = driver_of(printer, **options)
        self.supervisor = PrinterSupervisor(driver, on_health=self._on_health, patience=QUICKLY).start()

    def _on_health(self, name: str, health: Health, why: str) -> None:
        with self._news:
            self.told.append((health, why))
            self._news.notify_all()

    def wait_for(self, health: Health, *, times: int = 1) -> str:
        """The sentence that came with it."""

        def said() -> bool:
            return [each for each, _ in self.told].count(health) >= times

        with self._news:
            assert self._news.wait_for(said, SOON_S), self.told
            return [why for each, why in self.told if each is health][-1]

    def print(self, *texts: str) -> None:
        assert self.supervisor.print(lambda tries: slip(*texts, f"第{tries}次"))


def slip(*texts: str) -> Iterable[Line]:
    return [Line(text=text) for text in texts]


@pytest.fixture(name="desk")
def a_running_desk(printer: SimulatedReceiptPrinter) -> Iterator[Desk]:
    desk = Desk(printer)
    desk.wait_for(Health.OK)
    yield desk
    assert desk.supervisor.stop()


def test_a_slip_comes_out_as_it_was_written(printer: SimulatedReceiptPrinter) -> None:
    lines = [
        Line(text="实验小学 · 集合清点", size=2, bold=True, align="centre"),
        Line(text="三(2)班 301"),
        Line(text="□01王小明  □02欧阳娜  □03䶮㛃𠮷"),
    ]
    driver_of(printer).print(lines)
    assert printer.slips == ["实验小学 · 集合清点\n三(2)班 301\n□01王小明  □02欧阳娜  □03䶮㛃𠮷"]


def test_a_line_is_cut_to_the_width_of_the_paper(printer: SimulatedReceiptPrinter) -> None:
    driver_of(printer, columns=16).print([Line(text="一二三四五六七八九"), Line(text="大大大大大", size=2)])
    assert printer.slips == ["一二三四五六七八\n大大大大"]


def test_a_name_can_command_nothing(printer: SimulatedReceiptPrinter) -> None:
    driver_of(printer).print(slip("王\x1b@小\x1dV\x00明\x10\x04\x01\n\x0a家长"))
    assert printer.slips == ["王@小V明家长"]


def test_an_old_printer_prints_a_box_for_a_character_that_it_lacks(tmp_path: Path) -> None:
    with SimulatedReceiptPrinter(charset="gbk") as printer:
        driver_of(printer, charset="gbk").print(slip("07 𠮷田"))
        assert printer.slips == ["07 □田"]


def test_no_paper_is_said_with_its_remedy_and_the_list_comes_out_as_soon_as_there_is_some(
    printer: SimulatedReceiptPrinter, desk: Desk
) -> None:
    printer.paper_out()
    desk.print("名单")
    assert "out of paper; put in a new roll" in desk.wait_for(Health.DOWN)
    printer.load_paper()
    assert printer.wait_for_slips(1, timeout_s=SOON_S)
    assert printer.slips[-1].startswith("名单")
    desk.wait_for(Health.OK, times=2)


def test_a_roll_that_ends_in_the_middle_of_a_list_means_the_whole_list_again(
    printer: SimulatedReceiptPrinter, desk: Desk
) -> None:
    printer.leave_lines(3)
    desk.print(*(f"{n} 号" for n in range(10)))
    desk.wait_for(Health.DOWN)
    printer.load_paper()  # what it had taken comes out first, as from a real one; then the whole list again
    assert printer.wait_for_slips(2, timeout_s=SOON_S)
    assert printer.slips[-1].splitlines() == [*(f"{n} 号" for n in range(10)), "第2次"]


def test_an_open_cover_is_said(printer: SimulatedReceiptPrinter, desk: Desk) -> None:
    printer.open_cover()
    desk.print("名单")
    assert "cover is open; close it" in desk.wait_for(Health.DOWN)
    printer.close_cover()
    assert printer.wait_for_slips(1, timeout_s=SOON_S)


def test_a_pulled_plug_is_noticed_and_each_change_said_once(printer: SimulatedReceiptPrinter, desk: Desk) -> None:
    printer.unplug()
    desk.print("名单")
    desk.wait_for(Health.DOWN)
    printer.replug()
    desk.wait_for(Health.OK, times=2)
    assert printer.wait_for_slips(1, timeout_s=SOON_S)
    assert all(one is not next_one for (one, _), (next_one, _) in itertools.pairwise(desk.told))


def test_a_printer_that_takes_everything_and_says_nothing_is_not_believed(printer: SimulatedReceiptPrinter, desk: Desk) -> None:
    printer.silence(True)
    desk.print("名单")
    assert "does not answer" in desk.wait_for(Health.DOWN)
    assert printer.slips == [], "nothing is sent to a printer that does not answer"
    printer.silence(False)
    assert printer.wait_for_slips(1, timeout_s=SOON_S)


def test_a_printer_without_a_way_back_can_be_told_to_print_all_the_same(printer: SimulatedReceiptPrinter) -> None:
    printer.silence(True)
    driver_of(printer, answers=False).print(slip("名单"))
    assert printer.wait_for_slips(1, timeout_s=SOON_S)


def test_a_printer_that_hangs_half_way_is_lost_and_says_how_far_it_came(tmp_path: Path) -> None:
    with SimulatedReceiptPrinter() as printer:
        driver = driver_of(printer, stall_s=0.5)
        printer.take_only(20_000)
        with pytest.raises(DeviceLost, match=r"took \d+ of \d+ bytes and then nothing for 0\.5 s"):
            driver.print(slip(*["很长的名单" * 4] * 10_000))


def test_a_slow_printer_prints_once(printer: SimulatedReceiptPrinter, desk: Desk) -> None:
    printer.slow(0.05)
    desk.print(*(f"{n} 号" for n in range(30)))
    assert printer.wait_for_slips(1, timeout_s=SOON_S)
    desk.print("下一张")
    assert printer.wait_for_slips(2, timeout_s=SOON_S)
    assert [text.splitlines()[-1] for text in printer.slips] == ["第1次", "第1次"]


def test_a_gate_that_stops_does_not_wait_for_a_slow_printer(printer: SimulatedReceiptPrinter, desk: Desk) -> None:
    printer.slow(0.3)
    desk.print(*(f"{n} 号" for n in range(100)))
    assert printer.wait_for_lines(2)
    assert desk.supervisor.stop()
    assert desk.supervisor.waiting == 1


def test_no_more_than_a_few_slips_wait(printer: SimulatedReceiptPrinter, desk: Desk) -> None:
    printer.paper_out()
    taken = [desk.supervisor.print(lambda tries: slip("名单")) for _ in range(20)]
    assert taken.count(True) < 20
    assert not taken[-1]


def test_two_computers_print_on_one_printer_in_turn(tmp_path: Path) -> None:
    with SimulatedReceiptPrinter() as printer:
        desks = [Desk(printer), Desk(printer)]
        for number, desk in enumerate(desks):
            desk.wait_for(Health.OK)
            desk.print(f"门 {number}")
        assert printer.wait_for_slips(2, timeout_s=SOON_S)
        assert sorted(text.splitlines()[0] for text in printer.slips) == ["门 0", "门 1"]
        assert [desk.supervisor.stop() for desk in desks] == [True, True]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("escpos:printer", "write escpos:tcp://HOST:9100 or escpos:/dev/usb/lp0"),
        ("escpos:tcp://", "write escpos:tcp://HOST:9100"),
        ("escpos:tcp://h:x", "write escpos:tcp://HOST:9100"),
        ("escpos:tcp://h:9100/queue", "write escpos:tcp://HOST:9100"),
        ("escpos:tcp://h?columns=7", "write 48 for 80 mm"),
        ("escpos:tcp://h?charset=utf-8", "none of gb18030, gbk"),
        ("escpos:tcp://h?paper=a4", "has no option 'paper'"),
    ],
)
def test_a_wrong_address_names_the_remedy(url: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=words.replace(".", r"\.")):
        load(url, "paper")


def test_a_device_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "lp0").write_text("no printer")
    with pytest.raises(Misconfigured, match="is no device"):
        load(f"escpos:{tmp_path / 'lp0'}", "paper").open()
    with pytest.raises(DeviceLost, match="plug the printer in"):
        load(f"escpos:{tmp_path / 'lp1'}", "paper").open()


def test_the_driver_answers_every_rule_of_quality() -> None:
    assert set(QUALITY["drivers"]["escpos"]) == set(QUALITY["rules"])
