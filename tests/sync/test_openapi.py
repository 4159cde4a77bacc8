"""`/openapi.json` of the school server is valid OpenAPI, names every route, and says what the server really answers."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from sync_agent import protocol
from sync_agent.school_server.description import DOCUMENT_PATH, READ_PATH, describe
from tests.support.sync_world import CODE, SCHOOL, TOKEN, Gate, SyncWorld
from tests.sync.test_protocol_page import block

PLAIN = {protocol.HEADER_VERSION: "1", protocol.HEADER_SCHOOL: SCHOOL}
OWN_ROUTES = {"/healthz", "/", DOCUMENT_PATH}  # not of the protocol


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe()


def held_against(document: dict[str, Any], method: str, path: str, answer: httpx.Response) -> None:
    """The status is one that the document names for this route, and the body has the shape that it gives."""
    told = document["paths"][path][method.lower()]["responses"]
    assert str(answer.status_code) in told, (method, path, answer.status_code, answer.text)
    content = told[str(answer.status_code)].get("content", {})
    if "application/json" in content:
        schema = {**content["application/json"]["schema"], "components": document["components"]}
        Draft202012Validator(schema).validate(answer.json())
        assert answer.headers["content-type"] == "application/json"


def signed(gate: Gate, method: str, target: str, body: bytes = b"", *extra: str) -> dict[str, str]:
    text = protocol.request_text(
        method=method, target=target, school=SCHOOL, node=gate.node, body_sha256=hashlib.sha256(body).hexdigest(), extra=extra
    )
    return {**PLAIN, protocol.HEADER_NODE: gate.node, protocol.HEADER_SIGNATURE: gate.key().sign(text)}


def test_it_is_valid_and_names_every_route_of_the_server(world: SyncWorld, document: dict[str, Any]) -> None:
    validate(document)
    served = {(route.path, m) for route in world.server.app.routes for m in getattr(route, "methods", ()) if m != "HEAD"}
    named = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    assert {(path, method) for path, method in served if path not in OWN_ROUTES} == named
    answer = world.ask("GET", DOCUMENT_PATH)
    assert answer.json() == msgspec.json.decode(msgspec.json.encode(document))


def test_every_message_of_a_day_has_the_shape_that_it_gives(world: SyncWorld, document: dict[str, Any]) -> None:
    south, north = world.gate("south"), world.gate("north")
    south.journal.write(4)
    world.run(south.drain())
    have = f"{protocol.ENTRIES_PATH}?have="
    token = {"Authorization": f"Bearer {TOKEN}"}
    content = b"a list of people"
    number, base, digest = "1", "0", hashlib.sha256(content).hexdigest()
    put = {
        **signed(south, "PUT", protocol.DIRECTORY_PATH, content, number, base), protocol.HEADER_NUMBER: number,
        protocol.HEADER_BASE: base, protocol.HEADER_SHA256: digest,
    }  # fmt: skip
    enrol = {"node": "west", "public_key": "ab" * 32, "code": CODE}
    asked: list[tuple[str, str, int, dict[str, Any]]] = [
        ("GET", protocol.DIRECTORY_PATH, 204, {"headers": signed(south, "GET", protocol.DIRECTORY_PATH)}),
        ("PUT", protocol.DIRECTORY_PATH, 200, {"headers": put, "content": content}),
        ("PUT", protocol.DIRECTORY_PATH, 409, {"headers": put, "content": content}),
        ("GET", protocol.DIRECTORY_PATH, 200, {"headers": signed(south, "GET", protocol.DIRECTORY_PATH)}),
        ("GET", have, 200, {"headers": signed(north, "GET", have)}),
        ("GET", have, 401, {"headers": {**signed(north, "GET", have), protocol.HEADER_NODE: "south"}}),
        ("GET", protocol.STATUS_PATH, 200, {}),
        ("GET", f"{protocol.STATUS_PATH}?school=elsewhere", 404, {"headers": {}}),
        ("GET", f"{READ_PATH}?limit=2", 200, {"headers": token}),
        ("GET", READ_PATH, 401, {}),
        ("GET", f"{READ_PATH}?after=x", 400, {"headers": token}),
        ("POST", protocol.ENROL_PATH, 200, {"json": enrol}),
        ("POST", protocol.ENROL_PATH, 409, {"json": {**enrol, "public_key": "cd" * 32}}),
        ("POST", protocol.ENROL_PATH, 403, {"json": {**enrol, "node": "nobody", "code": "guess"}}),
        ("POST", protocol.ENTRIES_PATH, 400, {"content": b"{"}),
        ("POST", protocol.ENTRIES_PATH, 401, {"content": block("golden-batch").encode()}),
        ("POST", protocol.ENTRIES_PATH, 400, {"content": b"{}", "headers": {protocol.HEADER_SCHOOL: SCHOOL}}),
        ("POST", protocol.ENTRIES_PATH, 415, {"content": b"x", "headers": {**PLAIN, "Content-Encoding": "br"}}),
    ]
    for method, target, status, more in asked:
        answer = world.ask(method, target, **more)
        assert answer.status_code == status, (method, target, answer.text)
        held_against(document, method, target.partition("?")[0], answer)


@pytest.mark.parametrize(("name", "message"), [("golden-batch", "Batch"), ("golden-answer", "BatchAnswer")])
def test_the_golden_messages_of_the_page_have_the_shapes_that_it_gives(document: dict[str, Any], name: str, message: str) -> None:
    schema = {"$ref": f"#/components/schemas/{message}", "components": document["components"]}
    Draft202012Validator(schema).validate(msgspec.json.decode(block(name)))


@pytest.mark.parametrize("wrong", ['"node":"south gate"', '"first_seq":-1', '"prev_hash":"xyz"', '"signature":"00"'])
def test_what_the_server_would_refuse_does_not_pass_the_schema_either(document: dict[str, Any], wrong: str) -> None:
    batch = msgspec.json.decode(block("golden-batch"))
    name, value = next(iter(msgspec.json.decode("{" + wrong + "}").items()))
    schema = {"$ref": "#/components/schemas/Batch", "components": document["components"]}
    assert not Draft202012Validator(schema).is_valid({**batch, name: value})
