"""The index follows the audit trail, and every answer is read again from the database with the reader's rights."""

import difflib
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from docctl import audit, clock, documents, revisions, text, units
from docctl.audit import AuditEntry
from docctl.contents import ContentText
from docctl.database import Database
from docctl.documents import Document
from docctl.people import Reader
from docctl.revisions import Revision
from docctl.search import Engine, IndexedRevision, Query
from docctl.text import Candidate

DOCUMENTS_AT_ONCE = 500
REREAD = 50  # Hits that the second pass looks at.
BODY_READ = 60_000  # Characters of each that it looks at.
MARKED = 1_000_000  # Characters in which a passage to show is looked for.
PHRASES_READ = 200  # Hits of a phrase of three words or more that are compared with the text itself.
IDLE_ENTRIES = 1000  # Entries about no document after which the position is written all the same.

Scope = Literal["in-force", "all"]


@dataclass(frozen=True)
class Hit:
    """A revision that was found, as the reader may see it now; `snippet` is pieces, marked or not."""

    document: int
    code: str
    title: str
    revision: int
    edition: str
    state: str
    unit: str
    type: str
    score: float
    snippet: list[tuple[str, bool]]
    page: int | None  # Of the passage in the file, where the file has pages.
    in_force: int | None  # Of a superseded hit: the revision in force of the same document.
    record: Revision = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the hit as the command line and the API write it."""
        return {
            "document": self.document,
            "code": self.code,
            "title": self.title,
            "revision": self.revision,
            "edition": self.edition,
            "state": self.state,
            "unit": self.unit,
            "type": self.type,
            "score": self.score,
            "snippet": "".join(piece for piece, _ in self.snippet),
        }


@dataclass(frozen=True)
class Results:
    """What a search found: how many in all, one page of them, and other words when there are none."""

    total: int
    took_ms: float
    hits: list[Hit]
    suggestions: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return the results as the command line and the API write them."""
        return {
            "total": self.total,
            "took_ms": round(self.took_ms, 1),
            "hits": [hit.as_dict() for hit in self.hits],
            "suggestions": self.suggestions,
        }


# --- Following ------------------------------------------------------------------------------------------------------


def follow(database: Database, engine: Engine) -> int:
    """Bring the index up to the trail and return how many revisions were indexed.

    Missing, damaged, of another version, or of another database: it is built anew beside the old one.
    """
    with engine.indexing() as mine, database.reading() as session:
        head = audit.head(session)
        if not mine or head.sequence == 0:
            return 0
        position = engine.position()
        if position == 0 or _hash_at(session, position) != engine.mark():
            return _build(session, engine, head)
        return _catch_up(session, engine, position, head)


def rebuild(database: Database, engine: Engine) -> int:
    """Build the index anew, while the old one still answers, and return how many revisions it has."""
    with engine.indexing() as mine, database.reading() as session:
        if not mine:
            raise TimeoutError("another process is writing the search index")
        return _build(session, engine, audit.head(session))


def _build(session: Session, engine: Engine, head: audit.Head) -> int:
    done = 0
    with engine.rebuilding() as fresh:
        for some in _in_batches(session.scalars(select(Document.id).order_by(Document.id)).all()):
            found = indexed(session, some)
            fresh.apply(found, (), 0)
            done += len(found)
        fresh.apply((), (), head.sequence, head.hash)
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
        .join(Document, Document.id == Revision.document_id)
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
            current=state in revisions.WAS_ISSUED and (ends is None or ends > now),
        )
        for id, code, title, body, state, ends in session.execute(query)
    ]


def _hash_at(session: Session, sequence: int) -> str | None:
    return session.scalar(select(AuditEntry.hash).where(AuditEntry.sequence == sequence))


def _in_batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    yield from (ids[start : start + DOCUMENTS_AT_ONCE] for start in range(0, len(ids), DOCUMENTS_AT_ONCE))


# --- Finding --------------------------------------------------------------------------------------------------------


def find(
    session: Session,
    engine: Engine,
    words: str,
    *,
    reader: Reader | None,
    scope: Scope | str = "in-force",
    on: datetime | None = None,
    unit: str | None = None,
    type: str | None = None,
    limit: int = 20,
    offset: int = 0,
) -> Results:
    """Find revisions by words among those a reader (None: the public) may see now; nobody learns of any other.

    `scope="in-force"` finds what is in force, or was at the instant `on`; `all` every state. `unit` is a code and
    means the unit with those below it, `type` is a code; an unknown one raises Refused.
    """
    began = time.perf_counter()
    allowed = _allowed(session, reader, scope=scope, on=on, unit=unit, type=type)
    query = Query.parse(words)
    # What ended since it was indexed is still in the current index, and what begins later is there already.
    index: Literal["current", "all"] = "current" if scope == "in-force" and on is None else "all"
    found = engine.search(
        query, index, allowed, limit=max(REREAD, PHRASES_READ if query.phrases else 0, offset + limit)
    )
    total, ranked = found.total, list(found.hits)
    if any(len(text.tokens(phrase)) > 2 for phrase in query.phrases):
        read = _texts(session, [id for id, _ in ranked[:PHRASES_READ]])
        kept = [hit for hit in ranked if hit[0] not in read or _has_phrases(read[hit[0]], query)]
        total, ranked = total - len(ranked) + len(kept), kept
    page = _reordered(session, query, ranked)[offset : offset + limit]
    hits = _hits(session, query, page, on or clock.now())
    suggestions = [] if total or not query.words else _suggestions(session, engine, query, allowed, index)
    return Results(total, (time.perf_counter() - began) * 1000, hits, suggestions)


