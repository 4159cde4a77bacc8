"""Gate and school server over TLS, with the campus certificate that the manual says how to make."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.sync_processes import CODE, TOKEN, WAIT_S, Campus, Process, run_command, wait_until

MANUAL = Path(__file__).parents[2] / "docs" / "operating.md"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl: apt-get install openssl")


def certificates(folder: Path, names: str) -> Path:
    """Runs the manual's two commands in a folder; names: in place of those of its sample server."""
    folder.mkdir()
    section = MANUAL.read_text(encoding="utf-8").split("### A certificate for the school server", 1)[1]
    commands = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert commands is not None
    text = commands[1].replace("DNS:server.school.lan,IP:10.0.0.5", names)
    assert names in text
    subprocess.run(["sh", "-eu", "-c", text], cwd=folder, check=True, capture_output=True, timeout=WAIT_S)
    return folder


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    started = Campus(tmp_path)
    yield started
    started.close()


def serving(campus: Campus, made: Path) -> str:
    """A school server with that certificate; its address."""
    folder = campus.folder / "server"
    folder.mkdir()
    arguments = ["serve", "--state", str(folder), "--port", "0", "--code", CODE, "--read-token", TOKEN]
    arguments += ["--certificate", str(made / "server.pem"), "--certificate-key", str(made / "server.key")]
    process = Process(arguments, folder / "log.txt")
    campus.later(process.end)
    assert process.popen.stdout is not None
    url = process.popen.stdout.readline().decode().strip()
    assert url.startswith("https://127.0.0.1:"), process.log.read_text()
    return url


def test_a_gate_that_knows_the_campus_ca_sends_over_tls_and_one_that_does_not_keeps_everything(
    tmp_path: Path, campus: Campus
) -> None:
    made, other = certificates(tmp_path / "pki", "IP:127.0.0.1"), certificates(tmp_path / "other", "IP:127.0.0.1")
    url = serving(campus, made)
    gate, stranger = campus.gate("east"), campus.gate("south")
    for one in (gate, stranger):
        one.write(20)
    known = ["--ca", str(made / "campus-ca.pem")]
    done = run_command("enrol", "--state", str(gate.folder), "--node", "east", "--server", url, "--code", CODE, *known)
    assert done.returncode == 0, done.stderr
    campus.agent(gate, url, *known)
    doubting = campus.agent(stranger, url, "--ca", str(other / "campus-ca.pem"))
    with httpx.Client(verify=ssl.create_default_context(cafile=made / "campus-ca.pem"), trust_env=False) as office:

        def stored() -> dict[str, int]:
            streams = office.get(f"{url}/sync/v1/status").json()["streams"]
            return {one["node"]: one["durable_through"] for one in streams}

        wait_until(lambda: stored().get("east") == len(gate.everything()), "the gate's entries are stored")
        said = "a certificate that is not believed"
        wait_until(lambda: said in doubting.process.log.read_text(), "the agent says what is wrong")
        assert "south" not in stored()
        assert len(stranger.everything()) >= 20


def test_a_certificate_for_another_name_is_refused_with_the_remedy(tmp_path: Path, campus: Campus) -> None:
    made = certificates(tmp_path / "pki", "DNS:another.school.lan")
    url = serving(campus, made)
    gate = campus.gate("east")
    gate.write(1)
    agent = campus.agent(gate, url, "--ca", str(made / "campus-ca.pem"))
    wait_until(lambda: "use the name or address of the certificate in sync.server" in agent.process.log.read_text(), "it says so")


def test_files_that_are_no_certificates_are_one_sentence(tmp_path: Path) -> None:
    made, other = certificates(tmp_path / "pki", "IP:127.0.0.1"), certificates(tmp_path / "other", "IP:127.0.0.1")
    state = ["--state", str(tmp_path), "--code", CODE]
    cases = {
        (f"{made}/server.pem", f"{other}/server.key"): "do not make a certificate and its own key",
        (f"{made}/server.pem", f"{made}/server.pem"): "do not make a certificate and its own key",
        (f"{made}/nothing.pem", f"{made}/server.key"): "cannot be read (No such file or directory)",
    }
    for (certificate, key), sentence in cases.items():
        done = run_command("serve", *state, "--certificate", certificate, "--certificate-key", key)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert sentence in done.stderr
    done = run_command("serve", *state, "--certificate", f"{made}/server.pem")
    assert (done.returncode, "go together" in done.stderr) == (2, True), done.stderr
    for ca in (made / "nothing.pem", made / "server.key"):
        done = run_command("run", *state, "--node", "east", "--server", "https://127.0.0.1:1", "--ca", str(ca))
        assert (done.returncode, "cannot be read as certificates" in done.stderr) == (2, True), done.stderr
