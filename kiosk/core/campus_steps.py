"""What a fact does to the campus as a whole: queues, offers, alarms, escorts, shifts. One function a kind, one table.

Each must give the same state for every order in which the facts arrive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kiosk.core.campus_parts import (
    Alarm,
    Answered,
    Cleared,
    Escort,
    FaceWord,
    GroupOut,
    OpenOffer,
    OpenShift,
    Request,
    Returned,
    Shift,
)
from kiosk.core.entries import Entry, Kind
from kiosk.core.privacy_book import PrivacyBook
from kiosk.core.safety_steps import SAFETY_STEPS
from kiosk.core.service_book import SERVICE_STEPS

if TYPE_CHECKING:
    from kiosk.core.campus import Campus


def _offer_opened(campus: Campus, entry: Entry) -> None:
    body, key = entry.body, str(entry.id)
    campus.offers[key] = OpenOffer(
        key, body["reason"], body["giver"], body["taker"], body["place"], tuple(body["children"]), entry.at_ms,
        body.get("until_ms", 0),
    )  # fmt: skip


def _request_opened(campus: Campus, entry: Entry) -> None:
    body = entry.body
    if not body.get("queue"):
        return
    key = str(entry.id)
    if key in campus.closed_requests:
        return
    campus.requests[key] = Request(
        key, body["queue"], entry.at_ms, body["access_point"], body.get("person", 0) or body.get("child", 0),
        tuple(body.get("candidates", ())), body["outcome"], body["reason"], body.get("snapshot", ""), body["day"],
        body.get("pass_id", ""), body.get("relation", ""), body.get("id_last4", ""), body.get("assurance", ""),
    )  # fmt: skip


def _face_compared(campus: Campus, entry: Entry) -> None:
    _request_opened(campus, entry)
    body = entry.body
    found = tuple((child, score) for child, score in body.get("found", ()))
    now = (entry.order, FaceWord(entry.at_ms, body["person"], body["verdict"], found))
    for key in (body["of"], str(entry.id)):
        campus.faces[key] = max(now, campus.faces.get(key, now))


def _consent_said(campus: Campus, entry: Entry) -> None:
    """The last word about one purpose of one child, whatever the order in which the words arrive."""
    key, now = (entry.body["child"], entry.body["purpose"]), (entry.order, entry.kind == Kind.CONSENT_RENEWED)
    campus.consents[key] = max(now, campus.consents.get(key, now))


def _request_closed(campus: Campus, entry: Entry) -> None:
    for key in entry.body.get("requests", ()):
        campus.closed_requests[key] = entry.at_ms
        campus.requests.pop(key, None)


def _pickup_asked(campus: Campus, entry: Entry) -> None:
    _request_opened(campus, entry)
    if entry.body.get("pass_id"):
        campus.passes.show(entry)


def _released(campus: Campus, entry: Entry) -> None:
    _request_closed(campus, entry)
    body = entry.body
    if body.get("pass_id"):
        campus.passes.use(entry)
    if body.get("collector"):
        campus.collected.setdefault(body["collector"], {})[str(entry.id)] = (body["day"], body["child"])


def _token_asked(campus: Campus, entry: Entry) -> None:
    campus.tokens.ask(entry)


def _token_given(campus: Campus, entry: Entry) -> None:
    campus.tokens.give(entry)


def _token_taken(campus: Campus, entry: Entry) -> None:
    campus.tokens.take(entry)


def _opened(campus: Campus, entry: Entry) -> None:
    campus.tokens.begin(entry)


def _compared(campus: Campus, entry: Entry) -> None:
    campus.tokens.compare(entry)


def _release_undone(campus: Campus, entry: Entry) -> None:
    if entry.body.get("release"):
        campus.passes.undo(entry)


def _delegate_registered(campus: Campus, entry: Entry) -> None:
    campus.passes.register(entry)


def _delegate_revoked(campus: Campus, entry: Entry) -> None:
    campus.passes.revoke(entry)


def read_answered(campus: Campus, entry: Entry) -> None:
    body = entry.body
    outcome, reason = body.get("outcome", "granted"), body.get("reason", "")
    by_pass = body.get("queue") == "pass"
    said = Answered(entry.order, entry.at_ms, outcome, reason, body.get("child", 0), body.get("person", 0), by_pass)
    key = (body.get("access_point", ""), body["nonce"])
    campus.answered[key] = min(said, campus.answered.get(key, said))


def alarm_raised(campus: Campus, entry: Entry) -> None:
    """Where several gates tell of one thing, `alarm_of` is its name: one case, and the first that told of it counts."""
    body = entry.body
    case = f"alarm:{body.get('alarm_of') or entry.id}"
    person = body.get("person") or body.get("collector") or body.get("staff") or body.get("child") or 0
    children = tuple(body.get("candidates") or body.get("children") or ([body["child"]] if body.get("child") else ()))
    place = body.get("access_point") or body.get("where", "")
    alarm = Alarm(case, body["alarm"], entry.at_ms, entry.tick, person, children, place)
    campus.alarms[case] = min(alarm, campus.alarms.get(case, alarm), key=lambda one: (one.tick, one))


def _case_closed(campus: Campus, entry: Entry) -> None:
    before = campus.closed_cases.get(entry.body["case"])
    campus.closed_cases[entry.body["case"]] = entry.at_ms if before is None else min(before, entry.at_ms)


def _server_went_back(campus: Campus, entry: Entry) -> None:
    campus.server_backs.add(entry.body["noticed"])


def _record_forked(campus: Campus, entry: Entry) -> None:
    campus.forks.add(entry.body["stream"])


def _gate_shut_out(campus: Campus, entry: Entry) -> None:
    campus.shut_outs.add(entry.body["noticed"])


def _card_lost(campus: Campus, entry: Entry) -> None:
    campus.lost_cards.add(entry.body["card"])


def _counters_kept(campus: Campus, entry: Entry) -> None:
    campus.cards.keep(entry)


def _went_back(campus: Campus, entry: Entry) -> None:
    body = entry.body
    how = "lapsed" if entry.kind == Kind.HANDOVER_LAPSED else body.get("reason", "declined")
    one = Returned(entry.at_ms, body["handover"], how, body.get("by", 0), tuple(body["children"]))
    campus.returned[str(entry.id)] = one


def _escort_departed(campus: Campus, entry: Entry) -> None:
    body, key = entry.body, str(entry.id)
    campus.departures[key] = Escort(key, body["by"], body["gate"], tuple(body["children"]), entry.at_ms)


def _escort_arrived(campus: Campus, entry: Entry) -> None:
    left = tuple((child, why) for child, why in entry.body.get("exceptions", ()))
    ended = (entry.at_ms, left)
    campus.escort_ends[entry.body["escort"]] = min(ended, campus.escort_ends.get(entry.body["escort"], ended))


def _group_out(campus: Campus, entry: Entry) -> None:
    body, key = entry.body, str(entry.id)
    campus.groups_out[key] = GroupOut(key, body["by"], body["venue"], tuple(body["children"]), entry.at_ms)


def _group_back(campus: Campus, entry: Entry) -> None:
    _ended(campus.group_ends, entry.body["group"], entry.at_ms)


def _shift_offered(campus: Campus, entry: Entry) -> None:
    body, key = entry.body, str(entry.id)
    campus.shift_offers[key] = OpenShift(
        key, body["gate"], body["giver"], body["taker"], entry.at_ms, body["on_site"], body["open_cases"],
        body["visitors"], body.get("handover", ""),
    )  # fmt: skip


def _shift_accepted(campus: Campus, entry: Entry) -> None:
    body = entry.body
    if body["shift"]:  # "" begins the first watch of the day
        _ended(campus.shift_ends, body["shift"], entry.at_ms)
    now = (entry.order, Shift(body["gate"], body["taker"], entry.at_ms))
    campus.shifts[body["gate"]] = max(now, campus.shifts.get(body["gate"], now))


def _shift_ended(campus: Campus, entry: Entry) -> None:
    _ended(campus.shift_ends, entry.body["shift"], entry.at_ms)


def _incident(campus: Campus, entry: Entry) -> None:
    case, at_ms = entry.body["case"], entry.at_ms
    before = campus.incidents.get(case)
    campus.incidents[case] = (entry.body["child"], at_ms if before is None else min(before[1], at_ms))


def _incident_over(campus: Campus, entry: Entry) -> None:
    _ended(campus.incident_ends, entry.body["case"], entry.at_ms)


def _ended(ends: dict[str, int], key: str, at_ms: int) -> None:
    ends[key] = min(at_ms, ends.get(key, at_ms))


def _campus_cleared(campus: Campus, entry: Entry) -> None:
    if campus.last_cleared is None or campus.last_cleared[0] < entry.order:
        campus.last_cleared = (entry.order, Cleared(entry.at_ms, entry.body["day"], entry.body["by"]))


def _privacy(change: Callable[[PrivacyBook, Entry], None] | None = None) -> Callable[[Campus, Entry], None]:
    """What a fact of the privacy side changes, if anything; each has its place in the log."""

    def fold(campus: Campus, entry: Entry) -> None:
        if change is not None:
            change(campus.privacy, entry)
        campus.privacy.keep(entry)

    return fold


_PRIVACY_STEPS: dict[str, Callable[[Campus, Entry], None]] = {
    Kind.PERSON_ERASED: _privacy(PrivacyBook.erase),
    Kind.HOLD_SET: _privacy(PrivacyBook.hold),
    Kind.HOLD_LIFTED: _privacy(PrivacyBook.hold),
    Kind.CORRECTION_ASKED: _privacy(PrivacyBook.ask),
    Kind.CORRECTION_DECIDED: _privacy(PrivacyBook.decide),
    Kind.CONSENT_RECORDED: _privacy(PrivacyBook.consent),
    Kind.ERASURE_DONE: _privacy(),
    Kind.ERASED_BY_RETENTION: _privacy(),
    Kind.PICTURES_ERASED: _privacy(),
    Kind.CHILD_EXPORTED: _privacy(),
    Kind.NOTICE_ISSUED: _privacy(),
    Kind.PRIVACY_INCIDENT: _privacy(),
}
# The receipts too stand for ever: the deletion log is made from them.
PRIVACY_KINDS = frozenset(
    {
        Kind.PERSON_ERASED, Kind.HOLD_SET, Kind.HOLD_LIFTED, Kind.CORRECTION_ASKED, Kind.CORRECTION_DECIDED,
        Kind.CONSENT_RECORDED, Kind.ERASURE_DONE, Kind.ERASED_BY_RETENTION, Kind.CHILD_EXPORTED, Kind.NOTICE_ISSUED,
        Kind.PRIVACY_INCIDENT, Kind.PICTURES_ERASED,
    }
)  # fmt: skip

CAMPUS_STEPS: dict[str, Callable[[Campus, Entry], None]] = {
    Kind.SERVER_WENT_BACK: _server_went_back,
    Kind.RECORD_FORKED: _record_forked,
    Kind.GATE_SHUT_OUT: _gate_shut_out,
    Kind.HANDOVER_OFFERED: _offer_opened,
    Kind.PICKUP_REQUESTED: _pickup_asked,
    Kind.READ_REFUSED: _request_opened,
    Kind.IDENTITY_CLAIMED: _request_opened,
    Kind.PASSAGE_UNUSED: _request_opened,
    Kind.IDENTITY_DECLINED: _request_closed,
    Kind.LEFT_QUEUE: _request_closed,
    Kind.PICKUP_REFUSED: _request_closed,
    Kind.FACE_COMPARED: _face_compared,
    Kind.CONSENT_WITHDRAWN: _consent_said,
    Kind.CONSENT_RENEWED: _consent_said,
    Kind.ARRIVED: _request_closed,
    Kind.SESSION_ENTERED: _request_closed,
    Kind.SEEN: _request_closed,
    Kind.RELEASED: _released,
    Kind.RELEASE_UNDONE: _release_undone,
    Kind.CORRECTION: _release_undone,
    Kind.RELEASE_TOKEN_ASKED: _token_asked,
    Kind.RELEASE_TOKEN_GIVEN: _token_given,
    Kind.RELEASE_TOKEN_TAKEN: _token_taken,
    Kind.INCARNATION_OPENED: _opened,
    Kind.RECORDS_COMPARED: _compared,
    Kind.DELEGATE_REGISTERED: _delegate_registered,
    Kind.DELEGATE_REVOKED: _delegate_revoked,
    Kind.CASE_CLOSED: _case_closed,
    Kind.HANDOVER_LAPSED: _went_back,
    Kind.HANDOVER_DECLINED: _went_back,
    Kind.ESCORT_DEPARTED: _escort_departed,
    Kind.ESCORT_ARRIVED: _escort_arrived,
    Kind.GROUP_OUT: _group_out,
    Kind.GROUP_BACK: _group_back,
    Kind.SHIFT_OFFERED: _shift_offered,
    Kind.SHIFT_ACCEPTED: _shift_accepted,
    Kind.SHIFT_ENDED: _shift_ended,
    Kind.INCIDENT_DECLARED: _incident,
    Kind.INCIDENT_ENDED: _incident_over,
    Kind.CARD_LOST: _card_lost,
    Kind.CARD_COUNTERS: _counters_kept,
    Kind.CAMPUS_CLEARED: _campus_cleared,
    **_PRIVACY_STEPS,
    **SAFETY_STEPS,
    **SERVICE_STEPS,
}
