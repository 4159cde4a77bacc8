"""A network camera that is not there: MJPEG, and single pictures by Digest, over HTTP on loopback, for the shipped drivers.

Every picture carries the time at which it was taken, as a row of black and white blocks, so that a
test can prove how old a picture is. `show()` puts a drawn person in front of it; `set_mode()` makes
it fail in the ways that real cameras fail. It never listens on anything but loopback, and never
runs beside a real pupil: it draws people from numbers.
"""

from __future__ import annotations

import contextlib
import secrets
import socketserver
import threading
import time
from collections.abc import Iterator
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from drivers.simulated.camera_portrait import (
    CANVAS_HEIGHT_PX,
    CANVAS_WIDTH_PX,
    draw_person,
    encode_jpeg,
    looks_of,
    portrait,
)
from drivers.simulated.http_digest import DigestGate

if TYPE_CHECKING:
    from cv2.typing import MatLike

__all__ = ["WRAP_MS", "Mode", "SimulatedCamera", "portrait", "stamp_ms"]

STAMP_BITS = 32
STAMP_BLOCK_PX = 8
STAMP_ROOM_PX = STAMP_BITS * STAMP_BLOCK_PX
WRAP_MS = 1 << STAMP_BITS
LATE_S = 0.7
HELD_BACK_MAX = 300  # pictures that LAG keeps, the oldest are lost first
STEP_S = 0.05
NOISE = 6  # a sensor's noise; without it a still scene would look frozen
WALL = (148, 152, 146)
BOUNDARY = "picture"
USER = "admin"
STILL_PATH = "/ISAPI/Streaming/channels/101/picture"


class Mode(StrEnum):
    OK = "ok"
    STALL = "stall"  # the connection stands, nothing comes
    CLOSE = "close"  # each connection is ended at once
    FREEZE = "freeze"  # one and the same picture for ever
    BLACK = "black"  # the lens is covered
    GARBAGE = "garbage"  # bytes that are no JPEG
    LAG = "lag"  # pictures are held back, and come all at once when the mode changes; a single one comes after LATE_S
    OFF = "off"  # no power: nobody listens


