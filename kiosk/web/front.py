"""The outermost layer: the few raw routes at once, size limits, and the headers that every answer carries.

Plain ASGI and no framework, because every request passes through it. Knows no session and no role.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kiosk.web.raw import NO_STORE, SECURITY_HEADERS, answer_refusal, counted, too_large
from kiosk.web.refusals import Malformed, NotAllowed, Refusal

BODY_MAX_BYTES = 64 * 1024  # of any request that is not an upload
UPLOAD_PATHS = frozenset({"/office/import", "/office/calendar/national"})
CLOSED = "the handler is closed"  # uvloop's words when a connection ended before the server was told
LANG_MAX_AGE_S = 365 * 24 * 3600


log = logging.getLogger(__name__)


class WrongMethod(NotAllowed):
    status = 405


class Front:
    """`raw`: path -> (method, ASGI app) for the routes that go past the framework."""

    def __init__(self, app: ASGIApp, *, raw: Mapping[str, tuple[str, ASGIApp]], upload_max_bytes: int) -> None:
        self._app, self._raw, self._upload_max_bytes = app, raw, upload_max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = self._raw.get(scope["path"])
        if route is None:
            await self._framework(scope, receive, send)
            return
        method, app = route
        try:
            if scope["method"] != method:
                raise WrongMethod(f"{scope['path']} takes {method} only.", headers={"Allow": method})
            await app(scope, receive, send)
        except Refusal as refusal:
            await answer_refusal(send, refusal)
        except RuntimeError as error:
            if CLOSED not in str(error):
                raise
            # The other side hung up between two lines. What was recorded is recorded; nobody is left to be told.
            log.debug("a reader or page went away before its answer: %s", error)

    async def _framework(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._upload_max_bytes if scope["path"] in UPLOAD_PATHS else BODY_MAX_BYTES
        try:
            if _announced(scope) > limit:
                raise too_large(limit)
        except Refusal as refusal:
            await answer_refusal(send, refusal)
            return
        await self._app(scope, counted(receive, limit), _with_headers(scope, send))


def _announced(scope: Scope) -> int:
    """The Content-Length, 0 without one. Raises Malformed."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            if not value.isdigit():
                raise Malformed("Content-Length is not a number.")
            return int(value)
    return 0


def _with_headers(scope: Scope, send: Send) -> Send:
    more = list(SECURITY_HEADERS)
    if scope["path"].startswith("/static/"):
        more.append((b"cache-control", b"no-cache"))  # asked for each time, sent only when changed
    if b"lang=" in scope["query_string"] and (lang := _lang(scope["query_string"])):
        cookie = f"lang={lang}; Path=/; Max-Age={LANG_MAX_AGE_S}; SameSite=Strict"
        more.append((b"set-cookie", cookie.encode()))

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), *more]
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append(NO_STORE)
            message = {**message, "headers": headers}
        await send(message)

    return send_with_headers


def _lang(query: bytes) -> str:
    wanted = parse_qs(query.decode("latin-1")).get("lang", [""])[0]
    return wanted if wanted in ("zh", "en") else ""
