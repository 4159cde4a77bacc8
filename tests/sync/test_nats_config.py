"""The configuration files of the bus as they are shipped, in the real nats-server: they load, they let the right ones through,
and a wrong password, an unknown key and another gate's subject are refused."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats
import nats.errors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from nats.aio.client import Client

from sync_agent import bus
from sync_agent.__main__ import main
from sync_agent.errors import ServerUnreachable
from sync_agent.keys import signing_key
from sync_agent.nkey import load_or_create, seed_and_public
from sync_agent.transports.choosing import transport_to
from sync_agent.transports.http import Caller
from tests.support.nats_server import PROGRAM, SHIPPED, NatsServer
from tests.support.sync_processes import CODE, Campus, ServerProcess, wait_until

SCHOOL, NODE = "yucai", "south"  # the names in the files


@dataclass
class Buses:
    """Hub and leaf with the shipped files, and another leaf whose key nobody wrote into the hub's."""

    hub: NatsServer
    leaf: NatsServer
    stranger: NatsServer
    server: ServerProcess
    gate_url: str
    stranger_url: str


def with_user(server: NatsServer, user: str, password: str) -> str:
    return f"nats://{user}:{password}@127.0.0.1:{server.port}"


async def connected_and_closed(url: str) -> None:
    client = Client()
    try:
        await client.connect(url, allow_reconnect=False)
    finally:
        await client.close()


@pytest.fixture(scope="module")
def buses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buses]:
    folder = tmp_path_factory.mktemp("buses")
    public = load_or_create(folder / "leaf.nk")
    variable, _, seed = (folder / "leaf.nk").read_text().strip().partition("=")
    hub_password, gate_password = f"h{os.urandom(8).hex()}", f"g{os.urandom(8).hex()}"
    hub = NatsServer(folder / "hub", "hub", shipped="hub.conf", HUB_PASSWORD=hub_password, NKEY_SOUTH=public)
    other, _ = seed_and_public(os.urandom(32))
    secrets = [{"GATE_PASSWORD": gate_password, variable: one} for one in (seed, other)]
    leaf, stranger = (
        NatsServer(folder / name, name, hub_port=hub.leaf_port, shipped="leaf.conf", **secret)
        for name, secret in zip(("leaf", "stranger"), secrets, strict=True)
    )
    at_hub = with_user(hub, "school-server", hub_password)
    server = ServerProcess(folder / "server", more=("--school", SCHOOL), SYNC_AGENT_NATS=at_hub)
    yield Buses(
        hub, leaf, stranger, server,
        with_user(leaf, "gate", gate_password),
        with_user(stranger, "gate", gate_password),
    )  # fmt: skip
    server.close()
    for one in (stranger, leaf, hub):
        one.close()


