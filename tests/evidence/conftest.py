"""A day of the small school on disk, with people beside it, as evidence is made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiosk.core import commands as c
from kiosk.core.people import Directory
from kiosk.evidence.packing import Pack, make_pack
from kiosk.recorded import day_from
from tests.support.people import small_school
from tests.support.school import School

JPEG = b"\xff\xd8\xff\xe0" + b"a picture of a child at the gate " * 20


@dataclass
class Kept:
    """The pictures that are still kept."""

    pictures: dict[str, bytes]

    def snapshot(self, snapshot_id: str) -> bytes | None:
        return self.pictures.get(snapshot_id)


def played(state: Path) -> School:
    """王小明 (first grade) arrives, is called and handed over, is not fetched, phoned for, refused to a stranger, released."""
    school = School(state)
    for name in ("王小明", "王小红", "李雷", "小妹妹"):
        school.tap(name, "east-in")
    school.ask(c.Read(access_point="east-in", scheme="uid", value="04A30005", snapshot="20261123-" + "5" * 32))
    school.at("08:35").roll("class:primary-2026-1", "张老师", 王小明="present", 小妹妹="present")
    offer = school.at("15:20").offer(["王小明", "小妹妹"], "张老师", "吴老师", place="阅览室")
    school.accept(offer, "吴老师", 1, 小妹妹="stays_in_class")
    school.restart()
    school.at("16:21")
    case = school.case_of("王小明")
    assert case is not None
    granted = [
        school.ask(c.Acknowledge(case=case.case, by=school.number("孙主任"), second=101)),
        school.ask(c.LogCall(case=case.case, guardian=201, result="no_answer", by=101)),
    ]
    assert [answer.decision.outcome for answer in granted] == ["granted", "granted"], granted
    refusal = c.RefusePickup(
        children=(1,), collector=205, access_point="east-out", by=130, reason="collector_unknown", description="穿蓝色外套",
    )  # fmt: skip
    school.ask(refusal)
    school.tap("王妈妈", "east-desk")
    assert school.release(["王小明"], "王妈妈", "photo").decision.reason == "collected"
    return school


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    school = played(tmp_path_factory.mktemp("gate"))
    yield school
    school.close()


def pack(school: School, name: str = "王小明", *, whole: bool = False, directory: Directory | None = None) -> Pack:
    people = directory or small_school()
    return make_pack(
        school.settings, school.state, people, child=school.number(name), day=day_from("2026-11-23"),
        now_ms=school.ms("19:00"), pictures=Kept({"20261123-" + "5" * 32: JPEG}), whole_chain=whole,
    )  # fmt: skip
