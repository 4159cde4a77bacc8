"""A sentence as a WAV clip, by espeak-ng where it is installed. Optional: without it there are tones only.

Rendered once and kept by whoever asks (kiosk/sounds.py). Never given a name: what is spoken is a fixed word of the gate.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from typing import Final

from drivers.errors import DeviceLost, Misconfigured
from drivers.tones import joined

PROGRAM: Final = "espeak-ng"
VOICES: Final[Mapping[str, str]] = {"zh": "cmn", "en": "en-gb"}
WORDS_A_MINUTE = 190
RENDER_WAIT_S = 5.0


def installed() -> bool:
    return shutil.which(PROGRAM) is not None


def spoken(text: str, *, lang: str = "zh") -> bytes:
    """Blocks, a tenth of a second or so. Raises Misconfigured without espeak-ng, DeviceLost when it makes no clip."""
    command = [PROGRAM, "-v", VOICES[lang], "-s", str(WORDS_A_MINUTE), "--stdout", "--", text]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=RENDER_WAIT_S, check=False)
    except FileNotFoundError as error:
        raise Misconfigured("espeak-ng is not installed: apt install espeak-ng, or leave sound.speak empty") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeviceLost(f"espeak-ng does not speak ({error})") from error
    try:
        return joined([_with_its_length(done.stdout)])
    except ValueError as error:
        said = " ".join(done.stderr.decode("utf-8", "replace").split())[:200]
        raise DeviceLost(f"espeak-ng makes no clip ({said or error}); is its Chinese voice installed?") from error


def _with_its_length(clip: bytes) -> bytes:
    """espeak-ng writes to a pipe without knowing how long it will be: the two lengths in the header are made true."""
    at = clip.find(b"data", 12)
    if clip[:4] != b"RIFF" or at < 0:
        return clip
    body = clip[at + 8 :]
    return b"RIFF" + (at + len(body)).to_bytes(4, "little") + clip[8 : at + 4] + len(body).to_bytes(4, "little") + body
