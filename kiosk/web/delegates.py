"""代接: the page on which a delegate is registered, and the pass to print or to send.

Registering and revoking are presses like all others (`acts`); this part shows. A pass is signed each time it is shown, from
what is on record: no text of a pass is kept anywhere.
"""

from __future__ import annotations

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from kiosk.core.masking import mask_name
from kiosk.core.passes import Pass
from kiosk.core.people import Role
from kiosk.core.roster_delegates import DelegatesQuery, DelegatesView, PassLine
from kiosk.web.callers import Caller, number_of, require
from kiosk.web.faces_delegates import PassView, qr_png_file, qr_svg, qr_svg_file
from kiosk.web.pages import Shown
from kiosk.web.parts import Web
from kiosk.web.refusals import NoSuchThing, NotAllowed

REGISTRARS = frozenset({Role.TEACHER, Role.DUTY_LEADER, Role.OFFICE})
_FOR_ALL_CHILDREN = frozenset({Role.DUTY_LEADER, Role.OFFICE})
_FILES = {"png": ("image/png", qr_png_file), "svg": ("image/svg+xml", qr_svg_file)}


def routes(web: Web) -> APIRouter:
    router = APIRouter(tags=["delegates"], default_response_class=HTMLResponse)
    pages = _Delegates(web)
    for path, endpoint, summary in (
        ("/delegate/{child}", pages.form, "Whom the family sends, and the passes of a child"),
        ("/delegate/{child}/{pass_id}", pages.one, "A pass to print"),
        ("/delegate/{child}/{pass_id}/{kind}", pages.file, "The code of a pass as a picture: png or svg"),
    ):
        router.add_api_route(path, endpoint, methods=["GET"], summary=summary)
    return router


class _Delegates(Shown):
    def __init__(self, web: Web) -> None:
        super().__init__(web)

    async def form(self, request: Request, child: str) -> Response:
        found, view = await self._view(request, child)
        return self.html(request, "delegate", view, found)

    async def one(self, request: Request, child: str, pass_id: str) -> Response:
        found, view = await self._view(request, child)
        line = _line(view, pass_id)
        why = self._why_not(line)
        qr = qr_svg(self._text(line)) if not why else Markup("")
        shown = PassView(line=view.line, masked_name=mask_name(view.line.name), one=line, qr=qr, why=why, bar=view.bar)
        return self.html(request, "delegate_pass", shown, found)

    async def file(self, request: Request, child: str, pass_id: str, kind: str) -> Response:
        """To be sent to the delegate. The file's name says day and gate, and nobody's name."""
        _, view = await self._view(request, child)
        line = _line(view, pass_id)
        if kind not in _FILES or self._why_not(line):
            raise NoSuchThing("There is no such picture: the pass cannot be shown any more, or the ending is not png or svg.")
        media_type, draw = _FILES[kind]
        name = f"daijie-{line.for_day}-{line.pass_id[:4]}.{kind}"
        headers = {"cache-control": "no-store", "content-disposition": f'attachment; filename="{name}"'}
        return Response(draw(self._text(line)), media_type=media_type, headers=headers)

    async def _view(self, request: Request, child: str) -> tuple[Caller, DelegatesView]:
        """The caller, who may send for this child, and the child's passes. Raises NotAllowed, NoSuchThing."""
        found = require(self.web, request.scope, REGISTRARS)
        number = number_of(child)
        if number not in self.web.gate.directory().pupils:
            raise NoSuchThing(f"There is no pupil with the number {number}.")
        view: DelegatesView = await self.web.bridge.look(DelegatesQuery(child=number))
        if not found.has(_FOR_ALL_CHILDREN) and view.class_teacher != found.staff.number:
            raise NotAllowed("Delegates are registered by the child's class teacher, a duty leader or the office.")
        self.log_read(found, "delegate", number)
        return found, view

    def _why_not(self, line: PassLine) -> str:
        """Why this gate does not show the code: "" if it does."""
        if line.state != "open":
            return line.state
        if not line.name:
            return "elsewhere"
        return "" if self.web.gate.sign_pass is not None else "no_key"

    def _text(self, line: PassLine) -> str:
        sign = self.web.gate.sign_pass
        assert sign is not None  # `_why_not` looked
        return sign(pass_of(line, self.web.gate.rules.node))


def _line(view: DelegatesView, pass_id: str) -> PassLine:
    found = next((one for one in view.passes if one.pass_id == pass_id), None)
    if found is None:
        raise NoSuchThing("This child has no such pass; it may be from a day that is over.")
    return found


def pass_of(line: PassLine, node: str) -> Pass:
    """What the code of a registered pass says; the same each time, so that two prints of it are one pass."""
    digits = "".join(c for c in line.phone if c.isascii() and c.isdigit())
    return Pass(
        id=line.pass_id, child=line.child, for_day=line.for_day, gate=line.gate, name=line.name, relation=line.relation,
        id_last4=line.id_last4, phone_tail=digits[-4:], node=node, issued_ms=line.made_ms,
    )  # fmt: skip
