"""E-mail and webhooks, through apprise. Never used for the group robots: its plugins for them report success on refusals.

Imported only where a target needs it, because apprise takes half a second to load.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from kiosk.notices.pace import Limit
from kiosk.notices.refusals import WORDS_MAX, NotAccepted

if TYPE_CHECKING:
    from apprise import NotifyBase

CALL_S: Final = 20.0  # one message in all: mail takes several steps
STEP_S: Final = 5.0  # each connection and each answer
_CAUSE: Final = "Socket Exception: "  # how apprise's debug log begins a cause
LIMITS: Final[dict[str, tuple[Limit, ...]]] = {"email": (Limit(10, 60.0),), "webhook": (Limit(60, 60.0),)}
MAX_BYTES: Final = {"email": 30_000, "webhook": 30_000}
SCHEMES: Final = {"email": ("mailto", "mailtos"), "webhook": ("json", "jsons", "xml", "xmls", "form", "forms")}


class Unusable(ValueError):
    """The address cannot be used: (Chinese, English)."""


def service(kind: str, link: str) -> NotifyBase:
    """The apprise service behind an address. Raises Unusable."""
    import apprise

    if link.partition(":")[0].lower() not in SCHEMES[kind]:
        ways = ", ".join(f"{scheme}://" for scheme in SCHEMES[kind])
        raise Unusable(f"应以 {ways} 之一开头", f"must begin with one of {ways}")
    try:
        found: Any = apprise.Apprise.instantiate(link)
    except (TypeError, ValueError) as error:  # apprise raises both for what it cannot read
        raise Unusable("apprise 不认识这个地址", "apprise does not understand this address") from error
    if not isinstance(found, apprise.NotifyBase):
        raise Unusable("apprise 不认识这个地址", "apprise does not understand this address")
    _one_receiver(found)
    found.socket_connect_timeout = found.socket_read_timeout = STEP_S
    found.redirects = False
    return found


def _one_receiver(found: Any) -> None:
    """With two, one refusal would send the message to the other one again."""
    receivers = [*getattr(found, "targets", ()), *getattr(found, "cc", ()), *getattr(found, "bcc", ())]
    if len(receivers) > 1:
        raise Unusable("一个 [[target]] 只写一个收件人，请分开写", "one receiver for each [[target]]: write another one")


class AppriseWay:
    """One mailbox or one webhook."""

    def __init__(self, *, kind: str, link: str, subject: str) -> None:
        self.kind, self._link, self._subject = kind, link, subject

    def send(self, text: str) -> None:
        """Returns when the mail server or the webhook took it. Raises NotAccepted."""
        import apprise

        _overhear()
        said: list[str] = []
        sender = apprise.Apprise()
        sender.add(service(self.kind, self._link))  # a new one each time: apprise sleeps between two messages of one
        result = sender.notify(
            body=text, title=self._subject, body_format="text", timeout=CALL_S,
            log_callback=lambda entry, _: said.append(self._words(entry)), log_level=logging.DEBUG,
        )  # fmt: skip
        if result.status == apprise.AppriseResultStatus.SUCCESS and result.success_count == 1:
            return
        if result.status == apprise.AppriseResultStatus.TIMEOUT:
            raise NotAccepted("没有在时限内完成", "it did not finish in time", twice=True)
        words = "；".join(dict.fromkeys(word for word in said if word))[:WORDS_MAX] or result.status.name
        raise NotAccepted(f"未送达：{words}", f"not taken: {words}", code=result.status.name)

    def _words(self, entry: Any) -> str:
        """What went wrong; "" for what is no trouble. A webhook's debug line would show its path, which may be a password."""
        text = str(entry.message)
        if entry.level in ("WARNING", "ERROR", "CRITICAL"):
            return text
        if self.kind != "email" or not text.startswith(_CAUSE):
            return ""
        return text.removeprefix(_CAUSE)


def _overhear() -> None:
    """apprise says why only in its debug log. That log has addresses in it, so it goes nowhere else."""
    log = logging.getLogger("apprise")
    log.setLevel(logging.DEBUG)
    log.propagate = False
