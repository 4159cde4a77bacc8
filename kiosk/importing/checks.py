"""What only the whole school shows: two children on one seat, one card with two holders, one child in two places.

Problems stop the import. Warnings are for a person to think about; the law and the rules are kept elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, product

from kiosk.core.enrolment import Period, most_at_once, overlap, same_time
from kiosk.core.people import CardState, Stage
from kiosk.importing.applications import check_audience, check_numbers, check_whole_classes
from kiosk.importing.given import IN_FORCE, Given
from kiosk.importing.problems import Place, Words
from kiosk.importing.rows import KIND_NAMES, ApplicationRow, CardRow, EnrolmentRow, Kind, Rows, SessionRow

_Row = EnrolmentRow | ApplicationRow

MAX_ENROLMENTS_EACH = 60  # of one pupil; more is a mistake, and comparing them all would take for ever
REMOVALS_UNREMARKED = 20  # fewer removals are everyday business
REMOVALS_SHARE = 0.2  # a larger share of a list needs a word from a person


def check(rows: Rows, given: Given, *, allow_removals: bool) -> None:
    """Every check; each reports to `given.report`."""
    _seats(rows, given)
    _homes(rows, given)
    _cards(rows, given)
    _session_teachers(rows, given)
    _children_in_two_places(rows, given)
    _teachers_in_two_places(rows, given)
    check_numbers(rows, given)
    check_whole_classes(rows, given)
    check_audience(rows, given)
    _capacities(rows, given)
    _leaving_alone(rows, given)
    _delegations_without_end(rows, given)
    _renamed(rows, given)
    if not allow_removals:
        _many_removed(rows, given)


def _seats(rows: Rows, given: Given) -> None:
    taken: dict[tuple[str, int], str] = {}
    for number, pupil in rows.pupils.items():
        other = taken.setdefault((pupil.class_id, pupil.seat), number)
        if other != number:
            given.report.problem(
                given.place(Kind.PUPILS, number),
                Words(
                    f"座号 {pupil.seat} 已有学号 {other} 的学生（{given.place(Kind.PUPILS, other)}）。",
                    f"Seat {pupil.seat} is taken by the pupil {other}.",
                ),
                Words("同一班内座号不能重复。", "A seat number occurs once in a class."),
            )


def _homes(rows: Rows, given: Given) -> None:
    """Pupils that stay from before, in a class that the new class list does not have."""
    if Kind.PUPILS in given.kinds:
        return
    lost: defaultdict[str, int] = defaultdict(int)
    for pupil in rows.pupils.values():
        if pupil.class_id not in rows.classes and pupil.class_id not in given.seen[Kind.CLASSES]:
            lost[pupil.class_id] += 1
    for class_id, count in sorted(lost.items()):
        name = given.current.classes[class_id].name
        given.report.problem(
            IN_FORCE,
            Words(f"新班级表里没有 {name}，但仍有 {count} 名学生在该班。", f"{count} pupils are in {name}, which is not listed."),
            Words("请补上这个班，或同时导入学生表。", "Add the class, or import the pupil list together with it."),
        )


def _cards(rows: Rows, given: Given) -> None:
    """One card in use by two people. A card that changed hands is 退卡 or 挂失 with its former holder."""
    active: dict[str, CardRow] = {}
    for key, card in rows.cards.items():
        if card.state is not CardState.ACTIVE:
            continue
        other = active.setdefault(card.uid, card)
        if other is not card:
            given.report.problem(
                given.place(Kind.CARDS, key),
                Words(
                    f"卡 {card.uid} 同时由 {other.holder} 在用（{given.place(Kind.CARDS, other.key)}）。",
                    f"The card {card.uid} is also in use by {other.holder}.",
                ),
                Words("请把原持有人的卡标为“退卡”或“挂失”。", "Mark it 退卡 or 挂失 with the former holder."),
            )


def _session_teachers(rows: Rows, given: Given) -> None:
    if Kind.SESSIONS in given.kinds:
        return  # checked where the row was read
    for session in (row for first in rows.sessions.values() for row in first.periods):
        if session.teacher not in rows.staff and session.teacher not in given.seen[Kind.STAFF]:
            given.report.problem(
                IN_FORCE,
                Words(
                    f"课程“{session.name}”的负责教师 {session.teacher} 已不在教职工表中。",
                    f"The teacher {session.teacher} of {session.name} is not in the staff list any more.",
                ),
                Words("请同时导入改好的课程表。", "Import the session list with the new teacher together with it."),
            )


# ---- time ----------------------------------------------------------------------------------------------


def _same_days(one: _Row | SessionRow, other: _Row | SessionRow) -> bool:
    return overlap(Period(one.valid_from, one.valid_to), Period(other.valid_from, other.valid_to))


def _meeting(rows: Rows, one: _Row, other: _Row) -> tuple[SessionRow, SessionRow] | None:
    """The rows of two places at which one child would have to be in both."""
    if not _same_days(one, other):
        return None
    pairs = product(rows.sessions[one.session].periods, rows.sessions[other.session].periods)
    for first, second in pairs:
        if _same_days(one, first) and _same_days(other, second) and _same_days(first, second) and same_time(first, second):
            return first, second
    return None


def _children_in_two_places(rows: Rows, given: Given) -> None:
    """Places, and what is applied for: whoever applies for two sessions at once can only have one."""
    by_pupil: defaultdict[str, list[tuple[_Row, Place]]] = defaultdict(list)
    for enrolment in rows.enrolments.values():
        by_pupil[enrolment.pupil].append((enrolment, given.place(Kind.ENROLMENTS, enrolment.key)))
    for waiting in given.applications.values():
        if waiting.open and not waiting.placed:
            by_pupil[waiting.pupil].append((waiting, IN_FORCE))
    for application in rows.applications.values():
        by_pupil[application.pupil].append((application, given.place(Kind.APPLICATIONS, application.key)))
    for pupil, found in by_pupil.items():
        listed = [(row, place) for row, place in found if row.session in rows.sessions]
        if len(listed) > MAX_ENROLMENTS_EACH:
            given.report.problem(
                listed[-1][1],
                Words(f"学号 {pupil} 有 {len(listed)} 条报名。", f"{pupil} is enrolled {len(listed)} times."),
                Words(f"每人最多 {MAX_ENROLMENTS_EACH} 条。", f"At most {MAX_ENROLMENTS_EACH} each."),
            )
            continue
        for (one, there), (other, here) in combinations(listed, 2):
            if both := _meeting(rows, one, other):
                first, second = both
                given.report.problem(
                    here,
                    Words(
                        f"学号 {pupil} 同一时间报了“{first.name}”和“{second.name}”（{there}）。",
                        f"The pupil {pupil} is enrolled in {first.name} and {second.name} at the same time.",
                    ),
                    Words("请保留一门，或改正星期、有效期。", "Keep one, or correct the weekdays or the periods."),
                )


def _teachers_in_two_places(rows: Rows, given: Given) -> None:
    by_teacher: defaultdict[str, list[SessionRow]] = defaultdict(list)
    for session in (row for first in rows.sessions.values() for row in first.periods):
        by_teacher[session.teacher].append(session)
    for teacher, sessions in by_teacher.items():
        for one, other in combinations(sessions[:MAX_ENROLMENTS_EACH], 2):
            if same_time(one, other) and _same_days(one, other):
                given.report.warn(
                    given.place(Kind.SESSIONS, other.id),
                    Words(
                        f"教师 {teacher} 同一时间带“{one.name}”和“{other.name}”。",
                        f"The teacher {teacher} leads {one.name} and {other.name} at the same time.",
                    ),
                    Words("如不是合班，请另派教师。", "Unless they are taught together, name another teacher."),
                )


def _capacities(rows: Rows, given: Given) -> None:
    """More children than places: refused where this list brings them, a remark where they stood before."""
    by_session: defaultdict[str, list[EnrolmentRow]] = defaultdict(list)
    for enrolment in rows.enrolments.values():
        by_session[enrolment.session].append(enrolment)
    for key, enrolments in by_session.items():
        session = rows.sessions.get(key)
        for row in session.periods if session is not None else ():
            inside = [e for e in enrolments if _same_days(e, row)]
            most = most_at_once(Period(e.valid_from, e.valid_to) for e in inside)
            if row.capacity and most > row.capacity:
                _too_many(row, most, inside, given)
                break


def _too_many(row: SessionRow, most: int, enrolments: list[EnrolmentRow], given: Given) -> None:
    new = next((e for e in enrolments if e.key not in given.current.enrolments), None)
    tell = given.report.warn if new is None else given.report.problem
    tell(
        given.place(Kind.SESSIONS, row.id) if new is None else given.place(Kind.ENROLMENTS, new.key),
        Words(
            f"“{row.name}”报名 {most} 人，超过容量 {row.capacity} 人。",
            f"{row.name} has {most} pupils for {row.capacity} places.",
        ),
        Words(
            "请调整报名或容量；多出的学生可列入“申请”表，自动候补。",
            "Move some pupils, raise the capacity, or list them as applications (申请): they wait for a place.",
        ),
    )


# ---- remarks -------------------------------------------------------------------------------------------


def _leaving_alone(rows: Rows, given: Given) -> None:
    """The lower grades are handed to an adult whatever is written here (办法 art. 31); staff should know."""
    limit = given.options.handover_max_grade
    for number, pupil in rows.pupils.items():
        if Kind.PUPILS not in given.kinds:
            return
        home = rows.classes.get(pupil.class_id)
        young = home is not None and (home.stage is Stage.KINDERGARTEN or (home.stage is Stage.PRIMARY and home.grade <= limit))
        if pupil.leaves_alone and young:
            given.report.warn(
                given.place(Kind.PUPILS, number),
                Words(
                    f"{limit} 年级及以下不能自行离校，此项不生效。", f"Grades up to {limit} never leave alone; it has no effect."
                ),
                Words("请改为“否”，并与家长说明。", "Write 否 and tell the family."),
            )
        elif pupil.way_home == "alone" and not pupil.leaves_alone:
            given.report.warn(
                given.place(Kind.PUPILS, number),
                Words(
                    "接送方式是“自行离校”，但没有签字同意，不会放行。", "Leaves alone, but without signed consent: not let go."
                ),
                Words("请补签同意书后填“是”，或改接送方式。", "Get the consent signed, or change the way home."),
            )


def _delegations_without_end(rows: Rows, given: Given) -> None:
    if Kind.DELEGATES not in given.kinds:
        return
    endless = [key for key, row in rows.delegates.items() if row.valid_to is None]
    if endless:
        given.report.warn(
            given.place(Kind.DELEGATES, endless[0]),
            Words(f"有 {len(endless)} 条委托没有截止日期。", f"{len(endless)} delegations have no last day."),
            Words("建议委托填写截止日期，最长一学期。", "Give each a last day, at most the end of term."),
        )


def _renamed(rows: Rows, given: Given) -> None:
    """The same key with another name: a correction, or another person who would inherit the first one's history."""
    for kind in (Kind.PUPILS, Kind.STAFF, Kind.COLLECTORS):
        before = given.current.of(kind)
        for key, row in rows.of(kind).items():
            if key in before and before[key].name != row.name:
                given.report.warn(
                    given.place(kind, key),
                    Words(
                        f"{KIND_NAMES[kind]} {key} 由“{before[key].name}”改名为“{row.name}”。",
                        f"{key} changes the name from {before[key].name} to {row.name}.",
                    ),
                    Words("如果是另一个人，请使用新的编号。", "If it is another person, use a new number."),
                )


def _many_removed(rows: Rows, given: Given) -> None:
    """A list of one class taken for the list of the school would wipe out the rest."""
    for kind in (Kind.CLASSES, Kind.STAFF, Kind.PUPILS, Kind.GUARDIANS, Kind.CARDS):
        before = given.current.of(kind)
        removed = sum(1 for key in before if key not in rows.of(kind))
        if removed > max(REMOVALS_UNREMARKED, REMOVALS_SHARE * len(before)) and given.report.clean:
            given.report.problem(
                IN_FORCE,
                Words(
                    f"导入后将删除 {removed} 条{KIND_NAMES[kind]}记录（现有 {len(before)} 条）。",
                    f"The import would remove {removed} of {len(before)} {kind.value}.",
                ),
                Words(
                    "导入的表必须是全校名单；如确认删除，请选择“允许大量删除”（--allow-removals）。",
                    "A list must be the whole school's. If the removal is meant, allow it (--allow-removals).",
                ),
            )
            return
