"""The words of sync protocol 1: messages, limits, headers and the texts that are signed.

The page for other vendors is docs/sync-protocol.md; its example is checked against this module.
Nothing here sends, stores or decides. Entries travel as the exact bytes that were hashed: as embedded
JSON where they are JSON, in base64 where they are not, so that nothing a journal holds is unsendable.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

VERSION: Final = 1
OLDEST_VERSION: Final = max(1, VERSION - 2)  # a server reads N-2 to N
FIRST_SEQ: Final = 1  # every incarnation counts from here

DEFAULT_BATCH_ENTRIES: Final = 500
MAX_BATCH_ENTRIES: Final = 2_000
MAX_BODY_BYTES: Final = 8 * 1024 * 1024  # of one request, packed and unpacked alike
SOFT_BATCH_BYTES: Final = 4 * 1024 * 1024  # where a sender closes a batch; base64 and braces still fit below the limit
MAX_ENTRY_BYTES: Final = 1024 * 1024  # one entry; a longer one cannot be sent in this version
MAX_RELAY_ENTRIES: Final = 2_000  # in one answer to GET entries
MAX_RELAY_BYTES: Final = 4 * 1024 * 1024
MAX_HAVE_STREAMS: Final = 500  # in one `have`; keeps the request line below what HTTP servers take (64 KiB)
MAX_DIRECTORY_BYTES: Final = 64 * 1024 * 1024
MAX_SEQ: Final = 2**53 - 1  # what every JSON reader holds exactly

HEADER_VERSION: Final = "Kiosk-Sync-Version"
HEADER_SCHOOL: Final = "Kiosk-School"
HEADER_NODE: Final = "Kiosk-Node"
HEADER_SIGNATURE: Final = "Kiosk-Signature"
HEADER_NUMBER: Final = "Kiosk-Directory-Number"
HEADER_BASE: Final = "Kiosk-Directory-Base"
HEADER_SHA256: Final = "Kiosk-Directory-Sha256"
HEADER_OFFICE: Final = "Kiosk-Directory-Office"  # yes: this node may PUT one
YES: Final = "yes"

PATHS: Final = "/sync/v1/"  # everything that is asked begins so
ENTRIES_PATH: Final = "/sync/v1/entries"
DIRECTORY_PATH: Final = "/sync/v1/directory"
HEADS_PATH: Final = "/sync/v1/heads"
ENROL_PATH: Final = "/sync/v1/enrol"
KEY_PATH: Final = "/sync/v1/key"
STATUS_PATH: Final = "/sync/v1/status"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEX_64 = re.compile(r"[0-9a-f]{64}")


class Verdict(StrEnum):
    """What became of one entry. All four mean: it is on the server's disk and need not be sent again."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"  # kept, but the server could not read it; a person looks at it
    FORKED = "forked"  # kept beside a different entry of the same number; a person looks at both


class Code(StrEnum):
    """Why a request was refused as a whole. Never about what an entry says."""

    MALFORMED = "malformed"  # 400: not a message of this protocol
    UNSUPPORTED_VERSION = "unsupported_version"  # 400
    BAD_SIGNATURE = "bad_signature"  # 401
    UNKNOWN_NODE = "unknown_node"  # 401: enrol first
    BAD_TOKEN = "bad_token"  # 401: the read API
    WRONG_CODE = "wrong_code"  # 403: enrolment
    REVOKED = "revoked"  # 403: the office lets this node, or this key of it, in no more
    NOT_OFFICE = "not_office"  # 403: only the office writes the directory
    NOT_FOUND = "not_found"  # 404
    METHOD_NOT_ALLOWED = "method_not_allowed"  # 405
    HOLE = "hole"  # 409: go back to durable_through
    FORK_POINT_UNKNOWN = "fork_point_unknown"  # 409: go back to durable_through (0) so that the point can be found
    OTHER_KEY = "other_key"  # 409: that name has another key
    OTHER_HEAD = "other_head"  # 409: that entry is stored with another hash; a person looks
    STALE_BASE = "stale_base"  # 409: the directory has moved on
    TOO_LARGE = "too_large"  # 413
    UNSUPPORTED_ENCODING = "unsupported_encoding"  # 415
    TOO_MANY_TRIES = "too_many_tries"  # 429
    FAILED = "failed"  # 500


