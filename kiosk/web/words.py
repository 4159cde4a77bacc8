"""Every word that a page shows, Chinese and English side by side: the one dictionary.

Keys are dotted: the page first, then what it is. The words themselves are in the files `words_*`. Nothing here decides anything.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from kiosk.web.faces_format import Lang
from kiosk.web.words_calendar import CALENDAR
from kiosk.web.words_cards import CARDS
from kiosk.web.words_common import COMMON
from kiosk.web.words_custody import CUSTODY
from kiosk.web.words_delegates import DELEGATES
from kiosk.web.words_devices import DEVICES
from kiosk.web.words_duty import DUTY
from kiosk.web.words_enrolment import ENROLMENT
from kiosk.web.words_face import FACES
from kiosk.web.words_guard import GUARD
from kiosk.web.words_policies import POLICIES
from kiosk.web.words_privacy import PRIVACY
from kiosk.web.words_public import PUBLIC
from kiosk.web.words_records import RECORDS
from kiosk.web.words_reports import REPORTS
from kiosk.web.words_roster import ROSTER
from kiosk.web.words_safety import SAFETY
from kiosk.web.words_service import SERVICE
from kiosk.web.words_staff import STAFF

WORDS: Final = MappingProxyType(
    PUBLIC | COMMON | STAFF | CUSTODY | DELEGATES | DEVICES | GUARD | ROSTER | DUTY | RECORDS | REPORTS | SAFETY | CARDS | FACES
    | PRIVACY | SERVICE | ENROLMENT | POLICIES | CALENDAR
)


class UnknownWord(KeyError):
    """A page asked for a key that the dictionary does not have."""


def say(key: str, lang: Lang = "zh", **values: object) -> str:
    """The words for `key` in `lang`, with {placeholders} filled in. Raises UnknownWord."""
    try:
        pair = WORDS[key]
    except KeyError:
        raise UnknownWord(f"kiosk/web/words.py has no entry {key!r}: add it in Chinese and English") from None
    text = pair[1] if lang == "en" else pair[0]
    return text.format(**values) if values else text


def known(key: str) -> bool:
    return key in WORDS
