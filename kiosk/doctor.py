"""What `kiosk doctor` looks at: every configured device, and the computer under it. One row each, with the remedy.

Devices are opened one after another with a time-out, looked at and closed again; no door is opened,
no lamp lit. It repairs nothing, changes no setting, and writes nothing but one probe file that it removes.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import secrets
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from drivers import registry
from drivers.camera_source import without_secrets
from drivers.errors import IO_ERRORS, DriverError, Misconfigured
from drivers.protocols import Camera, Driver, Health, Printer, Reader, Relay
from kiosk.backup import last_backup
from kiosk.ballast import Ballast
from kiosk.clock import Clock, SystemClock
from kiosk.doctor_hints import device_path
from kiosk.doctor_hints import hints as more_hints
from kiosk.settings.values import Disk
from kiosk.snapshots import used_share_of_disk

DEVICE_TIMEOUT_S = 10.0  # open() may take 5 s; a driver that takes longer hangs
LOOK_S = 0.3  # how long a reader is listened to
PICTURE_WAIT_S = 2.0
WARNING = "warning"
FAILING = frozenset({Health.DOWN.value, Health.MISCONFIGURED.value})
IMPORT_NAMES = ("kiosk", "drivers", "sync_agent")
BACKUP_WARNING_HOURS = 36  # a night was missed
MEMORY_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs", "overlay"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`health` is a drivers.protocols.Health value, or `warning`: it works, and somebody should know."""

    name: str
    driver: str
    health: str
    detail: str

    def as_json(self) -> dict[str, str]:
        return {"name": self.name, "driver": self.driver, "health": self.health, "detail": self.detail}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`candidates` are URLs of what is plugged in and not configured."""

    devices: tuple[Row, ...]
    computer: tuple[Row, ...]
    candidates: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not any(row.health in FAILING for row in (*self.devices, *self.computer))

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "devices": [row.as_json() for row in self.devices],
            "computer": [row.as_json() for row in self.computer],
            "candidates": list(self.candidates),
        }

    def as_text(self) -> str:
        rows = [f"{row.health:<13}  {row.name}  {row.detail}".rstrip() for row in (*self.devices, *self.computer)]
        return "\n".join([*rows, *(f"{'not in use':<13}  {url}" for url in self.candidates)])


def examine(
    devices: Sequence[tuple[str, str, Mapping[str, Any]]],
    state_dir: Path,
    *,
    disk: Disk | None = None,
    clock: Clock | None = None,
    more: Sequence[Row] = (),
) -> Report:
    """`devices` are (name, URL, options) as configured, `more` rows that somebody else looked at. Never raises for what a
    device or the computer does."""
    candidates = _candidates([url for _, url, _ in devices])
    running = kiosk_runs(state_dir)
    return Report(
        devices=tuple(
            _with_hint(examine_device(name, url, options=options), url, candidates, running) for name, url, options in devices
        ),
        computer=(
            examine_clock(clock or SystemClock(not_before_ms=_last_record_ms(state_dir))),
            examine_state(state_dir, disk or Disk()),
            *examine_backup(state_dir, (clock or SystemClock()).now_ms()),
            examine_import_names(sys.path),
            *examine_user(state_dir),
            *more,
        ),
        candidates=candidates,
    )


# --- devices


def examine_device(name: str, url: str, *, options: Mapping[str, Any], timeout_s: float = DEVICE_TIMEOUT_S) -> Row:
    """Opens one device, looks at it, and closes it. A driver that hangs is left behind on its thread."""
    scheme = url.partition(":")[0]
    try:
        driver = registry.load(url, name, **options)
    except Misconfigured as error:
        return Row(name=name, driver=scheme, health=Health.MISCONFIGURED, detail=str(error))
    found: list[tuple[str, str]] = []
    thread = threading.Thread(target=lambda: found.append(_look(driver)), name=f"doctor-{name}", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if not found:
        driver.cancel()
        detail = f"{without_secrets(url)} gave no answer within {timeout_s:g} s: switch it off and on"
        return Row(name=name, driver=scheme, health=Health.DOWN, detail=detail)
    health, detail = found[0]
    return Row(name=name, driver=scheme, health=health, detail=detail)


def _look(driver: Driver) -> tuple[str, str]:
    """(health, detail). Runs on a thread of its own, which alone opens and closes the device."""
    try:
        info = driver.open()
        trouble = _try_out(driver)
    except Misconfigured as error:
        return Health.MISCONFIGURED.value, str(error)
    except (DriverError, *IO_ERRORS) as error:
        return Health.DOWN.value, str(error)
    except Exception as error:  # a mistake in one driver must not hide the other devices' rows
        return Health.DOWN.value, f"fault in the driver ({type(error).__name__}: {error}): report it"
    finally:
        driver.close()
    return (WARNING, trouble) if trouble else (Health.OK.value, info.model)


def _try_out(driver: Driver) -> str:
    """Uses the device without consequences: '' or what somebody should know. Raises what the driver raises."""
    if isinstance(driver, Camera):
        if driver.latest(wait_s=PICTURE_WAIT_S) is None:
            return "it opens but gives no fresh picture: check cable and network"
        return driver.detail()
    if isinstance(driver, Reader):
        driver.poll(LOOK_S)
        return driver.detail()
    if isinstance(driver, (Relay, Printer)):
        driver.ping()
    return ""


def _with_hint(row: Row, url: str, candidates: Sequence[str], running: bool) -> Row:
    """A driver names its own remedy; the doctor adds what only a look around can tell."""
    if row.health not in FAILING:
        return row
    hints = [row.detail]
    if running:
        hints.append("kiosk is running and holds its devices: stop it first (`sudo systemctl stop kiosk`) or see 值班")
    hints += more_hints(url, candidates)
    return Row(name=row.name, driver=row.driver, health=row.health, detail="; ".join(hint for hint in hints if hint))


def _candidates(configured: Iterable[str]) -> tuple[str, ...]:
    """What is plugged in and not configured yet."""
    taken = {os.path.realpath(path) for path in map(device_path, configured) if path is not None}
    named = set(configured)
    return tuple(
        url
        for url in registry.discover_all()
        if url not in named and ((path := device_path(url)) is None or os.path.realpath(path) not in taken)
    )


# --- the computer


def examine_clock(clock: Clock) -> Row:
    """Whether lateness can be judged, and whether the time would survive a power cut."""
    why = clock.reason()
    if why:
        detail = f"the clock is not trusted ({why}): set it with `sudo timedatectl set-ntp true` or by hand"
        return Row(name="clock", driver="clock", health=Health.DOWN, detail=detail)
    if not Path("/dev/rtc0").exists():
        detail = "no battery-backed clock: after a power cut the time is wrong until a time server answers"
        return Row(name="clock", driver="clock", health=WARNING, detail=detail)
    return Row(name="clock", driver="clock", health=Health.OK, detail="")


def examine_state(state_dir: Path, disk: Disk | None = None) -> Row:
    """Whether a fact written now would be there after a power cut."""
    probe = state_dir / f"doctor-{secrets.token_hex(4)}.probe"
    try:
        _write_probe(probe)
        share = used_share_of_disk(state_dir)
    except OSError as error:
        detail = (
            f"{state_dir} cannot be written ({error.strerror}): make it with "
            f"`sudo install -d -m 700 -o <the user that runs kiosk> {state_dir}`"
        )
        return Row(name="state", driver="disk", health=Health.DOWN, detail=detail)
    file_system = _file_system(state_dir)
    if file_system in MEMORY_FILE_SYSTEMS:
        detail = f"{state_dir} is on {file_system}, which does not survive a power cut: give --state a folder on a disk"
        return Row(name="state", driver="disk", health=WARNING, detail=detail)
    disk = disk or Disk()
    if (state_dir / "journal.db").exists() and Ballast(state_dir, mib=disk.ballast_mib).missing:
        detail = (
            f"the disk is {share:.0%} full and there is no ballast of {disk.ballast_mib} MiB: it was given up, or there was "
            "never room for it; free some space, a running kiosk makes it within a second"
        )
        return Row(name="state", driver="disk", health=WARNING, detail=detail)
    if share >= disk.pictures_stop_at:
        detail = f"the disk is {share:.0%} full and pictures have stopped: free some space"
        return Row(name="state", driver="disk", health=WARNING, detail=detail)
    return Row(name="state", driver="disk", health=Health.OK, detail=f"{share:.0%} of the disk is used")


def examine_backup(state_dir: Path, now_ms: int) -> tuple[Row, ...]:
    """When the last copy was made, and a warning when that is too long ago; nothing where there is nothing to copy yet."""
    if not (state_dir / "journal.db").exists():
        return ()
    last = last_backup(state_dir)
    if last is None:
        detail = f"no copy was ever made: run `kiosk backup --state {state_dir} --to <a folder on another disk>` every night"
        return (Row(name="backup", driver="disk", health=WARNING, detail=detail),)
    hours = max(0, now_ms - last.at_ms) // 3_600_000
    detail = f"the last copy is {hours} h old: {last.copy}"
    if hours >= BACKUP_WARNING_HOURS:
        return (Row(name="backup", driver="disk", health=WARNING, detail=f"{detail}; look at kiosk-backup.timer"),)
    return (Row(name="backup", driver="disk", health=Health.OK, detail=detail),)


def examine_user(state_dir: Path) -> tuple[Row, ...]:
    """A row when somebody else asks than the kiosk runs as: what root may open, the service may not."""
    try:
        owner = state_dir.stat().st_uid
    except OSError:
        return ()
    if owner == os.geteuid():
        return ()
    name = user_name(owner)
    detail = f"the permissions above are not those of {name}, who owns {state_dir}: run `sudo -u {name} kiosk doctor ...`"
    return (Row(name="user", driver="user", health=WARNING, detail=detail),)


def user_name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _write_probe(probe: Path) -> None:
    """The same steps as a fact takes: write, fsync, rename, fsync the folder."""
    final = probe.with_suffix(".renamed")
    try:
        with probe.open("xb") as file:
            file.write(b"probe")
            file.flush()
            os.fsync(file.fileno())
        probe.rename(final)
        folder = os.open(probe.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        probe.unlink(missing_ok=True)
        final.unlink(missing_ok=True)


def _file_system(path: Path) -> str:
    """The type of the file system that holds `path`, or '' where the kernel does not tell."""
    real, best = os.path.realpath(path), ("", "")
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in mounts:
        _, point, kind, *_ = line.split(" ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def examine_import_names(search_path: Sequence[str]) -> Row:
    """Our top-level names are common words: another package of the same name would be half loaded in our place."""
    spec = importlib.util.find_spec("kiosk")
    assert spec is not None and spec.origin is not None, "this module is part of it"
    ours = Path(spec.origin).resolve().parents[1]
    strangers = [
        str(place)
        for name in IMPORT_NAMES
        for folder in dict.fromkeys(search_path)
        for place in (
            Path(folder or ".").resolve() / name / "__init__.py",
            Path(folder or ".").resolve() / f"{name}.py",
        )
        if place.is_file() and place.parents[place.name == "__init__.py"] != ours
    ]
    owners = packages_distributions()
    strangers += sorted({name for top in IMPORT_NAMES for name in owners.get(top, ())} - _whole_owners(owners))
    if not strangers:
        return Row(name="import names", driver="python", health=Health.OK, detail=str(ours))
    detail = (
        f"{', '.join(strangers)} also claims a name of {', '.join(IMPORT_NAMES)}: "
        "install campus-kiosk alone in a virtual environment of its own"
    )
    return Row(name="import names", driver="python", health=Health.MISCONFIGURED, detail=detail)


def _whole_owners(owners: Mapping[str, Sequence[str]]) -> set[str]:
    """Distributions that own all of our names: that is us."""
    return set.intersection(*(set(owners.get(name, ())) for name in IMPORT_NAMES))


def kiosk_runs(state_dir: Path) -> bool:
    """Whether a controller holds the journal of this state folder."""
    try:
        descriptor = os.open(state_dir / "journal.lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _last_record_ms(state_dir: Path) -> int:
    """When the journal was last written: a clock behind it is wrong. 0 when there is none."""
    try:
        return int((state_dir / "journal.db").stat().st_mtime * 1000)
    except OSError:
        return 0
