"""Cameras that give one picture for one request, with Digest: `still:http://HOST?user=admin&password_file=/path&channel=101`.

Hikvision's ISAPI by default; `path=/cgi-bin/snapshot.cgi` is for others. A picture is asked for every `interval_s`, so that
one of about the moment of a tap is there already. It counts as taken when it was asked for: never as newer than it is.

A refused password is never sent again until its file is written anew (`isapi_client`); the picture is not decoded before its
size is known to be reasonable. Nothing here stores or judges a picture.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from drivers.camera_frames import Arrival
from drivers.camera_grabbing import Grabber, GrabbingCamera
from drivers.camera_source import CameraOptions
from drivers.device_urls import OptionValue, merged_options, split_url
from drivers.errors import DeviceLost, Misconfigured
from drivers.isapi_client import IsapiAddress, IsapiClient, isapi_address
from drivers.jpeg_size import jpeg_size

if TYPE_CHECKING:
    from cv2.typing import MatLike

FORM = "still:http://10.0.0.9?user=admin&password_file=/path/to/file&channel=101"
PICTURE_PATH = "/ISAPI/Streaming/channels/{channel}/picture"
MAX_JPEG_BYTES = 4 * 1024 * 1024
MAX_PIXELS = 16_000_000
SHORTEST_INTERVAL_S = 0.1


class StillCamera(GrabbingCamera):
    """Options: user, password_file, channel (101: main stream, 102: sub-stream), path, interval_s, stale_s, frozen_s,
    max_width_px, jpeg_quality, ca_file and verify for https."""

    schemes: ClassVar[tuple[str, ...]] = ("still",)
    option_defaults: ClassVar[dict[str, OptionValue]] = {
        "user": "", "password_file": "", "channel": 101, "path": "", "interval_s": 0.4, "stale_s": 3.0, "frozen_s": 8.0,
        "max_width_px": 640, "jpeg_quality": 85, "ca_file": "", "verify": True,
    }  # fmt: skip

    def __init__(self, name: str, url: str, **options: Any) -> None:
        where = split_url(url)
        if not where.address.startswith(("http://", "https://")) or "@" in where.address:
            raise Misconfigured(f"no address of a still camera; write {FORM}")  # it may hold a password: not repeated
        chosen: dict[str, Any] = merged_options(where, options, defaults=self.option_defaults)
        self._address: IsapiAddress = isapi_address(
            url, where.address, user=chosen["user"], password_file=chosen["password_file"],
            ca_file=chosen["ca_file"], verify=chosen["verify"],
        )  # fmt: skip
        super().__init__(name, f"still:{where.address}", **options)
        self.shown = self._address.place
        self._path = chosen["path"] or PICTURE_PATH.format(channel=chosen["channel"])
        self._interval_s = chosen["interval_s"]
        self.limits = CameraOptions(
            stale_s=chosen["stale_s"], frozen_s=chosen["frozen_s"], max_width_px=chosen["max_width_px"],
            jpeg_quality=chosen["jpeg_quality"],
        )  # fmt: skip
        least = min(self.limits.stale_s, self.limits.frozen_s, self.limits.max_width_px, self.limits.jpeg_quality)
        if self._interval_s < SHORTEST_INTERVAL_S or least <= 0 or not self._path.startswith("/"):
            raise Misconfigured(
                f"{self.shown}: interval_s is {SHORTEST_INTERVAL_S} or more, every other number more than 0, path= begins with /"
            )

    def new_grabber(self) -> Grabber:
        return _StillGrabber(self.name, self._address, self._path, self._interval_s, self.limits)

    def model(self, width_px: int, height_px: int) -> str:
        return f"single pictures {width_px}x{height_px}"


class _StillGrabber(Grabber):
    def __init__(self, name: str, address: IsapiAddress, path: str, interval_s: float, options: CameraOptions) -> None:
        super().__init__(name, address.place, options)
        self._client, self._path, self._interval_s = IsapiClient(address), path, interval_s

    def grab_until_trouble(self) -> str:
        self._client.open()
        try:
            while not self._stop.is_set():
                asked_mono_s = time.monotonic()
                image = self._picture()
                self.frames.add(Arrival(image=self.fit(image), at_mono_s=asked_mono_s, waited_s=0.0, queued_source=False))
                self._stop.wait(max(0.0, asked_mono_s + self._interval_s - time.monotonic()))
        finally:
            self._client.close()
        return ""

    def _picture(self) -> MatLike:
        """Raises DeviceLost, Misconfigured."""
        import cv2
        import numpy

        answer = self._client.ask("GET", self._path, max_bytes=MAX_JPEG_BYTES)
        if answer.status == 404:
            raise Misconfigured(f"{self.place} has no {self._path}: name another channel=, such as 102, or a path=")
        if not answer.ok:
            raise DeviceLost(f"{self.place} answers {self._path} with {answer.status}; restart the camera")
        size = jpeg_size(answer.body)
        if size is None:
            raise DeviceLost(f"{self.place} sent no valid picture; restart the camera")
        if size[0] * size[1] > MAX_PIXELS:
            raise Misconfigured(f"{self.place}: pictures of {size[0]}x{size[1]} are too large; write channel=102, the sub-stream")
        image = cv2.imdecode(numpy.frombuffer(answer.body, numpy.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise DeviceLost(f"{self.place} sent no valid picture; restart the camera")
        return image
