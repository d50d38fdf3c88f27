"""Administrative procedures (TTHC): the catalogue, the documents that cover it, and the coverage on any day."""

from docctl.procedures import coverage, linking
from docctl.procedures.coverage import Alarms, Asked, Coverage, Found, Row, Share, alarms, find, left_uncovered, load
from docctl.procedures.keeping import (
    Entry,
    Event,
    add,
    base_key,
    decide,
    edit,
    exclude,
    include,
    keeping_refusal,
    recorded,
    refuse_others,
    with_code,
)
from docctl.procedures.linking import link, unlink
from docctl.procedures.table import KINDS_OF_EVENT, Procedure, ProcedureEvent, ProcedureLink

__all__ = [
    "KINDS_OF_EVENT",
    "Alarms",
    "Asked",
    "Coverage",
    "Entry",
    "Event",
    "Found",
    "Procedure",
    "ProcedureEvent",
    "ProcedureLink",
    "Row",
    "Share",
    "add",
    "alarms",
    "base_key",
    "coverage",
    "decide",
    "edit",
    "exclude",
    "find",
    "include",
    "keeping_refusal",
    "left_uncovered",
    "link",
    "linking",
    "load",
    "recorded",
    "refuse_others",
    "unlink",
    "with_code",
]
