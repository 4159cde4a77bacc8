"""Erases what was decided to be erased, on this computer: list, pictures, templates, free texts, copies; and proves it.

It works from the facts: whoever `person_erased` names and this computer has not finished yet. So a power cut, or an old copy of
the disk that was put back, ends with the same work done. At the end every byte of every file in the state folder is looked
through for the person's words, and the receipt says where something is left. It runs off the loop, in a thread of its own.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kiosk.backup import last_backup
from kiosk.controller import Controller
from kiosk.core.commands import Tick
from kiosk.core.commands_privacy import ErasePersons, ErasureDone
from kiosk.core.people import Directory
from kiosk.directory import DirectoryError, PersonInUse, PersonUnknown, SnapshotStale, erase_person, index, publish, read_content
from kiosk.erasing_notes import NoteErasing
from kiosk.face.templates import TemplateStore
from kiosk.journal import FILE_NAME, JournalError
from kiosk.privacy.copies import clean_copies
from kiosk.privacy.leavers import Leavers, persons_of
from kiosk.privacy.notes_about import notes_about
from kiosk.privacy.words_of import everybody, files_with, only_theirs, pattern_of, words_of
from kiosk.snapshots import PictureError, SnapshotStore

DIRECTORY_FILE: Final = "directory.db"
NOTES_WITHIN_S: Final = 120.0  # for the loop to find the moments in which nobody waits
POLL_S: Final = 0.1

log = logging.getLogger("kiosk.privacy")


@dataclass(slots=True)
class _Work:
    """What is being erased, and what has gone so far."""

    persons: frozenset[int]
    words: tuple[str, ...] = ()
    notes: int = 0
    pictures: int = 0
    photos: int = 0
    templates: int = 0
    copies: int = 0
    directory: int = 0
    left: list[str] = field(default_factory=list)


class Eraser:
    """home: whether people are erased from the list here; every other computer of the school gets the list that is left."""

    def __init__(
        self, *, controller: Controller, state: Path, snapshots: SnapshotStore, templates: TemplateStore | None, home: bool
    ) -> None:
        self._controller, self._state, self._home = controller, state, home
        self._snapshots, self._templates = snapshots, templates
        self.leavers = Leavers(state)
        self._seen: Directory | None = None
        self._said = ""

    def look(self) -> bool:
        """Whether anything was erased. Raises one of ERRORS: then it is tried again at the next look."""
        self._note_leavers()
        book, done = self._controller.world.campus.privacy, self.leavers.done
        due = frozenset(person for person in list(book.erased) if person not in done)
        if not due:
            return False
        waiting = self._on_the_list(due) if not self._home else frozenset[int]()
        if waiting:
            self._say(f"{len(waiting)} erased persons are still on this computer's list; they go when the office's list comes")
        if due - waiting:
            self._erase(due - waiting)
        return bool(due - waiting)

    def _say(self, words: str) -> None:
        if words != self._said:
            log.info("%s", words)
        self._said = words

    def _note_leavers(self) -> None:
        now = self._controller.world.directory
        if now is not self._seen:
            day = self._controller.world.book.day.date.isoformat()
            self.leavers.note(self._seen, now, persons_of(self._state / DIRECTORY_FILE), day=day)
            self._seen = now

    def _on_the_list(self, persons: frozenset[int]) -> frozenset[int]:
        return persons & {person.number for person in persons_of(self._state / DIRECTORY_FILE)}

    # --- the work ------------------------------------------------------------------------------------

    def _erase(self, persons: frozenset[int]) -> None:
        work = _Work(persons)
        self._find_words(work)
        if self._home:
            self._off_the_list(work)
        self._pictures(work)
        pattern = pattern_of(work.words)
        self._notes(work, notes_about(self._state, persons, pattern))
        self.leavers.forget(persons)
        found = files_with(self._state, pattern)
        if FILE_NAME in found or f"{FILE_NAME}-wal" in found:
            self._notes(work, (), rebuild=True)
            found = files_with(self._state, pattern)
        work.left += found
        self._copies(work)
        self._controller.ask(
            ErasureDone(
                persons=tuple(sorted(persons)), notes=work.notes, pictures=work.pictures, photos=work.photos,
                templates=work.templates, copies=work.copies, directory=work.directory, left=tuple(work.left),
            )
        )  # fmt: skip
        self.leavers.finish(persons)
        log.info("%d persons are erased here; left: %s", len(persons), "、".join(work.left) or "nothing")

    def _find_words(self, work: _Work) -> None:
        """Those of the list in place, as far as nobody who stays has them too."""
        known = self._list()
        words = [word for person in work.persons for word in self.leavers[person]]
        for listed in (known, self._controller.world.directory, self._seen):  # the file may be newer than what is in force here
            words += [word for person in work.persons for word in (words_of(listed, person) if listed else ())]
        stay = [*everybody(known, but=work.persons)] if known is not None else []
        stay += [w for number, one in self.leavers.all().items() if number not in work.persons for w in one.words]
        work.words = only_theirs(words, stay)

    def _list(self) -> Directory | None:
        try:
            content, info = read_content(self._state / DIRECTORY_FILE)
        except DirectoryError:
            return None
        return index(content, number=info.number, made_at_ms=info.made_at_ms)

    def _off_the_list(self, work: _Work) -> None:
        """The next list is the same without them. Adults whom no other child needs go too, by a decision of their own."""
        path = self._state / DIRECTORY_FILE
        try:
            content, info = read_content(path)
        except DirectoryError:
            return  # there is none: nobody is on it
        gone = set[int]()
        for person in sorted(work.persons):
            try:
                content, with_it = erase_person(content, person)
            except PersonUnknown:
                continue
            except PersonInUse as error:
                work.left.append(str(error))
                continue
            gone |= with_it
        if not gone:
            return
        day = self._controller.world.book.day.date.isoformat()
        after = index(content, number=info.number + 1, made_at_ms=info.made_at_ms)
        adults = tuple(sorted(gone - work.persons))
        if adults:  # before their rows go: a power cut must not lose what to look for
            self.leavers.note(self._list(), after, [p for p in persons_of(path) if p.number in adults], day=day)
        work.directory = publish(path, content, info.number + 1, self._controller.clock.now_ms()).number
        if adults:
            self._controller.submit(ErasePersons(persons=adults, why="left"))

    def _pictures(self, work: _Work) -> None:
        for person in work.persons:
            for receipt in self._snapshots.erase_person(person):
                work.photos += receipt.what == "photo"
                work.pictures += receipt.what == "snapshot"
            if self._templates is not None:
                work.templates += self._templates.erase(person)

    def _notes(self, work: _Work, digests: Iterable[str], *, rebuild: bool = False) -> None:
        chore = erase_notes(self._controller, tuple(digests), rebuild=rebuild)
        work.notes += chore.erased
        if not chore.done.is_set():
            work.left.append(f"{FILE_NAME}: somebody reads from it without a pause; it is tried again at the next erasing")

    def _copies(self, work: _Work) -> None:
        said = last_backup(self._state)
        if said is None:
            return
        cleaned = clean_copies(Path(said.copy).parent, self.leavers.done | work.persons, state=self._state)
        work.copies += cleaned.made_again
        work.left += cleaned.left


def erase_notes(controller: Controller, digests: tuple[str, ...], *, rebuild: bool = False) -> NoteErasing:
    """Waits until the loop has done it in moments in which nobody waits for it."""
    chore, journal = NoteErasing(digests, rebuild=rebuild), controller.journal
    journal.chores.append(chore)
    for _ in range(round(NOTES_WITHIN_S / POLL_S)):
        journal.prunes = True
        controller.submit(Tick())  # wakes a loop that waits for whoever comes next
        if chore.done.wait(POLL_S):
            break
    return chore


ERRORS: Final = (OSError, sqlite3.Error, DirectoryError, JournalError, PictureError, TimeoutError, SnapshotStale)
