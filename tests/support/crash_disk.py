"""A disk played back from a recording of disk_recorder.c, and what a power cut at any step may leave of it.

Sure is what was synced. Of everything else each 512-byte sector may be there or not, in any order and in any of the versions that
were written, a file may be longer without the bytes in it, and names may be there or not. Two sorts of file system: one that
keeps its changes of names in order and makes them sure with any sync, as ext4 does, and one that promises only
what the manual page of fsync says, where a name is sure once its own folder was synced. It knows nothing of SQLite but
that -shm is memory. It writes to no disk but the images.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
MADE, WRITTEN, CUT, SYNCED, RENAMED, LINKED, REMOVED, FOLDER_MADE, FOLDER_REMOVED, MARKED = range(1, 11)
_HEAD = struct.Struct("=6IQ")
_DELETED = " (deleted)"  # the kernel's word for an open file that has no name any more
MEMORY = "-shm"
BARE, WHOLE, DRAWN = "bare", "whole", "drawn"  # only what is sure; everything, as after kill -9; chance


Image = dict[str, bytes | None]  # path -> bytes, or None for a folder


class Step(NamedTuple):
    """One thing that the process asked of the disk, or marked. data: the bytes written; at: their place, or a length."""

    operation: int
    name: str
    other: str
    data: bytes
    at: int


def read_steps(log: Path) -> list[Step]:
    found, steps, at = log.read_bytes(), [], 0
    while at < len(found):
        operation, _, _, name, other, size, offset = _HEAD.unpack_from(found, at)
        at += _HEAD.size
        parts = []
        for length in (name, other, size):
            parts.append(found[at : at + length])
            at += length
        steps.append(Step(operation, parts[0].decode(), parts[1].decode(), parts[2], offset))
    return steps


class Version(NamedTuple):
    """A sector after one write since the sync. number: of the write. cut: it was a cut, which took away what stood there."""

    number: int
    data: bytes
    cut: bool


class File:
    """Bytes as the process sees them, as they are for sure, and the writes between the two."""

    def __init__(self, content: bytes = b"") -> None:
        self.sure, self.seen = content, bytearray(content)
        self._forget()

    def _forget(self) -> None:
        self.sizes = [len(self.sure)]  # after each write since the sync
        self.versions: dict[int, list[Version]] = {}  # by sector
        self.cuts: list[int] = []  # numbers of writes that made it shorter

    def write(self, at: int, data: bytes) -> None:
        if at > len(self.seen):
            self.seen.extend(bytes(at - len(self.seen)))
        self.seen[at : at + len(data)] = data
        self._touched(at, at + len(data))

    def cut(self, length: int) -> None:
        before = len(self.seen)
        if length < before:
            del self.seen[length:]
            self.cuts.append(len(self.sizes))
        else:
            self.seen.extend(bytes(length - before))
        self._touched(length, before, cut=True)

    def sync(self) -> None:
        self.sure = bytes(self.seen)
        self._forget()

    def _touched(self, start: int, end: int, *, cut: bool = False) -> None:
        self.sizes.append(len(self.seen))
        for sector in range(start // SECTOR, -(-end // SECTOR)):
            now = bytes(self.seen[sector * SECTOR : (sector + 1) * SECTOR]).ljust(SECTOR, b"\0")
            self.versions.setdefault(sector, []).append(Version(len(self.sizes) - 1, now, cut))

    def after_a_cut(self, chance: random.Random, style: str) -> bytes:
        """What may be left of it."""
        if style == WHOLE or len(self.sizes) == 1:
            return bytes(self.seen)
        way = "none" if style == BARE else chance.choice(("none", "all", "prefix", "prefix", "some", "some", "one", "but one"))
        if way == "none":
            return self.sure
        last, touched = len(self.sizes) - 1, list(self.versions)
        through = chance.randint(0, last) if way == "prefix" else last
        first, end = self._between_cuts(chance.randint(0, len(self.cuts)) if way in ("some", "one", "but one") else None, through)
        under_way = through + 1 if way == "prefix" else last  # of a prefix, the write that follows may be torn
        size = self._size(chance, first, chance.randint(first, end) if way in ("some", "one") else min(under_way, end))
        share, picked = chance.choice((0.1, 0.5, 0.9)), chance.choice(touched) if touched else -1
        found = bytearray(self.sure)
        if size > len(found):
            stale = chance.random() < 0.25  # what stood in those blocks before; else zeros
            found.extend(chance.randbytes(size - len(found)) if stale else bytes(size - len(found)))
        for sector, versions in self.versions.items():
            emptied = [one for one in versions if one.cut and one.number <= first][-1:]
            since = emptied[0].number if emptied else 0
            written = [one for one in versions if not one.cut and since < one.number <= min(through, end)]
            if way == "some" and chance.random() < share:
                written = written[: chance.randint(0, len(written))]
            elif (way == "one" and sector != picked) or (way == "but one" and sector == picked):
                written = []
            elif way == "prefix" and chance.random() < 0.5:
                written += [one for one in versions if not one.cut and one.number == under_way <= end]
            place, there = sector * SECTOR, emptied + written
            if there and place < size:
                found[place : place + SECTOR] = there[-1].data
        return bytes(found[:size]).ljust(size, b"\0")

    def _size(self, chance: random.Random, first: int, at: int) -> int:
        """The length after that write, or amid it."""
        size = self.sizes[at]
        grew = at > first and size > self.sizes[at - 1]
        return chance.randint(self.sizes[at - 1], size) if grew and chance.random() < 0.5 else size

    def _between_cuts(self, kept: int | None, through: int) -> tuple[int, int]:
        """The write from which on the file is as it is there, and the last that can be there. kept: so many cuts are there.

        A file is cut whole or not at all, as file systems do it and SQLite relies on; what was written after a cut that is not
        there is not there either.
        """
        if kept is None:
            kept = sum(number <= through for number in self.cuts)
        return (self.cuts[kept - 1] if kept else 0), (self.cuts[kept] - 1 if kept < len(self.cuts) else len(self.sizes) - 1)


class Folder:
    def __init__(self) -> None:
        self.seen: dict[str, Node] = {}
        self.first: dict[str, Node] = {}  # when the recording began


Node = File | Folder


@dataclass(slots=True)
class Change:
    """One change of names, whole or not at all. now: (folder, name) -> what it names afterwards."""

    now: tuple[tuple[Folder, str, Node | None], ...]
    sure: bool = False


@dataclass
class Disk:
    """root: the folder that was recorded. acknowledged, marks: what the process marked so far."""

    root: Folder = field(default_factory=Folder)
    changes: list[Change] = field(default_factory=list)
    committed: int = 0  # so many changes are sure where any sync makes names sure
    marks: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> Disk:
        """Everything in it is sure."""
        disk = cls()
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            if not path.name.endswith(MEMORY):
                disk._folder(os.path.dirname(name)).seen[path.name] = Folder() if path.is_dir() else File(path.read_bytes())
        for one in disk._folders(disk.root):
            one.first = dict(one.seen)
        return disk

    def play(self, step: Step) -> None:
        if step.operation == MARKED:
            self.marks.append(step.name)
        elif step.name.endswith((MEMORY, _DELETED)):
            return
        elif step.operation in (MADE, FOLDER_MADE):
            self._change((step.name, File() if step.operation == MADE else Folder()))
        elif step.operation in (REMOVED, FOLDER_REMOVED):
            self._change((step.name, None))
        elif step.operation == RENAMED:
            self._change((step.name, None), (step.other, self._node(step.name)))
        elif step.operation == LINKED:
            self._change((step.other, self._node(step.name)))
        else:
            self._of_bytes(step)

    def _of_bytes(self, step: Step) -> None:
        node = self._node(step.name)
        if step.operation == SYNCED:
            self.committed = len(self.changes)
            if isinstance(node, File):
                node.sync()
            else:
                for change in self.changes:
                    change.sure |= any(folder is node for folder, _, _ in change.now)
            return
        assert isinstance(node, File), step.name
        if step.operation == WRITTEN:
            node.write(step.at, step.data)
        else:
            node.cut(step.at)

    def after_a_cut(self, chance: random.Random, style: str = DRAWN) -> Image:
        """What may be left now."""
        names: dict[int, dict[str, Node | None]] = {}
        in_order = chance.random() < 0.5
        through = self.committed if style == BARE else chance.randint(self.committed, len(self.changes))
        share = chance.choice((0.1, 0.5, 0.9))
        for number, change in enumerate(self.changes):
            kept = number < through if in_order else change.sure or (style == DRAWN and chance.random() < share)
            for folder, name, node in change.now if kept or style == WHOLE else ():
                names.setdefault(id(folder), {**folder.first})[name] = node
        found: Image = {}
        files: dict[int, bytes] = {}  # a file with two names has one content
        waiting: list[tuple[str, Folder]] = [("", self.root)]
        while waiting:
            where, folder = waiting.pop()
            for name, node in names.get(id(folder), folder.first).items():
                if isinstance(node, Folder):
                    found[where + name] = None
                    waiting.append((f"{where}{name}/", node))
                elif node is not None:
                    if id(node) not in files:
                        files[id(node)] = node.after_a_cut(chance, style)
                    found[where + name] = files[id(node)]
        return found

    def _change(self, *now: tuple[str, Node | None]) -> None:
        change = Change(tuple((self._folder(os.path.dirname(name)), os.path.basename(name), node) for name, node in now))
        for folder, name, node in change.now:
            if node is None:
                folder.seen.pop(name, None)
            else:
                folder.seen[name] = node
        self.changes.append(change)

    def _folder(self, name: str) -> Folder:
        node: Node = self.root
        for part in filter(None, name.split("/")):
            assert isinstance(node, Folder), name
            node = node.seen[part]
        assert isinstance(node, Folder), name
        return node

    def _node(self, name: str) -> Node:
        return self._folder(os.path.dirname(name)).seen[os.path.basename(name)] if name else self.root

    def _folders(self, folder: Folder) -> Iterator[Folder]:
        yield folder
        for node in folder.seen.values():
            if isinstance(node, Folder):
                yield from self._folders(node)


def write_out(image: Image, folder: Path) -> None:
    """Rights are not recorded: everything is for its owner alone."""
    for name in sorted(image):  # a folder before what is in it
        content = image[name]
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)


def found_in(folder: Path) -> Image:
    """What is there really, in the form of an image: to compare a recording with."""
    return {
        str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if not path.name.endswith(MEMORY)
    }
