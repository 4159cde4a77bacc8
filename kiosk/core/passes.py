"""A delegate's pass: what it says, whether the school signed it, and whether it opens anything here and now.

A pass is the text `KP1.<payload>.<signature>`, both parts base64url without padding: JSON in a fixed order, and an Ed25519
signature over it. Whoever has the issuer's public key can check it with the network down. Nothing here signs, reads a file
or tells the time; a pass alone releases nobody.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta

from kiosk.core.commands import Read
from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.entries import Fact, Kind
from kiosk.core.pass_book import PassFacts
from kiosk.core.pickup import Standing, Verdict, barred_as, judge
from kiosk.core.rules import AccessPoint
from kiosk.core.world import Delegate, World

PREFIX: Final = "KP1."
DOMAIN: Final = b"campus-kiosk delegate pass 1\x00"  # so that no other signature of the same key can be taken for a pass
MAX_CHARS: Final = 512  # a QR code of version 15 at level L has 520 bytes

Name = Annotated[str, Meta(min_length=1, max_length=20)]


class Pass(msgspec.Struct, frozen=True, array_like=True):
    """What the code says, in this order. `issued_ms`: UTC milliseconds; `phone_tail`: last four digits, "" without."""

    id: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
    child: Annotated[int, Meta(ge=0, le=2**53)]
    for_day: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    gate: Annotated[str, Meta(max_length=32)]
    name: Name
    relation: Annotated[str, Meta(max_length=12)]
    id_last4: Annotated[str, Meta(pattern="^[0-9A-Z]{4}$")]
    phone_tail: Annotated[str, Meta(pattern=r"^\d{0,4}$")]
    node: Annotated[str, Meta(max_length=32)]
    issued_ms: Annotated[int, Meta(ge=0, le=2**53)]

    @property
    def facts(self) -> PassFacts:
        return PassFacts(self.child, self.for_day, self.gate, self.relation, self.id_last4)


class PassUnsound(ValueError):
    """The text is no pass of this school: another format, altered, or signed by nobody whom this gate knows."""


_decoder = msgspec.json.Decoder(Pass)
_encode = msgspec.json.Encoder().encode


def is_pass(text: str) -> bool:
    """Whether a read wants to be a pass. Says nothing about whether it is one."""
    return text.startswith(PREFIX)


def signed_part(one: Pass) -> bytes:
    """The bytes that an issuer signs."""
    return DOMAIN + _encode(one)


def pass_text(one: Pass, signature: bytes) -> str:
    """What the QR code holds. `signature`: 64 bytes over `signed_part`."""
    return f"{PREFIX}{_base64(_encode(one))}.{_base64(signature)}"


def read_pass(text: str, issuers: Mapping[str, bytes]) -> Pass:
    """The pass, if one of `issuers` (node -> raw public key of 32 bytes) signed exactly this text. Raises PassUnsound."""
    if len(text) > MAX_CHARS or not text.isascii():
        raise PassUnsound("a pass has at most 512 ASCII characters")
    payload_text, dot, signature_text = text.removeprefix(PREFIX).partition(".")
    if not is_pass(text) or not dot:
        raise PassUnsound("a pass reads KP1.<payload>.<signature>")
    payload, signature = _bytes(payload_text), _bytes(signature_text)
    try:
        one = _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PassUnsound("the payload is not that of a pass") from error
    key = issuers.get(one.node)
    if key is None:
        raise PassUnsound(f"this gate knows no key of {one.node}; copy its .pub file into keys/pass_issuers")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, DOMAIN + payload)
    except (InvalidSignature, ValueError) as error:
        raise PassUnsound("the signature does not fit") from error
    return one


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    """Strict: one text for one value, or a changed last letter would go unnoticed."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise PassUnsound("the text is not base64url") from error
    if _base64(raw) != text:
        raise PassUnsound("the text is not base64url in its one proper form")
    return raw


# --- may it be used? ------------------------------------------------------------------------------


def may_use(
    world: World, pass_id: str, facts: PassFacts, *, gate: str, now_ms: int, trusted: bool, shown: bool = True
) -> Verdict:
    """The verdict on a pass whose facts are known to be true. `shown`: it was read at a gate, not only looked up."""
    who = world.delegates.get(pass_id, Delegate(""))
    refusal = _barred(world, facts, who) or _spent(world, pass_id, facts, gate, now_ms, trusted)
    if refusal is not None:
        return Verdict(outcome=Outcome.REFUSED, reason=refusal, relation=facts.relation)
    standing = Standing(relation=facts.relation, by_pass=True, shown=shown)
    return judge(world, facts.child, standing, gate=gate, now_ms=now_ms, trusted=trusted)


