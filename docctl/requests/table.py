"""What a change request (F1) is: its table, its rows, the opinions on it, and what its signers sign."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from docctl import audit
from docctl.audit import Action
from docctl.contents import Content
from docctl.database import Base, Instant
from docctl.documents import Document, DocumentType
from docctl.lifecycle import Signature, Subject
from docctl.people import Account
from docctl.revisions import Change, Revision
from docctl.rules import Sentence
from docctl.units import Unit

NEW, AMEND, WITHDRAW, ADOPT = "new", "amend", "withdraw", "adopt"
KINDS: dict[str, Sentence] = {
    NEW: Sentence("Viết mới", "Write a new document"),
    AMEND: Sentence("Sửa đổi", "Amend"),
    WITHDRAW: Sentence("Hủy bỏ", "Withdraw"),
    ADOPT: Sentence("Áp dụng tài liệu bên ngoài", "Adopt an external document"),
}
# Kinds that are about a document that is there already, and kinds that lead to a draft.
ABOUT_A_DOCUMENT, LEADS_TO_A_DRAFT = (AMEND, WITHDRAW), (NEW, AMEND, ADOPT)
STATES = ("draft", "in_review", "in_approval", "accepted", "in_decision", "done", "returned", "cancelled")
OPEN = ("draft", "in_review", "in_approval", "accepted", "in_decision")
AGREE, DISAGREE = "agree", "disagree"
CONCLUSIONS: dict[str, Sentence] = {AGREE: Sentence("Đồng ý", "Agree"), DISAGREE: Sentence("Không đồng ý", "Disagree")}


def _among(values: Sequence[str]) -> str:
    return f"({', '.join(repr(value) for value in values)})"


class ChangeRequest(Subject, Base):
    """A request to write, amend, withdraw or adopt a document; numbered in its year, and locked from submission on."""

    __tablename__ = "change_request"
    NOUN: ClassVar[str] = "change_request"
    MOVED: ClassVar[Action] = Action.REQUEST_MOVED
    __table_args__ = (
        UniqueConstraint("year", "number"),
        CheckConstraint(f"kind IN {_among(tuple(KINDS))}", name="kind"),
        CheckConstraint(f"state IN {_among(STATES)}", name="state"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("state IN ('draft', 'cancelled') OR content_hash IS NOT NULL", name="content"),
        CheckConstraint("state NOT IN ('in_decision', 'done') OR decision_id IS NOT NULL", name="decision"),
        CheckConstraint(
            f"kind IN {_among((NEW, ADOPT))} OR state IN ('draft', 'cancelled') OR document_id IS NOT NULL",
            name="document",
        ),
        Index(
            "uq_change_request_revision",
            "revision_id",
            unique=True,
            sqlite_where=text("revision_id IS NOT NULL"),
            postgresql_where=text("revision_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int]
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(12), index=True)
    requester_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    requester_unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"), index=True)
    type_id: Mapped[int | None] = mapped_column(ForeignKey("document_type.id"))
    code: Mapped[str] = mapped_column(String(80), default="")
    title: Mapped[str] = mapped_column(Text, default="")
    edition: Mapped[int | None]
    amendment: Mapped[int | None]
    effective_on: Mapped[date | None]
    why: Mapped[str] = mapped_column(Text, default="")
    affected: Mapped[str] = mapped_column(Text, default="")
    replaced_by_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    drafter_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    draft_due: Mapped[date | None]
    file_sha256: Mapped[str | None] = mapped_column(ForeignKey("content.sha256"), index=True)
    file_name: Mapped[str] = mapped_column(String(400), default="")
    legal_basis: Mapped[str] = mapped_column(Text, default="")
    law_effective_on: Mapped[date | None]
    content_hash: Mapped[str | None] = mapped_column(String(64))
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)

    requester: Mapped[Account] = relationship(foreign_keys=[requester_id])
    drafter: Mapped[Account | None] = relationship(foreign_keys=[drafter_id])
    unit: Mapped[Unit] = relationship(foreign_keys=[unit_id])
    requester_unit: Mapped[Unit] = relationship(foreign_keys=[requester_unit_id])
    document: Mapped[Document | None] = relationship(foreign_keys=[document_id])
    replaced_by: Mapped[Document | None] = relationship(foreign_keys=[replaced_by_id])
    type: Mapped[DocumentType | None] = relationship()
    content: Mapped[Content | None] = relationship()
    revision: Mapped[Revision | None] = relationship()
    change_rows: Mapped[list["RequestRow"]] = relationship(order_by="RequestRow.position", cascade="all, delete-orphan")

    @property
    def number_text(self) -> str:
        """The number as the offices write it: `012/2026`."""
        return f"{self.number:03d}/{self.year}"

    @property
    def subject(self) -> str:
        """The title that the request is about: the proposed one, or that of its document."""
        return self.title or (self.document.title if self.document else "")

    @property
    def about_code(self) -> str:
        """The code that the request is about: that of its document, or the proposed one."""
        return self.document.code if self.document else self.code

    @property
    def edition_text(self) -> str:
        """The proposed edition and amendment, empty when they are left to the draft."""
        return "" if self.edition is None else f"{self.edition:02d}/{self.amendment or 0:02d}"


class RequestRow(Base):
    """One row of what a request would change: the section, its old and new text, and the basis."""

    __tablename__ = "request_row"

    id: Mapped[int] = mapped_column(primary_key=True)
    change_request_id: Mapped[int] = mapped_column(ForeignKey("change_request.id"), index=True)
    position: Mapped[int]
    section: Mapped[str] = mapped_column(String(300))
    old: Mapped[str] = mapped_column(Text, default="")
    new: Mapped[str] = mapped_column(Text, default="")
    basis: Mapped[str] = mapped_column(Text, default="")


class Opinion(Base):
    """What somebody concluded and remarked on a request, with the signature under it; never changed."""

    __tablename__ = "opinion"
    __table_args__ = (
        CheckConstraint(f"conclusion IN {_among(tuple(CONCLUSIONS))}", name="conclusion"),
        CheckConstraint("conclusion = 'agree' OR length(remark) > 0", name="remark"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    change_request_id: Mapped[int] = mapped_column(ForeignKey("change_request.id"), index=True)
    signature_id: Mapped[int] = mapped_column(ForeignKey("signature.id"), unique=True)
    conclusion: Mapped[str] = mapped_column(String(10))
    remark: Mapped[str] = mapped_column(Text, default="")

    signature: Mapped[Signature] = relationship()


@dataclass(frozen=True)
class Words:
    """Everything that a requester says on the form; `None` and empty is what is not said yet."""

    document: Document | None = None
    type: DocumentType | None = None
    unit: Unit | None = None
    code: str = ""
    title: str = ""
    edition: int | None = None
    amendment: int | None = None
    effective_on: date | None = None
    reason: str = ""
    affected: Sequence[str] = ()
    replaced_by: Document | None = None
    drafter: Account | None = None
    draft_due: date | None = None
    content: Content | None = None
    file_name: str = ""
    legal_basis: str = ""
    law_effective_on: date | None = None
    changes: Sequence[Change] = ()


def own_words(request: ChangeRequest) -> dict[str, Any]:
    """Return what a request says of itself, as the trail keeps it and its signers sign it."""
    return {
        "kind": request.kind,
        "unit_id": request.unit_id,
        "document_id": request.document_id,
        "type_id": request.type_id,
        "code": request.code,
        "title": request.title,
        "edition": request.edition,
        "amendment": request.amendment,
        "effective_on": request.effective_on,
        "why": request.why,
        "affected": request.affected,
        "replaced_by_id": request.replaced_by_id,
        "drafter_id": request.drafter_id,
        "draft_due": request.draft_due,
        "file_sha256": request.file_sha256,
        "file_name": request.file_name,
        "legal_basis": request.legal_basis,
        "law_effective_on": request.law_effective_on,
        "changes": [[row.section, row.old, row.new, row.basis] for row in request.change_rows],
    }


def content_hash(request: ChangeRequest) -> str:
    """Return the SHA-256, in hex, of what the requester signs and everybody after judges.

    The document that an accepted request to write or adopt opens is not among it: it comes later.
    """
    signed = own_words(request)
    if request.kind not in ABOUT_A_DOCUMENT:
        signed["document_id"] = None
    return hashlib.sha256(
        audit.canonical(signed | {"number": request.number, "year": request.year}).encode()
    ).hexdigest()


def recorded(request: ChangeRequest) -> dict[str, Any]:
    """Return every controlled column, for the trail entry with which a request begins; later entries say what changed."""
    return {
        "year": request.year,
        "number": request.number,
        "state": request.state,
        "round": request.round,
        "workflow": request.workflow,
        "workflow_version": request.workflow_version,
        "requester_id": request.requester_id,
        "requester_unit_id": request.requester_unit_id,
        "content_hash": request.content_hash,
        "revision_id": request.revision_id,
        "decision_id": request.decision_id,
        "created_at": request.created_at,
        **own_words(request),
    }
