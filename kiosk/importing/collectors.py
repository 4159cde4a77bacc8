"""Guardians, delegates and restrictions: three lists that name the same adults. One adult is one collector,
by 接送人编号; where a school has no such numbers, by name and telephone, or by name among one child's adults."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kiosk.importing.given import Given
from kiosk.importing.problems import Place, Words
from kiosk.importing.row_checks import check_known, check_pupil_name, period_fits
from kiosk.importing.rows import CollectorRow, Kind, LinkKey, LinkRow
from kiosk.importing.sheets import Record

LINK_KINDS = (Kind.GUARDIANS, Kind.DELEGATES, Kind.RESTRICTIONS)
_COMMON = {"phone": "手机号", "id_last4": "证件后四位"}
_OF_DELEGATES = {"minor": "未成年", "organisation": "机构", "daily_limit": "每日人数上限"}
_DEFAULTS: Mapping[str, Any] = {"phone": "", "id_last4": "", "minor": False, "organisation": "", "daily_limit": 0}
DEFAULT_RELATION = "监护人"
GUARDIANS_IN_PUPIL_LIST = (1, 2)


class Mention(NamedTuple):
    """One row's word about one adult."""

    kind: Kind
    place: Place
    name: str
    said: Mapping[str, Any]


class Links(NamedTuple):
    """Who may, and must not, collect whom, after an import is merged into what was there."""

    guardians: Mapping[LinkKey, LinkRow]
    delegates: Mapping[LinkKey, LinkRow]
    restrictions: Mapping[LinkKey, LinkRow]

    def referred_to(self) -> set[str]:
        return {row.collector for group in self for row in group.values()}


