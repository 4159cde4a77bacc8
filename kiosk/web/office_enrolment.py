"""报名: the office's menu, applications and children's histories, and the class teacher's page of applications to look at.

Speaks HTTP; what a press does is the desk's. Whatever changes a roster beyond the step that is pressed is shown first and done at
the second press, on the same list or not at all. Works without scripts: every press is a form.
"""

from __future__ import annotations

import asyncio
import csv
import io
import logging
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kiosk.core.enrolment import PRIORITY_GROUPS, Period, State, overlap
from kiosk.core.enrolment_book import Refused
from kiosk.core.people import Role
from kiosk.core.roster import Bar, BarQuery
from kiosk.web import faces_enrolment as fe
from kiosk.web.callers import Caller, check_csrf, check_same_origin, lang_of, number_of, require
from kiosk.web.enrolment_desk import ACTS, Act, EnrolmentDesk, ListMoved, Look, NoPeople, NotHere
from kiosk.web.pages import OFFICE, Shown
from kiosk.web.parts import Web
from kiosk.web.refusals import Malformed, NoSuchThing
from kiosk.web.words import say

REVIEWERS = frozenset({Role.TEACHER, Role.OFFICE})
MAX_FIELDS = 100  # as many as one page can tick, and the rest of a form
MAX_TEXT = 64
MAX_FOUND = 30
UNDONE = (Refused, ListMoved, NoPeople, NotHere)
CHANGED_STATUS = 422  # the page says why nothing was done, with the form still filled in
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would reckon with such a cell

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Form:
    act: Act
    fields: tuple[tuple[str, str], ...]
    base: int
    confirmed: bool


def routes(web: Web) -> APIRouter:
    router = APIRouter(tags=["office"])
    page = _Enrolment(web)
    names = ("act", "application", "child", "session", "day", "until", "leave_at", "agreement", "priority", "base", "confirm")
    form = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {
        name: {"type": "string"} for name in (*names, "csrf")}}}}  # fmt: skip
    add = router.add_api_route
    add("/office/enrolment", page.office, methods=["GET"], summary="The menu, and applications by state")
    add("/office/enrolment/child/{number}", page.child, methods=["GET"], summary="What a child took part in and applies for")
    add("/office/enrolment/list/{session}", page.export, methods=["GET"], summary="Who takes part in a session, as CSV")
    add("/office/enrolment/act", page.act, methods=["POST"], summary="One step of one application",
        openapi_extra={"requestBody": {"content": form}})  # fmt: skip
    add("/applications", page.reviews, methods=["GET"], summary="Applications of one's own class")
    add("/applications/review", page.review, methods=["POST"], summary="The class teacher has looked at an application",
        openapi_extra={"requestBody": {"content": form}})  # fmt: skip
    return router


