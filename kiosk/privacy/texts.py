"""The texts that a school gives families about its processing, made from what is really switched on, kept and connected.

告知书, the signs for cameras, the impact assessment (个人信息保护影响评估), the yearly audit sheet. Nothing here is written by
hand for one school: a camera that is added, a period that is changed, a face switched on change the words, and then the page
says that the words that were issued are not those in force. It is material for the school, not legal advice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from kiosk.settings import Settings
from kiosk.web.faces_format import Lang
from kiosk.web.faces_privacy import TextSection

FACES_FILED_FROM: Final = 100_000  # 人脸识别办法 15: filed within 30 workdays of reaching so many
CAMERAS: Final = frozenset({"v4l2", "rtsp", "still", "gstreamer"})
TERMINALS: Final = frozenset({"isapi", "adms"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What counts at this moment, beside the settings. notices: kinds of targets that staff are told by."""

    pupils: int = 0
    faces: int = 0
    snapshots_agreed: int = 0
    face_agreed: int = 0
    notices: tuple[str, ...] = ()
    erased_last_year: int = 0
    exported_last_year: int = 0
    requests_last_year: int = 0
    incidents_last_year: int = 0
    looks_kept: int = 0


class Words(NamedTuple):
    zh: str
    en: str

    def __call__(self, lang: Lang) -> str:
        return self.en if lang == "en" else self.zh


class Text(NamedTuple):
    title: str
    lead: str
    sections: tuple[TextSection, ...]


def made(what: str, settings: Settings, facts: Facts, lang: Lang) -> Text:
    """what: notice, signs, assessment, audit."""
    return _TEXTS[what](_Source(settings, facts, lang))


def digest_of(what: str, settings: Settings, facts: Facts) -> str:
    """Of the Chinese words, without the counts of the day: it changes when the configuration does."""
    steady = Facts(notices=facts.notices)
    return sha256(as_markdown(made(what, settings, steady, "zh")).encode()).hexdigest()


def as_markdown(text: Text) -> str:
    lines = [f"# {text.title}", "", text.lead, ""]
    for section in text.sections:
        lines += [f"## {section.heading}", ""]
        lines += [part for line in section.lines for part in (line, "")]
        if section.table:
            head, *rows = section.table
            lines += [_row(head), _row("---" for _ in head), *(_row(row) for row in rows), ""]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


