"""What holds for every page, in every state and both languages."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from kiosk.web import faces
from kiosk.web.faces_engine import STATIC
from tests.faces import sample_duty, sample_office
from tests.faces import sample_views as sample
from tests.faces.every_page import PAGES, html
from tests.faces.reading import Element, by_id, read

ALL = [(key, lang) for key in PAGES for lang in ("zh", "en")]


@pytest.fixture(params=ALL, ids=lambda param: f"{param[0]} {param[1]}", scope="module")
def page(request: pytest.FixtureRequest) -> tuple[str, list[Element]]:
    key, lang = request.param
    text = html(key, lang)
    return text, read(text)


def test_a_page_runs_nothing_that_is_written_into_it(page: tuple[str, list[Element]]) -> None:
    text, elements = page
    for element in elements:
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"], element
        assert element.tag != "style"
        assert element.tag != "script" or element.attributes["src"].startswith("/static/")
    assert "http://" not in text.replace("http://www.w3.org", "") and "https://" not in text


def test_every_file_that_a_page_asks_for_exists(page: tuple[str, list[Element]]) -> None:
    for element in page[1]:
        url = element.attributes.get("src", "") if element.tag == "script" else ""
        url = element.attributes["href"] if element.tag == "link" else url
        if url:
            assert (STATIC / url.removeprefix("/static/").partition("?")[0]).is_file(), url


def test_ids_are_unique_and_every_reference_has_its_element(page: tuple[str, list[Element]]) -> None:
    ids = Counter(element.attributes["id"] for element in page[1] if "id" in element.attributes)
    assert not [key for key, count in ids.items() if count > 1]
    for element in page[1]:
        for name in ("aria-labelledby", "aria-describedby", "data-hold"):
            assert not element.attributes.get(name) or element.attributes[name] in ids, element


def test_whatever_can_be_pressed_or_filled_in_has_a_name(page: tuple[str, list[Element]]) -> None:
    for element in page[1]:
        if element.tag in ("button", "a", "summary"):
            assert element.text or element.attributes.get("aria-label"), element
        if element.tag == "input" and element.attributes.get("type") not in ("hidden",) and "hidden" not in element.attributes:
            labels = [parent for parent in _parents(element) if parent.tag == "label"]
            assert element.attributes.get("aria-label") or (labels and labels[0].text), element
        if element.tag == "img":
            assert element.attributes["alt"]


def _parents(element: Element) -> list[Element]:
    found = []
    while element.parent is not None:
        element = element.parent
        found.append(element)
    return found


def test_no_page_says_truant(page: tuple[str, list[Element]]) -> None:
    assert "旷课" not in page[0] and "truant" not in page[0].lower()


def test_the_page_says_its_language() -> None:
    assert '<html lang="zh-CN"' in html("duty")
    assert '<html lang="en"' in html("duty", "en")


def test_english_pages_have_no_chinese_words_of_ours() -> None:
    """Names and places stay as they are; everything that the dictionary says is English."""
    elements = read(html("import start", "en"))
    ours = " ".join(element.text for element in elements if element.tag in ("h1", "h2", "button", "label", "legend"))
    assert not re.search(r"[\u4e00-\u9fff]", ours), ours


def test_the_dark_variant_follows_the_schools_clock() -> None:
    noon = faces.page("duty", view=sample_duty.duty())
    evening = faces.page("duty", view=sample_duty.quiet_duty())
    assert 'data-theme="light"' in noon
    assert 'data-theme="dusk"' in evening


def test_what_people_typed_is_shown_and_never_run() -> None:
    nasty = '"><script>alert(1)</script>'
    pages = [
        faces.part("search", view=sample.SearchView(text=nasty, hits=())),
        faces.page("office_people", view=sample_office.PeopleView(bar=sample.bar(), text=nasty)),
        faces.page("guard", view=sample.guard(node=nasty), access_point=nasty),
        faces.page("roster", view=sample.replace(sample.roster(), title=nasty, roster=nasty)),
    ]
    for text in pages:
        assert "<script>alert" not in text
        read(text)


def test_keys_of_any_spelling_make_valid_ids() -> None:
    odd = sample.queue_item('claim:"1 2"/三', "王", ())
    text = faces.page("guard", view=sample.replace(sample.guard(), queue=(odd,)))
    assert by_id(text, "item-claim_3a_221_202_22_2f_4e09").attributes["data-queue-id"] == 'claim:"1 2"/三'


def test_a_page_that_does_not_exist_is_refused_with_the_list() -> None:
    with pytest.raises(ValueError, match="display, guard, roster"):
        faces.page("nothing", view=sample_duty.duty())


# --- what the single pages promise --------------------------------------------------------------------


def test_the_public_screen_shows_no_list_no_photo_and_no_name() -> None:
    text = html("display")
    assert "/photo/" not in text
    assert not any(name in text for name in sample.NAMES)


def test_the_no_card_pad_has_every_class_and_only_where_there_is_a_camera() -> None:
    assert len([e for e in read(html("display")) if "data-class" in e.attributes]) == 36
    assert 'id="pad"' not in html("display emergency")


def test_the_guard_sees_photo_beside_photo() -> None:
    item = by_id(html("guard"), "item-q41")
    pictures = [e.attributes["src"] for e in item.all() if e.tag == "img"]
    assert pictures == ["/photo/5001", "/photo/1001"]
    assert "祖父 王小明" in item.text and "候接区 · 李慧" in item.text


def test_a_child_without_a_card_is_shown_beside_the_photo_on_file() -> None:
    item = by_id(html("guard"), "item-claim-7")
    assert [e.attributes["src"] for e in item.all() if e.tag == "img"] == ["/snapshot/snap-7", "/photo/1009"]


def test_a_restricted_persons_page_reads_neutral_until_somebody_holds() -> None:
    item = by_id(html("guard"), "item-q37")
    detail = next(e for e in item.all() if e.attributes.get("id") == "held-q37")
    assert "hidden" in detail.attributes and "限制" in detail.text
    assert [e for e in item.all() if e.attributes.get("data-guard") == "release"] == []  # only: do not release
    assert [e for e in item.all() if e.attributes.get("data-guard") == "why"]


def test_nobody_can_be_released_when_every_child_is_refused() -> None:
    view = sample.replace(
        sample.guard(),
        queue=(sample.queue_item("q1", "王", (sample.pickup(1, relation="父亲", outcome="refused", reason="in_session"),)),),
    )
    release = next(e for e in read(faces.page("guard", view=view)) if e.attributes.get("data-guard") == "release")
    assert "disabled" in release.attributes


def test_pressing_release_is_the_word_that_the_photo_was_looked_at() -> None:
    """One press for the ordinary pickup: the photo needs no tick of its own. Where more is asked, it has one."""
    mother = replace(sample.pickup(1, relation="母亲"), needs=("photo",))
    view = replace(sample.guard(), queue=(sample.queue_item("q1", "林晓燕", (mother,)), sample.guard().queue[0]))
    page = faces.page("guard", view=view, staff=sample.GUARD)

    def asked(key: str) -> list[str | None]:
        return [e.attributes["value"] for e in by_id(page, key).all() if e.attributes.get("name") == "verified"]

    assert asked("item-q1") == []
    assert asked("item-q41") == ["photo", "child_recognises"]


def test_rows_of_a_roster_stand_by_seat_and_never_move() -> None:
    rows = [e for e in read(html("roster")) if "row" in e.attributes.get("class", "").split()]
    assert [int(row.attributes["data-child"]) for row in rows] == list(range(1001, 1046))
    looking = by_id(html("roster"), "roster-looking")
    assert looking.text.startswith("在校但不在这里 冯晓彤")


def test_the_duty_page_shows_each_case_with_its_clock_and_its_next_step() -> None:
    case = by_id(html("duty"), "case-uncollected_3a1029")
    assert "移交门卫室或延时托管" in case.text and "陈立新 17:04 已接手" in case.text
    assert [e for e in case.all() if "data-countdown" in e.attributes]


def test_the_campus_can_only_be_signed_clear_at_zero() -> None:
    def button(key: str) -> Element:
        return next(e for e in read(html(key)) if e.attributes.get("data-act") == "clear_campus")

    assert "disabled" in button("duty").attributes
    assert "disabled" not in button("duty quiet").attributes


def test_the_office_can_only_import_what_has_no_problem() -> None:
    assert "/office/import/apply" in html("import preview")
    assert "/office/import/apply" not in html("import broken")


def test_the_bar_says_what_this_node_does_not_know() -> None:
    bar = by_id(html("guard cut off"), "bar")
    assert "离线" in bar.text and "待上传 214" in bar.text and "名单 07:42" in bar.text and "看不到：南门" in bar.text
