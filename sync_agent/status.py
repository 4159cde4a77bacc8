"""`sync-agent status`: what this gate has, and what of it the server is known to hold. Reads files only, asks nobody."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from sync_agent.agent_state import AgentStatus, Problem, StreamStatus, read_status
from sync_agent.durable_sqlite import open_reader
from sync_agent.errors import JournalUnreadable
from sync_agent.journal_tail import JournalTail
from sync_agent.up_sync import stream_states


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON document; the first four fields are a promise (fields may be added). last_contact: ISO 8601 UTC or null."""

    streams: list[StreamStatus]
    waiting: int
    quarantined: int
    last_contact: str | None
    problems: list[Problem]


def report(folder: Path) -> Report:
    """From journal.db, agent.db and sync_status.json of a state folder. Raises JournalUnreadable."""
    cursors, quarantined, remembered_ms = _remembered(folder / "agent.db")
    journal = JournalTail(folder / "journal.db")
    try:
        streams = stream_states(journal, cursors)
    finally:
        journal.close()
    live: AgentStatus | None = read_status(folder)
    last_contact_ms = max(
        (at_ms for at_ms in (remembered_ms, live.last_contact_ms if live else None) if at_ms is not None), default=None
    )
    return Report(
        streams=streams,
        waiting=sum(stream.last_seq - stream.durable_through for stream in streams),
        quarantined=quarantined,
        last_contact=None if last_contact_ms is None else _iso(last_contact_ms),
        problems=live.problems if live else [],
    )


def text(found: Report) -> str:
    """For people; Chinese first."""
    lines = [
        f"待上传 waiting: {found.waiting} · 服务器无法读取 quarantined: {found.quarantined}"
        f" · 最近联系 last contact: {found.last_contact or '—'}"
    ]
    lines += [
        f"  {stream.node}/{stream.incarnation}: {stream.last_seq}，已存 durable {stream.durable_through}"
        for stream in found.streams
    ]
    lines += [f"  ! {problem.part}: {problem.message}" for problem in found.problems]
    return "\n".join(lines)


def _remembered(path: Path) -> tuple[dict[tuple[str, str], int], int, int | None]:
    """Cursors, quarantined and the last contact from agent.db; nothing at all when there is none yet."""
    if not path.exists():
        return {}, 0, None
    try:
        connection = open_reader(path)
        try:
            rows = connection.execute("SELECT node, incarnation, durable_through, quarantined FROM cursors").fetchall()
            fact = connection.execute("SELECT value FROM facts WHERE name='last_contact_ms'").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise JournalUnreadable(f"{path} cannot be read ({error}); is it the state folder of a gate?") from error
    cursors = {(node, incarnation): through for node, incarnation, through, _ in rows}
    return cursors, sum(row[3] for row in rows), int(fact[0]) if fact and fact[0].isdigit() else None


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
