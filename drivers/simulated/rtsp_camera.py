"""A network camera that speaks RTSP (RFC 2326) on loopback: Digest, and JPEG over RTP in the same connection (RFC 2435).

The scene, its stamp of the time and its failures are those of `camera.SimulatedCamera`. It answers what FFMPEG and cameras'
own programs ask: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN. It never sends by UDP and never runs beside a
real pupil.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import socketserver
import struct
import threading
import time
from typing import ClassVar

from drivers.simulated.camera import STEP_S, USER, Mode, SimulatedCamera
from drivers.simulated.rtp_jpeg import CLOCK_HZ, FRAGMENT_BYTES, PAYLOAD_TYPE, packets

PATH = "/Streaming/Channels/102"
TRACK = "track1"
METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
INTERLEAVED = b"$"
JPEG_BEGINS = b"\xff\xd8"
MAX_HEAD_BYTES = 8192


class SimulatedRtspCamera(SimulatedCamera):
    """Asks for a password, as real ones do: it stands in `url`, and in nothing else."""

    verbs: ClassVar[tuple[str, ...]] = SimulatedCamera.verbs

    @property
    def url(self) -> str:
        return f"camera:rtsp://{USER}:{self.digest.password}@127.0.0.1:{self.port}{PATH}"

    def _listen(self) -> None:
        camera = self

        class Connection(_Connection):
            source = camera

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

        self._server = Server(("127.0.0.1", self.port), Connection)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(STEP_S,), name="simulated-rtsp-camera", daemon=True).start()


def started_rtsp_camera() -> SimulatedRtspCamera:
    camera = SimulatedRtspCamera()
    camera.start()
    return camera


class _Connection(socketserver.StreamRequestHandler):
    """One viewer. The pictures have a thread of their own: questions come while they run."""

    source: SimulatedRtspCamera
    timeout = 60.0  # a viewer says something twice a minute

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._writing = threading.Lock()
        self._session = secrets.token_hex(4)
        self._player: threading.Thread | None = None

    def handle(self) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError):  # the viewer hung up, which is how every viewer leaves
            while self._answer(*self._question()):
                pass

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        if self._player is not None:
            self._player.join()
        super().finish()

    def _question(self) -> tuple[str, str, dict[str, str]]:
        """(method, address, headers); what a viewer reports of its reception is passed over."""
        while (first := self._exactly(1)) == INTERLEAVED:
            self._exactly(int.from_bytes(self._exactly(3)[1:], "big"))
        head = bytearray(first)
        while not head.endswith(b"\r\n\r\n"):
            if len(head) > MAX_HEAD_BYTES:
                raise ValueError("no question is so long")
            head += self._exactly(1)
        opening, *lines = head.decode("utf-8", "replace").strip().split("\r\n")
        method, address, _ = opening.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        return method, address, {name.strip().lower(): value.strip() for name, _, value in pairs}

    def _exactly(self, count: int) -> bytes:
        data = self.rfile.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def _answer(self, method: str, address: str, headers: dict[str, str]) -> bool:
        """False at the end."""
        number = headers.get("cseq", "0")
        if self.source.mode in (Mode.CLOSE, Mode.OFF):
            return False
        digest = self.source.digest
        if method != "OPTIONS" and not digest.admits(method, address, headers.get("authorization", "")):
            self._say(number, "401 Unauthorized", {"WWW-Authenticate": digest.challenge()})
        elif method == "OPTIONS":
            self._say(number, "200 OK", {"Public": METHODS})
        elif PATH not in address:
            self._say(number, "404 Not Found", {})
        elif method == "DESCRIBE":
            base = {"Content-Type": "application/sdp", "Content-Base": f"{address}/"}
            self._say(number, "200 OK", base, self._description())
        elif method == "SETUP" and "interleaved" not in headers.get("transport", ""):
            self._say(number, "461 Unsupported Transport", {})
        elif method == "SETUP":
            self._say(number, "200 OK", {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"})
        elif method == "PLAY":
            self._say(number, "200 OK", {})
            if self._player is None:
                self._player = threading.Thread(target=self._play, name="simulated-rtsp-viewer", daemon=True)
                self._player.start()
        else:
            self._say(number, "200 OK" if method in METHODS else "501 Not Implemented", {})
        return method != "TEARDOWN"

    def _description(self) -> str:
        lines = (
            "v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=gate", "c=IN IP4 0.0.0.0", "t=0 0", f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
            f"a=framerate:{self.source.fps:g}", f"a=control:{TRACK}",
        )  # fmt: skip
        return "\r\n".join([*lines, ""])

    def _say(self, number: str, status: str, headers: dict[str, str], body: str = "") -> None:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {number}", f"Session: {self._session};timeout=60"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}"] if body else []
        self._write("\r\n".join([*lines, "", body]).encode("ascii"))

    def _play(self) -> None:
        number, source = secrets.randbelow(1 << 16), secrets.randbelow(1 << 32)
        with contextlib.suppress(OSError):
            for picture in self.source.stream():
                timestamp = int(time.monotonic() * CLOCK_HZ)
                if not picture.startswith(JPEG_BEGINS):
                    self._interleave(picture[:FRAGMENT_BYTES])
                    continue
                for packet in packets(picture, first_number=number, timestamp=timestamp, source=source):
                    self._interleave(packet)
                    number += 1
            self.connection.shutdown(socket.SHUT_RDWR)

    def _interleave(self, packet: bytes) -> None:
        self._write(INTERLEAVED + struct.pack(">BH", 0, len(packet)) + packet)

    def _write(self, data: bytes) -> None:
        with self._writing:
            self.connection.sendall(data)
