"""The directory snapshot: what is published is what is loaded, whole or not at all, and numbers are never reused."""

from __future__ import annotations

import os
import random
import sqlite3
import string
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk import directory_schema
from kiosk.core.enrolment import Application, State, Step, Taken
from kiosk.core.people import (
    Authorisation,
    Card,
    CardState,
    Collector,
    Enrolment,
    Pupil,
    Restriction,
    Role,
    SchoolClass,
    Session,
    Staff,
    Stage,
)
from kiosk.directory import (
    Content,
    DirectoryDamaged,
    DirectoryForeign,
    DirectoryMissing,
    DirectoryNotWritten,
    DirectoryTooNew,
    Person,
    PersonInUse,
    PersonKind,
    PersonUnknown,
    SnapshotStale,
    erase_person,
    index,
    install,
    load,
    load_pins,
    publish,
    read_content,
    snapshot_info,
)

TEACHER, MING, NA, MOTHER, UNCLE = 1, 2, 3, 4, 5


APPLICATIONS = (
    Application(
        id="SQ00001", child=MING, session="S1", state=State.ACTIVE, applied_on=date(2026, 8, 28), valid_from=date(2026, 9, 1),
        leave_at_min=1030, priority="left_behind",
    ),
    Application(
        id="SQ00002", child=NA, session="S1", state=State.WAITING, applied_on=date(2026, 8, 29), valid_from=date(2026, 9, 1),
        valid_to=date(2027, 1, 22),
    ),
)  # fmt: skip
APPLICATION_STEPS = (
    Taken(application="SQ00001", step=Step.SIGN, state=State.ACTIVE, on=date(2026, 8, 28), at_ms=17, by=1),
    Taken(application="SQ00002", step=Step.WAIT, state=State.WAITING, on=date(2026, 8, 29), at_ms=18, by=1),
)


def a_small_school() -> Content:
    """One class, two siblings of whom the mother collects both, and an uncle who must not collect one."""
    pupil = {"pinyin": "wang ming", "initials": "wm", "class_id": "primary-2024-2", "grade": 3, "stage": Stage.PRIMARY}
    return Content(
        classes=(
            SchoolClass(
                id="primary-2024-2", name="三(2)班", stage=Stage.PRIMARY, grade=3, class_no=2, entry_year=2024,
                teacher=TEACHER, room="302", release_gate="east",
            ),
        ),
        pupils=(
            Pupil(number=MING, school_number="20240201", name="王明", seat=2, consents=frozenset({"snapshot", "face_match"}),
                  leaves_alone=True, way_home="alone", **pupil),
            Pupil(number=NA, school_number="20240202", name="王娜", seat=1, boarder=True, **pupil),
        ),
        staff=(
            Staff(number=TEACHER, staff_number="T001", name="李老师", pinyin="li laoshi", initials="lls",
                  roles=frozenset({Role.TEACHER, Role.DUTY_LEADER}), phone="13800000000"),
        ),
        collectors=(
            Collector(number=MOTHER, key="C1", name="张兰", pinyin="zhang lan", initials="zl", phone="13812341234"),
            Collector(number=UNCLE, key="C2", name="王强", pinyin="wang qiang", initials="wq", minor=True, daily_limit=3),
        ),
        authorisations=(
            Authorisation(child=MING, collector=UNCLE, relation="叔父", guardian=False, valid_from=date(2026, 9, 1),
                          valid_to=date(2026, 9, 30)),
            Authorisation(child=MING, collector=MOTHER, relation="母亲", guardian=True, order=1),
            Authorisation(child=NA, collector=MOTHER, relation="母亲", guardian=True, order=1),
        ),
        restrictions=(Restriction(child=NA, collector=UNCLE, valid_from=date(2026, 9, 1)),),
        cards=(
            Card(uid="04A32F91", holder=MING, kind="m1"),
            Card(uid="04A32F91", holder=NA, state=CardState.LOST),
            Card(uid="01026F6C3A", holder=MOTHER, kind="id"),
        ),
        sessions=(
            Session(id="S1", name="阅读", kind="reading", slot=1, weekdays=frozenset({1, 3}), room="图书馆",
                    teacher=TEACHER, capacity=30, audience=frozenset({"primary-3", "primary-2023-1"})),
        ),
        enrolments=(Enrolment(child=MING, session="S1", valid_from=date(2026, 9, 1), leave_at_min=1030, application="SQ00001"),),
        applications=APPLICATIONS,
        application_steps=APPLICATION_STEPS,
        persons=(
            Person(TEACHER, PersonKind.STAFF, "T001"),
            Person(MING, PersonKind.PUPIL, "20240201"),
            Person(NA, PersonKind.PUPIL, "20240202"),
            Person(MOTHER, PersonKind.COLLECTOR, "C1"),
            Person(UNCLE, PersonKind.COLLECTOR, "C2"),
        ),
        pins={TEACHER: "$argon2id$example"},
        next_number=6,
        school_year_start=2026,
        next_application=3,
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "directory.db"


def test_what_is_published_is_what_is_loaded(path: Path) -> None:
    content = a_small_school()
    info = publish(path, content, 7, 1_790_000_000_000)
    assert (info.number, info.made_at_ms) == (7, 1_790_000_000_000)
    assert snapshot_info(path) == info
    assert read_content(path) == (content, info)
    assert load(path) == index(content, number=7, made_at_ms=1_790_000_000_000)
    assert load_pins(path) == {TEACHER: "$argon2id$example"}


def test_every_index_is_complete() -> None:
    directory = index(a_small_school(), number=1, made_at_ms=0)
    assert directory.pupils_of_class["primary-2024-2"] == (NA, MING)
    assert directory.by_seat["primary-2024-2", 1] == NA
    assert [a.collector for a in directory.collectors_of[MING]] == [MOTHER, UNCLE]
    assert [a.child for a in directory.children_of[MOTHER]] == [MING, NA]
    assert [c.holder for c in directory.cards["04A32F91"]] == [MING, NA]
    assert directory.restrictions_of[NA][0].collector == UNCLE
    assert directory.members_of["S1"] == directory.enrolments_of[MING]
    assert directory.by_staff_number["T001"] == TEACHER
    assert directory.name_of(MOTHER) == "张兰"


names = st.text(min_size=1, max_size=12).filter(lambda s: not any("\ud800" <= c <= "\udfff" for c in s) and "\x00" not in s)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=names,
    seat=st.integers(0, 99),
    days=st.frozensets(st.integers(1, 7), min_size=1),
    consents=st.frozensets(st.sampled_from(["snapshot", "face_match", "messaging"])),
    roles=st.frozensets(st.sampled_from(list(Role))),
    until=st.none() | st.dates(),
)
def test_any_text_and_any_set_survives_the_file(
    tmp_path: Path, name: str, seat: int, days: frozenset[int], consents: frozenset[str], roles: frozenset[Role],
    until: date | None,
) -> None:  # fmt: skip
    school = a_small_school()
    content = replace(
        school,
        pupils=(replace(school.pupils[0], name=name, seat=seat, consents=consents),),
        staff=(replace(school.staff[0], roles=roles, name=name),),
        sessions=(replace(school.sessions[0], weekdays=days),),
        restrictions=(replace(school.restrictions[0], valid_to=until),),
    )
    target = tmp_path / "any.db"
    target.unlink(missing_ok=True)
    publish(target, content, 1, 0)
    assert read_content(target)[0] == content


