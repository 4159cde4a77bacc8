"""A school in a test: the real composition (settings, journal, controller) with a clock that the test moves.

Scenarios speak of people and places by name. Nothing is replaced but the clock.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from kiosk.clock import FixedClock
from kiosk.controller import Controller
from kiosk.core import commands as c
from kiosk.core import roster as r
from kiosk.core.child import ChildState
from kiosk.core.decisions import Answer
from kiosk.core.people import Directory
from kiosk.opening import open_gate
from kiosk.settings import Settings, load
from tests.support.journals import since_cleared
from tests.support.people import small_school, uid_of

CONFIG = Path(__file__).parent / "config"
ZONE = timezone(timedelta(hours=8))


class School:
    """One gate of the small school, running. `at("15:35")` moves the clock and lets time pass."""

    def __init__(
        self, state: Path, at: str = "07:40", *, day: str = "2026-11-23", directory: Directory | None = None,
        settings: Settings | None = None, node: str = "east",
    ) -> None:  # fmt: skip
        self.state, self.day = state, day
        base = settings or load(CONFIG)
        self.settings = replace(base, site=replace(base.site, node=node), rules=replace(base.rules, node=node))
        self.directory = directory or small_school()
        self.clock = FixedClock(self.ms(at))
        self.gate: Controller = self._opened()
        self.open = True

    def _opened(self) -> Controller:
        gate = open_gate(settings=self.settings, directory=self.directory, state=self.state, clock=self.clock)
        gate.start()
        return gate

    def ms(self, at: str) -> int:
        """`HH:MM`, `HH:MM:SS` of the day in the story, or a full ISO date and time; in UTC milliseconds."""
        stamp = at if "T" in at else f"{self.day}T{at}"
        return int(datetime.fromisoformat(stamp).replace(tzinfo=ZONE).timestamp() * 1000)

    # --- people and time ---------------------------------------------------------------------------

    def number(self, name: str) -> int:
        for group in (self.directory.pupils, self.directory.staff, self.directory.collectors):
            for number, person in group.items():
                if person.name == name:
                    return number
        raise AssertionError(f"nobody is called {name}")

    def at(self, at: str) -> School:
        """Moves the clock there; the gate's own tick comes every minute on the way, as it would."""
        target, minute = self.ms(at), 60_000
        while self.clock.now_ms() + minute < target:
            self.clock.advance(minute)
            self.ask(c.Tick())
        self.clock.set(target)
        self.ask(c.Tick())
        return self

    def restart(self) -> School:
        """The power goes and comes back: everything that was not on disk is forgotten."""
        self.close()
        self.gate, self.open = self._opened(), True
        return self

    def close(self) -> None:
        if self.open:
            self.gate.stop()
            self.open = False

    # --- what people do ----------------------------------------------------------------------------

    def ask(self, command: Any) -> Any:
        return self.gate.ask(command)

    def tap(self, name: str, point: str) -> Answer:
        return self.tap_card(uid_of(self.number(name)), point)

    def tap_card(self, uid: str, point: str, scheme: str = "uid", **more: Any) -> Answer:
        return self.ask(c.Read(access_point=point, scheme=scheme, value=uid, **more))

    def release(
        self, children: list[str], collector: str, *verified: str, by: str = "赵师傅", point: str = "east-out", second: str = ""
    ) -> Answer:
        return self.ask(
            c.Release(
                children=tuple(map(self.number, children)),
                collector=self.number(collector),
                access_point=point,
                by=self.number(by),
                verified=verified,
                second=self.number(second) if second else None,
            )
        )

    def roll(self, roster: str, by: str, **marks: str) -> Answer:
        return self.ask(c.CallRoll(roster=roster, marks={self.number(n): m for n, m in marks.items()}, by=self.number(by)))

    def take(self, roster: str, by: str, counted: int, **exceptions: str) -> Answer:
        left = {self.number(n): why for n, why in exceptions.items()}
        return self.ask(c.TakeGroup(roster=roster, counted=counted, by=self.number(by), exceptions=left))

    def offer(self, children: list[str], giver: str, taker: str, kind: str = "to_session", place: str = "201") -> Answer:
        return self.ask(
            c.Offer(
                kind=kind,
                children=tuple(map(self.number, children)),
                taker=self.number(taker),
                place=place,
                by=self.number(giver),
            )
        )

    def accept(self, offer: Answer, by: str, counted: int, **exceptions: str) -> Answer:
        left = {self.number(n): why for n, why in exceptions.items()}
        return self.ask(c.Accept(handover=str(offer.entry), counted=counted, by=self.number(by), exceptions=left))

    # --- what one can see -----------------------------------------------------------------------------

    def child(self, name: str) -> ChildState:
        return self.gate.world.campus.child(self.number(name))

    def custodian(self, name: str) -> str:
        hold = self.child(name).hold
        return self.directory.name_of(hold.custodian) if hold.live else ""

    def look(self, query: Any) -> Any:
        return self.ask(c.Look(query=query))

    def duty(self) -> r.DutyView:
        view: r.DutyView = self.look(r.DutyQuery())
        return view

    def case_of(self, name: str) -> r.CaseLine | None:
        return next((case for case in self.duty().cases if case.line and case.line.child == self.number(name)), None)

    def entries(self, kind: str = "") -> list[Any]:
        found = since_cleared(self.gate.journal)
        return [e for e in found if not kind or e.kind == kind]
