"""Tells one other system of a school's attendance: CloudEvents over HTTP, in order, at least once, signed.

The cursor stands in the store and moves only when the receiver has said 2xx, or has refused one single event for good: that one
is kept for a person and shown. Everything else is waited out with full jitter. It runs beside the server in a thread of its own
and only reads entries, so a receiver that is slow or away holds up nobody's sync. It never says what an answer's body said.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from sync_agent.backoff import Backoff
from sync_agent.school_server.cloud_events import BATCH, EVENT, Event, event_of
from sync_agent.school_server.settings import Receiver
from sync_agent.school_server.store import Refusal, Store, StoredEntry, StoreUnavailable

LOOK_EVERY_S: Final = 1.0
ANSWER_TIMEOUT_S: Final = 10.0
LONGEST_PAUSE_S: Final = 300.0
MAX_RETRY_AFTER_S: Final = 3_600.0
LOOK_AT: Final = 500  # entries of one look into the store
# About this event and no other. Every other 4xx says something of the address, the key or the receiver: that is waited out.
ABOUT_THE_EVENT: Final = frozenset({400, 409, 413, 422})

log = logging.getLogger(__name__)


@dataclass(slots=True)
class DeliveryState:
    """For the status page; replaced field by field by the one thread that delivers. problem: "" while all is well."""

    sent: int = 0
    last_ms: int | None = None
    problem: str = ""
    receiver: str = field(default="", repr=False)


class NotTaken(Exception):
    """The receiver did not take it. status: 0 without an answer. The sentence holds neither address nor answer."""

    def __init__(self, message: str, *, status: int = 0, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status, self.retry_after_s = status, retry_after_s


class Delivery:
    """One school's receiver. `run` is the thread; `step` is one look, for it and for tests."""

    def __init__(
        self,
        store: Store,
        receiver: Receiver,
        *,
        school: str,
        now_ms: Callable[[], int],
        uniform: Callable[[float, float], float],
        first_pause_s: float = LOOK_EVERY_S,
    ) -> None:
        self._store, self._to, self._school, self._now_ms = store, receiver, school, now_ms
        self._backoff = Backoff(uniform=uniform, first_s=first_pause_s, longest_s=LONGEST_PAUSE_S)
        self._client = httpx.Client(
            timeout=ANSWER_TIMEOUT_S,
            trust_env=False,
            follow_redirects=False,
            verify=ssl.create_default_context(),  # what this computer believes, a campus CA that was installed on it too
        )
        self._agreed = not receiver.ask_first
        self.state = DeliveryState(receiver=receiver_name(receiver.url))

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set."""
        try:
            while not stop.is_set():
                pause_s = self._turn()
                stop.wait(pause_s)
        finally:
            self._client.close()
            if not stop.is_set():  # a mistake of ours: the thread's trace is in the log
                self.state.problem = "the sender stopped by a mistake of its own; see the log, start the server anew"

    def _turn(self) -> float:
        """One step and how long to wait after it."""
        try:
            moved = self.step()
        except NotTaken as error:
            return self._trouble(str(error), error.retry_after_s)
        except StoreUnavailable as error:
            return self._trouble(str(error), None)
        if self.state.problem:
            log.warning("the receiver of school %s takes events again", self._school)
        self.state.problem = ""
        self._backoff.succeeded()
        return 0.0 if moved else LOOK_EVERY_S

    def step(self) -> bool:
        """One request at most; False when there is nothing to tell. Raises NotTaken or StoreUnavailable, and is then repeated."""
        if not self._agreed:
            self._ask()
        after = self._store.delivered_through(school=self._school, receiver=self.state.receiver)
        entries = self._store.entries_after(school=self._school, position=after, most=LOOK_AT)
        if not entries:
            return False
        told, through = self._next(entries)
        refused = None
        if told:
            try:
                self._send([event for _, event in told])
            except NotTaken as error:
                if error.status not in ABOUT_THE_EVENT:
                    raise
                told, refused, through = self._one_by_one(told, error)
            self.state.sent += len(told) - (refused is not None)
            self.state.last_ms = self._now_ms()
        self._store.set_delivered(
            school=self._school, receiver=self.state.receiver, position=through, refused=refused, at_ms=self._now_ms()
        )
        return True

    def _next(self, entries: Sequence[StoredEntry]) -> tuple[list[tuple[StoredEntry, Event]], int]:
        """As many events as one request takes, and the position up to which there are no others."""
        told: list[tuple[StoredEntry, Event]] = []
        through = entries[0].position - 1
        for entry in entries:
            event = event_of(entry, school=self._school, kinds=self._to.kinds)
            if event is not None:
                if len(told) == self._to.batch:
                    break
                told.append((entry, event))
            through = entry.position
        return told, through

    def _one_by_one(
        self, told: list[tuple[StoredEntry, Event]], error: NotTaken
    ) -> tuple[list[tuple[StoredEntry, Event]], Refusal | None, int]:
        """A refused list says nothing about which event it was: its first is sent alone, and the rest comes after it."""
        entry, event = told[0]
        if len(told) > 1:
            try:
                self._send([event])
                return told[:1], None, entry.position
            except NotTaken as alone:
                if alone.status not in ABOUT_THE_EVENT:
                    raise
                error = alone
        log.error("ALARM the receiver of school %s refuses %s for good (%d)", self._school, event.id, error.status)
        refused = Refusal(node=entry.node, incarnation=entry.incarnation, seq=entry.seq, why=f"HTTP {error.status}")
        return told[:1], refused, entry.position

    def _send(self, events: list[Event]) -> None:
        single = self._to.batch == 1
        body = msgspec.json.encode(events[0] if single else events)
        name = events[0].id if len(events) == 1 else f"{events[0].id}+{len(events)}"
        headers = signed_headers(self._to.secret, name=name, at_s=self._now_ms() // 1000, body=body)
        self._exchange("POST", body, {**headers, "Content-Type": f"{EVENT if single else BATCH}; charset=utf-8"})

    def _ask(self) -> None:
        """The handshake of CloudEvents' webhooks: nothing is sent to somebody who has not said that he wants it."""
        origin = f"{self._school}.campus-kiosk"
        answer = self._exchange("OPTIONS", b"", {"WebHook-Request-Origin": origin})
        if answer.headers.get("WebHook-Allowed-Origin", "") not in (origin, "*"):
            raise NotTaken("the receiver does not agree: OPTIONS without WebHook-Allowed-Origin; mend it, or take ask_first away")
        self._agreed = True

    def _exchange(self, method: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        try:
            with self._client.stream(method, self._to.url, content=body or None, headers=headers) as answer:
                pass  # what an answer says is not read: only its status counts
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotTaken(f"the receiver cannot be reached ({type(error).__name__}); look at it and at the network") from error
        if answer.is_success:
            return answer
        raise NotTaken(
            f"the receiver answers {answer.status_code}; events wait until it takes them",
            status=answer.status_code,
            retry_after_s=_retry_after_s(answer.headers.get("Retry-After", "")),
        )

    def _trouble(self, problem: str, retry_after_s: float | None) -> float:
        if not self.state.problem:
            log.warning("school %s: %s", self._school, problem)  # once, not at every try
        self.state.problem = problem
        return self._backoff.pause_s(retry_after_s=retry_after_s)


def signed_headers(secret: bytes, *, name: str, at_s: int, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks: HMAC-SHA256 over name, time and body with dots between."""
    text = f"{name}.{at_s}.".encode() + body
    signature = base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
    return {"webhook-id": name, "webhook-timestamp": str(at_s), "webhook-signature": f"v1,{signature}"}


def receiver_name(url: str) -> str:
    """What the store knows a receiver by: where it is, without the question, which may hold a token."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{':' + str(parts.port) if parts.port else ''}{parts.path}"


def _retry_after_s(text: str) -> float | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        return None
    return min(float(text), MAX_RETRY_AFTER_S)
