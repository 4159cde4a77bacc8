"""`sync-agent code | nodes | revoke` at the school server, and `sync-agent enrol` at a gate: who is let in, and who no more.

The first three work on the server's store beside the running server, which sees the change at the next request. A code is printed
once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from sync_agent import protocol
from sync_agent.errors import Misconfigured

if TYPE_CHECKING:
    from sync_agent.school_server.store import Store

STORE_VARIABLE: Final = "SYNC_AGENT_STORE"
DEFAULT_SCHOOL: Final = "school"
CODE_HOURS: Final = 24.0
MOST_HOURS: Final = 24.0 * 14


def add_commands(commands: Any) -> None:
    """commands: of argparse."""
    code = commands.add_parser("code", help="一次性登记码 / at the server: a one-time code that enrols one gate")
    code.add_argument("node", help="the gate's name, as node.id in its site.toml")
    code.add_argument("--replace", action="store_true", help="the name is known: this machine takes the place of the old one")
    code.add_argument("--hours", type=_hours, default=CODE_HOURS, metavar="H", help=f"how long it is good ({CODE_HOURS:g})")
    code.set_defaults(command=_code)
    revoke = commands.add_parser("revoke", help="吊销 / at the server: take nothing more from a gate that is lost or stolen")
    revoke.add_argument("node")
    revoke.add_argument("--why", default="", help="one sentence; the gate shows it")
    revoke.set_defaults(command=_revoke)
    nodes = commands.add_parser("nodes", help="at the server: every gate, its keys and its code")
    nodes.add_argument("--json", action="store_true", help="one JSON document on stdout")
    nodes.set_defaults(command=_nodes)
    for parser in (code, revoke, nodes):
        parser.add_argument("--state", type=Path, required=True, help="the server's own folder")
        parser.add_argument("--store", metavar="postgresql://…", help=f"as for serve; or in {STORE_VARIABLE}")
        parser.add_argument("--school", help=f"({DEFAULT_SCHOOL})")
        parser.add_argument("--schools", type=Path, metavar="FILE", help="as for serve; then --school says which")


def _opened(options: argparse.Namespace) -> tuple[Store, str]:
    from sync_agent.school_server import settings_file
    from sync_agent.school_server.opening import open_store

    school, named = options.school or DEFAULT_SCHOOL, ""
    if options.schools is not None:
        settings, named = settings_file.load(options.schools)
        if school not in settings.schools:
            raise Misconfigured(f"{options.schools} names no school {school!r}; say which with --school")
    if not protocol.is_name(school) or not protocol.is_name(getattr(options, "node", school)):
        raise Misconfigured("names of schools and nodes are 1 to 64 of A-Z a-z 0-9 . _ -")
    if not options.state.is_dir():
        raise Misconfigured(f"{options.state} is not a folder; name the school server's own with --state")
    return open_store(options.state, options.store or os.environ.get(STORE_VARIABLE, "") or named), school


def _code(options: argparse.Namespace) -> int:
    from kiosk.clock import SystemClock
    from sync_agent.school_server.enrolling import new_code

    store, school = _opened(options)
    try:
        found = store.node(school=school, node=options.node)
        if found is not None and found.revoked_ms is None and not options.replace:
            raise Misconfigured(f"node {options.node} is enrolled; with --replace the code is for a machine that takes its place")
        shown, kept = new_code(
            school=school, node=options.node, now_ms=SystemClock().now_ms(), hours=options.hours, replaces=found is not None
        )
        store.identities.keep_code(kept)
    finally:
        store.close()
    print(shown)
    return 0


def _revoke(options: argparse.Namespace) -> int:
    from kiosk.clock import SystemClock

    store, school = _opened(options)
    try:
        known = store.identities.revoke(school=school, node=options.node, why=options.why[:200], at_ms=SystemClock().now_ms())
    finally:
        store.close()
    if not known:
        raise Misconfigured(f"school {school} has no node {options.node}; sync-agent nodes lists them")
    print(f"{options.node} 已吊销 revoked")
    return 0


def _nodes(options: argparse.Namespace) -> int:
    store, school = _opened(options)
    try:
        codes = {code.node: code for code in store.identities.codes(school=school) if code.used_ms is None}
        found = [
            {
                "node": node.node,
                "enrolled": _iso(node.enrolled_ms),
                "revoked": None if node.revoked_ms is None else _iso(node.revoked_ms),
                "why": node.revoked_why,
                "keys": len(store.identities.keys(school=school, node=node.node)),
            }
            for node in store.nodes(school=school)
        ]
    finally:
        store.close()
    waiting = [{"node": name, "expires": _iso(code.expires_ms), "wrong_tries": code.tries} for name, code in codes.items()]
    if options.json:
        print(msgspec.json.encode({"nodes": found, "codes": waiting}).decode())
        return 0
    for one in found:
        said = f"  已吊销 revoked {one['revoked']} {one['why']}" if one["revoked"] else ""
        print(f"{one['node']}: {one['enrolled']}, {one['keys']} keys{said}")
    for code in waiting:
        print(f"登记码 code for {code['node']}: good until {code['expires']}, {code['wrong_tries']} wrong tries")
    return 0


async def enrol_now(*, folder: Path, server: str, ca_file: Path | None = None, school: str, node: str, code: str) -> str:
    """Enrols this gate with a one-time code and says so in a sentence. Raises SyncError.

    A gate that was enrolled before gets a new key: the old one may be why it was revoked. The journal is not touched: what waits
    is sent after it. The new key is on the disk before the server hears of it, so a second try goes on where a kill
    ended the first.
    """
    from sync_agent.enrolment import Enrolment
    from sync_agent.node_keys import NodeKeys
    from sync_agent.transports.choosing import transport_to
    from sync_agent.transports.http import Caller

    keys = NodeKeys(folder / "keys")
    again = Enrolment(folder=folder / "keys", key=keys.present, code=code).server_key() is not None
    key = keys.prepare_next() if again else keys.present
    async with transport_to(server, Caller(school=school, node=node, key=key), ca_file=ca_file) as transport:
        await Enrolment(folder=folder / "keys", key=key, code=code).enrol(transport, school=school, node=node)
    if again:
        keys.adopt_next()
    return f"{node} 已登记 is enrolled in school {school}" + (", with a new key" if again else "")


def run_enrol(*, folder: Path, server: str, ca_file: Path | None = None, school: str, node: str, code: str) -> int:
    print(asyncio.run(enrol_now(folder=folder, server=server, ca_file=ca_file, school=school, node=node, code=code)))
    return 0


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _hours(text: str) -> float:
    hours = float(text)
    if not 0 < hours <= MOST_HOURS:
        raise argparse.ArgumentTypeError(f"must be above 0 and at most {MOST_HOURS:g} hours")
    return hours
