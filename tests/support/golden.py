"""Makes tests/golden/sync-v1: one file for each message of sync protocol 1, request and answer, for other vendors' tests.

    .venv/bin/python -m tests.support.golden

The requests are made by the product's own words, signed with published keys; the answers are what its server says. A test makes
them all again and compares, and plays the files, which know nothing of our code, against a new server. An existing file only
changes when the protocol does.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from kiosk.core.entries import GENESIS, Fact, Kind, Stream, chain_hash
from kiosk.core.heads import head_text
from sync_agent import protocol
from sync_agent.keys import SigningKey, signing_key
from sync_agent.protocol import Sealed
from sync_agent.up_sync import signed_batch
from tests.support.sync_world import CODE, OFFICE, SCHOOL, TOKEN, SyncWorld, in_memory

FOLDER = Path(__file__).parents[1] / "golden" / "sync-v1"
AT_MS, BOOT = 1_795_390_800_000, "9f3ac2d17b604e58"
OTHER_BOOT = "5d0c4b1e9a7f2630"
NODES = {OFFICE: signing_key(bytes(range(32))), "north": signing_key(bytes(range(32, 64)))}
STRANGER = signing_key(bytes(range(64, 96)))
RUN = "0123456789abcdef"  # stands for the word that a server draws at every start
KEPT_HEADERS = ("content-type", "etag", "retry-after", "kiosk-")
EMPTY = hashlib.sha256(b"").hexdigest()
DIRECTORY = b"a directory is opaque to the protocol"
V = {protocol.HEADER_VERSION: "1", protocol.HEADER_SCHOOL: SCHOOL}


class Asked(msgspec.Struct, frozen=True):
    """One request. about: one sentence for whoever reads the file. revoked: the node that the office revokes before it."""

    name: str
    about: str
    method: str
    target: str
    headers: dict[str, str]
    body: str = ""
    revoked: str = ""


def requests() -> Iterator[Asked]:
    """In the order in which they are to be sent to one new server of the school `yucai`."""
    yield from _enrolment()
    yield from _entries_up()
    yield from _refused_batches()
    yield from _entries_down()
    yield from _directory()
    yield from _the_rest()
    yield from _heads()
    yield from _keys()


def played(world: SyncWorld, asked: list[Asked]) -> list[tuple[int, dict[str, str], str]]:
    """What a new server answers to each, the word of its start replaced."""
    run = world.ask("GET", protocol.STATUS_PATH).json()["run"]
    answers = []
    for one in asked:
        if one.revoked:
            world.server.store.identities.revoke(school=SCHOOL, node=one.revoked, why="stolen", at_ms=world.clock.now_ms())
        answer = world.ask(one.method, one.target, content=one.body.encode(), headers=one.headers)
        headers = {name: value for name, value in sorted(answer.headers.items()) if name.startswith(KEPT_HEADERS)}
        answers.append((answer.status_code, headers, answer.text.replace(run, RUN)))
    return answers


def files() -> dict[str, str]:
    """Name and content of every golden file."""
    asked = list(requests())
    with tempfile.TemporaryDirectory(dir=in_memory()) as folder:
        world = SyncWorld(Path(folder))
        answers = played(world, asked)
        world.close()
    found = {}
    for number, (one, (status, headers, body)) in enumerate(zip(asked, answers, strict=True), start=1):
        told: dict[str, Any] = {
            "about": one.about,
            "request": {"method": one.method, "target": one.target, "headers": one.headers, "body": one.body},
            "answer": {"status": status, "headers": headers, "body": body},
        }
        if one.revoked:
            told = {"about": one.about, "revoked": one.revoked, **told}
        found[f"{number:02}-{one.name}.json"] = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    return found


def read() -> list[tuple[Asked, tuple[int, dict[str, str], str]]]:
    """The files as they are kept, in order."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        told = json.loads(path.read_text("utf-8"))
        answer = told["answer"]
        name = re.sub(r"^\d+-", "", path.stem)
        asked = Asked(name, told["about"], **told["request"], revoked=told.get("revoked", ""))
        found.append((asked, (answer["status"], answer["headers"], answer["body"])))
    return found


# --- the requests ------------------------------------------------------------------------------------------


def _enrolment() -> Iterator[Asked]:
    def wish(name: str, about: str, node: str, key: SigningKey, code: str = CODE) -> Asked:
        body = protocol.EnrolRequest(node=node, public_key=key.public_hex, code=code)
        return Asked(name, about, "POST", protocol.ENROL_PATH, V, msgspec.json.encode(body).decode())

    yield wish("enrol", "The office's node enrols.", OFFICE, NODES[OFFICE])
    yield wish("enrol-again", "The same key again is fine.", OFFICE, NODES[OFFICE])
    yield wish("enrol-another", "A second node.", "north", NODES["north"])
    yield wish("enrol-other-key", "Another key for a known name.", "north", STRANGER)
    for _ in range(10):
        yield wish("enrol-wrong-code", "A code that the office did not give.", "west", STRANGER, "guess")
    yield wish("enrol-too-many-tries", "The eleventh within a minute, with the right code.", "west", STRANGER)


