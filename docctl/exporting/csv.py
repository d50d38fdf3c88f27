"""Registers as text with commas: for other programs; a spreadsheet that opens it runs nothing either."""

import csv
import io

from docctl.exporting.paper import Cell, Paper

ORDERS = ("=", "+", "-", "@", "\t", "\r")


def write(paper: Paper) -> bytes:
    """Return the tables as UTF-8 with its mark, which Excel needs; days are ISO, several tables are told apart in column 1."""
    text = io.StringIO()
    writer = csv.writer(text)
    several = len(paper.blocks) > 1
    for number, block in enumerate(paper.blocks):
        if not number:
            writer.writerow([*([""] if several else []), *block.headings])
        for row in block.rows:
            writer.writerow([*([block.caption] if several else []), *(_plain(value) for value in row)])
    return text.getvalue().encode("utf-8-sig")


def _plain(value: Cell) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
    # A spreadsheet takes such a text for a formula; the apostrophe says that it is a text.
    return f"'{value}" if value.startswith(ORDERS) else value
