"""What leaves docctl: registers and minutes as workbooks, Word documents, PDF and text with commas.

A register or minutes is described once, as a `paper.Paper` of plain values; `write` makes a file of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from docctl.exporting import csv, docx, pdf, xlsx
from docctl.exporting.paper import Block, Cell, Paper, Signer

__all__ = ["FORMATS", "Block", "Cell", "Format", "Paper", "Signer", "write"]


@dataclass(frozen=True)
class Format:
    """A type of file: its media type, and what writes it."""

    mimetype: str
    write: Callable[[Paper], bytes]


FORMATS = {
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx.write),
    "docx": Format("application/vnd.openxmlformats-officedocument.wordprocessingml.document", docx.write),
    "pdf": Format("application/pdf", pdf.write),
    "csv": Format("text/csv; charset=utf-8", csv.write),
}


def write(paper: Paper, format: str) -> bytes:
    """Return a paper as a file of one of the FORMATS; raises KeyError for another."""
    return FORMATS[format].write(paper)
