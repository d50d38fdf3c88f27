"""Suggestions while typing: documents whose title or code has the words so far, as far as the reader may find them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from docctl import clock, revisions, text
from docctl.documents import LONGEST_CODE, Document
from docctl.people import Reader
from docctl.revisions import Revision
from docctl.search import Engine, Query, Word, finding, synonyms

SHORTEST = 2
SHOWN = 7
READ = 150  # Hits of the index, and codes of the database, that are compared with what was typed.
OTHERWISE = 0.75  # What a document counts that has other words for the same.

_CODE = re.compile(r"(?<![\w-])(?:code|mã|ma):\s*", re.I)
_SIGNS = "-./_"  # What parts a code, and may be typed otherwise or not at all.


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

    Other words for the same count as those typed, and what follows `code:` is looked for in codes alone. The index is
    asked for nothing but what the reader may find, and what it answers is read from the database with his rights again.
    Codes that begin with what was typed are asked of the database itself: an index has too many texts with `QT 01`.
    """
    typed, coded = _read(typed)
    query = Query.unfinished(typed)
    if len(text.fold(typed).strip()) < SHORTEST or not query:
        return []
    others = [] if coded else synonyms.used().variants(typed)
    query = replace(query, also=tuple(way for way in map(Query.unfinished, others) if way))
    sight = finding.seen(session, engine, reader=reader, scope=scope, on=None)
    found = engine.search(query, "all" if scope == "all" else "current", sight.ids, READ)
    order = {id: place for place, (id, _) in enumerate(found.hits)}
    rows = _rows(reader, scope)
    read: list[Row[int, int, str, str]] = list(session.execute(rows.where(Revision.id.in_(order))))
    wanted = _Wanted(typed, coded=coded)
    if wanted.names_code:
        read += session.execute(
            rows.where(Document.id.in_(wanted.code_begins())).order_by(Document.code_key).limit(READ)
        )
    ways = [(wanted, 1.0), *((_Wanted(other), OTHERWISE) for other in others)]
    merits = {row.id: max(way.merit(row.code, row.title) * share for way, share in ways) for row in read}
    fitting = sorted(
        (row for row in read if merits[row.id]), key=lambda row: (-merits[row.id], order.get(row.id, READ))
    )
    best: dict[int, Suggestion] = {}
    for row in fitting:
        best.setdefault(row.document_id, Suggestion(row.id, row.document_id, row.code, row.title))
    return list(best.values())[:limit]


def _read(typed: str) -> tuple[str, bool]:
    """Return what was typed without `code:`, and whether it is a code and nothing else."""
    typed = text.nfc(typed)
    return _CODE.sub("", typed), bool(_CODE.match(typed.lstrip()))


def _rows(reader: Reader | None, scope: str) -> Select[int, int, str, str]:
    """Return the question for what the reader may find, of which the caller names those he wants."""
    rows = select(Revision.id, Revision.document_id, Document.code, Revision.title)
    rows = rows.join(Document, Document.id == Revision.document_id).where(revisions.visible(reader))
    return rows if scope == "all" else rows.where(revisions.in_force_at(clock.now()))


class _Wanted:
    """What was typed so far, to be found in titles and codes."""

    def __init__(self, typed: str, *, coded: bool = False) -> None:
        tokens = text.tokens(typed)
        self.folded = " ".join(token.folded for token in tokens)
        self.words = [token.folded for token in tokens]
        self.exact = [token.exact for token in tokens if token.exact != token.folded]
        self.coded = coded
        self.parts = text.written_parts(typed)
        self.signed = any(sign in text.code_key(typed) for sign in _SIGNS)
        self.finished = typed[-1:].isspace() or Query.unfinished(typed).words[-1:] == (Word(self.words[-1]),)
        # A sign ends a part of a code: `QT 01/` has no more digits.
        self.finished = self.finished or (self.names_code and text.code_key(typed).endswith(tuple(_SIGNS)))

    @property
    def names_code(self) -> bool:
        """Whether it may be the beginning of a code: it has a digit or a sign, or `code:` says so."""
        like_one = self.coded or self.signed or any(part.isdigit() for part in self.parts)
        return like_one and 0 < len("".join(self.parts)) <= LONGEST_CODE

    def code_begins(self) -> Select[int]:
        """Return the question for the documents whose codes begin with what was typed, whatever signs part them.

        A question of its own reads the index of the codes alone, not everything in force: a tenth of the time.
        """
        parts = [part.upper() for part in self.parts]
        key: Any = Document.code_key
        for sign in _SIGNS:
            key = func.replace(key, sign, "")
        # The cheap condition leaves little to the precise one.
        cheap, precise = Document.code_key.like("%".join(parts) + "%"), key.like("".join(parts) + "%")
        return select(Document.id).where(cheap, precise)

    def merit(self, code: str, title: str) -> float:
        """Return 0 when a word is missing, else more the closer title or code begin with what was typed."""
        begun = self._begins(text.written_parts(code))
        if begun:
            return begun
        tokens = [] if self.coded else text.tokens(title)
        folded = [token.folded for token in tokens]
        if not self._has_all([*folded, *(token.folded for token in text.tokens(code)), *text.code_parts(code)]):
            return 0.0
        accents = sum(form in {token.exact for token in tokens} for form in self.exact)
        joined = " ".join(folded)
        begins = 2.0 * joined.startswith(self.folded) + (f" {self.folded}" in f" {joined}")
        return 1.0 + begins + 0.5 * accents / max(1, len(self.exact))

    def _begins(self, code: Sequence[str]) -> float:
        """Return how well a code begins with what was typed: as a whole, part by part, or with more of the last part."""
        *before, last = self.parts or [""]
        many = len(before)
        if not last or len(code) <= many or list(code[:many]) != before:
            return 0.0
        if code[many] == last:
            return 7.0 if len(code) == many + 1 else 6.0
        return 0.0 if self.finished or not code[many].startswith(last) else 5.0

    def _has_all(self, offered: Sequence[str]) -> bool:
        if not self.words:
            return False
        *whole, last = self.words
        if self.finished:
            whole, last = self.words, ""
        return all(word in offered for word in whole) and any(word.startswith(last) for word in offered)
