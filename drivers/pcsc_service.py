"""A connection to pcscd: the system's, or one with a socket of its own.

libpcsclite takes the name of the socket from the environment and remembers the first one for as long as the process lives.
So it is given the name of a link that belongs to this process, and the link is moved before each connection. This knows
no reader and no card, and a connection that was made is never touched again.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

from drivers.errors import DeviceLost, Misconfigured

VARIABLE = "PCSCLITE_CSOCK_NAME"
SYSTEM_SOCKET = "/run/pcscd/pcscd.comm"


class SocketLink:
    """The name that libpcsclite has for its socket in this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._system = os.environ.get(VARIABLE, SYSTEM_SOCKET)
        self._link: Path | None = None

    def point_at(self, socket: str) -> None:
        """The next connection goes there; "" is the system's."""
        if self._link is None:
            folder = tempfile.mkdtemp(prefix="pcsc-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            self._link = Path(folder) / "comm"
            os.environ[VARIABLE] = str(self._link)
        beside = self._link.with_name("next")
        beside.unlink(missing_ok=True)
        beside.symlink_to(socket or self._system)
        beside.replace(self._link)


_link = SocketLink()


def connected(scard: Any, socket: str) -> Any:
    """A context of pcscd; release it. `socket`: "" for the system's. Raises DeviceLost, Misconfigured."""
    with _link.lock:
        _link.point_at(socket)
        result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if result == scard.SCARD_S_SUCCESS:
        return context
    said = scard.SCardGetErrorMessage(result).rstrip(".")
    if result in (scard.SCARD_E_NO_ACCESS, scard.SCARD_W_SECURITY_VIOLATION):
        raise Misconfigured(f"pcscd refuses this user ({said}); allow it by a polkit rule, see docs/readers.md")
    raise DeviceLost(f"pcscd does not answer ({said}); start it: systemctl enable --now pcscd.socket")
