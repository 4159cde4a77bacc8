"""What arrives from outside this process: other gates' entries, a newer directory, the sync agent's word on the link.

One thread looks once a second and puts what is new into the inbox. Files of others are only read; nothing here writes.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from pathlib import Path
from typing import Protocol

from kiosk.clock import SystemClock
from kiosk.controller import Controller
from kiosk.core.commands import AdoptDirectory, LinkChanged, PeerEntries, PicturesErased, Tick
from kiosk.directory import DirectoryError, load, snapshot_info
from kiosk.disk_watch import DiskWatch
from kiosk.last_ran import EVERY_MS, note
from kiosk.photos import with_photos
from kiosk.pruning import Pruner
from kiosk.reading_back import OtherGates, parts
from kiosk.snapshots import SnapshotStore
from sync_agent.agent_state import read_status

log = logging.getLogger("kiosk.neighbours")

LOOK_EVERY_S = 1.0
DAY_MS = 86_400_000
BREATH_S = 0.002  # between two parts of a long catch-up: it takes a little longer, and no card waits for it
STILL = 5  # looks that found nothing: another gate that says it has more to send is not sending
FETCHING_FOR_S = 30.0  # an agent that has said nothing for so long is fetching nothing


class DueWatch(Protocol):
    """`kiosk.publishing.DueWatch`: reminds of what is due."""

    def look(self) -> None: ...


class Neighbours:
    def __init__(
        self, *, controller: Controller, state: Path, snapshots: SnapshotStore, peers_row: int, keep_pictures_days: int,
        disk: DiskWatch | None = None, pruner: Pruner | None = None, dues: DueWatch | None = None,
    ) -> None:  # fmt: skip
        self._disk, self._pruner, self._dues = disk, pruner, dues
        self._keep_pictures_ms, self._pruned_on = keep_pictures_days * DAY_MS, -1
        self._controller, self._state, self._snapshots = controller, state, snapshots
        self._peers_row, self._computer = peers_row, SystemClock()
        self._directory_seen: tuple[int, int] | None = None
        self._fetching = self._more_coming = False  # the agent has more to bring; the loop was told that there is more
        self._others_send, self._still = False, 0  # looks in a row that found nothing
        self._ahead_row = 0
        status = read_status(state)
        self._old_word_ms = status.written_ms if status else 0  # left by an agent that may have run on another copy of this disk
        self._own: bool | None = None  # what the agent says of this gate's own records, once all that it brought is folded
        self._noted_ms = 0
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
            if self._disk is not None:
                self._disk.look()
            own = self._look_at_link()
            self._look_at_peers()
            self._own = own
            self._look_at_directory()
            self._prune_pictures()
            self._note_running()
            if self._pruner is not None:
                self._pruner.look()
            if self._dues is not None:
                self._dues.look()
            self._complained = ""
        except (sqlite3.Error, OSError, DirectoryError) as error:
            if str(error) != self._complained:
                log.warning("%s", error)
                self._complained = str(error)
        self._controller.submit(Tick())

    def _look_at_link(self) -> bool | None:
        status = read_status(self._state)
        if status is None:
            return None
        age_s = (self._computer.now_ms() - status.written_ms) / 1000
        self._fetching = status.fetching and abs(age_s) < FETCHING_FOR_S
        # The agent writes by the computer's clock; the gate's own may be a played one. Only ages carry over.
        ahead_ms = self._controller.clock.now_ms() - self._computer.now_ms()
        last_ms = None if status.last_contact_ms is None else status.last_contact_ms + ahead_ms
        asked_ms = (status.asked_ms or 0) + ahead_ms
        peers = {p.node: 0 if p.seen_s_ago is None else asked_ms - int(p.seen_s_ago * 1000) for p in status.peers}
        behind = [p.node for p in status.peers if p.waiting or self._fetching]
        self._others_send = any(p.waiting for p in status.peers)
        back = status.server_back
        self._controller.submit(
            LinkChanged(
                waiting=status.waiting, last_contact_ms=last_ms, peers=peers, server=status.server,
                behind=frozenset(behind),
                server_back=(back.noticed_ms, back.entries) if back else None,
                server_run=back.run if back else "", forked=frozenset(status.forked), own=self._own,
                shut_out_ms=status.shut_out_ms,
            )
        )  # fmt: skip
        if status.written_ms == self._old_word_ms:
            return None
        self._old_word_ms = 0
        return status.own_known

    def _look_at_peers(self) -> None:
        """Whatever is new, in parts of a millisecond, each handed over when the one before is folded. The last of them is said
        when no more is on its way: not at the server, and not at another gate that is sending its days."""
        self._still += 1
        with contextlib.closing(OtherGates(self._state)) as others:
            self._look_ahead(others)
            while not self._stopping.is_set():
                row, sealed = others.after(self._peers_row)
                if row == self._peers_row:
                    break
                for part in parts(sealed):
                    self._hand_over(PeerEntries(sealed=part, more=True))
                self._peers_row, self._more_coming, self._still = row, True, 0
                self._look_ahead(others)
        if self._more_coming and not self._fetching and (self._still >= STILL or not self._others_send):
            self._hand_over(PeerEntries(sealed=()))
            self._more_coming = False

    def _look_ahead(self, others: OtherGates) -> None:
        """What came ahead of its turn, between two pages of what comes in turn."""
        while not self._stopping.is_set():
            row, sealed = others.ahead_after(self._ahead_row)
            if row == self._ahead_row:
                return
            for part in parts(sealed):
                self._hand_over(PeerEntries(sealed=part, ahead=True))
            self._ahead_row = row

    def _hand_over(self, entries: PeerEntries) -> None:
        folded = threading.Event()
        self._controller.submit(entries, lambda _: folded.set())
        while not folded.wait(LOOK_EVERY_S):
            if self._stopping.is_set():
                return
        self._stopping.wait(BREATH_S)

    def _note_running(self) -> None:
        """Once a minute, by a clock that is trusted: the next start knows how long the gate was off."""
        now_ms, stream = self._controller.clock.now_ms(), self._controller.world.stream
        if self._controller.clock.trusted() and abs(now_ms - self._noted_ms) >= EVERY_MS:
            note(self._state, incarnation=stream.incarnation, seq=stream.seq, now_ms=now_ms)
            self._noted_ms = now_ms

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
