"""The words of the bus: subjects, the one stream and its limits, and how a request of sync protocol 1 is put into a message.

Both sides use them. Nothing here connects, sends, signs or decides; a bus carries the protocol's own messages and adds no rule.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from sync_agent import protocol

SCHEMES: Final = ("nats://", "tls://")
STREAM: Final = "KIOSK_UP"  # batches that wait for the school server, at the gate's own leaf or at the hub
CONSUMER: Final = "school-server"
UP_SUBJECTS: Final = "kiosk.up.>"
ASK_SUBJECTS: Final = "kiosk.ask.*.*"

HEADER_METHOD: Final = "Kiosk-Method"
HEADER_TARGET: Final = "Kiosk-Target"
HEADER_STATUS: Final = "Kiosk-Status"
HEADER_ANSWER_TO: Final = "Kiosk-Answer-To"
HEADER_INCARNATION: Final = "Kiosk-Incarnation"
HEADER_FIRST_SEQ: Final = "Kiosk-First-Seq"
HEADER_FROM: Final = "Kiosk-From"  # a piece of a long answer begins at this byte
HEADER_TOTAL: Final = "Kiosk-Total"
HEADER_BODY: Final = "Kiosk-Body"  # SHA-256 of the whole body, in every piece
HEADER_PART: Final = "Kiosk-Part"  # a long request: which piece of how many, 1/3
HEADER_ID: Final = "Kiosk-Id"  # the pieces of one request bear one

MOST_PAYLOAD_BYTES: Final = protocol.MAX_BODY_BYTES + 64 * 1024  # what the NATS servers must let through, headers included
PIECE_BYTES: Final = 4 * 1024 * 1024
MOST_PIECES: Final = protocol.MAX_DIRECTORY_BYTES // PIECE_BYTES
MOST_WAITING: Final = 10_000  # messages on one server's disk
MOST_WAITING_BYTES: Final = 256 * 1024 * 1024
LONGEST_WAIT_S: Final = 7 * 24 * 3600
REDELIVER_AFTER_S: Final = 10.0
MOST_DELIVERIES: Final = 3  # a batch that fells the server must not fell it for ever; its gate sends it again, in halves

_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9=_-]{0,63}")


def token(name: str) -> str:
    """A name of the protocol as one token of a subject: a full stop would divide it."""
    return name.replace(".", "=")


def ask_subject(school: str, node: str) -> str:
    return f"kiosk.ask.{token(school)}.{token(node)}"


def up_subject(school: str, node: str, incarnation: str, first_seq: str) -> str:
    """The key of a batch: what is sent again from the same number takes the place of what waits there."""
    return f"kiosk.up.{token(school)}.{token(node)}.{token(incarnation)}.{first_seq}"


def answer_prefix(school: str, node: str) -> str:
    """Everything that comes back to one node, and to nobody else."""
    return f"kiosk.answer.{token(school)}.{token(node)}"


def domain_of(school: str, node: str) -> str:
    """The JetStream domain of a gate's leaf."""
    return f"{token(school)}-{token(node)}"


def sender_of(subject: str) -> tuple[str, str] | None:
    """(school, node) as tokens, from a subject that a node may publish to; None for any other."""
    parts = subject.split(".")
    if parts[:2] not in (["kiosk", "up"], ["kiosk", "ask"]) or len(parts) < 4:
        return None
    school, node = parts[2:4]
    return (school, node) if _TOKEN.fullmatch(school) and _TOKEN.fullmatch(node) else None


def without_secrets(address: str) -> str:
    """The address as it may be shown and logged."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def stream_settings() -> dict[str, Any]:
    """For both: whoever comes first makes the stream, and equal settings make it once."""
    return {
        "name": STREAM,
        "subjects": [UP_SUBJECTS],
        "retention": "workqueue",
        "storage": "file",
        "discard": "old",
        "max_msgs": MOST_WAITING,
        "max_msgs_per_subject": 1,
        "max_bytes": MOST_WAITING_BYTES,
        "max_age": LONGEST_WAIT_S,
        "max_msg_size": MOST_PAYLOAD_BYTES,
    }
