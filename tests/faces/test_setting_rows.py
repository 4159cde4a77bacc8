"""Hundreds of settings, readable: the fields of one entry of a list share a row."""

from __future__ import annotations

from kiosk.web.faces_office import SettingLine, setting_rows


def test_fields_of_one_entry_share_a_row_and_others_keep_their_own() -> None:
    lines = tuple(
        SettingLine(key=key, value=value, source="school.toml")
        for key, value in (
            ("school.name", "实验小学"),
            ("access_point[1].id", "east-in"),
            ("access_point[1].name", "东门入口"),
            ("access_point[2].id", "east-out"),
            ("bells.summer.slot[1].from", "16:30"),
        )
    )
    rows = setting_rows(lines)
    assert [row.key for row in rows] == ["school.name", "access_point[1]", "access_point[2]", "bells.summer.slot[1]"]
    assert rows[0].values == (("", "实验小学"),)
    assert rows[1].values == (("id", "east-in"), ("name", "东门入口"))
