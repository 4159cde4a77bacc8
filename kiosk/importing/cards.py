"""The card list: every spelling becomes the canonical UID, and a number that may be read in two ways is asked about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from kiosk.core.card_numbers import CardIndex, CardNumberUnclear, canonical_uid, is_random_uid, reversed_uid, tidy
from kiosk.core.people import CardState
from kiosk.directory import PersonKind
from kiosk.importing.given import Given
from kiosk.importing.problems import Place, Words
from kiosk.importing.rows import KIND_NAMES, CardRow, Kind
from kiosk.importing.sheets import Record

EM4100 = "id"
_HOLDER_LISTS = {
    PersonKind.PUPIL: Kind.PUPILS,
    PersonKind.STAFF: Kind.STAFF,
    PersonKind.COLLECTOR: Kind.COLLECTORS,
}
_LOOKS_HEX = re.compile(r"0[xX].*|(?:[0-9A-Fa-f]{2}[ :\-]){3,}[0-9A-Fa-f]{2}")


class _Written(NamedTuple):
    """A card as a list has it."""

    text: str
    kind: str  # m1, id, cpu, sun, …, "" = not said
    place: Place
    holder_kind: PersonKind
    holder: str
    state: CardState

    @property
    def digits(self) -> int:
        """How many hex digits the number of this kind of card has where it is written in hex."""
        return 10 if self.kind == EM4100 else 8


def read_cards(records: Iterable[Record], given: Given, collectors: Iterable[str]) -> None:
    """Adds a row for each card of the card list, and for each 卡号 in the pupil list."""
    known_collectors = frozenset(collectors)
    written = [_written(r) for r in records if r.kind is Kind.CARDS and _holder_known(r, given, known_collectors) and r.complete]
    if Kind.CARDS not in given.kinds:
        written += [_of_pupil(r) for r in records if r.kind is Kind.PUPILS and r.get("card") and r.get("school_number")]
    uids = _canonical(written, given)
    for card, uid in zip(written, uids, strict=True):
        if uid is not None and is_random_uid(uid):
            _say_random(card, given)
        elif uid is not None:
            row = CardRow(uid=uid, holder_kind=card.holder_kind, holder=card.holder, state=card.state, kind=card.kind)
            given.add(Kind.CARDS, row, card.place)


def _written(record: Record) -> _Written:
    return _Written(
        record.get("uid"),
        record.get("kind", ""),
        record.at("uid"),
        record.get("holder_kind"),
        record.get("holder"),
        record.get("state", CardState.ACTIVE),
    )


def _of_pupil(record: Record) -> _Written:
    place, holder = record.at("card"), record.get("school_number")
    return _Written(record.get("card"), "", place, PersonKind.PUPIL, holder, CardState.ACTIVE)


def _holder_known(record: Record, given: Given, collectors: frozenset[str]) -> bool:
    holder_kind, holder = record.get("holder_kind"), record.get("holder")
    if holder_kind is None or not holder:
        return False
    kind = _HOLDER_LISTS[holder_kind]
    if kind in given.failed or (kind is Kind.COLLECTORS and {Kind.GUARDIANS, Kind.DELEGATES} & given.failed):
        return False
    known = collectors if kind is Kind.COLLECTORS else given.known(kind)
    if holder in known:
        return True
    given.report.problem(
        record.at("holder"),
        Words(f"{KIND_NAMES[kind]}名单里没有编号“{holder}”。", f"The list of {kind.value} has no {holder}."),
        Words("请改正编号或持有人类型，或先在名单中补上此人。", "Correct the number or the kind of holder, or add the person."),
    )
    return False


def _canonical(written: list[_Written], given: Given) -> list[str | None]:
    """Numbers that are plainly hex first: they tell how the rest of the column is spelled, and which cards there are."""
    hex_groups = {card.digits for card in written if _has_letter(card) and len(tidy(card.text)) == card.digits}
    decimal_groups = {card.digits for card in written if _plainly_decimal(card)}
    in_force = frozenset(key.uid for key in given.current.cards)
    plain = {at: _as_in_force(tidy(card.text), in_force) for at, card in enumerate(written) if _plainly_hex(card)}
    index = CardIndex([*in_force, *plain.values()])
    found: list[str | None] = []
    for at, card in enumerate(written):
        if at in plain:
            found.append(plain[at])
            continue
        hex_column = card.digits in hex_groups
        if card.digits == 8 and _may_be_either(card) and not hex_column and card.digits not in decimal_groups:
            _ask_for_spelling(card, given)
            found.append(None)
            continue
        found.append(_one(card, hex_column, index, given))
    return found


def _as_in_force(uid: str, in_force: frozenset[str]) -> str:
    """A list from a reader that reverses the bytes names a card that is known the other way round."""
    other = reversed_uid(uid)
    return other if other in in_force and uid not in in_force else uid


def _has_letter(card: _Written) -> bool:
    return re.search(r"[A-F]", tidy(card.text)) is not None


def _plainly_hex(card: _Written) -> bool:
    spelled = tidy(card.text)
    if not re.fullmatch(r"[0-9A-F]+", spelled) or len(spelled) not in (8, 10, 14, 16, 20):
        return False
    return _has_letter(card) or _LOOKS_HEX.fullmatch(card.text.strip()) is not None


def _plainly_decimal(card: _Written) -> bool:
    spelled = tidy(card.text)
    return spelled.isdigit() and len(spelled) in (9, 10) and int(spelled) < 2**32


def _may_be_either(card: _Written) -> bool:
    spelled = tidy(card.text)
    return len(spelled) == card.digits and spelled.isdigit()


def _one(card: _Written, hex_column: bool, index: CardIndex, given: Given) -> str | None:
    try:
        uid = canonical_uid(
            card.text,
            em4100=card.kind == EM4100,
            reversed_decimal=given.options.reversed_decimal_cards,
            hex_column=hex_column,
        )
    except CardNumberUnclear as error:
        given.report.problem(
            card.place,
            Words("这不是卡号。", f"This is no card number: {error}."),
            Words("请填 8 位十六进制、10 位十进制或“163,12177”这样的卡号，最好刷卡录入。", "Best enrol the card by tapping it."),
        )
        return None
    known = index.candidates(card.text)
    if uid == tidy(card.text):  # taken for hex: what it would be as a decimal does not count
        known = tuple(found for found in known if found in (uid, reversed_uid(uid)))
    if uid in known or not known:
        return uid
    if len(known) == 1:
        return known[0]
    given.report.problem(
        card.place,
        Words(f"这个卡号可能是几张卡：{'、'.join(known)}。", f"This number may mean several cards: {', '.join(known)}."),
        Words("请改写成其中一张的十六进制卡号。", "Write the hex number of the one that is meant."),
    )
    return None


def _say_random(card: _Written, given: Given) -> None:
    given.report.problem(
        card.place,
        Words("08 开头的 4 字节卡号是随机卡号，每次刷卡都不同。", "A number of four bytes from 08 is another one at each tap."),
        Words("请换实体卡并刷卡登记；若此列是反码，请改成正码。", "Tap a real card; or turn a reversed column round."),
    )


def _ask_for_spelling(card: _Written, given: Given) -> None:
    given.report.problem(
        card.place,
        Words("8 位纯数字，看不出是十六进制还是十进制。", "Eight digits without a letter may be hex or decimal."),
        Words("十六进制请写成 0x 开头，十进制请写满 10 位。", "Write 0x before hex, or all ten digits of the decimal number."),
    )
