"""A device URL is understood, or refused with a sentence that says what to write instead."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.device_urls import DeviceUrl, merged_options, split_url, tty_path
from drivers.errors import Misconfigured
from drivers.registry import load


def test_a_url_is_scheme_address_and_options() -> None:
    assert split_url("rdm6300:/dev/serial/by-id/usb-x:1.0?baud=9600&as=qr") == DeviceUrl(
        scheme="rdm6300", address="/dev/serial/by-id/usb-x:1.0", options={"baud": "9600", "as": "qr"}
    )


@pytest.mark.parametrize("url", ["", "rdm6300", "rdm6300:", ":/dev/ttyUSB0", "rdm6300:?baud=9600"])
def test_what_is_no_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(Misconfigured, match="write scheme:address"):
        split_url(url)


def test_settings_overrule_the_url_and_the_url_overrules_the_default() -> None:
    url = split_url("x:/dev/y?baud=19200&fast=yes")
    merged = merged_options(url, {"baud": 38400}, defaults={"baud": 9600, "fast": False, "ask": ("a", "b"), "gap": 0.5})
    assert merged == {"baud": 38400, "fast": True, "ask": ("a", "b"), "gap": 0.5}
    assert merged_options(url, {"ask": "c, d"}, defaults={"baud": 1, "fast": True, "ask": ()})["ask"] == ("c", "d")


@pytest.mark.parametrize("options", [{"baud": "fast"}, {"baud": None}, {"fast": "perhaps"}, {"gap": "wide"}])
def test_a_value_of_the_wrong_kind_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match=next(iter(options))):
        merged_options(split_url("x:/dev/y"), options, defaults={"baud": 9600, "fast": False, "gap": 0.5})


def test_an_option_nobody_knows_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(Misconfigured, match="it knows: as, baud"):
        merged_options(split_url("x:/dev/y?boud=9600"), {}, defaults={"baud": 9600, "as": "qr"})


def test_a_serial_port_is_a_whole_path() -> None:
    assert tty_path(split_url("x:/dev/y")) == "/dev/y"
    with pytest.raises(Misconfigured, match="whole path"):
        tty_path(split_url("x:ttyUSB0"))


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("nosuch:/dev/x", "write one of .*lcus.*nfc"),
        ("rdm6300:ttyUSB0", "whole path"),
        ("lines:/dev/x?as=face", "as=qr or as=number"),
        ("m7941:/dev/x?ask=palm", "ask=uid"),
        ("lcus:/dev/x?channels=9", "1 to 8"),
        ("lcus:/dev/x?volts=5", "channels"),
        ("nfc:i2c:1", "nfc:pn532:"),
        ("nfc:pn532:ttyUSB0", "whole path"),
        ("nfc:usb?targets=106X", "106A"),
    ],
)
def test_every_wrong_url_is_refused_before_anything_is_touched(url: str, remedy: str) -> None:
    with pytest.raises(Misconfigured, match=remedy):
        load(url, "north")
