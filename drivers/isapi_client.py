"""Ask a Hikvision device over HTTP with its password (Digest): the terminals and the still cameras share this.

Five wrong passwords lock the device's administrator out for half an hour, so a password that was refused is never sent
again: it is remembered for the whole process until the password file is written anew. While a password is not proven yet,
one request at a time sends it. A password is never part of a sentence, an address or a log line. Every answer is bounded.
This module knows no event, no door and no picture.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from drivers.errors import DeviceLost, Misconfigured

CONNECT_S = 3.0
ANSWER_S = 4.0
MAX_ANSWER_BYTES = 1_024 * 1_024
MAX_PASSWORD_BYTES = 256


class Forbidden(Misconfigured):
    """The user is who it says, and may not do this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsapiAddress:
    """Where a device is, and who we are to it. `ca_file`: whom to believe that it is the device, "" the system's authorities."""

    base: str  # http://10.0.0.9:80, without a path
    user: str
    password_file: Path
    ca_file: str = ""
    verify: bool = True

    @property
    def place(self) -> str:
        """For sentences: scheme, host and port."""
        return self.base


def isapi_address(
    url: str, address: str, *, user: str, password_file: str, ca_file: str = "", verify: bool = True
) -> IsapiAddress:
    """Checks what a device URL says. Raises Misconfigured; `url` is only named in its sentences."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise Misconfigured(
            f"{_tame(url)} names no device: write isapi:http://10.0.0.9:80?user=admin&password_file=/path/to/file"
        )
    if parts.username is not None or parts.password is not None:
        raise Misconfigured(f"{parts.hostname}: no user and password before the host; write user= and password_file=")
    if not user or not password_file:
        raise Misconfigured(f"{parts.hostname}: say who we are to it, with user= and password_file=")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return IsapiAddress(
        base=f"{parts.scheme}://{host}" + (f":{port}" if port else ""), user=user, password_file=Path(password_file),
        ca_file=ca_file, verify=verify,
    )  # fmt: skip


def _tame(url: str) -> str:
    """An address that cannot be understood may have anything in it, a password too."""
    return url.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    kind: str
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class RefusedPasswords:
    """Which password a device refused, and which it took; digests only. Shared by everything that asks the same device."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._guard = threading.Lock()
        self._turns: dict[tuple[str, str], threading.RLock] = {}
        self._refused: dict[tuple[str, str], bytes] = {}
        self._taken: dict[tuple[str, str], bytes] = {}

    def digest(self, password: str, written_ns: int) -> bytes:
        """Writing the file again, even with the same password, is a person's word that it may be tried again."""
        return hashlib.blake2b(f"{written_ns}|{password}".encode(), key=self._key, digest_size=16).digest()

    @contextlib.contextmanager
    def turn(self, who: tuple[str, str], digest: bytes) -> Iterator[bool]:
        """Gives whether this password may be sent. An unproven one has the device for itself meanwhile."""
        with self._guard:
            proven = self._taken.get(who) == digest
            turn = self._turns.setdefault(who, threading.RLock())
        if proven:
            yield True
            return
        with turn:
            yield self._refused.get(who) != digest

    def refused(self, who: tuple[str, str], digest: bytes) -> None:
        with self._guard:
            self._refused[who] = digest
            self._taken.pop(who, None)

    def taken(self, who: tuple[str, str], digest: bytes) -> None:
        with self._guard:
            self._taken[who] = digest


REMEMBERED = RefusedPasswords()


