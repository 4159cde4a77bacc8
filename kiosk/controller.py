"""The one loop: inbox -> decide -> journal -> tell. START HERE.

Everything that happens on a gate computer is a command in the inbox. One thread takes what waits, decides, makes all
of it durable with one fsync, and only then tells anybody. No lock guards the state, because one thread owns it.
"""

from __future__ import annotations

import gc
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Protocol, TypeVar

from kiosk.clock import steady_s
from kiosk.core.commands import Command, Look, PeerEntries, Tick
from kiosk.core.decisions import Answer, Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind, Sealed
from kiosk.core.handle import handle
from kiosk.core.topics import every_topic, topics_of
from kiosk.core.views import view
from kiosk.core.world import World
from kiosk.journal import CannotAppend, Journal, Note, new_note
from kiosk.reading_back import Slices

log = logging.getLogger("kiosk.controller")

BATCH_LIMIT = 256  # commands decided under one fsync
FULL_WAIT_S = 0.01  # how long a device's thread pauses before it looks for room again
INBOX_LIMIT = 20_000  # commands that may wait; beyond it a device thread waits for its turn
# A tap leaves no cycles behind: the default walks everything hundreds of times a rush. The young are few, because a state that
# is read back leaves them all alive: 20,000 of them took up to 8 ms in one go and 400,000 took 85 ms, 2,000 take one.
COLLECT_AFTER = (2_000, 5, 4_000)
SWITCH_S = 0.0005
SLICE_S = 0.0005  # of reading back while nobody waits; whoever comes meanwhile waits for the fact in hand
BREATH_S = 0.001  # between two slices of reading back: whoever waits for the interpreter gets it
CHECKPOINT_BYTES = 4 << 20  # growth of the log after which a moment without anybody waiting folds it into the database

OnAnswer = Callable[[Any], None]
T = TypeVar("T")


class Unfoldable(Exception):
    """A decision made a fact that the fold does not understand: a fault of ours, and the fact is not written."""


class Clock(Protocol):
    def now_ms(self) -> int: ...
    def trusted(self) -> bool: ...


class Batch(NamedTuple):
    """What one turn of the loop made durable. topics: live pages that look different now."""

    answers: tuple[tuple[Command, Answer], ...]
    topics: frozenset[str]


class _Asked(NamedTuple):
    command: Command
    on_answer: OnAnswer | None


class Inbox:
    """Commands in order of arrival. `take_all` waits for the first and takes what is there."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[_Asked] = SimpleQueue()
        self._pause = threading.Event()  # never set: only waited for

    def __len__(self) -> int:
        return self._waiting.qsize()

    def put(self, asked: _Asked) -> None:
        while self._waiting.qsize() >= INBOX_LIMIT:
            self._pause.wait(FULL_WAIT_S)
        self._waiting.put(asked)

    def take_all(self, timeout_s: float | None = None) -> list[_Asked]:
        taken: list[_Asked] = []
        try:
            taken.append(self._waiting.get(timeout=timeout_s))
            while len(taken) < BATCH_LIMIT:
                taken.append(self._waiting.get_nowait())
        except Empty:
            pass  # nobody else waits
        return taken


def settle_interpreter() -> None:
    """Called once a gate is up. The directory lives as long as the process, so no collection walks it again while a card
    waits; and the loop gets the interpreter back from the pages within half a millisecond, not five."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    sys.setswitchinterval(SWITCH_S)


