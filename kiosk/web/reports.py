"""The reports: what there is and what is locked, one of them as a page with charts, and as a file.

Nothing is computed here: a process of its own does, and the page looks how far it is. An inspector reads names masked and takes
no file with personal data away. Whoever makes or takes a report is in the access log before the file is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from kiosk.core.people import Role
from kiosk.core.roster import Bar, BarQuery
from kiosk.web.callers import Caller, check_csrf, check_same_origin, lang_of, require
from kiosk.web.gate import NoSuchReport, ReportBusy, ReportNotMade, Reports
from kiosk.web.pages import OFFICE, RECORD_READERS, Shown
from kiosk.web.parts import Web
from kiosk.web.refusals import Malformed, NoSuchThing, NotAllowed, TooMany, Unavailable

EXPORTERS = frozenset({Role.DUTY_LEADER, Role.OFFICE})
FIELDS = ("period", "child", "class_id", "session", "partner", "text")
MAX_FIELD = 60  # characters
MAX_FIELDS = 12
MEDIA = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv; charset=utf-8",
    "zip": "application/zip", "pdf": "application/pdf", "json": "application/json",
}  # fmt: skip
_PRIVATE = {"cache-control": "no-store"}

T = TypeVar("T")


def routes(web: Web) -> APIRouter:
    router = APIRouter(tags=["reports"])
    page = _Reports(web)
    form = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {
        **{name: {"type": "string"} for name in FIELDS}, "day": {"type": "string"}, "form": {"type": "string"},
        "csrf": {"type": "string"}}}}}  # fmt: skip
    body = {"requestBody": {"content": form}}
    add = router.add_api_route
    add("/office/reports", page.listed, methods=["GET"], summary="Which reports there are, what is locked, what is due")
    add("/office/reports/{report}", page.report, methods=["GET"], summary="One report as a page")
    add("/office/reports/{report}", page.begin, methods=["POST"], summary="Make a report", openapi_extra=body)
    add("/office/reports/{report}/state", page.state, methods=["GET"], summary="How far a report is")
    add("/office/reports/{report}/stop", page.stop, methods=["POST"], summary="Stop making a report", openapi_extra=body)
    add("/office/reports/{report}/file", page.file, methods=["POST"], summary="A report as a file", openapi_extra=body)
    return router


class _Reports(Shown):
    async def listed(self, request: Request) -> Response:
        found, bar, lang = require(self.web, request.scope, RECORD_READERS), await self._bar(), lang_of(request)
        reports = self._reports()
        view = await self._ask(lambda: reports.listed(bar, lang))
        return self.html(request, "office_reports", view, found, only_reports=_only(found))

    async def report(self, request: Request, report: str) -> Response:
        found, bar, lang = require(self.web, request.scope, RECORD_READERS), await self._bar(), lang_of(request)
        reports, query = self._reports(), _query(dict(request.query_params))
        _check_whom(found, query)
        masked = found.only_inspects
        view = await self._ask(lambda: reports.view(report, query, bar, masked=masked, lang=lang))
        if view.state == "ready":
            self.log_read(found, "report", _subject(report, query))
        return self.html(request, "office_report", view, found, only_reports=_only(found))

    async def state(self, request: Request, report: str) -> Response:
        """For the page that waits: its state, and how much of it is done."""
        found, bar = require(self.web, request.scope, RECORD_READERS), await self._bar()
        reports, query = self._reports(), _query(dict(request.query_params))
        masked = found.only_inspects
        view = await self._ask(lambda: reports.view(report, query, bar, masked=masked, lang="zh"))
        told = {"state": view.state, "step": view.step, "at": view.at, "of": view.of}
        return Response(msgspec.json.encode(told), media_type="application/json", headers=_PRIVATE)

    async def begin(self, request: Request, report: str) -> Response:
        """Answers at once, with the page that looks how far it is."""
        found, query, again = await self._pressed(request)
        reports, masked = self._reports(), found.only_inspects
        await self._ask(lambda: reports.begin(report, query, masked=masked, afresh=bool(again)))
        return _to(report, query)

    async def stop(self, request: Request, report: str) -> Response:
        found, query, _ = await self._pressed(request)
        reports, masked = self._reports(), found.only_inspects
        await self._ask(lambda: reports.stop(report, query, masked=masked))
        return _to(report, query)

    async def file(self, request: Request, report: str) -> Response:
        """First that it leaves the house, on record; then the file."""
        found, query, form = await self._pressed(request)
        reports, masked, lang, bar = self._reports(), found.only_inspects, lang_of(request), await self._bar()
        view = await self._ask(lambda: reports.view(report, query, bar, masked=masked, lang=lang))
        if masked and not view.report.public:
            raise NotAllowed("An inspector reads reports with personal data on the page and takes no file of them away.")
        if view.state != "ready" or form not in view.forms:
            raise NoSuchThing("This report is not at hand in that form; make it again, then take the file.")
        self.log_read(found, "report_file", f"{_subject(report, query)} {form}")
        made = await self._ask(lambda: reports.file(report, query, form, masked=masked, lang=lang))
        headers = {**_PRIVATE, "content-disposition": f"attachment; filename*=UTF-8''{quote(made.name)}"}
        return FileResponse(made.path, media_type=MEDIA[made.name.rpartition(".")[2]], headers=headers)

    # --- what they share -----------------------------------------------------------------------------

    async def _pressed(self, request: Request) -> tuple[Caller, dict[str, str], str]:
        """Who pressed, what is asked, and the form or the wish to make it again."""
        found = require(self.web, request.scope, RECORD_READERS)
        check_same_origin(request.headers)
        async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
            told = {name: value for name, value in form.items() if isinstance(value, str)}
        check_csrf(found, request.headers, told.get("csrf", ""))
        query = _query(told)
        _check_whom(found, query)
        return found, query, told.get("form", "") or told.get("again", "")

    async def _ask(self, work: Callable[[], T]) -> T:
        """In a thread. Raises the refusal that says what is wrong."""
        try:
            return await asyncio.to_thread(work)
        except NoSuchReport as error:
            raise (Malformed if " / " in str(error) else NoSuchThing)(str(error)) from error
        except ReportBusy as error:
            raise TooMany(str(error), retry_after_s=30) from error
        except ReportNotMade as error:
            raise Unavailable(str(error)) from error

    def _reports(self) -> Reports:
        if self.web.gate.reports is None:
            raise NoSuchThing("This gate makes no reports.")
        return self.web.gate.reports

    async def _bar(self) -> Bar:
        bar: Bar = await self.web.bridge.look(BarQuery())
        return bar


def _query(told: dict[str, str]) -> dict[str, str]:
    """What was asked, and nothing else. A day of its own outdoes the period that was chosen from the list."""
    query = {name: told[name].strip()[:MAX_FIELD] for name in FIELDS if told.get(name, "").strip()}
    if day := told.get("day", "").strip():
        query["period"] = day[:MAX_FIELD]
    return query


def _check_whom(found: Caller, query: dict[str, str]) -> None:
    """One child's file is for those who answer for it. Raises NotAllowed."""
    if found.only_inspects and query.get("child"):
        raise NotAllowed("An inspector opens no report of one child.")


def _subject(report: str, query: dict[str, str]) -> str:
    return " ".join((report, *(f"{name}={value}" for name, value in query.items())))


def _to(report: str, query: dict[str, str]) -> Response:
    return RedirectResponse(f"/office/reports/{quote(report, safe='')}?{urlencode(query)}", status_code=303)


def _only(found: Caller) -> bool:
    """Whoever is not of the office has no business behind its other tabs."""
    return not found.has(OFFICE)
