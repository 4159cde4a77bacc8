"""A simulated push terminal (ZKTeco ADMS): a real HTTP client that calls the driver, as the device does.

Physics: it asks for options, then for commands every `Delay` seconds; it sends a tap at once, keeps every tap until it reads
"OK", and sends what it kept, oldest first, when it is heard again. It has a clock of its own. Verbs: `tap`, `tap_card`, `cut_off`
(the network cable: it goes on recognising people), `unplug` (its power: what it stored survives), `replug`, `silence`, `slow`,
`garbage`, `half_frame`, `resend_all` (it forgot what was answered). `doors_opened` counts its own relay.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Self

import httpx

from drivers.adms_lines import decoded

MAX_STORED = 100_000
POST_LINES = 100
ANSWER_S = 12.0
STOP_WAIT_S = 15.0
FIRST_DAY = "2026-09-01 07:30:00"
FACE, CARD, FINGER = "15", "4", "1"
STRANGE_BODIES = (b"\x00\xff\xfe\n\t\t\n=\n", "张三\t昨天\t0\t1\n".encode("gb18030"), b"1\t2026-13-45 99:99:99\t0\t15\n")
RAW_GARBAGE = (b"\x16\x03\x01\x02\x00\x01\x00" + bytes(range(64)), b"GET\r\n\r\n", b"POST /iclock/cdata?SN=%ff HTTP/1.1\r\n\r\n")


@dataclass(frozen=True, slots=True)
class _Stored:
    line: str


class SimulatedAdmsTerminal:
    """`pace` shortens the seconds that the driver asks for, so that a test need not wait for them."""

    verbs: ClassVar[tuple[str, ...]] = (
        "tap", "tap_card", "place", "remove", "cut_off", "unplug", "replug", "silence", "slow", "garbage",
        "half_frame", "resend_all", "set_clock",
    )  # fmt: skip

    def __init__(
        self, *, sn: str = "CKP1234567", host: str = "127.0.0.1", port: int = 0, clock: str = FIRST_DAY,
        pace: float = 1.0, access_firmware: bool = False,
    ) -> None:  # fmt: skip
        self.sn, self.pace, self.access_firmware = sn, pace, access_firmware
        self.set_clock(clock)
        self.host, self.port = host, port or _free_port(host)
        self.doors_opened: list[str] = []
        self.answered = 0  # posts of taps that were answered with OK
        self._stored: list[_Stored] = []
        self._sent = 0  # how many of them were answered with OK
        self._raw: deque[bytes] = deque()
        self._posts: deque[bytes] = deque()
        self._plugged, self._linked, self._silent, self._gap_s = True, True, False, 0.0
        self._delay_s, self._error_delay_s = 5.0, 30.0
        self._ready = False
        self._news = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"adms-{sn}", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """What the gate's settings say: our address, and whom to expect."""
        return f"adms:{self.host}:{self.port}?sn={self.sn}"

    def clock(self) -> str:
        """What it shows now: the time that it was set to, and what has gone by since."""
        set_to, at_s = self._clock
        return (set_to + timedelta(seconds=int(time.monotonic() - at_s))).isoformat(" ")

    # --- verbs ---------------------------------------------------------------------------------------

    def set_clock(self, local_time: str) -> None:
        """Its own clock, as `2026-09-01 07:30:00`. Nobody sets it for it, so it may be wrong."""
        self._clock = (datetime.fromisoformat(local_time), time.monotonic())

    def tap(self, person: str, *, verify: str = CARD, status: str = "0") -> bool:
        """Somebody whom the terminal knows by this number. False without power: it then recognises nobody."""
        if self.access_firmware:
            return self._keep(
                f"time={self.clock()}\tpin={person}\tcardno=0\teventaddr=1\tevent=0\tinoutstatus={status}\tverifytype={verify}"
            )
        return self._keep(f"{person}\t{self.clock()}\t{status}\t{verify}\t0\t0\t0")

    def tap_card(self, card: str) -> bool:
        """A card that it does not know; only access-control firmware says so."""
        return self._keep(f"time={self.clock()}\tpin=0\tcardno={card}\teventaddr=1\tevent=27\tinoutstatus=0\tverifytype=4")

    def place(self, person: str) -> None:
        """Somebody who stays in front of it is recognised once."""
        self.tap(person)

    def remove(self) -> None:
        """Whoever stood there has gone."""

    def cut_off(self, off: bool = True) -> None:
        """The network cable: the terminal goes on by itself and stores what it sees."""
        self._change(_linked=not off)

    def unplug(self) -> None:
        """Its power: it recognises nobody, and what it stored survives."""
        self._change(_plugged=False)

    def replug(self) -> None:
        """Power and cable are back; it introduces itself again."""
        self._change(_plugged=True, _linked=True, _ready=False)

    def silence(self, silent: bool) -> None:
        """It hangs: it calls nobody, whatever it has to say."""
        self._change(_silent=silent)

    def slow(self, byte_gap_s: float) -> None:
        """A slow line: so long for each byte that it sends."""
        self._gap_s = byte_gap_s

    def garbage(self) -> None:
        """Bytes that are no HTTP, and posts that hold no line worth the name."""
        with self._news:
            self._raw.extend(RAW_GARBAGE)
            self._posts.extend(STRANGE_BODIES)
            self._news.notify_all()

    def half_frame(self, person: str) -> None:
        """A post that breaks off in the middle of its line, with the connection."""
        line = f"{person}\t{self.clock()}\t0\t{CARD}\t0\t0\t0\r\n".encode()
        head = (
            f"POST /iclock/cdata?SN={self.sn}&table=ATTLOG HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {len(line)}\r\n\r\n"
        )
        with self._news:
            self._raw.append(head.encode() + line[: len(line) // 2])
            self._news.notify_all()

    def resend_all(self) -> None:
        """Its memory of what was answered is gone: it sends everything again."""
        with self._news:
            self._sent = 0
            self._news.notify_all()

    @property
    def waiting(self) -> int:
        """Taps that nobody has answered with OK."""
        with self._news:
            return len(self._stored) - self._sent

    def wait_until_sent(self, timeout_s: float = 20.0) -> bool:
        with self._news:
            return self._news.wait_for(lambda: len(self._stored) == self._sent, timeout_s)

    def close(self) -> None:
        with self._news:
            self._stopping = True
            self._news.notify_all()
        self._thread.join(STOP_WAIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- inside --------------------------------------------------------------------------------------

    def _keep(self, line: str) -> bool:
        with self._news:
            if not self._plugged:
                return False
            assert len(self._stored) < MAX_STORED, "its memory is full"
            self._stored.append(_Stored(line))
            self._news.notify_all()
            return True

    def _change(self, **states: bool) -> None:
        with self._news:
            for name, value in states.items():
                setattr(self, name, value)
            self._news.notify_all()

    @property
    def _talks(self) -> bool:
        return self._plugged and self._linked and not self._silent

    def _has_news(self) -> bool:
        return self._stopping or bool(self._talks and (self._sent < len(self._stored) or self._raw or self._posts))

    def _run(self) -> None:
        with httpx.Client(base_url=f"http://{self.host}:{self.port}/iclock", timeout=ANSWER_S, trust_env=False) as client:
            wait_s = 0.0
            while True:
                with self._news:
                    self._news.wait_for(self._has_news if self._ready else lambda: self._stopping, wait_s)
                    if self._stopping:
                        return
                    talks = self._talks
                wait_s = self._error_delay_s * self.pace
                if not talks:
                    wait_s = min(wait_s, 0.05)
                    continue
                with contextlib.suppress(httpx.HTTPError, OSError):
                    if self._one_round(client):
                        wait_s = self._delay_s * self.pace

    def _one_round(self, client: httpx.Client) -> bool:
        """What is new goes first, then it asks what it should do. False when it was not answered as it should be."""
        if not self._ready and not self._introduce(client):
            return False
        self._send_noise(client)
        while (batch := self._batch()) and self._talks:
            table = "rtlog" if self.access_firmware else "ATTLOG"
            body = "".join(f"{one.line}\r\n" for one in batch)
            said = self._call(client, "POST", "cdata", body, table=table, Stamp=str(1_000_000 + self._sent + len(batch)))
            if not said.startswith("OK"):
                self._ready = False
                return False
            with self._news:
                self.answered += 1
                self._sent = min(len(self._stored), self._sent + len(batch))
                self._news.notify_all()
        said = self._call(client, "GET", "getrequest")
        for line in said.splitlines():
            self._obey(client, line)
        return bool(said)

    def _introduce(self, client: httpx.Client) -> bool:
        if self.access_firmware:
            self._call(client, "GET", "cdata", options="all", pushver="3.1.2", DeviceType="acc")
            self._call(client, "POST", "registry", "DeviceType=acc")
            said = self._call(client, "POST", "push")
            delay = "RequestDelay"
        else:
            said = self._call(client, "GET", "cdata", options="all", pushver="2.4.1", language="83")
            delay = "Delay"
            if not said.startswith(f"GET OPTION FROM: {self.sn}"):
                return False
        options = dict(line.partition("=")[::2] for line in said.splitlines())
        self._delay_s, self._error_delay_s = float(options.get(delay, 5)), float(options.get("ErrorDelay", 30))
        with self._news:
            if options.get("ATTLOGStamp") == "0":
                self._sent = 0
            self._ready = delay in options
        return self._ready

    def _batch(self) -> list[_Stored]:
        with self._news:
            return self._stored[self._sent : self._sent + POST_LINES]

    def _obey(self, client: httpx.Client, line: str) -> None:
        found = re.fullmatch(r"C:(\d+):(.+)", line)
        if found is None:
            return
        number, command = found.groups()
        if command.startswith("CONTROL DEVICE 01"):
            self.doors_opened.append(command.removeprefix("CONTROL DEVICE "))
        self._call(client, "POST", "devicecmd", f"ID={number}&Return=0&CMD={command.split()[0]}\n")

    def _send_noise(self, client: httpx.Client) -> None:
        while self._raw:
            data = self._raw.popleft()
            with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=ANSWER_S) as wire:
                wire.sendall(data)
        while self._posts:
            self._call(client, "POST", "cdata", self._posts.popleft().decode("latin-1"), table="ATTLOG")

    def _call(self, client: httpx.Client, method: str, path: str, body: str | None = None, **query: str) -> str:
        """The answer's text; "" when it was none. It calls only while it has power, a cable and its wits."""
        if not self._talks:
            return ""
        if self._gap_s:
            time.sleep(min(1.0, self._gap_s * (100 + len(body or ""))))
        content = body.encode("utf-8") if body is not None else None
        answer = client.request(method, f"/{path}", params={"SN": self.sn, **query}, content=content)
        return decoded(answer.content) if answer.status_code == 200 else ""


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
