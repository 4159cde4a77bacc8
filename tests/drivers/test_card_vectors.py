"""Every published vector of authenticated cards (AN12196, AN10922, EV2), and every single flipped bit of each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from drivers.card_aes import cbc_decrypted, cmac, diversified
from drivers.ev2_authentication import NotAuthentic, authenticated, card_answer, challenge
from drivers.sun import (
    SunForged,
    SunKeys,
    SunMessage,
    SunProof,
    file_data_of,
    link_of,
    mac_of,
    message_in,
    proof_of,
    session_encryption_key,
    session_mac_key,
)

ZERO = bytes(16)
FACTORY = SunKeys(meta=ZERO, of_card=lambda uid: ZERO)  # NXP's examples use the key that a card is delivered with
SCHOOL = SunKeys.from_master(bytes(range(16)))
UID = bytes.fromhex("04A1B2C3D4E5F6")

WITHOUT_FILE = "https://choose.url.com/ntag424?e=EF963FF7828658A599F3041510671E88&c=94EED9EE65337086"  # AN12196 tables 2, 4
WITH_FILE = (  # AN12196 4.4.4
    "https://www.my424dna.com/?picc_data=FD91EC264309878BE6345CBE53BADF40"
    "&enc=CEE9A53E3E463EF1F459635736738962&cmac=ECC1E7F6C6C73BF6"
)
PLAIN = "https://sdm.example/tagpt?uid=041E3C8A2D6B80&ctr=000006&cmac=4B00064004B0B3D3"

PROVEN = {
    WITHOUT_FILE: SunProof("04DE5F1EACC040", 61),
    WITH_FILE: SunProof("04958CAA5C5E80", 8, b"x" * 16),
    PLAIN: SunProof("041E3C8A2D6B80", 6),
}


def of_hex(text: str) -> bytes:
    return bytes.fromhex(text)


def flips(data: bytes) -> Iterator[bytes]:
    """The data with each of its bits turned, one after the other."""
    number = int.from_bytes(data, "big")
    return ((number ^ 1 << bit).to_bytes(len(data), "big") for bit in range(8 * len(data)))


def proven(text: str, keys: SunKeys = FACTORY) -> SunProof | None:
    message = message_in(text)
    try:
        return proof_of(message, keys) if message else None
    except SunForged:
        return None


# --- SUN ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", PROVEN, ids=["PICC data", "with file data", "plain mirror"])
def test_the_published_messages_are_proven(text: str) -> None:
    assert proven(text) == PROVEN[text]


@pytest.mark.parametrize("text", PROVEN, ids=["PICC data", "with file data", "plain mirror"])
def test_no_published_message_is_proven_with_one_bit_of_it_turned(text: str) -> None:
    """Of every byte that the card made: PICC data, encrypted file data, UID, counter and MAC."""
    message = message_in(text)
    assert message is not None
    spoilt = [message._replace(mac=mac) for mac in flips(message.mac)]
    spoilt += [message._replace(mac_input=covered) for covered in flips(message.mac_input)] if message.mac_input else []
    if message.picc_data:
        spoilt += [message._replace(picc_data=data) for data in flips(message.picc_data)]
    else:
        spoilt += [message._replace(uid=uid) for uid in flips(message.uid)]
        spoilt += [message._replace(counter=message.counter ^ 1 << bit) for bit in range(24)]
    assert [one for one in spoilt if passes(one)] == []
    assert len(spoilt) >= 64 + 80


def passes(message: SunMessage) -> bool:
    try:
        proof_of(message, FACTORY)
    except SunForged:
        return False
    return True


@pytest.mark.parametrize("text", PROVEN, ids=["PICC data", "with file data", "plain mirror"])
def test_no_text_is_proven_with_one_bit_of_its_message_turned(text: str) -> None:
    """As characters, as a copied or mistyped link has them: small letters too are another text."""
    begins = text.index("?")
    for spoilt in flips(text[begins:].encode("ascii")):
        letters = spoilt.decode("latin-1")
        assert proven(text[:begins] + letters) is None, letters


def test_the_picc_data_of_table_2_opens_to_what_the_note_prints() -> None:
    plain = cbc_decrypted(ZERO, of_hex("EF963FF7828658A599F3041510671E88"))
    assert plain == of_hex("C704DE5F1EACC0403D0000DA5CF60941")


def test_the_session_keys_of_table_1() -> None:
    key, uid = of_hex("5ACE7E50AB65D5D51FD5BF5A16B8205B"), of_hex("04C767F2066180")
    assert session_encryption_key(key, uid, 1) == of_hex("66DA61797E23DECA5D8ECA13BBADF7A9")
    assert session_mac_key(key, uid, 1) == of_hex("3A3E8110E05311F7A3FCF0D969BF2B48")
    for other in flips(uid):
        assert session_encryption_key(key, other, 1) != of_hex("66DA61797E23DECA5D8ECA13BBADF7A9")
        assert session_mac_key(key, other, 1) != of_hex("3A3E8110E05311F7A3FCF0D969BF2B48")
    for other in flips(key):
        assert session_mac_key(other, uid, 1) != of_hex("3A3E8110E05311F7A3FCF0D969BF2B48")


def test_the_mac_is_every_second_byte_of_the_cmac() -> None:
    assert mac_of(ZERO, of_hex("04DE5F1EACC040"), 61) == of_hex("94EED9EE65337086")


def test_the_file_data_of_the_note_is_read_and_one_bit_less_is_something_else() -> None:
    uid, data = of_hex("04958CAA5C5E80"), of_hex("CEE9A53E3E463EF1F459635736738962")
    assert file_data_of(ZERO, uid, 8, data) == b"x" * 16
    assert all(file_data_of(ZERO, uid, 8, other) != b"x" * 16 for other in flips(data))


@pytest.mark.parametrize("file_data", [b"", b"class 3(2) seat 7"[:16], bytes(32)], ids=["bare", "a block", "two blocks"])
def test_what_a_card_writes_is_what_is_read_of_it(file_data: bytes) -> None:
    text = link_of("https://school.example/t", SCHOOL, UID, 4711, file_data=file_data)
    assert proven(text, SCHOOL) == SunProof(UID.hex().upper(), 4711, file_data)


def test_a_card_of_another_school_proves_nothing_here() -> None:
    other = SunKeys.from_master(bytes(16))
    assert proven(link_of("https://school.example/t", other, UID, 1), SCHOOL) is None


def test_each_card_has_a_key_of_its_own() -> None:
    """Whoever takes the key out of one card cannot speak for another."""
    mine, another = SCHOOL.of_card(UID), UID[:-1] + b"\0"
    stolen = SunKeys(SCHOOL.meta, lambda uid: mine)
    assert proven(link_of("https://school.example/t", stolen, UID, 1), SCHOOL) is not None
    assert proven(link_of("https://school.example/t", stolen, another, 1), SCHOOL) is None


@pytest.mark.parametrize(
    "text",
    ["", "DEADBEEF", "KP1.abc.def", "https://school.example/t", WITHOUT_FILE + "&x=1", WITHOUT_FILE.lower(), WITHOUT_FILE[:-1],
     "?e=" + "0" * 32, "x" * 10_000 + WITHOUT_FILE, WITHOUT_FILE.replace("E", "Ｅ", 1)],
)  # fmt: skip
def test_other_texts_are_no_messages(text: str) -> None:
    assert message_in(text) is None


# --- AN10922 -----------------------------------------------------------------------------------------


def test_the_diversified_key_of_an10922() -> None:
    master, about = of_hex("00112233445566778899AABBCCDDEEFF"), of_hex("04782E21801D803042F54E585020416275")
    assert diversified(master, about) == of_hex("A8DD63A3B89D54B37CA802473FDA9175")
    for other in (*flips(about),):
        assert diversified(master, other) != of_hex("A8DD63A3B89D54B37CA802473FDA9175")
    for other in flips(master):
        assert diversified(other, about) != of_hex("A8DD63A3B89D54B37CA802473FDA9175")


def test_a_diversifier_that_the_note_pads_in_another_way_is_refused() -> None:
    for length in (0, 15, 32):
        with pytest.raises(ValueError, match="16 to 31 bytes"):
            diversified(ZERO, bytes(length))


def test_cmac_as_nist_publishes_it() -> None:
    """SP 800-38B, appendix D.1: AES-128 over nothing, over one block, and over 40 bytes."""
    key = of_hex("2B7E151628AED2A6ABF7158809CF4F3C")
    message = of_hex("6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411")
    assert cmac(key, b"") == of_hex("BB1D6929E95937287FA37D129B756746")
    assert cmac(key, message[:16]) == of_hex("070A16B46B4D4144F79BDD9DD04A287C")
    assert cmac(key, message) == of_hex("DFA66747DE9AE63030CA32611497C827")


# --- EV2 mutual authentication -----------------------------------------------------------------------

ENCRYPTED_RND_B = of_hex("A04C124213C186F22399D33AC2A30215")
RND_A = of_hex("13C5DB8A5930439FC3DEF9A4C675360F")
RND_B = of_hex("B9E2FC789B64BF237CCCAA20EC7E6E48")
COMMAND = of_hex("35C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D")
ANSWER = of_hex("3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F08120663")


def test_the_published_authentication_ends_with_the_published_keys() -> None:
    asked = challenge(ZERO, ENCRYPTED_RND_B, RND_A)
    assert (asked.rnd_b, asked.command) == (RND_B, COMMAND)
    session = asked.session(ANSWER)
    assert session.transaction == of_hex("9D00C4DF")
    assert session.encryption_key == of_hex("1309C877509E5A215007FF0ED19CA564")
    assert session.mac_key == of_hex("4C6626F5E72EA694202139295C7A7FC7")


def test_the_card_s_side_answers_as_published() -> None:
    answer, session = card_answer(ZERO, COMMAND, rnd_b=RND_B, transaction=of_hex("9D00C4DF"))
    assert answer == ANSWER
    assert session == challenge(ZERO, ENCRYPTED_RND_B, RND_A).session(ANSWER)


def test_one_bit_turned_on_the_way_ends_the_authentication() -> None:
    asked = challenge(ZERO, ENCRYPTED_RND_B, RND_A)
    for spoilt in flips(ANSWER):
        with pytest.raises(NotAuthentic):
            asked.session(spoilt)
    for spoilt in flips(COMMAND[16:]):  # the half that shows that the reader could read RndB
        with pytest.raises(NotAuthentic):
            card_answer(ZERO, COMMAND[:16] + spoilt, rnd_b=RND_B, transaction=bytes(4))
    for spoilt in flips(ENCRYPTED_RND_B):
        with pytest.raises(NotAuthentic):
            card_answer(ZERO, challenge(ZERO, spoilt, RND_A).command, rnd_b=RND_B, transaction=bytes(4))


def test_a_card_that_only_heard_the_conversation_cannot_hold_it_again() -> None:
    """The reader's number is new: the answer of yesterday names another."""
    numbers = [bytes([n]) * 16 for n in range(4)]
    commands = [challenge(ZERO, ENCRYPTED_RND_B, one).command for one in numbers]
    answers = [card_answer(ZERO, command, rnd_b=RND_B, transaction=bytes(4))[0] for command in commands]
    for (before, answer), (now, _) in pairwise(zip(numbers, answers, strict=True)):
        challenge(ZERO, ENCRYPTED_RND_B, before).session(answer)
        with pytest.raises(NotAuthentic):
            challenge(ZERO, ENCRYPTED_RND_B, now).session(answer)


