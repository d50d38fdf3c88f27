"""Which revisions answer a query and in which order: BM25 with typed accents, titles and codes above the body.

The tf part of BM25 is worked out when a revision is indexed, against a fixed length instead of the average: so it never
goes stale, a posting is a document and a small whole number, and a score says nothing about texts one may not see.
"""

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from docctl import text
from docctl.search import EngineResult, IndexedRevision, Query, Word

VERSION = 3  # Raise it when a revision would be given other postings: every index is then rebuilt by itself.
FIELDS = ("body", "exact", "title", "pair", "code")

K1, B = 1.2, 0.75
BODY_LENGTH, TITLE_LENGTH = 1000.0, 12.0
STEPS = 32  # Impacts are kept in 32nds: below 71, so that every one is a small integer that Python shares.

TITLE, EXACT, PAIR, TITLE_PAIR, CODE_PART, CODE_WHOLE = 2.0, 2.0, 1.5, 1.5, 1.5, 8.0

Postings = Mapping[int, int]
_NONE: Postings = {}


class Segment(Protocol):
    """An immutable part of an index; its documents are numbered from 0."""

    @property
    def revisions(self) -> Sequence[int]:
        """The revision of each document: -1 for a deleted one, 0 for a row that is none."""

    @property
    def living(self) -> int:
        """The number of its revisions."""

    def postings(self, field: str, term: str) -> Postings:
        """Return the impact of a term on each document that has it."""

    def expansions(self, field: str, prefix: str) -> list[str]:
        """Return terms that begin with a prefix, at most as many as the engine finds bearable."""


def impacts(revision: IndexedRevision) -> dict[str, dict[str, int]]:
    """Return what is indexed of a revision: for each field its terms with their impacts."""
    body, title = text.terms(revision.body), text.terms(revision.title)
    code = text.code_terms(revision.code)
    words = body.words + title.words
    words.update(code)
    words.update(text.terms(revision.mention).words)
    length = body.length + title.length
    titled = {*title.words, *title.exact, *title.pairs}
    return {
        "body": _saturated(words, length / BODY_LENGTH),
        "exact": _saturated(body.exact + title.exact, length / BODY_LENGTH),
        "title": _saturated(dict.fromkeys(titled, 1), title.length / TITLE_LENGTH),
        "pair": _saturated(body.pairs + title.pairs, length / BODY_LENGTH),
        "code": dict.fromkeys(called(revision), STEPS),
    }


def called(revision: IndexedRevision) -> set[str]:
    """Return the terms of the document's own code and the whole number of the decision that issued the revision.

    So a number brings up what it issued before what only cites it.
    """
    return text.code_terms(revision.code) | ({text.whole_code(revision.mention)} if revision.mention else set())


def _saturated(counts: Mapping[str, int], relative_length: float) -> dict[str, int]:
    damping = K1 * (1 - B + B * relative_length)
    table = {n: max(1, round(STEPS * n * (K1 + 1) / (n + damping))) for n in set(counts.values())}
    return {term: table[n] for term, n in counts.items()}


def search(segments: Sequence[Segment], query: Query, only: frozenset[int] | None, limit: int) -> EngineResult:
    """Return the exact total of the revisions that answer a query and the best of them.

    A revision that stands in two segments, as after a crash between two commits, counts once.
    """
    if not query:
        return EngineResult(0, [])
    weights = _Weights(segments)
    scores: dict[int, float] = {}
    for way in query.ways:
        for segment in segments:
            for revision, score in _answers(segment, way, only, weights):
                # A revision that answers in two ways, or stands in two segments, counts once.
                scores[revision] = max(score, scores.get(revision, 0.0))
    best = heapq.nsmallest(limit, scores.items(), key=lambda item: (-item[1], item[0]))
    return EngineResult(len(scores), best, scores.keys())


