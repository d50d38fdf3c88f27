"""Lists as Excel workbooks: text stays text, whatever it begins with, and days are days."""

import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import xlsxwriter

from docctl.exporting.paper import EMPTY, PAGE, Cell, Paper, printable

WIDEST = 60
LONGEST = 32_000  # Excel takes 32,767 characters in a cell.
# What a spreadsheet program would guess from the looks of a text is switched off: `1-2` is a code, not a day.
AS_WRITTEN = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def workbook(title: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return one sheet with a bold, frozen, filterable head; a cell that begins with `=` is text, never a formula."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, AS_WRITTEN) as book:
        _sheet(book, title, headings, rows)
    return file.getvalue()


def write(paper: Paper) -> bytes:
    """Return the paper as a workbook: a sheet a table, then what else it says; the head stands in row 1 of each."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, AS_WRITTEN) as book:
        book.set_properties(
            {"title": printable(paper.title), "author": printable(paper.office), "created": paper.made_at}
        )
        for number, block in enumerate(paper.blocks, start=1):
            name = f"{number}. {block.caption}" if len(paper.blocks) > 1 else block.caption or paper.title
            rows = block.rows or [[paper.say(EMPTY), *[None] * (len(block.headings) - 1)]]
            _edges(_sheet(book, name, block.headings, rows), paper)
        words = [paper.subtitle, *paper.opening, *paper.closing, paper.printed, paper.foot]
        words += [f"{' – '.join(signer.capacity.splitlines())}: {signer.name}" for signer in paper.signers]
        _edges(
            _sheet(book, f"{len(paper.blocks) + 1}. docctl", [paper.title], [[line] for line in words if line]), paper
        )
    return file.getvalue()


def _sheet(book: Any, title: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Any:
    sheet = book.add_worksheet(_sheet_name(title))
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    day, text = (
        book.add_format({"num_format": "dd/mm/yyyy", "valign": "top"}),
        book.add_format({"text_wrap": True, "valign": "top"}),
    )
    widths = [len(heading) for heading in headings]
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, printable(heading), head)
    number = 0
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            _write(sheet, number, column, value, day, text)
            widths[column] = max(widths[column], 10 if isinstance(value, date) else len(str(value or "")))
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(width + 2, WIDEST))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, number, len(headings) - 1)
    sheet.repeat_rows(0)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    return sheet


def _edges(sheet: Any, paper: Paper) -> None:
    """Give the printed pages of a sheet their head and foot; `&` begins an order there, so it is doubled."""
    office, right = (text.replace("&", "&&") for text in (paper.office, f"{paper.code} · {paper.printed}"))
    sheet.set_header(f"&L&8{office[:100]}&R&8{right[:100]}")
    sheet.set_footer(f"&L&6 {paper.foot[:180]}&R&8{paper.say(PAGE)} &P/&N")


def _write(sheet: Any, row: int, column: int, value: Cell, day: object, text: object) -> None:
    if isinstance(value, date):
        sheet.write_datetime(row, column, value, day)
    elif isinstance(value, int):
        sheet.write_number(row, column, value, text)
    elif value:
        sheet.write_string(row, column, printable(value)[:LONGEST], text)


def _sheet_name(title: str) -> str:
    """Return a name that Excel takes: at most 31 characters, none of `[]:*?/\\`."""
    return "".join(" " if character in "[]:*?/\\'" else character for character in title)[:31] or "docctl"
