"""Every kind of simulated device: it starts from the table, its driver opens it, and a hand can do what its verbs say."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest

from drivers import registry
from drivers.errors import Misconfigured
from drivers.simulated.bench_rack import KINDS, BenchRack, RackItem
from drivers.simulated.rack_kinds import start
from drivers.simulated.rack_verbs import NoSuchVerb, help_of, obey, written


def started(kind: str, folder: Path) -> Any:
    try:
        return start(kind, folder / kind)
    except Misconfigured as error:
        pytest.skip(str(error))


@pytest.fixture(params=KINDS, name="kind")
def every_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="device")
def its_simulator(kind: str, tmp_path: Path) -> Iterator[Any]:
    with closing(started(kind, tmp_path)) as device:
        yield device


def test_the_url_is_one_of_its_driver(kind: str, device: Any) -> None:
    assert device.url.partition(":")[0] == KINDS[kind].scheme
    driver = registry.load(device.url, "desk", **KINDS[kind].options)
    assert KINDS[kind].card == "" or driver.kind == "reader"


def test_every_verb_is_there_and_says_what_it_does(device: Any) -> None:
    assert {"unplug", "replug"} <= set(device.verbs)
    for verb in device.verbs:
        assert callable(getattr(device, verb))
        line = next(line for line in help_of(device).splitlines() if line.startswith(written(device, verb)))
        assert line.removeprefix(written(device, verb)).strip(), f"{verb} does not say what it does"
    assert obey(device, "help") == help_of(device)


def test_the_plug_can_be_pulled_twice_and_put_back_twice_by_name(device: Any) -> None:
    url = device.url
    for line in ("unplug", "unplug", "replug", "replug", "unplug", "replug"):
        assert obey(device, line) == "done"
    assert device.url == url, "the same place again"


def test_what_is_not_there_is_refused_with_what_is(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="write one of pn532"):
        start("teapot", tmp_path / "x")


def test_a_rack_may_leave_out_a_kind_that_lacks_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_to_start_with(**_: object) -> None:
        raise Misconfigured("no daemon here: install it")

    monkeypatch.setattr("drivers.simulated.relay_board.SimulatedRelayBoard", nothing_to_start_with)
    items = [RackItem("door", "lcus"), RackItem("scan", "lines")]
    with pytest.raises(Misconfigured):
        BenchRack(items, links_folder=tmp_path / "a")
    with BenchRack(items, links_folder=tmp_path / "b", what_starts=True) as rack:
        assert rack.left_out == {"door": "no daemon here: install it"} and list(rack.devices) == ["scan"]


class Weather(enum.StrEnum):
    SUN = "sun"
    RAIN = "rain"


class Toy:
    """A device with a verb of every shape."""

    verbs: ClassVar[tuple[str, ...]] = ("turn", "say", "wait", "seat", "weather", "ring", "noise", "unplug")
    url = "toy:"

    def __init__(self) -> None:
        self.did: list[Any] = []

    def turn(self, lit: bool) -> None:
        """Turn it."""
        self.did.append(lit)

    def say(self, times: int, text: str | None) -> bool:
        """Say it.

        And more.
        """
        self.did.append((times, text))
        return times > 0

    def wait(self, seconds: float = 1.5) -> None:
        self.did.append(seconds)

    def seat(self, number: int | None) -> None:
        self.did.append(number)

    def weather(self, now: Weather) -> None:
        self.did.append(now)

    def ring(self, *, loud: bool = False) -> None:
        self.did.append(loud)

    def noise(self, data: bytes = b"x") -> None:
        self.did.append(data)

    def unplug(self) -> None: ...

    def replug(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("line", "did"),
    [
        ("turn on", True),
        ("turn off", False),
        ("  say 2 a code with spaces ", (2, "a code with spaces")),
        ("wait", 1.5),
        ("wait 0.25", 0.25),
        ("seat 7", 7),
        ("seat none", None),
        ("weather rain", Weather.RAIN),
        ("ring", False),
        ("noise", b"x"),
    ],
)
def test_a_line_becomes_what_the_verb_takes(line: str, did: Any) -> None:
    toy = Toy()
    assert obey(toy, line) == "done"
    assert toy.did == [did]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "help"),
        ("turn", r"write `turn on\|off`"),
        ("turn up", "neither on nor off"),
        ("say two x", "say"),
        ("weather snow", "snow"),
        ("ring loud", "write `ring`"),
        ("dance", "write one of turn, say"),
        ("close", "write one of"),
        ("__init__", "write one of"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_with_what_would(line: str, says: str) -> None:
    toy = Toy()
    with pytest.raises(NoSuchVerb, match=says):
        obey(toy, line)
    assert toy.did == []


def test_help_is_one_line_for_each_verb() -> None:
    assert obey(Toy(), "help").splitlines()[:2] == ["turn on|off          Turn it.", "say TIMES TEXT|none  Say it."]
    assert written(Toy(), "wait") == "wait [SECONDS]" and written(Toy(), "weather") == "weather sun|rain"


def test_a_tap_that_nobody_took_says_so() -> None:
    assert obey(Toy(), "say 0 x") == "nobody took it"
