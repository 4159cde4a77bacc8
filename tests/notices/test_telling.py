"""What a gate tells, told as it happens: real decisions, a real outbox, robot servers that behave and that do not."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from kiosk.core import commands as c
from kiosk.notices.running import QUEUE_MAX
from tests.notices.conftest import Open, Serve
from tests.notices.telling import target
from tests.support.school import School

PLATFORMS = ["dingtalk", "wecom", "feishu"]


def late_child(school: School) -> None:
    """王小红 (三(1)班) is on campus and nobody comes; her time ends at 17:45."""
    school.tap("王小红", "east-in")
    school.at("17:45:30")


@pytest.mark.parametrize("kind", PLATFORMS)
def test_an_escalation_reaches_the_group_as_class_and_count(school: School, serve: Serve, telling: Open, kind: str) -> None:
    server = serve(kind)
    gate = telling(server)
    late_child(school)
    state = gate.tell(after_s=60)
    assert (state.waiting, state.failed, state.last_error) == (0, 0, "")
    (text,) = server.accepted
    assert "三(1)班 1 名学生未接，应告知" in text and "王" not in text


def test_what_happens_together_is_one_message(school: School, serve: Serve, telling: Open) -> None:
    server = serve("feishu")
    gate = telling(server)
    for name in ("nfc-1", "nfc-2", "nfc-3"):
        gate.device(name)
    assert gate.tell().waiting == 3
    assert server.accepted == []  # it gathers
    gate.tell(after_s=45)
    (text,) = server.accepted
    assert all(name in text for name in ("nfc-1", "nfc-2", "nfc-3"))


def test_an_emergency_goes_at_once_and_takes_along_what_gathers(school: School, serve: Serve, telling: Open) -> None:
    server = serve("dingtalk")
    gate = telling(server)
    gate.device("nfc-1")
    gate.emergency()
    gate.tell()
    (text,) = server.accepted
    assert "紧急疏散" in text and "nfc-1" in text


def test_a_restricted_person_is_told_only_where_alarms_go_and_never_by_name(school: School, serve: Serve, telling: Open) -> None:
    group, leader = serve("wecom"), serve("feishu")
    gate = telling(
        target("wecom", group.link, from_level="info", name_children=True),
        target("feishu", leader.link, secret=leader.secret, alarms=True, name_children=True),
    )
    school.tap("王小明", "east-in")
    school.at("15:35").tap("王爸爸", "east-desk")
    gate.tell(after_s=60)
    told = [text for text in leader.accepted if "限制接送" in text]
    assert len(told) == 1 and "东门" in told[0]
    assert not any(name in told[0] for name in ("王", "爸爸", "小明"))
    assert not any("限制" in text for text in group.accepted)


def test_a_lost_card_is_a_silent_alarm_too(school: School, serve: Serve, telling: Open) -> None:
    server = serve("dingtalk")
    gate = telling(server, alarms=True)
    school.tap_card("0BADCA4D", "east-desk")
    gate.tell()
    assert "挂失的卡" in server.accepted[0]


def test_a_group_of_one_role_hears_only_of_its_rungs(school: School, serve: Serve, telling: Open) -> None:
    teachers, leaders = serve("wecom"), serve("feishu")
    gate = telling(
        target("wecom", teachers.link, roles=frozenset({"class_teacher"})),
        target("feishu", leaders.link, secret=leaders.secret, roles=frozenset({"duty_leader"})),
    )
    late_child(school)
    gate.tell(after_s=60)
    assert (teachers.accepted, leaders.accepted) == ([], [])  # the first rung is for the session's teacher
    school.at("18:02")
    gate.tell(after_s=60)
    assert "班主任" in teachers.accepted[0]
    assert leaders.accepted == []


def test_each_entry_is_accepted_once_for_each_target_whatever_happens(school: School, serve: Serve, telling: Open) -> None:
    servers = [serve(kind) for kind in PLATFORMS]
    gate = telling(*servers)
    for server in servers:
        server.next(424242, "500", "html", "close")
    for number in range(12):
        gate.device(f"nfc-{number:02}")
        gate.tell(after_s=40)
        if number % 4 == 3:
            gate.restart()
    for _ in range(8):
        gate.tell(after_s=16 * 60)
    for server in servers:
        told = "\n".join(server.accepted)
        assert [told.count(f"nfc-{number:02}") for number in range(12)] == [1] * 12
    assert gate.notices.state().waiting == 0


def test_nothing_is_called_sent_that_was_refused(school: School, serve: Serve, telling: Open) -> None:
    server = serve("feishu")
    gate = telling(server)
    gate.device("nfc-1")
    for step in ((19024, "Key Words Not Found"), "close", "empty", "500"):
        server.next(step)
        state = gate.tell(after_s=16 * 60)
        assert (state.waiting, state.last_sent_ms, gate.line().state) == (1, 0, "failing")
        assert state.last_error
    assert server.accepted == []
    state = gate.tell(after_s=16 * 60)
    assert (state.waiting, gate.line().state, state.last_error) == (0, "ok", "")
    assert "（可能重复）" in server.accepted[0]  # one of the broken connections may have come through


def test_a_refusal_is_shown_with_the_platforms_words_and_tried_again_later(school: School, serve: Serve, telling: Open) -> None:
    server = serve("dingtalk")
    server.next((400102, "robot stopped"))
    gate = telling(server)
    gate.device("nfc-1")
    gate.tell(after_s=60)
    line = gate.line()
    assert "400102" in line.last_error and "停用" in line.last_error
    assert 60_000 <= line.retry_ms - school.clock.now_ms() <= 15 * 60_000
    gate.tell(after_s=30)
    assert server.accepted == []  # not yet
    gate.tell(after_s=16 * 60)
    assert len(server.accepted) == 1


def test_what_cannot_be_sent_for_hours_is_given_up_and_that_is_said(school: School, serve: Serve, telling: Open) -> None:
    server = serve("wecom")
    server.next(*[93000] * 50)
    gate = telling(server)
    gate.device("nfc-1")
    for _ in range(9):
        state = gate.tell(after_s=16 * 60)
    assert (state.waiting, state.failed) == (0, 1)
    assert gate.line().failed == 1
    with sqlite3.connect(gate.file) as db:
        (error,) = db.execute("SELECT error FROM outbox").fetchone()
    db.close()
    assert "放弃" in error and "93000" in error


def test_an_untrusted_clock_gives_nothing_up_and_is_said(school: School, serve: Serve, telling: Open) -> None:
    server = serve("wecom")
    server.next("500")
    gate = telling(server)
    gate.device("nfc-1")
    gate.tell(after_s=60)
    school.clock.distrust("stepped:+86400000")
    server.next("500")
    state = gate.tell(after_s=24 * 3600)
    assert (state.waiting, state.failed, state.clock_trusted) == (1, 0, False)


def test_dingtalk_shuts_out_for_ten_minutes_and_is_left_alone_also_after_a_restart(
    school: School, serve: Serve, telling: Open
) -> None:
    server = serve("dingtalk")
    server.next(130101)
    gate = telling(server)
    gate.device("nfc-1")
    gate.tell(after_s=60)
    assert gate.line().state == "held"
    gate.emergency()
    gate.tell(after_s=60)
    gate.restart()
    gate.tell(after_s=60)
    assert (gate.line().state, server.accepted, server.refused) == ("held", [], [130101])
    gate.tell(after_s=9 * 60)
    (text,) = server.accepted
    assert "紧急疏散" in text and "nfc-1" in text


@pytest.mark.parametrize("kind", PLATFORMS)
def test_a_storm_of_urgent_notices_stays_below_the_platforms_limit(
    school: School, serve: Serve, telling: Open, kind: str
) -> None:
    """The server is as strict as the real one; it bans whoever exceeds 20 a minute, or 5 a second."""
    server = serve(kind)
    gate = telling(server, alarms=True)
    for second in range(100):
        school.tap_card("0BADCA4D", "east-desk")
        gate.tell(after_s=1)
        if second == 50:
            gate.restart()
    gate.tell(after_s=90)
    assert server.refused == []
    assert gate.notices.state().waiting == 0
    assert len(server.accepted) >= 20


def test_two_gates_share_a_robot_by_a_lower_limit(school: School, serve: Serve, telling: Open) -> None:
    server = serve("feishu")
    gate = telling(server, alarms=True, per_minute=3)
    for _ in range(20):
        school.tap_card("0BADCA4D", "east-desk")
        gate.tell(after_s=1)
    assert len(server.accepted) == 3


def test_a_digest_waits_for_its_hour(school: School, serve: Serve, telling: Open) -> None:
    server = serve("feishu")
    gate = telling(server, from_level="info", digest_at_min=(12 * 60,))
    gate.device("nfc-1")
    gate.device("nfc-1", "ok")
    gate.tell(after_s=60)
    (lost,) = server.accepted
    assert "断开" in lost and "恢复" not in lost
    school.at("11:58")
    gate.tell()
    assert len(server.accepted) == 1
    school.at("12:03")
    gate.tell()
    assert "设备恢复：nfc-1" in server.accepted[1] and "补发" not in server.accepted[1]


def test_notices_outlive_a_power_cut(school: School, serve: Serve, telling: Open) -> None:
    server = serve("dingtalk")
    gate = telling(server)
    gate.device("nfc-1")
    gate.tell()
    gate.restart()
    gate.tell(after_s=60)
    assert len(server.accepted) == 1


def test_a_fact_that_the_outbox_never_saw_is_found_in_the_journal(school: School, serve: Serve, telling: Open) -> None:
    """The power goes between the journal's commit and the outbox's."""
    server = serve("dingtalk")
    gate = telling(server)
    gate.device("nfc-1")
    gate.tell()
    gate.device("nfc-2")  # in the queue, and no further
    school.duty()
    gate.restart()
    gate.tell(after_s=60)
    told = "\n".join(server.accepted)
    assert (told.count("nfc-1"), told.count("nfc-2")) == (1, 1)


def test_a_new_target_is_not_told_of_what_was_before_it(school: School, serve: Serve, telling: Open) -> None:
    school.ask(c.DeviceChanged(device="nfc-1", health="down"))
    server = serve("dingtalk")
    gate = telling(server)
    gate.tell(after_s=60)
    assert server.accepted == []


def test_a_message_on_its_way_when_the_power_went_is_sent_again_and_says_so(school: School, serve: Serve, telling: Open) -> None:
    server = serve("wecom")
    gate = telling(server)
    gate.device("nfc-1")
    gate.tell()
    gate.notices.close()
    with sqlite3.connect(gate.file) as db:  # as the disk stands in the middle of a try
        db.execute("UPDATE outbox SET state = 'sending'")
    db.close()
    gate.restart()
    gate.tell(after_s=60)
    assert "（可能重复）" in server.accepted[0]


def test_what_waited_for_a_target_that_is_gone_is_given_up(school: School, serve: Serve, telling: Open) -> None:
    one, other = serve("wecom"), serve("feishu")
    gate = telling(one, other)
    gate.device("nfc-1")
    gate.tell()
    gate.settings = type(gate.settings)(targets=gate.settings.targets[1:])
    gate.restart()
    gate.tell(after_s=60)
    assert (one.accepted, len(other.accepted), gate.notices.state().waiting) == ([], 1, 0)


def test_a_damaged_outbox_is_put_aside_and_the_gate_tells_on(school: School, serve: Serve, telling: Open) -> None:
    server = serve("wecom")
    gate = telling(server)
    gate.notices.close()
    for part in school.state.glob("notices.db*"):
        part.unlink()
    gate.file.write_bytes(b"this is no database" * 100)
    gate.restart()
    gate.device("nfc-1")
    assert gate.tell(after_s=60).trouble == ""
    assert len(server.accepted) == 1
    assert list(school.state.glob("notices.db.damaged-*"))


def test_names_are_nowhere_in_the_outbox(school: School, serve: Serve, telling: Open) -> None:
    server = serve("wecom")
    gate = telling(server, name_children=True, alarms=True)
    late_child(school)
    school.tap("王爸爸", "east-desk")
    gate.tell(after_s=60)
    assert "王*红" in server.accepted[0]
    gate.close()
    stored = b"".join(part.read_bytes() for part in school.state.glob("notices.db*"))
    assert not any(word.encode() in stored for word in ("王", "红", "三(1)班", server.link, "oapi"))


def test_a_test_notice_goes_at_once_and_its_refusal_is_not_tried_again(school: School, serve: Serve, telling: Open) -> None:
    server = serve("feishu")
    gate = telling(server)
    assert gate.notices.test("feishu", 150)
    assert not gate.notices.test("feishu", 150)  # one is on its way
    assert gate.line().testing
    gate.tell()
    assert "测试" in server.accepted[0] and not gate.line().testing
    server.next((19021, "sign match fail"))
    assert gate.notices.test("feishu", 150)
    state = gate.tell(after_s=1)
    assert (state.waiting, state.failed, gate.line().testing) == (0, 0, False)
    assert "19021" in gate.line().last_error
    assert not gate.notices.test("nobody", 150)


def test_a_full_queue_lets_the_oldest_go_and_says_so(school: School, serve: Serve, telling: Open) -> None:
    server = serve("wecom")
    gate = telling(server)
    for number in range(QUEUE_MAX + 5):
        gate.device(f"nfc-{number}")
    school.duty()
    assert gate.notices.state().dropped == 5


def test_a_robot_that_hangs_delays_no_tap(school: School, serve: Serve, telling: Open) -> None:
    """The thread stands in the middle of a request while a child taps: the tap's answer is there before the robot's."""
    server = serve("dingtalk")
    gate = telling(server, gather_s=0)
    server.next("hang")
    gate.notices.start()
    gate.emergency()
    assert server.asked.acquire(timeout=10)
    answers = [school.tap(name, "east-in") for name in ("王小明", "王小红", "欧阳娜")]
    assert not server.let_go.is_set() and server.accepted == []
    assert [answer.decision.outcome for answer in answers] == ["granted"] * 3
    assert gate.notices.state().waiting == 1
    server.let_go.set()
    gate.notices.stop()
    assert not any(thread.name == "notices" for thread in threading.enumerate())


def test_a_robot_that_never_answers_is_a_failure_within_seconds(school: School, serve: Serve, telling: Open) -> None:
    server = serve("wecom")
    server.next("hang")
    gate = telling(server)
    gate.emergency()
    state = gate.tell()
    assert "时限" in state.last_error and state.last_sent_ms == 0
    gate.tell(after_s=16 * 60)
    assert "（可能重复）" in server.accepted[0]
