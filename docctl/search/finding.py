"""Finding: what a reader may see is asked of the database before the index, and every hit is read from it again after."""

import time
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from weakref import WeakKeyDictionary

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from docctl import audit, clock, revisions, text
from docctl.contents import ContentPage, ContentText
from docctl.documents import Document
from docctl.people import Reader
from docctl.revisions import Revision
from docctl.rules import Sentence
from docctl.search import Engine, Index, Query, narrowing, synonyms
from docctl.search.narrowing import Asked, Choice, Narrowed
from docctl.search.ranking import BODY_READ, REREAD, Asking, Ranked, ranked
from docctl.search.sight import Kept, Sight, key_of, sight_of
from docctl.search.spelling import Lexicon
from docctl.text import Candidate

MARKED = 1_000_000  # Characters in which a passage to show is looked for.
LEAD_IN_FORCE = 0.5  # Of what is in force, before what is not.
TITLES_READ = 30_000  # Of the newest revisions, for the words that somebody may have meant.
LEXICONS_KEPT = 8

SIGHTS_KEPT, ANSWERS_KEPT = 16, 256
MOST_COUNTED = 5_000  # Hits, beyond which filters show no numbers: then words narrow better.
MOST_SORTED = 2_000  # Of the best hits, when they are put in another order.

BEING_BUILT = Sentence(
    "Chỉ mục tìm kiếm đang được dựng lại nên chưa tìm thấy hết. Hãy tìm lại sau ít phút.",
    "The search index is being built again, so not everything is found yet. Search again in a few minutes.",
)

Scope = Literal["in-force", "all"]
Sort = Literal["relevance", "newest"]
SORTS: tuple[Sort, ...] = ("relevance", "newest")


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
    understood: list[Sentence] = field(default_factory=list)  # What was made of the words, where that is not plain.
    spelled: str = ""  # The words that were searched in the place of the typed ones.
    complete: int = 0  # How many have all the words; the others have most of them.
    facets: dict[str, list[Choice]] = field(default_factory=dict)
    among: int = 0  # How many revisions there are to find among, whatever the words.

    def as_dict(self) -> dict[str, Any]:
        """Return the results as the command line and the API write them."""
        return {
            "total": self.total,
            "took_ms": round(self.took_ms, 1),
            "hits": [hit.as_dict() for hit in self.hits],
            "suggestions": self.suggestions,
            "understood": [{"vi": sentence.vi, "en": sentence.en} for sentence in self.understood],
        }


@dataclass
class _Memory:
    """What a process remembers of the answers that an engine gave; each part is keyed by the trail's head."""

    sights: Kept[Sight] = field(default_factory=lambda: Kept(SIGHTS_KEPT))
    lexicons: Kept[Lexicon] = field(default_factory=lambda: Kept(LEXICONS_KEPT))
    ranked: Kept[Ranked] = field(default_factory=lambda: Kept(ANSWERS_KEPT))


_memories: WeakKeyDictionary[Engine, _Memory] = WeakKeyDictionary()


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
    field: str | None = None,
    state: str | None = None,
    year: int | None = None,
    document: int | None = None,
    sort: Sort | str = "relevance",
    limit: int = 20,
    offset: int = 0,
    counted: bool = False,
    verbatim: bool = False,
    posted: bool = False,
) -> Results:
    """Find revisions by words among those a reader (None: the public) may see now; nobody learns of any other.

    `scope="in-force"` finds what is in force, or was at the instant `on`; `all` every state; `document` keeps to the
    history of one. `unit` is a code and means the unit with those below it, `type` is a code; an unknown one raises
    Refused. `counted` adds how many hits each value of the filters would leave; `verbatim` forbids other spellings.
    `posted` keeps to what people without sign-in may read: in force now, of a type whose content is posted.
    """
    assert not posted or (reader is None and scope != "all" and on is None)
    began = time.perf_counter()
    memory = _memories.setdefault(engine, _Memory())
    head = audit.head(session)
    everything = scope == "all"
    seen_by = key_of(reader, everything=everything, on=on, posted=posted)
    sight = sight_of(session, reader, everything=everything, on=on, kept=memory.sights, head=head, posted=posted)
    query = synonyms.used().widened(Query.parse(words))
    in_units, of_types, notes = narrowing.read(session, query)
    asked = Asked(unit or "", type or "", field or "", state or "", year or 0, document or 0, in_units, of_types)
    narrowed = Narrowed(session, sight, asked)
    # What ended since it was indexed is still in the current index, and what begins later is there already.
    index: Index = "all" if everything or on is not None else "current"

    def lexicon() -> Lexicon:
        key = (head.hash, sight.since, seen_by)
        known = memory.lexicons.get(key)
        if known is None:
            memory.lexicons.put(key, known := Lexicon(_titles(session, sight.ids)))
        return known

    known: dict[int, Candidate] = {}

    def read(ids: Sequence[int]) -> dict[int, Candidate]:
        if missing := [id for id in ids if id not in known]:
            known.update(_texts(session, missing, sight if everything else None))
        return {id: known[id] for id in ids if id in known}

    asking = Asking(engine, index, narrowed.ids, read, lexicon)
    wanted = offset + limit if sort == "relevance" else MOST_SORTED
    for _ in range(2):
        generation = engine.generation()
        key = (head.hash, generation, sight.since, seen_by, narrowed.asked)
        found = _remembered(memory.ranked, key, asking, query, wanted, verbatim=verbatim)
        if found.total or engine.generation() == generation:
            break  # Else the index was found damaged, or was built, while it was asked.
    order = _sorted(found.hits, sort, sight)
    hits = _hits(session, found.query, order[offset : offset + limit], on or clock.now(), reader)
    notes += _understood(query, found)
    if head.sequence and not generation:
        notes.insert(0, BEING_BUILT)
    suggestions = [words for words in (found.spelled, found.meant) if words]
    facets = _counted(asking, sight, narrowed, found) if counted else {}
    took = (time.perf_counter() - began) * 1000
    return Results(found.total, took, hits, suggestions, notes, found.spelled, found.complete, facets, narrowed.among)