def _allowed(
    session: Session, reader: Reader | None, *, scope: str, on: datetime | None, unit: str | None, type: str | None
) -> frozenset[int]:
    query = select(Revision.id).join(Document).where(revisions.visible(reader))
    if scope != "all":
        query = query.where(revisions.in_force_at(on or clock.now()))
    elif on is not None:
        query = query.where(revisions.in_force_at(on))
    if unit:
        query = query.where(Document.unit_id.in_(units.with_descendants(session, units.find(session, unit).id)))
    if type:
        query = query.where(Document.type_id == documents.find_type(session, type).id)
    return frozenset(session.scalars(query))


def _texts(session: Session, ids: Sequence[int]) -> dict[int, Candidate]:
    """Read what the second pass compares with the words: code, title and the beginning of the text."""
    query = (
        select(Revision.id, Document.code, Revision.title, func.substr(ContentText.text, 1, BODY_READ))
        .join(Document, Document.id == Revision.document_id)
        .outerjoin(ContentText, ContentText.sha256 == Revision.file_sha256)
        .where(Revision.id.in_(ids))
    )
    return {id: Candidate(id, 0.0, code, title, body or "") for id, code, title, body in session.execute(query)}


def _has_phrases(found: Candidate, query: Query) -> bool:
    return all(
        text.phrase_in(found.title, phrase) or text.phrase_in(found.body, phrase) or len(found.body) >= BODY_READ
        for phrase in query.phrases
    )


def _reordered(session: Session, query: Query, ranked: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    read = _texts(session, [id for id, _ in ranked[:REREAD]])
    judged = [read[id]._replace(score=score) for id, score in ranked[:REREAD] if id in read]
    return [*text.second_pass(query.text, judged), *text.below_second_pass(ranked[REREAD:], ranked)]


def _hits(session: Session, query: Query, page: Sequence[tuple[int, float]], at: datetime) -> list[Hit]:
    wanted = [id for id, _ in page]
    loading = joinedload(Revision.document)
    records = session.scalars(
        select(Revision)
        .where(Revision.id.in_(wanted))
        .options(loading.joinedload(Document.unit), loading.joinedload(Document.type))
    )
    found = {record.id: record for record in records}
    bodies = _bodies(session, found.values())
    standing = _standing(session, [record for record in found.values() if record.status() == revisions.SUPERSEDED])
    return [_hit(found[id], score, query, bodies, standing, at) for id, score in page if id in found]


def _hit(
    record: Revision,
    score: float,
    query: Query,
    bodies: Mapping[str, str],
    standing: Mapping[int, int],
    at: datetime,
) -> Hit:
    body = bodies.get(record.file_sha256 or "", "")
    passage = text.passage(body, query.text)
    state = record.status(at)
    return Hit(
        document=record.document_id,
        code=record.document.code,
        title=record.title,
        revision=record.id,
        edition=record.edition_code,
        state=state,
        unit=record.document.unit.code,
        type=record.document.type.code,
        score=score,
        snippet=passage.pieces,
        page=body.count("\f", 0, passage.start) + 1 if "\f" in body and passage.found else None,
        in_force=standing.get(record.document_id) if state == revisions.SUPERSEDED else None,
        record=record,
    )


def _bodies(session: Session, records: Iterable[Revision]) -> dict[str, str]:
    wanted = {record.file_sha256 for record in records if record.file_sha256}
    rows = session.execute(
        select(ContentText.sha256, func.substr(ContentText.text, 1, MARKED)).where(ContentText.sha256.in_(wanted))
    )
    return dict(rows.all())


def _standing(session: Session, superseded: Sequence[Revision]) -> dict[int, int]:
    """Return by document the revision in force now, which everybody may see."""
    wanted = {record.document_id for record in superseded}
    query = select(Revision.document_id, Revision.id).where(
        Revision.document_id.in_(wanted), revisions.in_force_at(clock.now())
    )
    return dict(session.execute(query).all())


def _suggestions(
    session: Session,
    engine: Engine,
    query: Query,
    allowed: frozenset[int],
    index: Literal["current", "all"],
) -> list[str]:
    """Return what else to type: words of titles that the reader may see, and that find something for him."""
    titles = session.execute(select(Revision.id, Revision.title))
    written: dict[str, Counter[str]] = {}
    for id, title in titles:
        if id in allowed:
            plain = text.nfc(title)
            for token in text.tokens(plain):
                written.setdefault(token.folded, Counter())[plain[token.start : token.end].lower()] += 1
    meant = []
    for token in text.tokens(query.text):
        near = [token.folded] if token.folded in written else _near(token.folded, written)
        meant += [written[word].most_common(1)[0][0] for word in near]
    suggestion = " ".join(meant)
    if not meant or not engine.search(Query.parse(suggestion), index, allowed, limit=1).total:
        return []
    return [suggestion]


def _near(word: str, known: Collection[str]) -> list[str]:
    # Many words are written with i by some and with y by others: kí, ký.
    alike = [other for other in known if other.replace("y", "i") == word.replace("y", "i")]
    return alike[:1] or difflib.get_close_matches(word, known, 1, 0.7)
