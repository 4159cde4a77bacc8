"""Words of the roster page, beside those that `words_staff` has for all of them."""

from __future__ import annotations

from typing import Final

# key -> (Chinese, English)
ROSTER: Final[dict[str, tuple[str, str]]] = {}
