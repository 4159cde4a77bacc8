"""Pictures of people: snapshots taken with a tap, and photos on file. Encrypted at rest, and erasable.

The journal knows a picture only by an opaque id. Here lie `snapshots/<yyyy-mm-dd>/<id>.bin` and
`photos/<person number>.bin`, each sealed with AES-256-GCM under `keys/snapshots.key`; the name of the
file and the time are sealed in, so that pictures cannot be exchanged for one another. Deleting one
never touches the journal's chain.

It never asks for consent: the core has decided before anything is filed here (`kiosk.core.passage`).
It never sends a picture anywhere, never recognises anybody, and never knows a name. An erased file is
unlinked; flash memory may keep its (encrypted) blocks for a while, which no program can prevent.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kiosk.durable_files import UNFINISHED, KeyFileError, fsync_folder, load_key, make_folder, write_whole

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 8
TOKEN_BYTES = 16
PICTURE_MAX_BYTES = 2 * 1024 * 1024
PICTURES_STOP_AT = 0.90  # of the disk, where no setting says otherwise; the rest is for the journal
CHINA_OFFSET_MS = 8 * 3_600_000
END_OF_TIME_MS = 2**64 - 1
JPEG_START = b"\xff\xd8\xff"
MAGIC = b"CKP1"
# Magic, time taken (ms, UTC), keyed tag of the person, nonce. The ciphertext and its 16-byte check follow.
HEADER = struct.Struct(f">4sQ{TAG_BYTES}s{NONCE_BYTES}s")
NOBODY = bytes(TAG_BYTES)

_ID = re.compile(r"(\d{4})(\d{2})(\d{2})-[0-9a-f]{32}")
_TOKEN = re.compile(r"[0-9a-f]{32}")


class PictureError(Exception):
    """Base of what can go wrong with a picture. A gate goes on without pictures."""


class DiskTooFull(PictureError):
    """Pictures have stopped so that the journal can go on."""


class NotAPicture(PictureError):
    """No JPEG, or too large for one."""


class PictureMissing(PictureError):
    """Erased, or never on this computer."""


class PictureUnreadable(PictureError):
    """Changed on disk, cut short, or sealed under another key."""


class PictureNotSaved(PictureError):
    """The disk refused it."""


class PictureNotErased(PictureError):
    """The disk will not let go of it: whoever asked for the deletion must be told."""


class AlreadyFiled(PictureError):
    """There is a picture under this id; a picture is never replaced."""


class KeyUnusable(PictureError):
    """The key file is missing beside sealed pictures, damaged, or open to others."""


@dataclass(frozen=True, slots=True)
class SnapshotRef:
    """`id` is what the journal's body carries as `snapshot`; it says nothing but the day."""

    id: str
    taken_at_ms: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """A receipt. `what` is `snapshot` or `photo`; `id` is the snapshot's id, or the person's number as text."""

    what: str
    id: str


def new_token() -> str:
    """Random, for an id that is needed before the picture may be filed."""
    return secrets.token_hex(TOKEN_BYTES)


def snapshot_id(*, taken_at_ms: int, token: str, utc_offset_ms: int = CHINA_OFFSET_MS) -> str:
    """The id under which a picture of that moment will be filed. `token` is 32 hexadecimal digits."""
    assert _TOKEN.fullmatch(token), "a token is 32 hexadecimal digits"
    day = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=taken_at_ms + utc_offset_ms)
    return f"{day:%Y%m%d}-{token}"


def used_share_of_disk(path: Path) -> float:
    """0..1, as `df` counts it: what is reserved for root is not free."""
    disk = os.statvfs(path)
    used = disk.f_blocks - disk.f_bfree
    return used / max(1, used + disk.f_bavail)