def test_an_older_or_equal_number_is_refused_and_changes_nothing(path: Path) -> None:
    publish(path, a_small_school(), 7, 0)
    before = path.read_bytes()
    for number in (7, 6):
        with pytest.raises(SnapshotStale, match="snapshot 7 is already in place"):
            publish(path, Content(), number, 0)
    assert path.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == [".directory.db.lock", "directory.db"]


def test_a_missing_a_foreign_and_an_empty_file_are_told_apart(path: Path, tmp_path: Path) -> None:
    with pytest.raises(DirectoryMissing, match="import the people files first"):
        load(path)
    with pytest.raises(DirectoryForeign):
        load(tmp_path)
    for junk in (b"", b"\x00" * 5000, random.Random(1).randbytes(5000), b"SQLite format 3\x00" + bytes(4000)):
        path.write_bytes(junk)
        with pytest.raises(DirectoryForeign, match="not a directory snapshot"):
            load(path)
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE entries (seq INTEGER)")
    other.commit()
    other.close()
    with pytest.raises(DirectoryForeign):
        snapshot_info(path)
    with pytest.raises(DirectoryForeign):
        publish(path, Content(), 1, 0)


def test_a_flipped_or_missing_byte_never_loads_as_something_else(path: Path) -> None:
    publish(path, a_small_school(), 1, 0)
    good, expected = path.read_bytes(), load(path)
    dice = random.Random(5)
    for _ in range(60):
        damaged = bytearray(good)
        damaged[dice.randrange(len(good))] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        try:
            loaded = load(path)
        except (DirectoryDamaged, DirectoryForeign, DirectoryTooNew):
            continue
        assert loaded == expected  # the flip hit an unused part of a page
    for length in (100, 4096, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:length])
        with pytest.raises((DirectoryDamaged, DirectoryForeign)):
            load(path)


def test_a_changed_name_is_noticed_although_sqlite_does_not(path: Path) -> None:
    publish(path, a_small_school(), 1, 0)
    path.write_bytes(path.read_bytes().replace("张兰".encode(), "张花".encode()))
    with pytest.raises(DirectoryDamaged, match="changed on disk"):
        load(path)


