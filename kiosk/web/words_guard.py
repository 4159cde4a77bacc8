"""Words of the guard's page, beside those that `words_staff` has for all of them."""

from __future__ import annotations

from typing import Final

# key -> (Chinese, English)
GUARD: Final[dict[str, tuple[str, str]]] = {}
