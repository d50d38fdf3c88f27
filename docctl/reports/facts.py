"""What the records say of the rows of the annex: a fact with both its numbers, and whether it lets full points stand.

`met` False contradicts a claim of all points, True agrees with it, and None leaves the judgement to people: of internal
audits, management reviews and improvement docctl keeps only a part, so it can say that something is missing, not that all is well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from docctl import clock, recall, revisions, watch
from docctl.audit import Action, AuditEntry
from docctl.distribution.issuing import Distribution
from docctl.documents import Document
from docctl.internal_audits import Nonconformity
from docctl.reports.figures import Year
from docctl.requests import ChangeRequest
from docctl.retention import schedule
from docctl.revisions import WAS_ISSUED, Revision
from docctl.rules import Sentence
from docctl.text import fold

COMPUTED = {"coverage": "coverage", "legal_watch": "laws_worked_in_on_time", "reviews": "reviews_up_to_date"}
# What the procedures are called that TCVN ISO 9001:2015 asks for in 9.2 and 9.3.
INTERNAL_AUDIT, MANAGEMENT_REVIEW = "đánh giá nội bộ", "xem xét của lãnh đạo"


@dataclass(frozen=True)
class Fact:
    """What the records say of a row: whether it is met (None: nothing to judge by), in a sentence, and where to look."""

    met: bool | None
    sentence: Sentence
    behind: str


def facts(session: Session, computed: Year) -> dict[str, Fact]:
    """Return what the records say of the rows that docctl computes, by the name that the annex gives them."""
    found: dict[str, Fact] = {}
    for name, label in COMPUTED.items():
        figure = computed.figure(label)
        met = figure.numerator == figure.denominator if figure.denominator else None
        said = Sentence("{label}: {text}", "{label}: {text}").fill(label=figure.label, text=figure.text)
        found[name] = Fact(met, said, figure.behind)
    standing = computed.figure("documents_in_force")
    found["in_force"] = Fact(
        standing.numerator > 0,
        Sentence("{n} tài liệu còn hiệu lực", "{n} documents in force").fill(n=standing.numerator),
        standing.behind,
    )
    current = revisions.in_force(session, on=clock.midnight(computed.on))
    found["decided"] = _of_all(
        [bool(revisions.decision_of(session, row)) for row in current],
        Sentence("{n} trên {all} tài liệu ban hành theo quyết định", "{n} of {all} issued by a decision"),
        "/decisions",
    )
    found["changes"] = _of_all(
        [bool(row.change_rows) for row in current],
        Sentence("{n} trên {all} tài liệu có bảng theo dõi thay đổi", "{n} of {all} have a change table"),
        "/documents",
    )
    distributed = set(session.scalars(select(Distribution.revision_id)))
    found["distributed"] = _of_all(
        [row.id in distributed for row in current],
        Sentence("{n} trên {all} tài liệu còn hiệu lực đã phân phối", "{n} of {all} documents in force distributed"),
        "/distribution",
    )
    found["marked"] = _of_all(
        [bool(row.status_token) for row in current],
        Sentence(
            "{n} trên {all} tài liệu in ra có lần ban hành, tình trạng và mã tra cứu",
            "{n} of {all} documents bear edition, state and code on their prints",
        ),
        "/documents",
    )
    found["external"] = _external(session, computed, bool(current))
    found["recalled"] = _recalled(session, computed)
    found["retained"] = _retained(session)
    found["internal_audit"] = _audited(session, computed, current)
    found["management_review"] = _procedure(current, MANAGEMENT_REVIEW)
    found["corrected"] = _corrected(session, computed)
    found["improvement"] = _improved(session, computed)
    return found


def _of_all(kept: Sequence[bool], said: Sentence, behind: str) -> Fact:
    return Fact(all(kept) if kept else None, said.fill(n=sum(kept), all=len(kept)), behind)


def _external(session: Session, computed: Year, anything: bool) -> Fact:
    expired = watch.citing.expired(session, computed.on)
    clashes = len(session.scalars(select(Document.id).where(Document.code_clash)).all())
    said = Sentence(
        "{n} căn cứ hết hiệu lực trong tài liệu còn hiệu lực, {m} mã trùng",
        "{n} expired citations in documents in force, {m} codes that clash",
    ).fill(n=len(expired), m=clashes)
    return Fact(not expired and not clashes if anything else None, said, "/legal-watch/citations")


def _recalled(session: Session, computed: Year) -> Fact:
    """Say how many recalls ended with minutes; one past its day that is still open contradicts full points."""
    ends = clock.midnight(computed.on.replace(year=computed.on.year + 1, month=1, day=1))
    rows = list(session.scalars(select(recall.Recall).where(recall.Recall.opened_at < ends)))
    closed = [row for row in rows if row.closed_at is not None and row.closed_at < ends]
    late = [row for row in rows if row not in closed and row.due_on < computed.on]
    said = Sentence(
        "{n} trên {all} đợt thu hồi đã lập xong biên bản, {late} đợt quá hạn",
        "{n} of {all} recalls closed with minutes, {late} overdue",
    ).fill(n=len(closed), all=len(rows), late=len(late))
    return Fact(not late if rows else None, said, "/recalls")


def _retained(session: Session) -> Fact:
    """Say how much of what ended is past its period and still there, by the records of today."""
    rows = schedule.records(session)
    due = [row for row in rows if row.standing == schedule.DUE]
    said = Sentence(
        "{n} trên {all} hồ sơ hết hiệu lực đã quá thời hạn lưu mà chưa hủy",
        "{n} of {all} ended records are past their period and not disposed of",
    ).fill(n=len(due), all=len(rows))
    return Fact(not due if rows else None, said, "/retention")


def _procedure(current: Sequence[Revision], called: str) -> Fact:
    """Say which document in force is the procedure of that name; that there is none contradicts full points."""
    found = [row for row in current if fold(called) in fold(row.title)]
    if not found:
        said = Sentence("Không có quy trình “{called}” nào còn hiệu lực", "No procedure “{called}” is in force").fill(
            called=called
        )
        return Fact(False if current else None, said, "/documents")
    said = Sentence("Còn hiệu lực: {code} {title}", "In force: {code} {title}")
    return Fact(
        None, said.fill(code=found[0].document.code, title=found[0].title), f"/documents/{found[0].document_id}"
    )


def _audited(session: Session, computed: Year, current: Sequence[Revision]) -> Fact:
    """Say which procedure of internal audits is in force, how many of the year's audits were reported, how often evidence was taken.

    A procedure that is missing contradicts full points, and so does a year that is over with audits of which none was reported.
    """
    known, audits = _procedure(current, INTERNAL_AUDIT), computed.figure("internal_audits_reported")
    first = clock.midnight(computed.on.replace(month=1, day=1))
    ends = clock.midnight(computed.on.replace(year=computed.on.year + 1, month=1, day=1))
    query = select(func.count()).where(
        AuditEntry.action == Action.EVIDENCE_TAKEN, AuditEntry.at >= first, AuditEntry.at < ends
    )
    said = Sentence(
        "{known}; {label}: {text}; {n} lần lấy hồ sơ bằng chứng", "{known}; {label}: {text}; evidence taken {n} times"
    ).fill(known=known.sentence, label=audits.label, text=audits.text, n=session.scalar(query) or 0)
    none_reported = bool(audits.denominator) and not audits.numerator and clock.now() >= ends
    return Fact(False if none_reported else known.met, said, audits.behind if audits.denominator else known.behind)


def _corrected(session: Session, computed: Year) -> Fact:
    """Say how many corrective reports that were due in the year were signed in time, and how many slips are closed."""
    due = select(Nonconformity).where(
        Nonconformity.due_on >= computed.on.replace(month=1, day=1),
        Nonconformity.due_on <= min(computed.on, clock.today()),
        Nonconformity.state != "cancelled",
    )
    slips = session.scalars(due).all()
    kept = [row.answered_at is not None and clock.local(row.answered_at).date() <= row.due_on for row in slips]
    said = Sentence(
        "{n} trên {all} báo cáo khắc phục đến hạn trong năm đúng hạn, {closed} phiếu đã đóng",
        "{n} of {all} corrective reports due in the year in time, {closed} slips closed",
    ).fill(n=sum(kept), all=len(kept), closed=sum(row.closed_at is not None for row in slips))
    return Fact(all(kept) if kept else None, said, "/internal-audits")


def _improved(session: Session, computed: Year) -> Fact:
    """Say what became of the year's change requests, and how many documents got a later edition; nothing at all contradicts."""
    first = clock.midnight(computed.on.replace(month=1, day=1))
    ends = clock.midnight(computed.on.replace(year=computed.on.year + 1, month=1, day=1))
    states = session.scalars(select(ChangeRequest.state).where(ChangeRequest.year == computed.year)).all()
    later = (
        session.scalar(
            select(func.count())
            .select_from(Revision)
            .where(
                Revision.state.in_(WAS_ISSUED),
                Revision.effective_from >= first,
                Revision.effective_from < ends,
                (Revision.edition > 1) | (Revision.amendment > 0),
            )
        )
        or 0
    )
    done = sum(state == "done" for state in states)
    said = Sentence(
        "{n} trên {all} phiếu yêu cầu trong năm đã xong, {later} tài liệu có lần ban hành hoặc sửa đổi sau",
        "{n} of {all} change requests of the year done, {later} documents with a later edition or amendment",
    ).fill(n=done, all=len(states), later=later)
    return Fact(None if done or later else False, said, "/requests")