class _Enrolment(Shown):
    # --- looking -------------------------------------------------------------------------------------

    async def office(self, request: Request, q: str = "", done: int = 0) -> Response:
        found = require(self.web, request.scope, OFFICE)
        return await self._office(request, found, text=q.strip()[:MAX_TEXT], done=done)

    async def _office(
        self, request: Request, found: Caller, *, text: str = "", done: int = 0, refused: str = "", detail: str = "", **more: Any
    ) -> Response:
        bar, look = await self._bar(), await self._look()
        if look is None:
            view = fe.OfficeEnrolmentView(bar=bar, refused="no_people")
        else:
            if text:
                self.log_read(found, "people", f"{len(text)} characters")
            approved = {one.id for one in look.book.applications if one.state is State.APPROVED}  # have a group of their own
            listed = sum(
                1 for e in look.book.enrolments if e.application not in approved and not e.agreement and _today(e, look)
            )
            view = fe.OfficeEnrolmentView(
                bar=bar, number=look.number, menu=fe.menu_lines(look), groups=fe.groups_of(look), text=text,
                unsigned_lists=listed if look.agreement_required else 0, found=_found(look, text), done=done,
                refused=refused, detail=detail, **more,
            )  # fmt: skip
        return self.html(request, "office_enrolment", view, found, status=CHANGED_STATUS if refused else 200)

    async def child(self, request: Request, number: str, done: int = 0) -> Response:
        found = require(self.web, request.scope, OFFICE)
        child = number_of(number)
        self.log_read(found, "child", child)
        return await self._child(request, found, child, done=done)

    async def _child(self, request: Request, found: Caller, child: int, *, status: int = 200, **more: Any) -> Response:
        look = await self._look()
        pupil = look.book.pupils.get(child) if look else None
        if look is None or pupil is None:
            raise NoSuchThing(f"There is no pupil with the number {child}.")
        view = fe.ChildEnrolmentView(
            bar=await self._bar(), number=look.number, child=child, name=pupil.name, class_name=fe.class_name(look, pupil),
            today=look.today, last_day=look.last_day, agreement_required=look.agreement_required,
            leave_times_min=look.leave_times_min, groups=PRIORITY_GROUPS, history=fe.history_of(look, child),
            choices=fe.choices_for(look, pupil), **more,
        )  # fmt: skip
        return self.html(request, "office_enrolment_child", view, found, status=status, tab="enrolment")

    async def export(self, request: Request, session: str) -> Response:
        """Who takes part today: for the class lists on the wall of the office, and for the surveys (domain C5)."""
        found = require(self.web, request.scope, OFFICE)
        look = await self._look()
        if look is None or session not in look.book.sessions:
            raise NoSuchThing("There is no such session on the menu.")
        self.log_read(found, "roster", f"session:{session}")
        text = _csv_of(look, session, lang_of(request))
        name = quote(f"{look.book.sessions[session].name}-{look.today.isoformat()}.csv")
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}", "cache-control": "no-store"}
        return Response(text.encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)

    # --- pressing --------------------------------------------------------------------------------------

    async def act(self, request: Request) -> Response:
        found = require(self.web, request.scope, OFFICE)
        form = await self._form(request, found)
        act, desk = form.act, self._desk()
        on_child, shown_first = bool(act.child), act.kind in ("apply", "leave")
        try:
            several = act.kind == "approve" and bool(act.more)
            if (shown_first or several) and not form.confirmed:
                tried = await asyncio.to_thread(desk.try_out, act, by=found.staff.number)
                look = await asyncio.to_thread(desk.look)
                asked, effects = (*form.fields, ("base", str(tried.base))), fe.effect_lines(look, tried.effects)
                if several:
                    return await self._office(request, found, asked=asked, effects=effects)
                return await self._child(request, found, act.child, asked=asked, effects=effects)
            number = await asyncio.to_thread(desk.do, act, base=form.base, by=found.staff.number)
        except UNDONE as error:
            no, detail = _why(error)
            if on_child:
                return await self._child(request, found, act.child, status=CHANGED_STATUS, refused=no, detail=detail)
            return await self._office(request, found, refused=no, detail=detail)
        log.info("%s of an application by staff %d, people list %d", act.kind, found.staff.number, number)
        back = f"/office/enrolment/child/{act.child}" if on_child else "/office/enrolment"
        return RedirectResponse(f"{back}?done={number}", status_code=303)

    async def _form(self, request: Request, found: Caller) -> _Form:
        check_same_origin(request.headers)
        async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
            check_csrf(found, request.headers, _text(form, "csrf"))
            fields = tuple(
                (name, value.strip()[:MAX_TEXT]) for name, value in form.multi_items() if isinstance(value, str)
            )
        shown = tuple((name, value) for name, value in fields if name not in ("csrf", "base", "confirm") and value)
        said = dict(fields)
        base = said.get("base", "")
        return _Form(
            act=_act_of(fields), fields=shown, base=int(base) if base.isdecimal() and base.isascii() else 0,
            confirmed=bool(said.get("confirm")),
        )  # fmt: skip

    # --- the class teacher -----------------------------------------------------------------------------

    async def reviews(self, request: Request, done: int = 0) -> Response:
        found = require(self.web, request.scope, REVIEWERS)
        return await self._reviews(request, found, done=done)

    async def _reviews(
        self, request: Request, found: Caller, *, done: int = 0, refused: str = "", detail: str = ""
    ) -> Response:
        bar, look = await self._bar(), await self._look()
        self.log_read(found, "roster", "applications")
        view = fe.ReviewView(
            bar=bar, number=look.number if look else 0, done=done, refused=refused, detail=detail,
            classes=fe.review_classes(look, found.staff.number) if look else (),
        )  # fmt: skip
        status = CHANGED_STATUS if refused else 200
        return self.html(request, "applications", view, found, status=status, here="rosters")

    async def review(self, request: Request) -> Response:
        """Of one's own class only; the office reviews for any."""
        found = require(self.web, request.scope, REVIEWERS)
        form = await self._form(request, found)
        try:
            look = await asyncio.to_thread(self._desk().look)
            act = Act(kind="review", application=form.act.application, more=form.act.more)
            for application in (act.application, *act.more):
                if Role.OFFICE not in found.staff.roles and not _of_class(look, application, found.staff.number):
                    raise NoSuchThing("There is no such application in a class of yours.")
            number = await asyncio.to_thread(self._desk().do, act, base=form.base, by=found.staff.number)
        except UNDONE as error:
            no, detail = _why(error)
            return await self._reviews(request, found, refused=no, detail=detail)
        log.info("an application reviewed by staff %d, people list %d", found.staff.number, number)
        return RedirectResponse(f"/applications?done={number}", status_code=303)

    # --- parts -------------------------------------------------------------------------------------------

    def _desk(self) -> EnrolmentDesk:
        if self.web.gate.enrolment is None:
            raise NoSuchThing("Enrolment is not kept at this computer.")
        return self.web.gate.enrolment

    async def _look(self) -> Look | None:
        try:
            return await asyncio.to_thread(self._desk().look)
        except NoPeople:
            return None

    async def _bar(self) -> Bar:
        bar: Bar = await self.web.bridge.look(BarQuery())
        return bar


