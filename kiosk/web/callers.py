"""Who is asking: the session behind a request, the language, the client, and whether that is enough.

Every route names the roles that may use it and calls one of these. Nothing is decided about a child here.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, cookie_parser
from starlette.types import Scope

from kiosk.clock import steady_s
from kiosk.core.people import Role, Staff
from kiosk.web.faces_format import Lang
from kiosk.web.parts import Web
from kiosk.web.refusals import Malformed, NotAllowed, NotSignedIn, WrongContentType
from kiosk.web.sessions import Session

SESSION_COOKIE = "kiosk_session"
LANG_COOKIE = "lang"
CSRF_HEADERS = ("x-csrf-token", "x-csrf")


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in member of staff, with the roles that the directory in force gives."""

    session: Session
    staff: Staff
    token: str

    def has(self, roles: frozenset[Role]) -> bool:
        return bool(self.staff.roles & roles)

    @property
    def only_inspects(self) -> bool:
        """Sees names masked (domain F6): an inspector who holds no other role."""
        return self.staff.roles <= {Role.INSPECTOR}


def caller(web: Web, scope: Scope) -> Caller | None:
    """Who is signed in on this browser, None where nobody is (any more)."""
    token = cookies(scope).get(SESSION_COOKIE, "")
    session = web.sessions.find(token, now_s=steady_s()) if token else None
    staff = web.gate.directory().staff.get(session.staff) if session else None
    return Caller(session, staff, token) if session and staff else None


def require(web: Web, scope: Scope, roles: frozenset[Role]) -> Caller:
    """The caller, who has one of `roles`; counts as a press. Raises NotSignedIn or NotAllowed."""
    found = caller(web, scope)
    if found is None:
        raise NotSignedIn("Nobody is signed in on this screen; open /sign-in.")
    if not found.has(roles):
        wanted = ", ".join(sorted(role.value for role in roles))
        raise NotAllowed(f"This needs one of the roles {wanted}; sign in as somebody who has it.")
    web.sessions.press(found.session, now_s=steady_s())
    return found


def check_csrf(found: Caller, headers: Headers, field: str = "") -> None:
    """The header, or a form's field, must belong to this session. Raises NotAllowed."""
    given = next((value for name in CSRF_HEADERS if (value := headers.get(name))), field)
    if not hmac.compare_digest(found.session.csrf.encode(), given.encode("utf-8", "surrogatepass")):
        raise NotAllowed("The X-CSRF-Token header does not belong to this session; reload the page.")


def may_watch(web: Web, topics: tuple[str, ...], found: Caller | None) -> Callable[[], bool]:
    """Raises NotSignedIn or NotAllowed; otherwise a question to ask again while the page stays open."""
    needed = [roles for topic in topics if (roles := web.topics.readers(topic))]
    if not needed:
        return _always
    if found is None:
        raise NotSignedIn("These live topics are for signed-in staff; open /sign-in.")
    if not all(found.has(roles) for roles in needed):
        raise NotAllowed("Your roles do not permit every one of these live topics.")
    session = found.session

    def still() -> bool:
        staff = web.gate.directory().staff.get(session.staff)
        live = staff is not None and web.sessions.is_live(session, now_s=steady_s())
        return live and all(staff.roles & roles for roles in needed)  # type: ignore[union-attr]

    return still


def _always() -> bool:
    return True


# --- what else a request says about itself ------------------------------------------------------------


def cookies(scope: Scope) -> dict[str, str]:
    header = Headers(scope=scope).get("cookie")
    return cookie_parser(header) if header else {}


def lang_of(request: HTTPConnection) -> Lang:
    """?lang=en wins over the cookie; everything else is Chinese."""
    wanted = request.query_params.get(LANG_COOKIE) or cookies(request.scope).get(LANG_COOKIE, "")
    return "en" if wanted == "en" else "zh"


def client_host(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def check_same_origin(headers: Headers) -> None:
    """For presses that need no session: a page of another site may not make them. Raises NotAllowed."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host", ""):
        raise NotAllowed("This press came from a page of another site; open the page on this gate.")


def check_json(headers: Headers) -> None:
    """Raises WrongContentType. A form on another site cannot send this type without being asked first."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise WrongContentType("Send Content-Type: application/json.")


def check_public_input(web: Web, scope: Scope, found: Caller | None) -> None:
    """Input without a sign-in comes from the gate's own screens only. Raises NotAllowed."""
    if found is None and not in_networks(client_host(scope), web.gate.web.public_input_from):
        raise NotAllowed(
            "Cards and seats are read from this gate's own screens only; sign in, or add this network to public_input_from."
        )


@cache
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)


def in_networks(host: str, networks: tuple[str, ...]) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address.version == _network(text).version and address in _network(text) for text in networks)


def number_of(text: str) -> int:
    """A person's number in a path. Raises Malformed."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise Malformed(f"{text[:40]!r} is not a person's number; numbers have digits only.")
    return int(text)