def seen(session: Session, engine: Engine, *, reader: Reader | None, scope: Scope | str, on: datetime | None) -> Sight:
    """Return what a reader may find in a scope."""
    memory = _memories.setdefault(engine, _Memory())
    return sight_of(session, reader, everything=scope == "all", on=on, kept=memory.sights, head=audit.head(session))


def matching(
    session: Session,
    engine: Engine,
    words: str,
    *,
    reader: Reader | None,
    limit: int,
    scope: Scope | str = "in-force",
    unit: str | None = None,
    type: str | None = None,
    field: str | None = None,
    state: str | None = None,
    year: int | None = None,
    among: frozenset[int] | None = None,
) -> tuple[int, list[int]]:
    """Return how many revisions have all the words, and the best `limit` of them, as far as a reader may see them now.

    `among` keeps to some revisions; nothing is spelled otherwise and no word may be missing.
    """
    query = synonyms.used().widened(Query.parse(words))
    sight = seen(session, engine, reader=reader, scope=scope, on=None)
    in_units, of_types, _ = narrowing.read(session, query)
    asked = Asked(unit or "", type or "", field or "", state or "", year or 0, 0, in_units, of_types)
    ids = Narrowed(session, sight, asked).ids
    only = ids if among is None else ids & among
    everything = scope == "all"
    asking = Asking(
        engine,
        "all" if everything else "current",
        only,
        lambda some: _texts(session, some, sight if everything else None),
        lambda: Lexicon(()),
    )
    found = asking.first(query, limit)
    wanted = [id for id, _ in found.hits[:limit]]
    visible = select(Revision.id).join(Document).where(Revision.id.in_(wanted), revisions.visible(reader))
    may = set(session.scalars(visible))
    return found.total, [id for id in wanted if id in may]


