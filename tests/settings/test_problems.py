"""Every mistake has one clear sentence with its file, its place and its remedy, and all come at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.settings import SettingsError, load

Config = Callable[..., Path]


def problems(folder: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(SettingsError) as caught:
        load(folder)
    return [(p.file, p.where, p.message) for p in caught.value.problems]


# file, what to replace, with what, where the problem is, words of the message
MISTAKES = [
    # keys and types
    ("school.toml", 'name = "某某小学"', 'nmae = "某某小学"', "school.nmae", "did you mean name?"),
    ("school.toml", 'name = "某某小学"', "", "school.name", 'add name = "..."'),
    ("school.toml", "[school]", "[school]\nxyzzy = 1", "school.xyzzy", "no such key"),
    ("school.toml", 'local_off_work = "17:30"', "", "school.local_off_work", "add local_off_work"),
    ("school.toml", 'name = "某某小学"', "name = 3", "school.name", "must be text"),
    ("school.toml", 'id = "s"', 'id = "a school"', "school.id", "may only have letters"),
    ("school.toml", 'stages = ["primary"]', 'stages = "primary"', "school.stages", "must be list"),
    ("school.toml", '["primary"]', '["primry"]', "school.stages", "did you mean primary?"),
    ("school.toml", '["primary"]', "[]", "school.stages", "at least one stage"),
    ("school.toml", "[school]", "[school]\nhandover_max_grade = 1", "school.handover_max_grade", "out of range"),
    ("school.toml", "[school]", "[school]\nnational_overlay = 1", "school.national_overlay", "must be true/false"),
    ("school.toml", "[school]", '[school]\nutc_offset = "8"', "school.utc_offset", "+08:00"),
    ("school.toml", "", "\n[windows]\nrepeat_s = true", "windows.repeat_s", "must be number"),
    ("school.toml", "", "\n[windows]\nlist_green_min = 2000", "windows.list_amber_min", "more than list_green_min"),
    ("school.toml", '"yueyang"', '"yueyan"', "school.city", "did you mean yueyang?"),
    # places
    ("school.toml", 'id = "room-301"', 'id = "east-in"', "access_point[2].id", "already used"),
    ("school.toml", 'gate = "east"', 'gate = "eats"', "access_point[1].gate", "did you mean east?"),
    ("school.toml", 'gate = "east"', "", "access_point[1].gate", "needs a gate"),
    ("school.toml", 'room = "301"', "", "access_point[2].room", "needs a room"),
    ("school.toml", 'kind = "room"', 'kind = "roof"', "access_point[2].kind", "did you mean room?"),
    ("school.toml", "[[gate]]", "[[gate]]\nid = 'east'\nname = '门'\n[[gate]]", "gate[2].id", "already used"),
    ("school.toml", "[[gate]]", "[gate]", "gate", "[[gate]]"),
    ("school.toml", "", '\n[[accepted]]\nrule = "A4"\nreason = ""\nby = "D1"', "accepted[1].reason", "logged"),
    ("school.toml", "", '\n[service]\noffers = ["evening"]', "service.offers", "did you mean"),
    (
        "school.toml",
        "",
        '\n[service]\npractices = ["escort"]\nnever = ["escort"]',
        "service.never",
        "contradicts practices: escort",
    ),
    # calendar
    ("calendar.toml", "to = 2027-01-22", "to = 2026-08-01", "term.2026_autumn.to", "lies before from"),
    ("calendar.toml", "from = 2026-09-01", 'from = "1 September"', "term.2026_autumn.from", "not a date"),
    ("calendar.toml", "from = 2026-09-01", 'from = "2026-02-30"', "term.2026_autumn.from", "not a date"),
    ("calendar.toml", "from = 2026-09-01", "from = 2026-09-01T08:00:00", "term.2026_autumn.from", "must be YYYY-MM-DD"),
    (
        "calendar.toml",
        "[[season]]",
        '[[season]]\nname = "summer"\nfrom = 2026-09-01\nto = 2026-10-08\n[[season]]',
        "season[2].from",
        "overlaps season[1]",
    ),
    (
        "calendar.toml",
        "[[season]]",
        '[term.again]\nname = "x"\nfrom = 2027-01-20\nto = 2027-06-01\n[[season]]',
        "term.again.from",
        "overlaps term.2026_autumn",
    ),
    ("calendar.toml", 'name = "winter"', 'name = "wintr"', "season[1].name", "add [bells.wintr]"),
    ("calendar.toml", "[[day]]", "[[day]]\ndate = 2026-10-10\n[[day]]", "day[2].date", "already used"),
    ("calendar.toml", 'timetable_as = "wed"', 'timetable_as = "Wednesday"', "day[1].timetable_as", "not one of mon"),
    ("calendar.toml", 'timetable_as = "wed"', 'dismissal_profile = "evee"', "day[1].dismissal_profile", "did you mean eve?"),
    ("calendar.toml", 'timetable_as = "wed"', 'type = "workday"', "day[1].type", "not one of teaching"),
    ("calendar.toml", "", "\n[[override]]\ndate = 2026-11-13", "override[1].author", "add author"),
    ("calendar.toml", "[term.2026_autumn]", "[term]", "term.name", "must be written as [term.name]"),
    ("calendar.toml", "[term", 'weekend_service = ["fri"]\n[term', "weekend_service", "teaching weekday"),
    ("calendar.toml", "[term", "teaching_weekdays = []\n[term", "teaching_weekdays", "at least one"),
    ("calendar.toml", "[term", 'default_season = "spring"\n[term', "default_season", "add [bells.spring]"),
    # plan
    ("plan.toml", '"19:00"', '"25:00"', "bells.summer.gate_closes", "not a time of day"),
    ("plan.toml", '"19:00"', "1900", "bells.summer.gate_closes", "must be HH:MM"),
    ("plan.toml", 'to = "17:10"', 'to = "17:20"', "bells.summer.slot[2].from", "overlaps bells.summer.slot[1]"),
    ("plan.toml", 'to = "17:10"', 'to = "16:00"', "bells.summer.slot[1].to", "later than from"),
    ("plan.toml", "number = 2", "number = 1", "bells.summer.slot[2].number", "already used"),
    ("plan.toml", 'to = "19:00" }', 'to = "19:30" }', "bells.summer.extended_care.to", "gate_closes"),
    ("plan.toml", '"primary-1" = "15:30"', '"primary1" = "15:30"', "bells.summer.dismissal.primary1", "did you mean primary-1"),
    ("plan.toml", ', "*" = "16:10"', "", "bells.summer.dismissal", 'add "*"'),
    ("plan.toml", '"*" = "08:11"', '"*" = "07:30"', "bells.summer.late_from", "later than gate_opens"),
    ("plan.toml", 'kind = "homework"', 'kind = "lesson"', "bells.summer.slot[1].kind", "not one of"),
    # ladder
    ("plan.toml", "[bells.", "[belles.", "belles", "did you mean bells?"),
    ("ladder.toml", "at = 0", "at = 5", "ladder[1].at", "must be at 0"),
    ("ladder.toml", "at = 30", "at = 0", "ladder[2].at", "must be more than 0"),
    ("ladder.toml", '["guard"]', "[]", "ladder[2].to", "at least one role"),
    ("ladder.toml", 'state = "gatehouse"', 'state = "waiting"', "ladder[2].state", "already used"),
    # site
    ("site.toml", 'access_point = "east-in"', 'access_point = "east-inn"', "device[1].access_point", "did you mean east-in?"),
    ("site.toml", '"lcus:/dev/serial/by-id/y"', '"/dev/ttyUSB0"', "device[2].url", "must be driver:address"),
    ("site.toml", 'name = "east-relay"', 'name = "east-reader"', "device[2].name", "already used"),
    ("site.toml", 'relay = "east-relay"', 'relay = "relay"', "access.east-in.relay", "no device 'relay'"),
    (
        "site.toml",
        'relay = "east-relay"',
        'relay = "east-relay"\nturn_sensor = "bord"',
        "access.east-in.turn_sensor",
        "no device 'bord'",
    ),
    (
        "site.toml",
        "[access.east-in]",
        '[[signal]]\naccess_point = "east-in"\nrelay = "east-relay"\nchannel = 2\n\n[access.east-in]',
        "signal[1].channel",
        "opens the door of access.east-in",
    ),
    ("site.toml", "[access.east-in]", '[sound]\ndevice = "spekar"\n\n[access.east-in]', "sound.device", "no device 'spekar'"),
    ("site.toml", "[access.east-in]", "[access.east-out]", "access.east-out", "no access point 'east-out'"),
    ("site.toml", 'gate = "east"', 'gate = "west"', "node.gate", "no gate 'west'"),
    ("site.toml", 'gate = "east"', 'gate = "east"\nserves = ["west"]', "node.serves", "no gate 'west'"),
    ("site.toml", "port = 9000", "port = 0", "node.port", "out of range, allowed is 1..65535"),
    ("site.toml", "pulse_s = 1.5", 'pulse_s = "long"', "access.east-in.pulse_s", "must be decimal number"),
    ("site.toml", "http://", "ftp://", "sync.server", "http://"),
    ("site.toml", "{ baud = 9600 }", "9600", "device[1].options", "must be table"),
]


@pytest.mark.parametrize(("file", "old", "new", "where", "words"), MISTAKES, ids=[f"{m[3]}: {m[4]}" for m in MISTAKES])
def test_a_mistake_is_named_with_its_place_and_its_remedy(
    config: Config, file: str, old: str, new: str, where: str, words: str
) -> None:
    found = problems(config(file, old, new))
    mine = [message for in_file, at, message in found if in_file == file and at == where]
    assert mine, found
    assert any(words in message for message in mine), mine
    assert all(" / " in message for message in mine), "Chinese first, English second"


def test_one_mistake_is_one_problem(config: Config) -> None:
    assert len(problems(config("plan.toml", '"19:00"', '"25:00"'))) == 1


def test_problems_of_all_files_come_together(config: Config) -> None:
    folder = config("school.toml", 'gate = "east"', 'gate = "eats"')
    for file, old, new in (("plan.toml", '"07:30"', '"7.30"'), ("ladder.toml", "at = 30", "at = -1")):
        path = folder / file
        path.write_text(path.read_text("utf-8").replace(old, new, 1), encoding="utf-8")
    assert {file for file, _, _ in problems(folder)} == {"school.toml", "plan.toml", "ladder.toml"}


def test_a_missing_file_and_a_missing_folder_are_named(config: Config, tmp_path: Path) -> None:
    folder = config()
    (folder / "plan.toml").unlink()
    (folder / "ladder.toml").unlink()
    assert [file for file, _, _ in problems(folder)] == ["plan.toml", "ladder.toml"]
    assert "no such configuration folder" in problems(tmp_path / "nowhere")[0][2]


def test_a_missing_base_is_named(config: Config) -> None:
    found = problems(config("school.toml", "[school]", 'base = "../nowhere"\n[school]'))
    assert ("school.toml", "base") in [(file, where) for file, where, _ in found]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[school\n", "not valid TOML"),
        ("名称 = 1".encode("gb18030"), "not UTF-8"),
        (b"# " + b"x" * 1_000_001, "larger than"),
        (b"", "add a [[ladder]] table"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(config: Config, content: bytes, words: str) -> None:
    folder = config()
    (folder / "ladder.toml").write_bytes(content)
    [(file, _, message)] = problems(folder)
    assert file == "ladder.toml" and words in message


def test_a_utf8_file_with_a_mark_in_front_is_read(config: Config) -> None:
    folder = config()
    path = folder / "school.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(folder).school.name == "某某小学"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"year": 2027, "days": []}', "not out yet"),
        ('{"days": 3}', "is not a holiday file"),
        ("[]", "is not a holiday file"),
        ('{"year": 2027, "days": [{"date": "2027-01-01", "isOffDay": "yes"}]}', "true or false"),
        ('{"year": 2027, "days": [{"date": "first of May", "isOffDay": true}]}', "is not a holiday file"),
    ],
)
def test_a_holiday_file_that_cannot_be_used_is_named(config: Config, text: str, words: str) -> None:
    folder = config()
    (folder / "national").mkdir()
    (folder / "national" / "2027.json").write_text(text, encoding="utf-8")
    [(file, _, message)] = problems(folder)
    assert file == "national/" and "2027.json" in message and words in message


TOML_VALUES = st.sampled_from(
    ["1", "-1", "true", '""', '"x"', "[]", '["x"]', "[1]", "{}", "{ x = 1 }", "1.5", "nan", "2026-01-01", "07:30:00", "[[1]]"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), value=TOML_VALUES)
def test_any_value_anywhere_is_taken_or_refused_in_words_and_never_crashes(
    config: Config, data: st.DataObject, value: str
) -> None:
    folder = config()
    file = data.draw(st.sampled_from(["school.toml", "calendar.toml", "plan.toml", "ladder.toml", "site.toml"]))
    path = folder / file
    lines = path.read_text("utf-8").splitlines()
    keyed = [i for i, line in enumerate(lines) if " = " in line and not line.startswith(" ")]
    at = data.draw(st.sampled_from(keyed))
    lines[at] = f"{lines[at].partition(' = ')[0]} = {value}"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        load(folder)
    except SettingsError as error:
        assert error.problems and all(problem.message for problem in error.problems)
