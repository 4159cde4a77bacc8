"""The stream of alerts: parts with and without a length, pictures in between, split anywhere; and noise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.isapi_parts import (
    MAX_HEAD_BYTES,
    MAX_PART_BYTES,
    AccessEvent,
    Part,
    PartStream,
    boundary_of,
    event_of,
    field_of,
    page_of,
)

XML = (
    b'<?xml version="1.0"?><EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">'
    b"<dateTime>2026-09-01T07:31:02+08:00</dateTime><eventType>AccessControllerEvent</eventType><AccessControllerEvent>"
    b"<majorEventType>5</majorEventType><subEventType>75</subEventType><employeeNoString>1</employeeNoString>"
    b"<serialNo>7</serialNo></AccessControllerEvent></EventNotificationAlert>"
)
HEART_BEAT = json.dumps({"eventType": "videoloss", "eventState": "inactive", "dateTime": "2026-09-01T07:00:00+08:00"}).encode()
PICTURE = b"\xff\xd8--MIME_boundary fake\xff\xd9"


def alert(serial: int, minor: int = 75, **more: Any) -> bytes:
    told = {"majorEventType": 5, "subEventType": minor, "serialNo": serial, "employeeNoString": "20260001", "cardNo": "", **more}
    return json.dumps(
        {"dateTime": "2026-09-01T07:31:02+08:00", "eventType": "AccessControllerEvent", "AccessControllerEvent": told}
    ).encode()


def part(body: bytes, kind: str = 'application/json; charset="UTF-8"', *, length: bool = True) -> bytes:
    size = b"Content-Length: %d\r\n" % len(body) if length else b""
    return b"--MIME_boundary\r\nContent-Type: " + kind.encode() + b"\r\n" + size + b"\r\n" + body + b"\r\n"


def serials(parts: list[Part]) -> list[int]:
    return [event.serial for one in parts if (event := event_of(one)) is not None]


STREAM = b"".join(
    [
        part(HEART_BEAT),
        part(alert(1)),
        part(PICTURE, "image/jpeg"),
        part(alert(2), length=False),
        part(XML, "application/xml"),
        part(HEART_BEAT),
    ]
)


def test_events_come_out_wherever_the_stream_is_split() -> None:
    for at in range(len(STREAM)):
        stream = PartStream(b"MIME_boundary")
        assert serials(stream.feed(STREAM[:at]) + stream.feed(STREAM[at:])) == [1, 2, 7], at
    byte_by_byte = PartStream(b"MIME_boundary")
    assert serials([p for byte in STREAM for p in byte_by_byte.feed(bytes([byte]))]) == [1, 2, 7]


def test_a_heart_beat_is_a_part_and_no_event() -> None:
    (beat,) = PartStream(b"MIME_boundary").feed(part(HEART_BEAT))
    assert event_of(beat) is None


def test_an_event_is_read_from_json_and_from_xml() -> None:
    stored = alert(41, 1, cardNo="0012345678", employeeNoString="", currentEvent=False, doorNo=1)
    (one,) = PartStream(b"MIME_boundary").feed(part(stored))
    assert event_of(one) == AccessEvent(
        serial=41, major=5, minor=1, at="2026-09-01 07:31:02", card="0012345678", door=1, live=False
    )
    seven = AccessEvent(serial=7, major=5, minor=75, at="2026-09-01 07:31:02", person="1")
    assert event_of(Part("application/xml", XML)) == seven


def test_a_part_with_a_wrong_length_takes_no_neighbour_with_it() -> None:
    lying = b"--MIME_boundary\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n" + alert(1) + b"\r\n"
    short = b"--MIME_boundary\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n" + alert(2) + b"\r\n"
    huge = b"--MIME_boundary\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n" + b"x\r\n"
    stream = PartStream(b"MIME_boundary")
    assert serials(stream.feed(lying + part(alert(3)) + short + part(alert(4)) + huge + part(alert(5)))) == [1, 3, 4, 5]


NEXT = part(alert(2)) + part(HEART_BEAT)
BROKEN = {
    "headers that broke off": b"--MIME_boundary\r\nContent-Type: applica",
    "a text that broke off in its line": part(alert(1))[:-40],
    "a text that says it is a little longer": part(alert(1) + b"\r\n" + NEXT[:9])[: -len(NEXT[:9]) - 2],
    "a text that says it is too long": b"--MIME_boundary\r\nContent-Length: 70000\r\n\r\n{}\r\n",
    "a picture that broke off": part(PICTURE * 50, "image/jpeg")[:400],
    "a picture that says it is a little longer": part(PICTURE + b"\r\n" + NEXT[:30], "image/jpeg")[:-32],
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_part_takes_no_neighbour_with_it(broken: str) -> None:
    stream = PartStream(b"MIME_boundary")
    assert serials(stream.feed(part(alert(9)) + BROKEN[broken] + NEXT))[-1:] == [2]
    byte_by_byte = PartStream(b"MIME_boundary")
    assert serials([p for byte in BROKEN[broken] + NEXT for p in byte_by_byte.feed(bytes([byte]))])[-1:] == [2]


def test_a_mark_in_a_picture_is_no_boundary() -> None:
    picture = b"\xff\xd8\r\n--MIME_boundary\r\n" + part(b"")[:15] + b"\xff\xd9"
    assert serials(PartStream(b"MIME_boundary").feed(part(picture, "image/jpeg") + NEXT)) == [2]


@pytest.mark.parametrize("whole", [alert(3), XML])
def test_an_alert_is_read_whatever_stands_behind_it(whole: bytes) -> None:
    """A part without a length has with it what came before the next boundary."""
    alone, beside = (event_of(Part("", whole + behind)) for behind in (b"", b"\r\n}<\xff\x00noise"))
    assert alone is not None and alone == beside


@pytest.mark.parametrize("more", range(-6, 7))
def test_limits_are_the_same_however_the_stream_is_split(more: int) -> None:
    heads = b"--MIME_boundary\r\n" + b"X" * (MAX_HEAD_BYTES - 17 + more) + b"\r\n\r\nhello\r\n"
    text = b"--MIME_boundary\r\n\r\n" + b"y" * (MAX_PART_BYTES + more) + b"\r\n"
    for data in (heads + NEXT, text + NEXT):
        in_one, in_parts = PartStream(b"MIME_boundary"), PartStream(b"MIME_boundary")
        assert in_one.feed(data) == [p for at in range(0, len(data), 97) for p in in_parts.feed(data[at : at + 97])]


def test_headers_that_never_end_are_given_up() -> None:
    stream = PartStream(b"MIME_boundary")
    assert serials(stream.feed(b"--MIME_boundary\r\n" + b"X: y\r\n" * MAX_HEAD_BYTES + part(alert(9)))) == [9]


@pytest.mark.parametrize(
    ("text", "boundary"),
    [
        ("multipart/mixed; boundary=MIME_boundary", b"MIME_boundary"),
        ('multipart/mixed; boundary="a b"', b"a b"),
        ("text/plain", b""),
    ],
)
def test_the_boundary_is_found(text: str, boundary: bytes) -> None:
    assert boundary_of(text) == boundary


def test_a_page_of_stored_events() -> None:
    row = {"major": 5, "minor": 1, "time": "2026-09-01T07:31:02+08:00", "serialNo": 12, "employeeNoString": "20260002"}
    odd = {"major": 5, "minor": 1, "time": "yesterday", "serialNo": 13}
    page = page_of(json.dumps({"AcsEvent": {"responseStatusStrg": "MORE", "InfoList": [row, odd, 7]}}).encode())
    assert ([e.serial for e in page.events], page.more, page.rows) == ([12], True, 2)
    assert not page.events[0].live
    none = page_of(b'{"AcsEvent": {"responseStatusStrg": "NO MATCH", "numOfMatches": 0}}')
    assert (none.events, none.more) == ((), False)
    with pytest.raises(ValueError, match="no AcsEvent"):
        page_of(b"<html>")


def test_one_field_of_an_answer() -> None:
    xml = b"<DeviceInfo><deviceName>gate</deviceName><serialNumber>DS-K1T671</serialNumber></DeviceInfo>"
    assert field_of(xml, "serialNumber") == "DS-K1T671"
    assert field_of(b'{"Time": {"localTime": "2026-09-01T07:31:02+08:00"}}', "localTime") == "2026-09-01T07:31:02+08:00"
    assert field_of(b"nothing", "x") == ""


def test_entities_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "' + b"c" * 100 + b'">]><a><eventType>&b;</eventType></a>'
    assert event_of(Part("application/xml", bomb)) is None


@settings(max_examples=80, deadline=None)
@given(
    pieces=st.lists(
        st.binary(max_size=80)
        | st.sampled_from([part(alert(5)), b"--MIME_boundary", b"\r\n\r\n", b"Content-Length: 30\r\n", STREAM[:90]]),
        max_size=12,
    )
)
def test_any_bytes_are_survived_within_bounds(pieces: list[bytes]) -> None:
    stream = PartStream(b"MIME_boundary")
    for piece in pieces:
        for one in stream.feed(piece):
            event_of(one)
        assert stream.buffered <= MAX_PART_BYTES + 2 * MAX_HEAD_BYTES


@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=200) | st.text(alphabet='{}[]":,0123456789eE.-<>/aA', max_size=80).map(str.encode))
def test_any_body_is_answered(body: bytes) -> None:
    event_of(Part("application/json", body))
    field_of(body, "x")
    try:
        page_of(body)
    except ValueError as error:
        assert "AcsEvent" in str(error)
