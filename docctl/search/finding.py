"""Finding: what a reader may see is asked of the database before the index, and every hit is read from it again after."""

import heapq
import time
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import audit, clock, revisions, text
from docctl.audit import Head
from docctl.documents import Document, DocumentType
from docctl.people import Reader
from docctl.revisions import Revision
from docctl.rules import Sentence
from docctl.search import Engine, Index, Query, narrowing, synonyms
from docctl.search.narrowing import Asked, Choice, Names, Narrowed
from docctl.search.ranking import REREAD, Asking, Ranked, ranked
from docctl.search.remembering import Kept, Trail
from docctl.search.sight import Sight, key_of, sight_of
from docctl.search.spelling import Lexicon
from docctl.search.texts import Pages, Texts
from docctl.text import Candidate
from docctl.units import Unit

LEAD_IN_FORCE = 0.5  # Of what is in force, before what is not.

ANSWERS_KEPT = 256
MOST_IN_SIGHT = 500_000  # Revisions, in all that a process remembers of what each may see: about 200 MB.
MOST_COUNTED = 5_000  # Hits, beyond which filters show no numbers: then words narrow better.
MOST_SORTED = 2_000  # Of the best hits, when they are put in another order.

BEING_BUILT = Sentence(
    "Chỉ mục tìm kiếm đang được dựng lại nên chưa tìm thấy hết. Hãy tìm lại sau ít phút.",
    "The search index is being built again, so not everything is found yet. Search again in a few minutes.",
)

NO_WORD = Sentence(
    "Hãy gõ ít nhất một từ hoặc một mã để tìm; dấu trừ chỉ bỏ bớt kết quả.",
    "Type at least one word or code to look for; a minus only leaves hits out.",
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
    in_force: int | None  # Of a hit that another edition has taken the place of: the edition in force today.
    edition_text: str  # With the amendment even where there is none: `02/00`.
    effective_from: datetime | None
    unit_vi: str
    unit_en: str

    def unit_name(self, locale: str) -> str:
        """Return the name of the unit in a language."""
        return self.unit_en if locale == "en" and self.unit_en else self.unit_vi

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
    building: bool = False  # Whether there is no index yet: then that nothing was found says nothing.

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
    """What a process remembers of the answers that an engine gave, each with its mark in the trail."""

    trail: Trail = field(default_factory=Trail)
    sights: Kept[Sight] = field(default_factory=lambda: Kept(MOST_IN_SIGHT, lambda sight: 100 + len(sight.facts)))
    ranked: Kept[Ranked] = field(default_factory=lambda: Kept(ANSWERS_KEPT))
    counted: Kept[dict[str, list[Choice]]] = field(default_factory=lambda: Kept(ANSWERS_KEPT))
    names: Kept[Names] = field(default_factory=lambda: Kept(1))

    def __post_init__(self) -> None:
        self.texts = Texts(self.trail)


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
    head: Head | None = None,
) -> Results:
    """Find revisions by words among those a reader (None: the public) may see now; nobody learns of any other.

    `scope="in-force"` finds what is in force, or was at the instant `on`; `all` every state; `document` keeps to the
    history of one. `unit` is a code and means the unit with those below it, `type` is a code; an unknown one raises
    Refused. `counted` adds how many hits each value of the filters would leave; `verbatim` forbids other spellings.
    `posted` keeps to what people without sign-in may read: in force now, of a type whose content is posted. `head` is
    that of the trail, where the caller has read it in this session already.
    """
    assert not posted or (reader is None and scope != "all" and on is None)
    began = time.perf_counter()
    memory = _memories.setdefault(engine, _Memory())
    head = head or audit.head(session)
    mark = memory.trail.mark(session, head)
    everything = scope == "all"
    seen_by = key_of(reader, everything=everything, on=on, posted=posted)
    sight = _sight(session, memory, mark, reader, everything=everything, on=on, posted=posted)
    query = synonyms.used().widened(Query.parse(words))
    typed, notes = narrowing.read(session, query)
    asked = replace(
        typed,
        unit=unit or "",
        type=type or "",
        field=field or "",
        state=state or "",
        year=year or 0,
        document=document or 0,
    )
    narrowed = Narrowed(session, sight, asked)
    texts = memory.texts
    # What ended since it was indexed is still in the current index, and what begins later is there already.
    index: Index = "all" if everything or on is not None else "current"

    def read(ids: Sequence[int]) -> dict[int, Candidate]:
        return _led(texts.read(session, mark, ids), sight if everything else None)

    asking = Asking(engine, index, narrowed.ids, read, partial(sight.lexicon, session), narrowed.like, asked)
    wide = None
    if asked.filtered:
        among = Narrowed(session, sight, asked.unfiltered())
        wide = replace(asking, only=among.ids, like=among.like, asked=among.asked, answers={})
    wanted = offset + limit if sort == "relevance" else MOST_SORTED
    listed = None if query else _listed(query, asked, narrowed.ids, sight, wanted)
    for _ in range(2):
        generation = engine.generation()
        key = (mark, generation, sight.since, seen_by)
        found = listed or _remembered(memory.ranked, key, asking, query, wanted, verbatim=verbatim, wide=wide)
        if found.total or engine.generation() == generation:
            break  # Else the index was found damaged, or was built, while it was asked.
    order = _sorted(found.hits, sort, sight)
    page = order[offset : offset + limit]
    hits = _hits(session, found.query, page, on, reader, texts, mark)
    notes += _understood(query, found) if query or found.total or not words.strip() else [NO_WORD]
    building = bool(head.sequence) and not generation
    if building:
        notes.insert(0, BEING_BUILT)
    suggestions = [query.completed(words) for words in (found.spelled, found.meant) if words]
    facets = _counted(memory, key, asking, sight, narrowed, found, _names(session, memory, mark)) if counted else {}
    took = (time.perf_counter() - began) * 1000
    return Results(
        found.total,
        took,
        hits,
        suggestions,
        notes,
        found.spelled,
        found.complete,
        facets,
        narrowed.among,
        building and not found.total,
    )


