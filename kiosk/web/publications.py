"""The office's page 政策, the papers that a school publishes, and what an inspector sees first.

A publication is on record before its file is kept. Making them reads files: off the event loop.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kiosk.core.commands_publishing import Publish
from kiosk.core.decisions import Outcome
from kiosk.core.roster import Bar, BarQuery
from kiosk.web.callers import check_csrf, check_same_origin, lang_of, require
from kiosk.web.faces_format import Lang
from kiosk.web.faces_publications import PaperView, Publication
from kiosk.web.gate import Publications
from kiosk.web.pages import OFFICE, RECORD_READERS, Shown
from kiosk.web.parts import Web
from kiosk.web.refusals import NoSuchThing, NotAllowed

PAPERS = ("guardian_notice", "timetable")
MAX_FIELDS = 4
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PRIVATE = {"cache-control": "no-store"}


def routes(web: Web) -> APIRouter:
    router = APIRouter(tags=["publications"], default_response_class=HTMLResponse)
    pages = _Publications(web)
    form = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {
        "what": {"type": "string"}, "csrf": {"type": "string"}}}}}  # fmt: skip
    add = router.add_api_route
    add("/office/policy", pages.policy, methods=["GET"], summary="The city's policy, what is due, what was published")
    add("/office/policy/publish", pages.publish, methods=["POST"], summary="Put a publication on record and keep it",
        openapi_extra={"requestBody": {"content": form}})  # fmt: skip
    add("/office/policy/published/{name}", pages.published, methods=["GET"], summary="A publication as it went out")
    add("/office/policy/timetable.xlsx", pages.workbook, methods=["GET"], summary="The public timetable as a spreadsheet")
    add("/office/policy/{what}.md", pages.markdown, methods=["GET"], summary="A publication as Markdown")
    add("/office/policy/{what}", pages.paper, methods=["GET"], summary="A publication to print")
    add("/records/inspection", pages.inspection, methods=["GET"], summary="For inspectors: times, content, staffing, safety")
    return router


class _Publications(Shown):
    async def policy(self, request: Request, done: str = "") -> Response:
        found = require(self.web, request.scope, OFFICE)
        bar, lang, made = await self._bar(), lang_of(request), self._made()
        view = await asyncio.to_thread(made.policy, bar, lang, done if done in PAPERS else "")
        return self.html(request, "office_policy", view, found)

    async def paper(self, request: Request, what: str) -> Response:
        found = require(self.web, request.scope, RECORD_READERS)
        paper = await self._paper(what, lang_of(request))
        return self.html(request, "paper", PaperView(bar=await self._bar(), paper=paper), found)

    async def markdown(self, request: Request, what: str) -> Response:
        require(self.web, request.scope, RECORD_READERS)
        paper = await self._paper(what, lang_of(request))
        return _file(paper.markdown().encode(), f"{paper.title} {paper.day}.md", "text/markdown; charset=utf-8")

    async def workbook(self, request: Request) -> Response:
        require(self.web, request.scope, RECORD_READERS)
        name, data = await asyncio.to_thread(self._made().workbook, lang_of(request))
        return _file(data, name, XLSX)

    async def published(self, request: Request, name: str) -> Response:
        require(self.web, request.scope, RECORD_READERS)
        text = await asyncio.to_thread(self._made().kept, name)
        if text is None:
            raise NoSuchThing("Nothing was published under that name; the policy page lists what was.")
        return _file(text.encode(), name, "text/markdown; charset=utf-8")

    async def publish(self, request: Request) -> Response:
        """First the fact, durable; then the file. What goes out is the Chinese paper."""
        found = require(self.web, request.scope, OFFICE)
        check_same_origin(request.headers)
        async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
            check_csrf(found, request.headers, str(form.get("csrf", "")))
            what = str(form.get("what", ""))
        paper = await self._paper(what, "zh")
        digest = sha256(paper.markdown().encode()).hexdigest()
        answer = await self.web.bridge.ask(Publish(what=what, digest=digest, by=found.staff.number))
        if answer.decision.outcome is not Outcome.GRANTED:
            raise NotAllowed("This gate did not put the publication on record, so nothing was kept; see the bar, then try again.")
        await asyncio.to_thread(self._made().keep, paper, found.staff.name)
        return RedirectResponse(f"/office/policy?done={what}", status_code=303)

    async def inspection(self, request: Request) -> Response:
        found = require(self.web, request.scope, RECORD_READERS)
        view = await asyncio.to_thread(self._made().inspection, await self._bar(), lang_of(request))
        return self.html(request, "inspection", view, found)

    # --- what they share -----------------------------------------------------------------------------

    def _made(self) -> Publications:
        made = self.web.gate.publications
        if made is None:
            raise NoSuchThing("This gate makes no publications.")
        return made

    async def _paper(self, what: str, lang: Lang) -> Publication:
        if what not in PAPERS:
            raise NoSuchThing(f"There is no publication {what[:40]!r}; there are {', '.join(PAPERS)}.")
        return await asyncio.to_thread(self._made().paper, what, lang)

    async def _bar(self) -> Bar:
        bar: Bar = await self.web.bridge.look(BarQuery())
        return bar


def _file(data: bytes, name: str, media_type: str) -> Response:
    headers = {**_PRIVATE, "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(data, media_type=media_type, headers=headers)
