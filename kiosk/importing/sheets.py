"""Raw sheets -> records: which kind of list a sheet is, which row is its header, and what each cell says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from kiosk.importing.headers import COLUMNS, NOT_TAKEN, Column, column_of, header, kind_of_title
from kiosk.importing.problems import Place, Report, Unreadable, Words
from kiosk.importing.rows import KIND_NAMES, Kind
from kiosk.importing.tables import MAX_ROWS, Cell, MergedRange, RawRow, RawSheet, blank

HEADER_WITHIN_ROWS = 12  # titles and remarks stand above the header, no more than this
_GARBLED = ["瀛﹀彿", "濮撳悕", "鐝骇", "宸ュ彿", "鍗″彿", "璇剧▼"]  # 学号 姓名 班级 工号 卡号 课程, UTF-8 read as GBK and saved


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of a list. `values` has every readable cell; `unreadable` names the fields that were reported."""

    kind: Kind
    file: str
    sheet: str
    row: int
    values: Mapping[str, Any]
    unreadable: frozenset[str]
    headers: Mapping[str, str]  # field -> the column's name as in the file

    def get(self, field: str, default: Any = None) -> Any:
        """The value, or `default` where the cell is empty, unreadable, or the column is not there."""
        value = self.values.get(field)
        return default if value is None or value == "" else value

    def at(self, field: str = "") -> Place:
        return Place(self.file, self.sheet, self.row, self.headers.get(field, ""))

    @property
    def complete(self) -> bool:
        """Whether every required field could be read."""
        return all(self.get(c.field) is not None for c in COLUMNS[self.kind] if c.required)


class _Layout(NamedTuple):
    kind: Kind
    header_row: int  # index into RawSheet.rows
    columns: Mapping[int, Column]  # 0-based position -> column
    headers: Mapping[str, str]
    strange: tuple[str, ...]  # headers that we do not know


def records(sheets: Iterable[RawSheet], report: Report) -> tuple[tuple[Record, ...], frozenset[Kind]]:
    """Every row of every recognised sheet, and the kinds whose sheet could not be used at all.
    Problems of cells are reported here, each once."""
    found: list[Record] = []
    recognised, failed = False, set()
    for sheet in sheets:
        place = Place(sheet.file, sheet.title)
        if sheet.hidden:
            report.warn(
                place,
                Words("隐藏的工作表没有读取。", "The sheet is hidden and was not read."),
                Words("如需导入，请先取消隐藏。", "Unhide it if it is to be imported."),
            )
        elif sheet.rows:
            layout = _layout(sheet, report)
            if layout is not None:
                recognised = True
                found.extend(_read(sheet, layout, report))
            elif titled := kind_of_title(sheet.title):
                failed.add(titled)
    if not recognised and report.clean:
        report.problem(
            Place(""),
            Words("没有找到任何名单。", "No list was found."),
            Words(f"工作表请命名为：{'、'.join(KIND_NAMES[k] for k in COLUMNS)}。", "Name the sheets as in the handbook."),
        )
    return tuple(found), frozenset(failed)


# ---- which sheet, which header -------------------------------------------------------------------------


def _layout(sheet: RawSheet, report: Report) -> _Layout | None:
    titled = kind_of_title(sheet.title)
    kinds = [titled] if titled else list(COLUMNS)
    layouts = [found for kind in kinds if (found := _best_header(sheet, kind)) is not None]
    complete = [found for found in layouts if not _missing(found)]
    if not complete:
        _report_no_header(sheet, layouts[0] if titled and layouts else None, titled, report)
        return None
    best = max(complete, key=lambda found: len(found.columns))
    rivals = [f for f in complete if len(f.columns) == len(best.columns)]
    if len(rivals) > 1:
        names = "、".join(KIND_NAMES[f.kind] for f in rivals)
        report.problem(
            Place(sheet.file, sheet.title),
            Words(f"看不出是哪种名单（{names}）。", f"It may be several kinds of list: {names}."),
            Words("请按名单种类命名工作表或文件。", "Name the sheet or file after the kind of list."),
        )
        return None
    if best.strange:
        report.warn(
            Place(sheet.file, sheet.title, sheet.rows[best.header_row].number),
            Words(f"这些列不导入：{'、'.join(best.strange)}。", f"These columns are not imported: {', '.join(best.strange)}."),
            Words("如需导入，请改成手册中的列名。", "Rename them as in the handbook if they are meant to be."),
        )
    return best if _no_column_twice(sheet, best, report) else None


def _best_header(sheet: RawSheet, kind: Kind) -> _Layout | None:
    """The row near the top that names most columns of this kind; None where none names two."""
    best: _Layout | None = None
    for at, row in enumerate(sheet.rows[:HEADER_WITHIN_ROWS]):
        layout = _as_header(kind, at, row)
        if len(layout.columns) >= 2 and (best is None or len(layout.columns) > len(best.columns)):
            best = layout
    return best


def _as_header(kind: Kind, at: int, row: RawRow) -> _Layout:
    columns: dict[int, Column] = {}
    headers: dict[str, str] = {}
    strange: list[str] = []
    for position, cell in enumerate(row.cells):
        name = header(cell)
        column = column_of(kind, name)
        if column is not None:
            columns[position] = column
            headers.setdefault(column.field, str(cell).strip())
        elif name and name not in NOT_TAKEN:
            strange.append(str(cell).strip()[:20])
    return _Layout(kind, at, columns, headers, tuple(strange))


