"""What pages and threads ask about faces and consent, and what they are told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateLine:
    child: int
    name: str
    class_name: str
    has_photo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceLine:
    """A word for the guard beside two photos. verdict: clear_match, unclear, mismatch, candidates, or a refusal's name."""

    verdict: str
    candidates: tuple[CandidateLine, ...] = ()


@dataclass(frozen=True, slots=True)
class FaceExpectedQuery:
    """Who is expected at this access point about now and may be compared."""

    access_point: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceExpectedView:
    children: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ConsentQuery:
    """Who agrees to what at this moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView:
    """`pupils` are all; `withdrawn` are (child, purpose) that the office recorded and has not taken back."""

    face_on: bool
    pupils: frozenset[int]
    face: frozenset[int]
    snapshot: frozenset[int]
    withdrawn: frozenset[tuple[int, str]]
