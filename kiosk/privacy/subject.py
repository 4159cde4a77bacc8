"""Everything that there is of one child, for its family: rows, consents, facts with words, pictures, sessions, who looked.

A zip with a page to read and the same as JSON. Other children are masked, and a text that belongs to several children is not
given out; who must not collect the child is answered by the school in person, never by a file. It records nothing: that the
child's data leave the house is a fact before this is called.
"""

from __future__ import annotations

import io
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec

from kiosk.core.entries import Entry, Kind, UnreadableEntry, decode
from kiosk.core.people import Directory
from kiosk.directory import DirectoryMissing, read_content
from kiosk.journal_lookups import NoteReader
from kiosk.notices.outbox import FILE_NAME as OUTBOX
from kiosk.privacy.access_log import AccessLog
from kiosk.privacy.notes_about import names as named_in
from kiosk.recorded import RecordsError, opened
from kiosk.replaying import DIRECTORY_FILE
from kiosk.settings import Settings
from kiosk.snapshots import SnapshotStore
from kiosk.web.faces_engine import render
from kiosk.web.faces_facts import Names
from kiosk.web.faces_records import FactRow, fact_rows
from kiosk.web.gate import Pictures
from kiosk.web.words import say

AT_ONCE: Final = 2_000
PICTURES_MAX: Final = 400
_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    day: str
    session: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildData:
    """As it stands at one moment. `rows`: (what, value) of the list, in the order in which the page shows them."""

    child: int
    name: str
    class_name: str
    rows: tuple[tuple[str, str], ...]
    adults: tuple[tuple[str, str, str, str], ...]  # name, relation, telephone, valid
    consents: tuple[tuple[str, bool], ...]
    facts: tuple[FactRow, ...]
    attended: tuple[Attended, ...]
    looked: tuple[tuple[int, str, str], ...]  # when, who, what
    messages: tuple[tuple[int, str, str], ...]  # when, kind, state
    pictures: tuple[str, ...]  # ids


def gather_child(settings: Settings, state: Path, directory: Directory, child: int, *, access: AccessLog | None) -> ChildData:
    """Raises RecordsError, sqlite3.Error. Seconds where there are years of records: never on the loop's thread."""
    entries = sorted(_facts(state, child), key=lambda entry: entry.order)
    pupil = directory.pupils.get(child)
    home = directory.classes.get(pupil.class_id) if pupil else None
    people = Names(directory=directory, rules=settings.rules, child=child)
    reader = NoteReader(state)
    try:
        notes = {str(one.id): _own_text(reader, one, child, directory) for one in entries}
    finally:
        reader.close()
    return ChildData(
        child=child, name=directory.name_of(child), class_name=home.name if home else "",
        rows=(*_rows(directory, child), *_applications(state, directory, child)),
        adults=tuple(_adults(directory, child)), consents=tuple(_consents(directory, child)),
        facts=fact_rows(((entry, b"") for entry in entries), people, "zh", notes=notes),
        attended=tuple(_attended(entries, child, directory)),
        looked=tuple((one.at_ms, directory.name_of(one.staff), one.what) for one in access.of(child)) if access else (),
        messages=tuple(_messages(state, child)),
        pictures=tuple(dict.fromkeys(_pictures(entries, child)))[:PICTURES_MAX],
    )  # fmt: skip


def _facts(state: Path, child: int) -> Iterator[Entry]:
    """Of every gate whose records have come here, of all times. Bytes are looked at before they are decoded."""
    mark = str(child).encode()
    with opened(state) as records:
        for stream in records.streams:
            for first in range(1, stream.last + 1, AT_ONCE):
                for row in stream.select(first, min(stream.last, first + AT_ONCE - 1)):
                    if mark in row.raw and (entry := _decoded(row.raw)) is not None and child in named_in(entry):
                        yield entry


def _decoded(raw: bytes) -> Entry | None:
    try:
        return decode(raw)
    except UnreadableEntry:
        return None


def _own_text(reader: NoteReader, entry: Entry, child: int, directory: Directory) -> str | None:
    """The words of a fact that is about this child alone."""
    digest = entry.body.get("note")
    others = {person for person in named_in(entry) if person in directory.pupils and person != child}
    if not isinstance(digest, str):
        return None
    return "（同时涉及其他学生，未附）" if others else reader(digest)


def _rows(directory: Directory, child: int) -> Iterator[tuple[str, str]]:
    pupil = directory.pupils.get(child)
    if pupil is None:
        return
    home = directory.classes.get(pupil.class_id)
    yield "姓名", pupil.name
    yield "学号", pupil.school_number
    yield "班级", home.name if home else ""
    yield "座号", str(pupil.seat)
    yield "住校", _yes(pupil.boarder)
    yield "自行离校", _yes(pupil.leaves_alone)
    yield "延时托管", _yes(pupil.extended_care)
    yield "未成年人代接同意", _yes(pupil.minor_collector_consent)
    yield "接送方式", pupil.way_home
    for cards in directory.cards.values():
        yield from (("卡", f"{card.uid}（{card.state.value}）") for card in cards if card.holder == child)
    for place in directory.enrolments_of.get(child, ()):
        session = directory.sessions.get(place.session)
        when = f"{place.valid_from or ''}—{place.valid_to or ''}"
        yield "课后服务", f"{session.name if session else place.session} {when} {place.agreement}".strip()