def _missing(layout: _Layout) -> list[Column]:
    present = {column.field for column in layout.columns.values()}
    return [column for column in COLUMNS[layout.kind] if column.required and column.field not in present]


def _report_no_header(sheet: RawSheet, nearest: _Layout | None, titled: Kind | None, report: Report) -> None:
    place = Place(sheet.file, sheet.title)
    if any(isinstance(c, str) and any(g in c for g in _GARBLED) for row in sheet.rows[:HEADER_WITHIN_ROWS] for c in row.cells):
        report.problem(
            place,
            Words("文字已成乱码（UTF-8 被当作 GBK 打开后又保存）。", "The text was garbled: UTF-8 opened as GBK and saved."),
            Words("请从原系统重新导出，选择 .xlsx 格式。", "Export it again from where it came, as .xlsx."),
        )
    elif nearest is not None:
        for column in _missing(nearest):
            report.problem(
                Place(sheet.file, sheet.title, sheet.rows[nearest.header_row].number),
                Words(f"缺少“{column.names[0]}”列。", f"The column {column.names[0]} is missing."),
                Words(
                    f"请补上这一列，也可写作：{'、'.join(column.names[1:]) or '（无别名）'}。",
                    "Add it; other names are accepted.",
                ),
            )
    elif titled is not None:
        report.problem(
            place,
            Words("找不到表头。", "No header row was found."),
            Words(
                f"第一行应有：{'、'.join(c.names[0] for c in COLUMNS[titled] if c.required)}。",
                f"The first row should hold: {', '.join(c.names[0] for c in COLUMNS[titled] if c.required)}.",
            ),
        )
    else:
        report.warn(
            place,
            Words("没有识别出名单，已跳过。", "No list was recognised; the sheet was skipped."),
            Words("如需导入，请按名单种类命名并使用手册中的列名。", "Name it after its kind and use the handbook's columns."),
        )


def _no_column_twice(sheet: RawSheet, layout: _Layout, report: Report) -> bool:
    fields = [column.field for column in layout.columns.values()]
    twice = sorted({field for field in fields if fields.count(field) > 1})
    for field in twice:
        names = [str(sheet.rows[layout.header_row].cells[at]) for at, c in layout.columns.items() if c.field == field]
        report.problem(
            Place(sheet.file, sheet.title, sheet.rows[layout.header_row].number),
            Words(f"有几列意思相同：{'、'.join(names)}。", f"Several columns mean the same: {', '.join(names)}."),
            Words("请只保留一列。", "Keep one of them."),
        )
    return not twice


# ---- cells ---------------------------------------------------------------------------------------------


def _read(sheet: RawSheet, layout: _Layout, report: Report) -> Iterator[Record]:
    covered = _covered_by_merging(sheet, layout, report)
    header_cells = {at: sheet.rows[layout.header_row].cells[at] for at in layout.columns}
    for row in sheet.rows[layout.header_row + 1 :]:
        if _repeats_header(row, header_cells):
            continue
        values: dict[str, Any] = {}
        unreadable: set[str] = set()
        for at, column in layout.columns.items():
            place = Place(sheet.file, sheet.title, row.number, layout.headers[column.field])
            cell = row.cells[at] if at < len(row.cells) else None
            if (row.number, at + 1) in covered and blank(cell):
                unreadable.add(column.field)  # reported once for the whole range
                continue
            try:
                values[column.field] = column.read(cell)
            except Unreadable as error:
                unreadable.add(column.field)
                report.problem(place, error.what, error.remedy)
                continue
            if column.required and values[column.field] in (None, ""):
                unreadable.add(column.field)
                report.problem(place, Words("这一格必须填写。", "This cell must be filled."), Words("请补填。", "Fill it."))
        yield Record(
            kind=layout.kind,
            file=sheet.file,
            sheet=sheet.title,
            row=row.number,
            values=values,
            unreadable=frozenset(unreadable),
            headers=layout.headers,
        )


def _repeats_header(row: RawRow, header_cells: Mapping[int, Cell]) -> bool:
    """Lists that were printed page by page carry their header again and again."""
    cells = row.cells
    return all((cells[at] if at < len(cells) else None) == cell for at, cell in header_cells.items())


def _covered_by_merging(sheet: RawSheet, layout: _Layout, report: Report) -> frozenset[tuple[int, int]]:
    """Cells that are empty because they were merged into another. One problem for each range among the data."""
    header_row = sheet.rows[layout.header_row].number
    last = sheet.rows[-1].number
    covered: set[tuple[int, int]] = set()
    for merged in sheet.merged:
        columns = [at for at in layout.columns if merged.first_column <= at + 1 <= merged.last_column]
        if not columns or merged.last_row <= header_row or merged.first_row > last:
            continue
        place = Place(sheet.file, sheet.title, merged.first_row, layout.headers[layout.columns[columns[0]].field])
        report.problem(
            place,
            Words(
                f"合并单元格 {merged.name}：只有第一格有内容。",
                f"The cells {merged.name} are merged: only the first has a value.",
            ),
            Words("请取消合并，并在每一行填写。", "Unmerge them and fill every row."),
        )
        covered.update(_empty_cells(merged, columns, last))
        if len(covered) > MAX_ROWS:
            break  # a hostile file; everything beyond is reported as empty
    return frozenset(covered)


def _empty_cells(merged: MergedRange, columns: list[int], last_row: int) -> Iterator[tuple[int, int]]:
    for row in range(merged.first_row, min(merged.last_row, last_row) + 1):
        for at in columns:
            yield row, at + 1
