"""What cards, cameras and the simulated chip and terminals are told, as whole messages: links, challenges, pictures, headers."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from random import Random

from drivers import sun
from drivers.card_aes import cbc_encrypted
from drivers.ev2_authentication import DONE, MORE_TO_COME, NotAuthentic, authenticated, card_answer, challenge
from drivers.isapi_parts import boundary_of, field_of
from drivers.jpeg_size import jpeg_size
from drivers.ndef_link import link_from
from drivers.serial_frames import CardFrame
from drivers.simulated.http_digest import DigestGate
from drivers.simulated.ntag424 import Ntag424Card
from drivers.simulated.pn532_chip import SimulatedPn532
from drivers.simulated.pn532_frames import SYNTAX_ERROR, pn532_frame
from drivers.simulated.rf_cards import RfCard, Type4Card, card_for, ndef_link
from drivers.uhf_frames import EPC_BYTES, UhfFrame, tag_data, tag_of
from drivers.wiegand_bits import text_card
from tests.fuzz.message import Message, text_of_line
from tests.fuzz.wire import DIGITS, HEX, text_of

# --- signing cards -----------------------------------------------------------------------------------------------

SUN_KEYS = sun.SunKeys.from_master(bytes(range(16)))


def _sun(random: Random) -> tuple[bytes, sun.SunProof]:
    uid, counter = b"\x04" + random.randbytes(6), random.randrange(1, 1 << 24)
    file_data = random.choice((b"", random.randbytes(16)))
    link = sun.link_of("https://tap.example/t", SUN_KEYS, uid, counter, file_data=file_data, padding=random.randbytes(5))
    return link.encode(), sun.SunProof(uid.hex().upper(), counter, file_data)


def _proof(data: bytes) -> sun.SunProof | None:
    message = sun.message_in(text_of_line(data))
    return sun.proof_of(message, SUN_KEYS) if message else None


# --- the link in a card, as any card has it ----------------------------------------------------------------------


def _link(random: Random) -> tuple[bytes, str]:
    address = f"school.example/t?{text_of(random, HEX, random.randrange(150))}"
    message = ndef_link(address)
    return len(message).to_bytes(2, "big") + message, f"https://{address}"


def _link_in_file(data: bytes) -> str:
    """`data` is the card's file; the card answers READ BINARY from it, and everything else with nothing."""

    def sent(cla: int, ins: int, p1: int, p2: int, said: bytes | None, le: int) -> bytes:
        return data[p1 << 8 | p2 :][: le or 256] if ins == 0xB0 else b""

    return link_from(sent, budget_s=60.0)


# --- EV2: both sides ------------------------------------------------------------------------------------------------

KEY, RND_A, RND_B, SESSION = bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 48)), b"\x9d\x00\xc4\xdf"
CHALLENGE = cbc_encrypted(KEY, RND_B)


def _card_says(random: Random) -> tuple[bytes, bytes]:
    """The card's last answer, and the key of the session that begins with it."""
    transaction = random.randbytes(4)
    answer, session = card_answer(KEY, challenge(KEY, CHALLENGE, RND_A).command, rnd_b=RND_B, transaction=transaction)
    return answer + DONE, session.mac_key


def _authenticated(data: bytes) -> bytes:
    answers = [CHALLENGE + MORE_TO_COME, data]
    return authenticated(lambda command: answers.pop(0), KEY, rnd_a=RND_A).mac_key


def _reader_says(random: Random) -> tuple[bytes, bytes]:
    rnd_a = random.randbytes(16)
    command = challenge(KEY, CHALLENGE, rnd_a).command
    return command, card_answer(KEY, command, rnd_b=RND_B, transaction=SESSION)[1].mac_key


# --- pictures, headers, single texts ---------------------------------------------------------------------------------


def _jpeg(random: Random) -> tuple[bytes, tuple[int, int]]:
    size = random.randrange(1, 9_000), random.randrange(1, 9_000)
    frame = b"\x08" + size[1].to_bytes(2, "big") + size[0].to_bytes(2, "big") + b"\x03" + bytes(9)
    segments = [(random.choice((0xE0, 0xE1, 0xFE, 0xDB)), random.randbytes(random.randrange(60))) for _ in range(3)]
    start = random.choice((0xC0, 0xC2))
    parts = [b"\xff%c%s%s" % (kind, (len(data) + 2).to_bytes(2, "big"), data) for kind, data in [*segments, (start, frame)]]
    return b"\xff\xd8" + b"\xff".join(parts) + b"\xff\xda" + random.randbytes(20), size


