"""Retention: how long what ended is kept, what holds it longer, and how a council disposes of it."""

from docctl.retention.disposal import Disposal, DisposalLine, DisposedContent, buried, gone, of_revision
from docctl.retention.schedule import STANDINGS, Record, RetentionHold, due, records

__all__ = [
    "STANDINGS",
    "Disposal",
    "DisposalLine",
    "DisposedContent",
    "Record",
    "RetentionHold",
    "buried",
    "due",
    "gone",
    "of_revision",
    "records",
]
