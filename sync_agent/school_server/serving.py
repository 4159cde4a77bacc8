"""Runs the school server: opens the store, binds the port, tells where it listens, and stops cleanly on a signal."""

from __future__ import annotations

import logging
import os
import random
import signal
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from sync_agent import bus
from sync_agent.durable_sqlite import only_one
from sync_agent.errors import Misconfigured
from sync_agent.keys import load_or_create
from sync_agent.school_server.app import create_app
from sync_agent.school_server.delivery import Delivery
from sync_agent.school_server.opening import open_store
from sync_agent.school_server.settings import ServerSettings
from sync_agent.school_server.store import Store

LOCK_FILE: Final = "server.lock"
ADDRESS_FILE: Final = "server.json"
SENDERS_GRACE_S: Final = 15  # longer than they wait for an answer
GRACE_S: Final = 5  # for requests under way when the server is told to stop

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Both in PEM; certificate: the server's own first, then those between it and the campus CA."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to keep and where to listen. port 0: any free one. store: "" for SQLite in the folder, or postgresql://…

    bus: "" for none, or nats://…; tls: None for plain http://.
    """

    folder: Path
    host: str
    port: int
    store: str = field(default="", repr=False)  # it may hold a password
    bus: str = field(default="", repr=False)  # this too
    tls: Tls | None = None


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """server.json: written once the port is bound, removed at the end."""

    url: str
    port: int
    pid: int


def serve(
    place: Place,
    settings: ServerSettings,
    *,
    now_ms: Callable[[], int],
    monotonic_s: Callable[[], float],
    announce: Callable[[str], None],
) -> None:
    """Returns after SIGTERM or SIGINT. Raises Misconfigured when folder, store or port cannot be had."""
    if place.tls is not None:
        check_certificate(place.tls)
    store = open_store(place.folder, place.store)
    lock = None
    try:
        lock = only_one(place.folder, LOCK_FILE)
        key = load_or_create(place.folder / "keys" / "server.key")
        senders = _senders(store, settings, now_ms)
        states = {school: sender.state for school, sender in senders.items()}
        beside = _bus(place.bus, store, settings) if place.bus else None
        app = create_app(store, settings, key=key, now_ms=now_ms, monotonic_s=monotonic_s, deliveries=states, beside=beside)
        config = uvicorn.Config(
            app,
            host=place.host,
            port=place.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            ssl_certfile=place.tls.certificate if place.tls else None,
            ssl_keyfile=place.tls.key if place.tls else None,
        )
        with _telling(senders):
            _run(config, place, announce)
    finally:
        store.close()
        if lock is not None:
            os.close(lock)


def check_certificate(tls: Tls) -> None:
    """Raises Misconfigured when the two files cannot be used. What they hold is not said."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.certificate, tls.key, password=lambda: "")
    except ssl.SSLError as error:
        raise Misconfigured(
            f"{tls.certificate} and {tls.key} do not make a certificate and its own key without a password, in PEM"
            f" ({error.reason or 'not PEM'}); ask whoever issued them, or make new ones"
        ) from error
    except OSError as error:
        raise Misconfigured(
            f"{tls.certificate} or {tls.key} cannot be read ({error.strerror}); both must be readable by the server's user"
        ) from error


def _senders(store: Store, settings: ServerSettings, now_ms: Callable[[], int]) -> dict[str, Delivery]:
    """One for each school that has another system to be told."""
    return {
        name: Delivery(store, school.receiver, school=name, now_ms=now_ms, uniform=random.Random().uniform)
        for name, school in settings.schools.items()
        if school.receiver is not None
    }


@contextmanager
def _telling(senders: Mapping[str, Delivery]) -> Iterator[None]:
    """Their threads, as long as the server runs. One that waits for an answer is left to end with the process."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=sender.run, args=(stop,), name=f"events of {school}", daemon=True)
        for school, sender in senders.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(SENDERS_GRACE_S)


def _bus(
    address: str, store: Store, settings: ServerSettings
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """The same application on NATS as well, for as long as it runs."""
    if not address.startswith(bus.SCHEMES):
        raise Misconfigured("the bus is named as nats://… or tls://… with --nats, or in SYNC_AGENT_NATS")
    try:
        from sync_agent.school_server.bus_consumer import BusConsumer
    except ImportError as error:
        raise Misconfigured("a school server on NATS needs nats-py; install campus-kiosk[nats] into this environment") from error

    async def nodes() -> list[tuple[str, str]]:
        return await run_in_threadpool(
            lambda: [(school, one.node) for school in settings.school_names for one in store.nodes(school=school)]
        )

    return lambda app: BusConsumer(address, app, nodes=nodes).running()


def _run(config: uvicorn.Config, place: Place, announce: Callable[[str], None]) -> None:
    try:
        socket = config.bind_socket()
    except (OSError, SystemExit) as error:  # uvicorn says it in the log and leaves
        raise Misconfigured(f"{place.host}:{place.port} cannot be listened on; is another server running there?") from error
    port = int(socket.getsockname()[1])
    host = f"[{place.host}]" if ":" in place.host else place.host
    address = Address(url=f"{'https' if place.tls else 'http'}://{host}:{port}", port=port, pid=os.getpid())
    target = place.folder / ADDRESS_FILE
    draft = target.with_suffix(".json.new")
    draft.write_bytes(msgspec.json.encode(address))
    draft.replace(target)
    server = uvicorn.Server(config)

    def stop_was_asked(number: int, frame: FrameType | None) -> None:
        log.info("stopping on %s", signal.Signals(number).name)
        server.should_exit = True  # it may come before uvicorn listens for it

    # uvicorn raises the signal again when it is done; with our own handler that is a clean end and not a kill.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_was_asked)
    announce(address.url)
    try:
        server.run(sockets=[socket])
    finally:
        socket.close()
        target.unlink(missing_ok=True)