class _Source:
    """The settings, asked in words."""

    def __init__(self, settings: Settings, facts: Facts, lang: Lang) -> None:
        self.settings, self.facts, self.lang = settings, facts, lang
        self.school = settings.school.name

    def say(self, zh: str, en: str) -> str:
        return Words(zh, en)(self.lang)

    @property
    def face_on(self) -> bool:
        return self.settings.rules.face is not None

    def cameras(self) -> tuple[str, ...]:
        """Names of the places where a camera takes a picture with a tap, and of terminals that have one."""
        points = self.settings.rules.access_points
        found = []
        for device in self.settings.site.devices:
            if device.scheme in CAMERAS | TERMINALS or "camera" in device.scheme:
                point = points.get(device.access_point)
                found.append(point.name if point else device.name)
        return tuple(dict.fromkeys(found))

    def days(self, days: int, *, after_year: bool = False) -> str:
        if not days:
            return self.say("不自动删除，由学校决定", "not erased by itself; the school decides")
        if after_year:
            return self.say(f"学年结束后 {days} 天", f"{days} days after the end of the school year")
        return self.say(f"{days} 天", f"{days} days")

    def kinds(self) -> tuple[tuple[str, ...], ...]:
        """What is processed, why, on which ground, for how long. Only what is switched on."""
        kept, say = self.settings.retention, self.say
        rows = [
            (say("种类", "kind"), say("目的", "purpose"), say("依据", "ground"), say("保存期限", "kept for")),
            (
                say("姓名、学号、班级、座号、卡号", "name, school number, class, seat, card"),
                say("进出校和课后服务考勤", "arrival, leaving and after-school attendance"),
                say("法定安全管理职责，并告知", "statutory duty of care, with this notice"),
                say("在校期间；离校后：", "while at school; then: ") + self.days(kept.left_days, after_year=True),
            ),
            (
                say("监护人和受委托人：姓名、关系、电话", "guardians and delegates: name, relation, telephone"),
                say("放学交接、联系", "handing over and calling"),
                say("法定安全管理职责，并告知", "statutory duty of care, with this notice"),
                say("随学生一并删除", "erased with the child"),
            ),
            (
                say("到校、离校、交接、点名记录（仅编号）", "arrivals, leavings, handovers, rolls (by number only)"),
                say("说明孩子何时由谁负责", "who answered for a child, and when"),
                say("法定安全管理职责", "statutory duty of care"),
                say("只有编号，姓名删除后不再指向个人；文字部分：", "numbers, which name nobody once the name is erased; texts: ")
                + self.days(kept.dossier_days),
            ),
            (
                say("请假理由、代接人姓名等文字", "free texts: reasons for leave, names of delegates"),
                say("请假与代接", "leave and delegated pick-up"),
                say("监护人提供", "given by the guardian"),
                self.days(kept.notes_days, after_year=True),
            ),
            (
                say("访客登记：姓名、单位、证件后四位", "visitors: name, organisation, last four of a document"),
                say("门卫登记", "the gate register"), say("法定安全管理职责", "statutory duty of care"),
                self.days(kept.visitors_days),
            ),
            (
                say("查看记录：谁看过哪个学生", "access records: who looked at which child"),
                say("监督内部人员", "supervising staff"), say("网络安全法 21、未成年人网络保护条例 36", "access records by law"),
                self.days(kept.access_days),
            ),
        ]  # fmt: skip
        return (*rows, *self._switched_on())

    def _switched_on(self) -> tuple[tuple[str, ...], ...]:
        """What only some schools have."""
        say, rows = self.say, list[tuple[str, ...]]()
        if self.cameras():
            rows.append((
                say("抓拍照片（加密）", "pictures taken with a tap (encrypted)"), say("核对刷卡人",
                    "that the card's holder tapped"),
                say("监护人单独同意", "a guardian's separate consent"),
                self.days(self.settings.site.web.keep_pictures_days),
            ))  # fmt: skip
        if self.face_on:
            rows.append((
                say("人脸特征（加密，只在本机）", "face templates (encrypted, on this computer only)"),
                say("给门卫提示，不决定放行", "a hint for the guard; decides nothing"),
                say("监护人单独同意，可随时撤回", "a guardian's separate consent, withdrawn at any time"),
                say("撤回或离校即删", "gone at once when withdrawn, or when the child leaves"),
            ))  # fmt: skip
        if self.facts.notices:
            rows.append((
                say("发给教职工的消息记录", "messages to staff, and whether they arrived"),
                say("提醒值班人员", "telling whoever is on duty"), say("学校管理需要", "running the school"),
                self.days(self.settings.retention.messages_days),
            ))  # fmt: skip
        return tuple(rows)

    def receivers(self) -> tuple[str, ...]:
        say, site = self.say, self.settings.site
        found = [
            say(
                "本校门卫、班主任和值班教师、值班领导、办公室，各看工作所需。",
                "Guards, class and duty teachers, duty leaders, the office: each what the work needs.",
            )
        ]
        if site.sync.server:
            found.append(
                say(f"学校自己的服务器 {site.sync.server}：名单和记录，不含照片、人脸、文字。",
                    f"The school's own server {site.sync.server}: the list and the records, without pictures, faces or texts.")
            )  # fmt: skip
        if self.facts.notices:
            kinds = "、".join(self.facts.notices)
            found.append(
                say(
                    f"通知渠道 {kinds}：班级和人数，按设置可含学生掩码姓名。",
                    f"Notice channels {kinds}: classes and counts, masked names only where set.",
                )
            )
        found.append(say("教育督导人员只看掩码后的姓名。除法律要求外，不向其他任何人提供，不出境。",
                             "Inspectors see masked names. Nobody else, unless the law demands it; nothing leaves the "
                             "country."))  # fmt: skip
        return tuple(found)


