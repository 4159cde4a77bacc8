"""The lines of push terminals: what firmware sends, and whatever noise Hypothesis thinks of."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.adms_lines import (
    MAX_LINES,
    Reply,
    Tap,
    access_events,
    attendance,
    commands_text,
    decoded,
    is_local_time,
    line_count,
    open_door_command,
    options_text,
    replies,
)

GOOD = "20260001\t2026-09-01 07:31:02\t0\t15\t0\t0\t0"
TAP = Tap(person="20260001", at="2026-09-01 07:31:02", status="0", verify="15")
NOISE = st.text(max_size=60) | st.text(alphabet="0123456789\t -:", max_size=60)


def test_a_batch_of_attendance_is_read_line_by_line() -> None:
    post = attendance(f"{GOOD}\r\n20260002\t2026-09-01 07:31:05\t0\t3\t0\t0\t0\r\n")
    assert (post.lines, post.unreadable) == (2, 0)
    assert [(tap.person, tap.verify) for tap in post.taps] == [("20260001", "15"), ("20260002", "3")]


def test_old_firmware_sends_two_fields_and_a_space_less_end() -> None:
    assert attendance("7\t2026-09-01 07:31:02").taps == (Tap(person="7", at="2026-09-01 07:31:02"),)


@pytest.mark.parametrize(
    "line",
    [
        "20260001", "\t2026-09-01 07:31:02\t0\t1", "0\t2026-09-01 07:31:02\t0\t1", "1\t2026-02-30 07:31:02\t0\t1",
        "1\t2026-09-01\t0\t1", "1\t2026-09-01 24:00:00\t0\t1", "张三\t2026-09-01 07:31:02\t0\t1",
        "1\t2026-09-01 07:31:02\t<b>\t1", "1" * 30 + "\t2026-09-01 07:31:02", "1\t２026-09-01 07:31:02\t0\t1",
        GOOD + "\t" + "9" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_tap_is_counted_and_hides_no_neighbour(line: str) -> None:
    post = attendance(f"{GOOD}\n{line}\n{GOOD}\n")
    assert (post.lines, post.taps) == (3, (TAP, TAP))


def test_an_access_event_says_card_and_event() -> None:
    line = "time=2026-09-01 07:31:02\tpin=0\tcardno=3F2A9C11\teventaddr=1\tevent=27\tinoutstatus=0\tverifytype=4\tindex=21"
    (tap,) = access_events(line).taps
    assert (tap.person, tap.card, tap.event, tap.verify, tap.status) == ("", "3F2A9C11", "27", "4", "0")
    assert access_events("time=2026-09-01 07:31:02\tpin=0\tcardno=0\tevent=206").taps == ()


def test_replies_to_commands() -> None:
    said = "ID=3&Return=0&CMD=DATA\nID=4&Return=-1002&CMD=CONTROL\nID=x&Return=0\nnonsense"
    assert replies(said) == (Reply(3, 0), Reply(4, -1002))


def test_the_options_ask_for_no_biometrics() -> None:
    text = options_text("CKP1234567", stamp="9999", delay_s=2, error_delay_s=5, zone_hours=8)
    assert text.startswith("GET OPTION FROM: CKP1234567\r\n") and text.endswith("\r\n")
    assert "TransFlag=TransData AttLog\r\n" in text and "Realtime=1" in text and "Delay=2\r\n" in text
    assert not any(word in text for word in ("FPImage", "FACE", "BioPhoto", "UserPic"))


def test_what_waits_is_numbered_and_nothing_is_ok() -> None:
    assert commands_text([]) == "OK"
    assert commands_text([(1, "CHECK"), (2, open_door_command(1, 3))]) == "C:1:CHECK\nC:2:CONTROL DEVICE 01010103"


def test_chinese_firmware_writes_gb18030() -> None:
    assert decoded("USER PIN=1\tName=张三".encode("gb18030")) == "USER PIN=1\tName=张三"
    assert decoded("张三".encode()) == "张三"


def test_a_flood_of_lines_is_cut_off() -> None:
    assert attendance(f"{GOOD}\n" * (MAX_LINES + 5)).lines == MAX_LINES


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(NOISE | st.just(GOOD), max_size=12))
def test_no_tap_is_lost_next_to_noise(lines: list[str]) -> None:
    clean = [line.replace("\n", "").replace("\r", "") for line in lines]
    post = attendance("\r\n".join(clean))
    assert sum(1 for tap in post.taps if tap == TAP) >= clean.count(GOOD)
    assert all(is_local_time(tap.at) for tap in post.taps)


@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=300))
def test_any_bytes_are_answered(body: bytes) -> None:
    text = decoded(body)
    for read in (attendance, access_events, line_count, replies):
        read(text)
