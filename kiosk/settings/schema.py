"""Reads a parsed TOML file against a table of keys and reports every problem at once.

A `Section` lists the keys that may stand in a TOML table; nothing else may. What comes out has every
key of the section: the value as written, turned into minutes, dates or weekdays, or its default, or
None where the value was missing or wrong (and a problem says so). It knows nothing about schools.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, Final

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_OFFSET = re.compile(r"([+-])(0\d|1[0-4]):([0-5]\d)")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Shape(StrEnum):
    ONE = "one"  # [name]
    MANY = "many"  # [[name]]
    NAMED = "named"  # [name.<anything>]


class Kind(StrEnum):
    """What a value must look like, and what it becomes."""

    TEXT = "text"
    ID = "id"  # letters, digits, _ . -
    FLAG = "true/false"
    NUMBER = "number"
    DECIMAL = "decimal number"
    TIME = "HH:MM"  # -> minutes since midnight
    DAY = "YYYY-MM-DD"  # -> date
    WEEKDAY = "mon..sun"  # -> 1..7
    WEEKDAYS = "list of mon..sun"  # -> frozenset of 1..7
    TEXTS = "list of texts"  # -> tuple
    TIMES = "list of HH:MM"  # -> tuple of minutes
    GRADES = "HH:MM by grade"  # {"primary-1" = "15:30", "*" = "16:10"} -> minutes by key
    OFFSET = "+HH:MM"  # -> milliseconds east of UTC
    TABLE = "table"  # passed on as it is

    @property
    def example(self) -> str:
        return _EXAMPLES.get(self, self.value)


_EXAMPLES: Final = {
    Kind.TEXT: '"..."',
    Kind.ID: '"east-in-1"',
    Kind.FLAG: "true",
    Kind.NUMBER: "10",
    Kind.DECIMAL: "2.5",
    Kind.TIME: '"16:30"',
    Kind.DAY: "2026-09-01",
    Kind.WEEKDAY: '"wed"',
    Kind.WEEKDAYS: '["mon", "sat"]',
    Kind.TEXTS: '["...", "..."]',
    Kind.TIMES: '["17:00", "18:00"]',
    Kind.GRADES: '{ "primary-1" = "15:30", "*" = "16:10" }',
    Kind.OFFSET: '"+08:00"',
    Kind.TABLE: "{ ... }",
}


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()


@dataclass(frozen=True, slots=True)
class Key:
    """One setting. `zh` and `en` are what the manual says about it."""

    name: str
    kind: Kind
    zh: str
    en: str
    default: Any = REQUIRED
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = 1_000_000


@dataclass(frozen=True, slots=True)
class Section:
    """One TOML table: its keys and the tables inside it."""

    name: str
    shape: Shape
    zh: str
    en: str
    keys: tuple[Key, ...]
    sections: tuple[Section, ...] = ()
    required: bool = False

    def asked(self, where: str = "") -> list[tuple[str, Key]]:
        """Every key with its full path, such as `bells.*.slot[].from`."""
        mark = {Shape.ONE: "", Shape.MANY: "[]", Shape.NAMED: ".*"}[self.shape]
        here = f"{where}{self.name}{mark}" if self.name else where.rstrip(".")
        dot = f"{here}." if here else ""
        own = [(f"{dot}{key.name}", key) for key in self.keys]
        return own + [pair for inner in self.sections for pair in inner.asked(dot)]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: in which file, at which key, and what to do."""

    file: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.where}: {self.message}" if self.where else f"{self.file}: {self.message}"


@dataclass(slots=True)
class Problems:
    """Collects. Says everything in Chinese first, then English."""

    found: list[Problem] = field(default_factory=list)

    def add(self, file: str, where: str, zh: str, en: str) -> None:
        self.found.append(Problem(file, where, f"{zh} / {en}"))


class Wrong(Exception):
    """A value that is not of its kind: (Chinese, English). Never leaves this module."""


def read(section: Section, raw: Mapping[str, Any], *, file: str, problems: Problems) -> dict[str, Any]:
    """The values of a whole file; `section` is its unnamed top."""
    return _read_table(section, raw, "", file, problems)


