"""The pages: who may open which, what view it shows, and who looked at whom.

Speaks HTTP, writes no HTML: `faces` does. A page is as of now; from then on the stream keeps it so.
"""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kiosk.core.people import Role
from kiosk.core.roster import (
    ChildQuery,
    DisplayQuery,
    DutyQuery,
    GuardQuery,
    PatrolQuery,
    Query,
    RosterListQuery,
    RosterQuery,
    SearchQuery,
)
from kiosk.core.rules import AccessKind
from kiosk.web import faces
from kiosk.web.callers import Caller, caller, lang_of, number_of, require
from kiosk.web.gate import PageRead
from kiosk.web.masking import masked
from kiosk.web.parts import Web
from kiosk.web.refusals import Malformed, NoSuchThing
from kiosk.web.topics import AT_THE_GATE, DUTY_READERS, MUSTER_READERS, PATROLLERS, REGISTER_READERS, ROSTER_READERS

MAX_SEARCH = 60  # characters
OFFICE = frozenset({Role.OFFICE})
RECORD_READERS = frozenset({Role.DUTY_LEADER, Role.OFFICE, Role.INSPECTOR})
FINDERS = frozenset({Role.GUARD, Role.TEACHER, Role.DUTY_LEADER, Role.OFFICE})  # may open a child and see a picture
NAV: tuple[tuple[str, str, frozenset[Role]], ...] = (
    ("guard", "/guard", AT_THE_GATE),
    ("rosters", "/rosters", ROSTER_READERS),
    ("duty", "/duty", DUTY_READERS),
    ("register", "/register", REGISTER_READERS),
    ("muster", "/muster", MUSTER_READERS),
    ("office", "/office/import", OFFICE),
    ("records", "/records/replay", RECORD_READERS),
)
# Where people begin: the first line whose role they hold.
START = (
    (Role.DUTY_LEADER, "/duty"),
    (Role.GUARD, "/guard"),
    (Role.TEACHER, "/rosters"),
    (Role.OFFICE, "/office/import"),
    (Role.INSPECTOR, "/duty"),
)
_PRIVATE = {"cache-control": "no-store"}


class Shown:
    """What every page route needs: the caller, a view, the HTML."""

    def __init__(self, web: Web) -> None:
        self.web = web

    async def staff_page(self, request: Request, name: str, roles: frozenset[Role], query: Query, **more: Any) -> Response:
        found = require(self.web, request.scope, roles)
        view = await self.web.bridge.look(query)
        return self.html(request, name, masked(view) if found.only_inspects else view, found, **more)

    def html(
        self, request: Request, name: str, view: Any, found: Caller | None, *, status: int = 200, **more: Any
    ) -> Response:
        page = faces.page(
            name,
            view=view,
            lang=lang_of(request),
            staff=found.staff if found else None,
            csrf=found.session.csrf if found else "",
            nav=nav_of(found) if found else (),
            **more,
        )
        return HTMLResponse(page, status_code=status, headers=_PRIVATE)

    def log_read(self, found: Caller, what: str, subject: object) -> None:
        """网络保护条例 art. 36: every look at a person's page or picture is on record."""
        gate = self.web.gate
        gate.access_log(PageRead(at_ms=gate.clock.now_ms(), by=found.staff.number, what=what, subject=str(subject)))


def nav_of(found: Caller) -> list[tuple[str, str]]:
    return [(name, url) for name, url, roles in NAV if found.has(roles)]


def routes(web: Web) -> APIRouter:
    router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)
    pages = _Pages(web)
    for path, endpoint, summary in (
        ("/", pages.start, "To the page that this person works with"),
        ("/display", pages.display_here, "The public screen of this gate's first entrance"),
        ("/display/{access_point}", pages.display, "The public screen of an access point"),
        ("/guard", pages.guard_here, "The guard's page of this gate"),
        ("/guard/{gate}", pages.guard, "Who stands at a gate"),
        ("/rosters", pages.rosters, "Today's rosters"),
        ("/roster/{roster}", pages.roster, "One roster: class:<id> or session:<id>"),
        ("/duty", pages.duty, "Every open case"),
        ("/patrol", pages.patrol, "The sessions that run, to be looked at one by one"),
        ("/search", pages.search, "People by name, class, number or card: a piece of a page"),
        ("/child/{number}", pages.child, "One child: a piece of a page"),
        ("/photo/{number}", pages.photo, "The photo on file"),
        ("/snapshot/{snapshot}", pages.snapshot, "The picture taken with a tap"),
    ):
        router.add_api_route(path, endpoint, methods=["GET"], summary=summary)
    return router


