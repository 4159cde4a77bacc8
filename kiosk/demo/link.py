"""A network link that can be cut: a small TCP relay between the sync agent and the school server."""

from __future__ import annotations

import contextlib
import socket
import threading

BUFFER_BYTES = 65_536


class CuttableLink:
    """Listens on `port` and forwards to `target` until it is cut; mended, it forwards again."""

    def __init__(self, *, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._cut = False
        threading.Thread(target=self._accept, name="link", daemon=True).start()

    def cut(self) -> None:
        self._cut = True
        for one in list(self._open):
            _end(one)

    def mend(self) -> None:
        self._cut = False

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._cut:
                    raise ConnectionRefusedError
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                client.close()
                continue
            self._open |= {client, server}
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(BUFFER_BYTES):
                other.sendall(data)
        for each in (one, other):
            self._open.discard(each)
            _end(each)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
