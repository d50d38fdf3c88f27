"""What the public pages show: only what is in force of types that are posted, never a confidential document."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.orm import Session, joinedload

from docctl import clock, procedures, revisions
from docctl.documents import CONTENT, LISTED, Document, DocumentType
from docctl.procedures import Procedure
from docctl.procedures.table import LIVE
from docctl.revisions import WAS_ISSUED, Revision
from docctl.text import code_parts, fold

NEW, CHANGED, ENDED = "new", "changed", "ended"


@dataclass(frozen=True)
class Kept:
    """A posted document: the edition in force, or the last one when it is no longer in force, of which nothing is read."""

    document: Document
    revision: Revision
    in_force: bool

    @property
    def readable(self) -> bool:
        """Whether what it says is posted too."""
        return self.in_force and self.document.type.posting == CONTENT


@dataclass(frozen=True)
class Change:
    """What changed at an instant: a document that is new, has a new edition, or ended."""

    at: datetime
    kind: str
    revision: Revision
    decision: str


def posted(*postings: str) -> ColumnElement[bool]:
    """Return the SQL condition that a document is posted, in one of the ways that are named or in any."""
    kinds = select(DocumentType.id).where(DocumentType.posting.in_(postings or (LISTED, CONTENT)))
    return and_(Document.type_id.in_(kinds), not_(Document.confidential))


def is_posted(document: Document) -> bool:
    """Say whether a document is one that the public pages show while it is in force."""
    return document.type.posting in (LISTED, CONTENT) and not document.confidential


def number(session: Session) -> int:
    """Return how many documents the public pages show now."""
    now = revisions.in_force_at(clock.now())
    return session.scalar(select(func.count(Revision.id)).join(Document).where(posted(), now)) or 0


def fields(session: Session) -> list[tuple[str, int]]:
    """Return the fields (lĩnh vực) of what is shown, each with how many documents; the last one is without a field."""
    found = session.execute(
        select(Document.field, func.count(Revision.id))
        .select_from(Revision)
        .join(Document)
        .where(posted(), revisions.in_force_at(clock.now()))
        .group_by(Document.field)
    ).all()
    return sorted(((field, count) for field, count in found), key=lambda row: (not row[0], fold(row[0])))


def in_field(session: Session, field: str) -> list[Revision]:
    """Return what is shown of a field, by code."""
    return _loaded(session, Document.field == field)


def listed_matching(session: Session, words: str) -> list[Revision]:
    """Return, of the documents of which only code and title are posted, those that have all the words in these."""
    wanted = [word for word in fold(words).replace('"', " ").split() if not word.startswith("-")]
    unwanted = [word[1:] for word in fold(words).split() if word.startswith("-") and word[1:]]
    if not wanted:
        return []
    found = []
    for row in _loaded(session, posted(LISTED)):
        named = set(_words(row.title)) | set(_words(row.document.code))
        whole = code_parts(words) == code_parts(row.document.code)
        if (whole or all(word in named for word in wanted)) and not named & set(unwanted):
            found.append(row)
    return found


def load(session: Session, document_id: int) -> Kept | None:
    """Return a posted document with its edition in force, or with its last one; None for any other."""
    query = select(Document).where(Document.id == document_id, posted()).options(joinedload(Document.type))
    document = session.scalars(query).first()
    if document is None:
        return None
    current = revisions.in_force(session, document=document)
    if current:
        return Kept(document, current[0], True)
    last = session.scalars(
        select(Revision)
        .where(Revision.document_id == document.id, Revision.effective_to <= clock.now(), _lasted())
        .order_by(Revision.effective_to.desc(), Revision.id.desc())
    ).first()
    return Kept(document, last, False) if last else None


def changes(session: Session, *, most: int = 50) -> list[Change]:
    """Return what began and ended lately among what is posted, newest first."""
    now = clock.now()
    base = select(Revision).join(Document).where(posted(), Revision.state.in_(WAS_ISSUED), _lasted())
    base = base.options(
        joinedload(Revision.document).joinedload(Document.unit), joinedload(Revision.document, Document.type)
    )
    begun = base.where(Revision.effective_from <= now).order_by(Revision.effective_from.desc(), Revision.id.desc())
    ended = base.where(Revision.state == "withdrawn", Revision.effective_to <= now)
    ended = ended.order_by(Revision.effective_to.desc(), Revision.id.desc())
    found = [(row.effective_from, row.id, "", row) for row in session.scalars(begun.limit(most))]
    found += [(row.effective_to, row.id, ENDED, row) for row in session.scalars(ended.limit(most))]
    found.sort(key=lambda row: (row[0], row[1]), reverse=True)
    first = _first(session, [row.document_id for *_rest, row in found])
    return [
        Change(
            at,
            kind or (NEW if first[row.document_id] == row.effective_from else CHANGED),
            row,
            (revisions.withdrawal_of(session, row) if kind else "") or revisions.decision_of(session, row),
        )
        for at, _, kind, row in found[:most]
        if at is not None
    ]


def procedures_shown(session: Session, words: str = "", field: str = "") -> list[tuple[Procedure, list[Document]]]:
    """Return the administrative procedures that the office applies today, each with the posted documents in force on it."""
    shown = set(session.scalars(select(Revision.document_id).join(Document).where(posted(), _now())))
    asked = procedures.coverage.Asked(words=words, field=field, state=LIVE)
    found = procedures.coverage.find(session, asked, limit=None)
    return [
        (row.procedure, [link.document for link in row.covering if link.document_id in shown]) for row in found.rows
    ]


def _now() -> ColumnElement[bool]:
    return revisions.in_force_at(clock.now())


def _lasted() -> ColumnElement[bool]:
    """Leave out what never came to be in force: withdrawn before its day."""
    return or_(Revision.effective_to.is_(None), Revision.effective_to > Revision.effective_from)


def _first(session: Session, document_ids: Iterable[int]) -> dict[int, datetime]:
    query = select(Revision.document_id, func.min(Revision.effective_from)).where(
        Revision.document_id.in_(set(document_ids)), Revision.state.in_(WAS_ISSUED), _lasted()
    )
    return {document: begun for document, begun in session.execute(query.group_by(Revision.document_id)) if begun}


def _loaded(session: Session, *conditions: ColumnElement[bool]) -> list[Revision]:
    query = select(Revision).join(Document).where(posted(), _now(), *conditions)
    loading = joinedload(Revision.document)
    query = query.options(loading.joinedload(Document.unit), loading.joinedload(Document.type))
    return list(session.scalars(query.order_by(Document.code_key, Document.id)))


def _words(text: str) -> Sequence[str]:
    return "".join(c if c.isalnum() else " " for c in fold(text)).split()
