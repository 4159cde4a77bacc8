"""What `kiosk doctor` says, on real folders, real ptys and a simulated camera on loopback."""

from __future__ import annotations

import json
import os
import pty
from collections.abc import Iterator
from pathlib import Path

import pytest

import kiosk
from drivers.simulated.camera import Mode, SimulatedCamera
from kiosk.clock import FixedClock
from kiosk.doctor import (
    WARNING,
    Report,
    Row,
    device_path,
    examine,
    examine_clock,
    examine_device,
    examine_import_names,
    examine_state,
)
from kiosk.journal import Journal

ROOT = Path(kiosk.__file__).parents[1]
NOW = FixedClock(1_795_000_000_000)


@pytest.fixture
def reader_port() -> Iterator[str]:
    host, device = pty.openpty()
    path = os.ttyname(device)
    os.close(device)
    yield path
    os.close(host)


def one(report: Report) -> Row:
    (row,) = report.devices
    return row


def test_a_gate_in_order_is_reported_in_order(tmp_path: Path, reader_port: str) -> None:
    with SimulatedCamera() as scene:
        report = examine([("reader", f"rdm6300:{reader_port}", {}), ("camera", scene.url, {})], tmp_path, clock=NOW)
    assert [(row.name, row.driver, row.health) for row in report.devices] == [
        ("reader", "rdm6300", "ok"),
        ("camera", "camera", "ok"),
    ]
    assert report.ok


def test_the_report_has_the_shape_that_machines_rely_on(tmp_path: Path) -> None:
    told = json.loads(json.dumps(examine([("reader", "rdm6300:/dev/none", {})], tmp_path, clock=NOW).as_json()))
    assert told["ok"] is False
    assert set(told["devices"][0]) == {"name", "driver", "health", "detail"}
    assert [row["name"] for row in told["computer"]] == ["clock", "state", "import names"]
    assert isinstance(told["candidates"], list)


def test_a_person_reads_one_line_for_each_thing(tmp_path: Path) -> None:
    lines = examine([("reader", "rdm6300:/dev/none", {})], tmp_path, clock=NOW).as_text().splitlines()
    assert lines[0].startswith("down           reader  /dev/none is not there")
    assert len(lines) >= 4


def test_one_broken_device_hides_no_other(tmp_path: Path, reader_port: str) -> None:
    report = examine(
        [("gone", "rdm6300:/dev/none", {}), ("strange", "teleporter:x", {}), ("reader", f"rdm6300:{reader_port}", {})],
        tmp_path,
        clock=NOW,
    )
    assert [row.health for row in report.devices] == ["down", "misconfigured", "ok"]
    assert "no driver for 'teleporter'" in report.devices[1].detail


def test_a_device_that_is_not_plugged_in_is_answered_with_what_is(tmp_path: Path) -> None:
    row = one(examine([("reader", "rdm6300:/dev/none", {})], tmp_path, clock=NOW))
    assert row.health == "down" and "plugged in" in row.detail


def test_a_usb_reader_that_is_not_found_is_answered_with_the_udev_rules(tmp_path: Path) -> None:
    row = one(examine([("nfc", "nfc:usb:ffff:ffff", {})], tmp_path, clock=NOW))
    assert row.health in ("down", "misconfigured") and "60-campus-kiosk.rules" in row.detail


def test_options_of_a_device_reach_its_driver(tmp_path: Path) -> None:
    row = one(examine([("camera", "camera:/dev/video0", {"stale": 1})], tmp_path, clock=NOW))
    assert row.health == "misconfigured" and "'stale'" in row.detail


def test_a_camera_with_a_covered_lens_is_a_warning_and_not_a_failure(tmp_path: Path) -> None:
    with SimulatedCamera() as scene:
        scene.set_mode(Mode.BLACK)
        report = examine([("camera", scene.url, {})], tmp_path, clock=NOW)
    assert one(report).health == WARNING and "black" in one(report).detail
    assert report.ok


