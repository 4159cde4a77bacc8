"""What a school server knows of its nodes' names and keys: one-time codes, every key that a node ever had, revocations.

Only shapes and the contract; SQLite and PostgreSQL keep it (`sqlite_identities.py`, `postgres_identities.py`).
A key is never removed: what a node signed with it stays provable. A code is kept as a digest and never as what was shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

ROTATED, REPLACED = "rotated", "replaced"  # why a key ended: the node changed it by itself, or another machine took the name


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCode:
    """A one-time code as it is stored. replaces: it may give a known name another key. used_key: "" while nobody has used it."""

    school: str
    node: str
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    made_ms: int
    expires_ms: int
    replaces: bool
    tries: int = 0
    used_ms: int | None = None
    used_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """One key of a node. starts: incarnation -> the last number that was stored when this key began.

    until_ms None: it is the present one. ended: "", ROTATED or REPLACED.
    """

    number: int
    public_key: str
    since_ms: int
    until_ms: int | None
    ended: str
    starts: Mapping[str, int]


class Identities(Protocol):
    """Any method may raise StoreUnavailable. Each is one transaction."""

    def keep_code(self, code: KeptCode) -> None:
        """An older code for the same name is good no more."""
        ...

    def code(self, *, school: str, node: str) -> KeptCode | None: ...

    def codes(self, *, school: str) -> list[KeptCode]: ...

    def count_wrong_try(self, *, school: str, node: str) -> int:
        """How many there are now for that name's code; 0 where there is none."""
        ...

    def admit(self, *, school: str, node: str, public_key: str, at_ms: int) -> bool:
        """Uses up the name's code: the name has this key now, and is revoked no longer. False: the code has been used."""
        ...

    def change_key(self, *, school: str, node: str, old: str, new: str, at_ms: int) -> bool:
        """Where the present key is `old`, it is `new` from now on.

        False: it is another one, or `new` was this node's before, or the node is revoked.
        """
        ...

    def keys(self, *, school: str, node: str) -> list[KeyRow]:
        """The oldest first."""
        ...

    def revoke(self, *, school: str, node: str, why: str, at_ms: int) -> bool:
        """False: there is no such node. A node that is revoked already stays so, with its first date."""
        ...
