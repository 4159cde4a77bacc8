"""A school server with a planted mistake: the whole process dies when it opens an entry that holds the word.

Everything but the mistake is the product's own. Arguments: folder, port, enrolment code, word.
"""

from __future__ import annotations

import base64
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import zstandard

from kiosk.clock import SystemClock
from sync_agent import protocol
from sync_agent.keys import load_or_create
from sync_agent.school_server.app import create_app
from sync_agent.school_server.settings import School, ServerSettings
from sync_agent.school_server.sqlite_store import SqliteStore

Receive = Callable[[], Awaitable[dict[str, Any]]]


class DiesOf:
    def __init__(self, app: Any, word: bytes) -> None:
        self._app, self._word = app, word

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self._die_if_it_opens(body, packed=any(name == b"content-encoding" for name, _ in scope["headers"]))

        async def again() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)

    def _die_if_it_opens(self, body: bytes, *, packed: bool) -> None:
        plain = zstandard.ZstdDecompressor().stream_reader(body).read() if packed else body
        try:
            batch = msgspec.json.decode(plain, type=protocol.Batch)
        except msgspec.MsgspecError:
            return  # an enrolment
        for item in batch.entries:
            raw = bytes(item.entry) if isinstance(item.entry, msgspec.Raw) else base64.b64decode(str(item.octets))
            if self._word in raw and not item.unread:
                os._exit(139)


def main(folder: str, port: str, code: str, word: str) -> None:
    store = SqliteStore(Path(folder))
    settings = ServerSettings(schools={"school": School(code=code)}, read_token="read-me")
    key = load_or_create(Path(folder) / "keys" / "server.key")
    app = create_app(store, settings, key=key, now_ms=SystemClock().now_ms, monotonic_s=time.monotonic)
    uvicorn.run(DiesOf(app, word.encode()), host="127.0.0.1", port=int(port), log_config=None, access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
