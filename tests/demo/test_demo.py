"""The demo is the product, run whole: real processes, real wires, nothing reached into."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.demo import Demo, cards, eventually
from tests.support.plain_http import http_client


def test_a_card_on_the_nfc_reader_arrives_through_nfcpy_with_its_picture(demo: Demo) -> None:
    for uid in cards()[:6]:  # some of six have consented to a picture
        before = len(demo.entries("arrived"))
        demo.hand("east-nfc-1", f"tap {uid}")
        eventually(lambda before=before: len(demo.entries("arrived")) > before)
    named = [e.body["snapshot"] for e in demo.entries("arrived") if "snapshot" in e.body]
    assert named, "nobody of six consented?"
    files = Path(demo.note["state"]) / "snapshots"
    assert eventually(lambda: any(path.stem in named for path in files.rglob("*.bin")))


@pytest.mark.parametrize("reader", ["east-nfc-2", "east-7941-3", "south-7941-1"])
def test_every_kind_of_gate_reader_takes_a_card(demo: Demo, reader: str) -> None:
    uid = cards()[20 + len(reader) + ord(reader[-1])]
    before = len(demo.entries("arrived"))
    demo.hand(reader, f"tap {uid}")
    eventually(lambda: len(demo.entries("arrived")) > before)


def test_a_decimal_spelling_on_the_line_reader_finds_the_same_card(demo: Demo) -> None:
    uid = cards()[200]
    before = len(demo.entries("arrived"))
    demo.hand("east-line-4", f"tap {int(uid, 16):010d}")
    eventually(lambda: len(demo.entries("arrived")) > before)


def test_an_old_id_card_is_read_at_the_gatehouse(demo: Demo) -> None:
    demo.hand("east-id-house", f"tap {cards('ID')[0]}")
    eventually(lambda: [e for e in demo.entries("arrived") if e.body["access_point"] == "east-house-in"])


def test_a_reader_that_is_pulled_out_is_named_and_comes_back(demo: Demo) -> None:
    demo.hand("south-line-3", "unplug")
    eventually(lambda: [e for e in demo.entries("device_lost") if e.body["device"] == "south-line-3"])
    demo.hand("south-line-3", "replug")
    eventually(lambda: [e for e in demo.entries("device_back") if e.body["device"] == "south-line-3"])
    before = len(demo.entries("arrived"))
    demo.hand("south-line-3", f"tap {int(cards()[220], 16):010d}")
    eventually(lambda: len(demo.entries("arrived")) > before)


def test_the_school_server_gets_every_entry(demo: Demo) -> None:
    with http_client(demo.note["url"]) as client:

        def nothing_waits() -> bool:
            health = client.get("/healthz").json()
            return health["waiting"] == 0 and health["online"] is True

        eventually(nothing_waits, 40)


def test_the_sign_ins_of_the_note_work(demo: Demo) -> None:
    for row in demo.note["sign_ins"][:4]:
        with http_client(demo.note["url"]) as client:
            answer = client.post("/sign-in", json={"staff_number": row["staff_number"], "pin": row["pin"]})
        assert answer.status_code == 200, answer.text


def test_ctrl_c_stops_every_process(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "state", "--quiet-day")
    pids = demo.note["pids"].values()
    assert demo.stop() == 0
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_a_folder_that_is_no_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", "demo", "--state", str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2 and "name another --state" in done.stderr
    assert (tmp_path / "precious").exists()
