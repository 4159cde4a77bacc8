"""The privacy pages over HTTP: what is kept, holds, consents, what a family is given, requests, texts, incidents."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiosk.core import commands as c
from kiosk.core.roster_faces import ConsentQuery
from kiosk.core.world import FACE_MATCH, SNAPSHOT
from kiosk.journal_lookups import NoteReader
from kiosk.privacy.access_log import Looked
from kiosk.privacy.office import PrivacyDesk
from kiosk.privacy.running import Keeping
from kiosk.snapshots import SnapshotStore
from tests.support.people import uid_of
from tests.support.school import School
from tests.web.gate_online import JPEG, Online, online

MING, HONG = 1, 2


def desk(school: School) -> Mapping[str, Any]:
    store, now_ms = SnapshotStore(school.state), school.clock.now_ms()
    keeping = Keeping(controller=school.gate, state=school.state, settings=school.settings, snapshots=store, templates=None)
    assert keeping.access is not None
    keeping.access.write([Looked(now_ms, 101, "child", str(MING)), Looked(now_ms, 101, "child", str(HONG))])

    class Files:
        def photo(self, person: int) -> bytes | None:
            return JPEG if person == MING else None

        def snapshot(self, snapshot_id: str) -> bytes | None:
            return JPEG

    return {
        "privacy": PrivacyDesk(
            settings=school.settings, state=school.state, controller=school.gate, keeping=keeping, templates=None,
            pictures=Files(), note=NoteReader(school.state), clock=school.clock, notices=lambda: (),
        )
    }  # fmt: skip


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Online]:
    with online(tmp_path, more=desk) as found:
        yield found


def office(gate: Online) -> httpx.Client:
    """Signed in once: a PIN takes its time."""
    signed_in = [client for client in gate._clients if "x-csrf-token" in client.headers and client.headers.get("x-who") == "O1"]
    if not signed_in:
        signed_in = [gate.as_staff("O1")]
        signed_in[0].headers["x-who"] = "O1"
    return signed_in[0]


def press(gate: Online, back: str = "/office/privacy", **fields: object) -> str:
    """The reason's word that the press came back with."""
    answer = office(gate).post("/office/privacy", data={"back": back, **{k: str(v) for k, v in fields.items()}})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("said=")[2]


def page(gate: Online, path: str, lang: str = "zh") -> str:
    answer = office(gate).get(f"{path}{'&' if '?' in path else '?'}lang={lang}")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_only_the_office_and_duty_leaders_come_here(gate: Online) -> None:
    assert gate.as_staff("G1").get("/office/privacy").status_code == 403
    assert gate.as_staff("L1").get("/office/privacy").status_code == 200
    assert gate.as_staff("G1").post("/office/privacy/export/1", data={}).status_code == 403


def test_a_hold_is_set_shown_and_lifted_with_a_reason(gate: Online) -> None:
    assert press(gate, what="hold", child=MING, reason="案号 2026-17") == "done"
    assert "案号 2026-17" in page(gate, "/office/privacy")
    assert "案号 2026-17" in page(gate, "/office/privacy/child?number=1")
    assert press(gate, what="erase", child=MING, sure="yes") == "on_hold"
    assert press(gate, what="lift", child=MING, reason="结案") == "done"
    assert "案号 2026-17" not in page(gate, "/office/privacy")


def test_a_family_is_given_everything_of_its_child_and_nothing_of_another(gate: Online) -> None:
    gate.tap("王小明", "east-in")
    school = gate.school
    school.ask(c.ExcuseAbsence(child=MING, kind="leave_sick", by=101, note="小明发烧"))
    school.ask(c.CallRoll(roster="class:primary-2026-1", marks={MING: "present", 9: "late"}, by=101))
    client = office(gate)
    answer = client.post("/office/privacy/export/1", data={"guardian": "201"})
    assert answer.status_code == 200, answer.text
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    told, html = json.loads(archive.read("data.json")), archive.read("page.html").decode()
    assert told["approved_by"] == "办公室" and told["name"] == "王小明"
    assert {"arrived", "absence_excused", "child_exported"} <= {fact["kind"] for fact in told["facts"]}
    assert any(fact["note"] == "小明发烧" for fact in told["facts"])
    assert [who for _, who, _ in told["looked"]] == ["张老师"]
    assert "王妈妈" in html and "13900000001" in html and "小妹妹" not in html + json.dumps(told, ensure_ascii=False)
    assert archive.read("pictures/photo.jpg") == JPEG
    exported = [entry.body for entry in school.entries("child_exported")]
    assert exported[0]["by"] == 150 and exported[0]["guardian"] == 201


def test_a_request_to_correct_is_due_and_a_refusal_is_in_writing(gate: Online) -> None:
    back = "/office/privacy/child?number=1"
    assert press(gate, back, what="ask", child=MING, field="name", old="王小明", new="王晓明", guardian=201) == "done"
    (request,) = gate.school.gate.world.campus.privacy.asked
    assert "2026-12-08" in page(gate, "/office/privacy")
    assert press(gate, back, what="decide", request=request, granted="no") == "reason_needed"
    assert press(gate, back, what="decide", request=request, granted="no", reason="户口本如此") == "done"
    assert "户口本如此" in page(gate, back)


