"""`/openapi.json`: the framework's routes, the raw ones beside them, and every JSON body with its bounds."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kiosk import __version__
from kiosk.web.act_bodies import SeatClaim, Wedge
from kiosk.web.act_bodies_service import ALL_BODIES
from kiosk.web.api import ReadAnswer, ReadBody
from kiosk.web.safety import PrintMuster, PrintWaiting
from kiosk.web.session_archive import SessionCorrection
from kiosk.web.sign_in import CardBody, SignInBody

_REF = "#/components/schemas/{name}"
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_TOPIC = {"name": "topic", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}
_LAST = {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}}
_KEY = {"name": "X-Device-Key", "in": "header", "required": True, "schema": {"type": "string"}}


def describe(app: FastAPI) -> dict[str, Any]:
    """The document; made once, then kept by the app."""
    if app.openapi_schema is None:
        document = get_openapi(title="Campus gate", version=__version__, routes=app.routes)
        document["paths"].update(_raw_paths())
        types = [
            *ALL_BODIES.values(), SessionCorrection, PrintMuster, PrintWaiting, SeatClaim, Wedge, ReadBody, ReadAnswer,
            SignInBody, CardBody,
        ]  # fmt: skip
        _, components = msgspec.json.schema_components(types, ref_template=_REF)
        document.setdefault("components", {}).setdefault("schemas", {}).update(components, Error=_ERROR)
        app.openapi_schema = document
    return app.openapi_schema


def _raw_paths() -> dict[str, Any]:
    read = {
        "post": {
            "tags": ["machine"],
            "summary": "A read from a network reader; answered when it is durable",
            "parameters": [_KEY],
            "requestBody": {"required": True, "content": _json("ReadBody")},
            "responses": {"200": {"description": "The decision", "content": _json("ReadAnswer")}, **_errors()},
        }
    }
    return {
        "/api/v1/reads": read,
        "/api/v1/stream": _stream("Live events as data: `view` and `answer`", [_TOPIC, _LAST, {**_KEY, "required": False}]),
        "/live": _stream("Live events for the pages: `patch`, `bar`, `answer`", [_TOPIC, _LAST]),
    }


def _stream(summary: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    events = {"description": "Server-sent events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    get = {"tags": ["live"], "summary": summary, "parameters": parameters, "responses": {"200": events, **_errors()}}
    return {"get": get}


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=name)}}}


def _errors() -> dict[str, Any]:
    return {"4XX": {"description": "One sentence that names the remedy", "content": _json("Error")}}
