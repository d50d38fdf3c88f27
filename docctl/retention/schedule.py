"""How long what ended is kept: by the years of its type, and longer while somebody holds it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, select, text
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from docctl import audit, clock
from docctl.audit import Action
from docctl.database import Base, Instant
from docctl.documents import Document, DocumentType
from docctl.people import Account, Reader
from docctl.revisions import WAS_ISSUED, Revision
from docctl.rules import NoRole, Refused, Sentence
from docctl.text import clean_name

LONGEST = 100
ONLY_CONTROLLER = Sentence(
    "Chỉ người kiểm soát tài liệu mới được sửa thời hạn lưu, giữ lại và tiêu hủy.",
    "Only a document controller may change periods, hold and dispose.",
)
DUE, KEPT, ON_HOLD, DISPOSED, FOREVER = "due", "kept", "hold", "disposed", "forever"
STANDINGS: dict[str, Sentence] = {
    DUE: Sentence("Hết thời hạn lưu", "Past its retention"),
    KEPT: Sentence("Đang lưu", "Kept"),
    ON_HOLD: Sentence("Đang giữ lại", "On hold"),
    DISPOSED: Sentence("Đã tiêu hủy", "Disposed of"),
    FOREVER: Sentence("Lưu vĩnh viễn", "Kept for good"),
}


class RetentionHold(Base):
    """A hold on a document: nothing of it is disposed of until the hold is released."""

    __tablename__ = "retention_hold"
    NOUN: ClassVar[str] = "retention_hold"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint("(released_at IS NULL) = (release_reason = '')", name="release"),
        Index(
            "uq_retention_hold_open",
            "document_id",
            unique=True,
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"))
    reason: Mapped[str] = mapped_column(Text)
    placed_at: Mapped[datetime] = mapped_column(Instant)
    placed_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    released_at: Mapped[datetime | None] = mapped_column(Instant)
    release_reason: Mapped[str] = mapped_column(Text, default="")

    document: Mapped[Document] = relationship()
    placed_by: Mapped[Account] = relationship()


@dataclass(frozen=True)
class Record:
    """A revision that ended: until when it is kept, and where it stands today."""

    revision: Revision
    ended: date
    years: int | None
    keep_until: date | None
    hold: RetentionHold | None
    disposal_id: int | None
    disposal: str

    @property
    def standing(self) -> str:
        """Return `disposed`, `hold`, `forever`, `due` or `kept`."""
        if self.disposal_id is not None:
            return DISPOSED
        if self.hold is not None:
            return ON_HOLD
        if self.keep_until is None:
            return FOREVER
        return DUE if self.keep_until <= clock.today() else KEPT


def records(session: Session, *, revision_ids: Iterable[int] | None = None) -> list[Record]:
    """Return every revision that ended with its period (F12), by code and edition; or some, by their ids."""
    query = (
        select(Revision)
        .join(Document)
        .where(Revision.state.in_(WAS_ISSUED), Revision.effective_to <= clock.now())
        .options(
            joinedload(Revision.document).joinedload(Document.unit),
            joinedload(Revision.document).joinedload(Document.type),
        )
    )
    if revision_ids is not None:
        query = query.where(Revision.id.in_(list(revision_ids)))
    rows = session.scalars(query.order_by(Document.code_key, Document.id, Revision.edition, Revision.amendment)).all()
    held = {row.document_id: row for row in open_holds(session)}
    # The table of disposals is right of the schedule, so it is asked by name and not imported.
    gone = {
        row.revision_id: (row.id, row.number)
        for row in session.execute(
            text(
                "SELECT disposal_line.revision_id, disposal.id, disposal.number FROM disposal_line "
                "JOIN disposal ON disposal.id = disposal_line.disposal_id WHERE disposal.state = 'executed'"
            )
        )
    }
    return [_record(row, held.get(row.document_id), *gone.get(row.id, (None, ""))) for row in rows]


def due(session: Session) -> list[Record]:
    """Return what is past its retention, ended and on no hold: what a council may dispose of."""
    return [row for row in records(session) if row.standing == DUE]


def after_years(day: date, years: int) -> date:
    """Return the corresponding day so many years later; of 29 February the last day of that month."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def set_period(session: Session, kind: DocumentType, *, by: Reader, years: int | None, recall_days: int) -> None:
    """Set how many years what ended of a type is kept (None: for good), and how many days its copies have to come back."""
    refuse_unless_controller(by)
    if years is not None and not 0 < years <= LONGEST:
        raise Refused(
            Sentence("Thời hạn lưu từ 1 đến {n} năm, hoặc để trống.", "Years from 1 to {n}, or nothing.").fill(
                n=LONGEST
            ),
            field="years",
        )
    if not 0 < recall_days <= 365:
        raise Refused(Sentence("Hạn thu hồi từ 1 đến 365 ngày.", "Days from 1 to 365."), field="recall_days")
    before = {"retention_years": kind.retention_years, "recall_days": kind.recall_days}
    after = {"retention_years": years, "recall_days": recall_days}
    if before == after:
        return
    kind.retention_years, kind.recall_days = years, recall_days
    session.flush()
    audit.record(
        session, Action.TYPE_CHANGED, by=by.account, noun="document_type", record_id=kind.id, before=before, **after
    )


