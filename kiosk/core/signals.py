"""What a decision looks and sounds like at the gate, in one of four ways: for screens, lamps, beepers and loudspeakers.

One rule for all of them, because bystanders see and hear them together: a restricted person gets exactly what every adult
gets whom the guard still has to check. No adult's card or pass makes a sound, so silence tells nothing.
"""

from __future__ import annotations

from enum import StrEnum

from kiosk.core.decisions import Decision, Outcome, Reason
from kiosk.core.people import Directory


class Signal(StrEnum):
    GRANTED = "granted"
    RECORDED = "recorded"  # already; nothing new
    LOOK = "look"  # somebody has to look: please wait, please see the gatehouse
    REFUSED = "refused"


def shown(decision: Decision, directory: Directory) -> Signal:
    """For the eyes."""
    if decision.reason in (Reason.REPEAT, Reason.ALREADY_IN):
        return Signal.RECORDED
    if decision.outcome is Outcome.GRANTED:
        return Signal.GRANTED
    if decision.outcome is Outcome.ASK_GUARD or is_adult(decision, directory):
        return Signal.LOOK
    return Signal.REFUSED


def heard(decision: Decision, directory: Directory) -> Signal | None:
    """For the ears; None is silence."""
    signal = shown(decision, directory)
    return None if is_adult(decision, directory) and signal is not Signal.GRANTED else signal


def is_adult(decision: Decision, directory: Directory) -> bool:
    """A collector, or a delegate with a pass, whose pickup is not simply granted: to bystanders they are all the same."""
    return decision.adult or (decision.person is not None and decision.person in directory.collectors)
