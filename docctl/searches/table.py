"""The tables of searches: one's own latest words, saved searches with what they found, and figures that name nobody."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from docctl.database import Base, Instant
from docctl.people import Account


class RecentSearch(Base):
    """Words that somebody searched for lately; only he or she ever sees them."""

    __tablename__ = "recent_search"
    __table_args__ = (UniqueConstraint("account_id", "words"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    words: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(Instant)


class AskedWords(Base):
    """How often the same words were asked, found nothing or took long, by whomever.

    The key and the askers are keyed hashes. The words themselves are kept from the third different person on, and the
    hashes of the people are dropped then: what only one or two people typed is nowhere.
    """

    __tablename__ = "asked_words"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    words: Mapped[str] = mapped_column(Text)
    askers: Mapped[str] = mapped_column(Text)
    times: Mapped[int]
    in_vain: Mapped[int]
    slow: Mapped[int]
    slowest_ms: Mapped[int]
    last_on: Mapped[date]


class SearchDay(Base):
    """How many searches there were on a day."""

    __tablename__ = "search_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    searches: Mapped[int]
    in_vain: Mapped[int]
    slow: Mapped[int]
    took_ms: Mapped[int]


class SavedSearch(Base):
    """A search that somebody keeps; what matches it anew is told to him or her.

    `position` and `looked_at` say up to which entry of the trail, and which instant, it was looked through.
    """

    __tablename__ = "saved_search"
    __table_args__ = (
        UniqueConstraint("account_id", "name"),
        CheckConstraint("name <> '' AND words <> ''", name="named"),
        CheckConstraint("scope IN ('in-force', 'all')", name="scope"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str] = mapped_column(String(200))
    words: Mapped[str] = mapped_column(String(500))
    scope: Mapped[str] = mapped_column(String(10))
    unit: Mapped[str] = mapped_column(String(40))
    type: Mapped[str] = mapped_column(String(40))
    field: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20))
    year: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant)
    position: Mapped[int]
    looked_at: Mapped[datetime] = mapped_column(Instant)

    account: Mapped[Account] = relationship()


class SavedHit(Base):
    """A revision that a saved search has found, so that it is told once."""

    __tablename__ = "saved_hit"

    saved_search_id: Mapped[int] = mapped_column(ForeignKey("saved_search.id"), primary_key=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"), primary_key=True)