class Item(msgspec.Struct, omit_defaults=True, frozen=True):
    """One entry under way. Either `entry` (embedded JSON) or `octets` (base64) carries its exact bytes.

    hash: 64 lower hex digits, as the writer's journal has it.
    unread: please store without opening it (set by a sender whose server broke on this entry three times).
    quarantined: only in relayed entries, why the server could not read it.
    """

    hash: str
    entry: Raw | UnsetType = UNSET
    octets: str | UnsetType = UNSET
    unread: bool = False
    quarantined: str = ""


class Announcement(msgspec.Struct, omit_defaults=True, frozen=True, kw_only=True):
    """One entry ahead of its turn: what it is called, and the same as an Item."""

    node: str
    incarnation: str
    seq: int
    hash: str
    entry: Raw | UnsetType = UNSET
    octets: str | UnsetType = UNSET


class Batch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run of one stream, `first_seq` upwards without a hole. `prev_hash` is the hash before the first.

    waiting: how many entries this node has still to send after these, in all its streams; for people.
    ahead: entries of this node that the others should know before their turn comes; they are sent again in it.
    """

    node: str
    incarnation: str
    first_seq: int
    prev_hash: str
    entries: list[Item]
    head_hash: str
    signature: str
    waiting: int = 0
    ahead: list[Announcement] = []
    ahead_signature: str = ""


class EntryVerdict(msgspec.Struct, frozen=True):
    seq: int
    verdict: Verdict
    reason: str = ""


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """durable_through: every entry of the stream up to here is on the server's disk."""

    durable_through: int
    verdicts: list[EntryVerdict]


class SignedHead(msgspec.Struct, frozen=True, kw_only=True):
    """POST heads: the node's word on how far its stream goes. signature: kiosk.core.heads.head_text."""

    node: str
    incarnation: str
    seq: int
    hash: str
    signature: str


class HeadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The server's word on it. countersignature: kiosk.core.heads.Countersigned.text."""

    seen_ms: int
    countersignature: str


class NodeSeen(msgspec.Struct, frozen=True, kw_only=True):
    """last_contact_ms: the server's clock when the node last called; null: not since the server was started.

    waiting: what it said that it had still to send.
    revoked_ms: the server's clock when the office revoked it; null: it is let in.
    forked: its incarnations of which another branch is kept; left out where there is none.
    """

    node: str
    last_contact_ms: int | None = None
    waiting: int = 0
    revoked_ms: int | None = None
    forked: list[str] | UnsetType = UNSET


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A run of one peer's stream, `first_seq` upwards without a hole."""

    node: str
    incarnation: str
    first_seq: int
    entries: list[Item]


