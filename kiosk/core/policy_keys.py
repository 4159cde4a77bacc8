"""Every key that a policy file may have, of which kind, and every type of rule with its own keys.

A new city uses these types; only a clause of a new kind adds one here, with its check in
`kiosk.core.plan_hours` or `kiosk.core.plan_practice`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from kiosk.core.people import Stage
from kiosk.core.policy import Strength
from kiosk.core.policy_rows import ROWS
from kiosk.core.practices import FEATURES, Words


class Wrong(Exception):
    """A value that is not what its key wants: (Chinese, English). Caught by whoever reads the file."""


@dataclass(frozen=True, slots=True)
class Key:
    """How one key is read. `default` stands for a key that is left out."""

    read: Callable[[object], Any]
    required: bool = True
    default: Any = None


def _integer(low: int, high: int) -> Callable[[object], int]:
    def read(raw: object) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or not low <= raw <= high:
            zh = f"应为 {low} 到 {high} 的整数，现在是 {raw!r}"
            raise Wrong(zh, f"must be a whole number from {low} to {high}, not {raw!r}")
        return raw

    return read


def _flag(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise Wrong(f"应为 true 或 false，现在是 {raw!r}", f"must be true or false, not {raw!r}")
    return raw


def _text(raw: object) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise Wrong(f"应为文字，现在是 {raw!r}", f"must be text, not {raw!r}")
    return raw.strip()


def _clock(raw: object) -> int:
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", raw) if isinstance(raw, str) else None
    if found is None:
        raise Wrong(f'应为时间，例如 "18:30"，现在是 {raw!r}', f'must be a time such as "18:30", not {raw!r}')
    return int(found[1]) * 60 + int(found[2])


def _one_of(*choices: str) -> Callable[[object], str]:
    def read(raw: object) -> str:
        if not isinstance(raw, str) or raw not in choices:
            listed = ", ".join(choices)
            raise Wrong(f"“{raw}”不在可选值中：{listed}", f"{raw!r} is not one of {listed}")
        return raw

    return read


def _list(raw: object) -> list[object]:
    if not isinstance(raw, list) or not raw:
        raise Wrong(f"应为非空列表，现在是 {raw!r}", f"must be a list that is not empty, not {raw!r}")
    return raw


def _texts(raw: object) -> tuple[str, ...]:
    return tuple(_text(one) for one in _list(raw))


def _each_of(*choices: str) -> Callable[[object], tuple[str, ...]]:
    read_one = _one_of(*choices)

    def read(raw: object) -> tuple[str, ...]:
        return tuple(read_one(one) for one in _list(raw))

    return read


def _weekdays(raw: object) -> tuple[str, ...]:
    read_one = _integer(1, 7)
    return tuple(str(read_one(one)) for one in _list(raw))


def _month_days(raw: object) -> tuple[str, ...]:
    for one in _list(raw):
        try:
            date.fromisoformat(f"2023-{one}")  # not a leap year: no document can mean 02-29 every year
        except ValueError:
            zh, en = f'“{one}”不是日期，请写 "06-30"', f'{one!r} is not a month and day, write it as "06-30"'
            raise Wrong(zh, en) from None
    return _texts(raw)


def _weeks(raw: object) -> Mapping[str, int]:
    if not isinstance(raw, dict) or not raw:
        raise Wrong("应写成 { winter = 1, summer = 3 }", "must be written as { winter = 1, summer = 3 }")
    read_one = _integer(1, 8)
    return {_one_of("winter", "summer")(name): read_one(value) for name, value in raw.items()}


def _day(raw: object) -> date:
    if not isinstance(raw, date) or isinstance(raw, datetime):
        raise Wrong(f"应为日期，例如 2021-09-02，现在是 {raw!r}", f"must be a date such as 2021-09-02, not {raw!r}")
    return raw


def _quote(raw: object) -> str:
    return re.sub(r"\s", "", _text(raw))


def _words(raw: object) -> Words:
    if not isinstance(raw, dict) or set(raw) != {"zh", "en"}:
        raise Wrong('应写成 { zh = "…", en = "…" }', 'must be written as { zh = "...", en = "..." }')
    return Words(_text(raw["zh"]), _text(raw["en"]))


def _named_words(raw: object) -> Mapping[str, Words]:
    if not isinstance(raw, dict):
        raise Wrong("应写成表", "must be a table")
    return {name: _words(words) for name, words in raw.items()}


def _matching(pattern: str, example: str) -> Callable[[object], str]:
    def read(raw: object) -> str:
        if not isinstance(raw, str) or not re.fullmatch(pattern, raw):
            raise Wrong(f"应像 {example}，现在是 {raw!r}", f"must look like {example}, not {raw!r}")
        return raw

    return read


def _note(raw: object) -> str:
    if not isinstance(raw, str):
        raise Wrong(f"应为文字，现在是 {raw!r}", f"must be text, not {raw!r}")
    return raw.strip()


_STAGES: Final = tuple(stage.value for stage in Stage)
_FEATURE: Final = Key(_one_of(*FEATURES))
_PRACTICE_KEYS: Final = {
    "practices": Key(_texts),
    "when": Key(_one_of("charging", "external"), required=False),
}
_BOUND: Final = {  # exactly one of `at` and `ref`
    "at": Key(_clock, required=False),
    "ref": Key(_one_of("local_off_work"), required=False),
    "slot": Key(_one_of("service", "evening_study"), required=False),
}

RULE_TYPES: Final[Mapping[str, Mapping[str, Key]]] = {
    # days
    "day_basis": {
        "basis": Key(_one_of("workday", "school_day", "weekday")),
        "makeup_day": Key(_one_of("service", "if_teaching", "school_decides")),
        "weekdays": Key(_weekdays),
    },
    "days_per_week": {"days": Key(_integer(1, 7)), "exact": Key(_flag, required=False)},
    "weekend_days": {"count": Key(_integer(1, 2))},
    "weeks_per_year": {"weeks": Key(_integer(1, 53))},
    "class_days_only": {
        "pilot_trait": Key(_text, required=False),
        "pilot_kinds": Key(_texts, required=False),
    },
    "holiday_opening": {"weeks": Key(_weeks)},
    # hours
    "min_minutes": {"minutes": Key(_integer(1, 600)), "exact": Key(_flag, required=False)},
    "end_not_before": _BOUND,
    "end_not_after": _BOUND,
    "end_link": {"ref": Key(_one_of("local_off_work")), "gap_min": Key(_integer(0, 240))},
    "seasonal": {"at_least": Key(_integer(1, 4), required=False), "seasons": Key(_texts, required=False)},
    "schedule_fixed": {"needs": Key(_one_of("approval_ref", "reason")), "by": Key(_text, required=False)},
    "slot_kind": {"number": Key(_integer(1, 9)), "kinds": Key(_texts)},
    # what is offered, to whom
    "offer": {"feature": _FEATURE},
    "only_stages": {
        "feature": _FEATURE,
        "allowed": Key(_each_of(*_STAGES)),
        "boarders_of": Key(_each_of(*_STAGES), required=False),
    },
    "not_the_service": {"kinds": Key(_texts)},
    # the menu
    "menu": {"fields": Key(_each_of("content", "teachers", "audience", "capacity", "time", "room"))},
    "forbid_kinds": {"kinds": Key(_texts)},
    "sports_required": {},
    "staff_per_group": {"at_least": Key(_integer(1, 1))},
    # what the school does and does not do
    "require": _PRACTICE_KEYS,
    "forbid": _PRACTICE_KEYS,
    # money, filing, reports
    "fees": {
        "mode": Key(_one_of("parents_pay", "cost_share", "county_funded", "none_until_standard_set")),
        "basis": Key(_one_of("pupil_month", "pupil_term_once"), required=False),
        "cap_cny": Key(_integer(1, 100_000), required=False),
        "evening_cap_cny": Key(_integer(1, 100_000), required=False),
        "agreement_required": Key(_flag, required=False),
    },
    "funding": {"unit": Key(_one_of("class_hour_per_group")), "cny": Key(_integer(1, 100_000))},
    "fees_after_filing": {},
    "plan_filing": {
        "terms": Key(_each_of("autumn", "spring")),
        "within_workdays": Key(_integer(1, 60), required=False),
    },
    "report_dates": {"dates": Key(_month_days), "to": Key(_text, required=False)},
    # the paper itself
    "validity": {},
    "statement": {},  # recorded and shown; a plan cannot break it
}

_NAME: Final = _matching(r"[a-z][a-z0-9_]*", "inner_six")
POLICY_KEYS: Final[Mapping[str, Key]] = {
    "id": Key(_NAME, default=""),
    "name": Key(_text, default=""),
    "name_en": Key(_text, default=""),
    "kind": Key(_one_of("city", "overlay"), required=False, default="city"),
    "stages": Key(_each_of(*_STAGES), default=()),
    "variants": Key(_named_words, required=False, default={}),
    "traits": Key(_texts, required=False, default=()),
    "model": Key(_text, required=False, default=""),
    "note": Key(_note, required=False, default=""),
}
DOCUMENT_KEYS: Final[Mapping[str, Key]] = {
    "title": Key(_text, default=""),
    "number": Key(_note, required=False, default=""),  # a paper may carry none
    "issuer": Key(_text, required=False, default=""),
    "issued_on": Key(_day, required=False),
    "effective_from": Key(_day, required=False),
    "valid_until": Key(_day, required=False),
    "note": Key(_note, required=False, default=""),
}
RULE_KEYS: Final[Mapping[str, Key]] = {
    "id": Key(_matching(r"[A-Z]\d{1,2}(\.[a-z0-9_]+)?|validity", "A4 or A4.winter"), default=""),
    "type": Key(_one_of(*RULE_TYPES), default=""),
    "strength": Key(_one_of(*(s.value for s in Strength)), default=""),
    "clause": Key(_quote, default=""),
    "document": Key(_NAME, required=False, default="main"),
    "stages": Key(_each_of(*_STAGES), required=False, default=()),
    "season": Key(_NAME, required=False, default=""),
    "variant": Key(_NAME, required=False, default=""),
    "instead_of": Key(_text, required=False, default=""),
    "effective_from": Key(_day, required=False),
    "valid_until": Key(_day, required=False),
    "also": Key(_each_of(*ROWS), required=False, default=()),
    "warn_because": Key(_text, required=False, default=""),
    "labels": Key(_named_words, required=False, default={}),
}
