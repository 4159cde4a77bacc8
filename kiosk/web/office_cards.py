"""The office page 登记卡: tap a card at a reader of this gate, or type its number, and give it to somebody.

No rule lives here: what a card may be given to whom is `kiosk.enrolling`'s. The reader stays the gate's; the page listens to
what the gate reads, so a tap for enrolment is a tap like any other and is recorded as one.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from kiosk.controller import Batch
from kiosk.core.commands import Read
from kiosk.core.roster import Bar, BarQuery
from kiosk.enrolling import CARD_KINDS, No, Refused, enrol, give_back, looked_at, person_of, presented
from kiosk.web.callers import Caller, check_csrf, check_same_origin, require
from kiosk.web.faces_office import EnrolView
from kiosk.web.pages import OFFICE, Shown
from kiosk.web.parts import Web
from kiosk.web.refusals import NoSuchThing, TooMany

TAP_WITHIN_S = 20.0
MAX_WAITING = 8
MAX_FIELDS = 10
MAX_TEXT = 64
REFUSED_STATUS = 422  # the page says why, with the form still filled in
CARD_SCHEMES = ("uid", "em4100", "number", "qr")

log = logging.getLogger(__name__)


class CardReads:
    """Office pages that wait for the next card at a reader. `on_batch` runs on the loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, asyncio.Future[Read]]] = []

    def on_batch(self, batch: Batch) -> None:
        for command, _ in batch.answers if self._waiting else ():
            if isinstance(command, Read) and command.scheme in CARD_SCHEMES:
                for point, future in self._waiting:
                    if point == command.access_point and not future.done():
                        future.set_result(command)

    async def next(self, access_point: str) -> Read | None:
        """None when nobody taps in time. Raises TooMany."""
        if len(self._waiting) >= MAX_WAITING:
            raise TooMany(f"{MAX_WAITING} pages already wait for a card; type its number.")
        waiting = (access_point, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            return await asyncio.wait_for(waiting[1], TAP_WITHIN_S)
        except TimeoutError:
            return None
        finally:
            self._waiting.remove(waiting)


def routes(web: Web, reads: CardReads) -> APIRouter:
    router = APIRouter(tags=["office"])
    page = _Enrolling(web, reads)
    router.add_api_route("/office/enrol", page.start, methods=["GET"], summary="Give a card to somebody")
    router.add_api_route(
        "/office/enrol/card", page.card, methods=["POST"], summary="Which card it is",
        openapi_extra=_form("access_point", "number"),
    )  # fmt: skip
    router.add_api_route(
        "/office/enrol/give", page.give, methods=["POST"], summary="Give the card to a person",
        openapi_extra=_form("uid", "person", "kind", "replace"),
    )  # fmt: skip
    router.add_api_route(
        "/office/enrol/back", page.give_back, methods=["POST"], summary="The card is nobody's from now on",
        openapi_extra=_form("uid"),
    )  # fmt: skip
    return router


def _form(*names: str) -> dict[str, Any]:
    properties = {name: {"type": "string"} for name in (*names, "csrf")}
    schema = {"type": "object", "properties": properties}
    return {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}}


class _Enrolling(Shown):
    def __init__(self, web: Web, reads: CardReads) -> None:
        super().__init__(web)
        self._reads = reads

    async def start(self, request: Request) -> Response:
        found = require(self.web, request.scope, OFFICE)
        return self.html(request, "office_enrol", await self._view(), found)

    async def card(self, request: Request) -> Response:
        """Waits for a tap where no number was typed."""
        found, fields = await self._fields(request)
        view = replace(await self._view(), access_point=fields.get("access_point", ""))
        number = fields.get("number", "")
        try:
            if number:
                held = await asyncio.to_thread(looked_at, self.web.gate.state_dir, number)
            else:
                read = await self._tapped(view.access_point)
                if read is None:
                    return self.html(request, "office_enrol", replace(view, state="no_tap"), found)
                seen = presented(read.value, read.scheme, random_uid=read.random_uid, link=read.sun, sun=self.web.gate.sun)
                held = await asyncio.to_thread(
                    looked_at, self.web.gate.state_dir, seen.text, random_uid=seen.random_uid, exact=seen.exact
                )  # fmt: skip
                view = replace(view, kind=seen.kind)
        except Refused as refused:
            return self.html(request, "office_enrol", _refused(view, refused), found, status=REFUSED_STATUS)
        shown = replace(
            view, state="card", uid=held.uid, holder_name=held.holder_name, card_state=held.state,
            spellings=tuple(held.spellings.items()),
        )  # fmt: skip
        return self.html(request, "office_enrol", shown, found)

    async def give(self, request: Request) -> Response:
        found, fields = await self._fields(request)
        uid, key, kind = fields.get("uid", ""), fields.get("person", ""), fields.get("kind", "")
        view = replace(await self._view(), uid=uid, person=key, kind=kind if kind in CARD_KINDS else "")
        try:
            person, _ = await asyncio.to_thread(person_of, self.web.gate.state_dir, key)
            done = await asyncio.to_thread(
                enrol, self.web.gate.state_dir, uid, person, now_ms=self.web.gate.clock.now_ms(), kind=view.kind,
                replace_others=bool(fields.get("replace")),
            )  # fmt: skip
        except Refused as refused:
            return self.html(request, "office_enrol", _refused(view, refused), found, status=REFUSED_STATUS)
        log.info("card given to person %d by staff %d, people list %d", done.person, found.staff.number, done.snapshot)
        shown = replace(view, state="given", holder_name=done.name, number=done.snapshot)
        return self.html(request, "office_enrol", shown, found)

    async def give_back(self, request: Request) -> Response:
        found, fields = await self._fields(request)
        view = await self._view()
        try:
            held = await asyncio.to_thread(
                give_back, self.web.gate.state_dir, fields.get("uid", ""), now_ms=self.web.gate.clock.now_ms()
            )  # fmt: skip
        except Refused as refused:
            return self.html(request, "office_enrol", _refused(view, refused), found, status=REFUSED_STATUS)
        log.info("card of person %d given back, staff %d", held.holder, found.staff.number)
        return self.html(request, "office_enrol", replace(view, state="back", holder_name=held.holder_name, uid=held.uid), found)

    async def _tapped(self, access_point: str) -> Read | None:
        if access_point not in self.web.gate.rules.access_points:
            raise NoSuchThing("There is no such access point; choose one from the page.")
        return await self._reads.next(access_point)

    async def _fields(self, request: Request) -> tuple[Caller, dict[str, str]]:
        found = require(self.web, request.scope, OFFICE)
        check_same_origin(request.headers)
        async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
            fields = {name: value.strip()[:MAX_TEXT] for name, value in form.items() if isinstance(value, str) and name != "csrf"}
            token = form.get("csrf", "")
            check_csrf(found, request.headers, token if isinstance(token, str) else "")
        return found, fields

    async def _view(self) -> EnrolView:
        bar: Bar = await self.web.bridge.look(BarQuery())
        points = sorted(self.web.gate.rules.access_points.values(), key=lambda point: (point.kind.value != "desk", point.id))
        return EnrolView(bar=bar, points=tuple((point.id, point.name) for point in points), kinds=CARD_KINDS[1:])


def _refused(view: EnrolView, refused: Refused) -> EnrolView:
    """With the form still filled in where a second press may help."""
    again = refused.no in (No.HAS_A_CARD, No.NO_SUCH_PERSON, No.SEVERAL_PERSONS, No.LIST_MOVED)
    return replace(view, state="again" if again else "refused", refused=refused.no.value, detail=refused.detail)
