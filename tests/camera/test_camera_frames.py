"""Which pictures may be handed out, shown with pictures and times made up by hand."""

from __future__ import annotations

import time

import numpy
import pytest

from drivers.camera_frames import RING, Arrival, Frames

USUAL_S = 0.1


def arrival(shade: int, at_mono_s: float, waited_s: float = USUAL_S, *, queued_source: bool = True) -> Arrival:
    image = numpy.full((24, 32, 3), shade, numpy.uint8)
    return Arrival(image=image, at_mono_s=at_mono_s, waited_s=waited_s, queued_source=queued_source)


def trouble(frames: Frames, now_mono_s: float) -> str:
    return frames.trouble(now_mono_s, stale_s=2.0, frozen_s=5.0)


def shade_at(frames: Frames, mono_s: float) -> int | None:
    picture = frames.nearest(mono_s, tolerance_s=0.01)
    return None if picture is None else int(picture.image[0, 0, 0])


def test_a_queue_that_empties_after_a_pause_offers_none_of_its_pictures() -> None:
    frames = Frames(opened_mono_s=0.0)
    for step in range(1, 6):
        frames.add(arrival(100 + step, step * USUAL_S))
    frames.add(arrival(120, 2.0, waited_s=1.5))  # the first of the queue: one had to wait for it, yet it is old
    frames.add(arrival(121, 2.001, waited_s=0.0))
    frames.add(arrival(122, 2.002, waited_s=0.001))
    assert [shade_at(frames, at) for at in (0.5, 2.0, 2.001, 2.002)] == [105, None, None, None]
    frames.add(arrival(123, 2.1))
    assert shade_at(frames, 2.1) == 123


def test_what_was_in_the_queue_when_the_camera_was_opened_is_not_offered() -> None:
    frames = Frames(opened_mono_s=0.0)
    frames.add(arrival(100, 0.001, waited_s=0.0))
    assert frames.newest(max_age_s=1e9, wait_s=0) is None


def test_a_camera_that_slows_down_at_dusk_is_believed_after_a_few_pictures() -> None:
    frames = Frames(opened_mono_s=0.0)
    now = 0.0
    for step in range(20):
        now += 0.04
        frames.add(arrival(50 + step, now, waited_s=0.04))
    for step in range(10):
        now += 0.25
        frames.add(arrival(100 + step, now, waited_s=0.25))
    assert shade_at(frames, now) == 109


def test_a_source_that_holds_nothing_back_is_believed_without_waiting() -> None:
    frames = Frames(opened_mono_s=0.0)
    frames.add(arrival(100, 0.5, waited_s=0.0, queued_source=False))
    assert shade_at(frames, 0.5) == 100


def test_a_stream_that_never_has_to_be_waited_for_has_fallen_behind() -> None:
    frames = Frames(opened_mono_s=0.0)
    for step in range(1, 40):
        frames.add(arrival(100 + step, step * 0.07, waited_s=0.0))
    assert "faster than this computer can decode" in trouble(frames, 2.74)


def test_a_repeated_picture_keeps_its_age_until_it_counts_as_frozen() -> None:
    frames = Frames(opened_mono_s=0.0)
    for step in range(1, 60):
        frames.add(arrival(100, step * USUAL_S))
        expected = "" if step * USUAL_S <= 5.0 else "the same picture"
        assert expected in trouble(frames, step * USUAL_S)
    assert shade_at(frames, 0.1) == 100 and shade_at(frames, 5.9) is None


def test_darkness_is_neither_frozen_nor_a_loss() -> None:
    frames = Frames(opened_mono_s=0.0)
    for step in range(1, 100):
        frames.add(arrival(3, step * USUAL_S))
    assert frames.dark and trouble(frames, 9.9) == ""
    assert shade_at(frames, 9.9) == 3


def test_silence_is_a_loss_after_its_time() -> None:
    frames = Frames(opened_mono_s=10.0)
    assert trouble(frames, 12.0) == ""
    assert "no picture for 2.1 s" in trouble(frames, 12.1)


def test_only_the_newest_pictures_are_kept() -> None:
    frames = Frames(opened_mono_s=0.0)
    for step in range(1, 3 * RING):
        frames.add(arrival(50 + step, step * USUAL_S))
    assert shade_at(frames, (3 * RING - 1) * USUAL_S) == 50 + 3 * RING - 1
    assert shade_at(frames, (2 * RING - 1) * USUAL_S) is None


@pytest.mark.parametrize("wait_s", [0.0, 0.05])
def test_a_picture_that_is_too_old_is_never_handed_out(wait_s: float) -> None:
    frames = Frames(opened_mono_s=0.0)
    frames.add(arrival(100, time.monotonic() - 1.0))
    assert frames.newest(max_age_s=0.5, wait_s=wait_s) is None
    assert frames.newest(max_age_s=60, wait_s=wait_s) is not None
