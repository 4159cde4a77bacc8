"""notices.toml: every problem at once, each with its place and its remedy; and the page that explains it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.checking import check_config
from kiosk.notices.looking import examine_notices
from kiosk.notices.opening import open_notices
from kiosk.notices.settings import TOP, NoticesSettings, load_file, load_notices
from kiosk.settings import SettingsError, load
from tests.support.school import CONFIG, School

ROOT = Path(__file__).parents[2]
GOOD = """
[notices]
gather_s = 30

[[target]]
name = "值班群"
kind = "dingtalk"
link = "https://oapi.dingtalk.com/robot/send?access_token=abc"
secret = "SEC1"
alarms = true
digest_at = ["12:00", "17:30"]
from_level = "info"

[[target]]
name = "校长"
kind = "email"
link = "mailtos://gate:pw@mail.example.cn?to=head@mail.example.cn"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "notices.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(tmp_path: Path, text: str) -> list[tuple[str, str]]:
    with pytest.raises(SettingsError) as caught:
        load_file(written(tmp_path, text))
    assert all(problem.file == "notices.toml" and " / " in problem.message for problem in caught.value.problems)
    return [(problem.where, problem.message) for problem in caught.value.problems]


def target(**values: object) -> str:
    base = {"name": "群", "kind": "wecom", "link": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k"}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in {**base, **values}.items()]
    return "[[target]]\n" + "\n".join(lines) + "\n"


def test_a_good_file_becomes_targets(tmp_path: Path) -> None:
    found = load_file(written(tmp_path, GOOD))
    assert [(t.name, t.kind, t.host) for t in found.targets] == [
        ("值班群", "dingtalk", "oapi.dingtalk.com"), ("校长", "email", "mail.example.cn"),
    ]  # fmt: skip
    assert found.gather_ms == 30_000 and found.targets[0].digest_at_min == (720, 1050)
    assert "SEC1" not in repr(found) and "abc" not in repr(found)


def test_a_school_without_the_file_has_no_notices(tmp_path: Path) -> None:
    assert load_notices(load(CONFIG)) == NoticesSettings()


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    text = target(kind="dingding") + target(nmae="x", digest_at=["7:30"]) + target(per_minute=1000) + target(name="")
    found = [where for where, _ in problems(tmp_path, text)]
    assert set(found) >= {
        "target[1].kind", "target[2].nmae", "target[2].digest_at", "target[3].per_minute", "target[4].name", "target.name",
        "target.link",
    }  # fmt: skip


@pytest.mark.parametrize(
    "link",
    [
        "https://qyapi.weixin.qq.com/",
        "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k",
        "qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send",
        "https://[/cgi-bin/webhook/send?key=k",
        "",
    ],
)
def test_a_link_that_is_not_a_robots_is_refused(tmp_path: Path, link: str) -> None:
    assert [where for where, _ in problems(tmp_path, target(link=link))] == ["target[1].link"]


def test_a_relay_in_the_schools_own_network_may_speak_http(tmp_path: Path) -> None:
    assert load_file(written(tmp_path, target(link="http://192.168.1.9/cgi-bin/webhook/send?key=k"))).targets


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, target(secret="x"))[0][0] == "target[1].secret"
    assert problems(tmp_path, target(digest_at=["12:00"]))[0][0] == "target[1].digest_at"


@pytest.mark.parametrize("text", ["[[target", "\udcff", "target = 5"])
def test_a_file_that_is_no_toml_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notices.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsError) as caught:
        load_file(path)
    assert len(caught.value.problems) == 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONFIG, tmp_path / "config"))


def test_check_names_the_problems_of_notices_too(folder: Path) -> None:
    before = check_config(folder).problems
    written(folder, target(kind="dingding"))
    after = check_config(folder).problems
    assert after[: len(before)] == before
    assert [(problem.file, problem.where) for problem in after[len(before) :]] == [("notices.toml", "target[1].kind")]


def test_a_mistake_in_notices_keeps_no_gate_shut_and_is_on_the_page(folder: Path, tmp_path: Path, school: School) -> None:
    written(folder, target(kind="dingding"))
    notices = open_notices(settings=load(folder), gate=school.gate, state=tmp_path, clock=school.clock)
    assert notices is not None
    notices.start()
    assert "target[1].kind" in notices.state().trouble
    assert school.tap("王小明", "east-in").decision.outcome == "granted"
    notices.stop()
    assert not (tmp_path / "notices.db").exists()


def test_the_doctor_names_each_target_and_a_file_that_others_may_read(folder: Path, tmp_path: Path) -> None:
    path = written(folder, target(link="http://127.0.0.1:9/cgi-bin/webhook/send?key=secret-key"))
    path.chmod(0o644)
    rows = examine_notices(load(folder), tmp_path)
    assert [row.health for row in rows] == ["warning", "warning"]
    assert "127.0.0.1" in rows[0].detail and "chmod o=" in rows[1].detail
    assert "secret-key" not in str(rows)
    path.chmod(0o640)
    assert len(examine_notices(load(folder), tmp_path)) == 1


def test_apprise_is_loaded_only_where_a_target_needs_it(tmp_path: Path) -> None:
    path = written(tmp_path, target())
    program = (
        "import sys; from pathlib import Path; from kiosk.notices.settings import load_file;"
        "load_file(Path(sys.argv[1])); print('apprise' in sys.modules, 'httpx' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, cwd=ROOT, check=True)
    assert ran.stdout.split() == ["False", "False"]


def test_every_setting_is_on_the_manuals_page() -> None:
    page = (ROOT / "docs" / "notices.md").read_text(encoding="utf-8")
    for path, key in TOP.asked():
        assert f"| `{key.name}` |" in page, path


def test_the_example_is_a_good_file_without_targets(tmp_path: Path) -> None:
    example = ROOT / "config" / "site.example" / "notices.toml"
    assert load_file(example).targets == ()
    spoken = "\n".join(re.findall(r"^# (\[\[.*|\w+ = .*)$", example.read_text(encoding="utf-8"), re.M))
    assert len(load_file(written(tmp_path, spoken)).targets) >= 3
