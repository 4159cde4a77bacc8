"""`kiosk simulate-device` as a person at a desk uses it: a process, its stdin, its pipe, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from drivers.protocols import Reader
from drivers.registry import load
from drivers.simulated.bench_rack import KINDS

SOON_S = 30.0
COMMAND = [sys.executable, "-m", "kiosk", "simulate-device"]


@contextmanager
def simulated(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments), "--json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def type_in(process: subprocess.Popen[str], line: str) -> str:
    """What the device answers to one typed line."""
    assert process.stdin is not None and process.stderr is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return process.stderr.readline().strip()


def values(reader: Reader) -> list[str]:
    give_up_s = time.monotonic() + SOON_S
    while time.monotonic() < give_up_s:
        if reads := reader.poll(0.2):
            return [read.value for read in reads]
    return []


def test_a_desk_taps_by_hand_and_by_pipe_until_ctrl_c(tmp_path: Path) -> None:
    with simulated("rdm6300", "--folder", tmp_path / "desk") as (process, document):
        (device,) = document["devices"]
        assert device["url"] == f"rdm6300:{tmp_path}/desk/dev/rdm6300" and device["driver"] == "rdm6300"
        assert "silence on|off" in device["verbs"] and document["left_out"] == {} and document["site"] is None
        reader = load(device["url"], "desk")
        assert isinstance(reader, Reader)
        with closing(reader):
            reader.open()
            assert type_in(process, "tap 62E3086CED") == "done"
            assert values(reader) == ["62E3086CED"]
            Path(device["pipe"]).write_text("tap 01000734E0\n")
            assert values(reader) == ["01000734E0"]
            assert "neither on nor off" in type_in(process, "silence please")
        process.send_signal(signal.SIGINT)
        assert process.wait(SOON_S) == 0
        assert not os.path.lexists(tmp_path / "desk" / "dev" / "rdm6300") and not Path(device["pipe"]).exists()


def test_it_runs_on_when_nobody_types_and_leaves_no_folder_behind() -> None:
    with simulated("lcus") as (process, document):
        (device,) = document["devices"]
        assert process.stdin is not None
        process.stdin.close()
        link = Path(device["url"].removeprefix("lcus:").partition("?")[0])
        Path(device["pipe"]).write_text("unplug\n")
        give_up_s = time.monotonic() + SOON_S
        while os.path.lexists(link) and time.monotonic() < give_up_s:
            time.sleep(0.02)
        assert not os.path.lexists(link) and process.poll() is None
        process.terminate()
        assert process.wait(SOON_S) == 0
        assert not link.parent.parent.exists()


def test_without_a_kind_it_lists_them_and_an_unknown_one_is_refused_with_the_list() -> None:
    listed = subprocess.run([*COMMAND, "--json"], capture_output=True, text=True, timeout=60, check=True)
    assert [row["kind"] for row in json.loads(listed.stdout)["kinds"]] == list(KINDS)
    refused = subprocess.run([*COMMAND, "teapot"], capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2 and "write one of pn532" in refused.stderr


def test_what_it_prints_for_a_person_can_be_pasted_into_site_toml() -> None:
    process = subprocess.Popen(
        [*COMMAND, "rdm6300"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.terminate()
    (device,) = tomllib.loads("".join(lines))["device"]
    assert device["name"] == "rdm6300" and device["url"].startswith("rdm6300:/")
