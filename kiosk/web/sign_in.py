"""Signing in and out: a staff card or a staff number, and always the PIN.

A card's number can be copied in seconds, so a card only says who is asking; the PIN proves it. Says the same for an
unknown number and a wrong PIN. Hashing and lockout are `kiosk.credentials`'; sessions are `sessions`'.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode

import msgspec
from fastapi import APIRouter
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kiosk.clock import steady_s
from kiosk.controller import Batch
from kiosk.core.commands import CallForHelp, Read, SignedIn
from kiosk.core.decisions import Outcome, Reason
from kiosk.core.people import Staff
from kiosk.core.rules import AccessKind
from kiosk.web import faces
from kiosk.web.callers import (
    SESSION_COOKIE,
    caller,
    check_csrf,
    check_json,
    check_public_input,
    check_same_origin,
    client_host,
    cookies,
    lang_of,
)
from kiosk.web.faces_office import SignInView
from kiosk.web.gate import PinVerdict
from kiosk.web.limits import RateLimit
from kiosk.web.parts import Web
from kiosk.web.raw import JSON_BODY_MAX_BYTES, read_body, sentence_for
from kiosk.web.refusals import Malformed, NoSuchThing, NotAllowed, NotSignedIn, TooMany

# Wrong ones, from one browser; the lockout of a staff number is counted elsewhere.
TRIES_PER_S, TRIES_AT_ONCE = 0.5, 10
CARD_WITHIN_S = 25.0  # how long a sign-in page waits for a card at the reader beside it
MAX_WAITING_FOR_CARDS = 20
FORM = "application/x-www-form-urlencoded"


class SignInBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    staff_number: Annotated[str, Meta(min_length=1, max_length=32)]
    pin: Annotated[str, Meta(min_length=1, max_length=32)]
    next: Annotated[str, Meta(max_length=500)] = "/"
    csrf: str = ""  # a form field of signed-in pages; there is no session yet to check it against


class CardBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """value: what a reader typed into the page; without it, the next card at the desk's own reader is waited for."""

    access_point: Annotated[str, Meta(min_length=1, max_length=128)]
    value: Annotated[str, Meta(max_length=64)] = ""


