"""Command line of `sync-agent`: run and enrol (at a gate), serve (the school server), status. Composition root of both.

Who is let in at the server (code, nodes, revoke) is in command_nodes.py.

Exit codes: 0 fine, 1 the thing checked is not fine, 2 wrong usage or configuration. Errors are one sentence on stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from sync_agent import bus, protocol
from sync_agent.command_nodes import DEFAULT_SCHOOL, STORE_VARIABLE, add_commands, run_enrol
from sync_agent.errors import JournalUnreadable, Misconfigured, SyncError

if TYPE_CHECKING:
    from sync_agent.agent import Pace
    from sync_agent.school_server.serving import Tls
    from sync_agent.school_server.settings import ServerSettings

CODE_VARIABLE: Final = "SYNC_AGENT_CODE"
READ_TOKEN_VARIABLE: Final = "SYNC_AGENT_READ_TOKEN"
WEBHOOK_SECRET_VARIABLE: Final = "SYNC_AGENT_WEBHOOK_SECRET"
PUPILS_TOKEN_VARIABLE: Final = "SYNC_AGENT_PUPILS_TOKEN"
BUS_VARIABLE: Final = "SYNC_AGENT_NATS"
AGENT_LOCK: Final = "agent.lock"
DEFAULT_PORT: Final = 8440
LOOK_FOR_JOURNAL_EVERY_S: Final = 1.0
NICENESS: Final = 10  # beside a gate: a drain at full speed must not take the processor from a tap

log = logging.getLogger("sync_agent")


def main(arguments: Sequence[str] | None = None) -> int:
    """0, 1 or 2; argparse itself leaves with 2."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    try:
        return int(options.command(options))
    except Misconfigured as error:
        print(f"sync-agent: {error}", file=sys.stderr)
        return 2
    except SyncError as error:
        print(f"sync-agent: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sync-agent", description="校门与学校服务器之间的同步 / Between a gate and its school server"
    )
    commands = parser.add_subparsers(
        required=True, metavar="run | enrol | pull | rotate-key | status | serve | code | nodes | revoke | nkey"
    )
    run = commands.add_parser("run", help="在校门机上运行 / beside a gate: send entries, fetch peers and directory")
    _add_place(run)
    run.add_argument("--code", help=f"enrolment code; or in {CODE_VARIABLE}")
    run.add_argument("--longest-pause", type=_seconds, metavar="S", help="between tries (60)")
    run.add_argument("--peers-every", type=_seconds, metavar="S", help="ask for other gates' entries (1)")
    run.add_argument("--directory-every", type=_seconds, metavar="S", help="ask for a newer directory (30)")
    run.add_argument("--compare-every", type=_seconds, metavar="S", help="ask what the server has of this gate (30)")
    run.add_argument("--answer-timeout", type=_seconds, metavar="S", help="wait for an answer so long (30)")
    run.add_argument("--batch", type=_batch, metavar="N", help=f"entries per request ({protocol.DEFAULT_BATCH_ENTRIES})")
    run.set_defaults(command=_run)
    serve = commands.add_parser("serve", help="学校服务器 / the school server")
    serve.add_argument("--state", type=Path, required=True, help="the server's own folder")
    serve.add_argument(
        "--store",
        metavar="postgresql://…",
        help=f"(SQLite in the folder); with a password in it: in {STORE_VARIABLE}, where nobody sees it",
    )
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"0: any free one ({DEFAULT_PORT})")
    serve.add_argument("--certificate", type=Path, metavar="FILE", help="serve https:// with it and those behind it, in PEM")
    serve.add_argument("--certificate-key", type=Path, metavar="FILE", help="its private key, in PEM, readable by the server")
    serve.add_argument("--school", help=f"({DEFAULT_SCHOOL})")
    serve.add_argument("--schools", type=Path, metavar="FILE", help="the schools of a district, with codes and tokens, in TOML")
    serve.add_argument(
        "--code", action="append", default=[], metavar="CODE | NODE=CODE", help=f"enrolment code; or in {CODE_VARIABLE}"
    )
    serve.add_argument("--office", action="append", default=[], metavar="NODE", help="may send the directory")
    serve.add_argument("--nats", metavar="nats://…", help=f"on this bus as well as over HTTP; or in {BUS_VARIABLE}")
    serve.add_argument("--read-token", help=f"opens the read API; or in {READ_TOKEN_VARIABLE}")
    serve.add_argument(
        "--webhook", metavar="URL", help=f"tell another system of attendance, signed with the secret in {WEBHOOK_SECRET_VARIABLE}"
    )
    serve.set_defaults(command=_serve)
    enrol = commands.add_parser("enrol", help="登记本机 / enrol this gate with a one-time code")
    _add_place(enrol)
    enrol.add_argument("--code", help=f"the one-time code; or in {CODE_VARIABLE}")
    enrol.set_defaults(command=_enrol)
    pull = commands.add_parser("pull", help="取回全部 / fetch directory and every gate's entries before the first start")
    _add_place(pull)
    pull.add_argument("--json", action="store_true", help="one JSON document on stdout")
    pull.set_defaults(command=_pull)
    rotate = commands.add_parser("rotate-key", help="换密钥 / give this gate a new key; again if it was cut off")
    _add_place(rotate)
    rotate.set_defaults(command=_rotate)
    add_commands(commands)
    status = commands.add_parser("status", help="待上传多少 / what the server has not got yet")
    status.add_argument("--state", type=Path, required=True, help="the gate's state folder")
    status.add_argument("--json", action="store_true", help="one JSON document on stdout")
    status.set_defaults(command=_status)
    nkey = commands.add_parser("nkey", help="本机总线密钥 / a key for this gate's NATS leaf; prints its public half")
    nkey.add_argument("file", type=Path, help="the seed, such as /etc/nats/leaf.nk; made if it is not there")
    nkey.set_defaults(command=_nkey)
    return parser


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", type=Path, required=True, help="the gate's state folder")
    parser.add_argument("--config", type=Path, help="the gate's configuration folder, for server, school and node")
    parser.add_argument("--site", type=Path, metavar="FILE", help="another site.toml than the one in the configuration folder")
    parser.add_argument(
        "--server",
        help=f"such as http://10.0.0.5:8440, or nats://127.0.0.1:4222 (or in {BUS_VARIABLE}); before the configuration",
    )
    parser.add_argument("--ca", type=Path, metavar="FILE", help="the campus CA for https://, in PEM (what the system believes)")
    parser.add_argument("--school", help="the school's name on the server; before the configuration")
    parser.add_argument("--node", help="this gate's name; otherwise from configuration or journal")


