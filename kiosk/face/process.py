"""The gate's end of the face process: started when it is needed, given up when it hangs, started again when it died.

Used by one thread, which may wait; the loop never does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from kiosk.clock import steady_s
from kiosk.face.engine import EngineUnusable
from kiosk.face.wire import Ask, Ready, Told, receive, send

READY_WITHIN_S: Final = 60.0
ANSWER_WITHIN_S: Final = 20.0
AGAIN_AFTER_S: Final = 30.0


class EngineProcess:
    """`look` starts it. After a failure nothing is tried for a while: `trouble` says what was wrong."""

    def __init__(self, engine: str, models: Path) -> None:
        self.engine, self._models = engine, models
        self.trouble = ""
        self._failed_s: float | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def look(self, picture: bytes) -> Told:
        """Raises EngineUnusable."""
        process = self._running()
        asked = self._within(ANSWER_WITHIN_S, process)
        try:
            assert process.stdin is not None and process.stdout is not None
            send(process.stdin, Ask(picture=picture))
            told = receive(process.stdout, Told)
        except (OSError, ValueError):
            told = None
        finally:
            asked.cancel()
        if told is None:
            raise self._failed("the face process ended or gave no answer in time; it is started again")
        return told

    def open(self) -> None:
        """Starts it and waits for its self-test. Raises EngineUnusable."""
        self._running()

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                assert pipe is not None
                pipe.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        if self._failed_s is not None and steady_s() - self._failed_s < AGAIN_AFTER_S:
            raise EngineUnusable(self.trouble)
        command = [sys.executable, "-m", "kiosk.face.child", self.engine, str(self._models)]
        alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **alone}
        )
        assert process.stdout is not None
        waiting = self._within(READY_WITHIN_S, process)
        try:
            ready = receive(process.stdout, Ready)
        except ValueError:
            ready = None
        finally:
            waiting.cancel()
        if ready is None or ready.trouble:
            raise self._failed(ready.trouble if ready else "the face process does not start: see the log")
        self.trouble, self._failed_s = "", None
        return process

    def _failed(self, why: str) -> EngineUnusable:
        self.close()
        self.trouble, self._failed_s = why, steady_s()
        return EngineUnusable(why)

    @staticmethod
    def _within(limit_s: float, process: subprocess.Popen[bytes]) -> threading.Timer:
        """Ends a process that hangs, so that whoever reads from it goes on."""
        timer = threading.Timer(limit_s, process.kill)
        timer.daemon = True
        timer.start()
        return timer
