"""Gate computers as a person has them in hand: a disk that can be copied byte for byte and put back, in any machine.

`kiosk serve` and `sync-agent run` are processes of their own on that disk, `sync-agent serve` on another. The rig remembers
what every reader was told and what every disk ever held, so that nothing needs to be believed afterwards.
"""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from kiosk.core.entries import EntryId, Fact, Kind, Stream, decode
from tests.support import fault_school
from tests.support.chaos_parts import fixed_port
from tests.support.gate_folder import GateFolder
from tests.support.running_gate import RunningGate, VirtualDay, press, tap, wait_until
from tests.support.sync_processes import AgentProcess, ServerProcess

NODES = ("east", "south")
START = "2026-11-23T07:40:00+08:00"
PUPILS = 90
Key = tuple[str, str, int]
Disk = dict[Key, tuple[bytes, bytes]]  # (node, incarnation, seq) -> exact bytes and hash
LEADER = "D001"
SETTLE_S = 120.0
Place = Callable[[str], AbstractContextManager[None]]

_CASE = re.compile(r'<article id="case-[^"]*" class="case case-(\w+)[^>]*>(.*?)</article>', re.DOTALL)


class Case(NamedTuple):
    """One case as the duty page shows it. names: the line below its title. case: what it is closed by."""

    kind: str
    names: str
    case: str


class Machine:
    """One gate computer: its disk is the folder `state`, and what runs on it are two processes."""

    def __init__(self, folder: Path, *, node: str, day: VirtualDay, server_url: str, disk: Path, more: tuple[str, ...]) -> None:
        """disk: its own is a copy of that one. more: what its sync agent is told."""
        self.node, self.state = node, folder / "state"
        folder.mkdir(parents=True, exist_ok=True)
        copy_disk(disk, self.state)
        self.gate = RunningGate(folder, day=day, node=node, port=fixed_port())
        self.here, self._server_url, self._more = GateFolder(self.state, node), server_url, more
        self.agent: AgentProcess | None = None

    def start(self) -> Machine:
        self.gate.start()
        return self.start_agent()

    def start_agent(self) -> Machine:
        if self.agent is None:
            self.agent = AgentProcess(self.here, self._server_url, "--node", self.node, *self._more)
        else:
            self.agent.start()
        return self

    def stop(self) -> None:
        assert self.gate.stop() == 0, self.gate.said()[-1500:]
        self.stop_agent()

    def stop_agent(self) -> None:
        assert self.agent is not None
        self.agent.process.stop()

    def image(self, to: Path) -> Path:
        """What is on the card at one moment, whoever writes: both programs stand still, as when it is pulled out."""
        assert self.gate.process is not None and self.agent is not None
        self.gate.process.send_signal(signal.SIGSTOP)
        self.agent.process.pause()
        try:
            return copy_disk(self.state, to)
        finally:
            self.agent.process.go_on()
            self.gate.process.send_signal(signal.SIGCONT)

    def put_back(self, image: Path, parts: Iterable[str] = ()) -> None:
        """The disk becomes that copy, or some files of it do, with what SQLite keeps beside them."""
        names = [found for part in parts for found in (part, f"{part}-wal", f"{part}-shm")]
        if not names:
            shutil.rmtree(self.state)
            copy_disk(image, self.state)
        for name in names:
            (self.state / name).unlink(missing_ok=True)
            if (image / name).exists():
                shutil.copy2(image / name, self.state / name)

    def countersigned(self) -> int:
        """How many heads of its own the school server has countersigned for it."""
        with closing(sqlite3.connect(f"{(self.state / 'agent.db').as_uri()}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM countersigned").fetchone()[0])

    def close(self) -> None:
        self.gate.close()
        if self.agent is not None:
            self.agent.process.end()

    # --- looking -----------------------------------------------------------------------------------

    def written(self) -> Disk:
        """What its own journal holds."""
        return {(self.node, *name): row for name, row in self.here.everything().items()}

    def known(self) -> set[tuple[str, str, int, str]]:
        """What it has altogether: its journal, and what its agent brought."""
        assert self.agent is not None
        return {(*key, row[1].hex()) for key, row in self.written().items()} | self.agent.peers()