def test_no_password_of_a_camera_is_printed(tmp_path: Path) -> None:
    url = "camera:http://admin:geheim@127.0.0.1:9/stream?key=geheim"
    assert "geheim" not in json.dumps(examine([("camera", url, {})], tmp_path, clock=NOW).as_json())


def test_a_device_that_never_answers_does_not_stop_the_doctor() -> None:
    with SimulatedCamera() as scene:
        scene.set_mode(Mode.STALL)
        row = examine_device("camera", scene.url, options={}, timeout_s=0.5)
    assert row.health == "down" and "no answer within 0.5 s" in row.detail


def test_a_running_kiosk_is_named_as_the_likely_holder_of_a_device(tmp_path: Path) -> None:
    journal = Journal(tmp_path, node="gate-1", incarnation="0" * 16)
    try:
        row = one(examine([("reader", "rdm6300:/dev/none", {})], tmp_path, clock=NOW))
    finally:
        journal.close()
    assert "kiosk is running" in row.detail
    assert "kiosk is running" not in one(examine([("reader", "rdm6300:/dev/none", {})], tmp_path, clock=NOW)).detail


def test_a_configured_device_is_no_candidate(tmp_path: Path) -> None:
    candidates = examine([], tmp_path, clock=NOW).candidates
    again = examine([(f"d{i}", url, {}) for i, url in enumerate(candidates)], tmp_path, clock=NOW)
    assert again.candidates == ()


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("rdm6300:/dev/serial/by-id/x?baud=9600", Path("/dev/serial/by-id/x")),
        ("nfc:pn532:/dev/ttyUSB0", Path("/dev/ttyUSB0")),
        ("camera:http://host/dev/x", None),
        ("nfc:usb", None),
    ],
)
def test_the_device_node_is_found_in_the_url(url: str, path: Path | None) -> None:
    assert device_path(url) == path


def test_a_clock_that_is_not_trusted_fails_and_says_how_to_set_it() -> None:
    clock = FixedClock(0)
    clock.distrust("implausible_year")
    row = examine_clock(clock)
    assert row.health == "down" and "implausible_year" in row.detail and "timedatectl" in row.detail
    assert examine_clock(NOW).health in ("ok", WARNING)


def test_a_clock_behind_the_last_record_is_found(tmp_path: Path) -> None:
    Journal(tmp_path, node="gate-1", incarnation="0" * 16).close()
    in_a_year_s = (tmp_path / "journal.db").stat().st_mtime + 365 * 86_400
    os.utime(tmp_path / "journal.db", (in_a_year_s, in_a_year_s))
    assert "behind_records" in examine([], tmp_path).computer[0].detail


def test_the_state_folder_is_tried_out_and_left_as_it_was(tmp_path: Path) -> None:
    assert examine_state(tmp_path).health in ("ok", WARNING)
    assert list(tmp_path.iterdir()) == []


def test_a_state_folder_that_cannot_be_written_is_answered_with_the_command_that_makes_it(tmp_path: Path) -> None:
    row = examine_state(tmp_path / "none")
    assert row.health == "down" and "sudo install -d" in row.detail


def test_a_state_folder_in_memory_is_a_warning() -> None:
    memory = Path("/dev/shm")
    if not (memory.is_dir() and os.access(memory, os.W_OK)):
        pytest.skip("this machine has no /dev/shm to write to")
    row = examine_state(memory)
    assert row.health == WARNING and "does not survive a power cut" in row.detail


def test_our_own_import_names_are_ours() -> None:
    assert examine_import_names([str(ROOT)]).health == "ok"


@pytest.mark.parametrize("place", ["drivers/__init__.py", "kiosk.py"])
def test_another_package_that_claims_one_of_our_names_is_found(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).touch()
    row = examine_import_names([str(ROOT), str(tmp_path)])
    assert row.health == "misconfigured" and str(tmp_path / place) in row.detail
