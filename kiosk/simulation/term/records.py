"""What teachers and leaders write down about the sessions of a played day: check in and out, the archive row, patrols."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from kiosk.core import commands_service as c
from kiosk.core.timetable import DayBook
from kiosk.simulation.term.hands import Hands

NOISE = 0.02  # share of patrols that find something


class Records:
    """`teachers`: session -> who holds it today, the first of them closes it."""

    def __init__(self, hands: Hands, book: DayBook, teachers: dict[str, list[int]], chance: random.Random) -> None:
        self._hands, self._book, self._teachers, self._chance = hands, book, teachers, chance

    def check_in(self, keys: Iterable[str]) -> Iterable[Any]:
        for key in keys:
            planned = self._book.session_times[key].teacher
            for staff in self._teachers[key]:
                if planned in self._teachers[key]:
                    yield c.CheckIn(session=key, by=staff)
                else:
                    yield c.CheckIn(session=key, by=staff, standing_in_for=planned, reason="sick")

    def check_out(self, keys: Iterable[str]) -> Iterable[Any]:
        """A second teacher goes; the first one is checked out with the archive row."""
        return [c.CheckOut(session=key, by=staff) for key in keys for staff in self._teachers[key][1:]]

    def close(self, keys: Iterable[str], unexplained: Callable[[str], list[int]]) -> Iterable[Any]:
        for key in keys:
            children = unexplained(key)
            yield c.CloseSession(
                session=key, by=self._teachers[key][0], states=dict.fromkeys(children, "absent_unexplained"),
                why=dict.fromkeys(children, "class_teacher_informed"),
            )  # fmt: skip

    def patrol(self, keys: Iterable[str], in_room: Callable[[str], int]) -> list[Any]:
        found = {key: "noise" if self._chance.random() < NOISE else "in_order" for key in keys}
        return [
            c.Patrol(session=key, counted=in_room(key), teacher_present=True, finding=finding, by=self._hands.leader)
            for key, finding in found.items()
        ]
