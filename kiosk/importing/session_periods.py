"""Several rows of one session, each for its own days: a session that changes inside a term keeps its past.

Joins the rows of a list that have one 课程编号, and refuses those that speak of the same day.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from kiosk.core.enrolment import Period, overlap
from kiosk.importing.given import Given
from kiosk.importing.problems import Place, Words
from kiosk.importing.rows import Kind, SessionRow


def take_session(row: SessionRow, place: Place, given: Given) -> None:
    """Takes a row of the list; a further one of the same session has days of its own, and the same kind and slot."""
    known = given.rows[Kind.SESSIONS].get(row.id)
    if known is None or row in known.periods or not any(_dated(one) for one in (row, *known.periods)):
        given.add(Kind.SESSIONS, row, place)
        return
    same = next((one for one in known.periods if overlap(_period(one), _period(row))), None)
    if same is not None:
        given.report.problem(
            place,
            Words(
                f"课程“{row.id}”的有效期与另一行（{_span(same)}）重叠。",
                f"The rows of {row.id} speak of the same days; the other one is {_span(same)}.",
            ),
            Words("请改有效期起、有效期止，使前后相接、互不重叠。", "Let one end before the other begins."),
        )
    elif (row.kind, row.slot) != (known.kind, known.slot):
        given.report.problem(
            place,
            Words(f"课程“{row.id}”各行的类型、时段不一致。", f"The rows of {row.id} differ in kind or slot."),
            Words("换了类型或时段的是另一门课程，请用新的课程编号。", "It is another session then: give it another 课程编号."),
        )
    else:
        first, *later = sorted((*(replace(one, later=()) for one in known.periods), row), key=first_day)
        given.rows[Kind.SESSIONS][row.id] = replace(first, later=tuple(later))


def first_day(row: SessionRow) -> date:
    return row.valid_from or date.min


def _dated(row: SessionRow) -> bool:
    return row.valid_from is not None or row.valid_to is not None


def _period(row: SessionRow) -> Period:
    return Period(row.valid_from, row.valid_to)


def _span(row: SessionRow) -> str:
    return f"{row.valid_from or '…'} – {row.valid_to or '…'}"
