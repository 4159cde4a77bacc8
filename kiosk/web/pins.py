"""PIN checks off the event loop: a few at once, because each takes memory and a core for a while.

Counts nothing itself; wrong PINs and lockouts are `kiosk.credentials`' business.
"""

from __future__ import annotations

import asyncio

from kiosk.web.gate import PinCheck, PinVerdict
from kiosk.web.refusals import TooMany

AT_ONCE = 2  # argon2id takes about 19 MiB and 25 ms of a core for each
MAX_WAITING = 20


class Pins:
    def __init__(self, check: PinCheck) -> None:
        self._check = check
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def check(self, staff_number: str, pin: str) -> PinVerdict:
        """Raises TooMany."""
        if self._waiting >= MAX_WAITING:
            raise TooMany(f"{MAX_WAITING} people are signing in at once; try again in a moment.", retry_after_s=2)
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(self._check, staff_number, pin)
        finally:
            self._waiting -= 1
