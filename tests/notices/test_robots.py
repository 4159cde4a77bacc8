"""The three robots over real HTTP: signed as the platforms publish it, and sent only where the platform said so."""

from __future__ import annotations

import json
import logging

import pytest

from kiosk.notices.refusals import NotAccepted
from kiosk.notices.robots import Robot, dingtalk_sign, feishu_sign
from tests.notices.conftest import SECRETS, Serve
from tests.notices.robot_servers import TOKEN, RobotServer
from tests.support.school import School

PLATFORMS = ["dingtalk", "wecom", "feishu"]


def robot(server: RobotServer, school: School, *, secret: str | None = None, ahead_ms: int = 0) -> Robot:
    secret = server.secret if secret is None else secret
    return Robot(kind=server.kind, link=server.link, secret=secret, stamp_ms=lambda: school.clock.now_ms() + ahead_ms)


def refusal(one: Robot, text: str = "三(2)班 1 名学生未接") -> NotAccepted:
    with pytest.raises(NotAccepted) as caught:
        one.send(text)
    return caught.value


def test_signatures_are_the_published_ones() -> None:
    assert dingtalk_sign("SECtest0000", 1764500000000) == "dLnQi6FV2L3pzBHJLbgVHghad6IWrsvmmHn%2BUKgI3jY%3D"
    assert feishu_sign("feishu-test-secret", 1764500000) == "ldZIPdKuuBEVsIgjQa4fV7H2y/FEeukow41n8q+xAH4="


@pytest.mark.parametrize("kind", PLATFORMS)
def test_a_message_that_the_platform_takes_arrives_once(serve: Serve, school: School, kind: str) -> None:
    server = serve(kind)
    robot(server, school).send("三(2)班 1 名学生未接")
    assert server.accepted == ["三(2)班 1 名学生未接"]


def test_every_second_of_an_hour_signs_well(serve: Serve, school: School) -> None:
    """Base64 has + and / in places that depend on the time: quoted twice, or not at all, one in two is refused."""
    servers = [serve("dingtalk"), serve("feishu")]
    for _ in range(40):
        school.clock.advance(61_007)
        for server in servers:
            robot(server, school).send("x")
    assert [len(server.accepted) for server in servers] == [40, 40]


@pytest.mark.parametrize(("kind", "code"), [("dingtalk", "310000"), ("feishu", "19021")])
def test_a_wrong_secret_is_named(serve: Serve, school: School, kind: str, code: str) -> None:
    server = serve(kind)
    said = refusal(robot(server, school, secret="another"))
    assert (said.code, "secret" in str(said), said.twice, server.accepted) == (code, True, False, [])


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
def test_a_clock_that_is_an_hour_off_is_named(serve: Serve, school: School, kind: str) -> None:
    said = refusal(robot(serve(kind), school, ahead_ms=-3_700_000))
    assert "时钟" in str(said)


@pytest.mark.parametrize(
    ("kind", "step", "words"),
    [
        ("dingtalk", (310000, "keywords not in content, more: [https://…]"), "keyword"),
        ("dingtalk", (310000, "ip 1.2.3.4 not in whitelist"), "IP"),
        ("dingtalk", (300005, "token is not exist"), "link"),
        ("wecom", (93000, "invalid webhook url, hint: [1]"), "link"),
        ("wecom", (45009, "api freq out of limit"), "下一分钟"),
        ("feishu", (19024, "Key Words Not Found"), "keyword"),
        ("feishu", (19022, "Ip Not Allowed"), "白名单"),
        ("feishu", (9499, "Bad Request"), "请求格式"),
        ("feishu", (424242, "a reason of next year"), "a reason of next year"),
    ],
)
def test_an_error_inside_http_200_is_a_refusal_with_its_reason(
    serve: Serve, school: School, kind: str, step: tuple[int, str], words: str
) -> None:
    server = serve(kind)
    server.next(step)
    said = refusal(robot(server, school))
    assert (said.code, words in str(said), server.accepted) == (str(step[0]), True, [])


@pytest.mark.parametrize(("kind", "code", "hold_s"), [("dingtalk", 130101, 600), ("dingtalk", 410100, 600), ("wecom", 45009, 60)])
def test_too_fast_says_how_long_to_be_silent(serve: Serve, school: School, kind: str, code: int, hold_s: int) -> None:
    server = serve(kind)
    server.next(code)
    assert refusal(robot(server, school)).hold_s == hold_s


@pytest.mark.parametrize("kind", PLATFORMS)
@pytest.mark.parametrize("step", ["close", "half", "html", "empty", "500", "redirect"])
def test_whatever_is_not_a_plain_yes_is_not_sent(serve: Serve, school: School, kind: str, step: str) -> None:
    server = serve(kind)
    server.next(step)
    said = refusal(robot(server, school))
    assert server.accepted == []
    assert said.twice == (step in ("close", "half"))  # it cannot be known from outside


@pytest.mark.parametrize("code", ["0", "false", "0.0", '"0"', "null", "[]"])
def test_only_the_number_nought_is_a_yes(serve: Serve, school: School, code: str) -> None:
    server = serve("wecom")
    server.next((json.loads(code), "ok"))
    if code == "0":
        robot(server, school).send("x")
    else:
        refusal(robot(server, school))


def test_nobody_listening_is_named_and_surely_not_sent(serve: Serve, school: School) -> None:
    server = serve("dingtalk")
    port = server.link.split(":")[2].split("/")[0]
    gone = Robot(kind="dingtalk", link=server.link.replace(port, "9"), secret="", stamp_ms=school.clock.now_ms)
    said = refusal(gone)
    assert "连不上" in str(said) and not said.twice


def test_no_log_line_has_the_link_or_the_secret_in_it(serve: Serve, school: School, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server = serve("dingtalk")
    server.next((300005, "token is not exist"))
    said = str(refusal(robot(server, school)))
    robot(server, school).send("x")
    for secret in (TOKEN, SECRETS["dingtalk"]):
        assert secret not in caplog.text + said
