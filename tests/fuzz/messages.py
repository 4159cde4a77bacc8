"""One table of everything that reads a whole message from outside: a code that was scanned, an entry of another gate.

Each has a maker of valid messages with what must be read from them, and the only errors that it may raise. `sealed`: a
signature or a check protects it, so that nothing that was changed may ever be taken for genuine.
"""

from __future__ import annotations

import json
from functools import cache
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from drivers import adms_lines as adms
from drivers import isapi_parts as isapi
from drivers.device_urls import DeviceUrl, split_url
from drivers.errors import Misconfigured
from drivers.serial_frames import CardFrame
from drivers.wiegand_bits import wiegand_bits, wiegand_card
from kiosk.core import passes
from kiosk.core.entries import Entry, Kind, UnreadableEntry, decode, encode
from sync_agent import protocol
from tests.fuzz.message import Message, text_of_line
from tests.fuzz.messages_cards import CARDS
from tests.fuzz.messages_records import RECORDS

ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ISSUERS = {"east": ISSUER.public_key().public_bytes_raw()}
POOL = 64  # signing is slow: so many genuine ones are made and used again


@cache
def _passes() -> list[tuple[bytes, passes.Pass]]:
    random, made = Random(20261123), []
    for child in range(1, POOL + 1):
        one = passes.Pass(
            id=random.randbytes(8).hex(), child=child, for_day="2026-09-01", gate=random.choice(("", "east")),
            name="王芳", relation="姨", id_last4="123X", phone_tail=random.choice(("", "1234")), node="east",
            issued_ms=random.randrange(2**41),
        )  # fmt: skip
        made.append((passes.pass_text(one, ISSUER.sign(passes.signed_part(one))).encode(), one))
    return made


def _entry(random: Random) -> tuple[bytes, Entry]:
    body = {"child": random.randrange(1, 1620), "uid": random.randbytes(4).hex().upper(), "why": '张三 \u2028"\\'}
    known = {f"west/{random.randrange(9)}": random.randrange(10**6)} if random.random() < 0.5 else {}
    entry = Entry(
        node="east", incarnation="a1", seq=random.randrange(10**9), tick=random.randrange(2**41), at_ms=random.randrange(2**41),
        clock="trusted", kind=Kind.ARRIVED, body=body, based_on=known,
    )  # fmt: skip
    return encode(entry), entry


def _have(random: Random) -> tuple[bytes, dict[tuple[str, str], int]]:
    have = {(f"gate-{random.randrange(9)}", f"i{n}"): random.randrange(2**53) for n in range(random.randrange(6))}
    return protocol.have_text((*stream, seq) for stream, seq in have.items()).encode(), have


def _url(random: Random) -> tuple[bytes, DeviceUrl]:
    options = {"baud": str(random.choice((9600, 115200))), "as": "number"} if random.random() < 0.5 else {}
    url = DeviceUrl("lines", f"/dev/serial/by-id/usb-{random.randbytes(4).hex()}", options)
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"{url.scheme}:{url.address}{'?' if query else ''}{query}".encode(), url


# --- cards as bits, and what terminals post --------------------------------------------------------------------


def _bits(random: Random) -> tuple[bytes, CardFrame]:
    """The first byte says how many bits follow."""
    bits = random.choice((26, 34))
    number = random.randrange(1, (1 << bits - 2) - 1)
    high, low = divmod(number, 1 << 16)
    return bytes([bits]) + wiegand_bits(number, bits=bits), CardFrame(
        "number", f"{high:03d},{low:05d}" if bits == 26 else f"{high:05d},{low:05d}"
    )


def _moment(random: Random) -> str:
    return (
        f"2026-{random.randrange(1, 13):02}-{random.randrange(1, 29):02} {random.randrange(24):02}:{random.randrange(60):02}:59"
    )


JUNK = ("", "张三", "0\t2026-02-30 07:00:00", "\t\t\t", "=&=&", "x" * 1_100, "OPLOG 4\t0", "\x00\ufffd")


def _posted(random: Random, lines: list[str]) -> bytes:
    """With lines between them that are no taps and must hide none."""
    mixed = [each for line in lines for each in ([random.choice(JUNK)] if random.random() < 0.3 else []) + [line]]
    return random.choice(("\n", "\r\n")).join(mixed).encode()


def _attendance(random: Random) -> tuple[bytes, tuple[adms.Tap, ...]]:
    taps = tuple(
        adms.Tap(person=str(random.randrange(1, 10**8)), at=_moment(random), status="0", verify=str(random.randrange(16)))
        for _ in range(random.randrange(1, 6))
    )
    return _posted(random, [f"{t.person}\t{t.at}\t{t.status}\t{t.verify}\t0\t0" for t in taps]), taps


