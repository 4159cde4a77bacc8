"""The rules of the house, held by a machine: what the documents say is so, and the code keeps to its own manner."""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from string import Formatter
from textwrap import dedent
from types import ModuleType

import pytest

import kiosk
from drivers.registry import BUILT_IN
from drivers.registry import load as load_driver
from drivers.simulated.rack_kinds import KINDS
from kiosk.__main__ import _parser as kiosk_parser
from kiosk.core.custody import mermaid
from kiosk.core.decisions import Outcome, Reason
from kiosk.doctor import examine_import_names
from kiosk.web.words import WORDS
from sync_agent.__main__ import _parser as agent_parser

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SHIPPED = ("kiosk", "drivers", "sync_agent")

FILE_LINES_MAX, TEST_LINES_MAX, FUNCTION_LINES_MAX = 450, 500, 60
LONGER_FUNCTIONS = {("tests/faces/sample_views.py", "guard"): "one literal"}
# What the core may know of Python: values, text, numbers. Nothing that reads a clock, a disk, a socket or a die.
CORE_MAY_IMPORT = {  # a signature is arithmetic: it is checked where the decision is
    "__future__", "base64", "binascii", "bisect", "collections", "collections.abc", "cryptography.exceptions",
    "cryptography.hazmat.primitives.asymmetric.ed25519", "dataclasses", "datetime", "enum", "functools", "hashlib",
    "itertools", "kiosk.core", "math", "msgspec", "re", "types", "typing", "unicodedata",
}  # fmt: skip
SYNC_MAY_IMPORT = ("kiosk.core", "kiosk.clock", "kiosk.directory", "kiosk.journal", "kiosk.settings")
CLOCK_READERS = {"now", "today", "utcnow", "time_ns", "gmtime", "localtime"}


