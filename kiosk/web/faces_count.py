"""A count: who should be there, who is known to be away and why, and what the press sends. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kiosk.web.faces_format import Lang
from kiosk.web.words import WORDS, say

# Reasons that a count may give, most likely first. "missing" starts a search at once.
ACCEPT_WHY = ("on_the_way", "missing", "toilet", "sick_room", "with_teacher", "left_early")
LEAVE_WHY = ("missing", "toilet", "sick_room", "with_teacher", "left_early", "stays")
ARRIVE_WHY = ("missing", "left_early", "with_teacher", "stays")
BACK_WHY = ("missing", "left_early", "with_teacher")


def why_words(lang: Lang) -> dict[str, str]:
    """Every reason that a count may give or find, in words."""
    return {key.removeprefix("exception."): say(key, lang) for key in WORDS if key.startswith("exception.")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """act: the name of the press; body: what it says beside children, count and exceptions.

    away: child -> reason, "" where it is still to be named. choose: "" | colleague | gate | venue, what is still asked.
    words: what the button's words need, `kind` among them. others: (child, name, seat) of whoever has no row on the page.
    """

    act: str
    body: Mapping[str, Any]
    children: tuple[int, ...]
    away: Mapping[int, str] = field(default_factory=dict)
    reasons: tuple[str, ...] = LEAVE_WHY
    choose: str = ""
    words: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[tuple[int, str, int], ...] = ()
