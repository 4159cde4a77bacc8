"""The 学号 behind a child's number: with its own token, from the current directory, and nothing else of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from kiosk.directory import publish
from kiosk.directory_schema import Content, Person, PersonKind
from sync_agent.errors import Misconfigured
from sync_agent.school_server.settings_file import load
from sync_agent.school_server.store import StoredDirectory
from tests.support.people import CLASSES, STAFF
from tests.support.sync_requests import sentence
from tests.support.sync_world import PUPILS_TOKEN, SCHOOL, TOKEN, SyncWorld

PATH = "/api/v1/pupils"
RIGHT = {"Authorization": f"Bearer {PUPILS_TOKEN}"}
PERSONS = (
    Person(101, PersonKind.STAFF, "T1"), Person(102, PersonKind.STAFF, "T2"), Person(103, PersonKind.STAFF, "T3"),
    Person(105, PersonKind.STAFF, "T5"), Person(106, PersonKind.STAFF, "T6"), Person(4017, PersonKind.PUPIL, "20260017"),
)  # fmt: skip


def put(world: SyncWorld, content: bytes, number: int = 1) -> None:
    sent = StoredDirectory(number=number, sha256=hashlib.sha256(content).hexdigest(), content=content, node="south")
    assert world.server.store.put_directory(sent, school=SCHOOL, base=number - 1, at_ms=0) is None


def directory(folder: Path) -> bytes:
    content = Content(classes=CLASSES, staff=STAFF[:5], persons=PERSONS, next_number=5_000)
    publish(folder / "directory.db", content, 1, 0)
    return (folder / "directory.db").read_bytes()


def test_the_right_token_gives_the_two_numbers_and_nothing_else(world: SyncWorld, tmp_path: Path) -> None:
    sentence(world.ask("GET", PATH, headers=RIGHT), status=404, error="not_found")
    put(world, directory(tmp_path))
    answer = world.ask("GET", PATH, headers=RIGHT)
    assert answer.json() == {"directory": 1, "pupils": [{"child": 4017, "school_number": "20260017"}]}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("headers", [{}, {"Authorization": f"Bearer {TOKEN}"}, {"Authorization": "Bearer "}])
def test_no_other_token_opens_it_and_it_opens_nothing_else(world: SyncWorld, headers: dict[str, str]) -> None:
    sentence(world.ask("GET", PATH, headers=headers), status=401, error="bad_token")
    sentence(world.ask("GET", "/api/v1/entries", headers=RIGHT), status=401, error="bad_token")


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(200)])
def test_a_directory_that_cannot_be_read_is_one_sentence(world: SyncWorld, content: bytes) -> None:
    put(world, content)
    sentence(world.ask("GET", PATH, headers=RIGHT), status=404, error="not_found")


def test_one_token_for_both_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "schools.toml"
    file.write_text('[schools.yucai]\nread_token = "same"\npupils_token = "same"\n')
    with pytest.raises(Misconfigured, match="give each its own"):
        load(file)
