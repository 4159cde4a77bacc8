"""What all cameras share: a thread of its own takes pictures as they come, and ten of the newest are kept.

A picture that is asked for at a tap would be late, and one out of a queue would be old: it would be filed under the wrong
child. So pictures are always on their way here, each with the moment at which it was taken, and a watch on the side of
those who ask notices when they stop, freeze or lag, also while the thread hangs in a call that never returns.

It never recognises faces, never stores a picture, never re-opens by itself, and never hands out an old picture.
"""

from __future__ import annotations

import abc
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from drivers.camera_frames import Frames, Picture
from drivers.camera_source import CameraOptions
from drivers.errors import DeviceLost, DriverError, Misconfigured
from drivers.protocols import Camera, Frame, Info

if TYPE_CHECKING:
    from cv2.typing import MatLike

ABANDONED_MAX = 4  # reads that hang for ever, before we stop starting new ones
JOIN_S = 0.5  # how long close() waits for a read that has been told to stop
WATCH_STEP_S = 0.2

# Read by OpenCV's FFMPEG back end at each open, and its only way in for these. RTSP over TCP, since
# lost datagrams smear a face; `timeout` (µs) bounds the socket where OpenCV's own interrupt does not reach;
# `fpsprobesize`: without it 20 pictures of an RTSP camera are looked at before the first is given, four seconds at 5 a second.
CAPTURE_OPTIONS = "rtsp_transport;tcp|timeout;5000000|fflags;nobuffer|flags;low_delay|fpsprobesize;0"


class Grabber(abc.ABC):
    """One opened source and the thread that reads it. Used once: after any trouble the driver makes a new one."""

    def __init__(self, name: str, shown: str, options: CameraOptions) -> None:
        self.place, self.options = f"{name}: {shown}", options
        self.frames = Frames(opened_mono_s=time.monotonic())
        self.ended: DriverError | None = None
        self._on_end: Callable[[], None] = lambda: None
        self._stop = threading.Event()
        # A daemon, because a read that hangs in the kernel could otherwise keep the process from ending.
        self.thread = threading.Thread(target=self._run, name=f"camera-{name}", daemon=True)

    @abc.abstractmethod
    def grab_until_trouble(self) -> str:
        """Adds pictures to `frames` until `_stop`; why it cannot go on. May raise DeviceLost, Misconfigured, cv2.error."""

    def start(self, *, before: MatLike | None, on_end: Callable[[], None]) -> None:
        """`before`: the last picture of the life before this one. `on_end` runs on the thread when it gives up."""
        self.frames = Frames(opened_mono_s=time.monotonic(), before=before)
        self._on_end = on_end
        self.thread.start()

    def stop(self) -> None:
        self._stop.set()
        self.frames.close()

    def trouble(self, now_mono_s: float) -> DriverError | None:
        if self.ended is not None:
            return self.ended
        limits = self.options
        reason = self.frames.trouble(now_mono_s, stale_s=limits.stale_s, frozen_s=limits.frozen_s)
        return DeviceLost(f"{self.place}: {reason}") if reason else None

    def encode(self, picture: Picture | None) -> Frame | None:
        if picture is None:
            return None
        import cv2

        done, jpeg = cv2.imencode(".jpg", picture.image, [cv2.IMWRITE_JPEG_QUALITY, self.options.jpeg_quality])
        assert done, "a BGR picture can always be encoded"
        return Frame(jpeg=jpeg.tobytes(), taken_mono_s=picture.taken_mono_s, sequence=picture.sequence)

    def fit(self, image: MatLike) -> MatLike:
        """Scaled down to the widest that is kept."""
        import cv2

        height_px, width_px = image.shape[:2]
        most_px = self.options.max_width_px
        if width_px <= most_px:
            return image
        return cv2.resize(image, (most_px, height_px * most_px // width_px), interpolation=cv2.INTER_AREA)

    def _run(self) -> None:
        import cv2

        ended: DriverError = DeviceLost(f"{self.place}: the reading thread ended")
        try:
            ended = DeviceLost(f"{self.place}: {self.grab_until_trouble()}")
        except cv2.error as error:
            ended = DeviceLost(f"{self.place}: OpenCV gave up: {str(error).strip()}")
        except DriverError as error:
            ended = error
        finally:
            # Stopped means replaced: an abandoned thread that wakes late must not wake the watch of its successor.
            if not self._stop.is_set():
                self.ended = ended
                self.frames.close()
                self._on_end()


class GrabbingCamera(Camera):
    """A driver names its source as `shown`, without secrets, and makes the grabber for it."""

    shown: str
    limits: CameraOptions

    def __init__(self, name: str, url: str, **options: Any) -> None:
        super().__init__(name, url, **options)
        self._grabber: Grabber | None = None
        self._abandoned: list[threading.Thread] = []
        self._wake = threading.Event()
        self._before: MatLike | None = None

    @abc.abstractmethod
    def new_grabber(self) -> Grabber:
        """Not started yet. Raises DeviceLost or Misconfigured when it need not be tried."""

    @abc.abstractmethod
    def model(self, width_px: int, height_px: int) -> str: ...

    def open(self) -> Info:
        """Returns with the first fresh picture there. Raises DeviceLost or Misconfigured, after 5 s at the latest."""
        self.close()
        import_opencv()
        self._abandoned = [thread for thread in self._abandoned if thread.is_alive()]
        if len(self._abandoned) >= ABANDONED_MAX:
            raise DeviceLost(f"{self.name}: {ABANDONED_MAX} reads of {self.shown} still hang: switch the camera off and on")
        self._wake.clear()
        self._grabber = grabber = self.new_grabber()
        grabber.start(before=self._before, on_end=self._wake.set)
        first = self._first_picture(grabber, self.limits.open_within_s)
        if first is None:
            failure, reason = grabber.ended, f"no picture within {self.limits.open_within_s:g} s"
            if grabber.frames.repeated:
                reason = "still the same picture as before: the camera hangs, switch it off and on"
            self.close()
            raise failure or DeviceLost(f"{self.name}: {self.shown}: {reason}")
        height_px, width_px = first.image.shape[:2]
        return Info(model=self.model(width_px, height_px), capabilities=frozenset({"snapshot"}))

    def _first_picture(self, grabber: Grabber, within_s: float) -> Picture | None:
        end_mono_s = time.monotonic() + within_s
        while not self._wake.is_set() and time.monotonic() < end_mono_s:
            picture = grabber.frames.newest(max_age_s=within_s, wait_s=WATCH_STEP_S)
            if picture is not None:
                return picture
        return None

    def close(self) -> None:
        """Ends the grabbing thread, or abandons it where a read hangs: it is a daemon and cleans up if it wakes."""
        grabber, self._grabber = self._grabber, None
        if grabber is None:
            return
        self._before = grabber.frames.last
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
            trouble = grabber.trouble(now_mono_s)
            if trouble is not None:
                raise trouble
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


def import_opencv() -> None:
    """Quiet, and on one thread: pictures are a side job of this computer."""
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", CAPTURE_OPTIONS)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFMPEG would print addresses with their passwords
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    try:
        import cv2
    except ImportError as error:
        raise Misconfigured(f"OpenCV cannot be imported ({error}): install campus-kiosk[camera]") from None
    # Again, for the case that somebody imported OpenCV before us.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    cv2.setNumThreads(1)
