"""What counts as the after-school service (课后服务) in sums of money and statistics, and what is on record beside it.

The archive has every session. A holiday opening is none of the service; with the national notice laid over the city's paper,
neither are the kinds that it names, and a weekend is one only where it says so. Each is left out with the clause that does it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from kiosk.reports.books import Books
from kiosk.reports.columns import column, kind_words
from kiosk.reports.naming import quoted
from kiosk.reports.service_rows import Held
from kiosk.reports.table import Cell, Sheet, Words

EVENING: Final = "evening_study"
WEEKEND: Final = "weekend"
HOLIDAY: Final = "holiday_open"
OPENING: Final = Words(
    "假期开放单独记录，不计入课后服务。", "A holiday opening is recorded by itself and is none of the service."
)


class Scope:
    """Asked once for each report. `why` has the words for each kind that is left out, whether there were such sessions or not."""

    def __init__(self, books: Books) -> None:
        self.why: dict[str, Words] = {HOLIDAY: OPENING}
        for rule in books.overlay.rules if books.overlay else ():
            if rule.type == "not_the_service":
                self.why |= dict.fromkeys(rule.words("kinds"), quoted(rule))
            elif rule.type == "class_days_only":
                pilot = books.policy is not None and rule.text("pilot_trait") in books.policy.traits
                if not (pilot and books.settings.service.weekend_content in rule.words("pilot_kinds")):
                    self.why[WEEKEND] = quoted(rule)

    def counts(self, held: Held) -> bool:
        return held.row.kind not in self.why

    def within(self, held: Iterable[Held]) -> list[Held]:
        return [one for one in held if self.counts(one)]

    def excluded_sheet(self, held: Iterable[Held]) -> Sheet:
        """Every kind that is left out, how much of it was held, and by which words."""
        sessions: defaultdict[str, int] = defaultdict(int)
        hours: defaultdict[str, float] = defaultdict(float)
        there: defaultdict[str, int] = defaultdict(int)
        for one in held:
            if not self.counts(one):
                kind = one.row.kind
                sessions[kind] += 1
                hours[kind] += one.row.class_hours
                there[kind] += len(one.attended())
        columns = (
            column("kind", "内容", "content", Cell.TEXT, 14), column("sessions", "场次", "sessions", Cell.WHOLE, 8),
            column("there", "人次", "attendances", Cell.WHOLE, 8), column("class_hours", "课时", "class-hours", Cell.HOURS, 8),
            column("why", "不计入的依据", "by which words", Cell.TEXT, 60),
        )  # fmt: skip
        rows = [(kind_words(kind).zh, sessions[kind], there[kind], round(hours[kind], 1), self.why[kind].zh) for kind in self.why]
        return Sheet(id="excluded", name=Words("不计入", "left out"), columns=columns, rows=rows)
