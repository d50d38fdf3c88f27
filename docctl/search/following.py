"""The index follows the audit trail: after each commit it reads what the new entries are about and indexes that again."""

import logging
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import audit, clock, revisions
from docctl.audit import AuditEntry
from docctl.contents import ContentText
from docctl.database import Database
from docctl.decisions import Decision
from docctl.documents import Document
from docctl.revisions import Revision
from docctl.search import Engine, IndexedRevision, narrowing, sight

Progress = Callable[[int, int], None]

DOCUMENTS_AT_ONCE = 500
IDLE_ENTRIES = 1000  # Entries about no document after which the position is written all the same.

log = logging.getLogger(__name__)


def follow(database: Database, engine: Engine, progress: Progress | None = None) -> int:
    """Bring the index up to the trail and return how many revisions were indexed.

    Missing, damaged, of another version, or of another database: it is built anew beside the old one.
    """
    with engine.indexing() as mine, database.reading() as session:
        head = audit.head(session)
        if not mine or head.sequence == 0:
            return 0
        position = engine.position()
        if position <= 0 or _hash_at(session, position) != engine.mark():
            if position or engine.mark():
                log.warning("The search index is not of this database; it is built again.")
            return _build(session, engine, head, progress)
        return _catch_up(session, engine, position, head)


def rebuild(database: Database, engine: Engine, progress: Progress | None = None) -> int:
    """Build the index anew, while the old one still answers, and return how many revisions were indexed.

    It goes on where a process stopped that was ended before it was done.
    """
    with engine.indexing() as mine, database.reading() as session:
        if not mine:
            raise TimeoutError("another process is writing the search index")
        return _build(session, engine, audit.head(session), progress)


def _build(session: Session, engine: Engine, head: audit.Head, progress: Progress | None) -> int:
    done = 0
    with engine.rebuilding() as fresh:
        # A position below 0 is the last document that was indexed, its mark the trail's head when the building began.
        begun = _entry(session, fresh.mark()) if fresh.position() < 0 else None
        start = -fresh.position() if begun else 0
        begun = begun or head
        ids = session.scalars(select(Document.id).order_by(Document.id)).all()
        waiting = [id for id in ids if id > start]
        for some in _in_batches(waiting):
            found = indexed(session, some)
            fresh.apply(found, (), -some[-1], begun.hash)
            done += len(found)
            if progress:
                progress(bisect_right(ids, some[-1]), len(ids))
        fresh.apply((), (), begun.sequence, begun.hash)
        done += _catch_up(session, fresh, begun.sequence, head)
    return done


def _catch_up(session: Session, engine: Engine, position: int, head: audit.Head) -> int:
    _, touched = audit.documents_touched(session, after=position)
    if not touched and head.sequence - position < IDLE_ENTRIES:
        return 0
    done = 0
    batches = list(_in_batches(sorted(touched))) or [[]]
    for number, some in enumerate(batches, start=1):
        found = indexed(session, some)
        done += len(found)
        # Only with the last batch does the position move: after a crash all of them are done again.
        reached = head if number == len(batches) else audit.Head(position, engine.mark())
        engine.apply(found, (), reached.sequence, reached.hash)
    return done


def indexed(session: Session, document_ids: Collection[int]) -> list[IndexedRevision]:
    """Read the revisions of documents as they are to be indexed, with the texts of their files."""
    query = (
        select(Revision.id, Document.code, Revision.title, ContentText.text, Revision.state, Revision.effective_to)
        .add_columns(Decision.number, Revision.origin_decision)
        .add_columns(Document.unit_id, Document.type_id, Document.field, Revision.effective_from)
        .join(Document, Document.id == Revision.document_id)
        .outerjoin(Decision, Decision.id == Revision.decision_id)
        .outerjoin(ContentText, ContentText.sha256 == Revision.file_sha256)
        .where(Revision.document_id.in_(document_ids))
    )
    now = clock.now()
    return [
        IndexedRevision(
            revision_id=id,
            code=code,
            title=title,
            body=body or "",
            mention=number or imported or "",
            current=state in revisions.WAS_ISSUED and (ends is None or ends > now),
            facts=narrowing.facts_of(unit=unit, type=type, field=field, year=sight.year_of(begins)),
        )
        for id, code, title, body, state, ends, number, imported, unit, type, field, begins in session.execute(query)
    ]


def _entry(session: Session, hash: str) -> audit.Head | None:
    sequence = session.scalar(select(AuditEntry.sequence).where(AuditEntry.hash == hash)) if hash else None
    return audit.Head(sequence, hash) if sequence else None


def _hash_at(session: Session, sequence: int) -> str | None:
    return session.scalar(select(AuditEntry.hash).where(AuditEntry.sequence == sequence))


def _in_batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    yield from (ids[start : start + DOCUMENTS_AT_ONCE] for start in range(0, len(ids), DOCUMENTS_AT_ONCE))
