"""Distribution: who reads a revision and who holds which numbered copy of it, from the lists to the receipts."""

from docctl.distribution.copies import HELD, ControlledCopy, Ledger, count_held
from docctl.distribution.issuing import Distribution, Issuing, issue_more, ledger, of_revision, recent, seen_by, total
from docctl.distribution.lists import MEDIA, TARGETS, Directory, DistributionEntry
from docctl.distribution.reading import ReadTask

__all__ = [
    "HELD",
    "MEDIA",
    "TARGETS",
    "ControlledCopy",
    "Directory",
    "Distribution",
    "DistributionEntry",
    "Issuing",
    "Ledger",
    "ReadTask",
    "count_held",
    "issue_more",
    "ledger",
    "of_revision",
    "recent",
    "seen_by",
    "total",
]
