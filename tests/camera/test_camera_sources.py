"""Where pictures may come from, and what is said when an address is wrong, missing or not allowed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.camera import OpenCvCamera
from drivers.camera_source import (
    DeviceSource,
    FileSource,
    StreamSource,
    parse_options,
    parse_source,
    require_access,
    without_secrets,
)
from drivers.errors import DeviceLost, Misconfigured
from drivers.simulated.camera import SimulatedCamera

MakeCamera = Callable[..., OpenCvCamera]
NOBODY = 65534
PICTURES = 8


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures, each other than the one before, at twenty a second."""
    import cv2
    import numpy

    path = tmp_path_factory.mktemp("recording") / "gate.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (320, 240))
    for shade in range(PICTURES):
        writer.write(numpy.full((240, 320, 3), 40 + 20 * shade, numpy.uint8))
    writer.release()
    return path


@contextmanager
def somebody_without_rights() -> Iterator[None]:
    """Root may read everything, so root steps down; anybody else simply is that somebody."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("camera:/dev/video0", DeviceSource(Path("/dev/video0"))),
        ("camera:http://10.0.0.7/stream?channel=2", StreamSource("http://10.0.0.7/stream?channel=2")),
        ("camera:rtsp://u:p@10.0.0.7:554/Channels/102", StreamSource("rtsp://u:p@10.0.0.7:554/Channels/102")),
        ("camera:file:/v/day.avi", FileSource(path=Path("/v/day.avi"))),
        ("camera:file:/v/day.avi?realtime=1&loop=1", FileSource(path=Path("/v/day.avi"), loop=True)),
        ("camera:file:/v/day.avi?realtime=0", FileSource(path=Path("/v/day.avi"), realtime=False)),
    ],
)
def test_an_address_names_its_source(url: str, source: object) -> None:
    assert parse_source(url) == source


@pytest.mark.parametrize(
    "url",
    [
        "camera:", "camera:video0", "camera:ftp://10.0.0.7/x", "camera:http://", "camera:http://[::1/x",
        "camera:http://host:99999/x", "camera:file:/v.avi?speed=2", "camera:file:/v.avi?realtime=0&loop=1",
        "camera:/dev/\x00", "serial:/dev/ttyUSB0", "",
    ],
)  # fmt: skip
def test_a_wrong_address_is_answered_with_what_is_allowed(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"allowed|loop=1 needs"):
        parse_source(url)


@given(st.text())
def test_no_text_at_all_breaks_the_address_parser(text: str) -> None:
    try:
        assert parse_source(f"camera:{text}").shown is not None
    except Misconfigured:
        return


def test_an_address_is_shown_without_user_password_and_query() -> None:
    source = parse_source("camera:rtsp://admin:geheim@10.0.0.7:554/Channels/102?token=geheim")
    assert source.shown == "rtsp://10.0.0.7:554/Channels/102"


def test_a_loss_never_tells_the_password(make_camera: MakeCamera) -> None:
    camera = make_camera("camera:http://admin:geheim@127.0.0.1:9/stream?token=geheim", open_within_s=1.0)
    with pytest.raises(DeviceLost) as caught:
        camera.open()
    assert "geheim" not in camera.url
    assert "127.0.0.1:9/stream" in str(caught.value) and "geheim" not in str(caught.value)


@pytest.mark.parametrize("options", [{"stale": 1}, {"stale_s": "long"}, {"stale_s": 0}, {"frozen_s": -1}])
def test_a_wrong_option_is_named(options: dict[str, object]) -> None:
    with pytest.raises(Misconfigured, match=next(iter(options))):
        parse_options("/dev/video0", options)


@given(st.text())
def test_no_password_is_ever_shown_however_odd(noise: str) -> None:
    assert "geheim" not in without_secrets(f"camera:http://admin:{noise}geheim{noise}@10.0.0.7/x")
    assert "geheim" not in without_secrets(f"camera:http://10.0.0.7/{noise}?key={noise}geheim")
    without_secrets(noise)


def test_a_recording_is_played_to_its_end_and_then_the_camera_is_lost(make_camera: MakeCamera, recording: Path) -> None:
    camera = make_camera(f"camera:file:{recording}?realtime=1", frozen_s=60)
    assert "FileSource 320x240" in camera.open().model
    assert camera.latest() is not None
    with pytest.raises(DeviceLost, match="the recording has ended"):
        camera.watch(15)


def test_a_recording_in_a_loop_goes_on_after_its_end(make_camera: MakeCamera, recording: Path) -> None:
    camera = make_camera(f"camera:file:{recording}?realtime=1&loop=1")
    camera.open()
    seen: set[int] = set()
    while len(seen) <= 2 * PICTURES:
        frame = camera.latest(max_age_s=0.2, wait_s=5)
        assert frame is not None
        seen.add(frame.sequence)
        camera.watch(0.02)


def test_a_recording_that_is_not_there_needs_a_person(make_camera: MakeCamera, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        make_camera(f"camera:file:{tmp_path}/none.avi").open()
    with pytest.raises(Misconfigured, match="is not a file"):
        make_camera(f"camera:file:{tmp_path}").open()


def test_a_file_that_is_no_recording_is_a_loss(make_camera: MakeCamera, tmp_path: Path) -> None:
    (tmp_path / "junk.avi").write_bytes(b"no pictures here" * 100)
    with pytest.raises(DeviceLost, match="cannot be opened"):
        make_camera(f"camera:file:{tmp_path}/junk.avi").open()


def test_an_unplugged_camera_is_a_loss_that_is_tried_again(make_camera: MakeCamera) -> None:
    with pytest.raises(DeviceLost, match="plug the camera in"):
        make_camera("camera:/dev/video-not-plugged-in").open()


def test_a_device_that_is_no_camera_is_a_loss(make_camera: MakeCamera) -> None:
    with pytest.raises(DeviceLost, match="cannot be opened"):
        make_camera("camera:/dev/null").open()


def test_a_folder_in_dev_is_no_device() -> None:
    with pytest.raises(Misconfigured, match="is not a device"):
        require_access(DeviceSource(Path("/dev")))


def test_a_forbidden_camera_is_answered_with_the_command_that_allows_it(tmp_path: Path) -> None:
    forbidden = tmp_path / "closed"
    forbidden.mkdir(mode=0o000)
    with somebody_without_rights(), pytest.raises(Misconfigured, match="usermod -aG video"):
        require_access(DeviceSource(forbidden / "video0"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device node that others may not use")
def test_a_device_node_of_another_group_is_answered_with_the_command_too() -> None:
    console = Path("/dev/console")
    if not console.is_char_device() or console.stat().st_mode & 0o006:
        pytest.skip("this machine has no device that is closed to others")
    with somebody_without_rights(), pytest.raises(Misconfigured, match="usermod -aG video"):
        require_access(DeviceSource(console))


def test_discovery_names_only_addresses_that_parse() -> None:
    assert all(isinstance(parse_source(url), DeviceSource) for url in OpenCvCamera.discover())


def test_a_simulated_camera_needs_no_path_of_its_own_in_the_driver() -> None:
    assert isinstance(parse_source(SimulatedCamera(port=8081).url), StreamSource)
