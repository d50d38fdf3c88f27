"""Retention: how long what ended is kept, what holds it longer, and how a council disposes of it."""

from docctl.retention.disposal import Disposal, DisposalLine, gone, of_revision
from docctl.retention.schedule import STANDINGS, Record, RetentionHold, due, records
from docctl.retention.tombstones import DisposedContent, buried

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
