"""Old disks: a card put back to hours ago, one card in two computers, a snapshot that goes on, a server put back to yesterday.

Real processes on real folders, copied byte for byte: two gates, an agent beside each, the school server. Each time nothing that
anybody was told is lost, nothing is doubled, and every gate's duty page has exactly one case, which names the computer.
CI plays one week of it on SQLite; KIOSK_FAULTS=full every file of the disk by itself, every way to clone, and PostgreSQL.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.journal_facts import check_verified
from tests.support.old_disks import OldDisks, go_on_as_a_snapshot, nothing_seen, seen_once_and_closed
from tests.support.postgres import Cluster, throwaway_cluster
from tests.support.running_gate import run_kiosk, wait_until

FULL = os.environ.get("KIOSK_FAULTS") == "full"
full = pytest.mark.skipif(not FULL, reason="KIOSK_FAULTS=full plays it; make faults")
PARTS = {"the whole disk": (), "the journal": ("journal.db",), "peers": ("peers.db",), "the agent's": ("agent.db",)}
EAST = "东门"  # what the case calls the gate computer `east`
RARELY = ("--compare-every", "600")  # so that the server's own refusals tell that it went back


@contextmanager
def campus(folder: Path, *, store: str = "", agents: tuple[str, ...] = ()) -> Iterator[OldDisks]:
    """Two gates with a few children at each, and everything at the server."""
    rig = OldDisks(folder, store=store, agents=agents)
    try:
        for machine in rig.machines:
            rig.taps(machine)
        rig.settle()
        yield rig
        for machine in rig.machines:
            rig.everybody_inside(machine)
        rig.settle()
        entries = rig.check()
        print(f"{len(rig.told)} children told they are in, {entries} entries on all disks = at the server = at every gate")
    finally:
        rig.close()


def put_back(rig: OldDisks, parts: tuple[str, ...]) -> None:
    """The disk of the east gate, or some files of it, becomes what it was hours ago; the gate had been started anew meanwhile."""
    image = rig.east.image(rig.folder / "image")
    rig.taps(rig.east)
    rig.east.gate.kill()
    rig.east.gate.start().ready()
    for machine in rig.machines:
        rig.taps(machine)
    rig.settle()
    wait_until(lambda: rig.east.countersigned(), "the end of the incarnation before is countersigned")
    assert rig.east.gate.stop() == 0
    rig.settle()
    rig.east.stop_agent()
    rig.east.put_back(image, parts)
    if parts == ("journal.db",):
        done = run_kiosk("verify", "--state", str(rig.east.state))
        assert done.returncode == 1 and "it is missing here" in done.stdout, done.stdout
    rig.east.start()
    rig.ready()
    for machine in rig.machines:
        rig.taps(machine)
    rig.settle()
    check_verified(rig.east.state)


def clone(rig: OldDisks, *, cold: bool) -> None:
    """Two computers run on one card: it was copied while the gate ran, or after it had been stopped."""
    image = rig.folder / "card"
    if cold:
        rig.east.stop()
        shutil.copytree(rig.east.state, image)
        rig.east.start()
    else:
        rig.east.image(image)
    twin = rig.add("east", disk=image, name="twin")
    rig.ready()
    for machine in (rig.east, twin, rig.south, rig.east, twin):
        rig.taps(machine, 2)
    rig.settle()


def snapshot(rig: OldDisks) -> None:
    """A virtual machine goes on from a snapshot: what it writes bears the numbers that the other one gives as well."""
    image = rig.east.image(rig.folder / "snapshot")
    rig.taps(rig.east)
    rig.settle()
    wrote = go_on_as_a_snapshot(image, 2)
    rig.machines.append(copied := rig.unstarted("east", disk=image, name="copy"))
    try:
        copied.start_agent()
        wait_until(lambda: rig.server.status()["forks"] == len(wrote), "the server keeps both")
    finally:
        copied.close()
        rig.machines.remove(copied)
    page = rig.page()
    for node, incarnation, seq in wrote:
        assert f"<td>{node}/{incarnation}/{seq}</td><td>fork</td>" in page.replace(" class='n'", ""), page
    assert "需要人工查看" in page


def put_server_back(rig: OldDisks, keep: Callable[[], None], restore: Callable[[], None]) -> None:
    rig.server.kill()
    keep()
    rig.server.start()
    for machine in rig.machines:
        rig.taps(machine)
    rig.settle()
    rig.server.kill()
    restore()
    for machine in rig.machines:
        rig.taps(machine)
    rig.server.start()
    rig.settle()


def put_server_folder_back(rig: OldDisks) -> None:
    yesterday = rig.folder / "yesterday"
    shutil.rmtree(yesterday, ignore_errors=True)

    def restore() -> None:
        shutil.rmtree(rig.server.folder)
        shutil.copytree(yesterday, rig.server.folder)

    put_server_back(rig, lambda: void(shutil.copytree(rig.server.folder, yesterday)), restore)


def void(_: object) -> None:
    return


@pytest.mark.timeout(300)
def test_a_week_of_old_disks_loses_nothing_and_each_is_one_case_that_names_the_computer(tmp_path: Path) -> None:
    with campus(tmp_path) as rig:
        put_server_folder_back(rig)
        seen_once_and_closed(rig, "server_rolled_back", rig.server.url, at=rig.south)
        put_back(rig, ("journal.db",))
        seen_once_and_closed(rig, "rolled_back", EAST, at=rig.south)
        snapshot(rig)
        seen_once_and_closed(rig, "forked_record", EAST, at=rig.east)
        clone(rig, cold=False)
        seen_once_and_closed(rig, "cloned_device", EAST, at=rig.south)


@full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_an_old_image_of_a_gate(tmp_path: Path, parts: tuple[str, ...]) -> None:
    with campus(tmp_path) as rig:
        put_back(rig, parts)
        if set(parts) & {"peers.db", "agent.db"}:
            nothing_seen(rig)  # only what can be fetched again was old
        else:
            seen_once_and_closed(rig, "rolled_back", EAST, at=rig.east)
            rig.east.gate.kill()
            rig.east.gate.start().ready()
            rig.settle()
            nothing_seen(rig)


@full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("cold", [False, True], ids=["copied while it ran", "copied while it stood still"])
def test_one_card_in_two_computers(tmp_path: Path, cold: bool) -> None:
    with campus(tmp_path) as rig:
        clone(rig, cold=cold)
        seen_once_and_closed(rig, "cloned_device", EAST, at=rig.machines[-1])
        for machine in rig.machines:
            check_verified(machine.state)


@full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("agents", [(), RARELY], ids=["agents compare", "the server refuses"])
def test_a_server_put_back_on_sqlite(tmp_path: Path, agents: tuple[str, ...]) -> None:
    with campus(tmp_path, agents=agents) as rig:
        for _ in range(2):
            put_server_folder_back(rig)
            seen_once_and_closed(rig, "server_rolled_back", rig.server.url, at=rig.east)


@full
@pytest.mark.timeout(600)
def test_a_server_put_back_on_postgresql(tmp_path: Path) -> None:
    with throwaway_cluster() as cluster, campus(tmp_path, store=cluster.url(cluster.database())) as rig:
        put_server_back(rig, lambda: copy_cluster(cluster, keep=True), lambda: copy_cluster(cluster, keep=False))
        seen_once_and_closed(rig, "server_rolled_back", rig.server.url, at=rig.south)


def copy_cluster(cluster: Cluster, *, keep: bool) -> None:
    """Its data directory as it is on the disk, aside or back, while it stands still."""
    yesterday = cluster.folder / "yesterday"
    cluster.kill()
    if not keep:
        shutil.rmtree(cluster.data)
    source, to = (cluster.data, yesterday) if keep else (yesterday, cluster.data)
    cluster.copy(source, to)
    cluster.start()
