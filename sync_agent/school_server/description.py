"""`/openapi.json` of the school server: sync protocol 1 and the read API for machines that read OpenAPI 3.1.

The shapes come from the messages that the server itself encodes and decodes; docs/sync-protocol.md says what they mean. Order,
signing and who may ask are not in it: a schema cannot say them.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from sync_agent import protocol
from sync_agent.protocol import Code
from sync_agent.school_server.cloud_events import BATCH, Event
from sync_agent.school_server.pupil_numbers import PupilNumbers
from sync_agent.school_server.read_api import DEFAULT_ENTRIES, HEADER_MORE, HEADER_NEXT, ReadPage
from sync_agent.school_server.refusals import STATUS_OF

DOCUMENT_PATH: Final = "/openapi.json"
READ_PATH: Final = "/api/v1/entries"
EVENTS_PATH: Final = "/api/v1/events"
PUPILS_PATH: Final = "/api/v1/pupils"
_REF: Final = "#/components/schemas/{name}"
_MESSAGES: Final = (
    protocol.Batch, protocol.BatchAnswer, protocol.Relay, protocol.EnrolRequest, protocol.EnrolAnswer, protocol.KeyChange,
    protocol.KeyAnswer, protocol.ServerStatus, protocol.DirectoryState, protocol.SignedHead, protocol.HeadAnswer,
    protocol.Refusal, ReadPage, Event, PupilNumbers,
)  # fmt: skip
_TEXT: Final = {"type": "string"}
_NAME: Final = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}
_HASH: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_KEY: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_SIGNATURE: Final = {"type": "string", "pattern": "^[0-9a-f]{128}$"}
_NUMBER: Final = {"type": "integer", "minimum": 0, "maximum": protocol.MAX_SEQ}
# What a struct cannot say about its strings and numbers, by the name that the field has everywhere.
_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "node": _NAME, "incarnation": _NAME, "school": _NAME, "hash": _HASH, "prev_hash": _HASH, "head_hash": _HASH, "sha256": _HASH,
    "public_key": _KEY, "server_key": _KEY, "old_key": _KEY, "new_key": _KEY, "signature": _SIGNATURE,
    "proof": _SIGNATURE, "countersignature": _SIGNATURE, "durable_through": _NUMBER, "first_seq": _NUMBER,
    "seq": _NUMBER, "position": _NUMBER,
}  # fmt: skip
_ASKER: Final = (Code.UNSUPPORTED_VERSION, Code.UNKNOWN_NODE, Code.BAD_SIGNATURE, Code.REVOKED)
_OCTETS: Final = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_ENTRY: Final = {"type": "object", "description": "the exact bytes of one entry, embedded; fields may be added at any time"}


def describe() -> dict[str, Any]:
    """The whole document."""
    _, schemas = msgspec.json.schema_components(_MESSAGES, ref_template=_REF)
    for schema in schemas.values():
        _refine(schema.get("properties", {}))
    return {
        "openapi": "3.1.0",
        "info": {"title": "School server, sync protocol 1", "version": str(protocol.VERSION)},
        "paths": {**_entries(), **_directory(), **_rest()},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _refine(properties: dict[str, Any]) -> None:
    for name, told in properties.items():
        if name == "entry":
            properties[name] = dict(_ENTRY)
        elif name in _FIELDS and told.get("type") == _FIELDS[name]["type"]:
            told.update(_FIELDS[name])


def _entries() -> dict[str, Any]:
    up = _operation(
        "Entries up: stored durably before it is answered", [_header(protocol.HEADER_SCHOOL, _NAME)],
        _body("Batch"), _json("What became of each entry", "BatchAnswer"),
        Code.MALFORMED, *_ASKER, Code.HOLE, Code.TOO_LARGE, Code.UNSUPPORTED_ENCODING,
    )  # fmt: skip
    down = _operation(
        "Other gates' entries that the asker lacks", [*_signed(), _query("have", _TEXT)],
        None, _json("Runs that continue what the asker has", "Relay"), Code.MALFORMED, *_ASKER,
    )  # fmt: skip
    head = _operation(
        "A signed head, to be countersigned", [_header(protocol.HEADER_SCHOOL, _NAME)], _body("SignedHead"),
        _json("The server's word on it", "HeadAnswer"),
        Code.MALFORMED, *_ASKER, Code.HOLE, Code.OTHER_HEAD, Code.TOO_LARGE, Code.UNSUPPORTED_ENCODING,
    )  # fmt: skip
    return {protocol.ENTRIES_PATH: {"post": up, "get": down}, protocol.HEADS_PATH: {"post": head}}


def _directory() -> dict[str, Any]:
    current = _operation(
        "The directory, signed by the server", [*_signed(), _header("If-None-Match", _TEXT, required=False)],
        None, {
            "200": {
                "description": "The bytes", "content": _OCTETS,
                "headers": _told(protocol.HEADER_SHA256, protocol.HEADER_SIGNATURE),
            },
            "204": {"description": "There is none", "headers": _told()},
            "304": {"description": "The asker has it", "headers": _told(protocol.HEADER_SHA256, protocol.HEADER_SIGNATURE)},
        }, *_ASKER, Code.NOT_FOUND,
    )  # fmt: skip
    numbers = [_header(name, _NUMBER) for name in (protocol.HEADER_NUMBER, protocol.HEADER_BASE)]
    newer = _operation(
        "A newer directory, from the office's node", [*_signed(), *numbers, _header(protocol.HEADER_SHA256, _HASH)],
        {"required": True, "content": _OCTETS}, _json("Stored", "DirectoryState"),
        Code.MALFORMED, *_ASKER, Code.NOT_OFFICE, Code.STALE_BASE, Code.TOO_LARGE,
    )  # fmt: skip
    return {protocol.DIRECTORY_PATH: {"get": current, "put": newer}}


def _rest() -> dict[str, Any]:
    enrol = _operation(
        "Enrolment with the office's code", [_header(protocol.HEADER_SCHOOL, _NAME)], _body("EnrolRequest"),
        _json("The node is known", "EnrolAnswer"),
        Code.MALFORMED, *_ASKER, Code.WRONG_CODE, Code.OTHER_KEY, Code.TOO_LARGE,
        Code.UNSUPPORTED_ENCODING, Code.TOO_MANY_TRIES,
    )  # fmt: skip
    key = _operation(
        "A node changes its key, signed by the old and the new one", [_header(protocol.HEADER_SCHOOL, _NAME)],
        _body("KeyChange"), _json("The new key is the node's", "KeyAnswer"),
        Code.MALFORMED, *_ASKER, Code.OTHER_KEY, Code.TOO_LARGE, Code.UNSUPPORTED_ENCODING,
    )  # fmt: skip
    status = _operation(
        "How far every stream is stored; no entry's content", [_query("node", _NAME), _query("school", _NAME)], None,
        _json("Numbers and names of nodes", "ServerStatus"), Code.NOT_FOUND,
    )  # fmt: skip
    most = {"type": "integer", "minimum": 1, "maximum": protocol.MAX_RELAY_ENTRIES, "default": DEFAULT_ENTRIES}
    read = _operation(
        "Every entry in the order of storing",
        [_query("after", {**_NUMBER, "default": 0}), _query("limit", most), _query("school", _NAME)],
        None, _json("One page", "ReadPage"), Code.MALFORMED, Code.BAD_TOKEN, Code.NOT_FOUND,
    )  # fmt: skip
    read["security"] = [{"token": []}]
    events = _operation(
        "Attendance as CloudEvents 1.0", read["parameters"], None, _events(), Code.MALFORMED, Code.BAD_TOKEN, Code.NOT_FOUND
    )
    events["security"] = read["security"]
    pupils = _operation(
        "Which school number a child's number stands for", [_query("school", _NAME)], None,
        _json("All of the current directory", "PupilNumbers"), Code.BAD_TOKEN, Code.NOT_FOUND,
    )  # fmt: skip
    pupils["security"] = read["security"]
    return {
        protocol.ENROL_PATH: {"post": enrol}, protocol.KEY_PATH: {"post": key}, protocol.STATUS_PATH: {"get": status},
        READ_PATH: {"get": read}, EVENTS_PATH: {"get": events}, PUPILS_PATH: {"get": pupils},
    }  # fmt: skip


def _events() -> dict[str, Any]:
    batch = {"type": "array", "items": {"$ref": _REF.format(name="Event")}}
    headers = {HEADER_NEXT: {"schema": _NUMBER}, HEADER_MORE: {"schema": {"type": "string", "enum": [protocol.YES, "no"]}}}
    return {"200": {"description": "One page, in batched mode", "headers": headers, "content": {BATCH: {"schema": batch}}}}


def _operation(
    summary: str, parameters: list[dict[str, Any]], body: dict[str, Any] | None, answers: dict[str, Any], *refusals: Code
) -> dict[str, Any]:
    """Any request may also meet a store that cannot write now (503) and a mistake of the server's (500)."""
    by_status: dict[str, list[str]] = {"503": ["unavailable"]}
    for code in (*refusals, Code.FAILED):
        by_status.setdefault(str(int(STATUS_OF[code])), []).append(code.value)
    refused = {status: _json(", ".join(codes), "Refusal", status)[status] for status, codes in by_status.items()}
    operation = {"summary": summary, "parameters": parameters, "responses": {**answers, **refused}}
    return {**operation, "requestBody": body} if body else operation


def _signed() -> list[dict[str, Any]]:
    return [
        _header(protocol.HEADER_VERSION, {"type": "integer", "minimum": protocol.OLDEST_VERSION, "maximum": protocol.VERSION}),
        _header(protocol.HEADER_SCHOOL, _NAME), _header(protocol.HEADER_NODE, _NAME),
        _header(protocol.HEADER_SIGNATURE, _SIGNATURE),
    ]  # fmt: skip


def _header(name: str, schema: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "schema": schema}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _told(*names: str) -> dict[str, Any]:
    return {name: {"schema": _TEXT} for name in (protocol.HEADER_NUMBER, protocol.HEADER_OFFICE, *names)}


def _body(message: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": {"$ref": _REF.format(name=message)}}}}


def _json(description: str, message: str, status: str = "200") -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": _REF.format(name=message)}}}
    return {status: {"description": description, "content": content}}
