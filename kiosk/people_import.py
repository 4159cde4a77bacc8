"""People files into this gate's directory: the options that the settings imply, for the command line and the office page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from kiosk.clock import Clock
from kiosk.core.entries import decode
from kiosk.core.pruned import persons_named
from kiosk.credentials import load_pepper
from kiosk.directory import DirectoryMissing, SnapshotStale, index, publish, read_content
from kiosk.importing.command import ImportResult, import_command
from kiosk.importing.planning import ImportPlan as Planned
from kiosk.importing.planning import apply, plan_import
from kiosk.importing.problems import Problem
from kiosk.importing.tables import Source
from kiosk.journal import FILE_NAME, connect
from kiosk.opening import local_date
from kiosk.settings import Settings
from kiosk.web.faces_office import ChangeLine, ProblemLine
from kiosk.web.gate import ImportMoved, ImportPlan

DIRECTORY_FILE = "directory.db"
SCHOOL_YEAR_BEGINS_IN = 8  # August: 入学年份 turns


def school_year_start(today: date) -> int:
    return today.year if today.month >= SCHOOL_YEAR_BEGINS_IN else today.year - 1


def _options(settings: Settings, now_ms: int) -> dict[str, Any]:
    return {
        "school_year_start": school_year_start(local_date(settings, now_ms)),
        "primary_years": settings.school.primary_years,
        "gates": {gate.id: gate.name for gate in settings.rules.gates.values()},
        "handover_max_grade": settings.rules.handover_max_grade,
    }


def import_people(
    paths: Sequence[Path], state: Path, *, settings: Settings, dry_run: bool, now_ms: int, allow_removals: bool = False
) -> ImportResult:
    """`kiosk import`. Raises DirectoryError, CredentialsError."""
    return import_command(
        paths, state / DIRECTORY_FILE, dry_run=dry_run, made_at_ms=now_ms, pepper_path=_pepper_path(state),
        allow_removals=allow_removals, first_number=first_free_number(state), **_options(settings, now_ms),
    )  # fmt: skip


def first_free_number(state: Path) -> int:
    """Above every person that the journal names: after a lost directory no number may come to mean somebody else."""
    journal = state / FILE_NAME
    if (state / DIRECTORY_FILE).exists() or not journal.exists():
        return 1
    connection, highest = connect(journal, read_only=True), 0
    for (raw,) in connection.execute("SELECT raw FROM entries WHERE raw <> x''"):
        highest = max(highest, *persons_named(decode(raw)), 0)
    connection.close()
    return highest + 1


def _pepper_path(state: Path) -> Path:
    return state / "keys" / "pepper"


class OfficeImport:
    """The office page's importer: a dry run that is shown, then exactly that, or nothing if the list has moved on."""

    def __init__(self, *, settings: Settings, state: Path, clock: Clock) -> None:
        self._settings, self._state, self._clock = settings, state, clock

    def plan(self, files: Sequence[tuple[str, bytes]]) -> ImportPlan:
        path = self._state / DIRECTORY_FILE
        try:
            before, info = read_content(path)
            current, number = index(before, number=info.number, made_at_ms=info.made_at_ms), info.number
        except DirectoryMissing:
            before, current, number = None, None, 0
        sources = [Source(name, data) for name, data in files]
        applications = before.applications if before else ()
        options = _options(self._settings, self._clock.now_ms())
        planned = plan_import(sources, current, applications=applications, **options)
        return ImportPlan(
            problems=tuple(_problem_line(problem) for problem in planned.problems),
            changes=tuple(line for line in _change_lines(planned)),
            counts=tuple((d.name, len(d.added), len(d.changed), len(d.removed)) for d in planned.diff),
            content=(planned, number),
        )

    def apply(self, plan: ImportPlan, *, by: int) -> int:
        """The number of the new snapshot. Raises ImportMoved."""
        planned, number = plan.content
        path = self._state / DIRECTORY_FILE
        try:
            before, info = read_content(path)
        except DirectoryMissing:
            before, info = None, None
        if (info.number if info else 0) != number:
            raise ImportMoved
        first = first_free_number(self._state)
        pepper = load_pepper(_pepper_path(self._state), create=True) if planned.pins else None
        try:
            now_ms = self._clock.now_ms()
            content = apply(planned, before, pepper=pepper, first_number=first, at_ms=now_ms)
            published = publish(path, content, number + 1, now_ms)
        except SnapshotStale as error:
            raise ImportMoved from error
        return published.number


def _problem_line(problem: Problem) -> ProblemLine:
    place = str(problem.place).removeprefix(problem.file).strip()
    what, fix = (f"{words.zh} {words.en}" for words in (problem.what, problem.remedy))
    return ProblemLine(file=problem.file, where=place, what=what, fix=fix)


def _change_lines(planned: Planned) -> list[ChangeLine]:
    lines = []
    for found in planned.diff:
        lines += [ChangeLine(change="added", sort=found.name, name=what, detail="") for what in found.added]
        for change in found.changed:
            detail = "; ".join(f"{name} {old or '∅'} → {new or '∅'}" for name, (old, new) in change.fields.items())
            lines.append(ChangeLine(change="changed", sort=found.name, name=change.what, detail=detail))
        lines += [ChangeLine(change="removed", sort=found.name, name=what, detail="") for what in found.removed]
    return lines
