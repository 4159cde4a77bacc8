"""What the files of one import say, kind by kind, with the place of every row. Filled once, while files are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.importing.problems import Place, Report, Words
from kiosk.importing.rows import KIND_NAMES, ApplicationKey, ApplicationRow, Kind, Rows

IN_FORCE = Place("现有名单 directory")  # the place of a row that this import does not touch


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What an import must know of the school. `gates`: id -> name as people say it; empty = any id is taken."""

    school_year_start: int
    primary_years: int = 6
    handover_max_grade: int = 2
    gates: Mapping[str, str] = field(default_factory=dict)
    reversed_decimal_cards: bool = False  # the decimal numbers of this school's card list are 反码


@dataclass(slots=True)
class Given:
    """Rows by kind and key. `seen` also holds the keys of rows that had a problem, so that nothing is reported
    as unknown only because its own row was refused."""

    current: Rows
    options: Options
    report: Report
    applications: Mapping[ApplicationKey, ApplicationRow] = field(default_factory=dict)  # in force
    kinds: set[Kind] = field(default_factory=set)
    rows: defaultdict[Kind, dict[Any, Any]] = field(default_factory=lambda: defaultdict(dict))
    places: dict[tuple[Kind, Any], Place] = field(default_factory=dict)
    seen: defaultdict[Kind, set[str]] = field(default_factory=lambda: defaultdict(set))
    failed: set[Kind] = field(default_factory=set)  # lists that are there but could not be read
    classes_by_name: dict[str, list[str]] | None = None  # filled by the first pupil who asks
    unclear_classes: set[str] = field(default_factory=set)  # names of classes whose row had a problem
    national_numbers: set[str] = field(default_factory=set)  # 学籍号, for doubles only; gone with this value
    pins: dict[str, str] = field(default_factory=dict)
    duress_pins: dict[str, str] = field(default_factory=dict)
    cards_of_pupils: dict[str, str] = field(default_factory=dict)  # 学号 -> 卡号 as written in the pupil list
    guardians_listed_for: set[str] = field(default_factory=set)  # 学号 whose guardians stand in the pupil list

    def add(self, kind: Kind, row: Any, place: Place) -> None:
        """Takes the row; the same key twice is a problem, the very same row twice only a remark."""
        known = self.rows[kind].get(row.key)
        if known is None:
            self.rows[kind][row.key] = row
            self.places[kind, row.key] = place
            return
        first = self.places[kind, row.key]
        if known == row:
            self.report.warn(
                place,
                Words(f"与 {first} 完全相同，只取一次。", f"The same as row {first.row}; taken once."),
                Words("可删除重复的行。", "The repeated row can be deleted."),
            )
            return
        self.report.problem(
            place,
            Words(
                f"{KIND_NAMES[kind]}“{shown(row.key)}”重复，{first} 已有且内容不同。",
                f"{shown(row.key)} is listed twice with different contents; see row {first.row}.",
            ),
            Words("请核对后只保留正确的一行。", "Keep the right row only."),
        )

    def place(self, kind: Kind, key: Any) -> Place:
        return self.places.get((kind, key), IN_FORCE)

    def known(self, kind: Kind) -> Container[str]:
        """Keys that may be referred to: of this import where it has the kind, else of the directory in force."""
        return self.seen[kind] if kind in self.kinds else self.current.of(kind)


def shown(key: Any) -> str:
    """A key in words for people."""
    return " ".join(str(part) for part in key if part is not None) if isinstance(key, tuple) else str(key)
