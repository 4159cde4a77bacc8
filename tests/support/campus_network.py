"""A campus network of one's own: a network namespace for each computer, joined by a bridge in one more, and cables to pull.

`inside` puts the calling thread into one of them: what it starts runs there, and whom it asks is asked from there. Needs root and
`ip`; nothing of the machine's own network is touched. A one-way cut is a wrong hardware address for good: packets leave and
arrive nowhere, and nobody is told.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_CLONE_NEWNET = 0x40000000
_NOWHERE = "02:00:00:00:00:99"
_libc = ctypes.CDLL(None, use_errno=True)


def needs_namespaces() -> None:
    """Skips the test where the machine does not allow them."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and the package iproute2")
    name = f"kx{uuid.uuid4().hex[:8]}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    bridge = ["ip", "-n", name, "link", "add", "br0", "type", "bridge"]
    joined = subprocess.run(bridge, capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    if made.returncode or joined.returncode:
        pytest.skip(f"this machine makes no network namespaces or bridges: {(made.stderr + joined.stderr).strip()[:200]}")


class CampusNetwork:
    """One computer for each name, with the addresses 10.77.0.1, 2, 3 … in that order."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._word, self._names = f"kx{uuid.uuid4().hex[:6]}", names
        self.address = {name: f"10.77.0.{number}" for number, name in enumerate(names, start=1)}
        self._made: list[str] = []
        try:
            self._make()
        except BaseException:
            self.close()
            raise

    def _make(self) -> None:
        hub = self._space("hub")
        self._ip(hub, "link add br0 type bridge")
        self._ip(hub, "link set br0 up")
        for name in self._names:
            space = self._space(name)
            self._ip(space, "link set lo up")
            self._ip(hub, f"link add {name} type veth peer name eth0 netns {space}")
            self._ip(hub, f"link set {name} master br0 up")
            self._ip(space, f"addr add {self.address[name]}/24 dev eth0")
            self._ip(space, "link set eth0 up")

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """This thread is on that computer until the end of the block."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(Path("/run/netns") / self._full(name), os.O_RDONLY)
        try:
            _enter(there)
            yield
        finally:
            _enter(before)
            os.close(there)
            os.close(before)

    def cut(self, name: str) -> None:
        """The cable of that computer is pulled at the switch."""
        self._ip(self._full("hub"), f"link set {name} down")

    def lose(self, sender: str, receiver: str) -> None:
        """What one sends to the other is lost without a word; the other way round everything arrives."""
        self._ip(self._full(sender), f"neigh replace {self.address[receiver]} lladdr {_NOWHERE} dev eth0 nud permanent")

    def heal(self) -> None:
        for name in self._names:
            self._ip(self._full("hub"), f"link set {name} up")
            for address in self.address.values():
                subprocess.run(
                    ["ip", "-n", self._full(name), "neigh", "del", address, "dev", "eth0"], capture_output=True, check=False
                )

    def close(self) -> None:
        for space in reversed(self._made):
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)

    def _space(self, name: str) -> str:
        space = self._full(name)
        subprocess.run(["ip", "netns", "add", space], check=True, capture_output=True)
        self._made.append(space)
        return space

    def _full(self, name: str) -> str:
        return f"{self._word}-{name}"

    def _ip(self, space: str, words: str) -> None:
        done = subprocess.run(["ip", "-n", space, *words.split()], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"ip -n {space} {words}: {done.stderr}"


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
