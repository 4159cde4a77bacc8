"""A small size of `make fuzz`: every parser of the table, a few hundred frames; and that the table names every parser."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import checks
from tests.fuzz.generated import NAMES, generated
from tests.fuzz.wire import Wire
from tests.fuzz.wires import WIRES

FRAMES, SEED = 1_500, 20261128
DRIVERS = Path(__file__).parents[2] / "drivers"


@pytest.mark.parametrize("name", NAMES)
def test_a_few_hundred_frames_break_no_promise(name: str) -> None:
    run = generated(name, frames=FRAMES, seed=SEED)
    assert run.count.frames >= FRAMES > run.count.whole > 0


@pytest.mark.parametrize("name", WIRES)
def test_a_frame_may_be_cut_in_two_at_every_byte(name: str) -> None:
    wire, random = WIRES[name], Random(SEED)
    for number in range(5):
        frame, value = wire.frame(random, number)
        for at in range(len(frame) + 1):
            assert checks.fed(wire, [frame[:at], frame[at:], wire.tail]) == [value]


def _parsers() -> set[tuple[str, str]]:
    """(module, class) of everything in drivers/ that is fed with bytes and is no base of others."""
    found, bases = set(), set()
    for path in sorted(DRIVERS.rglob("*.py")):
        module = ".".join(path.relative_to(DRIVERS.parent).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ClassDef):
                continue
            names = {base.id if isinstance(base, ast.Name) else ast.unparse(base).partition("[")[0] for base in node.bases}
            bases |= names
            if names & {"FrameParser"} or any(isinstance(each, ast.FunctionDef) and each.name == "feed" for each in node.body):
                found.add((module, node.name))
    return {(module, name) for module, name in found if name not in bases}


def test_every_parser_of_the_drivers_is_in_the_table() -> None:
    tried = {type(wire.parser()) for wire in WIRES.values()}
    assert {(m, n) for m, n in _parsers() if getattr(import_module(m), n) not in tried} == set()


class _Forgetful:
    """A parser with every fault that the checks look for, one at a time."""

    def __init__(self, fault: str) -> None:
        self.fault, self._buffer = fault, bytearray()
        self._real = WIRES["lcus"].parser()

    @property
    def buffered(self) -> int:
        return 0 if self.fault == "hoards" else int(self._real.buffered)

    def feed(self, data: bytes) -> list[object]:
        if self.fault == "hoards":
            self._buffer += data * 9
        if self.fault == "raises" and b"\xa0\xa0" in data:
            raise IndexError("out of range")
        if self.fault == "loses":
            self._real.reset()
        found: list[object] = self._real.feed(data)
        return found[:-1] if self.fault == "skips" and len(found) > 3 else found


@pytest.mark.parametrize("fault", ["hoards", "loses", "raises", "skips"])
def test_the_checks_find_a_parser_that_breaks_its_promise(fault: str) -> None:
    good = WIRES["lcus"]
    faulty = Wire(
        parser=lambda: _Forgetful(fault), frame=good.frame, harmless=good.harmless, promise="", bound=good.bound,
        reference=good.reference, marks=good.marks,
    )  # fmt: skip
    random = Random(SEED)
    with pytest.raises((AssertionError, IndexError)):
        for _ in range(200):
            checks.check_promise(faulty, random)
            checks.check_anything(faulty, random)


def test_the_manual_says_what_each_parser_promises() -> None:
    manual = (DRIVERS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = [f"| {name} | {wire.promise} | {wire.bound:,} |" for name, wire in WIRES.items()]
    assert [row for row in rows if row not in manual] == []
