"""Family relations by GB/T 4761-2008, as data: a code, the standard word, and what people write instead."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

MAX_RELATION_CHARS = 20


@cache
def _words() -> Mapping[str, str]:
    """Every code, word and alias -> the standard word."""
    table: dict[str, str] = {}
    with (files("kiosk.importing") / "relations.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            for spelling in (row["code"], row["word"], *row["aliases"].split()):
                table[spelling] = row["word"]
    return table


def relation(text: str) -> str:
    """The standard word for 妈妈, 52 or 母亲; words that the standard does not have (保姆, 托管机构) stay as written."""
    return _words().get(text, text)
