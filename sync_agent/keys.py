"""Ed25519 keys: a node's own, the server's own, and the server's as a node has pinned it.

Keys are 0600 files of 64 hex digits, written once and never overwritten; losing one means enrolling again.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync_agent.errors import Misconfigured

_KEY_TEXT = re.compile(r"[0-9a-f]{64}\n?")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its public half as 64 hex digits."""

    private: Ed25519PrivateKey
    public_hex: str

    def sign(self, text: bytes) -> str:
        """128 hex digits."""
        return self.private.sign(text).hex()


def signing_key(seed: bytes) -> SigningKey:
    """The key of a 32-byte seed."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return SigningKey(private, private.public_key().public_bytes_raw().hex())


def load_or_create(path: Path) -> SigningKey:
    """Reads the key file, or makes one (0600, in a 0700 folder, fsynced). Raises Misconfigured."""
    try:
        make_folder(path.parent)
        if not path.exists():
            write_once(path, os.urandom(32).hex())
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"the key {path} cannot be read or made ({error}); check owner and rights") from error
    if _KEY_TEXT.fullmatch(text) is None:
        raise Misconfigured(f"the key {path} is not 64 hex digits; restore it from backup, or remove it and enrol again")
    return signing_key(bytes.fromhex(text.strip()))


def write_once(path: Path, text: str) -> None:
    """Creates `path` with `text`, durable before it returns; an existing file is left alone.

    The name appears only after the bytes are on disk: half a key after a power cut would lock the node out. A draft that a kill
    left behind may be another name of a file that counts, so it is never written into.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # somebody else made it in the meantime: theirs counts
    finally:
        draft.unlink()
    fsync_folder(path.parent)


def make_folder(folder: Path, *, mode: int = 0o700) -> None:
    """A new folder, and each new one above it, outlives a power cut: each name is written where it stands. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent, mode=0o777)
        folder.mkdir(mode=mode, exist_ok=True)
        fsync_folder(folder.parent)


def fsync_folder(folder: Path) -> None:
    """Makes names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_public_key(text: str) -> bool:
    return _KEY_TEXT.fullmatch(text) is not None and not text.endswith("\n")


def verify(*, public_hex: str, text: bytes, signature: str) -> bool:
    """Whether `signature` (128 hex digits) is the key's own over `text`. Never raises for bad input."""
    if _SIGNATURE.fullmatch(signature) is None or not is_public_key(public_hex):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_hex)).verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True
