"""Templates on disk, and what is gone from it once a family takes its consent back. No engine is needed for any of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk.core import commands as c
from kiosk.core.people import Directory
from kiosk.core.rules import FaceRules
from kiosk.face.engine import EngineUnusable
from kiosk.face.enrolment import who_agrees
from kiosk.face.likeness import likeness
from kiosk.face.templates import Template, TemplateStore
from kiosk.face.withdrawal import Withdrawals
from kiosk.journal import verify
from kiosk.settings import load
from kiosk.snapshots import SnapshotStore
from tests.support.people import small_school
from tests.support.running_gate import wait_until
from tests.support.school import CONFIG, School

np = pytest.importorskip("numpy", reason="install campus-kiosk[face]")

BOTH = frozenset({"snapshot", "face_match"})
MING, HONG = 1, 2
JPEG = b"\xff\xd8\xff picture"


def a_vector(seed: int) -> Any:
    return np.random.default_rng(seed).standard_normal(128).astype(np.float32)


def agreed(number: int, *children: int) -> Directory:
    school = small_school()
    pupils = {n: replace(p, consents=BOTH if n in children else frozenset({"snapshot"})) for n, p in school.pupils.items()}
    return replace(school, number=number, pupils=pupils)


# --- on disk ---------------------------------------------------------------------------------------------


def test_a_template_comes_back_as_it_was_and_lies_encrypted(tmp_path: Path) -> None:
    store, vector = TemplateStore(tmp_path), a_vector(1)
    store.put(MING, Template("dlib", vector))
    found = TemplateStore(tmp_path).get(MING)
    assert found is not None and found.engine == "dlib" and (found.vector == vector).all()
    (path,) = (tmp_path / "faces").iterdir()
    assert vector.tobytes()[:8] not in path.read_bytes() and path.stat().st_mode & 0o077 == 0
    assert (tmp_path / "keys" / "faces.key").stat().st_mode & 0o077 == 0


def test_a_template_that_was_changed_or_exchanged_is_none(tmp_path: Path) -> None:
    store = TemplateStore(tmp_path)
    store.put(MING, Template("dlib", a_vector(1)))
    mine, other = tmp_path / "faces" / f"{MING}.bin", tmp_path / "faces" / f"{HONG}.bin"
    raw = mine.read_bytes()
    other.write_bytes(raw)  # somebody else's numbers under her name
    assert store.get(HONG) is None
    for at in (0, 5, 20, len(raw) - 1):
        mine.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        assert store.get(MING) is None
    mine.write_bytes(raw[:10])
    assert store.get(MING) is None and store.get(99) is None


def test_templates_without_their_key_are_refused_and_never_sealed_anew(tmp_path: Path) -> None:
    TemplateStore(tmp_path).put(MING, Template("dlib", a_vector(1)))
    (tmp_path / "keys" / "faces.key").unlink()
    with pytest.raises(EngineUnusable, match="restore it from a backup"):
        TemplateStore(tmp_path)


def test_a_gallery_is_compared_in_one_go() -> None:
    rows = [a_vector(n) / 12 for n in range(3)]
    scores = likeness("dlib", rows, rows[1].tobytes())
    assert scores[1] == 1000 and max(scores[0], scores[2]) < 500
    assert likeness("sface", rows, (rows[2] * 7).tobytes())[2] == 1000


# --- taken back ------------------------------------------------------------------------------------------


@pytest.fixture(name="gate")
def a_gate_with_templates(tmp_path: Path) -> Iterator[tuple[School, TemplateStore, SnapshotStore, Withdrawals]]:
    base = load(CONFIG)
    settings = replace(base, rules=replace(base.rules, face=FaceRules()))
    school = School(tmp_path, settings=settings, directory=agreed(1, MING, HONG))
    store, snapshots = TemplateStore(tmp_path), SnapshotStore(tmp_path)
    for child in (MING, HONG):
        store.put(child, Template("dlib", a_vector(child)))
        snapshots.put_photo(child, JPEG)
        for _ in range(2):
            snapshots.file(JPEG, taken_at_ms=school.ms("07:41"), person=child)
    watch = Withdrawals(controller=school.gate, snapshots=snapshots, templates=store)
    watch.start()
    yield school, store, snapshots, watch
    watch.stop()
    school.close()


def pictures(state: Path) -> int:
    return len(list((state / "snapshots").rglob("*.bin")))


def receipts(school: School) -> list[tuple[int, int, int, str]]:
    found = [e.body for e in school.entries("face_erased")]
    return [(b["child"], b["templates"], b["pictures"], b["why"]) for b in found]


def withdraw(school: School, child: int, purpose: str = "face_match") -> None:
    office = school.number("办公室")
    assert school.ask(c.RecordConsent(child=child, purpose=purpose, given=False, by=office)).decision.outcome == "granted"


def test_withdrawn_at_noon_template_and_snapshots_are_gone_with_a_receipt_and_the_chain_verifies(
    gate: tuple[School, TemplateStore, SnapshotStore, Withdrawals],
) -> None:
    school, store, snapshots, _ = gate
    school.tap("王小明", "east-in")
    school.at("12:00")
    withdraw(school, MING)
    wait_until(lambda: receipts(school), "a receipt", within_s=30)
    assert receipts(school) == [(MING, 1, 2, "withdrawn")]
    assert set(store.people()) == {HONG} and pictures(school.state) == 2
    assert snapshots.photo(MING) == JPEG, "the photo on file has a consent of its own"
    assert who_agrees(school.gate.world.directory, school.state, "2026-11-23") == {HONG}, "no template is made of her again"
    found = verify(school.state / "journal.db")
    assert found.ok


def test_no_longer_on_the_list_with_a_consent_the_template_goes_at_the_swap(
    gate: tuple[School, TemplateStore, SnapshotStore, Withdrawals],
) -> None:
    school, store, *_ = gate
    school.ask(c.AdoptDirectory(directory=agreed(2, HONG), digest="d"))
    wait_until(lambda: receipts(school), "a receipt", within_s=30)
    assert receipts(school) == [(MING, 1, 2, "no_consent")] and set(store.people()) == {HONG}


def test_a_withdrawal_of_pictures_leaves_the_template_to_its_own_consent(
    gate: tuple[School, TemplateStore, SnapshotStore, Withdrawals],
) -> None:
    school, store, *_ = gate
    withdraw(school, HONG, "snapshot")
    wait_until(lambda: receipts(school), "a receipt", within_s=30)
    assert receipts(school) == [(HONG, 0, 2, "withdrawn")] and set(store.people()) == {MING, HONG}


def test_switched_off_every_template_goes_at_the_next_start_and_no_picture(tmp_path: Path) -> None:
    store, snapshots = TemplateStore(tmp_path), SnapshotStore(tmp_path)
    store.put(MING, Template("dlib", a_vector(1)))
    snapshots.file(JPEG, taken_at_ms=1, person=MING)
    school = School(tmp_path, directory=agreed(1, MING))
    watch = Withdrawals(controller=school.gate, snapshots=snapshots, templates=store)
    watch.look()
    wait_until(lambda: receipts(school), "a receipt", within_s=30)
    assert receipts(school) == [(MING, 1, 0, "switched_off")]
    assert not list(store.people()) and pictures(tmp_path) == 1
    school.close()


def test_what_could_not_be_erased_is_erased_in_the_next_round(tmp_path: Path) -> None:
    """The power goes between the withdrawal and the erasing: the next start finds it by what lies on disk."""
    store, snapshots = TemplateStore(tmp_path), SnapshotStore(tmp_path)
    base = load(CONFIG)
    settings = replace(base, rules=replace(base.rules, face=FaceRules()))
    school = School(tmp_path, settings=settings, directory=agreed(1, MING))
    store.put(MING, Template("dlib", a_vector(1)))
    snapshots.file(JPEG, taken_at_ms=1, person=MING)
    withdraw(school, MING)
    school.restart()
    Withdrawals(controller=school.gate, snapshots=snapshots, templates=store).look()
    wait_until(lambda: receipts(school), "a receipt", within_s=30)
    assert receipts(school) == [(MING, 1, 1, "withdrawn")] and not list(store.people()) and pictures(tmp_path) == 0
    school.close()
