"""What a family takes back is gone from this computer at once: template and pictures, with a receipt in the journal.

One thread holds what lies on disk against who agrees now: at every start, when the list of people changes, when the office or
another gate records a withdrawal, and once a minute. It runs whether recognition is on or off, and needs no engine.
Switched off, every template goes too: nothing is kept for a purpose that has ended.
"""

from __future__ import annotations

import logging
import threading
from queue import Empty, SimpleQueue
from typing import Final

from kiosk.controller import Batch, Controller
from kiosk.core.commands import AdoptDirectory, FaceErased, Look, PeerEntries, RecordConsent
from kiosk.core.roster_faces import ConsentQuery, ConsentView
from kiosk.face.templates import TemplateStore
from kiosk.snapshots import PictureError, SnapshotStore

log = logging.getLogger("kiosk.face")

AGAIN_S: Final = 60.0
WITHDRAWN, NOT_LISTED, SWITCHED_OFF = "withdrawn", "no_consent", "switched_off"
_MAY_CHANGE_IT = (AdoptDirectory, PeerEntries, RecordConsent)


class Withdrawals:
    def __init__(self, *, controller: Controller, snapshots: SnapshotStore, templates: TemplateStore | None) -> None:
        self._controller, self._snapshots, self.templates = controller, snapshots, templates
        self._rung: SimpleQueue[bool] = SimpleQueue()  # True: pictures too; False: stop
        self._before: ConsentView | None = None
        self._complained = ""
        self._thread = threading.Thread(target=self._run, name="withdrawals", daemon=True)
        controller.listeners.append(self._told)

    def start(self) -> None:
        self._rung.put(True)
        self._thread.start()

    def stop(self) -> None:
        self._rung.put(False)
        self._thread.join()

    def _told(self, batch: Batch) -> None:
        if any(isinstance(command, _MAY_CHANGE_IT) for command, _ in batch.answers):
            self._rung.put(True)

    def _run(self) -> None:
        while True:
            try:
                if not self._rung.get(timeout=AGAIN_S):
                    return
            except Empty:
                pass  # once a minute too: a template may have been made while a consent was taken back
            try:
                self.look()
                self._complained = ""
            except (OSError, PictureError, TimeoutError) as error:
                if str(error) != self._complained:
                    log.error("what a family took back is not erased yet: %s", error)
                self._complained = str(error)

    def look(self) -> None:
        """One round: erases what nobody agrees to any more, and writes a receipt for each child. What fails is tried again."""
        now: ConsentView = self._controller.ask(Look(query=ConsentQuery()))
        gone = {child for child in (self.templates.people() if self.templates else ()) if child not in now.face}
        taken_back = self._taken_back(now) if self._before != now else frozenset[int]()
        pictures = self._pictures_of(taken_back | gone if now.face_on else taken_back)
        for child in sorted(gone | pictures.keys()):
            erased = self.templates is not None and child in gone and self.templates.erase(child)
            self._controller.submit(
                FaceErased(child=child, templates=int(erased), pictures=pictures.get(child, 0), why=_why(now, child))
            )
        self._before = now

    def _taken_back(self, now: ConsentView) -> frozenset[int]:
        """Whose snapshots go: everybody without consent to pictures, and whoever took back that to comparing."""
        before = self._before
        lost = before.face - now.face if before is not None and before.face_on and now.face_on else frozenset()
        without = {child for child in now.pupils if child not in now.snapshot}
        return frozenset({child for child, _ in now.withdrawn} | lost | without)

    def _pictures_of(self, children: frozenset[int]) -> dict[int, int]:
        return {child: len(gone) for child, gone in self._snapshots.erase_snapshots(children).items()} if children else {}


def _why(now: ConsentView, child: int) -> str:
    if any(one == child for one, _ in now.withdrawn):
        return WITHDRAWN
    return NOT_LISTED if now.face_on else SWITCHED_OFF
