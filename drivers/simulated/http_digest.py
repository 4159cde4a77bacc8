"""HTTP Digest (RFC 7616, MD5 with qop=auth) as a camera or terminal asks for it, and the lock that real ones have.

Five wrong passwords, and the administrator is locked out for half an hour, the right password too: `refused` counts what a
driver must never do twice. Pure but for its own nonces; the server that asks it is somebody else's.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Mapping

WRONG_UNTIL_LOCKED = 5
LOCKED_S = 1800.0
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


class DigestGate:
    """`admits` answers for one request; the header to send with a 401 is `challenge()`."""

    def __init__(self, user: str, password: str, *, realm: str = "IP Camera") -> None:
        self.user, self.password, self.realm = user, password, realm
        self.refused = 0  # requests that came with a wrong password
        self.admitted = 0
        self._wrong_in_a_row = 0
        self._locked_until_s = 0.0
        self._nonces: set[str] = set()
        self._guard = threading.Lock()

    @property
    def locked(self) -> bool:
        return time.monotonic() < self._locked_until_s

    def challenge(self) -> str:
        nonce = secrets.token_hex(16)
        with self._guard:
            self._nonces.add(nonce)
        return f'Digest realm="{self.realm}", qop="auth", algorithm=MD5, nonce="{nonce}", opaque=""'

    def forget(self) -> None:
        """As after a restart: every request is asked for the password again."""
        with self._guard:
            self._nonces.clear()

    def admits(self, method: str, uri: str, authorization: str) -> bool:
        """`uri` as it stands in the request line. No header at all, or one with a nonce of long ago, is no attempt."""
        fields = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(authorization)}
        if fields.get("nonce") not in self._nonces:
            return False
        right = self._is_right(method, uri, fields)
        with self._guard:
            if right and not self.locked:
                self.admitted += 1
                self._wrong_in_a_row = 0
                return True
            self.refused += 1
            self._wrong_in_a_row += 1
            if self._wrong_in_a_row >= WRONG_UNTIL_LOCKED:
                self._locked_until_s = time.monotonic() + LOCKED_S
            return False

    def _is_right(self, method: str, uri: str, fields: Mapping[str, str]) -> bool:
        if fields.get("username") != self.user or fields.get("uri") != uri:
            return False
        first = _md5(f"{self.user}:{self.realm}:{self.password}")
        second = _md5(f"{method}:{uri}")
        middle = ":".join(fields.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
        wanted = _md5(f"{first}:{middle}:{second}").encode()
        return secrets.compare_digest(fields.get("response", "").encode("utf-8", "replace"), wanted)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