def _read_table(section: Section, raw: Mapping[str, Any], where: str, file: str, problems: Problems) -> dict[str, Any]:
    _report_unknown(section, raw, where, file, problems)
    values: dict[str, Any] = {key.name: _read_key(key, raw, where, file, problems) for key in section.keys}
    for inner in section.sections:
        values[inner.name] = _read_section(inner, raw.get(inner.name), where, file, problems)
    return values


def _read_section(section: Section, raw: Any, where: str, file: str, problems: Problems) -> Any:
    """ONE: values or None where absent. MANY: list of values. NAMED: values by name."""
    at = f"{where}.{section.name}" if where else section.name
    if raw is None or (section.required and raw in ([], {})):
        if section.required:
            problems.add(file, at, f"缺少 {_header(section)}，请补上这一段", f"missing: add a {_header(section)} table")
        return {Shape.ONE: None, Shape.MANY: [], Shape.NAMED: {}}[section.shape]
    if section.shape is Shape.MANY:
        if not isinstance(raw, list) or not all(isinstance(row, dict) for row in raw):
            problems.add(file, at, f"应写成 [[{at}]]", f"must be written as [[{at}]]")
            return []
        return [_read_table(section, row, f"{at}[{i}]", file, problems) for i, row in enumerate(raw, 1)]
    if not isinstance(raw, dict):
        problems.add(file, at, f"应写成 {_header(section)}", f"must be a table, written as {_header(section)}")
        return None if section.shape is Shape.ONE else {}
    if section.shape is Shape.ONE:
        return _read_table(section, raw, at, file, problems)
    named: dict[str, Any] = {}
    for name, inner in raw.items():
        if isinstance(inner, dict):
            named[name] = _read_table(section, inner, f"{at}.{name}", file, problems)
        else:
            problems.add(file, f"{at}.{name}", f"应写成 [{at}.{name}]", f"must be written as [{at}.{name}]")
    return named


def _header(section: Section) -> str:
    return {
        Shape.ONE: f"[{section.name}]",
        Shape.MANY: f"[[{section.name}]]",
        Shape.NAMED: f"[{section.name}.…]",
    }[section.shape]


def _report_unknown(section: Section, raw: Mapping[str, Any], where: str, file: str, problems: Problems) -> None:
    known = [key.name for key in section.keys] + [inner.name for inner in section.sections]
    for name in raw:
        if name in known:
            continue
        at = f"{where}.{name}" if where else name
        close = did_you_mean(name, known)
        if close:
            problems.add(file, at, f"没有这一项，是否应为 {close}？", f"no such key: did you mean {close}?")
        else:
            listed = ", ".join(sorted(known)) or "(nothing)"
            problems.add(file, at, f"没有这一项，可用：{listed}", f"no such key: remove it, or use one of {listed}")


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """The closest of `known`, or "" when none is close."""
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.6)), "")


def _read_key(key: Key, raw: Mapping[str, Any], where: str, file: str, problems: Problems) -> Any:
    at = f"{where}.{key.name}" if where else key.name
    if key.name not in raw:
        if not isinstance(key.default, _Required):
            return key.default
        zh, en = f"缺少必填项，请写 {key.name} = {key.kind.example}", f"missing: add {key.name} = {key.kind.example}"
        problems.add(file, at, zh, en)
        return None
    try:
        value = _convert(key, raw[key.name])
    except Wrong as wrong:
        problems.add(file, at, wrong.args[0], wrong.args[1])
        return None
    return value


def _convert(key: Key, raw: Any) -> Any:
    value: Any = _CONVERTERS[key.kind](raw)
    listed = value if key.kind is Kind.TEXTS else (value,)
    for one in listed if key.choices else ():
        if one not in key.choices:
            close = did_you_mean(str(one), key.choices) if one else ""
            hint = f", did you mean {close}?" if close else ""
            choices = ", ".join(key.choices)
            raise Wrong(f"“{one}”不在可选值中：{choices}", f"'{one}' is not one of {choices}{hint}")
    if key.kind in (Kind.NUMBER, Kind.DECIMAL) and not key.low <= value <= key.high:
        span = f"{key.low:g}..{key.high:g}"
        raise Wrong(f"{value} 超出范围 {span}", f"{value} is out of range, allowed is {span}")
    return value


