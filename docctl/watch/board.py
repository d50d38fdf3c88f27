"""The board of the legal watch: what is on time, due and late, by month of the deadline, and the score of 7.2d."""

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from docctl import clock, register
from docctl.documents import Document
from docctl.people import Reader
from docctl.watch.table import LegalAssessment

ON_TIME, DUE, LATE = "on_time", "due", "late"
BUCKETS = (DUE, LATE, ON_TIME)
REMIND_AT = (60, 30, 7)  # Days before the deadline.


@dataclass(frozen=True)
class Standing:
    """Where an assessment stands on a day: its bucket, and the days left, over, or by which it was late."""

    assessment: LegalAssessment
    bucket: str
    days: int


@dataclass(frozen=True)
class Month:
    """The assessments whose deadline lies in a month, counted by bucket."""

    year: int
    month: int
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Score:
    """Criterion 7.2d in a year: how many of the laws that were due were worked in on time."""

    year: int
    on_time: int
    due: int

    @property
    def kept(self) -> bool | None:
        """Whether every one was on time; None when none was due."""
        return self.on_time == self.due if self.due else None


def standing(row: LegalAssessment, day: date | None = None) -> Standing:
    """Return where an assessment stands on a day, today by default: late means the day after the deadline or later."""
    day = day or clock.today()
    ended = row.finished_on if row.finished_on is not None and row.finished_on <= day else None
    if ended is not None:
        over = (ended - row.deadline).days
        return Standing(row, LATE if over > 0 else ON_TIME, max(over, 0))
    left = (row.deadline - day).days
    return Standing(row, DUE, left) if left >= 0 else Standing(row, LATE, -left)


def all_standing(session: Session, *, by: Reader | None = None, day: date | None = None) -> list[Standing]:
    """Return where every assessment stands that somebody may see, by deadline; `by` None sees all."""
    return [standing(row, day) for row in assessments(session, by=by)]


def assessments(session: Session, *, by: Reader | None = None) -> list[LegalAssessment]:
    """Return the assessments that somebody may see, by deadline."""
    query = (
        select(LegalAssessment)
        .options(
            joinedload(LegalAssessment.law),
            joinedload(LegalAssessment.document).joinedload(Document.unit),
            joinedload(LegalAssessment.procedure),
        )
        .order_by(LegalAssessment.deadline, LegalAssessment.id)
    )
    rows = list(session.scalars(query).unique())
    if by is None or by.sees_everything:
        return rows
    seen = register.visible_ids(session, by=by)
    return [row for row in rows if row.document_id is None or row.document_id in seen]


def load(session: Session, assessment_id: int, *, by: Reader) -> LegalAssessment | None:
    """Return an assessment as far as the person may see it, else None."""
    return next((row for row in assessments(session, by=by) if row.id == assessment_id), None)


def of_document(session: Session, document: Document) -> list[LegalAssessment]:
    """Return the assessments of a document, by deadline."""
    query = select(LegalAssessment).where(LegalAssessment.document_id == document.id)
    return list(session.scalars(query.order_by(LegalAssessment.deadline, LegalAssessment.id)))


def of_law(session: Session, external_id: int, *, by: Reader) -> list[Standing]:
    """Return where the assessments of a law stand."""
    return [row for row in all_standing(session, by=by) if row.assessment.external_document_id == external_id]


def by_month(rows: list[Standing]) -> list[Month]:
    """Return the months in which deadlines lie, the earliest first."""
    months: dict[tuple[int, int], dict[str, int]] = {}
    for row in rows:
        key = (row.assessment.deadline.year, row.assessment.deadline.month)
        counts = months.setdefault(key, dict.fromkeys(BUCKETS, 0))
        counts[row.bucket] += 1
    return [Month(*key, months[key]) for key in sorted(months)]


def score(session: Session, year: int, day: date | None = None) -> Score:
    """Return criterion 7.2d of a year as it stands on a day: what was due by then, and how much of it was on time."""
    day = min(day or clock.today(), date(year, 12, 31))
    rows = [row for row in all_standing(session, day=day) if row.assessment.deadline.year == year]
    settled = [row for row in rows if row.bucket != DUE]
    return Score(year, sum(row.bucket == ON_TIME for row in settled), len(settled))


def to_remind(session: Session, day: date | None = None) -> list[Standing]:
    """Return the assessments that are open 60, 30 or 7 days before their deadline, on a day, today by default."""
    rows = all_standing(session, day=day)
    return [row for row in rows if row.bucket == DUE and row.days in REMIND_AT]


def waiting_for(session: Session, *, by: Reader) -> list[Standing]:
    """Return the open assessments that somebody may judge or end, the most urgent first."""
    rows = [row for row in all_standing(session, by=by) if row.assessment.finished_on is None]
    return [row for row in rows if {"controller", "reviewer"} & by.roles_in(row.assessment.unit_id)]
