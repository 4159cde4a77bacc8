"""`sync-agent rotate-key`: this gate changes its key at the server, and is never without one that the server takes.

The next key is on the disk first; then both keys sign; the server's answer makes it the present one. Whatever ends it in between,
it is begun and not lost: the command again, or the agent when it starts, asks once more for the same change. A change that was
begun is never given up for another one, because the server may know it already.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import Final

from sync_agent import protocol
from sync_agent.errors import ServerRefused, SyncError
from sync_agent.keys import SigningKey
from sync_agent.node_keys import NodeKeys
from sync_agent.transports.choosing import transport_to
from sync_agent.transports.http import Caller, HttpTransport

RETRY_S: Final = 2.0

log = logging.getLogger(__name__)


async def change(transport: HttpTransport, keys: NodeKeys, *, school: str, node: str) -> protocol.KeyAnswer:
    """Raises SyncError; the change is then begun, and the same call goes on with it."""
    old, new = keys.present, keys.prepare_next()
    text = protocol.key_text(school=school, node=node, old_key=old.public_hex, new_key=new.public_hex)
    answer = await transport.change_key(
        protocol.KeyChange(
            node=node, old_key=old.public_hex, new_key=new.public_hex, signature=old.sign(text), proof=new.sign(text)
        )
    )
    keys.adopt_next()
    return answer


async def settled(
    transport: HttpTransport, keys: NodeKeys, *, school: str, node: str, stop: asyncio.Event, retry_s: float = RETRY_S
) -> SigningKey:
    """The key to go on with. A change, or an enrolment, that was cut off is brought to its end first.

    Until the server answers nothing could be sent anyway: it may take either key.
    """
    said = ""
    while keys.begun() and not stop.is_set():
        try:
            await change(transport, keys, school=school, node=node)
        except ServerRefused as refusal:
            log.warning("the change of key that was begun is refused, and the present key stays: %s", refusal)
            break
        except SyncError as error:
            if str(error) != said:
                log.warning("a change of key was begun; waiting: %s", error)
            said = str(error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), retry_s)
    return keys.present


async def rotate_now(*, folder: Path, server: str, ca_file: Path | None = None, school: str, node: str) -> str:
    """For the command line: says what the server said. Raises SyncError."""
    keys = NodeKeys(folder / "keys")
    async with transport_to(server, Caller(school=school, node=node, key=keys.present), ca_file=ca_file) as transport:
        answer = await change(transport, keys, school=school, node=node)
    return f"{node} 已换密钥 has key number {answer.number}"
