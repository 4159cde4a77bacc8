"""Bare requests to the school server of a SyncWorld, and what every refusal looks like."""

from __future__ import annotations

import json
from typing import Any

import httpx

from sync_agent import protocol
from tests.support.sync_world import SCHOOL, SyncWorld

VERSION = {protocol.HEADER_VERSION: "1", protocol.HEADER_SCHOOL: SCHOOL}


def sentence(answer: httpx.Response, *, status: int, error: str) -> str:
    body = answer.json()
    assert (answer.status_code, body["error"]) == (status, error), body
    assert body["message"] and "\n" not in body["message"]
    return str(body["message"])


def post(world: SyncWorld, body: Any, path: str = protocol.ENTRIES_PATH, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return world.ask("POST", path, content=content, headers=VERSION | headers)
