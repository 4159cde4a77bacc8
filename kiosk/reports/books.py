"""The books of one school: its records, its people, its city's rules, in one hand for whoever computes a report.

Opens the state folder for reading when something is asked for and keeps what it read, so that several reports of one period
cost one pass. Knows no report, decides nothing, never writes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final

from kiosk.core.people import Directory
from kiosk.core.policy import Policy, PolicyRefused, Rule
from kiosk.policies import load_policy
from kiosk.recorded import Records, RecordsError, local_time, opened
from kiosk.reports.archive import Progress, read_archive
from kiosk.reports.naming import quoted
from kiosk.reports.period import Period, period_of
from kiosk.reports.service_rows import Archive
from kiosk.reports.table import Words
from kiosk.settings import Settings, SharedDataMissing

OVERLAY: Final = "national_2023"
KEPT: Final = 2  # periods whose records are kept at hand


class Books:
    """Use it in one thread. `today` decides what is due, never what is counted."""

    def __init__(
        self, *, settings: Settings, state: Path, directory: Directory, policy: Policy | None, overlay: Policy | None,
        today: date, progress: Progress | None = None,
    ) -> None:  # fmt: skip
        self.settings, self.directory = settings, directory
        self.policy, self.overlay, self.today = policy, overlay, today
        self.progress = progress
        self._state = state
        self._kept: OrderedDict[tuple[date, date, bool], tuple[tuple[int, int, int], Archive]] = OrderedDict()

    def period(self, text: str) -> Period:
        """Raises NoPeriod."""
        return period_of(text, self.settings.calendar.terms)

    def archive(self, first: date, last: date, *, rolls: bool = False) -> Archive:
        """What the records hold of these days. Raises RecordsError."""
        with self.records() as records:
            head, key = records.head(), (first, last, rolls)
            kept = self._kept.get(key)
            if kept is None or kept[0] != head:
                offset_ms = self.settings.plan.utc_offset_ms
                found = read_archive(records, first, last, utc_offset_ms=offset_ms, rolls=rolls, progress=self.progress)
                kept = self._kept[key] = head, found
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            return kept[1]

    @contextmanager
    def records(self) -> Iterator[Records]:
        """Raises RecordsError."""
        with opened(self._state) as records:
            yield records

    def local_day(self, at_ms: int) -> date:
        return local_time(at_ms, self.settings.plan.utc_offset_ms).date()

    # --- the city's rules ------------------------------------------------------------------------------

    def rules(self, *types: str) -> tuple[Rule, ...]:
        """The clauses of these types in the city's paper that speak to this school. None: the paper is silent."""
        school = self.settings.school
        found = self.policy.of_type(*types) if self.policy else ()
        return tuple(rule for rule in found if rule.variant in ("", school.variant) and rule.stages & school.stages)

    def clauses(self, *rows: str) -> tuple[Words, ...]:
        """The clauses of these rows of the matrix (F2, F2.something) in their own words, each once."""
        found = [rule for rule in self.policy.rules if rule.id.partition(".")[0] in rows] if self.policy else []
        mine = [rule for rule in found if rule.variant in ("", self.settings.school.variant)]
        return tuple(dict.fromkeys(quoted(rule) for rule in mine))

    def paper(self) -> str:
        """The city's own document, as it is quoted."""
        return str(self.policy.rules[0].document) if self.policy else ""

    def silent(self, zh: str, en: str) -> Words:
        """That the city's paper says nothing of something."""
        if self.policy is None:
            return Words(
                f"未选定城市政策：{zh}由学校按当地规定处理。", f"No city's policy is chosen: {en} is for the school to settle."
            )
        return Words(f"{self.paper()}没有规定{zh}。", f"{self.paper()} is silent on {en}.")


def open_books(
    settings: Settings, state: Path, directory: Directory, *, today: date, progress: Progress | None = None,
    policies: Path | None = None,
) -> Books:  # fmt: skip
    """The books with the policies that the settings name. Raises RecordsError where a policy file cannot be used."""
    load = _loading(policies)
    return Books(
        settings=settings, state=state, directory=directory, policy=load(settings.school.city),
        overlay=load(OVERLAY if settings.school.national_overlay else ""), today=today, progress=progress,
    )  # fmt: skip


def _loading(policies: Path | None) -> Callable[[str], Policy | None]:
    def load(name: str) -> Policy | None:
        try:
            return load_policy(name, policies) if name else None
        except (PolicyRefused, SharedDataMissing) as error:
            raise RecordsError(f"policies/{name}.toml: {error}") from error

    return load
