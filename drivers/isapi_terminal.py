"""Hikvision access terminals: `isapi:http://10.0.0.9:80?user=admin&password_file=/etc/campus-kiosk/terminal&door=1`.

We listen to its stream of alerts, and fetch page by page what it stored while nobody listened. A tap is the terminal's own
word for a person (`person`: 学号 or 工号) or a card that it does not know (`number`). A stored event has the terminal's time and
a nonce; what was not `taken` is fetched again after the next start. A password that was refused is not sent again
(`isapi_client`). The bytes are understood in `isapi_parts`. Nothing here retries, logs or decides what a tap means.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import OrderedDict
from datetime import date, timedelta
from typing import Any, ClassVar

import httpx

from drivers.device_urls import OptionValue, merged_options, split_url
from drivers.errors import DeviceLost, Misconfigured
from drivers.isapi_client import Forbidden, IsapiClient, isapi_address
from drivers.isapi_parts import AccessEvent, PartStream, boundary_of, event_of, field_of, page_of
from drivers.protocols import Assurance, CredentialRead, Info, Reader

STREAM = "/ISAPI/Event/notification/alertStream"
SEARCH = "/ISAPI/AccessControl/AcsEvent?format=json"
PAGE_EVENTS = 30
MAX_WAITING = 512  # events of the stream that nobody has fetched; then the stream is taken up again later
MAX_READS = 64
MAX_TOLD = 20_000
TO_THE_HOUR = 13  # characters of 2026-09-01 07
JOIN_S = 3.0
EVENT_OF_A_PERSON = 5  # major type
CARDS = frozenset({1, 2, 9})  # a card; a card with a password; a card that it does not know
PASSWORDS = frozenset({101, 104})  # with the person's number
FACES = frozenset({57, 60, 75, 77})  # with a password, with a card, alone, with the person's number
OTHER_BODY_PARTS = frozenset({38, 40, 43, 46, 54, 63, 66, 69, 72})  # a finger, alone or with anything else
UNKNOWN_CARD = 9


class IsapiTerminal(Reader):
    schemes = ("isapi",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {
        "user": "",
        "password_file": "",
        "ca_file": "",
        "verify": True,
        "door": 0,
        "silence_s": 30.0,  # it sends a heart-beat every few seconds
        "catch_up_days": 3,
    }

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        where = split_url(url)
        said = merged_options(where, options, defaults=self.option_defaults)
        address = isapi_address(
            url, where.address, user=str(said["user"]), password_file=str(said["password_file"]), ca_file=str(said["ca_file"]),
            verify=bool(said["verify"]),
        )  # fmt: skip
        door, self._days = int(str(said["door"])), int(str(said["catch_up_days"]))
        if not 0 <= door <= 8 or not 0 <= self._days <= 30:
            raise Misconfigured(f"{address.place}: door= is 1 to 8, or 0 for none, and catch_up_days= 0 to 30")
        self.doors = (door,) if door else ()
        self._silence_s = float(str(said["silence_s"]))
        self._asking, self._listening = IsapiClient(address), IsapiClient(address)
        self._place = address.place
        self._serial = ""
        self._missed = 0  # the serial number from which stored events are to be fetched; 0: all of these days
        self._search: dict[str, Any] = {}
        self._searches = self._position = 0
        self._catching_up = False
        self._trouble = ""
        self._waiting: dict[str, int] = {}  # nonce -> serial of what was told and is not kept yet
        self._told: OrderedDict[str, None] = OrderedDict()  # nonces: the stream and a page may tell of the same event
        self._highest = 0
        self._guard = threading.Lock()
        self._heard: queue.Queue[AccessEvent | DeviceLost | None] = queue.Queue(MAX_WAITING)
        self._response: httpx.Response | None = None
        self._thread: threading.Thread | None = None
        self._open = False

    # --- life ------------------------------------------------------------------------------------------

    def open(self) -> Info:
        self.close()
        self._asking.open()
        self._listening.open()
        told = self._asking.ask("GET", "/ISAPI/System/deviceInfo")
        if not told.ok:
            raise DeviceLost(
                f"{self._place} answers /ISAPI with {told.status}; is it a Hikvision device, with ISAPI switched on?"
            )
        self._serial = field_of(told.body, "serialNumber") or self._place
        self._plan_catching_up()
        response = self._listening.send("GET", STREAM, silence_s=self._silence_s)
        boundary = boundary_of(response.headers.get("content-type", ""))
        if not response.is_success or not boundary:
            response.close()
            raise DeviceLost(f"{self._place} sends no stream of alerts ({response.status_code}); update its firmware")
        self._heard = queue.Queue(MAX_WAITING)
        self._response, self._open = response, True
        self._thread = threading.Thread(
            target=self._listen, args=(response, PartStream(boundary), self._heard), name=f"alerts-{self.name}", daemon=True
        )
        self._thread.start()
        model = field_of(told.body, "model") or "ISAPI terminal"
        return Info(model=f"{model} at {self._place}", serial=self._serial, capabilities=frozenset({"person", "stored"}))

    def close(self) -> None:
        was_open, self._open = self._open, False
        response, self._response = self._response, None
        thread, self._thread = self._thread, None
        if response is not None:
            self._listening.hang_up(response)
        if thread is not None:
            thread.join(JOIN_S)
        self._listening.close()
        self._asking.close()
        if was_open:
            self._note_what_is_missing()

    def _note_what_is_missing(self) -> None:
        with self._guard:
            if not self._catching_up and self._highest:
                self._missed = self._highest + 1
            if self._waiting and self._missed:  # nobody kept these: they are to be fetched again
                self._missed = min(self._missed, *self._waiting.values())
            for nonce in self._waiting:
                self._told.pop(nonce, None)
            self._waiting.clear()

    def cancel(self) -> None:
        with contextlib.suppress(queue.Full):  # then poll has something to return with
            self._heard.put_nowait(None)

    def poll(self, timeout_s: float) -> list[CredentialRead]:
        """The stream first: somebody stands there now. A page of what was stored when nobody does."""
        if not self._open:
            raise DeviceLost(f"{self._place} is not open")
        found = self._from_stream(0.0 if self._catching_up else timeout_s)
        if not found and self._catching_up:
            found = self._next_page()
        return [read for event in found if (read := self._read(event)) is not None]

    def taken(self, read: CredentialRead) -> None:
        with self._guard:
            self._waiting.pop(read.nonce, None)

    def open_door(self, door: int, seconds: float) -> None:
        """For as long as the terminal itself is set to."""
        assert door in self.doors, f"{self.name} has no door {door}"
        path = f"/ISAPI/AccessControl/RemoteControl/door/{door}?format=json"
        try:
            answer = self._asking.ask("PUT", path, json={"RemoteControlDoor": {"cmd": "open"}})
        except Forbidden as error:  # it goes on as a reader
            self._trouble = str(error)
            return
        refused = f"it does not open door {door} (it answers {answer.status}): is remote opening allowed?"
        self._trouble = "" if answer.ok else refused

    def detail(self) -> str:
        return self._trouble

    # --- the stream ------------------------------------------------------------------------------------

    def _listen(self, response: httpx.Response, parts: PartStream, heard: queue.Queue[AccessEvent | DeviceLost | None]) -> None:
        """On a thread of its own, until the stream ends. Whatever ended it is the last thing that `poll` finds."""
        why = "closed its stream of alerts"
        try:
            for chunk in response.iter_raw():
                for part in parts.feed(chunk):
                    event = event_of(part)
                    if event is not None:
                        heard.put_nowait(event)
        except httpx.ReadTimeout:
            why = f"was silent for {self._silence_s:g} s"
        except (httpx.HTTPError, OSError, ValueError) as error:
            why = f"was lost ({error or type(error).__name__})"
        except queue.Full:
            why = "told more than could be taken"
        finally:
            response.close()
        heard_last = DeviceLost(f"{self._place} {why}; check its power and network cable")
        while True:
            try:
                heard.put_nowait(heard_last)
                return
            except queue.Full:
                heard.get_nowait()  # it is fetched again by its serial number

    def _from_stream(self, timeout_s: float) -> list[AccessEvent]:
        events: list[AccessEvent] = []
        deadline_s = time.monotonic() + timeout_s
        while len(events) < MAX_READS:
            left_s = 0.0 if events else deadline_s - time.monotonic()
            try:
                found = self._heard.get(timeout=left_s) if left_s > 0 else self._heard.get_nowait()
            except queue.Empty:
                break
            if found is None:  # cancelled
                break
            if isinstance(found, DeviceLost):
                if not events:
                    raise found
                self._heard.put(found)  # it was the last: there is room for it
                break
            events.append(found)
        return events

    # --- what it stored --------------------------------------------------------------------------------

    def _plan_catching_up(self) -> None:
        """Days by the terminal's own calendar; of those, after a break, only what is newer than what was kept."""
        self._catching_up = self._days > 0
        if not self._catching_up:
            return
        answer = self._asking.ask("GET", "/ISAPI/System/time")
        today = field_of(answer.body, "localTime")[:10]
        try:
            first = date.fromisoformat(today) - timedelta(days=self._days - 1)
        except (ValueError, OverflowError) as error:
            raise DeviceLost(f"{self._place} does not tell its time; set it, and its time zone") from error
        self._searches += 1
        self._position, self._search = 0, {
            "searchID": f"{self.name}-{self._searches}", "maxResults": PAGE_EVENTS, "major": EVENT_OF_A_PERSON, "minor": 0,
            "startTime": f"{first.isoformat()}T00:00:00", "endTime": f"{today}T23:59:59",
        }  # fmt: skip
        if self._missed:
            self._search["beginSerialNo"] = self._missed

    def _next_page(self) -> list[AccessEvent]:
        """Firmware that knows no `beginSerialNo` tells more than is wanted. One that tells nothing is named, and listened to."""
        answer = self._asking.ask("POST", SEARCH, json={"AcsEventCond": {**self._search, "searchResultPosition": self._position}})
        try:
            page = page_of(answer.body)
        except ValueError:
            self._trouble = f"it does not tell what it stored (it answers {answer.status}): update its firmware"
            self._catching_up = False
            return []
        self._position += page.rows
        self._catching_up = page.more
        return [event for event in page.events if event.serial >= (self._missed or 0)]

    # --- what an event means ---------------------------------------------------------------------------

    def _read(self, event: AccessEvent) -> CredentialRead | None:
        """None for events that are no presentation: doors, alarms, faces and fingers that were not recognised."""
        with self._guard:
            self._highest = max(self._highest, event.serial)
        assurance = _assurance(event)
        if event.major != EVENT_OF_A_PERSON or assurance is None or not (event.person or event.card):
            return None
        nonce = "|".join((self._serial, str(event.serial), event.at[:TO_THE_HOUR]))  # after a reset it counts from 1 again
        with self._guard:
            if nonce in self._told:
                return None
            self._told[nonce] = None
            self._waiting[nonce] = event.serial
            while len(self._told) > MAX_TOLD:
                self._told.popitem(last=False)
        return CredentialRead(
            device=self.name,
            scheme="person" if event.person else "number",
            value=event.person or event.card,
            read_mono_s=time.monotonic(),
            assurance=assurance,
            presented_at="" if event.live else event.at,
            nonce=nonce,
        )


def _assurance(event: AccessEvent) -> Assurance | None:
    if event.minor in FACES:
        return Assurance.FACE
    if event.minor in OTHER_BODY_PARTS:
        return Assurance.BODY
    if event.minor in PASSWORDS:
        return Assurance.PIN
    return Assurance.UID if event.minor in CARDS and (event.person or event.minor == UNKNOWN_CARD) else None
