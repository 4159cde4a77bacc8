"""Bell schedules and windows: who ought to be where, and when, on a resolved day.

Pure: the calendar's answer, the bell schedules and the directory arrive as values. `day_book` is built
once a day and read on every tap, so it shares equal values: a class of 45 with the same choice is one
`PupilDay`. It never judges a tap; that is `kiosk.core.passage`.

Minutes count from local midnight, milliseconds are UTC. The offset to local time is one figure of the
plan, because Chinese time has had no daylight saving since 1991.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from kiosk.core.calendar import (
    WARNING_TEXT,
    Calendar,
    Day,
    DayRule,
    DayType,
    DayWarning,
    Layer,
    Season,
    Term,
    resolve_day,
)
from kiosk.core.people import Directory, Enrolment, Pupil, Session, Stage, within

__all__ = [
    "WARNING_TEXT",
    "BellSchedule",
    "Calendar",
    "Day",
    "DayBook",
    "DayRule",
    "DayType",
    "DayWarning",
    "Layer",
    "Plan",
    "PlanGap",
    "PupilDay",
    "Season",
    "SessionTime",
    "Slot",
    "Term",
    "bells_of",
    "day_book",
    "dismissal_of",
    "for_grade",
    "grade_key",
    "resolve_day",
    "sessions_on",
]

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
_EPOCH = date(1970, 1, 1).toordinal()


class PlanGap(ValueError):
    """The plan does not say what a day needs. Settings refuse such a plan; a hand-made one ends here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A service slot of the bell schedule, in minutes since local midnight."""

    number: int  # 1, 2; 0 for extended care, evening study, ...
    kind: str  # homework, enrichment, extended_care, evening_study, early_care
    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BellSchedule:
    """One season's bells. Per-grade mappings have keys "primary-1", then "primary", then "*" for the rest."""

    season: str
    gate_opens_min: Mapping[str, int]  # earlier taps are early arrivals
    late_after_min: Mapping[str, int]  # first minute that counts as late
    dismissal_min: Mapping[str, int]
    slots: tuple[Slot, ...]
    extended_care: Slot | None
    gate_closes_min: int
    early_care: Slot | None = None
    evening: Slot | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The school's service plan: schedules by season and named early-dismissal profiles."""

    schedules: Mapping[str, BellSchedule]  # by season name
    profiles: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # profile -> grade -> dismissal minute
    utc_offset_ms: int = 8 * 3_600_000  # Asia/Shanghai, no daylight saving


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTime:
    """A session today. In a `PupilDay`, `end_ms` is that pupil's own end where the family chose an earlier one."""

    session: str
    slot: int
    room: str
    teacher: int
    start_ms: int  # UTC
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilDay:
    """One pupil's day in absolute UTC milliseconds. Built once a day, read on every tap.

    On a day without lessons the child may leave at any time, nobody is late, and a child who is on
    campus all the same is due when the gate closes.
    """

    teaching: bool
    service: bool
    arrive_opens_ms: int
    late_after_ms: int  # a tap at or after it is late
    dismissal_ms: int
    sessions: tuple[SessionTime, ...] = ()  # by start, extended care not among them
    extended_care: SessionTime | None = None
    release_opens_ms: int = 0  # end of the last session today (or leave_at, or dismissal)
    release_due_ms: int = 0  # T0 of the ladder: end of the pupil's own release window


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBook:
    """The resolved day of the whole school."""

    day: Day
    start_ms: int  # local midnight in UTC
    end_ms: int
    pupils: Mapping[int, PupilDay]
    session_times: Mapping[str, SessionTime]
    gate_closes_ms: int
    iso: str  # the date as facts carry it
    without_bells: tuple[str, ...] = ()  # sessions of today for which the bell schedule has no such slot


def grade_key(stage: Stage, grade: int) -> str:
    """The key of a grade in every per-grade table: `primary-3`."""
    return f"{stage.value}-{grade}"


def for_grade(table: Mapping[str, int], stage: Stage, grade: int) -> int:
    """The entry of a per-grade table: the grade, else its stage, else `*`. Raises PlanGap."""
    for key in (grade_key(stage, grade), stage.value, "*"):
        if key in table:
            return table[key]
    raise PlanGap(f"no entry for {grade_key(stage, grade)} and no '*' in {dict(table)}")


