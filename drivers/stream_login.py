"""Whether a stream camera takes the password in its address: asked once before FFMPEG is, which only says that it failed.

Cameras lock the account after some five wrong passwords, for the recorder and for everybody, and a supervisor tries often.
So a refused password is not sent again for an hour. RTSP and plain HTTP, Digest with MD5 and Basic, which is what FFMPEG
knows; anything that is not understood is left to FFMPEG. Nothing here shows, logs or keeps a password elsewhere.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import secrets
import socket
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from drivers.errors import Misconfigured

ASKED_AGAIN_S = 3600.0
ANSWER_S = 2.0
MAX_HEAD_BYTES = 16 * 1024
PORTS = {"rtsp": 554, "http": 80}
_STATUS = re.compile(rb"(?:RTSP|HTTP)/\d\.\d (\d{3})\b")
_CHALLENGE = re.compile(r"^www-authenticate:[ \t]*(\w+)[ \t]*(.*)$", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,9})", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


class Told(NamedTuple):
    """An answer of the camera. challenges: scheme in lower case -> its fields."""

    status: int
    challenges: Mapping[str, Mapping[str, str]]


class StreamLogin:
    """The password of one camera. `require` may be called from one thread at a time."""

    def __init__(self, url: str, shown: str) -> None:
        self._url, self._shown = url, shown
        self._refused_mono_s: float | None = None

    def require(self) -> None:
        """Raises Misconfigured when the camera refuses the password, or did lately. Silent about anything else."""
        if not _names_a_user(self._url):
            return
        if self._refused_mono_s is None or time.monotonic() - self._refused_mono_s > ASKED_AGAIN_S:
            self._refused_mono_s = time.monotonic() if _refuses(self._url) else None
        if self._refused_mono_s is not None:
            raise Misconfigured(
                f"{self._shown} refuses the user name or the password: correct the address of the camera and start kiosk again; "
                "it is not sent again for an hour, since cameras lock the account after a few wrong ones"
            )


def _names_a_user(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in PORTS and bool(parts.username)


def _refuses(url: str) -> bool:
    """Asks without the password, and with it when it is asked for. False when that cannot be found out."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    is_rtsp = parts.scheme == "rtsp"
    method, version = ("DESCRIBE", "RTSP/1.0") if is_rtsp else ("GET", "HTTP/1.1")
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    uri = f"rtsp://{place}{path}" if is_rtsp else path
    user, password = unquote(parts.username or ""), unquote(parts.password or "")

    def question(number: int, login: str) -> bytes:
        lines = [f"{method} {uri} {version}", f"CSeq: {number}" if is_rtsp else f"Host: {place}"]
        lines += ["Accept: application/sdp"] if is_rtsp else ["Connection: close"]
        lines += [f"Authorization: {login}"] if login else []
        return "\r\n".join([*lines, "", ""]).encode("utf-8")

    with contextlib.suppress(OSError), contextlib.ExitStack() as lines:
        line = lines.enter_context(socket.create_connection((host, port), ANSWER_S))
        first = _asked(line, question(1, ""))
        login = login_for(first, method=method, uri=uri, user=user, password=password)
        if first.status != 401 or not login:
            return False
        if not is_rtsp:  # in RTSP what a camera asks with may hold for its connection only
            line = lines.enter_context(socket.create_connection((host, port), ANSWER_S))
        second = _asked(line, question(2, login))
        return second.status == 401 and second.challenges.get("digest", {}).get("stale", "").lower() != "true"
    return False


def _asked(line: socket.socket, question: bytes) -> Told:
    """The answer up to the empty line; the text of a refusal is read over, a stream is left where it begins."""
    line.sendall(question)
    data, give_up_s = b"", time.monotonic() + ANSWER_S
    while time.monotonic() < give_up_s and len(data) < MAX_HEAD_BYTES:
        head, ended, rest = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if ended and (told(head).status != 401 or length is None or len(rest) >= int(length[1])):
            break
        more = line.recv(MAX_HEAD_BYTES)
        if not more:
            break
        data += more
    return told(data.partition(b"\r\n\r\n")[0])


def told(head: bytes) -> Told:
    """Any bytes at all; status 0 for what is no answer."""
    status = _STATUS.match(head)
    challenges = {
        scheme.lower(): {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(rest)}
        for scheme, rest in _CHALLENGE.findall(head.decode("utf-8", "replace").replace("\r", ""))
    }
    return Told(int(status[1]) if status else 0, challenges)


def login_for(answer: Told, *, method: str, uri: str, user: str, password: str) -> str:
    """The Authorization that is asked for; "" when it is of a kind that is not known."""
    digest = answer.challenges.get("digest")
    if digest is not None and digest.get("algorithm", "MD5").upper() == "MD5" and "nonce" in digest:
        return _digest(digest, method=method, uri=uri, user=user, password=password)
    if "basic" in answer.challenges:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return ""


def _digest(asked: Mapping[str, str], *, method: str, uri: str, user: str, password: str) -> str:
    realm, nonce = asked.get("realm", ""), asked["nonce"]
    first, second = _md5(f"{user}:{realm}:{password}"), _md5(f"{method}:{uri}")
    fields = f'username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}"'
    if "auth" in asked.get("qop", "").split(","):
        cnonce = secrets.token_hex(8)
        response = _md5(f"{first}:{nonce}:00000001:{cnonce}:auth:{second}")
        fields += f', qop=auth, nc=00000001, cnonce="{cnonce}"'
    else:
        response = _md5(f"{first}:{nonce}:{second}")
    fields += f', response="{response}"'
    return "Digest " + fields + (f', opaque="{asked["opaque"]}"' if asked.get("opaque") else "")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()
