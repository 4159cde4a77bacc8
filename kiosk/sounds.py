"""Which sound belongs to an answer: a tone, and where the school wants it, the word that stands on the screen.

Names are never spoken: a gate is a street. Words are rendered once, by espeak-ng where it is installed, and kept in the state
folder under the digest of what they say; without it, or when it fails, there is the tone alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from drivers import voice
from drivers.errors import DriverError
from drivers.tones import joined, lasts_s, tone
from kiosk.core.signals import Signal

log = logging.getLogger("kiosk.sounds")

TONES: Final[Mapping[Signal, str]] = {
    Signal.GRANTED: "rise", Signal.RECORDED: "tick", Signal.LOOK: "level", Signal.REFUSED: "fall",
}  # fmt: skip
WORDS: Final[Mapping[Signal, str]] = {
    Signal.GRANTED: "请通行", Signal.RECORDED: "已记录", Signal.LOOK: "请到门卫室", Signal.REFUSED: "请到门卫室",
}  # fmt: skip  # as on the public screen, which never says more to anybody
FOLDER = "sounds"


class Sounds:
    """Clips by signal. `clip` may take a tenth of a second the first time: it is called on the loudspeaker's thread."""

    def __init__(self, state: Path, *, speak: frozenset[Signal]) -> None:
        self._folder, self._speak = state / FOLDER, speak
        self._made: dict[Signal, bytes] = {}
        self._mute = False  # espeak-ng is not there, or makes no clips: said once

    def clip(self, signal: Signal) -> bytes:
        made = self._made.get(signal)
        if made is None:
            words = self._words(WORDS[signal]) if signal in self._speak and not self._mute else None
            made = self._made[signal] = joined([tone(TONES[signal]), *([words] if words else [])])
        return made

    def _words(self, text: str) -> bytes | None:
        digest = hashlib.sha256(f"{voice.PROGRAM} {voice.WORDS_A_MINUTE} zh {text}".encode()).hexdigest()
        kept = self._folder / f"{digest[:32]}.wav"
        with contextlib.suppress(OSError, ValueError):  # not rendered yet, or half a file: rendered again
            clip = kept.read_bytes()
            lasts_s(clip)
            return clip
        try:
            clip = voice.spoken(text)
        except DriverError as error:
            self._mute = True
            log.warning("%s; the gate has tones only", error)
            return None
        self._keep(kept, clip)
        return clip

    def _keep(self, path: Path, clip: bytes) -> None:
        """A full disk is no reason to be silent."""
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            beside = path.with_suffix(".new")
            beside.write_bytes(clip)
            os.replace(beside, path)
        except OSError as error:
            log.warning("a spoken word cannot be kept (%s); it is rendered again at the next start", error)
