"""The privacy side in the core: who may be erased, what a hold stops, what a family asks for; and its fold in any order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core import commands_privacy as p
from kiosk.core.campus import Campus
from kiosk.core.decisions import Outcome, Reason
from kiosk.core.entries import Fact, Kind, Stream
from tests.support.school import School

DAY = "2026-11-23"


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    found = School(tmp_path)
    yield found
    found.close()


def test_nobody_is_erased_who_is_on_campus_or_held_and_nobody_twice(school: School) -> None:
    office, lei, mei = school.number("办公室"), school.number("李雷"), school.number("韩梅")
    school.tap("李雷", "east-in")
    assert school.ask(p.ErasePersons(persons=(lei,), why="asked", by=office)).decision.reason is Reason.STILL_HERE
    hold = school.ask(p.SetHold(child=mei, by=office, reason="诉讼，案号 2026-17"))
    assert hold.decision.outcome is Outcome.GRANTED
    assert school.ask(p.ErasePersons(persons=(mei,), why="left")).decision.reason is Reason.ON_HOLD
    assert school.ask(p.LiftHold(child=mei, by=office, reason="结案")).decision.outcome is Outcome.GRANTED
    done = school.ask(p.ErasePersons(persons=(mei, lei), why="left"))
    assert done.decision.detail == {"persons": [mei], "held": [], "here": [lei]}
    assert school.ask(p.ErasePersons(persons=(mei,), why="left")).decision.reason is Reason.NO_SUCH_PERSON


def test_a_hold_needs_a_reason_and_the_office_or_a_duty_leader(school: School) -> None:
    child = school.number("丁一")
    assert school.ask(p.SetHold(child=child, by=school.number("办公室"), reason=" ")).decision.reason is Reason.REASON_NEEDED
    guard = p.SetHold(child=child, by=school.number("赵师傅"), reason="x")
    assert school.ask(guard).decision.reason is Reason.NOT_PERMITTED
    erase = p.ErasePersons(persons=(child,), why="asked", by=school.number("赵师傅"))
    assert school.ask(erase).decision.reason is Reason.NOT_PERMITTED
    assert school.ask(p.LiftHold(child=child, by=school.number("孙主任"), reason="x")).decision.reason is Reason.STEP_REFUSED


def test_a_correction_is_decided_once_and_a_refusal_says_why(school: School) -> None:
    office = school.number("办公室")
    asked = school.ask(p.AskCorrection(child=1, what="name", old="王小明", new="王晓明", by=office, guardian=201))
    request = str(asked.entry)
    assert school.gate.world.campus.privacy.asked[request].due == "2026-12-08"
    no_reason = p.DecideCorrection(request=request, granted=False, by=office)
    assert school.ask(no_reason).decision.reason is Reason.REASON_NEEDED
    refusal = p.DecideCorrection(request=request, granted=False, by=office, reason="户口本上是王小明")
    assert school.ask(refusal).decision.outcome is Outcome.GRANTED
    assert school.ask(refusal).decision.reason is Reason.NO_SUCH_CASE
    school.restart()
    book = school.gate.world.campus.privacy
    assert not book.open_requests() and not book.decided[request].granted
    assert school.gate.journal.note(book.decided[request].note) == "户口本上是王小明"


NUMBERS = st.integers(1, 3)
FACTS = st.one_of(
    st.builds(
        lambda n, w: Fact(Kind.PERSON_ERASED, {"persons": [n, n + 1], "why": w, "by": 0, "day": DAY}), NUMBERS, st.text("ab")
    ),
    st.builds(
        lambda n, kind, case: Fact(kind, {"child": n, "case": case, "by": 140, "day": DAY}),
        NUMBERS, st.sampled_from([Kind.HOLD_SET, Kind.HOLD_LIFTED]), st.sampled_from(["", "c1"]),
    ),
    st.builds(lambda n: Fact(Kind.CORRECTION_ASKED, {"child": n, "what": "name", "by": 150, "due": DAY, "day": DAY}), NUMBERS),
    st.builds(
        lambda n, yes: Fact(Kind.CORRECTION_DECIDED, {"child": n, "request": f"r{n}", "granted": yes, "by": 150, "day": DAY}),
        NUMBERS, st.booleans(),
    ),
    st.builds(
        lambda n, purpose, last: Fact(
            Kind.CONSENT_RECORDED,
            {"child": n, "purpose": purpose, "how": "paper", "text_version": "1", "basis": "consent", "valid_from": "",
             "valid_to": last, "by": 150, "day": DAY},
        ),
        NUMBERS, st.sampled_from(["snapshot", "face_match"]), st.sampled_from(["", "2026-12-31"]),
    ),
    st.builds(
        lambda n, kind: Fact(kind, {"child": n, "purpose": "snapshot", "by": 150, "day": DAY}),
        NUMBERS, st.sampled_from([Kind.CONSENT_WITHDRAWN, Kind.CONSENT_RENEWED]),
    ),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(script=st.lists(st.tuples(st.integers(0, 1), FACTS), min_size=1, max_size=10), data=st.data())
def test_the_privacy_facts_fold_alike_in_any_order_and_twice(script: list, data: st.DataObject) -> None:
    streams = [Stream(node="east", incarnation="a" * 16), Stream(node="south", incarnation="b" * 16)]
    written = [streams[w].seal(fact, at_ms=1_000 + 7 * n * (w + 1), trusted=True).entry for n, (w, fact) in enumerate(script)]
    one, other = Campus(), Campus()
    assert all(one.apply(entry) for entry in written)
    for entry in data.draw(st.permutations(written + written[:3])):
        other.apply(entry)
    assert other.fingerprint() == one.fingerprint()
