"""Rows of a report as mappings, so that a test names a column instead of counting it."""

from __future__ import annotations

from kiosk.reports.table import Report, Sheet, Value


def sheet(report: Report, id: str) -> Sheet:
    return next(one for one in report.sheets if one.id == id)


def rows(report: Report, id: str) -> list[dict[str, Value]]:
    found = sheet(report, id)
    assert all(len(row) == len(found.columns) for row in (*found.rows, *([found.total] if found.total else [])))
    return [dict(zip((column.key for column in found.columns), row, strict=True)) for row in found.rows]


def total(report: Report, id: str) -> dict[str, Value]:
    found = sheet(report, id)
    assert found.total is not None
    return dict(zip((column.key for column in found.columns), found.total, strict=True))
