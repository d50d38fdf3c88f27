"""Periodic reviews (F11): when each document in force is due by its type's period, and what was found: keep, amend, withdraw."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from docctl import audit, clock, deadlines, revisions
from docctl.audit import Action
from docctl.database import Base, Instant
from docctl.documents import Document
from docctl.people import Account, Reader
from docctl.revisions import Revision
from docctl.rules import NoRole, Refused, Sentence

KEEP, AMEND, WITHDRAW = "keep", "amend", "withdraw"
OUTCOMES = {
    KEEP: Sentence("Giữ nguyên", "Keep"),
    AMEND: Sentence("Sửa đổi", "Amend"),
    WITHDRAW: Sentence("Hủy bỏ", "Withdraw"),
}
SOON = 60  # Days before the due date from which a review is near.
ONLY_OWNERS = Sentence(
    "Chỉ người soạn thảo, trưởng đơn vị hoặc người kiểm soát tài liệu của đơn vị được soát xét.",
    "Only an author, the unit head or a document controller of the unit may review a document.",
)


class Review(Base):
    """One review of the edition then in force; never changed, the next one goes before it."""

    __tablename__ = "review"
    __table_args__ = (
        CheckConstraint("outcome IN ('keep', 'amend', 'withdraw')", name="outcome"),
        CheckConstraint("length(reason) > 0", name="reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    done_on: Mapped[date]
    outcome: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    reviewer_title: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime] = mapped_column(Instant)

    reviewer: Mapped[Account] = relationship()


@dataclass(frozen=True)
class Due:
    """A document in force with the day by which it is to be reviewed (None without a period) and its last review."""

    revision: Revision
    due_on: date | None
    last: Review | None

    def overdue(self, day: date) -> bool:
        """Say whether the day of the review has passed."""
        return self.due_on is not None and self.due_on < day


def record(session: Session, document: Document, *, by: Reader, outcome: str, reason: str) -> Review:
    """Keep what a review of the edition in force found, with its reason."""
    if sentence := refusal(document, by=by):
        raise NoRole(sentence)
    current = revisions.in_force(session, document=document)
    if not current:
        raise Refused(
            Sentence(
                "Tài liệu không có lần ban hành nào còn hiệu lực để soát xét.",
                "No edition of the document is in force, so there is nothing to review.",
            )
        )
    reason = " ".join(reason.split())
    if outcome not in OUTCOMES:
        raise Refused(Sentence("Hãy chọn kết quả soát xét.", "Choose what the review found."), field="outcome")
    if not reason:
        raise Refused(Sentence("Hãy ghi lý do của kết quả soát xét.", "Give the reason for it."), field="reason")
    row = Review(
        document_id=document.id,
        revision_id=current[0].id,
        done_on=clock.today(),
        outcome=outcome,
        reason=reason,
        reviewer_id=by.id,
        reviewer_title=by.account.title_vi,
        made_at=clock.now(),
    )
    row.reviewer = by.account
    session.add(row)
    session.flush()
    audit.record(
        session,
        Action.REVIEW_DONE,
        by=by.account,
        noun="review",
        record_id=row.id,
        document_id=document.id,
        revision_id=row.revision_id,
        done_on=row.done_on,
        outcome=outcome,
        reason=reason,
        reviewer_id=row.reviewer_id,
        reviewer_title=row.reviewer_title,
        made_at=row.made_at,
    )
    return row


def refusal(document: Document, *, by: Reader) -> Sentence | None:
    """Return why somebody may not review a document, or None."""
    return None if by.roles_in(document.unit_id) & {"author", "reviewer", "controller"} else ONLY_OWNERS


def all_due(session: Session, *, on: date | None = None) -> list[Due]:
    """Return every document in force on a day with its due date, the most urgent first."""
    at = clock.midnight(on) if on else clock.now()
    last: dict[int, Review] = {}
    for row in session.scalars(select(Review).order_by(Review.id).options(joinedload(Review.reviewer))):
        if row.done_on <= clock.local(at).date():
            last[row.document_id] = row
    found = [_due(revision, last.get(revision.document_id)) for revision in revisions.in_force(session, on=at)]
    return sorted(found, key=lambda row: (row.due_on is None, row.due_on or date.max, row.revision.document.code_key))


def of_document(session: Session, document: Document) -> tuple[Due | None, list[Review]]:
    """Return when a document is due, None when nothing of it is in force, and its reviews, newest first."""
    query = select(Review).where(Review.document_id == document.id).order_by(Review.id.desc())
    done = list(session.scalars(query))
    current = revisions.in_force(session, document=document)
    return (_due(current[0], done[0] if done else None) if current else None), done


def overdue(session: Session, *, by: Reader | None = None, on: date | None = None) -> list[Due]:
    """Return what is overdue on a day, today by default; for a reader, what he or she may review."""
    day = on or clock.today()
    rows = [row for row in all_due(session, on=on) if row.overdue(day)]
    return rows if by is None else [row for row in rows if refusal(row.revision.document, by=by) is None]


def done_in(session: Session, year: int) -> list[Review]:
    """Return the reviews done in a year."""
    query = select(Review).where(Review.done_on >= date(year, 1, 1), Review.done_on <= date(year, 12, 31))
    return list(session.scalars(query.order_by(Review.id)))


def _due(revision: Revision, last: Review | None) -> Due:
    months = revision.document.type.review_months
    began = clock.local(revision.effective_from).date() if revision.effective_from else None
    counted = max([day for day in (began, last.done_on if last else None) if day], default=None)
    return Due(revision, deadlines.months_after(counted, months) if counted and months else None, last)
