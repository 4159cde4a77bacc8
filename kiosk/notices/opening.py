"""Makes the notices of a gate from its settings. A mistake in notices.toml keeps no gate shut: it is said, and nobody is told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from kiosk.clock import Clock, SystemClock, steady_s
from kiosk.notices.apprise_ways import AppriseWay
from kiosk.notices.lane import Lane, Way
from kiosk.notices.outbox import KEEP_MS
from kiosk.notices.robots import Robot
from kiosk.notices.running import DAY_MS, Gate, Notices
from kiosk.notices.settings import ROBOTS, NoticesSettings, Target, load_notices
from kiosk.notices.wording import Reader
from kiosk.settings import Settings, SettingsError
from kiosk.web.faces_format import Lang

log = logging.getLogger("kiosk.notices")


def open_notices(*, settings: Settings, gate: Gate, state: Path, clock: Clock) -> Notices | None:
    """None where the school has no targets."""
    try:
        found, trouble = load_notices(settings), ""
    except SettingsError as error:
        found, trouble = NoticesSettings(), "；".join(map(str, error.problems))
        for problem in error.problems:
            log.error("%s; no notice is sent until it is corrected and the gate restarted", problem)
    if not found.targets and not trouble:
        return None
    return make_notices(
        found, gate=gate, state=state, clock=clock, school=settings.school.name, seed=settings.site.node,
        utc_offset_ms=settings.plan.utc_offset_ms, trouble=trouble, keep_ms=settings.retention.messages_days * DAY_MS,
    )  # fmt: skip


def make_notices(
    found: NoticesSettings, *, gate: Gate, state: Path, clock: Clock, school: str, seed: str, utc_offset_ms: int,
    trouble: str = "", keep_ms: int = KEEP_MS, computer: Clock | None = None, steady: Callable[[], float] = steady_s,
) -> Notices:  # fmt: skip
    """`computer` stamps signatures: the platforms want the real time, and the gate's own may be a played one."""
    stamp_ms = (computer or SystemClock()).now_ms
    lanes = [
        Lane(
            target=target, way=_way(target, school, stamp_ms), reader=_reader(target, school, utc_offset_ms),
            gather_ms=found.gather_ms, seed=seed,
        )
        for target in found.targets
    ]  # fmt: skip
    return Notices(
        lanes=lanes, gate=gate, state=state, clock=clock, give_up_ms=found.give_up_ms, trouble=trouble, keep_ms=keep_ms,
        steady=steady,
    )


def _way(target: Target, school: str, stamp_ms: Callable[[], int]) -> Way:
    if target.kind in ROBOTS:
        return Robot(kind=target.kind, link=target.link, secret=target.secret, stamp_ms=stamp_ms)
    return AppriseWay(kind=target.kind, link=target.link, subject=school)


def _reader(target: Target, school: str, utc_offset_ms: int) -> Reader:
    lang: Lang = "en" if target.lang == "en" else "zh"
    heading = f"【{school}】{target.keyword}"
    return Reader(
        lang=lang, name_children=target.name_children, max_bytes=target.max_bytes, heading=heading, utc_offset_ms=utc_offset_ms
    )
