"""What comes out of a sound configuration."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import kiosk.settings.places as places
from kiosk.core.people import Directory, Role, Staff, Stage
from kiosk.core.rules import AccessKind, AccessPoint, Freshness, Rung
from kiosk.core.timetable import DayType, Slot, resolve_day
from kiosk.settings import Device, SettingsError, SharedDataMissing, load, policies_dir, shared_data_dir

Config = Callable[..., Path]


def test_a_sound_configuration_becomes_frozen_values(config: Config) -> None:
    settings = load(config())
    assert (settings.school.name, settings.school.local_off_work_min) == ("某某小学", 17 * 60 + 30)
    assert settings.school.stages == frozenset({Stage.PRIMARY})
    assert settings.calendar.terms[0].id == "2026_autumn"
    assert settings.calendar.school[date(2026, 10, 10)].timetable_as == 3
    assert settings.plan.schedules["summer"].slots[1] == Slot(number=2, kind="enrichment", start_min=1030, end_min=1080)
    assert settings.plan.schedules["winter"].extended_care is None
    assert settings.plan.profiles == {"eve": {"primary-1": 840}}
    assert settings.plan.utc_offset_ms == 8 * 3_600_000
    assert settings.release_window_min == 15
    with pytest.raises(AttributeError):
        settings.release_window_min = 20  # type: ignore[misc]


def test_the_rules_carry_places_ladder_and_figures(config: Config) -> None:
    rules = load(config()).rules
    assert (rules.node, rules.public_name, rules.handover_max_grade) == ("gate-east", "某某小学", 2)
    assert rules.freshness == Freshness() and rules.repeat_ms == 5_000
    assert rules.ladder[1] == Rung(at_min=30, state="gatehouse", tell=("guard",), do="交接到门卫室", acknowledge=False)
    assert rules.access_points["room-301"].kind is AccessKind.ROOM
    assert rules.access_points["east-in"] == AccessPoint(
        id="east-in",
        name="东门进",
        kind=AccessKind.ENTRANCE,
        gate="east",
        relay="east-relay",
        relay_channel=2,
        pulse_s=1.5,
    )


def test_every_figure_of_windows_reaches_the_rules(config: Config) -> None:
    figures = """
