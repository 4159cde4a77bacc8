"""Attendance as CloudEvents: what leaves and what never does, in order, at least once, through a receiver that misbehaves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kiosk.core.entries import Fact, Kind, Stream
from sync_agent.errors import Misconfigured
from sync_agent.school_server import page
from sync_agent.school_server.cloud_events import event_of, events_of
from sync_agent.school_server.delivery import Delivery, NotTaken
from sync_agent.school_server.rules import NewEntry
from sync_agent.school_server.settings import Receiver
from sync_agent.school_server.settings_file import load, receiver
from sync_agent.school_server.store import Refusal, Store, StoredEntry
from tests.support.journals import MONDAY_MS
from tests.support.keeping import BOOT, NODE, SCHOOL, Keep, put
from tests.support.sync_processes import Campus, ServerProcess, wait_until
from tests.support.sync_world import TOKEN, SyncWorld

SAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "receive_events.py"
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def rows(*facts: Fact) -> list[NewEntry]:
    stream = Stream(node=NODE, incarnation=BOOT)
    sealed = [stream.seal(fact, at_ms=MONDAY_MS + n, trusted=True) for n, fact in enumerate(facts)]
    return [NewEntry(one.entry.seq, one.raw, one.hash, one.entry.kind, MONDAY_MS, "") for one in sealed]


def arrivals(count: int) -> list[Fact]:
    return [Fact(Kind.ARRIVED, {"child": 4000 + n, "day": "2026-11-23", "reason": "on_time"}) for n in range(count)]


def as_stored(entries: list[NewEntry], quarantined: str = "") -> list[StoredEntry]:
    return [
        StoredEntry(position=e.seq, node=NODE, incarnation=BOOT, seq=e.seq, raw=e.raw, hash=e.hash, quarantined=quarantined)
        for e in entries
    ]


class Listener:
    """A real HTTP server that answers as it is told. refuses: ids that it answers with 422, alone or in a list."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.refuses: set[str] = set()
        self.got: list[str] = []
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.agrees = True
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.requests.append(("POST", {k.lower(): v for k, v in self.headers.items()}, body))
                status, headers = listener.judge(body)
                self.answer(status, headers)

            def do_OPTIONS(self) -> None:
                listener.requests.append(("OPTIONS", {k.lower(): v for k, v in self.headers.items()}, b""))
                self.answer(204, {"WebHook-Allowed-Origin": "*"} if listener.agrees else {})

            def answer(self, status: int, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/events?token=secret-word"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def judge(self, body: bytes) -> tuple[int, dict[str, str]]:
        if self.answers:
            return self.answers.pop(0)
        found = json.loads(body)
        ids = [event["id"] for event in (found if isinstance(found, list) else [found])]
        if self.refuses & set(ids):
            return 422, {}
        self.got += ids
        return 204, {}


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener()
    yield one
    one.server.shutdown()
    one.server.server_close()


def delivery(store: Store, listener: Listener, **more: Any) -> Delivery:
    to = Receiver(url=listener.url, secret=bytes(range(32)), **more)
    return Delivery(store, to, school=SCHOOL, now_ms=lambda: MONDAY_MS, uniform=lambda low, high: high)


def drained(one: Delivery) -> None:
    for _ in range(50):
        if not one.step():
            return
    raise AssertionError("it never comes to an end")


def ids(*numbers: int) -> list[str]:
    return [f"{NODE}/{BOOT}/{n}" for n in numbers]


# --- what an event says ------------------------------------------------------------------------------------


def test_an_event_names_the_child_by_number_the_entry_by_its_identity_and_nothing_else() -> None:
    body = {
        "child": 4017, "day": "2026-11-23", "reason": "late", "read_at_ms": MONDAY_MS - 1_500, "note": "ab" * 32,
        "name": "王小明", "photo": "x", "words": "妈妈 在门口",
    }  # fmt: skip
    event = event_of(as_stored(rows(Fact(Kind.ARRIVED, body)))[0], school=SCHOOL)
    assert event is not None
    assert (event.id, event.source, event.type, event.subject, event.specversion) == (
        f"{NODE}/{BOOT}/1", f"/schools/{SCHOOL}/nodes/{NODE}", "campus-kiosk.arrived", "4017", "1.0",
    )  # fmt: skip
    moment = datetime.fromtimestamp((MONDAY_MS - 1_500) / 1000, UTC)
    assert event.time == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert event.data["body"] == {"child": 4017, "day": "2026-11-23", "reason": "late", "read_at_ms": MONDAY_MS - 1_500}


def test_why_a_child_stayed_behind_is_somebodys_own_words_and_stays_on_the_server() -> None:
    out = Fact(Kind.GROUP_OUT, {"children": [1, 2], "exceptions": [[3, "发烧 在医务室"]], "by": 9})
    roll = Fact(Kind.ROLL_CALLED, {"roster": "class:a", "marks": [[1, "present"], [2, "two words"]]})
    told = [event.data["body"] for event in events_of(as_stored(rows(out, roll)), school=SCHOOL)]
    assert told == [{"children": [1, 2], "exceptions": [3], "by": 9}, {"roster": "class:a", "marks": [[1, "present"]]}]


def test_other_kinds_and_what_could_not_be_read_are_no_events() -> None:
    entries = rows(Fact(Kind.SEEN, {"child": 1}), *arrivals(1))
    assert [event.id for event in events_of(as_stored(entries), school=SCHOOL)] == ids(2)
    assert events_of(as_stored(entries), school=SCHOOL, kinds={Kind.RELEASED}) == []
    assert events_of(as_stored(entries, quarantined="the chain breaks here"), school=SCHOOL) == []


def test_the_read_api_gives_the_same_events_in_pages(world: SyncWorld) -> None:
    put(world.server.store, rows(Fact(Kind.SEEN, {}), *arrivals(3)), school=SCHOOL)
    got, after, more = [], "0", "yes"
    while more == "yes":
        answer = world.ask("GET", f"/api/v1/events?after={after}&limit=1", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.headers["content-type"] == "application/cloudevents-batch+json"
        got += [event["id"] for event in answer.json()]
        after, more = answer.headers["Kiosk-Next"], answer.headers["Kiosk-More"]
    assert got == ids(2, 3, 4)
    assert world.ask("GET", "/api/v1/events").status_code == 401


def test_the_page_does_not_say_that_all_is_well_while_an_event_is_refused(world: SyncWorld) -> None:
    store = world.server.store
    assert "一切正常" in world.ask("GET", "/").text
    refused = Refusal(node=NODE, incarnation=BOOT, seq=3, why="HTTP 422")
    store.set_delivered(school=SCHOOL, receiver="r", position=3, refused=refused, at_ms=MONDAY_MS)
    html = world.ask("GET", "/").text
    assert "一切正常" not in html and f"{NODE}/{BOOT}/3" in html


# --- how it is delivered -----------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 3])
def test_events_come_in_order_signed_and_a_new_server_goes_on_where_the_last_one_stopped(
    keep: Keep, listener: Listener, batch: int
) -> None:
    entries = rows(*arrivals(7))
    store = keep.open()
    put(store, entries[:5])
    drained(delivery(store, listener, batch=batch))
    put(store, entries[5:])
    keep.close()
    drained(delivery(keep.open(), listener, batch=batch))
    assert listener.got == ids(*range(1, 8))
    _, headers, body = listener.requests[0]
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mine = base64.b64encode(hmac.new(bytes(range(32)), text, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mine}"
    mode = "cloudevents" if batch == 1 else "cloudevents-batch"
    assert headers["content-type"] == f"application/{mode}+json; charset=utf-8"


@pytest.mark.parametrize("batch", [1, 4])
def test_what_is_refused_for_good_is_kept_and_shown_and_the_rest_goes_on(keep: Keep, listener: Listener, batch: int) -> None:
    store = keep.open()
    put(store, rows(*arrivals(6)))
    listener.refuses = set(ids(3))
    one = delivery(store, listener, batch=batch)
    drained(one)
    assert listener.got == ids(1, 2, 4, 5, 6)
    refused = store.refused_events(school=SCHOOL, most=9)
    assert [(r.node, r.incarnation, r.seq, r.reason) for r in refused] == [(NODE, BOOT, 3, "HTTP 422")]
    assert store.refused_events(school="other", most=9) == []
    shown = page.telling(one.state, refused, MONDAY_MS)
    assert f"{NODE}/{BOOT}/3" in shown.html and "HTTP 422" in shown.html and shown.alarm
    assert one.state.sent == 5


@pytest.mark.parametrize("status", [302, 401, 404, 410, 429, 500, 503])
def test_trouble_that_is_not_the_events_own_moves_nothing(keep: Keep, listener: Listener, status: int) -> None:
    store = keep.open()
    put(store, rows(*arrivals(2)))
    one = delivery(store, listener)
    listener.answers = [(status, {"Retry-After": "7"})]
    with pytest.raises(NotTaken) as caught:
        one.step()
    assert (caught.value.status, caught.value.retry_after_s) == (status, 7.0)
    assert "secret-word" not in str(caught.value) and "secret-word" not in one.state.receiver
    drained(one)
    assert listener.got == ids(1, 2)


def test_it_waits_as_long_as_it_is_asked_to_and_longer_each_time(keep: Keep, listener: Listener) -> None:
    store = keep.open()
    put(store, rows(*arrivals(1)))
    one = delivery(store, listener)
    listener.answers = [(503, {"Retry-After": "7"}), (500, {}), (500, {})]
    assert [one._turn() for _ in range(4)] == [8.0, 2.0, 4.0, 0.0]
    assert listener.got == ids(1) and one.state.problem == ""


def test_nothing_is_sent_to_somebody_who_has_not_agreed(keep: Keep, listener: Listener) -> None:
    store = keep.open()
    put(store, rows(*arrivals(1)))
    listener.agrees = False
    one = delivery(store, listener, ask_first=True)
    with pytest.raises(NotTaken, match="does not agree"):
        one.step()
    assert [method for method, _, _ in listener.requests] == ["OPTIONS"]
    assert listener.requests[0][1]["webhook-request-origin"] == f"{SCHOOL}.campus-kiosk"
    listener.agrees = True
    drained(one)
    assert listener.got == ids(1)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"url": "ftp://x"}, "https://"), ({"secret": "plain"}, "whsec_"), ({"secret": "whsec_YWJj"}, "24 to 64"),
        ({"kinds": ["seen"]}, "'seen'"), ({"batch": 0}, "1 to 500"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_sentence_without_the_secret(wrong: dict[str, Any], word: str) -> None:
    with pytest.raises(Misconfigured, match=word) as caught:
        receiver(**{"url": "https://other.school.lan", "secret": SECRET, **wrong})
    assert SECRET not in str(caught.value)


def test_the_file_of_the_schools_names_a_receiver(tmp_path: Path) -> None:
    file = tmp_path / "schools.toml"
    hook = f'[schools.yucai.webhook]\nto = "https://other.lan/events"\nsecret = "{SECRET}"\nkinds = ["arrived"]\nbatch = 9\n'
    file.write_text(f'[schools.yucai]\ncode = "a"\n{hook}ask_first = true\n')
    found = load(file)[0].schools["yucai"].receiver
    assert found == Receiver(
        url="https://other.lan/events", secret=bytes(range(32)), kinds=frozenset({"arrived"}), batch=9, ask_first=True
    )
    assert SECRET not in repr(found) and "other.lan" not in repr(found)
    file.write_text(file.read_text().replace("batch = 9", "batch = 0"))
    with pytest.raises(Misconfigured, match=r"schools\.toml: yucai: the webhook's batch"):
        load(file)


# --- the sample consumer -----------------------------------------------------------------------------------


class Sample:
    """docs/examples/receive_events.py as a process; comes back on the same port."""

    def __init__(self, file: Path) -> None:
        self.file, self.port = file, 0
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SAMPLE), str(self.port), str(self.file)], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "SECRET": SECRET},
        )  # fmt: skip
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def names(self) -> list[str]:
        return [json.loads(line)["id"] for line in self.file.read_text("utf-8").splitlines()]


def test_the_sample_consumer_has_every_arrival_once_though_both_sides_are_killed(campus: Campus, tmp_path: Path) -> None:
    sample = Sample(tmp_path / "events.jsonl")
    server = ServerProcess(
        tmp_path / "telling", more=("--webhook", f"http://127.0.0.1:{sample.port}/"), SYNC_AGENT_WEBHOOK_SECRET=SECRET
    )
    try:
        gate = campus.gate("south")
        for _ in range(30):
            gate.journal.append([gate.stream.seal(fact, at_ms=MONDAY_MS, trusted=True) for fact in arrivals(1)])
        campus.agent(gate, server.url)
        wait_until(lambda: len(sample.names()) >= 10, "the first events are there")
        server.kill()
        sample.kill()
        server.start()
        wait_until(lambda: server.has(gate), "nobody's sync waits for a receiver that is away")
        sample.start()
        wait_until(lambda: len(sample.names()) >= 30, "every event is there")
        names = sample.names()
        assert len(set(names)) == len(names) == 30
        assert names == sorted(names, key=lambda name: int(name.rsplit("/", 1)[1]))
    finally:
        server.close()
        sample.kill()
