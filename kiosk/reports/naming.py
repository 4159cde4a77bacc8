"""Names, classes and words as reports show them. Whoever was erased is a number, and an inspector reads masked names.

Never decides who may see what: the catalogue says which reports are masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kiosk.core.masking import mask_class, mask_id, mask_name
from kiosk.core.people import Directory
from kiosk.core.policy import Rule
from kiosk.reports.service_rows import State
from kiosk.reports.table import Words

NO_CLASS: Final = "（已删除）"  # of a child whose data were erased: its sums stay
KIND_WORDS: Final = {
    "homework": Words("课业辅导", "homework"),
    "tutoring": Words("辅导答疑", "tutoring"),
    "enrichment": Words("素质拓展", "enrichment"),
    "reading": Words("阅读", "reading"),
    "sports": Words("体育", "sports"),
    "arts": Words("艺术", "arts"),
    "science": Words("科普", "science"),
    "labour": Words("劳动", "labour"),
    "club": Words("社团", "club"),
    "film": Words("观影", "film"),
    "self_study": Words("自习", "self-study"),
    "care": Words("看护", "care"),
    "evening_study": Words("晚自习", "evening study"),
    "weekend": Words("双休日", "weekend"),
    "holiday_open": Words("假期开放", "holiday opening"),
    "early_care": Words("早到看护", "early care"),
    "extended_care": Words("延时托管", "extended care"),
    "lunch": Words("午餐看管", "lunch care"),
    "noon_nap": Words("午休看管", "noon nap care"),
}
STATE_WORDS: Final = {
    State.PRESENT: Words("出勤", "present"),
    State.LATE: Words("迟到", "late"),
    State.LEFT_EARLY: Words("早退", "left early"),
    State.LEAVE_SICK: Words("病假", "sick leave"),
    State.LEAVE_PERSONAL: Words("事假", "personal leave"),
    State.ABSENT: Words("缺勤", "absent"),
    State.MOVED: Words("调班", "moved"),
}
REASON_WORDS: Final = {  # why somebody stands in for another
    "sick": Words("病假", "sick"),
    "leave": Words("事假", "leave"),
    "duty": Words("公务", "duty"),
    "training": Words("培训", "training"),
    "other": Words("其他", "other"),
}


FORM_WORDS: Final = {
    "class": Words("班级", "class"),
    "mixed": Words("混编", "mixed"),
    "large": Words("大班", "large"),
}
FINDING_WORDS: Final = {
    "in_order": Words("正常", "in order"),
    "teacher_absent": Words("教师不在", "teacher absent"),
    "count_differs": Words("人数不符", "count differs"),
    "noise": Words("秩序", "order"),
    "safety": Words("安全隐患", "safety"),
    "other": Words("其他", "other"),
}
REMARK_WORDS: Final = {
    "substitution": Words("代班", "substitution"),
    "teacher_missing": Words("开始后两分钟无教师签到", "no teacher two minutes after the start"),
    "no_teacher": Words("无教师签到", "no teacher at all"),
    "roll_late": Words("点名超时", "roll called late"),
    "nobody_came": Words("无学生到场", "nobody came"),
    "closed_early": Words("提前结束", "closed early"),
    "closed_late": Words("值班领导补归档", "closed by the duty leader"),
    "closed_for": Words("由未签到者归档", "closed by somebody who was not checked in"),
    "went_home": Words("开始前已离校", "collected before it began"),
    "unexplained": Words("缺勤未说明", "absence unexplained"),
    "moved": Words("调到别处", "moved"),
    "guest": Words("临时参加", "guest"),
}


def word_zh(words: Mapping[str, Words], word: str) -> str:
    """A word of a later version stands as it is."""
    return words[word].zh if word in words else word


def state_zh(state: str) -> str:
    return next((words.zh for known, words in STATE_WORDS.items() if known == state), state)


def quoted(rule: Rule) -> Words:
    """A clause in its own words, with its paper."""
    return Words(f"“{rule.clause}”（{rule.document}）", f"{rule.document}: “{rule.clause}”")


@dataclass(frozen=True, slots=True)
class ChildName:
    number: int
    class_id: str
    class_name: str
    seat: int
    school_number: str
    name: str


class Names:
    """Of everybody in one report. `masked`: for an inspector and whoever else looks on."""

    def __init__(self, directory: Directory, *, masked: bool = False) -> None:
        self.directory, self.masked = directory, masked
        self._of_class: dict[str, dict[int, str]] = {}

    def child(self, number: int) -> ChildName:
        pupil = self.directory.pupils.get(number)
        if pupil is None:
            return ChildName(number, "", NO_CLASS, 0, "", f"#{number}")
        home = self.directory.classes.get(pupil.class_id)
        class_name = home.name if home else pupil.class_id
        if not self.masked:
            return ChildName(number, pupil.class_id, class_name, pupil.seat, pupil.school_number, pupil.name)
        name = self._masked(pupil.class_id).get(number) or mask_name(pupil.name)
        return ChildName(number, pupil.class_id, class_name, pupil.seat, mask_id(pupil.school_number), name)

    def _masked(self, class_id: str) -> dict[int, str]:
        found = self._of_class.get(class_id)
        if found is None:
            pupils = [self.directory.pupils[n] for n in self.directory.pupils_of_class.get(class_id, ())]
            found = self._of_class[class_id] = mask_class((p.number, p.seat, p.name) for p in pupils)
        return found

    def staff(self, number: int) -> str:
        """Of a member of staff, or whoever else stands there; "" for nobody."""
        if not number:
            return ""
        person = self.directory.staff.get(number)
        if person is None:
            return f"#{number}"
        return mask_name(person.name) if self.masked else person.name

    def staff_number(self, number: int) -> str:
        person = self.directory.staff.get(number)
        return person.staff_number if person and not self.masked else ""

    def several(self, numbers: Iterable[int]) -> str:
        return "、".join(self.staff(number) for number in numbers)

    def class_order(self, class_id: str) -> tuple[int, int, int, str]:
        """By stage, grade and number; erased children last."""
        home = self.directory.classes.get(class_id)
        if home is None:
            return (9, 0, 0, class_id)
        return (list(type(home.stage)).index(home.stage), home.grade, home.class_no, class_id)

    def order(self, number: int) -> tuple[tuple[int, int, int, str], int, int]:
        """How pupils stand on a list: class, seat, number."""
        pupil = self.directory.pupils.get(number)
        return (self.class_order(pupil.class_id if pupil else ""), pupil.seat if pupil else 0, number)
