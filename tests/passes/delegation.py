"""What the tests of this folder do with passes: make one as a teacher would, read it at a gate, release on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.core import commands as c
from kiosk.core import passes
from kiosk.core.decisions import Answer
from kiosk.core.roster import GuardQuery, QueueItem
from kiosk.pass_keys import PassSigner, open_signer
from tests.support.school import School

TODAY = "2026-11-23"
AUNT = "林阿姨"
CHECKED = ("child_recognises", "id_seen")


@dataclass
class Gatehouse:
    """A school whose east node signs passes, with a guard at the east gate."""

    school: School
    signer: PassSigner
    made: int = 0
    texts: dict[str, str] = field(default_factory=dict)

    def form(self, **changes: Any) -> c.RegisterDelegate:
        """What 王小明's class teacher sends in after she called his mother back."""
        self.made += 1
        said: dict[str, Any] = {
            "pass_id": f"{self.made:016x}", "child": "王小明", "for_day": TODAY, "gate": "east", "guardian": "王妈妈",
            "relation": "邻居", "name": AUNT, "id_last4": "123X", "phone": "13800001234", "features": "红色外套", "by": "张老师",
            "called_back": True, "adult": True, **changes,
        }  # fmt: skip
        for who in ("child", "guardian", "by"):
            said[who] = self.school.number(said[who])
        return c.RegisterDelegate(**said)

    def register(self, **changes: Any) -> str:
        """A registered pass; its id."""
        form = self.form(**changes)
        answer = self.school.ask(form)
        assert answer.decision.outcome == "granted", answer.decision
        self.texts[form.pass_id] = self.signer(pass_for(form, answer, self.signer.node))
        return form.pass_id

    def scan(self, pass_id: str, point: str = "east-out", **more: Any) -> Answer:
        return self.scan_text(self.texts[pass_id], point, **more)

    def scan_text(self, text: str, point: str = "east-out", **more: Any) -> Answer:
        answer: Answer = self.school.ask(c.Read(access_point=point, scheme="qr", value=text, **more))
        return answer

    def release(
        self, pass_id: str, *verified: str, children: tuple[str, ...] = ("王小明",), point: str = "east-out", second: str = "",
        by: str = "赵师傅", **more: Any,
    ) -> Answer:  # fmt: skip
        answer: Answer = self.school.ask(
            c.Release(
                children=tuple(map(self.school.number, children)),
                collector=0,
                pass_id=pass_id,
                access_point=point,
                by=self.school.number(by),
                verified=verified,
                second=self.school.number(second) if second else None,
                **more,
            )
        )
        return answer

    def queue(self, gate: str = "east") -> tuple[QueueItem, ...]:
        items: tuple[QueueItem, ...] = self.school.look(GuardQuery(gate=gate)).queue
        return items


def pass_for(form: c.RegisterDelegate, answer: Answer, node: str) -> passes.Pass:
    return passes.Pass(
        id=form.pass_id, child=form.child, for_day=form.for_day, gate=form.gate, name=form.name, relation=form.relation,
        id_last4=form.id_last4, phone_tail=form.phone[-4:], node=node, issued_ms=answer.at_ms,
    )  # fmt: skip


def gatehouse(state: Path, at: str = "07:40", **more: Any) -> Gatehouse:
    signer = open_signer(state, "east")
    return Gatehouse(School(state, at, **more), signer)


def foreign_signer(node: str = "east") -> PassSigner:
    """Somebody who claims to be a gate of this school, with a key of their own."""
    return PassSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(32))), node)


def code_in(png: bytes) -> str:
    """What the gate's scanner would read. OpenCV's own detector misses one clean code in ten."""
    import cv2
    import numpy
    import zxingcpp

    picture = cv2.imdecode(numpy.frombuffer(png, numpy.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    assert len(found) == 1
    return str(found[0].text)


def said(answer: Answer) -> tuple[str, str]:
    return answer.decision.outcome.value, answer.decision.reason.value
