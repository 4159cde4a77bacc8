"""The commands about copies of a gate's records: `kiosk backup` and `kiosk restore`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from kiosk.command_line import FINE, NOT_FINE, Stop, say_answer, settings_of, shared

Add = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_commands(add: Add) -> None:
    backup = shared(add("backup", _backup, "copy this gate's records while it runs, and prove the copy"), "state", "json")
    backup.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder for copies, best on another disk")
    backup.add_argument("--keep", type=int, default=14, metavar="N", help="how many copies stay there (0: all)")
    restore = shared(add("restore", _restore, "put a copy in the place of an empty state folder, or try one (--drill)"), "json")
    restore.add_argument("copy", type=Path, metavar="COPY", help="a folder that `kiosk backup` made")
    restore.add_argument("--state", type=Path, metavar="DIR", help="state folder to fill; it must be empty or missing")
    restore.add_argument("--drill", action="store_true", help="restore it elsewhere, open it, say what is in it, throw it away")
    restore.add_argument("--config", type=Path, metavar="DIR", help="settings folder, for --drill")


def _backup(options: argparse.Namespace) -> int:
    from kiosk.backup import BackupError, back_up
    from kiosk.clock import SystemClock
    from kiosk.privacy.copies import clean_copies
    from kiosk.privacy.leavers import Leavers

    try:
        made = back_up(options.state, options.to, now_ms=SystemClock().now_ms(), keep=max(0, options.keep))
    except BackupError as error:
        raise Stop(str(error), NOT_FINE) from error
    cleaned = clean_copies(options.to, Leavers(options.state).done, state=options.state)  # of whoever was erased since
    for place in cleaned.left:
        print(f"{place}: an erased person may still be in this copy", file=sys.stderr)
    if options.to.stat().st_dev == options.state.stat().st_dev:
        print(f"{options.to} is on the same disk as {options.state}: it will not outlive that disk", file=sys.stderr)
    words = f"{made.copy}: {made.entries} entries, whole; {len(made.removed)} older copies removed"
    say_answer(options, {"copy": str(made.copy), "entries": made.entries, "removed": [str(p) for p in made.removed]}, words)
    return FINE


def _restore(options: argparse.Namespace) -> int:
    from kiosk.backup import BackupError, restore

    if options.drill:
        return _drill(options)
    if options.state is None:
        raise Stop("say where to: kiosk restore COPY --state DIR; or only try it: kiosk restore COPY --drill --config DIR")
    try:
        manifest = restore(options.copy, options.state)
    except BackupError as error:
        raise Stop(str(error), NOT_FINE) from error
    words = f"{options.state}: {manifest.entries} entries, whole; start the gate, it fetches from the server what came later"
    say_answer(options, {"entries": manifest.entries, "made_at_ms": manifest.made_at_ms}, words)
    return FINE


def _drill(options: argparse.Namespace) -> int:
    from kiosk.backup import BackupError
    from kiosk.drill import drill

    if options.config is None:
        raise Stop("a drill needs the settings: kiosk restore COPY --drill --config DIR")
    try:
        found = drill(options.copy, settings_of(options.config))
    except BackupError as error:
        raise Stop(str(error), NOT_FINE) from error
    say_answer(
        options, asdict(found),
        f"comes up: {found.entries} entries, {found.people} people, {found.on_campus} children on campus, each with a custodian"
        f" ({found.took_s} s)",
    )  # fmt: skip
    return FINE
