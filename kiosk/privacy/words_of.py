"""The words by which a person could be found on a disk: name, pinyin, 学号, telephone, cards; and looking for them, byte by byte.

Only for erasing: it never stores a word and never prints one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from kiosk.core.people import Directory

ENCODINGS: Final = ("utf-8", "gb18030", "utf-16-le", "utf-16-be")
SHORTEST: Final = 2  # characters of a Chinese name; anything else has to be longer to mean somebody
SHORTEST_ASCII: Final = 6
READ_BYTES: Final = 1 << 20
OVERLAP_BYTES: Final = 512  # a word may lie across two reads


def words_of(directory: Directory, number: int) -> tuple[str, ...]:
    """Of somebody who is on the list; nothing of anybody else."""
    found: list[str] = []
    if pupil := directory.pupils.get(number):
        found += [pupil.name, pupil.pinyin, pupil.school_number]
    if adult := directory.collectors.get(number):
        found += [adult.name, adult.pinyin, adult.phone, adult.key]
    found += [card.uid for cards in directory.cards.values() for card in cards if card.holder == number]
    return tuple(dict.fromkeys(word for word in found if telling(word)))


def telling(word: str) -> bool:
    """Whether a word is long enough to mean one person."""
    return len(word) >= (SHORTEST_ASCII if word.isascii() else SHORTEST)


def everybody(directory: Directory, *, but: Iterable[int]) -> Iterator[str]:
    """Every word of those who stay."""
    gone = frozenset(but)
    for group in (directory.pupils, directory.collectors):
        people: Mapping[int, object] = group
        for number in people:
            if number not in gone:
                yield from words_of(directory, number)
    for staff in directory.staff.values():
        yield from (staff.name, staff.pinyin, staff.phone, staff.staff_number)


def only_theirs(words: Iterable[str], stay: Iterable[str]) -> tuple[str, ...]:
    """Without the words that somebody who stays has as well, whole or as a part of an own one."""
    kept = "\n".join(stay)
    return tuple(word for word in dict.fromkeys(words) if telling(word) and word not in kept)


def pattern_of(words: Iterable[str]) -> re.Pattern[bytes] | None:
    """Finds each word in any of the encodings that a school's files have. A number is only itself when no digit is beside it."""
    parts = {_spelled(word, encoding) for word in words for encoding in ENCODINGS}
    return re.compile(b"|".join(sorted(parts))) if parts else None


def _spelled(word: str, encoding: str) -> bytes:
    spelled = re.escape(word.encode(encoding))
    if word.isascii() and encoding in ("utf-8", "gb18030"):
        return rb"(?<![0-9A-Za-z])" + spelled + rb"(?![0-9A-Za-z-])"  # 20260101- begins a picture's id
    return spelled


def files_with(folder: Path, pattern: re.Pattern[bytes] | None) -> tuple[str, ...]:
    """Paths below a folder of all files in which something is found. A file that goes away meanwhile has nothing."""
    if pattern is None:
        return ()
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return tuple(str(path.relative_to(folder)) for path in paths if _has(path, pattern))


def _has(path: Path, pattern: re.Pattern[bytes]) -> bool:
    tail = b""
    try:
        with path.open("rb") as file:
            while block := file.read(READ_BYTES):
                if pattern.search(tail + block):
                    return True
                tail = block[-OVERLAP_BYTES:]
    except OSError:
        return False
    return False
