"""A mail server and a webhook that keep what they accepted, over real sockets."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class MailServer:
    """SMTP in its smallest form. `refuse`: a step (RCPT, DATA, ".") that it answers with 550 instead."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, str, str]] = []  # (receiver, subject, text)
        self.refuse = ""
        outer = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outer._talk(self)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @contextmanager
    def running(self) -> Iterator[MailServer]:
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def _talk(self, peer: socketserver.StreamRequestHandler) -> None:
        def say(line: str) -> None:
            peer.wfile.write(f"{line}\r\n".encode())

        say("220 mail.example.cn")
        receiver = ""
        while line := peer.rfile.readline().decode().strip():
            word = line.split(" ")[0].split(":")[0].upper()
            if word == "RCPT":
                receiver = line.partition("<")[2].partition(">")[0]
            if word == self.refuse:
                say("550 no such mailbox here")
            elif word in ("EHLO", "HELO"):
                say("250 mail.example.cn")
            elif word == "DATA":
                say("354 go on")
                self._take(peer, receiver, say)
            elif word == "QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")

    def _take(self, peer: socketserver.StreamRequestHandler, receiver: str, say: Any) -> None:
        lines = []
        while (line := peer.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        if self.refuse == ".":
            say("550 not wanted")
            return
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        part = mail.get_body(("plain",))
        assert part is not None
        self.accepted.append((receiver, str(mail["subject"]), part.get_content()))
        say("250 taken")


class Webhook:
    """Keeps the JSON of every request that it answers with `status` 200."""

    def __init__(self) -> None:
        self.accepted: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *words: object) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.asked.append(self.path)
                if outer.status == 200:
                    outer.accepted.append(body)
                self.send_response(outer.status)
                self.send_header("location", "/sign-in")
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_POST

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    @contextmanager
    def running(self) -> Iterator[Webhook]:
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
