"""The school server's HTTP face: routes of sync protocol 1, the status page, and a small read API.

It reads requests, asks the store in a worker thread, and writes answers. Every wrong request gets one 4xx sentence;
a full disk is 503 with Retry-After; 500 means a mistake of ours, and the sender then looks for the entry behind it.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Final

import msgspec
import zstandard
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sync_agent import protocol
from sync_agent.keys import SigningKey
from sync_agent.protocol import Code, MalformedMessage
from sync_agent.school_server import (
    cloud_events,
    countersigning,
    description,
    enrolling,
    page,
    pupil_numbers,
    read_api,
    receiving,
    relaying,
    requests,
)
from sync_agent.school_server.announced import Announced
from sync_agent.school_server.delivery import DeliveryState
from sync_agent.school_server.refusals import Refused, json_response, respond
from sync_agent.school_server.settings import ServerSettings
from sync_agent.school_server.store import Store, StoredDirectory, StoreUnavailable, Totals

RETRY_AFTER_S: Final = 5  # when the store cannot be written
PACK_ABOVE_BYTES: Final = 1_024
ZSTD_LEVEL: Final = 1
_PRIVATE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

log = logging.getLogger(__name__)


class SchoolServer:
    """The handlers. now_ms: the server's clock, for people. run: a new word at every start."""

    def __init__(
        self,
        store: Store,
        settings: ServerSettings,
        *,
        key: SigningKey,
        now_ms: Callable[[], int],
        monotonic_s: Callable[[], float],
        deliveries: Mapping[str, DeliveryState],
    ) -> None:
        self._deliveries = deliveries
        self._store, self._settings, self._key, self._now_ms = store, settings, key, now_ms
        # One each: who guesses at one school's code must not shut the door of another.
        self._doorkeepers = {name: enrolling.Doorkeeper(monotonic_s=monotonic_s) for name in settings.school_names}
        self._contact_ms: dict[tuple[str, str], int] = {}
        self._waiting: dict[tuple[str, str], int] = {}
        self._run = secrets.token_hex(8)
        self._announced = Announced(self._run)

    async def post_entries(self, request: Request) -> Response:
        school = self._spoken_to(request)
        body = await requests.read_message(request)
        received = await run_in_threadpool(receiving.receive, self._store, body, school=school, at_ms=self._now_ms())
        self._contact_ms[school, received.node] = self._now_ms()
        self._waiting[school, received.node] = received.waiting
        self._announced.hear(school, received.ahead)
        self._announced.stored(school, received.node, received.incarnation, received.answer.durable_through)
        return json_response(received.answer)

    async def post_head(self, request: Request) -> Response:
        school = self._spoken_to(request)
        body = await requests.read_message(request)
        answer = await run_in_threadpool(
            countersigning.countersign, self._store, body, school=school, key=self._key, at_ms=self._now_ms()
        )
        return json_response(answer)

    async def get_entries(self, request: Request) -> Response:
        school = self._spoken_to(request)
        asker = await run_in_threadpool(requests.signed_by, request, self._store, school=school)
        self._contact_ms[school, asker.node] = self._now_ms()
        have = _have(request.query_params.get("have", ""))
        ahead, word, much = self._announced.since(
            school, asker=asker.node, word=request.query_params.get("ahead", ""), have=have
        )
        room = protocol.MAX_RELAY_ENTRIES - len(ahead)
        segments, more = await run_in_threadpool(
            relaying.missing_segments, self._store, school=school, asker=asker.node, have=have, room=room
        )
        nodes = await run_in_threadpool(self._nodes, school)
        relay = protocol.Relay(
            segments=segments, more=more or much, server_now_ms=self._now_ms(), nodes=nodes, ahead=ahead, ahead_next=word
        )
        return _packed(request, msgspec.json.encode(relay))

    async def get_directory(self, request: Request) -> Response:
        school = self._spoken_to(request)
        asker = await run_in_threadpool(requests.signed_by, request, self._store, school=school)
        self._contact_ms[school, asker.node] = self._now_ms()
        found = await run_in_threadpool(self._store.directory_state, school=school)
        headers = {
            **_PRIVATE,
            protocol.HEADER_VERSION: str(protocol.VERSION),
            protocol.HEADER_NUMBER: str(found.number if found else 0),
            protocol.HEADER_OFFICE: protocol.YES if self._is_office(asker) else "no",
        }
        if found is None:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
        text = protocol.directory_text(school=school, number=found.number, sha256=found.sha256)
        headers |= {
            "ETag": f'"{found.sha256}"',
            protocol.HEADER_SHA256: found.sha256,
            protocol.HEADER_SIGNATURE: self._key.sign(text),
        }
        if request.headers.get("If-None-Match", "").strip().removeprefix("W/").strip('"') == found.sha256:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        content = await run_in_threadpool(self._store.directory_content, school=school, number=found.number)
        if content is None:
            raise Refused(Code.NOT_FOUND, f"directory {found.number} was superseded at this moment; ask again")
        return Response(content, headers=headers, media_type="application/octet-stream")

    async def put_directory(self, request: Request) -> Response:
        school = self._spoken_to(request)
        number, base = _header_number(request, protocol.HEADER_NUMBER), _header_number(request, protocol.HEADER_BASE)
        sha256 = _header_sha256(request)
        asker = await run_in_threadpool(
            requests.signed_by,
            request,
            self._store,
            school=school,
            body_sha256=sha256,
            extra=(str(number), str(base)),
        )
        self._contact_ms[school, asker.node] = self._now_ms()
        if not self._is_office(asker):
            raise Refused(Code.NOT_OFFICE, f"node {asker.node} is not the office of school {school}; import there")
        if number <= base:
            raise Refused(Code.MALFORMED, f"{protocol.HEADER_NUMBER} {number} must be above its base {base}")
        content = await requests.read_body(request, most_bytes=protocol.MAX_DIRECTORY_BYTES)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise Refused(Code.MALFORMED, f"the body does not match {protocol.HEADER_SHA256}; send it again")
        directory = StoredDirectory(number=number, sha256=sha256, content=content, node=asker.node)
        current = await run_in_threadpool(self._store.put_directory, directory, school=school, base=base, at_ms=self._now_ms())
        if current is not None:
            raise Refused(Code.STALE_BASE, f"the current directory is {current}, not {base}; look at it first", number=current)
        return json_response(protocol.DirectoryState(number=number, sha256=sha256))

    async def post_enrol(self, request: Request) -> Response:
        school = self._spoken_to(request)
        wish = enrolling.read_request(await requests.read_message(request))
        of_school, door = self._settings.schools[school], self._doorkeepers[school]
        await run_in_threadpool(enrolling.enrol, self._store, door, of_school, wish, school=school, at_ms=self._now_ms())
        log.info("node %s is enrolled in school %s", wish.node, school)
        answer = protocol.EnrolAnswer(
            school=school, node=wish.node, office=wish.node in of_school.office, server_key=self._key.public_hex
        )
        return json_response(answer)

    async def post_key(self, request: Request) -> Response:
        school = self._spoken_to(request)
        body = await requests.read_message(request)
        answer = await run_in_threadpool(enrolling.change_key, self._store, body, school=school, at_ms=self._now_ms())
        return json_response(answer)

    async def get_status(self, request: Request) -> Response:
        node = request.query_params.get("node")
        return json_response(await run_in_threadpool(self._status, self._school_asked_for(request), node))

    async def get_page(self, request: Request) -> Response:
        headers = {**_PRIVATE, "Content-Security-Policy": page.CONTENT_SECURITY_POLICY}
        if len(self._settings.schools) > 1 and "school" not in request.query_params:
            totals = await run_in_threadpool(self._all_totals)
            return Response(page.render_schools(totals), headers=headers, media_type="text/html; charset=utf-8")
        school = self._school_asked_for(request)
        status = await run_in_threadpool(self._status, school, None)
        aside = await run_in_threadpool(self._store.set_aside, school=school, most=page.SET_ASIDE_SHOWN)
        refused = await run_in_threadpool(self._store.refused_events, school=school, most=page.SET_ASIDE_SHOWN)
        telling = page.telling(self._deliveries.get(school), refused, status.server_now_ms)
        return Response(page.render(status, aside, telling), headers=headers, media_type="text/html; charset=utf-8")

    async def read_entries(self, request: Request) -> Response:
        school, after, most = self._reader(request)
        body = await run_in_threadpool(read_api.read_page, self._store, school=school, after=after, most=most)
        return _packed(request, msgspec.json.encode(body))

    async def read_events(self, request: Request) -> Response:
        school, after, most = self._reader(request)
        found = await run_in_threadpool(read_api.event_page, self._store, school=school, after=after, most=most)
        headers = {**_PRIVATE, read_api.HEADER_NEXT: str(found.next), read_api.HEADER_MORE: protocol.YES if found.more else "no"}
        return Response(found.events, headers=headers, media_type=cloud_events.BATCH)

    async def read_pupils(self, request: Request) -> Response:
        school = self._school_asked_for(request)
        tokens = (self._settings.schools[school].pupils_token,)
        read_api.check_token(request.headers.get("Authorization", ""), tokens=tokens)
        found = await run_in_threadpool(pupil_numbers.read_pupils, self._store, school=school)
        return _packed(request, msgspec.json.encode(found))

    async def get_document(self, request: Request) -> Response:
        document = msgspec.json.encode(description.describe())
        return Response(document, headers=_PRIVATE, media_type="application/json")

    async def health(self, request: Request) -> Response:
        await run_in_threadpool(self._store.nodes, school=self._settings.school_names[0])
        return Response(b'{"ok":true}', media_type="application/json")

    def _reader(self, request: Request) -> tuple[str, int, int]:
        """School, after and limit of a request that bears the right token."""
        school = self._school_asked_for(request)
        tokens = (self._settings.schools[school].read_token, self._settings.read_token)
        read_api.check_token(request.headers.get("Authorization", ""), tokens=tokens)
        after = _number(request.query_params.get("after", "0"), where="after")
        return school, after, _number(request.query_params.get("limit", str(read_api.DEFAULT_ENTRIES)), where="limit")

    def _spoken_to(self, request: Request) -> str:
        requests.check_version(request)
        return requests.school_of(request, self._settings.school_names)

    def _is_office(self, asker: requests.Asker) -> bool:
        return asker.node in self._settings.schools[asker.school].office

    def _school_asked_for(self, request: Request) -> str:
        """By parameter or header; a server with one school needs neither."""
        names = self._settings.school_names
        only = names[0] if len(names) == 1 else ""
        name = request.query_params.get("school") or request.headers.get(protocol.HEADER_SCHOOL) or only
        if name not in names:
            raise Refused(Code.NOT_FOUND, "say which school with ?school=; it must be one that is served here")
        return name

    def _status(self, school: str, node: str | None) -> protocol.ServerStatus:
        totals = self._store.totals(school=school)
        directory = self._store.directory_state(school=school)
        streams = [
            protocol.StreamState(
                node=row.node,
                incarnation=row.incarnation,
                durable_through=row.durable_through,
                quarantined=row.quarantined,
                forked=row.branched,
                last_received_ms=row.last_received_ms,
            )
            for row in self._store.streams(school=school, node=node)
        ]
        return protocol.ServerStatus(
            versions=list(range(protocol.OLDEST_VERSION, protocol.VERSION + 1)),
            run=self._run,
            school=school,
            server_now_ms=self._now_ms(),
            streams=streams,
            nodes=self._nodes(school),
            entries=totals.entries,
            quarantined=totals.quarantined,
            forks=totals.forks,
            directory=directory,
            store=self._store.kind,
        )

    def _all_totals(self) -> dict[str, Totals]:
        return {name: self._store.totals(school=name) for name in self._settings.school_names}

    def _nodes(self, school: str) -> list[protocol.NodeSeen]:
        forked: dict[str, list[str]] = {}
        for stream in self._store.streams(school=school):
            if stream.branched:
                forked.setdefault(stream.node, []).append(stream.incarnation)
        return [
            protocol.NodeSeen(
                node=node.node,
                last_contact_ms=self._contact_ms.get((school, node.node)),
                waiting=self._waiting.get((school, node.node), 0),
                revoked_ms=node.revoked_ms,
                forked=sorted(forked[node.node]) if node.node in forked else msgspec.UNSET,
            )
            for node in self._store.nodes(school=school)
        ]


