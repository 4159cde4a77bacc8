"""What a Hikvision terminal sends: the endless multipart stream of alerts, one alert, and a page of stored events.

`PartStream.feed(bytes)` gives the parts that are whole now. Pure and bounded: a part longer than MAX_PART_BYTES, or
headers longer than MAX_HEAD_BYTES, are skipped up to the next boundary, and so is a picture, which is never kept. An alert that
is no access event is None.
Nothing here opens a socket, knows a password or decides what an event means.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError, fromstring

from drivers.adms_lines import is_local_time

MAX_HEAD_BYTES = 4_096
MAX_PART_BYTES = 64 * 1_024  # of an alert that is kept; pictures may be larger and are passed over
MAX_PASSED_BYTES = 2 * 1_024 * 1_024  # of a picture
MAX_EVENTS = 200  # of one page
MAX_TEXT = 128
MAX_SERIAL = 2**63
XML_ELEMENTS = 512
XML_END = b"</EventNotificationAlert>"
HEAD_END = b"\r\n\r\n"
BOUNDARY = re.compile(r"""boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))""", re.IGNORECASE)
ACCESS_EVENT = "AccessControllerEvent"
TO_THE_SECOND = 19  # characters of 2026-09-01T07:31:02
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Part:
    kind: str  # its content type, in lower case
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEvent:
    """One event of the access controller. `at` is the terminal's own local time, `live` False for one that it had stored."""

    serial: int
    major: int
    minor: int
    at: str  # "2026-09-01 07:31:02"
    person: str = ""
    card: str = ""
    door: int = 0
    live: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    events: tuple[AccessEvent, ...]
    more: bool
    rows: int  # understood or not


def boundary_of(content_type: str) -> bytes:
    """The boundary that a multipart content type names; b"" when there is none."""
    found = BOUNDARY.search(content_type)
    return (found.group(1) or found.group(2)).encode("latin-1", "replace") if found else b""


class PartStream:
    """An endless multipart body, read so that a broken part costs itself and not the next one.

    With Content-Length a part ends where it says, else at the next boundary. A boundary is believed earlier too, for a part that
    broke off: among headers anywhere; in a text at the beginning of a line, or with the end of a line behind it; in a picture,
    whose bytes may be anything, only with the headers of the next part behind it.
    """

    def __init__(self, boundary: bytes) -> None:
        assert boundary, "a multipart stream has a boundary"
        self._mark = b"--" + boundary.removeprefix(b"--")
        self._next_part = self._mark + b"\r\nContent-"
        self._line = re.compile(rb"(?<=\n)%b|%b\r\n" % (re.escape(self._mark), re.escape(self._mark)))
        self._buffer = bytearray()
        self._skip = 0  # bytes of a picture that is passed over

    @property
    def buffered(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Part]:
        parts: list[Part] = []
        for start in range(0, len(data), MAX_HEAD_BYTES):  # so that the buffer is bounded whatever the size of a read
            self._buffer += data[start : start + MAX_HEAD_BYTES]
            while (found := self._next()) is not None:
                if found.body:
                    parts.append(found)
        return parts

    def _next(self) -> Part | None:
        """A whole part, an empty one for what was passed over, None when more bytes are needed."""
        if self._skip:
            return self._in_picture()
        start = self._buffer.find(self._mark)
        if start < 0:
            del self._buffer[: max(0, len(self._buffer) - len(self._mark) + 1)]
            return None
        del self._buffer[:start]
        end = self._buffer.find(HEAD_END)
        if end > MAX_HEAD_BYTES or (end < 0 and len(self._buffer) >= MAX_HEAD_BYTES + len(HEAD_END)):
            return self._gone(len(self._mark))
        if end < 0:
            return None
        again = self._buffer.rfind(self._mark, len(self._mark), end)
        if again >= 0:  # headers that never ended
            return self._gone(again)
        kind, length = _headers(bytes(self._buffer[len(self._mark) : end]))
        start = end + len(HEAD_END)
        return self._bounded(kind, start) if length is None else self._counted(kind, start, length)

    def _in_picture(self) -> Part | None:
        inside = min(self._skip, len(self._buffer))
        end = self._buffer.find(self._next_part, 0, inside)
        if end < 0 and inside < self._skip:
            gone = max(0, inside - len(self._next_part) + 1)
            del self._buffer[:gone]
            self._skip -= gone
            return None
        self._skip = 0
        return self._gone(end if end >= 0 else inside - _begun(self._buffer, inside, self._next_part))

    def _counted(self, kind: str, start: int, length: int) -> Part | None:
        if kind.startswith("image/") and length <= MAX_PASSED_BYTES:
            self._skip = length
            return self._gone(start)
        if length > MAX_PART_BYTES:
            return self._gone(len(self._mark))
        end = start + length
        if (boundary := self._line.search(self._buffer, start, end)) is not None:  # it is shorter than it says
            return self._cut(kind, start, boundary.start())
        if len(self._buffer) < end:
            return None
        begun = _begun(self._buffer, end, self._mark + b"\r\n")
        if begun:  # it says a little more than it has: its last bytes are those of the next boundary
            return self._cut(kind, start, max(start, end - begun))
        part = Part(kind, bytes(self._buffer[start:end]))
        del self._buffer[:end]
        return part

    def _bounded(self, kind: str, start: int) -> Part | None:
        boundary = self._line.search(self._buffer, start)
        longest = start + MAX_PART_BYTES
        if boundary is None and len(self._buffer) < longest + len(self._mark) + 2:
            return None
        if boundary is None or boundary.start() > longest:
            return self._gone(len(self._mark))
        return self._cut(kind, start, boundary.start())

    def _cut(self, kind: str, start: int, end: int) -> Part:
        """At a boundary, which is left for the next turn. The end of the line before it belongs to the boundary."""
        body = bytes(self._buffer[start:end]).rstrip(b"\r\n")
        del self._buffer[:end]
        return Part("", b"") if kind.startswith("image/") else Part(kind, body)

    def _gone(self, count: int) -> Part:
        del self._buffer[:count]
        return Part("", b"")


