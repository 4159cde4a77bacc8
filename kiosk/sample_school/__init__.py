"""Makes the sample school: its people, its menu of sessions and its morning rush. Every person is invented.

`python -m kiosk.sample_school OUT_DIR --seed N` writes the same bytes for the same seed, on every machine.
The settings of the sample school (TOML) are written by hand and are not touched.
"""

from __future__ import annotations

from kiosk.sample_school.arrivals import arrival_curve
from kiosk.sample_school.sheets import Sheet, make_sheets

__all__ = ["Sheet", "arrival_curve", "make_sheets"]
