"""notices.toml: whom to tell, where, and what. An optional file beside the other settings; without it nobody is told anything.

Every problem is reported at once, each with its file, its key and the remedy.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from kiosk.notices import apprise_ways, robots
from kiosk.notices.pace import Limit
from kiosk.notices.words import ORDER, Level
from kiosk.settings import Problem, Settings, SettingsError
from kiosk.settings.schema import Key, Kind, Problems, Section, Shape, read

FILE: Final = "notices.toml"
MAX_TARGETS: Final = 20
ROBOTS: Final = ("dingtalk", "wecom", "feishu")
KINDS: Final = (*ROBOTS, "email", "webhook")
LIMITS: Final = robots.LIMITS | apprise_ways.LIMITS
MAX_BYTES: Final = robots.MAX_BYTES | apprise_ways.MAX_BYTES

_COMMON: Final = (
    Key("gather_s", Kind.NUMBER, "普通通知等这么久，合成一条", "normal notices gather this long and go as one", 20, (), 0, 600),
    Key("give_up_min", Kind.NUMBER, "发不出去的通知多久后放弃", "how long a notice is tried", 120, (), 5, 1440),
)
_TARGET: Final = (
    Key("name", Kind.TEXT, "页面上的名称", "its name on the pages"),
    Key("kind", Kind.TEXT, "哪一种", "which sort", choices=KINDS),
    Key("link", Kind.TEXT, "机器人的完整地址，或 apprise 的地址", "the robot's whole link, or an apprise URL"),
    Key("secret", Kind.TEXT, "加签密钥（钉钉、飞书）", "the signing secret (DingTalk, Feishu)", ""),
    Key("keyword", Kind.TEXT, "机器人要求的自定义关键词", "the keyword that the robot asks for", ""),
    Key("from_level", Kind.TEXT, "从哪一级起发送", "from which level on it is told", "normal", tuple(v.value for v in ORDER)),
    Key("roles", Kind.TEXTS, "未接处置只发给这些岗位；空为全部", "only rungs that tell one of these; empty = all", ()),
    Key("alarms", Kind.FLAG, "是否接收无声提醒", "whether silent alarms go there", False),
    Key("name_children", Kind.FLAG, "是否写出学生（遮盖名）", "whether children are named, masked", False),
    Key("digest_at", Kind.TIMES, "次要通知汇总到这些时刻", "when the info level goes as a digest", ()),
    Key("per_minute", Kind.NUMBER, "每分钟最多几条；0 为略低于平台限额", "at most; 0 = below the platform's limit", 0, (), 0, 90),
    Key("lang", Kind.TEXT, "语言", "language", "zh", ("zh", "en")),
)
TOP: Final = Section(
    "", Shape.ONE, "通知", "Notices", (),
    (
        Section("notices", Shape.ONE, "对全部对象有效", "For all targets", _COMMON),
        Section("target", Shape.MANY, "一个群、一个邮箱或一个接口", "One group, one mailbox or one webhook", _TARGET),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where notices go. `link` and `secret` are passwords: they are never shown, logged or stored elsewhere."""

    name: str
    kind: str
    link: str = field(repr=False)
    secret: str = field(default="", repr=False)
    keyword: str = ""
    from_level: Level = Level.NORMAL
    roles: frozenset[str] = frozenset()
    alarms: bool = False
    name_children: bool = False
    digest_at_min: tuple[int, ...] = ()
    per_minute: int = 0
    lang: str = "zh"

    @property
    def limits(self) -> tuple[Limit, ...]:
        return (*LIMITS[self.kind], *((Limit(self.per_minute, 60.0),) if self.per_minute else ()))

    @property
    def max_bytes(self) -> int:
        return MAX_BYTES[self.kind]

    @property
    def host(self) -> str:
        """What may be shown of the link."""
        return urlsplit(self.link).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesSettings:
    targets: tuple[Target, ...] = ()
    gather_ms: int = 20_000
    give_up_ms: int = 120 * 60_000


def load_notices(settings: Settings) -> NoticesSettings:
    """The targets of a school; none without the file. Raises SettingsError with every problem that was found."""
    path = settings.find(FILE)
    return load_file(path) if path is not None else NoticesSettings()


def problems_of(settings: Settings) -> tuple[Problem, ...]:
    """For `kiosk check`."""
    try:
        load_notices(settings)
    except SettingsError as error:
        return error.problems
    return ()


