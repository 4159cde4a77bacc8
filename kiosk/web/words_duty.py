"""Words of the duty page, beside those that `words_staff` has for all of them."""

from __future__ import annotations

from typing import Final

# key -> (Chinese, English)
DUTY: Final[dict[str, tuple[str, str]]] = {}
