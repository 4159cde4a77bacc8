"""Ends tasks for certain. Cancelling once is not enough: up to Python 3.11 `asyncio.wait_for` swallows a cancellation that
comes together with what it waited for, and the client of the bus is full of it.

It does nothing with what the tasks had to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

CANCEL_AGAIN_S: Final = 1.0


async def ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Returns when every one of them has ended, however often it has to be told."""
    everyone = set(tasks)
    alive = {task for task in everyone if not task.done()}
    while alive:
        for task in alive:
            task.cancel()
        _, alive = await asyncio.wait(alive, timeout=CANCEL_AGAIN_S)
    for task in everyone:
        if not task.cancelled():
            task.exception()  # read, so that nobody complains that it was not
