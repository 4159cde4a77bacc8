"""What the platforms answer when they do not take a message, each known code in one sentence with its remedy.

Codes as the platforms publish them; an unknown one is passed on with the platform's own words.
"""

from __future__ import annotations

from typing import Final

BAN_S: Final = 10 * 60.0  # DingTalk shuts a robot out for ten minutes
NEXT_MINUTE_S: Final = 60.0
WORDS_MAX: Final = 160  # characters of what a platform says

THROTTLED_S: Final[dict[str, dict[int, float]]] = {
    "dingtalk": {130101: BAN_S, 410100: BAN_S},
    "wecom": {45009: NEXT_MINUTE_S},
    "feishu": {11232: NEXT_MINUTE_S},
}

# (code, a part of the platform's message or "") -> (Chinese, English). The first that fits is said.
_DINGTALK: Final[tuple[tuple[int, str, str, str], ...]] = (
    (310000, "sign", "加签不符，请核对 secret", "the signature does not match: check secret"),
    (310000, "keyword", "缺少自定义关键词，请在 keyword 填上机器人要求的词", "the robot's keyword is missing: set keyword"),
    (310000, "whitelist", "本机出口 IP 不在机器人的 IP 地址段内", "this computer's address is not on the robot's list of IPs"),
    (310000, "timestamp", "时间相差超过一小时，请校准本机时钟", "the clock is more than an hour off: set it"),
    (310000, "", "安全设置校验未通过（加签、关键词或 IP）", "its security settings refused (signature, keyword or IP)"),
    (130101, "", "发送过快，机器人停用十分钟", "too fast: the robot is shut out for ten minutes"),
    (410100, "", "发送过快，机器人停用十分钟", "too fast: the robot is shut out for ten minutes"),
    (300001, "", "机器人地址无效，请重新复制到 link", "the robot's link is not valid: copy it again into link"),
    (300005, "", "机器人地址无效，请重新复制到 link", "the robot's link is not valid: copy it again into link"),
    (400101, "", "机器人地址无效，请重新复制到 link", "the robot's link is not valid: copy it again into link"),
    (400013, "", "群已解散，请换一个群", "the group was dissolved: use another one"),
    (400102, "", "机器人已停用，请管理员启用", "the robot is switched off: ask the administrator"),
    (400106, "", "机器人不在群里，请重新添加", "the robot is not in the group: add it again"),
    (430102, "", "内容未通过平台审核", "the platform refused the text"),
    (430104, "", "内容未通过平台审核", "the platform refused the text"),
    (-1, "", "平台繁忙", "the platform is busy"),
)
_WECOM: Final[tuple[tuple[int, str, str, str], ...]] = (
    (45009, "", "发送过快，下一分钟再试", "too fast: tried again in the next minute"),
    (93000, "exceed", "内容过长", "the text is too long"),
    (93000, "", "机器人地址无效或机器人已被移除，请重新复制到 link", "the link is not valid: copy it again"),
    (45002, "", "内容过长", "the text is too long"),
    (40058, "", "平台不接受内容", "the platform does not accept the text"),
    (-1, "", "平台繁忙", "the platform is busy"),
)
_FEISHU: Final[tuple[tuple[int, str, str, str], ...]] = (
    (19021, "", "加签不符或时间相差超过一小时，请核对 secret 和本机时钟", "wrong signature or clock: check secret and the clock"),
    (19022, "", "本机出口 IP 不在机器人的白名单内", "this computer's address is not on the robot's list of IPs"),
    (19024, "", "缺少自定义关键词，请在 keyword 填上机器人要求的词", "the robot's keyword is missing: set keyword"),
    (19001, "", "机器人地址无效，请重新复制到 link", "the robot's link is not valid: copy it again into link"),
    (11232, "", "平台限流，稍后再试", "the platform is throttling: tried again later"),
    (9499, "frequency", "平台限流，稍后再试", "the platform is throttling: tried again later"),
    (9499, "", "平台不接受请求格式", "the platform does not accept the request"),
)
_KNOWN: Final = {"dingtalk": _DINGTALK, "wecom": _WECOM, "feishu": _FEISHU}


class NotAccepted(Exception):
    """The other side did not take the message, or nobody knows. `str` is the sentence for people.

    code: the platform's own. twice: it may have arrived all the same. hold_s: how long to leave the target alone, 0 = as usual.
    """

    def __init__(self, zh: str, en: str, *, code: str = "", twice: bool = False, hold_s: float = 0.0) -> None:
        super().__init__(f"{zh} / {en}")
        self.code, self.twice, self.hold_s = code, twice, hold_s


def refused(kind: str, code: int, said: str) -> NotAccepted:
    """The platform answered with an error code."""
    said = " ".join(said.split())[:WORDS_MAX]
    meant = ((zh, en) for known, part, zh, en in _KNOWN[kind] if known == code and part in said.lower())
    zh, en = next(meant, (said or "没有说明原因", "no explanation is known"))
    hold_s = THROTTLED_S[kind].get(code, 0.0)
    return NotAccepted(f"{code}：{zh}", f"{code}: {en}", code=str(code), hold_s=hold_s)
