"""Robot servers of the three platforms, over real HTTP, as strict as the real ones: signatures, keywords, limits, bans.

The signatures are checked by what the platforms publish, written here a second time; nothing of `kiosk` is used. A message
counts as accepted only where the server answered so.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

HOUR_MS = 3_600_000
TOKEN = "0123-token-of-the-group"
PATHS = {
    "dingtalk": f"/robot/send?access_token={TOKEN}",
    "wecom": f"/cgi-bin/webhook/send?key={TOKEN}",
    "feishu": f"/open-apis/bot/v2/hook/{TOKEN}",
}
FINE = {
    "dingtalk": {"errcode": 0, "errmsg": "ok"},
    "wecom": {"errcode": 0, "errmsg": "ok"},
    "feishu": {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"},
}
SCRIPTED = {"hang", "close", "half", "html", "empty", "500", "redirect", "accept and close"}


class RobotServer:
    """What one robot of one group does. `next(...)`: what it does with the messages to come, then it behaves again.

    A step is a word of SCRIPTED, a platform's code, or (code, words).
    """

    def __init__(self, kind: str, *, secret: str, now_ms: Callable[[], int], keyword: str = "") -> None:
        self.kind, self.secret, self.keyword, self.now_ms = kind, secret, keyword, now_ms
        self.accepted: list[str] = []
        self.refused: list[int | str] = []
        self.asked = threading.Semaphore(0)  # released when a request is in
        self.let_go = threading.Event()  # whoever hangs is let go
        self._script: deque[Any] = deque()
        self._asked_ms: deque[int] = deque()
        self._banned_until_ms = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def link(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{PATHS[self.kind]}"

    def next(self, *steps: Any) -> None:
        assert all(not isinstance(step, str) or step in SCRIPTED for step in steps)
        self._script.extend(steps)

    @contextmanager
    def running(self) -> Iterator[RobotServer]:
        self._thread.start()
        try:
            yield self
        finally:
            self.let_go.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    # --- one message -----------------------------------------------------------------------------------

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *words: object) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                server.asked.release()
                with server._lock:
                    step = server._script.popleft() if server._script else None
                server._answer(self, body, step)

        return Handler

    def _answer(self, request: BaseHTTPRequestHandler, body: dict[str, Any], step: Any) -> None:
        if step == "hang":
            self.let_go.wait()
            request.close_connection = True
        elif step == "close":
            request.close_connection = True
        elif step == "half":
            request.wfile.write(b'HTTP/1.1 200 OK\r\ncontent-length: 200\r\n\r\n{"errcode":0')
            request.close_connection = True
        elif step == "accept and close":
            self._judge(request.path, body)
            request.close_connection = True
        elif step == "html":
            _send(request, 200, b"<html>please sign in</html>")
        elif step == "empty":
            _send(request, 200, b"{}")
        elif step == "500":
            _send(request, 500, json.dumps(FINE[self.kind]).encode())
        elif step == "redirect":
            _send(request, 302, b"", location="/elsewhere")
        elif step is not None:
            code, words = step if isinstance(step, tuple) else (step, "no")
            self.refused.append(code)
            _send(request, 200, json.dumps(self._verdict(code, words)).encode())
        else:
            _send(request, 200, json.dumps(self._judge(request.path, body)).encode())

    def _judge(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            code, words = self._wrong(path, body)
            if code:
                self.refused.append(code)
                return self._verdict(code, words)
            self.accepted.append(_text(self.kind, body))
            return FINE[self.kind]

    def _verdict(self, code: int, words: str) -> dict[str, Any]:
        return {"code": code, "msg": words, "data": {}} if self.kind == "feishu" else {"errcode": code, "errmsg": words}

    def _wrong(self, path: str, body: dict[str, Any]) -> tuple[int, str]:
        if TOKEN not in path:
            return {"dingtalk": 300005, "wecom": 93000, "feishu": 19001}[self.kind], "invalid token"
        if self._too_fast():
            return {"dingtalk": 130101, "wecom": 45009, "feishu": 11232}[self.kind], "send too fast"
        if self.kind == "dingtalk" and self.secret:
            return _dingtalk_wrong(path, self.secret, self.now_ms())
        if self.kind == "feishu" and self.secret:
            return _feishu_wrong(body, self.secret, self.now_ms())
        if self.keyword and self.keyword not in _text(self.kind, body):
            return (310000, "keywords not in content") if self.kind == "dingtalk" else (19024, "Key Words Not Found")
        if self.kind == "wecom" and len(_text(self.kind, body).encode()) > 2048:
            return 93000, "Invalid input : content exceed max length"
        return 0, ""

    def _too_fast(self) -> bool:
        """DingTalk and WeCom 20 a minute, and ten minutes of silence at DingTalk; Feishu 100 a minute and 5 a second."""
        now_ms = self.now_ms()
        if now_ms < self._banned_until_ms:
            return True
        self._asked_ms.append(now_ms)
        minute = sum(at > now_ms - 60_000 for at in self._asked_ms)
        second = sum(at > now_ms - 1_000 for at in self._asked_ms)
        if self.kind == "feishu":
            return minute > 100 or second > 5
        if minute > 20 and self.kind == "dingtalk":
            self._banned_until_ms = now_ms + 600_000
        return minute > 20


def _text(kind: str, body: dict[str, Any]) -> str:
    if kind == "feishu":
        assert body["msg_type"] == "text"
        return str(body["content"]["text"])
    assert body["msgtype"] == "text"
    return str(body["text"]["content"])


def _dingtalk_wrong(path: str, secret: str, now_ms: int) -> tuple[int, str]:
    """The published algorithm: the secret is the key of an HMAC-SHA256 over time, newline, secret; Base64; quoted once."""
    raw = urlsplit(path).query
    query = {key: value for key, _, value in (pair.partition("=") for pair in raw.split("&"))}
    if not query.get("timestamp") or abs(int(query["timestamp"]) - now_ms) > HOUR_MS:
        return 310000, "invalid timestamp"
    string_to_sign = query["timestamp"] + "\n" + secret
    wanted = base64.b64encode(hmac.new(secret.encode(), string_to_sign.encode(), digestmod=hashlib.sha256).digest())
    given = unquote_plus(query.get("sign", ""))
    assert parse_qs(raw)["sign"] == [given]
    return (0, "") if given == wanted.decode() else (310000, "sign not match")


def _feishu_wrong(body: dict[str, Any], secret: str, now_ms: int) -> tuple[int, str]:
    """The published algorithm: time, newline, secret are the key of an HMAC-SHA256 over nothing; Base64; in the body."""
    given = body.get("timestamp")
    wrong = 19021, "sign match fail or timestamp is not within one hour from current time"
    if not isinstance(given, str) or abs(int(given) * 1000 - now_ms) > HOUR_MS:
        return wrong
    key = "{}\n{}".format(given, secret).encode()  # noqa: UP032  # as the platform prints it
    wanted = base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode()
    return (0, "") if body.get("sign") == wanted else wrong


def _send(request: BaseHTTPRequestHandler, status: int, content: bytes, **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("content-type", "application/json")
    request.send_header("content-length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)
