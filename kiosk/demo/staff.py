"""Staff of the demo at their tablets: they sign in with number and PIN and press buttons, over HTTP like any browser."""

from __future__ import annotations

import csv
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

SIGN_IN_TRIES = 60


@dataclass
class Staff:
    """Everybody's PIN, and a session each once they have signed in."""

    url: str
    pins: dict[str, str]
    _sessions: dict[str, httpx.Client] = field(default_factory=dict)
    _signing_in: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def session(self, staff_number: str) -> httpx.Client:
        """Signs in when needed; the gate lets only so many sign in a second, so one waits and tries again."""
        with self._signing_in[staff_number]:
            if staff_number in self._sessions:
                return self._sessions[staff_number]
            client = httpx.Client(base_url=self.url, timeout=20, trust_env=False)
            for _ in range(SIGN_IN_TRIES):
                answer = client.post("/sign-in", json={"staff_number": staff_number, "pin": self.pins[staff_number]})
                if answer.status_code != 429:
                    break
                time.sleep(float(answer.headers.get("retry-after", "1")))
            answer.raise_for_status()
            client.headers["X-CSRF-Token"] = answer.json()["csrf"]
            self._sessions[staff_number] = client
            return client

    def press(self, staff_number: str, act: str, **body: Any) -> dict[str, Any]:
        """One button. Returns {"outcome", "reason", "words", ...}; a session that ran out is opened again once."""
        for _ in range(2):
            answer = self.session(staff_number).post(f"/act/{act}", json=body)
            if answer.status_code != 401:
                break
            self._sessions.pop(staff_number).close()
        if answer.status_code >= 500:
            raise RuntimeError(f"{act}: {answer.status_code} {answer.text[:200]}")
        found: dict[str, Any] = answer.json()
        return found

    def close(self) -> None:
        for client in self._sessions.values():
            client.close()


def pins_of(people: Path) -> dict[str, str]:
    """The demo PINs of the sample school's staff sheet. A real school's sheet has no such column filled in."""
    with (people / "教职工.csv").open(encoding="utf-8-sig", newline="") as sheet:
        return {row["工号"]: row["演示密码"] for row in csv.DictReader(sheet) if row.get("演示密码")}