def create_app(
    store: Store,
    settings: ServerSettings,
    *,
    key: SigningKey,
    now_ms: Callable[[], int],
    monotonic_s: Callable[[], float],
    deliveries: Mapping[str, DeliveryState] | None = None,
    beside: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None,
) -> Starlette:
    """The ASGI application. The caller opens and closes the store. deliveries: by school, for the status page.

    beside: what runs for as long as it does.
    """
    server = SchoolServer(store, settings, key=key, now_ms=now_ms, monotonic_s=monotonic_s, deliveries=deliveries or {})
    return Starlette(
        lifespan=beside,
        routes=[
            Route(protocol.ENTRIES_PATH, server.post_entries, methods=["POST"]),
            Route(protocol.ENTRIES_PATH, server.get_entries, methods=["GET"]),
            Route(protocol.HEADS_PATH, server.post_head, methods=["POST"]),
            Route(protocol.DIRECTORY_PATH, server.get_directory, methods=["GET"]),
            Route(protocol.DIRECTORY_PATH, server.put_directory, methods=["PUT"]),
            Route(protocol.ENROL_PATH, server.post_enrol, methods=["POST"]),
            Route(protocol.KEY_PATH, server.post_key, methods=["POST"]),
            Route(protocol.STATUS_PATH, server.get_status, methods=["GET"]),
            Route(description.READ_PATH, server.read_entries, methods=["GET"]),
            Route(description.EVENTS_PATH, server.read_events, methods=["GET"]),
            Route(description.PUPILS_PATH, server.read_pupils, methods=["GET"]),
            Route(description.DOCUMENT_PATH, server.get_document, methods=["GET"]),
            Route("/healthz", server.health, methods=["GET"]),
            Route("/", server.get_page, methods=["GET"]),
        ],
        exception_handlers={
            Refused: _on_refused,
            StoreUnavailable: _on_store_unavailable,
            HTTPException: _on_http_exception,
            Exception: _on_mistake,
        },
    )


