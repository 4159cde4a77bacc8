"""One card for one person: what a tapped card is, whose it is, and a new people list in which it is somebody's.

The list is swapped whole, as an import does it; the gate that runs sees the new one within a second and records that it adopted
it. Nothing is given to a card whose number changes at every tap, and nothing is taken from anybody without being asked.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from kiosk.core.card_numbers import CardIndex, CardNumberUnclear, canonical_uid, is_random_uid, spellings
from kiosk.core.entries import Kind, decode
from kiosk.core.people import Card, CardState
from kiosk.core.world import SunReader
from kiosk.directory import DirectoryMissing, SnapshotStale, publish, read_content
from kiosk.directory_schema import Content, PersonKind
from kiosk.journal import FILE_NAME, connect

DIRECTORY_FILE = "directory.db"
CARD_KINDS = ("", "m1", "id", "cpu", "sun", "other")


class No(StrEnum):
    """Why a card is not given to anybody."""

    RANDOM_UID = "random_uid"
    NOT_A_CARD = "not_a_card"
    SEVERAL_CARDS = "several_cards"
    REPORTED_LOST = "reported_lost"
    OF_ANOTHER = "of_another"
    OF_NOBODY = "nobodys"
    NO_PEOPLE = "no_people"
    NO_SUCH_PERSON = "no_such_person"
    SEVERAL_PERSONS = "several_persons"
    HAS_A_CARD = "has_a_card"  # ask, and say so again with `replace_others`
    LIST_MOVED = "list_moved"


WORDS: dict[No, tuple[str, str]] = {
    No.RANDOM_UID: (
        "这是手机或随机卡号的卡，每次刷卡号码都不同，不能登记；请用实体卡",
        "this is a phone or a card with a random number, another one at each tap; it cannot be enrolled, take a real card",
    ),
    No.NOT_A_CARD: ("这不是卡号：{detail}", "this is no card number: {detail}"),
    No.SEVERAL_CARDS: ("这个号码可能是几张卡：{detail}；请刷卡", "this number may mean several cards: {detail}; tap the card"),
    No.REPORTED_LOST: (
        "这张卡已挂失，不能再登记；请换一张",
        "this card was reported lost and is not enrolled again; take another",
    ),
    No.OF_ANOTHER: ("这张卡是 {detail} 的；请先退卡", "this card is {detail}'s; it has to be given back first"),
    No.OF_NOBODY: ("没有人在用这张卡", "nobody has this card"),
    No.NO_PEOPLE: ("还没有名单；请先导入", "there are no people yet; import them first"),
    No.NO_SUCH_PERSON: (
        "没有编号 {detail}；请用学号、工号或接送人编号",
        "nobody has the number {detail}; give the school's own number of the person",
    ),
    No.SEVERAL_PERSONS: (
        "编号 {detail} 在几个名单里都有；请写明是学生、教职工还是接送人",
        "several lists have the number {detail}; say whether a pupil, staff or a collector is meant",
    ),
    No.HAS_A_CARD: (
        "{detail} 已有卡；登记后旧卡即停用，请确认",
        "{detail} has a card already; confirm that the old one stops working",
    ),
    No.LIST_MOVED: ("名单刚有变化；请重试", "the people list has just changed; try again"),
}


class Refused(Exception):
    """The card is not enrolled. `no` says why; the sentence is for a person at a terminal."""

    def __init__(self, no: No, detail: str = "") -> None:
        super().__init__(WORDS[no][1].format(detail=detail))
        self.no, self.detail = no, detail


class Held(NamedTuple):
    """A card that was presented: its canonical number, and whose it is now."""

    uid: str
    holder: int  # 0: nobody's
    holder_name: str
    state: str  # active, lost, returned; "" where nobody has it

    @property
    def spellings(self) -> dict[str, str]:
        return spellings(self.uid)


class Enrolled(NamedTuple):
    uid: str
    person: int
    name: str
    snapshot: int
    stopped: tuple[str, ...]  # cards of the same person that stopped working


def looked_at(state: Path, text: str, *, random_uid: bool = False, exact: bool = False) -> Held:
    """What a reader or a person said. `exact`: the reader gave the UID itself, not a spelling of it. Raises Refused."""
    content, _ = _people(state)
    uid = _uid(content, text, exact=exact)
    if random_uid or is_random_uid(uid):
        raise Refused(No.RANDOM_UID)
    mine = [card for card in content.cards if card.uid == uid]
    card = next((one for one in mine if one.state is not CardState.RETURNED), next(iter(mine), None))
    if card is None:
        return Held(uid, 0, "", "")
    return Held(uid, card.holder, _name(content, card.holder), card.state.value)


def person_of(state: Path, key: str, *, kind: str = "") -> tuple[int, str]:
    """Our number and the name of whoever has a 学号, 工号 or 接送人编号. Raises Refused."""
    content, _ = _people(state)
    found = [
        person.number
        for person in content.persons
        if person.key == key.strip() and (not kind or person.kind == kind) and _name(content, person.number)
    ]
    if len(found) != 1:
        raise Refused(No.SEVERAL_PERSONS if found else No.NO_SUCH_PERSON, key.strip()[:32])
    return found[0], _name(content, found[0])


def enrol(
    state: Path, uid: str, person: int, *, now_ms: int, kind: str = "", replace_others: bool = False
) -> Enrolled:  # fmt: skip
    """Publishes a list in which the card is this person's. Enrolling a card that the person has already says its kind anew.
    Raises Refused, DirectoryError."""
    content, number = _people(state)
    name = _name(content, person)
    if not name:
        raise Refused(No.NO_SUCH_PERSON, str(person))
    if is_random_uid(uid):
        raise Refused(No.RANDOM_UID)
    held = [card for card in content.cards if card.uid == uid]
    if any(card.state is CardState.LOST for card in held) or uid in _lost_on_record(state):
        raise Refused(No.REPORTED_LOST)
    others = [card.holder for card in held if card.state is CardState.ACTIVE and card.holder != person]
    if others:
        raise Refused(No.OF_ANOTHER, _name(content, others[0]))
    stopped = tuple(
        card.uid for card in content.cards if card.holder == person and card.uid != uid and card.state is CardState.ACTIVE
    )
    if stopped and not replace_others:
        raise Refused(No.HAS_A_CARD, name)
    changed = _with_card(content, Card(uid=uid, holder=person, kind=kind or _kind_before(held, person)), stopped)
    try:
        published = publish(state / DIRECTORY_FILE, changed, number + 1, now_ms)
    except SnapshotStale as error:
        raise Refused(No.LIST_MOVED) from error
    return Enrolled(uid, person, name, published.number, stopped)


def give_back(state: Path, uid: str, *, now_ms: int) -> Held:
    """退卡: publishes a list in which nobody has the card. It may be somebody else's afterwards; a lost one stays lost.
    Raises Refused, DirectoryError."""
    content, number = _people(state)
    held = [card for card in content.cards if card.uid == uid and card.state is CardState.ACTIVE]
    if not held:
        raise Refused(No.OF_NOBODY)
    returned = tuple(replace(card, state=CardState.RETURNED) if card in held else card for card in content.cards)
    try:
        publish(state / DIRECTORY_FILE, replace(content, cards=returned), number + 1, now_ms)
    except SnapshotStale as error:
        raise Refused(No.LIST_MOVED) from error
    return Held(uid, held[0].holder, _name(content, held[0].holder), CardState.RETURNED.value)


def _with_card(content: Content, card: Card, stopped: tuple[str, ...]) -> Content:
    kept = [one for one in content.cards if (one.uid, one.holder) != (card.uid, card.holder)]
    kept = [replace(one, state=CardState.RETURNED) if one.holder == card.holder and one.uid in stopped else one for one in kept]
    return replace(content, cards=(*kept, card))


def _kind_before(held: list[Card], person: int) -> str:
    return next((card.kind for card in held if card.holder == person), "")


def _people(state: Path) -> tuple[Content, int]:
    try:
        content, info = read_content(state / DIRECTORY_FILE)
    except DirectoryMissing as error:
        raise Refused(No.NO_PEOPLE) from error
    return content, info.number


def _uid(content: Content, text: str, *, exact: bool) -> str:
    if exact:
        return text
    known = CardIndex(card.uid for card in content.cards).candidates(text)
    if len(known) > 1:
        raise Refused(No.SEVERAL_CARDS, ", ".join(known))
    try:
        return known[0] if known else canonical_uid(text)
    except CardNumberUnclear as error:
        raise Refused(No.NOT_A_CARD, str(error)) from error


def _name(content: Content, person: int) -> str:
    for group in (content.pupils, content.staff, content.collectors):
        for one in group:
            if one.number == person:
                return one.name
    return ""


def _lost_on_record(state: Path) -> frozenset[str]:
    """Cards that somebody reported lost at this gate: a fact that no list takes back."""
    path = state / FILE_NAME
    if not path.exists():
        return frozenset()
    connection = connect(path, read_only=True)
    try:
        rows = connection.execute("SELECT raw FROM entries WHERE kind = ?", (Kind.CARD_LOST.value,)).fetchall()
    finally:
        connection.close()
    return frozenset(str(decode(bytes(raw)).body.get("card", "")) for (raw,) in rows)


PERSON_KINDS = tuple(kind.value for kind in PersonKind)


class Presented(NamedTuple):
    """What a reader read. `exact`: the UID itself and no spelling of it. `kind`: "sun" for a card that proved itself."""

    text: str
    random_uid: bool
    exact: bool
    kind: str = ""


def presented(value: str, scheme: str, *, random_uid: bool, link: str, sun: SunReader | None) -> Presented:
    """A signing card that hides its UID is known by what it proves."""
    tap = sun(link or value) if sun is not None else None
    if tap is not None and tap.genuine:
        return Presented(tap.uid, False, True, "sun")
    return Presented(value, random_uid, scheme in ("uid", "em4100"))