def _of_class(look: Look, application: str, teacher: int) -> bool:
    pupil = look.book.pupils.get(look.book.of(application).child)
    home = look.classes.get(pupil.class_id) if pupil else None
    return home is not None and home.teacher == teacher


def _why(error: Exception) -> tuple[str, str]:
    if isinstance(error, Refused):
        return error.no.value, error.detail
    return {ListMoved: "list_moved", NotHere: "not_here"}.get(type(error), "no_people"), ""


def _act_of(fields: tuple[tuple[str, str], ...]) -> Act:
    """Raises Malformed."""
    said = dict(fields)
    kind = said.get("act", "review")
    if kind not in ACTS:
        raise Malformed(f"There is no press {kind[:20]!r} here; there are {', '.join(ACTS)}.")
    applications = tuple(dict.fromkeys(value for name, value in fields if name == "application"))
    sessions = tuple(dict.fromkeys(value for name, value in fields if name.startswith("session") and value))
    return Act(
        kind=kind, child=number_of(said["child"]) if said.get("child") else 0, sessions=sessions,
        application=applications[0] if applications else "", more=applications[1:], day=_day(said.get("day", "")),
        until=_day(said.get("until", "")),
        leave_at_min=_minutes(said.get("leave_at", "")), agreement=said.get("agreement", ""), priority=said.get("priority", ""),
    )  # fmt: skip


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Malformed(f"{text[:20]!r} is not a day; write 2026-11-30.") from error


def _minutes(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and int(text) < 24 * 60):
        raise Malformed(f"{text[:20]!r} is not a time of the day.")
    return int(text)


def _found(look: Look, text: str) -> tuple[fe.FoundLine, ...]:
    """By name, initials or 学号."""
    if not text:
        return ()
    wanted = text.lower()
    hits = (
        pupil
        for pupil in look.book.pupils.values()
        if text in pupil.name or pupil.school_number == text or pupil.initials.startswith(wanted)
    )
    return tuple(
        fe.FoundLine(
            number=pupil.number, name=pupil.name, class_name=fe.class_name(look, pupil), school_number=pupil.school_number
        )
        for pupil, _ in zip(hits, range(MAX_FOUND), strict=False)
    )


def _today(line: Any, look: Look) -> bool:
    return overlap(Period(line.valid_from, line.valid_to), Period(look.today, look.today))


def _csv_of(look: Look, session: str, lang: Any) -> str:
    """By class and seat. No priority group is in it, and no import takes it for a list of places."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    columns = ("number", "name", "class", "seat", "session", "from", "to", "leave_at", "agreement", "application")
    writer.writerow([say(f"enrolment.column_{column}", lang) for column in columns])
    here = [line for line in look.book.enrolments if line.session == session and _today(line, look)]
    pupils, name = look.book.pupils, look.book.sessions[session].name
    here = sorted((e for e in here if e.child in pupils), key=lambda e: (pupils[e.child].class_id, pupils[e.child].seat))
    for line in here:
        pupil = pupils[line.child]
        leave = f"{line.leave_at_min // 60:02d}:{line.leave_at_min % 60:02d}" if line.leave_at_min is not None else ""
        writer.writerow(
            _safe(str(cell))
            for cell in (
                pupil.school_number, pupil.name, fe.class_name(look, pupil), pupil.seat, name, line.valid_from or "",
                line.valid_to or "", leave, line.agreement, line.application,
            )
        )
    return stream.getvalue()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
