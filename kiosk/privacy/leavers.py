"""leavers.json: who is on no list any more and whose time is not over yet, with the words to find them by when it is.

An import drops a name at once; what else there is of the person (notes, pictures, the 学号 that would give the same number
again) has to be found weeks later. So the words stay here until then, on this computer only, and go with everything else.
Also which erasures this computer has done.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from pathlib import Path
from typing import Final

import msgspec

from kiosk.core.people import Directory
from kiosk.directory import DirectoryError, Person, PersonKind, read_content
from kiosk.durable_files import write_whole
from kiosk.privacy.words_of import words_of

FILE_NAME: Final = "leavers.json"


class Leaver(msgspec.Struct, frozen=True, kw_only=True):
    """since: ISO day on which this computer saw that the person is on no list any more."""

    kind: str
    since: str
    words: tuple[str, ...]


class _Kept(msgspec.Struct, kw_only=True):
    leavers: dict[int, Leaver] = {}
    done: list[int] = []  # persons whose erasure this computer has finished
    looked_on: str = ""  # the day of the last look for what is past its time


class Leavers:
    """Not for several threads at once. Raises OSError where the file cannot be written; what is damaged is begun anew."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE_NAME
        try:
            self._kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            self._kept = _Kept()

    def __getitem__(self, person: int) -> tuple[str, ...]:
        found = self._kept.leavers.get(person)
        return found.words if found else ()

    def all(self) -> dict[int, Leaver]:
        return dict(self._kept.leavers)

    @property
    def done(self) -> frozenset[int]:
        return frozenset(self._kept.done)

    @property
    def looked_on(self) -> str:
        return self._kept.looked_on

    def forget(self, persons: Iterable[int]) -> None:
        """Their words are not in this file any more."""
        gone = set(persons)
        self._kept.leavers = {n: one for n, one in self._kept.leavers.items() if n not in gone}
        self._save()

    def finish(self, persons: Iterable[int]) -> None:
        gone = set(persons)
        self._kept.leavers = {n: one for n, one in self._kept.leavers.items() if n not in gone}
        self._kept.done = sorted({*self._kept.done, *gone})
        self._save()

    def looked(self, day: str) -> None:
        self._kept.looked_on = day
        self._save()

    def note(self, before: Directory | None, after: Directory, persons: Iterable[Person], *, day: str) -> None:
        """Whoever is known by number and on no list is a leaver from now on; whoever came back is none any more."""
        here = {*after.pupils, *after.collectors}
        found = {number: one for number, one in self._kept.leavers.items() if number not in here}
        for person in persons:
            if person.kind is PersonKind.STAFF or person.number in here or person.number in found:
                continue
            words = dict.fromkeys((*(words_of(before, person.number) if before else ()), person.key))
            found[person.number] = Leaver(kind=person.kind.value, since=day, words=tuple(words))
        for number in _erased_elsewhere(before, here | found.keys() | self.done):
            kind = PersonKind.PUPIL if before is not None and number in before.pupils else PersonKind.COLLECTOR
            known = words_of(before, number) if before is not None else ()
            found[number] = Leaver(kind=kind.value, since=day, words=known)
        if found != self._kept.leavers:
            self._kept.leavers = found
            self._save()

    def _save(self) -> None:
        write_whole(self._path, msgspec.json.encode(self._kept))


def _erased_elsewhere(before: Directory | None, but: Set[int]) -> list[int]:
    """On the list before, and nowhere on the new one: the office's computer erased them, and this one has its part to do yet."""
    if before is None:
        return []
    return [number for number in (*before.pupils, *before.collectors) if number not in but]


def persons_of(directory_file: Path) -> tuple[Person, ...]:
    """Everybody whom the list in place knows by number, those who left too; nobody where there is no list yet."""
    try:
        return read_content(directory_file)[0].persons
    except DirectoryError:
        return ()
