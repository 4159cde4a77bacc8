"""`kiosk demo`: a school day, played through the wire.

Gate, sync agent and school server run as real processes; the devices are simulators that speak their own protocols on
ptys, sockets and HTTP. Pupils tap cards on them; teachers and guards press buttons over HTTP like any browser. Nothing here
reaches into the gate: what the demo can do, anybody outside can do.
"""

from __future__ import annotations

from kiosk.demo.playing import play
from kiosk.demo.stage import DemoError

__all__ = ["DemoError", "play"]
