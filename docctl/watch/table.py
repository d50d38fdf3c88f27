"""The legal watch as it is kept: an assessment for each document that cites a changed law, and verdicts on citations."""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from docctl.audit import Action
from docctl.database import Base, Instant
from docctl.documents import Document
from docctl.external import ExternalDocument
from docctl.lifecycle import Subject
from docctl.people import Account
from docctl.procedures import Procedure
from docctl.requests import ChangeRequest
from docctl.units import Unit

OPEN = ("open", "must_change")
CONFIRMED, REJECTED = "confirmed", "rejected"


class LegalAssessment(Subject, Base):
    """What a change of a law means for one document or procedure that cites it; it has a deadline and one end."""

    __tablename__ = "legal_assessment"
    NOUN: ClassVar[str] = "legal_assessment"
    MOVED: ClassVar[Action] = Action.ASSESSMENT_MOVED
    __table_args__ = (
        CheckConstraint("state IN ('open', 'must_change', 'done', 'no_effect')", name="state"),
        CheckConstraint("(document_id IS NULL) <> (procedure_id IS NULL)", name="subject"),
        CheckConstraint("(finished_on IS NOT NULL) = (state IN ('done', 'no_effect'))", name="finished"),
        CheckConstraint("state = 'open' OR finding <> ''", name="finding"),
        Index("uq_legal_assessment_document", "external_document_id", "cause_key", "document_id", unique=True),
        Index("uq_legal_assessment_procedure", "external_document_id", "cause_key", "procedure_id", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    external_document_id: Mapped[int] = mapped_column(ForeignKey("external_document.id"))
    cause_kind: Mapped[str] = mapped_column(String(10))
    cause_number: Mapped[str] = mapped_column(String(200))
    cause_key: Mapped[str] = mapped_column(String(220))
    effective_from: Mapped[date]
    deadline: Mapped[date] = mapped_column(index=True)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"), index=True)
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"))
    procedure_id: Mapped[int | None] = mapped_column(ForeignKey("procedure.id"), index=True)
    state: Mapped[str] = mapped_column(String(12))
    finding: Mapped[str] = mapped_column(Text, default="")
    change_request_id: Mapped[int | None] = mapped_column(ForeignKey("change_request.id"))
    finished_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(Instant)

    law: Mapped[ExternalDocument] = relationship()
    document: Mapped[Document | None] = relationship()
    procedure: Mapped[Procedure | None] = relationship()
    change_request: Mapped[ChangeRequest | None] = relationship()

    @property
    def unit_id(self) -> int | None:
        """The unit whose head assesses it."""
        if self.document is not None:
            return self.document.unit_id
        return self.procedure.unit_id if self.procedure else None

    @property
    def unit(self) -> Unit | None:
        """The unit whose head assesses it."""
        if self.document is not None:
            return self.document.unit
        return self.procedure.unit if self.procedure else None

    @property
    def code(self) -> str:
        """The code of the document or procedure that cites the law."""
        return self.document.code if self.document else self.procedure.code if self.procedure else ""

    @property
    def title(self) -> str:
        """The title of the document or procedure that cites the law."""
        return self.document.title if self.document else self.procedure.title if self.procedure else ""


class CitationVerdict(Base):
    """What a person said of a citation of a document: confirmed, or none; a later verdict goes before an earlier one."""

    __tablename__ = "citation_verdict"
    __table_args__ = (CheckConstraint("verdict IN ('confirmed', 'rejected')", name="verdict"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    key: Mapped[str] = mapped_column(String(220))
    label: Mapped[str] = mapped_column(String(300))
    verdict: Mapped[str] = mapped_column(String(10))
    given_at: Mapped[datetime] = mapped_column(Instant)
    given_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))

    given_by: Mapped[Account] = relationship()
