"""Who is signed in on which screen: short sessions, kept in memory only, forgotten at every restart.

A browser holds a random token; this side keeps its hash, so a copy of the memory signs nobody in. Roles are never
stored here: they are read from the directory in force each time, so a role taken away is gone at once.
"""

from __future__ import annotations

import hashlib
import secrets

MAX_SESSIONS = 500  # then the one that was idle longest ends
TOKEN_BYTES = 32


class Session:
    """One member of staff on one browser. `staff` is our number; times are steady seconds. `duress`: opened with the PIN
    that calls for help; what is released in it is marked."""

    __slots__ = ("csrf", "duress", "ended", "opened_s", "pressed_s", "staff")

    def __init__(self, *, staff: int, now_s: float, duress: bool = False) -> None:
        self.staff, self.duress = staff, duress
        self.csrf = secrets.token_urlsafe(24)
        self.opened_s = self.pressed_s = now_s
        self.ended = False


class Sessions:
    """`idle_s` after the last press, or `longest_s` after signing in, a session ends."""

    def __init__(self, *, idle_s: float, longest_s: float) -> None:
        self._idle_s, self._longest_s = idle_s, longest_s
        self._by_hash: dict[bytes, Session] = {}

    def __len__(self) -> int:
        return len(self._by_hash)

    def open(self, staff: int, *, now_s: float, duress: bool = False) -> tuple[str, Session]:
        """A new token for the browser's cookie, and its session."""
        if len(self._by_hash) >= MAX_SESSIONS:
            self._end(min(self._by_hash, key=lambda key: self._by_hash[key].pressed_s))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session = self._by_hash[_hash(token)] = Session(staff=staff, now_s=now_s, duress=duress)
        return token, session

    def find(self, token: str, *, now_s: float) -> Session | None:
        """The live session of a token. Looking is not a press: an open page does not keep a session alive."""
        key = _hash(token)
        session = self._by_hash.get(key)
        if session is not None and not self.is_live(session, now_s=now_s):
            self._end(key)
            return None
        return session

    def is_live(self, session: Session, *, now_s: float) -> bool:
        idle, old = now_s - session.pressed_s > self._idle_s, now_s - session.opened_s > self._longest_s
        return not (session.ended or idle or old)

    def press(self, session: Session, *, now_s: float) -> None:
        """Somebody did something with it: the idle time starts anew."""
        session.pressed_s = now_s

    def close(self, token: str) -> None:
        self._end(_hash(token))

    def sweep(self, *, now_s: float) -> None:
        """Call now and then: sessions that ran out are forgotten."""
        for key in [key for key, session in self._by_hash.items() if not self.is_live(session, now_s=now_s)]:
            self._end(key)

    def _end(self, key: bytes) -> None:
        session = self._by_hash.pop(key, None)
        if session is not None:
            session.ended = True  # its open pages look at this


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