class _Pages(Shown):
    async def start(self, request: Request) -> Response:
        found = caller(self.web, request.scope)
        begin = next((url for role, url in START if found and role in found.staff.roles), "/sign-in")
        return RedirectResponse(begin, status_code=303)

    # --- public ------------------------------------------------------------------------------------

    async def display_here(self, request: Request) -> Response:
        """Where a screen that was told nothing else begins."""
        gate = self.web.gate
        entrances = [p for p in gate.rules.access_points.values() if p.kind is AccessKind.ENTRANCE]
        mine = [p for p in entrances if p.gate == gate.home_gate] or entrances
        if not mine:
            raise NoSuchThing("No entrance is set up; add an access point of kind entrance to school.toml.")
        return RedirectResponse(f"/display/{mine[0].id}", status_code=303)

    async def display(self, request: Request, access_point: str) -> Response:
        """No sign-in: it shows what anybody who stands there may see."""
        gate = self.web.gate
        if access_point not in gate.rules.access_points:
            raise NoSuchThing(f"There is no access point {access_point[:80]!r}; see access_points in school.toml.")
        view = await self.web.bridge.look(DisplayQuery(access_point=access_point))
        classes = sorted(gate.directory().classes.values(), key=lambda c: (c.stage, c.grade, c.class_no))
        return self.html(request, "display", view, None, school=gate.rules.public_name, classes=classes)

    # --- staff -------------------------------------------------------------------------------------

    async def guard_here(self, request: Request) -> Response:
        require(self.web, request.scope, AT_THE_GATE)
        gate = self.web.gate
        home = gate.home_gate or next(iter(gate.rules.gates), "")
        return RedirectResponse(f"/guard/{home}", status_code=303)

    async def guard(self, request: Request, gate: str) -> Response:
        rules = self.web.gate.rules
        if gate not in rules.gates:
            raise NoSuchThing(f"There is no gate {gate[:80]!r}; there are {', '.join(rules.gates)}.")
        points = [point for point in rules.access_points.values() if point.gate == gate]
        # Releases after a search happen at the guard's desk; a gate without one releases at its exit.
        desk = next((p.id for kind in (AccessKind.DESK, AccessKind.EXIT) for p in points if p.kind is kind), "")
        return await self.staff_page(request, "guard", AT_THE_GATE, GuardQuery(gate=gate), access_point=desk)

    async def rosters(self, request: Request) -> Response:
        found = require(self.web, request.scope, ROSTER_READERS)
        return await self.staff_page(request, "rosters", ROSTER_READERS, RosterListQuery(staff=found.staff.number))

    async def roster(self, request: Request, roster: str) -> Response:
        """Any teacher may open any roster: whoever stands in for a colleague must. It is on record who did."""
        found = require(self.web, request.scope, ROSTER_READERS)
        self.web.topics.query(f"roster:{roster}")
        self.log_read(found, "roster", roster)
        viewer = 0 if found.only_inspects else found.staff.number
        return await self.staff_page(request, "roster", ROSTER_READERS, RosterQuery(roster=roster, viewer=viewer))

    async def duty(self, request: Request) -> Response:
        return await self.staff_page(request, "duty", DUTY_READERS, DutyQuery())

    async def patrol(self, request: Request) -> Response:
        return await self.staff_page(request, "patrol", PATROLLERS, PatrolQuery())

    # --- pieces that a page fetches ------------------------------------------------------------------

    async def search(self, request: Request, q: str = "") -> Response:
        found = require(self.web, request.scope, FINDERS)
        text = q.strip()[:MAX_SEARCH]
        self.log_read(found, "search", f"{len(text)} characters")
        view = await self.web.bridge.look(SearchQuery(text=text))
        return HTMLResponse(faces.part("search", view=view, lang=lang_of(request)), headers=_PRIVATE)

    async def child(self, request: Request, number: str) -> Response:
        found = require(self.web, request.scope, FINDERS)
        child = number_of(number)
        if child not in self.web.gate.directory().pupils:
            raise NoSuchThing(f"There is no pupil with the number {child}.")
        self.log_read(found, "child", child)
        view = await self.web.bridge.look(ChildQuery(child=child))
        part = "roster_child" if request.query_params.get("for") == "roster" else "child"
        return HTMLResponse(faces.part(part, view=view, lang=lang_of(request)), headers=_PRIVATE)

    async def photo(self, request: Request, number: str) -> Response:
        found = require(self.web, request.scope, FINDERS)
        person = number_of(number)
        jpeg = await asyncio.to_thread(self.web.gate.pictures.photo, person)
        if jpeg is None:
            raise NoSuchThing("There is no photo of this person here.")
        self.log_read(found, "photo", person)
        return Response(jpeg, media_type="image/jpeg", headers=_PRIVATE)

    async def snapshot(self, request: Request, snapshot: str) -> Response:
        found = require(self.web, request.scope, FINDERS)
        if len(snapshot) > 64:
            raise Malformed("That is not a picture's id.")
        jpeg = await asyncio.to_thread(self.web.gate.pictures.snapshot, snapshot)
        if jpeg is None:
            raise NoSuchThing("There is no such picture here: it was erased, or taken at another gate.")
        self.log_read(found, "snapshot", snapshot)
        return Response(jpeg, media_type="image/jpeg", headers=_PRIVATE)
