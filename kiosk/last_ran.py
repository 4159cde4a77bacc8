"""When this gate computer last ran: one small file beside the journal, written anew every minute by a clock that is trusted.

It tells a start how long the gate was off, in a quiet hour as in a rush. It names how far the journal had come, so that it is no
word for another journal: an old copy of the disk has an old file, and a journal that was put back alone has none of its own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from kiosk.core.entries import EntryId

FILE_NAME: Final = "last_ran"
EVERY_MS: Final = 60_000


def note(state: Path, *, incarnation: str, seq: int, now_ms: int) -> None:
    """Whole or not there, and not synced: a power cut may leave the one before, or none. Raises OSError."""
    unfinished = state / f"{FILE_NAME}.part"
    unfinished.write_text(f"{incarnation} {seq} {now_ms}\n", "ascii")
    os.replace(unfinished, state / FILE_NAME)


def noted_ms(state: Path, head: EntryId | None) -> int:
    """0 without such a word about this journal, whose last entry is `head`."""
    try:
        incarnation, seq, at_ms = (state / FILE_NAME).read_text("ascii").split()
        fits = head is not None and incarnation == head.incarnation and int(seq) <= head.seq
        return int(at_ms) if fits else 0
    except (OSError, ValueError):
        return 0
