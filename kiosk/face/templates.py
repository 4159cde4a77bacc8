"""Templates: the numbers of one face each, encrypted, on this computer only.

`faces/<person number>.bin`, sealed with AES-256-GCM under `keys/faces.key`; the name of the file and the engine are sealed in, so
that templates cannot be exchanged for one another. No other file, database, sync batch, export or evidence bundle has them.
Erasing one never touches the journal's chain. It never asks for consent: `kiosk.core.faces` and `kiosk.face.enrolment` do,
before anything comes here.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kiosk.durable_files import UNFINISHED, KeyFileError, fsync_folder, load_key, make_folder, write_whole
from kiosk.face.engine import EngineUnusable

if TYPE_CHECKING:
    from kiosk.face.engine import Vector

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
MAGIC: Final = b"CKF1"
HEADER: Final = struct.Struct(f">4s8s{NONCE_BYTES}s")  # magic, engine, nonce; the ciphertext and its 16-byte check follow


@dataclass(frozen=True, slots=True)
class Template:
    engine: str
    vector: Vector


class TemplateStore:
    """Raises EngineUnusable when built: recognition is off then, and everything else goes on."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "faces"
        try:
            make_folder(self._folder)
            for unfinished in self._folder.glob(f"*{UNFINISHED}"):
                unfinished.unlink(missing_ok=True)
            key = load_key(
                state_dir / "keys" / "faces.key", size=KEY_BYTES, may_create=not any(self.people()), sealed="face templates"
            )
        except (OSError, KeyFileError) as error:
            raise EngineUnusable(f"face templates cannot be kept here ({error})") from error
        self._cipher = AESGCM(key)

    def people(self) -> Iterator[int]:
        """The numbers of everybody who has a template here."""
        return (int(path.stem) for path in self._folder.glob("*.bin") if path.stem.isdecimal())

    def put(self, person: int, template: Template) -> None:
        """Durable when it returns, replacing an earlier one. Raises OSError."""
        import numpy as np

        path, nonce = self._path(person), secrets.token_bytes(NONCE_BYTES)
        head = HEADER.pack(MAGIC, template.engine.encode("ascii"), nonce)
        numbers = np.asarray(template.vector, dtype="<f4").tobytes()
        write_whole(path, head + self._cipher.encrypt(nonce, numbers, _sealed_in(path, head)))

    def get(self, person: int) -> Template | None:
        """None where there is none, or one that was changed on disk: it is made again from the photo."""
        import numpy as np

        path = self._path(person)
        try:
            content = path.read_bytes()
            head, sealed = content[: HEADER.size], content[HEADER.size :]
            _, engine, nonce = HEADER.unpack(head)
            numbers = self._cipher.decrypt(nonce, sealed, _sealed_in(path, head))
        except (OSError, struct.error, InvalidTag, ValueError):
            return None
        return Template(engine.rstrip(b"\0").decode("ascii"), np.frombuffer(numbers, dtype="<f4").astype(np.float32))

    def erase(self, person: int) -> bool:
        """Whether there was one. Raises OSError: whoever asked for the deletion must be told."""
        try:
            self._path(person).unlink()
        except FileNotFoundError:
            return False
        fsync_folder(self._folder)
        return True

    def _path(self, person: int) -> Path:
        return self._folder / f"{int(person)}.bin"


def _sealed_in(path: Path, head: bytes) -> bytes:
    return f"face {path.stem} ".encode() + head
