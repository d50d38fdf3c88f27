"""The content of files: what is stored under which SHA-256, and the text that was read out of it."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from docctl import clock
from docctl.database import Base, Instant
from docctl.redline import Layout
from docctl.rules import Sentence

WAITING, EXTRACTED, UNAVAILABLE = "waiting", "extracted", "unavailable"


class Content(Base):
    """The bytes of one file, named by their SHA-256 and never changed."""

    __tablename__ = "content"
    __table_args__ = (CheckConstraint("length(sha256) = 64", name="sha256"), CheckConstraint("size > 0", name="size"))

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(10))
    stored_at: Mapped[datetime] = mapped_column(Instant)


class ContentText(Base):
    """The text of a content, or why there is none; a waiting row is the extraction's job."""

    __tablename__ = "content_text"
    __table_args__ = (CheckConstraint("status IN ('waiting', 'extracted', 'unavailable')", name="status"),)

    sha256: Mapped[str] = mapped_column(ForeignKey("content.sha256"), primary_key=True)
    status: Mapped[str] = mapped_column(String(12), default=WAITING, index=True)
    method: Mapped[str] = mapped_column(String(40), default="")
    reason_vi: Mapped[str] = mapped_column(Text, default="")
    reason_en: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text, default="")
    extracted_at: Mapped[datetime | None] = mapped_column(Instant)

    def reason(self, locale: str) -> str:
        """Say, in a language, why there is no text."""
        return self.reason_en if locale == "en" else self.reason_vi


def keep(session: Session, *, sha256: str, size: int, kind: str) -> Content:
    """Note a stored file, once, and ask for its text."""
    content = session.get(Content, sha256)
    if content is None:
        content = Content(sha256=sha256, size=size, kind=kind, stored_at=clock.now())
        session.add(content)
        session.flush()
        session.add(ContentText(sha256=sha256, status=WAITING))
        session.flush()
    return content


def waiting(session: Session, *, limit: int = 50) -> list[Content]:
    """Return contents whose text was not read yet, oldest first."""
    query = select(Content).join(ContentText, ContentText.sha256 == Content.sha256).where(ContentText.status == WAITING)
    return list(session.scalars(query.order_by(Content.stored_at).limit(limit)))


def count_waiting(session: Session) -> int:
    """Return how many contents wait for their text to be read."""
    return session.scalar(select(func.count()).select_from(ContentText).where(ContentText.status == WAITING)) or 0


def has_text(session: Session, sha256: str, *, text: str, method: str) -> None:
    """Keep the text that was read out of a content."""
    row = session.get_one(ContentText, sha256)
    row.status, row.method, row.text, row.extracted_at = EXTRACTED, method, text, clock.now()
    row.reason_vi = row.reason_en = ""


def has_no_text(session: Session, sha256: str, sentence: Sentence) -> None:
    """Keep the reason why no text could be read; `docctl reindex --texts` tries again."""
    row = session.get_one(ContentText, sha256)
    row.status, row.text, row.extracted_at = UNAVAILABLE, "", clock.now()
    row.reason_vi, row.reason_en = sentence.vi, sentence.en


def ask_again(session: Session) -> int:
    """Let every text that was not available wait for another reading; returns how many there are."""
    again = (
        update(ContentText)
        .where(ContentText.status == UNAVAILABLE)
        .values(status=WAITING)
        .returning(ContentText.sha256)
    )
    return len(session.scalars(again).all())


def text_of(session: Session, sha256: str | None) -> ContentText | None:
    """Return the text row of a content."""
    return session.get(ContentText, sha256) if sha256 else None


def layout(row: ContentText) -> Layout:
    """Return what is known of how a text is laid out, for comparing it."""
    return Layout(wrapped=row.method == "pdf")
