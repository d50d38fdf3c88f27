"""What is in force on a date, as known on another date, and what differs between two dates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from docctl import clock, revisions
from docctl.decisions import Decision
from docctl.documents import Document
from docctl.people import Reader
from docctl.revisions import Revision
from docctl.units import Unit

TICKS = 12


class Standing(NamedTuple):
    """A line of what is in force: the document under the title of that edition, its interval, and its decision."""

    document_id: int
    code: str
    title: str
    unit: str
    revision_id: int
    edition: int
    amendment: int
    effective_from: datetime
    effective_to: datetime | None
    sha256: str | None
    decision: str

    @property
    def edition_text(self) -> str:
        """Edition and amendment as the offices write them: `02/01`."""
        return revisions.edition_text(self.edition, self.amendment)


@dataclass(frozen=True)
class Difference:
    """What changed from one date to another: what came in, what went out, and pairs of editions of what stayed."""

    first: datetime
    second: datetime
    came: list[Standing] = field(default_factory=list)
    went: list[Standing] = field(default_factory=list)
    changed: list[tuple[Standing, Standing]] = field(default_factory=list)
    same: int = 0


@dataclass(frozen=True)
class Span:
    """A piece of the calendar strip: an edition from where to where, in thousandths of the strip's width."""

    revision: Revision
    left: int
    width: int


@dataclass(frozen=True)
class Strip:
    """The calendar strip of a document: its spans, its ticks as (place, label), and where today is."""

    spans: list[Span]
    ticks: list[tuple[int, str]]
    today: int


def in_force(
    session: Session,
    on: datetime,
    known_at: datetime | None = None,
    *,
    by: Reader | None = None,
    document_id: int | None = None,
) -> list[Standing]:
    """Return what was in force at an instant, by code; with `known_at` as it was known then.

    Without `known_at` the rows answer. With it the trail alone does, so that what was recorded later changes nothing.
    `by` limits the answer to what somebody may see.
    """
    if known_at is None:
        query = _columns(by).where(revisions.in_force_at(on))
        if document_id is not None:
            query = query.where(Revision.document_id == document_id)
        # Columns alone, and thousands of them: the connection gives them without the detour over loaded objects.
        return list(map(Standing._make, session.connection().execute(query)))
    document = session.get_one(Document, document_id) if document_id is not None else None
    known = revisions.intervals_known(session, known_at, document)
    standing = {
        revision_id: (begins, ends, decision)
        for revision_id, (begins, ends, decision) in known.items()
        if begins is not None and begins <= on and (ends is None or on < ends)
    }
    return _loaded(session, standing, by)


def difference(
    session: Session, first: datetime, second: datetime, known_at: datetime | None = None, *, by: Reader | None = None
) -> Difference:
    """Return what came in, went out and changed its edition between two instants."""
    if known_at is None:
        before, after = ids_in_force(session, first, by), ids_in_force(session, second, by)
    else:
        before = {row.document_id: row.revision_id for row in in_force(session, first, known_at, by=by)}
        after = {row.document_id: row.revision_id for row in in_force(session, second, known_at, by=by)}
    differing = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    wanted = {known[key] for known in (before, after) for key in differing if key in known}
    rows = {row.revision_id: row for row in _by_ids(session, wanted)}
    order = sorted(differing, key=lambda key: (rows[after.get(key) or before[key]].code, key))
    return Difference(
        first,
        second,
        came=[rows[after[key]] for key in order if key not in before],
        went=[rows[before[key]] for key in order if key not in after],
        changed=[(rows[before[key]], rows[after[key]]) for key in order if key in before and key in after],
        same=len(before.keys() & after.keys()) - sum(key in before and key in after for key in differing),
    )


def strip(rows: Iterable[Revision]) -> Strip | None:
    """Return the calendar strip of a document's revisions, None when none was ever in force."""
    lasting = [
        row
        for row in rows
        if row.effective_from and (row.effective_to is None or row.effective_to > row.effective_from)
    ]
    if not lasting:
        return None
    now = clock.now()
    ends = [row.effective_to or now for row in lasting]
    first = min(row.effective_from for row in lasting if row.effective_from)
    last = max([now, *ends, *[row.effective_from for row in lasting if row.effective_from]]) + timedelta(days=30)
    length = (last - first) / timedelta(seconds=1)

    def place(at: datetime) -> int:
        return max(0, min(1000, round(1000 * ((at - first) / timedelta(seconds=1)) / length)))

    spans = []
    for row in sorted(lasting, key=lambda row: row.effective_from or now):
        assert row.effective_from is not None
        left = place(row.effective_from)
        spans.append(Span(row, left, max(3, place(row.effective_to or last) - left)))
    years = range(clock.local(first).year + 1, clock.local(last).year + 1)
    step = max(1, -(-len(years) // TICKS))
    ticks = [(place(clock.midnight(clock.today().replace(year=year, month=1, day=1))), str(year)) for year in years]
    return Strip(spans, ticks[::step], place(now))


def _columns(by: Reader | None) -> Any:
    query = (
        select(
            Revision.document_id,
            Document.code,
            Revision.title,
            Unit.code.label("unit"),
            Revision.id.label("revision_id"),
            Revision.edition,
            Revision.amendment,
            Revision.effective_from,
            Revision.effective_to,
            Revision.file_sha256,
            func.coalesce(Decision.number, Revision.origin_decision).label("decision"),
        )
        .select_from(Revision)
        .join(Document, Document.id == Revision.document_id)
        .join(Unit, Unit.id == Document.unit_id)
        .outerjoin(Decision, Decision.id == Revision.decision_id)
    )
    if by is not None and not by.sees_everything:
        query = query.where(revisions.visible(by))
    return query.order_by(Document.code_key, Document.id)


def _by_ids(session: Session, ids: set[int], by: Reader | None = None) -> list[Standing]:
    found: list[Standing] = []
    listed = sorted(ids)
    for start in range(0, len(listed), 500):
        query = _columns(by).where(Revision.id.in_(listed[start : start + 500]))
        found += list(map(Standing._make, session.execute(query)))
    return found


def _loaded(
    session: Session, standing: Mapping[int, tuple[datetime | None, datetime | None, str]], by: Reader | None
) -> list[Standing]:
    rows = []
    for row in _by_ids(session, set(standing), by):
        begins, ends, decision = standing[row.revision_id]
        assert begins is not None
        rows.append(row._replace(effective_from=begins, effective_to=ends, decision=decision))
    return sorted(rows, key=lambda row: (row.code, row.document_id))


def ids_in_force(session: Session, on: datetime, by: Reader | None = None) -> dict[int, int]:
    """Return by document the id of the revision that was in force at an instant."""
    query = select(Revision.document_id, Revision.id).where(revisions.in_force_at(on))
    if by is not None and not by.sees_everything:
        query = query.join(Document).where(revisions.visible(by))
    return {row.document_id: row.id for row in session.connection().execute(query)}
