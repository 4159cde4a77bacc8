"""Opening a gate: the state before the power went, rebuilt from the journal, and a new incarnation on top.

A restart must end in exactly the state before it. So nothing is remembered anywhere else: the fold of the journal (and
of what other gates sent) is the state, and this module is the only place that makes one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from kiosk import __version__
from kiosk.controller import Clock, Controller, opening
from kiosk.core.card_numbers import CardIndex
from kiosk.core.delegates import delegate_of
from kiosk.core.entries import Fact, Kind, Stream
from kiosk.core.people import Directory
from kiosk.core.timetable import day_book
from kiosk.core.tokens import started
from kiosk.core.world import World
from kiosk.journal import Journal, Reserve, last_trusted_ms, new_incarnation
from kiosk.last_ran import noted_ms
from kiosk.pass_keys import load_issuers
from kiosk.reading_back import Slices, finished, folded_in_slices
from kiosk.settings import Settings
from kiosk.sun_keys import sun_reader


def open_journal(state: Path, node: str, reserve: Reserve | None = None) -> Journal:
    """A new incarnation of the journal in `state`. Raises JournalError."""
    return Journal(state, node=node, incarnation=new_incarnation(), reserve=reserve)


def open_gate(
    *, settings: Settings, directory: Directory, state: Path, clock: Clock,
    journal_in: Callable[[Path, str], Journal] = open_journal,
) -> Controller:  # fmt: skip
    """A controller ready to start, its first facts already durable. Raises JournalError.

    journal_in: opens the journal of a node in a folder; the simulator has one whose disk fails.
    """
    journal = journal_in(state, settings.site.node)
    try:
        world = _first_facts(settings, directory, state, clock, journal)
    except BaseException:
        journal.close()  # whoever tries again must not find it in use
        raise

    def rebuild() -> World:
        """After a failed append: the world as the disk has it, with today's directory."""
        now = controller.world
        again = build_world(
            settings=settings, directory=now.directory, journal=journal, state=state, clock=clock, stream=journal.resumed(),
            today=now.book.day.date,  # a clock that is not trusted turns no page, and neither does this
        )  # fmt: skip
        again.devices, again.link, again.watched, again.disk = now.devices, now.link, now.watched, now.disk
        again.start = now.start
        return again

    def reread() -> Slices[World]:
        """The world that goes on, on a fold of all that is on the disk by now; between two slices others have a turn."""
        heard = Stream(node=journal.node, incarnation=journal.incarnation)
        today = controller.world.book.day.date
        folded = yield from folded_in_slices(journal=journal, state=state, stream=heard, today=today)
        now = controller.world  # it has gone on meanwhile, and so has its stream
        now.stream.catch_up(heard.seen, heard.tick)
        return replace(
            now, campus=folded.campus, let_go_through=folded.let_go_through, let_go_tick=folded.let_go_tick,
            reread=folded.late, unreadable=folded.unreadable,
        )  # fmt: skip

    controller = Controller(world=world, journal=journal, clock=clock, rebuild=rebuild, reread=reread)
    return controller


def _first_facts(settings: Settings, directory: Directory, state: Path, clock: Clock, journal: Journal) -> World:
    """The world as the journal has it, and what a start records, durable. Raises CannotAppend."""
    world = build_world(settings=settings, directory=directory, journal=journal, state=state, clock=clock)
    now_ms, trusted = clock.now_ms(), clock.trusted()
    head = journal.head()
    before = f"{head[0].node}/{head[0].incarnation}" if head is not None else ""
    last_ms = max(last_trusted_ms(state), noted_ms(state, head[0] if head is not None else None))
    world.start = started(world, before=before, last_ms=last_ms, now_ms=now_ms, trusted=trusted)
    facts = [
        opening(journal, __version__, unproven=world.link.configured and not world.start.proven),
        Fact(Kind.SETTINGS_ADOPTED, {"digest": settings.digest}),
        Fact(Kind.DIRECTORY_ADOPTED, {"number": directory.number, "day": world.day}),
    ]
    sealed = [world.stream.seal(fact, at_ms=now_ms, trusted=trusted) for fact in facts]
    journal.append(sealed)
    for one in sealed:
        world.campus.apply(one.entry)
    return world


def build_world(
    *,
    settings: Settings,
    directory: Directory,
    journal: Journal,
    state: Path,
    clock: Clock,
    stream: Stream | None = None,
    today: date | None = None,
) -> World:
    """Folds everything that still matters: standing facts of all times, and all since the close of an earlier day.

    today: the clock's date unless it is given.
    """
    today = today or local_date(settings, clock.now_ms())
    if stream is None:
        head = journal.head()
        stream = Stream(
            node=journal.node, incarnation=journal.incarnation, tick=head[2] if head else 0, seen=journal.streams()
        )
    folded = finished(folded_in_slices(journal=journal, state=state, stream=stream, today=today))
    world = World(
        rules=settings.rules_for(directory),
        directory=directory.on(today),
        calendar=settings.calendar,
        plan=settings.plan,
        release_window_min=settings.release_window_min,
        campus=folded.campus,
        stream=stream,
        book=day_book(today, settings.calendar, settings.plan, directory, release_window_min=settings.release_window_min),
        cards=CardIndex(directory.cards),
        let_go_through=folded.let_go_through,
        let_go_tick=folded.let_go_tick,
        unreadable=folded.unreadable,
    )  # fmt: skip
    world.pass_issuers, world.sun = load_issuers(state), sun_reader(state)
    for pass_id, digest in folded.named.items():
        if pass_id in folded.campus.passes.registered or pass_id in folded.campus.passes.shown:
            world.remember_delegate(pass_id, delegate_of(journal.note(digest) or ""))
    world.readers = _readers(settings)
    world.link.configured = bool(settings.site.sync.server)
    return world


def _readers(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Access point -> the names of its readers."""
    found: dict[str, tuple[str, ...]] = {}
    for device in settings.site.devices:
        if device.access_point:
            found[device.access_point] = (*found.get(device.access_point, ()), device.name)
    return found


def local_date(settings: Settings, now_ms: int) -> date:
    days, _ = divmod(now_ms + settings.plan.utc_offset_ms, 86_400_000)
    return date.fromordinal(date(1970, 1, 1).toordinal() + days)