def day_book(on: date, calendar: Calendar, plan: Plan, directory: Directory, *, release_window_min: int) -> DayBook:
    """Everybody's windows on a date. Raises PlanGap where the plan has no bells for the day."""
    day = resolve_day(on, calendar)
    start_ms = (on.toordinal() - _EPOCH) * DAY_MS - plan.utc_offset_ms
    bells, directory = bells_of(day, plan), directory.on(on)
    times, without_bells = sessions_on(day, bells, directory.sessions, start_ms)
    days = {stage: resolve_day(on, calendar.of_stage(stage)) if calendar.stage_weekdays else day for stage in Stage}
    writer = _Writer(day, days, plan, bells, directory.sessions, times, start_ms, release_window_min * MINUTE_MS)
    return DayBook(
        day=day,
        start_ms=start_ms,
        end_ms=start_ms + DAY_MS,
        pupils={n: writer.pupil_day(p, directory.enrolments_of.get(n, ())) for n, p in directory.pupils.items()},
        session_times=times,
        gate_closes_ms=start_ms + bells.gate_closes_min * MINUTE_MS,
        iso=day.date.isoformat(),
        without_bells=without_bells,
    )


def bells_of(day: Day, plan: Plan) -> BellSchedule:
    """The bells that hold on a day. Raises PlanGap."""
    if day.season not in plan.schedules:
        raise PlanGap(f"no bell schedule for season '{day.season}' on {day.date}; add it to the plan")
    if day.dismissal_profile and day.dismissal_profile not in plan.profiles:
        raise PlanGap(f"no dismissal profile '{day.dismissal_profile}' for {day.date}; add it to the plan")
    return plan.schedules[day.season]


def _runs(session: Session, day: Day) -> bool:
    """Whether a session takes place. Early care belongs to lessons, opening periods have their own sessions."""
    if day.weekday_as not in session.weekdays or not within(session.valid_from, session.valid_to, day.date):
        return False
    if session.kind == "holiday_open":
        return day.type is DayType.OPENING
    if session.kind == "early_care":
        return day.type is DayType.TEACHING
    if session.kind == "weekend":
        return day.type is DayType.REST and day.after_school
    return day.after_school


def _minutes(session: Session, bells: BellSchedule) -> tuple[int, int] | None:
    """Start and end of a session: its own, else those of its slot in the bell schedule, else None."""
    if session.slot == 0 and session.start_min is not None and session.end_min is not None:
        return session.start_min, session.end_min
    slot: Slot | None
    if session.slot == 0:
        by_kind = {
            "extended_care": bells.extended_care,
            "early_care": bells.early_care,
            "evening_study": bells.evening,
        }
        slot = by_kind.get(session.kind)
    else:
        slot = next((s for s in bells.slots if s.number == session.slot), None)
    return (slot.start_min, slot.end_min) if slot else None


def dismissal_of(day: Day, plan: Plan, bells: BellSchedule, stage: Stage, grade: int) -> int:
    """When a grade's lessons end: by the day's early dismissal where it names the grade, else by the bells."""
    usual = for_grade(bells.dismissal_min, stage, grade)
    profile = plan.profiles[day.dismissal_profile] if day.dismissal_profile else None
    return usual if profile is None else _profile_minute(profile, stage, grade, usual)


def sessions_on(
    day: Day, bells: BellSchedule, sessions: Mapping[str, Session], start_ms: int
) -> tuple[dict[str, SessionTime], tuple[str, ...]]:
    """The sessions that take place, with their times, and those for which the bells have no such slot."""
    times: dict[str, SessionTime] = {}
    without: list[str] = []
    for session in sessions.values():
        if not _runs(session, day):
            continue
        minutes = _minutes(session, bells)
        if minutes is None:
            without.append(session.id)
            continue
        times[session.id] = SessionTime(
            session=session.id,
            slot=session.slot,
            room=session.room,
            teacher=session.teacher,
            start_ms=start_ms + minutes[0] * MINUTE_MS,
            end_ms=start_ms + minutes[1] * MINUTE_MS,
        )
    return times, tuple(sorted(without))


