"""Colours that can be read in the sun, at dusk, and by people who do not see green and red apart."""

from __future__ import annotations

import re

import pytest

from kiosk.web.faces_engine import STATIC

TOKENS = (STATIC / "tokens.css").read_text()
PUBLIC = 7.0
STAFF = 4.5


def _palette(dusk: bool) -> dict[str, str]:
    light, _, rest = TOKENS.partition(':root[data-theme="dusk"]')
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    return found | (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", rest)) if dusk else {})


def _linear(colour: str) -> tuple[float, float, float]:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2: (lighter + 0.05) / (darker + 0.05)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _deuteranope(colour: str) -> tuple[float, float, float]:
    """Linear RGB as a deuteranope sees it (Viénot, Brettel and Mollon 1999)."""
    red, green, blue = _linear(colour)
    return 0.29275 * red + 0.70725 * green, 0.29275 * red + 0.70725 * green, -0.02234 * red + 0.02234 * green + blue


STATES = ("granted", "look", "refused", "recorded")
DUSK = pytest.mark.parametrize("dusk", [False, True], ids=["light", "dusk"])


@DUSK
@pytest.mark.parametrize("state", STATES)
def test_public_answers_are_legible_in_the_sun(state: str, dusk: bool) -> None:
    palette = _palette(dusk)
    assert contrast(palette[state], palette[f"on-{state}"]) >= PUBLIC


@DUSK
@pytest.mark.parametrize("ground", ["paper", "surface"])
def test_ink_on_every_ground_is_legible_in_public(ground: str, dusk: bool) -> None:
    palette = _palette(dusk)
    assert contrast(palette["ink"], palette[ground]) >= PUBLIC
    assert contrast(palette["brand"], palette["on-brand"]) >= PUBLIC


@DUSK
@pytest.mark.parametrize("family", [*STATES, "in-class", "between", "waiting", "overdue", "released"])
def test_quiet_inks_are_legible_on_their_wash_and_on_the_page(family: str, dusk: bool) -> None:
    palette = _palette(dusk)
    ink = palette.get(f"{family}-ink", palette[family])
    for ground in (f"{family}-wash", "surface", "paper"):
        assert contrast(ink, palette[ground]) >= STAFF, (family, ground)


@DUSK
@pytest.mark.parametrize("ground", ["paper", "surface", "sunken"])
def test_soft_ink_lines_and_focus_can_be_seen(ground: str, dusk: bool) -> None:
    palette = _palette(dusk)
    assert contrast(palette["ink-soft"], palette[ground]) >= STAFF
    assert contrast(palette["focus"], palette[ground]) >= 3
    assert contrast(palette["line-strong"], palette[ground]) >= 3


@pytest.mark.parametrize(("one", "other"), [(a, b) for i, a in enumerate(STATES) for b in STATES[i + 1 :]])
def test_a_deuteranope_tells_the_four_states_apart(one: str, other: str) -> None:
    palette = _palette(False)
    apart = sum((a - b) ** 2 for a, b in zip(_deuteranope(palette[one]), _deuteranope(palette[other]), strict=True)) ** 0.5
    assert apart > 0.05, (one, other, apart)
