"""What the pages under 资料 → 隐私 show and give out, made from the fold, the settings and what is on disk.

Every method blocks: the pages call it in a thread. Nothing here records or erases anything.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final

from kiosk.clock import Clock
from kiosk.controller import Controller
from kiosk.core.commands_privacy import RecordConsentRow
from kiosk.core.entries import Kind
from kiosk.core.people import Directory, Pupil
from kiosk.core.privacy_book import Hold, PrivacyBook, Said
from kiosk.core.roster import Bar
from kiosk.face.templates import TemplateStore
from kiosk.journal_lookups import NoteReader
from kiosk.privacy import texts
from kiosk.privacy.consent_sheet import read_sheet
from kiosk.privacy.ledger import consent_lines
from kiosk.privacy.requests import request_lines
from kiosk.privacy.running import Keeping
from kiosk.privacy.subject import ERRORS, gather_child, packed
from kiosk.recorded import local_time
from kiosk.settings import Settings
from kiosk.web.faces_format import Lang
from kiosk.web.faces_privacy import (
    FoundChild,
    HoldLine,
    IncidentLine,
    IncidentsView,
    KeptLine,
    LogLine,
    PrivacyChildView,
    PrivacyView,
    StepLine,
    TextView,
)
from kiosk.web.gate import Pictures, RecordsUnreadable
from kiosk.web.words import known, say

LOG_SHOWN: Final = 100
FOUND_SHOWN: Final = 20
COUNTED: Final = ("notes", "pictures", "photos", "templates", "copies")
_DELETIONS: Final = frozenset({Kind.PERSON_ERASED, Kind.ERASURE_DONE, Kind.ERASED_BY_RETENTION, Kind.PICTURES_ERASED})


class PrivacyDesk:
    def __init__(
        self, *, settings: Settings, state: Path, controller: Controller, keeping: Keeping, templates: TemplateStore | None,
        pictures: Pictures, note: NoteReader, clock: Clock, notices: Callable[[], tuple[str, ...]],
    ) -> None:  # fmt: skip
        self._settings, self._state, self._controller = settings, state, controller
        self._keeping, self._templates, self._pictures = keeping, templates, pictures
        self._note, self._clock, self._notices = note, clock, notices

    @property
    def _book(self) -> PrivacyBook:
        return self._controller.world.campus.privacy

    @property
    def _directory(self) -> Directory:
        return self._controller.world.directory

    def _today(self) -> date:
        return local_time(self._clock.now_ms(), self._settings.plan.utc_offset_ms).date()

    # --- kept, held, erased --------------------------------------------------------------------------

    def overview(self, bar: Bar, *, lang: Lang, said: str) -> PrivacyView:
        log = self._log()
        return PrivacyView(
            bar=bar, kept=tuple(self._kept(log)), log=tuple(log[:LOG_SHOWN]), more=max(0, len(log) - LOG_SHOWN),
            holds=self._holds(), requests=request_lines(self._book, self._directory, self._note, self._today(), open_only=True),
            leavers=len(self._keeping.eraser.leavers.all()), home=self._keeping.home, said=said, faces=self._faces(),
            faces_limit=texts.FACES_FILED_FROM,
        )  # fmt: skip

    def _kept(self, log: Iterable[LogLine]) -> Iterator[KeptLine]:
        kept, last = self._settings.retention, dict[str, LogLine]()
        for line in log:
            if line.kind in (Kind.ERASED_BY_RETENTION, Kind.PICTURES_ERASED):
                last.setdefault(line.what, line)
        rows = (
            ("left", "year_end", kept.left_days, "retention.left_days"),
            ("notes", "year_end", kept.notes_days, "retention.notes_days"),
            ("dossiers", "days", kept.dossier_days, "retention.dossier_days"),
            ("visitors", "days", kept.visitors_days, "retention.visitors_days"),
            ("pictures", "days", self._settings.site.web.keep_pictures_days, "web.keep_pictures_days"),
            ("templates", "at_once", 0, "face.on"),
            ("messages", "days", kept.messages_days, "retention.messages_days"),
            ("access", "days", kept.access_days, "retention.access_days"),
            ("records", "days", self._settings.site.disk.keep_records_days, "disk.keep_records_days"),
            ("system_log", "elsewhere", 0, "systemd-journald"),
            ("video", "elsewhere", 0, ""),
        )
        for category, how, days, setting in rows:
            found = last.get(category)
            yield KeptLine(
                category=category, how=how, days=days, setting=setting, last_ms=found.at_ms if found else 0,
                last_count=found.count if found else 0,
            )  # fmt: skip

    def _log(self) -> list[LogLine]:
        """The newest first."""
        found = [self._log_line(one) for one in list(self._book.log.values()) if one.kind in _DELETIONS]
        return sorted(found, key=lambda line: line.at_ms, reverse=True)

    def _log_line(self, one: Said) -> LogLine:
        body, persons = one.body, one.body.get("persons", ())
        numbers = "、".join(f"#{person}" for person in persons[:10]) + (" …" if len(persons) > 10 else "")
        by, what = body.get("by", 0), body.get("category") or numbers
        if one.kind == Kind.PICTURES_ERASED:
            what = "pictures"
        return LogLine(
            at_ms=one.at_ms, node=one.node, kind=one.kind, what=what,
            count=body.get("count") or len(persons), through=body.get("through", ""), why=body.get("why", ""),
            by=self._directory.name_of(by) if by else "", left=tuple(body.get("left", ())),
            counts=tuple((name, body[name]) for name in COUNTED if body.get(name)),
        )  # fmt: skip

    def log_csv(self) -> bytes:
        """utf-8 with a mark, as spreadsheets want it. Numbers and counts; no name of a child."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["时间", "网关", "事项", "内容", "数量", "截至", "原因", "操作人", *COUNTED, "遗留"])
        for line in self._log():
            at = local_time(line.at_ms, self._settings.plan.utc_offset_ms).strftime("%Y-%m-%d %H:%M")
            counts = dict(line.counts)
            what = say(f"privacy.category_{line.what}") if known(f"privacy.category_{line.what}") else line.what
            why = say(f"privacy.why_{line.why}") if line.why else ""
            row = [at, line.node, say(f"record.kind_{line.kind}"), what, line.count, line.through, why, line.by]
            writer.writerow(map(_cell, [*row, *(counts.get(name, 0) for name in COUNTED), " ".join(line.left)]))
        return ("\ufeff" + out.getvalue()).encode()

    def _holds(self) -> tuple[HoldLine, ...]:
        return tuple(self._hold_line(key, hold) for key, hold in sorted(self._book.holds.items()) if hold.stands)

    def _hold_line(self, key: tuple[int, str], hold: Hold) -> HoldLine:
        child, case = key
        return HoldLine(
            child=child, case=case, name=self._directory.name_of(child) if child else "", since_ms=hold.at_ms,
            by=self._directory.name_of(hold.by), reason=self._words(hold.note),
        )  # fmt: skip

    def _words(self, digest: str) -> str:
        if not digest:
            return ""
        return self._note(digest) or say("privacy.words_elsewhere")

    def _faces(self) -> int:
        return sum(1 for _ in self._templates.people()) if self._templates is not None else 0

    # --- one child -----------------------------------------------------------------------------------

    def child(self, number: int, text: str, bar: Bar, *, lang: Lang, said: str) -> PrivacyChildView:
        directory, book = self._directory, self._book
        pupil = directory.pupils.get(number)
        found = tuple(self._found(one) for one in directory.pupils.values() if text and _is_meant(one, text))[:FOUND_SHOWN]
        if pupil is None:
            return PrivacyChildView(bar=bar, text=text, found=found, said=said)
        hold = next((self._hold_line(key, one) for key, one in book.holds.items() if one.stands and key[0] == number), None)
        given = [one for one in list(book.log.values()) if one.kind == Kind.CHILD_EXPORTED]
        exports = [one.at_ms for one in given if one.body["child"] == number]
        guardians = [a for a in directory.collectors_of.get(number, ()) if a.guardian and a.collector in directory.collectors]
        return PrivacyChildView(
            bar=bar, text=text, found=found, child=self._found(pupil), hold=hold, exported_ms=max(exports, default=0), said=said,
            consents=consent_lines(self._controller.world, number, self._words),
            guardians=tuple((a.collector, f"{directory.collectors[a.collector].name}（{a.relation}）") for a in guardians),
            requests=request_lines(book, directory, self._note, self._today(), child=number),
        )  # fmt: skip

    def _found(self, pupil: Pupil) -> FoundChild:
        home = self._directory.classes.get(pupil.class_id)
        return FoundChild(
            number=pupil.number, name=pupil.name, class_name=home.name if home else "", school_number=pupil.school_number
        )

    def consent_sheet(self, data: bytes, *, by: int) -> tuple[tuple[RecordConsentRow, ...], tuple[str, ...]]:
        return read_sheet(data, self._directory, by)

    def pack(self, child: int, *, by: int) -> tuple[str, bytes]:
        with _readable():
            data = gather_child(self._settings, self._state, self._directory, child, access=self._keeping.access)
            return packed(
                self._settings, data, pictures=self._pictures, now_ms=self._clock.now_ms(), day=self._today(),
                approver=self._directory.name_of(by),
            )  # fmt: skip

    # --- texts ---------------------------------------------------------------------------------------

    def text(self, what: str, bar: Bar, *, lang: Lang, said: str) -> TextView:
        made, digest = texts.made(what, self._settings, self._facts(), lang), self._digest(what)
        issued = [one for one in list(self._book.log.values()) if one.kind == Kind.NOTICE_ISSUED and one.body["what"] == what]
        last = max(issued, key=lambda one: one.order, default=None)
        same = [one.at_ms for one in issued if one.body["digest"] == digest]
        current = bool(last and last.body["digest"] == digest)
        return TextView(
            bar=bar, what=what, title=made.title, lead=made.lead, sections=made.sections, digest=digest,
            issued_ms=max(same) if current else 0, last_digest=last.body["digest"] if last else "", said=said,
        )  # fmt: skip

    def markdown(self, what: str, bar: Bar, *, lang: Lang) -> str:
        return texts.as_markdown(texts.made(what, self._settings, self._facts(), lang))

    def _digest(self, what: str) -> str:
        return texts.digest_of(what, self._settings, texts.Facts(notices=self._notices()))

    def _facts(self) -> texts.Facts:
        since_ms = self._clock.now_ms() - 365 * 86_400_000
        log = [one for one in list(self._book.log.values()) if one.at_ms >= since_ms]
        pupils = self._directory.pupils.values()
        return texts.Facts(
            pupils=len(pupils), faces=self._faces(), notices=self._notices(),
            snapshots_agreed=sum("snapshot" in one.consents for one in pupils),
            face_agreed=sum("face_match" in one.consents for one in pupils),
            erased_last_year=sum(len(one.body["persons"]) for one in log if one.kind == Kind.PERSON_ERASED),
            exported_last_year=sum(one.kind == Kind.CHILD_EXPORTED for one in log),
            requests_last_year=sum(one.kind == Kind.CORRECTION_ASKED for one in log),
            incidents_last_year=sum(one.kind == Kind.PRIVACY_INCIDENT and not one.body.get("of") for one in log),
            looks_kept=self._keeping.access.count() if self._keeping.access else 0,
        )  # fmt: skip

    # --- incidents -----------------------------------------------------------------------------------

    def incidents(self, bar: Bar, *, lang: Lang, said: str) -> IncidentsView:
        steps: dict[str, list[StepLine]] = {}
        for one in sorted(self._book.log.values(), key=lambda one: one.order):
            if one.kind != Kind.PRIVACY_INCIDENT:
                continue
            line = StepLine(
                at_ms=one.at_ms, step=one.body["step"], words=self._words(one.body.get("note", "")),
                by=self._directory.name_of(one.body["by"]), count=one.body.get("count", 0),
            )  # fmt: skip
            steps.setdefault(one.body.get("of") or one.entry, []).append(line)
        found = tuple(
            IncidentLine(incident=key, began_ms=lines[0].at_ms, steps=tuple(lines), closed=any(s.step == "closed" for s in lines))
            for key, lines in steps.items()
        )  # fmt: skip
        classes = sorted(self._directory.classes.values(), key=lambda c: (c.stage, c.grade, c.class_no))
        return IncidentsView(
            bar=bar, incidents=found[::-1], classes=tuple((one.id, one.name) for one in classes), said=said,
            draft=say("privacy.draft_words", lang, school=self._settings.school.name),
        )  # fmt: skip

    def affected_csv(self, class_id: str) -> bytes:
        """Whom to tell: each child with the guardians in calling order."""
        out, directory = io.StringIO(), self._directory
        writer = csv.writer(out)
        writer.writerow(["班级", "学号", "姓名", "监护人", "关系", "电话"])
        for pupil in directory.pupils.values():
            if class_id and pupil.class_id != class_id:
                continue
            home = directory.classes.get(pupil.class_id)
            for link in directory.collectors_of.get(pupil.number, ()):
                adult = directory.collectors.get(link.collector)
                if not link.guardian or adult is None:
                    continue
                row = [home.name if home else "", pupil.school_number, pupil.name, adult.name, link.relation, adult.phone]
                writer.writerow(map(_cell, row))
        return ("\ufeff" + out.getvalue()).encode()


def _cell(value: object) -> str:
    """Nothing that a spreadsheet would run."""
    text = str(value)
    return f"'{text}" if text[:1] in "=+-@\t\r" and text[:1] else text


def _is_meant(pupil: Pupil, text: str) -> bool:
    wanted = text.lower()
    return wanted in pupil.name.lower() or wanted == pupil.school_number.lower() or pupil.initials.startswith(wanted)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except ERRORS as error:
        raise RecordsUnreadable(str(error)) from error
