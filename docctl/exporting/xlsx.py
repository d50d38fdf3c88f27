"""Lists as Excel workbooks: text stays text, whatever it begins with, and days are days."""

import io
from collections.abc import Iterable, Sequence
from datetime import date

import xlsxwriter

Cell = str | int | date | None
WIDEST = 60


def workbook(title: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return one sheet with a bold, frozen, filterable head; a cell that begins with `=` is text, never a formula."""
    file = io.BytesIO()
    # What a spreadsheet program would guess from the looks of a text is switched off: `1-2` is a code, not a day.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet(_sheet_name(title))
        head, day = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "dd/mm/yyyy"})
        widths = [len(heading) for heading in headings]
        for column, heading in enumerate(headings):
            sheet.write_string(0, column, heading, head)
        number = 0
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                _write(sheet, number, column, value, day)
                widths[column] = max(widths[column], 10 if isinstance(value, date) else len(str(value or "")))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, min(width + 2, WIDEST))
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, number, len(headings) - 1)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
    return file.getvalue()


def _write(sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, value: Cell, day: object) -> None:
    if isinstance(value, date):
        sheet.write_datetime(row, column, value, day)
    elif isinstance(value, int):
        sheet.write_number(row, column, value)
    elif value:
        sheet.write_string(row, column, value)


def _sheet_name(title: str) -> str:
    """Return a name that Excel takes: at most 31 characters, none of `[]:*?/\\`."""
    return "".join(" " if character in "[]:*?/\\'" else character for character in title)[:31] or "docctl"
