"""TOML files in, frozen values out; every problem is reported at once.

`load` is the only way in. The settings never change while a process runs, nothing here writes a file,
and no rule of a city stands here: those are `config/policies`.
"""

from __future__ import annotations

from kiosk.settings.loading import load
from kiosk.settings.places import SharedDataMissing, policies_dir, shared_data_dir
from kiosk.settings.schema import Problem
from kiosk.settings.values import (
    Accepted,
    Device,
    Fees,
    School,
    Service,
    Settings,
    SettingsError,
    Site,
    Sync,
)

__all__ = [
    "Accepted",
    "Device",
    "Fees",
    "Problem",
    "School",
    "Service",
    "Settings",
    "SettingsError",
    "SharedDataMissing",
    "Site",
    "Sync",
    "load",
    "policies_dir",
    "shared_data_dir",
]
