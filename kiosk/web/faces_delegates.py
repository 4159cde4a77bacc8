"""What the page of a delegate's pass shows: the pass in words, and its QR code as a picture.

Draws; signs nothing, reads nothing. The code is black on white on every screen: scanners read the other way round badly.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

from markupsafe import Markup

from kiosk.core.roster import Bar
from kiosk.core.roster_custody import ChildLine
from kiosk.core.roster_delegates import PassLine

CORRECTION = "m"  # 15 % of the code may be dirty, creased or glaring
QUIET_MODULES = 4  # the white edge that the standard asks for
PNG_SCALE = 12  # pixels a module: about 830 across, for a telephone or a printer


@dataclass(frozen=True, slots=True, kw_only=True)
class PassView:
    """qr: the code as an SVG element, "" where this gate cannot make it; `why` then says why: used, revoked, over,
    elsewhere (the delegate's name is kept at another gate, or was erased), no_key."""

    line: ChildLine
    masked_name: str  # the child's, for a paper that may be lost
    one: PassLine
    qr: Markup
    why: str
    bar: Bar


def qr_svg(text: str) -> Markup:
    """An SVG element without a size of its own; the style sheet gives it one."""
    drawn: str = _code(text).svg_inline(border=QUIET_MODULES, omitsize=True, dark="#000", light="#fff")
    return Markup(drawn)


def qr_svg_file(text: str) -> bytes:
    out = io.BytesIO()
    _code(text).save(out, kind="svg", border=QUIET_MODULES, scale=PNG_SCALE, dark="#000", light="#fff")
    return out.getvalue()


def qr_png_file(text: str) -> bytes:
    out = io.BytesIO()
    _code(text).save(out, kind="png", border=QUIET_MODULES, scale=PNG_SCALE, dark="#000", light="#fff")
    return out.getvalue()


def _code(text: str):  # type: ignore[no-untyped-def]  # segno's own type; imported only when a pass is shown
    import segno

    return segno.make(text, error=CORRECTION, micro=False, boost_error=False)
