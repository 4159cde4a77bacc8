"""Push terminals over real HTTP: what they stored arrives once, strangers are refused, hostile clients cost nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from drivers.adms_terminal import AdmsTerminal
from drivers.errors import DeviceLost, Misconfigured
from drivers.http_listener import MAX_BODY_BYTES, MAX_CONNECTIONS_OF_A_HOST
from drivers.protocols import Assurance, CredentialRead, Health
from drivers.registry import load
from drivers.simulated.adms_terminal import FACE, FINGER, SimulatedAdmsTerminal
from drivers.supervisor import Patience, ReaderSupervisor
from tests.support.plain_http import http_client

SOON_S = 30.0
QUICKLY = Patience(first_s=0.05, longest_s=0.2)


class Gate:
    """Takes reads; says that they are kept only while `keeps` is set."""

    def __init__(self, *urls: str) -> None:
        self.reads: list[CredentialRead] = []
        self.keeps = True
        self.news = threading.Condition()
        self.healths: list[tuple[str, Health, str]] = []
        self.supervisors = [self._supervisor(f"t{number}", url) for number, url in enumerate(urls)]
        for supervisor in self.supervisors:
            supervisor.start()

    def _supervisor(self, name: str, url: str) -> ReaderSupervisor:
        def on_read(read: CredentialRead) -> None:
            with self.news:
                self.reads.append(read)
                if self.keeps:
                    supervisor.driver.taken(read)
                self.news.notify_all()

        supervisor = ReaderSupervisor(load(url, name), on_read=on_read, on_health=self._health, patience=QUICKLY, says_taken=True)
        return supervisor

    def _health(self, name: str, health: Health, why: str) -> None:
        with self.news:
            self.healths.append((name, health, why))
            self.news.notify_all()

    def wait(self, done: Callable[[], bool]) -> None:
        with self.news:
            assert self.news.wait_for(done, SOON_S), (self.reads, self.healths)

    def wait_ok(self) -> None:
        self.wait(lambda: sum(health is Health.OK for _, health, _ in self.healths) >= len(self.supervisors))

    def stop(self) -> None:
        for supervisor in self.supervisors:
            assert supervisor.stop()


@pytest.fixture(name="terminal")
def a_terminal() -> Iterator[SimulatedAdmsTerminal]:
    with SimulatedAdmsTerminal(pace=0.05) as terminal:
        yield terminal


@pytest.fixture(name="gate")
def its_gate(terminal: SimulatedAdmsTerminal) -> Iterator[Gate]:
    gate = Gate(f"{terminal.url}&door=1")
    gate.wait_ok()
    yield gate
    gate.stop()


def test_what_was_stored_while_cut_off_arrives_once_and_in_order(gate: Gate, terminal: SimulatedAdmsTerminal) -> None:
    terminal.cut_off()
    for number in range(250):  # more than one post
        terminal.tap(f"2026{number:04d}")
    terminal.cut_off(False)
    assert terminal.wait_until_sent()
    assert [read.value for read in gate.reads] == [f"2026{number:04d}" for number in range(250)]
    terminal.resend_all()
    terminal.tap("T1")
    assert terminal.wait_until_sent()
    assert [read.value for read in gate.reads][250:] == ["T1"], "what was taken is not told again"


def test_a_read_that_nobody_kept_is_not_answered_with_ok_and_comes_again(gate: Gate, terminal: SimulatedAdmsTerminal) -> None:
    gate.keeps = False
    terminal.tap("20260001")
    gate.wait(lambda: len(gate.reads) == 1)
    assert terminal.waiting == 1 and terminal.answered == 0
    first = gate.reads[0]
    assert first.nonce == f"CKP1234567|20260001|{first.presented_at}|0"
    gate.supervisors[0].driver.taken(first)  # durable at last
    assert terminal.wait_until_sent()
    assert len(gate.reads) == 1


def test_a_gate_that_stops_before_it_kept_a_read_gets_it_again_afterwards(terminal: SimulatedAdmsTerminal) -> None:
    before = Gate(terminal.url)
    before.wait_ok()
    before.keeps = False
    terminal.tap("20260001")
    before.wait(lambda: len(before.reads) == 1)
    before.stop()
    assert terminal.waiting == 1
    after = Gate(terminal.url)
    assert terminal.wait_until_sent()
    assert [read.nonce for read in after.reads] == [read.nonce for read in before.reads]
    after.stop()


def test_how_the_terminal_recognised_somebody_is_told(gate: Gate, terminal: SimulatedAdmsTerminal) -> None:
    for number, verify in enumerate(("0", "4", FACE, FINGER, "77")):
        terminal.tap(f"P{number}", verify=verify)
    gate.wait(lambda: len(gate.reads) == 5)
    assert [read.assurance for read in gate.reads] == [
        Assurance.PIN, Assurance.UID, Assurance.FACE, Assurance.BODY, Assurance.FACE,
    ]  # fmt: skip


def test_access_firmware_registers_first_and_tells_of_cards_that_it_does_not_know() -> None:
    with SimulatedAdmsTerminal(pace=0.05, access_firmware=True) as terminal:
        gate = Gate(terminal.url)
        gate.wait_ok()
        terminal.tap("20260001")
        terminal.tap_card("0012345678")
        gate.wait(lambda: len(gate.reads) == 2)
        assert [(read.scheme, read.value) for read in gate.reads] == [("person", "20260001"), ("number", "0012345678")]
        gate.stop()


def test_two_terminals_share_an_address_and_one_that_hangs_does_not_stop_the_other(terminal: SimulatedAdmsTerminal) -> None:
    with SimulatedAdmsTerminal(sn="CKP7654321", port=terminal.port, pace=0.05) as other:
        gate = Gate(f"{terminal.url}&silence_s=1.5", other.url)
        gate.wait_ok()
        terminal.silence(True)
        gate.wait(lambda: any(name == "t0" and health is Health.DOWN for name, health, _ in gate.healths))
        other.tap("20260002")
        gate.wait(lambda: [read.device for read in gate.reads] == ["t1"])
        gate.stop()


def test_a_serial_number_that_nobody_configured_is_refused_and_named(gate: Gate, terminal: SimulatedAdmsTerminal) -> None:
    line = "20260001\t2026-09-01 07:31:02\t0\t15"
    with http_client(f"http://127.0.0.1:{terminal.port}/iclock") as client:
        for sn in ("EVIL123", "<script>", ""):
            assert client.post("/cdata", params={"SN": sn, "table": "ATTLOG"}, content=line).status_code == 403
        assert client.get("/cdata", params={"SN": "EVIL123", "options": "all"}).status_code == 403
    assert gate.reads == []
    detail = gate.supervisors[0].detail()
    assert "EVIL123 calls from 127.0.0.1" in detail and "script" not in detail


def test_the_terminal_opens_its_own_door_on_command(gate: Gate, terminal: SimulatedAdmsTerminal) -> None:
    assert gate.supervisors[0].pulse(1, 3.0)
    assert not gate.supervisors[0].pulse(2, 3.0), "it has no second door"
    give_up_s = time.monotonic() + SOON_S
    while not terminal.doors_opened and time.monotonic() < give_up_s:
        threading.Event().wait(0.02)
    assert terminal.doors_opened == ["01010103"]


def test_nobody_on_the_network_can_stop_the_terminals(gate: Gate, terminal: SimulatedAdmsTerminal) -> None:
    beginnings = (b"POST /iclock/cdata?SN=CKP1234567 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx", b"GET", b"\xff" * 99)
    hanging = contextlib.ExitStack()
    for number in range(MAX_CONNECTIONS_OF_A_HOST - 4):
        wire = hanging.enter_context(socket.create_connection(("127.0.0.1", terminal.port)))
        wire.sendall(beginnings[number % 3])
    with hanging, http_client(f"http://127.0.0.1:{terminal.port}/iclock", timeout=SOON_S) as client:
        huge = client.post("/cdata", params={"SN": "CKP1234567", "table": "ATTLOG"}, content=b"x" * (MAX_BODY_BYTES + 9))
        assert huge.status_code == 413
        assert client.get("/../etc/passwd", params={"SN": terminal.sn}).status_code == 404
        assert client.get("/getrequest", params={"SN": terminal.sn}, headers={"X": "y" * 20_000}).status_code == 400
        terminal.tap("20260001")
        assert terminal.wait_until_sent()
        gate.wait(lambda: len(gate.reads) == 1)


def test_a_port_that_another_program_has_is_said(terminal: SimulatedAdmsTerminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        driver = load(f"adms:127.0.0.1:{taken.getsockname()[1]}?sn=CKP1234567", "north")
        with pytest.raises(DeviceLost, match="another program"):
            driver.open()
        driver.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("adms:8090?sn=CKP1234567", "names no address"),
        ("adms:0.0.0.0:99999?sn=CKP1234567", "names no address"),
        ("adms:0.0.0.0:8090", "serial number"),
        ("adms:0.0.0.0:8090?sn=a b", "serial number"),
        ("adms:0.0.0.0:8090?sn=CKP1234567&delay=0", "delay="),
        ("adms:0.0.0.0:8090?sn=CKP1234567&colour=red", "no option"),
    ],
)
def test_a_mistake_in_the_settings_is_named(url: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        AdmsTerminal("north", url)
