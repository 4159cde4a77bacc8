"""Makes a `Policy` of a parsed policy file, or says everything that is wrong with it at once.

Every key is known: a misspelt one is a problem, not a silent default. Quotes lose their white space here,
because the papers are hard-wrapped. Never opens a file: the mapping comes from whoever read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kiosk.core.people import Stage
from kiosk.core.policy import Document, Policy, PolicyProblem, PolicyRefused, Rule, Strength
from kiosk.core.policy_keys import DOCUMENT_KEYS, POLICY_KEYS, RULE_KEYS, RULE_TYPES, Key, Wrong
from kiosk.core.practices import PRACTICES

SCHEMA: Final = 1
RULES_MAX: Final = 200  # a policy file with more is not one


@dataclass(slots=True)
class _Problems:
    found: list[PolicyProblem] = field(default_factory=list)

    def add(self, where: str, zh: str, en: str) -> None:
        self.found.append(PolicyProblem(where, f"{zh} / {en}"))


def parse_policy(raw: Mapping[str, object]) -> Policy:
    """The policy that a parsed TOML file describes. Raises PolicyRefused with every problem at once."""
    problems = _Problems()
    _no_others(raw, ("schema", "policy", "documents", "rule"), "", problems)
    if raw.get("schema") != SCHEMA:
        problems.add("schema", f"应写 schema = {SCHEMA}", f"must be schema = {SCHEMA}: this program reads no other")
    own = _fields(_table(raw, "policy", problems), POLICY_KEYS, "policy", problems)
    documents = _documents(_table(raw, "documents", problems), problems)
    rules = _rules(raw.get("rule"), own, documents, problems)
    if problems.found:
        raise PolicyRefused(tuple(problems.found))
    return Policy(
        id=own["id"],
        name=own["name"],
        name_en=own["name_en"],
        overlay=own["kind"] == "overlay",
        stages=_stages(own["stages"]),
        rules=tuple(rules),
        variants=own["variants"],
        traits=frozenset(own["traits"]),
        model=own["model"],
        note=own["note"],
    )


def _table(raw: Mapping[str, object], name: str, problems: _Problems) -> Mapping[str, object]:
    found = raw.get(name)
    if isinstance(found, dict):
        return found
    problems.add(name, f"缺少 [{name}]", f"missing: add a [{name}] table")
    return {}


def _no_others(raw: Mapping[str, object], known: Iterable[str], where: str, problems: _Problems) -> None:
    for name in sorted(set(raw) - set(known)):
        at = f"{where}.{name}" if where else name
        listed = ", ".join(known)
        problems.add(at, f"没有这一项，可用：{listed}", f"no such key: remove it, or use one of {listed}")


def _fields(
    raw: Mapping[str, object], known: Mapping[str, Key], where: str, problems: _Problems, others: Iterable[str] = ()
) -> dict[str, Any]:
    """The value of every known key; a key that is wrong has its default and a problem."""
    _no_others(raw, (*known, *others), where, problems)
    return {name: _field(raw, name, key, where, problems) for name, key in known.items()}


def _field(raw: Mapping[str, object], name: str, key: Key, where: str, problems: _Problems) -> Any:
    if name not in raw:
        if key.required:
            problems.add(f"{where}.{name}", "缺少必填项", f"missing: add {name} = ...")
        return key.default
    try:
        return key.read(raw[name])
    except Wrong as wrong:
        problems.add(f"{where}.{name}", wrong.args[0], wrong.args[1])
        return key.default


def _documents(raw: Mapping[str, object], problems: _Problems) -> dict[str, Document]:
    documents: dict[str, Document] = {}
    for name, table in raw.items():
        where = f"documents.{name}"
        if isinstance(table, dict):
            documents[name] = Document(**_fields(table, DOCUMENT_KEYS, where, problems))
        else:
            problems.add(where, f"应写成 [{where}]", f"must be a table, written as [{where}]")
    if "main" not in documents:
        problems.add("documents.main", "缺少主文件", "missing: rules are quoted from it unless they name another")
    return documents


def _rules(raw: object, policy: Mapping[str, Any], documents: Mapping[str, Document], problems: _Problems) -> list[Rule]:
    if not isinstance(raw, list) or not raw or not all(isinstance(row, dict) for row in raw):
        problems.add("rule", "应有若干 [[rule]]", "must be a list of [[rule]] tables, at least one")
        return []
    if len(raw) > RULES_MAX:
        problems.add("rule", f"超过 {RULES_MAX} 条", f"more than {RULES_MAX} rules: not a policy file")
        return []
    rules: list[Rule] = []
    seen: set[str] = set()
    for i, row in enumerate(raw, 1):
        name = row.get("id")
        where = f"rule[{i}] {name}" if isinstance(name, str) else f"rule[{i}]"
        if isinstance(name, str) and name in seen:
            problems.add(f"{where}.id", f"“{name}”重复", f"'{name}' is used twice: add a suffix, such as {name}.b")
        seen.add(str(name))
        if (rule := _rule(row, where, policy, documents, problems)) is not None:
            rules.append(rule)
    for rule in rules:
        if rule.instead_of and rule.instead_of not in seen:
            problems.add(f"rule {rule.id}.instead_of", f"没有规则“{rule.instead_of}”", f"no rule '{rule.instead_of}'")
    return rules


def _rule(
    raw: Mapping[str, object],
    where: str,
    policy: Mapping[str, Any],
    documents: Mapping[str, Document],
    problems: _Problems,
) -> Rule | None:
    """One rule, or None after its problems have been said."""
    before = len(problems.found)
    keys = RULE_TYPES.get(str(raw.get("type")), {})
    common = _fields(raw, RULE_KEYS, where, problems, others=keys)
    values = {name: _field(raw, name, key, where, problems) for name, key in keys.items() if key.required or name in raw}
    _fits_together(common, values, where, policy, documents, problems)
    if len(problems.found) > before:
        return None
    return Rule(
        **{name: value for name, value in common.items() if name not in ("strength", "document", "stages")},
        strength=Strength(common["strength"]),
        document=documents[common["document"]],
        stages=_stages(common["stages"] or policy["stages"]),
        values=values,
    )


def _fits_together(
    common: Mapping[str, Any],
    values: Mapping[str, Any],
    where: str,
    policy: Mapping[str, Any],
    documents: Mapping[str, Document],
    problems: _Problems,
) -> None:
    """What one key alone cannot show to be wrong."""
    document = documents.get(common["document"])
    if document is None:
        problems.add(f"{where}.document", f"没有文件“{common['document']}”", f"no [documents.{common['document']}]")
    if common["variant"] and common["variant"] not in policy["variants"]:
        known = ", ".join(policy["variants"]) or "-"
        problems.add(f"{where}.variant", f"没有变体，可用：{known}", f"no such variant in policy.variants: {known}")
    if outside := set(common["stages"]) - set(policy["stages"]):
        listed = ", ".join(sorted(outside))
        problems.add(f"{where}.stages", f"政策不含学段 {listed}", f"{listed} is not among policy.stages")
    if common["type"] in ("end_not_before", "end_not_after") and ("at" in values) == ("ref" in values):
        problems.add(where, "at 与 ref 须写且只写一个", 'needs either at = "18:30" or ref = "local_off_work"')
    if common["type"] == "seasonal" and not values:
        problems.add(where, "须写 at_least 或 seasons", "needs at_least = 2 or seasons = [...]")
    if common["type"] == "validity" and document is not None and document.valid_until is None:
        problems.add(where, "文件没有写 valid_until", "its document has no valid_until to lapse on")
    for practice in values.get("practices") or ():
        if practice not in PRACTICES and practice not in common["labels"]:
            labels = f'labels = {{ {practice} = {{ zh = "...", en = "..." }} }}'
            en = f"'{practice}' is not known: correct it, or add {labels}"
            problems.add(f"{where}.practices", f"不认识“{practice}”，请改正或用 labels 说明", en)


def _stages(names: Iterable[str]) -> frozenset[Stage]:
    return frozenset(Stage(name) for name in names)
