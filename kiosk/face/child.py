"""The process that computes: `python -m kiosk.face.child ENGINE MODELS_FOLDER`, pictures in, numbers out, over two pipes.

A process of its own because dlib holds the interpreter's lock for as long as it embeds a face (measured: 0.4 s), and nothing may
make the loop wait; and because a crash in a native library must not take the gate with it. It runs at a low priority, writes no
file, opens no connection, and forgets a picture when it has answered.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

from kiosk.clock import steady_s
from kiosk.face.engine import Engine, EngineUnusable
from kiosk.face.looking import look
from kiosk.face.opening import open_engine
from kiosk.face.wire import Ask, Ready, Told, receive, send

NICE = 10


def main(engine_name: str, models: str) -> int:
    os.nice(NICE)
    asked, told = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes to the log, never between two messages
    try:
        engine = open_engine(engine_name, Path(models))
    except EngineUnusable as error:
        send(told, Ready(trouble=str(error)))
        return 1
    _one_thread_each()
    send(told, Ready())
    _serve(engine, asked, told)
    return 0


def _serve(engine: Engine, asked: BinaryIO, told: BinaryIO) -> None:
    while (ask := receive(asked, Ask)) is not None:
        began_s = steady_s()
        seen = look(engine, ask.picture)
        send(
            told,
            Told(
                refusal=seen.refusal.value if seen.refusal else "",
                vector=seen.vector.tobytes() if seen.vector is not None else b"",
                took_ms=int((steady_s() - began_s) * 1000),
            ),
        )


def _one_thread_each() -> None:
    import cv2

    cv2.setNumThreads(1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
