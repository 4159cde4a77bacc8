"""The policy files: which there are, the value of one, and a sheet of it that people can read.

Reads only; what a file may say is `kiosk.core.policy_file`'s business.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

from kiosk.clock import SystemClock
from kiosk.core.policy import STRENGTH_WORDS, Policy, PolicyProblem, PolicyRefused, Rule
from kiosk.core.policy_file import parse_policy
from kiosk.core.policy_rows import GROUPS, ROWS, row_of
from kiosk.core.practices import Words
from kiosk.core.school_plan import clock
from kiosk.settings import SharedDataMissing, policies_dir

MAX_FILE_BYTES: Final = 1_000_000


DAY_MS: Final = 86_400_000
CHINA_MS: Final = 8 * 3_600_000
_EPOCH: Final = date(1970, 1, 1).toordinal()

TYPES_ZH: Final[Mapping[str, str]] = {
    "day_basis": "服务日",
    "days_per_week": "每周天数",
    "weekend_days": "双休日",
    "weeks_per_year": "每学年周数",
    "class_days_only": "只在上课日",
    "holiday_opening": "寒暑假开放",
    "min_minutes": "每天时长",
    "end_not_before": "结束不早于",
    "end_not_after": "结束不晚于",
    "end_link": "与下班时间衔接",
    "seasonal": "季节作息",
    "schedule_fixed": "学期内固定",
    "slot_kind": "时段内容",
    "offer": "提供",
    "only_stages": "限定学段",
    "not_the_service": "不属于课后服务",
    "menu": "服务项目公布",
    "forbid_kinds": "不得上课补课",
    "sports_required": "体育锻炼",
    "staff_per_group": "每班教师",
    "require": "须有",
    "forbid": "不得",
    "fees": "收费",
    "funding": "经费核算",
    "fees_after_filing": "同意后收费",
    "plan_filing": "方案备案",
    "report_dates": "上报日期",
    "validity": "有效期",
    "statement": "说明",
}


class PolicyMissing(LookupError):
    """There is no usable policy of that name; the sentence says which there are, or what is wrong with the file."""


def today(utc_offset_ms: int = CHINA_MS) -> date:
    """The local date by this computer's clock."""
    return date.fromordinal(_EPOCH + (SystemClock().now_ms() + utc_offset_ms) // DAY_MS)


def show_policy(name: str, *, on: date | None = None, policies: Path | None = None) -> str:
    """The sheet of a policy, as of today unless told otherwise. Raises PolicyMissing."""
    try:
        return policy_sheet(load_policy(name, policies), on=on or today())
    except (PolicyRefused, SharedDataMissing) as error:
        raise PolicyMissing(f"policies/{name}.toml: {error}") from error


def load_policy(name: str, policies: Path | None = None) -> Policy:
    """The policy of a file `<name>.toml`, of the shipped folder by default.

    Raises PolicyRefused with every problem at once, also for a file that is missing or is not TOML, and
    SharedDataMissing where the shipped folder is gone.
    """
    path = (policies or policies_dir()) / f"{name}.toml"
    if not path.is_file():
        known = "、".join(policy_names(policies)) or "-"
        raise _refused(f"没有政策“{name}”，可用：{known}", f"there is no policy '{name}'; known: {known}")
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _refused("文件过大，不像是政策文件", f"larger than {MAX_FILE_BYTES} bytes: not a policy file")
        found = parse_policy(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise _refused(f"无法读取：{error.strerror}", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _refused("不是 UTF-8 文本，请另存为 UTF-8", "not UTF-8 text: save it again as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise _refused(f"TOML 语法错误：{error}", f"not valid TOML: {error}") from error
    if found.id != name:
        raise PolicyRefused((PolicyProblem("policy.id", f"应为 {name} / must be '{name}', the name of the file"),))
    return found


def policy_names(policies: Path | None = None) -> tuple[str, ...]:
    """The policy files there are, overlays among them."""
    return tuple(sorted(path.stem for path in (policies or policies_dir()).glob("*.toml")))


def policy_sheet(policy: Policy, *, on: date) -> str:
    """A policy for people: every clause with its strength and its figures, and what the document is silent on."""
    lines = [f"{policy.name} / {policy.name_en}" + (f"  {policy.model}" if policy.model else ""), ""]
    for document in dict.fromkeys(rule.document for rule in policy.rules):
        lines.append(f"{document}  {document.issuer}".rstrip())
        until = f"，至 {document.valid_until}" if document.valid_until else ""
        lapsed = "（已过有效期 / lapsed）" if document.valid_until and document.valid_until < on else ""
        lines.append(f"  施行 / in force: {document.effective_from or '-'}{until}{lapsed}")
        lines += [f"  {document.note}"] if document.note else []
    lines += [policy.note] if policy.note else []
    lines += [f"变体 / variant {name}: {words.zh} / {words.en}" for name, words in policy.variants.items()]
    lines.append("")
    several = len({rule.document for rule in policy.rules}) > 1
    itself = {"N": Words(policy.name, policy.name_en), "v": Words("文件效力", "the paper itself")}
    for group, words in {**GROUPS, **itself}.items():
        rules = [rule for rule in policy.rules if rule.id.startswith(group)]
        lines += [f"— {words.zh} / {words.en} —", ""] if rules else []
        for rule in rules:
            lines += [*_rule_lines(policy, rule, several), ""]
    spoken = {row for rule in policy.rules for row in (row_of(rule.id), *rule.also)}
    if not policy.overlay:
        lines += ["文件没有写的，由学校决定。 / What the document does not say, the school decides."]
        for group in GROUPS:
            silent = [f"{row} {words.zh}" for row, words in ROWS.items() if row[0] == group and row not in spoken]
            lines += [f"  {'、'.join(silent)}"] if silent else []
    return "\n".join(lines).rstrip()


def _rule_lines(policy: Policy, rule: Rule, several: bool) -> list[str]:
    """Strength and what it is about; the words themselves; how the file says it."""
    row = ROWS.get(row_of(rule.id))
    title = f"{row.zh} / {row.en}" if row else TYPES_ZH[rule.type]
    also = f"，兼及 / also {'、'.join(rule.also)}" if rule.also else ""
    source = [f"      —— {rule.document}"] if several else []
    return [
        f"{rule.id}  {STRENGTH_WORDS[rule.strength]} ({rule.strength})  {title}{also}",
        f"    “{rule.clause}”",
        *source,
        f"    {_figures(policy, rule)}",
    ]


def _figures(policy: Policy, rule: Rule) -> str:
    """The scope and the values of a rule on one line: `[winter] 结束不晚于 end_not_after at=17:30`."""
    scope = [rule.season, rule.variant]
    scope += [stage.value for stage in sorted(rule.stages)] if rule.stages != policy.stages else []
    values = [f"{key}={shown_value(key, value)}" for key, value in rule.values.items() if key != "practices"]
    values += [f"{practice}（{rule.label(practice).zh}）" for practice in rule.words("practices")]
    return " ".join([*(f"[{part}]" for part in scope if part), TYPES_ZH[rule.type], rule.type, *values])


def shown_value(key: str, value: object) -> str:
    if key == "at" and isinstance(value, int):
        return clock(value)
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, Mapping):
        return ",".join(f"{k}:{v}" for k, v in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refused(zh: str, en: str) -> PolicyRefused:
    return PolicyRefused((PolicyProblem("", f"{zh} / {en}"),))