def load_file(path: Path) -> NoticesSettings:
    """Raises SettingsError."""
    problems = Problems()
    raw = _parsed(path, problems)
    values = read(TOP, raw, file=FILE, problems=problems)
    targets = [_target(row, f"target[{i}]", problems) for i, row in enumerate(values["target"], 1)]
    _check_all(values["target"], problems)
    if problems.found:
        raise SettingsError(tuple(problems.found))
    common = values["notices"] or {key.name: key.default for key in _COMMON}
    return NoticesSettings(
        targets=tuple(target for target in targets if target is not None),
        gather_ms=common["gather_s"] * 1000,
        give_up_ms=common["give_up_min"] * 60_000,
    )


def _parsed(path: Path, problems: Problems) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problems.add(FILE, "", f"无法读取：{error.strerror}", f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        problems.add(FILE, "", "不是 UTF-8 文本，请另存为 UTF-8", "not UTF-8 text: save it again as UTF-8")
    except tomllib.TOMLDecodeError as error:
        problems.add(FILE, "", f"TOML 语法错误：{error}", f"not valid TOML: {error}")
    return {}


def _check_all(rows: list[dict[str, Any]], problems: Problems) -> None:
    names = [row["name"] for row in rows if row["name"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(FILE, "target.name", f"“{name}”写了两次，请改名", f"'{name}' is there twice: rename one")
    links = [row["link"] for row in rows if row["link"]]
    if len(links) != len(set(links)):  # each would count its messages for itself, and together they would be too fast
        problems.add(FILE, "target.link", "同一地址写了两次，请合并", "the same link is there twice: join the two targets")
    if len(rows) > MAX_TARGETS:
        problems.add(FILE, "target", f"最多 {MAX_TARGETS} 个，请合并", f"at most {MAX_TARGETS}: join some")


def _target(row: Mapping[str, Any], where: str, problems: Problems) -> Target | None:
    """None where a problem was named."""
    before = len(problems.found)
    if row["name"] == "":
        problems.add(FILE, f"{where}.name", "不能为空", "must not be empty")
    if row["kind"] is not None and row["link"] is not None:
        _check_link(row["kind"], row["link"], f"{where}.link", problems)
    if row["secret"] and row["kind"] not in (None, "dingtalk", "feishu"):
        problems.add(FILE, f"{where}.secret", "只有钉钉、飞书有加签，请删去", "only DingTalk and Feishu sign: remove it")
    _check_required(row, where, problems)
    if len(problems.found) > before or None in row.values():
        return None
    return Target(
        name=row["name"], kind=row["kind"], link=row["link"], secret=row["secret"], keyword=row["keyword"],
        from_level=Level(row["from_level"]), roles=frozenset(row["roles"]), alarms=row["alarms"],
        name_children=row["name_children"], digest_at_min=tuple(row["digest_at"]), per_minute=row["per_minute"], lang=row["lang"],
    )  # fmt: skip


def _check_required(row: Mapping[str, Any], where: str, problems: Problems) -> None:
    if row["digest_at"] and row["from_level"] not in (None, Level.INFO.value):
        zh, en = 'digest_at 只汇总 info 级，请写 from_level = "info"', 'digest_at is for the info level: set from_level = "info"'
        problems.add(FILE, f"{where}.digest_at", zh, en)


def _check_link(kind: str, link: str, where: str, problems: Problems) -> None:
    if kind in ROBOTS:
        _check_robot(kind, link, where, problems)
        return
    try:
        apprise_ways.service(kind, link)
    except apprise_ways.Unusable as error:
        problems.add(FILE, where, str(error.args[0]), str(error.args[1]))


def _check_robot(kind: str, link: str, where: str, problems: Problems) -> None:
    try:
        parts = urlsplit(link)
        query, host = parse_qs(parts.query), parts.hostname or ""
    except ValueError:
        parts, query, host = urlsplit(""), {}, ""
    whole = {
        "dingtalk": parts.path.endswith("/robot/send") and bool(query.get("access_token")),
        "wecom": parts.path.endswith("/webhook/send") and bool(query.get("key")),
        "feishu": "/bot/v2/hook/" in parts.path and not parts.path.endswith("/hook/"),
    }
    if parts.scheme not in ("http", "https") or not host or not whole[kind]:
        problems.add(FILE, where, "不是完整的机器人地址，请重新复制", "not a robot's whole link: copy it again from the group")
    elif parts.scheme == "http" and not _is_near(host):
        problems.add(FILE, where, "外网地址必须用 https://", "must begin with https:// outside the school's network")


def _is_near(host: str) -> bool:
    """This computer, or an address of the school's own network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost"
