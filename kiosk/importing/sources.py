"""Files and folders -> raw sheets. Refuses early what is too large or no list, in one sentence each."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from kiosk.importing.csv_reader import read_csv, too_many_rows
from kiosk.importing.problems import Place, Report, Unreadable, Words
from kiosk.importing.tables import (
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_ROWS,
    MAX_TOTAL_BYTES,
    RawSheet,
    Source,
)
from kiosk.importing.xlsx_reader import read_xlsx

_TABLE_ENDINGS = frozenset({".xlsx", ".xlsm", ".csv", ".tsv", ".txt"})
_OLD_EXCEL = bytes.fromhex("D0CF11E0A1B11AE1")
_ZIP = b"PK\x03\x04"
_BINARY = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"\x7fELF", b"SQLite format 3")


def gather(paths: Iterable[Path | str], report: Report) -> tuple[Source, ...]:
    """The bytes of every list among the files and folders; too large ones are refused before they are read."""
    found: list[Source] = []
    total = 0
    for path in _files(paths, report):
        try:
            source = _read(path)
        except Unreadable as error:
            report.problem(Place(path.name), error.what, error.remedy)
            continue
        total += len(source.data)
        if len(found) == MAX_FILES or total > MAX_TOTAL_BYTES:
            report.problem(
                Place(path.name),
                Words("文件太多或合计太大。", f"More than {MAX_FILES} files or {MAX_TOTAL_BYTES >> 20} MB in all."),
                Words("请分几次导入。", "Import in parts."),
            )
            break
        found.append(source)
    return tuple(found)


def _files(paths: Iterable[Path | str], report: Report) -> Iterator[Path]:
    for path in map(Path, paths):
        if not path.is_dir():
            yield path
            continue
        inside = sorted(p for p in path.iterdir() if p.suffix.lower() in _TABLE_ENDINGS and _picked(p))
        if not inside:
            report.problem(
                Place(path.name),
                Words("文件夹里没有 .xlsx 或 .csv 文件。", "The folder holds no .xlsx and no .csv file."),
                Words("请选择存放名单的文件夹。", "Pick the folder that holds the lists."),
            )
        yield from inside[: MAX_FILES + 1]


def _picked(path: Path) -> bool:
    return not path.name.startswith((".", "~$"))  # ~$ is the lock file of an open workbook


def _read(path: Path) -> Source:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(
                Words("这不是普通文件。", "This is no regular file."), Words("请选择 .xlsx 或 .csv 文件。", "Pick a file.")
            )
        _check_size(status.st_size)
        with path.open("rb") as stream:
            return Source(path.name, stream.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        raise Unreadable(
            Words("文件无法打开。", f"The file cannot be opened ({error.strerror})."),
            Words("请检查路径和权限。", "Check the path and the permissions."),
        ) from error


def _check_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise Unreadable(
            Words(
                f"文件有 {size / 1e6:.0f} MB，超过 {MAX_FILE_BYTES >> 20} MB 的上限，没有读取。",
                f"The file has {size / 1e6:.0f} MB, more than the {MAX_FILE_BYTES >> 20} MB allowed; it was not read.",
            ),
            Words("请只导出名单本身，或分成几个文件。", "Export the lists only, or split them into several files."),
        )


def raw_sheets(sources: Iterable[Source], report: Report) -> tuple[RawSheet, ...]:
    """Every sheet of every file; a file that cannot be read is one problem and does not stop the others."""
    found: list[RawSheet] = []
    rows_left = MAX_ROWS
    for source in sources:
        try:
            _check_size(len(source.data))
            sheets = _sheets_of(source, rows_left)
            rows_left -= sum(len(sheet.rows) for sheet in sheets)
            if rows_left < 0:
                raise too_many_rows()
        except Unreadable as error:
            report.problem(Place(source.name), error.what, error.remedy)
        else:
            found.extend(sheets)
    return tuple(found)


def _sheets_of(source: Source, rows_left: int) -> tuple[RawSheet, ...]:
    """Judged by content, not by name: people rename files."""
    data, ending = source.data, PurePath(source.name).suffix.lower()
    if data.startswith(_ZIP):
        return read_xlsx(source, rows_left=rows_left)
    if data.startswith(_OLD_EXCEL):
        raise Unreadable(
            Words("这是旧版 .xls 或设了密码的文件。", "This is an old .xls file, or one with a password."),
            Words("请去掉密码，另存为 .xlsx。", "Take the password off and save it as .xlsx."),
        )
    if ending in (".xlsx", ".xlsm") or data.startswith(_BINARY):
        raise Unreadable(
            Words("这不是表格文件，内容与文件名不符。", "This is no spreadsheet, whatever its name says."),
            Words("请从表格软件重新另存为 .xlsx 或 .csv。", "Save it again as .xlsx or .csv from the spreadsheet program."),
        )
    if not data.strip():
        raise Unreadable(Words("文件是空的。", "The file is empty."), Words("请选择正确的文件。", "Pick the right file."))
    return (read_csv(source, rows_left=rows_left),)
