"""Internal audits as they are kept: the audit, its draws and samples, the answers of the walk, findings and their evidence."""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from docctl import clock
from docctl.audit import Action, Anchored
from docctl.contents import Content
from docctl.database import Base, Instant
from docctl.decisions import Decision
from docctl.documents import Document
from docctl.lifecycle import Subject
from docctl.people import Account
from docctl.revisions import Revision
from docctl.units import Unit

# What a point of the checklist is answered with; the empty word is a point that nobody has looked at yet.
UNANSWERED, CONFORMS, NONCONFORMING, NOT_APPLICABLE = "", "conforms", "nonconforming", "not_applicable"
MAJOR, MINOR, OBSERVATION = "major", "minor", "observation"
FINDING, PROOF = "finding", "proof"


class InternalAudit(Subject, Anchored, Base):
    """An audit by the office of itself: scope, criteria, days, people and plan; once reported it never changes."""

    __tablename__ = "internal_audit"
    NOUN: ClassVar[str] = "internal_audit"
    MOVED: ClassVar[Action] = Action.INTERNAL_AUDIT_MOVED
    __table_args__ = (
        UniqueConstraint("year", "number"),
        CheckConstraint("state IN ('planned', 'under_way', 'reported', 'cancelled')", name="state"),
        CheckConstraint("last_day IS NULL OR first_day IS NULL OR last_day >= first_day", name="days"),
        CheckConstraint("(state = 'reported') = (reported_at IS NOT NULL)", name="reported"),
        CheckConstraint(
            "state <> 'reported' OR (conclusion <> '' AND content_hash IS NOT NULL AND head_sequence IS NOT NULL)",
            name="complete",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int]
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(300))
    scope: Mapped[str] = mapped_column(Text, default="")
    criteria: Mapped[str] = mapped_column(Text, default="")
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    team: Mapped[str] = mapped_column(Text, default="")
    plan: Mapped[str] = mapped_column(Text, default="")
    conclusion: Mapped[str] = mapped_column(Text, default="")
    checklist: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(12))
    content_hash: Mapped[str | None] = mapped_column(String(64))
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    reported_at: Mapped[datetime | None] = mapped_column(Instant)

    opened_by: Mapped[Account] = relationship()

    @property
    def number_text(self) -> str:
        """The number as it is written: `01/2026`."""
        return f"{self.number:02d}/{self.year}"


class Draw(Base):
    """A random draw: its seed and the documents that it was drawn from, so that anybody can draw the same again."""

    __tablename__ = "audit_draw"
    __table_args__ = (
        CheckConstraint("size > 0", name="size"),
        CheckConstraint("seed <> ''", name="seed"),
        Index("uq_audit_draw_position", "internal_audit_id", "position", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    internal_audit_id: Mapped[int] = mapped_column(ForeignKey("internal_audit.id"))
    position: Mapped[int]
    seed: Mapped[str] = mapped_column(String(60))
    size: Mapped[int]
    within: Mapped[str] = mapped_column(String(200), default="")
    population: Mapped[str] = mapped_column(Text)
    drawn_at: Mapped[datetime] = mapped_column(Instant)
    drawn_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))

    @property
    def population_ids(self) -> list[int]:
        """The documents that could be drawn, by their numbers in docctl."""
        return [int(word) for word in self.population.split()]


class Sample(Base):
    """A document that an audit looks at, with the edition that was in force when it was taken, and the answers of the walk."""

    __tablename__ = "audit_sample"
    __table_args__ = (
        UniqueConstraint("internal_audit_id", "position"),
        UniqueConstraint("internal_audit_id", "document_id"),
        CheckConstraint("(walked_at IS NULL) = (walked_by_id IS NULL)", name="walked"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    internal_audit_id: Mapped[int] = mapped_column(ForeignKey("internal_audit.id"))
    position: Mapped[int]
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"), index=True)
    draw_id: Mapped[int | None] = mapped_column(ForeignKey("audit_draw.id"))
    taken_at: Mapped[datetime] = mapped_column(Instant)
    walked_at: Mapped[datetime | None] = mapped_column(Instant)
    walked_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))

    document: Mapped[Document] = relationship()
    revision: Mapped[Revision | None] = relationship()
    walked_by: Mapped[Account | None] = relationship()
    answers: Mapped[list["Answer"]] = relationship(order_by="Answer.position", cascade="all, delete-orphan")

    @property
    def open_points(self) -> int:
        """How many points of the checklist nobody has answered yet."""
        return sum(row.verdict == UNANSWERED for row in self.answers)


