"""Where the data that ships with the product lies: in a checkout, or in an installed environment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

SHARED: Final = Path("share") / "campus-kiosk" / "config"


class SharedDataMissing(FileNotFoundError):
    """Neither the checkout nor the environment has the folder."""


def shared_data_dir(name: str, *, prefix: str = sys.prefix) -> Path:
    """The folder `config/<name>` of a checkout (or an editable install), else of the installed wheel.

    Raises SharedDataMissing, which names both places.
    """
    places = (Path(__file__).resolve().parents[2] / "config" / name, Path(prefix) / SHARED / name)
    for place in places:
        if place.is_dir():
            return place
    raise SharedDataMissing(
        f"config/{name} is neither at {places[0]} nor at {places[1]}: install the wheel again, or run from the checkout"
    )


def policies_dir() -> Path:
    """The cities' policies. Raises SharedDataMissing."""
    return shared_data_dir("policies")
