"""The keys of delegates' passes: this gate's own, with which it signs, and the public ones of all gates whose passes it takes.

Files of 64 hex digits in `keys/`: `pass.key` (0600, made at the first start, never overwritten) and `pass_issuers/<node>.pub`.
Another gate's passes are taken once its .pub file has been copied there by hand. Nothing here fetches a key from anywhere.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk.core.passes import Pass, pass_text, signed_part
from kiosk.durable_files import make_folder

KEY_FILE, ISSUERS = "pass.key", "pass_issuers"
MAX_ISSUERS = 64  # gates of one school, with room for those that were replaced

_KEY_TEXT = re.compile(r"[0-9a-f]{64}\n?")

log = logging.getLogger("kiosk.pass_keys")


class PassKeyError(Exception):
    """A key file cannot be used; the message names it and the remedy."""


class PassSigner:
    """Signs passes in the name of this gate. One private key, read once."""

    def __init__(self, private: Ed25519PrivateKey, node: str) -> None:
        self._private, self.node = private, node

    def __call__(self, one: Pass) -> str:
        """The text for the QR code."""
        return pass_text(one, self._private.sign(signed_part(one)))


def open_signer(state: Path, node: str) -> PassSigner:
    """This gate's own key, made when there is none yet; its public half is among the issuers. Raises PassKeyError."""
    path = state / "keys" / KEY_FILE
    try:
        make_folder(path.parent)
        if not path.exists():
            write_once(path, os.urandom(32).hex())
        if path.stat().st_mode & 0o077:
            raise PassKeyError(f"{path}: other users may read the key of the passes; run chmod 600 on it")
        private = Ed25519PrivateKey.from_private_bytes(_key_bytes(path))
        own = path.parent / ISSUERS / f"{node}.pub"
        make_folder(own.parent)
        if not own.exists():
            write_once(own, private.public_key().public_bytes_raw().hex())
    except OSError as error:
        raise PassKeyError(f"{path}: the key of the passes cannot be read or made ({error}); check owner and rights") from error
    if _key_bytes(own) != private.public_key().public_bytes_raw():
        raise PassKeyError(f"{own} is not the public half of {path}; remove it, restart, and copy the new one to the other gates")
    return PassSigner(private, node)


def load_issuers(state: Path) -> dict[str, bytes]:
    """Node -> public key (32 bytes). A file that cannot be used is logged and its passes are refused; the gate goes on."""
    found: dict[str, bytes] = {}
    for path in sorted((state / "keys" / ISSUERS).glob("*.pub"))[:MAX_ISSUERS]:
        try:
            if path.stat().st_mode & 0o022:
                raise PassKeyError(f"{path}: other users may change it; run chmod 600 on it")
            key = _key_bytes(path)
            Ed25519PublicKey.from_public_bytes(key)
        except (OSError, ValueError, PassKeyError) as error:
            log.error("passes of %s are refused here: %s", path.stem, error)
            continue
        found[path.stem] = key
    return found


def _key_bytes(path: Path) -> bytes:
    try:
        text = path.read_text("ascii")
    except UnicodeDecodeError as error:
        raise PassKeyError(f"{path} is not 64 hex digits; copy it again from the gate it belongs to") from error
    if _KEY_TEXT.fullmatch(text) is None:
        raise PassKeyError(f"{path} is not 64 hex digits; copy it again from the gate it belongs to")
    return bytes.fromhex(text.strip())


def write_once(path: Path, text: str) -> None:
    """The name appears only once the bytes are on disk: half a key after a power cut would refuse every pass."""
    draft = path.with_name(path.name + ".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first: its key counts
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