def _enrol(options: argparse.Namespace) -> int:
    wanted = _wanted(options)
    code = options.code or os.environ.get(CODE_VARIABLE, "")
    if not wanted.node or not code:
        raise Misconfigured("say which gate this is with --config or --node, and give the code with --code")
    try:
        options.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"{options.state} cannot be made ({error}); check its owner") from error
    with _no_agent_beside(options.state):
        return run_enrol(code=code, **wanted.at(options.state))


def _nkey(options: argparse.Namespace) -> int:
    from sync_agent.nkey import load_or_create

    print(load_or_create(options.file))
    return 0


def _rotate(options: argparse.Namespace) -> int:
    from sync_agent.rotating import rotate_now

    wanted = _wanted(options)
    if not wanted.node or not (options.state / "keys" / "node.key").exists():
        raise Misconfigured("say which gate this is with --config or --node, and name its state folder: it has no key to change")
    with _no_agent_beside(options.state):
        print(asyncio.run(rotate_now(**wanted.at(options.state))))
    return 0


def _pull(options: argparse.Namespace) -> int:
    from sync_agent.pulling import pull_now, text

    wanted = _wanted(options)
    if not wanted.node:
        raise Misconfigured("say which gate this is with --config or --node")
    if not options.state.is_dir():
        raise Misconfigured(f"{options.state} is not a folder; enrol this gate first")
    with _no_agent_beside(options.state):
        found = asyncio.run(pull_now(**wanted.at(options.state)))
    print(msgspec.json.encode(found).decode() if options.json else text(found))
    return 0 if found.whole else 1


def _status(options: argparse.Namespace) -> int:
    from sync_agent.status import report, text

    found = report(options.state)
    print(msgspec.json.encode(found).decode() if options.json else text(found))
    return 1 if found.quarantined else 0


