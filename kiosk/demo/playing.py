"""Playing the script: each event becomes a tap on a simulated device or a press on a page."""

from __future__ import annotations

import argparse
import json
import logging
import random
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime

import httpx

from drivers.simulated.bench_rack import TakesCards
from kiosk.core.people import CardState, Role
from kiosk.core.timetable import day_book
from kiosk.demo.script import Event, Script
from kiosk.demo.staff import Staff, pins_of
from kiosk.demo.stage import READERS, SCANNERS, DemoError, Stage, raised
from kiosk.directory import load

log = logging.getLogger("kiosk.demo")

HANDS = 8  # people who do something at the same moment
DESKS = {"east": "east-desk-nfc", "south": "south-desk-7941"}
CLAIMS = re.compile(r'data-item-kind="claim" data-queue-id="([^"]+)"')
CHECKS = ["photo", "child_recognises", "call_back", "id_seen"]


def play(options: argparse.Namespace) -> int:
    """Raises DemoError. Ends with Ctrl-C, or when the day is over and somebody presses it."""
    try:
        start = f"{date.fromisoformat(options.day)}T{options.start}+08:00"
        datetime.fromisoformat(start)
    except ValueError as error:
        raise DemoError(f"--day {options.day} --start {options.start} is no date and time; write 2026-11-23 and 07:05") from error
    logging.getLogger("httpx").setLevel(logging.WARNING)
    for sign in (signal.SIGINT, signal.SIGTERM):  # also where a shell started us with SIGINT ignored
        signal.signal(sign, signal.default_int_handler)
    print("setting up the sample school …", file=sys.stderr, flush=True)
    with raised(options.state, port=options.port, keep=options.keep, start=start, speed=options.speed) as stage:
        player = Player(stage, date.fromisoformat(options.day), options.seed)
        stage.write_note(player.sign_ins())
        _greet(stage, player)
        stop = threading.Event()
        try:
            if not options.quiet_day:
                player.run(stop)
            stop.wait()
        except KeyboardInterrupt:
            print("\nstopping …", file=sys.stderr)
        finally:
            stop.set()
            player.close()
    return 0


def _greet(stage: Stage, player: Player) -> None:
    print(f"{stage.url}/  (school server: http://127.0.0.1:{stage.server_port}/)", flush=True)
    for sign_in in player.sign_ins()[:4]:
        print(f"  {sign_in['role']}: {sign_in['staff_number']}  PIN {sign_in['pin']}", flush=True)


