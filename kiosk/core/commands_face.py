"""Commands about faces and the consent to them: what a comparison found, what a family said, what was erased."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceCompared:
    """A picture was compared after its tap or claim had been answered. Scores are thousandths, on the engine's own scale."""

    of: str  # the entry of that tap or claim
    access_point: str
    person: int  # who was named by card or seat; 0: nobody, then there are only candidates
    engine: str
    score: int = 0
    refusal: str = ""  # why nothing was compared: no_face, blurred, ...
    candidates: tuple[tuple[int, int], ...] = ()  # child, score
    snapshot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordConsent:
    """A family withdrew a consent at the office, or gave back one that was withdrawn. purpose: face_match, snapshot."""

    child: int
    purpose: str
    given: bool
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceErased:
    """What this computer erased of a child. why: withdrawn, no_consent (any more, by the list), switched_off."""

    child: int
    templates: int
    pictures: int
    why: str
