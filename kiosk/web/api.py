"""The machine's side: reads from network readers, the event stream, health, metrics.

`POST /api/v1/reads` is the one route that comes by the thousand, so it is plain ASGI with msgspec: decode, check the
key, put one command, wait for one future, encode. It answers after the entry is durable, never before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kiosk.clock import steady_s
from kiosk.core.card_numbers import is_random_uid
from kiosk.core.commands import Read
from kiosk.core.decisions import Answer
from kiosk.core.passes import MAX_CHARS as MAX_PASS_CHARS
from kiosk.core.roster import BarQuery
from kiosk.web import faces
from kiosk.web.callers import caller, lang_of, may_watch
from kiosk.web.forms import Data, Pieces
from kiosk.web.live import topics_of
from kiosk.web.metrics import CONTENT_TYPE
from kiosk.web.parts import Web
from kiosk.web.raw import JSON_BODY_MAX_BYTES, answer_json, read_body, sentence_for
from kiosk.web.refusals import Malformed, NoSuchThing, NotAllowed, NotSignedIn, Refusal
from kiosk.web.topics import ANSWERS

KEY_HEADER = b"x-device-key"
MAX_KEY_BYTES = 256
MAX_KNOWN_KEYS = 256  # keys whose digest is remembered, so that a busy reader is not hashed each time

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class ReadBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A read from a network reader. read_at: ISO 8601 with offset, or milliseconds since 1970 UTC."""

    access_point: Text
    scheme: Literal["uid", "em4100", "number", "qr"]
    value: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PASS_CHARS)]  # the longest is a delegate's pass
    read_at: Annotated[datetime, msgspec.Meta(tz=True)] | Annotated[int, msgspec.Meta(ge=0, le=1 << 47)] | None = None
    nonce: Annotated[str, msgspec.Meta(max_length=64)] = ""


class EntryOut(msgspec.Struct, frozen=True):
    node: str
    incarnation: str
    seq: int


class ReadAnswer(msgspec.Struct, frozen=True):
    """outcome: granted, refused or ask_guard. entry: what was recorded, null when nothing new was."""

    outcome: str
    reason: str
    entry: EntryOut | None
    display: dict[str, Any]


class Reads:
    """`POST /api/v1/reads`."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._decode = msgspec.json.Decoder(ReadBody).decode
        self._encode = msgspec.json.Encoder().encode
        self._keys = DeviceKeys(web.gate.device_keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began_s = steady_s()
        metrics = self._web.metrics
        try:
            allowed = self._keys.access_points(scope)
            command = self._command(await read_body(scope, receive, JSON_BODY_MAX_BYTES), allowed)
            answer: Answer = await self._web.bridge.ask(command)
        except Refusal:
            metrics.turned_away.inc()
            raise
        await answer_json(send, self._encode(self._told(answer, command.access_point)))
        metrics.read[answer.decision.outcome.value].inc()
        metrics.read_s.observe(steady_s() - began_s)

    def _command(self, body: bytes, allowed: frozenset[str]) -> Read:
        try:
            read = self._decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Malformed(sentence_for(error)) from error
        if read.access_point not in self._web.gate.rules.access_points:
            raise NoSuchThing(f"There is no access point {read.access_point[:80]!r}; see access_points in school.toml.")
        if allowed and read.access_point not in allowed:
            raise NotAllowed(f"This device key may not read for {read.access_point!r}.")
        at = read.read_at
        return Read(
            access_point=read.access_point,
            scheme=read.scheme,
            value=read.value,
            random_uid=read.scheme == "uid" and is_random_uid(read.value),
            read_at_ms=round(at.timestamp() * 1000) if isinstance(at, datetime) else at,
            nonce=read.nonce,
        )

    def _told(self, answer: Answer, access_point: str) -> ReadAnswer:
        decision, entry = answer.decision, answer.entry
        gate = self._web.gate
        return ReadAnswer(
            outcome=decision.outcome.value,
            reason=decision.reason.value,
            entry=EntryOut(entry.node, entry.incarnation, entry.seq) if entry else None,
            display=faces.answer(decision, gate.directory(), answer.at_ms, gate.rules.access_points[access_point]),
        )


class DeviceKeys:
    """Keys are stored as SHA-256; a key that was right is remembered, so that the hash is paid once."""

    def __init__(self, by_hash: Mapping[str, frozenset[str]]) -> None:
        self._by_hash = by_hash
        self._known: dict[bytes, frozenset[str]] = {}

    def access_points(self, scope: Scope) -> frozenset[str]:
        """The access points that the request's key may read for, empty = all. Raises NotSignedIn."""
        for name, value in scope["headers"]:
            if name == KEY_HEADER:
                known = self._known.get(value)
                return known if known is not None else self._look_up(value)
        raise NotSignedIn("Send this reader's device key in the X-Device-Key header.")

    def _look_up(self, key: bytes) -> frozenset[str]:
        allowed = self._by_hash.get(hashlib.sha256(key).hexdigest()) if len(key) <= MAX_KEY_BYTES else None
        if allowed is None:
            raise NotSignedIn("This X-Device-Key is not known here; enrol the reader again in the office.")
        if len(self._known) < MAX_KNOWN_KEYS:
            self._known[key] = allowed
        return allowed