def test_a_snapshot_of_a_newer_version_is_not_guessed_at(path: Path) -> None:
    publish(path, a_small_school(), 1, 0)
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('directory', 'm999_later', '')")
    connection.commit()
    connection.close()
    with pytest.raises(DirectoryTooNew, match="update this computer"):
        load(path)


def test_every_migration_is_applied_by_name(path: Path) -> None:
    publish(path, Content(), 1, 0)
    connection = sqlite3.connect(path)
    assert directory_schema.applied_migrations(connection) == (
        "m001_people_cards_and_sessions",
        "m002_duress_pins",
        "m003_applications",
        "m004_sessions_by_date",
        "m005_outside_staff",
    )
    connection.close()


def test_a_disk_that_refuses_leaves_the_old_snapshot(path: Path, tmp_path: Path) -> None:
    publish(path, a_small_school(), 1, 0)
    before = path.read_bytes()
    (tmp_path / ".directory.db.new").mkdir()  # nothing can be created under this name
    with pytest.raises(DirectoryNotWritten, match="the old one stays"):
        publish(path, Content(), 2, 0)
    assert path.read_bytes() == before
    with pytest.raises(DirectoryNotWritten):
        publish(tmp_path / "absent" / "directory.db", Content(), 1, 0)


def test_what_a_power_cut_left_behind_is_overwritten(path: Path, tmp_path: Path) -> None:
    (tmp_path / ".directory.db.new").write_bytes(b"half a file")
    publish(path, a_small_school(), 1, 0)
    assert load(path).number == 1
    assert oct(path.stat().st_mode & 0o777) == oct(0o640 & ~_umask())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_received_snapshot_is_checked_before_it_is_installed(path: Path, tmp_path: Path) -> None:
    made = tmp_path / "server.db"
    info = publish(made, a_small_school(), 3, 0)
    data = made.read_bytes()
    with pytest.raises(DirectoryDamaged, match="fetch it again"):
        install(path, data[:-1], sha256=info.sha256)
    with pytest.raises(DirectoryForeign):
        install(path, b"<html>502</html>")
    assert not path.exists()
    assert install(path, data, sha256=info.sha256) == info
    publish(made, Content(), 4, 0)
    install(path, made.read_bytes())
    with pytest.raises(SnapshotStale):
        install(path, data)
    assert install(path, data, allow_older=True).number == 3


def test_an_erased_person_leaves_no_trace_and_the_number_stays_used(path: Path) -> None:
    content, gone = erase_person(a_small_school(), NA)
    assert [one.id for one in content.applications] == ["SQ00001"]
    assert [taken.application for taken in content.application_steps] == ["SQ00001"]
    assert gone == {NA}
    publish(path, content, 2, 0)
    directory = load(path)
    assert directory.name_of(NA) == f"#{NA}"
    assert NA not in directory.restrictions_of and NA not in directory.collectors_of
    assert [c.holder for c in directory.cards["04A32F91"]] == [MING]
    for text in ("王娜", "20240202"):
        assert text.encode() not in path.read_bytes()
    assert read_content(path)[0].next_number == 6


def test_collectors_with_no_child_left_are_erased_with_the_child(path: Path) -> None:
    without_na, _ = erase_person(a_small_school(), NA)
    without_both, gone = erase_person(without_na, MING)
    assert gone == {MING, MOTHER, UNCLE}
    publish(path, without_both, 2, 0)
    data = path.read_bytes()
    assert not any(text.encode() in data for text in ("张兰", "13812341234", "王强", "01026F6C3A", "C1"))


def test_a_teacher_who_leads_a_session_is_not_erased_from_under_it() -> None:
    with pytest.raises(PersonInUse, match="阅读"):
        erase_person(a_small_school(), TEACHER)
    free, _ = erase_person(replace(a_small_school(), sessions=(), enrolments=()), TEACHER)
    assert free.classes[0].teacher is None and free.pins == {}
    with pytest.raises(PersonUnknown):
        erase_person(free, TEACHER)


def test_a_large_school_is_loaded_whole(path: Path) -> None:
    letters = string.ascii_uppercase
    pupils = tuple(
        replace(a_small_school().pupils[0], number=n, school_number=f"P{n}", seat=n % 45, class_id=f"c{n // 45}")
        for n in range(1, 1621)
    )
    adults = tuple(
        replace(a_small_school().collectors[0], number=n, key=f"C{n}", name=letters[n % 26]) for n in range(2000, 6500)
    )
    links = tuple(Authorisation(child=n % 1620 + 1, collector=n, relation="母亲", guardian=True) for n in range(2000, 6500))
    publish(path, Content(pupils=pupils, collectors=adults, authorisations=links, next_number=6500), 1, 0)
    directory = load(path)
    assert len(directory.pupils) == 1620 and len(directory.collectors) == 4500
    assert sum(map(len, directory.collectors_of.values())) == 4500