def _chain(boot: str, node: str, words: str, count: int) -> list[Sealed]:
    stream = Stream(node=node, incarnation=boot)
    sealed = [stream.seal(Fact(Kind.INCARNATION_OPENED, {"sealed": None}), at_ms=AT_MS, trusted=True)]
    for n in range(1, count):
        fact = Fact(Kind.ARRIVED, {"child": 4016 + n, "access_point": words})
        sealed.append(stream.seal(fact, at_ms=AT_MS + n * 12_345, trusted=True))
    return [Sealed(one.raw, one.hash) for one in sealed]


def _batch(name: str, about: str, entries: list[Sealed], *, first: int = 1, prev: bytes = GENESIS, boot: str = BOOT) -> Asked:
    made = signed_batch(
        school=SCHOOL, stream=(OFFICE, boot), first_seq=first, prev_hash=prev, entries=entries, key=NODES[OFFICE]
    )
    return Asked(name, about, "POST", protocol.ENTRIES_PATH, V, msgspec.json.encode(made).decode())


def _entries_up() -> Iterator[Asked]:
    south = _chain(BOOT, OFFICE, "south-in", 4)
    yield _batch("entries-stored", "Two new entries.", south[:2])
    yield _batch("entries-duplicate", "The same batch again, as after a lost answer.", south[:2])
    yield _batch("entries-half-known", "One that is there and two that continue it.", south[1:4], first=2, prev=south[0].hash)
    yield _batch("entries-empty", "No entry: what is stored of this branch?", [], first=5, prev=south[3].hash)
    unread = b"\x00\xff no JSON"
    fifth = Sealed(unread, chain_hash(south[3].hash, unread))
    yield _batch("entries-quarantined", "Bytes that are no JSON travel as octets.", [fifth], first=5, prev=south[3].hash)
    broken = Sealed(b'{"kind":"rotten"}', bytes(range(32)))
    yield _batch("entries-broken-chain", "A good signature over a broken chain.", [broken], first=6, prev=fifth.hash)
    asked = Sealed(b'{"kind":"heavy"}', chain_hash(broken.hash, b'{"kind":"heavy"}'), unread=True)
    yield _batch("entries-unread", "The server broke on it three times.", [asked], first=7, prev=broken.hash)
    clone = _chain(BOOT, OFFICE, "clone-in", 3)
    yield _batch("entries-forked", "Another chain under the same name parts after the first entry.", clone)
    yield _batch("entries-forked-again", "A branch is known as well.", clone)
    yield _batch(
        "entries-fork-point-unknown", "A chain that parted earlier than this batch.", clone[2:], first=3, prev=bytes(range(32))
    )
    yield _batch("entries-hole", "Two numbers further than what is stored.", south[:1], first=10, prev=bytes(32))


def _refused_batches() -> Iterator[Asked]:
    good = _batch("", "", _chain(OTHER_BOOT, OFFICE, "south-in", 2), boot=OTHER_BOOT)

    def bent(name: str, about: str, body: str, **headers: str) -> Asked:
        return Asked(name, about, "POST", protocol.ENTRIES_PATH, {**V, **headers}, body)

    yield bent("malformed", "No message of this protocol.", '{"node":1}')
    yield bent("bad-signature", "One byte has changed under way.", good.body.replace("4017", "4018"))
    yield bent("unknown-node", "A node that is not enrolled.", good.body.replace(f'"node":"{OFFICE}"', '"node":"west"', 1))
    yield bent("version-too-old", "A version before N-2, or none.", good.body, **{protocol.HEADER_VERSION: "0"})
    yield bent("version-too-new", "A version after N.", good.body, **{protocol.HEADER_VERSION: "2"})
    yield bent("unsupported-encoding", "Neither zstd nor nothing.", good.body, **{"Content-Encoding": "br"})
    yield bent("too-large", "Refused by what it says of its length.", "", **{"Content-Length": str(protocol.MAX_BODY_BYTES + 1)})


def _signed(name: str, about: str, node: str, method: str, target: str, body: bytes = b"", numbers: tuple[int, int] = (0, 0),
            **more: str) -> Asked:  # fmt: skip
    digest = hashlib.sha256(body).hexdigest()
    extra = tuple(map(str, numbers)) if method == "PUT" else ()
    text = protocol.request_text(method=method, target=target, school=SCHOOL, node=node, body_sha256=digest, extra=extra)
    headers = {**V, protocol.HEADER_NODE: node, protocol.HEADER_SIGNATURE: NODES[node].sign(text), **more}
    if method == "PUT":
        told = (protocol.HEADER_NUMBER, protocol.HEADER_BASE, protocol.HEADER_SHA256)
        headers |= dict(zip(told, (*extra, digest), strict=True))
    return Asked(name, about, method, target, headers, body.decode())


