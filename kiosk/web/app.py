"""The web application of one gate: `create_app(gate)` makes every part once and wires the routes.

Speaks HTTP and writes no HTML; decides nothing. `kiosk.web.gate.Gate` says what it needs.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from kiosk.clock import steady_s
from kiosk.controller import Batch
from kiosk.core.decisions import Answer
from kiosk.credentials import CredentialsError
from kiosk.directory import DirectoryError
from kiosk.web import (
    acts,
    api,
    delegates,
    faces,
    office,
    office_calendar,
    office_cards,
    office_devices,
    office_enrolment,
    office_privacy,
    pages,
    publications,
    records,
    reports,
    safety,
    session_archive,
    sign_in,
)
from kiosk.web.bridge import Bridge
from kiosk.web.callers import SESSION_COOKIE, caller, cookies, lang_of
from kiosk.web.description import describe
from kiosk.web.faces_office import ErrorView
from kiosk.web.front import Front
from kiosk.web.gate import Gate
from kiosk.web.live import Live
from kiosk.web.metrics import Metrics
from kiosk.web.office_cards import CardReads
from kiosk.web.parts import Web
from kiosk.web.pins import Pins
from kiosk.web.refusals import NotSignedIn, Refusal
from kiosk.web.sessions import Sessions
from kiosk.web.sign_in import DeskCards, sign_in_url
from kiosk.web.stream import Hub
from kiosk.web.topics import Topics
from kiosk.web.visitors import naming

STATIC = Path(__file__).parent / "static"
HOUSEKEEPING_S = 1.0
MAX_CONNECTIONS = 2_000  # live pages, readers and browsers together
STOP_WITHIN_S = 3  # then open requests are cut off
KEEP_ALIVE_S = 75  # a network reader keeps its connection between two children


def create_app(gate: Gate) -> FastAPI:
    """The application. `app.state.web` holds its parts; it runs from lifespan start to lifespan end."""
    web = _web(gate)
    desks, card_reads = DeskCards(), CardReads()
    telemetry: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}  # nothing of a school leaves it
    lifespan = _lifespan(web, desks, card_reads)
    app = FastAPI(title="Campus gate", docs_url=None, redoc_url=None, telemetry=telemetry, lifespan=lifespan)
    app.state.web = web
    for router in (
        acts.routes(web), api.routes(web), reports.routes(web), office.routes(web), office_devices.routes(web),
        office_calendar.routes(web),
        pages.routes(web),
        records.routes(web), session_archive.routes(web), safety.routes(web), sign_in.routes(web, desks), delegates.routes(web),
        office_cards.routes(web, card_reads), office_enrolment.routes(web), publications.routes(web),
        office_privacy.routes(web),
    ):  # fmt: skip
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    raw: dict[str, tuple[str, ASGIApp]] = {
        "/api/v1/reads": ("POST", api.Reads(web)),
        "/api/v1/stream": ("GET", api.Stream(web)),
        "/live": ("GET", api.LivePage(web)),
    }
    app.add_middleware(Front, raw=raw, upload_max_bytes=gate.web.upload_max_bytes)
    _add_error_pages(app, web)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def _web(gate: Gate) -> Web:
    bridge = Bridge(gate.controller)
    topics = Topics(gate.rules, gate.directory)
    encode = msgspec.json.Encoder().encode

    def tell(answer: Answer) -> bytes:
        decision = answer.decision
        point = gate.rules.access_points[decision.access_point]
        return encode(faces.answer(decision, gate.directory(), answer.at_ms, point))

    hub = Hub(look=naming(bridge.look, gate.note), asked=lambda: bridge.asked, topics=topics, tell=tell)
    sessions = Sessions(idle_s=gate.web.idle_s, longest_s=gate.web.longest_s)
    return Web(
        gate=gate, bridge=bridge, hub=hub, live=Live(hub), topics=topics, sessions=sessions, metrics=Metrics(),
        pins=Pins(gate.check_pin),
    )  # fmt: skip


def _lifespan(web: Web, desks: DeskCards, card_reads: CardReads):  # type: ignore[no-untyped-def]  # a decorated generator
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        def on_batch(batch: Batch) -> None:
            web.hub.on_batch(batch)
            desks.on_batch(batch)
            card_reads.on_batch(batch)

        web.bridge.start(asyncio.get_running_loop(), on_batch)
        tasks = [asyncio.create_task(web.hub.run()), asyncio.create_task(_keep_house(web))]
        try:
            yield
        finally:
            web.hub.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            web.bridge.stop()

    return lifespan


async def _keep_house(web: Web) -> None:
    while True:
        await asyncio.sleep(HOUSEKEEPING_S)
        web.bridge.sweep()
        web.hub.tick()
        web.sessions.sweep(now_s=steady_s())


class Server(uvicorn.Server):
    """Stops at once: live pages are told to end before the server waits for its connections."""

    def __init__(self, app: FastAPI, *, host: str, port: int) -> None:
        config = uvicorn.Config(
            app, host=host, port=port, loop="uvloop", http="httptools", ws="none", lifespan="on", access_log=False,
            log_level="warning", server_header=False, proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS, timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=STOP_WITHIN_S,
        )  # fmt: skip
        super().__init__(config)
        self._hub: Hub = app.state.web.hub

    async def shutdown(self, *args, **kwargs) -> None:  # type: ignore[no-untyped-def]  # uvicorn's own signature
        self._hub.close()
        await super().shutdown(*args, **kwargs)


# --- trouble, said once and the same everywhere -----------------------------------------------------------


def _add_error_pages(app: FastAPI, web: Web) -> None:
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        if isinstance(error, NotSignedIn) and _is_page(request):
            return RedirectResponse(sign_in_url(request, expired=_had_session(request)), status_code=303)
        return _trouble(web, request, error.status, error.sentence, error.headers)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        known = {404: "There is no such page or route on this gate.", 405: "This route does not take that method."}
        sentence = known.get(error.status_code, str(error.detail))
        return _trouble(web, request, error.status_code, sentence, dict(error.headers or {}))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return _trouble(web, request, 422, f"{where} does not fit: {first['msg']}.", {})

    async def file_unusable(request: Request, error: Exception) -> Response:
        """A file of people or of PIN attempts: taps go on with the people in memory; this request needs the file."""
        return _trouble(web, request, 503, str(error), {})

    async def broken(request: Request, error: Exception) -> Response:
        return _trouble(web, request, 500, "This gate could not do that; taps are still recorded. See the log.", {})

    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid)
    for unusable in (DirectoryError, CredentialsError):
        app.add_exception_handler(unusable, file_unusable)
    app.add_exception_handler(Exception, broken)


def _is_page(request: Request) -> bool:
    """Whether a browser asked for a page that a person will read, not a script for a piece."""
    wants_html = "text/html" in request.headers.get("accept", "")
    return request.method == "GET" and wants_html and request.headers.get("sec-fetch-mode", "navigate") == "navigate"


def _had_session(request: Request) -> bool:
    return SESSION_COOKIE in cookies(request.scope)


def _trouble(web: Web, request: Request, status: int, sentence: str, headers: dict[str, str]) -> Response:
    if "text/html" not in request.headers.get("accept", "") or request.url.path.startswith(("/act/", "/api/")):
        return JSONResponse({"error": sentence}, status_code=status, headers=headers)
    view = ErrorView(now_ms=web.gate.clock.now_ms(), status=status, detail=sentence)
    found = caller(web, request.scope)
    page = faces.page("error", view=view, lang=lang_of(request), staff=found.staff if found else None)
    return HTMLResponse(page, status_code=status, headers=headers)
