"""A stage for the faces: the real templates and static files over HTTP, with views that a test sets by hand.

It decides nothing and keeps what the pages posted, so that a browser test can say what a press sends. The running gate
has its own tests.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.base import RequestResponseEndpoint

from kiosk.web import faces
from kiosk.web.faces_engine import STATIC
from kiosk.web.faces_format import Lang
from kiosk.web.faces_office import ErrorView, SignInView
from tests.faces import archive_views, enrolment_views, privacy_views, sample_duty, sample_office
from tests.faces import publication_views as published
from tests.faces import report_views as rep
from tests.faces import sample_views as sample
from tests.faces.calendar_views import calendar
from tests.faces.card_views import enrol
from tests.faces.portraits import portrait

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STARTS_WITHIN_S = 30.0


class Stage:
    """The views on show, what was posted, and a live line to every open page."""

    def __init__(self) -> None:
        self.views: dict[str, Any] = {}
        self.posted: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.reset()
        self._listeners: list[tuple[set[str], asyncio.Queue[str | None]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        self.views = {
            "display": sample.display(),
            "guard": sample.guard(),
            "roster": sample.roster(),
            "rosters": sample.rosters(),
            "duty": sample_duty.duty(),
            "office_reports": rep.reports(),
            "office_report": rep.ready(),
            "office_import": sample_office.import_preview(),
            "office_people": sample_office.people(),
            "office_enrol": enrol("card"),
            "office_enrolment": enrolment_views.office(),
            "applications": enrolment_views.reviews(),
            "office_calendar": calendar("2026-10-10"),
            "office_settings": sample_office.settings(),
            "office_devices": sample_office.devices(),
            "office_notices": sample_office.notices(),
            "office_policy": published.policy(),
            "sessions": archive_views.sessions(),
            "session": archive_views.archived(),
            "paper": published.paper(),
            "inspection": published.inspection(),
            "office_privacy": privacy_views.overview(),
            "office_privacy_child": privacy_views.child(),
            "office_privacy_text": privacy_views.text(),
            "office_privacy_incidents": privacy_views.incidents(),
            "sign_in": SignInView(now_ms=sample.NOW, school="星河路小学"),
            "error": ErrorView(now_ms=sample.NOW, status=404),
        }
        self.posted.clear()
        self.answers.clear()

    # --- from the test's thread -----------------------------------------------------------------------

    def start(self) -> None:
        config = uvicorn.Config(self._app(), host="127.0.0.1", port=self.port, log_level="error", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        self._until_listening()

    def stop(self) -> None:
        assert self._server and self._thread and self._loop
        self._loop.call_soon_threadsafe(self._hang_up)
        self._server.should_exit = True
        self._thread.join(timeout=STARTS_WITHIN_S)

    def show(self, name: str, view: Any) -> None:
        """Changes what a page shows, and sends the live pieces to whoever has it open."""
        self.views[name] = view
        self.send(faces.topics(name, view)[0], "patch", faces.fragments(view))

    def send(self, topic: str, event: str, data: Any) -> None:
        body = [{"id": key, "html": html} for key, html in data] if event in ("patch", "bar") else data
        message = f"event: {event}\ndata: {json.dumps(body)}\n\n"
        assert self._loop
        self._loop.call_soon_threadsafe(self._deliver, topic, message)

    def _until_listening(self) -> None:
        waited = threading.Event()
        for _ in range(int(STARTS_WITHIN_S / 0.05)):
            if self._server and self._server.started:
                return
            waited.wait(0.05)
        raise TimeoutError("the stage did not start")

    # --- on the loop --------------------------------------------------------------------------------------

    def _deliver(self, topic: str, message: str) -> None:
        for topics, queue in self._listeners:
            if topic in topics:
                queue.put_nowait(message)

    def _hang_up(self) -> None:
        for _, queue in self._listeners:
            queue.put_nowait(None)

    async def _listen(self, topics: set[str], lang: Lang) -> AsyncIterator[str]:
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        entry = (topics, queue)
        self._listeners.append(entry)
        try:
            yield "retry: 200\n\n" + self._snapshot(topics, lang)
            while (message := await queue.get()) is not None:
                yield message
        finally:
            self._listeners.remove(entry)

    def _snapshot(self, topics: set[str], lang: Lang) -> str:
        for name in ("guard", "roster", "duty", "display", "rosters"):
            view = self.views[name]
            if faces.topics(name, view)[0] in topics:
                pieces = [{"id": key, "html": html} for key, html in faces.fragments(view, lang=lang)]
                return f"event: patch\ndata: {json.dumps(pieces)}\n\n"
        return ""

    def _page(self, name: str, lang: Lang) -> str:
        view = self.views[name]
        signed = {"guard": sample.GUARD, "duty": sample.LEADER, "roster": sample.TEACHER, "rosters": sample.TEACHER}
        public = name in ("display", "sign_in", "error")
        staff = None if public else signed.get(name, sample.LEADER)
        context: dict[str, Any] = {}
        if name == "display":
            context = {"school": "星河路小学", "classes": sample_office.classes()}
        if name == "guard":
            context = {"access_point": "east-desk"}
        return faces.page(name, view=view, lang=lang, staff=staff, csrf="stage", **context)

    async def _report_state(self, report: str) -> JSONResponse:
        view = self.views["office_report"]
        return JSONResponse({"state": view.state, "step": view.step, "at": view.at, "of": view.of})

    def _app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)
        app.mount("/static", StaticFiles(directory=STATIC))

        @app.middleware("http")
        async def policy(request: Request, call_next: RequestResponseEndpoint) -> Response:
            self._loop = asyncio.get_running_loop()
            response = await call_next(request)
            response.headers["content-security-policy"] = POLICY
            response.headers["cache-control"] = "no-cache"
            return response

        @app.get("/live")
        async def live(request: Request) -> StreamingResponse:
            topics = set(request.query_params.getlist("topic"))
            lang: Lang = "en" if request.cookies.get("lang") == "en" else "zh"
            return StreamingResponse(self._listen(topics, lang), media_type="text/event-stream")

        @app.post("/act/{name}")
        async def act(name: str, request: Request) -> JSONResponse:
            assert request.headers["x-csrf-token"] == "stage"
            self.posted.append((name, await request.json()))
            return JSONResponse(self.answers.get(name, {"outcome": "granted", "reason": "done", "words": "已完成"}))

        @app.post("/wedge/{access_point}")
        async def wedge(access_point: str, request: Request) -> JSONResponse:
            self.posted.append((f"wedge:{access_point}", await request.json()))
            return JSONResponse(self.answers.get("wedge", {"outcome": "granted", "reason": "on_time", "words": "按时"}))

        app.add_api_route("/healthz", lambda: {"ok": True})

        @app.get("/search")
        async def search(q: str) -> HTMLResponse:
            hits = sample.search()
            wanted = tuple(hit for hit in hits.hits if q in hit.name) if not q.isascii() else hits.hits
            return HTMLResponse(faces.part("search", view=sample.SearchView(text=q, hits=wanted)))

        @app.get("/child/{number}")
        async def child(number: int, request: Request) -> HTMLResponse:
            name = "roster_child" if request.query_params else "child"
            return HTMLResponse(faces.part(name, view=sample.child_view(number - 1000)))

        @app.get("/photo/{person}")
        async def photo(person: int) -> Response:
            return Response(portrait(person), media_type="image/svg+xml")

        @app.get("/snapshot/{key}")
        async def snapshot(key: str) -> Response:
            return Response(portrait(1009, live=True), media_type="image/svg+xml")

        app.add_api_route("/office/reports/{report}/state", self._report_state)

        @app.get("/{path:path}")
        async def page(path: str, lang: Lang = "zh") -> HTMLResponse:
            name = _view_of(path)
            page = HTMLResponse(self._page(name if name in self.views else "error", lang))
            page.set_cookie("lang", lang)
            return page

        return app


def _view_of(path: str) -> str:
    """The view that a path shows."""
    name = path.split("/")[0]
    name = "office_" + path.split("/")[1] if name == "office" else name
    return "office_report" if path.startswith("office/reports/") else name


if __name__ == "__main__":
    stage = Stage()
    stage.start()
    print(stage.url, flush=True)
    threading.Event().wait()
