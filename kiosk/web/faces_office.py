"""View values of the pages that the controller's thread does not answer: office, signing in, trouble.

The app fills these from files, the directory and the settings; the faces only show them.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.roster import Bar, DeviceLine

MAX_LISTED = 200  # lines of a diff or of problems on one page; the rest is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemLine:
    """One thing wrong in an imported file. `where`: sheet, row and column as people say them."""

    file: str
    where: str
    what: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLine:
    """One difference between the files and the list in force. change: added | changed | removed."""

    change: str
    sort: str  # 学生, 监护人, 卡, ...
    name: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """state: start | preview | done. `token` names the uploaded files for the apply step."""

    bar: Bar
    state: str = "start"
    token: str = ""
    files: tuple[str, ...] = ()
    problems: tuple[ProblemLine, ...] = ()
    changes: tuple[ChangeLine, ...] = ()
    counts: tuple[tuple[str, int, int, int], ...] = ()  # (sort, added, changed, removed)
    number: int = 0  # of the list that was adopted


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLine:
    uid: str
    state: str  # active | lost | returned


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLine:
    """kind: pupil | collector | staff."""

    kind: str
    number: int
    name: str
    where: str  # class and seat, relation, roles
    has_photo: bool
    cards: tuple[CardLine, ...]
    consents: tuple[tuple[str, bool], ...] = ()  # of a pupil: purpose on the list, and whether it stands (not withdrawn)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleView:
    bar: Bar
    text: str = ""
    people: tuple[PersonLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolView:
    """登记卡. state: start | card (tapped, to be given) | again (the form once more, and what is wrong) | refused | no_tap |
    given | back."""

    bar: Bar
    points: tuple[tuple[str, str], ...] = ()  # access points: id, name
    kinds: tuple[str, ...] = ()
    state: str = "start"
    access_point: str = ""
    uid: str = ""
    holder_name: str = ""
    card_state: str = ""
    spellings: tuple[tuple[str, str], ...] = ()
    person: str = ""
    kind: str = ""
    refused: str = ""  # why not, as `kiosk.enrolling.No` has it
    detail: str = ""
    number: int = 0  # of the list in which the card is somebody's


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingLine:
    key: str
    value: str
    source: str  # file or policy with its clause


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """One setting, or all of one entry of a list: `access_point[3]` with its id, name and kind side by side."""

    key: str
    source: str
    values: tuple[tuple[str, str], ...]  # (name within the entry or "", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """What a plan breaks. level: block | warn."""

    level: str
    message: str
    document: str
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsView:
    bar: Bar
    groups: tuple[tuple[str, tuple[SettingLine, ...]], ...] = ()  # (heading, lines)
    policy: str = ""
    findings: tuple[FindingLine, ...] = ()
    day_words: str = ""  # what today is, in words
    decided_by: str = ""  # Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialView:
    """How the trial of one device stands.

    state: listening | read | read_kept | nobody | closed | picture | printing | printed | kept | full | down. `left_s`:
    how long a reader is still listened to. `value` and `scheme`: what was read.
    """

    device: str
    state: str
    value: str = ""
    scheme: str = ""
    left_s: int = 0

    @property
    def moves(self) -> bool:
        """Whether the page should look again soon."""
        return self.state in ("listening", "printing")


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesView:
    """`drivers` gives the driver of each device by name, `kinds` what it is, `contacts` what can be closed on it; `arrivals`
    counts per five minutes for the chart. `asked`: the relay whose contact somebody is about to close."""

    bar: Bar
    devices: tuple[DeviceLine, ...] = ()
    drivers: tuple[tuple[str, str], ...] = ()
    kinds: tuple[tuple[str, str], ...] = ()
    contacts: tuple[tuple[str, tuple[int, ...]], ...] = ()
    trial: TrialView | None = None
    asked: str = ""
    arrivals: tuple[tuple[int, int], ...] = ()  # (from_ms, count)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInView:
    """error: "" | wrong | locked | expired. `staff_number` is filled in when a staff card was read."""

    now_ms: int
    school: str = ""
    error: str = ""
    locked_min: int = 0
    staff_number: str = ""
    next_url: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorView:
    now_ms: int
    status: int  # 403, 404, 500, 503
    detail: str = ""


def setting_rows(lines: tuple[SettingLine, ...]) -> tuple[SettingRow, ...]:
    """Lines of one file as rows in their order; the fields of a list's entry share a row."""
    rows: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    for line in lines:
        entry, bracket, field = line.key.rpartition("].")
        key = f"{entry}]" if bracket else line.key
        rows.setdefault(key, (line.source, []))[1].append((field if bracket else "", line.value))
    return tuple(SettingRow(key=key, source=source, values=tuple(values)) for key, (source, values) in rows.items())
