"""Opening a gate: the state before the power went, rebuilt from the journal, and a new incarnation on top.

A restart must end in exactly the state before it. So nothing is remembered anywhere else: the fold of the journal (and
of what other gates sent) is the state, and this module is the only place that makes one.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from kiosk import __version__
from kiosk.controller import Clock, Controller, opening
from kiosk.core.campus import STANDING_KINDS, Campus
from kiosk.core.card_numbers import CardIndex
from kiosk.core.delegates import delegate_of
from kiosk.core.entries import Entry, Fact, Kind, Sealed, Stream, UnreadableEntry, decode
from kiosk.core.people import Directory
from kiosk.core.timetable import day_book
from kiosk.core.world import World
from kiosk.journal import Journal, new_incarnation
from kiosk.pass_keys import load_issuers
from kiosk.settings import Settings
from kiosk.sun_keys import sun_reader

PEERS_FILE = "peers.db"
_NAMING_KINDS = frozenset({Kind.DELEGATE_REGISTERED, Kind.PICKUP_REQUESTED})  # their notes say who a pass is for

log = logging.getLogger("kiosk.opening")


def open_journal(state: Path, node: str) -> Journal:
    """A new incarnation of the journal in `state`. Raises JournalError."""
    return Journal(state, node=node, incarnation=new_incarnation())


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
        again.devices, again.link, again.watched = now.devices, now.link, now.watched
        return again

    controller = Controller(world=world, journal=journal, clock=clock, rebuild=rebuild)
    return controller


def _first_facts(settings: Settings, directory: Directory, state: Path, clock: Clock, journal: Journal) -> World:
    """The world as the journal has it, and what a start records, durable. Raises CannotAppend."""
    world = build_world(settings=settings, directory=directory, journal=journal, state=state, clock=clock)
    facts = [
        opening(journal, __version__),
        Fact(Kind.SETTINGS_ADOPTED, {"digest": settings.digest}),
        Fact(Kind.DIRECTORY_ADOPTED, {"number": directory.number, "day": world.day}),
    ]
    now_ms, trusted = clock.now_ms(), clock.trusted()
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
    others = peers_at_start(state)[1]
    since = _since(journal, others, today)
    campus, tick, unreadable, named = Campus(), 0, list[str](), dict[str, str]()
    for entry in (*journal.of_kinds(STANDING_KINDS), *since):
        if not campus.apply(entry):
            unreadable.append(str(entry.id))
        tick = max(tick, entry.tick)
        if entry.kind in _NAMING_KINDS and entry.body.get("pass_id") and entry.body.get("note"):
            named.setdefault(entry.body["pass_id"], entry.body["note"])
    if stream is None:
        head = journal.head()
        stream = Stream(
            node=journal.node,
            incarnation=journal.incarnation,
            tick=max(tick, head[2] if head else 0),
            seen=journal.streams(),
        )
    for name, last in journal.streams().items():
        campus.streams.reach(name, last)
    for sealed in others:
        campus.streams.reach(sealed.entry.stream, sealed.entry.seq)
        if not _over(sealed.entry, since[:1]) and not campus.apply(sealed.entry):
            unreadable.append(str(sealed.entry.id))
        stream.observe(sealed.entry)
    world = World(
        rules=settings.rules_for(directory),
        directory=directory,
        calendar=settings.calendar,
        plan=settings.plan,
        release_window_min=settings.release_window_min,
        campus=campus,
        stream=stream,
        book=day_book(today, settings.calendar, settings.plan, directory, release_window_min=settings.release_window_min),
        cards=CardIndex(directory.cards),
    )  # fmt: skip
    if since and since[0].kind == Kind.CAMPUS_CLEARED:
        world.let_go_through = str(since[0].body.get("day", ""))
    world.pass_issuers, world.sun = load_issuers(state), sun_reader(state)
    for pass_id, digest in named.items():
        if pass_id in campus.passes.registered or pass_id in campus.passes.shown:
            world.remember_delegate(pass_id, delegate_of(journal.note(digest) or ""))
    world.readers, world.unreadable = _readers(settings), unreadable
    world.link.configured = bool(settings.site.sync.server)
    return world


def _readers(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Access point -> the names of its readers."""
    found: dict[str, tuple[str, ...]] = {}
    for device in settings.site.devices:
        if device.access_point:
            found[device.access_point] = (*found.get(device.access_point, ()), device.name)
    return found


def _since(journal: Journal, others: Iterable[Sealed], today: date) -> list[Entry]:
    """What this gate's state begins with: the close of an earlier day, further back where other gates knew less of it."""
    since = list(journal.since_cleared(today.isoformat()))
    unheard = _unheard_day(since[:1], others)
    return list(journal.since_cleared(unheard)) if unheard else since


def _unheard_day(begins_with: list[Entry], others: Iterable[Sealed]) -> str:
    """The earliest day of which another gate had facts that the close of a later or the same day did not know: they fit to
    what this gate wrote then, so that is read as well. "" when there is none, which is nearly always."""
    if not begins_with or begins_with[0].kind != Kind.CAMPUS_CLEARED:
        return ""
    closed = begins_with[0]
    days = (str(one.entry.body.get("day", "")) for one in others if not _over(one.entry, begins_with))
    return min((day for day in days if day and day <= closed.body["day"]), default="")


def _over(entry: Entry, begins_with: list[Entry]) -> bool:
    """Whether the close of an earlier day knew this fact of another gate: it ended with that day, there as here."""
    closed = begins_with and begins_with[0].kind == Kind.CAMPUS_CLEARED and begins_with[0].knew(entry)
    return bool(closed) and entry.kind not in STANDING_KINDS


def local_date(settings: Settings, now_ms: int) -> date:
    days, _ = divmod(now_ms + settings.plan.utc_offset_ms, 86_400_000)
    return date.fromordinal(date(1970, 1, 1).toordinal() + days)


def peers_at_start(state: Path) -> tuple[int, tuple[Sealed, ...]]:
    """The last row and all entries of other gates. A damaged file keeps no gate shut: it is a copy, to be fetched again."""
    path = state / PEERS_FILE
    try:
        return peers_after(path, 0)
    except sqlite3.Error as error:
        log.error("%s cannot be read (%s); delete it and restart the sync agent, which fetches it again", path, error)
        return 0, ()


def peers_after(path: Path, row: int) -> tuple[int, tuple[Sealed, ...]]:
    """Other gates' entries that the agent stored after `row`, and the last row. An unreadable one is left to the duty page."""
    if not path.exists():
        return row, ()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as connection:
        rows = connection.execute("SELECT id, raw, hash FROM peers WHERE id > ? ORDER BY id", (row,)).fetchall()
    connection.close()
    return (rows[-1][0] if rows else row), tuple(_readable((raw, hash_) for _, raw, hash_ in rows))


def _readable(rows: Iterable[tuple[bytes, bytes]]) -> Iterable[Sealed]:
    for raw, hash_ in rows:
        try:
            entry: Entry = decode(raw)
        except UnreadableEntry:
            continue  # a later version's entry: it stays in peers.db byte for byte and is read after the upgrade
        yield Sealed(entry, raw, hash_)
