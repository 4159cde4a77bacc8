"""HTTP or the bus: the address says which. NATS is imported only by those who use it. It opens nothing."""

from __future__ import annotations

from pathlib import Path

from sync_agent import bus
from sync_agent.errors import Misconfigured
from sync_agent.transports.http import ANSWER_TIMEOUT_S, Caller, HttpTransport


def transport_to(
    address: str, caller: Caller, *, answer_timeout_s: float | None = None, ca_file: Path | None = None
) -> HttpTransport:
    """ca_file: for https:// only. Raises Misconfigured where the bus is wanted and its client is not installed."""
    seconds = answer_timeout_s or ANSWER_TIMEOUT_S
    if not address.startswith(bus.SCHEMES):
        return HttpTransport(address, caller, answer_timeout_s=seconds, ca_file=ca_file)
    try:
        from sync_agent.transports.nats import NatsTransport
    except ImportError as error:
        raise Misconfigured("a gate on NATS needs nats-py; install campus-kiosk[nats] into this environment") from error
    return NatsTransport(address, caller, answer_timeout_s=seconds)
