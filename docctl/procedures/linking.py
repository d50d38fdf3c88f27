"""Which documents cover which administrative procedures: links, and matches by title for a person to confirm."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from docctl import audit, clock, revisions
from docctl.audit import Action
from docctl.documents import Document
from docctl.people import Reader
from docctl.procedures.keeping import refuse_others
from docctl.procedures.table import Procedure, ProcedureLink
from docctl.text import fold

PERSON, SUGGESTED, IMPORTED = "person", "suggested", "imported"
SURE_ENOUGH = 0.5
# Words that most titles share say nothing about which procedure it is.
_EMPTY = frozenset(fold("thủ tục quy trình giải quyết việc tại cấp của và cho các theo thực hiện").split())


@dataclass(frozen=True)
class Suggestion:
    """A document whose title is like a procedure's: the share of words that they have in common."""

    procedure: Procedure
    document: Document
    likeness: float


def link(
    session: Session, procedure: Procedure, document: Document, *, by: Reader, origin: str = PERSON
) -> ProcedureLink:
    """Say that a document covers a procedure; what is linked already stays as it is."""
    refuse_others(by)
    known = session.scalars(
        select(ProcedureLink).where(
            ProcedureLink.procedure_id == procedure.id,
            ProcedureLink.document_id == document.id,
            ProcedureLink.ended_at.is_(None),
        )
    ).first()
    if known is not None:
        return known
    made = ProcedureLink(
        procedure_id=procedure.id, document_id=document.id, origin=origin, created_at=clock.now(), ended_at=None
    )
    session.add(made)
    session.flush()
    audit.record(
        session,
        Action.PROCEDURE_LINKED,
        by=by.account,
        noun="procedure_link",
        record_id=made.id,
        document_id=document.id,
        procedure_id=procedure.id,
        procedure=procedure.code,
        origin=origin,
        created_at=made.created_at,
        ended_at=None,
    )
    return made


def unlink(session: Session, link: ProcedureLink, *, by: Reader) -> None:
    """Say that a document no longer covers a procedure; that it did stays on record."""
    refuse_others(by)
    if link.ended_at is not None:
        return
    link.ended_at = clock.now()
    session.flush()
    audit.record(
        session,
        Action.PROCEDURE_UNLINKED,
        by=by.account,
        noun="procedure_link",
        record_id=link.id,
        document_id=link.document_id,
        procedure=link.procedure.code,
        ended_at=link.ended_at,
    )


def links(session: Session) -> list[ProcedureLink]:
    """Return every link that holds, with its document."""
    query = select(ProcedureLink).where(ProcedureLink.ended_at.is_(None)).order_by(ProcedureLink.id)
    loaded = query.options(joinedload(ProcedureLink.document), joinedload(ProcedureLink.procedure))
    return list(session.scalars(loaded))


def of_procedure(session: Session, procedure: Procedure) -> list[ProcedureLink]:
    """Return the links of a procedure that hold, by the documents' codes."""
    found = [row for row in links(session) if row.procedure_id == procedure.id]
    return sorted(found, key=lambda row: row.document.code_key)


def of_document(session: Session, document: Document) -> list[ProcedureLink]:
    """Return the links of a document that hold."""
    return [row for row in links(session) if row.document_id == document.id]


def load_link(session: Session, link_id: int) -> ProcedureLink | None:
    """Return a link by its id."""
    return session.get(ProcedureLink, link_id)


def suggestions(session: Session, procedures: Iterable[Procedure], *, most: int = 3) -> dict[int, list[Suggestion]]:
    """Return, by procedure, the documents in force whose titles are most like it; a person confirms, nothing is linked."""
    titled = [(row.document, _words(row.title)) for row in revisions.in_force(session)]
    found: dict[int, list[Suggestion]] = {}
    for procedure in procedures:
        words = _words(procedure.title)
        likely = [Suggestion(procedure, document, likeness(words, others)) for document, others in titled]
        best = sorted((row for row in likely if row.likeness >= SURE_ENOUGH), key=lambda row: -row.likeness)
        found[procedure.id] = best[:most]
    return found


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Return from 0 to 1 how much of the words of two titles is common to both."""
    return len(one & other) / len(one | other) if one and other else 0.0


def _words(title: str) -> frozenset[str]:
    return frozenset("".join(c if c.isalnum() else " " for c in fold(title)).split()) - _EMPTY