def _barred(world: World, facts: PassFacts, who: Delegate) -> Reason | None:
    if facts.child not in world.directory.pupils:
        return Reason.NO_SUCH_PERSON
    barred = barred_as(world, facts.child, name=who.name, phone=who.phone, id_last4=facts.id_last4)
    return Reason.COLLECTOR_RESTRICTED if barred else None


def _spent(world: World, pass_id: str, facts: PassFacts, gate: str, now_ms: int, trusted: bool) -> Reason | None:
    """Revoked, for another day, for another gate, or used. An untrusted clock cannot say what day it is."""
    book = world.campus.passes
    if pass_id in book.revoked:
        return Reason.PASS_REVOKED
    if trusted and facts.for_day != world.local_date(now_ms).isoformat():
        return Reason.PASS_OTHER_DATE
    if facts.gate != gate:
        return Reason.PASS_OTHER_GATE
    return Reason.PASS_USED if book.used(pass_id) else None


def for_release(world: World, pass_id: str, child: int, *, gate: str, now_ms: int, trusted: bool) -> Verdict:
    """May this child go with whoever has this pass? A pass that nobody read at a gate and nobody registered is none."""
    book = world.campus.passes
    facts = book.facts(pass_id)
    if facts is None:
        return Verdict(outcome=Outcome.REFUSED, reason=Reason.PASS_FORGED)
    if facts.child != child:
        return Verdict(outcome=Outcome.REFUSED, reason=Reason.PASS_OTHER_CHILD, relation=facts.relation)
    return may_use(world, pass_id, facts, gate=gate, now_ms=now_ms, trusted=trusted, shown=pass_id in book.admitted)


# --- a pass is read at an access point --------------------------------------------------------------


def decide(read: Read, point: AccessPoint, world: World, now_ms: int, trusted: bool) -> Decision:
    """The answer to a pass: the guard is asked, or it is refused with its reason. Bystanders see the same either way."""
    try:
        one = read_pass(read.value, world.pass_issuers)
    except PassUnsound:
        return _unsound(read, point, world, now_ms)
    known = world.delegates.get(one.id)
    if known is None or not known.name:
        world.remember_delegate(one.id, Delegate(one.name, one.phone_tail))
    verdict = may_use(world, one.id, one.facts, gate=point.gate, now_ms=now_ms, trusted=trusted)
    barred = verdict.reason is Reason.COLLECTOR_RESTRICTED
    body: dict[str, Any] = {
        "pass_id": one.id,
        "candidates": [one.child],
        "for_day": one.for_day,
        "gate": one.gate,
        "relation": one.relation,
        "id_last4": one.id_last4,
        **_asked(read, point, world, verdict),
        **({"alarm": "restricted_person"} if barred else {}),
    }
    same = _already_queued(world, one.id, verdict.reason, point.id, now_ms)
    return Decision(
        outcome=verdict.outcome,
        reason=Reason.REPEAT if same else verdict.reason,
        facts=() if same else (Fact(Kind.PICKUP_REQUESTED, body, one.name),),
        access_point=point.id,
        adult=True,
        alarm=barred,
    )


def _unsound(read: Read, point: AccessPoint, world: World, now_ms: int) -> Decision:
    """Nothing that a forged pass says of itself is recorded but its last characters."""
    verdict = Verdict(outcome=Outcome.REFUSED, reason=Reason.PASS_FORGED)
    body = {**_asked(read, point, world, verdict), "tail": read.value[-4:]}
    same = _already_queued(world, "", verdict.reason, point.id, now_ms)
    facts = () if same else (Fact(Kind.READ_REFUSED, body),)
    return Decision(
        outcome=verdict.outcome, reason=Reason.REPEAT if same else verdict.reason, facts=facts, access_point=point.id, adult=True
    )


def _asked(read: Read, point: AccessPoint, world: World, verdict: Verdict) -> dict[str, Any]:
    return {
        "access_point": point.id,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason.value,
        "day": world.day,
        "scheme": read.scheme,
        **({"queue": "pass"} if point.gate else {}),  # a gate has a guard
    }


def _already_queued(world: World, pass_id: str, reason: Reason, point: str, now_ms: int) -> bool:
    return any(
        r.kind == "pass" and r.pass_id == pass_id and r.reason == reason.value and r.access_point == point
        and 0 <= now_ms - r.at_ms < world.rules.repeat_ms
        for r in world.campus.requests.values()
    )  # fmt: skip
