"""The consent ledger of one child, purpose by purpose: what stands, since when, by whose signature, on which ground.

A row that the office recorded outranks the flags of the list; a withdrawal after it outranks the row. Attendance by card needs no
consent: it stands on the school's statutory duty, with notice.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.core.consent import PURPOSES
from kiosk.core.people import Pupil
from kiosk.core.privacy import LEDGER_PURPOSES
from kiosk.core.world import World
from kiosk.web.faces_privacy import ConsentLine

STATUTORY = "attendance_card"


def consent_lines(world: World, child: int, words: Callable[[str], str]) -> tuple[ConsentLine, ...]:
    pupil = world.directory.pupils.get(child)
    return tuple(_line(world, pupil, purpose, words) for purpose in LEDGER_PURPOSES) if pupil else ()


def listed(pupil: Pupil, purpose: str) -> bool:
    """Whether the list of people says so."""
    if purpose == "leaves_alone":
        return pupil.leaves_alone
    if purpose == "extended_care":
        return pupil.extended_care
    return purpose in pupil.consents


def _active(world: World, pupil: Pupil, purpose: str) -> bool:
    if purpose in PURPOSES:
        return world.consented(pupil.number, purpose)  # what faces and pictures themselves ask
    row = world.campus.privacy.rows.get((pupil.number, purpose))
    return row.covers(world.day) if row is not None else listed(pupil, purpose)


def _line(world: World, pupil: Pupil, purpose: str, words: Callable[[str], str]) -> ConsentLine:
    campus, child = world.campus, pupil.number
    row, said = campus.privacy.rows.get((child, purpose)), campus.consents.get((child, purpose))
    withdrawn = campus.withdrawn(child, purpose)
    active = _active(world, pupil, purpose)
    if row is None and purpose == STATUTORY:
        return ConsentLine(purpose=purpose, state="statutory", basis="statutory_duty")
    state = "withdrawn" if withdrawn else "active" if active else "expired" if row is not None else "none"
    basis = row.basis if row else "consent" if listed(pupil, purpose) else ""
    line = ConsentLine(
        purpose=purpose, state=state, source="row" if row else "list" if listed(pupil, purpose) else "",
        withdrawn_ms=said[0][0] if withdrawn and said else 0, basis=basis,
        may_withdraw=purpose in PURPOSES and active, may_renew=purpose in PURPOSES and withdrawn,
    )  # fmt: skip
    if row is None:
        return line
    guardian = world.directory.name_of(row.guardian) if row.guardian else ""
    return ConsentLine(
        purpose=purpose, state=state, source="row", guardian=guardian, how=row.how, paper=words(row.paper) if row.paper else "",
        text_version=row.text_version, basis=row.basis, valid_from=row.valid_from, valid_to=row.valid_to, at_ms=row.at_ms,
        withdrawn_ms=line.withdrawn_ms, may_withdraw=line.may_withdraw, may_renew=line.may_renew,
    )  # fmt: skip
