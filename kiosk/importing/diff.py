"""What an import would change, kind by kind: added, changed with old and new values, removed. Values for people,
with telephone and identity numbers masked; PINs are never part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import Enum
from typing import Any, NamedTuple

from kiosk.core.masking import mask_phone
from kiosk.importing.given import shown
from kiosk.importing.headers import COLUMNS
from kiosk.importing.rows import KIND_NAMES, Kind, Rows

_EXTRA_NAMES = {
    "class_id": "班级",
    "grade": "年级",
    "consents": "同意事项",
    "minor": "未成年",
    "organisation": "机构",
    "daily_limit": "每日人数上限",
    "phone": "手机号",
    "id_last4": "证件后四位",
    "state": "状态",
    "later": "以后各段",
}


class Change(NamedTuple):
    """One row that stays but says something else: column name -> (old, new), in words."""

    what: str
    fields: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindDiff:
    kind: Kind
    added: tuple[str, ...] = ()
    changed: tuple[Change, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @property
    def name(self) -> str:
        return KIND_NAMES[self.kind]

    def as_json(self) -> dict[str, Any]:
        changed = [{"what": c.what, "fields": {name: list(pair) for name, pair in c.fields.items()}} for c in self.changed]
        return {"added": list(self.added), "changed": changed, "removed": list(self.removed)}


def diff(before: Rows, after: Rows) -> tuple[KindDiff, ...]:
    """One for each kind that changes, in the order of the sheets."""
    return tuple(found for kind in Kind if (found := _of_kind(kind, before.of(kind), after.of(kind))))


def _of_kind(kind: Kind, before: Mapping[Any, Any], after: Mapping[Any, Any]) -> KindDiff:
    if before == after:
        return KindDiff(kind=kind)
    return KindDiff(
        kind=kind,
        added=tuple(_label(after[key]) for key in after if key not in before),
        changed=tuple(_change(kind, before[key], row) for key, row in after.items() if key in before and before[key] != row),
        removed=tuple(_label(before[key]) for key in before if key not in after),
    )


def _label(row: Any) -> str:
    parts = [shown(row.key)]
    if (name := getattr(row, "name", "")) and name not in parts:
        parts.append(name)
    parts.append(getattr(row, "relation", ""))
    return " ".join(part for part in parts if part)


def _change(kind: Kind, old: Any, new: Any) -> Change:
    return Change(_label(new), dict(_changed_fields(kind, old, new)))


def _changed_fields(kind: Kind, old: Any, new: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    names = {column.field: column.names[0] for column in COLUMNS.get(kind, ())}
    for field in fields(new):
        one, other = getattr(old, field.name), getattr(new, field.name)
        if one != other:
            name = names.get(field.name) or _EXTRA_NAMES.get(field.name, field.name)
            yield name, (_words(field.name, one), _words(field.name, other))


def _words(field: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if field == "phone":
        return mask_phone(value)
    if field.endswith("_min"):
        return f"{value // 60:02d}:{value % 60:02d}"
    if isinstance(value, frozenset):
        return "、".join(sorted(_words("", item) for item in value))
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return "；".join(map(str, value))
    return value.isoformat() if isinstance(value, date) else str(value)
