"""Camera driver: USB (V4L2), MJPEG over HTTP, RTSP, or a recording, through OpenCV.

A thread of its own reads as fast as the camera sends and keeps the ten newest pictures; a plain
read() per tap would return a picture that is older with every tap, and file it under the wrong child.
JPEG is made only for a picture that somebody asks for. OpenCV is imported in open().

It never recognises faces, never stores a picture, never decides whether one may be taken (consent is
the core's), never re-opens by itself, and never shows a camera's password. V4L2 has been run against
no real camera in the tests; streams and recordings have.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from drivers.camera_frames import Arrival, Frames, Picture
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
from drivers.errors import DeviceLost, Misconfigured
from drivers.protocols import Camera, Frame, Info

if TYPE_CHECKING:
    import cv2
    from cv2.typing import MatLike

ABANDONED_MAX = 4  # reads that hang for ever, before we stop starting new ones
JOIN_S = 0.5  # how long close() waits for a read that has been told to stop
WATCH_STEP_S = 0.2
DEFAULT_FPS = 25.0
MAX_FPS = 120.0  # a file that claims more is lying

# Read by OpenCV's FFMPEG back end at each open, and its only way in for these. RTSP over TCP, since
# lost datagrams smear a face; `timeout` (µs) bounds the socket where OpenCV's own interrupt does not reach.
CAPTURE_OPTIONS = "rtsp_transport;tcp|timeout;5000000|fflags;nobuffer|flags;low_delay"


class OpenCvCamera(Camera):
    """`camera:` URLs, see `camera_source.FORMS`; options, see `camera_source.CameraOptions`.

    Raises Misconfigured when the URL or an option is wrong.
    """

    schemes: ClassVar[tuple[str, ...]] = (SCHEME,)

    def __init__(self, name: str, url: str, **options: Any) -> None:
        # Whoever logs a driver's `url` must not log a password with it.
        super().__init__(name, without_secrets(url), **options)
        self._source = parse_source(url)
        self._limits = parse_options(self._source.shown, options)
        self._grabber: _Grabber | None = None
        self._abandoned: list[threading.Thread] = []
        self._wake = threading.Event()

    @classmethod
    def discover(cls) -> Iterable[str]:
        """Cameras on this computer, by stable path where udev made one. Opens none."""
        by_id = sorted(Path("/dev/v4l/by-id").glob("*-video-index0"))
        return [f"{SCHEME}:{path}" for path in by_id or sorted(Path("/dev").glob("video[0-9]*"))]

    def open(self) -> Info:
        """Returns with the first fresh picture there. Raises DeviceLost or Misconfigured, after 5 s at the latest."""
        self.close()
        source, options = self._source, self._limits
        require_access(source)
        _import_opencv()
        self._abandoned = [thread for thread in self._abandoned if thread.is_alive()]
        if len(self._abandoned) >= ABANDONED_MAX:
            raise DeviceLost(f"{self.name}: {ABANDONED_MAX} reads of {source.shown} still hang: switch the camera off and on")
        self._wake.clear()
        self._grabber = grabber = _Grabber(self.name, source, options, on_end=self._wake.set)
        grabber.start()
        first = self._first_picture(grabber, options.open_within_s)
        if first is None:
            reason = grabber.ended_because or f"no picture within {options.open_within_s:g} s"
            self.close()
            raise DeviceLost(f"{self.name}: {source.shown}: {reason}")
        height_px, width_px = first.image.shape[:2]
        return Info(model=f"{type(source).__name__} {width_px}x{height_px}", capabilities=frozenset({"snapshot"}))

    def _first_picture(self, grabber: _Grabber, within_s: float) -> Picture | None:
        end_mono_s = time.monotonic() + within_s
        while not self._wake.is_set() and time.monotonic() < end_mono_s:
            picture = grabber.frames.newest(max_age_s=within_s, wait_s=WATCH_STEP_S)
            if picture is not None:
                return picture
        return None

    def close(self) -> None:
        """Ends the grabbing thread, or abandons it where read() hangs: it is a daemon and cleans up if it wakes."""
        grabber, self._grabber = self._grabber, None
        if grabber is None:
            return
        grabber.stop()
        grabber.thread.join(JOIN_S)
        if grabber.thread.is_alive():
            self._abandoned.append(grabber.thread)

    def cancel(self) -> None:
        """Thread-safe. Ends a watch() that waits; an open() that waits gives up."""
        self._wake.set()

    def latest(self, *, max_age_s: float = 0.5, wait_s: float = 1.0) -> Frame | None:
        """Thread-safe. None when there is no picture that fresh, and while the camera is closed."""
        grabber = self._grabber
        if grabber is None:
            return None
        return grabber.encode(grabber.frames.newest(max_age_s=max_age_s, wait_s=wait_s))

    def at(self, mono_s: float, *, tolerance_s: float = 0.5) -> Frame | None:
        """Thread-safe. The kept picture nearest to the moment of a tap; None when none lies within `tolerance_s`."""
        grabber = self._grabber
        if grabber is None:
            return None
        return grabber.encode(grabber.frames.nearest(mono_s, tolerance_s=tolerance_s))

    def watch(self, timeout_s: float) -> None:
        """Returns after `timeout_s`, or early on cancel(). Raises DeviceLost with the reason and the remedy."""
        grabber = self._grabber
        if grabber is None:
            raise DeviceLost(f"{self.name}: the camera is not open")
        end_mono_s = time.monotonic() + timeout_s
        while True:
            now_mono_s = time.monotonic()
            reason = grabber.trouble(now_mono_s)
            if reason:
                raise DeviceLost(f"{self.name}: {reason}")
            if now_mono_s >= end_mono_s:
                return
            if self._wake.wait(min(WATCH_STEP_S, end_mono_s - now_mono_s)):
                self._wake.clear()
                end_mono_s = 0.0  # looked at once more, since the end of the pictures wakes us too

    def detail(self) -> str:
        """Thread-safe. What is wrong with pictures that do arrive, or ''. Not a loss: nights are dark."""
        grabber = self._grabber
        if grabber is not None and grabber.frames.dark:
            return "the picture is black: uncover the lens or light the gate"
        return ""


class _Grabber:
    """One opened source and the thread that reads it. Used once: after any trouble the driver makes a new one."""

    def __init__(self, name: str, source: Source, options: CameraOptions, on_end: Callable[[], None]) -> None:
        self.source, self.options = source, options
        self.frames = Frames(opened_mono_s=time.monotonic())
        self.ended_because = ""
        self._on_end = on_end
        self._stop = threading.Event()
        # A daemon, because a read that hangs in the kernel could otherwise keep the process from ending.
        self.thread = threading.Thread(target=self._run, name=f"camera-{name}", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self._stop.set()
        self.frames.close()

    def trouble(self, now_mono_s: float) -> str:
        return self.ended_because or self.frames.trouble(now_mono_s, stale_s=self.options.stale_s, frozen_s=self.options.frozen_s)

    def encode(self, picture: Picture | None) -> Frame | None:
        if picture is None:
            return None
        import cv2

        done, jpeg = cv2.imencode(".jpg", picture.image, [cv2.IMWRITE_JPEG_QUALITY, self.options.jpeg_quality])
        assert done, "a BGR picture can always be encoded"
        return Frame(jpeg=jpeg.tobytes(), taken_mono_s=picture.taken_mono_s, sequence=picture.sequence)

    def _run(self) -> None:
        import cv2

        reason = "the reading thread ended"
        try:
            reason = self._grab_until_trouble()
        except cv2.error as error:
            reason = f"OpenCV gave up: {str(error).strip()}"
        finally:
            self.ended_because = "" if self._stop.is_set() else reason
            self._on_end_unless_stopped()

    def _on_end_unless_stopped(self) -> None:
        # Stopped means replaced: an abandoned thread that wakes late must not wake the watch of its successor.
        if not self._stop.is_set():
            self.frames.close()
            self._on_end()

    def _grab_until_trouble(self) -> str:
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
                    image=_fit(image, self.options.max_width_px),
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


def _import_opencv() -> None:
    """Quiet, and on one thread: pictures are a side job of this computer."""
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", CAPTURE_OPTIONS)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFMPEG would print addresses with their passwords
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    try:
        import cv2
    except ImportError as error:
        raise Misconfigured(f"OpenCV cannot be imported ({error}): install opencv-python-headless") from None
    # Again, for the case that somebody imported OpenCV before us.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    cv2.setNumThreads(1)


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


def _fit(image: MatLike, max_width_px: int) -> MatLike:
    import cv2

    height_px, width_px = image.shape[:2]
    if width_px <= max_width_px:
        return image
    return cv2.resize(image, (max_width_px, height_px * max_width_px // width_px), interpolation=cv2.INTER_AREA)
