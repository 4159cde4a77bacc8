"""Names in pinyin, for sorting and for search by letters. Knows the surnames that are read differently as surnames."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from kiosk.core.masking import NAME_DOT, surname_of

# Read otherwise as a surname than in running text.
_READINGS = (
    "单:shan 仇:qiu 区:ou 解:xie 查:zha 曾:zeng 朴:piao 翟:zhai 覃:qin 任:ren 华:hua 燕:yan 宁:ning 缪:miao 乐:yue "
    "盖:ge 葛:ge 尉:wei 逄:pang 冼:xian 员:yun 秘:bi 种:chong 折:she 召:shao 重:chong 黑:he 纪:ji 那:na 牟:mu 哈:ha "
    "褚:chu 祭:zhai 晟:cheng 洗:xian 隗:wei 祝:zhu 莘:shen 阚:kan 臧:zang 长:zhang 都:du 过:guo 会:gui 眭:sui "
    "适:kuo "
)
_SURNAMES = dict(pair.split(":") for pair in _READINGS.split())
_COMPOUNDS = {
    "万俟": ["mo", "qi"],
    "尉迟": ["yu", "chi"],
    "长孙": ["zhang", "sun"],
    "澹台": ["tan", "tai"],
    "单于": ["chan", "yu"],
    "亓官": ["qi", "guan"],
}


class Spelled(NamedTuple):
    pinyin: str  # "wang xiaoming"; "ayiguli maimaiti"
    initials: str  # "wxm"; "ayglmmt"


@lru_cache(maxsize=32_768)
def spell(name: str) -> Spelled:
    """Lower-case pinyin without tones: surname, a space, given name. Other letters stay as they are."""
    if NAME_DOT in name or " " in name or name[:1].isascii():
        parts = [part for part in name.replace(NAME_DOT, " ").split() if part]
        syllables = [_syllables(part) for part in parts]
    else:
        surname = surname_of(name)
        given = _syllables(name[len(surname) :])
        syllables = [_surname_syllables(surname)] + ([given] if given else [])
    words = ["".join(word) for word in syllables]
    return Spelled(" ".join(words), "".join(syllable[0] for word in syllables for syllable in word if syllable))


def _surname_syllables(surname: str) -> list[str]:
    if surname in _SURNAMES:
        return [_SURNAMES[surname]]
    if surname in _COMPOUNDS:
        return _COMPOUNDS[surname]
    return _syllables(surname)


def _syllables(text: str) -> list[str]:
    from pypinyin import lazy_pinyin  # 0.2 s to import; only imports need it

    return [syllable.lower() for syllable in lazy_pinyin(text)] if text else []
