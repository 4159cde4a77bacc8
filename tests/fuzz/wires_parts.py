"""The alert stream of terminals under fire: parts of a body that never ends, pictures among them, and parts that broke off."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

from drivers.isapi_parts import MAX_HEAD_BYTES, MAX_PART_BYTES, MAX_PASSED_BYTES, Part, PartStream
from tests.fuzz.wire import HEX, Wire, text_of

BOUNDARY = b"MIME_boundary"


def _part(random: Random, number: int) -> tuple[bytes, object]:
    told = {"serialNo": random.randrange(10**6), "cardNo": text_of(random, HEX, 8), "name": "张三"}
    body = json.dumps({"AccessControllerEvent": told}, ensure_ascii=random.random() < 0.5).encode()
    kind = random.choice(("application/json", 'application/json; charset="utf-8"'))
    size = b"Content-Length: %d\r\n" % len(body) if random.random() < 0.7 else b""
    return b"--%s\r\nContent-Type: %s\r\n%s\r\n%s\r\n" % (BOUNDARY, kind.encode(), size, body), Part(kind, body)


def _picture(random: Random) -> bytes:
    picture = b"\xff\xd8" + random.randbytes(random.randrange(200)) + random.choice((b"", b"--" + BOUNDARY)) + b"\xff\xd9"
    return b"--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (BOUNDARY, len(picture), picture)


def _broken_part(random: Random) -> bytes:
    """A picture, a picture that broke off, headers that broke off. Each begins with a boundary."""
    whole, shortest = _picture(random), len(BOUNDARY) + 4
    kind = random.randrange(3)
    if kind == 2:
        whole = _part(random, 0)[0]
        whole = whole[: whole.index(b"\r\n\r\n")]
    return whole if kind == 0 else whole[: random.randrange(shortest, len(whole) + 1)]


def _alert(random: Random, number: int) -> tuple[bytes, object]:
    """As terminals send it: often with the picture behind it."""
    part, value = _part(random, number)
    return part + (_picture(random) if random.random() < 0.3 else b""), value


def _parts(data: bytes) -> list[Any]:
    """With the whole stream in hand: first where every mark is and what stands around it, then from part to part."""
    mark, found, at = b"--" + BOUNDARY, list[Any](), 0
    marks = [each.start() for each in re.finditer(re.escape(mark), data)]
    after = {m: data[m + len(mark) : m + len(mark) + 10] for m in marks}

    def boundary(start: int, end: int, *, picture: bool) -> int | None:
        """The first mark that is believed with nothing but what lies before `end`."""
        for m in marks:
            if m < start or m + len(mark) > end:
                continue
            behind = after[m][: end - m - len(mark)]
            if behind == b"\r\nContent-" or (not picture and (data[m - 1 : m] == b"\n" or behind[:2] == b"\r\n")):
                return m
        return None

    def rest(end: int, whole: bytes) -> int:
        """Where a part ends that ends with the beginning of a boundary."""
        return end - max((n for n in range(len(whole)) if n <= end and data[end - n : end] == whole[:n]), default=0)

    for number, m in enumerate(marks):
        if m < at:
            continue
        at = m + len(mark)
        head_end, following = data.find(b"\r\n\r\n", m), marks[number + 1 : number + 2] or [len(data)]
        if head_end < 0 or head_end - m > MAX_HEAD_BYTES or following[0] < head_end:
            continue
        fields = [[each.strip() for each in line.partition(":")] for line in data[at:head_end].decode("latin-1").split("\r\n")]
        kind = next((value.lower() for name, _, value in reversed(fields) if name.lower() == "content-type"), "")
        sizes = [int(v) for name, _, v in fields if name.lower() == "content-length" and re.fullmatch("[0-9]{1,9}", v)]
        start, picture, passed = head_end + 4, kind.startswith("image/"), bool(sizes) and kind.startswith("image/")
        if sizes and sizes[-1] > (MAX_PASSED_BYTES if picture else MAX_PART_BYTES):
            continue
        end = start + sizes[-1] if sizes else len(data)
        cut = boundary(start, end, picture=passed)
        if cut is None and (not sizes or end > len(data)):
            break  # the rest of it has not come yet
        if not sizes and cut is not None and cut - start > MAX_PART_BYTES:
            continue
        at = cut if cut is not None else max(start, rest(end, mark + (b"\r\nContent-" if passed else b"\r\n")))
        body = data[start:at] if at == end and cut is None else data[start:at].rstrip(b"\r\n")
        if body and not picture:
            found.append(Part(kind, body))
    return found


PARTS: dict[str, Wire] = {
    "isapi-parts": Wire(
        parser=lambda: PartStream(BOUNDARY), frame=_alert, harmless=_broken_part, bound=MAX_PART_BYTES + 2 * MAX_HEAD_BYTES,
        promise="broken parts and pictures that begin with a boundary; a part without a length ends with what precedes the next",
        tail=b"--" + BOUNDARY + b"--\r\n", every_byte=0.05, reference=_parts,
        marks=(b"--" + BOUNDARY, b"\r\n\r\n", b"Content-Length: 70000\r\n", b"image/"),
    ),
}  # fmt: skip
