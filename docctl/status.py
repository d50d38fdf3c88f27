"""The status page: what anybody who holds a paper may know of it, told by the token that the paper bears."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from docctl import revisions
from docctl.decisions import WITHDRAW, DecisionLine
from docctl.documents import Document
from docctl.revisions import IN_FORCE, SCHEDULED, SUPERSEDED, WAS_ISSUED, WITHDRAWN, Revision
from docctl.rules import Sentence

# As the offices write it across a paper: the word alone must answer.
WORDS = {
    IN_FORCE: Sentence("CÒN HIỆU LỰC", "IN FORCE"),
    SCHEDULED: Sentence("CHƯA CÓ HIỆU LỰC", "NOT YET IN FORCE"),
    SUPERSEDED: Sentence("HẾT HIỆU LỰC – ĐÃ ĐƯỢC THAY THẾ", "NO LONGER IN FORCE – SUPERSEDED"),
    WITHDRAWN: Sentence("HẾT HIỆU LỰC – ĐÃ HỦY BỎ", "NO LONGER IN FORCE – WITHDRAWN"),
}


@dataclass(frozen=True)
class Replacement:
    """What is used in place of a revision that is no longer in force; its token leads to its own page."""

    code: str
    title: str
    edition: str
    token: str


@dataclass(frozen=True)
class Status:
    """What is told without sign-in: no content, and of a confidential document no title."""

    status: str
    code: str
    title: str
    edition: str
    effective_from: datetime | None
    effective_to: datetime | None
    decision: str
    replacement: Replacement | None
    sha256: tuple[str, ...]

    @property
    def word(self) -> Sentence:
        """The state in capitals."""
        return WORDS[self.status]


def of_token(session: Session, token: str) -> Revision | None:
    """Return the issued revision whose papers bear a token; a draft's token is as unknown as one that nobody gave out."""
    query = select(Revision).where(
        Revision.status_token == token, Revision.status_token != "", Revision.state.in_(WAS_ISSUED)
    )
    return session.scalars(query.options(joinedload(Revision.document))).first()


def of_revision(session: Session, revision: Revision, *, made: Iterable[str] = ()) -> Status:
    """Return what anybody may know of an issued revision; `made` are the SHA-256 of files made from the issued one."""
    document, after = revision.document, replacement(session, revision)
    return Status(
        status=revision.status(),
        code=document.code,
        title=_title(document, revision),
        edition=revision.edition_text,
        effective_from=revision.effective_from,
        effective_to=revision.effective_to,
        decision=revisions.withdrawal_of(session, revision) or revisions.decision_of(session, revision),
        replacement=Replacement(
            after.document.code, _title(after.document, after), after.edition_text, after.status_token
        )
        if after
        else None,
        sha256=tuple(dict.fromkeys(sha256 for sha256 in (revision.file_sha256, *made) if sha256)),
    )


def replacement(session: Session, revision: Revision) -> Revision | None:
    """Return the revision to use in place of one that is superseded or withdrawn; None when nothing replaces it."""
    if revision.status() == SUPERSEDED:
        current = revisions.in_force(session, document=revision.document)
        return current[0] if current else revisions.successor(session, revision)
    if revision.status() != WITHDRAWN:
        return None
    query = select(Document).join(DecisionLine, DecisionLine.replaced_by_id == Document.id)
    query = query.where(
        DecisionLine.decision_id == revision.withdrawn_by_id,
        DecisionLine.document_id == revision.document_id,
        DecisionLine.action == WITHDRAW,
    )
    instead = session.scalars(query).first()
    current = revisions.in_force(session, document=instead) if instead else []
    return current[0] if current else None


def _title(document: Document, revision: Revision) -> str:
    return "" if document.confidential else revision.title
