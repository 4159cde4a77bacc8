"""Makes this node known to the school server: sends the public key with the office's code, pins the server's key.

The node's private key never leaves `keys/node.key`. A pinned server key is never replaced by itself: a server
that suddenly signs with another key may be another machine.
"""

from __future__ import annotations

import logging
from pathlib import Path

from sync_agent import protocol
from sync_agent.errors import Misconfigured, ServerFailed, ServerRefused, SyncError
from sync_agent.keys import SigningKey, is_public_key, write_once
from sync_agent.transports import Transport

SERVER_KEY_FILE = "server.pub"

log = logging.getLogger(__name__)


class NotEnrolled(SyncError):
    """The server does not know this node, and there is no code with which to ask."""


class ServerKeyChanged(SyncError):
    """The server signs with another key than the one pinned at enrolment."""


class Enrolment:
    """folder: `keys` of the state directory. code: "" when none was given."""

    def __init__(self, *, folder: Path, key: SigningKey, code: str) -> None:
        self._path, self._key, self._code = folder / SERVER_KEY_FILE, key, code
        self._pinned: str | None = None

    def server_key(self) -> str | None:
        """The pinned key as 64 hex digits; None before the first enrolment. Raises Misconfigured."""
        if self._pinned is None and self._path.exists():
            text = self._path.read_text("ascii", errors="replace").strip()
            if not is_public_key(text):
                raise Misconfigured(f"{self._path} is not a key; remove it and start again with the enrolment code")
            self._pinned = text
        return self._pinned

    async def enrol(self, transport: Transport, *, school: str, node: str) -> protocol.EnrolAnswer:
        """Asks; a node that is enrolled already is told so and nothing changes. Raises SyncError."""
        if not self._code:
            raise NotEnrolled(f"the server does not know node {node}; start once with --code and the office's code")
        request = protocol.EnrolRequest(node=node, public_key=self._key.public_hex, code=self._code)
        try:
            answer = await transport.enrol(request)
        except ServerRefused as refusal:
            raise NotEnrolled(str(refusal)) from refusal
        self._pin(answer.server_key)
        log.info("node %s is enrolled in school %s", node, school)
        return answer

    def _pin(self, server_key: str) -> None:
        if not is_public_key(server_key):
            raise ServerFailed("the server's answer to the enrolment holds no key; is it the school server?")
        pinned = self.server_key()
        if pinned is None:
            write_once(self._path, server_key)
            self._pinned = server_key
        elif pinned != server_key:
            raise ServerKeyChanged(
                f"the server now signs with another key; if the office confirms that it was replaced, remove {self._path}"
            )
