"""What arrives from outside this process: other gates' entries, a newer directory, the sync agent's word on the link.

One thread looks once a second and puts what is new into the inbox. Files of others are only read; nothing here writes.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

from kiosk.clock import SystemClock
from kiosk.controller import Controller
from kiosk.core.commands import AdoptDirectory, LinkChanged, PeerEntries, PicturesErased, Tick
from kiosk.directory import DirectoryError, load, snapshot_info
from kiosk.opening import PEERS_FILE, peers_after
from kiosk.photos import with_photos
from kiosk.snapshots import SnapshotStore
from sync_agent.agent_state import read_status

log = logging.getLogger("kiosk.neighbours")

LOOK_EVERY_S = 1.0
DAY_MS = 86_400_000
PEERS_AT_ONCE = 2_000  # entries folded between two batches, so that a long catch-up never holds up a tap


class Neighbours:
    def __init__(
        self, *, controller: Controller, state: Path, snapshots: SnapshotStore, peers_row: int, keep_pictures_days: int
    ) -> None:
        self._keep_pictures_ms, self._pruned_on = keep_pictures_days * DAY_MS, -1
        self._controller, self._state, self._snapshots = controller, state, snapshots
        self._peers_row, self._computer = peers_row, SystemClock()
        self._directory_seen: tuple[int, int] | None = None
        self._complained = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="neighbours", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """One round. A file that cannot be read now is read next time; it is said once."""
        try:
            self._look_at_link()
            self._look_at_peers()
            self._look_at_directory()
            self._prune_pictures()
            self._complained = ""
        except (sqlite3.Error, OSError, DirectoryError) as error:
            if str(error) != self._complained:
                log.warning("%s", error)
                self._complained = str(error)
        self._controller.submit(Tick())

    def _look_at_link(self) -> None:
        status = read_status(self._state)
        if status is None:
            return
        # The agent writes by the computer's clock; the gate's own may be a played one. Only ages carry over.
        ahead_ms = self._controller.clock.now_ms() - self._computer.now_ms()
        last_ms = None if status.last_contact_ms is None else status.last_contact_ms + ahead_ms
        asked_ms = (status.asked_ms or 0) + ahead_ms
        peers = {p.node: asked_ms - int(p.seen_s_ago * 1000) for p in status.peers if p.seen_s_ago is not None}
        back = status.server_back
        self._controller.submit(
            LinkChanged(
                waiting=status.waiting, last_contact_ms=last_ms, peers=peers, server=status.server,
                server_back=(back.noticed_ms, back.entries) if back else None,
            )
        )  # fmt: skip

    def _look_at_peers(self) -> None:
        self._peers_row, sealed = peers_after(self._state / PEERS_FILE, self._peers_row)
        for start in range(0, len(sealed), PEERS_AT_ONCE):
            self._controller.submit(PeerEntries(sealed=sealed[start : start + PEERS_AT_ONCE]))

    def _prune_pictures(self) -> None:
        """Once a day: snapshots past their time are erased, and that is recorded."""
        now_ms = self._controller.clock.now_ms()
        if now_ms // DAY_MS == self._pruned_on or not self._controller.clock.trusted():
            return
        before_ms = now_ms - self._keep_pictures_ms
        erased = self._snapshots.prune(before_ms)
        if erased:
            self._controller.submit(PicturesErased(count=len(erased), before_ms=before_ms))
        self._pruned_on = now_ms // DAY_MS

    def _look_at_directory(self) -> None:
        path = self._state / "directory.db"
        if not path.exists():
            return
        stat = path.stat()
        seen = (stat.st_ino, stat.st_mtime_ns)
        if seen == self._directory_seen:
            return
        info = snapshot_info(path)
        if info.number > self._controller.world.directory.number:
            directory = with_photos(load(path), self._snapshots)
            self._controller.submit(AdoptDirectory(directory=directory, digest=info.sha256))
        self._directory_seen = seen
