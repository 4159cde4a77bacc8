"""The muster page, the gate register, 待接名单, and printing them. Speaks HTTP; decides nothing, writes no HTML.

The muster page is for everybody on the staff: whoever stands at a muster point with any device can count.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kiosk.core.people import Role
from kiosk.core.roster import MusterQuery, Query, RegisterQuery, WaitingQuery
from kiosk.web.callers import check_csrf, check_json, lang_of, require
from kiosk.web.pages import Shown
from kiosk.web.parts import Web
from kiosk.web.raw import JSON_BODY_MAX_BYTES, read_body, sentence_for
from kiosk.web.refusals import Malformed, NoSuchThing
from kiosk.web.topics import AT_THE_GATE, MUSTER_READERS, REGISTER_READERS
from kiosk.web.visitors import named
from kiosk.web.words import say


class PrintWaiting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """待接名单 of a gate, on the receipt printer."""

    gate: Annotated[str, Meta(min_length=1, max_length=128)]


class PrintMuster(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The muster list as it stands now, on the receipt printer."""


def routes(web: Web) -> APIRouter:
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)
    safety = _Safety(web)
    for path, endpoint, summary in (
        ("/muster", safety.muster, "The muster list: who is accounted for, who is not"),
        ("/register", safety.register_here, "The register of this gate"),
        ("/register/{gate}", safety.register, "Visitors in and out, late pupils, early leavers"),
        ("/waiting/{gate}", safety.waiting, "Children who still wait at a gate, to be printed"),
    ):
        router.add_api_route(path, endpoint, methods=["GET"], summary=summary)
    for path, endpoint, body, summary in (
        ("/act/print_waiting", safety.print_waiting, PrintWaiting, "Prints who still waits, by guard, duty_leader"),
        ("/act/print_muster", safety.print_muster, PrintMuster, "Prints the muster list, by anybody on the staff"),
    ):
        schema = {"$ref": f"#/components/schemas/{body.__name__}"}
        takes = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
        router.add_api_route(path, endpoint, methods=["POST"], summary=summary, tags=["act"], openapi_extra=takes)
    return router


class _Safety(Shown):
    def __init__(self, web: Web) -> None:
        super().__init__(web)
        self._waiting, self._muster = msgspec.json.Decoder(PrintWaiting), msgspec.json.Decoder(PrintMuster)

    async def muster(self, request: Request) -> Response:
        found = require(self.web, request.scope, MUSTER_READERS)
        self.log_read(found, "muster", "")
        return await self._page(request, "muster", MUSTER_READERS, MusterQuery())

    async def register_here(self, request: Request) -> Response:
        require(self.web, request.scope, REGISTER_READERS)
        gate = self.web.gate
        return RedirectResponse(f"/register/{gate.home_gate or next(iter(gate.rules.gates), '')}", status_code=303)

    async def register(self, request: Request, gate: str) -> Response:
        found = require(self.web, request.scope, REGISTER_READERS)
        self._check_gate(gate)
        self.log_read(found, "register", gate)
        return await self._page(request, "register", REGISTER_READERS, RegisterQuery(gate))

    async def waiting(self, request: Request, gate: str) -> Response:
        found = require(self.web, request.scope, AT_THE_GATE)
        self._check_gate(gate)
        self.log_read(found, "waiting", gate)
        return await self._page(request, "waiting", AT_THE_GATE, WaitingQuery(gate))

    async def _page(self, request: Request, name: str, roles: frozenset[Role], query: Query) -> Response:
        found = require(self.web, request.scope, roles)
        view = named(await self.web.bridge.look(query), self.web.gate.note)
        return self.html(request, name, view, found, printer=self.web.gate.print_list is not None)

    # --- paper -----------------------------------------------------------------------------------------

    async def print_waiting(self, request: Request) -> Response:
        body = await self._press(request, AT_THE_GATE, self._waiting)
        self._check_gate(body.gate)
        return await self._print(request, WaitingQuery(body.gate))

    async def print_muster(self, request: Request) -> Response:
        await self._press(request, MUSTER_READERS, self._muster)
        return await self._print(request, MusterQuery())

    async def _press(self, request: Request, roles: frozenset[Role], decode: msgspec.json.Decoder[Any]) -> Any:
        found = require(self.web, request.scope, roles)
        check_csrf(found, request.headers)
        check_json(request.headers)
        try:
            body = decode.decode(await read_body(request.scope, request.receive, JSON_BODY_MAX_BYTES))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Malformed(sentence_for(error)) from error
        self.log_read(found, "print", getattr(body, "gate", "muster"))
        return body

    async def _print(self, request: Request, query: Query) -> Response:
        """Handed to the printer, or not: what becomes of it there is the device's state, which the bar shows."""
        print_list = self.web.gate.print_list
        view = await self.web.bridge.look(query)
        key = "paper.none" if print_list is None else "paper.printed" if print_list(view) else "paper.full"
        outcome = "granted" if key == "paper.printed" else "refused"
        answer = {"outcome": outcome, "reason": key.removeprefix("paper."), "words": say(key, lang_of(request))}
        return Response(msgspec.json.encode(answer), media_type="application/json", headers={"cache-control": "no-store"})

    def _check_gate(self, gate: str) -> None:
        rules = self.web.gate.rules
        if gate not in rules.gates:
            raise NoSuchThing(f"There is no gate {gate[:80]!r}; there are {', '.join(rules.gates)}.")
