"""A disk that fills up: a word on the bar, one case while it lasts, which ends by itself and keeps no day open."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.ballast import FILE_NAME, Ballast, free_bytes
from kiosk.controller import Controller
from kiosk.core import commands as c
from kiosk.core import roster as r
from kiosk.core.disk import LAST, LOW, OF_DISKS
from kiosk.disk_watch import DiskWatch
from kiosk.journal import CannotAppend
from tests.core.test_old_copies import all_of
from tests.support.school import School


def cases(school: School) -> list[tuple[str, str]]:
    return [(line.kind, line.detail) for line in school.duty().cases if line.kind in OF_DISKS]


def seen(school: School, level: str, percent: int = 95) -> None:
    assert school.ask(c.DiskSeen(level=level, used_percent=percent)).decision.reason == "done"


def test_a_disk_that_fills_is_one_case_which_grows_worse_and_ends_by_itself(school: School) -> None:
    seen(school, "", 40)
    assert cases(school) == []
    for percent in (90, 91, 91):
        seen(school, LOW, percent)
    assert cases(school) == [(LOW, "东门")]
    bar = school.look(r.BarQuery())
    assert (bar.disk, bar.disk_percent, bar.can_save) == (LOW, 91, True)
    seen(school, LAST, 100)
    assert cases(school) == [(LAST, "东门")]
    school.restart()
    seen(school, LAST, 100)
    assert len(school.entries("disk_nearly_full")) == 2, "a restart is no news"
    seen(school, LOW, 92)
    seen(school, "", 60)
    assert cases(school) == [] and school.look(r.BarQuery()).disk == ""
    assert [entry.body["by"] for entry in school.entries("case_closed")] == [0, 0, 0]
    seen(school, LOW, 90)
    assert cases(school) == [(LOW, "东门")], "the next time is a case of its own"


def test_a_case_that_the_leader_closed_comes_back_with_the_next_start_while_nothing_is_better(school: School) -> None:
    seen(school, LOW)
    (case,) = [line for line in school.duty().cases if line.kind == LOW]
    school.ask(c.CloseCase(case=case.case, by=school.number("孙主任"), note="网管明天来"))
    seen(school, LOW, 96)
    assert cases(school) == []
    school.restart()
    seen(school, LOW, 96)
    assert cases(school) == [(LOW, "东门")]


def test_the_day_is_closed_whatever_the_disk_says(school: School) -> None:
    seen(school, LAST)
    assert cases(school) and school.ask(c.ClearCampus(by=school.number("孙主任"))).decision.reason == "done"
    assert cases(school) == [(LAST, "东门")]


def test_what_a_full_disk_refused_is_said_when_it_takes_entries_again(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise CannotAppend("no room")

    with monkeypatch.context() as on:
        on.setattr(school.gate.journal, "append", full)
        assert school.ask(c.DiskSeen(level=LAST, used_percent=100)).decision.reason == "cannot_save"
        assert school.look(r.BarQuery()).disk == LAST, "people see it all the same"
    seen(school, LAST)
    assert cases(school) == [(LAST, "东门")]


def test_another_gate_shows_whose_disk_it_is_and_takes_it_for_nobody_else_s(tmp_path: Path) -> None:
    east, south = School(tmp_path / "east"), School(tmp_path / "south", node="south")
    seen(east, LOW)
    south.ask(c.PeerEntries(sealed=tuple(all_of(east))))
    seen(south, "", 30)
    assert cases(south) == [(LOW, "东门")] and south.look(r.BarQuery()).disk == ""
    seen(east, "", 50)
    south.ask(c.PeerEntries(sealed=tuple(all_of(east))))
    assert cases(south) == []
    east.close()
    south.close()


def watch(gate: Controller, folder: Path, ballast: Ballast, share: list[float]) -> DiskWatch:
    return DiskWatch(
        state=folder, ballast=ballast, pictures_stop_at=0.9, used_share=lambda _: share[0],
        submit=lambda command, taken: taken(gate.ask(command)),
    )  # fmt: skip


def test_the_watch_makes_the_ballast_and_tells_only_what_is_new(school: School, tmp_path: Path) -> None:
    share, ballast = [0.5], Ballast(tmp_path, mib=1)
    looking = watch(school.gate, tmp_path, ballast, share)
    looking.look()
    assert ballast.stands and cases(school) == []
    for used, level in ((0.90, LOW), (0.89, LOW), (0.87, ""), (0.89, ""), (0.95, LOW)):
        share[0] = used
        looking.look()
        assert school.look(r.BarQuery()).disk == level, "at the mark it does not flutter"
    assert [case for case, _ in cases(school)] == [LOW]


def test_a_ballast_is_whole_or_not_there_and_is_given_up_once(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path, mib=2)
    before = free_bytes(tmp_path)
    assert not ballast.give_up() and ballast.make() and ballast.make()
    assert (tmp_path / FILE_NAME).stat().st_size == 2 << 20 and before > 0
    smaller = Ballast(tmp_path, mib=1)
    assert smaller.missing and smaller.make() and (tmp_path / FILE_NAME).stat().st_size == 1 << 20, "as the settings say now"
    assert smaller.give_up() and not smaller.give_up() and smaller.missing
    assert [path.name for path in tmp_path.iterdir()] == []
    smaller.make()
    none = Ballast(tmp_path, mib=0)
    assert not none.make() and not none.missing and not (tmp_path / FILE_NAME).exists()
