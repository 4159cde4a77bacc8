"""Take a device URL apart: `scheme:address?option=value&option=value`.

A URL says which driver, where the device is and how it is set. Options may also come as keyword arguments (from a
settings file); the URL is overruled by them. Every mistake is a `Misconfigured` that names the place and the remedy.
This module opens nothing and knows no device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from drivers.errors import Misconfigured

OptionValue = str | int | float | bool | tuple[str, ...]
TRUE_WORDS = frozenset({"1", "yes", "true", "on"})
FALSE_WORDS = frozenset({"0", "no", "false", "off"})


@dataclass(frozen=True, slots=True)
class DeviceUrl:
    """`rdm6300:/dev/x?baud=9600` -> scheme `rdm6300`, address `/dev/x`, options `{"baud": "9600"}`."""

    scheme: str
    address: str
    options: Mapping[str, str]


def split_url(url: str) -> DeviceUrl:
    """Raises Misconfigured when there is no scheme or no address."""
    scheme, colon, rest = url.partition(":")
    address, _, query = rest.partition("?")
    if not colon or not scheme or not address:
        raise Misconfigured(f"{url!r} is no device URL: write scheme:address, such as rdm6300:/dev/serial/by-id/...")
    return DeviceUrl(scheme, address, dict(parse_qsl(query, keep_blank_values=True)))


def tty_path(url: DeviceUrl) -> str:
    """The address as a path of a serial port. Raises Misconfigured when it is not an absolute path."""
    if not url.address.startswith("/"):
        raise Misconfigured(f"{url.scheme}:{url.address} names no serial port: write the whole path, best /dev/serial/by-id/...")
    return url.address


def merged_options(url: DeviceUrl, given: Mapping[str, Any], *, defaults: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
    """Every option of `defaults`, overruled by the URL, then by `given`; each converted to the type of its default.

    Raises Misconfigured for an option that the driver does not know, and for a value that cannot be converted.
    """
    merged = dict(defaults)
    for name, raw in (*url.options.items(), *given.items()):
        if name not in defaults:
            known = ", ".join(sorted(defaults)) or "none"
            raise Misconfigured(f"{url.scheme}:{url.address} has no option {name!r}; it knows: {known}")
        try:
            merged[name] = _converted(raw, like=defaults[name])
        except (TypeError, ValueError) as error:
            kind = type(defaults[name]).__name__
            raise Misconfigured(f"{url.scheme}:{url.address} option {name}={raw!r} must be a {kind}") from error
    return merged


def _converted(raw: Any, *, like: OptionValue) -> OptionValue:
    if isinstance(like, bool):  # before int: a bool is an int
        word = str(raw).lower()
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise ValueError(raw)
        return word in TRUE_WORDS
    if isinstance(like, int):
        return int(raw)
    if isinstance(like, float):
        return float(raw)
    if isinstance(like, tuple):
        parts = raw.split(",") if isinstance(raw, str) else list(raw)
        return tuple(str(part).strip() for part in parts if str(part).strip())
    return str(raw)
