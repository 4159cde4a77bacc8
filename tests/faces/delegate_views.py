"""Sample views of the delegates' pages: passes in every state, and a pass to print."""

from __future__ import annotations

from dataclasses import replace

from markupsafe import Markup

from kiosk.core.roster import GuardianLine
from kiosk.core.roster_delegates import DelegatesView, PassLine
from kiosk.web.faces_delegates import PassView, qr_svg
from tests.faces import sample_views as s

CHILD = s.child(1)
OPEN = PassLine(
    pass_id="a1b2c3d4e5f60718", child=1, for_day="2026-11-23", gate="east", gate_name="东门", relation="邻居", id_last4="123X",
    name="林阿姨", phone="13800001234", features="红色外套", guardian_name="王芳", by_name="张老师", made_ms=s.NOW, state="open",
)  # fmt: skip


def delegates() -> DelegatesView:
    passes = (OPEN, replace(OPEN, pass_id="b" * 16, state="used"), replace(OPEN, pass_id="c" * 16, state="revoked", name=""))
    return DelegatesView(
        line=CHILD, class_teacher=101, guardians=(GuardianLine(guardian=201, name="王芳", relation="母亲", phone="13900000001"),),
        gates=(("east", "东门"), ("south", "南门")), today="2026-11-23", last_day="2027-01-22", passes=passes, bar=s.bar(),
    )  # fmt: skip


def shown_pass(why: str = "") -> PassView:
    code = qr_svg("KP1.sample.sample") if not why else Markup("")
    return PassView(line=CHILD, masked_name="王*明", one=OPEN, qr=code, why=why, bar=s.bar())
