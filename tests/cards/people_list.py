"""The small school's people as a list on disk, as an import leaves it."""

from __future__ import annotations

from pathlib import Path

from kiosk.core.people import Card, CardState
from kiosk.directory import load, publish
from kiosk.directory_schema import Content, Person, PersonKind
from tests.support.people import (
    AUTHORISATIONS,
    CLASSES,
    COLLECTORS,
    ENROLMENTS,
    MADE_AT_MS,
    PUPILS,
    SESSIONS,
    STAFF,
    uid_of,
)

NEW_CARD = "5630F009"
LOST = "0BADCA4D"


def put_list(state: Path) -> Path:
    """Everybody has a card but 高个子 and 王妈妈, who has lost hers."""
    state.mkdir(parents=True, exist_ok=True)
    without = ("高个子", "王妈妈")
    cards = [Card(uid=uid_of(p.number), holder=p.number) for p in (*PUPILS, *STAFF, *COLLECTORS) if p.name not in without]
    cards.append(Card(uid=LOST, holder=201, state=CardState.LOST))
    persons = [Person(p.number, PersonKind.PUPIL, p.school_number) for p in PUPILS]
    persons += [Person(s.number, PersonKind.STAFF, s.staff_number) for s in STAFF]
    persons += [Person(c.number, PersonKind.COLLECTOR, f"J{c.number}") for c in COLLECTORS]
    persons.append(Person(299, PersonKind.COLLECTOR, "T1"))  # somebody who left, with the number of a teacher
    content = Content(
        classes=CLASSES, pupils=PUPILS, staff=STAFF, collectors=COLLECTORS, authorisations=AUTHORISATIONS, cards=tuple(cards),
        sessions=SESSIONS, enrolments=ENROLMENTS, persons=tuple(persons), next_number=300,
    )  # fmt: skip
    publish(state / "directory.db", content, 1, MADE_AT_MS)
    return state


def cards_of(state: Path, person: int) -> dict[str, str]:
    directory = load(state / "directory.db")
    return {card.uid: card.state.value for held in directory.cards.values() for card in held if card.holder == person}
