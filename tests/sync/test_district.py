"""Several schools in one server: each enrols, sends, reads and looks for itself, and sees nothing of the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync_agent import protocol
from sync_agent.errors import Misconfigured
from sync_agent.school_server.settings_file import load
from tests.support.journals import GateJournal
from tests.support.keeping import Keep
from tests.support.plain_http import http_client
from tests.support.sync_processes import HURRY, Process, run_command, wait_until

FILE = """
read_token = "district"
[schools.yucai]
code = "seven"
office = ["south"]
read_token = "of-yucai"
[schools.lixin]
read_token = "of-lixin"
[schools.lixin.node_codes]
south = "only-south"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "schools.toml"
    path.write_text(FILE)
    return path


@pytest.fixture
def district(keep: Keep, file: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    """The command as it ships, over each kind of store; the store is named by the file."""
    if keep.address:
        file.write_text(f'store = "{keep.address}"\n' + FILE)
    server = Process(["serve", "--state", str(tmp_path / "server"), "--port", "0", "--schools", str(file)], tmp_path / "log.txt")
    assert server.popen.stdout is not None
    url = server.popen.stdout.readline().decode().strip()
    assert url.startswith("http://"), (tmp_path / "log.txt").read_text()
    with http_client(url) as client:
        wait_until(lambda: answers(client), "the server answers")
        yield client
    server.end()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").is_success
    except httpx.HTTPError:
        return False


def read(client: httpx.Client, school: str, token: str) -> httpx.Response:
    return client.get(f"/api/v1/entries?school={school}", headers={"Authorization": f"Bearer {token}"})


def test_gates_of_the_same_name_in_two_schools_never_meet(district: httpx.Client, tmp_path: Path) -> None:
    gates = {school: GateJournal(tmp_path / school, "south") for school in ("yucai", "lixin")}
    codes = {"yucai": "seven", "lixin": "only-south"}
    url, agents = str(district.base_url), []
    for school, gate in gates.items():
        arguments = ["run", "--state", str(gate.folder), "--server", url, "--school", school, "--code", codes[school], *HURRY]
        agents.append(Process(arguments, tmp_path / f"{school}.log"))
    try:
        gates["yucai"].write(3)
        gates["lixin"].write(5)
        for school, gate in gates.items():
            wait_until(lambda s=school, g=gate: stored(district, s) == len(g.everything()), f"{school} is stored")
    finally:
        for agent in agents:
            agent.end()
    for school, gate in gates.items():
        found = read(district, school, f"of-{school}").json()["entries"]
        assert {(one["incarnation"], one["seq"]) for one in found} == set(gate.everything())
        assert read(district, school, "district").json()["entries"] == found
    assert read(district, "yucai", "of-lixin").status_code == read(district, "lixin", "of-yucai").status_code == 401
    page = district.get("/").text
    assert "/?school=yucai" in page and "/?school=lixin" in page and ">4<" in page and ">6<" in page
    assert "yucai" not in district.get("/?school=lixin").text
    for gate in gates.values():
        gate.close()


def stored(client: httpx.Client, school: str) -> int:
    return int(client.get(f"/sync/v1/status?school={school}").json()["entries"])


def test_guessing_at_one_schools_code_shuts_no_other_door(district: httpx.Client) -> None:
    def enrol(school: str, code: str) -> int:
        headers = {protocol.HEADER_VERSION: "1", protocol.HEADER_SCHOOL: school}
        wish: dict[str, Any] = {"node": "south", "public_key": "ab" * 32, "code": code}
        return district.post(protocol.ENROL_PATH, json=wish, headers=headers).status_code

    assert [enrol("yucai", "guess") for _ in range(11)] == [403] * 10 + [429]
    assert enrol("lixin", "only-south") == 200


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "missing required field `schools`"),
        ("[schools]", "names no school"),
        ("[schools.yucai]\noffce = []", "unknown field `offce`"),
        ('[schools."a b"]', "'a b' cannot be a name"),
        ("[schools.yucai]\noffice = ['Süd']", "cannot be a name"),
        ("[schools.yucai]\ncode = 7", "Expected `str`"),
        ("schools = [", "is not TOML"),
        ("[schools.a]\nread_token = 'same'\n[schools.b]\nread_token = 'same'", "b and a have the same read_token"),
        ("read_token = 'same'\n[schools.a]\nread_token = 'same'", "a and the district have the same read_token"),
    ],
)
def test_a_wrong_file_is_one_sentence(file: Path, text: str, words: str) -> None:
    file.write_text(text)
    with pytest.raises(Misconfigured) as error:
        load(file)
    assert words in str(error.value) and "\n" not in str(error.value) and "same'" not in str(error.value)


def test_one_school_or_a_file_of_them_and_not_both(file: Path, tmp_path: Path) -> None:
    for more in (["--school", "yucai"], ["--code", "c"]):
        done = run_command("serve", "--state", str(tmp_path), "--schools", str(file), *more)
        assert done.returncode == 2 and done.stderr.startswith("sync-agent: --schools stands instead of")
    done = run_command("serve", "--state", str(tmp_path), "--schools", str(tmp_path / "none.toml"))
    assert done.returncode == 2 and "none.toml cannot be read (No such file" in done.stderr
