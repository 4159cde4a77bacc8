"""View values of the notices: what a page may know of the messages to staff. Filled by `kiosk.notices`.

No link and no secret of a target is ever among them.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.roster import Bar


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTarget:
    """One group, mailbox or webhook.

    state: new (never used), ok, failing (tried again at retry_ms), held (the platform shut us out until retry_ms).
    """

    name: str
    kind: str  # dingtalk, wecom, feishu, email, webhook
    host: str
    state: str
    waiting: int = 0
    failed: int = 0  # given up within a day
    testing: bool = False  # a test notice waits
    last_sent_ms: int = 0  # 0 = never
    last_error: str = ""  # of the last try; "" when it was accepted
    last_error_ms: int = 0
    retry_ms: int = 0
    alarms: bool = False
    name_children: bool = False

    def error_in(self, lang: str) -> str:
        """The last error in one language; it is kept in both, Chinese first."""
        chinese, _, english = self.last_error.partition(" / ")
        return english if lang == "en" and english else chinese


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesState:
    """dropped: facts that found the queue full since the start. trouble: why nothing at all can be sent, "" when it can."""

    waiting: int = 0
    failed: int = 0
    dropped: int = 0
    last_error: str = ""  # of the target that failed last
    last_sent_ms: int = 0
    clock_trusted: bool = True  # DingTalk and Feishu refuse signatures of a clock that is an hour off
    trouble: str = ""
    lines: tuple[NoticeTarget, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesView:
    """The office page. `tested`: the target that was just asked to send a test."""

    bar: Bar
    notices: NoticesState | None = None  # None: no notices.toml
    tested: str = ""
