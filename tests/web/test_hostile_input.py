"""Wrong input on every endpoint of /openapi.json: one clear error each, never a 5xx, and the gate goes on."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.enrolment_office import OfficeEnrolment
from tests.cards.people_list import put_list
from tests.support.school import School
from tests.web.gate_online import DEVICE_KEY, Online, online

GARBAGE = [
    b"",
    b"act=approve&application=SQ99999&base=99999999999999999999999999999&confirm=1",
    b"act=apply&child=99999999999999999999&session_1=S1&day=9999-99-99",
    b"act=leave&child=1&session=%00&day=9999-12-31&agreement=%f0%9f",
    b"{",
    b"[]",
    b"null",
    b"true",
    b"-1",
    b'""',
    b"\xff\xfe\x00",
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b'{"children":[[]],"roster":{},"marks":[],"case":null}',
    b'{"children":[99999999999999999999999],"collector":1e400}',
    b'{"\\ud800":"\\udfff"}',
    b"a" * 70_000,
    b"a=b&c=d&token=%ff%fe&csrf=\x00",
    b'--x\r\nContent-Disposition: form-data; name="files"; filename="\xff"\r\n\r\n\x00\r\n--x--\r\n',
]
TYPES = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""]
STAFF = ("L1", "O1", "T5", "G1")
class Paths(dict[str, str]):
    """What stands in a path; a part that is new here is `x`."""

    def __missing__(self, part: str) -> str:
        return "x"


PATHS = Paths({
    "access_point": "east-in", "gate": "east", "roster": "class:primary-2022-1", "number": "3", "snapshot": "x", "child": "1",
    "pass_id": "0123456789abcdef", "kind": "png", "day": "2026-11-23", "session": "S2", "name": "x",
    "what": "notice",
})  # fmt: skip
STREAMS = ("/live", "/api/v1/stream")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    """As elsewhere, and with a people list in which the office may press what it likes."""
    folder = put_list(tmp_path_factory.mktemp("gate"))

    def desk(school: School) -> dict[str, Any]:
        return {"enrolment": OfficeEnrolment(settings=school.settings, state=folder, clock=school.clock)}

    with online(folder, more=desk) as gate:
        yield gate


@pytest.fixture(scope="module")
def document(here: Online) -> dict[str, Any]:
    described: dict[str, Any] = here.client().get("/openapi.json").json()
    return described


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]


def check(answer: httpx.Response, what: str) -> None:
    assert answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:300]}"
    if answer.status_code >= 400 and answer.headers["content-type"] == "application/json":
        sentence = answer.json()["error"]
        assert sentence, what
        assert "Traceback" not in sentence, what


@pytest.fixture(scope="module")
def everybody(here: Online) -> list[httpx.Client]:
    """Everybody who could get past a door: staff of each role, and a device."""
    return [*(here.as_staff(number) for number in STAFF), here.client(**{"X-Device-Key": DEVICE_KEY})]


def test_garbage_in_every_body_is_one_clear_error(
    here: Online, everybody: list[httpx.Client], operations: list[tuple[str, str]]
) -> None:
    posts = [path for method, path in operations if method == "POST" and path not in ("/sign-in", "/sign-out")]
    assert len(posts) > 20
    for path in posts:
        url = path.format_map(PATHS)
        for client in (everybody[0], everybody[1], everybody[-1]):
            for kind in TYPES if path.startswith("/office") else TYPES[:1]:
                for sent in GARBAGE:
                    answer = client.post(url, content=sent, headers={"content-type": kind})
                    check(answer, f"{url} {sent[:30]!r}")
                    dry_run = path == "/office/import"  # a file full of nothing is the importer's to describe
                    assert answer.status_code >= 400 or dry_run or answer.json()["outcome"] == "refused", f"{url} {sent[:40]!r}"
    assert here.tap("李雷", "east-in")["outcome"] == "granted"  # the loop goes on


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/sign-in/card"])
def test_garbage_at_the_door_is_one_clear_error(here: Online, path: str) -> None:
    client = here.client()
    for kind in TYPES:
        for sent in GARBAGE:
            answer = client.post(path, content=sent, headers={"content-type": kind})
            check(answer, f"{path} {kind} {sent[:30]!r}")


ODD = [
    "",
    "0",
    "-1",
    "99999999999999999999",
    "²",
    "../../etc/passwd",
    "%00",
    "a" * 3_000,
    "'; DROP TABLE entries;--",
    "\u202e",
    "class:",
]


def test_odd_names_in_every_path_are_one_clear_error(everybody: list[httpx.Client], operations: list[tuple[str, str]]) -> None:
    for method, path in operations:
        if "{" not in path:
            continue
        for odd in ODD:
            url = path.replace(path[path.index("{") :], odd.replace("%", "%25").replace("/", "%2F"))
            for client in everybody:
                check(client.request(method, url), f"{method} {url[:80]}")


def test_odd_questions_are_one_clear_error(everybody: list[httpx.Client], operations: list[tuple[str, str]]) -> None:
    for method, path in operations:
        if method != "GET" or path in STREAMS:
            continue
        for query in ("q=%ff%fe", "lang=%00", "done=x", "next=//x", "&&&=", "q=" + "a" * 5_000, "done=-5&done=9"):
            check(everybody[1].get(f"{path.format_map(PATHS)}?{query}"), f"{path}?{query[:30]}")


def test_every_route_refuses_other_methods(here: Online, operations: list[tuple[str, str]]) -> None:
    client = here.client()
    for path in dict.fromkeys(path.format_map(PATHS) for _, path in operations):
        methods = {method for method, pattern in operations if re.fullmatch(re.sub(r"{\w+}", "[^/]+", pattern), path)}
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} - methods:
            answer = client.request(method, path)
            assert answer.status_code in (404, 405), f"{method} {path}: {answer.status_code}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bodies_that_nearly_fit_are_never_a_fault_of_ours(
    everybody: list[httpx.Client], document: dict[str, Any], data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from([p for p in document["paths"] if p.startswith("/act/")]))
    reference = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    fields = document["components"]["schemas"][reference.rsplit("/", 1)[1]]["properties"]
    body = {name: data.draw(_nearly(schema) | json_values) for name, schema in fields.items() if data.draw(st.booleans())}
    for client in everybody[:2]:
        check(client.post(path, content=json.dumps(body), headers={"content-type": "application/json"}), f"{path} {body}")


def _nearly(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What the schema asks for, with numbers and words that mean nothing here."""
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "integer": st.integers(min_value=0, max_value=300),
        "string": st.text(max_size=20) | st.sampled_from(["east-out", "class:primary-2022-1", "present", "leave_sick"]),
        "boolean": st.booleans(),
        "array": st.lists(st.integers(min_value=0, max_value=300), max_size=3),
        "object": st.dictionaries(st.integers(min_value=0, max_value=12).map(str), st.sampled_from(["present", "x"]), max_size=3),
    }
    wanted = [one.get("type") for one in schema.get("anyOf", [schema])]
    return st.one_of([kinds[kind] for kind in wanted if kind in kinds] or [st.none()])


@pytest.mark.parametrize(
    "bytes_on_the_wire",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/v1/reads HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/v1/reads HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nX-Device-Key: " + DEVICE_KEY.encode() + b"\r\n\r\n{",
        b"POST /act/release HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /live?topic=display:east-in HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_a_line_that_talks_nonsense_or_hangs_up_harms_nobody(here: Online, bytes_on_the_wire: bytes) -> None:
    url = httpx.URL(here.base)
    for _ in range(3):
        with socket.create_connection((url.host, url.port or 0), timeout=5) as line:
            line.sendall(bytes_on_the_wire)
    assert here.client().get("/healthz").json()["ok"] is True