def names(session: Session, engine: Engine, head: Head) -> Names:
    """Return the names of units and types, by which searches are narrowed down, as they are at a head of the trail."""
    memory = _memories.setdefault(engine, _Memory())
    return _names(session, memory, memory.trail.mark(session, head))


def _names(session: Session, memory: _Memory, mark: Head) -> Names:
    known = memory.names.get(mark)
    if known is None:
        memory.names.put(mark, known := Names.read(session))
    return known


def seen(session: Session, engine: Engine, *, reader: Reader | None, scope: Scope | str, on: datetime | None) -> Sight:
    """Return what a reader may find in a scope."""
    memory = _memories.setdefault(engine, _Memory())
    mark = memory.trail.mark(session, audit.head(session))
    return _sight(session, memory, mark, reader, everything=scope == "all", on=on)


def warm(session: Session, engine: Engine) -> None:
    """Read what is in force, its words and the names to filter by, so that the first who search need not wait for it."""
    seen(session, engine, reader=None, scope="in-force", on=None).lexicon(session)
    names(session, engine, audit.head(session))


def _sight(
    session: Session,
    memory: _Memory,
    mark: Head,
    reader: Reader | None,
    *,
    everything: bool,
    on: datetime | None = None,
    posted: bool = False,
) -> Sight:
    kept, trail = memory.sights, memory.trail
    return sight_of(session, reader, everything=everything, on=on, posted=posted, kept=kept, trail=trail, mark=mark)


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
    memory = _memories.setdefault(engine, _Memory())
    mark, everything = memory.trail.mark(session, audit.head(session)), scope == "all"
    sight = _sight(session, memory, mark, reader, everything=everything)
    typed, _ = narrowing.read(session, query)
    asked = replace(typed, unit=unit or "", type=type or "", field=field or "", state=state or "", year=year or 0)
    ids = Narrowed(session, sight, asked).ids
    only = ids if among is None else ids & among
    asking = Asking(
        engine,
        "all" if everything else "current",
        only,
        lambda some: _led(memory.texts.read(session, mark, some), sight if everything else None),
        lambda: Lexicon(()),
    )
    found = asking.first(query, limit) if query else _listed(query, asked, only, sight, limit)
    wanted = [id for id, _ in found.hits[:limit]]
    visible = select(Revision.id).join(Document).where(Revision.id.in_(wanted), revisions.visible(reader))
    may = set(session.scalars(visible))
    return found.total, [id for id in wanted if id in may]


