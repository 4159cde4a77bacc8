"""What the public screen says about a decision: colour, icon, word and tone as one state.

Bystanders read it. Names are masked, an adult is never told why a pickup is refused, and a restricted person sees
exactly what every adult sees whom the guard still has to check. No adult's card or pass makes a sound, so silence tells nothing.
"""

from __future__ import annotations

from typing import Any, Final

from kiosk.core.decisions import Decision, Reason
from kiosk.core.masking import mask_class, mask_name
from kiosk.core.people import Directory
from kiosk.core.rules import AccessKind, AccessPoint
from kiosk.core.signals import heard, is_adult, shown
from kiosk.web.faces_format import clock
from kiosk.web.words import say

HOLD_MS: Final = {"granted": 1_200, "recorded": 1_200, "look": 4_000, "refused": 4_000}
TONE: Final = {"granted": "rise", "recorded": "tick", "look": "level", "refused": "fall"}

# What a child may be told. Everything else says 请到门卫室.
_PUBLIC_WORD: Final = {
    Reason.REPEAT: "public.recorded",
    Reason.ALREADY_IN: "public.recorded",
    Reason.UNKNOWN_CREDENTIAL: "public.unknown_credential",
    Reason.NOT_YET_DISMISSED: "public.not_yet_dismissed",
    Reason.OUTSIDE_WINDOW: "public.gatehouse",
    Reason.NEEDS_ADULT: "public.needs_adult",
    Reason.NO_CONSENT: "public.needs_adult",
    Reason.IN_SESSION: "public.in_session",
    Reason.WRONG_ROOM: "public.wrong_room",
    Reason.ELSEWHERE_GATE: "public.elsewhere",
    Reason.IDENTITY_UNCONFIRMED: "public.no_card",
    Reason.CANNOT_SAVE: "public.paper",
}
_NOTE: Final = {
    Reason.LATE: "public.note_late",
    Reason.GUEST: "public.note_teacher",
    Reason.IN_SESSION: "public.note_gatehouse",
    Reason.ELSEWHERE_GATE: "public.note_elsewhere",
    Reason.NOT_YET_DISMISSED: "public.note_gatehouse",
}


def answer(decision: Decision, directory: Directory, now_ms: int, ap: AccessPoint) -> dict[str, Any]:
    """The display's payload: state, words in both languages, masked name, class, time, tone, hold_ms, at_ms.

    `at_ms` tells the screen that two deliveries of one answer are the same one.
    """
    state = shown(decision, directory).value
    word, note = _words(decision, directory, ap, state)
    guest = decision.detail if decision.reason is Reason.GUEST else {}
    places = {name: guest[name] for name in ("taken", "capacity") if name in guest}
    if places:
        note = "public.note_places"
    name, class_name = _who(decision, directory)
    room = decision.room
    return {
        "state": state,
        "word": say(word, "zh", room=room),
        "word_en": say(word, "en", room=room),
        "note": say(note, "zh", room=room, **places) if note else "",
        "note_en": say(note, "en", room=room, **places) if note else "",
        "name": name,
        "class": class_name,
        "time": clock(now_ms),
        "tone": TONE[sound] if (sound := heard(decision, directory)) else "",
        "hold_ms": HOLD_MS[state],
        "at_ms": now_ms,
        "access_point": ap.id,
    }


def _words(decision: Decision, directory: Directory, ap: AccessPoint, state: str) -> tuple[str, str]:
    if state == "granted":
        note = _NOTE.get(decision.reason, "")
        if decision.reason is Reason.EARLY_ARRIVAL and decision.room:
            note = "public.note_room"
        return "public.granted", note
    if state == "look" and (is_adult(decision, directory) or ap.kind is AccessKind.DESK):
        return "public.look", "public.note_guard"
    if decision.reason is Reason.WRONG_ROOM and not decision.room:
        return "public.gatehouse", ""
    word = _PUBLIC_WORD.get(decision.reason, "public.gatehouse")
    return word, _NOTE.get(decision.reason, "")


def _who(decision: Decision, directory: Directory) -> tuple[str, str]:
    """Masked name and class. Two equal masks in one class are told apart by the seat."""
    pupil = directory.pupils.get(decision.child) if decision.child is not None else None
    if pupil is not None and not is_adult(decision, directory):
        home = directory.classes.get(pupil.class_id)
        mask = _masks.of(directory, pupil.class_id).get(pupil.number)
        return mask or mask_name(pupil.name), home.name if home else ""
    if decision.person is not None:
        return mask_name(directory.name_of(decision.person)), ""
    return "", ""


class _Masks:
    """Each class's masked names, made once for the directory in force and not once for every tap of a child."""

    def __init__(self) -> None:
        self._of: tuple[Directory, dict[str, dict[int, str]]] | None = None

    def of(self, directory: Directory, class_id: str) -> dict[int, str]:
        known = self._of
        if known is None or known[0] is not directory:
            known = self._of = (directory, {})
        masks = known[1].get(class_id)
        if masks is None:
            numbers = directory.pupils_of_class.get(class_id, ())
            mates = [mate for number in numbers if (mate := directory.pupils.get(number)) is not None]
            masks = known[1][class_id] = mask_class((mate.number, mate.seat, mate.name) for mate in mates)
        return masks


_masks = _Masks()
