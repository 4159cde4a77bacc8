"""The fold: any order, any duplication of arrival, same state; and two gates that were apart agree afterwards."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core.campus import Campus
from kiosk.core.entries import Fact, Kind, Stream
from kiosk.core.service_records import Patrolled, SessionClosed
from kiosk.core.service_records import fact as record

DAY = "2026-11-23"
CHILDREN = st.integers(1, 3)


def body(child: int, **more: object) -> dict[str, object]:
    return {"child": child, "day": DAY, "access_point": "p", "reason": "on_time", **more}


FACTS = st.one_of(
    st.builds(lambda n, w: Fact(Kind.ARRIVED, body(n, custodian=w, place="校园")), CHILDREN, st.integers(101, 103)),
    st.builds(
        lambda n, w, then: Fact(Kind.ARRIVED, body(n, custodian=w, place="校园", read_at_ms=then)),
        CHILDREN, st.integers(101, 103), st.integers(1, 2_000),
    ),
    st.builds(lambda n, then: Fact(Kind.READ_STORED, body(n, read_at_ms=then)), CHILDREN, st.integers(1, 2_000)),
    st.builds(lambda n: Fact(Kind.RELEASED, body(n, collector=201, guard=130)), CHILDREN),
    st.builds(lambda n: Fact(Kind.SESSION_ENTERED, body(n, session="S1", place="201", custodian=111)), CHILDREN),
    st.builds(lambda n: Fact(Kind.SEEN, body(n, flag="already_in")), CHILDREN),
    st.builds(
        lambda n, node, at: Fact(Kind.PASSAGE_UNUSED, body(n, passage=f"{node}/{at}", what="arrived")),
        CHILDREN, st.sampled_from([f"east/{'a' * 16}", f"south/{'b' * 16}"]), st.integers(1, 8),
    ),
    st.builds(
        lambda n, r: Fact(Kind.ESCALATED, body(n, case=f"u:{n}", rung=r, t0_ms=5, state="x", told=[])),
        CHILDREN, st.integers(0, 3),
    ),
    st.builds(lambda n: Fact(Kind.ACKNOWLEDGED, body(n, case=f"u:{n}", by=140)), CHILDREN),
    st.builds(
        lambda n, m: Fact(Kind.ROLL_CALLED, {"roster": "session:S1", "marks": [[n, m]], "by": 111, "place": "201", "day": DAY}),
        CHILDREN, st.sampled_from(["present", "absent_unexplained"]),
    ),
    st.builds(
        lambda ns, t: Fact(
            Kind.HANDOVER_OFFERED,
            {"children": sorted(ns), "giver": 101, "taker": t, "place": "201", "reason": "to_session", "day": DAY},
        ),
        st.sets(CHILDREN, min_size=1), st.integers(111, 113),
    ),
    st.builds(
        lambda ns, drill: Fact(
            Kind.EMERGENCY_DECLARED,
            {"by": 140, "day": DAY, "drill": drill, "on_site_list": [[n, "201", 101, 5] for n in sorted(ns)]},
        ),
        st.sets(CHILDREN), st.booleans(),
    ),
    st.builds(
        lambda n, here: Fact(
            Kind.MUSTERED, {"by": 101, "day": DAY, "point": "操场", "children": [n], "others": ["staff:101"], "present": here}
        ),
        CHILDREN, st.booleans(),
    ),
    st.just(Fact(Kind.VISITOR_IN, {"gate": "east", "purpose": "repair", "by": 130, "day": DAY})),
    st.builds(
        lambda n: Fact(Kind.VISITOR_OUT, {"visit": f"east/{'a' * 16}/{n}", "gate": "east", "by": 130, "day": DAY}), CHILDREN
    ),
    st.builds(lambda n: Fact(Kind.STAFF_SIGNED_IN, {"staff": n, "where": "x", "day": DAY}), st.integers(101, 102)),
    st.builds(
        lambda n, came: Fact(
            Kind.STAFF_CHECKED_IN if came else Kind.STAFF_CHECKED_OUT, {"staff": n, "session": "S1", "day": DAY, "by": n}
        ),
        st.integers(111, 112), st.booleans(),
    ),
    st.builds(
        lambda n, by: record(
            SessionClosed(
                session="S1", day=DAY, name="x", kind="homework", form="class", slot=1, room="201", from_ms=1, to_ms=2,
                planned_teacher=111, teachers=(by,), class_hours=1.0, enrolled=1, states={n: "present"}, by=by,
            )
        ),
        CHILDREN, st.integers(111, 112),
    ),
    st.just(Fact(Kind.MONTH_LOCKED, {"month": "2026-11", "day": DAY, "by": 150})),
    st.builds(
        lambda n: record(
            Patrolled(session="S1", room="201", expected=3, counted=n, teacher_present=True, finding="in_order", day=DAY, by=140)
        ),
        CHILDREN,
    ),
    st.just(Fact(Kind.EMERGENCY_ENDED, {"by": 140, "day": DAY})),
    st.builds(lambda u: Fact(Kind.CARD_LOST, {"card": u, "by": 1, "day": DAY}), st.sampled_from(["A", "B"])),
    st.builds(
        lambda n, p, c: Fact(
            Kind.SEEN,
            body(n, access_point=p, reason="x", scheme="uid", assurance="authenticated", card=f"04{n}", counter=c),
        ),
        CHILDREN, st.sampled_from(["east-in", "south-in"]), st.integers(1, 3),
    ),
    st.builds(
        lambda p: Fact(
            Kind.CARD_PROVEN, {"access_point": p, "scheme": "uid", "card": "0499", "counter": 1, "day": DAY, "person": 101}
        ),
        st.sampled_from(["east-in", "south-in"]),
    ),
    st.builds(lambda n, c: Fact(Kind.CARD_COUNTERS, {"counters": [[f"04{n}", c]], "day": DAY}), CHILDREN, st.integers(1, 3)),
    st.builds(
        lambda n: Fact(
            Kind.PICKUP_REQUESTED,
            {"person": 201, "candidates": [n], "access_point": "p", "outcome": "ask_guard", "reason": "x", "day": DAY,
             "queue": "collector"},
        ),
        CHILDREN,
    ),
)  # fmt: skip


def entries_of(script: list[tuple[int, Fact, int]], accept: bool) -> list:
    """Two gates write; sometimes one has heard of what the other wrote. Offers are answered by the writer itself."""
    streams = [Stream(node="east", incarnation="a" * 16), Stream(node="south", incarnation="b" * 16)]
    written: list = []
    for which, fact, hears in script:
        stream = streams[which]
        if hears:
            for entry in written:
                if entry.node != stream.node:
                    stream.observe(entry)
        sealed = stream.seal(fact, at_ms=1_000 + 17 * len(written) * (which + 1), trusted=True)
        written.append(sealed.entry)
        if accept and fact.kind is Kind.HANDOVER_OFFERED:
            done = {"handover": str(sealed.entry.id), "giver": 101, "taker": fact.body["taker"], "place": "201",
                    "children": fact.body["children"], "counted": 1, "exceptions": [], "day": DAY}  # fmt: skip
            written.append(stream.seal(Fact(Kind.HANDOVER_ACCEPTED, done), at_ms=1_001, trusted=True).entry)
    return written


SCRIPT = st.lists(st.tuples(st.integers(0, 1), FACTS, st.integers(0, 1)), min_size=1, max_size=14)


@settings(max_examples=250, deadline=None)
@given(script=SCRIPT, accept=st.booleans(), data=st.data())
def test_any_order_and_any_duplication_of_arrival_give_the_same_state(script, accept, data) -> None:
    written = entries_of(script, accept)
    one = Campus()
    for entry in written:
        one.apply(entry)
    twice = data.draw(st.permutations(written + data.draw(st.lists(st.sampled_from(written), max_size=5))))
    other = Campus()
    for entry in twice:
        other.apply(entry)
    assert other.fingerprint() == one.fingerprint()
    for campus in (one, other):
        campus.cards.lens({"east-in": "east", "south-in": "south"}, 60_000)
    assert sorted(other.conflicts()) == sorted(one.conflicts())


@settings(max_examples=150, deadline=None)
@given(script=SCRIPT, accept=st.booleans())
def test_the_total_order_never_contradicts_what_a_writer_had_seen(script, accept) -> None:
    written = entries_of(script, accept)
    for one in written:
        for other in written:
            if one is not other and one.knew(other):
                assert other.order < one.order


def test_a_passage_that_was_not_used_leaves_the_child_as_it_was_unless_another_gate_saw_it_since() -> None:
    east, south = Stream(node="east", incarnation="a" * 16), Stream(node="south", incarnation="b" * 16)
    before = east.seal(Fact(Kind.RELEASED, body(1, guard=130)), at_ms=10, trusted=True).entry
    arrived = east.seal(Fact(Kind.ARRIVED, body(1, custodian=101)), at_ms=20, trusted=True).entry
    unused = east.seal(Fact(Kind.PASSAGE_UNUSED, body(1, passage=str(arrived.id), what="arrived")), at_ms=40, trusted=True).entry
    seen = south.seal(Fact(Kind.SEEN, body(1)), at_ms=30, trusted=True).entry
    for order in ((before, arrived, unused), (unused, before, arrived), (arrived, unused, before)):
        campus, without = Campus(), Campus()
        for entry in order:
            campus.apply(entry)
        without.apply(before)
        assert campus.child(1).hold == without.child(1).hold
        assert campus.child(1).unused is not None
        campus.apply(seen)  # concurrent, and in between: somebody had the child there
        assert campus.child(1).hold.custodian == 101
        assert campus.child(1).unused is None


def test_two_passages_that_overlap_at_two_gates_and_were_not_used_stand_both_and_are_a_conflict() -> None:
    """Each gate took its own back, with something of the other in between: a person has to look."""
    east, south = Stream(node="east", incarnation="a" * 16), Stream(node="south", incarnation="b" * 16)
    facts = []
    for stream, at_ms in ((east, 10), (south, 20)):
        arrived = stream.seal(Fact(Kind.ARRIVED, body(1, custodian=101)), at_ms=at_ms, trusted=True).entry
        back = body(1, passage=str(arrived.id), what="arrived")
        facts += [arrived, stream.seal(Fact(Kind.PASSAGE_UNUSED, back), at_ms=at_ms + 20, trusted=True).entry]
    for order in permutations(facts):
        campus = Campus()
        for entry in order:
            campus.apply(entry)
        assert [conflict.kind for conflict in campus.conflicts()] == ["arrived_twice"]
        assert campus.child(1).hold.custodian == 101


def test_two_gates_that_were_apart_both_release_a_child_and_it_is_a_conflict_at_both() -> None:
    east, south = Stream(node="east", incarnation="a" * 16), Stream(node="south", incarnation="b" * 16)
    arrived = east.seal(Fact(Kind.ARRIVED, body(1, custodian=101)), at_ms=1, trusted=True).entry
    south.observe(arrived)
    first = east.seal(Fact(Kind.RELEASED, body(1, collector=201, guard=130)), at_ms=50, trusted=True).entry
    second = south.seal(Fact(Kind.RELEASED, body(1, collector=206, guard=131)), at_ms=40, trusted=True).entry
    assert not first.knew(second) and not second.knew(first)
    for order in ((arrived, first, second), (second, arrived, first), (first, second, arrived)):
        campus = Campus()
        for entry in order:
            campus.apply(entry)
        assert [conflict.kind for conflict in campus.conflicts()] == ["double_release"]
