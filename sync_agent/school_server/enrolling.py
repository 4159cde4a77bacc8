"""Lets a node in: checks the code, gives a name its key, changes it, and says who is let in no more.

A one-time code names the node that it is for, is shown once, kept as a digest, and used once. Whoever guesses is slowed down, and
a code that was guessed at too often is good no more. A standing code, for benches and demos, lets in new names only: it never
replaces a key and never undoes a revocation.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from sync_agent import protocol
from sync_agent.keys import is_public_key, verify
from sync_agent.protocol import Code
from sync_agent.school_server.identities import REPLACED, KeptCode
from sync_agent.school_server.refusals import Refused
from sync_agent.school_server.settings import School
from sync_agent.school_server.store import Node, Store

WRONG_CODES_ALLOWED: Final = 10  # in WITHIN_S, from everybody together: a code is short enough to be guessed at
WITHIN_S: Final = 60.0
TRIES_ALLOWED: Final = 10  # for one code, over its whole life
CODE_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is taken for another one: no 0 O 1 I
CODE_LENGTH: Final = 12  # 60 bits
GROUP: Final = 4
HOUR_MS: Final = 3_600_000
_SALT_BYTES: Final = 16
_SCRYPT: Final = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}

log = logging.getLogger(__name__)


class Doorkeeper:
    """Counts wrong codes. monotonic_s: for the pause only."""

    def __init__(self, *, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._wrong_at_s: deque[float] = deque(maxlen=WRONG_CODES_ALLOWED)

    def wait_if_guessing(self) -> None:
        """Raises Refused while there were too many wrong codes within a minute."""
        now_s = self._monotonic_s()
        if len(self._wrong_at_s) == WRONG_CODES_ALLOWED and now_s - self._wrong_at_s[0] < WITHIN_S:
            raise Refused(Code.TOO_MANY_TRIES, "too many wrong codes; wait a minute", retry_after_s=int(WITHIN_S))

    def count(self) -> None:
        self._wrong_at_s.append(self._monotonic_s())


def new_code(*, school: str, node: str, now_ms: int, hours: float, replaces: bool) -> tuple[str, KeptCode]:
    """What is shown, once, and what is stored."""
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    salt = secrets.token_bytes(_SALT_BYTES)
    kept = KeptCode(
        school=school,
        node=node,
        salt=salt,
        digest=_digest(letters, salt),
        made_ms=now_ms,
        expires_ms=now_ms + int(hours * HOUR_MS),
        replaces=replaces,
    )
    return "-".join(letters[at : at + GROUP] for at in range(0, CODE_LENGTH, GROUP)), kept


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


def enrol(
    store: Store, doorkeeper: Doorkeeper, of_school: School, request: protocol.EnrolRequest, *, school: str, at_ms: int
) -> None:
    """Gives the name this key, or finds that it has it already. Raises Refused."""
    found = store.node(school=school, node=request.node)
    if found is not None and found.public_key == request.public_key and found.revoked_ms is None:
        return  # the answer was lost, or it asks once more; nothing is given away that it has not got
    doorkeeper.wait_if_guessing()
    kept = store.identities.code(school=school, node=request.node)
    if kept is not None and hmac.compare_digest(_digest(request.code, kept.salt), kept.digest):
        _with_code(store, kept, found, request, at_ms=at_ms)
        return
    standing = of_school.node_codes.get(request.node, of_school.code)
    if not standing or not hmac.compare_digest(standing.encode(), request.code.encode("utf-8", "surrogatepass")):
        _wrong(store, doorkeeper, school=school, node=request.node)
    if found is not None and found.revoked_ms is not None:
        raise revoked(found)
    if found is not None:
        raise _other_key(request.node)
    added = store.add_node(Node(school=school, node=request.node, public_key=request.public_key, enrolled_ms=at_ms))
    if added.public_key != request.public_key:
        raise _other_key(request.node)


def _with_code(store: Store, kept: KeptCode, found: Node | None, request: protocol.EnrolRequest, *, at_ms: int) -> None:
    if kept.tries >= TRIES_ALLOWED:
        raise Refused(Code.WRONG_CODE, f"the code for node {kept.node} was guessed at too often; make a new one at the server")
    if kept.used_ms is not None:
        raise Refused(Code.WRONG_CODE, f"the code for node {kept.node} has been used; make a new one at the server")
    if kept.expires_ms <= at_ms:
        raise Refused(Code.WRONG_CODE, f"the code for node {kept.node} has expired; make a new one at the server")
    if found is not None and not kept.replaces:
        raise _other_key(kept.node)
    if any(row.public_key == request.public_key for row in store.identities.keys(school=kept.school, node=kept.node)):
        raise Refused(Code.OTHER_KEY, f"that key was node {kept.node}'s before; sync-agent enrol makes a new one")
    if not store.identities.admit(school=kept.school, node=kept.node, public_key=request.public_key, at_ms=at_ms):
        raise Refused(Code.WRONG_CODE, f"the code for node {kept.node} was used at this very moment; make a new one")


def _wrong(store: Store, doorkeeper: Doorkeeper, *, school: str, node: str) -> None:
    doorkeeper.count()
    if store.identities.count_wrong_try(school=school, node=node) == TRIES_ALLOWED:
        log.error("ALARM the code for node %s of school %s was guessed at %d times and is void", node, school, TRIES_ALLOWED)
    raise Refused(Code.WRONG_CODE, f"that is not the enrolment code for node {node}; ask the office for a new one")


def change_key(store: Store, body: bytes, *, school: str, at_ms: int) -> protocol.KeyAnswer:
    """The new key is good from here on, once both keys have signed for it. The same request again is fine. Raises Refused."""
    change = _read_change(body)
    found = store.node(school=school, node=change.node)
    if found is None:
        raise Refused(Code.UNKNOWN_NODE, f"node {change.node!r} is not enrolled in school {school}; enrol it with a code")
    text = protocol.key_text(school=school, node=change.node, old_key=change.old_key, new_key=change.new_key)
    for key, signature in ((change.old_key, change.signature), (change.new_key, change.proof)):
        if not verify(public_hex=key, text=text, signature=signature):
            raise Refused(Code.BAD_SIGNATURE, f"the change of node {change.node}'s key is not signed by both keys")
    keys = store.identities.keys(school=school, node=change.node)
    if not any(row.public_key == change.old_key for row in keys):
        raise Refused(Code.BAD_SIGNATURE, f"the old key is none of node {change.node}; enrol it with a code")
    if found.revoked_ms is not None:
        raise revoked(found)
    if found.public_key != change.new_key and not store.identities.change_key(
        school=school, node=change.node, old=change.old_key, new=change.new_key, at_ms=at_ms
    ):
        raise _other_key(change.node)
    log.info("node %s of school %s has a new key", change.node, school)
    number = len(store.identities.keys(school=school, node=change.node))
    return protocol.KeyAnswer(node=change.node, public_key=change.new_key, number=number)


def _read_change(body: bytes) -> protocol.KeyChange:
    try:
        change = msgspec.json.decode(body, type=protocol.KeyChange)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(Code.MALFORMED, f"the body is not a change of key: {error}") from error
    if not protocol.is_name(change.node) or not is_public_key(change.old_key) or not is_public_key(change.new_key):
        raise Refused(Code.MALFORMED, "a change of key names a node and two Ed25519 keys in 64 lower-case hex digits")
    return change


def check_signature(store: Store, node: Node, *, text: bytes, signature: str, what: str) -> None:
    """Raises Refused unless `signature` is by the node's present key and the office lets the node in.

    Only who holds a key of the node learns that it is revoked. A key that another machine has replaced is refused like a revoked
    one: its machine is to keep everything and ask for a code, not to try again.
    """
    if verify(public_hex=node.public_key, text=text, signature=signature):
        if node.revoked_ms is not None:
            raise revoked(node)
        return
    for former in store.identities.keys(school=node.school, node=node.node):
        if former.ended == REPLACED and verify(public_hex=former.public_key, text=text, signature=signature):
            raise Refused(
                Code.REVOKED,
                f"another machine is node {node.node} now; keep everything, and enrol with a new code if this one is to be it",
            )
    raise Refused(Code.BAD_SIGNATURE, f"{what} does not bear the signature of node {node.node}; send it again, or enrol the node")


def revoked(node: Node) -> Refused:
    why = f" ({node.revoked_why})" if node.revoked_why else ""
    return Refused(Code.REVOKED, f"the office has revoked node {node.node}{why}; it keeps everything; a new code lets it in")


def _other_key(node: str) -> Refused:
    return Refused(
        Code.OTHER_KEY,
        f"node {node} is enrolled with another key; give this machine another node name, restore its keys/node.key from backup,"
        f" or make a code that replaces the old machine: sync-agent code {node} --replace",
    )


def _digest(code: str, salt: bytes) -> bytes:
    """Typed in small letters, without the dashes or with blanks, it is the same code."""
    plain = "".join(code.upper().replace("-", " ").split())
    return hashlib.scrypt(plain.encode("utf-8", "surrogatepass"), salt=salt, **_SCRYPT)
