"""The parts that the routes share, made once by `app.create_app`."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.web.bridge import Bridge
from kiosk.web.gate import Gate
from kiosk.web.live import Live
from kiosk.web.metrics import Metrics
from kiosk.web.pins import Pins
from kiosk.web.sessions import Sessions
from kiosk.web.stream import Hub
from kiosk.web.topics import Topics


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    gate: Gate
    bridge: Bridge
    hub: Hub
    live: Live
    topics: Topics
    sessions: Sessions
    metrics: Metrics
    pins: Pins
