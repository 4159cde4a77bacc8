"""UHF long-range readers of the R2000 family: `uhf:/dev/serial/by-id/...?baud=115200&rssi=-65`.

Such a reader hears every tag within metres, through a satchel: it says which tags are near, never that somebody wanted to
come in, and not which child carries the tag. `rssi` (dBm) leaves out what is heard more faintly: that is how the lane beside
is kept out. Asked for one inventory after another, it gives the EPC of each tag as `uid`, once for each stay in its field.

The bytes are understood in `uhf_frames`. Nothing here retries, logs or decides what a tag may do, and no tag is written to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any, ClassVar

from drivers.device_urls import OptionValue, merged_options, split_url, tty_path
from drivers.errors import DeviceLost, Misconfigured
from drivers.presence import PresenceFilter
from drivers.protocols import CredentialRead, Info, Reader
from drivers.serial_port import SerialPort, stable_tty_paths
from drivers.uhf_frames import (
    ANTENNA_MISSING,
    ERRORS,
    GET_FIRMWARE,
    INVENTORY,
    Tag,
    UhfFrame,
    UhfFrames,
    ends_round,
    error_of,
    tag_of,
    uhf_frame,
)

ABSENT_S = 3.0  # a tag behind a body is missed for a second or two; so long it has gone
IN_THE_FIELD = 256  # tags at once: two classes walk through together
ANSWER_WAIT_S = 0.4  # for the next frame of a round; a round over one antenna takes 30 to 100 ms
ROUND_S = 1.5  # a round is cut off then, however many tags there are: the next one hears the others
ROUND_PAUSE_S = 0.02
UNANSWERED_LIMIT = 3
ONE_ROUND = b"\x01"


class UhfReader(Reader):
    schemes = ("uhf",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {"baud": 115200, "address": 1, "rssi": -90}

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        where = split_url(url)
        settings = merged_options(where, options, defaults=self.option_defaults)
        self._address, self._rssi_dbm = int(str(settings["address"])), int(str(settings["rssi"]))
        if not 0 <= self._address <= 0xFF:
            raise Misconfigured(f"{url}: address={self._address} is impossible; a reader has 0 to 254, and 255 is any reader")
        if not -129 <= self._rssi_dbm <= 0:
            raise Misconfigured(f"{url}: rssi={self._rssi_dbm} is impossible; write dBm, such as rssi=-65")
        self._port = SerialPort(tty_path(where), baud=int(str(settings["baud"])))
        self._frames = UhfFrames()
        self._presence = PresenceFilter(absent_s=ABSENT_S, tracked=IN_THE_FIELD)
        self._cancelled = threading.Event()
        self._unanswered = 0

    @classmethod
    def discover(cls) -> Iterable[str]:
        """A serial adapter does not say what hangs on it: each is a candidate."""
        return [f"uhf:{path}" for path in stable_tty_paths()]

    def open(self) -> Info:
        self._port.open()
        self._presence = PresenceFilter(absent_s=ABSENT_S, tracked=IN_THE_FIELD)
        self._cancelled.clear()
        self._unanswered = 0
        for _ in range(UNANSWERED_LIMIT):  # it may still be waking up
            for frame in self._ask(GET_FIRMWARE):
                if frame.command == GET_FIRMWARE and len(frame.data) == 2:
                    firmware = f"{frame.data[0]}.{frame.data[1]}"
                    return Info(model=f"UHF reader, firmware {firmware}, on {self._port.path}", capabilities=frozenset({"uid"}))
        self.close()
        raise DeviceLost(f"{self._port.path}: no UHF reader answers; check its power, baud= and address=")

    def close(self) -> None:
        self._port.close()

    def cancel(self) -> None:
        self._cancelled.set()
        self._port.cancel()

    def poll(self, timeout_s: float) -> list[CredentialRead]:
        """A round that was begun is heard to its end, whatever the time: what nobody hears is a lost tag."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            reads = self._reads(self._round())
            paused = not reads and not self._cancelled.wait(ROUND_PAUSE_S)  # always: one that answers at once would be a spin
            if not paused or deadline_s - time.monotonic() < ANSWER_WAIT_S:
                self._cancelled.clear()
                return reads

    def _round(self) -> list[Tag]:
        """One inventory. Raises DeviceLost when the reader has no antenna, or says nothing several times in a row."""
        frames = list(self._ask(INVENTORY, ONE_ROUND))
        for error in filter(None, map(error_of, frames)):
            if error == ANTENNA_MISSING:
                raise DeviceLost(f"{self._port.path}: {ERRORS[error]}; screw on the antenna's cable")
        self._unanswered = 0 if frames else self._unanswered + 1
        if self._unanswered >= UNANSWERED_LIMIT:
            raise DeviceLost(f"{self._port.path}: the UHF reader no longer answers; check its power and cable")
        return [tag for frame in frames if (tag := tag_of(frame)) is not None and tag.rssi_dbm >= self._rssi_dbm]

    def _ask(self, command: int, data: bytes = b"") -> Iterable[UhfFrame]:
        """The answers, until one that is the last of its kind or a silence."""
        self._frames.reset()
        self._port.drain()  # a late answer belongs to the question before
        self._port.write(uhf_frame(command, data, address=self._address))
        give_up_s = time.monotonic() + ROUND_S
        wait_until_s = time.monotonic() + ANSWER_WAIT_S
        while (left_s := min(wait_until_s, give_up_s) - time.monotonic()) > 0:
            for frame in self._frames.feed(self._port.read(left_s)):
                wait_until_s = time.monotonic() + ANSWER_WAIT_S
                yield frame
                if frame.command == command and (command != INVENTORY or ends_round(frame) or error_of(frame)):
                    return

    def _reads(self, tags: Iterable[Tag]) -> list[CredentialRead]:
        now_s = time.monotonic()
        return [
            CredentialRead(
                device=self.name, scheme="uid", value=tag.epc, read_mono_s=now_s,
                evidence={"technology": "EPC", "antenna": tag.antenna, "rssi_dbm": tag.rssi_dbm},
            )
            for tag in tags
            if self._presence.is_new(tag.epc, now_s=now_s)
        ]  # fmt: skip
