"""An explicit table, and a door for the drivers of others."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.errors import Misconfigured
from drivers.protocols import Reader, Relay
from drivers.registry import BUILT_IN, discover_all, driver_class, load, schemes
from drivers.relay_board import LcusRelay

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("scheme", BUILT_IN)
def test_every_scheme_of_the_table_has_a_class_that_claims_it(scheme: str) -> None:
    assert scheme in driver_class(scheme).schemes


def test_loading_gives_a_driver_that_is_not_open_yet() -> None:
    driver = load("lcus:/dev/serial/by-id/nothing-here?channels=2", "door")
    assert isinstance(driver, LcusRelay)
    assert isinstance(driver, Relay)
    assert (driver.name, driver.channels) == ("door", (1, 2))


def test_discovery_opens_nothing_and_offers_urls_that_can_be_loaded() -> None:
    for url in discover_all():
        load(url, "candidate")


@pytest.mark.parametrize("library", ["cv2", "numpy", "nfc", "usb1"])
def test_a_heavy_library_is_loaded_only_when_its_device_is_opened(library: str) -> None:
    program = (
        "import sys; from drivers.registry import driver_class, BUILT_IN; import drivers.supervisor\n"
        "[driver_class(scheme) for scheme in BUILT_IN]\n"
        f"sys.exit({library!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False).returncode == 0


@pytest.fixture(name="installed")
def an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A third party's package, as pip leaves it on the path."""
    (tmp_path / "gate_palm.py").write_text(
        "from drivers.protocols import Info, Reader\n"
        "class PalmReader(Reader):\n"
        "    schemes = ('palm',)\n"
        "    def open(self): return Info(model='palm')\n"
        "    def close(self): pass\n"
        "    def poll(self, timeout_s): return []\n"
        "    @classmethod\n"
        "    def discover(cls): return ['palm:here']\n"
        "not_a_driver = 5\n"
    )
    info = tmp_path / "gate_palm-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gate-palm\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[campus_kiosk.drivers]\n"
        "palm = gate_palm:PalmReader\n"
        "broken = no_such_module_anywhere:Driver\n"
        "odd = gate_palm:not_a_driver\n"
        "nfc = gate_palm:PalmReader\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "palm:here"
    sys.modules.pop("gate_palm", None)


def test_a_third_partys_driver_is_loaded_by_its_entry_point(installed: str) -> None:
    driver = load(installed, "hand")
    assert isinstance(driver, Reader)
    assert driver.open().model == "palm"
    assert "palm" in schemes()
    assert "palm:here" in discover_all()


def test_a_third_party_cannot_take_a_scheme_of_the_table(installed: str) -> None:
    assert driver_class("nfc").__name__ == "NfcReader"


@pytest.mark.parametrize(("scheme", "reason"), [("broken", "does not load"), ("odd", "is no drivers.protocols.Driver")])
def test_a_third_partys_broken_driver_is_named(installed: str, scheme: str, reason: str) -> None:
    with pytest.raises(Misconfigured, match=reason):
        load(f"{scheme}:x", "hand")


class TestQuality:
    quality = tomllib.loads((ROOT / "drivers" / "QUALITY.toml").read_text(encoding="utf-8"))

    def test_it_names_every_driver_of_the_table_and_no_other(self) -> None:
        assert set(self.quality["drivers"]) == set(BUILT_IN)

    @pytest.mark.parametrize("scheme", BUILT_IN)
    def test_every_driver_answers_every_rule_with_a_reason_where_it_does_not_keep_it(self, scheme: str) -> None:
        answers = self.quality["drivers"][scheme]
        assert set(answers) == set(self.quality["rules"])
        for rule, answer in answers.items():
            state, _, reason = answer.partition(": ")
            assert state in ("done", "todo", "exempt"), (rule, answer)
            assert (state == "done") == (reason == ""), (rule, answer)
