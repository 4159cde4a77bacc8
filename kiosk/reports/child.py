"""The process that makes reports for the pages, so that no tap waits for one: `python -m kiosk.reports.child`.

One order in, as a line of JSON; lines of JSON out: how far it is, and at the end `done` or `refused`. It only reads the records,
gives way to everything else on the computer, and ends when the gate does. It never logs a name.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import msgspec

from kiosk.clock import steady_s
from kiosk.reports.forms import Form, Lang
from kiosk.reports.table import ReportLocked
from kiosk.reports.wanted import REFUSALS, School, Wanted, compute, write
from kiosk.settings import SettingsError, load

NICE: Final = 10
TELL_EVERY_S: Final = 0.2


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`wanted`: compute it into `folder`. Otherwise write the form `form` of what lies there to `to`."""

    folder: str
    config: str = ""
    site: str = ""
    state: str = ""
    now_ms: int = 0
    wanted: Wanted | None = None
    form: Form = Form.XLSX
    lang: Lang = "zh"
    offset_ms: int = 0
    to: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """done: the name that the file should have, or the report's id. refused: the sentence; locked: it is the city's paper's."""

    step: str = ""
    at: int = 0
    of: int = 0
    done: str = ""
    refused: str = ""
    locked: bool = False


def main() -> int:
    os.nice(NICE)
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    try:
        say(Told(done=_obey(order)))
    except REFUSALS as error:
        say(Told(refused=str(error), locked=isinstance(error, ReportLocked)))
    except SettingsError as error:
        say(Told(refused=str(error).splitlines()[0]))
    return 0


def _obey(order: Order) -> str:
    last_s = 0.0

    def tell(step: str, at: int, of: int) -> None:
        nonlocal last_s
        if steady_s() - last_s >= TELL_EVERY_S:
            last_s = steady_s()
            say(Told(step=step, at=at, of=of))

    if order.wanted is None:
        return write(Path(order.folder), order.form, order.lang, order.offset_ms, Path(order.to), tell)
    settings = load(Path(order.config), site_file=Path(order.site) if order.site else None)
    school = School(settings=settings, state=Path(order.state), now_ms=order.now_ms)
    compute(school, order.wanted, Path(order.folder), tell)
    return order.wanted.report


def say(told: Told) -> None:
    """Raises BrokenPipeError, which ends this process, when nobody listens any more."""
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
