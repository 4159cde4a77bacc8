"""The records: any moment of any day, a child's evidence, the signed statement of 静校.

Everything is read off the event loop, one reading at a time, so that looking back never holds up a gate. An inspector sees
replay and statement with masked names, and no evidence. Who took which child's day away is on record before the file exists.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from typing import TypeVar
from urllib.parse import quote

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kiosk.core.commands import ExportEvidence
from kiosk.core.decisions import Outcome
from kiosk.core.people import Role
from kiosk.core.roster import Bar, BarQuery
from kiosk.web.callers import check_csrf, check_same_origin, lang_of, number_of, require
from kiosk.web.faces_format import LOCAL_OFFSET_MS, local
from kiosk.web.gate import RecordsUnreadable
from kiosk.web.pages import RECORD_READERS, Shown
from kiosk.web.parts import Web
from kiosk.web.refusals import Malformed, NoSuchThing, NotAllowed, TooMany, Unavailable

EXPORTERS = frozenset({Role.DUTY_LEADER, Role.OFFICE})
MAX_WAITING = 8  # readings that wait for one another
MAX_FIND = 60  # characters
MAX_FIELDS = 6
_PRIVATE = {"cache-control": "no-store"}
_ZONE = timezone(timedelta(milliseconds=LOCAL_OFFSET_MS))

T = TypeVar("T")


def routes(web: Web) -> APIRouter:
    router = APIRouter(tags=["records"], default_response_class=HTMLResponse)
    records = _Records(web)
    form = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {
        "day": {"type": "string"}, "whole": {"type": "string"}, "csrf": {"type": "string"}}}}}  # fmt: skip
    add = router.add_api_route
    add("/records", records.start, methods=["GET"], summary="To the replay of today")
    add("/records/replay", records.replay, methods=["GET"], summary="A day with a time slider")
    add("/records/replay.json", records.moment, methods=["GET"], summary="The campus at a moment")
    add("/records/evidence/{child}", records.evidence, methods=["GET"], summary="One child's day")
    add("/records/evidence/{child}", records.download, methods=["POST"], summary="One child's day as a signed file",
        openapi_extra={"requestBody": {"content": form}})  # fmt: skip
    add("/records/statement/{day}", records.statement, methods=["GET"], summary="The signed statement of a day")
    return router


class Reading(Shown):
    """What pages share that are read from the records."""

    def __init__(self, web: Web) -> None:
        super().__init__(web)
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0

    async def _read(self, work: Callable[[], T]) -> T:
        """In a thread, one after the other. Raises TooMany or Unavailable."""
        if self._waiting >= MAX_WAITING:
            raise TooMany("Others are looking at the records; try again in a few seconds.", retry_after_s=3)
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                return await asyncio.to_thread(work)
        except RecordsUnreadable as error:
            raise Unavailable(str(error)) from error
        finally:
            self._waiting -= 1

    def _day(self, text: str) -> date:
        """A date, today where none is said. Raises Malformed."""
        if not text:
            return local(self.web.gate.clock.now_ms()).date()
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise Malformed(f"{text[:40]!r} is no date; write it like 2026-11-23.") from None

    def _child(self, text: str) -> int:
        number = number_of(text)
        if number not in self.web.gate.directory().pupils:
            raise NoSuchThing(f"There is no pupil with the number {number}.")
        return number

    async def _bar(self) -> Bar:
        bar: Bar = await self.web.bridge.look(BarQuery())
        return bar


class _Records(Reading):
    async def start(self, request: Request) -> Response:
        return RedirectResponse("/records/replay", status_code=303)

    async def replay(self, request: Request, day: str = "") -> Response:
        found = require(self.web, request.scope, RECORD_READERS)
        on, bar = self._day(day), await self._bar()
        view = await self._read(lambda: self.web.gate.records.replay(on, bar))
        return self.html(request, "replay", view, found, may_export=found.has(EXPORTERS))

    async def moment(self, request: Request, at: str, q: str = "") -> Response:
        """`at`: milliseconds since 1970 UTC, or local ISO date and time. The minute that begins there is looked at."""
        found = require(self.web, request.scope, RECORD_READERS)
        at_ms, lang, text = _moment(at), lang_of(request), q.strip()[:MAX_FIND]
        if text:
            self.log_read(found, "replay", f"{len(text)} characters")
        told = await self._read(
            lambda: self.web.gate.records.moment(at_ms, find=text, lang=lang, masked=found.only_inspects)
        )
        return Response(msgspec.json.encode(told), media_type="application/json", headers=_PRIVATE)

    async def evidence(self, request: Request, child: str, day: str = "") -> Response:
        found = require(self.web, request.scope, EXPORTERS)
        number, on, lang = self._child(child), self._day(day), lang_of(request)
        bar = await self._bar()
        self.log_read(found, "evidence", number)
        view = await self._read(lambda: self.web.gate.records.evidence(number, on, bar, lang=lang))
        return self.html(request, "evidence", view, found)

    async def download(self, request: Request, child: str) -> Response:
        """First the fact that it leaves the house, durable; then the file."""
        found = require(self.web, request.scope, EXPORTERS)
        check_same_origin(request.headers)
        async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
            check_csrf(found, request.headers, str(form.get("csrf", "")))
            if not form.get("day"):
                raise Malformed("The form must say which day; open the evidence page of the child and press the button there.")
            number, on, whole = self._child(child), self._day(str(form["day"])), bool(form.get("whole"))
        command = ExportEvidence(child=number, for_day=on.isoformat(), by=found.staff.number)
        answer = await self.web.bridge.ask(command)
        if answer.decision.outcome is not Outcome.GRANTED:
            raise NotAllowed("This gate did not put the export on record, so nothing was exported; see the bar, then try again.")
        name, data = await self._read(lambda: self.web.gate.records.pack(number, on, whole_chain=whole))
        headers = {**_PRIVATE, "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
        return Response(data, media_type="application/zip", headers=headers)

    async def statement(self, request: Request, day: str) -> Response:
        found = require(self.web, request.scope, RECORD_READERS)
        on, bar = self._day(day), await self._bar()
        view = await self._read(lambda: self.web.gate.records.statement(on, bar))
        return self.html(request, "statement", view, found)


def _moment(text: str) -> int:
    """UTC milliseconds of a moment in a query. Raises Malformed."""
    try:
        if text.isascii() and text.isdecimal() and len(text) <= 14:
            return int(text)
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=_ZONE)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Malformed(f"{text[:40]!r} is no moment; write it like 2026-11-23T17:42.") from None