def _applications(state: Path, directory: Directory, child: int) -> Iterator[tuple[str, str]]:
    """Every application for the service with every step it took; the group that a family named for the waiting list as well."""
    try:
        content, _ = read_content(state / DIRECTORY_FILE)
    except DirectoryMissing:
        return
    for one in content.applications:
        if one.child != child:
            continue
        session = directory.sessions.get(one.session)
        steps = (f"{s.on} {say(f'enrolment.step_{s.step}')}" for s in content.application_steps if s.application == one.id)
        group = say(f"enrolment.priority_{one.priority}") if one.priority else ""
        said = (session.name if session else one.session, one.id, say(f"enrolment.state_{one.state}"), "、".join(steps), group)
        yield "课后服务申请", " · ".join(filter(None, said))


def _adults(directory: Directory, child: int) -> Iterator[tuple[str, str, str, str]]:
    for link in directory.collectors_of.get(child, ()):
        adult = directory.collectors.get(link.collector)
        if adult is not None:
            yield adult.name, link.relation, adult.phone, f"{link.valid_from or ''}—{link.valid_to or ''}"


def _consents(directory: Directory, child: int) -> Iterator[tuple[str, bool]]:
    pupil = directory.pupils.get(child)
    for purpose in ("snapshot", "face_match", "messaging"):
        yield purpose, bool(pupil and purpose in pupil.consents)


def _attended(entries: Iterable[Entry], child: int, directory: Directory) -> Iterator[Attended]:
    """The last word for each session and day."""
    found: dict[tuple[str, str], str] = {}
    for entry in entries:
        states = entry.body.get("states")
        if entry.kind in (Kind.SESSION_CLOSED, Kind.SESSION_CORRECTED) and isinstance(states, dict) and str(child) in states:
            day = str(entry.body.get("for_day") or entry.body.get("day", ""))
            found[day, str(entry.body.get("session", ""))] = str(states[str(child)])
    for (day, session), said in sorted(found.items()):
        known = directory.sessions.get(session)
        yield Attended(day=day, session=known.name if known else session, state=said)


def _pictures(entries: Iterable[Entry], child: int) -> Iterator[str]:
    for entry in entries:
        key = entry.body.get("snapshot")
        if isinstance(key, str) and key and child in (entry.body.get("child"), entry.body.get("person")):
            yield key


def _messages(state: Path, child: int) -> Iterator[tuple[int, str, str]]:
    path = state / OUTBOX
    if not path.exists():
        return
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as db:
        rows = db.execute("SELECT at_ms, kind, state, body FROM outbox ORDER BY at_ms").fetchall()
    for at_ms, kind, said, body in rows:
        told: dict[str, Any] = msgspec.json.decode(body)
        if child == told.get("child") or child in (told.get("children") or ()):
            yield at_ms, kind, said


def _yes(flag: bool) -> str:
    return "是" if flag else "否"


# --- the file ------------------------------------------------------------------------------------


def packed(
    settings: Settings, found: ChildData, *, pictures: Pictures, now_ms: int, approver: str, day: date
) -> tuple[str, bytes]:
    """The name of the zip and its bytes: page.html, data.json, pictures/."""
    shown = [(key, jpeg) for key in found.pictures if (jpeg := pictures.snapshot(key)) is not None]
    photo = pictures.photo(found.child)
    page = render(
        "child_data.html", "zh", data=found, school=settings.school.name, made_ms=now_ms, approver=approver,
        pictures=[key for key, _ in shown], photo=photo is not None,
    )  # fmt: skip
    document = {"school": settings.school.name, "made_ms": now_ms, "approved_by": approver, **asdict(found)}
    members = [("page.html", page.encode()), ("data.json", msgspec.json.format(msgspec.json.encode(document), indent=1))]
    members += [(f"pictures/{key}.jpg", jpeg) for key, jpeg in shown]
    if photo is not None:
        members.append(("pictures/photo.jpg", photo))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data)
    return f"child-{found.child}-{day.isoformat()}.zip", made.getvalue()


class StoredPictures:
    """What is on file, for a command that runs beside a gate."""

    def __init__(self, state: Path) -> None:
        self._store = SnapshotStore(state)

    def photo(self, person: int) -> bytes | None:
        return self._store.photo(person)

    def snapshot(self, snapshot_id: str) -> bytes | None:
        from kiosk.snapshots import PictureMissing, PictureUnreadable

        try:
            return self._store.read(snapshot_id)
        except (PictureMissing, PictureUnreadable):
            return None


ERRORS: Final = (RecordsError, sqlite3.Error, OSError)
