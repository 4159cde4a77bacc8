"""One cell -> one value, or a sentence about what is wrong with it and what to do. Knows nothing of sheets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import NoReturn, TypeVar

from kiosk.core.masking import NAME_DOT
from kiosk.importing.problems import Unreadable, Words
from kiosk.importing.relations import MAX_RELATION_CHARS, relation
from kiosk.importing.tables import MAX_CELL_CHARS, Cell, Trouble

T = TypeVar("T")

EXACT_DIGITS = 15  # spreadsheets keep no more digits of a number; the rest become zeros
MAX_NAME_CHARS = 30
MAX_KEY_CHARS = 32
FIRST_YEAR, LAST_YEAR = 2000, 2099
_TRUE = frozenset(["是", "√", "✓", "✔", "☑", "v", "1", "有", "y", "yes", "true", "对", "同意", "需要", "参加", "已签"])
_FALSE = frozenset(
    ["否", "×", "x", "✗", "✘", "☐", "0", "无", "n", "no", "false", "不", "不同意", "不需要", "不参加", "未签", "没有"]
)
_WEEKDAYS = {c: i for i, c in enumerate("一二三四五六日", start=1)} | {str(i): i for i in range(1, 8)} | {"天": 7}
_LIST_SEPARATORS = re.compile(r"[、,;/|\s]+")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MANGLED = re.compile(r"\d(?:\.\d+)?E\+?\d{1,3}", re.IGNORECASE)
_HAN = r"[\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_DOT_IN_NAME = re.compile(rf"(?<={_HAN})\s*[•・‧．･.·∙⋅●]\s*(?={_HAN})")
_DATE = re.compile(r"((?:19|20)\d\d)[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:\s+0?0:00(?::00)?)?")
_DATE_DIGITS = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)")
_TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::00)?")
_MOBILE = re.compile(r"1\d{10}")
_PHONE = re.compile(r"0\d{9,11}|\+\d{7,15}|\d{7,8}")
_YEAR = re.compile(r"((?:19|20)\d\d)(?:年|级|(?:0[1-9]|1[0-2])(?:\d\d)?|[-/.年]\d{1,2}(?:[-/.月]\d{0,2}日?)?)?")


def fail(zh: str, en: str, remedy_zh: str, remedy_en: str) -> NoReturn:
    raise Unreadable(Words(zh, en), Words(remedy_zh, remedy_en))


def tidy(text: str) -> str:
    """NFKC, trimmed, inner white space to one space, invisible characters removed."""
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).split())


def text(cell: Cell) -> str:
    """Any words; numbers as written. "" for an empty cell."""
    if cell is None:
        return ""
    if isinstance(cell, Trouble):
        _refuse_trouble(cell)
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d" if cell.time() == time() else "%Y-%m-%d %H:%M")
    if isinstance(cell, (int, float)):
        return str(cell) if abs(cell) < 10**EXACT_DIGITS else _refuse_number()
    tidied = tidy(str(cell))
    if len(tidied) > MAX_CELL_CHARS:
        fail("单元格文字太长。", "The cell holds far too much text.", "请检查这一格的内容。", "Check this cell.")
    if _CONTROL.search(tidied):
        fail("含有控制字符。", "The text holds control characters.", "请重新输入这一格。", "Type this cell again.")
    return tidied


def _refuse_trouble(trouble: Trouble) -> NoReturn:
    if trouble.kind == "error":
        fail(
            f"公式结果是错误值 {trouble.detail}。",
            f"The formula ended in the error {trouble.detail}.",
            "请改正公式，或填写实际内容。",
            "Correct the formula or type the value.",
        )
    fail(
        "这一格是公式，没有保存计算结果。",
        "The cell is a formula without a stored result.",
        "请复制后“选择性粘贴为数值”，再保存。",
        "Copy, paste special as values, and save.",
    )


def _refuse_number() -> NoReturn:
    fail(
        "号码被表格软件当作数字保存，后面的位数已经丢失（如 1.10105E+17），无法恢复。",
        "The spreadsheet stored the number as a figure (as in 1.10105E+17); its last digits are lost for good.",
        "请把整列设为“文本”格式，从原始资料重新填写。",
        "Format the column as text and type the numbers again from the original.",
    )


def exact(cell: Cell) -> str:
    """Numbers in which every digit and leading zero counts: a numeric cell is refused, it may have lost some."""
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        if abs(cell) >= 10**EXACT_DIGITS:
            _refuse_number()
        fail(
            f"号码存成了数字 {cell}，开头的 0 可能已丢失。",
            f"The number was stored as the figure {cell}; leading zeros may be lost.",
            "请把整列设为“文本”格式后重新填写。",
            "Format the column as text and type it again.",
        )
    written = text(cell)
    if _MANGLED.fullmatch(written) and "+" in written:
        _refuse_number()
    return written


def key(cell: Cell) -> str:
    """学号, 工号 and the like: short, no spaces. A figure of up to 15 digits is taken as typed."""
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and (abs(cell) >= 10**EXACT_DIGITS or cell < 0):
        _refuse_number()
    if isinstance(cell, float):
        fail(f"编号不能带小数：{cell}。", f"A number without decimals was expected: {cell}.", "请填写编号。", "Type it again.")
    written = text(cell)
    if _MANGLED.fullmatch(written) and "+" in written:
        _refuse_number()
    if len(written) > MAX_KEY_CHARS or " " in written or written[:1] in ("=", "+", "@"):
        fail(
            f"“{written[:MAX_KEY_CHARS]}”不像编号。",
            f"{written[:MAX_KEY_CHARS]!r} does not look like a number.",
            f"编号最多 {MAX_KEY_CHARS} 个字符，不含空格。",
            f"Use at most {MAX_KEY_CHARS} characters and no spaces.",
        )
    return written


def name(cell: Cell) -> str:
    """A person's name. Han names lose their spaces (王 明); the dot of a minority name becomes ·."""
    if isinstance(cell, (int, float)) or (isinstance(cell, str) and any(c.isdigit() for c in tidy(cell))):
        fail("姓名里有数字。", "The name holds digits.", "请检查是否填错了列。", "Check that the columns are right.")
    written = _DOT_IN_NAME.sub(NAME_DOT, text(cell))
    written = re.sub(rf"(?<={_HAN}) (?={_HAN})", "", written)
    if len(written) > MAX_NAME_CHARS or written[:1] in ("=", "+", "-", "@"):
        fail(f"“{written[:12]}…”不像姓名。", "This does not look like a name.", "请填写姓名。", "Type the person's name.")
    if any(unicodedata.category(c) in ("Co", "Cn") for c in written) or "\ufffd" in written:
        fail(
            "姓名里有无法识别的造字，或在转换编码时损坏。",
            "The name holds a private-use character, or was damaged when the file was converted.",
            "请用标准汉字重新输入，并保存为 .xlsx。",
            "Type it with standard characters and save as .xlsx.",
        )
    return written


