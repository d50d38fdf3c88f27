"""Suggestions while typing: documents whose title or code has the words so far, as far as the reader may find them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import clock, revisions, text
from docctl.documents import Document
from docctl.people import Reader
from docctl.revisions import Revision
from docctl.search import Engine, Query, Word, finding

SHORTEST = 2
SHOWN = 7
READ = 150  # Hits of the index whose titles and codes are compared with what was typed.


@dataclass(frozen=True)
class Suggestion:
    """A document that may be meant, by the revision that would be opened."""

    revision: int
    document: int
    code: str
    title: str


def suggest(
    session: Session, engine: Engine, typed: str, *, reader: Reader | None, scope: str = "in-force", limit: int = SHOWN
) -> list[Suggestion]:
    """Return documents that have every word so far in title or code, the last word perhaps unfinished.

    The index is asked for nothing but what the reader may find, and what it answers is read from the database with his
    rights again.
    """
    query = Query.unfinished(typed)
    if len(text.fold(typed).strip()) < SHORTEST or not query:
        return []
    sight = finding.seen(session, engine, reader=reader, scope=scope, on=None)
    found = engine.search(query, "all" if scope == "all" else "current", sight.ids, READ)
    order = {id: place for place, (id, _) in enumerate(found.hits)}
    rows = session.execute(
        select(Revision.id, Revision.document_id, Document.code, Revision.title)
        .join(Document, Document.id == Revision.document_id)
        .where(Revision.id.in_(order), revisions.visible(reader))
        .where(*([] if scope == "all" else [revisions.in_force_at(clock.now())]))
    )
    wanted = _Wanted(typed)
    fitting = [(wanted.merit(row.code, row.title), -order[row.id], row) for row in rows]
    fitting = sorted((entry for entry in fitting if entry[0]), key=lambda entry: entry[:2], reverse=True)
    best: dict[int, Suggestion] = {}
    for _, _, row in fitting:
        best.setdefault(row.document_id, Suggestion(row.id, row.document_id, row.code, row.title))
    return list(best.values())[:limit]


class _Wanted:
    """What was typed so far, to be found in titles and codes."""

    def __init__(self, typed: str) -> None:
        typed = text.nfc(typed)
        self.folded = " ".join(token.folded for token in text.tokens(typed))
        self.words = [token.folded for token in text.tokens(typed)]
        self.exact = [token.exact for token in text.tokens(typed) if token.exact != token.folded]
        self.code = text.code_key(typed)
        self.finished = typed[-1:].isspace() or Query.unfinished(typed).words[-1:] == (Word(self.words[-1]),)

    def merit(self, code: str, title: str) -> float:
        """Return 0 when a word is missing, else more the closer title or code begin with what was typed."""
        tokens = text.tokens(title)
        folded = [token.folded for token in tokens]
        key = text.code_key(code)
        if self.code and key.startswith(self.code):
            return 4.0 + (key == self.code)
        if not self._has_all([*folded, *(token.folded for token in text.tokens(code)), *text.code_parts(code)]):
            return 0.0
        accents = sum(form in {token.exact for token in tokens} for form in self.exact)
        joined = " ".join(folded)
        begins = 2.0 * joined.startswith(self.folded) + (f" {self.folded}" in f" {joined}")
        return 1.0 + begins + 0.5 * accents / max(1, len(self.exact))

    def _has_all(self, offered: Sequence[str]) -> bool:
        if not self.words:
            return False
        *whole, last = self.words
        if self.finished:
            whole, last = self.words, ""
        return all(word in offered for word in whole) and any(word.startswith(last) for word in offered)