def _wrong_type(raw: Any, kind: Kind) -> Wrong:
    got = {bool: "true/false", int: "number", float: "decimal", str: "text", list: "list", dict: "table"}
    name = got.get(type(raw), type(raw).__name__)
    return Wrong(
        f"应为 {kind.value}，例如 {kind.example}，现在是 {name} {raw!r}",
        f"must be {kind.value}, such as {kind.example}, not the {name} {raw!r}",
    )


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise _wrong_type(raw, Kind.TEXT)
    return raw.strip()


def _id(raw: Any) -> str:
    if not isinstance(raw, str):
        raise _wrong_type(raw, Kind.ID)
    if not _ID.fullmatch(raw):
        raise Wrong(f"“{raw}”只能用字母、数字、-、_、.", f"'{raw}' may only have letters, digits, '-', '_' and '.'")
    return raw


def _flag(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise _wrong_type(raw, Kind.FLAG)
    return raw


def _number(raw: Any) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise _wrong_type(raw, Kind.NUMBER)
    return raw


def _decimal(raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise _wrong_type(raw, Kind.DECIMAL)
    return float(raw)


def _minutes(raw: Any) -> int:
    if isinstance(raw, time):
        return raw.hour * 60 + raw.minute
    if not isinstance(raw, str):
        raise _wrong_type(raw, Kind.TIME)
    found = _TIME.fullmatch(raw.strip())
    if not found:
        raise Wrong(f'“{raw}”不是时间，请写 "16:30"', f"'{raw}' is not a time of day, write it as \"16:30\"")
    return int(found[1]) * 60 + int(found[2])


def _day(raw: Any) -> date:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    if not isinstance(raw, str):
        raise _wrong_type(raw, Kind.DAY)
    try:
        if _DATE.fullmatch(raw.strip()):
            return date.fromisoformat(raw.strip())
    except ValueError:
        pass  # 2026-02-30: said below, with the same remedy
    raise Wrong(f"“{raw}”不是日期，请写 2026-09-01", f"'{raw}' is not a date, write it as 2026-09-01")


def _weekday(raw: Any) -> int:
    if not isinstance(raw, str):
        raise _wrong_type(raw, Kind.WEEKDAY)
    if raw not in WEEKDAYS:
        raise Wrong(f"“{raw}”不是星期，请用 {', '.join(WEEKDAYS)}", f"'{raw}' is not one of {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(raw) + 1


def _list(raw: Any, kind: Kind) -> list[Any]:
    if not isinstance(raw, list):
        raise _wrong_type(raw, kind)
    return raw


def _grades(raw: Any) -> dict[str, int]:
    if not isinstance(raw, dict):
        raise _wrong_type(raw, Kind.GRADES)
    return {str(grade): _minutes(value) for grade, value in raw.items()}


def _offset(raw: Any) -> int:
    if not isinstance(raw, str):
        raise _wrong_type(raw, Kind.OFFSET)
    found = _OFFSET.fullmatch(raw)
    if not found:
        raise Wrong(f'“{raw}”不是时区，请写 "+08:00"', f"'{raw}' is not an offset from UTC, write it as \"+08:00\"")
    minutes = int(found[2]) * 60 + int(found[3])
    return (-minutes if found[1] == "-" else minutes) * 60_000


def _table(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise _wrong_type(raw, Kind.TABLE)
    return dict(raw)


_CONVERTERS: Final[Mapping[Kind, Callable[[Any], Any]]] = {
    Kind.TEXT: _text,
    Kind.ID: _id,
    Kind.FLAG: _flag,
    Kind.NUMBER: _number,
    Kind.DECIMAL: _decimal,
    Kind.TIME: _minutes,
    Kind.DAY: _day,
    Kind.WEEKDAY: _weekday,
    Kind.WEEKDAYS: lambda raw: frozenset(_weekday(one) for one in _list(raw, Kind.WEEKDAYS)),
    Kind.TEXTS: lambda raw: tuple(_text(one) for one in _list(raw, Kind.TEXTS)),
    Kind.TIMES: lambda raw: tuple(_minutes(one) for one in _list(raw, Kind.TIMES)),
    Kind.GRADES: _grades,
    Kind.OFFSET: _offset,
    Kind.TABLE: _table,
}
