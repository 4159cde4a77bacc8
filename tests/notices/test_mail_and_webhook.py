"""E-mail and webhooks through apprise: a real mail server, real HTTP, and no yes that was not given."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from kiosk.notices.apprise_ways import AppriseWay, Unusable, service
from kiosk.notices.refusals import NotAccepted
from tests.notices.conftest import Open
from tests.notices.mail_server import MailServer, Webhook
from tests.notices.telling import target


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer().running() as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with Webhook().running() as server:
        yield server


def mail_link(server: MailServer) -> str:
    return f"mailto://127.0.0.1:{server.port}?from=gate@school.example.cn&to=leader@school.example.cn"


def hook_link(server: Webhook) -> str:
    return f"json://127.0.0.1:{server.port}/in/secret-path"


def test_a_notice_arrives_by_mail_once(mail: MailServer, telling: Open) -> None:
    gate = telling(target("email", mail_link(mail)))
    gate.device("nfc-1")
    state = gate.tell(after_s=60)
    ((receiver, subject, text),) = mail.accepted
    assert (receiver, subject) == ("leader@school.example.cn", "实验小学")
    assert "设备断开：nfc-1" in text
    assert (state.waiting, state.last_error) == (0, "")


@pytest.mark.parametrize("step", ["RCPT", "."])
def test_a_mail_that_the_server_refuses_is_not_sent_and_says_why(mail: MailServer, telling: Open, step: str) -> None:
    gate = telling(target("email", mail_link(mail)))
    mail.refuse = step
    gate.device("nfc-1")
    state = gate.tell(after_s=60)
    assert (state.waiting, state.last_sent_ms, mail.accepted) == (1, 0, [])
    assert "550" in state.last_error
    mail.refuse = ""
    gate.tell(after_s=16 * 60)
    assert len(mail.accepted) == 1


def test_a_mail_server_that_is_not_there_is_named(telling: Open) -> None:
    gate = telling(target("email", "mailto://127.0.0.1:9?from=a@b.example.cn&to=c@d.example.cn"))
    gate.device("nfc-1")
    state = gate.tell(after_s=60)
    assert "refused" in state.last_error and state.last_sent_ms == 0


def test_two_messages_in_a_row_are_not_slept_over(mail: MailServer) -> None:
    """apprise pauses for seconds between two messages of one of its services; the gate has limits of its own."""
    way = AppriseWay(kind="email", link=mail_link(mail), subject="x")
    for _ in range(3):
        way.send("x")
    assert len(mail.accepted) == 3


def test_a_webhook_gets_the_text_as_json(hook: Webhook, telling: Open) -> None:
    gate = telling(target("webhook", hook_link(hook)))
    gate.emergency(drill=True)
    gate.tell()
    (body,) = hook.accepted
    assert body["title"] == "实验小学" and "【演练】" in body["message"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_does_not_say_2xx_did_not_take_it(hook: Webhook, telling: Open, status: int) -> None:
    gate = telling(target("webhook", hook_link(hook)))
    hook.status = status
    gate.emergency()
    state = gate.tell()
    assert (state.waiting, state.last_sent_ms, hook.accepted) == (1, 0, [])
    assert hook.asked == ["/in/secret-path"]  # a redirect is not followed
    assert "secret-path" not in state.last_error


def test_what_apprise_logs_stays_out_of_the_gates_log(hook: Webhook) -> None:
    """caplog would hear it even so: it listens at every logger. A gate's log has one handler, at the root."""
    heard: list[str] = []
    handler = logging.Handler(logging.INFO)
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    hook.status = 500
    try:
        with pytest.raises(NotAccepted, match="500"):
            AppriseWay(kind="webhook", link=hook_link(hook), subject="x").send("三(1)班")
    finally:
        logging.getLogger().removeHandler(handler)
    assert heard == []


@pytest.mark.parametrize(
    ("kind", "link"),
    [
        ("email", "dingtalk://token"),  # apprise's own robot plugins take a refusal for a yes
        ("webhook", "feishu://token"),
        ("webhook", "wecombot://key"),
        ("email", "json://127.0.0.1/x"),
        ("webhook", "https://127.0.0.1/x"),
        ("email", "mailto://"),
        ("email", "mailto://u:p@mail.example.cn?to=a@b.example.cn,c@d.example.cn"),
        ("email", "mailto://u:p@mail.example.cn?to=a@b.example.cn&cc=c@d.example.cn"),
        ("email", ""),
    ],
)
def test_an_address_that_cannot_be_trusted_to_say_no_is_refused(kind: str, link: str) -> None:
    with pytest.raises(Unusable):
        service(kind, link)
