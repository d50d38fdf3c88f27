"""What people add to the yearly report: figures that docctl cannot compute, and the points they claim, each with its source."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from docctl.database import Base, Instant
from docctl.people import Account


class TypedFigure(Base):
    """A figure as somebody typed it into the report of a year, and where it was taken from."""

    __tablename__ = "typed_figure"
    __table_args__ = (
        Index("uq_typed_figure_name", "year", "name_key", unique=True),
        CheckConstraint("length(name) > 0", name="name"),
        CheckConstraint("length(source) > 0", name="source"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int]
    name: Mapped[str] = mapped_column(String(300))
    name_key: Mapped[str] = mapped_column(String(300))
    value: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    typed_at: Mapped[datetime] = mapped_column(Instant)
    typed_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))

    typed_by: Mapped[Account] = relationship()


class Claim(Base):
    """The points that the office claims for a row of the annex in a year, in hundredths, with the evidence; `total` is a row."""

    __tablename__ = "claim"
    __table_args__ = (
        Index("uq_claim_row", "year", "row", unique=True),
        CheckConstraint("points >= 0", name="points"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int]
    version: Mapped[str] = mapped_column(String(40))
    row: Mapped[str] = mapped_column(String(20))
    points: Mapped[int]
    evidence: Mapped[str] = mapped_column(Text, default="")
    claimed_at: Mapped[datetime] = mapped_column(Instant)
    claimed_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))

    claimed_by: Mapped[Account] = relationship()
