"""The engine for large sites: tantivy keeps and counts, with the same terms and the same rules as the embedded engine.

One index holds everything; a term says whether a revision is current. The trail's position is a row of its own in the
same commit, so that a crash leaves the old position with the old rows.
"""

import heapq
import json
import threading
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import tantivy
from tantivy import Occur
from tantivy import Query as Found

from docctl import text
from docctl.search import EngineResult, Index, IndexedRevision, Query, Word, scoring, seals
from docctl.search.folders import Builds, Exclusive
from docctl.search.scoring import CODE_PART, CODE_WHOLE, EXACT, PAIR, TITLE, TITLE_PAIR
from docctl.search.seals import Watch

VERSION = f"tantivy-{text.VERSION}.{scoring.VERSION}.2"
PART = "all"
CURRENT, ARCHIVE = "current", "archive"
MEMORY = 64_000_000
MOST_EXPANSIONS, MOST_PREFIXES = 200, 2_000
FEW = 300  # Revisions that are named one by one without a noticeable cost.
MOST_IDS = 10_000_000


class Damaged(Exception):
    """The files of the index cannot be read."""


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    for name in ("body", "exact", "pair"):
        builder.add_text_field(name, tokenizer_name="terms", index_option="freq")
    for name in ("title", "code", "place"):
        builder.add_text_field(name, tokenizer_name="terms", index_option="basic")
    builder.add_text_field("fact", tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("revision", stored=True, indexed=True, fast=True)
    builder.add_text_field("position", stored=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


SCHEMA = _schema()


class Opened:
    """The index of a build at its newest commit; the searcher may be used by any thread."""

    def __init__(self, build: str, folder: Path) -> None:
        with _reading():
            self.build = build
            self.meta = folder / "meta.json"
            self.index = tantivy.Index.open(str(folder))
            # At once: until then a thread of tantivy may read the files too, whatever they have become meanwhile.
            self.index.config_reader("manual", 0)
            self.index.register_tokenizer("terms", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
            self.index.reload()
            self.searcher = self.index.searcher()
            self.seen = self.commit()
            self.holders: dict[tuple[str, str], frozenset[int]] = {}
            self.places: dict[str, tuple[Any, Any] | None] = {}
            self.filters: dict[tuple[str, frozenset[int]], list[tuple[Any, Any]]] = {}
            self.expansions: dict[tuple[str, str], list[str]] = {}

    def commit(self) -> tuple[int, int]:
        """Return what changes with every commit."""
        found = self.meta.stat()
        return found.st_mtime_ns, found.st_ino

    def having(self, field: str = "", term: str = "") -> frozenset[int]:
        """Return the revisions that have a term, or all of them."""
        key = (field, term)
        if key not in self.holders:
            query = _term(field, term) if field else Found.all_query()
            hits = self.searcher.search(query, limit=max(1, self.searcher.num_docs), count=False).hits
            ids = self.searcher.fast_field_values("revision", [address for _, address in hits])
            self.holders[key] = frozenset(int(id) for id in ids if id)
        return self.holders[key]

    def expanded(self, field: str, prefix: str) -> list[str]:
        """Return the first terms that begin with a prefix; `qt` begins every code of an office, so they are kept."""
        key = (field, prefix)
        if key not in self.expansions:
            if len(self.expansions) >= MOST_PREFIXES:
                self.expansions.clear()
            searcher: Any = self.searcher
            terms = (term for term, _ in searcher.terms_with_prefix(field, prefix))
            self.expansions[key] = heapq.nsmallest(
                MOST_EXPANSIONS, (t for t in terms if field != "title" or "_" not in t)
            )
        return self.expansions[key]

    def within(self, place: str) -> tuple[Any, Any] | None:
        """Return the clause that keeps to a place: there, or not in the other one, whichever has fewer; None for all."""
        if place not in self.places:
            other = ARCHIVE if place == CURRENT else CURRENT
            here, there = (self._many(name) for name in (place, other))
            occur, name = (Occur.Must, place) if here < there else (Occur.MustNot, other)
            self.places[place] = (occur, Found.const_score_query(_term("place", name), 0.0)) if there else None
        return self.places[place]

    def _many(self, place: str) -> int:
        found: Any = self.searcher.search(_term("place", place), limit=1)
        return int(found.count or 0)

    def only(self, place: str, ids: frozenset[int], like: Sequence[Collection[str]]) -> list[tuple[Any, Any]]:
        """Return the clauses that keep to some revisions, by naming as few of them as can be.

        They are the named ones; or all but those named; or those with some facts, but for the named ones.
        """
        key = (place, ids)
        clauses = self.filters.pop(key, None)
        if clauses is None:
            if len(self.filters) >= 16:
                self.filters.clear()
            clauses = self._only(place, ids, like)
        # Kept under the set that asked last: comparing it with an equal one would cost more than the search.
        self.filters[key] = clauses
        return clauses

    def _only(self, place: str, ids: frozenset[int], like: Sequence[Collection[str]]) -> list[tuple[Any, Any]]:
        all_here = self.having("place", place) if place else self.having()
        others = all_here - ids
        if not others:
            return []
        if like and min(len(ids), len(others)) > FEW:
            groups = [frozenset[int]().union(*(self.having("fact", fact) for fact in facts)) for facts in like]
            there = all_here.intersection(*groups)
            beside, missing = there - ids, (ids & all_here) - there
            if len(beside) + len(missing) < min(len(ids), len(others)):
                clauses = [(Occur.Must, _with_any(facts)) for facts in like]
                if missing:
                    either = [(Occur.Should, Found.boolean_query(clauses)), (Occur.Should, _named(missing))]
                    clauses = [(Occur.Must, Found.const_score_query(Found.boolean_query(either), 0.0))]
                return [*clauses, (Occur.MustNot, _named(beside))] if beside else clauses
        return [(Occur.Must, _named(ids)) if len(ids) < len(others) else (Occur.MustNot, _named(others))]


class TantivyEngine:
    """The index in a folder; any number of threads and processes search it, one at a time writes."""

    def __init__(self, folder: Path, *, build: str = "", exclusive: Exclusive | None = None) -> None:
        self.folder = folder
        self.builds = Builds(folder, VERSION, (PART,), only=build, exclusive=exclusive)
        self.opened: Opened | None = None
        self.lock = threading.Lock()
        self.watch = Watch()

    def position(self) -> int:
        """Return the sequence of the trail's entry up to which the index is complete; 0 when it must be built."""
        return self._position()[0]

    def mark(self) -> str:
        """Return the hash of that entry."""
        return self._position()[1]

    def generation(self) -> Hashable:
        """Return the build and its latest commit."""
        build = self.builds.answering()
        try:
            return (build, (self.folder / build / PART / "meta.json").stat().st_mtime_ns) if build else ""
        except OSError:
            return ""

    def indexing(self) -> AbstractContextManager[bool]:
        """Hold the right to index; False when another process or thread kept it for ten seconds."""
        return self.builds.indexing()

    def apply(
        self, upserts: Sequence[IndexedRevision], removals: Collection[int], position: int, mark: str = ""
    ) -> None:
        """Replace and remove revisions and move the position, durably."""
        with self.builds.held():
            build = self.builds.live() or self.builds.created_live(self._prepare)
            with seals.sealing(self.folder / build, lambda: _needed(self.folder / build / PART)):
                self._at(build)  # It is undamaged; but what is open here does not know what others began to write.
                writer = Opened(build, self.folder / build / PART).index.writer(MEMORY, 1)
                # A writer that was killed left files which no commit names; tantivy would give new ones the same names.
                writer.garbage_collect_files()
                for id in {0, *removals, *(revision.revision_id for revision in upserts)}:
                    writer.delete_documents_by_term("revision", id)
                for revision in upserts:
                    writer.add_document(_row(revision))
                kept = tantivy.Document()
                kept.add_integer("revision", 0)
                kept.add_text("position", json.dumps([position, mark]))
                writer.add_document(kept)
                writer.commit()
                writer.wait_merging_threads()
            self.builds.sweep()

    def tidy(self) -> None:
        """Leave it to tantivy, which puts segments together in threads of its own as they are written."""

    @contextmanager
    def rebuilding(self) -> Iterator["TantivyEngine"]:
        """Give an engine in a folder of its own, which becomes the live one at a clean end."""
        with self.builds.rebuilding(self._prepare) as build:
            yield TantivyEngine(self.folder, build=build, exclusive=self.builds.exclusive)

    def search(
        self,
        query: Query,
        index: Index = "current",
        only: frozenset[int] | None = None,
        limit: int = 50,
        like: Sequence[Collection[str]] = (),
    ) -> EngineResult:
        """Find revisions among those in `only`, with the exact total of them; a broken index finds none."""
        if not query:
            return EngineResult(0, [])
        build, why = "", ""
        for _ in range(2):
            build = self.builds.answering()
            try:
                return self._search(build, query, CURRENT if index == "current" else "", only, limit, like)
            except Damaged as damage:
                why = str(damage)
                self.close()
        self.builds.give_up(build, why)
        return EngineResult(0, [])

    def clear(self) -> None:
        """Forget everything; the next follow builds the index again."""
        self.builds.clear()

    def close(self) -> None:
        """Let go of the index; the next search opens it again."""
        self.opened = None

    def _search(
        self,
        build: str,
        query: Query,
        place: str,
        only: frozenset[int] | None,
        limit: int,
        like: Sequence[Collection[str]],
    ) -> EngineResult:
        if not build:
            return EngineResult(0, [])
        opened = self._at(build)
        searcher: Any = opened.searcher
        with _reading():
            ways = [Found.boolean_query([*_required(opened, way), *_judged_by(opened, way)]) for way in query.ways]
            clauses = [(Occur.Must, Found.disjunction_max_query(ways))] if query.also else []
            clauses = clauses or [*_required(opened, query), *_judged_by(opened, query)]
            if place and (there := opened.within(place)):
                clauses.append(there)
            if only is not None:
                clauses += opened.only(place, only, like)
            most = max(1, min(limit, searcher.num_docs))
            result = searcher.search(Found.boolean_query(clauses), limit=most)
            ids = searcher.fast_field_values("revision", [address for _, address in result.hits])
            hits = sorted(zip(ids, (score for score, _ in result.hits), strict=True), key=lambda hit: (-hit[1], hit[0]))
            return EngineResult(int(result.count or 0), hits[:limit])

    def _at(self, build: str) -> Opened:
        """Return a build at its newest commit, when its files are what was written."""
        # Before anything is read: a file that was cut short under its memory map would end the process.
        if wrong := self.watch.damaged(self.folder / build, PART):
            raise Damaged(f"{wrong} is not what was written")
        with self.lock:
            held = self.opened
            try:
                if held is None or held.build != build or held.seen != held.commit():
                    self.opened = held = Opened(build, self.folder / build / PART)
            except OSError as error:
                raise Damaged(str(error)) from error
            return held

    def _position(self) -> tuple[int, str]:
        build = self.builds.answering()
        if not build:
            self.builds.give_up(self.builds.live(), "")
            return 0, ""
        try:
            opened = self._at(build)
            with _reading():
                hits = opened.searcher.search(Found.term_query(SCHEMA, "revision", 0), limit=1).hits
                if not hits:
                    return 0, ""
                sequence, mark = json.loads(str(opened.searcher.doc(hits[0][1]).get_first("position")))
                return int(sequence), str(mark)
        except Damaged as damage:
            self.close()
            self.builds.give_up(build, str(damage))
            return 0, ""

    def _prepare(self, build: str) -> None:
        with seals.sealing(self.folder / build, lambda: _needed(self.folder / build / PART)):
            tantivy.Index(SCHEMA, str(self.folder / build / PART))


def _needed(folder: Path) -> Iterator[Path]:
    """Return the files that the newest commit is read from."""
    meta = folder / "meta.json"
    segments = {segment["segment_id"].replace("-", "") for segment in json.loads(meta.read_bytes())["segments"]}
    yield meta
    yield from (path for path in folder.iterdir() if path.name.partition(".")[0] in segments)


def _row(revision: IndexedRevision) -> Any:
    """Return a revision as a row: its terms, each as often as it counts."""
    body, title = text.terms(revision.body), text.terms(revision.title)
    code = text.code_terms(revision.code)
    words = body.words + title.words
    words.update(code)
    words.update(text.terms(revision.mention).words)
    row = tantivy.Document()
    row.add_integer("revision", revision.revision_id)
    row.add_text("place", CURRENT if revision.current else ARCHIVE)
    for name, counts in (("body", words), ("exact", body.exact + title.exact), ("pair", body.pairs + title.pairs)):
        row.add_text(name, _written(counts))
    row.add_text("title", _written(dict.fromkeys([*title.words, *title.exact, *title.pairs], 1)))
    for fact in revision.facts:
        row.add_text("fact", fact)
    row.add_text("code", _written(dict.fromkeys(scoring.called(revision), 1)))
    return row


def _written(counts: Mapping[str, int]) -> str:
    return " ".join(" ".join([_joined(term)] * many) for term, many in counts.items())


def _joined(term: str) -> str:
    return term.replace(" ", "_")  # No term has an underscore of its own, so pairs stay whole.


def _named(ids: Collection[int]) -> Any:
    return Found.const_score_query(Found.term_set_query(SCHEMA, "revision", sorted(ids)), 0.0)


def _with_any(facts: Collection[str]) -> Any:
    some = [(Occur.Should, _term("fact", fact)) for fact in sorted(facts)]
    return Found.const_score_query(Found.boolean_query(some), 0.0)


def _term(field: str, term: str) -> Any:
    term = term if field == "fact" else _joined(term)
    return Found.term_query(SCHEMA, field, term, "freq" if field in ("body", "exact", "pair") else "basic")


def _word(opened: Opened, field: str, word: Word) -> Any:
    if not word.prefix:
        return _term(field, word.folded)
    terms = opened.expanded(field, word.folded)
    if not terms:
        return Found.empty_query()
    return Found.disjunction_max_query([_term(field, term) for term in terms])


def _required(opened: Opened, query: Query) -> Iterator[tuple[Any, Any]]:
    if query.least:
        different = {word.folded: word for word in query.words}.values()
        some = [(Occur.Should, _word(opened, "body", word)) for word in different]
        yield Occur.Must, Found.boolean_query(some, minimum_number_should_match=query.least)
    else:
        yield from ((Occur.Must, _word(opened, "body", word)) for word in query.words)
    for pair in query.pairs:
        yield Occur.Must, Found.const_score_query(_term("pair", pair), 0.0)
    for word in query.codes:
        yield Occur.Must, Found.boost_query(_word(opened, "code", word), CODE_WHOLE)
    for word in query.without.codes:
        yield Occur.MustNot, _word(opened, "code", word)
    yield from ((Occur.MustNot, _term("pair", pair)) for pair in query.without.pairs)
    for word in query.without.words:
        yield Occur.MustNot, _term("exact", word.exact) if word.exact else _word(opened, "body", word)


def _judged_by(opened: Opened, query: Query) -> Iterator[tuple[Any, Any]]:
    for word in query.words:
        yield Occur.Should, Found.boost_query(_word(opened, "title", word), TITLE)
        weight = CODE_WHOLE if "-" in word.folded else CODE_PART
        yield Occur.Should, Found.boost_query(_word(opened, "code", word), weight)
        if word.exact:
            yield Occur.Should, Found.boost_query(_term("exact", word.exact), EXACT)
            yield Occur.Should, Found.boost_query(_term("title", word.exact), TITLE)
    for pair in query.neighbours:
        yield Occur.Should, Found.boost_query(_term("pair", pair), PAIR)
        yield Occur.Should, Found.boost_query(_term("title", pair), TITLE_PAIR)


@contextmanager
def _reading() -> Iterator[None]:
    """Turn whatever a broken file makes tantivy raise, its panics too, into one error."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise Damaged(str(error)) from error
