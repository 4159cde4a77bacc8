"""The key that a gate signs with, and how another one takes its place without a moment in which a kill would shut the gate out.

Three files in `keys`, each written whole: `node.key` is the present one, `node.key.next` one that the server may know already or
not, `node.key.before` the last one. The next key is on the disk before anybody hears of it, and becomes the present one only when
the server has said that it knows it. Whoever was killed in between asks again, with the same next key.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from sync_agent.errors import Misconfigured
from sync_agent.keys import SigningKey, fsync_folder, load_or_create

KEY_FILE: Final = "node.key"
NEXT_FILE: Final = "node.key.next"
BEFORE_FILE: Final = "node.key.before"


class NodeKeys:
    """folder: `keys` of the state directory. Raises Misconfigured for files that cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.present: SigningKey = load_or_create(folder / KEY_FILE)

    def prepare_next(self) -> SigningKey:
        """The next key, made if there is none yet; durable before it returns."""
        return load_or_create(self._folder / NEXT_FILE)

    def begun(self) -> bool:
        """Whether there is a next key, which the server may know already."""
        return (self._folder / NEXT_FILE).exists()

    def adopt_next(self) -> None:
        """The server knows the next key: it is the present one from here on."""
        present, after, before = (self._folder / name for name in (KEY_FILE, NEXT_FILE, BEFORE_FILE))
        try:
            spare = before.with_name(before.name + ".new")
            spare.unlink(missing_ok=True)
            os.link(present, spare)
            spare.replace(before)
            after.replace(present)
            fsync_folder(self._folder)
        except OSError as error:
            raise Misconfigured(f"the new key cannot be put in place in {self._folder} ({error}); look at the disk") from error
        self.present = load_or_create(present)