class Adults:
    """Which adult each row means. Lives for one import."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.mentions: defaultdict[str, list[Mention]] = defaultdict(list)
        self._of_pupil: defaultdict[tuple[str, str], set[str]] = defaultdict(set)  # (学号, name) -> collector keys
        for rows in (given.current.guardians, given.current.delegates, given.current.restrictions):
            for row in rows.values():
                name = given.current.collectors[row.collector].name
                self._of_pupil[row.pupil, name].add(row.collector)

    def read(self, records: Iterable[Record]) -> None:
        """All rows of the three lists, and the guardians that stand in the pupil list."""
        by_kind: defaultdict[Kind, list[Record]] = defaultdict(list)
        for record in records:
            by_kind[record.kind].append(record)
        for record in by_kind[Kind.PUPILS]:
            self._from_pupil_list(record)
        for kind in LINK_KINDS:
            for record in by_kind[kind]:
                self._link(record)

    def _link(self, record: Record) -> None:
        if record.get("collector"):
            self.given.seen[Kind.COLLECTORS].add(record.get("collector"))
        known = check_known(record, "pupil", Kind.PUPILS, self.given)
        named = check_pupil_name(record, self.given)
        if not (period_fits(record, self.given) and named and known and record.complete):
            return
        pupil, name = record.get("pupil"), record.get("name")
        key = record.get("collector") or self._key_by_name(pupil, name, record.get("phone", ""), record)
        if key is None or "collector" in record.unreadable:
            return
        said = {field: record.get(field, _DEFAULTS[field]) for field in (*_COMMON, *_OF_DELEGATES)}
        self._take(key, Mention(record.kind, record.at("name"), name, said), pupil)
        row = LinkRow(
            pupil=pupil,
            collector=key,
            relation=record.get("relation", ""),
            order=record.get("order", 9),
            valid_from=record.get("valid_from"),
            valid_to=record.get("valid_to"),
        )
        self.given.add(record.kind, row, record.at("collector" if "collector" in record.headers else "name"))

    def _from_pupil_list(self, record: Record) -> None:
        """监护人1姓名, 关系, 手机号 beside the pupil. The list of guardians, where there is one, counts instead."""
        pupil = record.get("school_number")
        if not pupil or Kind.GUARDIANS in self.given.kinds:
            return
        for n in GUARDIANS_IN_PUPIL_LIST:
            name, phone = record.get(f"guardian{n}_name"), record.get(f"guardian{n}_phone", "")
            if not name:
                continue
            key = self._key_by_name(pupil, name, phone, record)
            if key is None:
                continue
            place = record.at(f"guardian{n}_name")
            self._take(key, Mention(Kind.GUARDIANS, place, name, {**_DEFAULTS, "phone": phone}), pupil)
            self.given.guardians_listed_for.add(pupil)
            relation = record.get(f"guardian{n}_relation", DEFAULT_RELATION)
            row = LinkRow(pupil=pupil, collector=key, relation=relation, order=n)
            self.given.add(Kind.GUARDIANS, row, place)

    def _take(self, key: str, mention: Mention, pupil: str) -> None:
        self.mentions[key].append(mention)
        self._of_pupil[pupil, mention.name].add(key)

    def _key_by_name(self, pupil: str, name: str, phone: str, record: Record) -> str | None:
        """No 接送人编号: the child's adult of that name; else a key made of name and telephone (or of the child)."""
        made = f"{name}/{phone or pupil}"
        same_name = self._of_pupil[pupil, name]
        if made in same_name or not same_name:
            return made
        if len(same_name) == 1:
            return next(iter(same_name))
        self.given.report.problem(
            record.at("name"),
            Words(f"学号 {pupil} 有几位叫“{name}”的接送人。", f"The pupil {pupil} has several adults called {name}."),
            Words("请填写接送人编号。", "Fill in 接送人编号."),
        )
        return None

    # ---- merging -------------------------------------------------------------------------------------------

    def merged(self, links: Links) -> dict[str, CollectorRow]:
        """One row for each adult that a link names. Contradictions between rows are problems."""
        kept = self._named_by_kept_lists(links)
        return {key: self._merged(key, key in kept) for key in sorted(links.referred_to())}

    def _named_by_kept_lists(self, links: Links) -> set[str]:
        """Adults whom a list that this import does not bring still names: what was known of them stays."""
        kept = [rows for kind, rows in zip(LINK_KINDS, links, strict=True) if kind not in self.given.kinds]
        return {row.collector for rows in kept for row in rows.values()}

    def _merged(self, key: str, is_kept: bool) -> CollectorRow:
        before = self.given.current.collectors.get(key)
        mentions = self.mentions.get(key, [])
        if not mentions:
            assert before is not None, "a link without a mention comes from the directory in force"
            return before
        self._names_agree(key, mentions)
        values: dict[str, Any] = {}
        for field, header in (_COMMON | _OF_DELEGATES).items():
            about = mentions if field in _COMMON else [m for m in mentions if m.kind is Kind.DELEGATES]
            said = self._agreed(key, field, header, about)
            if said == _DEFAULTS[field] and is_kept and before is not None:
                said = getattr(before, field)
            values[field] = said
        return CollectorRow(id=key, name=mentions[0].name, **values)

    def _names_agree(self, key: str, mentions: list[Mention]) -> None:
        first = mentions[0]
        for other in mentions:
            if other.name != first.name:
                self.given.report.problem(
                    other.place,
                    Words(
                        f"接送人编号 {key} 在 {first.place} 是“{first.name}”，这里是“{other.name}”。",
                        f"The collector {key} is {first.name} in row {first.place.row}, but {other.name} here.",
                    ),
                    Words("一个编号只能是一个人，请改正。", "One number is one person; correct it."),
                )
                return

    def _agreed(self, key: str, field: str, header: str, mentions: list[Mention]) -> Any:
        """The value that all rows agree on; empty cells agree with everything."""
        found: Mention | None = None
        for mention in mentions:
            if mention.said[field] == _DEFAULTS[field]:
                continue
            if found is not None and mention.said[field] != found.said[field]:
                self.given.report.problem(
                    mention.place,
                    Words(
                        f"接送人 {key} 的“{header}”与 {found.place} 不一致。",
                        f"For the collector {key}, {header} differs from row {found.place.row}.",
                    ),
                    Words("请核对后统一。", "Find out which is right and use it in both."),
                )
                break
            found = found or mention
        return found.said[field] if found else _DEFAULTS[field]
