"""Made-up views of the office page 登记卡."""

from __future__ import annotations

from dataclasses import replace

from kiosk.core.card_numbers import spellings
from kiosk.enrolling import CARD_KINDS
from kiosk.web.faces_office import EnrolView
from tests.faces.sample_views import at, bar

UID = "5630F009"
ENROL_STATES = ("start", "card", "held", "again", "refused", "no_tap", "given", "back")


def enrol(state: str) -> EnrolView:
    view = EnrolView(
        bar=bar(at("10:05")), state=state, kinds=CARD_KINDS[1:], access_point="east-desk",
        points=(("east-desk", "东门 登记台"), ("east-in-1", "东门 1 号通道"), ("south-in-1", "南门 1 号通道")),
    )  # fmt: skip
    return {
        "card": replace(view, uid=UID, spellings=tuple(spellings(UID).items())),
        "again": replace(view, uid=UID, person="20240315", kind="m1", refused="has_a_card", detail="王小明"),
        "refused": replace(view, refused="random_uid"),
        "held": replace(
            view, state="card", uid=UID, holder_name="王小明", card_state="active", spellings=tuple(spellings(UID).items())
        ),
        "back": replace(view, uid=UID, holder_name="王小明"),
        "given": replace(view, uid=UID, holder_name="王小明", number=120),
    }.get(state, view)