def _serve(options: argparse.Namespace) -> int:
    from kiosk.clock import SystemClock
    from sync_agent.school_server.serving import Place, serve

    settings, store = _server_settings(options)

    def announce(url: str) -> None:
        print(url, flush=True)
        if any(school.code or school.node_codes for school in settings.schools.values()):
            log.warning("a standing code lets in any new name, for ever: for a bench or a demo; otherwise use sync-agent code")

    serve(
        Place(
            folder=options.state,
            host=options.host,
            port=options.port,
            store=options.store or os.environ.get(STORE_VARIABLE, "") or store,
            bus=options.nats or os.environ.get(BUS_VARIABLE, ""),
            tls=_tls(options),
        ),
        settings,
        now_ms=SystemClock().now_ms,
        monotonic_s=time.monotonic,
        announce=announce,
    )
    return 0


def _tls(options: argparse.Namespace) -> Tls | None:
    from sync_agent.school_server.serving import Tls

    if (options.certificate is None) != (options.certificate_key is None):
        raise Misconfigured("--certificate and --certificate-key go together; give both, or none for plain http://")
    return None if options.certificate is None else Tls(certificate=options.certificate, key=options.certificate_key)


def _server_settings(options: argparse.Namespace) -> tuple[ServerSettings, str]:
    """What the command line says of one school, or a file of several; and the store that the file names."""
    from sync_agent.school_server import settings_file
    from sync_agent.school_server.settings import School, ServerSettings

    if options.schools is not None:
        if options.school or options.code or options.office or options.read_token or options.webhook:
            raise Misconfigured(
                "--schools stands instead of --school, --code, --office, --read-token, --webhook; write them into the file"
            )
        return settings_file.load(options.schools)
    codes = options.code or [code for code in (os.environ.get(CODE_VARIABLE, ""),) if code]
    name = options.school or DEFAULT_SCHOOL
    for one in (name, *options.office):
        _check_name(one)
    secret = os.environ.get(WEBHOOK_SECRET_VARIABLE, "")
    receiver = settings_file.receiver(options.webhook, secret) if options.webhook else None
    pupils_token = os.environ.get(PUPILS_TOKEN_VARIABLE, "")
    if pupils_token and pupils_token == (options.read_token or os.environ.get(READ_TOKEN_VARIABLE, "")):
        raise Misconfigured(f"{PUPILS_TOKEN_VARIABLE} opens the read API as well; give each its own")
    school = School(
        code=next((code for code in codes if "=" not in code), ""),
        node_codes=dict(code.split("=", 1) for code in codes if "=" in code),
        office=frozenset(options.office),
        pupils_token=pupils_token,
        receiver=receiver,
    )
    token = options.read_token or os.environ.get(READ_TOKEN_VARIABLE, "")
    return ServerSettings(schools={name: school}, read_token=token), ""


def _run(options: argparse.Namespace) -> int:
    os.nice(NICENESS)
    wanted = _wanted(options)
    if not options.state.is_dir():
        raise Misconfigured(f"{options.state} is not a folder; name the gate's state folder with --state")
    with _no_agent_beside(options.state):
        asyncio.run(_run_agent(options, wanted))
    return 0


