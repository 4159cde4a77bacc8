"""Reads the file that names the schools of a district: one server, one store, and nothing shared between them but that.

Everything wrong with it is one sentence that says where. It holds codes, tokens and perhaps a password: none is ever repeated.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from sync_agent import protocol
from sync_agent.errors import Misconfigured
from sync_agent.school_server.settings import School, ServerSettings


class _School(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str = ""
    node_codes: dict[str, str] = {}
    office: list[str] = []
    read_token: str = ""


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
        name: School(code=one.code, node_codes=one.node_codes, office=frozenset(one.office), read_token=one.read_token)
        for name, one in found.schools.items()
    }
    return ServerSettings(schools=schools, read_token=found.read_token), found.store


def _check_tokens(path: Path, found: _File) -> None:
    """Two schools with one token would read each other."""
    seen: dict[str, str] = {found.read_token: "the district"} if found.read_token else {}
    for name, school in found.schools.items():
        if school.read_token and (other := seen.setdefault(school.read_token, name)) != name:
            raise Misconfigured(f"{path}: {name} and {other} have the same read_token; give each its own")