class DeskCards:
    """Sign-in pages that wait for a staff card at the reader beside them. `on_batch` runs on the loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[int]]] = {}
        self._count = 0

    def on_batch(self, batch: Batch) -> None:
        if not self._waiting:
            return
        for _, answer in batch.answers:
            decision = answer.decision
            if decision.reason is Reason.STAFF and decision.person is not None:
                for future in self._waiting.get(decision.access_point, ()):
                    if not future.done():
                        future.set_result(decision.person)

    async def next(self, access_point: str) -> int | None:
        """Our number of the next member of staff who taps there; None when nobody does in time. Raises TooMany."""
        if self._count >= MAX_WAITING_FOR_CARDS:
            raise TooMany(f"{MAX_WAITING_FOR_CARDS} screens already wait for a card; type the staff number.")
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(access_point, [])
        waiting.append(future)
        self._count += 1
        try:
            return await asyncio.wait_for(future, CARD_WITHIN_S)
        except TimeoutError:
            return None
        finally:
            self._count -= 1
            waiting.remove(future)
            if not waiting:
                del self._waiting[access_point]


def routes(web: Web, desks: DeskCards) -> APIRouter:
    """GET and POST /sign-in, POST /sign-in/card, POST /sign-out."""
    router = APIRouter(tags=["sign-in"])
    desk = _Desk(web, desks)
    router.add_api_route("/sign-in", desk.page, methods=["GET"], summary="The sign-in page")
    router.add_api_route(
        "/sign-in", desk.sign_in, methods=["POST"], summary="Staff number and PIN", openapi_extra=_takes("SignInBody", FORM)
    )
    router.add_api_route(
        "/sign-in/card", desk.card, methods=["POST"], summary="Whose card this is", openapi_extra=_takes("CardBody")
    )
    router.add_api_route("/sign-out", desk.sign_out, methods=["POST"], summary="End the session")
    return router


def _takes(schema: str, *more: str) -> dict[str, Any]:
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {"requestBody": {"required": True, "content": dict.fromkeys(("application/json", *more), content)}}


class _Desk:
    def __init__(self, web: Web, desks: DeskCards) -> None:
        self._web, self._desks = web, desks
        self._tries = RateLimit(per_s=TRIES_PER_S, burst=TRIES_AT_ONCE)
        self._sign_in, self._card = msgspec.json.Decoder(SignInBody), msgspec.json.Decoder(CardBody)

    async def page(self, request: Request) -> Response:
        query = request.query_params
        view = self._view(
            error="expired" if "expired" in query else "",
            staff_number=query.get("staff_number", "")[:32],
            next_url=safe_next(query.get("next", "/")),
        )
        return self._shown(request, view, status=200)

    async def sign_in(self, request: Request) -> Response:
        """A form is answered with a page, JSON with JSON."""
        check_same_origin(request.headers)
        if not self._tries.allows(client_host(request.scope), now_s=steady_s()):
            raise TooMany("Too many sign-ins from this screen; wait a few seconds.", retry_after_s=3)
        is_form = request.headers.get("content-type", "").startswith(FORM)
        body = await self._body(request, is_form=is_form)
        verdict = await self._web.pins.check(body.staff_number, body.pin)
        staff = self._web.gate.directory().staff.get(verdict.staff) if verdict.ok and verdict.staff is not None else None
        if staff is None:
            return self._turned_away(request, body, verdict, is_form=is_form)
        self._tries.give_back(client_host(request.scope))
        return await self._let_in(request, body, staff, is_form=is_form, duress=verdict.duress)

    async def _body(self, request: Request, *, is_form: bool) -> SignInBody:
        if not is_form:
            check_json(request.headers)
        raw = await read_body(request.scope, request.receive, JSON_BODY_MAX_BYTES)
        try:
            if not is_form:
                return self._sign_in.decode(raw)
            fields = {name: values[0] for name, values in parse_qs(raw.decode(), max_num_fields=10).items()}
            return msgspec.convert(fields, SignInBody)
        except msgspec.MsgspecError as error:
            raise Malformed(sentence_for(error)) from error
        except ValueError as error:
            raise Malformed("The form cannot be read; send staff_number and pin.") from error

    def _turned_away(self, request: Request, body: SignInBody, verdict: PinVerdict, *, is_form: bool) -> Response:
        minutes = -(-verdict.locked_s // 60)
        if is_form:
            view = self._view(
                error="locked" if minutes else "wrong",
                locked_min=minutes,
                staff_number=body.staff_number,
                next_url=safe_next(body.next),
            )
            return self._shown(request, view, status=403 if minutes else 401)
        if minutes:
            raise TooMany(f"This staff number is locked for {minutes} min; ask the duty leader.", retry_after_s=verdict.locked_s)
        raise NotSignedIn("Staff number or PIN is wrong; type them again.")

    def _kept_out(self, request: Request, body: SignInBody, *, is_form: bool) -> Response:
        """Somebody from outside who has not been vetted. What is missing is for the guard and the duty leader only."""
        if is_form:
            view = self._view(error="vetting", staff_number=body.staff_number, next_url=safe_next(body.next))
            return self._shown(request, view, status=403)
        raise NotAllowed("You cannot sign in today; please go to the gatehouse.")

    async def _let_in(
        self, request: Request, body: SignInBody, staff: Staff, *, is_form: bool, duress: bool
    ) -> Response:
        web = self._web
        if duress:  # not waited for: the answer takes as long as any other
            web.gate.controller.submit(CallForHelp(staff=staff.number, where=client_host(request.scope)))
        told = await web.bridge.ask(SignedIn(staff=staff.number, where=client_host(request.scope)))
        if told.decision.outcome is Outcome.REFUSED:
            return self._kept_out(request, body, is_form=is_form)
        web.sessions.close(cookies(request.scope).get(SESSION_COOKIE, ""))  # whoever was signed in here before
        token, session = web.sessions.open(staff.number, now_s=steady_s(), duress=duress)
        roles = sorted(role.value for role in staff.roles)
        onward = safe_next(body.next)
        answer = {"ok": True, "name": staff.name, "roles": roles, "csrf": session.csrf, "next": onward}
        response: Response = (
            RedirectResponse(onward, status_code=303)
            if is_form
            else Response(msgspec.json.encode(answer), media_type="application/json")
        )
        response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="strict", path="/", secure=web.gate.web.secure_cookie)
        return response

    async def card(self, request: Request) -> Response:
        """The staff number of a card, so that only the PIN is left to type."""
        check_same_origin(request.headers)
        check_json(request.headers)
        check_public_input(self._web, request.scope, caller(self._web, request.scope))
        raw = await read_body(request.scope, request.receive, JSON_BODY_MAX_BYTES)
        try:
            body = self._card.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Malformed(sentence_for(error)) from error
        point = self._web.gate.rules.access_points.get(body.access_point)
        if point is None or point.kind is not AccessKind.DESK:
            raise NoSuchThing(f"There is no desk {body.access_point[:80]!r}; staff cards are read at a desk.")
        number = await self._whose(body)
        staff = self._web.gate.directory().staff.get(number) if number is not None else None
        found = {"staff_number": staff.staff_number if staff else None}
        return Response(msgspec.json.encode(found), media_type="application/json")

    async def _whose(self, body: CardBody) -> int | None:
        if not body.value:
            return await self._desks.next(body.access_point)
        answer = await self._web.bridge.ask(Read(access_point=body.access_point, scheme="number", value=body.value))
        person: int | None = answer.decision.person if answer.decision.reason is Reason.STAFF else None
        return person

    async def sign_out(self, request: Request) -> Response:
        """A form with the field csrf, or a header."""
        found = caller(self._web, request.scope)
        if found is not None:
            raw = await read_body(request.scope, request.receive, JSON_BODY_MAX_BYTES)
            try:
                fields = parse_qs(raw.decode(), max_num_fields=10)
            except ValueError as error:
                raise Malformed("The form cannot be read; send csrf.") from error
            check_csrf(found, request.headers, fields.get("csrf", [""])[0])
            self._web.sessions.close(found.token)
        response = RedirectResponse("/sign-in", status_code=303)
        response.delete_cookie(SESSION_COOKIE, path="/")
        return response

    def _view(self, *, error: str, staff_number: str, next_url: str, locked_min: int = 0) -> SignInView:
        gate = self._web.gate
        return SignInView(
            now_ms=gate.clock.now_ms(), school=gate.rules.public_name, error=error, locked_min=locked_min,
            staff_number=staff_number, next_url=next_url,
        )  # fmt: skip

    def _shown(self, request: Request, view: SignInView, *, status: int) -> Response:
        return HTMLResponse(faces.page("sign_in", view=view, lang=lang_of(request)), status_code=status)


def safe_next(url: str) -> str:
    """A path of this gate, whatever the query said."""
    inside = url.startswith("/") and not url.startswith(("//", "/\\")) and url.isprintable() and url.isascii()
    return url if inside else "/"


def sign_in_url(request: Request, *, expired: bool) -> str:
    """Where to send a browser without a session, and back afterwards."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/sign-in?" + urlencode({"next": safe_next(path), **({"expired": "1"} if expired else {})})