class Relay(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to GET entries. more: ask again at once, there is more.

    ahead: other nodes' entries ahead of their turn. ahead_next: what to bring as `ahead` with the next question.
    """

    segments: list[Segment]
    more: bool
    server_now_ms: int
    nodes: list[NodeSeen] = []
    ahead: list[Announcement] = []
    ahead_next: str = ""


class EnrolRequest(msgspec.Struct, frozen=True, kw_only=True):
    """public_key: Ed25519, 64 lower hex digits. code: what the office handed out."""

    node: str
    public_key: str
    code: str


class EnrolAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """server_key: the key that signs directory snapshots; the node pins it."""

    school: str
    node: str
    office: bool
    server_key: str


class KeyChange(msgspec.Struct, frozen=True, kw_only=True):
    """A node changes its key. signature: by the old key, proof: by the new one, both over `key_text`."""

    node: str
    old_key: str
    new_key: str
    signature: str
    proof: str


class KeyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """public_key: what the server takes for the node's key from now on; number: how many it has had."""

    node: str
    public_key: str
    number: int


class StreamState(msgspec.Struct, frozen=True, kw_only=True):
    node: str
    incarnation: str
    durable_through: int
    quarantined: int = 0
    forked: bool = False
    last_received_ms: int | None = None


class DirectoryState(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    sha256: str


class ServerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to GET status: numbers only, never what an entry says.

    run: differs after every start of the server, so that a sender can tell a crash from a cut link.
    store: what the server keeps its entries in, for people.
    """

    versions: list[int]
    run: str
    school: str
    server_now_ms: int
    streams: list[StreamState]
    nodes: list[NodeSeen]
    entries: int
    quarantined: int
    forks: int
    directory: DirectoryState | None = None
    store: str = ""


class Refusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of every 4xx and 5xx. message: one sentence for a person."""

    error: str
    message: str
    durable_through: int | UnsetType = UNSET
    number: int | UnsetType = UNSET


class Sealed(NamedTuple):
    """One entry as exact bytes with its stated hash (32 bytes), and whether it is to be stored unread."""

    raw: bytes
    hash: bytes
    unread: bool = False


class MalformedMessage(ValueError):
    """Not a message of this protocol; the sentence says where."""


def is_name(text: str) -> bool:
    """Names of schools, nodes and incarnations: 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit."""
    return _NAME.fullmatch(text) is not None


def pack(sealed: Sealed) -> Item:
    """Embeds JSON as it stands, anything else in base64. Whoever unpacks it gets the same bytes."""
    if not sealed.unread and _embeds(sealed.raw):
        return Item(hash=sealed.hash.hex(), entry=Raw(sealed.raw))
    octets = base64.b64encode(sealed.raw).decode("ascii")
    return Item(hash=sealed.hash.hex(), octets=octets, unread=sealed.unread)


def unpack(item: Item, *, where: str) -> Sealed:
    """Raises MalformedMessage with `where` in it."""
    if _HEX_64.fullmatch(item.hash) is None:
        raise _no_hash(f"{where}.hash")
    digest = bytes.fromhex(item.hash)
    if (item.entry is UNSET) == (item.octets is UNSET):
        raise MalformedMessage(f"{where} must have exactly one of entry and octets")
    if not isinstance(item.entry, UnsetType):
        return Sealed(bytes(item.entry), digest, item.unread)
    assert isinstance(item.octets, str)
    try:
        return Sealed(base64.b64decode(item.octets, validate=True), digest, item.unread)
    except (binascii.Error, ValueError) as error:
        raise MalformedMessage(f"{where}.octets is not base64") from error


def announced(sealed: Sealed, *, node: str, incarnation: str, seq: int) -> Announcement:
    item = pack(sealed)
    return Announcement(node=node, incarnation=incarnation, seq=seq, hash=item.hash, entry=item.entry, octets=item.octets)


def unpack_announced(one: Announcement, *, where: str) -> Sealed:
    """Raises MalformedMessage with `where` in it."""
    if not (is_name(one.node) and is_name(one.incarnation) and FIRST_SEQ <= one.seq <= MAX_SEQ):
        raise MalformedMessage(f"{where} names no entry")
    return unpack(Item(hash=one.hash, entry=one.entry, octets=one.octets), where=where)


def hash_bytes(text: str, *, where: str) -> bytes:
    """32 bytes from 64 lower hex digits. Raises MalformedMessage."""
    if _HEX_64.fullmatch(text) is None:
        raise _no_hash(where)
    return bytes.fromhex(text)


def content_digest(entries: Sequence[Sealed]) -> bytes:
    """SHA-256 over every entry's length (8 bytes, big end first), exact bytes and stated hash, in order."""
    content = hashlib.sha256()
    for sealed in entries:
        content.update(len(sealed.raw).to_bytes(8, "big"))
        content.update(sealed.raw)
        content.update(sealed.hash)
    return content.digest()


def batch_text(
    *,
    school: str,
    node: str,
    incarnation: str,
    first_seq: int,
    count: int,
    prev_hash: bytes,
    head_hash: bytes,
    content_sha256: bytes,
) -> bytes:
    """What the node signs for a batch.

    The content is there beside the head so that a byte changed under way is a bad signature (send again), while
    a broken chain under a good signature is the writer's own disk (keep it in quarantine, it gets no better).
    """
    lines = (
        "kiosk-sync-v1 entries",
        school,
        node,
        incarnation,
        str(first_seq),
        str(count),
        prev_hash.hex(),
        head_hash.hex(),
        content_sha256.hex(),
    )
    return "\n".join(lines).encode("utf-8")


def ahead_text(*, school: str, node: str, entries: Sequence[Announcement], sealed: Sequence[Sealed]) -> bytes:
    """What the node signs for what it sends ahead: each entry with its stream and number, exact bytes and hash."""
    names = hashlib.sha256("".join(f"{one.incarnation}/{one.seq}\n" for one in entries).encode("utf-8"))
    lines = ("kiosk-sync-v1 ahead", school, node, str(len(entries)), names.hexdigest(), content_digest(sealed).hex())
    return "\n".join(lines).encode("utf-8")


def request_text(*, method: str, target: str, school: str, node: str, body_sha256: str, extra: Iterable[str]) -> bytes:
    """What the node signs for every other request. target: path and query as on the request line.

    extra: for PUT directory its number and base, otherwise empty.
    """
    lines = ("kiosk-sync-v1 request", method, target, school, node, body_sha256, *extra)
    return "\n".join(lines).encode("utf-8")


def key_text(*, school: str, node: str, old_key: str, new_key: str) -> bytes:
    """What both keys sign when a node changes its key."""
    return "\n".join(("kiosk-sync-v1 key", school, node, old_key, new_key)).encode("utf-8")


def directory_text(*, school: str, number: int, sha256: str) -> bytes:
    """What the server signs for a directory snapshot."""
    return "\n".join(("kiosk-sync-v1 directory", school, str(number), sha256)).encode("utf-8")


def have_text(have: Iterable[tuple[str, str, int]]) -> str:
    """The `have` parameter: node:incarnation:seq, comma between. At most MAX_HAVE_STREAMS."""
    return ",".join(f"{node}:{incarnation}:{seq}" for node, incarnation, seq in have)


def read_have(text: str) -> dict[tuple[str, str], int]:
    """The other way. Raises MalformedMessage."""
    if not text:
        return {}
    parts = text.split(",")
    if len(parts) > MAX_HAVE_STREAMS:
        raise MalformedMessage(f"have names {len(parts)} streams, at most {MAX_HAVE_STREAMS} are allowed")
    have: dict[tuple[str, str], int] = {}
    for part in parts:
        fields = part.split(":")
        if len(fields) != 3 or not is_name(fields[0]) or not is_name(fields[1]):
            raise MalformedMessage(f"have has {part[:80]!r}, expected node:incarnation:seq")
        have[fields[0], fields[1]] = read_number(fields[2], where="have")
    return have


def read_number(text: str, *, where: str) -> int:
    """A whole number from 0 to MAX_SEQ in ASCII digits. Raises MalformedMessage."""
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= MAX_SEQ):
        raise MalformedMessage(f"{where} must be a whole number from 0 to {MAX_SEQ}, not {text[:40]!r}")
    return int(text)


def _no_hash(where: str) -> MalformedMessage:
    return MalformedMessage(f"{where} must be 64 lower-case hex digits")


def _embeds(raw: bytes) -> bool:
    """Whether a JSON reader hands these bytes back unchanged: valid JSON, UTF-8, no space around it."""
    if not raw.startswith(b"{") or not raw.endswith(b"}"):
        return False
    try:
        msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True
