#!/usr/bin/env python3
"""Receives a school's attendance as CloudEvents (docs/sync-protocol.md, section 9.2). Python's own library only.

    SECRET=whsec_... python3 receive_events.py PORT FILE

Each event becomes one line of JSON in FILE, once, however often it comes. It is on the disk before it is answered: what has
been answered 2xx is not sent again. PORT 0 takes any free one; the first line of the output says which.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = base64.b64decode(os.environ["SECRET"].removeprefix("whsec_"))
PORT, FILE = int(sys.argv[1]), sys.argv[2]
TOO_OLD_S, TOO_LONG = 300, 8 * 1024 * 1024

lines = open(FILE, "a+", encoding="utf-8")
lines.seek(0)
# An event is known by its source and id. A last line that a power cut has halved is written again: it was never answered.
whole = [line for line in lines.read().split("\n")[:-1] if line]
seen = {(event["source"], event["id"]) for event in map(json.loads, whole)}
lines.truncate(sum(len(line.encode()) + 1 for line in whole))
one_at_a_time = threading.Lock()


def is_signed(headers, body):
    """Standard Webhooks: HMAC-SHA256 over id.time.body, in base64; several signatures may stand there, a space between."""
    name, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "0")
    if not at.isdigit() or abs(time.time() - int(at)) > TOO_OLD_S:
        return False
    mine = hmac.new(SECRET, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    wanted = "v1," + base64.b64encode(mine).decode()
    return any(hmac.compare_digest(wanted, one) for one in headers.get("webhook-signature", "").split())


class Receiver(BaseHTTPRequestHandler):
    def do_OPTIONS(self):  # CloudEvents' handshake: yes, we want them
        self.send_response(204)
        self.send_header("WebHook-Allowed-Origin", self.headers.get("WebHook-Request-Origin", "*"))
        self.end_headers()

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > TOO_LONG:
            return self.answer(413)
        body = self.rfile.read(length)
        if not is_signed(self.headers, body):
            return self.answer(401)  # waited out: nothing is lost while the secrets differ
        try:
            found = json.loads(body)
        except ValueError:
            return self.answer(400)
        with one_at_a_time:
            for event in found if isinstance(found, list) else [found]:
                if (event["source"], event["id"]) not in seen:
                    lines.write(json.dumps(event, ensure_ascii=False) + "\n")
                    seen.add((event["source"], event["id"]))
            lines.flush()
            os.fsync(lines.fileno())
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()

    def log_message(self, *words):
        pass


server = ThreadingHTTPServer(("127.0.0.1", PORT), Receiver)
print(server.server_address[1], flush=True)
server.serve_forever()
