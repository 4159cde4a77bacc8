"""What the doctor says when it is the computer that is in the way: rights, missing services, another user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.receipt_printer import EscposPrinter
from kiosk import doctor_hints
from kiosk.doctor import examine
from kiosk.doctor_hints import hints, keyboard_rule

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file that somebody else may not use")
NOBODY = 65534
DIALOUT, LP, VIDEO, INPUT = "dialout", "lp", "video", "input"


@contextmanager
def as_nobody() -> Iterator[None]:
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture(name="node")
def a_node_that_belongs_to_a_group(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A device of this computer that only its owner may use, looked at as by somebody without rights."""
    path = Path("/dev/console")
    if not path.is_char_device() or path.stat().st_mode & 0o006:
        pytest.skip("this machine has no device that is closed to others")
    return path


@root_only
@pytest.mark.parametrize(
    ("scheme", "group"), [("rdm6300", DIALOUT), ("lcus", DIALOUT), ("modbus", DIALOUT), ("escpos", LP), ("camera", VIDEO)]
)
def test_a_node_of_another_group_is_answered_with_the_group_to_join(
    node: Path, scheme: str, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_hints, "group_name", lambda _: group)
    with as_nobody():
        (hint,) = hints(f"{scheme}:{node}?baud=9600", [])
    assert f"usermod -aG {group} <the user that runs kiosk>" in hint


@root_only
def test_nobody_is_told_to_join_a_group_that_may_do_much_more(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_hints, "group_name", lambda _: "root")
    with as_nobody():
        (hint,) = hints(f"lcus:{node}", [])
    assert "usermod" not in hint and "60-campus-kiosk.rules" in hint


@root_only
def test_a_reader_that_types_is_given_alone_by_a_rule_with_its_own_numbers(node: Path) -> None:
    with as_nobody():
        (hint,) = hints(f"wedge:{node}", [])
    assert "usermod" not in hint and 'SUBSYSTEM=="input"' in hint and "udevadm trigger" in hint


def test_the_rule_for_a_keyboard_has_the_numbers_that_the_kernel_tells(tmp_path: Path) -> None:
    ids = tmp_path / "sys" / "event7" / "device" / "id"
    ids.mkdir(parents=True)
    (ids / "vendor").write_text("ffff\n")
    (ids / "product").write_text("0035\n")
    (tmp_path / "event7").touch()
    (tmp_path / "usb-Reader-event-kbd").symlink_to("event7")
    rule = keyboard_rule(tmp_path / "usb-Reader-event-kbd", sys_input=tmp_path / "sys")
    assert 'ATTRS{idVendor}=="ffff", ATTRS{idProduct}=="0035", MODE="0660"' in rule
    assert 'ATTRS{idVendor}=="VENDOR"' in keyboard_rule(tmp_path / "none", sys_input=tmp_path / "sys")


def test_a_smart_card_reader_without_its_service_is_answered_with_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_hints, "PCSCD_SOCKET", tmp_path / "pcscd.comm")
    assert "pcscd.socket" in " ".join(hints("pcsc:", []))
    (tmp_path / "pcscd.comm").touch()
    assert hints("pcsc:", []) == []


def test_a_device_that_is_not_there_is_answered_with_what_is_of_its_kind() -> None:
    others = ["rdm6300:/dev/serial/by-id/a", "camera:/dev/video0", *(f"rdm6300:/dev/serial/by-id/b{n}" for n in range(9))]
    (hint,) = hints("rdm6300:/dev/serial/by-id/none", others)
    assert hint.startswith("plugged in now: rdm6300:/dev/serial/by-id/a, ") and "camera" not in hint and "b8" not in hint
    assert hints("escpos:/dev/usb/by-id/none", others) == ["nothing of its kind is plugged in"]
    assert hints("camera:rtsp://10.0.0.9/dev/x", others) == []


@root_only
def test_who_asks_for_another_user_is_told_so(tmp_path: Path) -> None:
    assert not [row for row in examine([], tmp_path).computer if row.name == "user"]
    os.chown(tmp_path, NOBODY, NOBODY)
    (row,) = [row for row in examine([], tmp_path).computer if row.name == "user"]
    assert row.health == "warning" and "sudo -u nobody kiosk doctor" in row.detail


def test_a_usb_printer_is_offered_by_the_name_that_stays(tmp_path: Path) -> None:
    for name in ("lp0", "lp1"):
        (tmp_path / name).touch()
    assert list(EscposPrinter.discover(tmp_path)) == [f"escpos:{tmp_path}/lp0", f"escpos:{tmp_path}/lp1"]
    (tmp_path / "by-id").mkdir()
    (tmp_path / "by-id" / "XPrinter_80").symlink_to("../lp1")
    assert list(EscposPrinter.discover(tmp_path)) == [f"escpos:{tmp_path}/by-id/XPrinter_80", f"escpos:{tmp_path}/lp0"]
