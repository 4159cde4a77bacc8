"""The table of docs/policies.md: every row of the requirement matrix, five cities, and the tests that prove it.

A test that proves a row for some cities says so: `@pytest.mark.row("A3", "changzhi", "tianjin")`. `make matrix` runs all
of these and writes the table of those that passed; a test of the default suite holds the page to the rows, the letters and
the marks. The letters come from the policy files. No cell is written by hand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from kiosk.core.policy import Rule, Strength
from kiosk.core.policy_rows import GROUPS, ROWS, row_of
from kiosk.policies import load_policy

TESTS: Final = Path(__file__).parent
CITIES: Final = {"changzhi": "长治", "xiji": "西吉", "tianjin": "天津", "luoyang": "洛阳", "yueyang": "岳阳"}
BEGIN, END = "<!-- matrix: written by `make matrix` -->", "<!-- end of the matrix -->"
LETTERS: Final = {Strength.MUST: "M", Strength.IN_PRINCIPLE: "P", Strength.GENERALLY: "P", Strength.MAY: "O"}
BINDING: Final = "OPM"  # weakest first

Proof = tuple[str, str, str]  # row, city, test
CLAIMS = pytest.StashKey[set[Proof]]()
FILES = pytest.StashKey[set[Path]]()


# --- the letters, from the policy files


@cache
def rules_of(city: str, row: str) -> tuple[Rule, ...]:
    """The row's own clause first."""
    found = [rule for rule in load_policy(city).rules if row_of(rule.id) == row]
    return tuple(sorted(found, key=lambda rule: rule.id != row))


@cache
def letter(city: str, row: str) -> str:
    """`P`, `P+M` where a further clause of the row binds more, `M via F3` where another row's clause covers it, `–`."""
    letters = [LETTERS[rule.strength] for rule in rules_of(city, row)]
    if letters:
        first, most = letters[0], max(letters, key=BINDING.index)
        return first if BINDING.index(most) <= BINDING.index(first) else f"{first}+{most}"
    for rule in load_policy(city).rules:
        if row in rule.also:
            return f"{LETTERS[rule.strength]} via {row_of(rule.id)}"
    return "–"


def needs_proof(city: str, row: str) -> bool:
    return bool({"M", "P"} & set(letter(city, row).partition(" ")[0]))


# --- the marks, of the tests that were collected


def claims(config: pytest.Config) -> set[Proof] | None:
    """What the marks claim, failing or not. None where this run has collected only a part of the marked files."""
    found, files = config.stash[CLAIMS], config.stash[FILES]
    marked = {path for path in TESTS.rglob("test_*.py") if "mark.row(" in path.read_text(encoding="utf-8")}
    return found if marked <= files else None


# --- the table


def table(proofs: set[Proof]) -> str:
    """The part of docs/policies.md between the two marks."""
    by_cell: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row, city, test in sorted(proofs):
        by_cell[row, city].append(test)
    lines = [BEGIN, ""]
    for group, words in GROUPS.items():
        lines += [f"### {group}. {words.zh} · {words.en}", "", f"| | {' | '.join(CITIES.values())} | proved by |"]
        lines.append(f"|---|{'---|' * len(CITIES)}---|")
        lines += [_line(row, by_cell) for row in ROWS if row[0] == group]
        lines.append("")
    return "\n".join([*lines, END])


def _line(row: str, by_cell: Mapping[tuple[str, str], list[str]]) -> str:
    tests = sorted({test for city in CITIES for test in by_cell.get((row, city), ())})
    cells = [
        " ".join([letter(city, row), *(f"<sup>{1 + tests.index(test)}</sup>" for test in by_cell.get((row, city), ()))])
        for city in CITIES
    ]
    named = "<br>".join(f"{n} {_link(test)}" for n, test in enumerate(tests, 1))
    words = ROWS[row]
    return f"| **{row}** {words.zh}<br>{words.en} | {' | '.join(cells)} | {named or '–'} |"


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_')}](../{path})"


def unproved(proofs: set[Proof]) -> list[str]:
    """Every cell with M or P that no test proves."""
    proved = {(row, city) for row, city, _ in proofs}
    return [f"{row} {city}" for row in ROWS for city in CITIES if needs_proof(city, row) and (row, city) not in proved]


def unknown(proofs: set[Proof]) -> list[str]:
    """Marks that name no row or no city."""
    return sorted(f"{row} {city} {test}" for row, city, test in proofs if row not in ROWS or city not in CITIES)


def write_table(document: Path, proofs: set[Proof]) -> None:
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{table(proofs)}{after}", encoding="utf-8")


# --- the run


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--matrix", metavar="FILE", help="write the table of rows, cities and passed tests into this page")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[CLAIMS], config.stash[FILES] = set(), set()
    if config.getoption("--matrix") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Run(config), "the run of the matrix")


@pytest.hookimpl(tryfirst=True)  # before any are left out
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        config.stash[FILES].add(item.path)
        test = f"{item.path.relative_to(TESTS.parent).as_posix()}::{getattr(item, 'originalname', item.name)}"
        for mark in item.iter_markers("row"):
            row, *cities = mark.args
            config.stash[CLAIMS].update((row, city, test) for city in cities)
            item.user_properties += [("row", [row, city, test]) for city in cities]


class _Run:
    """Hears of every test, of all workers too, and writes the table if all that have a row passed."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.proofs: dict[Proof, bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            for key, value in report.user_properties:
                if key == "row":
                    row, city, test = (str(part) for part in value)
                    self.proofs[row, city, test] = report.passed and self.proofs.get((row, city, test), True)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        passed = {proof for proof, good in self.proofs.items() if good}
        failed = sorted({test for (_, _, test), good in self.proofs.items() if not good})
        document = Path(self.config.getoption("--matrix"))
        write_table(document, passed)
        terminalreporter.section("matrix")
        terminalreporter.line(f"{document}: {len({test for _, _, test in passed})} tests prove {len(passed)} cells of tests")
        for name, lacking in (("did not pass", failed), ("no test", unproved(passed)), ("unknown", unknown(passed))):
            if lacking:
                terminalreporter.line(f"{name}: {', '.join(lacking)}")
