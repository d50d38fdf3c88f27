"""External documents as they are kept: laws, decrees, standards, and what amended, replaced or repealed them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from docctl.database import Base, Instant

AMENDED, REPLACED, REPEALED = "amended", "replaced", "repealed"
KINDS_OF_CHANGE = (AMENDED, REPLACED, REPEALED)
NOT_YET, IN_FORCE, EXPIRED, UNKNOWN = "not_yet", "in_force", "expired", "unknown"
STATES = (IN_FORCE, NOT_YET, EXPIRED, UNKNOWN)


@dataclass(frozen=True)
class Change:
    """What another law did to this one, from when on: amended, replaced or repealed it."""

    number: str
    effective_from: date | None = None
    kind: str = AMENDED


class ExternalDocument(Base):
    """A law, decree or standard that procedures rest on; whether it is in force is derived from dates, never stored."""

    __tablename__ = "external_document"
    NOUN: ClassVar[str] = "external_document"
    __table_args__ = (
        Index("uq_external_document_number", "number_key", unique=True),
        CheckConstraint("length(number) > 0", name="number"),
        CheckConstraint("check_months IS NULL OR check_months > 0", name="check_months"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(200))
    number_key: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(100), default="")
    category: Mapped[str] = mapped_column(String(200), default="")
    title: Mapped[str] = mapped_column(Text, default="")
    issuer: Mapped[str] = mapped_column(Text, default="")
    issued_on: Mapped[date | None]
    effective_from: Mapped[date | None]
    ends_on: Mapped[date | None]
    clauses: Mapped[str] = mapped_column(Text, default="")
    units: Mapped[str] = mapped_column(Text, default="")
    check_months: Mapped[int | None]
    checked_on: Mapped[date | None]
    checked_by: Mapped[str] = mapped_column(String(200), default="")
    lock: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Instant)

    changes: Mapped[list["ExternalChange"]] = relationship(
        order_by="ExternalChange.position", cascade="all, delete-orphan", lazy="selectin"
    )

    def ended_on(self) -> date | None:
        """Return the first day on which it is no longer in force, as far as anything says so."""
        ends = [change.effective_from for change in self.changes if change.kind != AMENDED and change.effective_from]
        return min([*ends, *([self.ends_on] if self.ends_on else [])], default=None)

    def state_on(self, day: date) -> str:
        """Return what it is on a day: not yet in force, in force, expired, or unknown where no date tells."""
        if (ended := self.ended_on()) and day >= ended:
            return EXPIRED
        if self.effective_from is None:
            return UNKNOWN
        return NOT_YET if day < self.effective_from else IN_FORCE

    def amended_by(self, day: date) -> list["ExternalChange"]:
        """Return the changes that have taken effect by a day, in the order of their dates."""
        begun = [change for change in self.changes if change.effective_from and change.effective_from <= day]
        return sorted(begun, key=lambda change: (change.effective_from or day, change.position))


class ExternalChange(Base):
    """One change to an external document by another."""

    __tablename__ = "external_change"
    __table_args__ = (
        UniqueConstraint("external_document_id", "position"),
        CheckConstraint("kind IN ('amended', 'replaced', 'repealed')", name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    external_document_id: Mapped[int] = mapped_column(ForeignKey("external_document.id"), index=True)
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    number: Mapped[str] = mapped_column(String(200))
    number_key: Mapped[str] = mapped_column(String(200), index=True)
    effective_from: Mapped[date | None]
