"""Keeps directory.db the same as the server's numbered snapshot; on the office's node also the other way round.

The higher number is the newer directory, and the number is inside the file. Whatever comes is checked - digest,
the server's signature, every row - before it is swapped in whole by `kiosk.directory.install`. A node that is
not the office's never sends one, and nothing here ever changes what a directory says.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from kiosk.directory import DirectoryError, DirectoryMissing, SnapshotInfo, install, snapshot_info
from sync_agent import protocol
from sync_agent.agent_state import AgentState, DirectoryStatus
from sync_agent.errors import DirectoryConflict, ServerRefused, SnapshotRejected, SnapshotUnreadable
from sync_agent.keys import verify
from sync_agent.protocol import Code
from sync_agent.transports import DirectoryAnswer, Snapshot, Transport
from sync_agent.up_sync import Step

DIRECTORY_FILE: Final = "directory.db"
_NONE: Final = SnapshotInfo(0, 0, "")

log = logging.getLogger(__name__)


class DirectorySync:
    """Not for several tasks. Whether this node is the office's is the server's word, said with every answer."""

    def __init__(
        self,
        *,
        folder: Path,
        state: AgentState,
        transport: Transport,
        server_key: Callable[[], str | None],
        school: str,
    ) -> None:
        self._path, self._state, self._transport = folder / DIRECTORY_FILE, state, transport
        self._server_key, self._school = server_key, school
        self._here, self._standing, self._office = _NONE, "missing", True  # until told: not to lose an import

    async def step(self) -> Step:
        """One comparison, with one transfer where the two differ. Raises SyncError; the file is then as before."""
        self._here = here = self._local()
        there = await self._transport.directory(sha256=here.sha256)
        self._office = there.office
        if there.number and there.snapshot is None:
            self._agree(here)
            return self._stand("current", Step.IDLE)
        if self._office and here.number and here.number >= there.number:
            self._refuse_conflict(here, there)
            return await self._push(here, there)
        if there.snapshot is not None and there.number >= here.number:
            self._swap(there.snapshot)
            return self._stand("current", Step.MOVED)
        # The server has none, or an older one than ours because it was restored: the office will send it again.
        return self._stand("local" if here.number else "missing", Step.IDLE)

    def status(self, *, checked_ms: int | None) -> DirectoryStatus:
        return DirectoryStatus(
            number=self._here.number, sha256=self._here.sha256, checked_ms=checked_ms, state=self._standing, office=self._office
        )  # fmt: skip

    async def _push(self, here: SnapshotInfo, there: DirectoryAnswer) -> Step:
        self._standing = "unsent"
        content = self._read()
        if hashlib.sha256(content).hexdigest() != here.sha256:
            return Step.MOVED  # replaced in this very moment: look again
        if len(content) > protocol.MAX_DIRECTORY_BYTES:
            raise SnapshotRejected(f"{self._path} has more than the {protocol.MAX_DIRECTORY_BYTES} bytes that can be sent")
        try:
            await self._transport.put_directory(content, number=here.number, base=there.number, sha256=here.sha256)
        except ServerRefused as refusal:
            if refusal.code == Code.STALE_BASE:
                return Step.IDLE  # somebody was quicker: the next look sees theirs
            raise
        self._agree(here)
        log.info("directory %d sent to the server", here.number)
        return self._stand("current", Step.IDLE)

    def _refuse_conflict(self, here: SnapshotInfo, there: DirectoryAnswer) -> None:
        """Ours is not built on theirs: sending it would silently undo what somebody else did. A person decides.

        Importing once more on this node, after having been told, is that decision.
        """
        grown_from = self._agreed_number()
        if there.number <= grown_from and here.number > there.number:
            return
        if not there.number:
            return
        told = f"{there.number} {here.sha256}"
        known = self._state.fact("directory_conflict") or ""
        if known.partition(" ")[0] == str(there.number) and known != told and here.number > there.number:
            return
        if not known.startswith(f"{there.number} "):
            self._state.set_fact("directory_conflict", told)
        self._standing = "conflict"
        raise DirectoryConflict(
            f"directory {here.number} of this office is not built on directory {there.number} of the server;"
            " import once more on this node to make its directory the school's"
        )

    def _swap(self, snapshot: Snapshot) -> None:
        found = hashlib.sha256(snapshot.content).hexdigest()
        text = protocol.directory_text(school=self._school, number=snapshot.number, sha256=found)
        server_key = self._server_key()
        if server_key is None or not verify(public_hex=server_key, text=text, signature=snapshot.signature):
            raise SnapshotRejected(
                f"directory {snapshot.number} came damaged, or not from the server that this node is enrolled with;"
                " the present one stays"
            )
        try:
            info = install(self._path, snapshot.content, sha256=found, allow_older=True)
        except DirectoryError as error:
            raise SnapshotRejected(f"directory {snapshot.number} was not taken: {error}") from error
        self._here = info
        self._agree(info)
        log.info("directory %d is in place", info.number)

    def _local(self) -> SnapshotInfo:
        try:
            return snapshot_info(self._path)
        except DirectoryMissing:
            return _NONE
        except DirectoryError as error:
            if self._office:
                raise SnapshotUnreadable(str(error)) from error  # not to be covered up by an older one unseen
            return _NONE  # a damaged copy is replaced by the server's

    def _read(self) -> bytes:
        try:
            return self._path.read_bytes()
        except OSError as error:
            raise SnapshotUnreadable(f"{self._path} cannot be read ({error}); check owner and rights") from error

    def _agreed_number(self) -> int:
        return int(self._state.fact("directory_agreed") or 0)

    def _agree(self, info: SnapshotInfo) -> None:
        if self._agreed_number() != info.number:
            self._state.set_fact("directory_agreed", str(info.number))

    def _stand(self, standing: str, step: Step) -> Step:
        self._standing = standing
        return step
