"""Evidence packs: a document, a decision or a day as one archive that a third party can check without docctl."""

from docctl.evidence.packing import Subject, find_decision, may_take, of_day, of_decision, of_document, save

__all__ = ["Subject", "find_decision", "may_take", "of_day", "of_decision", "of_document", "save"]
