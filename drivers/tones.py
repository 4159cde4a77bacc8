"""Four tones, as WAV clips: rising for granted, two level ones for "please wait", falling for refused, one tick for a repeat.

Made and not recorded, the same for everybody, quiet enough for a gate at seven. Pure: no file, no device.
"""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

RATE: Final = 22_050  # samples a second; what espeak-ng speaks with as well
LOUDEST: Final = 0x7FFF
RISE_S, FADE = 0.01, 4.0  # a note begins softly and dies away, so that nothing clicks

# name -> notes, each (hertz, begins after seconds, lasts seconds)
SHAPES: Final[Mapping[str, tuple[tuple[float, float, float], ...]]] = {
    "rise": ((660, 0.0, 0.11), (990, 0.12, 0.2)),
    "level": ((587, 0.0, 0.14), (587, 0.2, 0.14)),
    "fall": ((440, 0.0, 0.16), (247, 0.18, 0.3)),
    "tick": ((1175, 0.0, 0.05),),
}


@lru_cache(maxsize=32)
def tone(name: str, *, volume: float = 0.5) -> bytes:
    """The clip of one tone. `volume` 0 to 1."""
    notes = SHAPES[name]
    length = round(RATE * max(after + lasts for _, after, lasts in notes))
    samples = [0.0] * length
    for hertz, after, lasts in notes:
        first = round(RATE * after)
        for at in range(min(round(RATE * lasts), length - first)):
            seconds = at / RATE
            loud = min(1.0, seconds / RISE_S) * math.exp(-FADE * seconds / lasts)
            samples[first + at] += loud * _triangle(hertz * seconds)
    return wav(samples, volume=volume)


def silence(seconds: float) -> bytes:
    return wav([0.0] * round(RATE * seconds), volume=0.0)


def wav(samples: list[float], *, volume: float) -> bytes:
    """Mono, 16 bit. Samples beyond -1 and 1 are cut."""
    loud = [round(LOUDEST * volume * max(-1.0, min(1.0, sample))) for sample in samples]
    return _packed(struct.pack(f"<{len(loud)}h", *loud), RATE)


def joined(clips: list[bytes], *, pause_s: float = 0.05) -> bytes:
    """One clip after another. Raises ValueError for one that is not mono, 16 bit, at RATE."""
    frames = b""
    for clip in clips:
        with _opened(clip) as reader:
            if (reader.getnchannels(), reader.getsampwidth(), reader.getframerate()) != (1, 2, RATE):
                raise ValueError(f"a clip must be mono, 16 bit, {RATE} Hz")
            frames += reader.readframes(reader.getnframes()) + b"\0\0" * round(RATE * pause_s)
    return _packed(frames, RATE)


def lasts_s(clip: bytes) -> float:
    """How long a clip plays. Raises ValueError for bytes that are no WAV."""
    with _opened(clip) as reader:
        return reader.getnframes() / (reader.getframerate() or 1)


def _opened(clip: bytes) -> wave.Wave_read:
    try:
        return wave.open(io.BytesIO(clip), "rb")
    except (wave.Error, EOFError) as error:
        raise ValueError(f"no WAV clip: {error}") from error


def _packed(frames: bytes, rate: int) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(frames)
    return written.getvalue()


def _triangle(turns: float) -> float:
    return 4.0 * abs((turns + 0.25) % 1.0 - 0.5) - 1.0