def tracked() -> list[str]:
    """Every file that belongs to the project, as a path from its root."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git work tree: nobody can say which files belong to it")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    return sorted(name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file())


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, also inside functions."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def within(module: str, allowed: str) -> bool:
    return module == allowed or module.startswith(allowed + ".")


# --- the code -------------------------------------------------------------------------------------------


def test_no_file_is_longer_than_a_person_reads_in_one_go() -> None:
    limits = dict.fromkeys(python_files(*SHIPPED), FILE_LINES_MAX) | dict.fromkeys(python_files("tests"), TEST_LINES_MAX)
    counted = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in limits}
    found = {name_of(path): lines for path, lines in counted.items() if lines > limits[path]}
    assert found == {}


def test_no_function_is_longer_than_a_screen() -> None:
    found = {}
    for path in python_files(*SHIPPED, "tests"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX and (name_of(path), node.name) not in LONGER_FUNCTIONS:
                    found[name_of(path), node.name] = lines
    assert found == {}


def test_every_shipped_file_opens_with_what_it_is_for() -> None:
    assert [name_of(path) for path in python_files(*SHIPPED) if not ast.get_docstring(parsed(path))] == []


def test_no_module_is_called_a_manager_or_a_helper() -> None:
    vague = re.compile(r"manager|helper|util|misc")
    assert [name_of(path) for path in python_files(*SHIPPED) if vague.search(path.stem)] == []


def test_the_core_imports_nothing_that_could_touch_the_world() -> None:
    found = {
        (name_of(path), module)
        for path in python_files("kiosk/core")
        for module in imports(path)
        if not any(module == allowed or (allowed == "kiosk.core" and within(module, allowed)) for allowed in CORE_MAY_IMPORT)
    }
    assert found == set()


def test_only_one_module_reads_the_clock() -> None:
    """`time.monotonic()` and sleeping are allowed where time passes: in drivers, in the agent, in the demo."""
    found = {
        (name_of(path), node.lineno)
        for path in python_files(*SHIPPED)
        if name_of(path) != "kiosk/clock.py"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("datetime", "date", "time", "dt")
        and (node.attr in CLOCK_READERS or (node.value.id, node.attr) == ("time", "time"))
    }
    assert found == set()


def test_nothing_that_ships_imports_tests() -> None:
    assert [(name_of(p), m) for p in python_files(*SHIPPED) for m in imports(p) if within(m, "tests")] == []


def test_the_agent_uses_only_the_reading_side_of_the_kiosk() -> None:
    found = [
        (name_of(path), module)
        for path in python_files("sync_agent")
        for module in imports(path)
        if within(module, "kiosk") and not any(within(module, allowed) for allowed in SYNC_MAY_IMPORT)
    ]
    assert found == []


def test_every_driver_has_a_simulator_that_ships_and_a_block_of_quality() -> None:
    assert set(BUILT_IN) - {kind.scheme for kind in KINDS.values()} == set(), "add a kind to drivers/simulated/rack_kinds.py"
    quality = tomllib.loads((ROOT / "drivers" / "QUALITY.toml").read_text(encoding="utf-8"))
    assert set(BUILT_IN) - set(quality["drivers"]) == set(), "add a block to drivers/QUALITY.toml"


def test_nobody_else_owns_our_import_names() -> None:
    row = examine_import_names(sys.path)
    assert row.health == "ok", row.detail


def test_no_file_names_a_workplace_or_a_registry() -> None:
    """Built from pieces, so that this file does not name them either."""
    places = ["/" + "work/", "/" + "tmp/", "/" + "root/", "/" + "home/", "/" + "Users/"]
    hosts = ["py" + "pi.org", "python" + "hosted", "registry" + ".npm", "mirrors" + "."]
    found = []
    for name in tracked():
        data = (ROOT / name).read_bytes()
        if b"\0" in data[:4096]:
            continue
        text = data.decode("utf-8", errors="replace")
        found += [(name, word) for word in (*places, *hosts) if re.search(rf"(?<![\w.}}]){re.escape(word)}", text)]
    assert found == []


# --- the words ----------------------------------------------------------------------------------------------

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SAME_IN_BOTH = {"sign_in.pin"}
NAMES_OF_LANGUAGES = {"app.language"}  # says the other language in the other language


def test_every_word_is_there_in_chinese_and_in_english() -> None:
    for key, (chinese, english) in WORDS.items():
        assert chinese.strip() and english.strip(), key
        if key in NAMES_OF_LANGUAGES | SAME_IN_BOTH:
            continue
        assert not CHINESE.search(english), (key, english)
        only_places = not re.sub(r"\{\w+\}|\W", "", chinese)
        assert CHINESE.search(chinese) or only_places, (key, chinese)


def test_both_languages_leave_the_same_places_open() -> None:
    for key, pair in WORDS.items():
        places = [sorted(field for _, field, _, _ in Formatter().parse(text) if field) for text in pair]
        assert places[0] == places[1], key


def test_staff_can_be_told_every_outcome_and_every_reason() -> None:
    wanted = [f"reason.{reason.value}" for reason in Reason] + [f"outcome.{outcome.value}" for outcome in Outcome]
    assert [key for key in wanted if key not in WORDS] == []


# --- the documents ------------------------------------------------------------------------------------------


def documents() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", path.read_text(encoding="utf-8"), re.M | re.S)
    return [dedent(block) if indent else block for indent, block in found]


def test_the_picture_of_custody_is_the_one_that_the_tables_print() -> None:
    text = (DOCS / "ARCHITECTURE.md").read_text(encoding="utf-8")
    between = re.search(r"<!-- kiosk diagram: begin -->\n```mermaid\n(.*?)```\n<!-- kiosk diagram: end -->", text, re.S)
    assert between is not None, "the markers are gone"
    assert between[1].strip() == mermaid()


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return next(dict(a.choices) for a in parser._actions if isinstance(a, argparse._SubParsersAction))


@pytest.mark.parametrize("command", sorted(subcommands(kiosk_parser())))
def test_every_command_is_in_the_manual(command: str) -> None:
    assert re.search(rf"\bkiosk {command}\b", (DOCS / "operating.md").read_text(encoding="utf-8")), command


@pytest.mark.parametrize("command", sorted(subcommands(agent_parser())))
def test_every_command_of_the_agent_is_in_the_manual(command: str) -> None:
    assert re.search(rf"\bsync-agent {command}\b", (DOCS / "operating.md").read_text(encoding="utf-8")), command


def command_lines() -> Iterator[tuple[str, str]]:
    """(document, line) of every command that a document tells somebody to type."""
    for path in documents():
        for block in blocks(path, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                yield name_of(path), line.partition("  #")[0].strip()


def test_every_command_line_of_the_documents_is_understood() -> None:
    tried = 0
    for document, line in command_lines():
        found = re.match(r"(?:\S*/bin/)?(kiosk|sync-agent) ([a-z]+\b.*)", line)
        if found is None:
            continue
        parser = kiosk_parser() if found[1] == "kiosk" else agent_parser()
        try:
            parser.parse_args(found[2].split())
        except SystemExit:
            pytest.fail(f"{document}: {line}")
        tried += 1
    assert tried > 10


def test_every_make_target_of_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = {
        (name_of(path), target)
        for path in documents()
        for target in re.findall(r"(?:^|`)make ([a-z]+)", path.read_text(encoding="utf-8"), re.M)
    }
    assert {(document, target) for document, target in named if target not in targets} == set()
    assert {target for _, target in named} >= {"run", "test"}


def test_every_link_of_the_documents_leads_somewhere() -> None:
    broken = []
    for path in documents():
        text = re.sub(r"^ *```.*?^ *```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not target.startswith(("http://", "https://", "#")) and not (path.parent / target.partition("#")[0]).exists():
                broken.append((name_of(path), target))
    assert broken == []


def test_every_identifier_of_the_glossary_is_in_the_code() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in python_files(*SHIPPED))
    words = set(re.findall(r"\b\w+\b", code))
    rows = [line.split("|") for line in (DOCS / "GLOSSARY.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    named = {word for row in rows for word in re.findall(r"`(\w+)`", row[3])}
    assert len(named) > 80
    assert named - words == set()


def test_decisions_are_numbered_without_a_gap_and_have_three_parts() -> None:
    paths = sorted((DOCS / "adr").glob("[0-9]*.md"))
    assert [path.name[:4] for path in paths] == [f"{n:04}" for n in range(1, len(paths) + 1)]
    index = (DOCS / "adr" / "README.md").read_text(encoding="utf-8")
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]} · "), path.name
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences")), path.name
        assert path.name in index, path.name


def test_the_changelog_knows_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(kiosk.__version__)}\]", text, re.M)


def device_urls() -> Iterator[tuple[str, str]]:
    """(file, URL) of every device that the example and the documents show, also where a line is commented out."""
    for path in (ROOT / "config" / "site.example" / "site.toml", *documents()):
        for url in re.findall(r'^#? ?url = "([^"]+)"', path.read_text(encoding="utf-8"), re.M):
            yield name_of(path), url


def test_every_device_that_is_shown_has_a_driver(tutorial: ModuleType) -> None:
    found = list(device_urls())
    assert found
    for _, url in found:
        load_driver(url, "shown")


# --- the tutorial -------------------------------------------------------------------------------------------


@pytest.fixture(name="tutorial")
def the_package_of_the_tutorial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The blocks of docs/writing-a-driver.md as files, installed as pip would: on the path, with its entry points."""
    page = DOCS / "writing-a-driver.md"
    (tmp_path / "gate_wiegand").mkdir()
    (tmp_path / "gate_wiegand" / "__init__.py").touch()
    for block in blocks(page, "python"):
        place = re.match(r"# (gate_wiegand/\w+\.py)\n", block)
        assert place is not None, "a Python block of the tutorial does not say which file it is"
        (tmp_path / place[1]).write_text(block, encoding="utf-8")
    project = next(tomllib.loads(b)["project"] for b in blocks(page, "toml") if b.startswith("# pyproject.toml"))
    info = tmp_path / "gate_wiegand-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = [
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in entries.items())
        for group, entries in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("".join(points))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield import_module("gate_wiegand.test_reader")
    for name in [name for name in sys.modules if within(name, "gate_wiegand")]:
        del sys.modules[name]


