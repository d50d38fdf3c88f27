"""The rows of a spreadsheet's first sheet as texts, for what is typed there and read here."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from docctl.files import check
from docctl.files.kinds import Kind
from docctl.rules import Refused, Sentence

NO_SHEET = Sentence(
    "Không đọc được bảng tính này. Hãy lưu lại dạng .xlsx hoặc .xls rồi tải lên.",
    "This is no spreadsheet that can be read. Save it as .xlsx or .xls, then upload it.",
)
MOST_ROWS, MOST_COLUMNS = 5000, 50


def rows_of(path: Path, name: str) -> list[list[str]]:
    """Return the rows of an uploaded sheet; raises Refused by the rules of upload, and for what is no workbook."""
    try:
        kind = check.check(path, name)
    except Refused as refused:
        raise Refused(refused.sentence, field="sheet") from refused
    if kind not in (Kind.XLSX, Kind.XLS):
        raise Refused(NO_SHEET, field="sheet")
    return rows(path)


def rows(path: Path) -> list[list[str]]:
    """Return the cells of the first sheet as a spreadsheet program shows them, from its first row and column.

    Raises Refused for a file that is no workbook. Numbers that are whole lose their `.0`; days are `26/10/2022`.
    """
    try:
        with path.open("rb") as file:
            sheet = CalamineWorkbook.from_filelike(file).get_sheet_by_index(0)
            found = sheet.to_python(skip_empty_area=False, nrows=MOST_ROWS)
    except (CalamineError, OSError, IndexError) as error:
        raise Refused(NO_SHEET, field="sheet") from error
    return [[_text(cell) for cell in row[:MOST_COLUMNS]] for row in found]


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, date | datetime):
        return cell.strftime("%d/%m/%Y")
    return str(cell)
