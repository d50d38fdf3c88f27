"""Administrative procedures (TTHC) as they are kept: catalogue entries, the decisions about them, and the documents that cover them."""

import json
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from docctl.database import Base, Instant
from docctl.documents import Document
from docctl.units import Unit

PUBLISHED, AMENDED, REPEALED = "published", "amended", "repealed"
KINDS_OF_EVENT = (PUBLISHED, AMENDED, REPEALED)
LIVE, NOT_YET, ENDED, EXCLUDED = "live", "not_yet", "repealed", "excluded"
STATES = (LIVE, EXCLUDED, ENDED, NOT_YET)


class Procedure(Base):
    """A catalogue entry; whether it is live, and whether it is covered, is derived from dates on any day."""

    __tablename__ = "procedure"
    NOUN: ClassVar[str] = "procedure"
    __table_args__ = (
        Index("uq_procedure_code", "code_key", unique=True),
        CheckConstraint("length(code) > 0", name="code"),
        CheckConstraint("length(title) > 0", name="title"),
        CheckConstraint("(excluded_from IS NULL) = (exclusion_reason = '')", name="exclusion"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(80))
    code_key: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(Text)
    field: Mapped[str] = mapped_column(Text, default="")
    level: Mapped[str] = mapped_column(Text, default="")
    audience: Mapped[str] = mapped_column(Text, default="")
    issuer: Mapped[str] = mapped_column(Text, default="")
    executor: Mapped[str] = mapped_column(Text, default="")
    basis: Mapped[str] = mapped_column(Text, default="")
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    excluded_from: Mapped[date | None]
    exclusion_reason: Mapped[str] = mapped_column(Text, default="")
    detail: Mapped[str] = mapped_column(Text, default="")
    detail_sha256: Mapped[str] = mapped_column(String(64), default="")
    lock: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Instant)

    unit: Mapped[Unit | None] = relationship()
    events: Mapped[list["ProcedureEvent"]] = relationship(
        order_by="ProcedureEvent.position", cascade="all, delete-orphan", lazy="selectin"
    )

    def state_on(self, day: date) -> str:
        """Return what it is on a day: live, excluded from what the office applies, repealed, or not published yet."""
        published = [event.on for event in self.events if event.kind == PUBLISHED and event.on]
        repealed = [event.on for event in self.events if event.kind == REPEALED and event.on]
        if repealed and day >= max(repealed) and not any(on > max(repealed) and on <= day for on in published):
            return ENDED
        if published and day < min(published):
            return NOT_YET
        return EXCLUDED if self.excluded_from and day >= self.excluded_from else LIVE

    @property
    def parts(self) -> dict[str, Any]:
        """The parts of the full procedure as it was imported: steps, dossier, fees."""
        loaded: dict[str, Any] = json.loads(self.detail) if self.detail else {}
        return loaded


class ProcedureEvent(Base):
    """A decision that published, amended or repealed an administrative procedure."""

    __tablename__ = "procedure_event"
    __table_args__ = (
        UniqueConstraint("procedure_id", "position"),
        CheckConstraint("kind IN ('published', 'amended', 'repealed')", name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    procedure_id: Mapped[int] = mapped_column(ForeignKey("procedure.id"), index=True)
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    number: Mapped[str] = mapped_column(String(200))
    on: Mapped[date | None] = mapped_column("on_day")


class ProcedureLink(Base):
    """That a document covers an administrative procedure; a link is ended, never deleted."""

    __tablename__ = "procedure_link"
    NOUN: ClassVar[str] = "procedure_link"
    __table_args__ = (
        Index(
            "uq_procedure_link_pair",
            "procedure_id",
            "document_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    procedure_id: Mapped[int] = mapped_column(ForeignKey("procedure.id"), index=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    origin: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)

    procedure: Mapped[Procedure] = relationship()
    document: Mapped[Document] = relationship()
