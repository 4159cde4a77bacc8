"""The office: people files in with a dry run first, people and cards, settings in force, notices. Devices: `office_devices`.

Only the office role comes here. Nothing is imported that was not shown as a difference before; a file with one
problem changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass, replace
from urllib.parse import quote

import msgspec
from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kiosk.clock import steady_s
from kiosk.core.consent import PURPOSES
from kiosk.core.people import Directory
from kiosk.core.roster import Bar, BarQuery
from kiosk.core.roster_faces import ConsentQuery, ConsentView
from kiosk.web.callers import Caller, check_csrf, check_same_origin, lang_of, require
from kiosk.web.faces_format import Lang
from kiosk.web.faces_notices import NoticesView
from kiosk.web.faces_office import ImportView, PeopleView, PersonLine, SettingLine, SettingsView
from kiosk.web.gate import ImportMoved, ImportPlan
from kiosk.web.pages import OFFICE, Shown
from kiosk.web.parts import Web
from kiosk.web.people_index import PeopleIndex
from kiosk.web.refusals import Malformed, NoSuchThing, Refusal, TooMany

MAX_FILES = 20
MAX_FIELDS = 10
MAX_PLANS = 4  # dry runs that wait to be applied; the oldest goes first
PLAN_LIVES_S = 30 * 60.0
MAX_SEARCH = 60
MAX_TARGET_NAME = 60

log = logging.getLogger(__name__)


class Moved(Refusal):
    """The people changed between the dry run and the press."""

    status = 409


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A dry run that waits for the second press, by the same person."""

    plan: ImportPlan
    files: tuple[str, ...]
    by: int
    made_s: float


def routes(web: Web) -> APIRouter:
    router = APIRouter(tags=["office"])
    office = _Office(web)
    upload = {"multipart/form-data": {"schema": {"type": "object", "properties": {
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}}, "csrf": {"type": "string"}}}}}  # fmt: skip
    form = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {
        "token": {"type": "string"}, "csrf": {"type": "string"}}}}}  # fmt: skip
    named = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {
        "target": {"type": "string"}, "csrf": {"type": "string"}}}}}  # fmt: skip
    add = router.add_api_route
    add("/office", office.start, methods=["GET"], summary="To the import page")
    add("/office/import", office.import_page, methods=["GET"], summary="Choose files")
    add("/office/import", office.dry_run, methods=["POST"], summary="What the files would change",
        openapi_extra={"requestBody": {"content": upload}})  # fmt: skip
    add("/office/import/apply", office.apply, methods=["POST"], summary="Take the shown difference over",
        openapi_extra={"requestBody": {"content": form}})  # fmt: skip
    add("/office/people", office.people, methods=["GET"], summary="People and their cards")
    add("/office/settings", office.settings, methods=["GET"], summary="Settings in force")
    add("/office/notices", office.notices, methods=["GET"], summary="Whom the gate tells, and what became of it")
    add("/office/notices/test", office.test_notice, methods=["POST"], summary="Send a test notice to one target",
        openapi_extra={"requestBody": {"content": named}})  # fmt: skip
    return router


