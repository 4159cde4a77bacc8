"""ISAPI terminals over real HTTP: the stream, what was stored, Digest, and a password that is sent once and never again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.errors import DeviceLost, Misconfigured
from drivers.isapi_client import IsapiClient, RefusedPasswords, isapi_address
from drivers.isapi_terminal import PAGE_EVENTS, IsapiTerminal
from drivers.protocols import Assurance, CredentialRead, Health
from drivers.registry import load
from drivers.simulated.http_digest import WRONG_UNTIL_LOCKED
from drivers.simulated.isapi_terminal import FACE, FACE_FAILED, FINGER, SimulatedIsapiTerminal
from drivers.supervisor import Patience, ReaderSupervisor

SOON_S = 30.0
QUICKLY = Patience(first_s=0.05, longest_s=0.2, misconfigured_s=0.05)


class Gate:
    """Takes reads; says that they are kept only while `keeps` is set."""

    def __init__(self, url: str) -> None:
        self.reads: list[CredentialRead] = []
        self.healths: list[tuple[Health, str]] = []
        self.keeps = True
        self.news = threading.Condition()
        self.supervisor = ReaderSupervisor(
            load(url, "north"), on_read=self._read, on_health=self._health, patience=QUICKLY, says_taken=True
        )
        self.supervisor.start()

    def _read(self, read: CredentialRead) -> None:
        with self.news:
            self.reads.append(read)
            if self.keeps:
                self.supervisor.driver.taken(read)
            self.news.notify_all()

    def _health(self, name: str, health: Health, why: str) -> None:
        with self.news:
            self.healths.append((health, why))
            self.news.notify_all()

    def wait(self, done: Callable[[], bool]) -> None:
        with self.news:
            assert self.news.wait_for(done, SOON_S), (self.reads, self.healths)

    def wait_for(self, health: Health, times: int = 1) -> None:
        self.wait(lambda: [one for one, _ in self.healths].count(health) >= times)


def soon(what: str, done: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + SOON_S
    while not done():
        assert time.monotonic() < give_up_s, what
        threading.Event().wait(0.02)


@pytest.fixture(name="terminal")
def a_terminal() -> Iterator[SimulatedIsapiTerminal]:
    with SimulatedIsapiTerminal() as terminal:
        yield terminal


@pytest.fixture(name="gate")
def its_gate(terminal: SimulatedIsapiTerminal) -> Iterator[Gate]:
    gate = Gate(f"{terminal.url}&door=1")
    gate.wait_for(Health.OK)
    soon("it has asked for what was stored", lambda: terminal.pages_asked > 0)
    yield gate
    assert gate.supervisor.stop()


def test_what_happens_now_has_no_time_of_its_own_and_how_it_was_recognised(gate: Gate, terminal: SimulatedIsapiTerminal) -> None:
    terminal.tap("20260001")
    terminal.tap("20260002", FACE)
    terminal.tap("20260003", FINGER)
    terminal.tap("20260004", FACE_FAILED)
    terminal.tap_card("0012345678")
    gate.wait(lambda: len(gate.reads) == 4)
    assert [(read.scheme, read.value, read.assurance, read.presented_at) for read in gate.reads] == [
        ("person", "20260001", Assurance.UID, ""),
        ("person", "20260002", Assurance.FACE, ""),
        ("person", "20260003", Assurance.BODY, ""),
        ("number", "0012345678", Assurance.UID, ""),
    ]


def test_what_was_stored_while_cut_off_is_fetched_page_by_page_once(gate: Gate, terminal: SimulatedIsapiTerminal) -> None:
    terminal.tap("before")
    gate.wait(lambda: len(gate.reads) == 1)
    terminal.cut_off()
    gate.wait_for(Health.DOWN)
    many = [f"2026{number:04d}" for number in range(PAGE_EVENTS * 2 + 5)]
    for person in many:
        terminal.tap(person)
    terminal.cut_off(False)
    gate.wait(lambda: len(gate.reads) == 1 + len(many))
    terminal.hang_up()
    gate.wait_for(Health.OK, times=3)
    terminal.tap("after")
    gate.wait(lambda: gate.reads[-1].value == "after")
    assert [read.value for read in gate.reads] == ["before", *many, "after"]
    assert gate.reads[0].presented_at == "", "it happened while we listened"
    assert {read.presented_at[:10] for read in gate.reads[1:-1]} == {"2026-09-01"}
    assert len({read.nonce for read in gate.reads}) == len(gate.reads)


def test_what_nobody_kept_is_fetched_again(gate: Gate, terminal: SimulatedIsapiTerminal) -> None:
    gate.keeps = False
    terminal.tap("20260001")
    gate.wait(lambda: len(gate.reads) == 1)
    gate.keeps = True
    terminal.hang_up()
    gate.wait(lambda: len(gate.reads) == 2)
    assert gate.reads[0].nonce == gate.reads[1].nonce and gate.reads[1].presented_at


def test_a_gate_that_starts_asks_for_what_it_missed_by_the_terminals_own_calendar(terminal: SimulatedIsapiTerminal) -> None:
    terminal.set_clock("2026-08-25 07:30:00")
    terminal.tap("longago")
    terminal.set_clock("2026-09-01 07:30:00")
    terminal.tap("20260001")
    gate = Gate(terminal.url)
    gate.wait(lambda: [read.value for read in gate.reads] == ["20260001"])
    assert gate.supervisor.stop()


def test_a_password_that_was_refused_is_sent_once_until_the_file_is_written_anew(terminal: SimulatedIsapiTerminal) -> None:
    terminal.password_file.write_text("Wrong123\n", encoding="utf-8")
    gate = Gate(terminal.url)
    gate.wait_for(Health.MISCONFIGURED)
    tries = threading.Event()
    tries.wait(0.6)  # a dozen attempts of the supervisor
    assert terminal.wrong_passwords == 1
    (why,) = [why for health, why in gate.healths if health is Health.MISCONFIGURED]
    assert "Wrong123" not in why and str(terminal.password_file) in why
    terminal.password_file.write_text("Abc12345\n", encoding="utf-8")
    gate.wait_for(Health.OK)
    assert gate.supervisor.stop()
    assert not terminal.digest.locked


def test_a_password_that_is_changed_at_the_terminal_does_not_lock_it(gate: Gate, terminal: SimulatedIsapiTerminal) -> None:
    terminal.change_password("New12345")
    terminal.hang_up()
    gate.wait_for(Health.MISCONFIGURED)
    threading.Event().wait(0.4)
    assert 1 <= terminal.wrong_passwords < WRONG_UNTIL_LOCKED
    terminal.password_file.write_text("New12345\n", encoding="utf-8")
    gate.wait_for(Health.OK, times=2)


def test_two_that_ask_the_same_device_send_a_wrong_password_once(terminal: SimulatedIsapiTerminal) -> None:
    terminal.password_file.write_text("Wrong123\n", encoding="utf-8")
    remembered = RefusedPasswords()
    refused: list[str] = []

    def ask() -> None:
        client = IsapiClient(address, remembered=remembered)
        client.open()
        try:
            client.ask("GET", "/ISAPI/System/deviceInfo")
        except Misconfigured as error:
            refused.append(str(error))
        client.close()

    base = f"http://127.0.0.1:{terminal.port}"
    address = isapi_address("isapi:", base, user="admin", password_file=str(terminal.password_file))
    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 6 and terminal.wrong_passwords == 1


def test_a_new_challenge_is_no_refusal(gate: Gate, terminal: SimulatedIsapiTerminal) -> None:
    terminal.forget_nonces()
    assert gate.supervisor.pulse(1, 3.0)
    terminal.hang_up()
    gate.wait_for(Health.OK, times=2)
    assert terminal.wrong_passwords == 0


def test_the_terminal_opens_its_door(gate: Gate, terminal: SimulatedIsapiTerminal) -> None:
    assert gate.supervisor.pulse(1, 3.0)
    soon("the door opens", lambda: bool(terminal.doors_opened))
    assert terminal.doors_opened == [1]
    assert not gate.supervisor.pulse(2, 3.0), "it has no second door"


def test_a_door_that_it_may_not_open_is_said_and_it_goes_on_as_a_reader(gate: Gate, terminal: SimulatedIsapiTerminal) -> None:
    terminal.forbid_doors(True)
    assert gate.supervisor.pulse(1, 3.0)
    soon("the trouble is said", lambda: "give that user the permission" in gate.supervisor.detail())
    terminal.tap("20260001")
    gate.wait(lambda: len(gate.reads) == 1)
    assert gate.supervisor.health is Health.OK


def test_a_missing_password_file_is_named(tmp_path: Path, terminal: SimulatedIsapiTerminal) -> None:
    driver = load(f"isapi:http://127.0.0.1:{terminal.port}?user=admin&password_file={tmp_path}/none", "north")
    with pytest.raises(Misconfigured, match="put the password there"):
        driver.open()
    driver.close()


def test_something_else_at_the_address_is_named(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("x", encoding="utf-8")
    driver = load(f"isapi:http://127.0.0.1:1?user=admin&password_file={tmp_path}/password", "north")
    with pytest.raises(DeviceLost, match="does not answer"):
        driver.open()
    driver.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("isapi:10.0.0.9?user=a&password_file=/p", "names no device"),
        ("isapi:http://a:secret@10.0.0.9?user=a&password_file=/p", "no user and password before the host"),
        ("isapi:http://10.0.0.9", "say who we are"),
        ("isapi:http://10.0.0.9?user=a&password_file=/p&door=9", "door="),
        ("isapi:http://10.0.0.9?user=a&password_file=/p&password=secret", "no option"),
    ],
)
def test_a_mistake_in_the_settings_is_named_and_no_secret_with_it(url: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said) as caught:
        IsapiTerminal("north", url)
    assert "secret" not in str(caught.value)
