"""资料 → 隐私: what is kept and erased, holds, a child's consents, what its family asks for, notices, incidents.

The office and duty leaders. Every press is a command, and what leaves the house is on record before the file is made. Reading
goes on in a thread, one at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kiosk.core import commands_privacy as p
from kiosk.core.commands import RecordConsent
from kiosk.core.decisions import Outcome
from kiosk.core.people import Role
from kiosk.core.roster import Bar, BarQuery
from kiosk.web.callers import Caller, check_csrf, check_same_origin, lang_of, number_of, require
from kiosk.web.faces_privacy import PrivacyChildView
from kiosk.web.gate import PrivacyOffice, RecordsUnreadable
from kiosk.web.pages import Shown
from kiosk.web.parts import Web
from kiosk.web.refusals import Malformed, NoSuchThing, NotAllowed, Unavailable

KEEPERS = frozenset({Role.DUTY_LEADER, Role.OFFICE})
MAX_FIELDS = 14
MAX_TEXT = 2_000
MAX_SEARCH = 60
TEXTS = ("notice", "signs", "assessment", "audit")
_PRIVATE = {"cache-control": "no-store"}

T = TypeVar("T")


def routes(web: Web) -> APIRouter:
    router = APIRouter(tags=["privacy"])
    office = _Privacy(web)
    form = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {
        "what": {"type": "string"}, "child": {"type": "string"}, "csrf": {"type": "string"}}}}}  # fmt: skip
    add = router.add_api_route
    add("/office/privacy", office.overview, methods=["GET"], summary="What is kept, held and erased")
    add("/office/privacy", office.act, methods=["POST"], summary="One press of the privacy pages",
        openapi_extra={"requestBody": {"content": form}})  # fmt: skip
    add("/office/privacy/log.csv", office.log_csv, methods=["GET"], summary="The deletion log as CSV")
    add("/office/privacy/child", office.child, methods=["GET"], summary="A child's consents, holds and requests")
    add("/office/privacy/consents", office.consents, methods=["POST"], summary="A sheet of signed consents into the ledger",
        openapi_extra={"requestBody": {"content": {"multipart/form-data": {"schema": {"type": "object", "properties": {
            "sheet": {"type": "string", "format": "binary"}, "csrf": {"type": "string"}}}}}}})  # fmt: skip
    add("/office/privacy/export/{child}", office.export, methods=["POST"], summary="All that there is of a child, as a zip",
        openapi_extra={"requestBody": {"content": form}})  # fmt: skip
    add("/office/privacy/text/{what}.md", office.markdown, methods=["GET"], summary="The same as Markdown")
    add("/office/privacy/text/{what}", office.text, methods=["GET"], summary="A notice or assessment from the settings")
    add("/office/privacy/incidents", office.incidents, methods=["GET"], summary="Data incidents, step by step")
    add("/office/privacy/affected.csv", office.affected, methods=["GET"], summary="Children and guardians of a class, as CSV")
    return router


class _Privacy(Shown):
    def __init__(self, web: Web) -> None:
        super().__init__(web)
        self._one_at_a_time = asyncio.Lock()

    # --- pages ---------------------------------------------------------------------------------------

    async def overview(self, request: Request, said: str = "") -> Response:
        found, bar, lang = require(self.web, request.scope, KEEPERS), await self._bar(), lang_of(request)
        view = await self._read(lambda office: office.overview(bar, lang=lang, said=said[:40]))
        return self.html(request, "office_privacy", view, found)

    async def child(self, request: Request, q: str = "", number: str = "", said: str = "") -> Response:
        found, bar, lang = require(self.web, request.scope, KEEPERS), await self._bar(), lang_of(request)
        child = number_of(number) if number else 0
        if child:
            self.log_read(found, "privacy", child)
        elif q.strip():
            self.log_read(found, "search", f"{len(q.strip()[:MAX_SEARCH])} characters")
        view = await self._read(lambda office: office.child(child, q.strip()[:MAX_SEARCH], bar, lang=lang, said=said[:40]))
        return self.html(request, "office_privacy_child", view, found)

    async def text(self, request: Request, what: str, said: str = "") -> Response:
        found, bar, lang = require(self.web, request.scope, KEEPERS), await self._bar(), lang_of(request)
        self._known_text(what)
        view = await self._read(lambda office: office.text(what, bar, lang=lang, said=said[:40]))
        return self.html(request, "office_privacy_text", view, found)

    async def markdown(self, request: Request, what: str) -> Response:
        require(self.web, request.scope, KEEPERS)
        self._known_text(what)
        bar, lang = await self._bar(), lang_of(request)
        words = await self._read(lambda office: office.markdown(what, bar, lang=lang))
        return Response(words.encode(), media_type="text/markdown; charset=utf-8", headers=_attached(f"{what}.md"))

    async def incidents(self, request: Request, said: str = "") -> Response:
        found, bar, lang = require(self.web, request.scope, KEEPERS), await self._bar(), lang_of(request)
        view = await self._read(lambda office: office.incidents(bar, lang=lang, said=said[:40]))
        return self.html(request, "office_privacy_incidents", view, found)

    # --- files ---------------------------------------------------------------------------------------

    async def log_csv(self, request: Request) -> Response:
        require(self.web, request.scope, KEEPERS)
        data = await self._read(lambda office: office.log_csv())
        return Response(data, media_type="text/csv; charset=utf-8", headers=_attached("deletion-log.csv"))

    async def affected(self, request: Request, class_id: str = "") -> Response:
        """Whom an incident concerns. The list is personal data itself: who took it is on record."""
        found = require(self.web, request.scope, KEEPERS)
        self.log_read(found, "affected", class_id[:40] or "all")
        data = await self._read(lambda office: office.affected_csv(class_id[:80]))
        return Response(data, media_type="text/csv; charset=utf-8", headers=_attached("affected.csv"))

    async def export(self, request: Request, child: str) -> Response:
        found, number = require(self.web, request.scope, KEEPERS), number_of(child)
        form = await self._form(request, found)
        guardian = _number(form, "guardian")
        answer = await self.web.bridge.ask(p.ExportChild(child=number, guardian=guardian, by=found.staff.number))
        if answer.decision.outcome is not Outcome.GRANTED:
            raise NotAllowed("This gate did not put the export on record, so nothing was exported; see the bar, then try again.")
        name, data = await self._read(lambda office: office.pack(number, by=found.staff.number))
        return Response(data, media_type="application/zip", headers=_attached(name))

    # --- presses -------------------------------------------------------------------------------------

    async def act(self, request: Request) -> Response:
        found = require(self.web, request.scope, KEEPERS)
        form = await self._form(request, found)
        make = _PRESSES.get(_text(form, "what"))
        if make is None:
            raise Malformed("The form does not say what is to be done; open the page again.")
        command = await self._command(make, form, found)
        answer = await self.web.bridge.ask(command)
        back = _text(form, "back")
        where = back if back.startswith("/office/privacy") else "/office/privacy"
        query = urlencode({"said": answer.decision.reason.value})
        return RedirectResponse(f"{where}{'&' if '?' in where else '?'}{query}", status_code=303)

    async def consents(self, request: Request) -> Response:
        """All rows of a sheet, or none: each becomes a line of the ledger."""
        found = require(self.web, request.scope, KEEPERS)
        check_same_origin(request.headers)
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise Malformed("Send the sheet as multipart/form-data, in the field sheet.")
        async with request.form(max_files=1, max_fields=MAX_FIELDS) as form:
            check_csrf(found, request.headers, _text(form, "csrf"))
            sheet = form.get("sheet")
            data = await sheet.read() if isinstance(sheet, UploadFile) else b""
        rows, problems = await self._read(lambda office: office.consent_sheet(data, by=found.staff.number))
        for row in rows:
            answer = await self.web.bridge.ask(row)
            if answer.decision.outcome is not Outcome.GRANTED:
                problems += (f"#{row.child} {row.purpose}: {answer.decision.reason.value}",)
        if problems:
            view = replace(await self._child_view(request), problems=problems)
            return self.html(request, "office_privacy_child", view, found, status=422)
        return RedirectResponse("/office/privacy/child?said=done", status_code=303)

    async def _child_view(self, request: Request) -> PrivacyChildView:
        bar, lang = await self._bar(), lang_of(request)
        return await self._read(lambda office: office.child(0, "", bar, lang=lang, said=""))

    async def _command(self, make: Callable[[FormData, int], Any], form: FormData, found: Caller) -> Any:
        if make is not _issue:
            return make(form, found.staff.number)
        what = _text(form, "text")
        self._known_text(what)
        bar = await self._bar()
        view = await self._read(lambda office: office.text(what, bar, lang="zh", said=""))
        return p.IssueNotice(what=what, digest=view.digest, by=found.staff.number)

    async def _form(self, request: Request, found: Caller) -> FormData:
        check_same_origin(request.headers)
        async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
            check_csrf(found, request.headers, _text(form, "csrf"))
            return form

    # --- shared --------------------------------------------------------------------------------------

    async def _read(self, work: Callable[[PrivacyOffice], T]) -> T:
        office = self.web.gate.privacy
        if office is None:
            raise NoSuchThing("There is no privacy page on this computer.")
        try:
            async with self._one_at_a_time:
                return await asyncio.to_thread(work, office)
        except RecordsUnreadable as error:
            raise Unavailable(str(error)) from error

    async def _bar(self) -> Bar:
        bar: Bar = await self.web.bridge.look(BarQuery())
        return bar

    @staticmethod
    def _known_text(what: str) -> None:
        if what not in TEXTS:
            raise NoSuchThing(f"There is no text {what[:40]!r}; there are {', '.join(TEXTS)}.")


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.strip()[:MAX_TEXT] if isinstance(value, str) else ""


def _number(form: FormData, name: str) -> int:
    text = _text(form, name)
    return number_of(text) if text else 0


def _hold(form: FormData, by: int) -> p.SetHold:
    return p.SetHold(child=_number(form, "child"), case=_text(form, "case"), reason=_text(form, "reason"), by=by)


def _lift(form: FormData, by: int) -> p.LiftHold:
    return p.LiftHold(child=_number(form, "child"), case=_text(form, "case"), reason=_text(form, "reason"), by=by)


def _erase(form: FormData, by: int) -> p.ErasePersons:
    if _text(form, "sure") != "yes":
        raise Malformed("Tick the box that says that it cannot be undone, then press again.")
    return p.ErasePersons(persons=(_number(form, "child"),), why="asked", by=by)


def _ask(form: FormData, by: int) -> p.AskCorrection:
    return p.AskCorrection(
        child=_number(form, "child"), what=_text(form, "field"), old=_text(form, "old"), new=_text(form, "new"),
        guardian=_number(form, "guardian"), by=by,
    )  # fmt: skip


def _decide(form: FormData, by: int) -> p.DecideCorrection:
    granted = _text(form, "granted") == "yes"
    return p.DecideCorrection(request=_text(form, "request"), granted=granted, reason=_text(form, "reason"), by=by)


def _row(form: FormData, by: int) -> p.RecordConsentRow:
    return p.RecordConsentRow(
        child=_number(form, "child"), purpose=_text(form, "purpose"), guardian=_number(form, "guardian"),
        how=_text(form, "how") or "paper", paper=_text(form, "paper"), text_version=_text(form, "text_version"),
        basis=_text(form, "basis") or "consent", valid_from=_text(form, "valid_from"), valid_to=_text(form, "valid_to"), by=by,
    )  # fmt: skip


def _given(form: FormData, by: int) -> RecordConsent:
    given = _text(form, "given") == "yes"
    return RecordConsent(child=_number(form, "child"), purpose=_text(form, "purpose"), given=given, by=by)


def _issue(form: FormData, by: int) -> p.IssueNotice:
    raise AssertionError("made with the digest of the text in force")


def _incident(form: FormData, by: int) -> p.ReportIncident:
    return p.ReportIncident(
        step=_text(form, "step"), words=_text(form, "words"), incident=_text(form, "incident"), children=_number(form, "count"),
        by=by,
    )  # fmt: skip


_PRESSES: dict[str, Callable[[FormData, int], Any]] = {
    "hold": _hold, "lift": _lift, "erase": _erase, "ask": _ask, "decide": _decide, "row": _row, "given": _given,
    "issue": _issue, "incident": _incident,
}  # fmt: skip


def _attached(name: str) -> dict[str, str]:
    return {**_PRIVATE, "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
