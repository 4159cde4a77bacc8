"""ZKTeco push terminals (ADMS): `adms:0.0.0.0:8090?sn=CKP1234567`, where 0.0.0.0:8090 is ours: the terminal calls us.

Several terminals may name the same address. A tap is the terminal's own word for a person (`person`: 学号 or 工号), or a card
that it does not know (`number`). What a terminal stored while it was cut off arrives later, each with the time at which it
happened and a nonce, and is held by the terminal until `taken` says that it is kept. `door=1`: it may open its own door.
The protocol is in `adms_station`, the lines in `adms_lines`. Nothing here retries, logs or decides what a tap means.
"""

from __future__ import annotations

import threading
import time
from typing import Any, ClassVar

from drivers.adms_lines import SERIAL_NUMBER, Tap, open_door_command
from drivers.adms_station import GO_ON, HISTORY, STATIONS, Mailbox, Occupied, Station
from drivers.device_urls import OptionValue, merged_options, split_url
from drivers.errors import DeviceLost, Misconfigured
from drivers.protocols import Assurance, CredentialRead, Info, Reader

OPEN_WAIT_S = 4.0
MAX_READS = 64  # of one poll
PASSWORDS, CARDS, FACES = frozenset({"0"}), frozenset({"2", "3", "4", "200"}), frozenset({"15"})
OTHER_BODY_PARTS = frozenset({"1", "25", "26"})  # finger, palm, vein
UNKNOWN_CARD_EVENT = "27"
GRANTED_EVENTS = frozenset(str(code) for code in range(20))  # the terminal recognised somebody and would open
TERMINAL = "its menu: COMM. > Cloud server settings"


class AdmsTerminal(Reader):
    schemes = ("adms",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {
        "sn": "",
        "delay": 2,  # how often the terminal asks for commands, in seconds
        "silence_s": 30.0,
        "zone": 8,
        "door": 0,
        "history": False,  # ask for everything that the terminal still has, once after each start
    }

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        where = split_url(url)
        settings = merged_options(where, options, defaults=self.option_defaults)
        host, _, port = where.address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise Misconfigured(f"{url} names no address of ours: write adms:0.0.0.0:8090?sn=..., as set in {TERMINAL}")
        sn, delay_s, door = str(settings["sn"]), int(str(settings["delay"])), int(str(settings["door"]))
        if not SERIAL_NUMBER.fullmatch(sn):
            raise Misconfigured(f"adms:{where.address}: sn={sn!r} is no serial number; copy it from the terminal's System info")
        if not 1 <= delay_s <= 30 or not 0 <= door <= 8:
            raise Misconfigured(f"adms:{where.address}: delay= is 1 to 30 s and door= 1 to 8, or 0 for none")
        self._silence_s = float(str(settings["silence_s"]))
        self._where = (host.strip("[]"), int(port))
        self._place = f"{where.address} (terminal {sn})"
        self.doors = (door,) if door else ()
        stamp = HISTORY if settings["history"] else GO_ON
        self._box = Mailbox(sn, delay_s=delay_s, zone_hours=int(str(settings["zone"])), stamp=stamp)
        self._station: Station | None = None
        self._cancelled = threading.Event()

    def open(self) -> Info:
        """Listens, and waits a moment for the terminal's next call."""
        self.close()
        self._cancelled.clear()
        try:
            self._station = STATIONS.attach(*self._where, self._box)
        except Occupied as error:
            why = "another device of this gate, or another program in it, already listens for this serial number"
            raise DeviceLost(f"{self._place}: {why}; remove one of the two") from error
        except (OSError, OverflowError) as error:
            raise DeviceLost(f"{self._place}: cannot listen ({error}); is another program using this port?") from error
        wait_s = min(OPEN_WAIT_S, self._silence_s)
        with self._box.news:
            self._box.news.wait_for(lambda: self._quiet_s() < self._silence_s or self._cancelled.is_set(), wait_s)
        if self._quiet_s() >= self._silence_s:
            self.close()
            raise DeviceLost(f"{self._place}: the terminal does not call; check its power, its cable and {TERMINAL}")
        return Info(model=f"push terminal {self._box.sn}", serial=self._box.sn, capabilities=frozenset({"person", "stored"}))

    def close(self) -> None:
        station, self._station = self._station, None
        if station is not None:
            STATIONS.detach(*self._where, self._box)

    def cancel(self) -> None:
        with self._box.news:
            self._cancelled.set()
            self._box.news.notify_all()

    def poll(self, timeout_s: float) -> list[CredentialRead]:
        if self._station is None:
            raise DeviceLost(f"{self._place} is not open")
        taps = self._box.fetch(timeout_s, MAX_READS, self._cancelled)
        self._cancelled.clear()
        if not taps and self._quiet_s() >= self._silence_s:
            raise DeviceLost(
                f"{self._place}: no call for {self._silence_s:g} s; check its power, its network cable and {TERMINAL}"
            )
        return [read for nonce, tap in taps if (read := self._read(nonce, tap)) is not None]

    def taken(self, read: CredentialRead) -> None:
        self._box.taken(read.nonce)

    def open_door(self, door: int, seconds: float) -> None:
        """The terminal fetches it within `delay` seconds; one that it does not fetch in time is dropped."""
        assert door in self.doors, f"{self.name} has no door {door}"
        self._box.command(open_door_command(door, round(seconds)))

    def detail(self) -> str:
        strangers = self._station.strangers if self._station is not None else {}
        said = [
            f"a terminal with the unknown serial number {sn} calls from {host}: configure it, or take it off this network"
            for sn, host in list(strangers.items())[-1:]
        ]
        if self._box.unreadable:
            said.append(f"{self._box.unreadable} lines could not be read")
        if self._box.trouble:
            said.append(f"{self._box.trouble}: does its firmware open doors on command?")
        return "; ".join(said)

    def _quiet_s(self) -> float:
        return time.monotonic() - self._box.heard_mono_s

    def _read(self, nonce: str, tap: Tap) -> CredentialRead | None:
        """None for an event that is no presentation; the terminal need not keep that."""
        if tap.event and tap.event not in GRANTED_EVENTS and not (tap.event == UNKNOWN_CARD_EVENT and tap.card):
            self._box.taken(nonce)
            return None
        return CredentialRead(
            device=self.name,
            scheme="person" if tap.person else "number",
            value=tap.person or tap.card,
            read_mono_s=time.monotonic(),
            assurance=_assurance(tap),
            presented_at=tap.at,
            nonce=nonce,
        )


def _assurance(tap: Tap) -> Assurance:
    """A code that we do not know may mean a face: then only a family that agreed is recognised by it."""
    if not tap.person or tap.verify in CARDS or not tap.verify:
        return Assurance.UID
    if tap.verify in PASSWORDS:
        return Assurance.PIN
    return Assurance.BODY if tap.verify in OTHER_BODY_PARTS else Assurance.FACE
