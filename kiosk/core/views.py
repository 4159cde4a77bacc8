"""Answers to the pages' queries: read-only pictures of the world at one moment, as frozen values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from kiosk.core import roster as r
from kiosk.core.consent import consent_view
from kiosk.core.faces import expected_view
from kiosk.core.people import Authorisation, Pupil
from kiosk.core.roster_delegates import DelegatesQuery
from kiosk.core.roster_faces import ConsentQuery, FaceExpectedQuery
from kiosk.core.view_delegates import delegates, passes_at_gate
from kiosk.core.view_duty import duty
from kiosk.core.view_gate import display, guard
from kiosk.core.view_muster import muster, waiting
from kiosk.core.view_parts import bar, child_line, pickup_line
from kiosk.core.view_register import register
from kiosk.core.view_roster import one_roster, roster_list
from kiosk.core.view_service import patrol_view
from kiosk.core.world import World

CHART_STEP_MS = 5 * 60_000


def view(world: World, query: Any, now_ms: int, trusted: bool) -> Any:
    """The answer to one query; its type is the query's counterpart in `kiosk.core.roster`."""
    return _VIEWS[type(query)](world, query, now_ms, trusted)


def one_child(world: World, query: r.ChildQuery, now_ms: int, trusted: bool) -> r.ChildView:
    listed: tuple[Authorisation, ...] = world.directory.collectors_of.get(query.child, ())
    pupil = world.directory.pupils.get(query.child)
    school_class = world.directory.classes.get(pupil.class_id) if pupil else None
    gate = school_class.release_gate if school_class else ""
    people = world.directory.collectors
    adults = tuple(
        r.CollectorLine(
            collector=a.collector, name=people[a.collector].name, relation=a.relation, guardian=a.guardian,
            phone=people[a.collector].phone, has_photo=people[a.collector].has_photo,
            valid_to=a.valid_to.isoformat() if a.valid_to else "",
        )
        for a in sorted(listed, key=lambda a: a.order)
        if a.collector in people
    )
    return r.ChildView(
        line=child_line(world, query.child, now_ms),
        collectors=tuple(pickup_line(world, query.child, a.collector, gate, now_ms, trusted) for a in adults),
        adults=adults,
        today=tuple(world.campus.history(query.child, world.day)),
        passes=passes_at_gate(world, query.child, now_ms, trusted),
    )


def search(world: World, query: r.SearchQuery, now_ms: int, trusted: bool) -> r.SearchView:
    """Names, pinyin and initials by prefix or part; a class name or school number exactly."""
    wanted = query.text.strip().lower()
    hits: list[r.SearchHit] = []
    if not wanted:
        return r.SearchView(text=query.text, hits=())
    directory = world.directory
    for pupil in directory.pupils.values():
        if len(hits) >= query.limit:
            break
        if _matches(pupil, wanted) or wanted == pupil.school_number.lower():
            school_class = directory.classes.get(pupil.class_id)
            line = child_line(world, pupil.number, now_ms)
            where = school_class.name if school_class else ""
            hits.append(r.SearchHit(kind="pupil", number=pupil.number, name=pupil.name, where=where, line=line))
    for adult in directory.collectors.values():
        if len(hits) >= query.limit:
            break
        if _matches(adult, wanted):
            children = tuple((a.child, directory.name_of(a.child)) for a in directory.children_of.get(adult.number, ()))
            where = ", ".join(name for _, name in children)
            hits.append(
                r.SearchHit(kind="collector", number=adult.number, name=adult.name, where=where, line=None, children=children)
            )
    return r.SearchView(text=query.text, hits=tuple(hits))


def _matches(person: Pupil | Any, wanted: str) -> bool:
    flat = person.pinyin.replace(" ", "").lower()
    return wanted in person.name.lower() or flat.startswith(wanted.replace(" ", "")) or person.initials.startswith(wanted)


def arrivals(world: World, query: r.ArrivalsQuery, now_ms: int, trusted: bool) -> r.ArrivalsView:
    today = (s.arrived_ms for s in world.campus.children.values() if s.day == world.day and s.arrived_ms)
    counts = Counter(at_ms - at_ms % CHART_STEP_MS for at_ms in today)
    return r.ArrivalsView(counts=tuple(sorted(counts.items())), bar=bar(world, None, now_ms, trusted))


_VIEWS: dict[type, Callable[[World, Any, int, bool], Any]] = {
    r.ArrivalsQuery: arrivals,
    r.BarQuery: bar,
    ConsentQuery: consent_view,
    DelegatesQuery: delegates,
    FaceExpectedQuery: expected_view,
    r.DisplayQuery: display,
    r.GuardQuery: guard,
    r.RosterQuery: one_roster,
    r.RosterListQuery: roster_list,
    r.DutyQuery: duty,
    r.ChildQuery: one_child,
    r.SearchQuery: search,
    r.MusterQuery: muster,
    r.PatrolQuery: patrol_view,
    r.WaitingQuery: waiting,
    r.RegisterQuery: register,
}
