"""The right to release a child (接送权) between two gates: whatever is lost, doubled, late, old or forgotten, two gates never
have it at once. Real decisions and journals, a link that brings what it is told to.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk import last_ran
from kiosk.core import commands as c
from kiosk.core.campus import Campus
from kiosk.core.entries import Kind
from kiosk.core.token_moves import ASK_MS
from kiosk.core.tokens import OLD_COPY_MS, right_of, why_not
from tests.support.people import uid_of
from tests.support.two_gates import TwoGates, morning_ms

CHECKS = ("photo", "child_recognises", "call_back", "id_seen")
CHILD, MOTHER = 5, 206  # of a class of the south gate
ALONE = 4  # of the same class, may leave alone


class Story(TwoGates):
    """Both know that the children are here, and it is half past five."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, start_ms=morning_ms(), server="http://server")
        self.both(lambda at: self.link_says(at, own=True))
        for child in (CHILD, ALONE):
            self.press("south", c.Read(access_point="south-in", scheme="uid", value=uid_of(child)))
        self.both(lambda at: self.clock[at].advance(10 * 3_600_000 + 3_000_000))
        self.both(self.tick)
        self.talk()

    def both(self, act: Any) -> None:
        for at in ("east", "south"):
            act(at)

    def tick(self, at: str) -> None:
        self.press(at, c.Tick())

    def talk(self, times: int = 2) -> None:
        for _ in range(times):
            for source, to in (("east", "south"), ("south", "east")):
                self.deliver(source, to)
                self.tick(to)

    def ask(self, at: str = "east", child: int = CHILD) -> Any:
        return self.press(at, c.AskReleaseRight(child=child, access_point=f"{at}-out", by=130))

    def release(self, at: str, second: int | None = None) -> Any:
        press = c.Release(children=(CHILD,), collector=MOTHER, access_point=f"{at}-out", by=130, verified=CHECKS, second=second)
        return self.press(at, press)

    def may(self, at: str, child: int = CHILD) -> bool:
        return why_not(self.gate[at].world, child, self.clock[at].trusted()) is None

    def who_may(self) -> list[str]:
        return [at for at in ("east", "south") if self.may(at)]

    def kinds(self, at: str) -> list[str]:
        return [one.entry.kind for one in self.own(at) if one.entry.kind.startswith("release_token")]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    one = Story(tmp_path)
    yield one
    one.close()


def test_the_home_gate_has_it_and_gives_it_to_the_gate_that_asks(story: Story) -> None:
    assert story.who_may() == ["south"]
    assert story.release("east").reason == "elsewhere_gate"
    assert story.ask().outcome == "granted"
    story.deliver("east", "south")
    assert story.who_may() == ["south"], "heard, and not given before the next tick"
    story.tick("south")
    assert story.kinds("south") == [Kind.RELEASE_TOKEN_GIVEN] and story.who_may() == [], "on the way: nobody has it"
    assert story.release("south").reason == "elsewhere_gate"
    story.deliver("south", "east")
    assert story.who_may() == [], "heard of, and not on the asking gate's own disk yet"
    story.tick("east")
    assert story.who_may() == ["east"]
    assert story.kinds("east") == [Kind.RELEASE_TOKEN_ASKED, Kind.RELEASE_TOKEN_TAKEN]
    released = story.release("east")
    assert released.outcome == "granted" and "alarm" not in released.facts[0].body, "by one of staff, and nothing is flagged"
    story.talk()
    assert story.gate["south"].world.campus.child(CHILD).conflicts == ()


def test_it_comes_back_the_same_way_and_goes_again(story: Story) -> None:
    for holder, asks in (("east", "east"), ("south", "south"), ("east", "east")):
        story.ask(asks)
        story.talk()
        assert story.who_may() == [holder]
    right = right_of(story.gate["south"].world, CHILD)
    assert (right.gate, right.taken, right.split) == ("east", True, False)


def test_the_release_does_not_end_it_so_that_taking_the_release_back_gives_it_to_nobody_else(story: Story) -> None:
    story.ask()
    story.talk()
    story.release("east")
    story.talk()
    released = story.gate["east"].world.campus.child(CHILD).released_entry
    assert released is not None
    story.press("east", c.UndoRelease(release=str(released.id), by=130))
    assert story.who_may() == ["east"], "south has not heard of the undo, and may not take the child for its own again"


