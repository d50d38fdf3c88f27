"""Tombstones: which contents are disposed of, and how everything that refers to a content spares its bytes."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from docctl import contents
from docctl.database import Base, Instant, Kept
from docctl.rules import Sentence

# What is only said of a content, its text and its PDF, does not keep it; every other reference does.
SAID_OF_IT = frozenset({"content_text", "content_page", "content_heading", "rendition", "disposed_content"})
# A reference that ends by itself: a revision's, once the revision is disposed of.
ENDS = {
    "revision": "AND NOT EXISTS (SELECT 1 FROM disposal_line JOIN disposal ON disposal.id = disposal_line.disposal_id "
    "WHERE disposal_line.revision_id = revision.id AND disposal.state = 'executed')"
}
# The PDF that another content is read as stays as long as that one.
READ_AS = (
    "NOT EXISTS (SELECT 1 FROM rendition AS reading WHERE reading.sha256 = {sha256} AND reading.source_sha256 <> {sha256} "
    "AND NOT EXISTS (SELECT 1 FROM disposed_content AS gone WHERE gone.sha256 = reading.source_sha256))"
)


class DisposedContent(Kept, Base):
    """The tombstone of a content: its row with SHA-256, size and kind stays, its bytes and its text are gone."""

    __tablename__ = "disposed_content"

    sha256: Mapped[str] = mapped_column(ForeignKey("content.sha256"), primary_key=True)
    disposal_id: Mapped[int] = mapped_column(ForeignKey("disposal.id"), index=True)
    disposed_at: Mapped[datetime] = mapped_column(Instant)


def uses() -> list[tuple[str, str]]:
    """Return the table and column of every reference that keeps a content, as the tables themselves declare them."""
    return sorted(
        (table.name, key.parent.name)
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.target_fullname == "content.sha256" and table.name not in SAID_OF_IT
    )


def unused(sha256: str) -> str:
    """Return the SQL condition that nothing living uses the content that a SQL expression names."""
    kept = (
        f"NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.{column} = {sha256} {ENDS.get(table, '')})"  # noqa: S608 - ours.
        for table, column in uses()
    )
    return " AND ".join([*kept, READ_AS.format(sha256=sha256)])


def buried_query() -> str:
    """Return the SQL of `buried`, for those who read without a session."""
    return f"SELECT sha256, disposed_at FROM disposed_content WHERE {unused('disposed_content.sha256')}"  # noqa: S608 - ours.


def buried(session: Session) -> list[tuple[str, datetime]]:
    """Return the contents that are disposed of and that nothing living uses, with when; their files may not be there."""
    return [(row.sha256, _instant(row.disposed_at)) for row in session.execute(text(buried_query()))]


def bury(session: Session, sha256: str, *, disposal_id: int, at: datetime, says: Sentence) -> bool:
    """Leave a tombstone for a content and its PDFs unless something uses them; say whether the content goes."""
    if not _goes(session, sha256):
        return False
    if session.get(DisposedContent, sha256) is None:
        _put(session, sha256, disposal_id, at, says)
        for made in _made_of(session, sha256):
            _put(session, made, disposal_id, at, says)
    return True


def _put(session: Session, sha256: str, disposal_id: int, at: datetime, says: Sentence) -> None:
    session.add(DisposedContent(sha256=sha256, disposal_id=disposal_id, disposed_at=at))
    if session.get(contents.ContentText, sha256):
        contents.has_no_text(session, sha256, says)
    session.flush()


def _goes(session: Session, sha256: str) -> bool:
    return session.scalar(text(f"SELECT 1 WHERE {unused(':sha256')}"), {"sha256": sha256}) is not None


def _made_of(session: Session, sha256: str) -> list[str]:
    """Return the PDFs that were made of a content and that nothing else uses: they go with it."""
    query = text(
        "SELECT DISTINCT rendition.sha256 FROM rendition WHERE rendition.source_sha256 = :sha256 "  # noqa: S608 - ours.
        "AND rendition.sha256 IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM disposed_content WHERE disposed_content.sha256 = rendition.sha256) "
        f"AND {unused('rendition.sha256')}"
    )
    return list(session.scalars(query, {"sha256": sha256}))


def _instant(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
