"""The legal watch (F13): a changed law, the documents and procedures that cite it, the deadline, and the proof."""

from docctl.watch import board, citing
from docctl.watch.assessing import (
    act,
    acts,
    amend,
    facts,
    open_for,
    open_request,
    open_unassessed,
    recorded,
    request_refusal,
    unassessed,
    waiting_for,
    worked_in_on,
)
from docctl.watch.board import Score, Standing, load, score, standing
from docctl.watch.citing import Cited, judge
from docctl.watch.table import CONFIRMED, OPEN, REJECTED, CitationVerdict, LegalAssessment

__all__ = [
    "CONFIRMED",
    "OPEN",
    "REJECTED",
    "CitationVerdict",
    "Cited",
    "LegalAssessment",
    "Score",
    "Standing",
    "act",
    "acts",
    "amend",
    "board",
    "citing",
    "facts",
    "judge",
    "load",
    "open_for",
    "open_request",
    "open_unassessed",
    "recorded",
    "request_refusal",
    "score",
    "standing",
    "unassessed",
    "waiting_for",
    "worked_in_on",
]