def _remembered(
    kept: Kept[Ranked],
    key: tuple[Hashable, ...],
    asking: Asking,
    query: Query,
    wanted: int,
    *,
    verbatim: bool,
    wide: Asking | None = None,
) -> Ranked:
    """Return an answer given before to the same question while nothing was done since, else work it out.

    Pages of one length of list share it, so it is as long as the longest of them wants. `wide` asks without the filters.
    """
    wanted = -(-wanted // REREAD) * REREAD
    whole = (*key, asking.asked, asking.index, query, wanted, verbatim)
    found = kept.get(whole)
    if found is None:
        unfiltered = partial(_remembered, kept, key, wide, query, REREAD, verbatim=verbatim) if wide else None
        found = ranked(asking, query, wanted, verbatim=verbatim, unfiltered=unfiltered)
        kept.put(whole, found)
    return found


def _listed(query: Query, asked: Asked, ids: frozenset[int], sight: Sight, wanted: int) -> Ranked:
    """Return what a unit or a type has, newest first, where nothing else was typed; nothing where a word is missing."""
    without = query.without
    named = asked.units or asked.types or asked.without_units or asked.without_types
    if not named or without.words or without.phrases or without.codes:
        ids = frozenset()
    newest = heapq.nlargest(wanted, ids, key=lambda id: (sight.facts[id].since, id))
    return Ranked(len(ids), len(ids), [(id, 0.0) for id in newest], query, query)


def _counted(
    memory: _Memory,
    key: tuple[Hashable, ...],
    asking: Asking,
    sight: Sight,
    narrowed: Narrowed,
    found: Ranked,
    names: Names,
) -> dict[str, list[Choice]]:
    """Return how many of the hits each value of the filters leaves, as counted before or counted now."""
    key = (*key, asking.asked, asking.index, found.searched)
    known = memory.counted.get(key)
    if known is None:
        known = narrowed.counted(_matching(asking, sight, narrowed, found), names)
        memory.counted.put(key, known)
    return known


def _matching(asking: Asking, sight: Sight, narrowed: Narrowed, found: Ranked) -> Iterable[int]:
    """Return everything that matches without the filters, so that each can be counted with the others applied.

    Nothing when it is too much to count.
    """
    if not found.query:
        return sight.ids if found.total and len(sight.ids) <= MOST_COUNTED else ()
    if not narrowed.left_by:
        if found.total > MOST_COUNTED:
            return ()
        if found.total <= len(found.hits):
            return [id for id, _ in found.hits]
        return asking.all_of(found.searched, MOST_COUNTED)
    if found.total > MOST_COUNTED:
        return ()  # Without the filters there are no fewer.
    open_to = replace(asking, only=sight.ids, like=(), asked=(), answers={})
    if open_to.first(found.searched, 1).total > MOST_COUNTED:
        return ()
    return open_to.all_of(found.searched, MOST_COUNTED)


def _sorted(hits: Sequence[tuple[int, float]], sort: str, sight: Sight) -> list[tuple[int, float]]:
    if sort == "newest":
        return sorted(hits, key=lambda hit: sight.facts[hit[0]].since, reverse=True)
    return list(hits)


def _led(found: dict[int, Candidate], sight: Sight | None) -> dict[int, Candidate]:
    """Give what is in force its lead before what is not, where both are looked for."""
    if sight is None:
        return found
    return {
        id: candidate._replace(lead=LEAD_IN_FORCE) if sight.facts[id].state == revisions.IN_FORCE else candidate
        for id, candidate in found.items()
    }


def _hits(
    session: Session,
    query: Query,
    page: Sequence[tuple[int, float]],
    on: datetime | None,
    reader: Reader | None,
    texts: Texts,
    mark: Head,
) -> list[Hit]:
    wanted = _ROWS.where(Revision.id.in_([id for id, _ in page]), revisions.visible(reader))
    rows = [_Row(*row) for row in session.connection().execute(wanted)]
    shas = {row.id: row.sha256 for row in rows if row.sha256}
    bodies, pages = texts.whole(session, mark, shas), texts.pages_of(session, mark, shas.values())
    now = clock.now()
    # Of a hit of another day that is not in force today, the edition that is, whichever of them came first.
    past = {
        row.id: row.document
        for row in rows
        if (today := row.state_at(now)) == revisions.SUPERSEDED or (on is not None and today != revisions.IN_FORCE)
    }
    current = _standing(session, set(past.values()))
    standing = {id: current[document] for id, document in past.items() if document in current}
    found = {row.id: row for row in rows}
    return [_hit(found[id], score, query, bodies, pages, standing, on or now) for id, score in page if id in found]


# Columns and not objects: a page of them is read with every search.
_ROWS = (
    select(Revision.id, Revision.document_id, Document.code, Revision.title, Revision.edition, Revision.amendment)
    .add_columns(Revision.state, Revision.effective_from, Revision.effective_to, Revision.file_sha256)
    .add_columns(Unit.code, Unit.name_vi, Unit.name_en, DocumentType.code)
    .join(Document, Document.id == Revision.document_id)
    .join(Unit, Unit.id == Document.unit_id)
    .join(DocumentType, DocumentType.id == Document.type_id)
)


class _Row(NamedTuple):
    id: int
    document: int
    code: str
    title: str
    edition: int
    amendment: int
    state: str
    begins: datetime | None
    ends: datetime | None
    sha256: str | None
    unit: str
    unit_vi: str
    unit_en: str
    type: str

    def state_at(self, at: datetime) -> str:
        return revisions.status_at(self.state, self.begins, self.ends, at)


def _hit(
    row: _Row,
    score: float,
    query: Query,
    bodies: Mapping[int, str],
    pages: Mapping[str, Pages],
    standing: Mapping[int, int],
    at: datetime,
) -> Hit:
    passage = text.passage(bodies.get(row.id, ""), query.text, also=[way.text for way in query.also])
    return Hit(
        document=row.document,
        code=row.code,
        title=row.title,
        revision=row.id,
        edition=revisions.edition_code(row.edition, row.amendment),
        state=row.state_at(at),
        unit=row.unit,
        type=row.type,
        score=score,
        snippet=passage.pieces,
        page=_page_at(pages.get(row.sha256 or "", ()), passage.start) if passage.found else None,
        in_force=standing.get(row.id),
        edition_text=revisions.edition_text(row.edition, row.amendment),
        effective_from=row.begins,
        unit_vi=row.unit_vi,
        unit_en=row.unit_en,
    )


def _page_at(pages: Pages, place: int) -> int | None:
    return next((number for start, number in reversed(pages) if start <= place), None)


def _standing(session: Session, superseded: Collection[int]) -> dict[int, int]:
    """Return by document the revision in force now, which everybody may see."""
    if not superseded:
        return {}
    query = select(Revision.document_id, Revision.id).where(
        Revision.document_id.in_(superseded), revisions.in_force_at(clock.now())
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
                "{complete} kết quả có đủ các từ; những kết quả còn lại có phần lớn các từ.",
                "{complete} have all the words; the others have most of the words.",
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
    if query.without.shown:
        left_out = ", ".join(query.without.shown)
        notes.append(
            Sentence("Đã bỏ tài liệu có: {words}.", "Without documents that have: {words}.").fill(words=left_out)
        )
    return notes