def _remembered(
    kept: Kept[Ranked], key: tuple[Hashable, ...], asking: Asking, query: Query, wanted: int, *, verbatim: bool
) -> Ranked:
    """Return an answer given before to the same question while nothing was done since, else work it out."""
    key = (*key, asking.index, query, -(-wanted // REREAD), verbatim)
    found = kept.get(key)
    if found is None:
        found = ranked(asking, query, wanted, verbatim=verbatim)
        kept.put(key, found)
    return found


def _counted(asking: Asking, sight: Sight, narrowed: Narrowed, found: Ranked) -> dict[str, list[Choice]]:
    """Count once over everything that matches without the filters, so that each can be counted with the others applied."""
    if not narrowed.left_by:
        if found.total <= len(found.hits):
            return narrowed.counted(id for id, _ in found.hits)
        if found.total > MOST_COUNTED:
            return {}
    open_to = replace(asking, only=sight.ids)
    if narrowed.left_by and open_to.first(found.searched, 1).total > MOST_COUNTED:
        return {}
    return narrowed.counted(id for id, _ in open_to.first(found.searched, MOST_COUNTED).hits)


def _sorted(hits: Sequence[tuple[int, float]], sort: str, sight: Sight) -> list[tuple[int, float]]:
    if sort == "newest":
        return sorted(hits, key=lambda hit: sight.facts[hit[0]].since, reverse=True)
    return list(hits)


def _titles(session: Session, ids: frozenset[int]) -> Iterable[str]:
    rows = session.execute(select(Revision.id, Revision.title).order_by(Revision.id.desc()).limit(TITLES_READ))
    return (title for id, title in rows if id in ids)


def _texts(session: Session, ids: Sequence[int], sight: Sight | None) -> dict[int, Candidate]:
    """Read what the second pass compares with the words: code, title and the beginning of the text."""
    query = (
        select(Revision.id, Document.code, Revision.title, func.substr(ContentText.text, 1, BODY_READ))
        .join(Document, Document.id == Revision.document_id)
        .outerjoin(ContentText, ContentText.sha256 == Revision.file_sha256)
        .where(Revision.id.in_(ids))
    )
    leads = {id: LEAD_IN_FORCE for id in ids if sight and sight.facts[id].state == revisions.IN_FORCE}
    return {
        id: Candidate(id, 0.0, code, title, body or "", leads.get(id, 0.0))
        for id, code, title, body in session.execute(query)
    }


def _hits(
    session: Session, query: Query, page: Sequence[tuple[int, float]], at: datetime, reader: Reader | None
) -> list[Hit]:
    wanted = [id for id, _ in page]
    loading = joinedload(Revision.document)
    records = session.scalars(
        select(Revision)
        .join(Document)
        .where(Revision.id.in_(wanted), revisions.visible(reader))
        .options(loading.joinedload(Document.unit), loading.joinedload(Document.type))
    )
    found = {record.id: record for record in records}
    bodies = _bodies(session, found.values())
    pages = _pages(session, bodies)
    standing = _standing(session, [record for record in found.values() if record.status() == revisions.SUPERSEDED])
    return [_hit(found[id], score, query, bodies, pages, standing, at) for id, score in page if id in found]


def _hit(
    record: Revision,
    score: float,
    query: Query,
    bodies: Mapping[str, str],
    pages: Mapping[str, Sequence[tuple[int, int]]],
    standing: Mapping[int, int],
    at: datetime,
) -> Hit:
    body = bodies.get(record.file_sha256 or "", "")
    passage = text.passage(body, query.shown)
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
        page=_page_at(pages.get(record.file_sha256 or "", ()), passage.start) if passage.found else None,
        in_force=standing.get(record.document_id) if state == revisions.SUPERSEDED else None,
        record=record,
    )


def _bodies(session: Session, records: Iterable[Revision]) -> dict[str, str]:
    wanted = {record.file_sha256 for record in records if record.file_sha256}
    rows = session.execute(
        select(ContentText.sha256, func.substr(ContentText.text, 1, MARKED)).where(ContentText.sha256.in_(wanted))
    )
    return dict(rows.all())


def _pages(session: Session, shas: Collection[str]) -> dict[str, list[tuple[int, int]]]:
    """Return for each text that has pages where each of them begins and its number."""
    query = select(ContentPage.sha256, ContentPage.start, ContentPage.number).where(ContentPage.sha256.in_(shas))
    found: dict[str, list[tuple[int, int]]] = {}
    for sha256, start, number in session.execute(query.order_by(ContentPage.start)):
        found.setdefault(sha256, []).append((start, number))
    return found


def _page_at(pages: Sequence[tuple[int, int]], place: int) -> int | None:
    return next((number for start, number in reversed(pages) if start <= place), None)


def _standing(session: Session, superseded: Sequence[Revision]) -> dict[int, int]:
    """Return by document the revision in force now, which everybody may see."""
    wanted = {record.document_id for record in superseded}
    query = select(Revision.document_id, Revision.id).where(
        Revision.document_id.in_(wanted), revisions.in_force_at(clock.now())
    )
    return dict(session.execute(query).all())


def _understood(query: Query, found: Ranked) -> list[Sentence]:
    """Say what was searched, where that is not simply all of the words."""
    notes = []
    if found.spelled:
        notes.append(
            Sentence(
                "Đã tìm “{spelled}” thay cho “{typed}”.", "This was searched for “{spelled}” instead of “{typed}”."
            ).fill(typed=query.text, spelled=found.spelled)
        )
    if found.complete < found.total:
        notes.append(
            Sentence(
                "{complete} kết quả có đủ các từ; những kết quả sau có phần lớn các từ.",
                "{complete} have all the words; the ones after them have most of the words.",
            ).fill(complete=str(found.complete))
            if found.complete
            else Sentence(
                "Không có tài liệu nào có đủ các từ; đây là những tài liệu có phần lớn các từ.",
                "No document has all the words; these have most of them.",
            )
        )
    if found.query.also and not found.spelled:
        notes.append(
            Sentence("Đã tìm cả {words}.", "This was searched for too: {words}.").fill(
                words=", ".join(f"“{way.text}”" for way in found.query.also)
            )
        )
    if query.without:
        left_out = ", ".join(word.folded for word in query.without)
        notes.append(
            Sentence("Đã bỏ tài liệu có: {words}.", "Without documents that have: {words}.").fill(words=left_out)
        )
    return notes
