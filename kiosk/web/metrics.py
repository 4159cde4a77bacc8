"""Figures for a monitoring system: counts and times, never a name or a number of a person."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 0.5, 1.0, 5.0)


class Metrics:
    """One registry per app, so that two apps in one process do not add up."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        reads = Counter("kiosk_reads", "Reads over HTTP by outcome.", ["outcome"], registry=self.registry)
        self.read = {outcome: reads.labels(outcome) for outcome in ("granted", "refused", "ask_guard")}
        self.turned_away = Counter("kiosk_reads_turned_away", "Reads that were no reads.", registry=self.registry)
        self.read_s = Histogram(
            "kiosk_read_seconds", "From request to durable answer.", buckets=_BUCKETS_S, registry=self.registry
        )
        self.pages = Gauge("kiosk_live_pages", "Open live connections.", registry=self.registry)
        self.renderings = Gauge("kiosk_live_renderings", "Views rendered since start.", registry=self.registry)
        self.waiting = Gauge("kiosk_requests_waiting", "Requests that wait for the gate.", registry=self.registry)
        self.sessions = Gauge("kiosk_sessions", "Members of staff signed in.", registry=self.registry)
        self.unsent = Gauge("kiosk_entries_unsent", "Entries the server has not got yet.", registry=self.registry)
        self.list_age_s = Gauge("kiosk_directory_age_seconds", "Age of the people list.", registry=self.registry)
        self.disk_used = Gauge("kiosk_disk_used_ratio", "How full the disk of the records is, 0..1.", registry=self.registry)
        self.ballast_gone = Gauge("kiosk_ballast_gone", "1 while the disk is on its last reserve.", registry=self.registry)
        self.can_save = Gauge("kiosk_can_save", "1 while the journal takes entries.", registry=self.registry)

    def text(self) -> bytes:
        return generate_latest(self.registry)