class IsapiClient:
    """Requests to one device. Not for several threads at once, but for `hang_up`, which ends a stream from outside."""

    def __init__(self, address: IsapiAddress, *, remembered: RefusedPasswords = REMEMBERED) -> None:
        self.address = address
        self._remembered = remembered
        self._client: httpx.Client | None = None
        self._digest = b""
        self._who = (address.base, address.user)

    def open(self) -> None:
        """Reads the password and connects to nothing yet. Raises Misconfigured."""
        self.close()
        password, written_ns = self._password()
        self._digest = self._remembered.digest(password, written_ns)
        verify = self._trust()
        self._client = httpx.Client(
            base_url=self.address.base, auth=httpx.DigestAuth(self.address.user, password), verify=verify, trust_env=False,
            follow_redirects=False, timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
        )  # fmt: skip

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(httpx.HTTPError, OSError):
                client.close()

    def ask(
        self, method: str, path: str, *, json: object = None, content: bytes | None = None, max_bytes: int = MAX_ANSWER_BYTES
    ) -> Answer:
        """One request and its whole answer. Raises DeviceLost, and Misconfigured for a refused password or permission."""
        response = self.send(method, path, json=json, content=content)
        try:
            body = bytearray()
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > max_bytes:
                    raise DeviceLost(f"{self.address.place}: the answer to {path} does not end; restart the device")
        except httpx.HTTPError as error:
            raise self._lost(error) from error
        finally:
            response.close()
        return Answer(response.status_code, response.headers.get("content-type", "").lower(), bytes(body))

    def send(
        self, method: str, path: str, *, json: object = None, content: bytes | None = None, silence_s: float = ANSWER_S
    ) -> httpx.Response:
        """A request whose answer is read by the caller, who closes it. `silence_s`: how long the body may pause."""
        if self._client is None:
            raise DeviceLost(f"{self.address.place} is not open")
        request = self._client.build_request(
            method, path, json=json, content=content, timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S, read=silence_s)
        )
        with self._remembered.turn(self._who, self._digest) as may_be_sent:
            if not may_be_sent:
                raise self._refusal()
            try:
                response = self._client.send(request, stream=True)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise self._lost(error) from error
            return self._checked(response, path)

    def hang_up(self, response: httpx.Response) -> None:
        """Thread-safe: a thread that waits for more of this answer wakes up."""
        stream = response.extensions.get("network_stream")
        handle = stream.get_extra_info("socket") if stream is not None else None
        if handle is not None:
            with contextlib.suppress(OSError):
                handle.shutdown(2)

    def _checked(self, response: httpx.Response, path: str) -> httpx.Response:
        status = response.status_code
        if status == 401:
            response.close()
            if "authorization" not in response.request.headers:
                raise Misconfigured(f"{self.address.place} does not ask for Digest: set its web authentication to digest")
            self._remembered.refused(self._who, self._digest)
            raise self._refusal()
        self._remembered.taken(self._who, self._digest)
        if status == 403:
            response.close()
            raise Forbidden(f"{self.address.place}: {self.address.user} may not use {path}; give that user the permission")
        if status >= 500:
            response.close()
            raise DeviceLost(f"{self.address.place} answers {path} with {status}; it may be starting, else restart it")
        return response

    def _refusal(self) -> Misconfigured:
        return Misconfigured(
            f"{self.address.place} refused the password of {self.address.user}; it is not sent again, because five wrong ones "
            f"lock the device: write the right one into {self.address.password_file}"
        )

    def _lost(self, error: Exception) -> DeviceLost:
        what = str(error) or type(error).__name__
        return DeviceLost(f"{self.address.place} does not answer ({what}); check its power and network cable")

    def _password(self) -> tuple[str, int]:
        path = self.address.password_file
        try:
            written_ns = path.stat().st_mtime_ns
            with path.open("rb") as file:
                text = file.read(MAX_PASSWORD_BYTES + 1)
        except OSError as error:
            why = f"{path} cannot be read ({error.strerror}); put the password there"
            raise Misconfigured(f"{self.address.place}: {why}") from error
        try:
            password = text.decode("utf-8").splitlines()[0].strip()
        except (UnicodeDecodeError, IndexError):
            password = ""
        if not password or len(text) > MAX_PASSWORD_BYTES:
            raise Misconfigured(f"{self.address.place}: the first line of {path} is no password; write it there")
        return password, written_ns

    def _trust(self) -> bool | str:
        if not self.address.verify:
            return False
        if self.address.ca_file and not Path(self.address.ca_file).is_file():
            raise Misconfigured(f"{self.address.place}: ca_file={self.address.ca_file} is not there; export it from the device")
        return self.address.ca_file or True
