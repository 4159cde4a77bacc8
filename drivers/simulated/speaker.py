"""A simulated loudspeaker: a program that takes a WAV clip on its standard input and plays it, as aplay does.

`link` is the program; the driver starts it unchanged through `sound:exec:`. Physics: a clip takes its time, and a player
that is killed has played no further. It writes down what was heard. Faults: `unplug` (no such card, as aplay says it),
`replug`, `silence` (it takes the clip and never ends).
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import ClassVar, Self

_PLAYER = """
import io, pathlib, sys, time, wave
folder = pathlib.Path(sys.argv[1])
state = (folder / "state").read_text()
if state == "unplugged":
    sys.exit("aplay: main:831: audio open error: No such device")
clip = sys.stdin.buffer.read()
with wave.open(io.BytesIO(clip)) as reader:
    seconds = reader.getnframes() / reader.getframerate()
name = folder / f"{time.monotonic_ns()}"
name.with_suffix(".part").write_bytes(clip)
name.with_suffix(".part").rename(name.with_suffix(".wav"))
if state == "silent":
    while folder.exists():
        time.sleep(0.1)
time.sleep(seconds)
name.with_suffix(".end").touch()
"""
LOOK_S = 0.01


class SimulatedSpeaker:
    """`.heard()` every clip that began to play, oldest first; `.whole()` those that played to their end."""

    verbs: ClassVar[tuple[str, ...]] = ("unplug", "replug", "silence")

    def __init__(self, *, link: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="speaker-")
        self._spool = Path(self._folder.name)
        (self._spool / "player.py").write_text(_PLAYER, encoding="utf-8")
        self._say("plugged")
        self.program = link or self._spool / "player"
        self.program.parent.mkdir(parents=True, exist_ok=True)
        line = " ".join(_quoted(part) for part in (sys.executable, "-SE", str(self._spool / "player.py"), str(self._spool)))
        self.program.write_text(f"#!/bin/sh\nexec {line}\n", encoding="utf-8")
        self.program.chmod(0o755)

    @property
    def url(self) -> str:
        return f"sound:exec:{self.program}"

    def heard(self) -> list[bytes]:
        return [path.read_bytes() for path in self._clips()]

    def whole(self) -> list[bytes]:
        return [path.read_bytes() for path in self._clips() if path.with_suffix(".end").exists()]

    def wait_for(self, clip: bytes, *, times: int = 1, timeout_s: float = 10.0) -> bool:
        """True as soon as this clip has begun to play so often."""
        give_up_s, pause = time.monotonic() + timeout_s, threading.Event()
        while self.heard().count(clip) < times:
            if time.monotonic() > give_up_s:
                return False
            pause.wait(LOOK_S)
        return True

    def unplug(self) -> None:
        """Pull the sound card: what plays is cut off, and nothing can be played."""
        self._say("unplugged")

    def replug(self) -> None:
        """Put the card back."""
        self._say("plugged")

    def silence(self, silent: bool) -> None:
        """It takes a clip and never comes to its end."""
        self._say("silent" if silent else "plugged")

    def close(self) -> None:
        self.program.unlink(missing_ok=True)
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _say(self, state: str) -> None:
        beside = self._spool / "state.new"
        beside.write_text(state, encoding="ascii")
        beside.replace(self._spool / "state")

    def _clips(self) -> list[Path]:
        return sorted(self._spool.glob("*.wav"), key=lambda path: int(path.stem))


def _quoted(part: str) -> str:
    return "'" + part.replace("'", "'\\''") + "'"
