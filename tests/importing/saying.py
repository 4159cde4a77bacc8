"""What an import said of the lists, in the words of a test."""

from __future__ import annotations

from kiosk.importing import ImportPlan


def said(plan: ImportPlan) -> list[tuple[str, int | None, str, str]]:
    return [(p.sheet, p.row, p.column, p.what.zh) for p in plan.problems]


def only(plan: ImportPlan) -> tuple[str, int | None, str, str]:
    assert len(plan.problems) == 1, said(plan)
    return said(plan)[0]
