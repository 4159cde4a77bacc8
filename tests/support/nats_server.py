"""A real nats-server of the test's own: a hub, a leaf of one, or what the project ships. It is killed, stopped and started again
on the same port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import nats
import nats.errors

from sync_agent import bus
from tests.support.chaos_parts import fixed_port

START_S = 30.0
PROGRAM = Path(sys.executable).with_name("nats-server")
SHIPPED = Path(__file__).parents[2] / "config" / "nats"


class NatsServer:
    """name: of the server; its JetStream domain as well unless one is given. hub_port: of the hub that it is a leaf of.

    shipped: the file of config/nats that it runs with instead, only ports and folder changed, and what `changed` says;
    environment: the secrets for it.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        hub_port: int = 0,
        domain: str = "",
        shipped: str = "",
        changed: Mapping[str, str] | None = None,
        started: bool = True,
        **environment: str,
    ) -> None:
        self.folder, self.name, self.port, self.leaf_port = folder, name, fixed_port(), fixed_port()
        self.url, self.kills, self._environment = f"nats://127.0.0.1:{self.port}", 0, environment
        folder.mkdir(parents=True, exist_ok=True)
        self._config = folder / "nats.conf"
        plain = self._plain(domain or name, hub_port)
        self._config.write_text(self._shipped(shipped, hub_port, changed or {}) if shipped else plain)
        self._popen: subprocess.Popen[bytes] | None = None
        if started:
            self.start()

    def _plain(self, domain: str, hub_port: int) -> str:
        leafs = _remote(hub_port) if hub_port else f'listen: "127.0.0.1:{self.leaf_port}"'
        return (
            f'server_name: {self.name}\nlisten: "127.0.0.1:{self.port}"\nmax_payload: {bus.MOST_PAYLOAD_BYTES}\n'
            f'jetstream {{ store_dir: "{self.folder}/store", domain: "{domain}", sync_interval: always,'
            " max_file_store: 1GB, max_memory_store: 16MB }\n"
            f"leafnodes {{ {leafs} }}\n"
        )

    def _shipped(self, file: str, hub_port: int, changed: Mapping[str, str]) -> str:
        text = (SHIPPED / file).read_text(encoding="utf-8")
        changes = {'"127.0.0.1:4222"': f'"127.0.0.1:{self.port}"', '"/var/lib/nats"': f'"{self.folder}/store"'}
        if hub_port:
            changes['"nats-leaf://10.0.0.5:7422"'] = f'"nats-leaf://127.0.0.1:{hub_port}"'
        else:
            changes['"0.0.0.0:7422"'] = f'"127.0.0.1:{self.leaf_port}"'
        for old, new in {**changes, **changed}.items():
            assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
            text = text.replace(old, new)
        return text

    def start(self, *, wait: bool = True) -> None:
        with (self.folder / "log.txt").open("ab") as log:
            self._popen = subprocess.Popen(
                [PROGRAM, "-c", self._config], stdout=log, stderr=log, env={**os.environ, **self._environment}
            )
        if wait:
            self.wait()

    def wait(self) -> None:
        end_s = time.monotonic() + START_S
        while time.monotonic() < end_s:
            if self.answers():
                return
            assert self.ended() is None, self.said()[-2000:]
            time.sleep(0.02)
        raise AssertionError(f"{self.name} does not start: {self.said()[-2000:]}")

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as found:
            return found.recv(4) == b"INFO"
        return False

    def ended(self) -> int | None:
        return self._popen.poll() if self._popen else None

    def said(self) -> str:
        return (self.folder / "log.txt").read_text(encoding="utf-8")

    def kill(self) -> None:
        self.kills += 1
        self.close()

    def close(self) -> None:
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()

    def forget(self) -> None:
        """Its disk is new."""
        self.kill()
        shutil.rmtree(self.folder / "store", ignore_errors=True)
        self.start()

    def purge(self) -> None:
        """Somebody empties the stream."""
        asyncio.run(self._purge())

    async def _purge(self) -> None:
        client = await nats.connect(self.url)
        with contextlib.suppress(nats.errors.Error):
            await client.jetstream().purge_stream(bus.STREAM)
        await client.close()


def _remote(hub_port: int) -> str:
    return (
        f'reconnect: "1s", remotes: [ {{ url: "nats-leaf://127.0.0.1:{hub_port}", deny_exports: ["{bus.UP_SUBJECTS}"],'
        f' deny_imports: ["{bus.UP_SUBJECTS}"] }} ]'
    )
