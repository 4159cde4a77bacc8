"""Every page in every state that has a design of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kiosk.web import faces
from kiosk.web.faces_enrolment import ReviewView
from kiosk.web.faces_format import Lang
from kiosk.web.faces_notices import NoticesView
from kiosk.web.faces_office import DevicesView, ErrorView, ImportView, PeopleView, SettingsView, SignInView
from tests.faces import archive_views as arch
from tests.faces import delegate_views as dv
from tests.faces import duty_views as d
from tests.faces import enrolment_views as ev
from tests.faces import privacy_views as priv
from tests.faces import publication_views as pv
from tests.faces import record_views as rv
from tests.faces import report_views as rep
from tests.faces import sample_duty, sample_office
from tests.faces import sample_safety as safety
from tests.faces import sample_views as s
from tests.faces import service_views as sv
from tests.faces import watch_views as w
from tests.faces.calendar_views import STATES as CALENDARS
from tests.faces.card_views import ENROL_STATES, enrol
from tests.faces.roster_views import ROSTERS
from tests.faces.service_views import ROSTERS_OF_SESSIONS

_ALARM = s.bar(emergency="drill", can_save=False, clock_trusted=False, calendar_unverified=True, day_note="调休")
_LAST = s.bar(disk="disk_last", disk_percent=100)

PAGES: dict[str, tuple[str, Any]] = {
    "display": ("display", s.display()),
    "display out of order": ("display", s.display(out_of_order=True)),
    "display emergency": ("display", s.display(emergency="emergency", no_card_possible=False)),
    "display closed": ("display", s.display(window_name="closed", window_from_ms=None, window_to_ms=None)),
    "display of a room": ("display", s.display(kind="room", room="二楼阅览室", window_name="session")),
    "guard": ("guard", s.guard()),
    "guard empty": ("guard", replace(s.guard(), queue=())),
    "guard cut off": ("guard", replace(s.guard(), bar=s.cut_off())),
    "guard alarm": ("guard", replace(s.guard(), bar=_ALARM)),
    "guard disk filling": ("guard", replace(s.guard(), bar=s.bar(disk="disk_low", disk_percent=91))),
    "guard disk full": ("guard", replace(s.guard(), bar=_LAST)),
    "guard on watch": ("guard", w.on_watch()),
    "guard watch offered": ("guard", w.offered()),
    "guard watch came back": ("guard", w.came_back()),
    "guard nobody on watch": ("guard", w.nobody_on_watch()),
    "guard just released": ("guard", w.just_released()),
    "guard hold": ("guard", w.gate_hold()),
    "guard right elsewhere": ("guard", w.right_elsewhere()),
    "guard not gone through": ("guard", w.not_gone_through()),
    "guard stale list": ("guard", w.police_rung()),
    "guard passes": ("guard", w.passes()),
    "roster": ("roster", s.roster()),
    "roster called": ("roster", s.roster(called=True, taken=True)),
    "roster offered": ("roster", s.offered_roster()),
    "roster empty": ("roster", replace(s.roster(), rows=(), takeable=(), expected=0, present=0)),
    **{key: ("roster", view) for key, view in ROSTERS.items()},
    **{key: ("roster", view) for key, view in ROSTERS_OF_SESSIONS.items()},
    "patrol": ("patrol", sv.patrol()),
    "patrol none": ("patrol", replace(sv.patrol(), lines=(), unseen=0)),
    "duty unclosed": ("duty", sv.duty()),
    "rosters": ("rosters", s.rosters()),
    "rosters empty": ("rosters", replace(s.rosters(), rosters=())),
    "duty": ("duty", sample_duty.duty()),
    "duty quiet": ("duty", sample_duty.quiet_duty()),
    "duty alarm": ("duty", replace(sample_duty.duty(), bar=_ALARM)),
    "duty disk full": ("duty", d.disk_full()),
    "duty everything": ("duty", d.everything()),
    "duty ready": ("duty", d.ready()),
    "duty closed": ("duty", d.closed()),
    "duty cleared": ("duty", replace(sample_duty.quiet_duty(), cleared_ms=s.NOW)),
    "muster": ("muster", safety.muster()),
    "muster nearly done": ("muster", safety.muster(missing=(0, 3, 0, 0, 1, 0))),
    "muster done": ("muster", safety.muster(missing=(0, 0, 0))),
    "muster drill": ("muster", safety.muster(drill=True)),
    "muster over": ("muster", safety.muster("over", missing=(0, 2))),
    "muster none": ("muster", safety.muster("none")),
    "register": ("register", safety.register()),
    "register empty": ("register", safety.register(empty=True)),
    "waiting": ("waiting", safety.waiting()),
    "waiting empty": ("waiting", safety.waiting(empty=True)),
    "import start": ("office_import", ImportView(bar=s.bar())),
    "import preview": ("office_import", sample_office.import_preview()),
    "import broken": ("office_import", sample_office.import_preview(broken=True)),
    "import same": ("office_import", replace(sample_office.import_preview(), changes=(), counts=())),
    "import done": ("office_import", ImportView(bar=s.bar(), state="done", number=119)),
    "people": ("office_people", sample_office.people()),
    "people none": ("office_people", PeopleView(bar=s.bar(), text="zz")),
    "people start": ("office_people", PeopleView(bar=s.bar())),
    **{state: ("office_calendar", view) for state, view in CALENDARS.items()},
    **{f"enrol {state}": ("office_enrol", enrol(state)) for state in ENROL_STATES},
    "enrolment": ("office_enrolment", ev.office()),
    "enrolment refused": ("office_enrolment", replace(ev.office(), refused="list_moved")),
    "enrolment of several": ("office_enrolment", ev.several()),
    "enrolment quiet": ("office_enrolment", ev.quiet()),
    "enrolment of a child": ("office_enrolment_child", ev.child()),
    "enrolment asked": ("office_enrolment_child", ev.child(asked=True)),
    "applications": ("applications", ev.reviews()),
    "applications none": ("applications", ReviewView(bar=s.bar())),
    "settings": ("office_settings", sample_office.settings()),
    "settings clean": ("office_settings", SettingsView(bar=s.bar())),
    "devices": ("office_devices", sample_office.devices()),
    **{
        f"devices {state}": ("office_devices", sample_office.devices(trial=sample_office.trial(state, device)))
        for state, device in (
            ("listening", "东门 1"),
            ("read", "东门 1"),
            ("read_kept", "东门 1"),
            ("nobody", "东门 1"),
            ("closed", "继电器"),
            ("picture", "相机 1"),
            *((state, "小票机") for state in ("printing", "printed", "kept", "full", "down")),
        )
    },
    "devices asked": ("office_devices", sample_office.devices(asked="继电器")),
    "devices none": ("office_devices", DevicesView(bar=s.bar())),
    "notices": ("office_notices", sample_office.notices()),
    "notices in trouble": ("office_notices", sample_office.notices(trouble="磁盘已满")),
    "privacy": ("office_privacy", priv.overview()),
    "privacy child": ("office_privacy_child", priv.child()),
    "privacy nobody found": ("office_privacy_child", priv.nobody()),
    "privacy text": ("office_privacy_text", priv.text()),
    "privacy incidents": ("office_privacy_incidents", priv.incidents()),
    "notices none": ("office_notices", NoticesView(bar=s.bar())),
    "policy": ("office_policy", pv.policy()),
    "policy published": ("office_policy", replace(pv.policy(), done="timetable", fee_locked=None)),
    "policy none": ("office_policy", pv.empty_policy()),
    "paper": ("paper", pv.paper()),
    "inspection": ("inspection", pv.inspection()),
    "inspection clean": ("inspection", replace(pv.inspection(), findings=(), dues=())),
    "delegate": ("delegate", dv.delegates()),
    "delegate none": ("delegate", replace(dv.delegates(), passes=(), guardians=())),
    "pass": ("delegate_pass", dv.shown_pass()),
    "pass used": ("delegate_pass", dv.shown_pass(why="used")),
    "replay": ("replay", rv.replay()),
    "replay none": ("replay", rv.replay_of_nothing()),
    "evidence": ("evidence", rv.evidence()),
    "evidence broken": ("evidence", rv.broken_evidence()),
    "evidence none": ("evidence", replace(rv.evidence(), segments=(), flaws=(), facts=())),
    **arch.STATES,
    "reports": ("office_reports", rep.reports()),
    "reports without dates": ("office_reports", replace(rep.reports(), dues=())),
    "reports in trouble": ("office_reports", rep.trouble()),
    "report": ("office_report", rep.ready()),
    "report for an inspector": ("office_report", replace(rep.ready(), masked=True, forms=())),
    **{f"report {state}": ("office_report", view) for state, view in rep.STATES.items()},
    "statement": ("statement", rv.statement()),
    "statement none": ("statement", replace(rv.statement(), entry="")),
    "sign in": ("sign_in", SignInView(now_ms=s.NOW)),
    "sign in locked": ("sign_in", SignInView(now_ms=s.NOW, error="locked", locked_min=5)),
    "not found": ("error", ErrorView(now_ms=s.NOW, status=404)),
    "broken": ("error", ErrorView(now_ms=s.NOW, status=500, detail="x")),
    "strange status": ("error", ErrorView(now_ms=s.NOW, status=418)),
}


def html(key: str, lang: Lang = "zh") -> str:
    name, view = PAGES[key]
    public = name in ("display", "sign_in", "error")
    more: dict[str, Any] = {"school": "星河路小学", "classes": sample_office.classes()} if name == "display" else {}
    if name == "office_enrolment_child":
        more["tab"] = "enrolment"
    return faces.page(name, view=view, lang=lang, staff=None if public else s.LEADER, csrf="c", **more)