class OldDisks:
    """One school server and its gates, and everything that was ever promised."""

    def __init__(
        self, folder: Path, *, store: str = "", agents: tuple[str, ...] = (), server: tuple[str, ...] = (),
        place: Place = nullcontext, day: VirtualDay | None = None,
    ) -> None:  # fmt: skip
        """agents, server: more that every sync agent, and the server, is told. place: what surrounds whatever is started on,
        or asked of, that computer: a gate's node, or "server"."""
        self.folder, self.day, self._agents, self._place = folder, day or VirtualDay(START), agents, place
        self.machines: list[Machine] = []
        self.told: dict[EntryId, int] = {}  # entry -> the child of whom a reader was told "recorded"
        self.held: Disk = {}  # everything that was on any disk
        self._children = iter(range(1, PUPILS + 1))
        with place("server"):
            self.server = ServerProcess(folder / "server", store=store, port=fixed_port(), more=server)
        try:
            fault_school.write(folder / "list", PUPILS)
            for node in NODES:
                self.add(node, disk=folder / "list")
            self.ready()
        except BaseException:
            self.close()
            raise

    @property
    def east(self) -> Machine:
        return self.machines[0]

    @property
    def south(self) -> Machine:
        return self.machines[1]

    def add(self, node: str, *, disk: Path, name: str = "") -> Machine:
        """Another computer, started, whose disk is a copy of that one. name: where the name is taken already."""
        machine = self.unstarted(node, disk=disk, name=name)
        self.machines.append(machine)
        with self._place(node):
            return machine.start()

    def unstarted(self, node: str, *, disk: Path, name: str) -> Machine:
        folder = self.folder / (name or node)
        return Machine(folder, node=node, day=self.day, server_url=self.server.url, disk=disk, more=self._agents)

    def ready(self) -> None:
        for machine in self.machines:
            with self._place(machine.node):
                machine.gate.ready()

    def taps(self, machine: Machine, count: int = 3, point: str = "") -> list[dict[str, Any]]:
        """So many children who have not come yet; the reader was told each time that it is recorded. What else it was told."""
        answers = []
        with self._place(machine.node), machine.gate.reader() as reader:
            for _, child in zip(range(count), self._children, strict=False):
                answer = tap(reader, child, point or f"{machine.node}-in-1")
                assert answer["entry"] is not None, answer
                self.told[EntryId(**answer["entry"])] = child
                answers.append(answer)
        return answers

    def remember(self) -> None:
        """What the disks hold now; nobody may ever say that another entry has one of these names."""
        for machine in self.machines:
            for key, row in machine.written().items():
                assert self.held.setdefault(key, row) == row, f"{key} was written twice"

    def settle(self) -> None:
        """Until the server, and everybody's disk, has everything that was ever held."""
        with self._place("server"):
            wait_until(self.settled, "everything is at the server and at every gate", within_s=SETTLE_S)

    def settled(self) -> bool:
        self.remember()
        if not self.server.answers() or self.server.status()["entries"] != len(self.held):
            return False
        everything = {(*key, row[1].hex()) for key, row in self.held.items()}
        return all(machine.known() == everything for machine in self.machines)

    def check(self) -> int:
        """Whatever a person was told is there, nothing twice, and all tell one story. Returns how many entries that is."""
        with self._place("server"):
            stored = self.server.entries()
        names = [(one["node"], one["incarnation"], one["seq"]) for one in stored]
        assert len(set(names)) == len(names), "doubled"
        assert {(*name, one["hash"]) for name, one in zip(names, stored, strict=True)} == {
            (*key, row[1].hex()) for key, row in self.held.items()
        }
        for entry, child in self.told.items():
            raw, _ = self.held[entry.node, entry.incarnation, entry.seq]
            assert decode(raw).body["child"] == child
        arrivals = [decode(raw).body["child"] for raw, _ in self.held.values() if decode(raw).kind == "arrived"]
        assert sorted(arrivals) == sorted(self.told.values()), "a child arrived more often than it tapped"
        for machine in self.machines:
            assert "Traceback" not in machine.gate.said(), machine.gate.said()[-3000:]
            assert machine.agent is not None and "Traceback" not in machine.agent.process.log.read_text()
        assert "Traceback" not in self.server.process.log.read_text()
        return len(stored)

    def everybody_inside(self, machine: Machine) -> None:
        """The duty page of that gate counts every child who was told to be in."""
        with self._place(machine.node), machine.gate.signed_in(LEADER) as leader:
            wait_until(lambda: inside(leader) == len(self.told), f"{machine.node} counts all {len(self.told)} children")

    def page(self) -> str:
        """The status page of the school server."""
        return httpx.get(f"{self.server.url}/", trust_env=False, timeout=30).text

    def close(self) -> None:
        for machine in self.machines:
            machine.close()
        self.server.close()