class LivePage:
    """`GET /live`: HTML pieces for the pages of this gate, by the browser's session."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        topics = topics_of(scope)
        if not topics:
            raise Malformed("Name at least one topic: /live?topic=bar.")
        found = caller(self._web, scope)
        allowed = may_watch(self._web, topics, found)
        form = Pieces(lang_of(Request(scope)), masked=found is not None and found.only_inspects)
        if found is not None:  # a list of rosters begins with one's own
            topics = tuple(f"rosters:{found.staff.number}" if topic == "rosters" else topic for topic in topics)
        await self._web.live.serve(scope, receive, send, topics=topics, form=form, allowed=allowed)


class Stream:
    """`GET /api/v1/stream`: the same events as data, by device key (public topics) or session."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._keys = DeviceKeys(web.gate.device_keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = caller(self._web, scope)
        if found is None:
            self._keys.access_points(scope)
        topics = topics_of(scope) or (ANSWERS,)
        watched = tuple(topic for topic in topics if found is not None or topic != ANSWERS)
        allowed = may_watch(self._web, watched, found)
        form = Data(masked=found is not None and found.only_inspects)
        await self._web.live.serve(scope, receive, send, topics=topics, form=form, allowed=allowed)


def routes(web: Web) -> APIRouter:
    """Health and metrics; the rest of this module is mounted as it is."""
    router = APIRouter()

    @router.get("/healthz", tags=["machine"], summary="200 while this gate decides; ok says whether it can save")
    async def health(request: Request) -> Response:
        bar = await web.bridge.look(BarQuery())
        body = {"ok": bar.can_save, "node": bar.node, "can_save": bar.can_save, "clock_trusted": bar.clock_trusted,
                "online": bar.online, "waiting": bar.waiting, "directory": bar.directory_number,
                "disk": bar.disk, "disk_percent": bar.disk_percent}  # fmt: skip
        return Response(msgspec.json.encode(body), media_type="application/json", headers={"cache-control": "no-store"})

    @router.get("/metrics", tags=["machine"], summary="Prometheus metrics")
    async def metrics(request: Request) -> Response:
        bar = await web.bridge.look(BarQuery())
        figures = web.metrics
        figures.pages.set(web.hub.pages)
        figures.renderings.set(web.hub.renderings)
        figures.waiting.set(web.bridge.waiting)
        figures.sessions.set(len(web.sessions))
        figures.unsent.set(bar.waiting)
        figures.list_age_s.set(max(0, bar.now_ms - bar.directory_made_ms) / 1000)
        figures.can_save.set(bar.can_save)
        figures.disk_used.set(bar.disk_percent / 100)
        figures.ballast_gone.set(bar.disk == "disk_last")
        return Response(figures.text(), headers={"content-type": CONTENT_TYPE})

    return router
