"""Where every child was at a moment, who answered for it and what was open: folded from the records alone, on any computer.

The moment is put together as the gate itself stood then (the same fold, the same rules about who is due), with two limits that
the answer cannot hide: names and windows are those of the people list that is here now, and while a clock was not
trusted a moment cannot be named exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from kiosk.core.campus import Campus
from kiosk.core.card_numbers import CardIndex
from kiosk.core.child import ChildState
from kiosk.core.custody import Collection
from kiosk.core.entries import Stream
from kiosk.core.passage import ON_CAMPUS
from kiosk.core.people import Directory
from kiosk.core.timetable import PlanGap, day_book
from kiosk.core.world import World
from kiosk.directory import DirectoryError, load
from kiosk.recorded import Placed, RecordsError, day_bounds, day_from, local_time, opened
from kiosk.settings import Settings

STEP_MS = 30 * 60_000  # of the time line that `kiosk replay DATE` prints
MINUTE_MS = 60_000
DIRECTORY_FILE = "directory.db"


class ReplayError(Exception):
    """The moment or the state folder cannot be used."""


class Matter(NamedTuple):
    """Something that was open. sort: uncollected, search, conflict, alarm, offer, escort, group, shift, visit, request,
    emergency.

    what: the rung, the reason, or the place that it is about.
    """

    since_ms: int
    sort: str
    case: str = ""
    children: tuple[int, ...] = ()
    who: tuple[int, ...] = ()
    what: str = ""


class Film:
    """One day that can be wound to any of its moments. For one thread at a time."""

    def __init__(self, settings: Settings, directory: Directory, entries: Sequence[Placed], day: date) -> None:
        self.day, self._settings, self._directory = day, settings, directory.on(day)
        self.start_ms, self.end_ms = day_bounds(day, settings.plan.utc_offset_ms)
        self._entries = sorted(entries, key=lambda one: (one.moment_ms, one.entry.order))
        try:
            self._book = day_book(
                day, settings.calendar, settings.plan, directory, release_window_min=settings.release_window_min
            )
        except PlanGap as error:
            raise ReplayError(f"the plan has no bells for {day}: {error}") from error
        self._rules, self._cards = settings.rules_for(directory), CardIndex(directory.cards)
        self._world, self._at_ms, self._taken = self._blank(), -1, 0

    def _blank(self) -> World:
        settings = self._settings
        return World(
            rules=self._rules, directory=self._directory, calendar=settings.calendar, plan=settings.plan,
            release_window_min=settings.release_window_min, campus=Campus(), stream=Stream(node="replay", incarnation="replay"),
            book=self._book, cards=self._cards,
        )  # fmt: skip

    @property
    def entries(self) -> tuple[Placed, ...]:
        """All that the day is folded from, by moment."""
        return tuple(self._entries)

    @property
    def events(self) -> tuple[Placed, ...]:
        """What was written on the day, by moment."""
        return tuple(one for one in self._entries if self.start_ms <= one.moment_ms < self.end_ms)

    def at(self, at_ms: int) -> World:
        """The world as it stood at a moment. Forwards costs what happened in between; backwards starts anew."""
        if at_ms < self._at_ms:
            self._world, self._taken = self._blank(), 0
        self._at_ms = at_ms
        while self._taken < len(self._entries) and self._entries[self._taken].moment_ms <= at_ms:
            self._world.campus.apply(self._entries[self._taken].entry)
            self._taken += 1
        return self._world

    def present(self, at_ms: int) -> list[tuple[int, ChildState]]:
        """Every child that was seen that day by then, or is still in somebody's custody, by number."""
        found = self.at(at_ms).campus.children.items()
        day = self.day.isoformat()
        return sorted((n, s) for n, s in found if s.hold.live or s.day == day)


def film(settings: Settings, state: Path, day: date, directory: Directory | None = None) -> Film:
    """Reads one day. Raises ReplayError, RecordsError."""
    start_ms, end_ms = day_bounds(day, settings.plan.utc_offset_ms)
    with opened(state) as records:
        entries = records.window(start_ms, end_ms)
    if directory is None:
        try:
            directory = load(state / DIRECTORY_FILE)
        except DirectoryError as error:
            raise ReplayError(str(error)) from error
    return Film(settings, directory, entries, day)


def replay(settings: Settings, state: Path, at: str) -> dict[str, Any]:
    """`at`: ISO date and time, local unless it has an offset. Returns the shape of `kiosk replay --json`."""
    zone = timezone(timedelta(milliseconds=settings.plan.utc_offset_ms))
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise ReplayError(f"--at {at!r} is no date and time; write it like 2026-11-23T17:42") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    at_ms = int(moment.timestamp() * 1000)
    return _document(film(settings, state, moment.astimezone(zone).date()), at_ms, moment)