def test_a_consent_row_outranks_the_list_on_its_days_and_a_withdrawal_outranks_the_row(gate: Online) -> None:
    school, back = gate.school, "/office/privacy/child?number=2"
    world = school.gate.world
    row = {"what": "row", "child": HONG, "purpose": FACE_MATCH, "guardian": 201, "how": "paper", "paper": "2026-三-07"}
    assert not world.consented(HONG, FACE_MATCH)
    assert press(gate, back, **row, valid_from="2026-11-01", valid_to="2027-07-10", text_version="2026-09") == "done"
    assert world.consented(HONG, FACE_MATCH)
    shown = page(gate, back)
    assert "2026-三-07" in shown and "王妈妈" in shown and "2027-07-10" in shown
    assert press(gate, back, what="given", child=HONG, purpose=FACE_MATCH, given="no") == "done"
    assert not world.consented(HONG, FACE_MATCH)
    assert press(gate, back, **row, valid_to="2026-11-22") == "done"  # signed again, and over since yesterday
    assert not world.consented(HONG, FACE_MATCH)
    assert HONG not in {child for child, _ in school.look(ConsentQuery()).withdrawn}
    assert press(gate, back, **{**row, "guardian": 206}, valid_to="") == "no_such_person"  # nobody's guardian here
    assert world.consented(HONG, SNAPSHOT)
    assert press(gate, back, what="row", child=HONG, purpose=SNAPSHOT, valid_to="2026-10-01") == "done"
    assert not world.consented(HONG, SNAPSHOT)


def test_without_any_consent_the_card_still_counts(gate: Online) -> None:
    for purpose in (SNAPSHOT,):
        assert press(gate, what="given", child=MING, purpose=purpose, given="no") == "done"
    assert gate.tap("王小明", "east-in")["outcome"] == "granted"
    assert "无需同意" in page(gate, "/office/privacy/child?number=1")


def test_the_notice_is_made_from_the_settings_and_says_when_it_no_longer_fits(gate: Online) -> None:
    for what in ("notice", "signs", "assessment", "audit"):
        assert press(gate, f"/office/privacy/text/{what}", what="issue", text=what) == "done"
        assert "已发布，与现配置一致" in page(gate, f"/office/privacy/text/{what}")
        assert page(gate, f"/office/privacy/text/{what}", "en")
    words = office(gate).get("/office/privacy/text/notice.md?lang=zh").text
    assert words.startswith("# ") and "学年结束后 90 天" in words and "访客登记" in words
    gate.school.gate.world.campus.privacy.log.clear()
    assert "尚未发布" in page(gate, "/office/privacy/text/notice")


def test_an_incident_has_a_time_line_and_a_list_of_whom_it_concerns(gate: Online) -> None:
    back = "/office/privacy/incidents"
    assert press(gate, back, what="incident", step="noticed", words="一台平板丢失", count=40) == "done"
    (first,) = [str(entry.id) for entry in gate.school.entries("privacy_incident")]
    assert press(gate, back, what="incident", step="contained", incident=first, words="已远程注销") == "done"
    shown = page(gate, back)
    assert shown.index("一台平板丢失") < shown.index("已远程注销")
    listed = office(gate).get("/office/privacy/affected.csv?class_id=primary-2026-1").content.decode("utf-8-sig")
    assert "王小明,王妈妈,母亲,13900000001" in listed and "丁一" not in listed


def test_the_deletion_log_is_a_page_and_a_table(gate: Online) -> None:
    assert press(gate, what="erase", child=8, sure="yes") == "done"
    assert "#8" in page(gate, "/office/privacy")
    table = office(gate).get("/office/privacy/log.csv")
    assert table.content.startswith(b"\xef\xbb\xbf") and "不参加" not in table.text and "决定删除个人信息" in table.text
    assert uid_of(8) not in table.text


def test_a_sheet_of_consents_is_taken_whole_or_not_at_all(gate: Online) -> None:
    world, head = gate.school.gate.world, "学号,事项,方式,同意书编号,文本版本,自,至\n"

    def send(text: str, encoding: str = "utf-8-sig") -> httpx.Response:
        return office(gate).post("/office/privacy/consents", files={"sheet": ("a.csv", text.encode(encoding), "text/csv")})

    bad = send(head + "20260002,人脸比对,纸质签字,A-1,2026,2026-11-01,\n20269999,人脸比对,,,,,\n")
    assert bad.status_code == 422 and "20269999" in bad.text
    assert not world.consented(HONG, FACE_MATCH)
    good = send(head + "20260002,人脸比对,纸质签字,A-1,2026,2026-11-01,\n20260001,snapshot,,A-2,,,2026-11-01\n", "gb18030")
    assert good.status_code == 303, good.text
    assert world.consented(HONG, FACE_MATCH) and not world.consented(MING, SNAPSHOT)
    assert send("姓名\n王小明\n").status_code == 422
