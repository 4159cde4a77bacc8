"""drivers/QUALITY.toml is true as far as a machine can tell: complete, in whole sentences, and no claim without its suite."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from drivers.registry import BUILT_IN, driver_class
from drivers.simulated.rack_kinds import KINDS
from kiosk.driver_list import as_json, as_markdown, as_text, quality_file
from tests.contract.reader_benches import BENCHES

ROOT = Path(__file__).parents[2]
QUALITY = quality_file()
ANSWERS = [(driver, rule, said) for driver, rules in QUALITY["drivers"].items() for rule, said in rules.items()]
SUITES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "contract").glob("*.py")}


def _in_a_suite() -> set[str]:
    """Drivers with a bench in a suite: named by its block, or by the simulator that the bench starts, or by its URL."""
    found = {bench.quality for bench in BENCHES.values()}
    for scheme in BUILT_IN:
        simulators = [kind.place.partition(":")[2] for kind in KINDS.values() if kind.scheme == scheme]
        named = [f'Bench("{scheme}"', f'"{scheme}": Bench(', f'"{scheme}:', *(f"{name}(" for name in simulators)]
        if any(word in text for word in named for name, text in SUITES.items() if name.startswith("test_")):
            found.add(scheme)
    return found


def test_every_driver_answers_every_rule_and_nobody_else_does() -> None:
    assert set(QUALITY["drivers"]) == set(BUILT_IN)
    assert {driver for driver, rules in QUALITY["drivers"].items() if set(rules) != set(QUALITY["rules"])} == set()


@pytest.mark.parametrize(("driver", "rule", "said"), ANSWERS)
def test_an_answer_is_done_or_a_reason_in_words(driver: str, rule: str, said: str) -> None:
    if said == "done":
        return
    word, _, why = said.partition(": ")
    assert word in ("todo", "exempt")
    assert len(why.split()) >= 4 and len(why) >= 20, f"{driver} {rule}: {why!r} is no sentence"


def test_who_keeps_the_contract_is_in_its_suite() -> None:
    claimed = {driver for driver, rule, said in ANSWERS if rule == "contract_suite" and said == "done"}
    assert claimed - _in_a_suite() == set()


def test_a_reader_or_a_relay_is_never_excused_from_its_contract() -> None:
    excused = {d for d, rule, said in ANSWERS if rule == "contract_suite" and said.startswith("exempt")}
    assert {driver: driver_class(driver).kind for driver in excused if driver_class(driver).kind in ("reader", "relay")} == {}


def test_a_file_that_a_reason_names_is_there() -> None:
    named = {path for _, _, said in ANSWERS for path in re.findall(r"\b(?:tests|docs|drivers)/[\w/.]+\.\w+", said)}
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_command_says_what_is_missing_in_all_its_forms() -> None:
    told: dict[str, Any] = as_json()
    assert {each["driver"] for each in told["drivers"]} == set(BUILT_IN)
    assert all(each["driver"] in as_text() and f"| `{each['driver']}` |" in as_markdown() for each in told["drivers"])
