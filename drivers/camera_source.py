"""Where a camera's pictures come from: its URL taken apart, checked, and shown without its password.

Pure but for `require_access`, which asks the file system. Never imports OpenCV, never opens a device.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from drivers.device_urls import DeviceUrl, merged_options
from drivers.errors import DeviceLost, Misconfigured

SCHEME = "camera"
STREAM_SCHEMES = ("http", "https", "rtsp", "rtsps")
_AUTHORITY = re.compile(r"([^/?#]*)([^?#]*)(.*)", re.DOTALL)
FORMS = (
    "camera:/dev/v4l/by-id/NAME-video-index0, camera:http://HOST/PATH, camera:rtsp://HOST/PATH "
    "or camera:file:/PATH.avi?realtime=1&loop=1"
)


@dataclass(frozen=True, slots=True)
class DeviceSource:
    """A camera on this computer (V4L2), by device path."""

    path: Path

    @property
    def shown(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class StreamSource:
    """A camera on the network: MJPEG over HTTP, or RTSP."""

    url: str

    @property
    def shown(self) -> str:
        """The address without user, password and query: all three carry secrets on real cameras."""
        return without_secrets(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """A recording. `realtime` plays it at its own speed; `loop` starts over at its end."""

    path: Path
    realtime: bool = True
    loop: bool = False

    @property
    def shown(self) -> str:
        return str(self.path)


Source = DeviceSource | StreamSource | FileSource


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraOptions:
    """What a site may set for one camera, beside its URL.

    stale_s: no picture for so long is a loss. frozen_s: nothing but one and the same picture for so long is a loss;
    five seconds, because a still scene in an H.264 stream may repeat itself exactly until the next key frame.
    read_timeout_s: when FFMPEG gives up a silent connection. max_width_px: wider pictures are scaled down as they
    arrive, since ten pictures are kept in memory. request_width_px, request_height_px: asked of a USB camera; 0 leaves
    the camera's own choice.
    """

    stale_s: float = 2.0
    frozen_s: float = 5.0
    open_within_s: float = 5.0
    read_timeout_s: float = 3.0
    max_width_px: int = 640
    request_width_px: int = 0
    request_height_px: int = 0
    jpeg_quality: int = 85


def parse_options(shown: str, options: Mapping[str, Any]) -> CameraOptions:
    """Raises Misconfigured, naming the camera as `shown`, on an unknown name or a value out of its range."""
    defaults: dict[str, Any] = {field.name: field.default for field in fields(CameraOptions)}
    values: dict[str, Any] = merged_options(DeviceUrl(SCHEME, shown, {}), options, defaults=defaults)
    for name, value in values.items():
        if value < 0 or (value == 0 and not name.startswith("request_")):
            raise Misconfigured(f"{SCHEME}:{shown} option {name}={value!r} must be greater than 0")
    return CameraOptions(**values)


def without_secrets(url: str) -> str:
    """Any text that was given as a camera's URL, fit for a log: user, password and query cut out. Never raises."""
    head, slashes, rest = url.partition("://")
    if not slashes:
        return url
    authority, path, secret = _AUTHORITY.fullmatch(rest).groups()  # type: ignore[union-attr]  # matches any text
    if "@" in path + secret:
        return f"{head}://..."  # a password with an unescaped / or ?: where it ends is anybody's guess
    return f"{head}://{authority.rpartition('@')[2]}{path}"


def parse_source(url: str) -> Source:
    """`camera:...` -> Source. Raises Misconfigured with the forms that are allowed."""
    scheme, _, rest = url.partition(":")
    if scheme != SCHEME or not rest or not rest.isprintable():
        raise Misconfigured(f"not a camera address; allowed are {FORMS}")
    if rest.startswith("/dev/"):
        return DeviceSource(Path(rest))
    if rest.startswith("file:"):
        return _parse_file(rest.removeprefix("file:"))
    try:
        parts = urlsplit(rest)
        if parts.scheme in STREAM_SCHEMES and parts.hostname and (parts.port is None or parts.port > 0):
            return StreamSource(rest)
    except ValueError:
        pass  # half an IPv6 address, a port that is no number: the same answer as below
    raise Misconfigured(f"a camera address of a kind that is not known; allowed are {FORMS}")


def _parse_file(rest: str) -> FileSource:
    path, _, query = rest.partition("?")
    switches = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in switches.items():
        if name not in ("realtime", "loop") or value not in ("0", "1"):
            raise Misconfigured(f"{path}: {name}={value} is not allowed; write realtime=0|1 or loop=0|1")
    source = FileSource(path=Path(path), realtime=switches.get("realtime", "1") == "1", loop=switches.get("loop", "0") == "1")
    if source.loop and not source.realtime:
        raise Misconfigured(f"{path}: loop=1 needs realtime=1, otherwise one core would do nothing else")
    return source


def require_access(source: Source) -> None:
    """Raises DeviceLost when the thing is not there, Misconfigured when it may not be used or is something else."""
    if isinstance(source, DeviceSource):
        _require_device(source.path)
    elif isinstance(source, FileSource):
        _require_file(source.path)


def _require_device(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise DeviceLost(f"{path} is not there: plug the camera in") from None
    except PermissionError:
        raise _no_permission(path) from None
    if not stat.S_ISCHR(mode):
        raise Misconfigured(f"{path} is not a device; allowed are {FORMS}")
    if not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
        raise _no_permission(path)


def _no_permission(path: Path) -> Misconfigured:
    return Misconfigured(
        f"no permission to use {path}: run `sudo usermod -aG video <the user that runs kiosk>`, then start kiosk again"
    )


def _require_file(path: Path) -> None:
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read ({error.strerror}): give the path of a recording") from None
    if not regular:
        raise Misconfigured(f"{path} is not a file: give the path of a recording")
    if not os.access(path, os.R_OK, effective_ids=True):
        raise Misconfigured(f"no permission to read {path}: run `chmod a+r {path}`")
