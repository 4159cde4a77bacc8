"""A whole configuration that a test can spoil in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FILES = {
    "school.toml": """
[school]
id = "s"
name = "某某小学"
city = "yueyang"
stages = ["primary"]
local_off_work = "17:30"

[duty]
early_teacher = "T001"
leader = "D001"

[[gate]]
id = "east"
name = "东门"

[[access_point]]
id = "east-in"
name = "东门进"
kind = "entrance"
gate = "east"

[[access_point]]
id = "room-301"
name = "301 教室"
kind = "room"
room = "301"
""",
    "calendar.toml": """
[term.2026_autumn]
name = "第一学期"
from = 2026-09-01
to = 2027-01-22

[[season]]
name = "winter"
from = 2026-10-08
to = 2027-04-30

[[day]]
date = 2026-10-10
timetable_as = "wed"
after_school = false
""",
    "plan.toml": """
[bells.summer]
gate_opens = { "*" = "07:30" }
late_from = { "*" = "08:11" }
dismissal = { "primary-1" = "15:30", "*" = "16:10" }
gate_closes = "19:00"
extended_care = { from = "18:00", to = "19:00" }
slot = [
  { number = 1, kind = "homework", from = "16:20", to = "17:10" },
  { number = 2, kind = "enrichment", from = "17:10", to = "18:00" },
]

[bells.winter]
gate_opens = { "*" = "07:30" }
late_from = { "*" = "08:11" }
dismissal = { "*" = "16:00" }
gate_closes = "18:30"

[profile.eve.dismissal]
"primary-1" = "14:00"
""",
    "ladder.toml": """
[[ladder]]
at = 0
state = "waiting"
to = ["session_teacher"]
do = "清点人数"

[[ladder]]
at = 30
state = "gatehouse"
to = ["guard"]
do = "交接到门卫室"
acknowledge = false
""",
    "site.toml": """
[node]
id = "gate-east"
gate = "east"
port = 9000

[[device]]
name = "east-reader"
url = "rdm6300:/dev/serial/by-id/x"
access_point = "east-in"
options = { baud = 9600 }

[[device]]
name = "east-relay"
url = "lcus:/dev/serial/by-id/y"

[access.east-in]
relay = "east-relay"
relay_channel = 2
pulse_s = 1.5

[sync]
server = "http://10.0.0.10:8480"
""",
}


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """`config()` writes a sound configuration; `config("plan.toml", old, new)` with one text replaced."""

    def write(file: str = "", old: str = "", new: str = "") -> Path:
        folder = tmp_path / "config"
        folder.mkdir(exist_ok=True)
        for name, text in FILES.items():
            if name == file:
                assert old in text, f"{old!r} is not in {name}"
                text = text.replace(old, new, 1) if old else text + new
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    return write
