"""Connections to one PostgreSQL database: opened, checked, lent one at a time, thrown away when they break.

Every connection commits durably (`synchronous_commit`, asserted) and waits for nothing without an end. What goes wrong comes
out as one sentence, StoreUnavailable where trying again can help; no sentence ever holds a password. Knows no table.
"""

from __future__ import annotations

import re
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final
from urllib.parse import urlsplit

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from sync_agent.errors import Misconfigured
from sync_agent.school_server.store import StoreUnavailable

OLDEST_SERVER: Final = 130_000
_DURABLE: Final = ("on", "remote_apply")
_SCHEMES: Final = ("postgresql", "postgres")
_DEFAULTS: Final = {
    "application_name": "campus-kiosk school server",
    "connect_timeout": "5",
    "target_session_attrs": "read-write",  # of several hosts, the one that takes writes
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
# The server answered and said no ("FATAL:  ..." in whatever language it speaks), and not because it has no time just now.
_ANSWERED: Final = re.compile(r"\S:  \S")
_NOT_NOW: Final = re.compile(r"starting up|shutting down|recovery|not yet accepting|too many|connection slots", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long anything may take. connections: to write with, and as many again to read with."""

    statement_ms: int = 30_000
    lock_ms: int = 10_000
    idle_in_transaction_ms: int = 60_000
    connection_wait_s: float = 10.0
    connections: int = 4


class Address:
    """Where the database is. `name` is for people and holds no password; `text` is for libpq."""

    def __init__(self, url: str) -> None:
        """Raises Misconfigured for what is no PostgreSQL address."""
        wrong = "the store's address is not postgresql://USER@HOST:PORT/DATABASE; special characters in it are written as %40"
        try:
            parts = urlsplit(url)
            if parts.scheme not in _SCHEMES or parts.netloc.count("@") > 1:
                raise Misconfigured(wrong)
            given = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
        except (ValueError, psycopg.Error):
            raise Misconfigured(wrong) from None  # what it was stays unsaid: it may hold the password
        self.text = make_conninfo(**(_DEFAULTS | given))
        hosts, ports = given.get("host", "").split(","), given.get("port", "").split(",")
        place = ",".join(f"{host}:{port}" if port else host for host, port in zip_longest(hosts, ports, fillvalue=ports[-1]))
        self.name = f"postgresql://{place}/{given.get('dbname', '')}"
        self._secrets = [given[key] for key in ("password", "sslpassword") if given.get(key)]

    def said(self, error: Exception) -> str:
        """An error of psycopg in one line, without the password and without any row's content."""
        primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
        line = next(iter((primary or str(error)).strip().splitlines()), type(error).__name__)
        for secret in self._secrets:
            line = line.replace(secret, "…")
        return line


class Connections:
    """At most so many to one database. May be used from several threads."""

    def __init__(self, address: Address, limits: Limits, *, read_only: bool = False) -> None:
        self._address, self._limits, self._read_only = address, limits, read_only
        self._room = threading.BoundedSemaphore(limits.connections)
        self._guard = threading.Lock()
        self._idle: list[psycopg.Connection] = []
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[psycopg.Connection]:
        """One connection in autocommit. Raises StoreUnavailable; what goes wrong inside is raised as `translated` has it."""
        if not self._room.acquire(timeout=self._limits.connection_wait_s):
            raise StoreUnavailable(f"the store {self._address.name} is busy; all its connections are taken")
        try:
            with translated(self._address):
                connection = self._taken()
                try:
                    yield connection
                finally:
                    self._put_back(connection)
        finally:
            self._room.release()

    def open(self) -> psycopg.Connection:
        """A new connection that has been checked. Raises psycopg.Error or Misconfigured."""
        limits = self._limits
        connection = psycopg.connect(self._address.text, autocommit=True)
        try:
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            connection.execute(
                "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false),"
                " set_config('idle_in_transaction_session_timeout', %s, false)",
                (str(limits.statement_ms), str(limits.lock_ms), str(limits.idle_in_transaction_ms)),
            )
            self._assert_durable(connection)
            if self._read_only:
                connection.execute("SET default_transaction_read_only = on")
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        with self._guard:
            self._closed = True
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    def _taken(self) -> psycopg.Connection:
        while True:
            with self._guard:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                try:
                    return self.open()
                except Misconfigured as error:  # it was right when the school server was started
                    raise StoreUnavailable(str(error)) from error
            if _lives(connection):
                return connection
            connection.close()

    def _put_back(self, connection: psycopg.Connection) -> None:
        fine = not connection.closed and connection.info.transaction_status is pq.TransactionStatus.IDLE
        with self._guard:
            if fine and not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _assert_durable(self, connection: psycopg.Connection) -> None:
        version = connection.info.server_version
        if version < OLDEST_SERVER:
            raise Misconfigured(f"{self._address.name} runs PostgreSQL {version // 10_000}; 13 or newer is needed")
        if _setting(connection, "fsync") != "on":
            raise Misconfigured(
                f"{self._address.name} runs with fsync=off and would lose acknowledged entries in a power cut;"
                " set fsync = on in its postgresql.conf"
            )
        if _setting(connection, "synchronous_commit") not in _DURABLE:
            connection.execute("SET synchronous_commit = on")
            if _setting(connection, "synchronous_commit") not in _DURABLE:
                raise Misconfigured(f"{self._address.name} does not let synchronous_commit be switched on; allow it")


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """Whatever may go better the next time becomes StoreUnavailable; a mistake of ours in a row's values stays what it is."""
    try:
        yield
    except (psycopg.IntegrityError, psycopg.DataError, psycopg.NotSupportedError):
        raise
    except psycopg.ProgrammingError as error:
        if error.sqlstate is None:  # psycopg itself: a value that it cannot send
            raise
        raise StoreUnavailable(
            f"the store {address.name} refuses ({address.said(error)}); look at its tables and the role's rights"
        ) from error
    except psycopg.Error as error:
        raise StoreUnavailable(f"the store {address.name} does not answer ({address.said(error)}); look at PostgreSQL") from error


def refused_for_good(error: psycopg.Error) -> bool:
    """Of a connection that could not be opened: whether the server was there and said no (wrong password, no such database)."""
    text = str(error)
    return _ANSWERED.search(text) is not None and _NOT_NOW.search(text) is None


def _setting(connection: psycopg.Connection, name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return str(row[0])


def _lives(connection: psycopg.Connection) -> bool:
    """An idle connection has nothing to say: if there is something to read, it is the end."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return not poll.poll(0)
