"""Whether a read of a device that stores its reads is in the journal already: "delivered once" across restarts and midnights.

A device names each of its reads for ever (`CredentialRead.nonce`). The name holds a number of the school's lists, so the
journal gets a keyed digest of it, which says nothing to whoever has the journal alone. The journal remembers every digest
that led to a fact, in the same transaction. Nothing here decides what a read means.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path

from drivers.protocols import CredentialRead
from kiosk.credentials import load_pepper
from kiosk.journal_lookups import NonceReader

DIGEST_HEX = 32


class KeptReads:
    """Thread-safe."""

    def __init__(self, state: Path, *, utc_offset_ms: int) -> None:
        self._path, self._key = state / "keys" / "reads", b""
        self._known = NonceReader(state)
        self._utc_offset_ms = utc_offset_ms

    def name(self, read: CredentialRead) -> str:
        """The read's own name, as the journal may have it; "" for a read that never comes twice."""
        if not read.nonce:
            return ""
        self._key = self._key or load_pepper(self._path, create=True)
        return hmac.new(self._key, read.nonce.encode(), hashlib.sha256).hexdigest()[:DIGEST_HEX]

    def has(self, access_point: str, name: str) -> bool:
        return bool(name) and self._known(access_point, name)

    def moment_ms(self, read: CredentialRead) -> int | None:
        """When it happened, by the device's own clock and the school's time zone; None where the device does not say."""
        try:
            local = datetime.fromisoformat(read.presented_at)
        except ValueError:
            return None
        return int(local.replace(tzinfo=UTC).timestamp() * 1000) - self._utc_offset_ms

    def close(self) -> None:
        self._known.close()
