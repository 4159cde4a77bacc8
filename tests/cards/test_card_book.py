"""What a gate that runs for a year lets go of about cards, and what never."""

from __future__ import annotations

from kiosk.core.card_book import CLONED
from tests.support.school import School

DAY_MS = 86_400_000


def test_sightings_go_and_counters_and_open_cases_stay(school: School) -> None:
    campus = school.gate.world.campus
    school.tap("王小明", "east-in")
    school.tap("王小明", "south-in")
    school.tap("丁一", "east-in")
    campus.cards.counters["04C0FFEE"] = 9
    [case] = [one.case for one in campus.conflicts() if one.kind == CLONED]
    later_ms = school.clock.now_ms() + 2 * DAY_MS
    campus.forget_before(later_ms)
    assert campus.cards.sightings == {}
    assert [one.case for one in campus.conflicts() if one.kind == CLONED] == [case]
    campus.closed_cases[case] = later_ms
    campus.forget_before(later_ms)
    assert campus.cards.pairs == {} and campus.cards.counters == {"04C0FFEE": 9}