def _entries_down() -> Iterator[Asked]:
    target = f"{protocol.ENTRIES_PATH}?have={protocol.have_text([(OFFICE, BOOT, 3)])}"
    yield _signed("relay", "What the other node wrote after its third entry.", "north", "GET", target)
    none = f"{protocol.ENTRIES_PATH}?have="
    yield _signed("relay-own", "Of its own streams a node gets none that it does not name.", OFFICE, "GET", none)
    wrong = _signed("relay-bad-signature", "Signed by somebody else.", "north", "GET", target)
    yield msgspec.structs.replace(wrong, headers={**wrong.headers, protocol.HEADER_NODE: OFFICE})
    yield _signed("relay-malformed", "`have` that is no list.", "north", "GET", "/sync/v1/entries?have=south")


def _directory() -> Iterator[Asked]:
    path = protocol.DIRECTORY_PATH
    yield _signed("directory-none", "There is none yet.", "north", "GET", path)
    yield _signed("directory-not-office", "Only the office's node sends one.", "north", "PUT", path, DIRECTORY, (1, 0))
    yield _signed("directory-put", "The first.", OFFICE, "PUT", path, DIRECTORY, (1, 0))
    yield _signed("directory-stale-base", "Built on one that is not current.", OFFICE, "PUT", path, DIRECTORY, (3, 2))
    yield _signed("directory", "The bytes, with digest and the server's signature.", "north", "GET", path)
    etag = '"' + hashlib.sha256(DIRECTORY).hexdigest() + '"'
    yield _signed("directory-not-modified", "The asker has it.", "north", "GET", path, **{"If-None-Match": etag})


def _the_rest() -> Iterator[Asked]:
    token = {"Authorization": f"Bearer {TOKEN}"}
    yield Asked("status", "How far every stream is stored.", "GET", protocol.STATUS_PATH, {})
    yield Asked("read", "The read API, first page.", "GET", "/api/v1/entries?after=0&limit=3", token)
    yield Asked("read-events", "The same as CloudEvents.", "GET", "/api/v1/events?after=0&limit=3", token)
    yield Asked("bad-token", "The read API without its token.", "GET", "/api/v1/entries", {})
    yield Asked("not-found", "There is nothing.", "GET", "/sync/v1/nothing", V)
    yield Asked("method-not-allowed", "Not for this path.", "DELETE", protocol.ENTRIES_PATH, V)


def _heads() -> Iterator[Asked]:
    def head(name: str, about: str, seq: int, digest: bytes) -> Asked:
        text = head_text(school=SCHOOL, node=OFFICE, incarnation=BOOT, seq=seq, hash_hex=digest.hex())
        told = protocol.SignedHead(
            node=OFFICE, incarnation=BOOT, seq=seq, hash=digest.hex(), signature=NODES[OFFICE].sign(text)
        )
        return Asked(name, about, "POST", protocol.HEADS_PATH, V, msgspec.json.encode(told).decode())

    south = _chain(BOOT, OFFICE, "south-in", 4)
    yield head("head", "A head, countersigned.", 4, south[3].hash)
    yield head("head-again", "The same word again.", 4, south[3].hash)
    yield head("head-other", "Of another chain under that name.", 4, bytes(range(32)))
    yield head("head-hole", "Not stored yet.", 40, south[3].hash)


def _keys() -> Iterator[Asked]:
    old, new = NODES["north"], signing_key(bytes(range(96, 128)))
    text = protocol.key_text(school=SCHOOL, node="north", old_key=old.public_hex, new_key=new.public_hex)

    def change(name: str, about: str, proof: SigningKey) -> Asked:
        told = protocol.KeyChange(
            node="north", old_key=old.public_hex, new_key=new.public_hex, signature=old.sign(text), proof=proof.sign(text)
        )
        return Asked(name, about, "POST", protocol.KEY_PATH, V, msgspec.json.encode(told).decode())

    target = f"{protocol.ENTRIES_PATH}?have="
    yield change("key-not-proved", "The new key has not signed.", STRANGER)
    yield change("key", "A change of key, signed by both keys.", new)
    yield change("key-again", "The same change again, as after a lost answer.", new)
    yield _signed("key-former", "Signed with the key before.", "north", "GET", target)
    gone = _signed("revoked", "The office has revoked the node.", OFFICE, "GET", target)
    yield msgspec.structs.replace(gone, revoked=OFFICE)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for file, content in files().items():
        (FOLDER / file).write_text(content, "utf-8")
