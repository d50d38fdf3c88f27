"""Coverage: of the procedures that the office applies on a day, how many a document in force covers; and what alarms."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from docctl import clock, revisions, units
from docctl.procedures import linking
from docctl.procedures.keeping import base_key
from docctl.procedures.table import ENDED, LIVE, STATES, Procedure, ProcedureLink
from docctl.rules import Sentence
from docctl.text import fold

PAGE = 50
COVERED, UNCOVERED, EVERY = "covered", "uncovered", "every"
ASKED_STATES = (EVERY, COVERED, UNCOVERED, *STATES)


@dataclass(frozen=True)
class Share:
    """A numerator with its denominator, and what they are about."""

    name: str
    covered: int
    applied: int

    @property
    def percent(self) -> float | None:
        """The share in percent to one decimal place, None of nothing."""
        return round(100 * self.covered / self.applied, 1) if self.applied else None


@dataclass(frozen=True)
class Coverage:
    """The coverage on a day: all, by unit and by field, and how many are left out with a reason."""

    on: date
    all: Share
    by_unit: list[Share]
    by_field: list[Share]
    excluded: int
    repealed: int


@dataclass(frozen=True)
class Asked:
    """The questions of the catalogue; `on` None is today."""

    words: str = ""
    field: str = ""
    unit: str = ""
    state: str = EVERY
    on: date | None = None


@dataclass(frozen=True)
class Row:
    """A procedure with what it is on the day that was asked for, and the documents in force that cover it."""

    procedure: Procedure
    state: str
    links: list[ProcedureLink]
    covering: list[ProcedureLink]

    @property
    def covered(self) -> bool:
        """Whether a document in force covers it."""
        return bool(self.covering)


@dataclass(frozen=True)
class Found:
    """One page of the catalogue."""

    rows: list[Row]
    total: int
    all: int


@dataclass(frozen=True)
class Alarm:
    """What needs a person: why, about which procedure, and by which document."""

    sentence: Sentence
    procedure: Procedure
    link: ProcedureLink | None = None


@dataclass(frozen=True)
class Alarms:
    """The three alarms of the catalogue."""

    repealed_with_document: list[Alarm] = field(default_factory=list)
    withdrawn_document: list[Alarm] = field(default_factory=list)
    without_document: list[Alarm] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.repealed_with_document) + len(self.withdrawn_document) + len(self.without_document)


_REPEALED = Sentence(
    "Thủ tục {code} đã bị bãi bỏ nhưng quy trình {document} vẫn còn hiệu lực. Hãy hủy bỏ quy trình hoặc gỡ liên kết.",
    "Procedure {code} is repealed, but {document} is still in force. Withdraw the document or end the link.",
)
_WITHDRAWN = Sentence(
    "Quy trình {document} không còn hiệu lực nên thủ tục {code} không còn quy trình nào. Hãy ban hành hoặc liên kết quy trình khác.",
    "{document} is no longer in force, which leaves procedure {code} without a document. Issue or link another one.",
)
_WITHOUT = Sentence(
    "Thủ tục {code} chưa có quy trình. Hãy liên kết một tài liệu, hoặc ghi lý do không áp dụng.",
    "Procedure {code} has no document. Link one, or exclude it with a reason.",
)


def on(session: Session, day: date | None = None) -> Coverage:
    """Return the coverage on a day, today by default: links as they stand now, documents as they were in force then."""
    day = day or clock.today()
    rows = _rows(session, day)
    applied = [row for row in rows if row.state == LIVE]
    return Coverage(
        on=day,
        all=_share("", applied),
        by_unit=_shares(applied, lambda row: row.procedure.unit.name_vi if row.procedure.unit else ""),
        by_field=_shares(applied, lambda row: row.procedure.field),
        excluded=sum(row.state == "excluded" for row in rows),
        repealed=sum(row.state == ENDED for row in rows),
    )


def find(session: Session, asked: Asked, *, first: int = 0, limit: int | None = PAGE) -> Found:
    """Return the procedures that match, by field and code."""
    rows = _rows(session, asked.on or clock.today())
    below = units.with_descendants(session, units.find(session, asked.unit).id) if asked.unit else None
    matching = [
        row
        for row in rows
        if (not asked.field or row.procedure.field == asked.field)
        and (below is None or row.procedure.unit_id in below)
        and _in_state(row, asked.state)
        and _has_words(row.procedure, asked.words)
    ]
    page = matching[first:] if limit is None else matching[first : first + limit]
    return Found(page, len(matching), len(rows))


def row_of(session: Session, procedure: Procedure, day: date | None = None) -> Row:
    """Return one procedure with what it is on a day."""
    return next(row for row in _rows(session, day or clock.today()) if row.procedure.id == procedure.id)


def alarms(session: Session, day: date | None = None) -> Alarms:
    """Return what needs a person on a day, today by default."""
    found = Alarms()
    for row in _rows(session, day or clock.today()):
        names = {"code": row.procedure.code}
        if row.state == ENDED:
            for held in row.covering:
                said = _REPEALED.fill(document=held.document.code, **names)
                found.repealed_with_document.append(Alarm(said, row.procedure, held))
        elif row.state == LIVE and not row.covered and row.links:
            said = _WITHDRAWN.fill(document=row.links[0].document.code, **names)
            found.withdrawn_document.append(Alarm(said, row.procedure, row.links[0]))
        elif row.state == LIVE and not row.covered:
            found.without_document.append(Alarm(_WITHOUT.fill(**names), row.procedure))
    return found


def left_uncovered(
    session: Session, *, withdrawn: Collection[int], issued: Collection[int] = (), on: date | None = None
) -> list[Procedure]:
    """Return the procedures that are covered on a day and would not be once some documents are withdrawn.

    `withdrawn` and `issued` are ids of documents: what a decision does on that day.
    """
    gone, come = set(withdrawn) - set(issued), set(issued)
    return [
        row.procedure
        for row in _rows(session, on or clock.today())
        if row.state == LIVE
        and row.covered
        and all(held.document_id in gone for held in row.covering)
        and not any(held.document_id in come for held in row.links)
    ]


def all_procedures(session: Session) -> list[Procedure]:
    """Return every procedure by field and code."""
    query = select(Procedure).options(joinedload(Procedure.unit))
    return sorted(session.scalars(query), key=lambda row: (fold(row.field), row.code_key))


def load(session: Session, procedure_id: int) -> Procedure | None:
    """Return a procedure by its id."""
    return session.get(Procedure, procedure_id)


def fields(session: Session) -> list[str]:
    """Return the fields that occur, in order."""
    return sorted(filter(None, session.scalars(select(Procedure.field).distinct())), key=fold)


def _rows(session: Session, day: date) -> list[Row]:
    covering = _in_force_through(session, day)
    held: dict[int, list[ProcedureLink]] = {}
    for link in linking.links(session):
        held.setdefault(link.procedure_id, []).append(link)
    return [
        Row(
            procedure,
            procedure.state_on(day),
            held.get(procedure.id, []),
            [link for link in held.get(procedure.id, []) if link.document_id in covering],
        )
        for procedure in all_procedures(session)
    ]


def _in_force_through(session: Session, day: date) -> set[int]:
    """Return the ids of the documents in force at the beginning of a day."""
    at: datetime = clock.midnight(day)
    return {revision.document_id for revision in revisions.in_force(session, on=at)}


def _shares(rows: list[Row], name: Callable[[Row], str]) -> list[Share]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(name(row), []).append(row)
    return [_share(each, grouped[each]) for each in sorted(grouped, key=fold)]


def _share(name: str, rows: list[Row]) -> Share:
    return Share(name, sum(row.covered for row in rows), len(rows))


def _in_state(row: Row, state: str) -> bool:
    if state in (COVERED, UNCOVERED):
        return row.state == LIVE and row.covered == (state == COVERED)
    return state == EVERY or row.state == state


def _has_words(row: Procedure, words: str) -> bool:
    if not words.strip():
        return True
    return base_key(words) in row.code_key or all(word in fold(row.title) for word in fold(words).split())
