"""What is written as whole files or folders, to be recorded and cut: directory, copies and their way back, pictures, keys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import kiosk.backup
import kiosk.directory
from kiosk import composition, durable_files, pass_keys, sun_keys
from kiosk.backup import back_up, check, copies, last_backup, restore
from kiosk.core.entries import EntryId
from kiosk.credentials import PepperUnreadable, load_pepper
from kiosk.directory import Content, DirectoryMissing, install, publish, read_content, snapshot_info
from kiosk.journal import FILE_NAME, Journal, JournalDamaged, verify
from kiosk.notices.facts import Told
from kiosk.notices.outbox import Outbox, TargetRecord
from kiosk.snapshots import SnapshotStore
from sync_agent.agent_state import AgentState
from tests.support import people
from tests.support.crash_images import Mark, State, Work
from tests.support.crash_works_gate import Writer
from tests.support.crash_works_sync import tables_of
from tests.support.journals import MONDAY_MS

KEPT = 2
DAY_MS = 86_400_000
JPEG = b"\xff\xd8\xff" + bytes(5_000)


def _quietly(*names: str) -> None:
    """A mark that nobody waits for."""


# ---- directory ------------------------------------------------------------------------------------------


def _content(pupils: int) -> Content:
    return Content(classes=people.CLASSES, pupils=people.PUPILS[:pupils], staff=people.STAFF, next_number=1_000 + pupils)


def _directory(folder: Path, mark: Mark) -> None:
    """An import, a second one, and a snapshot of the school server."""
    path = folder / "directory.db"
    for number in (1, 2):
        publish(path, _content(number * 3), number, MONDAY_MS)
        mark()
    publish(folder / "elsewhere", _content(9), 3, MONDAY_MS)
    mark()
    install(path, (folder / "elsewhere").read_bytes())
    mark()


def _directory_left(folder: Path) -> State:
    path, found = folder / "directory.db", dict[str, object]()
    for place in (path, folder / "elsewhere"):
        try:
            content, info = read_content(place)
        except DirectoryMissing:
            continue
        found |= {f"{place.name} number": info.number, place.name: repr(content)}
    publish(path, _content(1), 99, MONDAY_MS)  # whatever was left behind is in nobody's way
    assert snapshot_info(path).number == 99
    return found


# ---- copies ---------------------------------------------------------------------------------------------


def _gate(folder: Path) -> None:
    state = folder / "state"
    writer = Writer(state, _quietly, "first")
    writer.seen(20)
    writer.journal.close()
    AgentState(state / "agent.db").close()
    load_pepper(state / "keys" / "pepper", create=True)
    pass_keys.open_signer(state, "south")
    pictures = SnapshotStore(state)
    for n in range(3):
        pictures.file(JPEG, taken_at_ms=MONDAY_MS + n * DAY_MS)
    publish(state / "directory.db", _content(3), 1, MONDAY_MS)


def _backup(folder: Path, mark: Mark) -> None:
    """More nights than copies are kept."""
    state = folder / "state"
    for night in range(KEPT + 2):
        back_up(state, folder / "copies", now_ms=MONDAY_MS + night * DAY_MS, keep=KEPT)
        mark()
        writer = Writer(state, lambda *names: mark(), f"night {night}")
        writer.seen(2)
        writer.journal.close()


def _backup_left(folder: Path) -> State:
    """What stands there as a copy is one. An older one may be there still: the next night takes it away."""
    there = {path.name: check(path).entries for path in copies(folder / "copies")}
    state = folder / "state"
    last = last_backup(state)
    assert last is None or Path(last.copy).name in there or min(there, default="") > Path(last.copy).name
    verified = verify(state / FILE_NAME)
    assert verified.ok, verified.first_bad
    made = back_up(state, folder / "copies", now_ms=MONDAY_MS + 99 * DAY_MS, keep=KEPT)
    assert made.entries == verified.entries
    left = sorted(path.name for path in (folder / "copies").iterdir())
    assert left == sorted([*there, made.copy.name])[-KEPT:], left
    return {"entries": verified.entries, "copies": sorted(there.items())[-KEPT:]}


def _copied(folder: Path) -> None:
    _gate(folder)
    back_up(folder / "state", folder / "copies", now_ms=MONDAY_MS)


def _restore(folder: Path, mark: Mark) -> None:
    restore(copies(folder / "copies")[0], folder / "new" / "state")
    mark("restored")


def _restored(folder: Path) -> State:
    """Whole, or no gate starts and the same command goes on."""
    copy, state = copies(folder / "copies")[0], folder / "new" / "state"
    begun = state.exists() and any(state.iterdir())
    whole = (state / FILE_NAME).exists()
    if not whole:
        if begun:
            with pytest.raises(JournalDamaged, match="restore"):
                Journal(state, node="south", incarnation="afterwards")
        restore(copy, state)
    manifest = check(copy)
    for name, listed in manifest.files.items():
        assert kiosk.backup.digest_of_file(state / name) == listed, name
    writer = Writer(state, _quietly, "afterwards")
    writer.journal.close()
    assert verify(state / FILE_NAME).entries == manifest.entries + 1
    return {"restored": manifest.entries} if whole else {}


# ---- pictures, keys, notices ----------------------------------------------------------------------------


def _pictures(folder: Path, mark: Mark) -> None:
    store = SnapshotStore(folder / "state")
    mark()
    names = []
    for n in range(3):
        names.append(store.file(JPEG + bytes([n]), taken_at_ms=MONDAY_MS + n * DAY_MS, person=n).id)
        mark()
    for n in (1, 2, 1):
        store.put_photo(n, JPEG + os.urandom(9))
        mark()
    for name in names:
        assert store.erase(name)
        mark()
    assert store.erase_photo(2)
    mark()


def _pictures_left(folder: Path) -> State:
    store = SnapshotStore(folder / "state")
    found: dict[str, object] = {path.stem: store.read(path.stem) for path in store._snapshot_files()}
    found |= {f"photo {person}": store.photo(person) for person in store.people_with_photos()}
    store.file(JPEG, taken_at_ms=MONDAY_MS)
    return found


def _secrets(folder: Path, mark: Mark) -> None:
    state = folder / "state"
    load_pepper(state / "keys" / "pepper", create=True)
    mark("pepper")
    pass_keys.open_signer(state, "south")
    mark("passes")
    sun_keys.make_key(state)
    mark("cards")
    for points in (["east-in-1"], ["east-out-1"], []):
        composition.new_device_key(state, points)
        mark()


def _secrets_left(folder: Path) -> State:
    """A key that is there can be used; one that was never said to be made may be missing, and is made."""
    state, found = folder / "state", dict[str, object]()
    try:
        found["pepper"] = load_pepper(state / "keys" / "pepper")
    except PepperUnreadable:
        assert not (state / "keys" / "pepper").exists()
    issuers = pass_keys.load_issuers(state)
    if issuers:
        found["passes"] = issuers["south"]
    pass_keys.open_signer(state, "south")
    load_pepper(state / "keys" / "pepper", create=True)
    if cards := sun_keys.load_keys(state):
        found["cards"] = cards.meta
    found["devices"] = composition.load_device_keys(state)
    return found


def _notices(folder: Path, mark: Mark) -> None:
    outbox, target = Outbox(folder / "notices.db"), "group"
    for n in range(1, 8):
        entry = EntryId("south", "i1", n)
        outbox.add([(target, Told(entry, "released", {"child": n}, MONDAY_MS + n))], now_ms=MONDAY_MS, seen=entry)
        mark()
        outbox.try_now(target, [entry], now_ms=MONDAY_MS + n)
        mark()
        if n % 3:
            outbox.accepted(target, [entry], TargetRecord(last_sent_ms=MONDAY_MS + n), now_ms=MONDAY_MS + n)
        else:
            outbox.not_accepted(target, [entry], TargetRecord(failures=1, error="busy"), twice=True)
        mark()
    outbox.forget_targets([], now_ms=MONDAY_MS)
    mark()
    outbox.prune(now_ms=MONDAY_MS + 30 * DAY_MS)
    mark()
    outbox.close()


def _notices_left(folder: Path) -> State:
    Outbox(folder / "notices.db").close()
    return tables_of(folder / "notices.db")


# ---- mistakes -------------------------------------------------------------------------------------------


def _directory_not_synced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kiosk.directory, "_fsync", lambda path: None)


def _copy_not_synced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kiosk.backup, "_fsync", lambda path: None)


def _copies_taken_apart_in_place(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kiosk.backup, "_remove", kiosk.backup.shutil.rmtree)


def _folders_not_synced(patch: pytest.MonkeyPatch) -> None:
    for module in (kiosk.backup, durable_files):
        patch.setattr(module, "fsync_folder", lambda folder: None)


def _written_in_place(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(composition, "write_whole", lambda path, content: path.write_bytes(content))


WORKS = (
    Work(name="directory-swap", run=_directory, reopen=_directory_left, planted={"not-synced": _directory_not_synced}),
    Work(
        name="backup", prepare=_gate, run=_backup, reopen=_backup_left,
        planted={"not-synced": _copy_not_synced, "taken-apart-in-place": _copies_taken_apart_in_place},
    ),
    Work(name="restore", prepare=_copied, run=_restore, reopen=_restored, planted={"folders-not-synced": _folders_not_synced}),
    Work(name="pictures", run=_pictures, reopen=_pictures_left),
    Work(name="secrets", run=_secrets, reopen=_secrets_left, planted={"written-in-place": _written_in_place}),
    Work(name="notices", run=_notices, reopen=_notices_left),
)  # fmt: skip
