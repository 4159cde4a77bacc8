"""Files + the directory in force -> a plan: every problem at once, every change, and nothing done yet.

`apply` turns a plan without problems into the content of the next snapshot. Both only compute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from kiosk.core.enrolment import Application
from kiosk.core.people import Directory
from kiosk.credentials import hash_changed_pins, verify_pin
from kiosk.directory import Content, PersonKind
from kiosk.importing.applications import standing
from kiosk.importing.building import build
from kiosk.importing.checks import check
from kiosk.importing.diff import KindDiff, diff
from kiosk.importing.given import Given, Options
from kiosk.importing.headers import kind_of_title
from kiosk.importing.merging import merge
from kiosk.importing.numbering import content_of
from kiosk.importing.problems import Problem, Report
from kiosk.importing.rows import Kind, Rows, rows_of
from kiosk.importing.sheets import records
from kiosk.importing.sources import gather, raw_sheets
from kiosk.importing.tables import Source


class ImportRefused(Exception):
    """The plan has problems, or lacks what it needs; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """`rows` is the whole school as it would be; `diff` what that changes. With problems, both are only a preview."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    problems_unlisted: int  # beyond those listed
    warnings_unlisted: int
    diff: tuple[KindDiff, ...]
    kinds: frozenset[Kind]
    rows: Rows = field(repr=False)
    pins: Mapping[str, str] = field(repr=False)  # staff number -> PIN in clear: in memory only
    duress_pins: Mapping[str, str] = field(repr=False)  # the same; whoever is here is in `pins` too
    school_year_start: int

    @property
    def ok(self) -> bool:
        return not self.problems and not self.problems_unlisted

    @property
    def changes_nothing(self) -> bool:
        return not self.diff and not self.pins

    def as_json(self) -> dict[str, Any]:
        """{"ok", "problems", "warnings", "…_unlisted", "kinds", "diff": {kind: {"added", "changed", "removed"}}, "pins"}."""
        return {
            "ok": self.ok,
            "problems": [problem.as_json() for problem in self.problems],
            "problems_unlisted": self.problems_unlisted,
            "warnings": [warning.as_json() for warning in self.warnings],
            "warnings_unlisted": self.warnings_unlisted,
            "kinds": sorted(self.kinds),
            "diff": {found.kind.value: found.as_json() for found in self.diff},
            "pins": len(self.pins),
        }


def plan_import(
    sources: Sequence[Source | Path | str],
    current: Directory | None,
    *,
    school_year_start: int,
    primary_years: int = 6,
    gates: Mapping[str, str] | None = None,
    handover_max_grade: int = 2,
    reversed_decimal_cards: bool = False,
    allow_removals: bool = False,
    applications: Sequence[Application] = (),
) -> ImportPlan:
    """Reads workbooks, CSV files or folders of them. A list that is there replaces the whole list of its kind.

    `current` is the directory in force, None before the first import. `school_year_start` is the year in which the
    school year began; `primary_years` is 6, or 5 under 五四学制. `gates` maps gate ids to names; without it any id is
    taken. `reversed_decimal_cards` says that decimal card numbers in the lists are 反码. `applications`: those in force.
    Never raises for content: whatever is wrong with the files is in `problems`.
    """
    report = Report()
    paths = [s for s in sources if not isinstance(s, Source)]
    files = (*gather(paths, report), *(s for s in sources if isinstance(s, Source)))
    options = Options(
        school_year_start=school_year_start,
        primary_years=primary_years,
        handover_max_grade=handover_max_grade,
        gates=gates or {},
        reversed_decimal_cards=reversed_decimal_cards,
    )
    given = Given(
        current=rows_of(current) if current else Rows(), options=options, report=report,
        applications=standing(applications, current),
    )  # fmt: skip
    raw = raw_sheets(files, report)
    given.failed.update(kind for p in report.problems if (kind := kind_of_title(PurePath(p.file).stem)))
    found, failed = records(raw, report)
    given.failed.update(failed)
    build(found, given)
    rows = merge(found, given)
    check(rows, given, allow_removals=allow_removals)
    return ImportPlan(
        problems=tuple(report.problems),
        warnings=tuple(report.warnings),
        problems_unlisted=report.problems_unlisted,
        warnings_unlisted=report.warnings_unlisted,
        diff=diff(given.current, rows),
        kinds=frozenset(given.kinds),
        rows=rows,
        pins=given.pins,
        duress_pins=given.duress_pins,
        school_year_start=school_year_start,
    )


def apply(
    plan: ImportPlan, before: Content | None, *, pepper: bytes | None = None, first_number: int = 1, at_ms: int = 0
) -> Content:
    """The content of the next snapshot. `before` is that of the snapshot that the plan was made against.

    PINs that changed are hashed under `pepper` (a few seconds for a hundred). `first_number` is above every person
    number in the journals of the school; it counts only where `before` knows fewer. `at_ms` is written beside new
    applications. Raises ImportRefused.
    """
    if not plan.ok:
        raise ImportRefused(f"the import has {len(plan.problems) + plan.problems_unlisted} problems; nothing was changed")
    if plan.pins and pepper is None:
        raise ImportRefused("the staff list sets PINs, but there is no pepper to hash them under; give the key folder")
    pins, duress = _hashed(plan, before, pepper) if plan.pins and pepper else ({}, {})
    return content_of(
        plan.rows, before, pins=pins, duress_pins=duress, school_year_start=plan.school_year_start, first_number=first_number,
        at_ms=at_ms,
    )  # fmt: skip


def _hashed(plan: ImportPlan, before: Content | None, pepper: bytes) -> tuple[dict[str, str], dict[str, str | None]]:
    """New hashes of PINs and duress PINs by staff number. Whoever now has the old duress PIN as PIN loses it: one number
    cannot mean both."""
    known = _by_staff_number(before, before.duress_pins) if before else {}
    duress: dict[str, str | None] = dict(hash_changed_pins(plan.duress_pins, known, pepper))
    kept = {key: hash_ for key, hash_ in known.items() if key in plan.pins and key not in duress}
    duress |= {key: None for key, hash_ in kept.items() if verify_pin(hash_, plan.pins[key], pepper)}
    return hash_changed_pins(plan.pins, _by_staff_number(before, before.pins) if before else {}, pepper), duress


def _by_staff_number(before: Content, hashes: Mapping[int, str]) -> dict[str, str]:
    staff = {person.number: person.key for person in before.persons if person.kind is PersonKind.STAFF}
    return {staff[number]: hash_ for number, hash_ in hashes.items() if number in staff}
