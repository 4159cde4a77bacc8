"""Every change of hands, as the staff would tell it, pressed through the web interface of a running gate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiosk.core import roster as r
from tests.support.boarders import boarding_school
from tests.web.gate_online import Online, online

EVERYBODY = ("王小明", "王小红", "李雷", "韩梅", "丁一", "欧阳娜", "住校生")
MINUTE_MS = 60_000


class Afternoon:
    """A gate and whoever presses on it. People are called by name."""

    def __init__(self, gate: Online) -> None:
        self.gate, self.school = gate, gate.school
        self._signed_in: dict[str, httpx.Client] = {}

    def at(self, when: str) -> Afternoon:
        self.school.at(when)
        return self

    def taps(self, point: str, *names: str) -> None:
        for name in names:
            assert self.gate.tap(name, point)["outcome"] == "granted"

    def presses(self, who: str, act: str, **body: Any) -> dict[str, Any]:
        """What the gate says to a press: {"outcome", "reason", "detail", "entry"}."""
        if who not in self._signed_in:
            staff = self.school.directory.staff[self.school.number(who)]
            self._signed_in[who] = self.gate.as_staff(staff.staff_number)
        answer = self._signed_in[who].post(f"/act/{act}", json=body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def does(self, who: str, act: str, **body: Any) -> str:
        """A press that is granted; the id of what it recorded."""
        told = self.presses(who, act, **body)
        assert told["outcome"] == "granted", told
        entry = told["entry"]
        return f"{entry['node']}/{entry['incarnation']}/{entry['seq']}"

    def no(self, *names: str) -> list[int]:
        return [self.school.number(name) for name in names]

    def left(self, **exceptions: str) -> dict[str, str]:
        return {str(self.school.number(name)): why for name, why in exceptions.items()}

    def offers(self, who: str, taker: str, kind: str, *names: str, **more: Any) -> str:
        body = {"kind": kind, "taker": self.school.number(taker), "children": self.no(*names), "counted": len(names)}
        return self.does(who, "offer", **body, **more)

    def accepts(self, who: str, offer: str, counted: int, **exceptions: str) -> None:
        self.does(who, "accept", handover=offer, counted=counted, exceptions=self.left(**exceptions))

    def calls(self, who: str, roster: str, *present: str) -> None:
        self.does(who, "call_roll", roster=roster, marks=dict.fromkeys(map(str, self.no(*present)), "present"))

    def holds(self, name: str) -> str:
        return self.school.custodian(name)

    def page(self, roster: str, who: str = "") -> r.RosterView:
        view: r.RosterView = self.school.look(r.RosterQuery(roster, self.school.number(who) if who else 0))
        return view

    def searched(self, name: str) -> str:
        search = self.school.child(name).search
        return search.why if search else ""


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Afternoon]:
    """07:40; everybody comes in at the east gate and is in the care of the class teacher."""
    with online(tmp_path, directory=boarding_school()) as gate:
        story = Afternoon(gate)
        story.taps("east-in", *EVERYBODY)
        yield story


# --- in the school ------------------------------------------------------------------------------------------


def test_the_class_teacher_takes_the_early_children_over_from_early_care(tmp_path: Path) -> None:
    with online(tmp_path, at="07:10", directory=boarding_school()) as gate:
        day = Afternoon(gate)
        day.taps("east-in", "李雷", "韩梅")
        assert day.holds("李雷") == "早班老师"
        day.at("08:35").calls("杨老师", "class:primary-2022-1", "李雷", "韩梅")
        assert day.holds("李雷") == "早班老师"  # a roll call moves nobody
        day.does("杨老师", "take_group", roster="class:primary-2022-1", counted=2)
        assert [day.holds(name) for name in ("李雷", "韩梅")] == ["杨老师", "杨老师"]


def test_from_the_class_teacher_to_the_session_by_sight_of_the_roster(day: Afternoon) -> None:
    day.at("16:32").taps("room-201", "李雷", "韩梅", "住校生")
    assert day.page("session:S1").takeable == tuple(sorted(day.no("李雷", "韩梅", "住校生")))
    wrong = day.presses("李老师", "take_group", roster="session:S1", counted=4)
    assert (wrong["reason"], wrong["detail"]["expected"]) == ("count_differs", 3)
    day.does("李老师", "take_group", roster="session:S1", counted=3, exceptions=day.left(王小红="on_the_way"))
    assert [day.holds(name) for name in ("李雷", "王小红")] == ["李老师", "陈老师"]
    assert day.searched("王小红") == ""  # on the way is not missing
    accepted = day.school.entries("handover_accepted")[-1].body
    assert (accepted["expected"], accepted["counted"]) == (3, 3)
    assert day.page("class:primary-2022-1").takeable == ()  # the morning's roll does not bring them back


def test_a_child_whom_the_next_teacher_does_not_see_is_looked_for_at_once(day: Afternoon) -> None:
    day.at("16:32").taps("room-201", "李雷", "韩梅", "住校生")
    day.does("李老师", "take_group", roster="session:S1", counted=2, exceptions=day.left(韩梅="missing"))
    assert (day.holds("韩梅"), day.searched("韩梅")) == ("杨老师", "missing")
    (line,) = day.page("session:S1").searches
    assert (line.line.name, line.last_place, line.last_adult_name) == ("韩梅", "201", "杨老师")
    day.does("李老师", "located", child=day.no("韩梅")[0], place="医务室")
    assert day.searched("韩梅") == ""


@pytest.mark.row("D3", "changzhi", "xiji", "tianjin", "yueyang")
def test_d3_from_session_to_session_by_offer_and_acceptance(day: Afternoon) -> None:
    day.at("16:32").taps("room-201", "李雷", "韩梅")
    day.does("李老师", "take_group", roster="session:S1", counted=2)
    day.at("17:28")
    (group,) = day.page("session:S1").next_groups
    assert (group.title, group.taker_name, group.children) == ("美术社团", "周老师", tuple(day.no("李雷")))
    offer = day.offers("李老师", "周老师", "to_session", "李雷", place="美术室")
    assert day.holds("李雷") == "李老师"  # an offer moves nothing
    assert day.page("session:S2").incoming[0].giver_name == "李老师"
    day.accepts("周老师", offer, 1)
    assert day.holds("李雷") == "周老师"
    assert [row.here for row in day.page("session:S2").rows if row.line.name == "李雷"] == [True]


@pytest.mark.row("D3", "changzhi", "xiji", "tianjin", "yueyang")
def test_d3_a_child_who_is_not_there_when_the_session_hands_over_is_named_and_looked_for(day: Afternoon) -> None:
    day.at("16:32").taps("room-201", "李雷", "韩梅")
    day.does("李老师", "take_group", roster="session:S1", counted=2)
    body = {"kind": "to_session", "taker": day.school.number("周老师"), "children": day.no("韩梅"), "counted": 1}
    other = day.presses("李老师", "offer", **body, exceptions=day.left(丁一="missing"))
    assert other["reason"] == "count_differs"  # somebody else's child is not this teacher's to name
    day.does("李老师", "offer", **body, exceptions=day.left(李雷="missing"))
    assert (day.holds("李雷"), day.searched("李雷")) == ("李老师", "missing")


def test_a_child_who_is_only_in_the_second_slot_waits_between_with_a_colleague(day: Afternoon) -> None:
    day.at("16:08")
    groups = {group.kind: group for group in day.page("class:primary-2022-1").next_groups}
    assert groups["between_slots"].children == tuple(day.no("丁一"))
    assert groups["to_session"].children == tuple(day.no("李雷", "韩梅", "住校生"))
    offer = day.offers("杨老师", "护导老师", "between_slots", "丁一", place="阅览室")
    care = day.page("staff:115")
    assert care.incoming[0].lines[0].name == "丁一"  # who has no roster sees it on the list of the own care
    day.accepts("护导老师", offer, 1)
    assert (day.holds("丁一"), day.school.child("丁一").place) == ("护导老师", "阅览室")
    (row,) = day.page("staff:115").rows
    assert (row.line.name, row.held_by_me, row.next_in) == ("丁一", True, "美术社团")
    shown = next(row for row in day.page("class:primary-2022-1").rows if row.line.name == "丁一")
    assert (shown.held_by_me, shown.line.custodian_name) == (False, "护导老师")
    day.at("17:31").taps("room-art", "丁一")
    day.does("周老师", "take_group", roster="session:S2", counted=1)
    assert day.holds("丁一") == "周老师"


def test_to_extended_care_and_the_ladder_begins_at_its_end(day: Afternoon) -> None:
    day.at("17:31").taps("room-art", "欧阳娜", "丁一")
    day.does("周老师", "take_group", roster="session:S2", counted=2)
    day.at("18:25")
    assert [g.taker_name for g in day.page("session:S2").next_groups if g.kind == "to_extended_care"] == ["吴老师"]
    day.accepts("吴老师", day.offers("周老师", "吴老师", "to_extended_care", "欧阳娜", place="阅览室"), 1)
    assert day.holds("欧阳娜") == "吴老师"
    day.at("19:20")
    assert day.school.case_of("欧阳娜") is None
    assert day.school.case_of("丁一") is not None  # the other child's time ended at 18:30


def test_to_the_gatehouse_after_waiting_long(day: Afternoon) -> None:
    day.does("赵师傅", "offer_shift", gate="east", taker=day.school.number("赵师傅"))
    day.at("16:20")
    offer = day.offers("张老师", "赵师傅", "to_gatehouse", "王小明", place="门卫室")
    assert day.presses("钱师傅", "accept", handover=offer, counted=1)["reason"] == "not_permitted"
    day.accepts("赵师傅", offer, 1)
    assert (day.holds("王小明"), day.school.child("王小明").place) == ("赵师傅", "门卫室")


def test_to_the_duty_leader_and_a_leader_acts_for_a_teacher_who_has_gone(day: Afternoon) -> None:
    day.at("16:12")
    day.accepts("孙主任", day.offers("张老师", "孙主任", "to_duty", "王小明"), 1)
    assert day.holds("王小明") == "孙主任"
    offer = day.offers("孙主任", "护导老师", "to_duty", "王小红", giver=day.school.number("陈老师"))
    assert day.holds("王小红") == "陈老师"
    day.accepts("护导老师", offer, 1)
    assert day.holds("王小红") == "护导老师"


# --- over night -----------------------------------------------------------------------------------------------


@pytest.mark.row("B7", "changzhi", "xiji")
def test_b7_a_boarder_sleeps_in_named_custody_and_the_class_teacher_takes_over_in_the_morning(day: Afternoon) -> None:
    day.at("16:32").taps("room-201", "住校生")
    day.does("李老师", "take_group", roster="session:S1", counted=1)
    day.at("17:26")
    (group,) = day.page("session:S1").next_groups
    assert (group.kind, group.taker, group.children) == ("to_dormitory", 0, tuple(day.no("住校生")))
    body = {"kind": "to_dormitory", "taker": day.school.number("宿管老师"), "children": day.no("住校生"), "place": "一号宿舍"}
    assert day.presses("杨老师", "offer", **{**body, "children": day.no("李雷")})["reason"] == "step_refused"  # no boarder
    day.accepts("宿管老师", day.does("李老师", "offer", **body, counted=1), 1)
    day.at("18:31")
    fetched = (("王小明", "王妈妈"), ("王小红", "王妈妈"), ("丁一", "丁妈妈"), ("李雷", "丁妈妈"), ("欧阳娜", "欧阳爸爸"))
    for name, adult in fetched:
        assert day.school.release([name], adult, "photo", "card", "call_back", "child_recognises").decision.outcome == "granted"
    day.school.tap("韩梅", "east-out")
    assert day.holds("住校生") == "宿管老师"
    day.at("19:31").does("孙主任", "clear_campus")
    statement = day.school.entries("campus_cleared")[-1].body
    assert statement["dormitory"] == [[*day.no("住校生"), day.school.number("宿管老师")]]
    day.at("2026-11-24T08:36")
    assert day.holds("住校生") == "宿管老师"
    day.calls("杨老师", "class:primary-2022-1", "住校生")
    day.does("杨老师", "take_group", roster="class:primary-2022-1", counted=1)
    assert day.holds("住校生") == "杨老师"
    assert not day.school.child("住校生").dormitory


# --- on the way ---------------------------------------------------------------------------------------------


@pytest.mark.row("D4", "tianjin")
def test_d4_an_escort_is_counted_at_the_door_and_again_at_the_gate_where_one_is_missing(day: Afternoon) -> None:
    day.at("16:32").taps("room-201", "李雷", "韩梅", "住校生", "王小红")
    day.does("李老师", "take_group", roster="session:S1", counted=4)
    day.at("17:30")
    body = {"children": day.no("韩梅", "王小红", "住校生"), "gate": "south", "exceptions": day.left(住校生="stays")}
    assert day.presses("李老师", "start_escort", **body, counted=3)["reason"] == "count_differs"
    escort = day.does("李老师", "start_escort", **body, counted=2)
    (line,) = day.page("session:S1").escorts
    assert (line.gate_name, [child.name for child in line.children]) == ("南门", ["韩梅", "王小红"])
    assert day.school.child("韩梅").place == "护送途中 → 南门"
    day.at("17:34").does("李老师", "end_escort", escort=escort, counted=1, exceptions=day.left(王小红="missing"))
    assert (day.school.child("韩梅").place, day.holds("韩梅")) == ("南门候接区", "李老师")
    assert (day.searched("王小红"), day.holds("王小红")) == ("missing", "李老师")
    case = day.school.case_of("王小红")
    assert case is not None
    assert case.kind == "locate"
    day.does("护导老师", "located", child=day.no("王小红")[0], place="操场")
    assert day.searched("王小红") == ""


def test_the_guard_at_the_gate_may_receive_an_escort(day: Afternoon) -> None:
    day.at("15:32")
    escort = day.does("张老师", "start_escort", children=day.no("王小明"), gate="east", counted=1)
    assert day.presses("刘老师", "end_escort", escort=escort, counted=1)["reason"] == "not_permitted"
    day.does("赵师傅", "end_escort", escort=escort, counted=1)
    assert (day.school.child("王小明").place, day.holds("王小明")) == ("东门候接区", "张老师")


@pytest.mark.row("B6", "changzhi", "xiji", "tianjin")
def test_b6_a_group_goes_out_with_its_teacher_and_is_counted_when_it_is_back(day: Afternoon) -> None:
    day.at("14:00")
    children = day.no("李雷", "韩梅", "丁一")
    group = day.does("杨老师", "take_out", children=children, venue="少年宫", counted=2, exceptions=day.left(丁一="sick_room"))
    (line,) = day.page("class:primary-2022-1").groups
    assert (line.venue, [child.name for child in line.children]) == ("少年宫", ["李雷", "韩梅"])
    assert (day.school.child("李雷").place, day.holds("李雷")) == ("校外 · 少年宫", "杨老师")
    again = day.presses("杨老师", "start_escort", children=day.no("李雷"), gate="east", counted=1)
    assert again["reason"] == "step_refused"  # whoever is outside is not led about inside
    day.at("15:50").does("杨老师", "bring_back", group=group, counted=2)
    assert (day.school.child("李雷").place, day.page("class:primary-2022-1").groups) == ("校园", ())
    assert day.school.child("丁一").place != "校外 · 少年宫"


def test_the_leader_of_an_outing_takes_the_children_over_first(day: Afternoon) -> None:
    day.at("13:50")
    day.accepts("护导老师", day.offers("杨老师", "护导老师", "to_offsite", "李雷", "韩梅", place="校门口"), 2)
    group = day.does("护导老师", "take_out", children=day.no("李雷", "韩梅"), venue="科技馆", counted=2)
    assert day.presses("杨老师", "bring_back", group=group, counted=2)["reason"] == "not_permitted"
    day.at("15:40").does("护导老师", "bring_back", group=group, counted=1, exceptions=day.left(韩梅="missing"))
    assert (day.searched("韩梅"), day.holds("韩梅")) == ("missing", "护导老师")


# --- the watch ----------------------------------------------------------------------------------------------


@pytest.mark.row("D3", "changzhi", "xiji", "tianjin", "yueyang")
def test_d3_the_guards_hand_the_watch_over_with_the_children_held_there(day: Afternoon) -> None:
    day.does("赵师傅", "offer_shift", gate="east", taker=day.school.number("赵师傅"))
    day.at("16:20")
    day.accepts("赵师傅", day.offers("张老师", "赵师傅", "to_gatehouse", "王小明", place="门卫室"), 1)
    shift = day.does("赵师傅", "offer_shift", gate="east", taker=day.school.number("钱师傅"))
    (offered,) = day.school.gate.world.campus.open_shifts()
    assert (offered.on_site, offered.giver) == (len(EVERYBODY), day.school.number("赵师傅"))
    assert day.presses("钱师傅", "accept_shift", shift=offered.id, counted=0)["reason"] == "count_differs"
    day.does("钱师傅", "accept_shift", shift=offered.id, counted=1)
    assert day.holds("王小明") == "钱师傅"
    assert shift and day.school.gate.world.campus.open_shifts() == []


# --- what comes back ----------------------------------------------------------------------------------------


def test_an_offer_that_nobody_answers_goes_back_and_the_giver_is_told(day: Afternoon) -> None:
    day.at("16:00")
    day.offers("杨老师", "护导老师", "between_slots", "丁一", "李雷", place="阅览室")
    day.at("16:11")
    (back,) = day.page("class:primary-2022-1").returned
    assert (back.how, back.taker_name, [c.name for c in back.children]) == ("lapsed", "护导老师", ["丁一", "李雷"])
    assert day.page("staff:115").incoming == ()
    again = day.offers("杨老师", "护导老师", back.kind, *(c.name for c in back.children), place=back.place)
    assert day.page("class:primary-2022-1").returned == ()
    day.accepts("护导老师", again, 2)


def test_a_declined_offer_and_a_child_left_out_of_the_count_go_back_too(day: Afternoon) -> None:
    day.at("16:12")
    offer = day.offers("杨老师", "护导老师", "between_slots", "丁一")
    assert day.presses("刘老师", "decline", handover=offer)["reason"] == "not_permitted"
    day.does("护导老师", "decline", handover=offer, reason="要去开会")
    assert [back.how for back in day.page("class:primary-2022-1").returned] == ["declined"]
    assert "开会" not in str(day.school.entries("handover_declined")[-1].body)  # words stay out of the chain
    day.accepts("护导老师", day.offers("杨老师", "护导老师", "between_slots", "丁一", "李雷"), 1, 李雷="toilet")
    assert (day.holds("丁一"), day.holds("李雷")) == ("护导老师", "杨老师")
    (back,) = day.page("class:primary-2022-1").returned
    assert (back.how, [c.name for c in back.children]) == ("exception", ["李雷"])


def test_a_substitute_sees_and_hands_on_what_the_substitute_holds(day: Afternoon) -> None:
    day.at("16:32").taps("room-201", "李雷", "韩梅")
    day.does("刘老师", "take_group", roster="session:S1", counted=2)
    mine, teachers = day.page("session:S1", "刘老师"), day.page("session:S1")
    assert (mine.me_name, mine.teacher_name, mine.takeable) == ("刘老师", "李老师", ())
    assert [row.line.name for row in mine.rows if row.held_by_me] == ["李雷", "韩梅"]
    assert not any(row.held_by_me for row in teachers.rows)
    day.at("17:28")
    assert [group.title for group in day.page("session:S1", "刘老师").next_groups] == ["美术社团"]


# --- tablets without a line -----------------------------------------------------------------------------------


def test_an_acceptance_that_waited_on_a_tablet_counts_while_its_offer_is_open(day: Afternoon) -> None:
    day.at("16:12")
    offer, meant_ms = day.offers("杨老师", "护导老师", "between_slots", "丁一"), day.school.clock.now_ms()
    day.at("16:19")
    assert day.holds("丁一") == "杨老师"  # noted on the tablet is not accepted
    day.does("护导老师", "accept", handover=offer, counted=1, meant_ms=meant_ms)
    assert day.holds("丁一") == "护导老师"


def test_an_acceptance_that_waited_too_long_is_refused_with_the_reason(day: Afternoon) -> None:
    day.at("16:12")
    offer, meant_ms = day.offers("杨老师", "护导老师", "between_slots", "丁一"), day.school.clock.now_ms()
    day.at("16:30")
    late = day.presses("护导老师", "accept", handover=offer, counted=1, meant_ms=meant_ms)
    assert (late["outcome"], late["reason"], day.holds("丁一")) == ("refused", "step_refused", "杨老师")
    old = day.presses("护导老师", "accept", handover=offer, counted=1, meant_ms=meant_ms - 181 * MINUTE_MS)
    assert (old["reason"], old["words"]) == ("window_closed", "已过时间")
