"""Classes: the class list itself, and the class that a pupil's row names. A class is never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace

from kiosk.importing.class_names import ClassName, ClassNameUnclear, class_names, grade_of, years_of
from kiosk.importing.given import IN_FORCE, Given
from kiosk.importing.problems import Words
from kiosk.importing.row_checks import staff_number_of
from kiosk.importing.rows import ClassRow, Kind
from kiosk.importing.sheets import Record

_NO_STAGE = Words("请补填“学段”或写成“小学2024级2班”。", "Fill 学段, or write the stage as in 小学2024级2班.")


def read_class(record: Record, given: Given) -> None:
    found = _class_of_record(record, given)
    if found is None:
        given.unclear_classes.add(_bare(record.get("name", "")))
        return
    given.seen[Kind.CLASSES].add(found.id)
    teacher, gate = staff_number_of(record, "teacher", given), _gate(record, given)
    if teacher is None or gate is None or not record.complete:
        return
    row = ClassRow(
        id=found.id,
        name=unicodedata.normalize("NFKC", record.get("name")),
        stage=found.stage,
        grade=found.grade,
        class_no=found.class_no,
        entry_year=found.entry_year,
        teacher=teacher,
        room=record.get("room", ""),
        release_gate=gate,
    )
    given.add(Kind.CLASSES, row, record.at("name"))


def _class_of_record(record: Record, given: Given) -> ClassName | None:
    """By the name; by 学段, 入学年份 and 班号 where the name is the school's own invention (启航班)."""
    name, stage, entry = record.get("name"), record.get("stage"), record.get("entry_year")
    if not name or "entry_year" in record.unreadable or "stage" in record.unreadable:
        return None
    options = given.options
    try:
        readings = class_names(
            name, school_year_start=options.school_year_start, primary_years=options.primary_years, stage=stage
        )
    except ClassNameUnclear:
        return _class_in_parts(record, given)
    fitting = [r for r in readings if entry is None or r.entry_year == entry]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        what = Words(f"“{name}”可能是几个学段的班。", f"{name} may belong to several stages.")
        given.report.problem(record.at("name"), what, _NO_STAGE)
    else:
        expected = "、".join(str(r.entry_year) for r in readings)
        given.report.problem(
            record.at("entry_year"),
            Words(
                f"“{name}”在 {options.school_year_start} 学年应为 {expected} 年入学，而不是 {entry} 年。",
                f"In the school year {options.school_year_start} {name} entered in {expected}, not in {entry}.",
            ),
            Words("请核对班级名称和入学年份。", "Check the class name and the entry year."),
        )
    return None


def _class_in_parts(record: Record, given: Given) -> ClassName | None:
    stage, entry, number = record.get("stage"), record.get("entry_year"), record.get("class_no")
    options = given.options
    if stage and entry and number:
        grade = grade_of(stage, entry, school_year_start=options.school_year_start, primary_years=options.primary_years)
        if grade is not None:
            return ClassName(stage, grade, number, entry)
    given.report.problem(
        record.at("name"),
        Words(f"看不懂班级名称“{record.get('name')}”。", f"{record.get('name')} is no class of this school year."),
        Words("请写成 三(2)班；自定名称的班请填“学段、入学年份、班号”。", "Write 三(2)班, or fill 学段, 入学年份 and 班号."),
    )
    return None


def _gate(record: Record, given: Given) -> str | None:
    """The gate's id; its name is taken too. None after a problem."""
    written, gates = record.get("release_gate", ""), given.options.gates
    if not written or not gates or written in gates:
        return str(written)
    for gate, name in gates.items():
        if written == name:
            return gate
    choices = "、".join(f"{gate}（{name}）" for gate, name in gates.items())
    given.report.problem(
        record.at("release_gate"),
        Words(f"没有“{written}”这个门。", f"There is no gate {written}."),
        Words(f"可填：{choices}。", f"Use one of: {', '.join(gates)}."),
    )
    return None


def class_of_pupil(record: Record, given: Given) -> str | None:
    """The one known class that the cell may mean. Several, or none: a problem, never a guess."""
    written = record.get("class_name")
    if not written:
        return None
    known = given.known(Kind.CLASSES)
    by_name = _classes_called(_bare(written), given)
    if len(by_name) == 1:
        return by_name[0]
    options = given.options
    for text in (written, record.get("grade_name", "") + written):
        try:
            readings = class_names(text, school_year_start=options.school_year_start, primary_years=options.primary_years)
        except ClassNameUnclear:
            continue
        fitting = [r.id for r in readings if r.id in known]
        if len(fitting) == 1:
            return fitting[0]
        if len(fitting) > 1:
            what = Words(f"“{written}”可能是几个学段的班。", f"{written} may belong to several stages.")
            given.report.problem(record.at("class_name"), what, _NO_STAGE)
            return None
    if Kind.CLASSES in given.failed or _bare(written) in given.unclear_classes:
        return None  # the class list was reported; its pupils are not to blame
    given.report.problem(
        record.at("class_name"),
        Words(f"班级表里没有“{written}”。", f"The class list has no {written}."),
        Words("请改正班级，或在“班级”表中补上这个班。", "Correct it, or add the class to the class list."),
    )
    return None


def _classes_called(bare_name: str, given: Given) -> list[str]:
    if given.classes_by_name is None:
        rows = given.rows[Kind.CLASSES] if Kind.CLASSES in given.kinds else given.current.classes
        given.classes_by_name = {}
        for key, row in rows.items():
            given.classes_by_name.setdefault(_bare(row.name), []).append(key)
    return given.classes_by_name.get(bare_name, [])


def _bare(name: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", name))


def regraded(classes: Mapping[str, ClassRow], given: Given) -> dict[str, ClassRow]:
    """Classes that an import keeps from before, in the grade of this school year; those that left keep their last."""
    options = given.options
    found = {}
    for key, row in classes.items():
        grade = grade_of(
            row.stage,
            row.entry_year,
            school_year_start=options.school_year_start,
            primary_years=options.primary_years,
        )
        if grade is None:
            grade = years_of(row.stage, options.primary_years)
            given.report.warn(
                IN_FORCE,
                Words(f"{row.name}（{row.entry_year}级）已毕业，仍在名单中。", f"{row.name} has left but is still listed."),
                Words("请导入新学年的班级表和学生表。", "Import the new year's class and pupil lists."),
            )
        found[key] = replace(row, grade=grade)
    return found
