"""What the stream sends: small, equal for equal views, and never different from a reload."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kiosk.web import faces
from tests.faces import sample_duty
from tests.faces import sample_views as sample
from tests.faces.reading import by_id, read

VIEWS: list[tuple[str, Any]] = [
    ("display", sample.display()),
    ("guard", sample.guard()),
    ("roster", sample.roster()),
    ("rosters", sample.rosters()),
    ("duty", sample_duty.duty()),
]


@pytest.mark.parametrize(("name", "view"), VIEWS, ids=[name for name, _ in VIEWS])
def test_every_piece_has_its_place_on_the_page(name: str, view: Any) -> None:
    page = faces.page(name, view=view, staff=sample.LEADER)
    ids = {element.attributes.get("id") for element in read(page)}
    for key, html in faces.fragments(view):
        assert key in ids
        assert read(html)[0].attributes["id"] == key


@pytest.mark.parametrize(("name", "view"), VIEWS[1:], ids=[name for name, _ in VIEWS[1:]])
def test_a_piece_reads_like_the_same_piece_of_a_reload(name: str, view: Any) -> None:
    page = faces.page(name, view=view, staff=sample.LEADER)
    for key, html in faces.fragments(view):
        if "data-slot" not in html:
            assert by_id(page, key).text == read(html)[0].text


@pytest.mark.parametrize(("name", "view"), VIEWS, ids=[name for name, _ in VIEWS])
def test_time_alone_changes_no_byte(name: str, view: Any) -> None:
    """Ages and clocks tick in the browser: a minute later the same view is the same bytes, and nothing is sent."""
    later = (
        replace(view, now_ms=view.now_ms + 60_000)
        if name == "display"
        else replace(view, bar=replace(view.bar, now_ms=view.bar.now_ms + 60_000))
    )
    assert faces.fragments(later) == faces.fragments(view)


def test_one_tap_changes_one_row_and_the_counts() -> None:
    before = sample.roster()
    rows = tuple(replace(row, here=True, missing_since_ms=None) if row.line.seat == 9 else row for row in before.rows)
    after = replace(before, rows=rows, present=before.present + 1, missing=before.missing - 1)
    changed = {key for key, html in faces.fragments(after) if dict(faces.fragments(before))[key] != html}
    assert changed == {"row-1009", "roster-head", "roster-looking", "roster-act"}


def test_lists_come_before_their_members_and_only_name_them() -> None:
    pieces = faces.fragments(sample.guard())
    keys = [key for key, _ in pieces]
    queue = dict(pieces)["guard-queue"]
    members = [e.attributes["id"] for e in read(queue) if "data-slot" in e.attributes]
    assert len(members) == 6
    assert keys.index("guard-queue") < min(keys.index(member) for member in members)
    assert "王建平" not in queue


def test_somebody_new_at_the_gate_changes_the_list_and_brings_two_pieces() -> None:
    before = sample.guard()
    newcomer = sample.queue_item("q99", "马东", (sample.pickup(19, relation="父亲"),), person=5009)
    after = replace(before, queue=(newcomer, *before.queue))
    was = dict(faces.fragments(before))
    changed = {key for key, html in faces.fragments(after) if was.get(key) != html}
    assert changed == {"guard-queue", "guard-details", "line-q99", "item-q99"}


def test_the_bar_is_a_piece_of_its_own() -> None:
    assert [key for key, _ in faces.fragments(sample.bar())] == ["bar"]
    assert faces.fragments(sample.bar()) != faces.fragments(sample.cut_off())


def test_pages_listen_to_their_own_topic_and_the_bar() -> None:
    assert faces.topics("display", sample.display()) == ["display:east-in-1"]
    assert faces.topics("guard", sample.guard()) == ["guard:east", "bar"]
    assert faces.topics("roster", sample.roster()) == ["roster:session:S101", "bar"]
    assert faces.topics("duty", sample_duty.duty()) == ["duty", "bar"]


def test_a_view_that_no_page_streams_is_refused() -> None:
    with pytest.raises(TypeError, match="SearchView"):
        faces.fragments(sample.search())