@pytest.mark.parametrize("lost", ["ask", "given", "taken"])
def test_what_is_lost_or_late_leaves_it_with_one_gate_or_nobody(story: Story, lost: str) -> None:
    for at in ("east", "south"):
        story.press(at, c.SignedIn(staff=130, where=at))
    story.ask()
    if lost != "ask":
        story.deliver("east", "south")
    story.both(story.tick)
    if lost == "taken":
        story.deliver("south", "east")
        story.both(story.tick)
    assert story.who_may() == {"ask": ["south"], "given": [], "taken": ["east"]}[lost]
    story.both(story.restart)
    story.both(story.tick)
    assert story.who_may() == {"ask": ["south"], "given": [], "taken": ["east"]}[lost], "a restart is no news"
    story.talk()
    assert story.who_may() == ["east"]


def test_an_ask_that_comes_late_is_not_answered_and_is_asked_again(story: Story) -> None:
    story.ask()
    assert story.ask().facts == (), "asked once already"
    story.both(lambda at: story.clock[at].advance(ASK_MS + 1_000))
    story.talk()
    assert story.who_may() == ["south"] and story.kinds("south") == []
    assert story.ask().facts[0].kind == Kind.RELEASE_TOKEN_ASKED
    story.talk()
    assert story.who_may() == ["east"]


def test_a_gate_whose_clock_is_doubted_gives_and_takes_nothing(story: Story) -> None:
    story.ask()
    story.clock["south"].distrust("the battery is flat")
    story.talk()
    assert story.kinds("south") == []
    story.clock["south"].distrust("")
    story.tick("south")
    story.clock["east"].distrust("the battery is flat")
    story.talk()
    assert story.kinds("east") == [Kind.RELEASE_TOKEN_ASKED] and story.who_may() == []
    assert story.ask(child=ALONE).reason == "clock_untrusted"
    story.clock["south"].distrust("and there too")
    assert not story.may("south"), "a clock that does not know the day does not know that yesterday's giving is over"


def test_whoever_stands_at_the_holder_is_served_there(story: Story) -> None:
    story.press("south", c.Read(access_point="south-out", scheme="uid", value=uid_of(MOTHER)))
    assert story.gate["south"].world.campus.requests
    story.ask()
    story.talk()
    assert story.kinds("south") == [] and story.who_may() == ["south"]
    assert story.release("south").outcome == "granted"


def test_a_child_who_may_leave_alone_leaves_by_the_gate_that_has_the_right(story: Story) -> None:
    tap = c.Read(access_point="east-out", scheme="uid", value=uid_of(ALONE))
    at_the_other = story.press("east", tap)
    assert (at_the_other.outcome, at_the_other.reason) == ("ask_guard", "elsewhere_gate")
    by_one = c.LetGo(child=ALONE, access_point="east-out", by=130)
    assert (story.press("east", by_one).reason, story.press("east", by_one).facts) == ("elsewhere_gate", ())
    story.ask(child=ALONE)
    story.talk()
    story.clock["east"].advance(30_000)
    granted = story.press("east", tap)
    assert (granted.outcome, granted.reason) == ("granted", "leaves_alone")


def test_cut_off_a_child_goes_alone_at_another_gate_by_two_of_staff_and_somebody_looks(story: Story) -> None:
    gone = story.press("east", c.LetGo(child=ALONE, access_point="east-out", by=130, second=140))
    assert gone.outcome == "granted" and gone.facts[0].body["alarm"] == "exceptional_release"
    assert [alarm.kind for alarm in story.gate["east"].world.campus.open_alarms()] == ["exceptional_release"]
    twice = c.LetGo(child=CHILD, access_point="east-out", by=130, second=130)
    assert story.press("east", twice).outcome == "refused"


def test_an_old_copy_at_the_holder_releases_nobody_plainly_before_it_has_heard_what_it_forgot(story: Story) -> None:
    story.both(lambda at: story.link_says(at, own=True))
    old = story.copy("south")
    story.both(lambda at: story.clock[at].advance(OLD_COPY_MS + 60_000))
    story.ask()
    story.talk()
    assert story.who_may() == ["east"]
    story.put_back("south", old)
    south = story.gate["south"].world
    assert right_of(south, CHILD).gate == "south", "it remembers that the right is its own"
    assert story.who_may() == ["east"] and why_not(south, CHILD, trusted=True) == "right_unproven"
    assert story.release("south").reason == "right_unproven"
    story.ask("east", ALONE)
    story.deliver("east", "south")
    story.tick("south")
    assert story.kinds("south") == [], "nor does it give on what it may have given already"
    story.link_says("south", own=False)
    story.hear_of_itself("south")
    assert story.who_may() == ["east"] and why_not(story.gate["south"].world, CHILD, trusted=True) == "elsewhere_gate"


