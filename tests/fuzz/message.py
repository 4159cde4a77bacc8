"""What a message is: something that is read as a whole. The table of all of them is `messages.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any


class NothingElse(Exception):
    """For readers that may raise nothing at all."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """read: the reader; valid: a message and what must be read from it; errors: all that it may raise; sealed: a signature or a
    check protects it."""

    read: Callable[[bytes], Any]
    valid: Callable[[Random], tuple[bytes, Any]]
    errors: tuple[type[Exception], ...] = (NothingElse,)
    sealed: bool = False
    marks: tuple[bytes, ...] = ()


def text_of_line(data: bytes) -> str:
    """As a reader of lines hands it over: text, or nothing."""
    return data.decode("utf-8", "replace")