def _begun(data: bytearray, end: int, whole: bytes) -> int:
    """How many of the last bytes before `end` may be the beginning of `whole`."""
    return next((n for n in range(min(len(whole) - 1, end), 0, -1) if data[end - n : end] == whole[:n]), 0)


def _headers(head: bytes) -> tuple[str, int | None]:
    kind, length = "", None
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if name == "content-type":
            kind = value.lower()
        elif name == "content-length" and value.isascii() and value.isdecimal() and len(value) <= 9:
            length = int(value)
    return kind, length


def event_of(part: Part) -> AccessEvent | None:
    """The access event that a part tells; None for heart-beats, for other alerts and for what cannot be read."""
    said = _said(part.body)
    if said is None or said.get("eventType") != ACCESS_EVENT:
        return None
    told = said.get(ACCESS_EVENT)
    return _event(told, at=said.get("dateTime")) if isinstance(told, dict) else None


def page_of(body: bytes) -> Page:
    """The answer to a search for stored events. Raises ValueError when it is none."""
    said = _json(body)
    found = said.get("AcsEvent") if said else None
    if not isinstance(found, dict):
        raise ValueError("no AcsEvent in the answer")
    rows = found.get("InfoList")
    rows = [row for row in rows[:MAX_EVENTS] if isinstance(row, dict)] if isinstance(rows, list) else []
    events = [_event(row, at=row.get("time"), stored=True) for row in rows]
    more = str(found.get("responseStatusStrg", "")).upper() == "MORE"
    return Page(tuple(one for one in events if one is not None), more and bool(rows), len(rows))


def field_of(body: bytes, name: str) -> str:
    """The text of one element of an XML or JSON answer, such as a serial number; "" without it."""
    said = _said(body)
    found = said.get(name) if said else None
    if found is None and said:
        found = next((inner[name] for inner in said.values() if isinstance(inner, dict) and name in inner), None)
    return _text(found)


def _event(told: dict[str, Any], *, at: Any, stored: bool = False) -> AccessEvent | None:
    major = _number(told.get("majorEventType", told.get("major")))
    minor = _number(told.get("subEventType", told.get("minor")))
    serial, when = _number(told.get("serialNo")), _text(at)[:TO_THE_SECOND].replace("T", " ")
    if major is None or minor is None or serial is None or not is_local_time(when):
        return None
    person = _text(told.get("employeeNoString")) or _text(told.get("employeeNo"))
    live = not stored and _text(told.get("currentEvent")).lower() not in ("false", "0")
    return AccessEvent(
        serial=serial, major=major, minor=minor, at=when, person=person.strip(), card=_text(told.get("cardNo")).strip(),
        door=_number(told.get("doorNo")) or 0, live=live,
    )  # fmt: skip


def _said(body: bytes) -> dict[str, Any] | None:
    """What stands behind the end of a text does not count: a part without a length has with it whatever came before the next."""
    text = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"{"):
        return _json(text)
    end = text.rfind(XML_END)
    return _xml(text[: end + len(XML_END)] if end >= 0 else text) if text.startswith(b"<") else None


def _json(body: bytes) -> dict[str, Any] | None:
    """The first object."""
    try:
        said, _ = _DECODER.raw_decode(body.decode("utf-8", "replace").lstrip())
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _xml(body: bytes) -> dict[str, Any] | None:
    """Two levels of elements are enough. A document type is refused: entities that grow are an old trick."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        return None
    try:
        root = fromstring(body)
    except (ParseError, ValueError, LookupError):
        return None
    said: dict[str, Any] = {}
    for child in root[:XML_ELEMENTS]:
        said[_tag(child)] = {_tag(inner): inner.text or "" for inner in child[:XML_ELEMENTS]} if len(child) else child.text or ""
    return said


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 18:
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < MAX_SERIAL else None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) < MAX_SERIAL:
        return str(value)
    return value[:MAX_TEXT] if isinstance(value, str) else ""
