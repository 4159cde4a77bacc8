"""The file of a bundle: a zip that has exactly one form for its contents, so that every byte of it can be held against that form.

Members are stored, not packed, in the order of their names, with one fixed date and fixed rights: any program opens it, and a
changed byte anywhere is found by writing the same contents again. Reads no disk and trusts no length.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

MAX_BYTES = 512 * 1024 * 1024  # a bundle with more is none of ours
MAX_MEMBERS = 64
LOCATE_MAX_BYTES = 16 * 1024 * 1024  # of a member in which a single changed byte is looked for

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_VERSION, _UNIX, _STORED, _TIME, _DATE = 20, 3, 0, 0, 33  # 1980-01-01 00:00
_RIGHTS = 0o100644 << 16
_TABLE: tuple[int, ...] = tuple(zlib.crc32(bytes([n])) ^ zlib.crc32(b"\0") for n in range(256))
_BY_TOP = {value >> 24: n for n, value in enumerate(_TABLE)}
_BY_VALUE = {value: n for n, value in enumerate(_TABLE)}


class NotABundle(ValueError):
    """The bytes are no bundle at all. The message says what they are instead."""


class Member(NamedTuple):
    """One file inside. crc: what the container says of its content, which the content may no longer have."""

    name: str
    content: bytes
    crc: int

    @property
    def intact(self) -> bool:
        return zlib.crc32(self.content) == self.crc


class Fault(NamedTuple):
    """The container differs from the one form that these members have, first at this byte of the file."""

    byte: int
    where: str


def write(members: Mapping[str, bytes]) -> bytes:
    """The one file that these members make."""
    assert len(members) <= MAX_MEMBERS and sum(map(len, members.values())) < MAX_BYTES
    return _written([Member(name, members[name], zlib.crc32(members[name])) for name in sorted(members)])


def _written(members: Sequence[Member]) -> bytes:
    body, central = bytearray(), bytearray()
    for name, content, crc in members:
        label, size = name.encode("utf-8", "surrogateescape"), len(content)
        central += _CENTRAL.pack(
            b"PK\1\2", _UNIX << 8 | _VERSION, _VERSION, 0, _STORED, _TIME, _DATE, crc, size, size, len(label), 0, 0, 0, 0,
            _RIGHTS, len(body),
        )  # fmt: skip
        body += _LOCAL.pack(b"PK\3\4", _VERSION, 0, _STORED, _TIME, _DATE, crc, size, size, len(label), 0)
        central += label
        body += label + content
    end = _END.pack(b"PK\5\6", 0, 0, len(members), len(members), len(central), len(body), 0)
    return bytes(body + central + end)


def read(data: bytes, names: Collection[str]) -> tuple[list[Member], Fault | None]:
    """What is inside, also where the container is damaged, and the first byte at which it is. Raises NotABundle.

    Names and lengths stand in the file twice. Whichever of the two has the `names` that are expected and gives a file more
    like this one is believed.
    """
    if len(data) > MAX_BYTES:
        raise NotABundle(f"the file has more than {MAX_BYTES >> 20} MB: it is no evidence bundle")
    found = [members for walk in (_walk_local, _walk_central) if (members := walk(data))]
    if not found:
        raise NotABundle("the file is no evidence bundle, or most of it is gone")
    told = [(members, *_difference(data, _written(members))) for members in found]
    members, differing, first = min(told, key=lambda one: one[1] + sum(_doubtful(m, names) for m in one[0]))
    return members, Fault(first, _label(members, first)) if differing else None


def _doubtful(member: Member, names: Collection[str]) -> int:
    return (not member.intact) + (member.name not in names)


def _walk_local(data: bytes) -> list[Member]:
    """Along the headers in front of each member."""
    at, members = 0, list[Member]()
    while data[at : at + 4] == b"PK\3\4" and len(members) < MAX_MEMBERS and at + _LOCAL.size <= len(data):
        fields = _LOCAL.unpack_from(data, at)
        crc, size, name_bytes = fields[6], fields[8], fields[9]
        start = at + _LOCAL.size + name_bytes
        members.append(Member(_name(data[at + _LOCAL.size : start]), data[start : start + size], crc))
        at = start + size
    return members


def _walk_central(data: bytes) -> list[Member]:
    """Along the table of contents at the end."""
    members = list[Member]()
    if len(data) < _END.size or data[-_END.size : -_END.size + 4] != b"PK\5\6":
        return members
    at = _END.unpack_from(data, len(data) - _END.size)[6]
    while data[at : at + 4] == b"PK\1\2" and len(members) < MAX_MEMBERS and at + _CENTRAL.size <= len(data):
        fields = _CENTRAL.unpack_from(data, at)
        crc, size, name_bytes, start = fields[7], fields[9], fields[10], fields[16]
        content = start + _LOCAL.size + name_bytes
        name = _name(data[at + _CENTRAL.size : at + _CENTRAL.size + name_bytes])
        members.append(Member(name, data[content : content + size], crc))
        at += _CENTRAL.size + name_bytes
    return members


def _name(label: bytes) -> str:
    return label.decode("utf-8", "surrogateescape")[:200]


def _difference(data: bytes, wanted: bytes) -> tuple[int, int]:
    """How many bytes differ (lengths count), and where the first one is."""
    common = min(len(data), len(wanted))
    differing, first = abs(len(data) - len(wanted)), common
    for start in range(0, common, 4096):
        one, other = data[start : min(start + 4096, common)], wanted[start : min(start + 4096, common)]
        if one != other:
            places = [n for n, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
            differing, first = differing + len(places), min(first, start + places[0])
    return differing, first


def _label(members: Sequence[Member], byte: int) -> str:
    """What lies at a byte of the file that these members make."""
    at = 0
    for name, content, _ in members:
        if byte < at + _LOCAL.size + len(name.encode("utf-8", "surrogateescape")):
            return f"the header of {name}"
        at += _LOCAL.size + len(name.encode("utf-8", "surrogateescape")) + len(content)
        if byte < at:
            return name
    for name, _, _ in members:
        at += _CENTRAL.size + len(name.encode("utf-8", "surrogateescape"))
        if byte < at:
            return f"the table of contents, {name}"
    return "the end of the file"


def one_byte_back(member: Member) -> Iterator[tuple[int, bytes]]:
    """Every content that the checksum allows and that differs from this one in a single byte: (which byte, the content).

    CRC-32 is linear, so the difference of the two checksums says at which distance from the end which bits were turned.
    The caller knows by a digest or a signature whether it really was so.
    """
    content, error = member.content, zlib.crc32(member.content) ^ member.crc
    if not error or len(content) > LOCATE_MAX_BYTES:
        return
    for back in range(1, len(content) + 1):
        turned = _BY_VALUE.get(error)
        if turned:
            at = len(content) - back
            yield at, content[:at] + bytes([content[at] ^ turned]) + content[at + 1 :]
        low = _BY_TOP[error >> 24]
        error = ((error ^ _TABLE[low]) << 8 | low) & 0xFFFFFFFF