async def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return respond(error)


async def _on_store_unavailable(request: Request, error: Exception) -> Response:
    log.error("%s", error)
    body = protocol.Refusal(error="unavailable", message=str(error))
    return json_response(body, status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": str(RETRY_AFTER_S)})


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return respond(Refused(Code.METHOD_NOT_ALLOWED, f"{request.method} is not for {request.url.path}"))
    return respond(Refused(Code.NOT_FOUND, f"there is nothing at {request.url.path[:200]}"))


async def _on_mistake(request: Request, error: Exception) -> Response:
    return respond(Refused(Code.FAILED, f"the server broke on this request ({type(error).__name__}); its log has the details"))


def _packed(request: Request, body: bytes) -> Response:
    headers = {**_PRIVATE, protocol.HEADER_VERSION: str(protocol.VERSION)}
    if len(body) >= PACK_ABOVE_BYTES and "zstd" in request.headers.get("Accept-Encoding", ""):
        body = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body)
        headers["Content-Encoding"] = "zstd"
    return Response(body, headers=headers, media_type="application/json")


def _have(text: str) -> dict[tuple[str, str], int]:
    try:
        return protocol.read_have(text)
    except MalformedMessage as error:
        raise Refused(Code.MALFORMED, str(error)) from error


def _number(text: str, *, where: str) -> int:
    try:
        return protocol.read_number(text, where=where)
    except MalformedMessage as error:
        raise Refused(Code.MALFORMED, str(error)) from error


def _header_number(request: Request, name: str) -> int:
    return _number(request.headers.get(name, ""), where=name)


def _header_sha256(request: Request) -> str:
    text = request.headers.get(protocol.HEADER_SHA256, "")
    try:
        return protocol.hash_bytes(text, where=protocol.HEADER_SHA256).hex()
    except MalformedMessage as error:
        raise Refused(Code.MALFORMED, str(error)) from error
