"""What a report can be asked for beside its period, and the word for asking for what there is not."""

from __future__ import annotations

from dataclasses import dataclass, field


class NoReport(LookupError):
    """There is no such report, or not for such a period, or it must be told of whom. Chinese / English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Most reports need nothing of it. `masked`: for an inspector. `reduced`: 学号 of children whose families the school
    charges less (减免); named by the office when it makes the report, because nothing here keeps such a list."""

    child: int = 0
    class_id: str = ""
    session: str = ""
    partner: str = ""
    text: str = ""
    masked: bool = False
    reduced: frozenset[str] = field(default_factory=frozenset)


NOTHING = Asked()
