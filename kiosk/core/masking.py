"""Masked names, telephone numbers and identity numbers for every screen that bystanders can see.

Masks hide, they do not encrypt: a masked name together with a class still points to a child for those
who know it. Never decides who may see the full text; that is the caller's business.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

STAR = "*"
NAME_DOT = "·"

_COMPOUND = (
    "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 "
    "慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 "
    "轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 公户 公玉 公仪 梁丘 公仲 公上 公门 公山 公坚 左丘 公伯 西门 公祖 第五 "
    "公乘 贯丘 公皙 南荣 东里 东宫 仲长 子书 子桑 即墨 淳于 达奚 褚师 纳兰 完颜 叶赫 爱新 耶律 第二 单于"
)
COMPOUND_SURNAMES = frozenset(_COMPOUND.split())

_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


def surname_of(name: str) -> str:
    """The surname of a Han name without dots: two characters where a compound surname leaves a given name."""
    return name[:2] if len(name) > 2 and name[:2] in COMPOUND_SURNAMES else name[:1]


def mask_name(name: str) -> str:
    """王小明 -> 王*明, 王明 -> 王*, 欧阳娜 -> 欧阳*, 阿依古丽·买买提 -> 阿***·***, Anna Lee -> A*** ***.

    Never returns a name unchanged, except an empty one.
    """
    if NAME_DOT in name or _LATIN.search(name):
        return _first_letter_only(name)
    surname = surname_of(name)
    given = name[len(surname) :]
    if not given:
        return STAR * len(name)
    return surname + (STAR if len(given) == 1 else STAR * (len(given) - 1) + given[-1])


def _first_letter_only(name: str) -> str:
    hidden = "".join(letter if letter in (NAME_DOT, " ", "-") else STAR for letter in name[1:])
    return name[0] + hidden if STAR in hidden else STAR * len(name)


def mask_class(pupils: Iterable[tuple[int, int, str]]) -> dict[int, str]:
    """(person number, seat, full name) of one class -> person number -> masked name.

    Pupils whose masks are equal get their seat number behind it, so that each child can tell which is meant.
    """
    masked = [(number, seat, mask_name(name)) for number, seat, name in pupils]
    how_many = Counter(mask for _, _, mask in masked)
    return {number: mask if how_many[mask] == 1 else f"{mask} {seat}号" for number, seat, mask in masked}


def mask_phone(phone: str) -> str:
    """13812341234 -> 138****1234. Numbers of fewer than seven digits are hidden whole; no digit is added."""
    if len(phone) < 7:
        return STAR * len(phone)
    tail = 4 if len(phone) >= 10 else 2
    return phone[:3] + STAR * (len(phone) - 3 - tail) + phone[-tail:]


def mask_id(identity: str) -> str:
    """Citizen ID or 学籍号 for staff with the right to see it: first three and last four, 110***********002X."""
    if len(identity) < 10:
        return STAR * len(identity)
    return identity[:3] + STAR * (len(identity) - 7) + identity[-4:]


def id_tail(identity: str) -> str:
    """What a guard may see of an identity number: the last four characters, and nothing of a short one."""
    return identity[-4:] if len(identity) > 4 else ""
