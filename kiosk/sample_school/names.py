"""Invented names, and the dice that pick them.

Python promises the same `random()` for the same seed in every version, and nothing about `choice` or
`shuffle`; so everything here rolls with `random()` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")

# Common surnames, the commonest more often, as a school roll would have them.
_SURNAMES: Final = (
    "王王王王李李李李张张张张刘刘刘陈陈陈杨杨黄黄赵赵吴吴周周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩"
    "冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦"
    "邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_COMPOUND: Final = ("欧阳", "司马", "上官", "诸葛", "夏侯", "皇甫")
_COMPOUND_SHARE: Final = 0.008
_BOY: Final = "浩宇轩泽睿辰铭翰博文俊杰天佑子涵奕昊然承恩嘉懿景行致远明哲弘毅思源逸飞鹏程云帆修远启航"
_GIRL: Final = "欣怡梓萱诗涵雨桐若曦语晨佳宁静雯婉清雅琪思妍心悦可馨芷晴书瑶沐瑾子墨依诺安然慧敏清扬采薇"
_ADULT_MAN: Final = "建国志强伟明军勇海涛永刚国庆德胜世杰立新春生福来文斌学军宏伟少华"
_ADULT_WOMAN: Final = "秀英丽华桂兰玉梅红霞淑芬晓燕春花海燕美玲雪梅慧芳金凤凤琴爱华素珍"
# A Uyghur name is the person's own name and the father's; there is no surname that a family shares.
_UYGHUR_GIRL: Final = ("阿依古丽", "古丽努尔", "热依汗", "米热古丽")
_UYGHUR_BOY: Final = ("艾尔肯", "吐尔逊", "阿迪力", "努尔麦麦提")
_UYGHUR_FATHER: Final = ("买买提", "艾则孜", "卡德尔", "依明")


def pick(dice: Random, things: Sequence[T]) -> T:
    return things[int(dice.random() * len(things))]


def shuffled(dice: Random, things: Sequence[T]) -> list[T]:
    """A new list in random order (Fisher and Yates)."""
    result = list(things)
    for last in range(len(result) - 1, 0, -1):
        other = int(dice.random() * (last + 1))
        result[last], result[other] = result[other], result[last]
    return result


def between(dice: Random, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return low + int(dice.random() * (high - low + 1))


def surname(dice: Random) -> str:
    return pick(dice, _COMPOUND) if dice.random() < _COMPOUND_SHARE else pick(dice, _SURNAMES)


def child_name(dice: Random, family: str, girl: bool) -> str:
    return family + _given(dice, _GIRL if girl else _BOY)


def adult_name(dice: Random, family: str, woman: bool) -> str:
    return family + _given(dice, _ADULT_WOMAN if woman else _ADULT_MAN)


def _given(dice: Random, characters: str) -> str:
    first = pick(dice, characters)
    if dice.random() < 0.18:
        return first
    return first + pick(dice, characters)


def uyghur_names(dice: Random, girl: bool) -> tuple[str, str, str]:
    """Child, father, mother."""
    father = pick(dice, _UYGHUR_FATHER)
    child = pick(dice, _UYGHUR_GIRL if girl else _UYGHUR_BOY)
    others = [name for name in _UYGHUR_FATHER if name != father]
    return f"{child}·{father}", f"{father}·{pick(dice, others)}", f"{pick(dice, _UYGHUR_GIRL)}·{pick(dice, others)}"
