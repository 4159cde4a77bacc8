"""What the controller answers: an outcome with a reason, never a bare yes or no.

Words for people are made from these in `kiosk.web`; nothing here is shown as it is.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from kiosk.core.entries import EntryId, Fact


class Outcome(StrEnum):
    GRANTED = "granted"
    REFUSED = "refused"
    ASK_GUARD = "ask_guard"


class Reason(StrEnum):
    # granted
    ON_TIME = "on_time"
    LATE = "late"
    EARLY_ARRIVAL = "early_arrival"
    RECORDED = "recorded"  # arrival or entry whose lateness cannot be judged
    REPEAT = "repeat"
    ALREADY_IN = "already_in"
    GUEST = "guest"
    NON_SERVICE_DAY = "non_service_day"
    LEAVES_ALONE = "leaves_alone"
    COLLECTED = "collected"
    LEAVE_SLIP = "leave_slip"
    EMERGENCY = "emergency"
    SESSION_LEFT = "session_left"
    STAFF = "staff"  # a member of staff tapped
    DONE = "done"  # a staff command was carried out
    # refused, or left to a person
    IN_SESSION = "in_session"
    WRONG_ROOM = "wrong_room"
    UNKNOWN_CREDENTIAL = "unknown_credential"
    AMBIGUOUS_CREDENTIAL = "ambiguous_credential"
    RANDOM_UID = "random_uid"
    CARD_LOST = "card_lost"
    CARD_FORGED = "card_forged"  # says it is one of the school's signing cards, and is not
    CARD_REPLAYED = "card_replayed"  # what a signing card said once, said again
    CARD_UNPROVEN = "card_unproven"  # a signing card of which only the number was read
    CARD_CLONED = "card_cloned"  # the same card at two gates within an impossible time
    OUTSIDE_WINDOW = "outside_window"
    NOT_YET_DISMISSED = "not_yet_dismissed"
    NEEDS_ADULT = "needs_adult"
    NO_CONSENT = "no_consent"  # may not leave alone
    COLLECTOR_PRESENT = "collector_present"  # a listed adult: the guard confirms
    COLLECTOR_UNKNOWN = "collector_unknown"
    COLLECTOR_EXPIRED = "collector_expired"
    COLLECTOR_RESTRICTED = "collector_restricted"
    COLLECTOR_MINOR = "collector_minor"
    COLLECTOR_LIMIT = "collector_limit"
    LIST_AMBER = "list_amber"
    LIST_STALE = "list_stale"
    CLOCK_UNTRUSTED = "clock_untrusted"
    LEAVE_SLIP_DIFFERS = "leave_slip_differs"
    NOT_ON_CAMPUS = "not_on_campus"
    ELSEWHERE_GATE = "elsewhere_gate"  # the right to release this child is at another gate, or on the way
    RIGHT_UNPROVEN = "right_unproven"  # this computer was started again and cannot know yet whether it still has the right
    IDENTITY_UNCONFIRMED = "identity_unconfirmed"
    FACE_NOT_AGREED = "face_not_agreed"  # recognised by face without the family's consent: not used
    STORED = "stored"  # delivered later by a terminal that was cut off, and no longer true: it moves nothing
    FACE_DIFFERS = "face_differs"  # the camera saw somebody who does not look like the photo: somebody looks
    PASSAGE_UNUSED = "passage_unused"  # granted, and nobody went through
    GATE_HOLD = "gate_hold"  # a child is lost: everybody is verified
    PASS_PRESENT = "pass_present"  # a delegate with a valid pass: the guard confirms
    PASS_FORGED = "pass_forged"
    PASS_USED = "pass_used"
    PASS_REVOKED = "pass_revoked"
    PASS_OTHER_GATE = "pass_other_gate"
    PASS_OTHER_DATE = "pass_other_date"
    PASS_OTHER_CHILD = "pass_other_child"
    # staff commands
    NOT_PERMITTED = "not_permitted"
    STEP_REFUSED = "step_refused"  # the custody table has no such step now
    COUNT_DIFFERS = "count_differs"
    NOT_CLEAR = "not_clear"  # campus cannot be cleared
    TOO_LATE = "too_late"  # the moment for undoing has passed: a correction is needed
    LEADER_NEEDED = "leader_needed"  # one of the two must be a duty leader
    SECOND_PERSON_NEEDED = "second_person_needed"
    REASON_NEEDED = "reason_needed"
    NO_SUCH_CASE = "no_such_case"
    NO_SUCH_PERSON = "no_such_person"
    NO_SUCH_ACCESS_POINT = "no_such_access_point"
    ON_HOLD = "on_hold"  # a hold stands: nothing of this person is erased
    STILL_HERE = "still_here"  # on campus now: nothing of a child in custody is erased
    WINDOW_CLOSED = "window_closed"
    NO_SUCH_SESSION = "no_such_session"
    SESSION_CLOSED = "session_closed"  # archived: only a correction changes it
    NOT_CHECKED_IN = "not_checked_in"  # whoever closes a session was checked in to it
    UNRESOLVED = "unresolved"  # an enrolled child is in no state yet
    STAFF_NOT_VETTED = "staff_not_vetted"  # from outside, and something that is asked of such staff is missing
    MONTH_LOCKED = "month_locked"  # only the office and duty leaders correct a month that has been reported
    DEVICE_DOWN = "device_down"  # it cannot be tried: it does not work
    CANNOT_SAVE = "cannot_save"  # paper register


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Total: every input gets one. `facts` are recorded before anybody is told.

    child/person: who the answer is about, for the screens. room: where to go instead.
    open_door: whether the access point's relay is pulsed. alarm: silent, to the duty leader.
    adult: somebody with a delegate's pass was read, who has no number; bystanders see what every adult sees.
    topics: which live pages look different now.
    """

    outcome: Outcome
    reason: Reason
    facts: tuple[Fact, ...] = ()
    access_point: str = ""
    child: int | None = None
    person: int | None = None
    room: str = ""
    open_door: bool = False
    alarm: bool = False
    adult: bool = False
    detail: dict[str, Any] = {}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A decision after it became durable: what the asker is told."""

    decision: Decision
    entry: EntryId | None = None
    at_ms: int = 0
