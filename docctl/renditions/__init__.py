"""Renditions: the PDF that a file is read and printed as, and what it says of itself at the moment it is handed out."""

from docctl.renditions.handing import printed, why_not
from docctl.renditions.making import (
    NO_PDF_BESIDE,
    ask,
    counts,
    every_source,
    make,
    of,
    settle,
    settling_refusal,
    supply,
    supplying_refusal,
    try_again,
    waiting,
)
from docctl.renditions.sheets import sheet, watermark
from docctl.renditions.signed import Signed, signatures
from docctl.renditions.table import ACCEPT, ASKS, AUTHOR, ORIGINAL, READY, REFUSE, UNAVAILABLE, WAITING, Rendition

__all__ = [
    "ACCEPT",
    "ASKS",
    "AUTHOR",
    "NO_PDF_BESIDE",
    "ORIGINAL",
    "READY",
    "REFUSE",
    "UNAVAILABLE",
    "WAITING",
    "Rendition",
    "Signed",
    "ask",
    "counts",
    "every_source",
    "make",
    "of",
    "printed",
    "settle",
    "settling_refusal",
    "sheet",
    "signatures",
    "supply",
    "supplying_refusal",
    "try_again",
    "waiting",
    "watermark",
    "why_not",
]
