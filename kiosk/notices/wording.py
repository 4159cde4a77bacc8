"""Facts in, the text of one message out: grouped, masked, and no longer than the platform takes.

A child is named only where the target's setting says so, and then masked; an adult never; a place never beside a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from kiosk.core.entries import Kind
from kiosk.core.masking import mask_class, mask_name
from kiosk.core.people import Directory
from kiosk.core.rules import Rules
from kiosk.notices.facts import Told
from kiosk.notices.words import PIECES, TABLE, TEST
from kiosk.web.faces_format import Lang
from kiosk.web.words import known, say

NAMES_SHOWN: Final = 5
CLASSES_SHOWN: Final = 4
TOLD_SHOWN: Final = 6
LATE_MS: Final = 10 * 60_000  # a notice that is older says so
TEXT_MAX: Final = 60  # characters of a device's or a gate's name


class Row(NamedTuple):
    """A notice that waits. `twice`: an earlier try may have arrived without an answer coming back."""

    told: Told
    twice: bool = False
    digest: bool = False  # it waited for its hour: not late


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads the message, and in which terms."""

    lang: Lang
    name_children: bool
    max_bytes: int
    heading: str  # the school, and the keyword that a platform may ask for
    utc_offset_ms: int


@dataclass(slots=True)
class _Line:
    """Facts that are said in one line."""

    kind: str
    at_ms: int
    told: str
    device: str
    gate: str
    due: str = ""
    children: dict[int, None] = field(default_factory=dict)  # a set that keeps its order
    times: int = 0
    twice: bool = False
    late: bool = False


