"""What the chaos rig remembers: the children who tap at the gates while everything is killed, and a history of JSON lines."""

from __future__ import annotations

import json
import os
import random
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from kiosk.core.entries import EntryId
from tests.support import fault_school
from tests.support.running_gate import RunningGate

TAP_PAUSE_S = 0.05


class History:
    """What happened, as JSON lines, from several threads. Removed at the end unless something failed or it is to be kept."""

    def __init__(self, seed: int) -> None:
        kept = os.environ.get("KIOSK_FAULTS_KEEP")
        folder = Path(kept) if kept else Path(tempfile.gettempdir()) / "kiosk-chaos"
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self._keep = folder / f"chaos-{seed}-{os.getpid()}.jsonl", bool(kept)
        self._file, self._lock, self._began_s = self.path.open("w", encoding="utf-8"), threading.Lock(), time.monotonic()

    def note(self, what: str, **more: Any) -> None:
        with self._lock:
            line = {"s": round(time.monotonic() - self._began_s, 3), "what": what, **more}
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()

    def close(self, *, fine: bool) -> None:
        self._file.close()
        if fine and not self._keep:
            self.path.unlink()


class Taps:
    """Children at the network reader of one gate, without end. A tap that got no answer counts as sent and is never repeated."""

    def __init__(self, gate: RunningGate, node: str, chance: random.Random, history: History) -> None:
        self.sent: Counter[tuple[int, str]] = Counter()
        self.acked: dict[EntryId, tuple[int, str]] = {}
        self._gate, self._node, self._chance, self._history = gate, node, chance, history
        self._stop = threading.Event()
        self._walk: list[tuple[int, str]] = []
        self.failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"taps {node}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                with self._gate.reader() as client:
                    while not self._stop.wait(TAP_PAUSE_S * self._chance.random()) and self._one(client):
                        pass
        except BaseException as error:  # told by the rig: a thread that dies is silent
            self.failed = error

    def _one(self, client: httpx.Client) -> bool:
        if not self._walk:  # the younger half of the school comes here, the older half there, everybody's room at either
            everybody = range(1, fault_school.CLASSES * fault_school.SEATS + 1)
            children = [n for n in everybody if (n % 2 == 0) == (self._node == "east")]
            children += self._chance.sample(range(1, 1_600), 40)
            self._chance.shuffle(children)
            points = (lambda n: f"{self._node}-out-2", fault_school.room_of, lambda n: f"{self._node}-in-2")
            self._walk = [(child, point(child)) for child in children for point in points]
        child, point = self._walk[-1]
        body = {"access_point": point, "scheme": "uid", "value": fault_school.uid_of(child)}
        try:
            answer = client.post("/api/v1/reads", json=body)
        except httpx.ConnectError:
            self._stop.wait(0.05)  # nobody there: the child has not tapped
            return False
        except httpx.TransportError:
            self._sent()
            return False
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self._sent()
            return True  # starting or stopping: nothing was promised
        assert answer.status_code == httpx.codes.OK, answer.text
        self._sent()
        if (entry := answer.json()["entry"]) is not None:
            one = EntryId(entry["node"], entry["incarnation"], entry["seq"])
            assert one not in self.acked, f"two taps were given the same entry {one}"
            self.acked[one] = (child, point)
            self._history.note("recorded", entry=str(one), child=child, at=point)
        return True

    def _sent(self) -> None:
        self.sent[self._walk.pop()] += 1
