"""tests/golden/sync-v1 is what the product says and takes, to the byte, and leaves out no verdict and no refusal."""

from __future__ import annotations

import json

from sync_agent import protocol
from sync_agent.protocol import Code, Verdict
from tests.support import golden
from tests.support.sync_world import SyncWorld

NOT_TO_BE_ASKED_FOR = {Code.FAILED}  # a mistake of the server's; every mistake that is known is mended


def test_the_product_makes_exactly_these_messages() -> None:
    kept = {path.name: path.read_text("utf-8") for path in golden.FOLDER.glob("*.json")}
    assert kept == golden.files(), "the protocol has changed: if it was meant, run python -m tests.support.golden and look at it"


def test_a_new_server_takes_the_files_and_answers_as_they_say(world: SyncWorld) -> None:
    kept = golden.read()
    for (asked, expected), found in zip(kept, golden.played(world, [asked for asked, _ in kept]), strict=True):
        assert found == expected, asked.name


def test_every_verdict_every_refusal_and_every_route_has_a_file() -> None:
    answers = [(asked, status, json.loads(body or "null")) for asked, (status, _, body) in golden.read() if body.startswith("{")]
    verdicts = {one["verdict"] for _, _, body in answers for one in body.get("verdicts", [])}
    assert verdicts == set(Verdict)
    assert {body["error"] for _, _, body in answers if "error" in body} == set(Code) - NOT_TO_BE_ASKED_FOR
    paths = {asked.target.partition("?")[0] for asked, _ in golden.read()}
    assert {protocol.ENTRIES_PATH, protocol.DIRECTORY_PATH, protocol.ENROL_PATH, protocol.STATUS_PATH} <= paths
    assert {protocol.KEY_PATH, protocol.HEADS_PATH} <= paths


def test_versions_n_minus_2_to_n_are_taken_and_no_others() -> None:
    status = {}
    for asked, (answer, _, _) in golden.read():
        if asked.target == protocol.ENTRIES_PATH and asked.name in ("entries-stored", "version-too-old", "version-too-new"):
            status[int(asked.headers[protocol.HEADER_VERSION])] = answer
    assert status == {protocol.OLDEST_VERSION - 1: 400, protocol.VERSION: 200, protocol.VERSION + 1: 400}
