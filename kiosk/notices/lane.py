"""One target while the gate runs: which of its notices are due, when it may be tried, and what its last tries came to.

Holds no thread and no file. Durations are seconds of a clock that never steps; moments are the gate's own time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from kiosk.core.entries import Kind
from kiosk.notices.facts import Told
from kiosk.notices.outbox import TargetRecord, Waiting
from kiosk.notices.pace import Pace, away, back_off_s, digest_due_ms, share
from kiosk.notices.refusals import BAN_S, NotAccepted
from kiosk.notices.settings import Target
from kiosk.notices.wording import Reader, Row
from kiosk.notices.words import ORDER, TEST, Level

HELD_MOST_S: Final = 15 * 60.0


class Way(Protocol):
    """How a text gets to a target. Returns when the other side took it; raises NotAccepted."""

    def send(self, text: str) -> None: ...


class Lane:
    def __init__(self, *, target: Target, way: Way, reader: Reader, gather_ms: int, seed: str) -> None:
        self.target, self.way, self.reader = target, way, reader
        self.record = TargetRecord()
        self.pace = Pace(target.limits)
        self.testing = False
        self._gather_ms, self._seed = gather_ms, seed
        self._hold_until_s, self._banned = 0.0, False

    # --- what it takes -------------------------------------------------------------------------------

    def wants(self, told: Told) -> bool:
        """Whether this fact is for this target."""
        target, words = self.target, told.words
        if words.silent:
            return target.alarms
        if told.kind == Kind.ESCALATED and target.roles:
            roles = told.body.get("told")
            return isinstance(roles, (list, tuple)) and bool(target.roles & set(map(str, roles)))
        return told.kind != TEST and ORDER.index(words.level) >= ORDER.index(target.from_level)

    def due(self, waiting: Sequence[Waiting], now_ms: int) -> list[Waiting]:
        """The notices of the next message, urgent ones first; none when nothing is due yet.

        Once one is due, everything that only gathers goes with it. A digest waits for its hour.
        """
        ready = [one for one in waiting if self._due_ms(one) <= now_ms or one.queued_ms > now_ms]  # the clock was set back
        if not ready:
            return []
        gathered = [one for one in waiting if not self.is_digest(one.told) or one in ready]
        return sorted(gathered, key=lambda one: (one.told.words.level is not Level.URGENT, one.told.at_ms))

    def expired(self, waiting: Sequence[Waiting], before_ms: int) -> list[Waiting]:
        """What was queued, or for a digest was due, before then: it has been tried for long enough."""
        return [
            one for one in waiting if (self._digest_ms(one) if self.is_digest(one.told) else one.queued_ms) < before_ms
        ]  # fmt: skip

    def _due_ms(self, one: Waiting) -> int:
        if one.tries or one.told.words.level is Level.URGENT:
            return 0
        if self.is_digest(one.told):
            return self._digest_ms(one)
        return away(min(one.told.at_ms, one.queued_ms) + self._gather_ms)

    def _digest_ms(self, one: Waiting) -> int:
        return digest_due_ms(
            min(one.told.at_ms, one.queued_ms), self.target.digest_at_min, utc_offset_ms=self.reader.utc_offset_ms,
            seed=self._seed, target=self.target.name,
        )  # fmt: skip

    def is_digest(self, told: Told) -> bool:
        return told.words.level is Level.INFO and bool(self.target.digest_at_min)

    def rows(self, waiting: Sequence[Waiting]) -> list[Row]:
        return [Row(one.told, one.twice, self.is_digest(one.told)) for one in waiting]

    # --- when it may be tried ------------------------------------------------------------------------

    def resume(self, record: TargetRecord, sent_ms: Sequence[int], *, now_ms: int, now_s: float) -> None:
        """Goes on where an earlier run stopped: a ban and the last minute's messages count after a restart too."""
        self.record = record
        self.pace = Pace(self.target.limits, tuple(now_s - (now_ms - at_ms) / 1000 for at_ms in sent_ms))
        left_s = min((record.ban_ms - now_ms) / 1000, BAN_S)
        if left_s > 0:
            self._hold_until_s, self._banned = now_s + left_s, True

    def wait_s(self, now_s: float) -> float:
        """How long until it may be tried."""
        return max(self.held_s(now_s), self.pace.wait_s(now_s))

    def held_s(self, now_s: float) -> float:
        """How long a refusal still keeps it from being tried. May be asked from any thread."""
        return max(self._hold_until_s - now_s, 0.0)

    def hurry(self, now_s: float) -> None:
        """Something urgent came: a back-off of ours ends, a ban of the platform's does not."""
        if not self._banned:
            self._hold_until_s = now_s

    # --- what a try came to --------------------------------------------------------------------------

    def accepted(self, now_ms: int) -> TargetRecord:
        self._hold_until_s, self._banned = 0.0, False
        self.record = TargetRecord(last_sent_ms=now_ms)
        return self.record

    def refused(self, why: NotAccepted, *, now_ms: int, now_s: float) -> TargetRecord:
        failures = self.record.failures + 1
        self._banned = why.hold_s > 0
        luck = share(self._seed, "back off", self.target.name, failures)
        hold_s = min(why.hold_s, HELD_MOST_S) if self._banned else back_off_s(failures, luck)
        self._hold_until_s = now_s + hold_s
        ban_ms = now_ms + int(hold_s * 1000) if self._banned else 0
        self.record = TargetRecord(self.record.last_sent_ms, failures, str(why), now_ms, ban_ms)
        return self.record

    def state(self, now_s: float) -> str:
        if self._banned and now_s < self._hold_until_s:
            return "held"
        if self.record.failures:
            return "failing"
        return "ok" if self.record.last_sent_ms else "new"