def _notice(source: _Source) -> Text:
    say = source.say
    off = [
        say("人脸比对：未启用。", "Comparing faces: not switched on.") if not source.face_on else "",
        say("摄像头：本机没有。", "Cameras: none on this computer.") if not source.cameras() else "",
        say("群消息和短信：未启用。", "Messages: not switched on.") if not source.facts.notices else "",
    ]
    return Text(
        say(f"{source.school} 个人信息处理告知书（含不满十四周岁未成年人专门规则）",
            f"{source.school}: how we process personal data (with the special rules for children under 14)"),
        say("处理者：", "Processor: ") + source.school + say("。联系：学校办公室。", ". Contact: the school office."),
        (
            TextSection(heading=say("一、处理什么、为什么、保存多久", "1. What, why and for how long"), table=source.kinds()),
            TextSection(heading=say("二、怎样处理", "2. How"), lines=(
                say("数据在学校自己的电脑里，照片加密保存；记录只写编号，不写姓名；公共屏幕只显示掩码姓名，随即清除。",
                        "On the school's own computers; pictures encrypted; records hold numbers, not "
                        "names; public screens show a"
                    " masked name for a moment."),
                *(line for line in off if line),
            )),
            TextSection(heading=say("三、谁能看到", "3. Who receives it"), lines=source.receivers()),
            TextSection(heading=say("四、为什么必要，有什么影响", "4. Why it is necessary, and what it means"), lines=(
                say(
                    "学校依法须建立交接和门卫登记制度，须说明孩子由谁负责。考勤记录显示孩子何时在校，属于敏感个人信息；"
                    "泄露可能让他人知道孩子的行踪，因此限制查看、留查看记录、到期删除。",
                        "The law wants handovers and a gate register; the school must say who answers for a child. "
                        "Attendance shows when a child is"
                        " where: leaked, it tells strangers. So few may look, each look is on record, and what is past "
                        "its time is erased."),
            )),
            TextSection(heading=say("五、您的权利", "5. Your rights"), lines=(
                say("可随时查阅、复制、更正、删除孩子的信息，撤回同意；到办公室提出，15 天内书面答复，不同意的写明理由。",
                        "You may see, copy, correct and erase your child's data and withdraw consent at any time, at "
                        "the office; the answer comes in"
                    " writing within 15 days, with the reason where we refuse."),
                say("不同意抓拍或人脸比对，不影响进出校、课后服务和任何其他事项；刷卡或由门卫人工核对同样通行。",
                    "Not agreeing to pictures or faces changes nothing else: card or the guard's eyes serve as well."),
            )),
        ),
    )  # fmt: skip


def _signs(source: _Source) -> Text:
    say = source.say
    places = source.cameras()
    sections = [
        TextSection(heading=place, lines=(
            say(
                f"您已进入图像采集区域（{place}）。为维护校园公共安全，刷卡时拍摄一张照片，只保存已同意家庭的学生照片，"
                f"保存 {source.settings.site.web.keep_pictures_days} 天。",
                    f"Camera ({place}). For safety at school one picture is taken with a tap; only of pupils whose "
                    "family agreed, kept"
                f" {source.settings.site.web.keep_pictures_days} days."),
            say("本处不识别人脸。" if not source.face_on else "仅对已同意家庭的学生作人脸核对，可选刷卡或人工核对。",
                "No faces are recognised here." if not source.face_on else
                    "Faces are compared only of pupils whose family agreed; card or guard instead."),
            say(f"处理者：{source.school}　查询、删除请联系学校办公室",
                f"Processor: {source.school}. To see or erase: the school office"),
        ))
        for place in places
    ]  # fmt: skip
    if not places:
        sections.append(TextSection(heading=say("没有摄像头", "No camera"), lines=(
            say("本机没有连接摄像头，不需要提示牌。", "No camera is connected here: no sign is needed."),)))  # fmt: skip
    lead = say(
        "印出后贴在下列位置的醒目处（个人信息保护法 26、人脸识别办法 13）。",
        "Print and put up in plain sight at each of these places.",
    )
    return Text(say("图像采集提示牌", "Signs for cameras"), lead, tuple(sections))


