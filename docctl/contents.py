"""The content of files: what is stored under which SHA-256, and the text that was read out of it."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    ForeignKey,
    String,
    Text,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from docctl import clock
from docctl.database import Base, Instant, Kept
from docctl.redline import Layout
from docctl.rules import Sentence

WAITING, EXTRACTED, UNAVAILABLE = "waiting", "extracted", "unavailable"
DISPOSED = "The content was disposed of"
# Whether pages that are pictures wait for being read, and whether that was done: their words are nobody's proofed copy.
SCANS_WAITING, SCANS_READ = "waiting", "done"


PAGES = "SELECT number, start, stop, source FROM content_page WHERE sha256 = :sha256 ORDER BY number"
HEADINGS = "SELECT position, start, level, title FROM content_heading WHERE sha256 = :sha256 ORDER BY position"


class Content(Kept, Base):
    """The bytes of one file, named by their SHA-256 and never changed."""

    __tablename__ = "content"
    __table_args__ = (CheckConstraint("length(sha256) = 64", name="sha256"), CheckConstraint("size > 0", name="size"))

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(10))
    stored_at: Mapped[datetime] = mapped_column(Instant)


class ContentText(Kept, Base):
    """The text of a content, or why there is none; a waiting row is the extraction's job."""

    SEALED = frozenset({"text", "rows"})

    __tablename__ = "content_text"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'extracted', 'unavailable')", name="status"),
        CheckConstraint("ocr IN ('', 'waiting', 'done')", name="ocr"),
    )

    sha256: Mapped[str] = mapped_column(ForeignKey("content.sha256"), primary_key=True)
    status: Mapped[str] = mapped_column(String(12), default=WAITING, index=True)
    method: Mapped[str] = mapped_column(String(40), default="")
    reason_vi: Mapped[str] = mapped_column(Text, default="")
    reason_en: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text, default="")
    extracted_at: Mapped[datetime | None] = mapped_column(Instant)
    ocr: Mapped[str] = mapped_column(String(8), default="", index=True)
    encodings: Mapped[str] = mapped_column(String(40), default="")
    rows: Mapped[str] = mapped_column(Text, default="")

    def reason(self, locale: str) -> str:
        """Say, in a language, why there is no text."""
        return self.reason_en if locale == "en" else self.reason_vi

    @classmethod
    def beside(cls, connection: Connection, key: str) -> dict[str, Any]:
        """Return the SHA-256 of the places of the text, its pages and headings, which belong to it."""
        places = [
            [list(row) for row in connection.execute(text(query), {"sha256": key})] for query in (PAGES, HEADINGS)
        ]
        return {"places": hashlib.sha256(json.dumps(places).encode()).hexdigest()} if any(places) else {}


