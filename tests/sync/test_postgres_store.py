"""What only PostgreSQL can do to the school server: away, busy, wrongly set up; and the migrations of both stores."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kiosk.bench.throwaway_postgres import find_programs
from sync_agent.errors import Misconfigured
from sync_agent.school_server import postgres_schema
from sync_agent.school_server.opening import open_store
from sync_agent.school_server.postgres_connections import Address, Limits
from sync_agent.school_server.postgres_schema import STEPS
from sync_agent.school_server.postgres_store import PostgresStore
from sync_agent.school_server.store import StoreUnavailable
from tests.support.keeping import BOOT, NODE, SCHOOL, Writing, all_of, put
from tests.support.postgres import GUARDED, PASSWORD_QUOTED, Cluster, throwaway_cluster
from tests.support.sync_processes import run_command

LONG_S = 30.0
BRIEF = Limits(statement_ms=300, lock_ms=300, connection_wait_s=0.3, connections=2)


def one_line(error: pytest.ExceptionInfo[Any]) -> str:
    text = str(error.value)
    assert text and "\n" not in text and "wörd" not in text and "p@ss" not in text and PASSWORD_QUOTED not in text, text
    return text


# --- set up ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "mysql://a/b",
        "campus.db",
        "postgresql://u:p@ss wörd@host/db",
        "postgresql://[::1/db",
        "postgresql://h/d?no_such_word=p@ss",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(tmp_path: Path, address: str) -> None:
    with pytest.raises(Misconfigured, match="postgresql://USER@HOST") as error:
        open_store(tmp_path, address)
    assert address not in one_line(error)


def test_a_wrong_password_a_missing_database_and_a_missing_role_are_said_at_once(cluster: Cluster, tmp_path: Path) -> None:
    database = cluster.database(owner=GUARDED)
    store = open_store(tmp_path, cluster.url(database, user=GUARDED, password=PASSWORD_QUOTED))
    put(store, Writing().rows(1))
    store.close()
    for url in (
        cluster.url(database, user=GUARDED, password=PASSWORD_QUOTED + "x"),
        cluster.url("no_such_database"),
        cluster.url(database, user="nobody_of_that_name"),
    ):
        with pytest.raises(Misconfigured, match=r"cannot be opened.*check role, password") as error:
            open_store(tmp_path, url)
        one_line(error)


def test_a_role_that_may_make_no_tables_is_told_so(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"tables of .* cannot be made .*permission denied.*own the database") as error:
        open_store(tmp_path, cluster.url(cluster.database(), user=GUARDED, password=PASSWORD_QUOTED))
    one_line(error)


def test_a_server_that_would_lose_what_it_acknowledged_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    database = cluster.database()
    cluster.ask(database, f"ALTER DATABASE {database} SET synchronous_commit = off")
    store: Any = open_store(tmp_path, cluster.url(database))
    with store._writers.lend() as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
    store.close()
    cluster.configure("fsync", "off")
    try:
        with pytest.raises(Misconfigured, match="fsync=off and would lose acknowledged entries"):
            open_store(tmp_path, cluster.url(database))
    finally:
        cluster.configure("fsync", "on")


def test_without_psycopg_the_remedy_is_named() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from sync_agent.__main__ import main\n"
        "sys.exit(main(['serve', '--state', '/nonexistent', '--store', 'postgresql://a/b']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=LONG_S)
    assert (done.returncode, done.stdout) == (2, "")
    assert "install campus-kiosk[postgres]" in done.stderr.splitlines()[-1]


def test_the_command_says_why_in_one_sentence(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.url("no_such_database", user=GUARDED, password=PASSWORD_QUOTED)
    done = run_command("serve", "--state", str(tmp_path), "--port", "0", "--code", "c", "--store", url)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("sync-agent: the store postgresql://") and len(done.stderr.splitlines()) == 1
    assert PASSWORD_QUOTED not in done.stderr and "wörd" not in done.stderr


def test_the_name_for_people_holds_no_password() -> None:
    address = Address("postgresql://u:secret@a:5433,b:5434/campus?sslmode=require")
    assert address.name == "postgresql://a:5433,b:5434/campus"
    assert "secret" in address.text
    assert "secret" not in address.said(ValueError("no: secret\nand more")) + repr(address)


# --- trouble that passes -----------------------------------------------------------------------------------------


def test_a_server_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    with throwaway_cluster() as cluster:
        url = cluster.url(cluster.database())
        cluster.kill()
        store = open_store(tmp_path, url)
        with pytest.raises(StoreUnavailable, match="does not answer") as error:
            store.totals(school=SCHOOL)
        one_line(error)
        cluster.start()
        rows = Writing().rows(3)
        put(store, rows[:2])  # the tables are made now

        cluster.kill()  # under open connections
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                put(store, rows[2:])
            with pytest.raises(StoreUnavailable):
                all_of(store)
        cluster.start()
        put(store, rows[2:])
        assert [row[2] for row in all_of(store)] == [1, 2, 3]
        store.close()


def test_connections_cut_by_the_administrator_cost_nothing(cluster: Cluster, tmp_path: Path) -> None:
    database, rows = cluster.database(), Writing().rows(4)
    store = open_store(tmp_path, cluster.url(database))
    put(store, rows[:2])
    assert len(all_of(store)) == 2
    assert cluster.cut(database) == 2
    put(store, rows[2:])
    assert len(all_of(store)) == 4
    with (
        pytest.raises(StoreUnavailable, match="terminating connection"),
        store.locked_stream(school=SCHOOL, node=NODE, incarnation=BOOT) as stream,
    ):
        assert cluster.cut(database) == 2
        stream.write(entries=rows[:1], branch=[], head=None, at_ms=1)
    assert len(all_of(store)) == 4
    store.close()


def test_nothing_is_waited_for_without_an_end(cluster: Cluster, tmp_path: Path) -> None:
    url, rows = cluster.url(cluster.database()), Writing().rows(2)
    first, second = PostgresStore(url), PostgresStore(url, limits=BRIEF)
    with first.locked_stream(school=SCHOOL, node=NODE, incarnation=BOOT) as stream:
        stream.write(entries=rows[:1], branch=[], head=None, at_ms=1)
        with pytest.raises(StoreUnavailable, match="timeout"):
            put(second, rows[1:])
        put(second, Writing("other").rows(1), school="another school", node="other")  # who does not need it does not wait
    put(second, rows[1:])
    held, let_go = threading.Barrier(BRIEF.connections + 1), threading.Event()

    def hold() -> None:
        with second._readers.lend():
            held.wait(LONG_S)
            let_go.wait(LONG_S)

    with ThreadPoolExecutor(BRIEF.connections) as pool:
        holding = [pool.submit(hold) for _ in range(BRIEF.connections)]
        held.wait(LONG_S)
        with pytest.raises(StoreUnavailable, match="busy"):
            second.totals(school=SCHOOL)
        let_go.set()
        for one in holding:
            one.result(LONG_S)
    assert second.totals(school=SCHOOL).entries == 2
    first.close()
    second.close()


def test_tables_taken_away_are_no_entrys_fault(cluster: Cluster, tmp_path: Path) -> None:
    """Else the sender would look for the entry that breaks the server."""
    database = cluster.database()
    store = open_store(tmp_path, cluster.url(database))
    put(store, Writing().rows(1))
    cluster.ask(database, "ALTER TABLE heads RENAME TO gone")
    cluster.ask(database, "ALTER TABLE entries RENAME TO gone_too")
    with pytest.raises(StoreUnavailable, match="look at its tables"):
        put(store, Writing().rows(1))
    with pytest.raises(StoreUnavailable, match="look at its tables"):
        all_of(store)
    store.close()


# --- migrations --------------------------------------------------------------------------------------------------


def test_two_servers_that_start_at_once_make_the_tables_once(cluster: Cluster, tmp_path: Path) -> None:
    database = cluster.database()
    url = cluster.url(database)
    with ThreadPoolExecutor(4) as pool:
        for store in pool.map(lambda _: open_store(tmp_path, url), range(4)):
            store.close()
    assert cluster.ask(database, "SELECT array_agg(number ORDER BY number) FROM migrations") == list(range(1, len(STEPS) + 1))


def test_a_step_that_breaks_leaves_the_database_as_it_was(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = cluster.database()
    with monkeypatch.context() as patch:
        patch.setattr(postgres_schema, "STEPS", postgres_schema.STEPS[:1])
        store = open_store(tmp_path, cluster.url(database))
        put(store, Writing().rows(2))
        store.close()
    broken = (*postgres_schema.STEPS, ("CREATE TABLE half(a int)", "CREATE TABLE half(a int)"))
    with monkeypatch.context() as patch:
        patch.setattr(postgres_schema, "STEPS", broken)
        with pytest.raises(Misconfigured, match="cannot be made"):
            open_store(tmp_path, cluster.url(database))
    assert cluster.ask(database, "SELECT max(number) FROM migrations") == 1
    assert cluster.ask(database, "SELECT to_regclass('half') IS NULL AND to_regclass('nodes') IS NULL") is True
    store = open_store(tmp_path, cluster.url(database))  # the real next step, over data of the first
    assert (len(all_of(store)), store.nodes(school=SCHOOL)) == (2, [])
    store.close()


def test_a_database_of_a_newer_version_is_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    database = cluster.database()
    open_store(tmp_path, cluster.url(database)).close()
    cluster.ask(database, "INSERT INTO migrations(number) VALUES (99)")
    with pytest.raises(Misconfigured, match=rf"newer version \(schema 99, this one knows {len(STEPS)}\)"):
        open_store(tmp_path, cluster.url(database))


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    open_store(tmp_path, "").close()
    with closing(sqlite3.connect(tmp_path / "server.db")) as db, db:
        db.execute("INSERT INTO _sqlite_migrations(migration_set, name, applied_at) VALUES ('school_server', 'm099_later', '')")
    with pytest.raises(Misconfigured, match=r"server.db was written by a newer version \(it has m099_later\)"):
        open_store(tmp_path, "")


def test_values_that_do_not_fit_stay_our_own_mistake(cluster: Cluster, tmp_path: Path) -> None:
    """They become 500, and the sender finds the entry behind it; a mistake never looks like trouble that passes."""
    store = open_store(tmp_path, cluster.url(cluster.database()))
    row = Writing().rows(1)[0]
    with pytest.raises((psycopg.DataError, psycopg.ProgrammingError, UnicodeEncodeError)):
        put(store, [type(row)(row.seq, row.raw, row.hash, "\ud800", row.at_ms, "")])
    assert all_of(store) == []
    store.close()


# --- backup ------------------------------------------------------------------------------------------------------


def test_a_dump_restored_elsewhere_is_the_same_store(cluster: Cluster, tmp_path: Path) -> None:
    """With the commands of docs/operating.md, as the role that owns the database."""
    database, copy = cluster.database(owner=GUARDED), cluster.database(owner=GUARDED)
    url, of_copy = (cluster.url(name, user=GUARDED, password=PASSWORD_QUOTED) for name in (database, copy))
    store, rows = open_store(tmp_path, url), Writing().rows(6)
    put(store, rows[:4])
    store.close()
    dump, programs = str(tmp_path / "campus.dump"), find_programs()
    for command in (
        [programs / "pg_dump", "--format=custom", f"--file={dump}", url],
        [programs / "pg_restore", f"--dbname={cluster.url(copy)}", f"--role={GUARDED}", "--no-owner", "--exit-on-error", dump],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONG_S)
        assert (done.returncode, done.stderr) == (0, "")
    restored = open_store(tmp_path, of_copy)
    put(restored, rows[4:])
    assert [(row[2], row[3]) for row in all_of(restored)] == [(row.seq, row.raw) for row in rows]
    restored.close()
