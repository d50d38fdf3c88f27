"""Questions to the register of external documents: filtered, sorted, counted, on any day."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import clock
from docctl.citations import number_key
from docctl.external.registering import check_due, warnings
from docctl.external.table import IN_FORCE, STATES, ExternalDocument
from docctl.text import fold

PAGE = 50
EVERY, AMENDED, ODD, TO_CHECK = "every", "amended", "odd", "to_check"
ASKED_STATES = (EVERY, *STATES, AMENDED, ODD, TO_CHECK)


@dataclass(frozen=True)
class Asked:
    """The questions of the register of external documents; `on` None is today."""

    words: str = ""
    kind: str = ""
    category: str = ""
    unit: str = ""
    state: str = EVERY
    on: date | None = None


@dataclass(frozen=True)
class Found:
    """One page of the register, how many match, and how many there are at all."""

    rows: list[ExternalDocument]
    total: int
    all: int


def find(session: Session, asked: Asked, *, first: int = 0, limit: int | None = PAGE) -> Found:
    """Return the external documents that match, the newest in force first."""
    day = asked.on or clock.today()
    everything = all_documents(session)
    matching = [row for row in everything if _matches(row, asked, day)]
    matching.sort(key=lambda row: (-(row.effective_from or date.min).toordinal(), row.number_key))
    return Found(matching[first:] if limit is None else matching[first : first + limit], len(matching), len(everything))


def all_documents(session: Session) -> list[ExternalDocument]:
    """Return every external document by number."""
    return list(session.scalars(select(ExternalDocument).order_by(ExternalDocument.number_key)))


def load(session: Session, external_id: int) -> ExternalDocument | None:
    """Return an external document by its id."""
    return session.get(ExternalDocument, external_id)


def changers(session: Session, row: ExternalDocument) -> dict[str, ExternalDocument]:
    """Return, by the key of their number, those of the acts that change a document which are in the register too."""
    keys = {change.number_key for change in row.changes}
    found = session.scalars(select(ExternalDocument).where(ExternalDocument.number_key.in_(keys)))
    return {other.number_key: other for other in found}


def changed_by(session: Session, row: ExternalDocument) -> list[ExternalDocument]:
    """Return the external documents that this one amends, replaces or repeals."""
    return [
        other
        for other in all_documents(session)
        if any(change.number_key == row.number_key for change in other.changes)
    ]


def kinds(session: Session) -> list[str]:
    """Return the kinds that occur, in order."""
    return sorted(filter(None, session.scalars(select(ExternalDocument.kind).distinct())), key=fold)


def categories(session: Session) -> list[str]:
    """Return the categories that occur, in order."""
    return sorted(filter(None, session.scalars(select(ExternalDocument.category).distinct())), key=fold)


def _matches(row: ExternalDocument, asked: Asked, day: date) -> bool:
    return (
        (not asked.kind or row.kind == asked.kind)
        and (not asked.category or row.category == asked.category)
        and (not asked.unit or asked.unit in row.units.split(", "))
        and _in_state(row, asked.state, day)
        and _has_words(row, asked.words)
    )


def _in_state(row: ExternalDocument, state: str, day: date) -> bool:
    if state == AMENDED:
        return row.state_on(day) == IN_FORCE and bool(row.amended_by(day))
    if state == ODD:
        return bool(warnings(row))
    if state == TO_CHECK:
        due = check_due(row)
        return due is not None and due <= day
    return state == EVERY or row.state_on(day) == state


def _has_words(row: ExternalDocument, words: str) -> bool:
    if not words.strip():
        return True
    if number_key(words) in row.number_key:
        return True
    text = fold(f"{row.title} {row.issuer}")
    return all(word in text for word in fold(words).split())