class Answer(Base):
    """The answer to one point of the checklist for one sample; empty until somebody has looked."""

    __tablename__ = "checklist_answer"
    __table_args__ = (
        UniqueConstraint("audit_sample_id", "position"),
        UniqueConstraint("audit_sample_id", "point"),
        CheckConstraint("verdict IN ('', 'conforms', 'nonconforming', 'not_applicable')", name="verdict"),
        CheckConstraint("verdict <> 'nonconforming' OR note <> ''", name="note"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    audit_sample_id: Mapped[int] = mapped_column(ForeignKey("audit_sample.id"))
    position: Mapped[int]
    point: Mapped[str] = mapped_column(String(20))
    verdict: Mapped[str] = mapped_column(String(16), default=UNANSWERED)
    note: Mapped[str] = mapped_column(Text, default="")


class Nonconformity(Subject, Base):
    """A finding with its corrective-action slip: what is wrong, whose it is, by when, the answer, the proof, who verified it."""

    __tablename__ = "nonconformity"
    NOUN: ClassVar[str] = "nonconformity"
    MOVED: ClassVar[Action] = Action.NONCONFORMITY_MOVED
    __table_args__ = (
        UniqueConstraint("internal_audit_id", "position"),
        CheckConstraint("state IN ('open', 'answered', 'closed', 'cancelled')", name="state"),
        CheckConstraint("grade IN ('major', 'minor', 'observation')", name="grade"),
        CheckConstraint("statement <> ''", name="statement"),
        CheckConstraint(
            "(state IN ('answered', 'closed')) = (answered_by_id IS NOT NULL) AND (state NOT IN ('answered', 'closed') "
            "OR (cause <> '' AND remedy <> '' AND proof <> '' AND content_hash IS NOT NULL AND answered_at IS NOT NULL))",
            name="answered",
        ),
        CheckConstraint(
            "(state = 'closed') = (closed_by_id IS NOT NULL) AND (state <> 'closed' OR (verification <> '' "
            "AND closed_at IS NOT NULL AND closed_by_id <> answered_by_id))",
            name="closed",
        ),
        Index("ix_nonconformity_open", "unit_id", "state", "due_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    internal_audit_id: Mapped[int] = mapped_column(ForeignKey("internal_audit.id"))
    position: Mapped[int]
    audit_sample_id: Mapped[int | None] = mapped_column(ForeignKey("audit_sample.id"), index=True)
    point: Mapped[str] = mapped_column(String(20), default="")
    grade: Mapped[str] = mapped_column(String(12))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    requirement: Mapped[str] = mapped_column(Text, default="")
    statement: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date]
    cause: Mapped[str] = mapped_column(Text, default="")
    correction: Mapped[str] = mapped_column(Text, default="")
    remedy: Mapped[str] = mapped_column(Text, default="")
    proof: Mapped[str] = mapped_column(Text, default="")
    verification: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(12))
    content_hash: Mapped[str | None] = mapped_column(String(64))
    raised_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    closed_at: Mapped[datetime | None] = mapped_column(Instant)

    internal_audit: Mapped[InternalAudit] = relationship()
    sample: Mapped[Sample | None] = relationship()
    unit: Mapped[Unit] = relationship()
    raised_by: Mapped[Account] = relationship(foreign_keys=raised_by_id)
    answered_by: Mapped[Account | None] = relationship(foreign_keys=answered_by_id)
    closed_by: Mapped[Account | None] = relationship(foreign_keys=closed_by_id)
    evidence: Mapped[list["Evidence"]] = relationship(order_by="Evidence.id", cascade="all, delete-orphan")

    @property
    def number_text(self) -> str:
        """The number of the slip: that of its audit and its own, `01/2026-03`."""
        return f"{self.internal_audit.number_text}-{self.position:02d}"

    @property
    def days_left(self) -> int:
        """How many days are left until it is due; negative when it is late."""
        return (self.due_on - clock.today()).days


class Evidence(Base):
    """A record that shows a finding, or that it was corrected: a revision, a decision, an entry of the trail, or a file."""

    __tablename__ = "nonconformity_evidence"
    __table_args__ = (
        CheckConstraint("side IN ('finding', 'proof')", name="side"),
        CheckConstraint(
            "(CASE WHEN revision_id IS NULL THEN 0 ELSE 1 END + CASE WHEN decision_id IS NULL THEN 0 ELSE 1 END "
            "+ CASE WHEN entry_sequence IS NULL THEN 0 ELSE 1 END + CASE WHEN sha256 IS NULL THEN 0 ELSE 1 END) = 1",
            name="one",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    nonconformity_id: Mapped[int] = mapped_column(ForeignKey("nonconformity.id"), index=True)
    side: Mapped[str] = mapped_column(String(8))
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))
    entry_sequence: Mapped[int | None]
    entry_hash: Mapped[str] = mapped_column(String(64), default="")
    sha256: Mapped[str | None] = mapped_column(ForeignKey("content.sha256"), index=True)
    file_name: Mapped[str] = mapped_column(String(400), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    added_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    added_at: Mapped[datetime] = mapped_column(Instant)

    revision: Mapped[Revision | None] = relationship()
    decision: Mapped[Decision | None] = relationship()
    content: Mapped[Content | None] = relationship()
    added_by: Mapped[Account] = relationship()
