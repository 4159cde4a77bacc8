"""Three robot servers, each signing as its platform does, and a gate that tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from kiosk.notices.settings import Target
from tests.notices.robot_servers import RobotServer
from tests.notices.telling import Telling, target
from tests.support.school import School

SECRETS = {"dingtalk": "SECa1b2c3", "wecom": "", "feishu": "feishu-secret-of-the-group"}

Serve = Callable[..., RobotServer]
Open = Callable[..., Telling]


@pytest.fixture
def serve(school: School) -> Iterator[Serve]:
    """serve("dingtalk") -> a running robot server of that platform, by the school's clock."""
    with ExitStack() as stack:

        def start(kind: str, **more: str) -> RobotServer:
            server = RobotServer(kind, now_ms=school.clock.now_ms, secret=more.pop("secret", SECRETS[kind]), **more)
            return stack.enter_context(server.running())

        yield start


@pytest.fixture
def telling(school: School) -> Iterator[Open]:
    """telling(server, ...) -> the gate with one target for each server; `more` is for all of them."""
    opened: list[Telling] = []

    def start(*servers: RobotServer | Target, gather_s: int = 20, give_up_min: int = 120, **more: object) -> Telling:
        targets = [s if isinstance(s, Target) else target(s.kind, s.link, secret=s.secret, **more) for s in servers]
        opened.append(Telling(school, *targets, gather_s=gather_s, give_up_min=give_up_min))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
