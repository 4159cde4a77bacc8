"""学籍号, the national student number: whether it can be one. It contains the citizen ID and is treated as such:
checked here, used to find pupils listed twice, and then forgotten. It is never stored, shown or logged."""

from __future__ import annotations

import re
from datetime import date

_FORM = re.compile(r"[GJL]\d{6}(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])\d{3}[\dX]")
_LOCAL_FORM = re.compile(r"[0-9A-Z]{8,24}")  # Beijing 16 digits, Shanghai 19-digit 副号, …: opaque
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def check_character(first17: str) -> str:
    """The 18th character of a citizen ID by GB 11643 (ISO 7064 MOD 11-2)."""
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True)) % 11]


def fault_of(number: str) -> str:
    """ "" when the number can stand, else one of: form, date, check.

    The check character binds G and J numbers only: the last four of an L number are random.
    """
    number = number.upper()
    match = _FORM.fullmatch(number)
    if match is None:
        return "" if number[:1] not in ("G", "J", "L") and _LOCAL_FORM.fullmatch(number) else "form"
    try:
        date(int(match["y"]), int(match["m"]), int(match["d"]))
    except ValueError:
        return "date"
    if number[0] in "GJ" and check_character(number[1:18]) != number[18]:
        return "check"
    return ""