def _digest(random: Random) -> tuple[bytes, bool]:
    """NONCE and RESPONSE stand for what only the terminal knows, and what follows from it."""
    fields = {"username": "admin", "realm": "r", "nonce": "NONCE", "uri": "/ISAPI", "response": "RESPONSE", "qop": "auth"}
    fields |= {"nc": "00000001", "cnonce": text_of(random, HEX, 8)}
    return ("Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items())).encode(), True


def _admitted(data: bytes) -> bool:
    gate, header = DigestGate("admin", "Abc12345", realm="r"), text_of_line(data)
    nonce = gate.challenge().partition('nonce="')[2].partition('"')[0]
    cnonce = re.search('cnonce="([^"]*)"', header)
    secret, asked = _md5("admin:r:Abc12345"), _md5("GET:/ISAPI")
    response = _md5(f"{secret}:{nonce}:00000001:{cnonce[1] if cnonce else ''}:auth:{asked}")
    return gate.admits("GET", "/ISAPI", header.replace("NONCE", nonce).replace("RESPONSE", response))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


def _device_info(random: Random) -> tuple[bytes, tuple[str, bytes]]:
    serial, mark = text_of(random, HEX, 12), text_of(random, HEX, 9).encode()
    body = f"<DeviceInfo><deviceName>门</deviceName><serialNumber>{serial}</serialNumber></DeviceInfo>"
    if random.random() < 0.5:
        body = f'{{"DeviceInfo": {{"serialNumber": "{serial}"}}}}'
    return b"multipart/mixed; boundary=" + mark + b"\n" + body.encode(), (serial, mark)


def _told(data: bytes) -> tuple[str, bytes]:
    kind, _, body = data.partition(b"\n")
    return field_of(body, "serialNumber"), boundary_of(kind.decode("latin-1"))


def _tag(random: Random) -> tuple[bytes, str]:
    epc = random.randbytes(EPC_BYTES).hex().upper()
    return tag_data(epc), epc


def _epc(data: bytes) -> str:
    tag = tag_of(UhfFrame(1, 0x89, data))
    return tag.epc if tag is not None else ""


# --- the simulated chip ------------------------------------------------------------------------------------------------


@cache
def _chips() -> list[SimulatedPn532]:
    cards: list[str | RfCard] = ["04A1B2C3", "04A1B2C3D4E5F6", "0123456789ABCDEF", Type4Card("04A1B2C3D4E5F6")]
    cards.append(Ntag424Card("04A1B2C3D4E5F6", SUN_KEYS))
    chips = []
    for card in cards:
        chip = SimulatedPn532()
        chip.wire.unplug()  # it is asked without its wire
        chip.place(card_for(card))
        chips.append(chip)
    return chips


COMMANDS = [
    *map(bytes.fromhex, (
        "D44A0100", "D44A010100FFFF0000", "D44001E080", "D44001", "D44001020090710000020000", "D440010300A4040007D2760000850101",
        "D440010200A4000C02E104", "D440010300B0000080", "D4423000", "D4320100", "D41004", "D406633963", "D4000041", "D4",
    )),
]  # fmt: skip


def _chip_is_asked(random: Random) -> tuple[bytes, list[bytes | None]]:
    return random.choice((*COMMANDS, b"\xd4" + random.randbytes(random.randrange(1, 40)))), []


def _chips_say(data: bytes) -> list[bytes | None]:
    """What is said amiss: answers that are no frame. Each card is on an antenna of its own."""
    answers = [chip.answer(data) for chip in _chips()] if len(data) >= 2 else []
    return [said for said in answers if said not in (None, SYNTAX_ERROR) and (not said or pn532_frame(_payload(said)) != said)]


def _payload(frame: bytes) -> bytes:
    return frame[8:-2] if frame[3:5] == b"\xff\xff" else frame[5:-2]


CARDS: dict[str, Message] = {
    "sun link": Message(read=_proof, valid=_sun, errors=(sun.SunForged,), marks=(b"?e=", b"&c=", b"&d=", b"?uid=")),
    "card's link": Message(read=_link_in_file, valid=_link, marks=(b"\xd1\x01\x00U", b"\x00\x05", b"U\x04")),
    "ev2, card's answer": Message(read=_authenticated, valid=_card_says, errors=(NotAuthentic,), sealed=True, marks=(DONE,)),
    "ev2, reader's answer": Message(
        read=lambda data: card_answer(KEY, data, rnd_b=RND_B, transaction=SESSION)[1].mac_key, valid=_reader_says,
        errors=(NotAuthentic,), sealed=True,
    ),
    "jpeg size": Message(read=jpeg_size, valid=_jpeg, marks=(b"\xff\xc0", b"\xff\xff", b"\x00\x01")),
    "ascii card": Message(
        read=text_card,
        valid=lambda random: ((text := text_of(random, DIGITS, 10)).encode() + b"\r\n", CardFrame("number", text)),
    ),
    "uhf tag": Message(read=_epc, valid=_tag),
    "isapi answer": Message(read=_told, valid=_device_info, marks=(b"[" * 60, b"<!DOCTYPE", b'boundary="')),
    "digest header": Message(read=_admitted, valid=_digest, marks=(b"NONCE", b'"', b"\xc3\xa9", b'response="\xc3\xa9"')),
    "pn532 command": Message(read=_chips_say, valid=_chip_is_asked, marks=(b"\x4a", b"\x40\x01", b"\x06\x00")),
}  # fmt: skip
