"""The frames that a host sends to a PN532, and those that it hears (NXP UM0701-02, 6.2). Pure: `feed(bytes)` gives what is whole.

00 00 FF LEN LCS TFI data DCS 00; a longer one has FF FF and two bytes of length before its LCS; an ACK is 00 00 FF 00 FF 00.
Noise is passed over byte by byte, so that no frame is lost beside it. Holds no more than one frame, never raises, knows no
command.
"""

from __future__ import annotations

START = b"\x00\xff"
ACK = bytes.fromhex("0000FF00FF00")
SYNTAX_ERROR = bytes.fromhex("0000FF01FF7F8100")  # what the chip says to a command that it cannot carry out
FROM_HOST = 0xD4
MAX_PAYLOAD_BYTES = 265  # of the chip: TFI and 264 more
MAX_FRAME_BYTES = 2 + 5 + MAX_PAYLOAD_BYTES + 1
SHORT_HEAD, LONG_HEAD = 4, 7  # from the start code up to the LCS


class Pn532Frames:
    """Payloads of commands, TFI and command code at least; b"" for an ACK or a NACK."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def buffered(self) -> int:
        return len(self._buffer)

    def reset(self) -> None:
        """Forget what was begun."""
        self._buffer.clear()

    def feed(self, data: bytes) -> list[bytes]:
        found: list[bytes] = []
        for at in range(0, len(data), MAX_FRAME_BYTES):
            self._buffer += data[at : at + MAX_FRAME_BYTES]
            while (frame := self._next()) is not None:
                found.append(frame)
        return found

    def _next(self) -> bytes | None:
        """The next frame; None when more bytes are needed."""
        while True:
            at = self._buffer.find(START)
            del self._buffer[: at if at >= 0 else len(self._buffer) - self._buffer.endswith(START[:1])]
            if len(self._buffer) < SHORT_HEAD:
                return None
            if bytes(self._buffer[2:4]) in (b"\x00\xff", b"\xff\x00"):
                del self._buffer[:SHORT_HEAD]
                return b""
            head, length = self._head()
            if length is None:
                return None
            end = head + length
            if length and len(self._buffer) <= end:
                return None
            payload = bytes(self._buffer[head:end])
            if length and payload[0] == FROM_HOST and (sum(payload) + self._buffer[end]) % 256 == 0:
                del self._buffer[: end + 1]
                return payload
            del self._buffer[:1]

    def _head(self) -> tuple[int, int | None]:
        """Where the payload begins, and its length; 0 for a length that is none, None when more bytes are needed."""
        buffer = self._buffer
        if bytes(buffer[2:4]) != b"\xff\xff":
            return SHORT_HEAD, buffer[2] if buffer[2] >= 2 and (buffer[2] + buffer[3]) % 256 == 0 else 0
        if len(buffer) < LONG_HEAD:
            return LONG_HEAD, None
        length = buffer[4] << 8 | buffer[5]
        return LONG_HEAD, length if 2 <= length <= MAX_PAYLOAD_BYTES and sum(buffer[4:7]) % 256 == 0 else 0


def pn532_frame(payload: bytes) -> bytes:
    """A frame with this payload, as either side sends it."""
    length = len(payload)
    if length <= 255:
        head = bytes([0, 0, 0xFF, length, -length & 0xFF])
    else:
        high, low = length >> 8, length & 0xFF
        head = bytes([0, 0, 0xFF, 0xFF, 0xFF, high, low, -(high + low) & 0xFF])
    return head + payload + bytes([-sum(payload) & 0xFF, 0])
