"""What a decision and its lines are: the tables, what is asked for and found, and what the trail and the signer read."""

import hashlib
from dataclasses import dataclass, field
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
from docctl.database import Base, Instant
from docctl.documents import Document
from docctl.lifecycle import Subject
from docctl.people import Account
from docctl.revisions import Revision
from docctl.rules import Refused, Sentence
from docctl.text import clean_name, code_key

STATES = ("draft", "checked", "signed", "executed", "cancelled")


OPEN = ("draft", "checked", "signed")


ISSUE, WITHDRAW, KEEP = "issue", "withdraw", "keep"


MOST_TYPED = 2000


class Decision(Subject, Base):
    """A decision; from its signature on it has a number unique in its year, a date and a signer."""

    __tablename__ = "decision"
    NOUN: ClassVar[str] = "decision"
    MOVED: ClassVar[Action] = Action.DECISION_MOVED
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'checked', 'signed', 'executed', 'cancelled')", name="state"),
        CheckConstraint(
            "state NOT IN ('signed', 'executed') OR (signer_id IS NOT NULL AND number <> '' AND signed_on IS NOT NULL "
            "AND effective_from IS NOT NULL)",
            name="signer",
        ),
        CheckConstraint("(executed_at IS NOT NULL) = (state = 'executed')", name="executed"),
        Index(
            "uq_decision_number",
            "year",
            "number_key",
            unique=True,
            sqlite_where=text("state IN ('signed', 'executed')"),
            postgresql_where=text("state IN ('signed', 'executed')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(80), default="")
    number_key: Mapped[str] = mapped_column(String(80), default="")
    year: Mapped[int | None]
    signed_on: Mapped[date | None]
    title: Mapped[str] = mapped_column(Text)
    effective_from: Mapped[date | None]
    signer_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    signer_form: Mapped[str] = mapped_column(String(10), default="")
    signing_block: Mapped[str] = mapped_column(Text, default="", server_default="")
    state: Mapped[str] = mapped_column(String(12))
    checked_hash: Mapped[str | None] = mapped_column(String(64))
    drafted_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    executed_at: Mapped[datetime | None] = mapped_column(Instant)

    signer: Mapped[Account | None] = relationship(foreign_keys=[signer_id])
    drafted_by: Mapped[Account] = relationship(foreign_keys=[drafted_by_id])
    lines: Mapped[list["DecisionLine"]] = relationship(order_by="DecisionLine.position", cascade="all, delete-orphan")


class DecisionLine(Base):
    """One line: a revision to issue, a document to keep, or one to withdraw with its reason and what replaces it."""

    __tablename__ = "decision_line"
    __table_args__ = (
        UniqueConstraint("decision_id", "position"),
        CheckConstraint(
            "(action = 'issue' AND revision_id IS NOT NULL) OR (action IN ('withdraw', 'keep') AND revision_id IS NULL)",
            name="action",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), index=True)
    position: Mapped[int]
    action: Mapped[str] = mapped_column(String(10))
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"), index=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    reason: Mapped[str] = mapped_column(Text, default="")
    replaced_by_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))

    revision: Mapped[Revision | None] = relationship()
    document: Mapped[Document] = relationship(foreign_keys=[document_id])
    replaced_by: Mapped[Document | None] = relationship(foreign_keys=[replaced_by_id])


@dataclass(frozen=True)
class Line:
    """A line as somebody asks for it: a revision to issue, or a document to withdraw or to keep."""

    action: str
    revision: Revision | None = None
    document: Document | None = None
    reason: str = ""
    replaced_by: Document | None = None


@dataclass(frozen=True)
class Problem:
    """What the dry run found, and on which line (None: the decision as a whole)."""

    sentence: Sentence
    line: int | None = None
    code: str = ""
    mend: str = ""  # Where it is mended: "revision 5", "document 7", "details"; nothing is the line itself.
    procedure: str = ""  # The code of an administrative procedure that would be left without a document.


class Unread(Refused):
    """Typed lines that name nothing, or more than one thing; each problem bears the number of the line as typed."""

    def __init__(self, problems: dict[str, list[Problem]]) -> None:
        super().__init__(
            Sentence(
                "{n} dòng chưa đọc được nên chưa thêm dòng nào. Hãy sửa các dòng được nêu rồi thêm lại.",
                "{n} lines could not be read, so no line was added. Mend the ones named below and add them again.",
            ).fill(n=sum(len(found) for found in problems.values())),
            field=next(field for field, found in problems.items() if found),
        )
        self.problems = problems


@dataclass(frozen=True)
class Consequence:
    """What executing brings with it besides the lines: what it is, how many, and each of them in words."""

    name: Sentence
    items: list[Sentence]


@dataclass(frozen=True)
class Check:
    """The dry run: every error with its line, what deserves a look, and the counts of what executing will do."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    consequences: list["Consequence"] = field(default_factory=list)
    issued: int = 0
    superseded: int = 0
    withdrawn: int = 0
    kept: int = 0
    in_force_before: int = 0
    in_force_after: int = 0
    copies_to_recall: int = 0
    copies_to_issue: int = 0
    readers: int = 0  # People who are asked to read something.
    uncovered: list[Problem] = field(default_factory=list)  # Administrative procedures left without a document.


def content_hash(decision: Decision) -> str:
    """Return the SHA-256, in hex, of what the signer signs: the decision's own words and every line."""
    signed = {**own_words(decision), "lines": plain_lines(decision)}
    return hashlib.sha256(audit.canonical(signed).encode()).hexdigest()


def checked_title(title: str) -> str:
    """Return a title on one line, or refuse an empty or endless one."""
    title = " ".join(clean_name(title).split())
    if not title or len(title) > 2000:
        raise Refused(Sentence("Hãy ghi trích yếu của quyết định.", "Say what the decision is about."), field="title")
    return title


def set_details(
    decision: Decision, *, effective_from: date | None, number: str, signed_on: date | None, signer_form: str
) -> None:
    """Write what a decision says of itself, with the keys by which numbers are compared."""
    decision.number = " ".join(clean_name(number).split())[:80]
    decision.number_key = code_key(decision.number)[:80]
    decision.signed_on = signed_on
    decision.year = signed_on.year if signed_on else None
    decision.effective_from = effective_from
    decision.signer_form = signer_form[:10]


def own_words(decision: Decision) -> dict[str, Any]:
    """Return what a decision says of itself, as the trail keeps it and the signer signs it."""
    return {
        "title": decision.title,
        "number": decision.number,
        "signed_on": decision.signed_on.isoformat() if decision.signed_on else None,
        "effective_from": decision.effective_from.isoformat() if decision.effective_from else None,
        "signer_form": decision.signer_form,
    }


def recorded(decision: Decision) -> dict[str, Any]:
    """Return every controlled column, for the trail entry with which a decision begins; later entries say what changed."""
    return {
        "state": decision.state,
        "round": decision.round,
        "workflow": decision.workflow,
        "workflow_version": decision.workflow_version,
        "checked_hash": decision.checked_hash,
        "signer_id": decision.signer_id,
        "signing_block": decision.signing_block or "",
        "drafted_by_id": decision.drafted_by_id,
        "created_at": decision.created_at,
        "executed_at": decision.executed_at,
        **own_words(decision),
        "lines": plain_lines(decision),
    }


def plain_lines(decision: Decision) -> list[list[Any]]:
    """Return the lines as plain values, as the trail keeps them and the signer signs them."""
    return [
        [line.position, line.action, line.revision_id, line.document_id, line.reason, line.replaced_by_id]
        for line in decision.lines
    ]
