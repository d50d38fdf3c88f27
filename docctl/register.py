"""The register: documents and their revisions as somebody may see them, filtered, sorted and counted."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, joinedload

from docctl import clock, revisions, units
from docctl.documents import Document, find_type
from docctl.people import Reader
from docctl.revisions import IN_FORCE, OPEN, SCHEDULED, SUPERSEDED, WAS_ISSUED, WITHDRAWN, Revision
from docctl.text import code_key, fold

PAGE = 50
EVERY, WITHOUT, ON_THE_WAY = "every", "none", "open"
DERIVED = (IN_FORCE, SCHEDULED, SUPERSEDED, WITHDRAWN)
STATES = (*DERIVED, "draft", "in_review", "in_approval", "approved", "discarded", ON_THE_WAY, WITHOUT, EVERY)
SORTS = ("code", "title", "effective", "unit")
WORKS_ON_DRAFTS = ("author", "reviewer", "format_reviewer", "approver", "controller", "auditor")


@dataclass(frozen=True)
class Asked:
    """The questions of the register; units and types are asked for by code, `at` None is now."""

    words: str = ""
    unit: str = ""
    type: str = ""
    field: str = ""
    state: str = IN_FORCE
    at: datetime | None = None
    sort: str = "code"
    descending: bool = False


@dataclass(frozen=True)
class Row:
    """A line of the register: a document with one of its revisions, or with none yet."""

    document: Document
    revision: Revision | None


@dataclass(frozen=True)
class Found:
    """One page of the register: its rows, how many match, and how many documents the reader may see at all."""

    rows: list[Row]
    total: int
    documents: int


@dataclass(frozen=True)
class _Candidate:
    document_id: int
    code: str
    code_key: str
    unit: str
    revision_id: int | None
    title: str
    effective_from: datetime | None


def find(session: Session, asked: Asked, *, by: Reader, first: int = 0, limit: int | None = PAGE) -> Found:
    """Return the rows that match, from number `first` (0 is the first), `limit` of them or all the rest."""
    matching = [row for row in _candidates(session, asked, by=by) if _has_words(row, asked.words)]
    matching.sort(key=lambda row: _order(row, asked.sort), reverse=asked.descending)
    page = matching[first:] if limit is None else matching[first : first + limit]
    return Found(_loaded(session, page), len(matching), count(session, by=by))


def load(session: Session, document_id: int, *, by: Reader) -> Document | None:
    """Return a document as far as the person may see it, else None."""
    return session.scalars(select(Document).where(Document.id == document_id, _visible(by))).first()


def visible_ids(session: Session, *, by: Reader) -> set[int]:
    """Return the ids of the documents that the person may see."""
    return set(session.scalars(select(Document.id).where(_visible(by))))


def count(session: Session, *, by: Reader) -> int:
    """Return how many documents the person may see."""
    return len(session.scalars(select(Document.id).where(_visible(by))).all())


def clashes(session: Session, *, by: Reader) -> list[Document]:
    """Return the documents whose code clashes and waits for this person, a controller, to settle it."""
    found = session.scalars(select(Document).where(Document.code_clash).order_by(Document.code_key, Document.id))
    return [document for document in found if "controller" in by.roles_in(document.unit_id)]


def fields(session: Session, *, by: Reader) -> list[str]:
    """Return the fields (lĩnh vực) of the documents that the person may see, in order."""
    found = session.scalars(select(Document.field).where(Document.field != "", _visible(by)).distinct())
    return sorted(found, key=fold)


def sees_more(by: Reader) -> bool:
    """Say whether the person sees more than what is in force: then states and dates are worth asking for."""
    return by.has(*WORKS_ON_DRAFTS)


def _visible(by: Reader) -> ColumnElement[bool]:
    """Return the SQL condition for documents: one of its revisions is visible, or a role that works on drafts reaches it."""
    if by.sees_everything:
        return Document.id.is_not(None)
    reached = [by.reach[role] for role in WORKS_ON_DRAFTS if role in by.reach]
    conditions = [Document.id.is_not(None) if ids is None else Document.unit_id.in_(ids or {-1}) for ids in reached]
    seen = exists().where(Revision.document_id == Document.id, revisions.visible(by))
    return or_(seen, *conditions)


def _candidates(session: Session, asked: Asked, *, by: Reader) -> list[_Candidate]:
    columns = (Document.id, Document.code, Document.code_key, units.Unit.code.label("unit"))
    own = (Revision.id.label("revision"), Revision.title, Revision.effective_from)
    narrowed = _narrowed(session, asked)
    found: list[Any] = []
    if asked.state != WITHOUT:
        query = select(*columns, *own).select_from(Revision).join(Document).join(Document.unit)
        query = query.where(revisions.visible(by), _in_state(asked.state, asked.at or clock.now()), *narrowed)
        found += session.execute(query).all()
    if asked.state in (WITHOUT, EVERY):
        bare = ~exists().where(Revision.document_id == Document.id)
        blank = (Document.id.label("none"), Document.title, Document.created_at)
        query = select(*columns, *blank).select_from(Document).join(Document.unit).where(bare, _visible(by), *narrowed)
        found += [(*row[:4], None, row.title, None) for row in session.execute(query)]
    return [_Candidate(*row) for row in found]


def _narrowed(session: Session, asked: Asked) -> Iterable[ColumnElement[bool]]:
    if asked.unit:
        yield Document.unit_id.in_(units.with_descendants(session, units.find(session, asked.unit).id))
    if asked.type:
        yield Document.type_id == find_type(session, asked.type).id
    if asked.field:
        yield Document.field == asked.field


def _in_state(state: str, at: datetime) -> ColumnElement[bool]:
    over = or_(Revision.effective_to <= at, Revision.effective_to <= Revision.effective_from)
    if state == IN_FORCE:
        return revisions.in_force_at(at)
    if state == SCHEDULED:
        lasts = or_(Revision.effective_to.is_(None), Revision.effective_to > Revision.effective_from)
        return and_(Revision.effective_from > at, lasts)
    if state == ON_THE_WAY:
        return Revision.state.in_(OPEN)
    if state in (SUPERSEDED, WITHDRAWN):
        return and_(Revision.state == ("withdrawn" if state == WITHDRAWN else "issued"), over)
    return (
        Revision.id.is_not(None) if state == EVERY else and_(Revision.state == state, ~Revision.state.in_(WAS_ISSUED))
    )


def _has_words(row: _Candidate, words: str) -> bool:
    """Say whether every word stands in the title, with or without accents, or the whole in the code."""
    if not words.strip():
        return True
    title = fold(row.title)
    return code_key(words) in row.code_key or all(word in title for word in fold(words).split())


def _order(row: _Candidate, sort: str) -> tuple[Any, ...]:
    by_code = (_natural(row.code_key), row.document_id, row.revision_id or 0)
    first: dict[str, Any] = {
        "title": fold(row.title),
        "unit": fold(row.unit),
        "effective": row.effective_from.timestamp() if row.effective_from else 0.0,
    }
    return (first[sort], *by_code) if sort in first else by_code


def _natural(code: str) -> list[tuple[int, str]]:
    """Return a key that puts QT-9 before QT-10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", code) if part]


def _loaded(session: Session, page: Sequence[_Candidate]) -> list[Row]:
    documents = {
        row.id: row
        for row in session.scalars(
            select(Document)
            .where(Document.id.in_({row.document_id for row in page}))
            .options(joinedload(Document.unit), joinedload(Document.type))
        )
    }
    wanted = {row.revision_id for row in page if row.revision_id}
    found = {row.id: row for row in session.scalars(select(Revision).where(Revision.id.in_(wanted)))}
    return [Row(documents[row.document_id], found.get(row.revision_id or 0)) for row in page]