def _assessment(source: _Source) -> Text:
    say, facts = source.say, source.facts
    yes, no = say("是", "yes"), say("否", "no")
    risk = [
        (say("风险", "risk"), say("措施（已在用）", "measure in force"), say("学校评价", "the school's judgement")),
        (say("他人得知孩子行踪", "a stranger learns where a child is"), say("只记编号；公共屏幕掩码；查看有记录",
            "numbers only; masked screens; looks on record"), ""),
        (say("交给无关人员", "handed to the wrong adult"), say("门卫核对照片、电话回访、低年级须成人",
            "photo, call-back, an adult for low grades"), ""),
        (say("内部人员滥看", "staff look without need"), say("最小权限、查看记录保存",
            "least view, access records kept") + " " + source.days(source.settings.retention.access_days), ""),
        (say("设备被盗", "a computer is stolen"), say("照片、特征加密；记录无姓名；密钥分开；备份同样删除",
            "pictures and templates encrypted; no names in records; copies erased too"), ""),
    ]  # fmt: skip
    if source.face_on:
        risk.append(
            (
                say("人脸被滥用或误判", "faces misused or misjudged"),
                say("一对一、只提示、不外传、可撤回即删", "one to one, a hint only, never sent, gone when withdrawn"),
                "",
            )
        )
    asked = (
        (say("问题", "question"), say("现在的配置", "as configured now")),
        (say("处理敏感个人信息（不满十四周岁）", "sensitive data (under 14)"), yes),
        (say("启用人脸比对", "faces compared"), yes if source.face_on else no),
        (say("其他通行方式", "another way offered"), say("刷卡、报座号、门卫核对", "card, class and seat, the guard")),
        (say("摄像头位置", "cameras"), "、".join(source.cameras()) or no),
        (say("通过互联网传出", "sent over the internet"), say("仅通知渠道：", "notice channels only: ") + "、".join(facts.notices)
            if facts.notices else no),
        (say("离校后自动删除", "erased by itself after leaving"), source.days(source.settings.retention.left_days,
            after_year=True)),
    )  # fmt: skip
    sections = [
        TextSection(heading=say("一、处理情况", "1. The processing"), table=source.kinds()),
        TextSection(heading=say("二、合法、正当、必要", "2. Lawful, legitimate, necessary"), table=asked),
        TextSection(heading=say("三、对个人权益的影响与风险、措施", "3. Effect, risks, measures"), table=tuple(risk)),
        TextSection(heading=say("四、结论（学校填写）", "4. Conclusion (by the school)"), lines=(
            say("结论：＿＿＿＿＿＿　评估人：＿＿＿＿＿＿　日期：＿＿＿＿＿＿",
                "Conclusion: ________  By: ________  Date: ________"),
            say("报告和处理情况记录至少保存三年（个人信息保护法 56）；每次生成都记入日志，长期保存。配置改变或发生事件时重做。",
                    "Kept for three years at least; each issue is a fact in the journal. To be made again when the "
                    "configuration changes or after an incident."),
        )),
    ]  # fmt: skip
    if facts.pupils:
        sections.insert(3, _counts(source))
    lead = say(
        "由当前配置生成，学校补充判断后签字。", "Made from the configuration in force; the school adds its judgement and signs."
    )
    return Text(
        say(f"{source.school} 个人信息保护影响评估", f"{source.school}: personal information impact assessment"),
        lead,
        tuple(sections),
    )


def _counts(source: _Source) -> TextSection:
    say, facts = source.say, source.facts
    far = facts.faces < FACES_FILED_FROM
    return TextSection(heading=say("现有数量", "Counts now"), table=(
        (say("项目", "item"), say("数量", "count")),
        (say("学生", "pupils"), str(facts.pupils)),
        (say("同意抓拍", "agreed to pictures"), str(facts.snapshots_agreed)),
        (say("同意人脸比对", "agreed to comparing faces"), str(facts.face_agreed)),
        (say("本机人脸特征（达到 10 万须向省级网信部门备案）", "templates here (filed with the provincial office from 100,000)"),
         f"{facts.faces} / {FACES_FILED_FROM:,}" + ("" if far else say("：须备案", ": must be filed"))),
    ))  # fmt: skip


def _audit(source: _Source) -> Text:
    say, facts = source.say, source.facts
    checks = (
        (say("检查项", "check"), say("本系统一年内的记录", "this system's records of the last year"), say("结论", "finding")),
        (say("到期删除是否执行", "retention carried out"), say(f"删除人员 {facts.erased_last_year}",
            f"{facts.erased_last_year} persons erased"), ""),
        (say("查阅、复制请求", "requests to see"), str(facts.exported_last_year), ""),
        (say("更正请求及答复", "requests to correct"), str(facts.requests_last_year), ""),
        (say("安全事件", "incidents"), str(facts.incidents_last_year), ""),
        (say("查看记录", "access records kept"), str(facts.looks_kept), ""),
        (say("告知书与现配置一致", "the notice fits the configuration"), say("见“告知书”页", "see the notice page"), ""),
        (say("权限与人员相符", "rights fit the people"), say("对照教职工表", "compare the staff list"), ""),
        (say("备份可恢复，已删人员不在其中", "copies restore, and hold nobody erased"), say("kiosk restore --drill",
            "kiosk restore --drill"), ""),
    )  # fmt: skip
    sign = say(
        "审计人：＿＿＿＿＿＿　日期：＿＿＿＿＿＿　报送：＿＿＿＿＿＿", "Auditor: ________  Date: ________  Reported to: ________"
    )
    lead = say(
        "未成年人网络保护条例 37：每年对处理未成年人个人信息的情况进行合规审计。",
        "Once a year, by the rules on protecting minors online.",
    )
    sections = (
        TextSection(heading=say("审计表", "Audit sheet"), table=checks, lines=()),
        TextSection(heading=say("签字", "Signed"), lines=(sign,)),
    )
    return Text(say(f"{source.school} 年度合规审计表", f"{source.school}: yearly audit sheet"), lead, sections)


_TEXTS: Final = {"notice": _notice, "signs": _signs, "assessment": _assessment, "audit": _audit}
