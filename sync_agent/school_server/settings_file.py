"""Reads the file that names the schools of a district: one server, one store, and nothing shared between them but that.

Everything wrong with it is one sentence that says where. It holds codes, tokens and perhaps a password: none is ever repeated.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from pathlib import Path
from typing import Final

import msgspec

from sync_agent import protocol
from sync_agent.errors import Misconfigured
from sync_agent.school_server.cloud_events import KINDS
from sync_agent.school_server.settings import Receiver, School, ServerSettings

SECRET_PREFIX: Final = "whsec_"
SECRET_BYTES_MIN, SECRET_BYTES_MAX = 24, 64  # what Standard Webhooks allows
MOST_IN_A_BATCH: Final = 500


class _Receiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    to: str
    secret: str
    kinds: list[str] = []
    batch: int = 1
    ask_first: bool = False


class _School(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str = ""
    node_codes: dict[str, str] = {}
    office: list[str] = []
    read_token: str = ""
    pupils_token: str = ""
    webhook: _Receiver | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schools: dict[str, _School]
    store: str = ""
    read_token: str = ""


def load(path: Path) -> tuple[ServerSettings, str]:
    """The settings, and the address of the store ("" where the file names none). Raises Misconfigured."""
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read ({error.strerror}); name the file of the schools with --schools") from error
    except msgspec.ValidationError as error:
        raise Misconfigured(f"{path} is not understood: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} is not TOML: {error}") from error
    if not found.schools:
        raise Misconfigured(f"{path} names no school; write a table such as [schools.yucai]")
    for name, school in found.schools.items():
        for one in (name, *school.office, *school.node_codes):
            if not protocol.is_name(one):
                raise Misconfigured(f"{path}: {one!r} cannot be a name; use 1 to 64 of A-Z a-z 0-9 . _ -")
    _check_tokens(path, found)
    schools = {
        name: School(
            code=one.code,
            node_codes=one.node_codes,
            office=frozenset(one.office),
            read_token=one.read_token,
            pupils_token=one.pupils_token,
            receiver=_receiver(path, name, one.webhook),
        )
        for name, one in found.schools.items()
    }
    return ServerSettings(schools=schools, read_token=found.read_token), found.store


def _check_tokens(path: Path, found: _File) -> None:
    """Two schools with one token would read each other."""
    seen: dict[str, str] = {found.read_token: "the district"} if found.read_token else {}
    for name, school in found.schools.items():
        if school.read_token and (other := seen.setdefault(school.read_token, name)) != name:
            raise Misconfigured(f"{path}: {name} and {other} have the same read_token; give each its own")
    readers = {found.read_token, *(school.read_token for school in found.schools.values())}
    pupils = [school.pupils_token for school in found.schools.values() if school.pupils_token]
    if readers & set(pupils) or len(set(pupils)) < len(pupils):
        raise Misconfigured(f"{path}: a pupils_token is used twice, or opens the read API as well; give each its own")


def receiver(url: str, secret: str, *, kinds: Collection[str] = (), batch: int = 1, ask_first: bool = False) -> Receiver:
    """kinds: none for all. Raises Misconfigured, without the secret in it."""
    if not url.startswith(("http://", "https://")):
        raise Misconfigured("the webhook's address must begin with https:// (or http:// within the campus)")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise Misconfigured(
            f"the webhook's secret must be {SECRET_PREFIX} and then {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} random bytes in"
            " base64; make one with: echo whsec_$(head -c 32 /dev/urandom | base64)"
        )
    if unknown := sorted(set(kinds) - KINDS):
        raise Misconfigured(f"the webhook's kind {unknown[0]!r} is not one of {', '.join(sorted(KINDS))}")
    if not 1 <= batch <= MOST_IN_A_BATCH:
        raise Misconfigured(f"the webhook's batch must be from 1 to {MOST_IN_A_BATCH}, not {batch}")
    return Receiver(url=url, secret=key, kinds=frozenset(kinds) or KINDS, batch=batch, ask_first=ask_first)


def _receiver(path: Path, school: str, told: _Receiver | None) -> Receiver | None:
    if told is None:
        return None
    try:
        return receiver(told.to, told.secret, kinds=told.kinds, batch=told.batch, ask_first=told.ask_first)
    except Misconfigured as error:
        raise Misconfigured(f"{path}: {school}: {error}") from error
