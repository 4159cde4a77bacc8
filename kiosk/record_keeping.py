"""What the pages about the records ask for, made from the journal of this gate: replay, evidence, the statement of 静校.

Reads with connections of its own, in whatever thread it is called; never asks the controller and never holds it up. One call
at a time: the pages see to that.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import segno

from kiosk.clock import Clock, steady_s
from kiosk.core.child import ChildState
from kiosk.core.people import Directory, Pupil
from kiosk.core.roster import Bar
from kiosk.core.world import World
from kiosk.evidence.dossier import gather
from kiosk.evidence.packing import make_pack
from kiosk.evidence.page import Pictures
from kiosk.recorded import RecordsError, local_time, opened
from kiosk.replaying import Film, Matter, ReplayError, figures, film, open_matters
from kiosk.settings import Settings
from kiosk.statement import NotCleared, counts, seal_text, signed_statement
from kiosk.web.faces_facts import Names
from kiosk.web.faces_format import Lang, clock
from kiosk.web.faces_records import (
    MAX_FOUND,
    MAX_PLACES,
    EvidenceView,
    ReplayView,
    StatementView,
    fact_rows,
    flaw_rows,
    line_rows,
)
from kiosk.web.gate import RecordsUnreadable
from kiosk.web.words import known, say

MAX_FILMS = 3  # days that are kept at hand
REFRESH_S = 5.0  # a day that grows is read again after so long at the earliest
CURVE_MS = 10 * 60_000
HOUR_MS = 3_600_000
MAX_NAMED = 6  # children that one open matter names; the rest is counted
UNKNOWN = "校园"
_ASKED_FIRST = ("in_custody", "arrived", "released", "visitors", "incidents", "corrected")
_COUNTS = {"on_campus": "on_campus", "arrived": "arrived", "left": "released", "open": "open"}


@dataclass(slots=True)
class _Shown:
    """A film with the state of the journal that it was made from."""

    film: Film
    directory: Directory
    head: tuple[int, int, int]
    read_s: float
    counts: tuple[tuple[int, int], ...]


class OfficeRecords:
    """`kiosk.web.gate.Records`."""

    def __init__(
        self, *, settings: Settings, state: Path, directory: Callable[[], Directory], clock: Clock, pictures: Pictures
    ) -> None:
        self._settings, self._state, self._directory = settings, state, directory
        self._clock, self._pictures = clock, pictures
        self._films: OrderedDict[date, _Shown] = OrderedDict()

    # --- replay --------------------------------------------------------------------------------------

    def replay(self, day: date, bar: Bar) -> ReplayView:
        with _readable():
            shown = self._shown(day)
        moments = [one.moment_ms for one in shown.film.events]
        start_ms = shown.film.start_ms
        if not moments:
            return ReplayView(bar=bar, day=day.isoformat(), from_ms=start_ms, to_ms=start_ms, counts=(), start_ms=start_ms)
        from_ms = start_ms + (moments[0] - start_ms) // HOUR_MS * HOUR_MS
        to_ms = min(shown.film.end_ms - 60_000, start_ms + ((moments[-1] - start_ms) // HOUR_MS + 1) * HOUR_MS)
        last_ms = min(to_ms, max(from_ms, bar.now_ms)) // 60_000 * 60_000
        at_ms = last_ms if from_ms <= bar.now_ms <= to_ms else from_ms + (to_ms - from_ms) // 2 // 60_000 * 60_000
        counts = tuple(row for row in shown.counts if from_ms <= row[0] < to_ms)
        return ReplayView(bar=bar, day=day.isoformat(), from_ms=from_ms, to_ms=to_ms, counts=counts, start_ms=at_ms)

    def moment(self, at_ms: int, *, find: str, lang: Lang, masked: bool) -> dict[str, Any]:
        """The campus at the end of that minute, in words."""
        offset_ms = self._settings.plan.utc_offset_ms
        until_ms = at_ms // 60_000 * 60_000 + 59_999
        with _readable():
            shown = self._shown(local_time(at_ms, offset_ms).date())
            world, told = shown.film.at(until_ms), figures(shown.film, until_ms)
        names = Names(directory=shown.directory, rules=self._settings.rules, child=0, mask_all=masked)
        people = _People(shown.directory, names)
        return {
            "at": local_time(at_ms, offset_ms).isoformat(),
            "at_ms": at_ms,
            "counts": {word: told[name] for word, name in _COUNTS.items()},
            "places": [[place, count] for place, count in told["by_place"][:MAX_PLACES]],
            "custodians": [[names.person(n), count] for n, count in told["by_custodian"][:MAX_PLACES]],
            "collections": [[_collection(word, lang), count] for word, count in told["by_collection"].items() if count],
            "open": [people.matter(matter, self._settings, lang) for matter in open_matters(world)[:MAX_PLACES]],
            "found": people.found(world, shown.film.present(until_ms), find, until_ms, lang),
        }

    def _shown(self, day: date) -> _Shown:
        """The film of a day, read again when the journal has grown and it is no longer fresh."""
        directory = self._directory()
        with opened(self._state) as records:
            head = records.head()
        kept = self._films.get(day)
        fresh = kept is not None and (kept.head == head or steady_s() - kept.read_s < REFRESH_S)
        if kept is not None and fresh and kept.directory is directory:
            self._films.move_to_end(day)
            return kept
        made = film(self._settings, self._state, day, directory)
        self._films[day] = _Shown(made, directory, head, steady_s(), _curve(made))
        self._films.move_to_end(day)
        while len(self._films) > MAX_FILMS:
            self._films.popitem(last=False)
        return self._films[day]

    # --- evidence ------------------------------------------------------------------------------------

    def evidence(self, child: int, day: date, bar: Bar, *, lang: Lang) -> EvidenceView:
        directory = self._directory()
        with _readable():
            found = gather(self._settings, self._state, directory, child=child, day=day)
        names = Names(directory=directory, rules=self._settings.rules, child=child)
        home = directory.classes.get(found.pupil.class_id) if found.pupil else None
        notes = {row["entry"]: row["text"] for row in found.notes}
        return EvidenceView(
            bar=bar, day=day.isoformat(), child=child, name=directory.name_of(child), class_name=home.name if home else "",
            school_number=found.pupil.school_number if found.pupil else "", held=found.line.held,
            segments=line_rows(found.line, names, lang), flaws=flaw_rows(found.line, lang),
            facts=fact_rows(((one.entry, one.hash) for one in found.entries), names, lang, notes=notes),
        )  # fmt: skip

    def pack(self, child: int, day: date, *, whole_chain: bool) -> tuple[str, bytes]:
        with _readable():
            made = make_pack(
                self._settings, self._state, self._directory(), child=child, day=day, now_ms=self._clock.now_ms(),
                pictures=self._pictures, whole_chain=whole_chain,
            )  # fmt: skip
        return made.name, made.data

    # --- statement -----------------------------------------------------------------------------------

    def statement(self, day: date, bar: Bar) -> StatementView:
        try:
            with _readable():
                found = signed_statement(self._state, day, self._settings.plan.utc_offset_ms)
        except RecordsUnreadable as error:
            if isinstance(error.__cause__, NotCleared):
                return StatementView(bar=bar, day=day.isoformat())
            raise
        body = found["body"]
        boarders = body.get("dormitory")
        return StatementView(
            bar=bar, day=found["day"], at_ms=found["at_ms"], by=self._directory().name_of(body.get("by", 0)),
            counts=_in_order(counts(body)), boarders=len(boarders) if isinstance(boarders, list) else 0,
            entry=found["entry"], hash=found["hash"], signature=found["signature"], public_key=found["public_key"],
            fingerprint=found["fingerprint"], qr=segno.make(seal_text(found), error="m").svg_inline(scale=4, border=2),
        )  # fmt: skip


def _in_order(found: dict[str, int]) -> tuple[tuple[str, int], ...]:
    """Those that people ask for first, then whatever else a version counts."""
    first = {word: found[word] for word in _ASKED_FIRST if word in found}
    return tuple({**first, **found}.items())


class _People:
    """Children at a moment, as the page may show them."""

    def __init__(self, directory: Directory, names: Names) -> None:
        self._directory, self._names = directory, names

    def child(self, number: int) -> str:
        pupil = self._directory.pupils.get(number)
        home = self._directory.classes.get(pupil.class_id) if pupil else None
        name = self._names.person(number) if self._names.mask_all else self._directory.name_of(number)
        return f"{name} {home.name}" if home else name

    def matter(self, matter: Matter, settings: Settings, lang: Lang) -> dict[str, Any]:
        named = "、".join(self.child(child) for child in matter.children[:MAX_NAMED])
        if len(matter.children) > MAX_NAMED:
            named = say("record.children_n", lang, n=len(matter.children))
        people = " → ".join(self._names.person(n) for n in matter.who if n)
        return {
            "sort": say(f"record.sort_{matter.sort}", lang),
            "since": say("record.since", lang, time=clock(matter.since_ms)),
            "what": _what(matter, settings, lang),
            "who": people,
            "children": named,
        }

    def found(
        self, world: World, present: list[tuple[int, ChildState]], find: str, at_ms: int, lang: Lang
    ) -> list[dict[str, Any]]:
        """Children who are called so, as they stood."""
        wanted = find.strip().lower()
        if not wanted:
            return []
        states = dict(present)
        matching = [p for p in self._directory.pupils.values() if _is_meant(p, wanted)]
        return [self._row(world, pupil, states.get(pupil.number), at_ms, lang) for pupil in matching[:MAX_FOUND]]

    def _row(self, world: World, pupil: Pupil, state: ChildState | None, at_ms: int, lang: Lang) -> dict[str, Any]:
        held = state is not None and state.hold.live
        stage = world.collection_of(pupil.number, at_ms).value if state is not None else "OUT"
        return {
            "child": pupil.number,
            "name": self.child(pupil.number),
            "place": (state.place or UNKNOWN) if held and state else "",
            "custodian": self._names.person(state.hold.custodian) if held and state else "",
            "since": say("record.since", lang, time=clock(state.since_ms)) if held and state else "",
            "state": _collection(stage if held or stage == "COLLECTED" else "OUT", lang),
        }


def _is_meant(pupil: Pupil, wanted: str) -> bool:
    return wanted in pupil.name.lower() or pupil.school_number.lower() == wanted or pupil.initials.startswith(wanted)


def _what(matter: Matter, settings: Settings, lang: Lang) -> str:
    if matter.sort == "uncollected":
        ladder = settings.rules.ladder
        rung = ladder[min(int(matter.what), len(ladder) - 1)] if ladder else None
        return say(f"rung.{rung.state}", lang) if rung and known(f"rung.{rung.state}") else ""
    if matter.sort in ("escort", "shift", "visit"):
        gate = settings.rules.gates.get(matter.what)
        return gate.name if gate else matter.what
    prefixes = {"conflict": "duty.kind_", "alarm": "duty.kind_", "search": "record.why_", "request": "reason."}
    key = f"{prefixes.get(matter.sort, '')}{matter.what}"
    if matter.sort == "emergency":
        return say("record.label_drill", lang) if matter.what == "drill" else ""
    return say(key, lang) if matter.sort in prefixes and known(key) else matter.what


def _collection(word: str, lang: Lang) -> str:
    return say(f"collection.{word}", lang) if known(f"collection.{word}") else word


def _curve(shown: Film) -> tuple[tuple[int, int], ...]:
    """Children on campus every ten minutes of the day, as far as it has gone."""
    moments = [one.moment_ms for one in shown.events]
    if not moments:
        return ()
    found = []
    for at_ms in range(shown.start_ms, shown.end_ms, CURVE_MS):
        happened = bisect_right(moments, at_ms + CURVE_MS - 1)
        ended = happened == len(moments) and at_ms > moments[-1]
        found.append((at_ms, 0 if not happened or ended else _on_campus(shown, at_ms + CURVE_MS - 1)))
    return tuple(found)


def _on_campus(shown: Film, at_ms: int) -> int:
    return sum(1 for _ in shown.at(at_ms).campus.on_campus())


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (RecordsError, ReplayError) as error:
        raise RecordsUnreadable(str(error)) from error
