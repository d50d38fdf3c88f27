"""The table of renditions: for each file the PDF that it is read and printed as, or why there is none yet."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from docctl.database import Base, Instant

WAITING, ASKS, READY, UNAVAILABLE = "waiting", "asks", "ready", "unavailable"
ACCEPT, REFUSE = "accept", "refuse"
ORIGINAL, AUTHOR = "original", "author"  # Engines: the file is a PDF itself; the author brought one beside it.


class Rendition(Base):
    """How one file is read: `asks` waits for a person to settle tracked changes, a waiting row is the conversion's job."""

    __tablename__ = "rendition"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'asks', 'ready', 'unavailable')", name="status"),
        CheckConstraint("choice IN ('', 'accept', 'refuse')", name="choice"),
        CheckConstraint("(sha256 IS NOT NULL) = (status = 'ready')", name="made"),
        Index("uq_rendition_source_sha256", "source_sha256", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source_sha256: Mapped[str] = mapped_column(ForeignKey("content.sha256"))
    status: Mapped[str] = mapped_column(String(12), default=WAITING, index=True)
    tracked: Mapped[int] = mapped_column(default=0)
    comments: Mapped[int] = mapped_column(default=0)
    choice: Mapped[str] = mapped_column(String(8), default="")
    sha256: Mapped[str | None] = mapped_column(ForeignKey("content.sha256"), index=True)
    engine: Mapped[str] = mapped_column(String(60), default="")
    pages: Mapped[int] = mapped_column(default=0)
    signatures: Mapped[int] = mapped_column(default=0)
    reason_vi: Mapped[str] = mapped_column(Text, default="")
    reason_en: Mapped[str] = mapped_column(Text, default="")
    changed_at: Mapped[datetime] = mapped_column(Instant)

    def reason(self, locale: str) -> str:
        """Say, in a language, why there is no PDF."""
        return self.reason_en if locale == "en" else self.reason_vi