def test_a_second_start_on_an_old_copy_is_no_better_than_the_first(story: Story) -> None:
    old = story.copy("south")
    story.both(lambda at: story.clock[at].advance(OLD_COPY_MS + 60_000))
    story.ask()
    story.talk()
    story.put_back("south", old)
    story.clock["south"].advance(30_000)
    story.gate["south"].journal.close()
    story._open("south")
    assert story.who_may() == ["east"]
    story.hear_of_itself("south")
    assert [one.entry.kind for one in story.own("south")][-1] == Kind.RECORDS_COMPARED
    story.clock["south"].advance(30_000)
    story.gate["south"].journal.close()
    story._open("south")
    assert story.gate["south"].world.start.proven, "compared once, this start is as good as the one before"


def test_an_old_copy_at_the_taker_does_not_take_again_what_it_gave_back(story: Story) -> None:
    story.both(lambda at: story.link_says(at, own=True))
    story.ask()
    story.talk()
    old = story.copy("east")
    story.both(lambda at: story.clock[at].advance(OLD_COPY_MS + 60_000))
    story.ask("south")
    story.talk()
    assert story.who_may() == ["south"]
    story.put_back("east", old)
    story.both(story.tick)
    assert story.who_may() == ["south"]


def test_a_gate_that_was_off_for_a_moment_or_overnight_needs_no_link(story: Story) -> None:
    """The power goes for a minute, and the server does not come back: the home gate goes on."""
    story.link_says("south", own=True)
    story.press("south", c.SignedIn(staff=130, where="south"))  # somebody does something there now and then
    story.clock["south"].advance(60_000)
    story.restart("south")
    story.link_says("south", own=None)
    assert story.may("south")
    story.clock["south"].advance(OLD_COPY_MS + 60_000)
    assert story.may("south"), "it has run since"
    story.restart("south")
    story.link_says("south", own=None)
    assert not story.may("south"), "longer than a card takes to be exchanged"
    story.link_says("south", own=True)
    assert story.may("south")
    story.clock["south"].advance(morning_ms() + 23 * 3_600_000 - story.clock["south"].now_ms())  # 06:40
    story.restart("south")
    story.link_says("south", own=None)
    story.tick("south")
    assert story.may("south"), "before the school's day begins nothing of it can have been given away"


def test_a_quiet_hour_is_no_reason_for_doubt_and_a_journal_that_was_put_back_alone_is(story: Story) -> None:
    """Nothing was recorded for a long time, the gate ran all the same, and a small file beside the journal says so."""
    stream, clock = story.gate["south"].world.stream, story.clock["south"]
    clock.advance(OLD_COPY_MS + 60_000)
    last_ran.note(story.folder / "south", incarnation=stream.incarnation, seq=stream.seq, now_ms=clock.now_ms())
    clock.advance(60_000)
    story.restart("south")
    assert story.gate["south"].world.start.proven
    old = story.copy("south")
    clock.advance(OLD_COPY_MS + 60_000)
    story.restart("south")
    stream = story.gate["south"].world.stream
    last_ran.note(story.folder / "south", incarnation=stream.incarnation, seq=stream.seq, now_ms=clock.now_ms())
    story.put_back("south", old)
    assert (story.folder / "south" / last_ran.FILE_NAME).exists()
    assert not story.gate["south"].world.start.proven


def test_any_order_and_any_doubling_of_the_facts_is_the_same_right(story: Story) -> None:
    for at in ("east", "south", "east"):
        story.ask(at)
        story.talk()
    entries, chance = story.known("east"), random.Random(5)
    expected = story.gate["east"].world.campus
    for _ in range(20):
        again = [*entries, *chance.sample(entries, 10)]
        chance.shuffle(again)
        campus = Campus()
        for entry in again:
            campus.apply(entry)
        assert campus.tokens.tables() == expected.tokens.tables()
        assert campus.tokens.right(CHILD, "2026-11-23", "south") == expected.tokens.right(CHILD, "2026-11-23", "south")


def test_the_right_that_somebody_gave_twice_is_nobodys(story: Story) -> None:
    """As only a gate on an old copy could, whose server had gone back as well."""
    story.ask()
    story.talk()
    [given] = [one.entry for one in story.own("south") if one.entry.kind == Kind.RELEASE_TOKEN_GIVEN]
    campus = story.gate["east"].world.campus
    campus.tokens.give(type(given)(**{**{n: getattr(given, n) for n in given.__struct_fields__}, "seq": given.seq + 1_000}))
    assert story.who_may() == []


def test_the_next_day_begins_at_home(story: Story) -> None:
    story.ask()
    story.talk()
    assert story.who_may() == ["east"]
    story.both(lambda at: story.clock[at].advance(14 * 3_600_000))
    story.both(story.tick)
    assert story.who_may() == ["south"]
