"""ESC/POS, the language of receipt printers: lines of text in, bytes out; status bytes in, what ails the printer out. Pure.

Chinese goes out as GB18030 after FS &, which selects Chinese characters on printers sold in China. A Chinese character is two
columns wide. Text can carry no command: control characters are dropped.

Real-time status (DLE EOT n) is answered by one byte at once, even by a printer that has stopped. GS r n is answered in turn,
after everything that was sent before it was worked off: that is the printer's word that a list is on paper. Both bytes have
fixed bits by which they are told apart from each other and from noise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

CHARSET: Final = "gb18030"
START: Final = b"\x1b@\x1c&\x1b2"  # ESC @ as switched on; FS & Chinese; ESC 2 default line spacing
CUT: Final = b"\x1dVB\x03"  # GS V 66 n: feed to the cutter and cut; printers without a cutter only feed
IN_TURN: Final = b"\x1dr\x01"  # GS r 1: the paper sensor, answered in turn
REAL_TIME: Final = {n: bytes((0x10, 0x04, n)) for n in (1, 2, 3, 4)}  # DLE EOT n
_SIZE, _BOLD, _ALIGN = b"\x1d!", b"\x1bE", b"\x1ba"
_ALIGNS: Final = {"left": b"\x00", "centre": b"\x01"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of paper. size 2 doubles width and height, so half as many columns fit."""

    text: str
    size: Literal[1, 2] = 1
    bold: bool = False
    align: Literal["left", "centre"] = "left"


# --- text ---------------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Without control characters and halves of surrogate pairs: what is left can be printed and commands nothing."""
    return "".join(c for c in text if c >= " " and c != "\x7f" and not 0x80 <= ord(c) < 0xA0 and not 0xD800 <= ord(c) <= 0xDFFF)


def columns_of(text: str) -> int:
    """How wide a text is printed: everything but ASCII takes two columns."""
    return sum(1 if ord(c) < 0x80 else 2 for c in text)


def cut_to(text: str, columns: int) -> str:
    """As much of the text as fits."""
    room, kept = columns, list[str]()
    for c in plain(text):
        room -= columns_of(c)
        if room < 0:
            break
        kept.append(c)
    return "".join(kept)


def padded(text: str, columns: int) -> str:
    """Cut or filled with blanks to exactly so many columns."""
    fitting = cut_to(text, columns)
    return fitting + " " * (columns - columns_of(fitting))


def in_cells(texts: Sequence[str], *, cell: int, columns: int) -> list[str]:
    """Texts side by side in cells of equal width, as many to a line as fit; at least one."""
    per_line = max(1, columns // cell)
    rows = (texts[start : start + per_line] for start in range(0, len(texts), per_line))
    return ["".join(padded(text, min(cell, columns)) for text in row).rstrip() for row in rows]


def encoded(text: str, charset: str = CHARSET) -> bytes:
    """The bytes of a text. A character that an older printer's charset lacks becomes a box: the seat number still says who."""
    out = bytearray()
    for c in plain(text):
        try:
            out += c.encode(charset)
        except UnicodeEncodeError:
            out += "□".encode(charset)
    return bytes(out)


def document(lines: Iterable[Line], *, columns: int, charset: str = CHARSET) -> bytes:
    """A whole slip: set up, every line cut to the paper's width, cut off at the end."""
    out = bytearray(START)
    for line in lines:
        styled = line.size != 1 or line.bold or line.align != "left"
        if styled:
            out += _SIZE + (b"\x11" if line.size == 2 else b"\x00")
            out += _BOLD + (b"\x01" if line.bold else b"\x00") + _ALIGN + _ALIGNS[line.align]
        out += encoded(cut_to(line.text, columns // line.size), charset) + b"\n"
        if styled:
            out += _SIZE + b"\x00" + _BOLD + b"\x00" + _ALIGN + b"\x00"
    return bytes(out + CUT)


# --- status ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the real-time answers say together. `paper_low`: it still prints."""

    offline: bool = False
    cover_open: bool = False
    paper_out: bool = False
    paper_low: bool = False
    cutter: bool = False
    error: bool = False

    @property
    def trouble(self) -> str:
        """What a person must do, "" when nothing. The most useful word first."""
        if self.cover_open:
            return "its cover is open; close it"
        if self.paper_out:
            return "it is out of paper; put in a new roll"
        if self.cutter:
            return "its cutter is stuck; switch it off, free the paper, switch it on"
        if self.error:
            return "it reports an error; switch it off and on"
        return "it is off line; press its on-line or feed button" if self.offline else ""


@dataclass(frozen=True, slots=True)
class RealTime:
    """An answer to DLE EOT n. It does not say to which n."""

    byte: int


@dataclass(frozen=True, slots=True)
class InTurn:
    """An answer to GS r: what was sent before it is worked off."""

    byte: int


def is_real_time(byte: int) -> bool:
    """Answers to DLE EOT: bits 1 and 4 are set, bits 0 and 7 are not."""
    return byte & 0b1001_0011 == 0b0001_0010


def is_in_turn(byte: int) -> bool:
    """Answers to GS r: bits 4 and 7 are not set. Nothing that is_real_time."""
    return byte & 0b1001_0000 == 0


class PrinterAnswers:
    """What comes back from a printer, told apart byte by byte: answers to DLE EOT and to GS r. Anything else is noise."""

    buffered = 0  # each byte speaks for itself

    def feed(self, data: bytes) -> list[RealTime | InTurn]:
        return [RealTime(byte) if is_real_time(byte) else InTurn(byte) for byte in data if is_real_time(byte) or is_in_turn(byte)]


def status_from(answers: dict[int, int]) -> Status:
    """From the bytes that DLE EOT 1 to 4 were answered with, as far as the printer knows them."""
    printer, offline, error, paper = (answers.get(n, 0) for n in (1, 2, 3, 4))
    return Status(
        offline=bool(printer & 0x08),
        cover_open=bool(offline & 0x04),
        paper_out=bool(offline & 0x20) or paper & 0x60 == 0x60,
        paper_low=paper & 0x0C == 0x0C,
        cutter=bool(error & 0x08),
        error=bool(offline & 0x40) or bool(error & 0x64),
    )