def replay_day(settings: Settings, state: Path, day: str) -> dict[str, Any]:
    """A whole day in steps, and how it ended: the shape of `replay` with `steps` added."""
    try:
        shown = film(settings, state, day_from(day))
    except RecordsError as error:
        raise ReplayError(str(error)) from error
    offset_ms = settings.plan.utc_offset_ms
    events = shown.events
    last_ms = events[-1].moment_ms if events else shown.start_ms
    steps = [_step(shown, from_ms, to_ms, offset_ms) for from_ms, to_ms in _steps(shown, last_ms)]
    return {**_document(shown, last_ms, local_time(last_ms, offset_ms)), "steps": steps}


def _document(shown: Film, at_ms: int, moment: datetime) -> dict[str, Any]:
    world, present = shown.at(at_ms), shown.present(at_ms)
    rows = [
        {
            "child": number,
            "place": state.place,
            "custodian": state.hold.custodian or None,
            "collection": world.collection_of(number, at_ms).value,
        }
        for number, state in present
    ]
    cases = sorted(matter.case for matter in open_matters(world) if matter.case)
    return {"at": moment.isoformat(), "children": rows, "open_cases": cases, "names": names_in(world.directory, present)}


def names_in(directory: Directory, present: Sequence[tuple[int, ChildState]]) -> dict[int, str]:
    """The names of these children and of whoever answers for them."""
    numbers = {n for number, state in present for n in (number, state.hold.custodian) if n}
    return {number: directory.name_of(number) for number in sorted(numbers)}


def _steps(shown: Film, last_ms: int) -> Iterator[tuple[int, int]]:
    """Half hours of the day from the first thing that happened to the last."""
    events = shown.events
    if not events:
        return
    from_ms = shown.start_ms + (events[0].moment_ms - shown.start_ms) // STEP_MS * STEP_MS
    while from_ms <= last_ms:
        yield from_ms, from_ms + STEP_MS
        from_ms += STEP_MS


def _step(shown: Film, from_ms: int, to_ms: int, offset_ms: int) -> dict[str, Any]:
    """What happened in a half hour, and how things stood at its end."""
    happened = Counter(one.entry.kind for one in shown.events if from_ms <= one.moment_ms < to_ms)
    return {"at": local_time(to_ms, offset_ms).isoformat(), "happened": dict(happened), **figures(shown, to_ms - 1)}


def figures(shown: Film, at_ms: int) -> dict[str, Any]:
    """How many were where, in whose custody, how far from being fetched, and how much was open."""
    world, present = shown.at(at_ms), shown.present(at_ms)
    live = [(n, s) for n, s in present if s.hold.live]
    here_today = [n for n, s in present if s.hold.live or s.released_ms]  # an absent child is in nobody's picture
    collections = Counter(world.collection_of(n, at_ms).value for n in here_today)
    return {
        "on_campus": len(live),
        "arrived": sum(1 for _, s in present if s.arrived_ms),
        "released": sum(1 for _, s in present if s.released_ms),
        "by_place": Counter(s.place or ON_CAMPUS for _, s in live).most_common(),
        "by_custodian": Counter(s.hold.custodian for _, s in live).most_common(),
        "by_collection": {c.value: collections.get(c.value, 0) for c in Collection},
        "open": len(open_matters(world)),
    }


def open_matters(world: World) -> list[Matter]:
    """Everything that was open, oldest first."""
    return sorted([*_of_children(world.campus), *_of_groups(world.campus)])


def _of_children(campus: Campus) -> Iterator[Matter]:
    for child, state in campus.children.items():
        case, search = state.case, state.search
        if case is not None and state.hold.live:
            who = (case.acknowledged_by,) if case.acknowledged_by else ()
            yield Matter(case.opened_ms, "uncollected", case.case, (child,), who, str(case.rung))
        if search is not None:
            what = "incident" if search.incident_ms else search.why
            yield Matter(search.opened_ms, "search", search.case, (child,), (search.owner,), what)
    for conflict in campus.conflicts():
        about = (conflict.child,) if conflict.child else ()
        yield Matter(conflict.at_ms, "conflict", conflict.case, about, (), conflict.kind)
    for alarm in campus.open_alarms():
        yield Matter(alarm.at_ms, "alarm", alarm.case, alarm.children, (alarm.person,), alarm.kind)
    for request in campus.requests.values():
        who = (request.person,) if request.person else ()
        yield Matter(request.at_ms, "request", "", request.children, who, request.reason)


def _of_groups(campus: Campus) -> Iterator[Matter]:
    for offer in campus.open_offers():
        yield Matter(offer.at_ms, "offer", "", campus.open_children(offer), (offer.giver, offer.taker), offer.place)
    for escort in campus.escorts():
        yield Matter(escort.departed_ms, "escort", "", escort.children, (escort.teacher,), escort.gate)
    for group in campus.groups():
        yield Matter(group.out_ms, "group", "", group.children, (group.teacher,), group.venue)
    for shift in campus.open_shifts():
        yield Matter(shift.at_ms, "shift", "", (), (shift.giver, shift.taker), shift.gate)
    for visit in campus.open_visits():
        yield Matter(visit.in_ms, "visit", "", (), (visit.host,) if visit.host else (), visit.gate)
    emergency = campus.emergency
    if emergency is not None:
        what = "drill" if emergency.drill else "emergency"
        yield Matter(emergency.since_ms, "emergency", "", (), (emergency.by,), what)