def message(
    rows: Sequence[Row], reader: Reader, directory: Directory, rules: Rules, now_ms: int
) -> tuple[Sequence[Row], str]:
    """(the rows that are in it, the text). The first rows come first; what does not fit is left for the next message."""
    while True:
        lines = [_text(line, reader, directory, now_ms) for line in _lines(rows, reader, rules, now_ms)]
        end = "" if all(row.told.kind == TEST for row in rows) else _piece("look", reader.lang)
        text = "\n".join(part for part in (reader.heading, *lines, end) if part)
        if len(text.encode()) <= reader.max_bytes:
            return rows, text
        if len(rows) == 1:
            return rows, text.encode()[: reader.max_bytes].decode(errors="ignore")
        rows = rows[: len(rows) // 2]


def _lines(rows: Sequence[Row], reader: Reader, rules: Rules, now_ms: int) -> Iterable[_Line]:
    found: dict[tuple[str, ...], _Line] = {}
    for row in _latest_rungs(rows):
        told = row.told
        body = told.body
        said = _told(body, reader.lang) if told.kind == Kind.ESCALATED else ""
        device, gate = _short(body.get("device")), _gate(body, rules, reader.lang)
        due = _due(body, reader.lang) if told.kind == Kind.REMINDED else ""
        key = (told.kind, said, device, gate, due)
        line = found.setdefault(key, _Line(told.kind, told.at_ms, said, device, gate, due))
        line.at_ms = min(line.at_ms, told.at_ms)
        line.children.update(dict.fromkeys(_children(body)))
        line.times += 1
        line.twice |= row.twice
        line.late |= not row.digest and now_ms - told.at_ms > LATE_MS
    return sorted(found.values(), key=lambda line: line.at_ms)


def _latest_rungs(rows: Sequence[Row]) -> Iterable[Row]:
    """A child who climbed two rungs while nothing could be sent is told of once, where it stands now."""
    last: dict[str, int] = {}
    for row in rows:
        case = str(row.told.body.get("case", ""))
        if row.told.kind == Kind.ESCALATED and case:
            last[case] = max(last.get(case, -1), _rung(row))
    return (r for r in rows if r.told.kind != Kind.ESCALATED or _rung(r) >= last.get(str(r.told.body.get("case", "")), -1))


def _rung(row: Row) -> int:
    rung = row.told.body.get("rung", 0)
    return rung if isinstance(rung, int) else 0


def _text(line: _Line, reader: Reader, directory: Directory, now_ms: int) -> str:
    lang = reader.lang
    words = TABLE[line.kind]
    who = _who(tuple(line.children), directory, reader)
    said = words.en if lang == "en" else words.zh
    text = said.format(who=who, told=line.told, device=line.device, gate=line.gate, due=line.due)
    if line.times > 1 and not line.children:
        text += _piece("times", lang, n=line.times)
    if line.late:
        text += _piece("late", lang)
    if line.twice:
        text += _piece("twice", lang)
    return f"{_clock(line.at_ms, now_ms, reader.utc_offset_ms)} {text}"


def _who(children: tuple[int, ...], directory: Directory, reader: Reader) -> str:
    """三(2)班 2 名学生、五(1)班 1 名学生; or 三(2)班 王*明、李*."""
    by_class: dict[str, list[int]] = {}
    for child in children:
        pupil = directory.pupils.get(child)
        school_class = directory.classes.get(pupil.class_id) if pupil else None
        by_class.setdefault(school_class.id if school_class else "", []).append(child)
    if not by_class:
        return _piece("nobody", reader.lang)
    named = reader.name_children and len(children) <= NAMES_SHOWN
    parts = [
        _names(key, found, directory) if named and key else _count(key, found, directory, reader.lang)
        for key, found in list(by_class.items())[:CLASSES_SHOWN]
    ]
    said = _piece("and", reader.lang).join(parts)
    return said if len(by_class) <= CLASSES_SHOWN else said + _piece("more_pupils", reader.lang, n=len(children))


def _count(class_id: str, children: Sequence[int], directory: Directory, lang: Lang) -> str:
    if not class_id:
        return _piece("pupils_of_none", lang, n=len(children))
    return _piece("pupils", lang, name=directory.classes[class_id].name, n=len(children))


def _names(class_id: str, children: Sequence[int], directory: Directory) -> str:
    """Two equal masks of one class get their seat numbers, so that each is one child."""
    pupils = [directory.pupils[number] for number in directory.pupils_of_class.get(class_id, ()) if number in directory.pupils]
    masks = mask_class((pupil.number, pupil.seat, pupil.name) for pupil in pupils)
    names = (masks.get(child) or mask_name(directory.pupils[child].name) for child in children)
    return f"{directory.classes[class_id].name} {'、'.join(names)}"


def _children(body: Mapping[str, Any]) -> list[int]:
    listed = body.get("children")
    numbers = [*(listed if isinstance(listed, (list, tuple)) else ()), body.get("child")]
    return [number for number in numbers if isinstance(number, int) and number]


def _told(body: Mapping[str, Any], lang: Lang) -> str:
    """The roles that a rung tells. A role that the school added itself stands as the school wrote it."""
    roles = body.get("told")
    listed = [str(role) for role in roles[:TOLD_SHOWN]] if isinstance(roles, (list, tuple)) else []
    words = [say(f"told.{role}", lang) if known(f"told.{role}") else _short(role) for role in listed]
    return _piece("and", lang).join(words) or _piece("staff", lang)


def _gate(body: Mapping[str, Any], rules: Rules, lang: Lang) -> str:
    point = rules.access_points.get(str(body.get("access_point", "")))
    gate = rules.gates.get(point.gate if point else str(body.get("gate", "")))
    return _short(gate.name) if gate else _piece("gate", lang)


def _due(body: Mapping[str, Any], lang: Lang) -> str:
    """12月30日前上报工作情况, in so many days."""
    what = str(body.get("what", ""))
    name = _piece(f"due_{what}", lang) if f"due_{what}" in PIECES else _short(what)
    days = body.get("days_left")
    if not days:
        return _piece("due_today", lang, what=name)
    return _piece("due_on", lang, day=_short(body.get("due")), what=name, n=days)


def _short(text: object) -> str:
    return " ".join(str(text or "").split())[:TEXT_MAX]


def _clock(at_ms: int, now_ms: int, utc_offset_ms: int) -> str:
    """17:42, or 11-22 17:42 of another day."""
    at, now = _local(at_ms, utc_offset_ms), _local(now_ms, utc_offset_ms)
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%m-%d %H:%M}"


def _local(at_ms: int, utc_offset_ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms + utc_offset_ms)


def _piece(piece: str, lang: Lang, /, **values: object) -> str:
    text = PIECES[piece][1 if lang == "en" else 0]
    return text.format(**values) if values else text
