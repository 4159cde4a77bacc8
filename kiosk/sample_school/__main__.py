"""`python -m kiosk.sample_school OUT_DIR --seed N`: writes people/*.csv and arrivals.csv into OUT_DIR."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kiosk.sample_school.arrivals import arrival_curve
from kiosk.sample_school.sheets import make_sheets

SEED = 2026  # of the data that ships


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m kiosk.sample_school", description=__doc__)
    parser.add_argument("out_dir", type=Path, metavar="OUT_DIR")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--classes-per-grade", type=int, default=6, metavar="N", help="6 are 1,620 pupils")
    options = parser.parse_args(arguments)
    if not 1 <= options.classes_per_grade <= 99:
        parser.error("--classes-per-grade must be from 1 to 99")
    try:
        write(options.out_dir, options.seed, options.classes_per_grade)
    except OSError as error:
        print(f"cannot write to {options.out_dir}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def write(out_dir: Path, seed: int, classes_per_grade: int = 6) -> None:
    """Writes every file; what a folder holds besides is left alone."""
    people = out_dir / "people"
    people.mkdir(parents=True, exist_ok=True)
    for sheet in make_sheets(seed, classes_per_grade=classes_per_grade):
        (people / f"{sheet.name}.csv").write_bytes(sheet.csv_bytes())
    lines = ["minute,staggered,concentrated"]
    lines += [f"{at // 60:02}:{at % 60:02},{staggered},{one}" for at, staggered, one in arrival_curve()]
    (out_dir / "arrivals.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