def hold(session: Session, document: Document, *, by: Reader, reason: str) -> RetentionHold:
    """Keep everything of a document, whatever its period, until the hold is released."""
    refuse_unless_controller(by)
    reason = clean_name(reason).strip()
    if not reason:
        raise Refused(Sentence("Hãy ghi lý do giữ lại.", "Give the reason for the hold."), field="reason")
    if any(row.document_id == document.id for row in open_holds(session)):
        raise Refused(Sentence("Tài liệu đang được giữ lại rồi.", "The document is on hold already."), field="document")
    made = RetentionHold(document_id=document.id, reason=reason, placed_at=clock.now(), placed_by_id=by.id)
    made.document, made.placed_by = document, by.account
    session.add(made)
    session.flush()
    audit.record(
        session,
        Action.HOLD_PLACED,
        by=by.account,
        noun=made.NOUN,
        record_id=made.id,
        document_id=document.id,
        reason=reason,
        placed_at=made.placed_at,
        placed_by_id=by.id,
        released_at=None,
        release_reason="",
    )
    return made


def release(session: Session, held: RetentionHold, *, by: Reader, reason: str) -> None:
    """End a hold, with a reason; from now on the period of the type counts again."""
    refuse_unless_controller(by)
    if held.released_at is not None:
        return
    if not reason.strip():
        raise Refused(Sentence("Hãy ghi lý do thôi giữ.", "Give the reason for releasing it."), field="reason")
    held.released_at, held.release_reason = clock.now(), clean_name(reason).strip()
    session.flush()
    audit.record(
        session,
        Action.HOLD_RELEASED,
        by=by.account,
        noun=held.NOUN,
        record_id=held.id,
        document_id=held.document_id,
        released_at=held.released_at,
        release_reason=held.release_reason,
    )


def open_holds(session: Session) -> list[RetentionHold]:
    """Return the holds that are in force."""
    query = select(RetentionHold).where(RetentionHold.released_at.is_(None)).order_by(RetentionHold.id)
    return list(session.scalars(query.options(joinedload(RetentionHold.document))))


def find_hold(session: Session, hold_id: int) -> RetentionHold | None:
    """Return a hold by its id."""
    return session.get(RetentionHold, hold_id)


def may_see(by: Reader) -> bool:
    """Say whether somebody may see retention and disposal."""
    return by.has("controller", "auditor", "reviewer", "format_reviewer", "approver")


def keeps(by: Reader) -> bool:
    """Say whether somebody keeps the periods, holds and disposals of the whole office."""
    return "controller" in by.roles_in(None)


def refuse_unless_controller(by: Reader) -> None:
    """Raise NoRole unless somebody keeps the records of the whole office."""
    if not keeps(by):
        raise NoRole(ONLY_CONTROLLER)


def _record(row: Revision, held: RetentionHold | None, disposal_id: Any, number: str) -> Record:
    assert row.effective_to is not None  # The query asked for it.
    ended, years = clock.local(row.effective_to).date(), row.document.type.retention_years
    return Record(row, ended, years, after_years(ended, years) if years else None, held, disposal_id, number)
