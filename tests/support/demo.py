"""The demo as a test sees it: a process, its note, the pipes of its readers, and the journal it writes."""

from __future__ import annotations

import csv
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.core.entries import decode
from kiosk.journal import connect
from kiosk.settings import shared_data_dir

READY_S, SOON_S = 180.0, 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(what: Callable[[], Any], within_s: float = SOON_S) -> Any:
    end_s = time.monotonic() + within_s
    while not (found := what()):
        assert time.monotonic() < end_s, f"not within {within_s:g} s"
        time.sleep(0.1)
    return found


class Demo:
    def __init__(self, state: Path, *more: str) -> None:
        self.state, port = state, str(free_port())
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kiosk", "demo", "--state", str(state), "--port", port, "--start", "07:40", *more],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        eventually(lambda: (state / "demo.json").exists() or self.process.poll() is not None, READY_S)
        assert self.process.poll() is None, self.process.communicate()[0].decode()
        self.note: dict[str, Any] = json.loads((state / "demo.json").read_text())

    def hand(self, reader: str, line: str) -> None:
        """Whatever somebody at the bench would type into the reader's pipe."""
        with Path(self.note["readers"][reader]["verbs"]).open("w") as pipe:
            pipe.write(line + "\n")

    def entries(self, kind: str) -> list[Any]:
        connection = connect(Path(self.note["state"]) / "journal.db", read_only=True)
        rows = connection.execute("SELECT raw FROM entries WHERE kind = ? ORDER BY boot, seq", (kind,)).fetchall()
        connection.close()
        return [decode(raw) for (raw,) in rows]

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)
        return self.process.returncode


def cards(sort: str = "M1") -> list[str]:
    people = shared_data_dir("sample_school") / "people"
    with (people / "卡.csv").open(encoding="utf-8-sig", newline="") as sheet:
        rows = [r for r in csv.DictReader(sheet) if r["持有人类型"] == "学生" and r["卡类型"] == sort]
    uids = [r["卡号"] for r in rows if r["状态"] == "在用"]
    return [uid for uid in uids if len(uid) == (8 if sort == "M1" else 10) and not uid.isdigit()]
