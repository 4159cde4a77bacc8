"""What people press: `POST /act/<name>` by staff, and the card or seat that anybody gives at the gate's own screen.

Turns JSON into one typed command with the session's staff number in it, and the controller's answer into words.
Decides nothing: a press that is refused is an answer with a reason, at status 200.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from kiosk.clock import steady_s
from kiosk.core.acts import PERMITTED
from kiosk.core.commands import CallForHelp, ClaimSeat, DismissFromQueue, LetGo, Read, Release, ReleaseExceptionally
from kiosk.core.decisions import Answer, Outcome, Reason
from kiosk.web import faces
from kiosk.web.act_bodies import Body, Refuse, SeatClaim, Wedge, WithSecond
from kiosk.web.act_bodies_service import ALL_BODIES
from kiosk.web.callers import (
    Caller,
    caller,
    check_csrf,
    check_json,
    check_public_input,
    check_same_origin,
    client_host,
    lang_of,
    require,
)
from kiosk.web.faces_format import Lang
from kiosk.web.gate import PinVerdict
from kiosk.web.limits import RateLimit
from kiosk.web.parts import Web
from kiosk.web.raw import JSON_BODY_MAX_BYTES, read_body, sentence_for
from kiosk.web.refusals import Malformed, NoSuchThing, NotAllowed, TooMany

MEANT_MAX_AGE_MS = 3 * 3_600_000  # a press that waited longer on a tablet belongs to another moment: do it again
SEATS_PER_S, SEATS_AT_ONCE = 0.5, 5  # for one screen: each puts a child on the guard's list
CARDS_PER_S, CARDS_AT_ONCE = 5.0, 20  # for one browser: a reader types a card in well under a second
_RELEASES = (Release, LetGo, ReleaseExceptionally)  # marked in the record when whoever pressed was threatened

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(web: Web) -> APIRouter:
    router = APIRouter()
    for name, body_type in ALL_BODIES.items():
        router.add_api_route(
            f"/act/{name}", _act(web, body_type), methods=["POST"], tags=["act"], summary=_summary(body_type),
            name=f"act_{name}", openapi_extra=_takes(body_type),
        )  # fmt: skip
    public = _Public(web)
    router.add_api_route(
        "/act/seat_claim", public.seat_claim, methods=["POST"], tags=["act"], summary="A pupil without a card",
        name="act_seat_claim", openapi_extra=_takes(SeatClaim),
    )  # fmt: skip
    router.add_api_route(
        "/wedge/{access_point}", public.wedge, methods=["POST"], tags=["act"], summary="A card typed by a reader",
        name="wedge", openapi_extra=_takes(Wedge),
    )  # fmt: skip
    return router


def _summary(body_type: type[Body]) -> str:
    roles = ", ".join(sorted(role.value for role in PERMITTED[body_type.makes]))
    return f"{body_type.makes.__name__}, by {roles}"


def _takes(body_type: type) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{body_type.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


# --- by staff ------------------------------------------------------------------------------------------


def _act(web: Web, body_type: type[Body]) -> Endpoint:
    decode = msgspec.json.Decoder(body_type)
    roles = PERMITTED[body_type.makes]

    async def act(request: Request) -> Response:
        found = require(web, request.scope, roles)
        check_csrf(found, request.headers)
        body = await decoded(request, decode)
        lang = lang_of(request)
        if body.meant_ms is not None and web.gate.clock.now_ms() - body.meant_ms > MEANT_MAX_AGE_MS:
            return json_of(said(Outcome.REFUSED, Reason.WINDOW_CLOSED, lang))
        second = await _second(web, request, body, found) if isinstance(body, WithSecond) else None
        command = body.command(found.staff.number, second.staff if second else None)
        if isinstance(command, _RELEASES) and (found.session.duress or (second is not None and second.duress)):
            command = replace(command, duress=True)
        answer = await web.bridge.ask(command)
        if isinstance(body, Refuse) and body.queue_id and answer.decision.outcome is Outcome.GRANTED:
            # An unknown adult has no number by which the refusal could take him off the guard's screen.
            await web.bridge.ask(DismissFromQueue(queue_id=body.queue_id, by=found.staff.number))
        return json_of(told(answer, lang))

    return act


async def decoded(request: Request, decode: msgspec.json.Decoder[Any]) -> Any:
    check_json(request.headers)
    raw = await read_body(request.scope, request.receive, JSON_BODY_MAX_BYTES)
    try:
        return decode.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Malformed(sentence_for(error)) from error


async def _second(web: Web, request: Request, body: WithSecond, first: Caller) -> PinVerdict | None:
    """Who the second member of staff is, who typed an own PIN. Raises NotAllowed."""
    if not body.second_staff_number:
        return None
    verdict = await web.pins.check(body.second_staff_number, body.second_pin)
    if verdict.locked_s:
        raise NotAllowed(f"That staff number is locked for {-(-verdict.locked_s // 60)} min; ask somebody else.")
    if not verdict.ok:
        raise NotAllowed("The second person's staff number or PIN is wrong; type them again.")
    if verdict.staff == first.staff.number:
        raise NotAllowed("The second person must be somebody else.")
    second = web.gate.directory().staff.get(verdict.staff) if verdict.staff is not None else None
    if second is None or not second.roles & PERMITTED[body.makes]:
        raise NotAllowed("The second person must be a guard, a teacher or a duty leader.")
    if verdict.duress:  # not waited for: nothing at the gate may differ
        point = str(getattr(body, "access_point", ""))
        where = client_host(request.scope)
        web.gate.controller.submit(CallForHelp(staff=second.number, where=where, access_point=point))
    return verdict


def told(answer: Answer, lang: Lang) -> dict[str, Any]:
    decision = answer.decision
    entry = answer.entry
    return {
        **said(decision.outcome, decision.reason, lang),
        "child": decision.child,
        "person": decision.person,
        "detail": decision.detail,
        "entry": entry._asdict() if entry else None,
        "at_ms": answer.at_ms,
    }


def said(outcome: Outcome, reason: Reason, lang: Lang) -> dict[str, Any]:
    words = faces.words_of(outcome.value, reason.value, lang)
    return {"outcome": outcome.value, "reason": reason.value, "words": words}


def json_of(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json", headers={"cache-control": "no-store"})


# --- by anybody at the gate's own screen -------------------------------------------------------------------


class _Public:
    """Input without a sign-in: from this gate's own screens, so many a second, answered in public words only."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._seats = RateLimit(per_s=SEATS_PER_S, burst=SEATS_AT_ONCE)
        self._cards = RateLimit(per_s=CARDS_PER_S, burst=CARDS_AT_ONCE)
        self._seat_claim, self._wedge = msgspec.json.Decoder(SeatClaim), msgspec.json.Decoder(Wedge)

    async def seat_claim(self, request: Request) -> Response:
        """Takes a picture for the guard, and puts the claim on the guard's list. Nothing happens until he has looked."""
        self._check(request)
        body = await decoded(request, self._seat_claim)
        self._check_point(body.access_point)
        if not self._seats.allows(body.access_point, now_s=steady_s()):
            raise TooMany("Too many at once on this screen; wait a few seconds.", retry_after_s=3)
        snapshot = await asyncio.to_thread(self._web.gate.take_snapshot, body.access_point)
        claim = ClaimSeat(access_point=body.access_point, class_id=body.class_id, seat=body.seat, snapshot=snapshot)
        answer = await self._web.bridge.ask(claim)
        return json_of(self._shown(answer, body.access_point))

    async def wedge(self, request: Request, access_point: str) -> Response:
        """A reader that types like a keyboard, into whatever page of this gate has the focus."""
        found = self._check(request)
        body = await decoded(request, self._wedge)
        self._check_point(access_point)
        if not self._cards.allows(client_host(request.scope), now_s=steady_s()):
            raise TooMany("Too many cards at once from this screen; wait a second.", retry_after_s=1)
        read = Read(access_point=access_point, scheme=body.scheme, value=body.value)
        answer = await self._web.bridge.ask(read)
        shown = self._shown(answer, access_point)
        return json_of({**told(answer, lang_of(request)), **shown} if found else shown)

    def _check(self, request: Request) -> Caller | None:
        check_same_origin(request.headers)
        found = caller(self._web, request.scope)
        check_public_input(self._web, request.scope, found)
        return found

    def _check_point(self, access_point: str) -> None:
        if access_point not in self._web.gate.rules.access_points:
            raise NoSuchThing(f"There is no access point {access_point[:80]!r}; see access_points in school.toml.")

    def _shown(self, answer: Answer, access_point: str) -> dict[str, Any]:
        """What the public screen shows, and no reason: bystanders read it."""
        gate = self._web.gate
        point = gate.rules.access_points[access_point]
        shown = faces.answer(answer.decision, gate.directory(), answer.at_ms, point)
        return {**shown, "outcome": answer.decision.outcome.value, "words": shown["word"]}
