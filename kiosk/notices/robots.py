"""DingTalk, WeCom and Feishu group robots: one request each, and a hard look at the answer.

All three answer HTTP 200 to nearly everything, so a message counts as sent only if the body says errcode or code 0. Never
logs or repeats a link: whoever has it can write to the group.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from kiosk.clock import steady_s
from kiosk.notices.pace import Limit
from kiosk.notices.refusals import NotAccepted, refused

TIMEOUT_S: Final = 5.0  # to connect, and for each piece of the answer
ANSWER_WITHIN_S: Final = 10.0  # the whole answer
ANSWER_MAX_BYTES: Final = 64 * 1024
RETRY_AFTER_MOST_S: Final = 15 * 60.0
LIMITS: Final[dict[str, tuple[Limit, ...]]] = {
    "dingtalk": (Limit(18, 60.0),),  # 20 a minute, then ten minutes of silence
    "wecom": (Limit(18, 60.0),),  # 20 a minute
    "feishu": (Limit(90, 60.0), Limit(4, 1.0)),  # 100 a minute, 5 a second
}
MAX_BYTES: Final = {"dingtalk": 15_000, "wecom": 2_048, "feishu": 15_000}  # of text
_CODE_KEY: Final = {"dingtalk": "errcode", "wecom": "errcode", "feishu": "code"}
_WORDS_KEY: Final = {"dingtalk": "errmsg", "wecom": "errmsg", "feishu": "msg"}

logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it writes every address, and with it the robot's token


def dingtalk_sign(secret: str, at_ms: int) -> str:
    """As it stands in the address: quoted once."""
    digest = hmac.digest(secret.encode(), f"{at_ms}\n{secret}".encode(), "sha256")
    return quote(base64.b64encode(digest), safe="")


def feishu_sign(secret: str, at_s: int) -> str:
    """The other way round than DingTalk: time and secret are the key, and nothing is signed."""
    return base64.b64encode(hmac.digest(f"{at_s}\n{secret}".encode(), b"", "sha256")).decode()


def _dingtalk(link: str, secret: str, text: str, at_ms: int) -> tuple[str, dict[str, Any]]:
    url = f"{link}&timestamp={at_ms}&sign={dingtalk_sign(secret, at_ms)}" if secret else link
    return url, {"msgtype": "text", "text": {"content": text}}


def _wecom(link: str, secret: str, text: str, at_ms: int) -> tuple[str, dict[str, Any]]:
    return link, {"msgtype": "text", "text": {"content": text}}


def _feishu(link: str, secret: str, text: str, at_ms: int) -> tuple[str, dict[str, Any]]:
    at_s = at_ms // 1000
    signed = {"timestamp": str(at_s), "sign": feishu_sign(secret, at_s)} if secret else {}
    return link, {**signed, "msg_type": "text", "content": {"text": text}}


_REQUESTS: Final[dict[str, Callable[[str, str, str, int], tuple[str, dict[str, Any]]]]] = {
    "dingtalk": _dingtalk,
    "wecom": _wecom,
    "feishu": _feishu,
}


class Robot:
    """One robot of one group. `stamp_ms` is the real time: the platforms refuse a signature that is an hour off."""

    def __init__(self, *, kind: str, link: str, secret: str, stamp_ms: Callable[[], int]) -> None:
        self.kind, self._link, self._secret, self._stamp_ms = kind, link, secret, stamp_ms

    def send(self, text: str) -> None:
        """Returns when the platform took the text. Raises NotAccepted. Blocks some seconds at most."""
        url, body = _REQUESTS[self.kind](self._link, self._secret, text, self._stamp_ms())
        status, headers, content = _post(url, body)
        if status != 200:
            raise _http_refusal(status, headers)
        answer = _answer(content)
        code = answer.get(_CODE_KEY[self.kind])
        if type(code) is not int:
            raise NotAccepted("回答里没有结果代码，请核对 link", "the answer has no result code: check link")
        if code != 0:
            raise refused(self.kind, code, str(answer.get(_WORDS_KEY[self.kind], "")))


def _post(url: str, body: dict[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
    """A connection of its own for each message: one that the other side closed meanwhile would leave it in doubt."""
    import httpx  # a gate without robots does without it

    until_s = steady_s() + ANSWER_WITHIN_S
    content = bytearray()
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client,
            client.stream("POST", url, json=body) as response,
        ):
            for piece in response.iter_bytes():
                content += piece
                if len(content) > ANSWER_MAX_BYTES:
                    raise NotAccepted("回答过长，请核对 link", "the answer is too long: check link", twice=True)
                if steady_s() > until_s:
                    raise NotAccepted("没有在时限内答完", "it did not finish its answer in time", twice=True)
            return response.status_code, response.headers, bytes(content)
    except httpx.ConnectTimeout as error:
        raise NotAccepted("连接超时，请检查外网", "no connection in time: check the way out of the school's network") from error
    except httpx.ConnectError as error:
        raise NotAccepted("连不上，请检查外网和 link", "cannot be reached: check the network and link") from error
    except httpx.TimeoutException as error:
        raise NotAccepted("没有在时限内回答", "it did not answer in time", twice=True) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotAccepted("连接中断", "the connection broke off", twice=True) from error


def _http_refusal(status: int, headers: Mapping[str, str]) -> NotAccepted:
    given = headers.get("retry-after", "")
    hold_s = min(float(given), RETRY_AFTER_MOST_S) if given.isascii() and given.isdigit() else 0.0
    passed_on = status in (502, 504)  # somebody in between lost the answer
    return NotAccepted(f"HTTP {status}", f"HTTP {status}", code=f"HTTP {status}", hold_s=hold_s, twice=passed_on)


def _answer(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotAccepted("回答不是机器人的格式，请核对 link", "the answer is not a robot's: check link")
    return found