def seen_once_and_closed(rig: OldDisks, kind: str, names: str, *, at: Machine) -> None:
    """Every gate's duty page has this one case and no other; it is closed at one of them, and then nowhere any more."""
    with ExitStack() as stack:
        leaders = [stack.enter_context(machine.gate.signed_in(LEADER)) for machine in rig.machines]
        for leader in leaders:
            wait_until(lambda leader=leader: [one[:2] for one in cases(leader)] == [(kind, names)], f"one case, {kind} {names}")
        rig.settle()
        (case,) = {one.case for leader in leaders for one in cases(leader)}
        closing = leaders[rig.machines.index(at)]
        assert press(closing, "close_case", case=case, note="问过了，记录都在")["outcome"] == "granted"
        for leader in leaders:
            wait_until(lambda leader=leader: cases(leader) == [], f"{case} is closed at every gate")
        rig.settle()
        assert [cases(leader) for leader in leaders] == [[] for _ in leaders]


def inside(leader: httpx.Client) -> int:
    """How many children the duty page counts on campus."""
    said = re.search(r"在校[^0-9]*([0-9]+)", re.sub(r"<[^>]+>", " ", leader.get("/duty").text))
    return int(said[1]) if said else -1


def nothing_seen(rig: OldDisks) -> None:
    for machine in rig.machines:
        with machine.gate.signed_in(LEADER) as leader:
            assert cases(leader) == []


def cases(leader: httpx.Client) -> list[Case]:
    """Every case on the duty page."""
    found = []
    for kind, html in _CASE.findall(leader.get("/duty").text):
        names, case = re.search(r"<p>(.*?)</p>", html, re.DOTALL), re.search(r'data-case="([^"]*)"', html)
        assert names is not None and case is not None, html
        found.append(Case(kind, unescape(names[1]).strip(), unescape(case[1])))
    return found


def go_on_as_a_snapshot(state: Path, count: int) -> Disk:
    """What a virtual machine does that goes on from a snapshot of its memory, which no start of a gate ever does: it writes on
    in the incarnation that the other one writes on in, under the same numbers. Returns what it wrote."""
    wrote: Disk = {}
    with closing(sqlite3.connect(state / "journal.db", isolation_level=None)) as db:
        boot, incarnation, node = db.execute("SELECT boot, incarnation, node FROM incarnations ORDER BY boot DESC").fetchone()
        seq, raw, digest = db.execute("SELECT seq, raw, hash FROM entries WHERE boot=? ORDER BY seq DESC", (boot,)).fetchone()
        stream = Stream(node=node, incarnation=incarnation, tick=decode(raw).tick)
        stream.seq, stream.head = seq, bytes(digest)
        for number in range(count):
            fact = Fact(Kind.SEEN, {"child": 80 + number, "access_point": f"{node}-in-1", "day": START[:10]})
            one = stream.seal(fact, at_ms=decode(raw).at_ms + number, trusted=True)
            db.execute("INSERT INTO entries VALUES (?,?,?,?,?)", (boot, one.entry.seq, one.entry.kind, one.raw, one.hash))
            wrote[node, incarnation, one.entry.seq] = (one.raw, one.hash)
    return wrote


def copy_disk(disk: Path, to: Path) -> Path:
    """Byte for byte, with everything that SQLite keeps beside its files; whoever holds a lock does not come along."""
    shutil.copytree(disk, to, ignore=shutil.ignore_patterns("*.lock"))
    return to