class _Office(Shown):
    def __init__(self, web: Web) -> None:
        super().__init__(web)
        self._plans: dict[str, _Waiting] = {}
        self._busy = asyncio.Lock()
        self._index: PeopleIndex | None = None

    async def start(self, request: Request) -> Response:
        return RedirectResponse("/office/import", status_code=303)

    # --- import --------------------------------------------------------------------------------------

    async def import_page(self, request: Request, done: int = 0) -> Response:
        found = require(self.web, request.scope, OFFICE)
        view = ImportView(bar=await self._bar(), state="done" if done else "start", number=done)
        return self.html(request, "office_import", view, found)

    async def dry_run(self, request: Request) -> Response:
        """A page, or JSON for a program that accepts nothing else."""
        found = require(self.web, request.scope, OFFICE)
        check_same_origin(request.headers)
        files = await self._files(request, found)
        plan = await self._planned(files)
        names = tuple(name for name, _ in files)
        token = "" if plan.problems else self._keep(_Waiting(plan, names, found.staff.number, steady_s()))
        view = ImportView(
            bar=await self._bar(), state="preview", token=token, files=names,
            problems=plan.problems, changes=plan.changes, counts=plan.counts,
        )  # fmt: skip
        if request.headers.get("accept") == "application/json":
            return Response(msgspec.json.encode(view), media_type="application/json")
        return self.html(request, "office_import", view, found)

    async def _files(self, request: Request, found: Caller) -> list[tuple[str, bytes]]:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise Malformed("Send the files as multipart/form-data, in the field files.")
        async with request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS) as form:
            check_csrf(found, request.headers, _text(form, "csrf"))
            uploads = [item for item in form.getlist("files") if isinstance(item, UploadFile) and item.filename]
            files = [(upload.filename or "", await upload.read()) for upload in uploads]
        if not files:
            raise Malformed("No file was sent; choose one or more .xlsx or .csv files.")
        return files

    async def _planned(self, files: list[tuple[str, bytes]]) -> ImportPlan:
        if self._busy.locked():
            raise TooMany("Another import is being read; try again in a minute.", retry_after_s=30)
        async with self._busy:
            return await asyncio.to_thread(self.web.gate.importer.plan, files)

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
            raise NoSuchThing("This preview is not waiting any more; upload the files again.")
        async with self._busy:
            try:
                number = await asyncio.to_thread(self.web.gate.importer.apply, waiting.plan, by=found.staff.number)
            except ImportMoved as error:
                raise Moved("Somebody changed the people since this preview; upload the files again.") from error
        log.info("people list %d imported by staff %d from %d files", number, found.staff.number, len(waiting.files))
        return RedirectResponse(f"/office/import?done={number}", status_code=303)

    # --- what is in force ------------------------------------------------------------------------------

    async def people(self, request: Request, q: str = "") -> Response:
        found = require(self.web, request.scope, OFFICE)
        text = q.strip()[:MAX_SEARCH]
        if text:
            self.log_read(found, "people", f"{len(text)} characters")
        agreed: ConsentView = await self.web.bridge.look(ConsentQuery())
        people = await asyncio.to_thread(self._find, text, lang_of(request), agreed.withdrawn)
        return self.html(request, "office_people", PeopleView(bar=await self._bar(), text=text, people=people), found)

    def _find(self, text: str, lang: Lang, withdrawn: frozenset[tuple[int, str]]) -> tuple[PersonLine, ...]:
        directory: Directory = self.web.gate.directory()
        index = self._index
        if index is None or index.directory is not directory:
            index = self._index = PeopleIndex(directory)
        return tuple(_with_consents(line, directory, withdrawn) for line in index.find(text, lang))

    async def settings(self, request: Request) -> Response:
        found = require(self.web, request.scope, OFFICE)
        gate, bar = self.web.gate, await self._bar()
        groups: dict[str, list[SettingLine]] = {}
        for setting in gate.settings_in_force:
            line = SettingLine(key=setting.key, value=setting.value, source=setting.source)
            groups.setdefault(setting.source, []).append(line)
        view = SettingsView(
            bar=bar, groups=tuple((name, tuple(lines)) for name, lines in groups.items()),
            policy=gate.policy, findings=gate.plan_findings, day_words=bar.day_note,
        )  # fmt: skip
        return self.html(request, "office_settings", view, found)

    # --- notices -----------------------------------------------------------------------------------------

    async def notices(self, request: Request, tested: str = "") -> Response:
        found = require(self.web, request.scope, OFFICE)
        notices = self.web.gate.notices
        view = NoticesView(bar=await self._bar(), notices=notices() if notices else None, tested=tested[:MAX_TARGET_NAME])
        return self.html(request, "office_notices", view, found)

    async def test_notice(self, request: Request) -> Response:
        """Answers at once; the page shows what became of it."""
        found = require(self.web, request.scope, OFFICE)
        check_same_origin(request.headers)
        async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
            check_csrf(found, request.headers, _text(form, "csrf"))
            target = _text(form, "target")
        notices, test = self.web.gate.notices, self.web.gate.test_notice
        if notices is None or test is None or target not in [line.name for line in notices().lines]:
            raise NoSuchThing("There is no such target; notices.toml names them.")
        test(target, found.staff.number)  # False: one is on its way already
        return RedirectResponse(f"/office/notices?tested={quote(target)}", status_code=303)

    async def _bar(self) -> Bar:
        bar: Bar = await self.web.bridge.look(BarQuery())
        return bar


def _with_consents(line: PersonLine, directory: Directory, withdrawn: frozenset[tuple[int, str]]) -> PersonLine:
    """What the family of a pupil agreed to by the list, and what it has taken back since."""
    pupil = directory.pupils.get(line.number)
    listed = sorted(PURPOSES & pupil.consents) if pupil else []
    return replace(line, consents=tuple((purpose, (line.number, purpose) not in withdrawn) for purpose in listed))


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
