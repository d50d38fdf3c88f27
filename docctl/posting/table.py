"""The record that the documents of a decision were posted: by whom, when, which, under one content hash."""

import json
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from docctl.database import Base, Instant
from docctl.decisions import Decision
from docctl.documents import CONTENT, LISTED, NOT_POSTED, POSTINGS
from docctl.people import Account

__all__ = ["CONTENT", "GONE", "LISTED", "NOT_POSTED", "ON_SHOW", "POSTINGS", "WITHHELD", "Posting"]

# What a line of a decision comes to on the public pages.
ON_SHOW, GONE, WITHHELD = "on_show", "gone", "withheld"


class Posting(Base):
    """A person's signed word that a decision stands on the public pages, with what stood there; made once, never changed.

    Signing is entering the password again, so the row keeps what a signature does: person, title on that day, time and
    the hash of what was signed; the head of the trail at that moment is printed beside it.
    """

    __tablename__ = "posting"
    __table_args__ = (
        CheckConstraint("on_show >= 0 AND gone >= 0 AND withheld >= 0 AND on_show + gone > 0", name="counts"),
        CheckConstraint("length(content_hash) = 64", name="hash"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), unique=True)
    address: Mapped[str] = mapped_column(Text)
    lines: Mapped[str] = mapped_column(Text)
    on_show: Mapped[int]
    gone: Mapped[int]
    withheld: Mapped[int]
    content_hash: Mapped[str] = mapped_column(String(64))
    posted_at: Mapped[datetime] = mapped_column(Instant)
    posted_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    person: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(200))
    head_sequence: Mapped[int]
    head_hash: Mapped[str] = mapped_column(String(64))

    decision: Mapped[Decision] = relationship()
    posted_by: Mapped[Account] = relationship()

    @property
    def entries(self) -> list[list[str]]:
        """The lines as they were signed: position, code, edition, SHA-256 of the file, and what each came to."""
        loaded: list[list[str]] = json.loads(self.lines)
        return loaded
