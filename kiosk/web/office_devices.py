"""The devices of this gate for the office: what each is, how it is, and a harmless try of each.

A contact is closed after a second press only, and by the core, which records who did it. A picture is shown and kept nowhere;
who looked is logged. Works without scripts: every press is a form, and the page looks again while a trial runs.
"""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kiosk.core.commands import TryRelay
from kiosk.core.decisions import Outcome
from kiosk.core.roster import ArrivalsQuery, DeviceLine, DutyQuery
from kiosk.web.callers import check_csrf, check_same_origin, require
from kiosk.web.faces_office import DevicesView
from kiosk.web.gate import DeviceTrials
from kiosk.web.pages import OFFICE, Shown
from kiosk.web.parts import Web
from kiosk.web.refusals import Malformed, NoSuchThing

MAX_NAME = 60
MAX_FIELDS = 10
_PRIVATE = {"cache-control": "no-store"}


def routes(web: Web) -> APIRouter:
    router = APIRouter(tags=["office"])
    page = _Devices(web)
    form = {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {
        "device": {"type": "string"}, "contact": {"type": "integer"}, "csrf": {"type": "string"}}}}}  # fmt: skip
    add = router.add_api_route
    add("/office/devices", page.devices, methods=["GET"], summary="Devices and their health")
    add("/office/devices/try", page.begin, methods=["POST"], summary="Try one device without consequences",
        openapi_extra={"requestBody": {"content": form}})  # fmt: skip
    add("/office/devices/picture", page.picture, methods=["GET"], summary="A fresh picture of a camera, kept nowhere")
    return router


class _Devices(Shown):
    async def devices(self, request: Request, tried: str = "", ask: str = "") -> Response:
        found = require(self.web, request.scope, OFFICE)
        gate = self.web.gate
        duty = await self.web.bridge.look(DutyQuery())
        arrived = await self.web.bridge.look(ArrivalsQuery())
        kinds = gate.trials.kinds() if gate.trials else {}
        told = {line.name for line in duty.devices}
        quiet = [  # configured, and nothing heard of it yet
            DeviceLine(name=name, health="starting", why="", since_ms=duty.bar.now_ms)
            for name, _ in gate.device_drivers
            if name not in told
        ]
        view = DevicesView(
            bar=duty.bar, devices=tuple(sorted((*duty.devices, *quiet), key=_well)), drivers=gate.device_drivers,
            kinds=tuple(kinds.items()),
            contacts=tuple((name, gate.trials.contacts(name)) for name in kinds) if gate.trials else (),
            trial=gate.trials.state(tried) if gate.trials and tried in kinds else None,
            asked=ask if ask in kinds else "", arrivals=arrived.counts,
        )  # fmt: skip
        return self.html(request, "office_devices", view, found)

    async def begin(self, request: Request) -> Response:
        """Answers at once; the page shows what becomes of it."""
        found = require(self.web, request.scope, OFFICE)
        check_same_origin(request.headers)
        async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
            check_csrf(found, request.headers, _text(form, "csrf"))
            name, contact = _text(form, "device")[:MAX_NAME], _text(form, "contact")
        trials = self._trials_of(name)
        if contact:
            await self._close(trials, name, contact, by=found.staff.number)
        elif trials.kinds()[name] == "relay":
            raise Malformed("Name the contact that is to be closed.")
        else:
            trials.begin(name)
        return RedirectResponse(f"/office/devices?tried={quote(name, safe='')}#tried", status_code=303)

    async def _close(self, trials: DeviceTrials, name: str, contact: str, *, by: int) -> None:
        if not contact.isascii() or not contact.isdecimal() or int(contact[:6]) not in trials.contacts(name):
            raise NoSuchThing("This device has no such contact.")
        answer = await self.web.bridge.ask(TryRelay(device=name, contact=int(contact), by=by))
        trials.closed(name, answer.decision.outcome is Outcome.GRANTED)

    async def picture(self, request: Request, device: str = "") -> Response:
        found = require(self.web, request.scope, OFFICE)
        trials = self._trials_of(device)
        picture = await asyncio.to_thread(trials.picture, device)
        if picture is None:
            raise NoSuchThing("This camera gives no picture now.")
        self.log_read(found, "camera", device)
        return Response(picture, media_type="image/jpeg", headers=_PRIVATE)

    def _trials_of(self, name: str) -> DeviceTrials:
        trials = self.web.gate.trials
        if trials is None or name not in trials.kinds():
            raise NoSuchThing("There is no such device; site.toml names them.")
        return trials


def _well(line: DeviceLine) -> bool:
    """Trouble first."""
    return line.health == "ok"


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