def _access_events(random: Random) -> tuple[bytes, tuple[adms.Tap, ...]]:
    taps = tuple(
        adms.Tap(person="", at=_moment(random), status="0", verify="4", card=random.randbytes(4).hex().upper(), event="27")
        for _ in range(random.randrange(1, 6))
    )
    line = "time={t.at}\tpin=0\tcardno={t.card}\teventaddr=1\tevent={t.event}\tinoutstatus={t.status}\tverifytype={t.verify}"
    return _posted(random, [line.format(t=tap) for tap in taps]), taps


def _replies(random: Random) -> tuple[bytes, tuple[adms.Reply, ...]]:
    said = tuple(adms.Reply(random.randrange(10**6), random.choice((0, -1, -1002))) for _ in range(random.randrange(1, 4)))
    return _posted(random, [f"ID={each.command}&Return={each.result}&CMD=DATA" for each in said]), said


def _alert(random: Random) -> tuple[bytes, isapi.AccessEvent]:
    """Sometimes with garbage behind it, which a part without a length has."""
    event = isapi.AccessEvent(
        serial=random.randrange(10**9), major=5, minor=random.randrange(256), at=_moment(random),
        person=str(random.randrange(10**8)), card=random.randbytes(4).hex(), door=1,
    )  # fmt: skip
    told = {"majorEventType": 5, "subEventType": event.minor, "serialNo": event.serial, "employeeNoString": event.person}
    told |= {"cardNo": event.card, "doorNo": 1}
    said = {"dateTime": event.at.replace(" ", "T") + "+08:00", "eventType": isapi.ACCESS_EVENT, isapi.ACCESS_EVENT: told}
    behind = random.randbytes(random.randrange(30)) if random.random() < 0.3 else b""
    if random.random() < 0.5:
        return json.dumps(said).encode() + behind, event
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in told.items())
    root = f'<EventNotificationAlert xmlns="http://www.isapi.org/ver20/XMLSchema"><dateTime>{said["dateTime"]}</dateTime>'
    kind = f"<eventType>{isapi.ACCESS_EVENT}</eventType><{isapi.ACCESS_EVENT}>{inner}</{isapi.ACCESS_EVENT}>"
    return f"{root}{kind}</EventNotificationAlert>".encode() + behind, event


def _page(random: Random) -> tuple[bytes, isapi.Page]:
    events = tuple(
        isapi.AccessEvent(serial=random.randrange(10**9), major=5, minor=1, at=_moment(random), card="3F2A", live=False)
        for _ in range(random.randrange(4))
    )
    rows = [{"major": 5, "minor": 1, "serialNo": e.serial, "cardNo": e.card, "time": e.at.replace(" ", "T")} for e in events]
    body = {"AcsEvent": {"responseStatusStrg": "MORE" if rows else "NO MATCH", "InfoList": rows}}
    return json.dumps(body).encode(), isapi.Page(events, bool(rows), len(rows))


MESSAGES: dict[str, Message] = {
    **CARDS,
    **RECORDS,
    "delegate's pass": Message(
        read=lambda data: passes.read_pass(text_of_line(data), ISSUERS), valid=lambda random: random.choice(_passes()),
        errors=(passes.PassUnsound,), sealed=True, marks=(b".", b"=", b"KP1."),
    ),
    "journal entry": Message(read=decode, valid=_entry, errors=(UnreadableEntry,), marks=(b"{", b'"', b"[[", b"\\u", b"1e999")),
    "what a node has": Message(
        read=lambda data: protocol.read_have(text_of_line(data)), valid=_have, errors=(protocol.MalformedMessage,),
        marks=(b":", b","),
    ),
    "device URL": Message(
        read=lambda data: split_url(text_of_line(data)), valid=_url, errors=(Misconfigured,), marks=(b":", b"?", b"&", b"%", b"[")
    ),
    "wiegand bits": Message(read=lambda data: wiegand_card(data[1:], bits=data[0] if data else 0), valid=_bits),
    "adms attendance": Message(
        read=lambda data: adms.attendance(adms.decoded(data)).taps, valid=_attendance, marks=(b"\t", b"\n", b"\r")
    ),
    "adms access events": Message(
        read=lambda data: adms.access_events(adms.decoded(data)).taps, valid=_access_events, marks=(b"\t", b"\n", b"=")
    ),
    "adms replies": Message(read=lambda data: adms.replies(adms.decoded(data)), valid=_replies, marks=(b"&", b"%", b"=", b"\n")),
    "isapi alert": Message(
        read=lambda data: isapi.event_of(isapi.Part("", data)), valid=_alert, marks=(b"[" * 60, b"<!DOCTYPE", b"&#0;", b"\\ud800")
    ),
    "isapi stored events": Message(
        read=isapi.page_of, valid=_page, errors=(ValueError,), marks=(b"[" * 60, b"null", b"9" * 400, b"\\ud800")
    ),
}  # fmt: skip
