"""Makes reports for the pages, one at a time, in a process of its own: begins, says how far it is, stops, gives the files.

What was computed lies in a folder of the system's temporary files for half an hour, at most so many, and is gone when the gate
stops: the names of children are kept nowhere that `kiosk backup` or an erasure would have to know. A second request for the
same joins the first.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from kiosk.clock import Clock, steady_s
from kiosk.reports.child import Order, Told
from kiosk.reports.forms import Form, Lang
from kiosk.reports.wanted import Wanted
from kiosk.settings import Settings

KEPT: Final = 6  # reports at hand
KEPT_S: Final = 30 * 60.0
MAX_WAITING: Final = 8

log = logging.getLogger(__name__)


class TooManyReports(Exception):
    """Others are before this one; try again later."""


class FormNotMade(Exception):
    """The sentence says why, and what to install where that helps."""


@dataclass(slots=True)
class Job:
    """One wanted report. state: waiting, running, ready, locked, failed, stopped. made_s: on the steady clock."""

    wanted: Wanted
    folder: Path
    state: str = "waiting"
    told: Told = field(default_factory=Told)
    made_s: float = 0.0
    made_ms: int = 0
    process: subprocess.Popen[bytes] | None = None


class ReportDesk:
    """Every method but `file` answers at once. `file` waits for the form: call it in a thread."""

    def __init__(self, *, settings: Settings, state: Path, clock: Clock) -> None:
        self._settings, self._state, self._clock = settings, state, clock
        self._jobs: OrderedDict[Wanted, Job] = OrderedDict()
        self._changed = threading.Condition()
        self._writing = threading.Lock()  # one form at a time, and none of them twice
        self._worker: threading.Thread | None = None
        self._home: Path | None = None
        self._closed = False
        self._count = 0

    # --- what the pages ask --------------------------------------------------------------------------

    def begin(self, wanted: Wanted, *, afresh: bool = False) -> Job:
        """The job that makes it; the one that is there already, unless it failed or `afresh` says so. Raises TooManyReports."""
        with self._changed:
            self._sweep()
            job = self._jobs.get(wanted)
            if job is not None and (job.state in ("waiting", "running") or (job.state == "ready" and not afresh)):
                return job
            if sum(one.state in ("waiting", "running") for one in self._jobs.values()) >= MAX_WAITING:
                raise TooManyReports("Other reports are being made; try again in a minute.")
            if job is not None:
                self._drop(job)
            self._count += 1
            job = self._jobs[wanted] = Job(wanted, self._folder() / f"{self._count}")
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="reports", daemon=True)
                self._worker.start()
            self._changed.notify_all()
            return job

    def look(self, wanted: Wanted) -> Job | None:
        with self._changed:
            self._sweep()
            return self._jobs.get(wanted)

    def stop(self, wanted: Wanted) -> None:
        with self._changed:
            job = self._jobs.get(wanted)
            if job is not None and job.state in ("waiting", "running"):
                job.state = "stopped"
                _end(job.process)

    def file(self, job: Job, form: Form, lang: Lang) -> tuple[str, Path]:
        """The name that the file should have, and where it lies until the report goes. Raises FormNotMade."""
        to = job.folder / f"form.{lang}.{form}"
        named = job.folder / f"form.{lang}.{form}.name"
        with self._writing:
            if not named.exists():
                order = Order(
                    folder=str(job.folder), form=form, lang=lang, offset_ms=self._settings.plan.utc_offset_ms, to=str(to)
                )
                told = self._run(order, Job(job.wanted, job.folder))
                if not told.done:
                    raise FormNotMade(told.refused)
                named.write_text(told.done)
            return named.read_text(), to

    def close(self) -> None:
        """Ends what is being made, and removes everything that was."""
        with self._changed:
            self._closed = True
            for job in self._jobs.values():
                _end(job.process)
            self._changed.notify_all()
        if self._worker is not None:
            self._worker.join(timeout=10)
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)

    # --- the worker ------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._changed:
                job = self._next()
                while job is None and not self._closed:
                    self._changed.wait()
                    job = self._next()
                if self._closed or job is None:
                    return
                job.state = "running"
            told = self._run(self._order(job), job)
            with self._changed:
                if job.state == "running":
                    job.state = "ready" if told.done else "locked" if told.locked else "failed"
                    job.told, job.made_s, job.made_ms = told, steady_s(), self._clock.now_ms()
                if job.state != "ready":
                    shutil.rmtree(job.folder, ignore_errors=True)

    def _next(self) -> Job | None:
        return next((job for job in self._jobs.values() if job.state == "waiting"), None)

    def _order(self, job: Job) -> Order:
        site = self._settings.files.get("site.toml")
        return Order(
            folder=str(job.folder), config=str(self._settings.folder), site=str(site) if site else "", state=str(self._state),
            now_ms=self._clock.now_ms(), wanted=job.wanted,
        )  # fmt: skip

    def _run(self, order: Order, job: Job) -> Told:
        """The last word of the process; an empty one where it ended without."""
        command = [sys.executable, "-m", "kiosk.reports.child"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            with self._changed:
                job.process = process
                if job.state == "stopped" or self._closed:
                    _end(process)
            assert process.stdin is not None and process.stdout is not None
            with suppress(OSError):
                process.stdin.write(msgspec.json.encode(order) + b"\n")
                process.stdin.flush()
            told = Told()
            for line in process.stdout:
                told = msgspec.json.decode(line, type=Told)
                job.told = told
            with suppress(OSError):
                process.stdin.close()
        job.process = None
        if not (told.done or told.refused) and job.state == "running":
            log.error("making the report %s ended with %s", job.wanted.report, process.returncode)
        return told if told.done or told.refused else Told(refused="making it ended unexpectedly; see the log of the service")

    # --- folders -----------------------------------------------------------------------------------------

    def _folder(self) -> Path:
        if self._home is None:
            self._home = Path(tempfile.mkdtemp(prefix="campus-reports-"))
        return self._home

    def _sweep(self) -> None:
        """What is old goes, and so does the oldest when there are too many."""
        done = [job for job in self._jobs.values() if job.state not in ("waiting", "running")]
        old = [job for job in done if job.made_s and steady_s() - job.made_s > KEPT_S]
        for job in [*old, *[job for job in done if job not in old][: max(0, len(done) - len(old) - KEPT)]]:
            self._drop(job)

    def _drop(self, job: Job) -> None:
        del self._jobs[job.wanted]
        shutil.rmtree(job.folder, ignore_errors=True)


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        with suppress(OSError):
            process.terminate()
