"""The dictionary: complete in both languages, and nothing in it that nobody says."""

from __future__ import annotations

import re
import string

import pytest

from kiosk.core.decisions import Outcome, Reason
from kiosk.core.entries import Kind
from kiosk.core.rules import AccessKind
from kiosk.web.faces_engine import STATIC, TEMPLATES
from kiosk.web.words import WORDS, UnknownWord, known, say

# Families of which a page builds the key at run time.
BUILT = (
    "reason.", "kind.", "record.kind_", "record.label_", "record.handover_", "record.check_", "record.mode_", "record.scheme_",
    "record.channel_", "record.why_", "record.id_", "record.flag_", "record.flaw_", "record.remark_", "record.sort_",
    "record.count_", "record.children_n", "record.since",
    "collection.", "health.", "told.", "rung.", "duty.kind_", "duty.call_", "duty.block_", "error.", "nav.",
    "guard.card_", "enrol.", "enrolment.", "record.assurance_",
    "calendar.type_", "calendar.key_", "calendar.mark_", "calendar.stage_", "calendar.slot_", "calendar.season_",
    "guard.need_", "guard.why_", "guard.slip_", "office.card_", "office.layer_", "bar.list_", "roster.mark_", "outcome.",
    "roster.hand_", "tally.", "archive.why_",
    "report.of_", "report.form_", "report.fact_", "report.waiting", "report.starting", "report.reading", "report.writing",
    "js.report_reading", "js.report_writing",
    "office.calendar", "office.import_added", "office.import_changed", "office.import_removed",
    "notice_state.", "notice_kind.", "devices.",
    "sign_in.wrong", "sign_in.locked", "sign_in.expired",
    "display.arrival", "display.session", "display.dismissal", "display.closed", "guard.claim", "guard.collector", "guard.face",
    "guard.staff", "guard.pupil", "guard.outside", "sign_in.vetting",
    "vetting.lacks_", "service.state_", "service.why_", "service.planned", "service.ready", "service.unstaffed", "service.open",
    "service.over", "patrol.finding_",
    "watch.back_", "correct.", "exceptional.", "handover.", "returned.", "exception.", "search.", "case.", "clear.",
    "policy.due_", "policy.guardian_notice", "policy.timetable", "office.policy", "duty.group_", "duty.place_", "duty.channel_",
    "delegate.state_", "delegate.relation_", "pass.why_", "pass.rule_", "muster.title_", "purpose.", "id_type.", "paper.",
    "office.block", "office.warn", "office.import", "office.people", "office.enrol", "office.enrolment", "office.settings",
    "office.devices",
    "face.", "consent.", "guard.card_", "privacy.", "office.privacy",
)  # fmt: skip
TEMPLATE_TEXT = "\n".join(path.read_text() for path in TEMPLATES.rglob("*.html"))
SCRIPT_TEXT = "\n".join(path.read_text() for path in STATIC.glob("*.js"))


def _holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", WORDS)
def test_every_word_is_there_in_both_languages_with_the_same_holes(key: str) -> None:
    chinese, english = WORDS[key]
    assert chinese and english
    assert _holes(chinese) == _holes(english)


def test_every_word_that_a_template_says_exists() -> None:
    said = set(re.findall(r'say\("([^"]+)"', TEMPLATE_TEXT.replace("'", '"'))) - {"x"}
    missing = {key for key in said if not known(key) and not key.endswith(("_", "."))}
    assert not missing


def test_every_word_that_a_script_says_exists() -> None:
    assert not {key for key in re.findall(r'say\("([^"]+)"', SCRIPT_TEXT) if not known(f"js.{key}")}


def test_no_word_waits_in_the_dictionary_for_nobody() -> None:
    everywhere = TEMPLATE_TEXT + SCRIPT_TEXT + "".join(path.read_text() for path in TEMPLATES.parent.glob("faces*.py"))
    idle = [k for k in WORDS if k not in everywhere and f'"{k[3:]}"' not in everywhere and not k.startswith(BUILT)]
    assert not idle


@pytest.mark.parametrize("reason", Reason)
def test_staff_have_words_for_every_reason(reason: Reason) -> None:
    assert known(f"reason.{reason}")


def test_there_are_words_for_every_outcome_direction_and_fact_about_a_child() -> None:
    assert all(known(f"outcome.{outcome}") for outcome in Outcome)
    assert {"in", "out", "room", "room_exit", "desk"} <= {key[8:] for key in WORDS if key.startswith("display.")}
    assert len(AccessKind) == 5
    about_a_child = {
        Kind.ARRIVED, Kind.SEEN, Kind.SESSION_ENTERED, Kind.SESSION_LEFT, Kind.ROLL_CALLED, Kind.RELEASED, Kind.PICKUP_REFUSED,
        Kind.HANDOVER_OFFERED, Kind.HANDOVER_ACCEPTED, Kind.HANDOVER_DECLINED, Kind.HANDOVER_LAPSED, Kind.ESCALATED,
        Kind.LEAVE_SLIP_GRANTED, Kind.ABSENCE_EXCUSED, Kind.IDENTITY_CLAIMED, Kind.READ_REFUSED,
    }  # fmt: skip
    assert all(known(f"kind.{kind}") for kind in about_a_child)


def test_public_words_never_blame_and_never_say_why_a_pickup_is_refused() -> None:
    blame = re.compile("旷课|逃学|truant", re.IGNORECASE)
    why = re.compile("禁止|限制|黑名单|挂失|接送人|到期|监护|委托|restricted|banned|expired|guardian|collector", re.IGNORECASE)
    public = {key: pair for key, pair in WORDS.items() if key.startswith(("public.", "display."))}
    assert public
    assert not {key for key, pair in public.items() if blame.search(" ".join(pair)) or why.search(" ".join(pair))}


def test_a_missing_word_names_the_file_and_the_key() -> None:
    with pytest.raises(UnknownWord, match=r"words\.py has no entry 'guard\.nothing'"):
        say("guard.nothing")
