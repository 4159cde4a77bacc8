"""The office's calendar: a school year at a glance, one day opened up, and a national schedule taken in after a dry run.

Shows what the settings in force say and changes none of them: an override is shown as the row that the administrator adds.
Only a holiday file is written, beside the settings, and holds from the next start.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from kiosk.clock import steady_s
from kiosk.core.roster import Bar, BarQuery
from kiosk.core.year import school_year_start
from kiosk.national_calendar import NationalFileBroken
from kiosk.national_import import NationalPlan, NotKept, keep_national, plan_national
from kiosk.school_year import SchoolYears
from kiosk.web.callers import check_csrf, check_same_origin, require
from kiosk.web.faces_calendar import CalendarView, session_lines
from kiosk.web.faces_format import local
from kiosk.web.pages import OFFICE, Shown
from kiosk.web.parts import Web
from kiosk.web.refusals import Malformed, NoSuchThing

MAX_FIELDS = 4
MAX_PLANS = 4
PLAN_LIVES_S = 30 * 60.0
YEARS_AROUND = 60  # of today; a calendar further away is a slip of the pen

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    plan: NationalPlan
    by: int
    made_s: float


def routes(web: Web) -> APIRouter:
    router = APIRouter(tags=["office"])
    page = _CalendarPage(web)
    upload = {"multipart/form-data": {"schema": {"type": "object", "properties": {
        "file": {"type": "string", "format": "binary"}, "csrf": {"type": "string"}}}}}  # fmt: skip
    form = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {
        "token": {"type": "string"}, "csrf": {"type": "string"}}}}}  # fmt: skip
    add = router.add_api_route
    add("/office/calendar", page.show, methods=["GET"], summary="The school year, and a day with who decided it")
    add("/office/calendar/national", page.dry_run, methods=["POST"], summary="What a national schedule would change",
        openapi_extra={"requestBody": {"content": upload}})  # fmt: skip
    add("/office/calendar/national/apply", page.apply, methods=["POST"], summary="Keep the schedule for the next start",
        openapi_extra={"requestBody": {"content": form}})  # fmt: skip
    return router


class _CalendarPage(Shown):
    def __init__(self, web: Web) -> None:
        super().__init__(web)
        self._plans: dict[str, _Waiting] = {}

    async def show(self, request: Request, year: int = 0, day: str = "") -> Response:
        found = require(self.web, request.scope, OFFICE)
        bar: Bar = await self.web.bridge.look(BarQuery())
        today = local(bar.now_ms).date()
        chosen = _date(day, today) if day else None
        if year and not abs(year - today.year) < YEARS_AROUND:
            raise Malformed("year is not a school year near today.")
        first = date(year, 8, 1) if year and chosen is None else school_year_start(chosen or today)
        view = await asyncio.to_thread(self._view, bar, first, today, chosen, found.staff.staff_number)
        return self.html(request, "office_calendar", view, found)

    def _view(self, bar: Bar, first: date, today: date, chosen: date | None, author: str) -> CalendarView:
        years = self._years()
        calendar = years.settings.calendar
        known = tuple(sorted(y for y in calendar.national_years if y >= first.year))
        blank = CalendarView(bar=bar, today=today, national_years=known, author=author)
        if not calendar.terms:
            return blank
        view = replace(blank, year=years.year(first, today), profiles=tuple(sorted(years.settings.plan.profiles)))
        if chosen is None:
            return view
        directory = self.web.gate.directory().on(chosen)
        sheet = years.day(chosen, directory.sessions)
        return replace(view, chosen=sheet, clauses=years.clauses(sheet), sessions=session_lines(sheet, directory))

    def _years(self) -> SchoolYears:
        years = self.web.gate.school_years
        if years is None:
            raise NoSuchThing("This gate shows no calendar.")
        return years

    # --- the national schedule --------------------------------------------------------------------------

    async def dry_run(self, request: Request) -> Response:
        found = require(self.web, request.scope, OFFICE)
        check_same_origin(request.headers)
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise Malformed("Send the file as multipart/form-data, in the field file.")
        async with request.form(max_files=1, max_fields=MAX_FIELDS) as form:
            check_csrf(found, request.headers, _text(form, "csrf"))
            upload = form.get("file")
            if not isinstance(upload, UploadFile) or not upload.filename:
                raise Malformed("No file was sent; choose one .json file.")
            name, data = upload.filename, await upload.read()
        bar: Bar = await self.web.bridge.look(BarQuery())
        today = local(bar.now_ms).date()
        view = self._view(bar, school_year_start(today), today, None, found.staff.staff_number)
        try:
            plan = await asyncio.to_thread(plan_national, Path(name).name[:60], data, self._years().settings)
        except NationalFileBroken as error:
            return self.html(request, "office_calendar", replace(view, national="broken", trouble=str(error)), found)
        token = self._keep(_Waiting(plan, found.staff.number, steady_s()))
        view = replace(view, national="preview", national_plan=plan, token=token)
        return self.html(request, "office_calendar", view, found)

    def _keep(self, waiting: _Waiting) -> str:
        while len(self._plans) >= MAX_PLANS:
            del self._plans[next(iter(self._plans))]
        token = secrets.token_urlsafe(16)
        self._plans[token] = waiting
        return token

    async def apply(self, request: Request) -> Response:
        found = require(self.web, request.scope, OFFICE)
        check_same_origin(request.headers)
        async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
            check_csrf(found, request.headers, _text(form, "csrf"))
            waiting = self._plans.pop(_text(form, "token"), None)
        if waiting is None or waiting.by != found.staff.number or steady_s() - waiting.made_s > PLAN_LIVES_S:
            raise NoSuchThing("This preview is not waiting any more; choose the file again.")
        bar: Bar = await self.web.bridge.look(BarQuery())
        today = local(bar.now_ms).date()
        view = self._view(bar, school_year_start(today), today, None, found.staff.staff_number)
        try:
            path = await asyncio.to_thread(keep_national, waiting.plan, self._years().settings.folder)
        except NotKept as error:
            return self.html(request, "office_calendar", replace(view, national="not_kept", trouble=str(error)), found)
        log.info("national schedule of %d kept as %s by staff %d", waiting.plan.year, path, found.staff.number)
        view = replace(view, national="kept", national_plan=waiting.plan)
        return self.html(request, "office_calendar", view, found)


def _date(text: str, today: date) -> date:
    try:
        on = date.fromisoformat(text)
    except ValueError:
        raise Malformed("day is not a date; write it as 2026-10-10.") from None
    if abs(on.year - today.year) >= YEARS_AROUND:
        raise Malformed("day is not near today.")
    return on


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
