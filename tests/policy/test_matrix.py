"""The table of docs/policies.md: what the present marks and policy files give, and no cell without a proof."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.core.policy_rows import ROWS, row_of
from kiosk.policies import load_policy
from tests import matrix
from tests.policy.plans import CITIES

MANUAL = Path(__file__).parents[2] / "docs" / "policies.md"


def written() -> str:
    _, begin, rest = MANUAL.read_text(encoding="utf-8").partition(matrix.BEGIN)
    table, end, _ = rest.partition(matrix.END)
    return begin + table + end


@pytest.fixture
def proofs(request: pytest.FixtureRequest) -> set[matrix.Proof]:
    found = matrix.claims(request.config)
    if found is None:
        pytest.skip("only a part of the tests was collected: run them all, or `make matrix`")
    return found


def test_the_table_of_the_manual_has_every_row_and_its_letters() -> None:
    """`make matrix` writes it anew from a run of all the marked tests."""
    shown, given = _rows(written()), _rows(matrix.table(set()))
    assert set(shown) == set(given) == {f"**{row}**" for row in ROWS}
    assert [row for row in given if _letters(shown[row]) != _letters(given[row])] == [], "run `make matrix`"


def test_the_table_names_the_tests_that_are_marked(proofs: set[matrix.Proof]) -> None:
    """Else a test was marked or renamed since `make matrix` was run."""
    shown, given = _rows(written()), _rows(matrix.table(proofs))
    assert [row for row in given if shown[row] != given[row]] == [], "run `make matrix`"


def test_no_row_that_binds_a_city_is_without_a_proof(proofs: set[matrix.Proof]) -> None:
    assert matrix.unproved(proofs) == []


def test_no_mark_names_a_row_or_a_city_that_does_not_exist(proofs: set[matrix.Proof]) -> None:
    assert matrix.unknown(proofs) == []


def _letters(line: str) -> list[str]:
    return [cell.partition("<")[0].strip() for cell in line.split("|")[2:7]]


def _rows(table: str) -> dict[str, str]:
    return {line.split(" ")[1]: line for line in table.splitlines() if line.startswith("| **")}


def test_every_rule_of_a_city_is_of_a_row() -> None:
    for city in CITIES:
        assert [r.id for r in load_policy(city).rules if row_of(r.id) not in ROWS and r.id != "validity"] == []


@pytest.mark.parametrize(
    ("city", "row", "expected"),
    [
        ("changzhi", "A3", "P"),
        ("tianjin", "A3", "M"),
        ("yueyang", "A3", "–"),
        ("changzhi", "A9", "O+M"),  # an option, and what binds whoever takes it
        ("tianjin", "A1", "P+M"),
        ("luoyang", "D1", "M via F3"),
        ("xiji", "F1", "M via E1"),
    ],
)
def test_a_letter_follows_from_the_rules_of_the_row(city: str, row: str, expected: str) -> None:
    assert matrix.letter(city, row) == expected
