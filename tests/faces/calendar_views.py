"""The calendar page of Changzhi's sample school, in each state that has a design of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from functools import cache

from kiosk.national_import import plan_national
from kiosk.school_year import SchoolYears, open_years
from kiosk.web.faces_calendar import CalendarView, SessionLine
from tests.faces.sample_views import at, bar
from tests.year.cities import settings_of

TODAY = date(2026, 11, 23)
NEXT_YEAR = json.dumps(
    {"year": 2027, "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": True}, {"name": "清明节", "date": "2027-04-05",
     "isOffDay": True}, {"name": "劳动节", "date": "2027-05-08", "isOffDay": False}]}
).encode()  # fmt: skip
SESSIONS = (
    SessionLine(name="三(2)班课业辅导", room="302", teacher="李慧", span="16:30–17:30", members=31),
    SessionLine(name="足球一队", room="操场", teacher="王敏", span="17:30–18:30", members=24),
)


@cache
def years(city: str = "changzhi") -> SchoolYears:
    return open_years(settings_of(city))


def calendar(day: str = "", *, city: str = "changzhi", first: date = date(2026, 8, 1)) -> CalendarView:
    mine = years(city)
    view = CalendarView(
        bar=bar(at("10:05")), today=TODAY, year=mine.year(first, TODAY), author="D001", national_years=(2026,),
        profiles=tuple(sorted(mine.settings.plan.profiles)),
    )  # fmt: skip
    if not day:
        return view
    sheet = mine.day(date.fromisoformat(day), {})
    return replace(view, chosen=sheet, clauses=mine.clauses(sheet), sessions=SESSIONS if sheet.day.after_school else ())


def preview() -> CalendarView:
    plan = plan_national("2027.json", NEXT_YEAR, settings_of("changzhi"))
    return replace(calendar(), national="preview", national_plan=plan, token="t1")


STATES = {
    "calendar": calendar(),
    "calendar makeup day": calendar("2026-10-10"),
    "calendar unanswered": calendar("2026-10-10", city="luoyang"),
    "calendar holiday": calendar("2026-10-07"),
    "calendar early dismissal": calendar("2026-09-30", city="yueyang"),
    "calendar opening": calendar("2027-07-08"),
    "calendar unverified": calendar("2027-03-08"),
    "calendar weeks": calendar("2026-11-23", city="xiji"),
    "calendar another year": calendar(first=date(2028, 8, 1)),
    "calendar empty": CalendarView(bar=bar(at("10:05")), today=TODAY),
    "calendar schedule": preview(),
    "calendar schedule broken": replace(calendar(), national="broken", trouble="x.json is not a holiday file"),
    "calendar schedule kept": replace(preview(), national="kept"),
}
