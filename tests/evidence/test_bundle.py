"""One child's day as a file: it proves itself where nothing else is, and no byte of it changes unseen."""

from __future__ import annotations

import hashlib
import io
import json
import random
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core.entries import decode
from kiosk.evidence import bundle as b
from kiosk.evidence.container import read, write
from kiosk.evidence.packing import node_key
from kiosk.evidence.verifying import Checked, check
from sync_agent.keys import load_or_create
from tests.evidence.conftest import pack
from tests.support.school import School

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data(day: School) -> bytes:
    return pack(day).data


def members(data: bytes) -> dict[str, bytes]:
    return {member.name: member.content for member in read(data, b.MEMBERS)[0]}


def loaded(data: bytes, name: str) -> Any:
    return json.loads(members(data)[name])


def signed_again(day: School, changed: dict[str, bytes]) -> bytes:
    """A bundle by somebody who has the gate's own key, with its digests in order."""
    manifest = json.loads(changed[b.MANIFEST])
    for name, content in changed.items():
        if name in manifest["files"]:
            manifest["files"][name]["sha256"] = hashlib.sha256(content).hexdigest()
    changed = {**changed, b.MANIFEST: b.as_json(manifest)}
    changed[b.SIGNATURE] = (node_key(day.state).sign(b.SIGNED_AS + changed[b.MANIFEST]) + "\n").encode()
    return write(changed)


# --- what is in it ----------------------------------------------------------------------------------------


def test_a_fresh_bundle_is_whole(data: bytes) -> None:
    found = check(data)
    assert found.problems == ()
    assert found.ok and found.entries == len(members(data)[b.ENTRIES].splitlines()) > 10


def test_the_same_day_makes_the_same_bytes(day: School, data: bytes) -> None:
    assert pack(day).data == data


def test_every_entry_of_the_child_is_there_and_nobody_elses(data: bytes) -> None:
    entries = [decode(one.raw) for one in b.read_entries(members(data)[b.ENTRIES])]
    kinds = [entry.kind for entry in entries]
    assert kinds[0] == "arrived" and kinds[-1] == "released"
    between = {"roll_called", "handover_offered", "handover_accepted", "escalated", "acknowledged", "guardian_contacted"}
    assert between | {"pickup_refused", "pickup_requested"} <= set(kinds)
    assert [e.body["child"] for e in entries if e.kind in ("arrived", "released")] == [1, 1]


@pytest.mark.row("D8", "tianjin")
def test_d8_the_custody_line_runs_from_arrival_to_release_without_a_gap(data: bytes) -> None:
    custody = loaded(data, b.CUSTODY)
    assert custody["whole"] and custody["flaws"] == []
    assert list(dict.fromkeys(s["custodian"] for s in custody["segments"])) == [101, 113]
    ends = [(s["began"]["entry"], (s["ended"] or {}).get("entry")) for s in custody["segments"]]
    assert all(one[1] == other[0] for one, other in pairwise(ends))
    assert custody["segments"][-1]["ended"]["kind"] == "released"


def test_free_texts_come_with_the_salt_that_proves_them(data: bytes) -> None:
    (note,) = loaded(data, b.NOTES)
    assert note["text"] == "穿蓝色外套"
    assert hashlib.sha256(bytes.fromhex(note["salt"]) + note["text"].encode()).hexdigest() == note["digest"]


def test_the_page_names_this_family_and_masks_every_other_child(day: School, data: bytes) -> None:
    page = members(data)[b.PAGE].decode()
    for words in ("王小明", "一(1)班", "王妈妈（母亲）", "吴老师", "赵师傅", "穿蓝色外套", "未接", "从到校到离校没有间断"):
        assert words in page, words
    for pupil in day.directory.pupils.values():
        assert pupil.name in page if pupil.number == 1 else pupil.name not in page
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")


def test_pictures_that_are_kept_are_on_the_page_where_the_family_agrees(day: School) -> None:
    assert loaded(pack(day, "丁一").data, b.MANIFEST)["counts"]["pictures"] == 1
    assert b"data:image/jpeg;base64," in members(pack(day, "丁一").data)[b.PAGE]
    from tests.support.people import PUPILS, small_school

    without = small_school(pupils=tuple(_without_consent(p) if p.number == 5 else p for p in PUPILS))
    assert loaded(pack(day, "丁一", directory=without).data, b.MANIFEST)["counts"]["pictures"] == 0


def _without_consent(pupil: Any) -> Any:
    from dataclasses import replace

    return replace(pupil, consents=frozenset())


def test_what_was_in_force_is_said_and_whether_it_still_is(data: bytes) -> None:
    timetable = loaded(data, b.TIMETABLE)
    assert timetable["settings"]["same"] and timetable["people_list"]["same"]
    assert timetable["child"]["dismissal_ms"] and timetable["day"]["type"] == "teaching"
    policy = loaded(data, b.POLICY)
    assert policy["city"]["id"] == "tianjin" and policy["city"]["rules"][0]["clause"]


def test_the_whole_chain_proves_that_nothing_was_left_out(day: School) -> None:
    whole = pack(day, whole=True).data
    assert check(whole).problems == ()
    content = members(whole)
    lines = content[b.ENTRIES].splitlines(keepends=True)
    for missing in (0, 4, len(lines) - 1):
        without = {**content, b.ENTRIES: b"".join(lines[:missing] + lines[missing + 1 :])}
        found = check(signed_again(day, without))
        id_ = b.read_entries(lines[missing])[0].id
        assert not found.ok and found.problems[0].entry == id_


# --- what the verifier sees ---------------------------------------------------------------------------------


