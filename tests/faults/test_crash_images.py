"""What a power cut leaves, by the thousand: every kind of transaction is recorded at its disk and cut at every step.

The recorded disk is cut short after a step: what was synced is there, of the rest any part, torn and out of order. APSW and
the product open what is left. CI looks at a few hundred images; KIOSK_FAULTS=full at more than ten thousand.
test_power_cut.py cuts a real file system instead, at fewer moments.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import disk_shim
from tests.support.crash_images import Corrupt, Lost, Recording, record
from tests.support.crash_works import WORKS

FULL = os.environ.get("KIOSK_FAULTS") == "full"
IMAGES = 600 if FULL else 12  # of each kind
SEED = int(os.environ.get("KIOSK_FAULTS_SEED", "20261129"))
MISTAKES = [f"{name}+{planted}" for name, work in WORKS.items() for planted in work.planted]
FEW = ("journal-append+", "school-server-migrations+", "directory-swap+")  # in every run; the others are as many seconds again
MISTAKES = [one for one in MISTAKES if FULL or one.startswith(FEW)]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if reason := disk_shim.why_not():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("recorded")
    record(folder, [*WORKS, *MISTAKES])
    return folder


@pytest.mark.timeout(1800 if FULL else 300)
@pytest.mark.parametrize("name", WORKS)
def test_what_a_power_cut_leaves_is_sound_and_has_what_was_acknowledged(recorded: Path, tmp_path: Path, name: str) -> None:
    tried = Recording(WORKS[name], recorded / name, tmp_path).try_images(IMAGES, SEED)
    print(f"{name}: seed {SEED}, {tried}")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_seen(recorded: Path, tmp_path: Path, mistake: str) -> None:
    """The check of the check."""
    with pytest.raises((Lost, Corrupt)) as seen:
        Recording(WORKS[mistake.partition("+")[0]], recorded / mistake, tmp_path).try_images(400, SEED)
    print(f"{mistake}: {seen.value}")
