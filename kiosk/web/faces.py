"""Views in, HTML out: the one door to every page.

Called by `kiosk.web.app`; speaks no HTTP, reads no clock, keeps no state. What the pages expect of the server:

- **Stream** `GET /live?topic=…&topic=…` (server-sent events). Topics: `display:<access point>`, `guard:<gate>`,
  `roster:<roster>`, `rosters`, `duty`, `bar`. Events: `patch` and `bar`, data = JSON `[{"id", "html"}, …]` in the order of
  `fragments` (each replaces the element of that id; all of them on joining, later only those whose text changed, or all
  when other ids appear); `answer`, data = `answer(...)` as JSON; `signed_out`. After a broken line the page joins again.
- **Actions** `POST /act/<name>` with JSON and the header `X-CSRF-Token` (from `<meta name="csrf">`); the answer is
  `{"outcome", "reason", "words"}`, shown in place. 401 leads to signing in. Bodies, by name:
  release {children, collector, access_point, verified, second_staff_number?, second_pin?} ·
  refuse {children, collector, access_point, reason, description, queue_id} · confirm_identity {claim, same_person} ·
  dismiss {queue_id} · call_roll {roster, marks: {child: mark}} · offer {kind, children, taker, place} ·
  accept {handover, counted, exceptions: {child: mark}} · decline {handover} · take_group {roster, counted, exceptions} ·
  acknowledge {case, second_staff_number?, second_pin?} · log_call {case, guardian, result, channel, eta_min?} ·
  let_go {child, access_point} · undo_release {release} · correct {child, what, note, second…} ·
  release_exceptionally {child, access_point, name, relation, id_type, id_last4, reason, verified, second…} ·
  end_escort {escort, counted, exceptions} · offer_shift {gate, taker} · accept_shift {shift, counted, exceptions} ·
  decline_shift {shift} · located {child, place} · declare_incident {child} ·
  close_case {case, note} ·
  leave_slip {child, from_ms, to_ms, with_collector, alone, kind, note} · excuse {child, kind, note} · card_lost {uid} ·
  emergency {drill} · emergency_end {} · muster {point, children, others?, present?} · print_muster {} ·
  visitor_in {gate, name, purpose, id_type, id_last4, host?, organisation?, plate?} · visitor_out {visit} ·
  print_waiting {gate} · clear_campus {} · seat_claim {access_point, class_id, seat}.
  A body that waited offline also has `meant_ms`. Only roll calls, counts and acceptances ever wait.
- **Card readers that type** `POST /wedge/<access point>` {access_point, scheme: "number", value}; a display shows the
  answer if it is an `answer(...)` payload.
- `GET /search?q=` -> `part("search", …)`, `GET /child/<n>` -> `part("child", …)`, `GET /photo/<person>`, `GET /snapshot/<id>`,
  forms to `/sign-in`, `/sign-out`, `/office/import`, `/office/import/apply` with a hidden field `csrf`; `?lang=en|zh`
  on any page.
- **Headers**: `Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;
  connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`; `/static` with `Cache-Control: no-cache`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiosk.core.people import Staff
from kiosk.core.register import ID_TYPES, PURPOSES
from kiosk.core.roster import ChildView, DutyView, GuardView, PatrolView, RosterView, SearchView
from kiosk.core.roster_safety import MusterView, RegisterView, WaitingView
from kiosk.web import faces_live as live
from kiosk.web.faces_answer import answer
from kiosk.web.faces_calendar import CalendarView, calendar_extra, coming_lines
from kiosk.web.faces_chart import bar_chart
from kiosk.web.faces_count import why_words
from kiosk.web.faces_duty import duty_extra
from kiosk.web.faces_engine import render
from kiosk.web.faces_format import Lang
from kiosk.web.faces_guard import guard_lists
from kiosk.web.faces_office import MAX_LISTED, DevicesView, ErrorView, SettingsView, setting_rows
from kiosk.web.faces_patrol import patrol_cards
from kiosk.web.faces_records import ReplayView
from kiosk.web.faces_reports import ReportsView, ReportView
from kiosk.web.faces_roster import closes, counts_on_top, free_to_take, looking_for, moment
from kiosk.web.faces_safety import class_list, hosts_of
from kiosk.web.words import known, say

__all__ = ["PAGES", "answer", "fragments", "page", "part", "topics", "words_of"]

PAGES = (
    "display",
    "guard",
    "roster",
    "rosters",
    "duty",
    "delegate",
    "delegate_pass",
    "muster",
    "patrol",
    "register",
    "waiting",
    "office_import",
    "office_reports",
    "office_report",
    "office_people",
    "office_enrol",
    "office_enrolment",
    "office_enrolment_child",
    "applications",
    "office_calendar",
    "office_settings",
    "office_devices",
    "replay",
    "evidence",
    "statement",
    "sessions",
    "session",
    "office_notices",
    "office_policy",
    "paper",
    "inspection",
    "office_privacy",
    "office_privacy_child",
    "office_privacy_text",
    "office_privacy_incidents",
    "sign_in",
    "error",
)
NAV = (
    ("guard", "/guard"),
    ("rosters", "/rosters"),
    ("duty", "/duty"),
    ("register", "/register"),
    ("muster", "/muster"),
    ("office", "/office/import"),
    ("records", "/records/replay"),
)
_STYLE = {
    "applications": "office",
    "rosters": "roster",
    "delegate": "delegates",
    "delegate_pass": "delegates",
    "muster": "safety",
    "patrol": "service",
    "register": "safety",
    "waiting": "safety",
    "error": "sign_in",
    "replay": "records",
    "evidence": "records",
    "statement": "records",
    "sessions": "records",
    "session": "records",
    "paper": "records",
    "inspection": "records",
}


def page(
    name: str,
    *,
    view: Any,
    lang: Lang = "zh",
    staff: Staff | None = None,
    csrf: str = "",
    nav: Sequence[tuple[str, str]] = NAV,
    **ctx: Any,
) -> str:
    """A whole page as HTML.

    name: one of PAGES. nav: (name, url) of the pages that this person may open. Further context:
    display needs `school` (public name) and `classes` (SchoolClass, for the no-card pad);
    guard needs `access_point` (the guard's own desk, used for releases after a search).
    """
    if name not in PAGES:
        raise ValueError(f"no page {name!r}; there are {', '.join(PAGES)}")
    face = "office" if name.startswith("office_") else _STYLE.get(name, name)
    context = {
        "view": view,
        "staff": staff,
        "csrf": csrf,
        "nav": nav,
        "here": {"roster": "rosters"}.get(name, face if face in ("office", "records") else name),
        "face": face,
        "now_ms": view.bar.now_ms if hasattr(view, "bar") else view.now_ms,
        "topics": topics(name, view),
        **_extra(name, view, lang),
        **ctx,
    }
    return render(f"{name}.html", lang, **context)


def part(name: str, *, view: SearchView | ChildView, lang: Lang = "zh") -> str:
    """A piece that a page fetches: `search` (SearchView), `child` or, for a teacher, `roster_child` (ChildView)."""
    return render(f"parts/{name}.html", lang, view=view)


def fragments(view: object, *, lang: Lang = "zh") -> list[tuple[str, str]]:
    """Every live part of a view as (element id, html), lists before their members. Equal views give equal bytes."""
    return live.pieces(view, lang)


def topics(name: str, view: Any) -> list[str]:
    """What the page listens to."""
    match name:
        case "display":
            return [f"display:{view.access_point}"]
        case "guard":
            return [f"guard:{view.gate}", "bar"]
        case "roster":
            stands_in = view.me and view.me != view.teacher
            return [f"roster:{view.roster}@{view.me}" if stands_in else f"roster:{view.roster}", "bar"]
        case "rosters":
            return [f"rosters:{view.staff}" if view.staff else name, "bar"]
        case "duty" | "muster" | "patrol":
            return [name, "bar"]
        case "register":
            return [f"register:{view.gate}", "bar"]
        case "sign_in" | "error":
            return []
        case _:
            return ["bar"]


def words_of(outcome: str, reason: str, lang: Lang = "zh") -> str:
    """The staff's words for the outcome of an action."""
    if outcome == "granted" and reason == "done":
        return say("reason.done", lang)
    return say(f"reason.{reason}" if known(f"reason.{reason}") else "js.refused", lang)


def _extra(name: str, view: Any, lang: Lang) -> dict[str, Any]:
    """Values that a template needs beside its view."""
    if isinstance(view, RosterView):
        again, accepts = counts_on_top(view)
        return {
            "again": again,
            "why": why_words(lang),
            "accepts": accepts,
            "looking": looking_for(view),
            "moment": moment(view),
            "closing": closes(view),
            "takeable": free_to_take(view),
            "rows": live.row_list(view, lang),
            "coming": coming_lines(view, lang),
        }
    if isinstance(view, DutyView):
        return duty_extra(view, lang)
    if isinstance(view, PatrolView):
        return {"cards": patrol_cards(view, lang)}
    if isinstance(view, ReplayView):
        return {"chart": bar_chart(view.counts), "may_export": False}
    if isinstance(view, DevicesView):
        return {"tab": "devices", "chart": bar_chart(view.arrivals)}
    if isinstance(view, CalendarView):
        return calendar_extra(view, lang)
    if isinstance(view, SettingsView):
        return {"tab": "settings", "groups": [(heading, setting_rows(lines)) for heading, lines in view.groups]}
    if isinstance(view, ReportsView | ReportView):
        return {"tab": "reports"}
    if isinstance(view, MusterView):
        return {"classes": class_list(view, lang), "printer": False}
    if isinstance(view, WaitingView):
        return {"printer": False}
    if isinstance(view, RegisterView):
        return {"hosts": hosts_of(view), "purposes": PURPOSES, "id_types": ID_TYPES}
    if isinstance(view, ErrorView):
        return {"key": f"error.{view.status}" if known(f"error.{view.status}") else "error.500"}
    if name == "display":
        return {"school": "", "classes": ()}
    if isinstance(view, GuardView):
        return {"access_point": "", **guard_lists(view, lang)}
    tab = "privacy" if name.startswith("office_privacy") else name.removeprefix("office_")
    return {"tab": tab, "max_listed": MAX_LISTED} if name.startswith("office_") else {}