def flag(cell: Cell) -> bool | None:
    """是/否/√/1/0/有/无 …; None for an empty cell."""
    written = text(cell).lower()
    if not written:
        return None
    if written in _TRUE or written in _FALSE:
        return written in _TRUE
    fail(f"“{written[:10]}”不是“是”或“否”。", f"{written[:10]!r} is neither yes nor no.", "请填 是 或 否。", "Write 是 or 否.")


def day(cell: Cell) -> date | None:
    """2026-09-01, 2026/9/1, 2026年9月1日, 20260901 or a date cell; None for an empty one."""
    if isinstance(cell, datetime):
        found: date | None = cell.date()
    elif isinstance(cell, date):
        found = cell
    else:
        written = text(cell)
        if not written:
            return None
        match = _DATE.fullmatch(written) or _DATE_DIGITS.fullmatch(written)
        found = _real_day(int(match[1]), int(match[2]), int(match[3])) if match else None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        fail(
            f"“{text(cell)[:20]}”不是有效日期。",
            f"{text(cell)[:20]!r} is no date.",
            "请写成 2026-09-01。",
            "Write it as 2026-09-01.",
        )
    return found


def _real_day(year: int, month: int, day_of_month: int) -> date | None:
    try:
        return date(year, month, day_of_month)
    except ValueError:
        return None


def entry_year(cell: Cell) -> int | None:
    """2024, 2024级, 201409 (year and month, as official sheets have it), or a date."""
    if isinstance(cell, (date, datetime)):
        return cell.year
    written = text(cell)
    if not written:
        return None
    if match := _YEAR.fullmatch(written):
        return int(match[1])
    fail(
        f"“{written[:20]}”不是年份。",
        f"{written[:20]!r} is no year.",
        "请填四位年份，如 2024。",
        "Write four digits, as in 2024.",
    )


def minutes(cell: Cell) -> int | None:
    """17:10 or a time cell -> minutes since midnight; None for an empty one."""
    if isinstance(cell, datetime):
        cell = cell.time()
    if isinstance(cell, timedelta):
        cell = cell.total_seconds() / 86_400
    if isinstance(cell, time):
        return cell.hour * 60 + cell.minute
    if isinstance(cell, float) and 0 <= cell <= 1:
        return round(cell * 1440)
    written = text(cell)
    if not written:
        return None
    if match := _TIME.fullmatch(written):
        total = int(match[1]) * 60 + int(match[2])
        if total <= 1440:
            return total
    fail(f"“{written[:10]}”不是时间。", f"{written[:10]!r} is no time of day.", "请写成 17:10。", "Write it as 17:10.")


