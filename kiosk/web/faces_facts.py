"""One entry in words: what happened, to whom, by whom and how it was checked. Used by the evidence page and the bundle's own.

Pure. A word that this version does not know is left out here and stands in the raw entry; nothing raises for any body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.core.entries import Entry, Kind
from kiosk.core.masking import mask_name
from kiosk.core.people import Directory
from kiosk.core.rules import Rules
from kiosk.web.faces_format import Lang, clock
from kiosk.web.words import known, say

HANDOVERS = frozenset({
    Kind.HANDOVER_OFFERED, Kind.HANDOVER_ACCEPTED, Kind.HANDOVER_DECLINED, Kind.HANDOVER_LAPSED,
})  # fmt: skip
CONSENTS = frozenset({Kind.CONSENT_WITHDRAWN, Kind.CONSENT_RENEWED})
_PEOPLE = (
    "custodian", "giver", "taker", "collector", "person", "guardian", "guard", "second", "confirmed_by", "by", "owner",
    "last_adult", "host",
)  # fmt: skip
_TIMES = ("t0_ms", "due_ms", "from_ms", "to_ms", "until_ms", "eta_ms")
_TEXTS = ("place", "venue", "room", "last_place", "id_last4", "for_day")
_WORDS = {  # word of the body -> prefixes under which its value has words
    "mode": ("record.mode_",), "scheme": ("record.scheme_",), "assurance": ("record.assurance_",),
    "result": ("duty.call_",), "channel": ("record.channel_",),
    "why": ("record.why_",), "what": ("record.mode_",), "id_type": ("record.id_",), "state": ("rung.",),
    "verdict": ("face.",), "alarm": ("duty.kind_", "record.kind_"), "flag": ("record.flag_", "duty.kind_"),
}  # fmt: skip
_OF_HANDOVER = ("handover.", "record.handover_")
ORDER = (
    "place", "access_point", "gate", "venue", "room", "session", "reason", "mode", "why", "what", "state", "mark", "counts",
    "exception", "giver", "taker", "custodian", "collector", "person", "verified", "guard", "second", "confirmed_by", "by",
    "guardian", "result", "channel", "eta_ms", "told", "t0_ms", "from_ms", "to_ms", "until_ms", "due_ms", "owner", "last_place",
    "last_adult", "host", "scheme", "assurance", "verdict", "consent_to", "alone", "id_type", "id_last4", "alarm", "flag",
    "drill", "for_day",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What people and places are called on one child's page: other children only by a mask."""

    directory: Directory
    rules: Rules
    child: int
    mask_all: bool = False  # for an inspector: families and this child as well

    def person(self, number: int) -> str:
        staff = self.directory.staff.get(number)
        if staff is not None:
            return staff.name
        name = self.directory.name_of(number)
        if number in self.directory.pupils:
            return mask_name(name) if self.mask_all or number != self.child else name
        if number not in self.directory.collectors:
            return name
        relation = next((a.relation for a in self.directory.collectors_of.get(self.child, ()) if a.collector == number), "")
        shown = mask_name(name) if self.mask_all else name
        return f"{shown}（{relation}）" if relation else shown

    def access_point(self, key: str) -> str:
        point = self.rules.access_points.get(key)
        return point.name if point else key

    def gate(self, key: str) -> str:
        gate = self.rules.gates.get(key)
        return gate.name if gate else key

    def session(self, key: str) -> str:
        session = self.directory.sessions.get(key)
        return session.name if session else key


def kind_words(kind: str, lang: Lang) -> str:
    """What a kind of fact is called; a later version's kind by its own name."""
    return _word(("record.kind_", "kind."), kind, lang)


def details(entry: Entry, names: Names, lang: Lang) -> list[tuple[str, str]]:
    """(label, text) of everything that an entry says, in the order in which people ask."""
    said = dict(_said(entry, names, lang))
    found = [(say(f"record.label_{_label(entry, key)}", lang), said[key]) for key in ORDER if said.get(key)]
    if entry.clock != "trusted":
        found.append((say("record.label_clock", lang), say("record.clock_untrusted", lang)))
    return found


def _label(entry: Entry, key: str) -> str:
    return "reason_of_handover" if key == "reason" and entry.kind in HANDOVERS else key


def _said(entry: Entry, names: Names, lang: Lang) -> Iterator[tuple[str, str]]:
    body = entry.body
    for key in _TEXTS:
        if isinstance(body.get(key), str):
            yield key, body[key]
    for key in _PEOPLE:
        if type(body.get(key)) is int and body[key] > 0 and body[key] != names.child:
            yield key, names.person(body[key])
    for key in _TIMES:
        if type(body.get(key)) is int and body[key] > 0:
            yield key, clock(body[key])
    for key, prefixes in _WORDS.items():
        if isinstance(body.get(key), str) and body[key]:
            yield key, _word(prefixes, body[key], lang)
    if entry.kind in CONSENTS and isinstance(body.get("purpose"), str):
        yield "consent_to", _word(("consent.",), body["purpose"], lang)
    for key, named in _PLACES.items():
        if isinstance(body.get(key), str) and body[key]:
            yield key, named(names, body[key])
    yield from _lists(entry, names, lang)


_PLACES: Mapping[str, Callable[[Names, str], str]] = {
    "access_point": Names.access_point, "gate": Names.gate, "session": Names.session,
}  # fmt: skip


def _lists(entry: Entry, names: Names, lang: Lang) -> Iterator[tuple[str, str]]:
    body = entry.body
    if isinstance(body.get("reason"), str):
        prefixes = _OF_HANDOVER if entry.kind in HANDOVERS else ("reason.", "roster.mark_", *_OF_HANDOVER)
        yield "reason", _word(prefixes, body["reason"], lang)
    for key, prefix in (("verified", "record.check_"), ("told", "told.")):
        if isinstance(body.get(key), list) and body[key]:
            yield key, ("、" if lang == "zh" else ", ").join(_word((prefix,), str(one), lang) for one in body[key])
    for key, label in (("marks", "mark"), ("exceptions", "exception")):
        mine = _of_child(body.get(key), names.child)
        if mine:
            yield label, _word(("roster.mark_", "record.handover_", "record.why_"), mine, lang)
    states = body.get("states")
    state = states.get(str(names.child)) if isinstance(states, dict) else None
    if isinstance(state, str):
        yield "mark", _word(("service.state_",), state, lang)
    if type(body.get("counted")) is int:
        expected = body.get("expected")
        yield "counts", f"{expected} / {body['counted']}" if type(expected) is int else str(body["counted"])
    for key in ("alone", "drill"):
        if body.get(key) is True:
            yield key, say("record.yes", lang)


def _of_child(pairs: Any, child: int) -> str:
    """What a list of (child, word) says of one child, "" when nothing."""
    if not isinstance(pairs, list):
        return ""
    return next((str(pair[1]) for pair in pairs if isinstance(pair, list) and len(pair) == 2 and pair[0] == child), "")


def _word(prefixes: tuple[str, ...], value: str, lang: Lang) -> str:
    key = next((f"{prefix}{value}" for prefix in prefixes if known(f"{prefix}{value}")), "")
    return say(key, lang) if key else value
