"""Signing cards: what it costs to look at one proof, beside one bare AES-CMAC over the same characters."""

from __future__ import annotations

from drivers.card_aes import cmac
from drivers.sun import SunKeys, link_of, message_in
from kiosk.bench.result import Result, result
from kiosk.clock import steady_s
from kiosk.sun_keys import reader_with

PROOFS = 2_000
KEY, UID = bytes(range(16)), bytes.fromhex("04A1B2C3D4E5F6")


def sun(runs: int) -> list[Result]:
    """From the text of the link to who it was: parsing, opening, the card's own key, the MAC. It may take 1 ms."""
    keys = SunKeys.from_master(KEY)
    links = [link_of("https://school.example/t", keys, UID, n + 1, file_data=KEY) for n in range(PROOFS)]
    messages = [message for message in map(message_in, links) if message is not None]
    reader = reader_with(keys)
    ours, bare = [], []
    for _ in range(runs):
        began_s = steady_s()
        for link in links:
            reader(link)
        middle_s = steady_s()
        for message in messages:
            cmac(KEY, message.mac_input)
        ours.append((middle_s - began_s) * 1000 / PROOFS)
        bare.append((steady_s() - middle_s) * 1000 / PROOFS)
    return [result("SUN proof verified (limit: one bare AES-CMAC)", "ms", ours, bare)]