class Player:
    """The cast: pupils with their cards, staff with their tablets."""

    def __init__(self, stage: Stage, day: date, seed: int) -> None:
        self.stage = stage
        self.directory = load(stage.gate_state / "directory.db")
        settings = stage.settings
        self.book = day_book(
            day, settings.calendar, settings.plan, self.directory, release_window_min=settings.release_window_min
        )
        arrivals, people = settings.find("arrivals.csv"), settings.find("people")
        assert arrivals is not None and people is not None
        self.script = Script(self.directory, self.book, arrivals, seed)
        self.staff = Staff(stage.url, pins_of(people))
        self.api = httpx.Client(base_url=stage.url, timeout=20, trust_env=False, headers={"X-Device-Key": stage.device_key})
        self.chance = random.Random(seed + 1)
        self.hands = ThreadPoolExecutor(HANDS, thread_name_prefix="hand")
        self._card_of = {
            card.holder: card.uid for cards in self.directory.cards.values() for card in cards if card.state is CardState.ACTIVE
        }
        self._device_locks = {name: threading.Lock() for name in READERS}
        self._rooms = {p.room: p.id for p in settings.rules.access_points.values() if p.kind == "room"}
        self.failures = 0

    def sign_ins(self) -> list[dict[str, str]]:
        """One of each role first, then everybody."""
        rows = [
            {"role": "/".join(sorted(r.value for r in s.roles)), "staff_number": s.staff_number, "name": s.name, "pin": pin}
            for s in self.directory.staff.values()
            if (pin := self.staff.pins.get(s.staff_number))
        ]
        first = [next((row for row in rows if role.value in row["role"]), None) for role in Role]
        return [row for row in first if row] + rows

    def run(self, stop: threading.Event) -> None:
        """Plays every event at its minute; the hands do them side by side."""
        threading.Thread(target=self._sign_everybody_in, args=(stop,), daemon=True).start()
        now = self._minute()
        events = [event for event in self.script.events() if event.minute >= now - 1]
        for done, event in enumerate(events, 1):
            while (ahead := event.minute - self._minute()) > 0:
                if stop.wait(min(ahead * 60 / self.stage.speed, 0.5)):
                    return
            self.hands.submit(self._do, event)
            self._show_progress(done, len(events))
        print("\nthe day is over; Ctrl-C ends the demo", file=sys.stderr, flush=True)

    def _minute(self) -> float:
        return self.script.minute(self.stage.now_ms())

    def _show_progress(self, done: int, of: int) -> None:
        if sys.stderr.isatty() and done % 20 == 0:
            minute = int(self._minute())
            print(f"\r{minute // 60:02}:{minute % 60:02}  {done}/{of}", end="", file=sys.stderr, flush=True)

    def _sign_everybody_in(self, stop: threading.Event) -> None:
        """Early in the day, so that nobody queues at the first roll call; gate and duty first."""
        first = [self._someone(role, n) for role in (Role.GUARD, Role.DUTY_LEADER) for n in range(2)]
        for staff_number in dict.fromkeys([*first, *self.staff.pins]):
            if stop.is_set():
                return
            try:
                self.staff.session(staff_number)
            except httpx.HTTPError as error:
                log.warning("%s could not sign in: %s", staff_number, error)

    def _do(self, event: Event) -> None:
        action: Callable[..., None] = getattr(self, event.what)
        try:
            action(*event.details)
        except (httpx.HTTPError, RuntimeError, KeyError, ValueError) as error:
            self.failures += 1
            log.warning("%s%s: %s", event.what, event.details, error)

    def close(self) -> None:
        self.hands.shutdown(wait=True, cancel_futures=True)
        self.staff.close()
        self.api.close()

    # --- at the readers ------------------------------------------------------------------------------------

    def tap(self, uid: str, points: list[str]) -> None:
        """A card on a reader that can read it, at one of these access points."""
        tag = len(uid) == 10  # a 125 kHz tag: only such a reader hears it
        cards = {name: reader for name, reader in READERS.items() if name not in SCANNERS}
        names = [n for n, (kind, point) in cards.items() if point in points and (kind == "rdm6300") == tag]
        for name in self.chance.sample(names, len(names)):  # a reader that does not beep is given up for the next
            device: TakesCards = self.stage.rack.devices[name]
            value = f"{int(uid, 16):010d}" if READERS[name][0] == "lines" else uid
            with self._device_locks[name]:
                if device.tap(value):
                    return

    def _gate_of(self, child: int) -> str:
        return self.directory.classes[self.directory.pupils[child].class_id].release_gate

    def _points(self, gate: str, way: str) -> list[str]:
        """The lanes of a gate and its gatehouse lane, in or out."""
        return [p for _, p in READERS.values() if p.startswith(f"{gate}-{way}-")] + [f"{gate}-house-{way}"]

    def tap_in(self, child: int) -> None:
        if child in self._card_of:
            self.tap(self._card_of[child], self._points(self._gate_of(child), "in"))
        else:
            self._by_seat(child, "in")

    def tap_out(self, child: int) -> None:
        if child in self._card_of:
            self.tap(self._card_of[child], self._points(self._gate_of(child), "out"))
        else:
            self._by_seat(child, "out")

    def tap_room(self, child: int, room: str) -> None:
        """Class-door signs are network readers: they post what they read."""
        if child in self._card_of and room in self._rooms:
            body = {"access_point": self._rooms[room], "scheme": "uid", "value": self._card_of[child]}
            self.api.post("/api/v1/reads", json=body).raise_for_status()

    def tap_lost_card(self, uid: str) -> None:
        self.tap(uid, ["east-in-1", "east-in-3", "east-house-in"])

    def tap_unknown_card(self, name: str) -> None:
        device: TakesCards = self.stage.rack.devices[name]
        device.tap("0000000042")

    def unplug(self, name: str) -> None:
        self.stage.rack.devices[name].unplug()

    def replug(self, name: str) -> None:
        self.stage.rack.devices[name].replug()

    def cut_link(self) -> None:
        self.stage.link.cut()

    def mend_link(self) -> None:
        self.stage.link.mend()

    # --- at the tablets ------------------------------------------------------------------------------------

    def _someone(self, role: Role, number: int = 0) -> str:
        found = [s.staff_number for s in self.directory.staff.values() if role in s.roles]
        return found[number % len(found)]

    def _guard(self, gate: str) -> str:
        return self._someone(Role.GUARD, 0 if gate == "east" else 1)

    def arrive_without_card(self, child: int) -> None:
        self._by_seat(child, "in")

    def _by_seat(self, child: int, way: str) -> None:
        """No card: class and seat on the screen, and the guard looks."""
        pupil, gate = self.directory.pupils[child], self._gate_of(child)
        body = {"access_point": f"{gate}-{way}-1", "class_id": pupil.class_id, "seat": pupil.seat}
        self.api.post("/act/seat_claim", json=body).raise_for_status()
        guard = self._guard(gate)
        page = self.staff.session(guard).get(f"/guard/{gate}").raise_for_status().text
        for claim in CLAIMS.findall(page):  # the guard looks at each picture beside the photo on file
            self.staff.press(guard, "confirm_identity", claim=claim, same_person=True)

    def call_class_roll(self, class_id: str) -> None:
        teacher = self.directory.staff[self.directory.classes[class_id].teacher or 0].staff_number
        marks = {}
        for child in self.directory.pupils_of_class[class_id]:
            absent = "leave_sick" if child % 2 else "absent_unexplained"
            marks[str(child)] = absent if child in self.script.absent else "present"
        self.staff.press(teacher, "call_roll", roster=f"class:{class_id}", marks=marks)

    def open_session(self, session: str) -> None:
        """The teacher checks in and takes over whoever is in the room; the page says how many that are."""
        teacher = self.directory.staff[self.book.session_times[session].teacher].staff_number
        self.staff.press(teacher, "check_in", session=session)
        roster = f"session:{session}"
        counted = 0
        for _ in range(3):  # somebody may come in while one counts
            answer = self.staff.press(teacher, "take_group", roster=roster, counted=counted)
            if answer.get("reason") != "count_differs":
                break
            counted = int(answer["detail"]["expected"])

    def patrol(self, session: str) -> None:
        """A duty leader looks in and counts heads."""
        heads = sum(1 for one in self.directory.members_of[session] if one.child not in self.script.absent)
        leader = self._someone(Role.DUTY_LEADER, 1)
        self.staff.press(leader, "patrol", session=session, counted=heads, teacher_present=True, finding="in_order")

    def close_session(self, session: str) -> None:
        """结束并归档: the teacher says of whoever is in no state that the class teacher knows why."""
        teacher = self.directory.staff[self.book.session_times[session].teacher].staff_number
        answer = self.staff.press(teacher, "close_session", session=session)
        if answer.get("reason") == "unresolved":
            missed = [str(child) for child in answer["detail"]["children"]]
            states, why = dict.fromkeys(missed, "absent_unexplained"), dict.fromkeys(missed, "class_teacher_informed")
            answer = self.staff.press(teacher, "close_session", session=session, states=states, why=why)
        if answer.get("outcome") != "granted":
            log.warning("%s was not closed: %s", session, answer.get("words"))

    def collect(self, child: int, collector: int) -> None:
        """An adult taps at the gatehouse, or is looked up by name; the guard does what is asked and releases."""
        gate = self._gate_of(child)
        card, desk = self._card_of.get(collector, ""), DESKS[gate]
        if len(card) == 8 and not self._device_locks[desk].locked():  # while others queue at the reader: by name
            self.tap(card, [f"{gate}-desk"])
            time.sleep(0.1)
        body = {"children": [child], "collector": collector, "access_point": f"{gate}-desk", "verified": CHECKS}
        answer = self.staff.press(self._guard(gate), "release", **body)
        if "second_person" in answer.get("detail", {}).get("needs", ()):
            leader = self._someone(Role.DUTY_LEADER)
            second = {"second_staff_number": leader, "second_pin": self.staff.pins[leader]}
            self.staff.press(self._guard(gate), "release", **body, **second)

    def _class_teacher(self, child: int) -> str:
        school_class = self.directory.classes[self.directory.pupils[child].class_id]
        return self.directory.staff[school_class.teacher or 0].staff_number

    def acknowledge(self, case: str, child: int) -> None:
        self.staff.press(self._class_teacher(child), "acknowledge", case=case)

    def call_guardian(self, case: str, child: int, result: str, eta_min: int | None) -> None:
        guardian = next((a.collector for a in self.directory.collectors_of.get(child, ()) if a.guardian), None)
        if guardian is not None:
            eta = {"eta_min": eta_min} if eta_min else {}
            self.staff.press(self._class_teacher(child), "log_call", case=case, guardian=guardian, result=result, **eta)

    def wrong_adult(self, child: int, collector: int) -> None:
        """Somebody whom a court keeps away comes with a valid card. The guard stays polite and refuses."""
        gate = self._gate_of(child)
        if collector in self._card_of:
            self.tap(self._card_of[collector], [f"{gate}-desk"])
            time.sleep(0.5)
        self.staff.press(
            self._guard(gate), "refuse", children=[child], collector=collector, access_point=f"{gate}-desk",
            reason="collector_restricted", description="出示接送卡，情绪平静，已请值班领导",
        )  # fmt: skip

    # --- rounds ----------------------------------------------------------------------------------------------

    def begin_watch(self, gate: str) -> None:
        guard = self._guard(gate)
        self.staff.press(guard, "offer_shift", gate=gate, taker=self.directory.by_staff_number[guard])

    def change_watch(self, gate: str) -> None:
        """The afternoon's guard takes over; nobody is held at the gatehouse at that hour."""
        relief = self._someone(Role.GUARD, 2 if gate == "east" else 3)
        answer = self.staff.press(self._guard(gate), "offer_shift", gate=gate, taker=self.directory.by_staff_number[relief])
        if answer.get("entry"):
            self.staff.press(relief, "accept_shift", shift="/".join(str(part) for part in answer["entry"].values()), counted=0)

    def _open_cases(self, kind: str) -> list[int]:
        """The children of the open cases of one kind, as the duty page shows them."""
        page = self.staff.session(self._someone(Role.DUTY_LEADER)).get("/duty").raise_for_status().text
        return sorted({int(child) for child in re.findall(rf"{kind}:(\d+):", page)})

    def duty_round(self) -> None:
        """The duty leader walks where a child is missed, and finds it."""
        for child in self._open_cases("locate"):
            self.staff.press(self._someone(Role.DUTY_LEADER), "located", child=child, place="操场")

    def last_round(self) -> None:
        """Whoever is left: a card that was not heard is tapped again, an adult who waits is called to the gate."""
        guard = self.staff.session(self._guard("east"))
        for pupil in self.script.present:
            if self.script.alone(pupil):
                page = guard.get(f"/child/{pupil.number}").raise_for_status().text
                state = re.search(r'"custody custody-(\w+)"', page)
                if state is not None and state[1] not in ("collected", "out"):
                    self.tap_out(pupil.number)
        for child in self._open_cases("uncollected"):
            for event in self.script.collected(self.directory.pupils[child], 0):
                self.collect(*event.details)

    def clear_campus(self) -> None:
        """What is open is looked into and closed with a word; then the statement of zero, if it is zero."""
        leader = self._someone(Role.DUTY_LEADER)
        page = self.staff.session(leader).get("/duty").raise_for_status().text
        for case in dict.fromkeys(re.findall(r'data-case="((?:alarm|double_release|out_without_in|arrived_twice):[^"]+)"', page)):
            self.staff.press(leader, "close_case", case=case, note="已核实，见值班日志")
        answer = self.staff.press(leader, "clear_campus")
        log.info("campus cleared: %s", json.dumps(answer, ensure_ascii=False))


