"""A key for the bus: what NATS calls an nkey of a user, made here so that no further program is needed.

The seed lets a leaf in at the hub; the public half stands in the hub's file. The file is one that systemd reads into the
environment of the leaf, which is where its configuration looks for the seed. It signs no entry and no batch: those bear the
gate's own key, and a bus is never believed because of this one.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync_agent.errors import Misconfigured

_SEED, _USER = 18 << 3, 20 << 3  # the first letters S and U
VARIABLE: Final = "LEAF_SEED"


def seed_and_public(private: bytes) -> tuple[str, str]:
    """The two texts of a key of 32 bytes."""
    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    return _text(bytes((_SEED | _USER >> 5, (_USER & 31) << 3)) + private), _text(bytes((_USER,)) + public)


def load_or_create(path: Path) -> str:
    """The public half of the key whose seed is in the file; a file that is there is never written over. Raises Misconfigured."""
    try:
        if not path.exists():
            seed, _ = seed_and_public(os.urandom(32))
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(f"{VARIABLE}={seed}\n")
        found = path.read_text(encoding="ascii").strip().removeprefix(f"{VARIABLE}=")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} cannot be used ({error}); name a file in a folder that is there") from error
    try:
        raw = base64.b32decode(found + "=" * (-len(found) % 8))
        private = raw[2:34]
        if seed_and_public(private)[0] != found:
            raise ValueError
    except ValueError as error:
        raise Misconfigured(f"{path} holds no seed of a NATS user; move it away and make a new one") from error
    return seed_and_public(private)[1]


def _text(content: bytes) -> str:
    check = binascii.crc_hqx(content, 0).to_bytes(2, "little")
    return base64.b32encode(content + check).decode("ascii").rstrip("=")
