"""The newest pictures of one camera, and what can be said about them: fresh, behind, frozen, dark.

Knows nothing of OpenCV, threads aside from its own lock, or devices: pictures come in with the time
at which they arrived. It never hands out a picture older than asked for, and it never counts a
repeated picture as a new one: a frozen camera must not lend a child the picture of the child before.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cv2.typing import MatLike

RING = 10  # pictures kept, so that one can be had of the moment of the tap
SAMPLE_STEP = 8  # every eighth pixel is enough to see that a picture is dark
DARK_BELOW = 20  # of 255; a covered lens still shows some noise
LIVE_WAIT_S = 0.010  # a read that did not wait so long took its picture from a queue
PAUSE_FACTOR = 2.5  # a read that waited so many times longer than usual ended a pause of the network
USUAL_WEIGHT = 0.2  # of the newest wait, in the running mean that is `usual`


@dataclass(frozen=True, slots=True)
class Picture:
    image: MatLike  # BGR, never written to
    taken_mono_s: float
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One picture as it came from the source.

    waited_s: how long the read slept until the picture came, without the time spent decoding.
    """

    image: MatLike
    at_mono_s: float
    waited_s: float
    queued_source: bool  # the source can hold pictures back: every network stream


class Frames:
    """Shared by the thread that grabs and those that ask. Every method is thread-safe.

    `before` is the last picture before the camera was opened again: a frozen camera shows it to every new connection,
    and it is no newer for that.
    """

    def __init__(self, *, opened_mono_s: float, before: MatLike | None = None) -> None:
        self._changed = threading.Condition()
        self._ring: deque[Picture] = deque(maxlen=RING)
        self._sequence = 0
        self._arrived_mono_s = opened_mono_s
        self._live_mono_s = opened_mono_s
        self._usual_wait_s: float | None = None
        self._dark = False
        self._closed = False
        self._last = before
        self._repeated = False

    def add(self, arrival: Arrival) -> None:
        with self._changed:
            self._arrived_mono_s = arrival.at_mono_s
            if arrival.queued_source and not self._is_live(arrival.waited_s):
                return
            self._live_mono_s = arrival.at_mono_s
            self._dark = _is_dark(arrival.image)
            self._repeated = self._repeats_the_last(arrival.image)
            if self._repeated and not self._dark:
                return
            self._last = arrival.image
            self._sequence += 1
            self._ring.append(Picture(arrival.image, arrival.at_mono_s, self._sequence))
            self._changed.notify_all()

    def _is_live(self, waited_s: float) -> bool:
        """Whether a picture was taken just before it came, and not held back on its way.

        After a pause of the network everything that was held back comes at once: the first picture ends a long
        wait, the others are there without any. None of them can be dated, so none is offered; the next one that
        has to be waited for as long as usual shows that the queue is empty. The mean follows a camera that
        changes its rate at dusk, at the price of a few pictures.
        """
        if waited_s < LIVE_WAIT_S:
            return False
        usual_s = self._usual_wait_s
        self._usual_wait_s = waited_s if usual_s is None else usual_s + USUAL_WEIGHT * (waited_s - usual_s)
        return usual_s is None or waited_s <= PAUSE_FACTOR * usual_s

    def _repeats_the_last(self, image: MatLike) -> bool:
        import numpy

        return self._last is not None and numpy.array_equal(self._last, image)

    @property
    def last(self) -> MatLike | None:
        """The newest picture, for comparison only: it may be old."""
        with self._changed:
            return self._last

    @property
    def repeated(self) -> bool:
        """Whether what came last was the same picture again."""
        with self._changed:
            return self._repeated

    def close(self) -> None:
        """Lets everybody go who waits, and forgets the pictures."""
        with self._changed:
            self._closed = True
            self._ring.clear()
            self._changed.notify_all()

    def newest(self, *, max_age_s: float, wait_s: float) -> Picture | None:
        """The newest picture if it is no older than `max_age_s`, waiting up to `wait_s` for one."""
        end_mono_s = time.monotonic() + wait_s
        with self._changed:
            while not self._closed:
                now_mono_s = time.monotonic()
                if self._ring and now_mono_s - self._ring[-1].taken_mono_s <= max_age_s:
                    return self._ring[-1]
                if now_mono_s >= end_mono_s:
                    return None
                self._changed.wait(end_mono_s - now_mono_s)
        return None

    def nearest(self, mono_s: float, *, tolerance_s: float) -> Picture | None:
        """The kept picture taken nearest to `mono_s`, if one lies within `tolerance_s` of it."""
        with self._changed:
            picture = min(self._ring, key=lambda kept: abs(kept.taken_mono_s - mono_s), default=None)
        if picture is None or abs(picture.taken_mono_s - mono_s) > tolerance_s:
            return None
        return picture

    def trouble(self, now_mono_s: float, *, stale_s: float, frozen_s: float) -> str:
        """Why these pictures can no longer be relied on, or ''."""
        with self._changed:
            silent_s = now_mono_s - self._arrived_mono_s
            behind_s = now_mono_s - self._live_mono_s
            frozen = self._ring[-1].taken_mono_s if self._ring else now_mono_s
            dark = self._dark
        if silent_s > stale_s:
            return f"no picture for {silent_s:.1f} s: check the camera's power and cable"
        if behind_s > stale_s:
            return (
                "pictures come faster than this computer can decode them and would be old: "
                "use the camera's sub-stream or lower its frame rate"
            )
        if not dark and now_mono_s - frozen > frozen_s:
            return f"the same picture for {now_mono_s - frozen:.1f} s: the camera hangs, switch it off and on"
        return ""

    @property
    def dark(self) -> bool:
        with self._changed:
            return self._dark


def _is_dark(image: MatLike) -> bool:
    import numpy

    return float(numpy.percentile(image[::SAMPLE_STEP, ::SAMPLE_STEP], 99)) < DARK_BELOW
