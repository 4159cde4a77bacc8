"""Wrong JSON, wrong types, wrong methods, huge bodies and broken HTTP against a running gate: never a 5xx, the loop goes on.

What is sent is made from the gate's own /openapi.json, by somebody who is signed in with every role and has a device key, so
that it gets past the doors.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.hostile.conftest import Site

SEED = 20261123
STREAMS = ("/live", "/api/v1/stream")
WAITS = ("/sign-in/card",)  # for the next card at the reader of a desk that exists: waiting is its answer
OUT = ("/sign-out",)  # would end the session of whoever tries the others
BY_HAND = ("lang", "q", "topic", "next", "done", "for", "day", "period", "x")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW")
DIGITS = "9" * 5_000  # more than Python turns into a number
ODD_WORDS = (
    "",
    " ",
    "..",
    "%2e%2e%2f",
    "%00",
    "%ff%fe",
    "-1",
    "9" * 400,
    DIGITS,
    "学生",
    "a" * 2_000,
    "class:",
    "session:x",
    "null",
    "'\"<>",
)
BODIES: tuple[bytes, ...] = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"0",
    b'""',
    b"{}",
    b"\xff\xfe\x00",
    b'{"a":NaN}',
    b'{"\\ud800":"\\udfff"}',
    b"\x00" * 100,
    b'{"children":' * 3_000,
    b"[" * 10_000,
    b'{"value":"\\ud800"}',
    b'{"pin":"' + b"1" * 20_000 + b'"}',
    b"x" * 200_000,
    b'{"children":[' + b"1," * 5_000 + b"1]}",
    b'{"at":1e999999}',
    b'{"seat":' + DIGITS.encode() + b"}",
    b"a=b&c=%ff%fe&token=\x00&csrf=\xff",
    b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n\x00\r\n--x--\r\n',
)
TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "application/json; charset=\xff",
)
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    2**53,
    2**64,
    1e300,
    "",
    " ",
    "x",
    "\x00",
    "\ud7ff",
    "学" * 200,
    [],
    [1, 1],
    [None],
    {},
    {"1": "present"},
    {"x": 1},
)


@pytest.fixture(scope="module")
def everybody(site: Site) -> Iterator[httpx.Client]:
    with site.gate.signed_in("A001") as client:
        client.headers["X-Device-Key"] = site.gate.key
        yield client


@pytest.fixture(scope="module")
def document(everybody: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = everybody.get("/openapi.json").json()
    assert len(found["paths"]) > 25
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(method.upper(), path) for path, methods in document["paths"].items() for method in methods if path not in OUT]


def check(answer: httpx.Response, what: str) -> None:
    """Served or turned down; a press that fits is never more than refused."""
    assert answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:300]}"
    if answer.status_code >= 400 and answer.content and answer.headers.get("content-type") == "application/json":
        assert answer.json()["error"].strip(), what


def send(client: httpx.Client, method: str, path: str, **more: Any) -> None:
    """Streams are left as soon as they have begun, and whatever waits for a card is not waited for."""
    if path in WAITS:
        more["timeout"] = 2
    with contextlib.suppress(*((httpx.ReadTimeout,) if path in WAITS else ())), client.stream(method, path, **more) as answer:
        if path.partition("?")[0] in STREAMS and answer.status_code == 200:
            return
        answer.read()
        check(answer, f"{method} {path[:120]} {str(more)[:200]}")


def filled(path: str, word: str = "1") -> str:
    """The path with its parameters named."""
    known = {"access_point": "east-in-1", "gate": "east", "roster": "class:primary-2026-1", "number": "1", "snapshot": "x"}
    for name, usual in known.items():
        path = path.replace(f"{{{name}}}", usual if word == "1" else word)
    return path


def test_no_body_on_any_route_is_a_fault_of_ours(unharmed: Site, everybody: httpx.Client, document: dict[str, Any]) -> None:
    chance = random.Random(SEED)
    for method, path in operations(document):
        if method == "GET":
            continue
        for body in BODIES:
            kinds = (TYPES[0], chance.choice(TYPES[1:]))
            for kind in kinds:
                send(everybody, method, filled(path), content=body, headers={"Content-Type": kind.encode("latin-1")})  # type: ignore[dict-item]


def test_no_value_in_any_field_is_a_fault_of_ours(unharmed: Site, everybody: httpx.Client, document: dict[str, Any]) -> None:
    """Bodies that nearly fit: the described fields, with odd values in one or several of them."""
    chance = random.Random(SEED)
    for method, path in operations(document):
        schema = _schema(document, path, method)
        if schema is None:
            continue
        for _ in range(40):
            body = _nearly(schema, document, chance)
            send(everybody, method, filled(path), json=body)


def _schema(document: dict[str, Any], path: str, method: str) -> dict[str, Any] | None:
    content = document["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
    found = content.get("application/json", {}).get("schema")
    return _resolved(found, document) if found else None


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def _nearly(schema: dict[str, Any], document: dict[str, Any], chance: random.Random) -> Any:
    body = {name: _value(_resolved(part, document), document, chance) for name, part in schema.get("properties", {}).items()}
    for name in list(body):
        if name not in schema.get("required", ()) and chance.random() < 0.5:
            del body[name]
        elif chance.random() < 0.2:
            body[name] = chance.choice(ODD_VALUES)
    if chance.random() < 0.1:
        body["unknown"] = 1
    return body


def _value(schema: dict[str, Any], document: dict[str, Any], chance: random.Random) -> Any:
    """A value that fits its description, mostly of something that exists here."""
    if "enum" in schema:
        return chance.choice(schema["enum"])
    if "anyOf" in schema:
        return _value(_resolved(chance.choice(schema["anyOf"]), document), document, chance)
    kind = schema.get("type")
    if kind == "integer":
        return chance.choice((0, 1, 2, 3, 45, 500_001, 900_000, 910_001, max(0, schema.get("minimum", 0))))
    if kind == "boolean":
        return chance.random() < 0.5
    if kind == "array":
        item = _resolved(schema.get("items", {}) if isinstance(schema.get("items"), dict) else {"type": "integer"}, document)
        return [_value(item, document, chance) for _ in range(chance.randint(0, 3))]
    if kind == "object":
        return {str(chance.randint(1, 50)): chance.choice(("present", "late", "x"))}
    if kind == "string":
        return chance.choice(
            (
                "east-in-1",
                "east-desk",
                "class:primary-2026-1",
                "session:H1",
                "A500002A",
                "present",
                "photo",
                "x",
                "uncollected:1:2026-11-23",
            )
        )
    return None


def questions(document: dict[str, Any], path: str) -> list[tuple[str, ...]]:
    """What a page says it may be asked, each by itself, and names that it reads by hand or not at all, in one."""
    described = document["paths"][path]["get"].get("parameters", ())
    return [*((one["name"],) for one in described if one["in"] == "query"), BY_HAND]


def test_no_word_in_any_path_or_question_is_a_fault_of_ours(
    unharmed: Site, everybody: httpx.Client, document: dict[str, Any]
) -> None:
    for method, path in operations(document):
        for word in ODD_WORDS:
            if "{" in path:
                send(everybody, method, filled(path, word))
            if method == "GET":
                for names in questions(document, path):
                    send(everybody, method, f"{filled(path)}?" + "&".join(f"{name}={word}" for name in names))
    for topic in ("rosters:" + DIGITS, "rosters:-1", "rosters:٣", "roster:" + DIGITS, "display:", "answers", "duty&topic=" * 40):
        for path in STREAMS:
            send(everybody, "GET", f"{path}?topic={topic}", headers={"Last-Event-ID": f"x-{DIGITS}"})


def test_no_method_on_any_route_is_a_fault_of_ours(unharmed: Site, everybody: httpx.Client, document: dict[str, Any]) -> None:
    for path in {path for _, path in operations(document)}:
        for method in METHODS:
            send(everybody, method, filled(path))


def test_no_header_is_a_fault_of_ours(unharmed: Site, everybody: httpx.Client) -> None:
    odd = (b"", b"\xff" * 50, b"x" * 8_000, b"-1", DIGITS.encode(), b"kiosk_session=; kiosk_session=\xff", b"a=" + b"b;" * 2_000)
    for name in (
        "Cookie",
        "X-Device-Key",
        "X-CSRF-Token",
        "Accept",
        "Accept-Language",
        "Last-Event-ID",
        "Origin",
        "Content-Type",
        "If-None-Match",
        "Range",
    ):
        for value in odd:
            for method, path in (
                ("GET", "/"),
                ("GET", "/duty"),
                ("GET", "/live?topic=bar"),
                ("POST", "/act/release"),
                ("POST", "/api/v1/reads"),
                ("GET", "/static/base.css"),
            ):
                send(everybody, method, path, headers={name: value})  # type: ignore[dict-item]


def test_lines_that_are_no_http_harm_nobody(unharmed: Site) -> None:
    """Garbage, half requests, lies about the length, and many open lines that never ask anything."""
    chance, port = random.Random(SEED), unharmed.gate.port
    lies = b"POST /api/v1/reads HTTP/1.1\r\nHost: x\r\nX-Device-Key: " + unharmed.gate.key.encode() + b"\r\nContent-Length: "
    pieces = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),  # a browser that insists on https
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"\r\n" * 2_000,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        lies + b"100\r\n\r\n{",
        lies + b"-5\r\n\r\n{}",
        lies + DIGITS.encode() + b"\r\n\r\n{}",
        lies + b"5\r\nContent-Length: 6\r\n\r\n{}",
        lies + b"99999999\r\n\r\n" + b"x" * 100_000,
        *(bytes(chance.randrange(256) for _ in range(300)) for _ in range(20)),
    ]
    silent = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(50)]
    for piece in pieces:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
            try:
                line.sendall(piece)
                line.shutdown(socket.SHUT_WR)
                answer = line.recv(4_096)
            except (ConnectionError, TimeoutError):
                continue
            assert not answer.startswith(b"HTTP/1.1 5"), (piece[:80], answer[:200])
    unharmed.still_works()
    for line in silent:
        line.close()


def test_an_upload_of_garbage_is_one_clear_problem(unharmed: Site, everybody: httpx.Client) -> None:
    """The office's own way in; the files of test_files go through the command line."""
    for name, data in (
        ("a.csv", b"\x00\xff" * 5_000),
        ("b.xlsx", b"PK\x03\x04" + b"\x00" * 900),
        ("c.xlsx", b"%PDF-1.7"),
        ("学生.csv", b""),
    ):
        csrf = everybody.headers["X-CSRF-Token"]
        answer = everybody.post(
            "/office/import", files={"files": (name, data)}, data={"csrf": csrf}, headers={"Accept": "application/json"}
        )
        check(answer, name)
        if answer.status_code == 200:
            told = json.loads(answer.content)
            assert len(told["problems"]) == 1 and not told["token"], told
