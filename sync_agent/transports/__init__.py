"""The ways to a school server. Whatever carries the messages, the rules and the acks are the protocol's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sync_agent import protocol


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A directory snapshot as the server handed it out; `content` is not opened by anybody here."""

    number: int
    signature: str
    content: bytes


@dataclass(frozen=True, slots=True)
class DirectoryAnswer:
    """number 0: the server has no directory. snapshot: None when ours is the current one. office: whether we may send one."""

    number: int
    office: bool
    snapshot: Snapshot | None


class Transport(Protocol):
    """Asks a school server. Every method raises ServerTrouble or ServerRefused, and nothing else on purpose."""

    async def send(self, batch: protocol.Batch) -> protocol.BatchAnswer: ...

    async def status(self, node: str) -> protocol.ServerStatus: ...

    async def relay(self, *, have: list[tuple[str, str, int]]) -> protocol.Relay: ...

    async def directory(self, *, sha256: str) -> DirectoryAnswer: ...

    async def put_directory(self, content: bytes, *, number: int, base: int, sha256: str) -> None: ...

    async def enrol(self, request: protocol.EnrolRequest) -> protocol.EnrolAnswer: ...
