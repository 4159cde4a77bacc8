"""The bodies of the presses about sessions of the after-school service. Part of `kiosk.web.act_bodies`: types and bounds only."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from kiosk.core import commands_service as cs
from kiosk.web.act_bodies import BODIES, Body, Key, Marks, Number, Word, Words


class CheckIn(Body, frozen=True, kw_only=True):
    """staff: somebody else, named by a duty leader. reason: why one stands in (sick, leave, duty, training, other)."""

    makes = cs.CheckIn
    session: Key
    staff: Number | None = None
    standing_in_for: Number = 0
    reason: Annotated[str, Meta(max_length=32)] = ""
    note: Words = ""


class CheckOut(Body, frozen=True, kw_only=True):
    makes = cs.CheckOut
    session: Key
    staff: Number | None = None


class CloseSession(Body, frozen=True, kw_only=True):
    """states: of children of whom the records say nothing. why: for each who is absent_unexplained."""

    makes = cs.CloseSession
    session: Key
    states: Marks = msgspec.field(default_factory=dict)
    why: Marks = msgspec.field(default_factory=dict)
    note: Words = ""


class CloseRest(Body, frozen=True, kw_only=True):
    makes = cs.CloseRest
    note: Words


class LockMonth(Body, frozen=True, kw_only=True):
    makes = cs.LockMonth
    month: Annotated[str, Meta(max_length=7)]


class Patrol(Body, frozen=True, kw_only=True):
    makes = cs.Patrol
    session: Key
    counted: Annotated[int, Meta(ge=0, le=2000)]
    teacher_present: bool
    finding: Word
    note: Words = ""


class NoteGrowth(Body, frozen=True, kw_only=True):
    makes = cs.NoteGrowth
    child: Number
    text: Annotated[str, Meta(min_length=1, max_length=500)]
    session: Annotated[str, Meta(max_length=128)] = ""


SERVICE_BODIES: dict[str, type[Body]] = {
    "check_in": CheckIn,
    "check_out": CheckOut,
    "close_session": CloseSession,
    "close_rest": CloseRest,
    "lock_month": LockMonth,
    "patrol": Patrol,
    "note_growth": NoteGrowth,
}
ALL_BODIES: dict[str, type[Body]] = BODIES | SERVICE_BODIES