class Controller:
    """Owns the world. Everybody else puts commands and receives answers."""

    def __init__(
        self, *, world: World, journal: Journal, clock: Clock, rebuild: Callable[[], World],
        reread: Callable[[], Slices[World]],
    ) -> None:  # fmt: skip
        """rebuild: the world as the disk has it. reread: the world that goes on, folded anew in slices."""
        self.world, self.journal, self.clock = world, journal, clock
        self.inbox = Inbox()
        self.listeners: list[Callable[[Batch], None]] = []
        self._rebuild, self._reread = rebuild, reread
        self._reading: Slices[World] | None = None  # under way, a slice at a time whenever nobody waits
        self._adrift = False  # the state in memory is not what the journal has: nothing is decided until it is
        self._unreadable = ""  # the last trouble that was logged about that
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name="controller", daemon=True)

    # --- the loop ----------------------------------------------------------------------------------

    def run(self) -> None:
        while not self._stopping.is_set():
            asked = self.inbox.take_all(timeout_s=BREATH_S if self._reading else 1.0)
            for part in _people_first(asked):
                self.turn(part)
            if self._reading and not asked:  # whoever was just answered goes on first
                self._read_on()
            if self.journal.prunes and not len(self.inbox):
                self.journal.prune_some()
            if self.journal.log_bytes > CHECKPOINT_BYTES and not len(self.inbox):
                self.journal.checkpoint()

    def turn(self, asked: list[_Asked]) -> None:
        """One batch: decide each, append all, then tell all."""
        now_ms, trusted = self.clock.now_ms(), self.clock.trusted()
        if self._adrift and not self._back_to_disk():
            self._on_paper(asked, now_ms)
            return
        decided: list[tuple[_Asked, Any, list[Sealed], list[Note]]] = []
        for one in asked:
            decided.append((one, *self._decide(one.command, now_ms, trusted)))
            if self._adrift:
                break  # what follows is decided once the state is the disk's again
        facts = [sealed for _, _, entries, _ in decided for sealed in entries]
        notes = [note for _, _, _, texts in decided for note in texts]
        try:
            self.journal.append(facts, notes)
        except CannotAppend as error:
            self._could_not_save(asked, error, now_ms)
            return
        if facts and not self.world.can_save:
            self.world.can_save = True
            log.warning("the journal takes entries again")
        self._tell(decided, now_ms)
        if self.world.reread and not self.world.more_coming and self._reading is None:
            self._reading = self._reread()
            while self._reading and threading.current_thread() is not self._thread:
                self._read_on()  # whoever turns the loop by hand has nobody waiting
        if len(decided) < len(asked):
            self.turn(asked[len(decided) :])

    def _decide(self, command: Command, now_ms: int, trusted: bool) -> tuple[Any, list[Sealed], list[Note]]:
        """A decision with its sealed facts; the state has already moved on. Looks are answered at tell time."""
        if type(command) is Look:
            return None, [], []
        stood_at = self.world.stream.seq
        try:
            decision = handle(command, self.world, now_ms, trusted)
            return decision, *self._sealed(decision, now_ms, trusted)
        except Exception:
            # A fault of ours must not stop the gate: this one command is refused, the loop goes on. If it was a fact that
            # cannot be folded, it is not written, or no restart would ever get past it.
            log.exception("no decision for %s", type(command).__name__)
            self._adrift = self.world.stream.seq != stood_at
            return Decision(outcome=Outcome.REFUSED, reason=Reason.STEP_REFUSED), [], []

    def _sealed(self, decision: Decision, now_ms: int, trusted: bool) -> tuple[list[Sealed], list[Note]]:
        """The decision's facts, numbered, chained and folded."""
        sealed, notes = [], []
        for fact in decision.facts:
            if fact.note:
                note = new_note(fact.note)
                notes.append(note)
                fact = Fact(fact.kind, {**fact.body, "note": note.digest})
            one = self.world.stream.seal(fact, at_ms=now_ms, trusted=trusted)
            if not self.world.campus.apply(one.entry):
                raise Unfoldable(f"a {fact.kind} with the body {fact.body} cannot be folded")
            sealed.append(one)
        return sealed, notes

    def _tell(self, decided: Iterable[tuple[_Asked, Any, list[Sealed], list[Note]]], now_ms: int) -> None:
        """Durable now: answer everybody who waits, then let the pages know once."""
        answers, topics = [], set[str]()
        for one, decision, sealed, _ in decided:
            if decision is None:
                self._show(one, now_ms, self.clock.trusted())
                continue
            answer = Answer(decision=decision, entry=sealed[0].entry.id if sealed else None, at_ms=now_ms)
            _safely("an answer", one.on_answer, answer)
            answers.append((one.command, answer))
            if self.listeners:
                entries = [s.entry for s in sealed]
                topics |= _safely("the topics of a batch", topics_of, self.world, one.command, decision, entries) or set()
        if answers:
            self._tell_pages(Batch(tuple(answers), frozenset(topics)))

    def _show(self, one: _Asked, now_ms: int, trusted: bool) -> None:
        """The view that a page asked for; None for one that cannot be made."""
        assert isinstance(one.command, Look)
        query = one.command.query
        found = _safely(f"a view for {type(query).__name__}", view, self.world, query, now_ms, trusted)
        _safely("an answer", one.on_answer, found)

    def _tell_pages(self, batch: Batch) -> None:
        for listener in self.listeners:
            _safely("a batch", listener, batch)

    def _could_not_save(self, asked: list[_Asked], error: CannotAppend, now_ms: int) -> None:
        """Nothing was told, so nothing happened: state goes back to what the disk has."""
        if self.world.can_save:
            log.error("%s", error)
        self.world.can_save = False
        self._adrift = True
        self._back_to_disk()
        self._on_paper(asked, now_ms)

    def _back_to_disk(self) -> bool:
        """The state becomes what the journal has. False while the disk cannot even be read; it is tried at every turn."""
        try:
            world = self._rebuild()
        except Exception as error:
            self._complain(error)
            return False
        world.can_save = self.world.can_save
        self.world, self._adrift, self._reading, self._unreadable = world, False, None, ""
        return True

    def _read_on(self) -> None:
        """Some slices. The last one brings a state with facts in it that an earlier day's story needed."""
        assert self._reading is not None
        end_s = steady_s() + SLICE_S
        try:
            next(self._reading)
            while steady_s() < end_s and not len(self.inbox):
                next(self._reading)
        except StopIteration as end:
            self.world, self._reading, self._unreadable = end.value, None, ""
            self._tell_pages(Batch((), every_topic(self.world)))
        except Exception as error:
            self._reading = None  # begun again with the next turn
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        if str(error) != self._unreadable:
            log.error("the journal cannot be read back (%s); write on paper, look at the disk, restart this gate", error)
        self._unreadable = str(error)

    def _on_paper(self, asked: list[_Asked], now_ms: int) -> None:
        """Every screen says so, the one at the access point too; the loop goes on."""
        told = []
        for one in asked:
            if isinstance(one.command, Look):
                self._show(one, now_ms, False)
                continue
            point = getattr(one.command, "access_point", "")
            decision = Decision(outcome=Outcome.REFUSED, reason=Reason.CANNOT_SAVE, access_point=point)
            answer = Answer(decision=decision, at_ms=now_ms)
            _safely("an answer", one.on_answer, answer)
            told.append((one.command, answer))
        self._tell_pages(Batch(tuple(told), frozenset({"bar"})))

    # --- everybody else ------------------------------------------------------------------------------

    def submit(self, command: Command, on_answer: OnAnswer | None = None) -> None:
        """From any thread. `on_answer` is called on the controller's thread, after the facts are durable."""
        self.inbox.put(_Asked(command, on_answer))

    def ask(self, command: Command, timeout_s: float = 10.0) -> Any:
        """Submits and waits for the answer. Raises TimeoutError."""
        box: SimpleQueue[Any] = SimpleQueue()
        self.submit(command, box.put)
        try:
            return box.get(timeout=timeout_s)
        except Empty:
            raise TimeoutError(f"no answer to {type(command).__name__} within {timeout_s:g} s") from None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the loop after the batch in hand and closes the journal."""
        self._stopping.set()
        self.submit(Tick())
        self._thread.join()
        self.journal.close()


def _people_first(asked: list[_Asked]) -> Iterator[list[_Asked]]:
    """Whoever stands at the gate does not wait for what other gates wrote."""
    first = [one for one in asked if type(one.command) is not PeerEntries]
    yield from (part for part in (first, [one for one in asked if type(one.command) is PeerEntries]) if part)


def _safely(what: str, call: Callable[..., T] | None, *given: Any) -> T | None:
    """Whatever goes wrong in telling is that asker's trouble, never the loop's. None when it did, or nobody asked."""
    if call is None:
        return None
    try:
        return call(*given)
    except Exception:
        log.exception("%s could not be given", what)
        return None


def opening(journal: Journal, version: str, *, unproven: bool = False) -> Fact:
    """The first fact of this boot: it seals the incarnation before, so that nothing can be cut off unseen. unproven: these
    records may be an old copy of the gate's, and it goes on from them."""
    head = journal.head()
    sealed = None
    if head is not None:
        last, hash_, _ = head
        sealed = {"node": last.node, "incarnation": last.incarnation, "seq": last.seq, "hash": hash_.hex()}
    body = {"version": version, "sealed": sealed}
    return Fact(Kind.INCARNATION_OPENED, body | {"unproven": True} if unproven else body)
