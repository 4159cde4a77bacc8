"""Prints docs/settings.md from the table of keys: `python -m kiosk.settings.manual > docs/settings.md`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from kiosk.settings.keys import FILES
from kiosk.settings.schema import REQUIRED, WEEKDAYS, Key, Kind, Section, Shape

_HEAD = """# 设置 · Settings

本页由 `python -m kiosk.settings.manual` 生成，请勿手工修改。 This page is generated; do not edit it.

一所学校的设置是一个目录，里面是五个 TOML 文件。`kiosk check 目录` 一次报告全部问题：哪个文件、哪一项、怎样改正。
The settings of a school are a folder with five TOML files. `kiosk check FOLDER` reports every problem at once, with its
file, its place and what to do. Start from a copy of `config/site.example`.

- `school.toml` 可写 `base = "../.."`：本目录没有的文件整份取自上级目录；`school.toml` 里没写的段落和项也取自上级。
  用 `[[...]]` 写的列表一旦出现就整段替换。
  With `base`, files that the folder lacks come from there whole, and so do the tables and keys that its `school.toml`
  does not have. A list written with `[[...]]` replaces the base's list altogether.
- 按年级的时间：`{ "primary-1" = "15:30", "primary" = "16:00", "*" = "16:10" }`，先找年级，再找学段，最后找 `*`。
  Times by grade: the grade's own key, else its stage's, else `*`.
- 学期中调整时间：给 `calendar.toml` 加一个新的 `[[season]]`，在 `plan.toml` 写它的 `[bells.…]`。
  过去的日子仍按当时的作息。
  New times within a term are a new season with bells of its own; past days keep theirs.
- 国家放假安排内置到 2026 年。新一年的文件（holiday-cn 的 JSON）放进 `national/`，例如 `national/2027.json`；
  没有时按星期推算并提示。
  National holidays are known up to 2026; drop the JSON file of a new year into `national/`. Until then the weekday rule
  is used and every such day is marked as unverified.
- 校历五层，后面的优先：星期、国家放假安排、区县校历 `[[district_day]]`、学期与 `[[day]]`、单日调整 `[[override]]`。
  Five calendar layers, the later one wins: weekday, national, district, term and school days, single-day override.
"""


def manual() -> str:
    """The whole page as Markdown."""
    return "\n".join([_HEAD, *(_file(name, section) for name, section in FILES.items())])


def _file(name: str, section: Section) -> str:
    parts = [f"## {name}\n\n{section.zh}。 {section.en}\n"]
    if section.keys:
        parts.append(_table(section.keys))
    parts += [_section(inner, "") for inner in section.sections]
    return "\n".join(parts)


def _section(section: Section, outer: str) -> str:
    path = f"{outer}{section.name}" + (".名称" if section.shape is Shape.NAMED else "")
    header = f"[[{path}]]" if section.shape is Shape.MANY else f"[{path}]"
    needed = " **必需 required.**" if section.required else ""
    parts = [f"### `{header}`\n\n{section.zh}。 {section.en}{needed}\n", _table(section.keys)]
    parts += [_section(inner, f"{path}.") for inner in section.sections]
    return "\n".join(parts)


def _table(keys: tuple[Key, ...]) -> str:
    rows = ["| 项 Key | 值 Value | 默认 Default | 含义 Meaning |", "|---|---|---|---|"]
    rows += [f"| `{key.name}` | {_kind(key)} | {_default(key)} | {key.zh} · {key.en} |" for key in keys]
    return "\n".join(rows) + "\n"


def _kind(key: Key) -> str:
    if key.choices:
        listed = ", ".join(f"`{choice}`" if choice else "“”" for choice in key.choices)
        return f"list of {listed}" if key.kind is Kind.TEXTS else listed
    if key.kind in (Kind.NUMBER, Kind.DECIMAL) and key.high < 1_000_000:
        return f"{key.kind.value} {key.low:g}..{key.high:g}"
    return f"{key.kind.value}, `{key.kind.example}`" if key.kind is not Kind.FLAG else key.kind.value


def _default(key: Key) -> str:
    if key.default is REQUIRED:
        return "**必填 required**"
    return f"`{_written(key.kind, key.default)}`" if key.default not in (None, "", (), frozenset(), {}) else "–"


def _written(kind: Kind, value: Any) -> str:
    """A default as one would write it in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind is Kind.OFFSET:
        return f"+{value // 3_600_000:02}:{value // 60_000 % 60:02}"
    if kind is Kind.WEEKDAYS:
        return "[" + ", ".join(f'"{WEEKDAYS[day - 1]}"' for day in sorted(value)) + "]"
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{one}"' for one in value) + "]"
    if isinstance(value, str):
        return f'"{value}"'
    assert isinstance(value, int | float | date | Mapping)
    return str(value)


if __name__ == "__main__":
    print(manual(), end="")
