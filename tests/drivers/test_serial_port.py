"""Whose fault it is that a port does not work: the sentence says it, and what to do."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from drivers.errors import DeviceLost, DriverError, Misconfigured
from drivers.serial_port import SerialPort, open_failure, stable_tty_paths
from drivers.simulated.pty_wire import PtyWire

WAIT_S = 30.0


@pytest.mark.parametrize(
    ("code", "kind", "remedy"),
    [
        (errno.EACCES, Misconfigured, "group dialout"),
        (errno.ENOENT, DeviceLost, "plug the device in"),
        (errno.ENXIO, DeviceLost, "plug the device in"),
        (errno.EAGAIN, DeviceLost, "another program"),
        (errno.EBUSY, DeviceLost, "another program"),
        (errno.EIO, DeviceLost, "/dev/reader"),
    ],
)
def test_the_reason_decides_who_must_act(code: int, kind: type[DriverError], remedy: str) -> None:
    failure = open_failure("/dev/reader", OSError(code, os.strerror(code)))
    assert type(failure) is kind
    assert remedy in str(failure)


def test_a_file_is_no_serial_port(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(Misconfigured, match="no serial port"):
        SerialPort(str(tmp_path / "notes.txt"), baud=9600).open()


def test_a_speed_that_no_port_has_is_a_wrong_setting() -> None:
    with PtyWire(baud=9600) as wire, pytest.raises(Misconfigured, match="baud"):
        SerialPort(wire.path, baud=-5).open()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_port_that_we_may_not_open_is_a_wrong_setting() -> None:
    with PtyWire(baud=9600) as wire:
        Path(wire.path).chmod(0)
        with pytest.raises(Misconfigured, match="group dialout"):
            SerialPort(wire.path, baud=9600).open()


def test_every_use_of_a_pulled_port_is_a_lost_device() -> None:
    with PtyWire(baud=9600) as wire:
        port = SerialPort(wire.path, baud=9600)
        port.open()
        wire.unplug()
        for use in (lambda: port.read(0.1), lambda: port.read(0), lambda: port.write(b"x"), port.check):
            with pytest.raises(DeviceLost, match=wire.path):
                use()
        port.close()
        with pytest.raises(DeviceLost, match="plug the device in"):
            port.open()


def test_a_host_that_takes_nothing_is_a_lost_device() -> None:
    held = os.openpty()
    port = SerialPort(os.ttyname(held[1]), baud=9600)
    try:
        port.open()
        with pytest.raises(DeviceLost):
            port.write(b"x" * 1_000_000)
    finally:
        port.close()
        for end in held:
            os.close(end)


def test_cancel_while_another_thread_closes_never_raises() -> None:
    with PtyWire(baud=9600) as wire:
        port = SerialPort(wire.path, baud=9600)
        done = threading.Event()

        def cancel_all_the_time() -> None:
            while not done.is_set():
                port.cancel()

        thread = threading.Thread(target=cancel_all_the_time)
        thread.start()
        for _ in range(50):
            port.open()
            port.close()
        done.set()
        thread.join(5)
        assert not thread.is_alive()


def test_cancel_waits_for_no_port_that_is_long_in_closing() -> None:
    closing, closed = threading.Event(), threading.Event()

    class Wedged:
        def close(self) -> None:
            """As the kernel, which waits for what an adapter does not take any more."""
            closing.set()
            closed.wait(WAIT_S)

    port = SerialPort("/dev/ttyUSB0", baud=9600)
    port._serial = Wedged()
    thread = threading.Thread(target=port.close)
    thread.start()
    assert closing.wait(WAIT_S)
    loop = threading.Thread(target=port.cancel, daemon=True)
    loop.start()
    loop.join(WAIT_S)
    assert not loop.is_alive()
    closed.set()
    thread.join(WAIT_S)


def test_adapters_are_offered_by_the_names_that_survive_replugging(tmp_path: Path) -> None:
    for name in ("usb-1a86_USB_Serial-if00-port0", "usb-FTDI_FT232R_A5-if00-port0"):
        (tmp_path / name).symlink_to("/dev/null")
    assert [Path(path).name for path in stable_tty_paths(tmp_path)] == [
        "usb-1a86_USB_Serial-if00-port0",
        "usb-FTDI_FT232R_A5-if00-port0",
    ]
    assert list(stable_tty_paths(tmp_path / "nothing is plugged in")) == []
