"""The privacy thread of a gate: answers `kiosk erase`, erases what was decided, and looks once a day for what is past its time.

Everything waits for the disk and nothing waits for it. What fails is said once and tried again.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path
from typing import Final

from kiosk.controller import Controller
from kiosk.face.templates import TemplateStore
from kiosk.privacy.access_log import AccessLog
from kiosk.privacy.asked import answer_questions
from kiosk.privacy.erasing import ERRORS, Eraser
from kiosk.privacy.retention import RetentionJob
from kiosk.settings import Settings
from kiosk.snapshots import SnapshotStore

LOOK_EVERY_S: Final = 2.0

log = logging.getLogger("kiosk.privacy")


class Keeping:
    def __init__(
        self, *, controller: Controller, state: Path, settings: Settings, snapshots: SnapshotStore,
        templates: TemplateStore | None,
    ) -> None:  # fmt: skip
        self._controller, self._state = controller, state
        self.home = is_home(settings)
        self.access = _access_log(state)
        self.eraser = Eraser(controller=controller, state=state, snapshots=snapshots, templates=templates, home=self.home)
        self.job = RetentionJob(
            controller=controller, state=state, kept=settings.retention, eraser=self.eraser, access=self.access, home=self.home,
            utc_offset_ms=settings.plan.utc_offset_ms,
        )  # fmt: skip
        self._complained = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="privacy", daemon=True)

    def start(self) -> None:
        if self.access is not None:
            self.access.start()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        if self.access is not None:
            self.access.stop()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.look()
                self._complained = ""
            except ERRORS as error:
                if str(error) != self._complained:
                    log.error("what is to be erased is not erased yet: %s", error)
                self._complained = str(error)

    def look(self) -> None:
        """One round. Raises one of ERRORS."""
        answer_questions(self._state, self._controller)
        self.eraser.look()
        self.job.look()


def is_home(settings: Settings) -> bool:
    """Whether people are erased from the list on this computer: the office's own, or the only one."""
    return settings.site.office or not settings.site.sync.server


def _access_log(state: Path) -> AccessLog | None:
    try:
        return AccessLog(state)
    except sqlite3.Error as error:
        log.error("%s: who looks at whom is in the service's log only (%s)", state, error)
        return None
