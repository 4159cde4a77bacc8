"""Archived sessions: those of a day, one row with its corrections, and the press that corrects it; a teacher's notes on a child.

The row is read at the edge, off the event loop, and goes with the command to the controller, which alone decides. A teacher sees
the sessions that he or she held; the office and duty leaders see all of them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from kiosk.core.acts import PERMITTED
from kiosk.core.commands_service import CorrectSession, NoteGrowth
from kiosk.core.decisions import Outcome, Reason
from kiosk.core.patrols import teaches
from kiosk.core.people import Role
from kiosk.web.act_bodies import Marks, Number, Words
from kiosk.web.acts import decoded, json_of, said, told
from kiosk.web.callers import Caller, check_csrf, lang_of, require
from kiosk.web.faces_format import Lang
from kiosk.web.faces_sessions import ArchivedView
from kiosk.web.gate import SessionArchive
from kiosk.web.parts import Web
from kiosk.web.records import Reading
from kiosk.web.refusals import NoSuchThing, NotAllowed
from kiosk.web.words import known, say

CORRECTORS = PERMITTED[CorrectSession]
EVERY = frozenset({Role.DUTY_LEADER, Role.OFFICE})  # see every session, and correct it after its month was locked


class SessionCorrection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Only what changes. seen: the last correction that the page showed, "" without any; note: the reason."""

    seen: Annotated[str, Meta(max_length=128)] = ""
    states: Marks = msgspec.field(default_factory=dict)
    teachers: Annotated[tuple[Number, ...], Meta(max_length=20)] | None = None
    class_hours: Annotated[float, Meta(ge=-1000, le=1000)] | None = None
    note: Words


def routes(web: Web) -> APIRouter:
    router = APIRouter(tags=["records"])
    pages = _Sessions(web)
    schema = {"$ref": f"#/components/schemas/{SessionCorrection.__name__}"}
    body = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
    add = router.add_api_route
    add("/records/sessions", pages.listed, methods=["GET"], summary="The archived sessions of a day",
        response_class=HTMLResponse)  # fmt: skip
    add("/records/sessions/{day}/{session}", pages.sitting, methods=["GET"], summary="One archived session",
        response_class=HTMLResponse)  # fmt: skip
    add("/records/sessions/{day}/{session}", pages.correct, methods=["POST"], summary="Correct an archived session",
        openapi_extra=body)  # fmt: skip
    add("/records/growth/{child}", pages.growth, methods=["GET"], summary="One's own notes on a child in this term")
    return router


class _Sessions(Reading):
    async def listed(self, request: Request, day: str = "") -> Response:
        found = require(self.web, request.scope, CORRECTORS)
        on, bar, lang, archive = self._day(day), await self._bar(), lang_of(request), self._archive()
        held_by = 0 if found.has(EVERY) else found.staff.number
        view = await self._read(lambda: archive.day(on, bar, held_by=held_by, lang=lang))
        return self.html(request, "sessions", view, found)

    async def sitting(self, request: Request, day: str, session: str, done: str = "") -> Response:
        found = require(self.web, request.scope, CORRECTORS)
        view = await self._view(found, self._day(day), session, lang_of(request))
        self.log_read(found, "session", f"{view.day} {view.row.session}")
        may = not view.locked or found.has(EVERY)
        return self.html(request, "session", replace(view, may=may, done=bool(done)), found)

    async def correct(self, request: Request, day: str, session: str) -> Response:
        found = require(self.web, request.scope, CORRECTORS)
        check_csrf(found, request.headers)
        body: SessionCorrection = await decoded(request, _DECODER)
        lang = lang_of(request)
        view = await self._view(found, self._day(day), session, lang)
        if body.seen != view.seen:
            refusal = said(Outcome.REFUSED, Reason.STEP_REFUSED, lang)
            return json_of({**refusal, "words": say("archive.why_moved", lang)})
        command = CorrectSession(
            closed=view.closed, row=view.row, by=found.staff.number, note=body.note, states=body.states,
            teachers=body.teachers, class_hours=body.class_hours,
        )  # fmt: skip
        answer = told(await self.web.bridge.ask(command), lang)
        words = f"archive.why_{answer['reason']}"
        return json_of({**answer, "words": say(words, lang)} if known(words) else answer)

    async def growth(self, request: Request, child: str) -> Response:
        found = require(self.web, request.scope, PERMITTED[NoteGrowth])
        number, lang, archive = self._child(child), lang_of(request), self._archive()
        directory, by = self.web.gate.directory(), found.staff.number
        may = teaches(directory, self._day(""), directory.pupils[number], by)
        self.log_read(found, "growth", number)
        lines = await self._read(lambda: archive.growth(number, by, lang=lang)) if may else ()
        return json_of({"may": may, "notes": lines})

    # --- what they share -----------------------------------------------------------------------------

    async def _view(self, found: Caller, on: date, session: str, lang: Lang) -> ArchivedView:
        """Raises NoSuchThing where nothing was archived, NotAllowed where somebody else held it."""
        bar, archive = await self._bar(), self._archive()
        view = await self._read(lambda: archive.sitting(on, session, bar, lang=lang))
        if view is None:
            raise NoSuchThing(f"No session {session[:40]!r} was archived on {on.isoformat()}; choose another day or session.")
        if not found.has(EVERY) and found.staff.number not in view.row.teachers:
            raise NotAllowed("Whoever held a session corrects it; ask the office or a duty leader.")
        return view

    def _archive(self) -> SessionArchive:
        if self.web.gate.sessions is None:
            raise NoSuchThing("This gate keeps no archive of sessions.")
        return self.web.gate.sessions


_DECODER = msgspec.json.Decoder(SessionCorrection)
