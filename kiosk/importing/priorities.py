"""优先类别: the words for the groups that wait in front. Data, no reading; only the office is shown who is in which."""

from __future__ import annotations

from typing import Final

from kiosk.core.enrolment import PRIORITY_GROUPS

PRIORITY_WORDS: Final = {
    "残疾": "disabled",
    "残疾儿童": "disabled",
    "留守": "left_behind",
    "留守儿童": "left_behind",
    "随迁": "migrant",
    "随迁子女": "migrant",
    "进城务工人员随迁子女": "migrant",
    "困难": "hardship",
    "家庭经济困难": "hardship",
    "家庭经济困难儿童": "hardship",
    "双职工": "dual_earner",
    "双职工家庭子女": "dual_earner",
} | {group: group for group in PRIORITY_GROUPS}
