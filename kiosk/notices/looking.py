"""What `kiosk doctor` says of the notices: whether each target can be reached, and what its last tries came to.

Connects and hangs up again; sends no message, changes nothing.
"""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from drivers.protocols import Health
from kiosk.doctor import WARNING, Row
from kiosk.notices.outbox import FILE_NAME
from kiosk.notices.settings import FILE, Target, load_notices
from kiosk.settings import Settings, SettingsError

REACH_S: Final = 3.0
PORTS: Final = {"http": 80, "json": 80, "xml": 80, "form": 80, "mailto": 25, "mailtos": 587}  # else 443


def examine_notices(settings: Settings, state: Path) -> tuple[Row, ...]:
    """One row a target, and one for the file where other users may read its passwords. A target that fails is a warning:
    the gate works without it."""
    try:
        targets = load_notices(settings).targets
    except SettingsError as error:
        return tuple(Row(name="notices", driver=FILE, health=WARNING, detail=str(problem)) for problem in error.problems)
    errors = last_errors(state / FILE_NAME)
    rows = [_row(target, errors.get(target.name, "")) for target in targets]
    path = settings.find(FILE)
    if targets and path is not None and path.stat().st_mode & 0o007:
        detail = f"anybody may read {path}, and it holds passwords: run chmod o= on it"
        rows.append(Row(name="notices", driver=FILE, health=WARNING, detail=detail))
    return tuple(rows)


def _row(target: Target, error: str) -> Row:
    trouble = error or _unreachable(target)
    detail = trouble or f"{target.host} can be reached"
    return Row(name=f"notices: {target.name}", driver=target.kind, health=WARNING if trouble else Health.OK, detail=detail)


def _unreachable(target: Target) -> str:
    """'' when somebody listens there. A mail server that apprise finds out by itself (smtp of a known provider) is not asked."""
    parts = urlsplit(target.link)
    smtp = parse_qs(parts.query).get("smtp", [""])[0]
    host = smtp or parts.hostname or ""
    if target.kind == "email" and not smtp and parts.port is None:
        return ""
    try:
        port = parts.port or PORTS.get(parts.scheme, 443)
        socket.create_connection((host, port), timeout=REACH_S).close()
    except (OSError, ValueError) as error:
        return f"{host} cannot be reached ({error}): check the way out of the school's network"
    return ""


def last_errors(path: Path) -> dict[str, str]:
    """What the last try of each target came to, where it failed."""
    if not path.exists():
        return {}
    try:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=2)
    except sqlite3.Error:
        return {}
    try:
        return dict(db.execute("SELECT target, error FROM targets WHERE error <> ''").fetchall())
    except (sqlite3.Error, UnicodeDecodeError):
        return {}
    finally:
        db.close()
