"""The figures of a year, each a query with its date, numerator and denominator, and the list behind it."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from docctl import clock, external, procedures, reviews, revisions, watch
from docctl.decisions import Decision
from docctl.documents import Document
from docctl.internal_audits import InternalAudit
from docctl.procedures import Coverage
from docctl.revisions import WAS_ISSUED, Revision
from docctl.rules import Sentence


@dataclass(frozen=True)
class Figure:
    """A number with what it is of, the query that gave it, its day, and the address of the list behind it."""

    name: str
    label: Sentence
    on: date
    numerator: int
    denominator: int | None = None
    behind: str = ""

    @property
    def percent(self) -> float | None:
        """The share in percent to one decimal place."""
        return round(100 * self.numerator / self.denominator, 1) if self.denominator else None

    @property
    def text(self) -> str:
        """The figure as it stands in a report: `264/319 = 82,8 %`."""
        if self.denominator is None:
            return str(self.numerator)
        share = "" if self.percent is None else f" = {self.percent:.1f} %".replace(".", ",")
        return f"{self.numerator}/{self.denominator}{share}"


@dataclass(frozen=True)
class DecisionCount:
    """What one decision did."""

    number: str
    signed_on: date | None
    effective_from: date | None
    issued: int
    withdrawn: int
    decision_id: int


@dataclass(frozen=True)
class Month:
    """What took effect and what was withdrawn in a month."""

    month: int
    issued: int
    withdrawn: int


@dataclass(frozen=True)
class Year:
    """Everything that the records say of a year."""

    year: int
    on: date
    figures: list[Figure]
    decisions: list[DecisionCount]
    months: list[Month]
    by_type: list[tuple[str, str, int]]
    by_unit: list[tuple[str, int, int]]
    coverage: Coverage

    def figure(self, name: str) -> Figure:
        """Return a figure by the name of its query."""
        return next(row for row in self.figures if row.name == name)


def of_year(session: Session, year: int) -> Year:
    """Compute the figures of a year as they stood at its end, or today when it has not ended."""
    on = min(date(year, 12, 31), clock.today())
    begins, ends = clock.midnight(date(year, 1, 1)), clock.midnight(date(year + 1, 1, 1))
    at = min(clock.now(), ends)
    # At the very end of the year, not at the beginning of the next one.
    current = revisions.in_force(session, on=at if at < ends else ends - timedelta(seconds=1))
    decided = _decisions(session, begins, ends)
    issued, withdrawn = sum(row.issued for row in decided), sum(row.withdrawn for row in decided)
    coverage = procedures.coverage.on(session, on)
    score = watch.score(session, year)
    laws = external.all_documents(session)
    due = reviews.all_due(session, on=on)
    every = session.scalar(select(func.count()).select_from(Document).where(Document.created_at < ends)) or 0
    query = f"on={on:%d/%m/%Y}"
    figures = [
        Figure(
            "documents_in_force",
            Sentence("Tài liệu còn hiệu lực cuối kỳ", "Documents in force at the end"),
            on,
            len(current),
            None,
            f"/documents?state=in_force&{query}",
        ),
        Figure(
            "documents_issued",
            Sentence("Tài liệu ban hành trong năm", "Documents issued"),
            on,
            issued,
            None,
            "/decisions",
        ),
        Figure(
            "documents_withdrawn",
            Sentence("Tài liệu hủy bỏ trong năm", "Documents withdrawn"),
            on,
            withdrawn,
            None,
            "/decisions",
        ),
        Figure(
            "documents_known",
            Sentence("Tài liệu trong hệ thống", "Documents in the system"),
            on,
            every,
            None,
            "/documents?state=every",
        ),
        Figure(
            "coverage",
            Sentence("Thủ tục hành chính áp dụng đã có quy trình", "Applied procedures with a document in force"),
            on,
            coverage.all.covered,
            coverage.all.applied,
            f"/procedures/coverage?{query}",
        ),
        Figure(
            "laws_worked_in_on_time",
            Sentence("Cập nhật văn bản pháp luật đúng hạn 03 tháng", "Changed laws worked in within three months"),
            on,
            score.on_time,
            score.due,
            "/legal-watch",
        ),
        Figure(
            "external_in_force",
            Sentence("Tài liệu bên ngoài còn hiệu lực", "External documents in force"),
            on,
            sum(row.state_on(on) == external.IN_FORCE for row in laws),
            len(laws),
            f"/external-documents?state=in_force&{query}",
        ),
        Figure(
            "reviews_up_to_date",
            Sentence("Tài liệu được soát xét đúng kỳ", "Documents reviewed within their period"),
            on,
            sum(not row.overdue(on) for row in due if row.due_on),
            sum(row.due_on is not None for row in due),
            "/reviews",
        ),
        _audited(session, year, on, ends),
    ]
    return Year(
        year,
        on,
        figures,
        decided,
        _months(session, begins, ends),
        _by_type(current),
        _by_unit(current, session, begins, ends),
        coverage,
    )


def _audited(session: Session, year: int, on: date, ends: datetime) -> Figure:
    """Return how many internal audits were opened in a year, those called off left out, and how many of them were reported by its end."""
    opened = select(func.count()).where(InternalAudit.year == year, InternalAudit.state != "cancelled")
    return Figure(
        "internal_audits_reported",
        Sentence("Cuộc đánh giá nội bộ mở trong năm đã báo cáo", "Internal audits opened in the year and reported"),
        on,
        session.scalar(opened.where(InternalAudit.reported_at < ends)) or 0,
        session.scalar(opened) or 0,
        "/internal-audits#audits",
    )


def _decisions(session: Session, begins: datetime, ends: datetime) -> list[DecisionCount]:
    """Return the executed decisions by which something took effect or ended in a year."""
    first, last = clock.local(begins).date(), clock.local(ends).date()
    query = (
        select(Decision)
        .where(Decision.state == "executed", Decision.effective_from >= first, Decision.effective_from < last)
        .order_by(Decision.effective_from, Decision.id)
    )
    return [
        DecisionCount(
            row.number,
            row.signed_on,
            row.effective_from,
            sum(line.action == "issue" for line in row.lines),
            sum(line.action == "withdraw" for line in row.lines),
            row.id,
        )
        for row in session.scalars(query)
    ]


def _months(session: Session, begins: datetime, ends: datetime) -> list[Month]:
    issued = _count(session, Revision.effective_from, begins, ends, Revision.state.in_(WAS_ISSUED))
    withdrawn = _count(session, Revision.effective_to, begins, ends, Revision.state == "withdrawn")
    return [Month(month, issued[month], withdrawn[month]) for month in range(1, 13)]


def _count(
    session: Session, column: InstrumentedAttribute[datetime | None], begins: datetime, ends: datetime, which: Any
) -> Counter[int]:
    days = session.scalars(select(column).where(column >= begins, column < ends, which))
    return Counter(clock.local(day).month for day in days if day)


def _by_type(current: list[Revision]) -> list[tuple[str, str, int]]:
    counted = Counter(
        (row.document.type.level, row.document.type.name_vi, row.document.type.name_en) for row in current
    )
    return [(vi, en, n) for (_, vi, en), n in sorted(counted.items())]


def _by_unit(current: list[Revision], session: Session, begins: datetime, ends: datetime) -> list[tuple[str, int, int]]:
    """Return by unit how many documents are in force, and how many were withdrawn in the year."""
    standing = Counter(row.document.unit.name_vi for row in current)
    gone_query = (
        select(Revision)
        .where(Revision.state == "withdrawn", Revision.effective_to >= begins, Revision.effective_to < ends)
        .options(joinedload(Revision.document).joinedload(Document.unit))
    )
    gone = Counter(row.document.unit.name_vi for row in session.scalars(gone_query))
    return [(name, standing[name], gone[name]) for name in sorted(standing | gone)]
