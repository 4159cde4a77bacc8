"""The bar chart as numbers."""

from __future__ import annotations

from kiosk.web.faces_chart import FOOT, HEIGHT, TOP, WIDTH, bar_chart
from tests.faces.sample_views import at


def test_nothing_to_draw_is_no_chart() -> None:
    assert bar_chart(()) is None
    assert bar_chart(((at("07:30"), 0),)) is None


def test_bars_stand_on_the_foot_and_stay_inside() -> None:
    chart = bar_chart(tuple((at("07:10") + i * 300_000, i * 12) for i in range(18)))
    assert chart is not None
    for bar in chart.bars:
        assert bar.y >= TOP and abs(bar.y + bar.height - (HEIGHT - FOOT)) < 0.2
        assert bar.x >= 0 and bar.x + bar.width <= WIDTH


def test_the_scale_ends_on_a_round_number() -> None:
    for most, top in ((7, 8), (48, 50), (217, 300), (1, 2)):
        chart = bar_chart(((at("07:30"), most),))
        assert chart is not None and max(line.value for line in chart.lines) == top


def test_few_enough_times_are_written_to_be_read() -> None:
    chart = bar_chart(tuple((at("07:00") + i * 60_000, 5) for i in range(90)))
    assert chart is not None and sum(bar.label for bar in chart.bars) <= 8
