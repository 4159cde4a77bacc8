"""The lines of the ZKTeco push protocol (ADMS, "iclock"): what a terminal posts, and what it is answered.

Pure: text in, values out, and back. A line that is no tap is counted and left out; it never hides the line beside it. Bounded:
at most MAX_LINES lines, each at most MAX_LINE_CHARS long. A time is kept as the terminal wrote it, local and without a zone.
Nothing here opens a socket, reads a clock or decides what a tap means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

MAX_LINES = 20_000  # of one post; a terminal sends a hundred or so
MAX_LINE_CHARS = 1_024
MAX_FIELDS = 32
MAX_COMMANDS = 16  # in one answer
MAX_REPLIES = 64
LOCAL_TIME = re.compile(r"(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})", re.ASCII)
PERSON = re.compile(r"[0-9A-Za-z]{1,24}", re.ASCII)
CARD = re.compile(r"[0-9A-Fa-f]{4,20}", re.ASCII)
STATUS = re.compile(r"[0-9A-Za-z]{0,8}", re.ASCII)
SERIAL_NUMBER = re.compile(r"[0-9A-Za-z_-]{4,32}", re.ASCII)
NOBODY = frozenset({"", "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """Somebody was recognised at the terminal. `person` is the number under which the terminal knows them; `card` is what was
    held to it, where the terminal says so. `verify` is the terminal's own code for how it recognised them."""

    person: str
    at: str  # "2026-09-01 07:31:02", by the terminal's clock
    status: str = ""
    verify: str = ""
    card: str = ""
    event: str = ""  # access control only


@dataclass(frozen=True, slots=True)
class Post:
    """What one post held: `lines` were received, of which `taps` were understood."""

    lines: int
    taps: tuple[Tap, ...]

    @property
    def unreadable(self) -> int:
        return self.lines - len(self.taps)


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one command: 0 is done, everything else the terminal's own trouble."""

    command: int
    result: int


def decoded(body: bytes) -> str:
    """UTF-8, or the GB18030 of older Chinese firmware. Never raises."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("gb18030", "replace")


def attendance(text: str) -> Post:
    """table=ATTLOG: `PIN<TAB>time<TAB>status<TAB>verify<TAB>...`, one tap a line."""
    lines = _lines(text)
    return Post(len(lines), tuple(tap for line in lines if (tap := _attendance(line))))


def access_events(text: str) -> Post:
    """table=rtlog of access-control firmware: `time=...<TAB>pin=...<TAB>cardno=...<TAB>event=...`, one event a line."""
    lines = _lines(text)
    return Post(len(lines), tuple(tap for line in lines if (tap := _access_event(line))))


def line_count(text: str) -> int:
    """How many lines a table has that we do not keep (operation log, users, templates)."""
    return len(_lines(text))


def replies(text: str) -> tuple[Reply, ...]:
    """`ID=3&Return=0&CMD=DATA`, one command a line; what is no reply is left out."""
    found = (_reply(line) for line in _lines(text)[:MAX_REPLIES])
    return tuple(reply for reply in found if reply is not None)


def options_text(serial_number: str, *, stamp: str, delay_s: int, error_delay_s: int, zone_hours: int) -> str:
    """The answer to `options=all`. Operation logs, users and templates are not asked for: no biometric is to leave a terminal."""
    lines = (
        f"GET OPTION FROM: {serial_number}",
        f"ATTLOGStamp={stamp}",
        "OPERLOGStamp=9999",
        "ATTPHOTOStamp=9999",
        f"ErrorDelay={error_delay_s}",
        f"Delay={delay_s}",
        "TransTimes=00:00;14:05",
        "TransInterval=1",
        "TransFlag=TransData AttLog",
        f"TimeZone={zone_hours}",
        "Realtime=1",
        "Encrypt=None",
    )
    return "\r\n".join(lines) + "\r\n"


def push_options_text(serial_number: str, *, session: int, delay_s: int, error_delay_s: int) -> str:
    """The answer to `push` of access-control firmware, which registers first."""
    lines = (
        f"RegistryCode={serial_number}",
        "ServerVersion=3.1.2",
        "ServerName=campus-kiosk",
        "PushVersion=3.0.1",
        f"ErrorDelay={error_delay_s}",
        f"RequestDelay={delay_s}",
        "TransTimes=00:00;14:05",
        "TransInterval=1",
        "TransTables=Transaction",
        "Realtime=1",
        f"SessionID={session}",
        "TimeoutSec=10",
    )
    return "\r\n".join(lines) + "\r\n"


def commands_text(commands: Iterable[tuple[int, str]]) -> str:
    """The answer to `getrequest`: what waits for this terminal, or OK."""
    return "\n".join(f"C:{number}:{command}" for number, command in list(commands)[:MAX_COMMANDS]) or "OK"


def open_door_command(door: int, seconds: int) -> str:
    """`CONTROL DEVICE` of access firmware: output control, door, lock relay, seconds; two hex digits each."""
    assert 1 <= door <= 99, door
    return f"CONTROL DEVICE 01{door:02X}01{max(1, min(seconds, 254)):02X}"


def _lines(text: str) -> list[str]:
    """Ends of lines are CR LF or LF; nothing else ends one, whatever Unicode thinks."""
    lines = text[: MAX_LINES * MAX_LINE_CHARS].replace("\r\n", "\n").split("\n")
    return [line for line in lines if line.strip()][:MAX_LINES]


def _attendance(line: str) -> Tap | None:
    if len(line) > MAX_LINE_CHARS:
        return None
    fields = line.split("\t", MAX_FIELDS)
    if len(fields) < 2:
        return None
    status, verify = (fields[index].strip() if index < len(fields) else "" for index in (2, 3))
    return _tap(person=fields[0].strip(), at=fields[1].strip(), status=status, verify=verify)


def _access_event(line: str) -> Tap | None:
    if len(line) > MAX_LINE_CHARS:
        return None
    said: dict[str, str] = {}
    for field in line.split("\t", MAX_FIELDS):
        name, equals, value = field.partition("=")
        if equals:
            said.setdefault(name.strip().lower(), value.strip())
    card = said.get("cardno", "")
    return _tap(
        person=said.get("pin", ""), at=said.get("time", ""), status=said.get("inoutstatus", ""),
        verify=said.get("verifytype", ""), card="" if card.strip("0") == "" else card, event=said.get("event", ""),
    )  # fmt: skip


def _tap(*, person: str, at: str, status: str, verify: str, card: str = "", event: str = "") -> Tap | None:
    person = "" if person in NOBODY else person
    if not (person or card) or not is_local_time(at):
        return None
    if (person and not PERSON.fullmatch(person)) or (card and not CARD.fullmatch(card)):
        return None
    if not all(STATUS.fullmatch(code) for code in (status, verify, event)):
        return None
    return Tap(person=person, at=at.replace("T", " "), status=status, verify=verify, card=card, event=event)


def is_local_time(text: str) -> bool:
    """A moment that a calendar has, to the second."""
    found = LOCAL_TIME.fullmatch(text)
    if found is None:
        return False
    year, month, day, hour, minute, second = map(int, found.groups())
    return year >= 1 and 1 <= month <= 12 and 1 <= day <= _days(year, month) and hour < 24 and minute < 60 and second < 60


def _days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _reply(line: str) -> Reply | None:
    said = dict(parse_qsl(line[:MAX_LINE_CHARS], keep_blank_values=True, max_num_fields=None))
    number, result = said.get("ID", ""), said.get("Return", "")
    if not (number.isascii() and number.isdecimal() and len(number) <= 9):
        return None
    digits = result.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 9):
        return None
    return Reply(int(number), int(result))