@contextmanager
def _no_agent_beside(state: Path) -> Iterator[None]:
    """One at a time in a state folder: an agent that runs would go on with the old key, and fetches by itself."""
    from sync_agent.durable_sqlite import only_one

    lock = only_one(state, AGENT_LOCK)
    try:
        yield
    finally:
        os.close(lock)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What command line and configuration say; node "": ask the journal. ca_file None: what the system believes."""

    server: str
    school: str
    node: str
    ca_file: Path | None

    def at(self, state: Path) -> dict[str, Any]:
        """For the commands that do one thing at this gate."""
        return {"folder": state, "server": self.server, "ca_file": self.ca_file, "school": self.school, "node": self.node}


def _wanted(options: argparse.Namespace) -> _Wanted:
    server, school, node = options.server or os.environ.get(BUS_VARIABLE, ""), options.school or "", options.node or ""
    ca_file: Path | None = options.ca
    if options.config is not None:
        from kiosk.settings import SettingsError, load

        try:
            settings = load(options.config, site_file=options.site)
        except SettingsError as error:
            raise Misconfigured(f"{options.config} cannot be used: {str(error).splitlines()[0]}; run kiosk check") from error
        server = server or settings.site.sync.server
        school, node = school or settings.site.sync.school, node or settings.site.node
        ca_file = ca_file or (Path(settings.site.sync.ca_file) if settings.site.sync.ca_file else None)
    if not server.startswith(("http://", "https://", *bus.SCHEMES)):
        raise Misconfigured(f"the school server's address is {server!r}; give --server http://…, or sync.server in site.toml")
    _check_name(school or DEFAULT_SCHOOL)
    if node:
        _check_name(node)
    return _Wanted(server, school or DEFAULT_SCHOOL, node, ca_file)


async def _run_agent(options: argparse.Namespace, wanted: _Wanted) -> None:
    from kiosk.clock import SystemClock
    from sync_agent.agent import Agent, Identity
    from sync_agent.enrolment import Enrolment
    from sync_agent.node_keys import NodeKeys
    from sync_agent.rotating import settled
    from sync_agent.transports.choosing import transport_to
    from sync_agent.transports.http import Caller

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    node = wanted.node or await _node_from_journal(options.state, stop)
    if stop.is_set():
        return
    keys = NodeKeys(options.state / "keys")
    before = Caller(school=wanted.school, node=node, key=keys.present)
    async with transport_to(wanted.server, before, answer_timeout_s=options.answer_timeout, ca_file=wanted.ca_file) as asking:
        key = await settled(asking, keys, school=wanted.school, node=node, stop=stop)
    code = options.code or os.environ.get(CODE_VARIABLE, "")
    caller = Caller(school=wanted.school, node=node, key=key)
    chosen = transport_to(wanted.server, caller, answer_timeout_s=options.answer_timeout, ca_file=wanted.ca_file)
    async with chosen as transport:
        agent = Agent(
            folder=options.state,
            identity=Identity(school=wanted.school, node=node, server=transport.base_url, key=key),
            transport=transport,
            enrolment=Enrolment(folder=options.state / "keys", key=key, code=code),
            pace=_pace(options),
            now_ms=SystemClock().now_ms,
            monotonic_s=time.monotonic,
            uniform=random.Random().uniform,
            countersign=transport.countersign,
        )
        await agent.run(stop)


async def _node_from_journal(folder: Path, stop: asyncio.Event) -> str:
    """Waits until the controller has opened its first incarnation, or until stopped."""
    from sync_agent.agent import node_of
    from sync_agent.journal_tail import JournalTail

    journal, said = JournalTail(folder / "journal.db"), False
    try:
        while not stop.is_set():
            try:
                return node_of(journal)
            except JournalUnreadable as error:
                if not said:
                    log.warning("waiting: %s", error)
                said = True
            try:
                await asyncio.wait_for(stop.wait(), LOOK_FOR_JOURNAL_EVERY_S)
            except TimeoutError:
                continue
    finally:
        journal.close()
    return ""


def _pace(options: argparse.Namespace) -> Pace:
    from sync_agent.agent import Pace

    usual = Pace()
    return Pace(
        peers_every_s=options.peers_every or usual.peers_every_s,
        directory_every_s=options.directory_every or usual.directory_every_s,
        compare_every_s=options.compare_every or usual.compare_every_s,
        first_pause_s=min(usual.first_pause_s, options.longest_pause or usual.first_pause_s),
        longest_pause_s=options.longest_pause or usual.longest_pause_s,
        batch_entries=options.batch or usual.batch_entries,
    )


def _check_name(name: str) -> None:
    if not protocol.is_name(name):
        raise Misconfigured(f"{name!r} cannot be a school's or a node's name; use 1 to 64 of A-Z a-z 0-9 . _ -")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError("must be above 0 and at most 3600 seconds")
    return seconds


def _batch(text: str) -> int:
    count = int(text)
    if not 1 <= count <= protocol.MAX_BATCH_ENTRIES:
        raise argparse.ArgumentTypeError(f"must be from 1 to {protocol.MAX_BATCH_ENTRIES}")
    return count


if __name__ == "__main__":
    sys.exit(main())
