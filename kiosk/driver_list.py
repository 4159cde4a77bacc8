"""`kiosk drivers`: how ready each driver is, as drivers/QUALITY.toml says it. Reads that one file; opens no device."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

TODO, EXEMPT, DONE = "todo: ", "exempt: ", "done"


@dataclass(frozen=True, slots=True)
class Readiness:
    """One driver. `todo` and `exempt` are rule -> what is missing, or why it cannot be asked."""

    driver: str
    done: tuple[str, ...]
    todo: dict[str, str]
    exempt: dict[str, str]

    @property
    def row(self) -> str:
        asked = len(self.done) + len(self.todo)
        return f"| `{self.driver}` | {len(self.done)} of {asked} | {_said(self.todo)} | {_said(self.exempt)} |"


HEADINGS = "| driver | done | to do | cannot be asked |\n|---|---|---|---|"


def readiness() -> list[Readiness]:
    """Every driver of QUALITY.toml, in its order."""
    quality = quality_file()
    return [
        Readiness(
            driver,
            tuple(rule for rule in quality["rules"] if said[rule] == DONE),
            {rule: said[rule].removeprefix(TODO) for rule in quality["rules"] if said[rule].startswith(TODO)},
            {rule: said[rule].removeprefix(EXEMPT) for rule in quality["rules"] if said[rule].startswith(EXEMPT)},
        )
        for driver, said in quality["drivers"].items()
    ]


def quality_file() -> dict[str, Any]:
    return tomllib.loads(files("drivers").joinpath("QUALITY.toml").read_text(encoding="utf-8"))


def as_markdown() -> str:
    return "\n".join([HEADINGS, *(each.row for each in readiness())])


def as_text() -> str:
    return "\n".join(_lines())


def as_json() -> dict[str, Any]:
    rules = quality_file()["rules"]
    drivers = [{"driver": e.driver, "done": list(e.done), "todo": e.todo, "exempt": e.exempt} for e in readiness()]
    return {"rules": rules, "drivers": drivers}


def _lines() -> Iterator[str]:
    for each in readiness():
        yield f"{each.driver:<10} {len(each.done)} of {len(each.done) + len(each.todo)}"
        yield from (f"           to do   {rule}: {why}" for rule, why in each.todo.items())
        yield from (f"           exempt  {rule}: {why}" for rule, why in each.exempt.items())


def _said(answers: dict[str, str]) -> str:
    return "; ".join(f"*{rule}*: {why}" for rule, why in answers.items()) or "–"
