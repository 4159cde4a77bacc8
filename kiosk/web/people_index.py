"""Finding anybody for the office: by name, pinyin, class, number or card, in the directory in force.

Built once for each directory. Answers with values; shows nothing and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.core.card_numbers import CardIndex
from kiosk.core.people import Collector, Directory, Pupil, Staff
from kiosk.web.faces_format import Lang
from kiosk.web.faces_office import CardLine, PersonLine
from kiosk.web.words import known, say

MAX_FOUND = 50


class PeopleIndex:
    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self._cards = CardIndex(directory.cards)
        self._held: dict[int, list[CardLine]] = {}
        for cards in directory.cards.values():
            for card in cards:
                self._held.setdefault(card.holder, []).append(CardLine(uid=card.uid, state=card.state.value))

    def find(self, text: str, lang: Lang) -> tuple[PersonLine, ...]:
        """Holders of a card first, then whoever matches; at most MAX_FOUND."""
        wanted = text.strip().lower()
        if not wanted:
            return ()
        holders = [card.holder for uid in self._cards.candidates(text) for card in self.directory.cards[uid]]
        numbers = dict.fromkeys([*holders, *self._matching(wanted)])
        lines = (self._line(number, lang) for number in numbers)
        return tuple(line for line, _ in zip((line for line in lines if line), range(MAX_FOUND), strict=False))

    def _matching(self, wanted: str) -> Iterator[int]:
        classes = {home.id for home in self.directory.classes.values() if home.name.lower() == wanted}
        for pupil in self.directory.pupils.values():
            if pupil.class_id in classes or pupil.school_number.lower() == wanted or _is_called(pupil, wanted):
                yield pupil.number
        for collector in self.directory.collectors.values():
            if _is_called(collector, wanted) or (len(wanted) >= 4 and collector.phone.endswith(wanted)):
                yield collector.number
        for staff in self.directory.staff.values():
            if staff.staff_number.lower() == wanted or _is_called(staff, wanted):
                yield staff.number

    def _line(self, number: int, lang: Lang) -> PersonLine | None:
        directory = self.directory
        cards = tuple(self._held.get(number, ()))
        if pupil := directory.pupils.get(number):
            home = directory.classes.get(pupil.class_id)
            where = f"{home.name if home else ''} {say('app.seat', lang, n=pupil.seat)}".strip()
            return PersonLine(kind="pupil", number=number, name=pupil.name, where=where, has_photo=pupil.has_photo, cards=cards)
        if collector := directory.collectors.get(number):
            bonds = directory.children_of.get(number, ())
            where = "、".join(f"{directory.name_of(bond.child)}（{bond.relation}）" for bond in bonds)
            return PersonLine(
                kind="collector", number=number, name=collector.name, where=where, has_photo=collector.has_photo, cards=cards
            )
        if staff := directory.staff.get(number):
            roles = "、".join(_role(role.value, lang) for role in sorted(staff.roles))
            return PersonLine(kind="staff", number=number, name=staff.name, where=roles, has_photo=False, cards=cards)
        return None


def _is_called(person: Pupil | Collector | Staff, wanted: str) -> bool:
    flat = person.pinyin.replace(" ", "").lower()
    together = wanted.replace(" ", "")
    return (
        wanted in person.name.lower()
        or (bool(flat) and flat.startswith(together))
        or (bool(person.initials) and person.initials.startswith(together))
    )  # fmt: skip


def _role(role: str, lang: Lang) -> str:
    return say(f"role.{role}", lang) if known(f"role.{role}") else role