def test_the_driver_of_the_tutorial_passes_its_own_tests(tutorial: ModuleType) -> None:
    tests = [value for name, value in vars(tutorial).items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test()


# --- the wheel ----------------------------------------------------------------------------------------------


@pytest.fixture(name="wheel", scope="module")
def the_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by the project's own build back end, without the network."""
    pytest.importorskip("hatchling", reason="hatchling is not installed, so no wheel can be built here")
    out = tmp_path_factory.mktemp("wheel")
    program = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", program, str(out)], cwd=ROOT, check=True, capture_output=True, timeout=100)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_the_three_packages_and_the_shared_data_and_nothing_else(wheel: Path) -> None:
    prefix = f"campus_kiosk-{kiosk.__version__}"
    data = f"{prefix}.data/data/share/campus-kiosk/"
    wanted = {name for name in tracked() if name.split("/")[0] in SHIPPED}
    wanted |= {data + name for name in tracked() if name.split("/")[0] in ("config", "systemd")}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.endswith("/")}
        points = archive.read(f"{prefix}.dist-info/entry_points.txt").decode()
    meta = {name for name in held if name.startswith(f"{prefix}.dist-info/")}
    assert held - meta - wanted == set()
    assert wanted - held == set()
    assert f"{prefix}.dist-info/licenses/LICENSE" in meta
    assert "kiosk = kiosk.__main__:main" in points
    assert "sync-agent = sync_agent.__main__:main" in points
