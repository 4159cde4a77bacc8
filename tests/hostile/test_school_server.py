"""Garbage at every door of a running school server: never a 5xx, nothing stored, and a gate's entries still arrive once.

The store's own rules are tried in tests/sync; here the whole process is, from outside.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync_agent import protocol
from tests.support.journals import GateJournal
from tests.support.plain_http import http_client
from tests.support.sync_processes import TOKEN, AgentProcess, ServerProcess, wait_until

SEED = 20261123
DIGITS = "9" * 5_000
PATHS = (
    protocol.ENTRIES_PATH,
    protocol.DIRECTORY_PATH,
    protocol.ENROL_PATH,
    protocol.STATUS_PATH,
    "/api/v1/entries",
    "/healthz",
    "/",
    "/openapi.json",
    "/nowhere",
    "/sync/v1/",
    "/sync/v2/entries",
    "//",
    "/%2e%2e/%2e%2e/etc/passwd",
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW")
BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"0",
    b"{}",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"node":' * 5_000,
    b'{"node":"\\ud800"}',
    b'{"node":"south","incarnation":"x","first_seq":-1,"prev_hash":"","entries":[],"head_hash":"","signature":""}',
    b'{"node":"south","incarnation":"x","first_seq":'
    + DIGITS.encode()
    + b',"prev_hash":"","entries":[],"head_hash":"","signature":""}',
    b'{"node":"'
    + b"n" * 70_000
    + b'","incarnation":"x","first_seq":1,"prev_hash":"","entries":[{}],"head_hash":"","signature":"zz"}',
    b'{"node":"south","code":"' + b"0" * 10_000 + b'","public_key":"00"}',
    b'{"node":"../..","code":"7-otters-2","public_key":"zz"}',
    b'{"node":"south","code":"7-otters-2","public_key":"' + b"0" * 64 + b'"}',
    b"\x28\xb5\x2f\xfd" + b"\x00" * 50,
    b"x" * 100_000,
)
QUERIES = (
    "",
    "?have=" + "a/b:1," * 100,
    f"?have=east/x:{DIGITS}",
    "?after=-1&limit=x",
    f"?after={DIGITS}",
    f"?limit={DIGITS}",
    "?school=%00",
    "?node=%ff",
)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {protocol.HEADER_VERSION: "x"},
    {protocol.HEADER_VERSION: DIGITS},
    {protocol.HEADER_NODE: "south", protocol.HEADER_SIGNATURE: "0" * 128},
    {protocol.HEADER_NODE: "\x7f" * 200},
    {"Content-Encoding": "zstd"},
    {"Content-Encoding": "br, zstd, gzip"},
    {"Content-Length": "0"},
    {protocol.HEADER_NUMBER: DIGITS, protocol.HEADER_BASE: "-1", protocol.HEADER_SHA256: "0" * 64},
    {"Authorization": "Bearer \x7f"},
    {"If-None-Match": '"' + "x" * 5_000},
    {"Accept-Encoding": "zstd;q=x"},
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    one = ServerProcess(tmp_path_factory.mktemp("school server"))
    yield one
    one.close()


@pytest.fixture
def unharmed(server: ServerProcess, tmp_path: Path) -> Iterator[ServerProcess]:
    before = server.status()["entries"]
    yield server
    assert server.process.popen.poll() is None, "the server ended"
    assert server.status()["entries"] == before, "garbage was stored"
    said = server.process.log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in said, said[-3000:]


def check(answer: httpx.Response, what: str) -> None:
    assert answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:300]}"
    if answer.status_code >= 400 and answer.content and answer.headers.get("content-type") == "application/json":
        assert answer.json()["message"].strip(), what


def test_nothing_that_is_sent_is_a_fault_of_ours(unharmed: ServerProcess) -> None:
    chance = random.Random(SEED)
    usual = {protocol.HEADER_VERSION: "1", protocol.HEADER_SCHOOL: "school", "Authorization": f"Bearer {TOKEN}"}
    with http_client(unharmed.url, timeout=20) as client:
        for path in PATHS:
            for method in METHODS:
                check(client.request(method, path, headers=usual), f"{method} {path}")
            for query in QUERIES:
                check(client.get(path + query, headers=usual), path + query[:50])
            for body in BODIES:
                for method in ("POST", "PUT"):
                    headers = {**usual, **chance.choice(HEADERS[:7])}
                    check(client.request(method, path, content=body, headers=headers), f"{method} {path} {body[:60]!r} {headers}")
            for headers in HEADERS:
                given: dict[str, Any] = {k: v.encode("latin-1") for k, v in {**usual, **headers}.items()}
                check(client.get(path, headers=given), f"{path} {headers}")


def test_lines_that_are_no_http_harm_nobody(unharmed: ServerProcess) -> None:
    chance = random.Random(SEED)
    post = f"POST {protocol.ENTRIES_PATH} HTTP/1.1\r\nHost: x\r\n".encode()
    pieces = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"GET\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        post + b"Content-Length: 50\r\n\r\n{",
        post + b"Content-Length: -1\r\n\r\n",
        post + b"Content-Length: " + DIGITS.encode() + b"\r\n\r\n",
        post + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        *(bytes(chance.randrange(256) for _ in range(300)) for _ in range(20)),
    ]
    for piece in pieces:
        with socket.create_connection(("127.0.0.1", unharmed.port), timeout=10) as line:
            try:
                line.sendall(piece)
                line.shutdown(socket.SHUT_WR)
                answer = line.recv(4_096)
            except (ConnectionError, TimeoutError):
                continue
            assert not answer.startswith(b"HTTP/1.1 5"), (piece[:80], answer[:200])


def test_after_all_that_a_gate_is_served_as_ever(server: ServerProcess, tmp_path: Path) -> None:
    gate = GateJournal(tmp_path / "north", "north")
    gate.write(30)
    agent = AgentProcess(gate, server.url)
    try:
        wait_until(lambda: server.has(gate), "every entry is at the server once")
    finally:
        agent.process.end()
        gate.close()