class _Weights:
    """The rarity of terms over all segments (Robertson's idf, never below 0), each worked out once a query."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = segments
        self.documents = sum(segment.living for segment in segments)
        self.known: dict[tuple[str, Word | str], float] = {}

    def of(self, field: str, word: Word | str) -> float:
        key = (field, word)
        if key not in self.known:
            # Postings still name deleted revisions; counted, they would make a common word weigh less than nothing.
            found = min(self.documents, sum(len(_postings(segment, field, word)) for segment in self.segments))
            self.known[key] = math.log(1 + (self.documents - found + 0.5) / (found + 0.5))
        return self.known[key]


def _answers(
    segment: Segment, query: Query, only: frozenset[int] | None, weights: _Weights
) -> Iterable[tuple[int, float]]:
    required = [_postings(segment, "pair", pair) for pair in query.pairs]
    required += [_postings(segment, "code", word) for word in query.codes]
    if query.least:
        required.append(_in_most(segment, query))
    else:
        required += [_postings(segment, "body", word) for word in query.words]
    found = _in_all(required)
    for word in query.without.words:
        # Who typed accents means that word only: -tử leaves "từ" and "tự" alone.
        found -= (segment.postings("exact", word.exact) if word.exact else _postings(segment, "body", word)).keys()
    for word in query.without.codes:
        found -= _postings(segment, "code", word).keys()
    for pair in query.without.pairs:
        found -= segment.postings("pair", pair).keys()
    revisions = segment.revisions
    allowed = frozenset(revisions) - {-1, 0} if only is None else only
    scores = {document: 0.0 for document in found if revisions[document] in allowed}
    for weight, postings in _judged_by(segment, query, weights):
        _add(scores, weight, postings)
    return ((revisions[document], score) for document, score in scores.items())


def _in_all(lists: Sequence[Postings]) -> set[int]:
    first, *others = sorted(lists, key=len)
    found = set(first)
    for other in others:
        found &= other.keys()
    return found


def _in_most(segment: Segment, query: Query) -> Postings:
    """Return the documents with as many different words as the query wants at the least."""
    counted: Counter[int] = Counter()
    for word in {word.folded: word for word in query.words}.values():
        counted.update(_postings(segment, "body", word).keys())
    return {document: many for document, many in counted.items() if many >= query.least}


def _judged_by(segment: Segment, query: Query, weights: _Weights) -> Iterable[tuple[float, Postings]]:
    for word in query.words:
        weight = weights.of("body", word)
        yield weight, _postings(segment, "body", word)
        yield weight * TITLE, _postings(segment, "title", word)
        # A whole code weighs by how few bear it, however many cite it.
        borne = CODE_WHOLE * weights.of("code", word) if "-" in word.folded else weight * CODE_PART
        yield borne, _postings(segment, "code", word)
        if word.exact:
            yield weight * EXACT, segment.postings("exact", word.exact)
            yield weight * TITLE, segment.postings("title", word.exact)
    for word in query.codes:
        yield CODE_WHOLE * weights.of("code", word), _postings(segment, "code", word)
    for pair in query.neighbours:
        weight = weights.of("pair", pair)
        yield weight * PAIR, segment.postings("pair", pair)
        yield weight * TITLE_PAIR, segment.postings("title", pair)


def _add(scores: dict[int, float], weight: float, postings: Postings) -> None:
    if len(postings) < len(scores):
        for document in postings.keys() & scores.keys():
            scores[document] += weight * postings[document]
        return
    of: Callable[[int], int | None] = postings.get
    for document in scores:
        if impact := of(document):
            scores[document] += weight * impact


def _postings(segment: Segment, field: str, word: Word | str) -> Postings:
    if isinstance(word, str):
        return segment.postings(field, word)
    if not word.prefix:
        return segment.postings(field, word.folded)
    joined: dict[int, int] = {}
    for term in segment.expansions(field, word.folded):
        for document, impact in segment.postings(field, term).items():
            if impact > joined.get(document, 0):
                joined[document] = impact
    return joined
