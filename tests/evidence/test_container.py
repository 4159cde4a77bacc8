"""The file of a bundle: one form for the same contents, and no byte of it that may change unseen."""

from __future__ import annotations

import contextlib
import io
import random
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.evidence.container import NotABundle, one_byte_back, read, write

CONTENTS = {"b.txt": b"second\nlines\n" * 20, "a.json": b"{}", "empty": b"", "ü.html": "页".encode() * 300}
FILE = write(CONTENTS)


def test_any_zip_program_opens_it() -> None:
    with zipfile.ZipFile(io.BytesIO(write({"a.json": b"{}", "b.txt": b"x" * 999}))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.json", "b.txt"]
        assert archive.read("b.txt") == b"x" * 999


def test_the_same_contents_make_the_same_file_in_any_order() -> None:
    assert write(dict(reversed(CONTENTS.items()))) == FILE


def test_what_was_written_is_read() -> None:
    members, fault = read(FILE, CONTENTS)
    assert fault is None and all(member.intact for member in members)
    assert {member.name: member.content for member in members} == CONTENTS


@pytest.mark.parametrize("by", [1, 0x80, 0xFF])
def test_no_byte_may_change_unseen_and_each_is_named(by: int) -> None:
    for at in range(len(FILE)):
        members, fault = read(FILE[:at] + bytes([FILE[at] ^ by]) + FILE[at + 1 :], CONTENTS)
        damaged = [member for member in members if not member.intact]
        assert fault or damaged, at
        if fault:
            assert fault.byte == at
            continue
        (member,) = damaged
        offset = FILE.index(CONTENTS[member.name]) if member.name != "empty" else 0
        assert CONTENTS[member.name] in [content for byte, content in one_byte_back(member) if byte == at - offset]


@given(st.binary(max_size=400))
def test_bytes_of_anything_never_raise_more_than_that_they_are_no_bundle(data: bytes) -> None:
    with contextlib.suppress(NotABundle):
        read(data, CONTENTS)


@given(st.integers(0, len(FILE)), st.binary(max_size=6))
def test_what_is_put_in_or_cut_off_is_seen(at: int, more: bytes) -> None:
    for changed in (FILE[:at] + more + FILE[at:], FILE[:at]):
        if changed == FILE:
            continue
        try:
            members, fault = read(changed, CONTENTS)
        except NotABundle:
            continue
        same = {member.name: member.content for member in members} == CONTENTS
        assert fault is not None or not same or not all(member.intact for member in members)


def test_two_bytes_changed_are_not_taken_for_one() -> None:
    chance = random.Random(1)
    content = bytearray(CONTENTS["b.txt"])
    for at in chance.sample(range(len(content)), 2):
        content[at] ^= 0x10
    (member,) = [m._replace(content=bytes(content)) for m in read(FILE, CONTENTS)[0] if m.name == "b.txt"]
    assert CONTENTS["b.txt"] not in [found for _, found in one_byte_back(member)]
