"""A whole gate with a camera and the engine from packages: a word after the tap, a claim that stands, a withdrawal at noon.

The camera sees the drawn face of the self-test, which is nobody, so that this runs without any photograph.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers.simulated.camera import SimulatedCamera
from drivers.simulated.serial_readers import SimulatedSerialReader
from kiosk.__main__ import main
from kiosk.directory import publish, read_content
from kiosk.face.templates import Template, TemplateStore
from kiosk.settings import shared_data_dir
from kiosk.snapshots import SnapshotStore
from tests.support import fault_school
from tests.support.journal_facts import check_fold, check_verified, read_journal
from tests.support.plain_http import http_client
from tests.support.running_gate import RunningGate, VirtualDay, Wire, press, wait_until

MINE, SOMEBODY_ELSES, WITHOUT_A_CARD, NOT_AGREED = 1, 2, 3, 4
pytestmark = pytest.mark.timeout(600)  # it waits for a camera again and again on a busy machine
BOTH = frozenset({"snapshot", "face_match"})


def agree(state: Path, number: int, *children: int) -> None:
    """A newer list of people, on which exactly these families agree."""
    content, _ = read_content(state / "directory.db")
    pupils = tuple(replace(p, consents=BOTH if p.number in children else frozenset()) for p in content.pupils)
    publish(state / "directory.db", replace(content, pupils=pupils), number, fault_school.MONDAY_MS)


def facts(state: Path, kind: str) -> list[dict[str, Any]]:
    return [one.entry.body for one in read_journal(state) if one.entry.kind == kind]


def pictures(state: Path) -> set[str]:
    return {path.stem for path in (state / "snapshots").rglob("*.bin")}


@pytest.fixture(name="camera")
def a_camera(drawing: bytes) -> Iterator[SimulatedCamera]:
    pytest.importorskip("dlib", reason="install campus-kiosk[face]")
    with SimulatedCamera(width_px=640, height_px=480) as camera:
        camera.show_picture(drawing)
        yield camera


@pytest.fixture(name="reader")
def a_reader(tmp_path: Path) -> Iterator[SimulatedSerialReader]:
    with SimulatedSerialReader("stxlrc", link=tmp_path / "reader") as reader:
        yield reader


@pytest.fixture(name="gate")
def a_gate_that_compares(
    tmp_path: Path, camera: SimulatedCamera, reader: SimulatedSerialReader, drawing: bytes, capsys: pytest.CaptureFixture[str]
) -> Iterator[RunningGate]:
    state = tmp_path / "gate" / "state"
    fault_school.write(state, pupils=NOT_AGREED)
    agree(state, 2, MINE, SOMEBODY_ELSES, WITHOUT_A_CARD)
    for child in range(1, NOT_AGREED + 1):
        SnapshotStore(state).put_photo(child, drawing)
    gate = RunningGate(
        tmp_path / "gate",
        day=VirtualDay("2026-11-23T11:55:00+08:00"),
        wires=(Wire(name="cam", url=camera.url), Wire(name="reader", url=reader.url, access_point="east-in-1")),
        state=state,
    )
    with gate.site.open("a") as site:
        site.write('\n[access.east-in-1]\ncamera = "cam"\n[access.east-in-2]\ncamera = "cam"\n')
        site.write("\n[face]\non = true\ncandidates = true\n")
    config = str(shared_data_dir("sample_school"))
    assert main(["face", "enrol", "--config", config, "--site", str(gate.site), "--state", str(state), "--json"]) == 0
    enrolled = json.loads(capsys.readouterr().out)
    assert (enrolled["made"], enrolled["without_consent"], enrolled["refused"]) == (3, 1, {})
    store = TemplateStore(state)
    drawn = store.get(MINE)
    assert drawn is not None
    store.put(SOMEBODY_ELSES, Template("dlib", -drawn.vector))  # a face that the camera will not see
    gate.start().ready()
    yield gate
    gate.close()


def test_a_word_after_the_tap_a_claim_that_stands_and_a_withdrawal_at_noon(
    gate: RunningGate, reader: SimulatedSerialReader
) -> None:
    state = gate.state
    # --- a tap is answered; the word comes afterwards
    said = tapped(reader, state, MINE)
    assert (said["verdict"], said["engine"]) == ("clear_match", "dlib")
    assert said["of"] in {str(one.entry.id) for one in read_journal(state)}
    differs = tapped(reader, state, SOMEBODY_ELSES)
    assert (differs["verdict"], differs["queue"], differs["reason"]) == ("mismatch", "face", "face_differs")
    assert {f["child"] for f in facts(state, "arrived")} == {MINE, SOMEBODY_ELSES}, "nobody was held up"
    reader.tap(fault_school.uid_of(NOT_AGREED))
    wait_until(lambda: NOT_AGREED in {f["child"] for f in facts(state, "arrived")}, "the third arrival")

    # --- a card that nobody knows: who is expected here and agreed is shown to the guard, and nothing else happens
    few = strange(reader, state)
    assert (few["verdict"], few["person"], [child for child, _ in few["found"]]) == ("candidates", 0, [WITHOUT_A_CARD])
    assert WITHOUT_A_CARD not in {f["child"] for f in facts(state, "arrived")}

    # --- without a card: class and seat, and a face that fits
    home = read_content(state / "directory.db")[0].pupils[WITHOUT_A_CARD - 1]
    by_face = claimed(gate, {"access_point": "east-in-2", "class_id": home.class_id, "seat": home.seat})
    assert by_face["scheme"] == "face"
    assert NOT_AGREED not in {f["person"] for f in facts(state, "face_compared")}, "nobody looked at a face without consent"

    # --- noon: one family withdraws at the office, another is no longer on the list with its consent
    mine, theirs = filed(state, MINE), filed(state, SOMEBODY_ELSES)
    assert mine and theirs, "a picture is filed before anybody says a word about it"
    with gate.signed_in("O001") as office:
        answer = press(office, "consent", child=MINE, purpose="face_match", given=False)
        assert answer["outcome"] == "granted", answer
    receipt = wait_until(lambda: [f for f in facts(state, "face_erased") if f["child"] == MINE], "a receipt")[0]
    assert (receipt["templates"], receipt["why"]) == (1, "withdrawn") and receipt["pictures"] >= len(mine)
    assert MINE not in set(TemplateStore(state).people()) and not filed(state, MINE)
    agree(state, 3, MINE, WITHOUT_A_CARD)
    wait_until(lambda: [f for f in facts(state, "face_erased") if f["child"] == SOMEBODY_ELSES], "a second receipt")
    assert set(TemplateStore(state).people()) == {WITHOUT_A_CARD} and not filed(state, SOMEBODY_ELSES)

    # --- and from now on no word about either, though both taps count as ever
    before = seen(state, MINE)
    counts_as_ever(reader, state, before)
    assert gate.stop() == 0
    later = seen(state, MINE) - before
    assert later and not later & {f["of"] for f in facts(state, "face_compared")}
    assert check_verified(state) > 0
    check_fold(read_journal(state), seed=4)
    no_numbers_outside_their_file(state)


def tapped(reader: SimulatedSerialReader, state: Path, child: int) -> dict[str, Any]:
    """Taps until there is a word: the first tap may come before the camera has its first picture."""
    for _ in range(10):
        reader.tap(fault_school.uid_of(child))
        with suppress(AssertionError):
            found: dict[str, Any] = wait_until(lambda: compared(state, child), "a word", within_s=12.0)
            return found
    raise AssertionError(f"no word about {child}")


def strange(reader: SimulatedSerialReader, state: Path) -> dict[str, Any]:
    for number in range(10):
        reader.tap(f"DEADBE{number:02X}")
        with suppress(AssertionError):
            found: dict[str, Any] = wait_until(lambda: compared(state, 0), "candidates", within_s=12.0)
            return found
    raise AssertionError("no candidates")


def claimed(gate: RunningGate, claim: dict[str, Any]) -> dict[str, Any]:
    """Class and seat until the arrival stands: without a picture of the moment only the guard is asked."""

    def stands() -> list[dict[str, Any]]:
        return [f for f in facts(gate.state, "arrived") if f["child"] == WITHOUT_A_CARD]

    for _ in range(10):
        with http_client(gate.url, timeout=30) as screen:
            told = screen.post("/act/seat_claim", json=claim).json()
        assert told["outcome"] == "ask_guard" or stands(), told
        with suppress(AssertionError):
            found: list[dict[str, Any]] = wait_until(stands, "it stands", within_s=15.0)
            return found[0]
    raise AssertionError("the claim never stood")


def filed(state: Path, child: int) -> set[str]:
    """The pictures that the journal names for a child's taps; a camera on a busy machine may miss one of several."""
    taps = [*facts(state, "arrived"), *facts(state, "seen")]
    return {f["snapshot"] for f in taps if f["child"] == child and "snapshot" in f} & pictures(state)