def test_with_the_shipped_files_everything_goes_through_that_a_gate_and_the_server_say(
    campus: Campus, buses: Buses, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = buses.server
    south, north = campus.gate(NODE), campus.gate("north")
    south.write(25)
    monkeypatch.setenv("SYNC_AGENT_NATS", buses.gate_url)
    assert main(["enrol", "--state", str(south.folder), "--school", SCHOOL, "--node", NODE, "--code", CODE]) == 0
    agent = campus.agent(south, buses.gate_url, "--school", SCHOOL, "--batch", "10", "--answer-timeout", "5")
    campus.agent(north, server.url, "--school", SCHOOL)  # over HTTP, to the same server
    wait_until(lambda: server.has(south) and server.has(north), "everything is there")
    everything = {(north.node, boot, seq, row[1].hex()) for (boot, seq), row in north.everything().items()}
    wait_until(lambda: agent.peers() == everything, "and the other gate's is here")
    wait_until(lambda: (bar := agent.bar()) and not bar["waiting"] and not bar["problems"], "all is well")
    assert buses.gate_url.partition("@")[0] not in str(agent.bar()), "the password is on the bar"
    assert "iolation" not in buses.leaf.said(), "a permission is missing"


def test_a_wrong_password_is_refused_and_said(buses: Buses) -> None:
    for url in (with_user(buses.hub, "school-server", "wrong"), with_user(buses.leaf, "gate", "wrong"), buses.hub.url):
        with pytest.raises(nats.errors.Error, match="Authorization Violation"):
            asyncio.run(connected_and_closed(url))
    said = refusal(with_user(buses.leaf, "gate", "wrong"))
    assert "Authorization Violation" in said and "wrong" not in said


def test_a_leaf_with_an_unknown_key_is_not_let_in(buses: Buses) -> None:
    wait_until(lambda: "authentication error" in buses.hub.said(), "the hub refuses it")
    assert "no school server is on the bus" in refusal(buses.stranger_url)


def refusal(address: str) -> str:
    """What an agent says on the bar that cannot get through to the server."""

    async def asked() -> None:
        async with transport_to(address, Caller(school=SCHOOL, node=NODE, key=signing_key(bytes(32)))) as transport:
            await transport.status(NODE)

    with pytest.raises(ServerUnreachable) as found:
        asyncio.run(asked())
    return str(found.value)


def test_a_gates_user_can_neither_ask_nor_listen_for_another_gate(buses: Buses) -> None:
    async def tried() -> list[str]:
        heard: list[str] = []

        async def error(said: Exception) -> None:
            heard.append(str(said))

        client = await nats.connect(buses.gate_url, error_cb=error)
        await client.publish(bus.ask_subject(SCHOOL, "north"), b"{}")
        await client.publish(bus.up_subject(SCHOOL, "north", "boot", "1"), b"{}")
        await client.subscribe(f"{bus.answer_prefix(SCHOOL, 'north')}.>")
        await client.subscribe("kiosk.>")
        async with asyncio.timeout(30):
            while len(heard) < 4:
                await client.flush()
                await asyncio.sleep(0.02)
        await client.close()
        return heard

    assert [text.lower().count("permissions violation") for text in asyncio.run(tried())] == [1, 1, 1, 1]


def test_with_the_tls_lines_a_leaf_talks_to_a_hub_of_the_campus_authority_and_to_no_other(tmp_path: Path) -> None:
    ours, other = (authority(tmp_path / name) for name in ("ours", "other"))
    public = load_or_create(tmp_path / "leaf.nk")
    seed = (tmp_path / "leaf.nk").read_text().strip().partition("=")[2]
    lines = '# tls { cert_file: "/etc/nats/hub.pem", key_file: "/etc/nats/hub.key" }'
    with_tls = {lines: f'tls {{ cert_file: "{ours}/hub.pem", key_file: "{ours}/hub.key" }}'}
    hub = NatsServer(tmp_path / "hub", "hub", shipped="hub.conf", changed=with_tls, HUB_PASSWORD="p", NKEY_SOUTH=public)
    leaves = []
    for name, ca in (("right", ours), ("wrong", other)):
        trusting = {
            '"nats-leaf://': '"tls://',
            '# tls { ca_file: "/etc/nats/campus-ca.pem" }': f'tls {{ ca_file: "{ca}/ca.pem" }}',
        }
        secrets = {"GATE_PASSWORD": "p", "LEAF_SEED": seed}
        where = tmp_path / name
        leaves.append(NatsServer(where, name, hub_port=hub.leaf_port, shipped="leaf.conf", changed=trusting, **secrets))
    try:
        wait_until(lambda: "JetStream using domains" in leaves[0].said(), "the right one is in")
        wait_until(lambda: "unknown authority" in leaves[1].said(), "the wrong one says why not")
        assert "JetStream using domains" not in leaves[1].said()
    finally:
        for one in (*leaves, hub):
            one.close()


def authority(folder: Path) -> Path:
    """ca.pem of a campus authority of its own, and hub.pem with hub.key for 127.0.0.1, as it would make them."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, folder.name)])
    ca = certificate(name, key, x509.BasicConstraints(ca=True, path_length=0), issuer=name, by=key)
    hub_key = ec.generate_private_key(ec.SECP256R1())
    hub_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    hub = certificate(hub_name, hub_key, address, issuer=name, by=key)
    (folder / "ca.pem").write_bytes(ca.public_bytes(Encoding.PEM))
    (folder / "hub.pem").write_bytes(hub.public_bytes(Encoding.PEM))
    (folder / "hub.key").write_bytes(hub_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder


def certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    more: x509.ExtensionType,
    *,
    issuer: x509.Name,
    by: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    made = made.not_valid_after(now + timedelta(days=1)).add_extension(more, critical=False)
    return made.sign(by, hashes.SHA256())


def test_the_files_do_not_load_without_their_secrets_and_fit_the_program() -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("HUB_", "GATE_", "NKEY_", "LEAF_"))}
    for file, missing in (("hub.conf", "HUB_PASSWORD"), ("leaf.conf", "LEAF_SEED")):
        tried = subprocess.run([PROGRAM, "-c", SHIPPED / file, "-t"], capture_output=True, text=True, env=bare, check=False)
        assert tried.returncode != 0 and missing in tried.stderr, tried.stderr
        text = (SHIPPED / file).read_text()
        assert re.search(r"^max_payload: (\d+)", text, re.M)[1] == str(bus.MOST_PAYLOAD_BYTES)  # type: ignore[index]
        assert re.search(r"^  sync_interval: always\b", text, re.M)


def test_a_key_for_the_bus_is_made_once_and_kept_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nkey", str(tmp_path / "leaf.nk")]) == 0
    printed = capsys.readouterr().out
    assert re.fullmatch(r"U[A-Z2-7]{55}\n", printed)
    assert load_or_create(tmp_path / "leaf.nk") == printed.strip()
    assert (tmp_path / "leaf.nk").stat().st_mode & 0o777 == 0o600
    seed, public = seed_and_public(bytes(32))
    assert seed.startswith("SU") and public.startswith("U") and len(seed) == 58
    (tmp_path / "other").write_text("SUAA")
    assert main(["nkey", str(tmp_path / "other")]) == 2
    assert "no seed" in capsys.readouterr().err and (tmp_path / "other").read_text() == "SUAA"


def test_without_an_address_of_a_bus_the_server_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--state", str(tmp_path), "--code", CODE, "--nats", "http://wrong"]) == 2
    assert "nats://" in capsys.readouterr().err
