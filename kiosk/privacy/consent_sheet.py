"""A sheet of signed consents (CSV) -> rows for the ledger: every problem at once, and nothing of a sheet that has one."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Final

from kiosk.core.commands_privacy import RecordConsentRow
from kiosk.core.people import Directory
from kiosk.core.privacy import BASES, LEDGER_PURPOSES, WAYS
from kiosk.web.faces_format import Lang
from kiosk.web.words import say

ROWS_MAX: Final = 2_000
PROBLEMS_MAX: Final = 20
LANGS: Final[tuple[Lang, ...]] = ("zh", "en")
NEEDED: Final = ("学号", "事项")


def read_sheet(data: bytes, directory: Directory, by: int) -> tuple[tuple[RecordConsentRow, ...], tuple[str, ...]]:
    """Rows, or the problems that keep all of them out. Headers: 学号 事项 监护人编号 方式 同意书编号 文本版本 依据 自 至."""
    reader = csv.DictReader(io.StringIO(_decoded(data)))
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        return (), (f"缺少列 / missing columns: {'、'.join(missing)}",)
    pupils = {pupil.school_number: pupil.number for pupil in directory.pupils.values()}
    adults = {adult.key: adult.number for adult in directory.collectors.values() if adult.key}
    rows, problems = list[RecordConsentRow](), list[str]()
    for line, raw in enumerate(reader, 2):
        given = {name: value.strip() for name, value in raw.items() if isinstance(name, str) and isinstance(value, str)}
        found, wrong = _row(given, pupils, adults, by)
        if wrong or line > ROWS_MAX:
            problems.append(f"第 {line} 行 / row {line}: {wrong or 'too many rows'}")
        elif found is not None:
            rows.append(found)
    return ((), tuple(problems[:PROBLEMS_MAX])) if problems else (tuple(rows), ())


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", errors="replace")


def _row(
    given: Mapping[str, str], pupils: Mapping[str, int], adults: Mapping[str, int], by: int
) -> tuple[RecordConsentRow | None, str]:
    child, purpose = pupils.get(given["学号"]), _code(LEDGER_PURPOSES, "purpose", given["事项"])
    adult = given.get("监护人编号", "")
    if child is None:
        return None, f"没有学号 / no such number: {given['学号']}"
    if purpose is None:
        return None, f"没有这个事项 / no such purpose: {given['事项']}"
    if adult and adult not in adults:
        return None, f"没有这个监护人编号 / no such guardian: {adult}"
    how, basis = _code(WAYS, "way", given.get("方式", "") or "paper"), _code(BASES, "basis", given.get("依据", "") or "consent")
    if how is None or basis is None:
        return None, "方式或依据不对 / wrong way or ground"
    row = RecordConsentRow(
        child=child, purpose=purpose, by=by, guardian=adults.get(adult, 0), how=how, basis=basis,
        paper=given.get("同意书编号", ""), text_version=given.get("文本版本", ""),
        valid_from=given.get("自", ""), valid_to=given.get("至", ""),
    )  # fmt: skip
    return row, ""


def _code(known: tuple[str, ...], prefix: str, word: str) -> str | None:
    """The code of a word, as it is or as the pages say it."""
    spelled = {say(f"privacy.{prefix}_{one}", lang): one for one in known for lang in LANGS}
    return word if word in known else spelled.get(word)
