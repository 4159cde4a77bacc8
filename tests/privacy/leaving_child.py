"""A child with everything that a school could have of it, and a search for any of it in the bytes of files."""

from __future__ import annotations

import contextlib
import re
from datetime import date
from pathlib import Path

from kiosk.core.enrolment import Application, State, Step, Taken
from kiosk.core.people import Authorisation, Card, Collector, Enrolment, Pupil, Stage
from kiosk.directory import Person, PersonKind, publish
from kiosk.directory_schema import Content
from kiosk.snapshots import SnapshotStore
from tests.support import people
from tests.support.people import MADE_AT_MS, uid_of

CHILD, MOTHER, SHARED = 41, 241, 206  # the mother has no other child here; 206 collects others too
NAME, PINYIN, SCHOOL_NUMBER, UID = "阿依古丽·买买提", "ayiguli maimaiti", "Q20267741", "04C1D2E3F4A5B6"
MOTHER_NAME, MOTHER_PINYIN, MOTHER_PHONE = "帕提古丽·艾山", "patiguli aishan", "13977665544"
MOTHER_KEY, MOTHER_UID = "JQ0241", "04D9E8F7A6"
GONE = (NAME, PINYIN, SCHOOL_NUMBER, UID, MOTHER_NAME, MOTHER_PINYIN, MOTHER_PHONE, MOTHER_KEY, MOTHER_UID)
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
BEGUN = date(2026, 9, 1)
JPEG = b"\xff\xd8\xff\xe0" + b"a picture" * 40


def content() -> Content:
    pupil = Pupil(
        number=CHILD, school_number=SCHOOL_NUMBER, name=NAME, pinyin=PINYIN, initials="aygl", class_id="primary-2022-1", seat=31,
        grade=5, stage=Stage.PRIMARY, consents=frozenset({"snapshot"}), leaves_alone=True,
    )  # fmt: skip
    mother = Collector(
        number=MOTHER, name=MOTHER_NAME, pinyin=MOTHER_PINYIN, initials="ptgl", phone=MOTHER_PHONE, key=MOTHER_KEY
    )
    pupils, collectors = (*people.PUPILS, pupil), (*people.COLLECTORS, mother)
    cards = tuple(Card(uid=uid_of(p.number), holder=p.number) for p in (*people.PUPILS, *people.COLLECTORS, *people.STAFF))
    return Content(
        classes=people.CLASSES, staff=people.STAFF, pupils=pupils, collectors=collectors,
        authorisations=(
            *people.AUTHORISATIONS,
            Authorisation(child=CHILD, collector=MOTHER, relation="母亲", guardian=True, order=1),
            Authorisation(child=CHILD, collector=SHARED, relation="姨母", guardian=False),
        ),
        restrictions=people.RESTRICTIONS, sessions=people.SESSIONS,
        enrolments=(*people.ENROLMENTS, Enrolment(child=CHILD, session="S1")),
        applications=(
            Application(
                id="BM7", child=CHILD, session="S1", state=State.ACTIVE, applied_on=BEGUN, valid_from=BEGUN, priority="hardship"
            ),
        ),
        application_steps=(Taken(application="BM7", step=Step.APPLY, state=State.APPLIED, on=BEGUN, at_ms=MADE_AT_MS, by=150),),
        cards=(*cards, Card(uid=UID, holder=CHILD), Card(uid=MOTHER_UID, holder=MOTHER)),
        persons=(
            *(Person(p.number, PersonKind.PUPIL, p.school_number) for p in pupils),
            *(Person(c.number, PersonKind.COLLECTOR, c.key or f"J{c.number:05d}") for c in collectors),
            *(Person(s.number, PersonKind.STAFF, s.staff_number) for s in people.STAFF),
        ),
        next_number=300,
    )  # fmt: skip


def put_people(state: Path) -> None:
    state.mkdir(parents=True, exist_ok=True)
    publish(state / "directory.db", content(), 1, MADE_AT_MS)


def put_pictures(state: Path) -> None:
    store = SnapshotStore(state)
    store.put_photo(CHILD, JPEG)
    store.put_photo(MOTHER, JPEG)
    store.put_photo(SHARED, JPEG)
    store.file(JPEG, taken_at_ms=MADE_AT_MS, person=CHILD)


_SPELLED = {word.encode(encoding): word for word in GONE for encoding in ENCODINGS}
_ANY = re.compile(b"|".join(map(re.escape, _SPELLED)))


def found_in(*folders: Path) -> list[tuple[str, str]]:
    """(file, word) of every word that some byte of some file still spells, in any encoding."""
    found = set()
    for folder in folders:
        for path in (p for p in folder.rglob("*") if p.is_file()):
            with contextlib.suppress(FileNotFoundError):  # a running gate replaces files
                found |= {(f"{folder.name}/{path.relative_to(folder)}", _SPELLED[hit]) for hit in _ANY.findall(path.read_bytes())}
    return sorted(found)