[windows]
release_window_min = 20
repeat_s = 6
anti_passback_s = 61
list_green_min = 16
list_amber_min = 600
offer_lapse_min = 11
acknowledge_within_min = 4
eta_pause_max_min = 29
roll_due_min = 9
seat_claim_min = 8
offline_delegates = true
"""
    settings = load(config("school.toml", "", figures))
    rules = settings.rules
    assert settings.release_window_min == 20
    assert (rules.repeat_ms, rules.anti_passback_ms) == (6_000, 61_000)
    assert rules.freshness == Freshness(green_ms=960_000, amber_ms=36_000_000)
    assert (rules.offer_lapse_ms, rules.acknowledge_within_ms, rules.eta_pause_max_ms) == (660_000, 240_000, 1_740_000)
    assert (rules.roll_due_ms, rules.seat_claim_ms, rules.offline_delegates) == (540_000, 480_000, True)


def test_the_site_names_this_computer_its_devices_and_the_server(config: Config) -> None:
    site = load(config()).site
    assert (site.node, site.gate, site.host, site.port) == ("gate-east", "east", "127.0.0.1", 9000)
    assert site.devices[0] == Device(
        name="east-reader", url="rdm6300:/dev/serial/by-id/x", access_point="east-in", options={"baud": 9600}
    )
    assert site.devices[0].scheme == "rdm6300"
    assert (site.sync.server, site.sync.school) == ("http://10.0.0.10:8480", "s")


def test_without_a_site_file_the_node_stands_alone(config: Config) -> None:
    folder = config()
    (folder / "site.toml").unlink()
    site = load(folder).site
    assert (site.node, site.host, site.port, site.devices, site.sync.server) == ("gate-1", "127.0.0.1", 8470, (), "")


def test_another_site_file_makes_another_gate_of_the_same_school(config: Config, tmp_path: Path) -> None:
    other = tmp_path / "south.toml"
    other.write_text('[node]\nid = "east"\n', encoding="utf-8")
    settings = load(config(), site_file=other)
    assert (settings.site.node, settings.site.gate, settings.rules.node) == ("east", "east", "east")
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load(config(), site_file=tmp_path / "nowhere.toml")


def test_the_digest_changes_with_every_byte(config: Config) -> None:
    before = load(config()).digest
    assert load(config()).digest == before
    assert load(config("ladder.toml", "at = 30", "at = 31")).digest != before


def test_a_variant_takes_what_it_lacks_from_its_base(config: Config) -> None:
    base = config()
    (base / "people").mkdir()
    variant = base / "variants" / "xiji"
    variant.mkdir(parents=True)
    (variant / "school.toml").write_text('base = "../.."\n[school]\ncity = "xiji"\n', encoding="utf-8")
    settings = load(variant)
    assert (settings.school.city, settings.school.name) == ("xiji", "某某小学")
    assert set(settings.rules.access_points) == {"east-in", "room-301"}
    assert settings.calendar.makeup_day == "if_teaching"
    assert settings.files["plan.toml"] == base / "plan.toml"
    assert settings.find("people") == base / "people" and settings.find("nothing") is None


def test_a_list_of_tables_in_a_variant_replaces_the_bases(config: Config) -> None:
    base = config()
    variant = base / "variant"
    variant.mkdir()
    own = 'base = ".."\n[[access_point]]\nid = "only"\nname = "唯一"\nkind = "desk"\n'
    (variant / "school.toml").write_text(own, encoding="utf-8")
    (variant / "site.toml").write_text('[node]\nid = "n"\n', encoding="utf-8")
    assert set(load(variant).rules.access_points) == {"only"}


def test_a_circle_of_bases_is_a_problem_and_ends(config: Config) -> None:
    folder = config("school.toml", "[school]", 'base = "."\n[school]')
    with pytest.raises(SettingsError, match="circle"):
        load(folder)


@pytest.mark.parametrize(
    ("city", "answer"), [("changzhi", "service"), ("xiji", "if_teaching"), ("yueyang", "school_decides"), ("", "school_decides")]
)
def test_the_policy_answers_for_makeup_days_until_the_school_does(config: Config, city: str, answer: str) -> None:
    folder = config("school.toml", 'city = "yueyang"', f'city = "{city}"')
    assert load(folder).calendar.makeup_day == answer
    calendar = folder / "calendar.toml"
    calendar.write_text('makeup_day = "service"\n' + calendar.read_text("utf-8"), encoding="utf-8")
    assert load(folder).calendar.makeup_day == "service"


def test_the_schedule_of_a_new_year_can_be_dropped_in(config: Config) -> None:
    folder = config()
    national = folder / "national"
    national.mkdir()
    days = [
        {"name": "元旦", "date": "2027-01-01", "isOffDay": True},
        {"name": "元旦", "date": "2027-01-03", "isOffDay": False},
    ]
    (national / "2027.json").write_text(json.dumps({"year": 2027, "days": days}), encoding="utf-8")
    calendar = load(folder).calendar
    assert resolve_day(date(2027, 1, 1), calendar).type is DayType.HOLIDAY
    makeup = resolve_day(date(2027, 1, 3), calendar)
    assert (makeup.type, makeup.note) == (DayType.TEACHING, "元旦调休上班")
    assert not resolve_day(date(2027, 1, 5), calendar).calendar_unverified


def test_staff_numbers_become_persons_when_the_directory_is_known(config: Config) -> None:
    settings = load(config())
    teacher = Staff(number=77, staff_number="T001", name="叶琴", pinyin="", initials="", roles=frozenset({Role.TEACHER}))
    directory = Directory(number=1, made_at_ms=0, staff={77: teacher})
    rules = settings.rules_for(directory)
    assert (rules.early_duty_teacher, rules.duty_leader) == (77, None)
    assert settings.staff_unknown_to(directory) == ("D001",)


def test_shared_data_is_found_in_a_checkout_and_in_an_environment(tmp_path: Path) -> None:
    assert (policies_dir() / "tianjin.toml").is_file()
    assert (shared_data_dir("sample_school") / "school.toml").is_file()
    with pytest.raises(SharedDataMissing, match="nothing_of_that_name"):
        shared_data_dir("nothing_of_that_name")
    installed = tmp_path / places.SHARED / "only_installed"
    installed.mkdir(parents=True)
    assert shared_data_dir("only_installed", prefix=str(tmp_path)) == installed


def test_a_policy_file_that_is_broken_is_named(config: Config, tmp_path: Path) -> None:
    folder = config("school.toml", 'city = "yueyang"', 'city = "broken"')
    policies = tmp_path / "policies"
    policies.mkdir()
    for text, words in (("[policy", "not valid TOML"), ("schema = 1", "policy")):
        (policies / "broken.toml").write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match=words) as caught:
            load(folder, policies=policies)
        assert {problem.file for problem in caught.value.problems} == {"policies/broken.toml"}


def test_the_digest_covers_the_base_of_a_variant(config: Config) -> None:
    base = config()
    variant = base / "variant"
    variant.mkdir()
    (variant / "school.toml").write_text('base = ".."\n', encoding="utf-8")
    before = load(variant).digest
    config("school.toml", 'name = "某某小学"', 'name = "别的小学"')
    assert load(variant).digest != before
