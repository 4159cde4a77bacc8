"""Notices while the gate runs: a listener that only puts into a queue, and one thread that does all the rest.

The controller never waits here, whatever a robot's server does. A message counts as sent when the other side accepted it, and
what could not be sent is on the page and tried again until it is given up, which is said too.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Final, Protocol

from kiosk.clock import Clock, steady_s
from kiosk.controller import Batch
from kiosk.core.entries import EntryId
from kiosk.core.world import World
from kiosk.notices import catching_up, facts
from kiosk.notices.facts import Told
from kiosk.notices.lane import Lane
from kiosk.notices.outbox import FILE_NAME, KEEP_MS, Counts, Outbox, OutboxDamaged, TargetRecord, Waiting
from kiosk.notices.refusals import NotAccepted
from kiosk.notices.wording import message
from kiosk.notices.words import TEST, Level
from kiosk.web.faces_notices import NoticesState, NoticeTarget

log = logging.getLogger("kiosk.notices")

QUEUE_MAX: Final = 2_000  # facts between the controller and the thread
LOOK_EVERY_S: Final = 0.5
STOP_WITHIN_S: Final = 8.0  # a message that is on its way may end; then the thread is left behind
DAY_MS: Final = 86_400_000
TIDY_EVERY_S: Final = 60.0  # old rows go, what is too late is given up, the counts on the page are renewed


class Gate(Protocol):
    """The controller, as far as notices can see it."""

    listeners: list[Callable[[Batch], None]]
    world: World


class Notices:
    """`start()` and `stop()`, or `round()` by hand; the rest may be called from any thread."""

    def __init__(
        self, *, lanes: Sequence[Lane], gate: Gate, state: Path, clock: Clock, give_up_ms: int, trouble: str = "",
        keep_ms: int = KEEP_MS, steady: Callable[[], float] = steady_s,
    ) -> None:  # fmt: skip
        self._lanes, self._gate, self._folder, self._clock = tuple(lanes), gate, state, clock
        self._give_up_ms, self._setup_trouble, self._steady = give_up_ms, trouble, steady
        self._keep_ms, self._pruned_on = keep_ms, -1
        self.on_erased: Callable[[int, int], None] = lambda count, before_ms: None  # rows past their time, once a day
        self._queue: deque[Told] = deque()
        self._tests: deque[tuple[Lane, Told]] = deque()
        self._test_numbers = count(1)
        self._taken: list[Told] = []  # out of the queue, not on the disk yet
        self._dropped = 0
        self._outbox: Outbox | None = None
        self._owed: list[Callable[[], None]] = []  # what a message came to, while the disk does not take it
        self._trouble = ""
        self._tidied_s = float("-inf")
        self._taken_in = False  # since the rows were counted
        self._counts: dict[str, Counts] = {}
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)

    # --- from other threads --------------------------------------------------------------------------

    def start(self) -> None:
        if self._lanes:
            self._gate.listeners.append(self.on_batch)
            self._thread.start()

    def stop(self) -> None:
        """What is in the queue is written down; what waits is sent after the next start."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(STOP_WITHIN_S)
            if self._thread.is_alive():
                log.warning("a message is still on its way; it is marked and sent again after the next start")

    def on_batch(self, batch: Batch) -> None:
        """On the controller's thread: takes note, waits for nothing."""
        for told in facts.of_batch(batch):
            if len(self._queue) >= QUEUE_MAX:
                self._queue.popleft()
                self._dropped += 1
            self._queue.append(told)
            self._wake.set()

    def test(self, target: str, by: int) -> bool:
        """Sends a test notice to one target. False where there is no such target, or a test of it still waits."""
        lane = next((lane for lane in self._lanes if lane.target.name == target), None)
        if lane is None or lane.testing:
            return False
        lane.testing = True
        now_ms = self._clock.now_ms()
        self._tests.append((lane, Told(EntryId("test", f"{now_ms}-{next(self._test_numbers)}", by), TEST, {}, now_ms)))
        self._wake.set()
        return True

    def state(self) -> NoticesState:
        """As of now. Reads no disk."""
        lines = tuple(self._line(lane) for lane in self._lanes)
        failing = [line for line in lines if line.last_error]
        return NoticesState(
            waiting=sum(line.waiting for line in lines),
            failed=sum(line.failed for line in lines),
            dropped=self._dropped,
            last_error=max(failing, key=lambda line: line.last_error_ms).last_error if failing else "",
            last_sent_ms=max((line.last_sent_ms for line in lines), default=0),
            clock_trusted=self._clock.trusted(),
            trouble=self._setup_trouble or self._trouble,
            lines=lines,
        )

    def _line(self, lane: Lane) -> NoticeTarget:
        target, record, counts = lane.target, lane.record, self._counts.get(lane.target.name, Counts())
        now_s = self._steady()
        state = lane.state(now_s)
        retry_ms = self._clock.now_ms() + int(lane.held_s(now_s) * 1000) if state in ("failing", "held") else 0
        return NoticeTarget(
            name=target.name, kind=target.kind, host=target.host, state=state, waiting=counts.waiting, failed=counts.failed,
            testing=lane.testing, last_sent_ms=record.last_sent_ms, last_error=record.error, last_error_ms=record.error_ms,
            retry_ms=retry_ms, alarms=target.alarms, name_children=target.name_children,
        )  # fmt: skip

    # --- the thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.round()
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()
        self._say_trouble(self._take_in)
        self.close()

    def kinds(self) -> tuple[str, ...]:
        """Of the targets: what families are told of when they ask who receives anything."""
        return tuple(dict.fromkeys(lane.target.kind for lane in self._lanes))

    def round(self) -> None:
        """Takes in what is new and tries what is due, one message a target. What the disk refuses is tried next time."""
        self._say_trouble(self._look)

    def close(self) -> None:
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None

    def _look(self) -> None:
        self._take_in()
        outbox = self._opened()
        now_ms, now_s = self._clock.now_ms(), self._steady()
        if now_s - self._tidied_s > TIDY_EVERY_S:
            self._tidy(outbox, now_ms)
            self._tidied_s = now_s
        elif not self._taken_in and not any(counts.waiting for counts in self._counts.values()):
            return  # nothing waits: the disk is left alone
        self._count(outbox)
        self._taken_in = False
        for lane in self._lanes:
            if not self._stopping.is_set() and self._counts.get(lane.target.name, Counts()).waiting:
                self._serve(lane, outbox)

    def _tidy(self, outbox: Outbox, now_ms: int) -> None:
        if not self._clock.trusted():
            return  # a clock that leapt ahead must not give up everything, and nothing is old by it
        if self._keep_ms and now_ms // DAY_MS != self._pruned_on:
            self._pruned_on = now_ms // DAY_MS
            if erased := outbox.prune(now_ms=now_ms, keep_ms=self._keep_ms):
                self.on_erased(erased, now_ms - self._keep_ms)
        for lane in self._lanes:
            expired = lane.expired(outbox.waiting(lane.target.name), now_ms - self._give_up_ms)
            outbox.give_up(lane.target.name, [one.told.entry for one in expired], now_ms=now_ms)
            self._note_given_up(len(expired))

    def _say_trouble(self, do: Callable[[], None]) -> None:
        try:
            do()
        except (sqlite3.Error, OSError) as error:
            words = f"{FILE_NAME} 写不进，暂不能发通知：{error} / {FILE_NAME} takes nothing, no notice is sent: {error}"
            if words != self._trouble:
                log.error("%s", words)
            self._trouble = words
        except Exception:
            words = "通知出错，见日志 / notices failed, see the log"
            if words != self._trouble:  # once, not twice a second
                log.exception("a round of notices broke off")
            self._trouble = words
        else:
            self._trouble = ""

    def _opened(self) -> Outbox:
        if self._outbox is None:
            path = self._folder / FILE_NAME
            try:
                outbox = Outbox(path)
            except OutboxDamaged as error:
                aside = path.with_name(f"{FILE_NAME}.damaged-{self._clock.now_ms()}")
                log.error("%s; it is kept as %s, and what waited in it is lost", error, aside.name)
                for tail in ("", "-wal", "-shm"):
                    part = path.with_name(path.name + tail)
                    if part.exists():
                        part.rename(aside.with_name(aside.name + tail))
                outbox = Outbox(path)
            self._resume(outbox)
            self._outbox = outbox
        return self._outbox

    def _resume(self, outbox: Outbox) -> None:
        """Where an earlier run stopped: bans, the last minute's messages, and facts that had not reached the outbox."""
        now_ms, now_s = self._clock.now_ms(), self._steady()
        self._note_given_up(outbox.forget_targets([lane.target.name for lane in self._lanes], now_ms=now_ms))
        for lane in self._lanes:
            name = lane.target.name
            lane.resume(outbox.record(name), outbox.sends(name, now_ms=now_ms), now_ms=now_ms, now_s=now_s)
        seen = outbox.seen()
        if seen is None:  # never told anybody anything: begin with what happens from now on
            outbox.add([], now_ms=now_ms, seen=catching_up.head(self._folder))
        else:
            self._put(outbox, catching_up.missed(self._folder, seen, since_ms=now_ms - self._give_up_ms))

    def _note_given_up(self, how_many: int) -> None:
        if how_many:
            log.warning("%d notices were given up; the office page says to whom they should have gone", how_many)

    def _take_in(self) -> None:
        """Facts and tests into the outbox; they are let go of only when the disk has them."""
        outbox = self._opened()
        while self._owed:
            self._owed[0]()
            self._owed.pop(0)
        while self._tests:
            lane, told = self._tests[0]
            outbox.add([(lane.target.name, told)], now_ms=self._clock.now_ms())
            lane.hurry(self._steady())
            self._tests.popleft()
            self._taken_in = True
        while self._queue and len(self._taken) < QUEUE_MAX:
            self._taken.append(self._queue.popleft())
        if self._taken:
            self._put(outbox, self._taken)
            self._taken.clear()

    def _put(self, outbox: Outbox, taken: Sequence[Told]) -> None:
        wanted = [(lane, told) for told in taken for lane in self._lanes if lane.wants(told)]
        last = taken[-1].entry if taken else None
        self._taken_in = True
        outbox.add([(lane.target.name, told) for lane, told in wanted], now_ms=self._clock.now_ms(), seen=last)
        for lane, told in wanted:
            if told.words.level is Level.URGENT:
                lane.hurry(self._steady())

    def _count(self, outbox: Outbox) -> None:
        self._counts = dict(outbox.counts(now_ms=self._clock.now_ms()))

    # --- one message ---------------------------------------------------------------------------------

    def _serve(self, lane: Lane, outbox: Outbox) -> None:
        """One message, if one is due and the target may be tried."""
        now_ms, now_s = self._clock.now_ms(), self._steady()
        if lane.wait_s(now_s) > 0:
            return
        due = lane.due(outbox.waiting(lane.target.name), now_ms)
        if not due:
            return
        world = self._gate.world
        rows, text = message(lane.rows(due), lane.reader, world.directory, world.rules, now_ms)
        due = due[: len(rows)]
        outbox.try_now(lane.target.name, [one.told.entry for one in due], now_ms=now_ms)
        lane.pace.took(now_s)
        self._settle(lane, outbox, due, self._try(lane, text))
        self._count(outbox)

    def _try(self, lane: Lane, text: str) -> NotAccepted | None:
        """None when the other side took it."""
        try:
            lane.way.send(text)
        except NotAccepted as refusal:
            return refusal
        except Exception as error:  # a fault of ours or of a library: nobody knows what became of the message
            log.exception("a message to %s broke off", lane.target.name)
            return NotAccepted(f"本机出错：{type(error).__name__}", "a fault on this gate, see the log", twice=True)
        return None

    def _settle(self, lane: Lane, outbox: Outbox, due: Sequence[Waiting], refusal: NotAccepted | None) -> None:
        name, entries, now_ms = lane.target.name, [one.told.entry for one in due], self._clock.now_ms()
        before = lane.record
        if any(one.told.kind == TEST for one in due):
            lane.testing = False
        if refusal is None:
            record = lane.accepted(now_ms)
            self._owe(lambda: outbox.accepted(name, entries, record, now_ms=now_ms))
        else:
            record, twice = lane.refused(refusal, now_ms=now_ms, now_s=self._steady()), refusal.twice
            self._owe(lambda: outbox.not_accepted(name, entries, record, twice=twice))
        _log_change(name, before, record)

    def _owe(self, write: Callable[[], None]) -> None:
        """Writes now, or at the next round: until then the rows stand as being sent, and are not sent again."""
        self._owed.append(write)
        write()
        self._owed.remove(write)


def _log_change(name: str, before: TargetRecord, after: TargetRecord) -> None:
    """Once when it begins to fail, once when it works again."""
    if after.error and after.error != before.error:
        log.warning("notices to %s are not taken: %s", name, after.error)
    elif before.error and not after.error:
        log.info("notices to %s are taken again", name)