def wrong(data: bytes, at: int, by: int) -> Checked:
    return check(data[:at] + bytes([data[at] ^ by]) + data[at + 1 :])


def name_and_byte(data: bytes, at: int) -> tuple[str, int]:
    """Where a byte of the file lies, by Python's own zip module."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            start = info.header_offset + 30 + len(info.filename)
            if start <= at < start + info.file_size:
                return info.filename, at - start
    return "", at


def assert_named(data: bytes, at: int, by: int) -> None:
    found = wrong(data, at, by)
    name, byte = name_and_byte(data, at)
    assert not found.ok, at
    first = found.problems[0]
    assert first.byte == byte, (at, first)
    assert first.member.startswith(name or "the file"), (at, first)
    if name in (b.ENTRIES, b.CHAIN):
        line = members(data)[name][:byte].count(b"\n")
        assert first.line == line + 1
    if name == b.ENTRIES:
        original = b.read_entries(members(data)[name])[line]
        assert first.entry == original.id


@settings(max_examples=60, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), by=st.integers(1, 255))
def test_one_changed_byte_anywhere_is_found_and_named(data: bytes, where: float, by: int) -> None:
    assert_named(data, int(where * len(data)), by)


@pytest.mark.row("D8", "tianjin")
def test_d8_every_changed_byte_of_the_small_members_and_of_the_container_is_named(data: bytes) -> None:
    chance = random.Random(3)
    content_of = {name: content for name, content in members(data).items() if name in (b.SIGNATURE, b.NOTES)}
    places = [data.index(content) + n for content in content_of.values() for n in range(len(content))]
    inside = {data.index(content) + n for content in members(data).values() for n in range(len(content))}
    places += chance.sample(sorted(set(range(len(data))) - inside), 150)
    for at in places:
        assert_named(data, at, chance.randint(1, 255))


def test_several_changed_bytes_are_found_too(data: bytes) -> None:
    content = members(data)
    line = content[b.ENTRIES].replace(b'"child\\":1,', b'"child\\":2,', 3)
    assert line != content[b.ENTRIES]
    found = check(write({**content, b.ENTRIES: line}))
    assert not found.ok and found.problems[0].member == b.ENTRIES and found.problems[0].line


def test_a_bundle_by_another_key_is_told_apart(day: School, data: bytes, tmp_path: Path) -> None:
    content, stranger = members(data), load_or_create(tmp_path / "other.key")
    manifest = {**json.loads(content[b.MANIFEST]), "public_key": stranger.public_hex}
    forged = {**content, b.MANIFEST: b.as_json(manifest)}
    forged[b.SIGNATURE] = (stranger.sign(b.SIGNED_AS + forged[b.MANIFEST]) + "\n").encode()
    assert check(write(forged)).ok  # whole in itself: only the key tells
    ours = node_key(day.state).public_hex
    assert check(data, key=ours).ok and check(data, key=ours).key_checked
    assert "another key" in check(write(forged), key=ours).problems[0].why
    assert b.fingerprint(ours) == check(data).as_json()["bundle"]["fingerprint"]


def test_whoever_holds_the_key_still_cannot_tell_another_story(day: School, data: bytes) -> None:
    """Signed and in order, but the members contradict one another."""
    content = members(data)
    custody = json.loads(content[b.CUSTODY])
    custody["segments"][0]["custodian"] = 999
    assert check(signed_again(day, {**content, b.CUSTODY: b.as_json(custody)})).problems[0].member == b.CUSTODY
    notes = json.loads(content[b.NOTES])
    notes[0]["text"] = "穿红色外套"
    found = check(signed_again(day, {**content, b.NOTES: b.as_json(notes)})).problems[0]
    assert found.member == b.NOTES and found.entry == notes[0]["entry"]
    lines = content[b.ENTRIES].splitlines(keepends=True)
    roll = next(n for n, line in enumerate(lines) if b"present" in line)
    row = json.loads(lines[roll])
    row["raw"] = row["raw"].replace('"present"', '"late"')
    lines[roll] = (json.dumps(row, ensure_ascii=False) + "\n").encode()
    found = check(signed_again(day, {**content, b.ENTRIES: b"".join(lines)})).problems[0]
    assert (found.member, found.line) == (b.ENTRIES, roll + 1) and "hash" in found.why


@given(st.binary(max_size=300))
def test_anything_else_is_no_bundle_and_no_exception(junk: bytes) -> None:
    assert not check(junk).ok


def test_members_that_are_rubbish_are_named(day: School, data: bytes) -> None:
    for name in sorted(b.ALWAYS - {b.SIGNATURE, b.PAGE}):
        for rubbish in (b"", b"[]", b"{}", b"\xff\n", b"1 zz\n", b'{"seq":1}\n'):
            found = check(write({**members(data), name: rubbish}))
            assert not found.ok and found.as_json()["first_bad"]


def test_it_verifies_on_a_machine_that_has_only_the_bundle(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "evidence.zip").write_bytes(data)
    command = [sys.executable, "-m", "kiosk", "verify", "evidence.zip", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["ok"] and found["first_bad"] is None and found["bundle"]["school_number"] == "20260001"
    at = data.index(members(data)[b.ENTRIES]) + members(data)[b.ENTRIES].index(b"handover_accepted")
    (tmp_path / "evidence.zip").write_bytes(data[:at] + b"H" + data[at + 1 :])
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    bad = json.loads(done.stdout)["first_bad"]
    assert bad["node"] == "east" and bad["seq"] > 0 and "byte" in bad["why"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence.zip"]
