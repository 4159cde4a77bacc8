"""Finds and parses the files of a configuration folder, and puts the parts together.

A folder may name a `base`: whole files that it lacks come from there, and its school.toml only needs
the tables that differ. The base's tables fill the gaps key by key; a list of tables such as
[[access_point]] is replaced whole, because half a list means nothing.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kiosk.core.policy import Policy, PolicyRefused
from kiosk.core.policy_file import parse_policy
from kiosk.national_calendar import NationalFileBroken, NationalLayer, national_layer
from kiosk.settings.building import build
from kiosk.settings.checks import check
from kiosk.settings.keys import FILES
from kiosk.settings.places import SharedDataMissing, policies_dir
from kiosk.settings.schema import Problem, Problems, read
from kiosk.settings.values import Settings, SettingsError

MAX_BASES: Final = 3  # a chain of folders that is longer is a circle
MAX_FILE_BYTES: Final = 1_000_000
OPTIONAL: Final = frozenset({"site.toml"})  # `kiosk check` needs no gate computer


def load(config_dir: Path | str, *, site_file: Path | str | None = None, policies: Path | None = None) -> Settings:
    """The settings of a folder. `site_file` stands in for its site.toml: one school, several gates.

    `policies` is the folder of the cities' policies, the shipped one by default.

    Raises SettingsError with every problem that was found.
    """
    folder = Path(config_dir)
    problems = Problems()
    if not folder.is_dir():
        raise SettingsError((Problem(str(config_dir), "", "没有这个配置目录 / no such configuration folder"),))
    school, chain = _school_and_bases(folder, problems)
    paths = _find(chain, site_file, problems)
    raw = {name: _parse(path, _label(path, folder), problems) for name, path in paths.items() if name != "school.toml"}
    raw["school.toml"] = school
    policies = policies or _shipped_policies(problems)
    values: dict[str, Any] = {}
    for name, spec in FILES.items():
        if raw.get(name) is None:
            continue  # missing or unreadable: said already
        values[name] = read(spec, raw[name] or {}, file=_label(paths[name], folder), problems=problems)
    check(values, policies, {name: _label(path, folder) for name, path in paths.items()}, problems)
    national, national_files = _national(chain, folder, problems)
    policy = _policy(values.get("school.toml"), policies, problems)
    if problems.found:
        raise SettingsError(tuple(problems.found))
    return build(
        values,
        folder=folder,
        bases=chain,
        files=paths,
        national=national,
        policy=policy,
        digest=_digest([*_all_schools(chain), *paths.values(), *national_files]),
    )


def _school_and_bases(folder: Path, problems: Problems) -> tuple[dict[str, Any] | None, tuple[Path, ...]]:
    """school.toml with the gaps filled from its bases, and the folders in order of search."""
    merged: dict[str, Any] | None = None
    chain: list[Path] = []
    here = folder
    while len(chain) < MAX_BASES:
        chain.append(here)
        path = here / "school.toml"
        found = _parse(path, _label(path, folder), problems) if path.is_file() else {}
        if found is None:
            return None, tuple(chain)
        merged = found if merged is None else _filled(merged, found)
        base = found.get("base", "")
        if not isinstance(base, str) or not base:
            return merged, tuple(chain)
        here = Path(os.path.normpath(here / base))
        if not here.is_dir():
            problems.add(
                _label(path, folder), "base", f"没有目录 {base}，请改正路径", f"no folder {base}, correct the path"
            )
            return merged, tuple(chain)
    problems.add("school.toml", "base", f"base 超过 {MAX_BASES} 层或成环", f"more than {MAX_BASES} bases, or a circle")
    return merged, tuple(chain)


def _filled(mine: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """`mine`, with tables and keys that only `base` has."""
    result = {**base, **mine}
    for name, value in mine.items():
        if isinstance(value, dict) and isinstance(base.get(name), dict):
            result[name] = {**base[name], **value}
    return result


def _find(chain: tuple[Path, ...], site_file: Path | str | None, problems: Problems) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    for name in FILES:
        if name == "site.toml" and site_file is not None:
            found: Path | None = Path(site_file)
        else:
            found = next((folder / name for folder in chain if (folder / name).is_file()), None)
        if found is not None and found.is_file():
            paths[name] = found
        elif name not in OPTIONAL or site_file is not None:
            label = str(site_file) if name == "site.toml" else name
            problems.add(label, "", f"缺少文件 {label}，请从示例复制一份", f"no file {label}: copy it from the example")
    return paths


def _national(chain: tuple[Path, ...], folder: Path, problems: Problems) -> tuple[NationalLayer, list[Path]]:
    """The national layer with the years that the school has dropped into `national/` itself."""
    files = sorted(path for base in chain for path in (base / "national").glob("*.json"))
    try:
        return national_layer(files), files
    except NationalFileBroken as broken:
        problems.add("national/", "", f"放假安排文件不能使用：{broken}", str(broken))
        return national_layer(), files


def _shipped_policies(problems: Problems) -> Path | None:
    try:
        return policies_dir()
    except SharedDataMissing as missing:
        problems.add("policies/", "", "找不到随软件提供的政策文件，请重新安装", str(missing))
        return None


def _policy(school: Mapping[str, Any] | None, policies: Path | None, problems: Problems) -> Policy | None:
    """The city's policy, where there is one that can be read."""
    city = ((school or {}).get("school") or {}).get("city")
    if not city or policies is None or not (policies / f"{city}.toml").is_file():
        return None  # `check` has named an unknown city already
    label = f"policies/{city}.toml"
    raw = _parse(policies / f"{city}.toml", label, problems)
    try:
        return parse_policy(raw) if raw is not None else None
    except PolicyRefused as refused:
        problems.found += [Problem(label, problem.where, problem.message) for problem in refused.problems]
    return None


def _parse(path: Path, label: str, problems: Problems) -> dict[str, Any] | None:
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_FILE_BYTES:
            problems.add(
                label, "", "文件过大，不像是配置文件", f"larger than {MAX_FILE_BYTES} bytes: not a settings file"
            )
            return None
        return tomllib.loads(raw.decode("utf-8-sig"))
    except OSError as error:
        problems.add(label, "", f"无法读取：{error.strerror}", f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        problems.add(label, "", "不是 UTF-8 文本，请另存为 UTF-8", "not UTF-8 text: save it again as UTF-8")
    except tomllib.TOMLDecodeError as error:
        problems.add(label, "", f"TOML 语法错误：{error}", f"not valid TOML: {error}")
    return None


def _label(path: Path, folder: Path) -> str:
    """How a file is named in a problem: relative to the folder that was asked for, if it lies near."""
    relative = os.path.relpath(path, folder)
    return relative if relative.count("..") <= 2 * MAX_BASES else str(path)


def _all_schools(chain: tuple[Path, ...]) -> list[Path]:
    """Every school.toml that the merged one was made of."""
    return [folder / "school.toml" for folder in chain if (folder / "school.toml").is_file()]


def _digest(paths: list[Path]) -> str:
    """SHA-256 over names and bytes of every file that was read: what `settings_adopted` records."""
    digest = hashlib.sha256()
    for path in dict.fromkeys(paths):
        content = path.read_bytes()
        digest.update(f"{path.name}:{len(content)}:".encode() + content)
    return digest.hexdigest()
