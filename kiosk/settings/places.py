"""Where the data that ships with the product lies: in a checkout, or in an installed environment."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any, Final

SHARED: Final = Path("share") / "campus-kiosk" / "config"


class SharedDataMissing(FileNotFoundError):
    """Neither the checkout nor the environment has the folder."""


def shared_data_dir(name: str) -> Path:
    """The folder `config/<name>` of a checkout (or an editable install), else of the installed wheel.

    Raises SharedDataMissing, which names both places.
    """
    places = (Path(__file__).resolve().parents[2] / "config" / name, Path(sys.prefix) / SHARED / name)
    for place in places:
        if place.is_dir():
            return place
    raise SharedDataMissing(
        f"config/{name} is neither at {places[0]} nor at {places[1]}: install the wheel again, or run from the checkout"
    )


def policies_dir() -> Path:
    """The cities' policies. Raises SharedDataMissing."""
    return shared_data_dir("policies")


def policy_makeup_day(city: str) -> str:
    """What a city's policy says of make-up days: service, if_teaching or school_decides.

    A school without a policy, and a policy that is silent, leave it to the school. A policy file that
    cannot be read is the business of `kiosk check`, which names it.
    """
    path = policies_dir() / f"{city}.toml" if city else None
    if path is None or not path.is_file():
        return "school_decides"
    with path.open("rb") as file:
        rules: list[dict[str, Any]] = tomllib.load(file).get("rule", [])
    found = (str(rule["makeup_day"]) for rule in rules if rule.get("type") == "day_basis" and "makeup_day" in rule)
    return next(found, "school_decides")