def test_the_whole_conversation_is_the_published_one() -> None:
    said: list[str] = []
    answers = [ENCRYPTED_RND_B + b"\x91\xaf", ANSWER + b"\x91\x00"]

    def exchange(command: bytes) -> bytes:
        said.append(command.hex().upper())
        return answers[len(said) - 1]

    assert authenticated(exchange, ZERO, rnd_a=RND_A).transaction == of_hex("9D00C4DF")
    assert said == ["9071000002000000", f"90AF000020{COMMAND.hex().upper()}00"]


@pytest.mark.parametrize("spoilt", [0, 1])
def test_a_card_that_ends_the_conversation_is_not_authentic(spoilt: int) -> None:
    answers = [ENCRYPTED_RND_B + b"\x91\xaf", ANSWER + b"\x91\x00"]
    answers[spoilt] = b"\x91\xae"
    left = iter(answers)
    with pytest.raises(NotAuthentic, match="91AE"):
        authenticated(lambda command: next(left), ZERO, rnd_a=RND_A)


@pytest.mark.parametrize("length", [0, 15, 17, 31, 33])
def test_answers_of_another_length_are_no_answers(length: int) -> None:
    with pytest.raises(NotAuthentic):
        challenge(ZERO, ENCRYPTED_RND_B, RND_A).session(bytes(length))
    with pytest.raises(NotAuthentic):
        card_answer(ZERO, bytes(length), rnd_b=RND_B, transaction=bytes(4))
    if length != 16:
        with pytest.raises(NotAuthentic):
            challenge(ZERO, bytes(length), RND_A)
