"""The custody of a child as a line: drawn from the entries alone, and every gap or overlap named with its entries."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.entries import Entry, Fact, Kind, Stream
from kiosk.evidence.chain import Line, line_of, lines, seams

DAY = "2026-11-23"
MINUTE_MS = 60_000


class Diary:
    """Entries as a gate would write them, one a minute."""

    def __init__(self, node: str = "east") -> None:
        self.stream, self.at_ms, self.entries = Stream(node=node, incarnation="a" * 16), 1_000_000, list[Entry]()

    def write(self, kind: Kind, **body: Any) -> str:
        self.at_ms += MINUTE_MS
        sealed = self.stream.seal(Fact(kind, {"day": DAY, **body}), at_ms=self.at_ms, trusted=True)
        self.entries.append(sealed.entry)
        return str(sealed.entry.id)

    def arrive(self, child: int = 1, custodian: int = 101) -> str:
        return self.write(Kind.ARRIVED, child=child, custodian=custodian, place="校园", access_point="east-in", reason="on_time")

    def offer(self, giver: int, taker: int, *children: int) -> str:
        return self.write(
            Kind.HANDOVER_OFFERED, reason="to_session", giver=giver, taker=taker, place="201", children=list(children or (1,)),
            expected=1, by=giver,
        )  # fmt: skip

    def accept(self, handover: str, giver: int, taker: int, *children: int) -> str:
        return self.write(
            Kind.HANDOVER_ACCEPTED, handover=handover, giver=giver, taker=taker, place="201", children=list(children or (1,)),
            counted=1, exceptions=[],
        )  # fmt: skip

    def hand_over(self, giver: int, taker: int, *children: int) -> str:
        return self.accept(self.offer(giver, taker, *children), giver, taker, *children)

    def release(self, child: int = 1) -> str:
        return self.write(
            Kind.RELEASED, child=child, collector=201, mode="collected", access_point="east-out", reason="collected"
        )

    def line(self, child: int = 1) -> Line:
        return line_of(child, self.entries)


def whys(line: Line) -> list[str]:
    return [flaw.why for flaw in line.flaws]


def test_from_arrival_to_release_each_stretch_begins_with_the_entry_that_ended_the_one_before() -> None:
    diary = Diary()
    arrived = diary.arrive()
    taken = diary.hand_over(101, 111)
    released = diary.release()
    line = diary.line()
    assert line.whole and not line.held and line.custodians == (101, 111)
    assert [(s.custodian, s.place, s.began.entry, s.ended and s.ended.entry) for s in line.segments] == [
        (101, "校园", arrived, taken),
        (111, "201", taken, released),
    ]
    assert line.segments[0].to_ms == line.segments[1].from_ms


def test_a_child_who_is_still_there_has_an_open_end() -> None:
    diary = Diary()
    diary.arrive()
    assert diary.line().held and diary.line().segments[-1].to_ms is None and diary.line().whole


def test_moving_about_in_the_same_custody_is_a_new_stretch_and_no_change_of_hands() -> None:
    diary = Diary()
    diary.arrive()
    diary.write(Kind.SEEN, child=1, access_point="room-201", reason="recorded", place="201")
    assert diary.line().custodians == (101,) and [s.place for s in diary.line().segments] == ["校园", "201"]


def test_coming_back_after_a_release_is_a_second_stretch_and_no_gap() -> None:
    diary = Diary()
    diary.arrive()
    diary.release()
    diary.arrive()
    assert diary.line().whole and len(diary.line().segments) == 2


def test_a_child_found_without_an_arrival_is_remarked_and_named() -> None:
    diary = Diary()
    found = diary.write(Kind.ROLL_CALLED, roster="class:x", marks=[[1, "present"]], by=101, place="101", expected=1, counted=1)
    line = diary.line()
    assert line.whole and [(r.why, r.entries) for r in line.remarks] == [("found_without_arrival", (found,))]


# --- planted faults: each is caught, and named by its entries -----------------------------------------------


def test_two_releases_are_an_overlap_until_somebody_has_closed_it() -> None:
    diary = Diary()
    diary.arrive()
    first, second = diary.release(), diary.release()
    (flaw,) = diary.line().flaws
    assert (flaw.sort, flaw.why, flaw.entries, flaw.closed) == ("overlap", "double_release", (first, second), "")
    closing = diary.write(Kind.CASE_CLOSED, case=f"double_release:1:{second}", by=140)
    assert diary.line().flaws[0].closed == closing and diary.line().open_flaws == () and not diary.line().whole


def test_a_release_without_an_arrival_is_a_gap() -> None:
    diary = Diary()
    released = diary.release()
    assert [(f.sort, f.why, f.entries) for f in diary.line().flaws] == [("gap", "out_without_in", (released,))]


def test_an_acceptance_of_what_another_offered_is_named() -> None:
    """The giver in the offer must be the one who held the child, and the taker the one who holds it then."""
    diary = Diary()
    diary.arrive()
    offer = diary.offer(101, 111)
    accepted = diary.accept(offer, 101, 112)
    (flaw,) = diary.line().flaws
    assert (flaw.why, flaw.entries) == ("offer_differs", (offer, accepted))


def test_an_acceptance_whose_offer_is_not_on_record_moves_nobody_and_is_named() -> None:
    diary = Diary()
    diary.arrive()
    accepted = diary.accept("east/nowhere/7", 101, 111)
    line = diary.line()
    assert whys(line) == ["step_misfit"] and accepted in line.flaws[0].entries and line.custodians == (101,)


def test_custody_by_nobody_is_a_gap() -> None:
    diary = Diary()
    arrived = diary.arrive(custodian=-1)
    assert [(f.why, f.entries) for f in diary.line().flaws] == [("nobody", (arrived,))]


def test_a_child_seen_on_campus_in_nobodys_custody_is_a_gap() -> None:
    diary = Diary()
    diary.arrive()
    diary.release()
    seen = diary.write(Kind.SEEN, child=1, access_point="room-201", reason="recorded", place="201")
    assert [(f.why, f.entries) for f in diary.line().flaws] == [("seen_in_nobodys_custody", (seen,))]


def test_a_body_that_cannot_be_folded_is_named() -> None:
    diary = Diary()
    diary.arrive()
    broken = diary.write(Kind.HANDOVER_ACCEPTED, children=[1], handover="x")
    assert ("not_understood", (broken,)) in [(f.why, f.entries) for f in diary.line().flaws]


def test_a_hole_or_a_doubled_stretch_in_any_line_is_seen() -> None:
    diary = Diary()
    diary.arrive()
    diary.hand_over(101, 111)
    diary.hand_over(111, 112)
    diary.release()
    one, two, three = diary.line().segments
    assert list(seams((one, two, three))) == []
    assert [f.sort for f in seams((one, three))] == ["gap"]
    assert [f.sort for f in seams((one, two, two, three))] == ["overlap"]
    assert [f.sort for f in seams((one._replace(ended=None, to_ms=None), two))] == ["overlap"]


# --- for any day ------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(st.sampled_from(["arrive", "hand", "release", "seen", "offer"]), st.integers(1, 3), st.integers(101, 104)),
    max_size=25,
)


@given(STEPS, st.randoms())
def test_the_line_depends_on_the_set_of_entries_and_on_this_child_only(steps: list[tuple[str, int, int]], chance: Any) -> None:
    diary = Diary()
    for what, child, adult in steps:
        if what == "arrive":
            diary.arrive(child, adult)
        elif what == "release":
            diary.release(child)
        elif what == "seen":
            diary.write(Kind.SEEN, child=child, access_point="room-201", reason="recorded", place="201")
        elif what == "hand":
            diary.hand_over(adult, adult + 1, child, child % 3 + 1)
        else:
            diary.offer(adult, adult + 1, child)
    drawn = lines(diary.entries)
    mixed = list(diary.entries)
    chance.shuffle(mixed)
    assert lines(mixed) == drawn
    for child, line in drawn.items():
        own = [e for e in diary.entries if child in (e.body.get("child"), *e.body.get("children", ()))]
        assert line_of(child, own) == line
        assert list(seams(line.segments)) == []
        assert all(s.custodian > 0 for s in line.segments)
        assert line.whole or all(flaw.entries for flaw in line.flaws)


@pytest.mark.parametrize("child", [1, 2])
def test_a_child_of_whom_nothing_is_on_record_has_an_empty_line(child: int) -> None:
    assert line_of(child, []) == Line(child=child, segments=())
