"""What the doctor adds to a driver's own sentence: what only a look around the computer can tell.

Whose the device node is and how its user gets it, what of the same kind is plugged in, whether a service that the driver
needs is there. It opens no device, starts nothing and changes nothing.
"""

from __future__ import annotations

import grp
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

CANDIDATES_SHOWN = 4
KIOSK_USER = "<the user that runs kiosk>"
RULES = "run `sudo udevadm control --reload && sudo udevadm trigger`, and plug it in again"
UDEV_HINT = f"copy systemd/60-campus-kiosk.rules to /etc/udev/rules.d/, {RULES}"
PCSCD_SOCKET = Path("/run/pcscd/pcscd.comm")
SYS_INPUT = Path("/sys/class/input")
BROAD_GROUPS = frozenset({"root", "input", "disk", "tty"})  # who is in one of these may do more than use this device


def hints(url: str, candidates: Sequence[str]) -> list[str]:
    """What to do about a device that does not work, beside what its driver says."""
    scheme = url.partition(":")[0]
    found = [hint(url) for prefix, hint in SERVICES.items() if url.startswith(prefix)]
    if (path := device_path(url)) is not None:
        found.append(_path_hint(scheme, path, candidates))
    return [hint for hint in found if hint]


def device_path(url: str) -> Path | None:
    """The device node that a URL names, if it names one."""
    start = url.find("/dev/")
    return None if start < 0 or "://" in url[:start] else Path(url[start:].partition("?")[0])


def _path_hint(scheme: str, path: Path, candidates: Sequence[str]) -> str:
    try:
        group = path.stat().st_gid
    except OSError:
        like = [candidate for candidate in candidates if candidate.partition(":")[0] == scheme]
        return f"plugged in now: {', '.join(like[:CANDIDATES_SHOWN])}" if like else "nothing of its kind is plugged in"
    if os.access(path, os.R_OK | os.W_OK, effective_ids=True):
        return ""
    name = group_name(group)
    if scheme == "wedge":
        rule = f"{keyboard_rule(path)} into /etc/udev/rules.d/60-campus-kiosk.rules"
        return f"give this keyboard alone to {KIOSK_USER}: {rule}, {RULES}"
    if name in BROAD_GROUPS:
        return f"it belongs to group {name}, which may do much more: {UDEV_HINT}"
    return f"it belongs to group {name}: `sudo usermod -aG {name} {KIOSK_USER}`, then start kiosk again"


def keyboard_rule(path: Path, *, sys_input: Path = SYS_INPUT) -> str:
    """The udev rule for one model of keyboard, with its own numbers where the kernel tells them."""
    ids = sys_input / os.path.basename(os.path.realpath(path)) / "device" / "id"
    try:
        vendor, product = ((ids / name).read_text(encoding="ascii").strip() for name in ("vendor", "product"))
    except OSError:
        vendor, product = "VENDOR", "PRODUCT"
    return (
        f'SUBSYSTEM=="input", KERNEL=="event*", ATTRS{{idVendor}}=="{vendor}", ATTRS{{idProduct}}=="{product}", '
        'MODE="0660", GROUP="campus-kiosk"'
    )


def group_name(group: int) -> str:
    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)


def _smart_card_service(url: str) -> str:
    if PCSCD_SOCKET.exists():
        return ""
    return "the smart card service does not run: `sudo apt install pcscd && sudo systemctl enable --now pcscd.socket`"


SERVICES: Mapping[str, Callable[[str], str]] = {
    "nfc:usb": lambda url: UDEV_HINT,
    "pcsc": _smart_card_service,
}
