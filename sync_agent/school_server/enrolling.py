"""Lets a node in: checks the office's code, stores the public key. A name keeps the key that it came with."""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from sync_agent import protocol
from sync_agent.keys import is_public_key
from sync_agent.protocol import Code
from sync_agent.school_server.refusals import Refused
from sync_agent.school_server.settings import School
from sync_agent.school_server.store import Node, Store

WRONG_CODES_ALLOWED: Final = 10  # in WITHIN_S, from everybody together: a code is short enough to be guessed at
WITHIN_S: Final = 60.0


class Doorkeeper:
    """Counts wrong codes. monotonic_s: for the pause only."""

    def __init__(self, *, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._wrong_at_s: deque[float] = deque(maxlen=WRONG_CODES_ALLOWED)

    def check(self, school: School, *, node: str, code: str) -> None:
        """Raises Refused."""
        now_s = self._monotonic_s()
        if len(self._wrong_at_s) == WRONG_CODES_ALLOWED and now_s - self._wrong_at_s[0] < WITHIN_S:
            raise Refused(Code.TOO_MANY_TRIES, "too many wrong codes; wait a minute", retry_after_s=int(WITHIN_S))
        expected = school.node_codes.get(node, school.code)
        if not expected or not hmac.compare_digest(expected.encode(), code.encode("utf-8", "surrogatepass")):
            self._wrong_at_s.append(now_s)
            raise Refused(Code.WRONG_CODE, f"that is not the enrolment code for node {node}; ask the office for it")


def read_request(body: bytes) -> protocol.EnrolRequest:
    """Raises Refused."""
    try:
        request = msgspec.json.decode(body, type=protocol.EnrolRequest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Code.MALFORMED, f"the body is not an enrolment: {error}") from error
    if not protocol.is_name(request.node):
        raise Refused(Code.MALFORMED, f"node must be 1 to 64 of A-Z a-z 0-9 . _ -, not {request.node[:80]!r}")
    if not is_public_key(request.public_key):
        raise Refused(Code.MALFORMED, "public_key must be an Ed25519 key in 64 lower-case hex digits")
    return request


def enrol(store: Store, request: protocol.EnrolRequest, *, school: str, at_ms: int) -> None:
    """Stores the key; the same key again is fine. Raises Refused for another one."""
    stored = store.add_node(Node(school=school, node=request.node, public_key=request.public_key, enrolled_ms=at_ms))
    if stored.public_key != request.public_key:
        raise Refused(
            Code.OTHER_KEY,
            f"node {request.node} is enrolled with another key; give this machine another node name,"
            " or restore its keys/node.key from backup",
        )
