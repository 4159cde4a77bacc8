"""A gate that tells: the real composition of `School`, real notices, real servers; only the clock is the test's own.

`tell()` lets the notices' work be done as their thread would do it; `day()` has the small school's afternoon.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from kiosk.core import commands as c
from kiosk.core.decisions import Answer
from kiosk.notices.opening import make_notices
from kiosk.notices.outbox import FILE_NAME
from kiosk.notices.running import Notices
from kiosk.notices.settings import NoticesSettings, Target
from kiosk.web.faces_notices import NoticesState, NoticeTarget
from tests.support.school import School

UTC_OFFSET_MS = 8 * 3_600_000


class Telling:
    """The east gate of the small school with notices to `targets`."""

    def __init__(self, school: School, *targets: Target, gather_s: int = 20, give_up_min: int = 120) -> None:
        self.school = school
        self.settings = NoticesSettings(targets=targets, gather_ms=gather_s * 1000, give_up_ms=give_up_min * 60_000)
        self.notices = self._made()

    def _made(self) -> Notices:
        school = self.school
        notices = make_notices(
            self.settings, gate=school.gate, state=school.state, clock=school.clock, computer=school.clock,
            school="实验小学", seed="east", utc_offset_ms=UTC_OFFSET_MS, steady=lambda: school.clock.now_ms() / 1000,
        )  # fmt: skip
        school.gate.listeners.append(notices.on_batch)
        notices.round()
        return notices

    def restart(self) -> None:
        """The power goes: what was only in memory is gone. The journal and the outbox are what is on the disk."""
        self.notices.close()
        self.school.restart()
        self.notices = self._made()

    def tell(self, after_s: int = 0) -> NoticesState:
        """`after_s` seconds later, the notices' thread has had its turn."""
        self.school.clock.advance(after_s * 1000)
        self.school.duty()  # whatever was decided before has reached the listeners
        self.notices.round()
        return self.notices.state()

    def line(self, name: str = "") -> NoticeTarget:
        return next(line for line in self.notices.state().lines if not name or line.name == name)

    @property
    def file(self) -> Path:
        return self.school.state / FILE_NAME

    def close(self) -> None:
        self.notices.close()

    # --- what happens at the gate ------------------------------------------------------------------------

    def device(self, name: str, health: str = "down") -> Answer:
        answer: Answer = self.school.ask(c.DeviceChanged(device=name, health=health))
        return answer

    def emergency(self, **more: Any) -> Answer:
        answer: Answer = self.school.ask(c.DeclareEmergency(by=self.school.number("孙主任"), **more))
        return answer


def target(kind: str, link: str, **more: Any) -> Target:
    return dataclasses.replace(Target(name=kind, kind=kind, link=link), **more)
