"""Everybody and every card, as one snapshot file that is swapped whole.

`load` gives the indexed `Directory` that decisions read; `publish` writes the next snapshot beside the old
one and renames it into place, so that a power cut leaves either the old or the new one, never half of each.
The file also keeps which number belongs to which 学号, 工号 or 接送人编号, and the hashes of staff PINs.
It never changes a snapshot in place, never gives a number twice, and holds no photograph and no template.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeVar
from urllib.parse import quote

from kiosk import directory_schema as schema
from kiosk.core.people import Directory, own_number
from kiosk.directory_schema import Content, Person, PersonKind

__all__ = [
    "Content",
    "DirectoryDamaged",
    "DirectoryError",
    "DirectoryForeign",
    "DirectoryMissing",
    "DirectoryNotWritten",
    "DirectoryTooNew",
    "Person",
    "PersonInUse",
    "PersonKind",
    "PersonUnknown",
    "SnapshotInfo",
    "SnapshotStale",
    "erase_person",
    "index",
    "install",
    "load",
    "load_pin_hashes",
    "load_pins",
    "publish",
    "read_content",
    "snapshot_info",
]

MAX_SNAPSHOT_BYTES = 256 * 1024 * 1024  # 20,000 people take about 8 MB; anything larger is not ours
_SQLITE_HEADER = b"SQLite format 3\x00"

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class DirectoryError(Exception):
    """Base of everything that can be wrong with a snapshot file. The text names the file and the remedy."""


class DirectoryMissing(DirectoryError):
    """There is no snapshot yet."""


class DirectoryForeign(DirectoryError):
    """The file is something else."""


class DirectoryDamaged(DirectoryError):
    """It was a snapshot, but a row no longer says what was written."""


class DirectoryTooNew(DirectoryError):
    """A newer version of this program wrote it."""


class SnapshotStale(DirectoryError):
    """Somebody else published meanwhile: the number is not above the one in place."""


class DirectoryNotWritten(DirectoryError):
    """The disk refused; the snapshot in place is untouched."""


class PersonUnknown(DirectoryError):
    """No person has this number."""


class PersonInUse(DirectoryError):
    """The person cannot be erased while children depend on them."""


class SnapshotInfo(NamedTuple):
    number: int
    made_at_ms: int
    sha256: str  # of the file's bytes, hex


# ---- reading -------------------------------------------------------------------------------------------


def load(path: Path) -> Directory:
    """The snapshot at `path`, indexed. 1,620 pupils and 4,500 adults take about 0.2 s. Raises DirectoryError."""
    with _opened(path) as connection:
        meta = schema.read_meta(connection)
        content = schema.read(connection)
    return index(content, number=int(meta["number"]), made_at_ms=int(meta["made_at_ms"]))


def read_content(path: Path) -> tuple[Content, SnapshotInfo]:
    """All rows, for the next import to build on. Raises DirectoryError."""
    with _opened(path) as connection:
        content = schema.read(connection)
    return content, snapshot_info(path)


class PinHashes(NamedTuple):
    """Our number of a member of staff -> argon2id hash, of PINs and of duress PINs."""

    pins: Mapping[int, str]
    duress: Mapping[int, str]


def load_pins(path: Path) -> Mapping[int, str]:
    """Our number of a member of staff -> argon2id hash of the PIN. Raises DirectoryError."""
    return load_pin_hashes(path).pins


def load_pin_hashes(path: Path) -> PinHashes:
    """PINs and duress PINs. Kept out of `Directory`, which travels everywhere. Raises DirectoryError."""
    with _opened(path) as connection:
        return PinHashes(schema.read_pins(connection), schema.read_duress_pins(connection))


def snapshot_info(path: Path) -> SnapshotInfo:
    """Number, time of making (UTC ms) and SHA-256 of the file. Raises DirectoryError."""
    with _opened(path, check_rows=False) as connection:
        meta = schema.read_meta(connection)
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return SnapshotInfo(int(meta["number"]), int(meta["made_at_ms"]), sha256)


@contextlib.contextmanager
def _opened(path: Path, *, check_rows: bool = True) -> Iterator[sqlite3.Connection]:
    """A connection to a checked snapshot at the newest schema. Everything SQLite says becomes a named error."""
    _check_header(path)
    # immutable: the file is only ever replaced whole, so no lock and no journal file is needed beside it.
    connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)
    try:
        with contextlib.closing(_checked(connection, path, check_rows=check_rows)) as checked:
            yield checked
    except (sqlite3.DatabaseError, UnicodeDecodeError, KeyError, ValueError) as error:
        raise DirectoryDamaged(
            f"{path}: the directory snapshot cannot be read ({error}); restore it from the school server or a backup"
        ) from error
    finally:
        connection.close()


def _check_header(path: Path) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(100)
    except FileNotFoundError as error:
        raise DirectoryMissing(f"{path}: there is no directory yet; import the people files first") from error
    except OSError as error:
        raise DirectoryForeign(f"{path}: cannot be opened as a directory snapshot ({error.strerror})") from error
    if not head.startswith(_SQLITE_HEADER) or head[68:72] != schema.APPLICATION_ID.to_bytes(4, "big"):
        raise DirectoryForeign(f"{path}: this file is not a directory snapshot; name the right file")
    if size > MAX_SNAPSHOT_BYTES:
        raise DirectoryForeign(f"{path}: {size} bytes are more than any directory snapshot has")
    page_bytes, pages = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
    if size != (65_536 if page_bytes == 1 else page_bytes) * pages:  # SQLite reads zeros where the last page was cut off
        raise DirectoryDamaged(f"{path}: the directory snapshot was cut short; restore it from the school server or a backup")


def _checked(connection: sqlite3.Connection, path: Path, *, check_rows: bool) -> sqlite3.Connection:
    known = tuple(step.__name__ for step in schema.MIGRATIONS)
    applied = schema.applied_migrations(connection)
    if applied != known[: len(applied)]:
        raise DirectoryTooNew(f"{path}: a newer version wrote this snapshot; update this computer first")
    if check_rows and schema.digest_of(connection) != schema.read_meta(connection)["digest"]:
        raise DirectoryDamaged(
            f"{path}: a row of the directory snapshot changed on disk; restore it from the school server or a backup"
        )
    if applied == known:
        return connection
    migrated = sqlite3.connect(":memory:")
    connection.backup(migrated)
    schema.migrate(migrated)
    return migrated


# ---- indexing ------------------------------------------------------------------------------------------


def index(content: Content, *, number: int, made_at_ms: int) -> Directory:
    """All mappings that decisions need, complete. Guardians come in calling order, pupils by seat, then pinyin."""
    pupils = sorted(content.pupils, key=lambda p: (p.class_id, p.seat, p.pinyin, p.number))
    sessions = sorted(content.sessions, key=lambda s: s.valid_from or date.min)
    authorisations = sorted(content.authorisations, key=lambda a: (not a.guardian, a.order, a.collector))
    return Directory(
        number=number,
        made_at_ms=made_at_ms,
        classes=_by(content.classes, lambda c: c.id),
        pupils=_by(pupils, lambda p: p.number),
        staff=_by(content.staff, lambda s: s.number),
        outside=_by(content.outside, lambda o: o.staff),
        collectors=_by(content.collectors, lambda c: c.number),
        cards=_groups(content.cards, lambda c: c.uid),
        by_seat=MappingProxyType({(p.class_id, p.seat): p.number for p in pupils}),
        children_of=_groups(authorisations, lambda a: a.collector),
        collectors_of=_groups(authorisations, lambda a: a.child),
        restrictions_of=_groups(content.restrictions, lambda r: r.child),
        sessions=_by(sessions, lambda s: s.id),  # the newest row of each
        session_rows=_groups(sessions, lambda s: s.id),
        enrolments_of=_groups(content.enrolments, lambda e: e.child),
        members_of=_groups(content.enrolments, lambda e: e.session),
        pupils_of_class=MappingProxyType(
            {key: tuple(p.number for p in group) for key, group in _groups(pupils, lambda p: p.class_id).items()}
        ),
        by_own_number=_by_own_number(content),
        by_staff_number=MappingProxyType({s.staff_number: s.number for s in content.staff}),
    )


def _by_own_number(content: Content) -> Mapping[str, tuple[int, ...]]:
    """By 学号 and 工号; a number that pupils or staff share names them all."""
    numbered = [(p.school_number, p.number) for p in content.pupils] + [(s.staff_number, s.number) for s in content.staff]
    groups = _groups([(own_number(text), number) for text, number in numbered if own_number(text)], lambda row: row[0])
    return MappingProxyType({key: tuple(number for _, number in rows) for key, rows in groups.items()})


def _by(rows: Iterable[T], key: Callable[[T], K]) -> Mapping[K, T]:
    return MappingProxyType({key(row): row for row in rows})


def _groups(rows: Iterable[T], key: Callable[[T], K]) -> Mapping[K, tuple[T, ...]]:
    groups: defaultdict[K, list[T]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return MappingProxyType({k: tuple(group) for k, group in groups.items()})


# ---- writing -------------------------------------------------------------------------------------------


def publish(path: Path, content: Content, number: int, made_at_ms: int) -> SnapshotInfo:
    """Writes snapshot `number` and swaps it in: new file, fsync, rename, fsync of the folder.

    Raises SnapshotStale when the snapshot in place is not older, DirectoryNotWritten when the disk refuses,
    and DirectoryError when what is in place cannot be read (its numbers would be lost).
    """

    def write(temporary: Path) -> None:
        connection = sqlite3.connect(temporary)
        try:
            # The file is worthless until it is renamed: no journal, one fsync at the end.
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            schema.migrate(connection)
            schema.write(connection, content, number=number, made_at_ms=made_at_ms)
            connection.commit()
        finally:
            connection.close()

    return _swap(path, write, only_above=True)


def install(path: Path, data: bytes, *, sha256: str = "", allow_older: bool = False) -> SnapshotInfo:
    """Swaps in a snapshot that another computer made, after checking that it is whole. Raises DirectoryError.

    `sha256` is what the sender said of the bytes; `allow_older` is for a school server that was restored.
    """
    if sha256 and hashlib.sha256(data).hexdigest() != sha256.lower():
        raise DirectoryDamaged(f"{path}: the snapshot that was received is not the one that was sent; fetch it again")
    return _swap(path, lambda temporary: _write_all(temporary, data), only_above=not allow_older)


def _write_all(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _swap(path: Path, write: Callable[[Path], None], *, only_above: bool) -> SnapshotInfo:
    temporary = path.with_name(f".{path.name}.new")
    try:
        with _only_one_publisher(path):
            try:
                temporary.unlink(missing_ok=True)  # left behind by a power cut
                os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640))
                write(temporary)
                info = _checked_info(temporary)
                if only_above and path.exists() and info.number <= (there := snapshot_info(path).number):
                    raise SnapshotStale(
                        f"{path}: snapshot {there} is already in place, so {info.number} came too late; read it again"
                    )
                _fsync(temporary)
                os.replace(temporary, path)
                _fsync(path.parent)
                return info
            finally:
                temporary.unlink(missing_ok=True)
    except (OSError, sqlite3.OperationalError) as error:
        raise DirectoryNotWritten(f"{path}: the new directory could not be saved ({error}); the old one stays") from error


def _checked_info(path: Path) -> SnapshotInfo:
    """Reads every row back before anybody depends on it."""
    with _opened(path) as connection:
        schema.read(connection)
    return snapshot_info(path)


@contextlib.contextmanager
def _only_one_publisher(path: Path) -> Iterator[None]:
    """Two imports at once would both build on the same snapshot; the second must find out."""
    with open(path.with_name(f".{path.name}.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ---- erasing -------------------------------------------------------------------------------------------


def erase_person(content: Content, number: int) -> tuple[Content, frozenset[int]]:
    """The content without any data on `number`, and all numbers that were erased with it.

    Collectors whom nothing links to a child any more go too: the school has no purpose left for their data.
    The number stays used for ever. Publish the result as the next snapshot. Raises PersonUnknown, PersonInUse.
    """
    if number not in {person.number for person in content.persons}:
        raise PersonUnknown(f"#{number}: no person has this number, or the data were erased before")
    sessions = [s.name for s in content.sessions if s.teacher == number]
    if sessions:
        raise PersonInUse(f"#{number} leads {'、'.join(sessions)}; name another teacher first")
    gone = {number} | _collectors_only_for(content, number)
    return _without(content, gone), frozenset(gone)


def _collectors_only_for(content: Content, child: int) -> set[int]:
    links = [(a.child, a.collector) for a in content.authorisations]
    links += [(r.child, r.collector) for r in content.restrictions]
    others = {collector for linked, collector in links if linked != child}
    return {collector for linked, collector in links if linked == child} - others


def _without(content: Content, gone: set[int]) -> Content:
    applications = tuple(a for a in content.applications if a.child not in gone)
    known = {a.id for a in applications}
    return replace(
        content,
        classes=tuple(replace(c, teacher=None) if c.teacher in gone else c for c in content.classes),
        pupils=tuple(p for p in content.pupils if p.number not in gone),
        staff=tuple(s for s in content.staff if s.number not in gone),
        outside=tuple(o for o in content.outside if o.staff not in gone),
        collectors=tuple(c for c in content.collectors if c.number not in gone),
        authorisations=tuple(a for a in content.authorisations if not {a.child, a.collector} & gone),
        restrictions=tuple(r for r in content.restrictions if not {r.child, r.collector} & gone),
        cards=tuple(c for c in content.cards if c.holder not in gone),
        enrolments=tuple(e for e in content.enrolments if e.child not in gone),
        applications=applications,
        application_steps=tuple(s for s in content.application_steps if s.application in known),
        persons=tuple(p for p in content.persons if p.number not in gone),
        pins={staff: pin for staff, pin in content.pins.items() if staff not in gone},
        duress_pins={staff: pin for staff, pin in content.duress_pins.items() if staff not in gone},
    )
