"""A day of the small school, played and looked at live: what the replay must find again."""

from __future__ import annotations

import random
from typing import NamedTuple

from kiosk.replaying import Film, open_matters
from tests.support.school import School


class Picture(NamedTuple):
    """The campus at a moment: what the gate had in memory, by no page's view of it."""

    children: tuple[tuple[int, str, int, str], ...]  # number, place, custodian, collection
    open_cases: tuple[str, ...]


def live(school: School) -> Picture:
    world, now_ms = school.gate.world, school.clock.now_ms()
    rows = [
        (n, s.place, s.hold.custodian, world.collection_of(n, now_ms).value)
        for n, s in sorted(world.campus.children.items())
        if s.hold.live or s.day == school.day
    ]
    return Picture(tuple(rows), _cases(world))


def replayed(film: Film, at_ms: int) -> Picture:
    world = film.at(at_ms)
    rows = [(n, s.place, s.hold.custodian, world.collection_of(n, at_ms).value) for n, s in film.present(at_ms)]
    return Picture(tuple(rows), _cases(world))


def _cases(world: object) -> tuple[str, ...]:
    return tuple(sorted(matter.case for matter in open_matters(world) if matter.case))  # type: ignore[arg-type]


class Recorder:
    """Moves a school through its day by random minutes and takes a picture after each, while the clock is trusted."""

    def __init__(self, school: School, seed: int) -> None:
        self.school, self.chance, self.taken = school, random.Random(seed), dict[int, Picture]()

    def until(self, at: str, pictures: int) -> School:
        """Lets the time pass to `at`, with so many pictures at random moments on the way."""
        school = self.school
        now_ms, end_ms = school.clock.now_ms(), school.ms(at)
        for moment in sorted(self.chance.sample(range(now_ms + 1, end_ms), pictures)):
            school.clock.set(moment)
            school.ask(_tick())
            self.taken[moment] = live(school)
        return school.at(at)


def _tick() -> object:
    from kiosk.core.commands import Tick

    return Tick()


def afternoon(recorder: Recorder, *, per_stretch: int = 4) -> None:
    """Arrivals, roll, sessions, handovers, a child that nobody fetches, a conflict, releases; a picture now and then."""
    school = recorder.school
    for name in ("王小明", "王小红", "李雷", "韩梅", "丁一", "欧阳娜", "不参加"):
        school.tap(name, "east-in")
    recorder.until("08:35", per_stretch)
    school.roll("class:primary-2022-1", "杨老师", 李雷="present", 韩梅="present", 丁一="present", 不参加="present")
    recorder.until("15:40", per_stretch)
    school.release(["王小明"], "王妈妈", "photo")
    school.release(["王小明"], "王妈妈", "photo")
    recorder.until("16:28", per_stretch)
    for name in ("李雷", "韩梅", "王小红"):
        school.tap(name, "room-201")
    school.take("session:S1", "李老师", 3)
    offer = school.offer(["丁一"], "杨老师", "周老师", place="美术室")
    recorder.until("16:35", per_stretch)
    school.accept(offer, "周老师", 1)
    school.tap("不参加", "east-out")
    recorder.until("18:50", per_stretch)
