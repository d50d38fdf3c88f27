"""Posting: what people who are not signed in are shown, by type of document, and the record that a decision was posted."""

from docctl.posting.deciding import keeping_refusal, of_decision, post, postings, set_type, waiting, what
from docctl.posting.showing import (
    Change,
    Kept,
    changes,
    fields,
    in_field,
    is_posted,
    listed_matching,
    load,
    number,
    posted,
    procedures_shown,
)
from docctl.posting.table import CONTENT, GONE, LISTED, NOT_POSTED, ON_SHOW, POSTINGS, WITHHELD, Posting

__all__ = [
    "CONTENT",
    "GONE",
    "LISTED",
    "NOT_POSTED",
    "ON_SHOW",
    "POSTINGS",
    "WITHHELD",
    "Change",
    "Kept",
    "Posting",
    "changes",
    "fields",
    "in_field",
    "is_posted",
    "keeping_refusal",
    "listed_matching",
    "load",
    "number",
    "of_decision",
    "post",
    "posted",
    "postings",
    "procedures_shown",
    "set_type",
    "waiting",
    "what",
]
