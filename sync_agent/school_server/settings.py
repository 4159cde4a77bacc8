"""What a school server is told when it starts. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sync_agent.school_server.cloud_events import KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where a school's events go. secret: signs them. kinds: which of them. batch: 1 sends one event a request, more in lists.

    ask_first: nothing goes there before it has agreed (the handshake of CloudEvents' webhooks).
    """

    url: str = field(repr=False)  # it may hold a token
    secret: bytes = field(repr=False)
    kinds: frozenset[str] = KINDS
    batch: int = 1
    ask_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """code: enrols any node of the school; node_codes: one code for one node; office: nodes that write the directory.

    read_token: opens the read API for this school and no other; pupils_token: only which 学号 a child's number stands for.
    receiver: another system that is told of every event.
    """

    code: str = field(default="", repr=False)
    node_codes: Mapping[str, str] = field(default_factory=dict, repr=False)
    office: frozenset[str] = frozenset()
    read_token: str = field(default="", repr=False)
    pupils_token: str = field(default="", repr=False)
    receiver: Receiver | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """read_token: the district's, which opens the read API for every school; without any token it is shut."""

    schools: Mapping[str, School]
    read_token: str = field(default="", repr=False)

    @property
    def school_names(self) -> tuple[str, ...]:
        return tuple(self.schools)
