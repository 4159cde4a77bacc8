"""Publications of a running gate: made from what is in force, put on record, kept as they went out; and what is due.

`kiosk.publications` says what stands in them. A publication is on record (`published`: what, which words, when, by whom) before
its file is kept under `publications/` of the state folder, as Markdown. Reminders of reports and of the filing of the plan go
out 14 and 3 days ahead and on the day, once each. Blocks for files: the pages call it in a thread.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from kiosk.clock import Clock
from kiosk.core.commands_publishing import RemindOfDue
from kiosk.core.decisions import Answer, Reason
from kiosk.core.due_dates import Due, dues, fee_lock, reminders
from kiosk.core.people import Directory
from kiosk.core.policy import Policy, PolicyRefused
from kiosk.core.roster import Bar
from kiosk.durable_files import make_folder, write_whole
from kiosk.policies import load_policy
from kiosk.policy_page import sheet_groups, silent_rows
from kiosk.publications import Ground, guardian_notice, inspected_parts, public_timetable, timetable_report
from kiosk.recorded import local_time
from kiosk.reports.forms import Making, stem
from kiosk.reports.workbook import write_workbook
from kiosk.settings import Settings, SharedDataMissing
from kiosk.web.faces_format import Lang
from kiosk.web.faces_office import FindingLine
from kiosk.web.faces_publications import DueLine, InspectionView, PaperLine, PolicyView, Publication, PublishedLine

log = logging.getLogger("kiosk.publishing")

FOLDER: Final = "publications"
OVERLAY: Final = "national_2023"
MAKERS: Final = {"guardian_notice": guardian_notice, "timetable": public_timetable}
REMINDED_FILE: Final = "reminded.json"
LOOK_EVERY_MS: Final = 60_000


class Publishing:
    """`kiosk.web.gate.Publications`."""

    def __init__(
        self, *, settings: Settings, state: Path, directory: Callable[[], Directory], clock: Clock,
        findings: tuple[FindingLine, ...] = (),
    ) -> None:  # fmt: skip
        self._settings, self._folder, self._directory, self._clock = settings, state / FOLDER, directory, clock
        self.findings = findings
        self.city, self.overlay = _loaded(settings.school.city), _loaded(OVERLAY if settings.school.national_overlay else "")

    # --- papers --------------------------------------------------------------------------------------

    def today(self) -> date:
        return local_time(self._clock.now_ms(), self._settings.plan.utc_offset_ms).date()

    def ground(self, lang: Lang = "zh") -> Ground:
        return Ground(
            settings=self._settings, directory=self._directory(), city=self.city, overlay=self.overlay, on=self.today(), lang=lang
        )

    def paper(self, what: str, lang: Lang = "zh") -> Publication:
        """Raises KeyError for a paper that there is not."""
        return MAKERS[what](self.ground(lang))

    def workbook(self, lang: Lang) -> tuple[str, bytes]:
        """The public timetable as a spreadsheet: its name and bytes."""
        report = timetable_report(self.ground(lang))
        making = Making(made_ms=self._clock.now_ms(), offset_ms=self._settings.plan.utc_offset_ms, lang=lang)
        with TemporaryDirectory(prefix="timetable-") as folder:
            path = Path(folder) / "timetable.xlsx"
            write_workbook(report, path, making)
            return f"{stem(report, making)}.xlsx", path.read_bytes()

    def keep(self, paper: Publication, by: str) -> str:
        """The paper as it went out, under its day; an earlier one of the same day stays beside it. Returns its name."""
        make_folder(self._folder)
        text, stem, n = paper.markdown(), f"{paper.day}_{paper.id}", 1
        while (self._folder / f"{stem}_{n}.md").exists():
            n += 1
        name = f"{stem}_{n}.md"
        write_whole(self._folder / name, f"<!-- {by} · {digest_of(paper)} -->\n{text}".encode())
        return name

    def kept(self, name: str) -> str | None:
        """A paper that was published, by the name of its file; None where there is none of that name."""
        listed = {line.name for line in self.published()}
        return (self._folder / name).read_text(encoding="utf-8") if name in listed else None

    def published(self) -> tuple[PublishedLine, ...]:
        """Newest first."""
        if not self._folder.is_dir():
            return ()
        found = []
        for path in sorted(self._folder.glob("*_*_*.md"), reverse=True):
            day, _, rest = path.stem.partition("_")
            with path.open(encoding="utf-8") as file:
                by = file.readline().removeprefix("<!-- ").partition(" · ")[0]
            found.append(PublishedLine(id=rest.rpartition("_")[0], day=day, by=by, name=path.name))
        return tuple(found)

    # --- views ---------------------------------------------------------------------------------------

    def policy(self, bar: Bar, lang: Lang, done: str = "") -> PolicyView:
        school, today = self._settings.school, self.today()
        words = self.city.variants.get(school.variant) if self.city else None
        locked = fee_lock(
            self.city, self._settings.calendar, today, approved_on=self._settings.service.approved_on, variant=school.variant
        )
        policies = [p for p in (self.city, self.overlay) if p is not None]
        return PolicyView(
            bar=bar,
            city=(self.city.name_en if lang == "en" else self.city.name) if self.city else "",
            variant=(words.en if lang == "en" else words.zh) if words else "",
            overlay=self.overlay is not None,
            papers=tuple(line for policy in policies for line in paper_lines(policy, today)),
            groups=tuple(group for policy in policies for group in sheet_groups(policy, lang, variant=school.variant)),
            silent=silent_rows(self.city, lang) if self.city else (),
            findings=self.findings,
            dues=tuple(due_line(due, today) for due in self._dues(today)),
            fee_locked=(locked.clause, str(locked.document)) if locked else None,
            published=self.published(),
            done=done,
        )

    def inspection(self, bar: Bar, lang: Lang) -> InspectionView:
        today = self.today()
        return InspectionView(
            bar=bar, parts=inspected_parts(self.ground(lang)), findings=self.findings,
            dues=tuple(due_line(due, today) for due in self._dues(today)),
        )  # fmt: skip

    def _dues(self, today: date) -> tuple[Due, ...]:
        service, school = self._settings.service, self._settings.school
        return dues(self.city, self._settings.calendar, today, variant=school.variant, filed_on=service.filed_on)

    def reminders(self) -> tuple[Due, ...]:
        return reminders(self._dues(self.today()), self.today())


class DueWatch:
    """Reminds once of each thing on each of its days. What was said is kept, so that a restart says nothing twice."""

    def __init__(
        self, *, publishing: Publishing, state: Path, clock: Clock,
        submit: Callable[[RemindOfDue, Callable[[Answer], None]], None],
    ) -> None:  # fmt: skip
        self._publishing, self._clock, self._submit = publishing, clock, submit
        self._path = state / FOLDER / REMINDED_FILE
        self._looked_ms = 0
        self._told: set[str] | None = None

    def look(self) -> None:
        now_ms = self._clock.now_ms()
        if not self._clock.trusted() or abs(now_ms - self._looked_ms) < LOOK_EVERY_MS:
            return
        self._looked_ms, today = now_ms, self._publishing.today()
        for due in self._publishing.reminders():
            key = f"{due.rule.id} {due.on} {today}"
            if key not in self._known():
                command = RemindOfDue(what=due.kind, rule=due.rule.id, due=due.on.isoformat(), days_left=due.days_left(today))
                self._submit(command, partial(self._taken, key))

    def _known(self) -> set[str]:
        if self._told is None:
            self._told = set(json.loads(self._path.read_text()) if self._path.exists() else ())
        return self._told

    def _taken(self, key: str, answer: Answer) -> None:
        if answer.decision.reason == Reason.DONE:
            self._known().add(key)
            make_folder(self._path.parent)
            write_whole(self._path, json.dumps(sorted(self._known())[-200:]).encode())


def digest_of(paper: Publication) -> str:
    return sha256(paper.markdown().encode()).hexdigest()


def due_line(due: Due, today: date) -> DueLine:
    return DueLine(
        kind=due.kind, on=due.on.isoformat(), state=due.state(today), days_left=due.days_left(today), clause=due.rule.clause,
        document=str(due.rule.document), to=due.rule.text("to"), term=due.term,
        reminders=tuple(day.isoformat() for day in due.reminded_on()),
    )  # fmt: skip


def paper_lines(policy: Policy, today: date) -> list[PaperLine]:
    return [
        PaperLine(
            title=paper.title, number=paper.number, issuer=paper.issuer, first=str(paper.effective_from or ""),
            until=str(paper.valid_until or ""), note=paper.note,
            lapsed=paper.valid_until is not None and paper.valid_until < today,
        )
        for paper in dict.fromkeys(rule.document for rule in policy.rules)
    ]  # fmt: skip


def _loaded(name: str) -> Policy | None:
    """The gate goes on without a policy: `kiosk check` says what is wrong with its file."""
    try:
        return load_policy(name) if name else None
    except (PolicyRefused, SharedDataMissing) as error:
        log.error("policies/%s.toml: %s", name, error)
        return None
