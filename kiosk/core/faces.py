"""What a likeness means: a word for the guard, never a lock. Which faces may be compared at all is decided here too.

A comparison arrives after the tap was answered. It takes nothing back and refuses nobody. One thing it may do by itself: let the
claim of a pupil without a card stand, on the way in. On the way out a person decides, always.
"""

from __future__ import annotations

from typing import Any, Final

from kiosk.core import commands as c
from kiosk.core.acts import done, refused
from kiosk.core.campus_parts import Request
from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.passage import decide_child
from kiosk.core.roster_faces import FaceExpectedQuery, FaceExpectedView
from kiosk.core.rules import AccessKind, AccessPoint, FaceRules
from kiosk.core.world import FACE_MATCH, SNAPSHOT, World

CLEAR, UNCLEAR, MISMATCH, CANDIDATES = "clear_match", "unclear", "mismatch", "candidates"
REFUSALS: Final = frozenset(
    {"no_face", "several_faces", "too_small", "turned_away", "blurred", "too_dark", "too_bright", "no_picture"}
)
CANDIDATES_SHOWN: Final = 3
FEW: Final = 50  # more than so many are the whole school, and the whole school is never searched
MAY_RECORD: Final = frozenset({AccessKind.ENTRANCE, AccessKind.ROOM})


def may_compare(world: World, child: int) -> bool:
    """Face is on here and the family agrees now: asked before a picture is looked at, before a template is made, and again
    before a verdict counts."""
    return world.rules.face is not None and world.consented(child, FACE_MATCH)


def verdict_of(rules: FaceRules, score: int, refusal: str) -> str:
    if refusal:
        return refusal if refusal in REFUSALS else "no_face"
    if score >= rules.clear:
        return CLEAR
    return MISMATCH if score < rules.mismatch else UNCLEAR


def compared(command: c.FaceCompared, world: World, now_ms: int, trusted: bool) -> Decision:
    """The result of one comparison, for a tap or a claim that has long been answered."""
    rules, point = world.rules.face, world.rules.access_points.get(command.access_point)
    if rules is None or command.engine != rules.engine:
        return refused(Reason.NOT_PERMITTED)
    if point is None:
        return refused(Reason.NO_SUCH_ACCESS_POINT)
    if not command.person:
        return _few(command, rules, point, world, now_ms)
    if not may_compare(world, command.person):
        return refused(Reason.NO_CONSENT, child=command.person)
    verdict = verdict_of(rules, command.score, command.refusal)
    request = world.campus.requests.get(command.of)
    body = _body(command, verdict, world)
    if verdict == CLEAR and request is not None and _may_stand(request, command, rules, point):
        return _recorded(request, body, point, world, now_ms, trusted)
    if verdict == MISMATCH and request is None and point.gate:
        body |= {
            "queue": "face", "candidates": [command.person], "outcome": Outcome.ASK_GUARD.value,
            "reason": Reason.FACE_DIFFERS.value, "scheme": "face",
        }  # fmt: skip
    return done(Fact(Kind.FACE_COMPARED, body), child=command.person)


def _body(command: c.FaceCompared, verdict: str, world: World) -> dict[str, Any]:
    body: dict[str, Any] = {
        "of": command.of, "person": command.person, "access_point": command.access_point, "engine": command.engine,
        "verdict": verdict, "score": command.score, "day": world.day,
    }  # fmt: skip
    if command.snapshot and command.person and world.consented(command.person, SNAPSHOT):
        body["snapshot"] = command.snapshot
    return body


def _may_stand(request: Request, command: c.FaceCompared, rules: FaceRules, point: AccessPoint) -> bool:
    mine = request.kind == "claim" and request.person == command.person and request.access_point == point.id
    return mine and rules.claims and point.kind in MAY_RECORD


def _recorded(
    request: Request, body: dict[str, Any], point: AccessPoint, world: World, now_ms: int, trusted: bool
) -> Decision:
    """As if the pupil's card had been read. What the access point would not grant to the card is left to the guard."""
    word = Fact(Kind.FACE_COMPARED, body)
    decision = decide_child(
        request.person, point, world, now_ms, trusted, snapshot=request.snapshot, scheme="face", closes=(request.id,)
    )
    if decision.outcome is not Outcome.GRANTED:
        return done(word, child=request.person)
    facts = tuple(Fact(f.kind, {**f.body, "assurance": "face", "requests": [request.id]}, f.note) for f in decision.facts)
    if not facts:  # seen here a moment ago: only the queue changes
        facts = (Fact(Kind.LEFT_QUEUE, {"requests": [request.id], "by": 0, "day": world.day, "reason": "repeat"}),)
    return Decision(
        outcome=decision.outcome, reason=decision.reason, facts=(word, *facts), access_point=point.id,
        child=request.person, room=decision.room, open_door=decision.open_door,
    )  # fmt: skip


# --- nobody was named: a few candidates for the guard -----------------------------------------------------


def expected(world: World, point: AccessPoint, now_ms: int) -> tuple[int, ...]:
    """Those who should come through this gate about now and whose family agreed; nobody when they are more than a few."""
    if world.rules.face is None or not world.rules.face.candidates or not point.gate:
        return ()
    found = [child for child in world.directory.pupils if _due(world, child, point, now_ms) and may_compare(world, child)]
    return tuple(found) if len(found) <= FEW else ()


def _due(world: World, child: int, point: AccessPoint, now_ms: int) -> bool:
    windows, state = world.pupil_day(child), world.campus.child(child)
    if windows is None or not windows.teaching:
        return False
    if point.kind is AccessKind.ENTRANCE:
        out_today = bool(state.released_ms) and state.day == world.day
        return not state.hold.live and not out_today and now_ms >= windows.arrive_opens_ms
    school_class = world.directory.classes.get(world.directory.pupils[child].class_id)
    here = school_class is not None and school_class.release_gate == point.gate
    return here and state.hold.live and now_ms >= windows.release_opens_ms


def expected_view(world: World, query: FaceExpectedQuery, now_ms: int, trusted: bool) -> FaceExpectedView:
    point = world.rules.access_points.get(query.access_point)
    return FaceExpectedView(children=expected(world, point, now_ms) if point else ())


def _few(command: c.FaceCompared, rules: FaceRules, point: AccessPoint, world: World, now_ms: int) -> Decision:
    """At most three, best first, for a request that still waits. It is never more than something to look at."""
    request = world.campus.requests.get(command.of)
    allowed = set(expected(world, point, now_ms))
    found = sorted(((score, child) for child, score in command.candidates if child in allowed), reverse=True)
    near = [[child, score] for score, child in found if score >= rules.mismatch][:CANDIDATES_SHOWN]
    if request is None or request.person or not near:
        return done()
    body = _body(command, CANDIDATES, world) | {"found": near}
    return done(Fact(Kind.FACE_COMPARED, body))
