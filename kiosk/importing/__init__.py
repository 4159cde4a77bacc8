"""People files in: workbooks and CSV as schools have them -> a plan with every problem and change -> a snapshot."""

from __future__ import annotations

from kiosk.importing.command import ImportResult, import_command
from kiosk.importing.planning import ImportPlan, ImportRefused, apply, plan_import
from kiosk.importing.problems import Problem, Words
from kiosk.importing.tables import Source

__all__ = [
    "ImportPlan",
    "ImportRefused",
    "ImportResult",
    "Problem",
    "Source",
    "Words",
    "apply",
    "import_command",
    "plan_import",
]
