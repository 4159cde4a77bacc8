"""The units are correct to systemd itself, give away little, and agree with the rest of the product."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
# What `systemd-analyze security` calls the exposure: 0 is best, 10 is a service without any protection.
EXPOSURE_MAX = {
    "kiosk.service": 1.8,
    "sync-agent.service": 1.5,
    "school-server.service": 1.5,
    "kiosk-display.service": 3.5,
    "kiosk-backup.service": 1.5,
    "nats-hub.service": 1.5,
    "nats-leaf.service": 1.5,
}
ONCE = frozenset({"kiosk-backup.service"})  # runs by its timer, and ends
PROGRAMS = (
    "opt/campus-kiosk/.venv/bin/kiosk",
    "opt/campus-kiosk/.venv/bin/sync-agent",
    "opt/campus-kiosk/.venv/bin/nats-server",
    "usr/bin/cage",
    "usr/bin/chromium",
    "usr/bin/curl",
)
TIMEOUT_S = 30

every_unit = pytest.mark.parametrize("unit", sorted(EXPOSURE_MAX))
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (package systemd)"
)


@pytest.fixture
def computer(tmp_path: Path) -> Path:
    """A folder that looks like a gate computer: our units, and programs where they will be installed."""
    for program in PROGRAMS:
        path = tmp_path / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    units = tmp_path / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    for unit in UNITS.glob("*.service"):
        shutil.copy(unit, units)
    return tmp_path


def verify(computer: Path, unit: str) -> subprocess.CompletedProcess[str]:
    # The computer has none of the system's own units, hence no recursion; ours must be right by themselves.
    return subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"--root={computer}",
         str(computer / "etc" / "systemd" / "system" / unit)],
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip


def keys(unit: str) -> dict[str, list[str]]:
    """Every key of [Service] with all its values; systemd allows a key more than once."""
    text = re.sub(r"\\\n\s*", " ", (UNITS / unit).read_text(encoding="utf-8"))
    service = text.partition("[Service]")[2].partition("[Install]")[0]
    found: dict[str, list[str]] = {}
    for line in service.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_every_unit_is_tested() -> None:
    assert {path.name for path in UNITS.glob("*.service")} == set(EXPOSURE_MAX)


@needs_systemd
@every_unit
def test_systemd_has_nothing_to_say_against_a_unit(computer: Path, unit: str) -> None:
    said = verify(computer, unit)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


@needs_systemd
def test_the_check_would_notice_a_misspelt_key_and_a_missing_program(computer: Path) -> None:
    unit = computer / "etc" / "systemd" / "system" / "kiosk.service"
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHoem="))
    assert "ProtectHoem" in verify(computer, "kiosk.service").stderr
    (computer / PROGRAMS[1]).unlink()
    assert verify(computer, "sync-agent.service").returncode != 0


@needs_systemd
@every_unit
def test_a_unit_gives_away_no_more_than_it_must(unit: str) -> None:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE_MAX[unit] * 10:.0f}",
         str(UNITS / unit)],
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    if "--offline" in said.stderr or "unrecognized option" in said.stderr:
        pytest.skip("this systemd-analyze is too old to judge a unit that is not installed (before 250)")
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", said.stdout)
    assert exposure is not None, said.stderr
    assert float(exposure[1]) <= EXPOSURE_MAX[unit]
    assert said.returncode == 0


@every_unit
def test_every_service_comes_back_and_keeps_its_memory_to_itself(unit: str) -> None:
    service = keys(unit)
    assert service["LimitCORE"] == ["0"]
    if unit not in ONCE:
        assert service["Restart"] == ["always"] and "StartLimitIntervalSec=0" in (UNITS / unit).read_text()
    assert service["UMask"] == ["0077"] and service["StateDirectoryMode"] == ["0700"]


@every_unit
def test_no_service_reaches_the_internet(unit: str) -> None:
    service = keys(unit)
    assert service["IPAddressDeny"] == ["any"]
    assert not re.search(r"\b(any|0\.0\.0\.0/0|::/0)\b", " ".join(service["IPAddressAllow"]))


@every_unit
def test_no_unit_waits_for_a_watchdog_that_nobody_feeds(unit: str) -> None:
    assert "WatchdogSec" not in keys(unit) and keys(unit)["Type"] != ["notify"]


def test_the_gate_may_use_what_its_drivers_use() -> None:
    service = keys("kiosk.service")
    assert service["SupplementaryGroups"] == ["dialout video lp audio"]
    members = (UNITS / "campus-kiosk.sysusers").read_text().splitlines()  # whoever runs the doctor by hand as this user
    assert {f"m campus-kiosk   {group}" for group in ("dialout", "video", "lp", "audio")} <= set(members)
    allowed = {value.split()[0] for value in service["DeviceAllow"]}
    assert {"char-ttyUSB", "char-ttyACM", "char-video4linux", "char-usb_device", "char-input", "char-usb", "char-alsa"} <= allowed
    loaded = (UNITS / "campus-kiosk.modules-load").read_text().splitlines()
    wanted = {"usbserial", "cdc_acm", "videodev", "usblp", "snd"}
    assert wanted <= set(loaded), "DeviceAllow names what the kernel must know by then"


def test_the_sync_agent_sees_no_picture() -> None:
    (hidden,) = keys("sync-agent.service")["InaccessiblePaths"]
    assert {"-/var/lib/campus-kiosk/snapshots", "-/var/lib/campus-kiosk/photos"} <= set(hidden.split())


def test_the_display_looks_at_this_computer_only() -> None:
    service = keys("kiosk-display.service")
    assert service["IPAddressAllow"] == ["localhost"]
    assert service["User"] != keys("kiosk.service")["User"]


def test_the_units_run_the_commands_of_the_product() -> None:
    environment = Path("/opt/campus-kiosk/.venv/bin")
    assert keys("kiosk.service")["ExecStart"] == [
        f"{environment}/kiosk serve --config /etc/campus-kiosk --state /var/lib/campus-kiosk"
    ]
    assert keys("sync-agent.service")["ExecStart"] == [
        f"{environment}/sync-agent run --config /etc/campus-kiosk --state /var/lib/campus-kiosk"
    ]
    assert keys("kiosk-backup.service")["ExecStart"] == [
        f"{environment}/kiosk backup --state /var/lib/campus-kiosk $BACKUP_OPTIONS"
    ]
    assert keys("school-server.service")["ExecStart"] == [
        f"{environment}/sync-agent serve --state /var/lib/campus-school $SERVE_OPTIONS"
    ]


def test_every_user_of_a_service_is_made_and_cannot_log_in(tmp_path: Path) -> None:
    wanted = {keys(unit)["User"][0] for unit in EXPOSURE_MAX}
    lines = (UNITS / "campus-kiosk.sysusers").read_text().splitlines()
    assert {line.split()[1] for line in lines if line.startswith("u ")} == wanted
    if shutil.which("systemd-sysusers") is None:
        pytest.skip("systemd-sysusers is not installed (package systemd)")
    (tmp_path / "etc").mkdir()
    made = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", str(UNITS / "campus-kiosk.sysusers")],
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    users = {line.split(":")[0]: line for line in (tmp_path / "etc" / "passwd").read_text().splitlines()}
    assert set(users) == wanted and all(line.endswith("nologin") for line in users.values())


def test_the_udev_rules_name_the_readers_that_the_driver_knows() -> None:
    from drivers.nfc_reader import USB_READERS

    rules = (UNITS / "60-campus-kiosk.rules").read_text()
    named = {
        vendor: tuple(products.split("|"))
        for vendor, products in re.findall(r'idVendor}=="(\w+)", ATTR{idProduct}=="([\w|]+)"', rules)
    }
    for vendor, products in USB_READERS.items():
        assert set(products) <= set(named[vendor]), vendor
    assert rules.count("GOTO") == 3 and rules.count('LABEL="campus_kiosk_end"') == 1


def test_every_file_is_named_in_the_instructions() -> None:
    told = (UNITS / "README.md").read_text(encoding="utf-8")
    assert all(f"`{path.name}`" in told for path in UNITS.iterdir() if path.name != "README.md")


@every_unit
def test_a_unit_has_the_three_sections_and_no_trailing_noise(unit: str) -> None:
    parser = configparser.ConfigParser(strict=False, allow_no_value=False, interpolation=None)
    parser.read(UNITS / unit, encoding="utf-8")
    assert parser.sections() == ["Unit", "Service", "Install"][: 2 if unit in ONCE else 3]


@needs_systemd
def test_the_timer_of_the_backup_means_every_night() -> None:
    text = (UNITS / "kiosk-backup.timer").read_text(encoding="utf-8")
    when = re.search(r"^OnCalendar=(.+)$", text, re.MULTILINE)
    assert when is not None and "Persistent=true" in text
    said = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=2", when[1]],
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False, env={"TZ": "Asia/Shanghai", "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert said.returncode == 0 and said.stdout.count("02:30:00") >= 2, said.stdout + said.stderr
