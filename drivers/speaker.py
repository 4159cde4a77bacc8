"""Sound through ALSA: `sound:alsa:default`, `sound:alsa:plughw:CARD=Device,DEV=0`, or any program: `sound:exec:/path`.

The player is a child process that gets one WAV clip on its standard input and plays it: `aplay` of alsa-utils, or a
program of that manner. A newer clip ends the one that plays. Nothing here knows what is said, and nobody waits for it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, ClassVar

from drivers import voice
from drivers.device_urls import OptionValue, merged_options, split_url
from drivers.errors import DeviceLost, DriverError, Misconfigured
from drivers.protocols import Info, Speaker
from drivers.tones import lasts_s, silence

APLAY = "aplay"
CARDS = Path("/proc/asound/cards")
CARD = re.compile(r"^\s*\d+ \[(\w+)")  # its name survives re-plugging, its number does not
TRY_S = 0.05  # of silence, to see that it plays at all
OPEN_WAIT_S = 4.0
LATE_S = 5.0  # a player that is so much later than its clip hangs
LONGEST_CLIP_S = 15.0
LOOK_S = 0.02
KILL_WAIT_S = 1.0
SAID_BYTES = 300


class AlsaSpeaker(Speaker):
    schemes = ("sound",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {}

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        where = split_url(url)
        merged_options(where, options, defaults=self.option_defaults)
        way, _, place = where.address.partition(":")
        if way not in ("alsa", "exec") or not place or (way == "exec" and not place.startswith("/")):
            ways = "sound:alsa:default, sound:alsa:plughw:CARD=Name,DEV=0 or sound:exec:/path"
            raise Misconfigured(f"{url} names no sound: write {ways}")
        self._command = [APLAY, "-q", "-D", place, "-"] if way == "alsa" else [place]
        self._playing: subprocess.Popen[bytes] | None = None
        self._complaint: IO[bytes] | None = None
        self._ends_mono_s = 0.0
        self._cancelled = threading.Event()

    @classmethod
    def discover(cls) -> Iterable[str]:
        """Sound cards that the kernel knows; opens none."""
        try:
            lines = CARDS.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ()
        return [f"sound:alsa:plughw:CARD={found[1]},DEV=0" for line in lines if (found := CARD.match(line))]

    def open(self) -> Info:
        self.close()
        self._cancelled.clear()
        program = shutil.which(self._command[0])
        if program is None:
            raise Misconfigured(_missing(self._command[0]))
        try:
            self.play(silence(TRY_S))
            give_up_s = time.monotonic() + OPEN_WAIT_S
            while not self.poll(LOOK_S):
                if time.monotonic() > give_up_s:
                    raise self._lost("does not play; is another program using the sound card?")
        except DriverError:
            self.close()
            raise
        speech = "with speech" if voice.installed() else "tones only; for spoken words: apt install espeak-ng"
        return Info(model=f"{self._command[0]} on {self.url.partition(':')[2]}, {speech}")

    def ping(self) -> None:
        """Plays a moment of silence; `poll` says what came of it."""
        self.play(silence(TRY_S))

    def close(self) -> None:
        playing, self._playing = self._playing, None
        if playing is not None:
            playing.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):  # in an uninterruptible call: it is buried one day
                playing.wait(KILL_WAIT_S)
        if self._complaint is not None:
            self._complaint.close()
            self._complaint = None

    def cancel(self) -> None:
        self._cancelled.set()

    def play(self, wav: bytes) -> None:
        """A clip longer than LONGEST_CLIP_S, or no clip, is a mistake of the caller: ValueError."""
        seconds = lasts_s(wav)
        if seconds > LONGEST_CLIP_S:
            raise ValueError(f"a clip of {seconds:.0f} s is no prompt; the longest is {LONGEST_CLIP_S:.0f} s")
        self.close()
        self._complaint = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the player
        with tempfile.TemporaryFile() as clip:  # a file, not a pipe: a player that takes nothing blocks nobody
            clip.write(wav)
            clip.seek(0)
            try:
                english = {**os.environ, "LC_ALL": "C"}
                self._playing = subprocess.Popen(
                    self._command, stdin=clip, stdout=subprocess.DEVNULL, stderr=self._complaint, env=english
                )
            except OSError as error:
                raise self._lost(f"cannot be started ({error})") from error
        self._ends_mono_s = time.monotonic() + seconds

    def poll(self, timeout_s: float) -> bool:
        deadline_s = time.monotonic() + timeout_s
        while self._playing is not None and self._playing.poll() is None:
            now_s = time.monotonic()
            if now_s > self._ends_mono_s + LATE_S:
                self.close()
                raise self._lost("hangs; is another program using the sound card?")
            if now_s >= deadline_s or self._cancelled.wait(min(LOOK_S, deadline_s - now_s)):
                self._cancelled.clear()
                return False
        self._ended()
        return True

    def _ended(self) -> None:
        playing, self._playing = self._playing, None
        if playing is not None and playing.returncode:
            said = self._said()
            raise self._lost(f"does not play ({said or f'exit code {playing.returncode}'})")

    def _said(self) -> str:
        if self._complaint is None:
            return ""
        self._complaint.seek(0)
        return " ".join(self._complaint.read(SAID_BYTES).decode("utf-8", "replace").split())

    def _lost(self, what: str) -> DeviceLost:
        return DeviceLost(f"{self.url}: {self._command[0]} {what}; check the card with aplay -l and the group audio")


def _missing(program: str) -> str:
    if program == APLAY:
        return "aplay is not installed: apt install alsa-utils"
    return f"{program} is not there or may not be run: correct sound:exec: in the URL"