def count(cell: Cell) -> int | None:
    """A whole number from 0 to 9,999; None for an empty cell."""
    written = text(cell).removesuffix("人").removesuffix("号")
    if not written:
        return None
    if written.isascii() and written.isdigit() and len(written) <= 4:
        return int(written)
    fail(f"“{written[:10]}”不是整数。", f"{written[:10]!r} is no whole number.", "请填数字，如 30。", "Write digits, as in 30.")


def phone(cell: Cell) -> str:
    """A Chinese mobile or fixed number, or an international one with +. "" for an empty cell."""
    written = key_of_phone(cell)
    if not written or _MOBILE.fullmatch(written) or _PHONE.fullmatch(written):
        return written
    fail(
        "电话号码格式不对。",
        "This is no telephone number.",
        "每格只填一个号码：手机号 11 位，固定电话带区号。",
        "One number in a cell: 11 digits for a mobile, the area code for a fixed line.",
    )


def key_of_phone(cell: Cell) -> str:
    """Digits only. A mobile number survives as a figure: eleven digits, never a leading zero."""
    if isinstance(cell, int) and not isinstance(cell, bool):
        if not _MOBILE.fullmatch(str(cell)):
            return exact(cell)
        return str(cell)
    written = re.sub(r"[\s\-()]", "", exact(cell))
    for prefix in ("+86", "0086"):
        written = written.removeprefix(prefix)
    return written[2:] if re.fullmatch(r"861\d{10}", written) else written


def identity_tail(cell: Cell) -> str:
    """The last four characters of an identity number. More than that is not taken into the directory."""
    written = exact(cell).upper()
    if not written:
        return ""
    if re.fullmatch(r"\d{3}[\dX]", written) or re.fullmatch(r"\d{17}[\dX]|[A-Z0-9]{7,18}", written):
        return written[-4:]
    fail(
        "证件后四位格式不对。",
        "These are not the last four of an identity number.",
        "请填后四位，如 002X。",
        "Write four, as in 002X.",
    )


def kinship(cell: Cell) -> str:
    """A relation in the words of GB/T 4761, or as written. "" for an empty cell."""
    written = text(cell)
    if len(written) > MAX_RELATION_CHARS:
        fail("关系文字太长。", "The relation is too long.", "请填如：母亲、祖父、保姆。", "Write, for example, 母亲.")
    return relation(written.zfill(2) if written.isdigit() else written)


def chosen(cell: Cell, choices: Mapping[str, T]) -> T | None:
    """One of the words of a closed list; None for an empty cell."""
    written = text(cell)
    if not written:
        return None
    if written in choices:
        return choices[written]
    return choices[written.lower()] if written.lower() in choices else _refuse_choice(written, choices)


def several(cell: Cell, choices: Mapping[str, T]) -> frozenset[T]:
    """A list in one cell, joined with 、 or a comma."""
    words = [word for word in _LIST_SEPARATORS.split(text(cell)) if word]
    return frozenset(choices[w] if w in choices else _refuse_choice(w, choices) for w in words)


def _refuse_choice(written: str, choices: Mapping[str, object]) -> NoReturn:
    han = [word for word in choices if not word.isascii()]
    fail(
        f"“{written[:12]}”不在可选范围内。",
        f"{written[:12]!r} is not one of the words for this column.",
        f"可填：{'、'.join(han[:20])}。",
        f"Use one of: {', '.join(han[:20])}.",
    )


def weekdays(cell: Cell) -> frozenset[int]:
    """一、三、五 · 周一至周五 · 1,3,5 · 一二三 -> ISO weekdays."""
    written = re.sub(r"星期|礼拜|周|每", "", text(cell))
    written = _LIST_SEPARATORS.sub("", written.replace("-", "至").replace("~", "至").replace("到", "至"))
    if match := re.fullmatch(r"(.)至(.)", written):
        first, last = _WEEKDAYS.get(match[1], 0), _WEEKDAYS.get(match[2], 0)
        if 0 < first <= last:
            return frozenset(range(first, last + 1))
    elif all(c in _WEEKDAYS for c in written):
        return frozenset(_WEEKDAYS[c] for c in written)
    fail(f"“{text(cell)[:12]}”不是星期。", f"{text(cell)[:12]!r} names no weekdays.", "请写成 一、三、五。", "Write 一、三、五.")
