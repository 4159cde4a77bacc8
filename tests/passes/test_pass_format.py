"""The text of a pass: nobody who lacks the key makes one, and nothing that is not one is taken for one."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core.passes import MAX_CHARS, Pass, PassUnsound, is_pass, pass_text, read_pass, signed_part
from kiosk.web.faces_delegates import qr_png_file
from tests.passes.delegation import code_in, foreign_signer

SIGNER = foreign_signer("east")
KEYS = {"east": SIGNER._private.public_key().public_bytes_raw()}
ALPHABET = string.ascii_letters + string.digits + "-_."
ONE = Pass(
    id="a1b2c3d4e5f60718", child=1234, for_day="2026-11-23", gate="east", name="林阿姨", relation="邻居", id_last4="123X",
    phone_tail="1234", node="east", issued_ms=1_795_392_000_000,
)  # fmt: skip
TEXT = SIGNER(ONE)
quick = settings(max_examples=60, deadline=None)


def accepted(text: str) -> bool:
    try:
        read_pass(text, KEYS)
    except PassUnsound:
        return False
    return True


def test_what_was_signed_is_read_again() -> None:
    assert is_pass(TEXT) and read_pass(TEXT, KEYS) == ONE


@quick
@given(at=st.integers(0, len(TEXT) - 1), to=st.sampled_from(ALPHABET))
def test_a_changed_character_anywhere_is_never_accepted(at: int, to: str) -> None:
    changed = TEXT[:at] + to + TEXT[at + 1 :]
    assert accepted(changed) == (changed == TEXT)


@quick
@given(at=st.integers(0, len(TEXT)), text=st.text(st.characters(max_codepoint=0x2FFF), min_size=1, max_size=4))
def test_an_added_character_anywhere_is_never_accepted(at: int, text: str) -> None:
    assert not accepted(TEXT[:at] + text + TEXT[at:])


@quick
@given(at=st.integers(0, len(TEXT) - 1), length=st.integers(1, 80))
def test_a_missing_piece_is_never_accepted(at: int, length: int) -> None:
    assert not accepted(TEXT[:at] + TEXT[at + length :])


@quick
@given(st.binary(max_size=300), st.integers(0, 7))
def test_a_flipped_bit_in_payload_or_signature_is_never_accepted(noise: bytes, bit: int) -> None:
    payload, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in TEXT[4:].split("."))
    for raw, rest, front in ((payload, signature, True), (signature, payload, False)):
        at = (len(noise) * 131 + bit) % len(raw)
        changed = raw[:at] + bytes([raw[at] ^ (1 << bit)]) + raw[at + 1 :]
        parts = (changed, rest) if front else (rest, changed)
        text = "KP1." + ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        assert not accepted(text)


@quick
@given(st.text(max_size=700) | st.binary(max_size=400).map(lambda raw: "KP1." + raw.decode("latin-1")))
def test_any_text_is_answered_and_none_is_accepted(text: str) -> None:
    assert not accepted(text)


@quick
@given(st.binary(max_size=200), st.binary(min_size=64, max_size=64))
def test_any_signed_looking_bytes_are_answered(payload: bytes, signature: bytes) -> None:
    text = "KP1." + ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (payload, signature))
    assert not accepted(text)


@pytest.mark.parametrize(
    "payload",
    [b"[]", b"{}", b"null", b"[" * 5000, b'["a1b2c3d4e5f60718"]', b'["zz",1,"2026-11-23","e","n","r","123X","","east",0]'],
)
def test_a_payload_that_is_signed_and_is_no_pass_is_refused(payload: bytes) -> None:
    signature = SIGNER._private.sign(b"campus-kiosk delegate pass 1\x00" + payload)
    text = "KP1." + ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (payload, signature))
    assert not accepted(text)


def test_a_signature_of_the_same_key_over_something_else_makes_no_pass() -> None:
    bare = SIGNER._private.sign(signed_part(ONE).split(b"\x00", 1)[1])
    assert not accepted(pass_text(ONE, bare))


def test_another_gates_name_does_not_make_it_that_gates_pass() -> None:
    south = foreign_signer("south")
    assert not accepted(south(Pass(**{f: getattr(ONE, f) for f in ONE.__struct_fields__} | {"node": "south"})))
    with pytest.raises(PassUnsound, match="pass_issuers"):
        read_pass(south(Pass(**{f: getattr(ONE, f) for f in ONE.__struct_fields__} | {"node": "south"})), KEYS)


@settings(max_examples=15, deadline=None)
@given(
    name=st.text(st.sampled_from("林阿姨欧阳·热合曼"), min_size=1, max_size=20),
    relation=st.text(st.sampled_from("邻居外祖父"), max_size=12),
    child=st.integers(0, 2**53),
)
def test_the_longest_names_still_fit_a_code_that_scanners_read(name: str, relation: str, child: int) -> None:
    import segno

    one = Pass(**{f: getattr(ONE, f) for f in ONE.__struct_fields__} | {"name": name, "relation": relation, "child": child})
    text = SIGNER(one)
    assert len(text) <= MAX_CHARS and read_pass(text, KEYS) == one
    assert segno.make(text, error="m", micro=False, boost_error=False).version <= 15


def test_a_camera_reads_what_was_printed() -> None:
    assert code_in(qr_png_file(TEXT)) == TEXT
