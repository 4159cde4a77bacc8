"""`kiosk import`: plan, show, and - unless it is a dry run - publish the next snapshot. Prints nothing itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.credentials import load_pepper
from kiosk.directory import DirectoryMissing, SnapshotInfo, index, publish, read_content
from kiosk.importing.planning import ImportPlan, apply, plan_import
from kiosk.importing.problems import Problem
from kiosk.importing.tables import Source

SHOWN_OF_EACH = 15  # lines of a diff that a person reads; --json has all


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What came of it. `published` is None after a dry run, with problems, and when nothing changed."""

    plan: ImportPlan
    dry_run: bool
    published: SnapshotInfo | None = None

    @property
    def ok(self) -> bool:
        return self.plan.ok

    @property
    def exit_code(self) -> int:
        return 0 if self.ok else 1

    def as_json(self) -> dict[str, Any]:
        """The plan's document with "dry_run" and "published": null or {"number", "made_at_ms", "sha256"}."""
        published = self.published._asdict() if self.published else None
        return {"ok": self.ok, "dry_run": self.dry_run, "published": published} | self.plan.as_json()

    def json(self) -> str:
        return json.dumps(self.as_json(), ensure_ascii=False, indent=2)

    def text(self) -> str:
        """For a terminal: Chinese first, English behind."""
        return "\n".join(_lines(self))


def import_command(
    paths: Sequence[Path | str | Source],
    directory_path: Path,
    *,
    dry_run: bool,
    made_at_ms: int,
    school_year_start: int,
    primary_years: int = 6,
    gates: Mapping[str, str] | None = None,
    handover_max_grade: int = 2,
    reversed_decimal_cards: bool = False,
    allow_removals: bool = False,
    pepper_path: Path | None = None,
    first_number: int = 1,
) -> ImportResult:
    """Files in, next snapshot out, or nothing at all. See `plan_import` for the options.

    `pepper_path` is made when missing and PINs are given. Raises DirectoryError (the snapshot in place cannot be
    used, or somebody else published meanwhile), CredentialsError, ImportRefused.
    """
    try:
        before, info = read_content(directory_path)
        current = index(before, number=info.number, made_at_ms=info.made_at_ms)
    except DirectoryMissing:
        before, info, current = None, None, None
    plan = plan_import(
        paths,
        current,
        school_year_start=school_year_start,
        primary_years=primary_years,
        gates=gates,
        handover_max_grade=handover_max_grade,
        reversed_decimal_cards=reversed_decimal_cards,
        allow_removals=allow_removals,
        applications=before.applications if before else (),
    )
    if not plan.ok or dry_run or (before is not None and plan.changes_nothing):
        return ImportResult(plan=plan, dry_run=dry_run)
    pepper = load_pepper(pepper_path, create=True) if plan.pins and pepper_path else None
    content = apply(plan, before, pepper=pepper, first_number=first_number, at_ms=made_at_ms)
    if content == before:  # the PINs were the ones in force
        return ImportResult(plan=plan, dry_run=dry_run)
    number = info.number + 1 if info else 1
    return ImportResult(plan=plan, dry_run=dry_run, published=publish(directory_path, content, number, made_at_ms))


# ---- words ---------------------------------------------------------------------------------------------


def _lines(result: ImportResult) -> Iterator[str]:
    plan = result.plan
    for problem in plan.problems:
        yield from _told("✗", problem)
    if plan.problems_unlisted:
        yield f"✗ 另有 {plan.problems_unlisted} 个问题未列出。 {plan.problems_unlisted} more problems are not listed."
    for warning in plan.warnings[:SHOWN_OF_EACH]:
        yield from _told("!", warning)
    more = len(plan.warnings) - SHOWN_OF_EACH + plan.warnings_unlisted
    if more > 0:
        yield f"! 另有 {more} 条提醒。 {more} more warnings; --json has them."
    yield from _diff_lines(plan)
    yield _conclusion(result)


def _told(mark: str, problem: Problem) -> Iterator[str]:
    yield f"{mark} {problem.place}：{problem.what.zh}{problem.remedy.zh}"
    yield f"    {problem.what.en} {problem.remedy.en}"


def _diff_lines(plan: ImportPlan) -> Iterator[str]:
    for found in plan.diff:
        yield (
            f"{found.name} {found.kind.value}: 新增 added {len(found.added)} · 修改 changed {len(found.changed)}"
            f" · 删除 removed {len(found.removed)}"
        )
        yield from _some(f"  + {what}" for what in found.added)
        yield from _some(
            f"  ~ {change.what}: "
            + "; ".join(f"{name} {old or '∅'} → {new or '∅'}" for name, (old, new) in change.fields.items())
            for change in found.changed
        )
        yield from _some(f"  - {what}" for what in found.removed)
    if plan.pins:
        yield f"密码 PINs: {len(plan.pins)}"


def _some(lines: Iterator[str]) -> Iterator[str]:
    for at, line in enumerate(lines):
        if at == SHOWN_OF_EACH:
            yield "  …"
            return
        yield line


def _conclusion(result: ImportResult) -> str:
    plan = result.plan
    if not plan.ok:
        count = len(plan.problems) + plan.problems_unlisted
        return f"发现 {count} 个问题，没有导入任何内容。 {count} problems; nothing was imported."
    if result.published:
        return f"已导入，名单第 {result.published.number} 版。 Imported as directory snapshot {result.published.number}."
    if result.dry_run and not plan.changes_nothing:
        return "试导入：没有问题，尚未保存。 Dry run: no problems, nothing saved."
    return "名单没有变化。 Nothing changed."