class SimulatedCamera:
    """Use as a context manager, or start() and stop(). All methods are thread-safe except start() and stop().

    `fps` as low as 5 costs next to nothing. `url` is what the driver is configured with.
    """

    verbs: ClassVar[tuple[str, ...]] = ("set_mode", "show", "strand", "silence", "unplug", "replug")

    def __init__(self, *, port: int = 0, fps: float = 5.0, width_px: int = 320, height_px: int = 240) -> None:
        assert width_px >= STAMP_ROOM_PX, f"the time stamp needs {STAMP_ROOM_PX} pixels"
        self.port, self.fps, self.width_px, self.height_px = port, fps, width_px, height_px
        self._mode = Mode.OK
        self._scene: MatLike | None = None
        self._scene_lock = threading.Lock()
        self._stopping = threading.Event()
        self._server: socketserver.TCPServer | None = None
        self._stranded = 0  # connections numbered up to here never hear anything again
        self._person: tuple[int, bool] | None = None
        self._frozen: bytes | None = None
        self.digest = DigestGate(USER, secrets.token_urlsafe(9))  # asks for a password at single pictures only

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"camera:http://127.0.0.1:{self.port}/stream"

    def still_url(self, password_file: Path) -> str:
        """For drivers/still_camera.py. The file is written, for its owner alone."""
        password_file.parent.mkdir(parents=True, exist_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(self.digest.password + "\n", encoding="utf-8")
        return f"still:http://127.0.0.1:{self.port}?user={USER}&password_file={password_file}"

    @property
    def mode(self) -> Mode:
        return self._mode

    def start(self) -> None:
        """Listens; the port is known afterwards. Raises OSError when the port is taken."""
        self._stopping.clear()
        if self._mode is not Mode.OFF:
            self._listen()

    def stop(self) -> None:
        self._stopping.set()
        self._stop_listening()

    def set_mode(self, mode: Mode) -> None:
        """From now on misbehave like this; Mode.OK ends it. After Mode.OFF the same port answers again."""
        was, self._mode = self._mode, mode
        if mode is Mode.OFF:
            self._stop_listening()
        elif was is Mode.OFF:
            self._listen()

    def silence(self, silent: bool) -> None:
        """The connections stand, and nothing comes."""
        self.set_mode(Mode.STALL if silent else Mode.OK)

    def unplug(self) -> None:
        """No power: nobody listens."""
        self.set_mode(Mode.OFF)

    def replug(self) -> None:
        """Power again: the same port answers."""
        self.set_mode(Mode.OK)

    def close(self) -> None:
        self.stop()

    def strand(self) -> None:
        """The connections that stand now hang for ever, as after a router forgot them; new ones are served."""
        self._stranded += 1

    def show(self, seed: int | None, *, adult: bool = False) -> None:
        """Who stands in front of the camera: the person of `portrait(seed)`, or nobody."""
        with self._scene_lock:
            self._person = None if seed is None else (seed, adult)
            self._scene = None

    def show_picture(self, picture: bytes) -> None:
        """Somebody holds this picture (JPEG, PNG) in front of the camera, or is the one whom it shows."""
        import cv2
        import numpy

        image = cv2.imdecode(numpy.frombuffer(picture, numpy.uint8), cv2.IMREAD_COLOR)
        assert image is not None, "not a picture"
        room_px = self.height_px - STAMP_BLOCK_PX  # the time stands above
        share = min(room_px / image.shape[0], self.width_px / image.shape[1])
        image = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        scene = numpy.full((self.height_px, self.width_px, 3), WALL, numpy.uint8)
        height, width = image.shape[0], image.shape[1]
        left = (self.width_px - width) // 2
        scene[self.height_px - height :, left : left + width] = image
        with self._scene_lock:
            self._person, self._scene = None, numpy.minimum(scene, 255 - NOISE)

    def picture(self) -> bytes:
        """One JPEG as the camera would take it now, in its present mode."""
        import numpy

        if self._mode is Mode.BLACK:
            return encode_jpeg(numpy.zeros((self.height_px, self.width_px, 3), numpy.uint8))
        taken_ms = int(time.monotonic() * 1000)
        noise = numpy.random.default_rng(taken_ms).integers(0, NOISE, (self.height_px, self.width_px, 1), dtype=numpy.uint8)
        image = self._drawn_scene() + noise
        _stamp(image, taken_ms)
        return encode_jpeg(image)

    def _drawn_scene(self) -> MatLike:
        """Drawn once for each person; colours leave room for the noise."""
        import numpy

        with self._scene_lock:
            if self._scene is None:
                scene = numpy.full((self.height_px, self.width_px, 3), WALL, numpy.uint8)
                if self._person is not None:
                    _put_person(scene, *self._person)
                self._scene = numpy.minimum(scene, 255 - NOISE)
            return self._scene

    def _listen(self) -> None:
        camera = self

        class Handler(_Handler):
            source = camera

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": STEP_S}, name="simulated-camera", daemon=True
        ).start()

    def _stop_listening(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def stream(self) -> Iterator[bytes]:
        """The pictures of one connection, at the pace of the camera, until it is closed."""
        period_s, born = 1 / self.fps, self._stranded
        held_back: list[bytes] = []
        while not self._stopping.is_set() and (mode := self._mode) not in (Mode.CLOSE, Mode.OFF):
            if mode is Mode.STALL or born < self._stranded:
                self._stopping.wait(STEP_S)
                continue
            if mode is Mode.LAG:
                held_back = [*held_back, self.picture()][-HELD_BACK_MAX:]
                self._stopping.wait(period_s)
                continue
            yield from held_back
            held_back = []
            picture = self._frozen_or_new()
            yield bytes(len(picture)) if mode is Mode.GARBAGE else picture
            self._stopping.wait(period_s)

    def still(self) -> bytes | None:
        """One picture for one request, in the present mode; None when the connection is to end without one."""
        while self._mode is Mode.STALL and not self._stopping.is_set():
            self._stopping.wait(STEP_S)
        mode = self._mode
        if self._stopping.is_set() or mode in (Mode.CLOSE, Mode.OFF):
            return None
        picture = self._frozen_or_new()
        if mode is Mode.LAG:
            self._stopping.wait(LATE_S)
        return bytes(len(picture)) if mode is Mode.GARBAGE else picture

    def _frozen_or_new(self) -> bytes:
        """A frozen camera shows one and the same picture to everybody, also to who connects again."""
        picture = self.picture()
        self._frozen = (self._frozen or picture) if self._mode is Mode.FREEZE else None
        return self._frozen or picture


def started_camera() -> SimulatedCamera:
    """For the rack, whose devices are there as soon as they are made."""
    camera = SimulatedCamera()
    camera.start()
    return camera


class SimulatedStillCamera(SimulatedCamera):
    """The same camera, asked for single pictures; `link` is where the password lies."""

    def __init__(self, *, link: Path, fps: float = 5.0) -> None:
        super().__init__(fps=fps)
        self._password_file, self._still_url = link, ""

    @property
    def url(self) -> str:
        return self._still_url

    def start(self) -> None:
        super().start()
        self._still_url = self.still_url(self._password_file)

    def close(self) -> None:
        super().close()
        self._password_file.unlink(missing_ok=True)


def started_still_camera(*, link: Path) -> SimulatedStillCamera:
    camera = SimulatedStillCamera(link=link)
    camera.start()
    return camera


class _Handler(BaseHTTPRequestHandler):
    source: SimulatedCamera

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the camera's own log is not ours."""

    def do_GET(self) -> None:
        if self.path == STILL_PATH:
            self._still()
            return
        if self.path != "/stream":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.end_headers()
        try:
            for jpeg in self.source.stream():
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode("ascii") + jpeg + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            return  # the viewer hung up, which is how every viewer leaves

    def _still(self) -> None:
        digest = self.source.digest
        if not digest.admits(self.command, self.path, self.headers.get("Authorization", "")):
            self.send_response(401)
            self.send_header("WWW-Authenticate", digest.challenge())
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if (picture := self.source.still()) is not None:
                self.send_response(200)
                self.send_header("Content-Type", "image/jpeg")
                self.send_header("Content-Length", str(len(picture)))
                self.end_headers()
                self.wfile.write(picture)
        self.close_connection = True


def _put_person(scene: MatLike, seed: int, adult: bool) -> None:
    """Not where and not as large as in the photo on file, and in another light."""
    import cv2
    import numpy

    height_px, width_px = scene.shape[:2]
    canvas = numpy.full((CANVAS_HEIGHT_PX, CANVAS_WIDTH_PX, 3), WALL, numpy.uint8)
    draw_person(canvas, looks_of(seed, adult=adult))
    tall_px = height_px * 9 // 10
    wide_px = min(width_px, tall_px * CANVAS_WIDTH_PX // CANVAS_HEIGHT_PX)
    person = cv2.resize(canvas, (wide_px, tall_px), interpolation=cv2.INTER_AREA)
    left_px = (width_px - wide_px) * (3 + seed % 4) // 9
    scene[height_px - tall_px :, left_px : left_px + wide_px] = (person * 0.9).astype(numpy.uint8)


def _stamp(image: MatLike, at_ms: int) -> None:
    for bit in range(STAMP_BITS):
        left_px = bit * STAMP_BLOCK_PX
        image[:STAMP_BLOCK_PX, left_px : left_px + STAMP_BLOCK_PX] = 255 if at_ms >> bit & 1 else 0


def stamp_ms(jpeg: bytes) -> int:
    """The time.monotonic() in ms, modulo 2**32, at which a picture of a SimulatedCamera was taken."""
    import cv2
    import numpy

    image = cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None, "not a JPEG"
    middle_px = STAMP_BLOCK_PX // 2
    return sum(1 << bit for bit in range(STAMP_BITS) if image[middle_px, bit * STAMP_BLOCK_PX + middle_px] > 127)