class _Writer:
    """Writes pupils' days, each different one once. Lives only while a day book is being built."""

    def __init__(
        self,
        day: Day,
        days: Mapping[Stage, Day],
        plan: Plan,
        bells: BellSchedule,
        sessions: Mapping[str, Session],
        times: Mapping[str, SessionTime],
        start_ms: int,
        window_ms: int,
    ) -> None:
        self._days = days
        self._day, self._plan, self._bells, self._times = day, plan, bells, times
        self._start_ms, self._window_ms = start_ms, window_ms
        self._care_ids = frozenset(s.id for s in sessions.values() if s.kind == "extended_care")
        self._default_care = self._find_default_care()
        self._grades: dict[tuple[Stage, int], PupilDay] = {}
        self._written: dict[tuple[object, ...], PupilDay] = {}

    def pupil_day(self, pupil: Pupil, enrolments: tuple[Enrolment, ...]) -> PupilDay:
        day, times = self._day.date, self._times
        today = tuple(
            (e.session, e.leave_at_min)
            for e in enrolments
            if e.session in times and within(e.valid_from, e.valid_to, day)
        )
        key = (pupil.stage, pupil.grade, pupil.extended_care, today)
        found = self._written.get(key)
        if found is None:
            found = self._written[key] = self._write(pupil, today)
        return found

    def _write(self, pupil: Pupil, today: tuple[tuple[str, int | None], ...]) -> PupilDay:
        """The one place where a pupil's release window is made."""
        grade = self._grade(pupil.stage, pupil.grade)
        sessions, left_at_ms = self._sessions(today)
        care = self._care(pupil, today)
        # A family's earlier end never lies before the lessons end.
        opens_ms = max(grade.dismissal_ms, left_at_ms, *(s.end_ms for s in sessions))
        due_ms = opens_ms + self._window_ms if grade.teaching or sessions else grade.release_due_ms
        if care is not None:
            due_ms = max(opens_ms, care.end_ms)
        return PupilDay(
            teaching=grade.teaching,
            service=grade.service,
            arrive_opens_ms=grade.arrive_opens_ms,
            late_after_ms=grade.late_after_ms,
            dismissal_ms=grade.dismissal_ms,
            sessions=sessions,
            extended_care=care,
            release_opens_ms=opens_ms,
            release_due_ms=due_ms,
        )

    def _sessions(self, today: tuple[tuple[str, int | None], ...]) -> tuple[tuple[SessionTime, ...], int]:
        """The pupil's sessions by start, and the latest end that the family chose (0 when it chose none)."""
        mine: list[SessionTime] = []
        left_at_ms = 0
        for session, leave_at_min in today:
            time = self._times[session]
            if session in self._care_ids:
                continue
            if leave_at_min is not None and (leave_ms := self._start_ms + leave_at_min * MINUTE_MS) < time.end_ms:
                left_at_ms = max(left_at_ms, leave_ms)
                if leave_ms <= time.start_ms:
                    continue
                time = _ending(time, leave_ms)
            mine.append(time)
        return tuple(sorted(mine, key=lambda t: (t.start_ms, t.end_ms, t.session))), left_at_ms

    def _care(self, pupil: Pupil, today: tuple[tuple[str, int | None], ...]) -> SessionTime | None:
        """Extended care: the session that the pupil is enrolled in, else the school's own for a flagged pupil."""
        for session, leave_at_min in today:
            if session in self._care_ids:
                time = self._times[session]
                leave_ms = time.end_ms if leave_at_min is None else self._start_ms + leave_at_min * MINUTE_MS
                return time if leave_ms >= time.end_ms else _ending(time, max(leave_ms, time.start_ms))
        return self._default_care if pupil.extended_care and self._days[pupil.stage].after_school else None

    def _find_default_care(self) -> SessionTime | None:
        running = sorted(self._care_ids & self._times.keys())
        if running:
            return self._times[running[0]]
        slot = self._bells.extended_care
        if slot is None:
            return None
        return SessionTime(
            session="",
            slot=0,
            room="",
            teacher=0,
            start_ms=self._start_ms + slot.start_min * MINUTE_MS,
            end_ms=self._start_ms + slot.end_min * MINUTE_MS,
        )

    def _grade(self, stage: Stage, grade: int) -> PupilDay:
        """The day of a pupil of this grade who takes part in nothing."""
        found = self._grades.get((stage, grade))
        if found is None:
            found = self._grades[stage, grade] = self._write_grade(stage, grade)
        return found

    def _write_grade(self, stage: Stage, grade: int) -> PupilDay:
        start_ms, bells, day = self._start_ms, self._bells, self._days[stage]
        if day.type is not DayType.TEACHING:
            return PupilDay(
                teaching=False,
                service=day.after_school,
                arrive_opens_ms=start_ms,
                late_after_ms=start_ms + DAY_MS,
                dismissal_ms=start_ms,
                release_opens_ms=start_ms,
                release_due_ms=start_ms + bells.gate_closes_min * MINUTE_MS,
            )
        dismissal_min = dismissal_of(self._day, self._plan, bells, stage, grade)
        return PupilDay(
            teaching=True,
            service=day.after_school,
            arrive_opens_ms=start_ms + for_grade(bells.gate_opens_min, stage, grade) * MINUTE_MS,
            late_after_ms=start_ms + for_grade(bells.late_after_min, stage, grade) * MINUTE_MS,
            dismissal_ms=start_ms + dismissal_min * MINUTE_MS,
        )


def _profile_minute(profile: Mapping[str, int], stage: Stage, grade: int, otherwise: int) -> int:
    """A profile may name only the grades that leave early."""
    try:
        return for_grade(profile, stage, grade)
    except PlanGap:
        return otherwise


def _ending(time: SessionTime, end_ms: int) -> SessionTime:
    return SessionTime(
        session=time.session,
        slot=time.slot,
        room=time.room,
        teacher=time.teacher,
        start_ms=time.start_ms,
        end_ms=end_ms,
    )