class SnapshotStore:
    """Thread-safe: nothing is shared but files, and each appears whole or not at all.

    Raises KeyUnusable or PictureNotSaved when built. The caller then goes on without pictures, and says so.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        used_share: Callable[[Path], float] = used_share_of_disk,
        pictures_stop_at: float = PICTURES_STOP_AT,
        utc_offset_ms: int = CHINA_OFFSET_MS,
    ) -> None:
        self.state_dir = state_dir
        self._snapshots, self._photos = state_dir / "snapshots", state_dir / "photos"
        self._used_share, self._stop_at, self._utc_offset_ms = used_share, pictures_stop_at, utc_offset_ms
        try:
            for folder in (self._snapshots, self._photos):
                make_folder(folder)
            for unfinished in self._files(UNFINISHED):  # of a power cut while a picture was written
                unfinished.unlink(missing_ok=True)
        except OSError as error:
            raise PictureNotSaved(f"{state_dir} cannot be written ({error.strerror}): check the disk") from error
        key = _load_key(state_dir / "keys" / "snapshots.key", may_create=not any(self._files(".bin")))
        self._cipher = AESGCM(key)
        self._tag_key = hashlib.sha256(b"person tag" + key).digest()

    def file(self, jpeg: bytes, *, taken_at_ms: int, token: str | None = None, person: int | None = None) -> SnapshotRef:
        """Durable when it returns. `person` lets `erase_person` find the picture without the journal.

        Raises DiskTooFull, NotAPicture, AlreadyFiled, PictureNotSaved.
        """
        id_ = snapshot_id(taken_at_ms=taken_at_ms, token=token or new_token(), utc_offset_ms=self._utc_offset_ms)
        path = self._snapshot_path(id_)
        if path.exists():
            raise AlreadyFiled(f"there is a picture {id_} already: ask for a new token for each picture")
        self._write(path, jpeg, taken_at_ms=taken_at_ms, tag=self._tag(person))
        return SnapshotRef(id_, taken_at_ms)

    def read(self, id_: str) -> bytes:
        """JPEG. Raises PictureMissing or PictureUnreadable."""
        return self._read(self._snapshot_path(id_))

    def erase(self, id_: str) -> Deletion | None:
        """None when there was nothing to erase."""
        return Deletion("snapshot", id_) if _unlink(self._snapshot_path(id_)) else None

    def put_photo(self, person: int, jpeg: bytes, *, taken_at_ms: int = 0) -> None:
        """The photo on file of a person, replacing an earlier one. Raises DiskTooFull, NotAPicture, PictureNotSaved."""
        self._write(self._photo_path(person), jpeg, taken_at_ms=taken_at_ms, tag=self._tag(person))

    def photo(self, person: int) -> bytes | None:
        """JPEG, or None when there is no photo on file. Raises PictureUnreadable."""
        try:
            return self._read(self._photo_path(person))
        except PictureMissing:
            return None

    def people_with_photos(self) -> frozenset[int]:
        """The numbers of everybody whose photo is on file here."""
        return frozenset(int(path.stem) for path in self._photos.glob("*.bin") if path.stem.isdecimal())

    def erase_photo(self, person: int) -> Deletion | None:
        return Deletion("photo", str(person)) if _unlink(self._photo_path(person)) else None

    def erase_person(self, person: int, *, snapshot_ids: tuple[str, ...] = ()) -> tuple[Deletion, ...]:
        """The photo, every snapshot filed for `person`, and those of `snapshot_ids` (from the journal).

        Reads the head of every file: seconds on a gate with 30 days of pictures. Never on the loop's thread.
        """
        tag = self._tag(person)
        mine = {path.stem for path in self._snapshot_files() if _head(path)[1] == tag}
        receipts = [self.erase(id_) for id_ in sorted(mine.union(snapshot_ids))]
        return tuple(receipt for receipt in (*receipts, self.erase_photo(person)) if receipt is not None)

    def erase_snapshots(self, people: Iterable[int]) -> dict[int, tuple[Deletion, ...]]:
        """Every snapshot that was filed for one of them; photos on file stay. Only those of whom there was something.

        Reads the head of every file, once for all of them. Never on the loop's thread.
        """
        whose = {self._tag(person): person for person in people}
        mine = [(whose[tag], path.stem) for path in self._snapshot_files() if (tag := _head(path)[1]) in whose]
        erased: dict[int, tuple[Deletion, ...]] = {}
        for person, id_ in sorted(mine):
            if receipt := self.erase(id_):
                erased[person] = (*erased.get(person, ()), receipt)
        return erased

    def prune(self, before_ms: int) -> tuple[Deletion, ...]:
        """Erases every snapshot taken before `before_ms`; photos on file stay. Returns the receipts."""
        last_day = self._day_folder(snapshot_id(
            taken_at_ms=before_ms, token="0" * 32, utc_offset_ms=self._utc_offset_ms
        ))  # fmt: skip
        receipts: list[Deletion] = []
        for folder in sorted(self._day_folders()):
            if folder.name > last_day.name:
                break
            for path in sorted(folder.glob("*.bin")):
                too_old = folder.name < last_day.name or _head(path)[0] < before_ms
                if too_old and _unlink(path):
                    receipts.append(Deletion("snapshot", path.stem))
            if folder.name < last_day.name and not any(folder.iterdir()):
                folder.rmdir()
        return tuple(receipts)

    def _snapshot_path(self, id_: str) -> Path:
        return self._day_folder(id_) / f"{id_}.bin"

    def _day_folder(self, id_: str) -> Path:
        match = _ID.fullmatch(id_)
        if match is None:  # an id comes from a URL or another gate's entry: it must never lead elsewhere
            raise PictureMissing(f"{id_[:60]!r} is no picture's id: ids look like 20260901- and 32 hexadecimal digits")
        return self._snapshots / "-".join(match.groups())

    def _photo_path(self, person: int) -> Path:
        return self._photos / f"{int(person)}.bin"

    def _day_folders(self) -> Iterator[Path]:
        return (path for path in self._snapshots.iterdir() if path.is_dir())

    def _snapshot_files(self) -> Iterator[Path]:
        return (path for folder in self._day_folders() for path in folder.glob("*.bin"))

    def _files(self, suffix: str) -> Iterator[Path]:
        return (path for folder in (self._snapshots, self._photos) for path in folder.rglob(f"*{suffix}"))

    def _tag(self, person: int | None) -> bytes:
        """Finds a person's pictures, and tells nothing without the key."""
        if person is None:
            return NOBODY
        return hmac.digest(self._tag_key, str(person).encode("ascii"), "sha256")[:TAG_BYTES]

    def _write(self, path: Path, jpeg: bytes, *, taken_at_ms: int, tag: bytes) -> None:
        if not jpeg.startswith(JPEG_START) or len(jpeg) > PICTURE_MAX_BYTES:
            raise NotAPicture(f"a picture must be a JPEG of at most {PICTURE_MAX_BYTES // 1024} KiB; scale it down")
        share = self._used_share(self.state_dir)
        if share >= self._stop_at:
            raise DiskTooFull(
                f"the disk of {self.state_dir} is {share:.0%} full and pictures stop at {self._stop_at:.0%}: "
                "shorten how long snapshots are kept, or free some space; taps are still recorded"
            )
        nonce = secrets.token_bytes(NONCE_BYTES)
        head = HEADER.pack(MAGIC, taken_at_ms, tag, nonce)
        sealed = self._cipher.encrypt(nonce, jpeg, _sealed_in(path, head))
        try:
            make_folder(path.parent)
            write_whole(path, head + sealed)
        except OSError as error:
            raise PictureNotSaved(f"{path} cannot be written ({error.strerror}): check the disk") from error

    def _read(self, path: Path) -> bytes:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise PictureMissing(f"there is no picture {path.stem} here: it was erased, or taken at another gate") from None
        except OSError as error:
            raise PictureUnreadable(f"{path} cannot be read ({error.strerror}): check the disk") from error
        head, sealed = content[: HEADER.size], content[HEADER.size :]
        try:
            _, _, _, nonce = HEADER.unpack(head)
            return self._cipher.decrypt(nonce, sealed, _sealed_in(path, head))
        except (struct.error, InvalidTag, ValueError):
            raise PictureUnreadable(
                f"{path} was changed, cut short or sealed under another key: restore it, or its key, from a backup"
            ) from None


