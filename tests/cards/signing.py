"""Signing cards in the small school: some people's cards are NTAG 424 DNA, and the gate has the key that they were made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drivers.simulated.ntag424 import Ntag424Card
from drivers.sun import SunKeys, link_of
from kiosk.core.decisions import Answer
from kiosk.core.people import Card, Directory
from kiosk.sun_keys import load_keys, make_key
from tests.support.people import COLLECTORS, PUPILS, STAFF, small_school, uid_of
from tests.support.school import School

SIGNING = ("王妈妈", "李雷", "陈老师", "韩梅")


def sun_uid(person: int) -> str:
    return f"04C0FFEE{person:06X}"


def signing_school() -> Directory:
    people = [*PUPILS, *STAFF, *COLLECTORS]
    cards = [
        Card(uid=sun_uid(p.number), holder=p.number, kind="sun")
        if p.name in SIGNING
        else Card(uid=uid_of(p.number), holder=p.number)
        for p in people
    ]
    return small_school(cards=tuple(cards))


def key_of_the_school(state: Path) -> SunKeys:
    """The same key wherever it is asked for, as after copying the file by hand."""
    if load_keys(state) is None:
        make_key(state)
        (state / "keys" / "sun.key").write_text("5ace7e50ab65d5d51fd5bf5a16b8205b\n")
    keys = load_keys(state)
    assert keys is not None
    return keys


class Purse:
    """The signing cards of everybody, and a hand that holds them to a gate without a reader in between."""

    def __init__(self, keys: SunKeys) -> None:
        self.keys = keys
        self.counters: dict[int, int] = {}

    def card(self, school: School, name: str, **more: Any) -> Ntag424Card:
        return Ntag424Card(sun_uid(school.number(name)), self.keys, **more)

    def link(self, school: School, name: str, *, keys: SunKeys | None = None) -> str:
        """What the card says when it is read once more."""
        number = school.number(name)
        self.counters[number] = self.counters.get(number, 0) + 1
        uid = bytes.fromhex(sun_uid(number))
        return "https://" + link_of("school.example/t", keys or self.keys, uid, self.counters[number])

    def tap(self, school: School, name: str, point: str) -> Answer:
        return present(school, name, self.link(school, name), point)


def present(school: School, name: str, link: str, point: str) -> Answer:
    """As a contactless reader does: the UID of the air, and the link."""
    return school.tap_card(sun_uid(school.number(name)), point, sun=link)


def facts(school: School, *kinds: str) -> list[dict[str, Any]]:
    return [entry.body for entry in school.gate.journal.of_kinds(frozenset(kinds))]
