"""Whatever reaches the inbox, in whatever order: no decision fails, the state stays the fold, the journal stays whole.

Commands are drawn from their own fields: children who exist and who do not, staff in every role, rosters, handovers and cases
of this very run and of no run, words from the vocabularies and others. Nothing filters out nonsense.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.core import commands as c
from kiosk.core import roster as r
from kiosk.core.campus import Campus
from kiosk.core.decisions import Answer
from kiosk.journal import verify
from tests.support.journals import since_cleared
from tests.support.people import COLLECTORS, PUPILS, STAFF, uid_of
from tests.support.school import School

PEOPLE = [p.number for p in (*PUPILS, *STAFF, *COLLECTORS)]
NUMBERS = st.one_of(st.sampled_from(PEOPLE), st.sampled_from([p.number for p in PUPILS]), st.sampled_from([0, -1, 999, 2**53]))
CHILDREN = st.one_of(st.sampled_from([p.number for p in PUPILS]), NUMBERS)
BY = st.one_of(st.sampled_from([s.number for s in STAFF]), NUMBERS)
POINTS = st.sampled_from(
    ["east-in", "east-in-2", "east-out", "south-in", "south-out", "east-desk", "room-201", "room-art", "room-201-exit", "", "x"]
)
ROSTERS = st.sampled_from(
    [
        "session:S1",
        "session:S2",
        "session:E1",
        "class:primary-2026-1",
        "class:primary-2022-1",
        "session:",
        "class:x",
        "",
        ":",
        "x",
    ]
)
WORDS = st.sampled_from(
    [
        "present",
        "late",
        "left_early",
        "absent_unexplained",
        "moved",
        "leave_sick",
        "to_session",
        "to_extended_care",
        "to_gatehouse",
        "answered",
        "on_the_way",
        "photo",
        "call_back",
        "id_seen",
        "child_recognises",
        "second_person",
        "granted",
        "",
        "\x00",
        "无",
    ]
)
TEXTS = st.one_of(st.sampled_from(["", " ", "家长电话说路上堵车"]), st.text(max_size=20))
CARDS = st.one_of(
    st.text(max_size=40).map("KP1.".__add__),
    st.sampled_from([uid_of(n) for n in PEOPLE] + ["0BADCA4D", "08ABCDEF", ""]),
    st.text(max_size=40),
)
PASS_IDS = st.sampled_from(["0123456789abcdef", "fedcba9876543210", "x", "", "\x00"])
OWN_NUMBERS = st.sampled_from([f"2026{n:04d}" for n in range(1, 11)] + ["T1", "0"])
SCHEMES = st.sampled_from(["uid", "em4100", "number", "qr", "seat", "person", ""])
ASSURANCES = st.sampled_from(["uid", "face", "body", "pin", ""])
NONCES = st.sampled_from(["", "a", "b", "c"])
MOMENTS = st.sampled_from([0, 1_795_392_000_000, 1_795_420_000_000, 2**53])
READ_AT = st.none() | MOMENTS | st.integers(1_795_390_000_000, 1_795_440_000_000) | st.just(-(2**53))
MANY = st.lists(CHILDREN, max_size=4).map(tuple)
MARKS = st.dictionaries(CHILDREN, WORDS, max_size=4)
REF = st.integers(-3, 12)  # which entry, case or request of this run is meant; below 0: none

MAKERS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "Read": st.fixed_dictionaries(
        {"access_point": POINTS, "scheme": SCHEMES, "value": CARDS | OWN_NUMBERS, "random_uid": st.booleans()},
        optional={"stored": st.booleans(), "read_at_ms": READ_AT, "nonce": NONCES, "assurance": ASSURANCES},
    ),
    "ClaimSeat": st.fixed_dictionaries(
        {"access_point": POINTS, "class_id": st.sampled_from(["primary-2026-1", "x"]), "seat": st.integers(-1, 4)}
    ),
    "ConfirmIdentity": st.fixed_dictionaries({"claim": REF, "by": BY, "same_person": st.booleans()}),
    "Release": st.fixed_dictionaries(
        {
            "children": MANY,
            "collector": NUMBERS,
            "access_point": POINTS,
            "by": BY,
            "verified": st.lists(WORDS, max_size=4).map(tuple),
            "second": st.none() | BY,
            "reason": TEXTS,
            "pass_id": st.just("") | PASS_IDS,
            "duress": st.booleans(),
        }
    ),
    "RegisterDelegate": st.fixed_dictionaries(
        {
            "pass_id": PASS_IDS,
            "child": CHILDREN,
            "for_day": st.sampled_from(["2026-11-23", "2026-11-24", "2026-02-30", "x", ""]),
            "gate": st.sampled_from(["east", "south", "x", ""]),
            "guardian": NUMBERS,
            "relation": TEXTS,
            "name": TEXTS,
            "id_last4": st.sampled_from(["123X", "12", "１２３４", ""]),
            "by": BY,
            "phone": TEXTS,
            "features": TEXTS,
            "called_back": st.booleans(),
            "adult": st.booleans(),
        }
    ),
    "RevokeDelegate": st.fixed_dictionaries({"pass_id": PASS_IDS, "by": BY}),
    "CallForHelp": st.fixed_dictionaries({"staff": BY, "where": TEXTS, "access_point": POINTS}),
    "RefusePickup": st.fixed_dictionaries(
        {
            "children": MANY,
            "collector": st.none() | NUMBERS,
            "access_point": POINTS,
            "by": BY,
            "reason": WORDS,
            "description": TEXTS,
        }
    ),
    "FaceCompared": st.fixed_dictionaries(
        {
            "of": REF,
            "access_point": POINTS,
            "person": NUMBERS,
            "engine": st.sampled_from(["dlib", "sface", ""]),
            "score": st.integers(-2000, 2000),
            "refusal": WORDS | st.sampled_from(["blurred", "no_face"]),
            "candidates": st.lists(st.tuples(NUMBERS, st.integers(-1000, 1000)), max_size=4).map(tuple),
        }
    ),
    "RecordConsent": st.fixed_dictionaries(
        {"child": CHILDREN, "purpose": st.sampled_from(["face_match", "snapshot", ""]), "given": st.booleans(), "by": BY}
    ),
    "FaceErased": st.fixed_dictionaries(
        {"child": CHILDREN, "templates": st.integers(0, 1), "pictures": st.integers(0, 9), "why": WORDS}
    ),
    "DismissFromQueue": st.fixed_dictionaries({"queue_id": REF, "by": BY}),
    "CallRoll": st.fixed_dictionaries({"roster": ROSTERS, "marks": MARKS, "by": BY}),
    "Offer": st.fixed_dictionaries(
        {"kind": WORDS, "children": MANY, "taker": BY, "place": TEXTS, "by": BY, "giver": st.none() | BY}
    ),
    "Accept": st.fixed_dictionaries({"handover": REF, "counted": st.integers(-1, 4), "by": BY, "exceptions": MARKS}),
    "Decline": st.fixed_dictionaries({"handover": REF, "by": BY, "reason": TEXTS}),
    "TakeGroup": st.fixed_dictionaries({"roster": ROSTERS, "counted": st.integers(0, 4), "by": BY, "exceptions": MARKS}),
    "Acknowledge": st.fixed_dictionaries({"case": REF, "by": BY}),
    "LogCall": st.fixed_dictionaries(
        {
            "case": REF,
            "guardian": NUMBERS,
            "result": WORDS,
            "by": BY,
            "channel": WORDS,
            "eta_min": st.none() | st.integers(-5, 240),
        }
    ),
    "CloseCase": st.fixed_dictionaries({"case": REF, "by": BY, "note": TEXTS}),
    "ExcuseAbsence": st.fixed_dictionaries({"child": CHILDREN, "kind": WORDS, "by": BY, "note": TEXTS}),
    "GrantLeaveSlip": st.fixed_dictionaries(
        {
            "child": CHILDREN,
            "from_ms": MOMENTS,
            "to_ms": MOMENTS,
            "by": BY,
            "with_collector": st.none() | NUMBERS,
            "alone": st.booleans(),
            "kind": WORDS,
            "note": TEXTS,
        }
    ),
    "ReportCardLost": st.fixed_dictionaries({"uid": CARDS, "by": BY}),
    "DeclareEmergency": st.fixed_dictionaries({"by": BY, "drill": st.booleans()}),
    "EndEmergency": st.fixed_dictionaries({"by": BY}),
    "Muster": st.fixed_dictionaries(
        {
            "point": TEXTS,
            "children": MANY,
            "others": st.lists(st.sampled_from(["staff:101", "staff:0", "staff:９", "visit:x", "x", ""]), max_size=2).map(tuple),
            "present": st.booleans(),
            "by": BY,
        }
    ),
    "VisitorIn": st.fixed_dictionaries(
        {
            "gate": st.sampled_from(["east", "south", "x", ""]),
            "name": TEXTS,
            "purpose": st.sampled_from(["meeting", "repair", "x", ""]),
            "host": NUMBERS,
            "id_type": st.sampled_from(["id_card", "x"]),
            "id_last4": st.sampled_from(["123X", "12", "１２３４", ""]),
            "organisation": TEXTS,
            "plate": TEXTS,
            "by": BY,
        }
    ),
    "VisitorOut": st.fixed_dictionaries({"visit": REF, "by": BY}),
    "ClearCampus": st.fixed_dictionaries({"by": BY}),
    "SignedIn": st.fixed_dictionaries({"staff": BY, "where": TEXTS}),
    "DeviceChanged": st.fixed_dictionaries(
        {"device": TEXTS, "health": st.sampled_from(["ok", "down", "misconfigured", "x"]), "why": TEXTS}
    ),
    "LinkChanged": st.fixed_dictionaries({"waiting": st.integers(-1, 9), "last_contact_ms": st.none() | MOMENTS}),
    "Tick": st.just({}),
}
QUERIES: st.SearchStrategy[Any] = st.one_of(
    st.just(r.BarQuery()),
    st.just(r.DutyQuery()),
    st.just(r.MusterQuery()),
    st.builds(r.RegisterQuery, st.sampled_from(["east", "south", "west", ""])),
    st.builds(r.WaitingQuery, st.sampled_from(["east", "south", "west", ""])),
    st.builds(r.DisplayQuery, st.sampled_from(["east-in", "east-out", "east-desk", "room-201"])),  # pages ask for no others
    st.builds(r.GuardQuery, st.sampled_from(["east", "south", "west", ""])),
    st.builds(r.RosterQuery, ROSTERS),
    st.builds(r.RosterListQuery, st.none() | BY),
    st.builds(r.ChildQuery, CHILDREN),
    st.builds(r.SearchQuery, TEXTS),
)
STEP = st.one_of(
    st.one_of([st.tuples(st.just(name), maker) for name, maker in MAKERS.items()]),
    st.one_of([st.tuples(st.just("Read"), MAKERS["Read"])]),  # reads are the bulk of a day
    st.tuples(st.just("look"), QUERIES),
    st.tuples(st.just("wait"), st.sampled_from([1_000, 6_000, 61_000, 1_800_000, 14_400_000, 86_400_000])),
)


def meant(which: int, of: list[str]) -> str:
    return of[which % len(of)] if which >= 0 and of else "none"


def named(school: School, fields: dict[str, Any]) -> dict[str, Any]:
    """The handover, case or request that a small number means in this run."""
    campus = school.gate.world.campus
    cases = [s.case.case for s in campus.children.values() if s.case] + [one.case for one in campus.conflicts()]
    pools: dict[str, Callable[[], list[str]]] = {
        "handover": lambda: list(campus.offers),
        "claim": lambda: list(campus.requests),
        "queue_id": lambda: list(campus.requests),
        "of": lambda: list(campus.requests),
        "visit": lambda: list(campus.visits),
        "case": lambda: cases,
    }
    return {key: meant(value, pools[key]()) if key in pools else value for key, value in fields.items()}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(everybody_came=st.booleans(), hour=st.sampled_from([7, 12, 16, 17, 18]), steps=st.lists(STEP, min_size=5, max_size=60))
def test_no_command_in_any_order_breaks_a_decision_the_fold_or_the_journal(
    everybody_came: bool, hour: int, steps: list[tuple[str, Any]]
) -> None:
    faults = _Faults()
    with tempfile.TemporaryDirectory() as folder, faults:
        school = School(Path(folder))
        try:
            for pupil in PUPILS if everybody_came else ():
                school.tap_card(uid_of(pupil.number), "east-in")
            school.clock.set(school.ms(f"{hour:02}:45"))
            for name, given_ in steps:
                if name == "wait":
                    school.clock.advance(given_)
                elif name == "look":
                    assert school.look(given_) is not None
                else:
                    assert isinstance(school.ask(getattr(c, name)(**named(school, given_))), Answer)
            check(school)
        finally:
            school.close()
    assert not faults.seen, faults.seen[0]


def check(school: School) -> None:
    again = Campus()
    for entry in since_cleared(school.gate.journal):
        again.apply(entry)
    for entry in school.gate.journal.of_kinds(frozenset({"card_lost"})):
        again.apply(entry)
    live = school.gate.world.campus
    assert {n: s.as_tuple() for n, s in again.on_campus()} == {n: s.as_tuple() for n, s in live.on_campus()}
    custodians = {state.hold.custodian for _, state in live.on_campus()}
    assert custodians <= {member.number for member in STAFF}, "custody of nobody known"
    misfits = [one for one in live.conflicts() if one.kind in ("step_misfit", "arrived_twice", "double_release")]
    assert not misfits, "a gate that knows everything must not contradict itself"
    assert verify(school.state / "journal.db").ok


class _Faults(logging.Handler):
    """What the loop survived but should never have met."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(self.format(record))

    def __enter__(self) -> _Faults:
        logging.getLogger("kiosk").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("kiosk").removeHandler(self)


def test_a_child_named_twice_in_one_offer_is_one_child(school: School) -> None:
    school.tap("王小明", "east-in")
    offer = school.offer(["王小明", "王小明"], "张老师", "李老师")
    assert offer.decision.outcome == "granted"
    assert school.accept(offer, "李老师", 1).decision.outcome == "granted"
    assert school.custodian("王小明") == "李老师"
    assert not school.gate.world.campus.conflicts()
