"""Crash images: a piece of the product's work is recorded at its disk, cut at every step, and what is left is opened.

First by APSW, another SQLite than the product's: every database must be sound. Then by the product itself: what was acknowledged
is there, and the state is the one before or the one behind the step under way, nothing between. An image is drawn from
seed, kind and number alone, so that one can be made again. What is recorded is in crash_works*.py.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest

from kiosk.backup import RESTORING
from kiosk.durable_files import UNFINISHED
from tests.support.crash_disk import BARE, DRAWN, MEMORY, WHOLE, Disk, Image, found_in, read_steps, write_out
from tests.support.sync_world import in_memory

SOURCE = Path(__file__).with_name("disk_recorder.c")
SHM_BYTES = 32 * 1024
DRAWS_FOR_AN_IMAGE = 20  # at most; many of them are one that was tried already
State = Mapping[str, object]  # what the product says that it has: name -> content
Mark = Callable[..., None]  # with the names of what was acknowledged just now; without one: a step is done


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One kind of transaction. prepare: the disk before it. run: is recorded, and marks each step that is done.

    reopen: the product's own opening of what a power cut left; it asserts whatever must hold by itself.
    planted: mistakes, each of which must be found; they are put in before `run`.
    """

    name: str
    prepare: Callable[[Path], None] = lambda folder: None
    run: Callable[[Path, Mark], None]
    reopen: Callable[[Path], State]
    planted: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = field(default_factory=dict)


class Corrupt(AssertionError):
    """What is left is not sound."""


class Lost(AssertionError):
    """Something that was acknowledged is not there, or a step is there by half."""


def record(folder: Path, works: list[str]) -> None:
    """In a process of its own; NAME, or NAME+MISTAKE. Afterwards each has FOLDER/NAME/{before,disk,steps}."""
    library = folder / "disk_recorder.so"
    build = ["cc", "-O1", "-Wall", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    command = [sys.executable, "-m", "tests.support.crash_recording", str(folder), *works]
    done = subprocess.run(
        command, env={**os.environ, "LD_PRELOAD": str(library)}, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]


@dataclass(frozen=True, slots=True)
class Tried:
    """images: all different. cuts: how many of the recording's steps one was cut after."""

    images: int
    cuts: int
    steps: int
    marks: int


class Recording:
    """What one work asked of its disk, and the images that can be made of it. scratch: where they are laid out."""

    def __init__(self, work: Work, folder: Path, scratch: Path) -> None:
        self.work, self._before, self._scratch = work, folder / "before", scratch
        self.steps = read_steps(folder / "steps")
        disk = Disk.of(self._before)
        for step in self.steps:
            disk.play(step)
        there, played = found_in(folder / "disk"), whole(disk)
        unseen = {name for name in there.keys() | played.keys() if there.get(name, b"?") != played.get(name, b"?")}
        assert not unseen, f"{work.name}: the recorder did not see all that was done to {sorted(unseen)}"

    def states(self) -> list[State]:
        """What the product says it has before the work, at each mark, and after it, when nothing is cut."""
        disk = Disk.of(self._before)
        found = [self._opened(whole(disk))]
        for step in self.steps:
            marks = len(disk.marks)
            disk.play(step)
            if len(disk.marks) > marks:
                found.append(self._opened(whole(disk)))
        return [*found, self._opened(whole(disk))]

    def try_images(self, count: int, seed: int) -> Tried:
        """Raises Corrupt or Lost, with what makes that image again."""
        states, seen, cuts = self.states(), set[bytes](), set[int]()
        disk, at = Disk.of(self._before), 0
        for number, cut in self._cuts(count * DRAWS_FOR_AN_IMAGE, seed):
            if cut < at:
                disk, at = Disk.of(self._before), 0
            for step in self.steps[at:cut]:
                disk.play(step)
            at = cut
            chance = random.Random(f"{seed} {self.work.name} {number}")
            image = disk.after_a_cut(chance, chance.choices((BARE, DRAWN, WHOLE), (4, 15, 1))[0])
            digest = _digest(image, len(disk.marks))
            if digest in seen:
                continue
            seen.add(digest)
            cuts.add(cut)
            said = f"{self.work.name}, seed {seed}, image {number}, cut after step {cut} of {len(self.steps)}"
            self._try(_with_memory(image, chance), disk.marks, states, said)
            if len(seen) == count:
                break
        return Tried(len(seen), len(cuts), len(self.steps), len(states) - 2)

    def _cuts(self, most: int, seed: int) -> Iterator[tuple[int, int]]:
        """(number of the image, step after which it is cut): sweep after sweep over all of the recording."""
        chance, steps, number = random.Random(seed), len(self.steps), 0
        while number < most:
            for cut in sorted(chance.sample(range(1, steps + 1), min(steps, 100))):
                yield number, cut
                number += 1

    def _try(self, image: Image, marks: list[str], states: list[State], said: str) -> None:
        with self._laid(image) as folder:
            for path in folder.rglob("*.db"):
                name = path.relative_to(folder)
                if not any(part == RESTORING or part.endswith(UNFINISHED) for part in name.parts) and (why := unsound(path)):
                    raise Corrupt(f"{said}: {name}: {why}")
        try:
            found = self._opened(image)
        except Exception as error:
            raise Corrupt(f"{said}: the product finds it unsound: {error!r}") from error
        acknowledged = {name for mark in marks for name in mark.split("\n") if name}
        if lost := sorted(acknowledged - found.keys()):
            raise Lost(f"{said}: acknowledged and lost: {lost[:5]}")
        before, behind = states[len(marks) : len(marks) + 2]
        if found not in (before, behind):
            odd = [name for name in found.keys() | before.keys() if found.get(name) not in (before.get(name), behind.get(name))]
            raise Lost(f"{said}: neither the state before the step under way nor the one behind it: {sorted(odd)[:5]}")

    def _opened(self, image: Image) -> State:
        with self._laid(image) as folder:
            return self.work.reopen(folder)

    @contextmanager
    def _laid(self, image: Image) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=in_memory() or self._scratch) as name:
            write_out(image, Path(name))
            yield Path(name)


def whole(disk: Disk) -> Image:
    return disk.after_a_cut(random.Random(0), WHOLE)


def unsound(path: Path) -> str:
    """What APSW has against a database, its log replayed; "" for nothing."""
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            found = [str(row[0]) for row in db.execute("PRAGMA integrity_check")]
            found += [f"foreign key: {row}" for row in db.execute("PRAGMA foreign_key_check")]
        finally:
            db.close()
    except apsw.Error as error:
        return repr(error)
    return "" if found == ["ok"] else "; ".join(found[:5])


def _with_memory(image: Image, chance: random.Random) -> Image:
    """The file that SQLite shares its memory through, as anything: after a power cut nobody may rely on it."""
    left = dict(image)
    for name in image:
        if name.endswith("-wal") and (content := chance.choice((None, bytes(SHM_BYTES), chance.randbytes(SHM_BYTES)))):
            left[name.removesuffix("-wal") + MEMORY] = content
    return left


def _digest(image: Image, marks: int) -> bytes:
    digest = hashlib.sha256(str(marks).encode())
    for name in sorted(image):
        content = image[name]
        digest.update(f"\n{name}\n{-1 if content is None else len(content)}\n".encode())
        digest.update(content or b"")
    return digest.digest()
