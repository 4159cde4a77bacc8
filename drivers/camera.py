"""Camera driver: USB (V4L2), MJPEG over HTTP, RTSP, or a recording, through OpenCV.

A thread of its own reads as fast as the camera sends (`camera_grabbing`); a plain read() per tap would return a picture
that is older with every tap. JPEG is made only for a picture that somebody asks for. OpenCV is imported in open().

It never decides whether a picture may be taken (consent is the core's), never re-opens by itself, and never shows a
camera's password. V4L2 has been run against no real camera in the tests; streams and recordings have.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from drivers.camera_frames import Arrival
from drivers.camera_grabbing import Grabber, GrabbingCamera
from drivers.camera_source import (
    SCHEME,
    CameraOptions,
    DeviceSource,
    FileSource,
    Source,
    StreamSource,
    parse_options,
    parse_source,
    require_access,
    without_secrets,
)
from drivers.stream_login import StreamLogin

if TYPE_CHECKING:
    import cv2

DEFAULT_FPS = 25.0
MAX_FPS = 120.0  # a file that claims more is lying


class OpenCvCamera(GrabbingCamera):
    """`camera:` URLs, see `camera_source.FORMS`; options, see `camera_source.CameraOptions`.

    Raises Misconfigured when the URL or an option is wrong.
    """

    schemes: ClassVar[tuple[str, ...]] = (SCHEME,)

    def __init__(self, name: str, url: str, **options: Any) -> None:
        # Whoever logs a driver's `url` must not log a password with it.
        super().__init__(name, without_secrets(url), **options)
        self._source = parse_source(url)
        self.shown = self._source.shown
        self.limits = parse_options(self.shown, options)
        self._login = StreamLogin(self._source.url if isinstance(self._source, StreamSource) else "", f"{name}: {self.shown}")

    @classmethod
    def discover(cls) -> Iterable[str]:
        """Cameras on this computer, by stable path where udev made one. Opens none."""
        by_id = sorted(Path("/dev/v4l/by-id").glob("*-video-index0"))
        return [f"{SCHEME}:{path}" for path in by_id or sorted(Path("/dev").glob("video[0-9]*"))]

    def new_grabber(self) -> Grabber:
        require_access(self._source)
        return _OpenCvGrabber(self.name, self._source, self.limits, self._login)

    def model(self, width_px: int, height_px: int) -> str:
        return f"{type(self._source).__name__} {width_px}x{height_px}"


class _OpenCvGrabber(Grabber):
    def __init__(self, name: str, source: Source, options: CameraOptions, login: StreamLogin) -> None:
        super().__init__(name, source.shown, options)
        self.source, self._login = source, login

    def grab_until_trouble(self) -> str:
        self._login.require()
        capture = _open_capture(self.source, self.options)
        try:
            if not capture.isOpened():
                return "cannot be opened: check address, user name and password, and that no other program uses it"
            return self._read_all(capture)
        finally:
            capture.release()  # only ever on the thread that reads: released from another one, OpenCV crashes

    def _read_all(self, capture: cv2.VideoCapture) -> str:
        pace = _Pace(self.source, _fps(capture), self._stop)
        pictures_this_round = 0  # so that a recording without a single picture is not rewound for ever
        while not self._stop.is_set():  # bounded by stop(); each turn by the read time-out
            began_mono_s, began_cpu_s = time.monotonic(), time.thread_time()
            done, image = capture.read()
            at_mono_s = time.monotonic()
            if not done:
                if pictures_this_round and _starts_over(self.source, capture):
                    pictures_this_round = 0
                    continue
                return _why_no_picture(self.source)
            pictures_this_round += 1
            waited_s = (at_mono_s - began_mono_s) - (time.thread_time() - began_cpu_s)
            self.frames.add(
                Arrival(
                    image=self.fit(image),
                    at_mono_s=at_mono_s,
                    waited_s=waited_s,
                    queued_source=isinstance(self.source, StreamSource),
                )
            )
            pace.wait()
        return ""


class _Pace:
    """Plays a recording at its own speed; does nothing for a camera, which has a pace of its own."""

    def __init__(self, source: Source, fps: float, stop: threading.Event) -> None:
        self._period_s = 1 / fps if isinstance(source, FileSource) and source.realtime else 0.0
        self._due_mono_s = time.monotonic()
        self._stop = stop

    def wait(self) -> None:
        if self._period_s:
            self._due_mono_s = max(self._due_mono_s + self._period_s, time.monotonic() - self._period_s)
            self._stop.wait(max(0.0, self._due_mono_s - time.monotonic()))


def _why_no_picture(source: Source) -> str:
    if isinstance(source, FileSource):
        return "the recording has ended: add loop=1 to start it over"
    return "reading failed: the camera went away or sent no valid picture"


def _open_capture(source: Source, options: CameraOptions) -> cv2.VideoCapture:
    import cv2

    if isinstance(source, DeviceSource):
        # V4L2 wants the node itself; the stable path is a link to it.
        capture = cv2.VideoCapture(os.path.realpath(source.path), cv2.CAP_V4L2)
        for name, value in (
            (cv2.CAP_PROP_BUFFERSIZE, 1),
            (cv2.CAP_PROP_FRAME_WIDTH, options.request_width_px),
            (cv2.CAP_PROP_FRAME_HEIGHT, options.request_height_px),
        ):
            if value:
                capture.set(name, value)
        return capture
    # Without naming the back end, OpenCV ignores both time-outs.
    return cv2.VideoCapture(
        source.url if isinstance(source, StreamSource) else str(source.path),
        cv2.CAP_FFMPEG,
        [
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(options.open_within_s * 1000)),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(options.read_timeout_s * 1000)),
            *(cv2.CAP_PROP_N_THREADS, 1),
        ],
    )


def _fps(capture: cv2.VideoCapture) -> float:
    import cv2

    fps = capture.get(cv2.CAP_PROP_FPS)
    return fps if 0 < fps <= MAX_FPS else DEFAULT_FPS


def _starts_over(source: Source, capture: cv2.VideoCapture) -> bool:
    import cv2

    return isinstance(source, FileSource) and source.loop and bool(capture.set(cv2.CAP_PROP_POS_FRAMES, 0))