class ContentPage(Base):
    """One page of a text: where it stands in it, and whether its words come from the file or were recognised in a scan."""

    __tablename__ = "content_page"
    __table_args__ = (CheckConstraint("source IN ('text', 'scan', 'ocr')", name="source"),)

    sha256: Mapped[str] = mapped_column(ForeignKey("content.sha256"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[int]
    stop: Mapped[int]
    source: Mapped[str] = mapped_column(String(4))


class ContentHeading(Base):
    """One heading of a text as the file's format marks it: where it begins, its level from 1, its words."""

    __tablename__ = "content_heading"

    sha256: Mapped[str] = mapped_column(ForeignKey("content.sha256"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[int]
    level: Mapped[int]
    title: Mapped[str] = mapped_column(Text)


class Mark(NamedTuple):
    """A heading as it is kept."""

    start: int
    level: int
    title: str


def keep(session: Session, *, sha256: str, size: int, kind: str) -> Content:
    """Note a stored file, once, and ask for its text."""
    content = session.get(Content, sha256)
    if content is None:
        content = Content(sha256=sha256, size=size, kind=kind, stored_at=clock.now())
        session.add(content)
        session.flush()
    if session.get(ContentText, sha256) is None:
        session.add(ContentText(sha256=sha256, status=WAITING))
        session.flush()
    elif (row := session.get(ContentText, sha256)) and row.reason_en.startswith(DISPOSED):
        row.status = WAITING  # It was disposed of, and now somebody brings it again.
        session.flush()
    return content


def keep_made(session: Session, *, sha256: str, size: int, kind: str = "pdf") -> Content:
    """Note a stored file that was made of another one, once; its text is that of the other."""
    content = session.get(Content, sha256)
    if content is None:
        content = Content(sha256=sha256, size=size, kind=kind, stored_at=clock.now())
        session.add(content)
        session.flush()
    return content


def waiting(session: Session, *, limit: int = 50) -> list[Content]:
    """Return contents whose text was not read yet, oldest first."""
    query = select(Content).join(ContentText, ContentText.sha256 == Content.sha256).where(ContentText.status == WAITING)
    return list(session.scalars(query.order_by(Content.stored_at).limit(limit)))


def count_waiting(session: Session) -> int:
    """Return how many contents wait for their text to be read."""
    return session.scalar(select(func.count()).select_from(ContentText).where(ContentText.status == WAITING)) or 0


def has_text(
    session: Session,
    sha256: str,
    *,
    text: str,
    method: str,
    rows: Sequence[Sequence[int]] = (),
    headings: Sequence[Mark] = (),
    encodings: Sequence[str] = (),
    scans: Sequence[int] = (),
    ocr: str = "",
) -> None:
    """Keep the text that was read out of a content, with its pages, headings and rows of tables.

    `scans` are the pages (from 1) without a text layer; `ocr` says whether they wait for being read, or were.
    """
    row = session.get_one(ContentText, sha256)
    row.status, row.method, row.text, row.extracted_at = EXTRACTED, method, text, clock.now()
    row.reason_vi = row.reason_en = ""
    row.ocr, row.encodings = ocr, " ".join(encodings)
    row.rows = json.dumps([list(places) for places in rows], separators=(",", ":")) if rows else ""
    _places(session, sha256, text, headings, dict.fromkeys(scans, "ocr" if ocr == SCANS_READ else "scan"))


def _places(session: Session, sha256: str, text: str, headings: Sequence[Mark], sources: dict[int, str]) -> None:
    session.flush()
    for table in (ContentPage, ContentHeading):
        session.execute(delete(table).where(table.sha256 == sha256))
    start = 0
    for number, page in enumerate(text.split("\f") if text else [], start=1):
        source = sources.get(number, "text")
        session.add(ContentPage(sha256=sha256, number=number, start=start, stop=start + len(page), source=source))
        start += len(page) + 1
    for position, mark in enumerate(headings, start=1):
        session.add(
            ContentHeading(sha256=sha256, position=position, start=mark.start, level=mark.level, title=mark.title)
        )
    session.flush()


def has_no_text(session: Session, sha256: str, sentence: Sentence, *, ocr: str = "") -> None:
    """Keep the reason why no text could be read; `docctl reindex --texts`, or its page, tries again."""
    row = session.get_one(ContentText, sha256)
    row.status, row.text, row.extracted_at = UNAVAILABLE, "", clock.now()
    row.reason_vi, row.reason_en = sentence.vi, sentence.en
    row.ocr, row.encodings, row.rows = ocr, "", ""
    _places(session, sha256, "", (), {})


def waiting_scans(session: Session, *, limit: int = 20) -> list[Content]:
    """Return contents that have pages to be read from pictures, oldest first."""
    query = select(Content).join(ContentText, ContentText.sha256 == Content.sha256)
    query = query.where(ContentText.ocr == SCANS_WAITING, ContentText.status != WAITING)
    return list(session.scalars(query.order_by(Content.stored_at).limit(limit)))


def waits(session: Session, sha256: str, *, scans: bool = False) -> bool:
    """Say whether a content still waits for its text (or for its scans), so that no work is finished twice."""
    row = session.get(ContentText, sha256)
    if row is None:
        return False
    return row.ocr == SCANS_WAITING if scans else row.status == WAITING


def pages(session: Session, sha256: str) -> list[ContentPage]:
    """Return the pages of a text in order."""
    query = select(ContentPage).where(ContentPage.sha256 == sha256)
    return list(session.scalars(query.order_by(ContentPage.number)))


def headings(session: Session, sha256: str) -> list[ContentHeading]:
    """Return the headings of a text in order."""
    query = select(ContentHeading).where(ContentHeading.sha256 == sha256)
    return list(session.scalars(query.order_by(ContentHeading.position)))


def ask_again(session: Session, sha256: str | None = None) -> int:
    """Let one text, or every text that was not available, wait for another reading; returns how many there are."""
    which = ContentText.status == UNAVAILABLE if sha256 is None else ContentText.sha256 == sha256
    found = session.scalars(select(ContentText).where(which)).all()
    for row in found:
        row.status, row.ocr = WAITING, ""
    session.flush()
    return len(found)


def text_of(session: Session, sha256: str | None) -> ContentText | None:
    """Return the text row of a content."""
    return session.get(ContentText, sha256) if sha256 else None


def layout(session: Session, row: ContentText) -> Layout:
    """Return what is known of how a text is laid out, for comparing it."""
    return Layout(
        rows=json.loads(row.rows) if row.rows else (),
        headings={heading.start: heading.level for heading in headings(session, row.sha256)},
        wrapped=row.method in ("pdf", "ocr"),
    )