def counts_as_ever(reader: SimulatedSerialReader, state: Path, before: set[str]) -> None:
    """A tap within five seconds of the last one is the same tap: then it is tried again."""
    for _ in range(5):
        reader.tap(fault_school.uid_of(MINE))
        with suppress(AssertionError):
            wait_until(lambda: seen(state, MINE) > before, "the card", within_s=6.0)
            return
    raise AssertionError("the card does not count any more")


def seen(state: Path, child: int) -> set[str]:
    """The numbers of the entries that say so."""
    found = (one.entry for one in read_journal(state) if one.entry.kind == "seen")
    return {str(entry.id) for entry in found if entry.body["child"] == child}


def compared(state: Path, child: int) -> dict[str, Any] | None:
    words = (f for f in facts(state, "face_compared") if f["person"] == child)
    return next((f for f in words if f["verdict"] != "no_picture"), None)  # a busy machine may miss the moment


def no_numbers_outside_their_file(state: Path) -> None:
    """The template in the clear is in no file of the state folder, not even in its own."""
    template = TemplateStore(state).get(WITHOUT_A_CARD)
    assert template is not None
    telling = template.vector.astype("<f4").tobytes()[:16]
    assert [path for path in state.rglob("*") if path.is_file() and telling in path.read_bytes()] == []