def _sealed_in(path: Path, head: bytes) -> bytes:
    """What the check covers beside the picture: whose file it is and all of its head."""
    kind = "photo" if path.parent.name == "photos" else "snapshot"
    return f"{kind} {path.stem} ".encode() + head


def _head(path: Path) -> tuple[int, bytes]:
    """(taken_at_ms, tag). A head that cannot be read belongs to nobody, and is pruned only when all of its day is."""
    try:
        with path.open("rb") as file:
            magic, taken_at_ms, tag, _ = HEADER.unpack(file.read(HEADER.size))
    except (OSError, struct.error):
        return END_OF_TIME_MS, NOBODY
    return (taken_at_ms, tag) if magic == MAGIC else (END_OF_TIME_MS, NOBODY)


def _load_key(path: Path, *, may_create: bool) -> bytes:
    try:
        return load_key(path, size=KEY_BYTES, may_create=may_create, sealed="the pictures in snapshots/ and photos/")
    except KeyFileError as error:
        raise KeyUnusable(str(error)) from error


def _unlink(path: Path) -> bool:
    """Whether there was something to remove. Raises PictureNotErased."""
    try:
        path.unlink()
        fsync_folder(path.parent)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise PictureNotErased(f"{path} cannot be erased ({error.strerror}): check the disk") from error
    return True
