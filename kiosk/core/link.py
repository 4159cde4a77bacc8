"""The link to the school server, as far as people must know of it: the bar's words, and a case for what only a person can mend.

A server that went back to an older copy, two versions of one gate's record, a server that takes nothing from this gate any more.
None of them stops anything here: the gate decides and records as before, and its entries wait. It sends nothing and asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kiosk.core import commands as c
from kiosk.core.acts import done
from kiosk.core.campus_parts import FORKED, WENT_BACK
from kiosk.core.decisions import Decision
from kiosk.core.entries import Fact, Kind
from kiosk.core.world import World

SHUT_OUT: Final = "gate_shut_out"


def changed(command: c.LinkChanged, world: World, now_ms: int, trusted: bool) -> Decision:
    world.link.configured = True
    world.link.waiting = command.waiting
    world.link.last_contact_ms = command.last_contact_ms
    world.link.peers, world.link.behind = dict(command.peers), command.behind
    if command.own is not None and not (command.own and world.reread):  # what came is still on the disk alone
        world.link.own_known = command.own
    forked = (_forked(stream, world) for stream in sorted(command.forked - world.campus.forks))
    return done(*forked, *_compared(world), *_went_back(command, world), *_shut_out(command, world))


def _compared(world: World) -> Iterator[Fact]:
    if world.link.own_known and world.campus.tokens.doubted(f"{world.stream.node}/{world.stream.incarnation}"):
        yield Fact(Kind.RECORDS_COMPARED, {"day": world.day})


def _went_back(command: c.LinkChanged, world: World) -> Iterator[Fact]:
    if command.server_back is None or command.server_back[0] in world.campus.server_backs:
        return
    noticed, entries = command.server_back
    body = {"alarm": WENT_BACK, "where": command.server, "noticed": noticed, "entries": entries, "day": world.day}
    if command.server_run:  # every gate notices it, and it is one case
        body["alarm_of"] = f"server:{command.server_run}"
    yield Fact(Kind.SERVER_WENT_BACK, body)


def _forked(stream: str, world: World) -> Fact:
    """Whoever hears of it first says so; which gate it is about is in the name."""
    body = {"alarm": FORKED, "where": stream.partition("/")[0], "stream": stream, "alarm_of": f"fork:{stream}"}
    return Fact(Kind.RECORD_FORKED, {**body, "day": world.day})


def _shut_out(command: c.LinkChanged, world: World) -> Iterator[Fact]:
    """One case while it lasts; it ends by itself when the gate is let in again."""
    if command.shut_out_ms is not None:
        if command.shut_out_ms not in world.campus.shut_outs:
            body = {"alarm": SHUT_OUT, "where": world.stream.node, "noticed": command.shut_out_ms, "day": world.day}
            yield Fact(Kind.GATE_SHUT_OUT, body)
        return
    for alarm in world.campus.alarms_of(world.stream.node, {SHUT_OUT}):
        if alarm.case not in world.campus.closed_cases:
            yield Fact(Kind.CASE_CLOSED, {"case": alarm.case, "by": 0, "day": world.day})
