"""From typed words to an order: the engine's first pass, what to do when it finds too little, and the second pass.

It knows texts and engines, not databases: whoever calls hands over what the reader may see.
"""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from docctl import text
from docctl.search import Engine, EngineResult, Index, Query
from docctl.search.spelling import Lexicon, accents_meant
from docctl.text import Candidate

REREAD = 50  # Hits that the second pass looks at.
PHRASES_READ = 500  # Hits of a phrase of three words or more that are compared with the text itself.
BODY_READ = 60_000  # Characters of each text that it looks at.
LOOKED_AT = 3  # Of the best, whether they have the typed words side by side.
CLEARLY = 20.0  # By how much of a hundred other words must lead to something better.
FEW = 10  # When fewer have all of many words, those with most of them follow.
MANY_WORDS = 5
OTHERWISE = 0.8  # What a hit counts that has other words for the same, beside one with the typed words.

Read = Callable[[Sequence[int]], Mapping[int, Candidate]]


@dataclass(frozen=True)
class Ranked:
    """What was found: how many, of these how many with everything asked for, and the best in their order.

    `query` holds the words in the end, `searched` also how many of them were enough; `spelled` are the words that took the place of the typed ones, `meant` the
    words with other accents that would find more of the same.
    """

    total: int
    complete: int
    hits: list[tuple[int, float]]
    query: Query
    searched: Query
    spelled: str = ""
    meant: str = ""

    @property
    def best(self) -> float:
        """The score of the best hit."""
        return self.hits[0][1] if self.hits else 0.0


@dataclass(frozen=True)
class Asking:
    """An engine with what one reader may find in it, and how to read texts and titles on his behalf."""

    engine: Engine
    index: Index
    only: frozenset[int]
    read: Read
    lexicon: Callable[[], Lexicon]
    like: Sequence[Collection[str]] = ()  # The facts of what he may find, as `Engine.search` takes them.
    asked: Hashable = ()  # What narrowed it down, to know its answers again.
    answers: dict[Query, EngineResult] = field(default_factory=dict)  # Given so far, to ask nothing twice.

    def first(self, query: Query, limit: int) -> EngineResult:
        """Return the first pass, phrases compared with the texts themselves."""
        long = query.without.longer or any(len(text.tokens(phrase)) > 2 for phrase in query.phrases)
        # As many more as may be dropped: a page that is left short would leave hits out between itself and the next.
        most = limit + PHRASES_READ if long else limit
        found = self.engine.search(query, self.index, self.only, most, self.like)
        if not long:
            self.answers[query] = found
            return found
        read = self.read([id for id, _ in found.hits[:PHRASES_READ]])
        kept = [hit for hit in found.hits if hit[0] not in read or _has_phrases(read[hit[0]], query)]
        dropped = {id for id, _ in found.hits} - {id for id, _ in kept}
        matching = set(found.matching) - dropped if found.matching is not None else None
        self.answers[query] = EngineResult(found.total - len(dropped), kept, matching)
        return self.answers[query]

    def all_of(self, query: Query, most: int) -> Collection[int]:
        """Return everything that the first pass finds, in no order, at most so many where the engine must be asked."""
        known = self.answers.get(query)
        if known is not None and known.matching is not None:
            return known.matching
        return [id for id, _ in self.first(query, most).hits]

    def finds(self, word: str) -> bool:
        """Say whether a single folded word stands in anything the reader may find."""
        return self.engine.search(Query.parse(word), self.index, self.only, 1, self.like).total > 0


def ranked(
    asking: Asking,
    query: Query,
    wanted: int,
    *,
    verbatim: bool = False,
    unfiltered: Callable[[], "Ranked"] | None = None,
) -> Ranked:
    """Return the best `wanted` revisions (more when the second pass read more), and what was done to find them.

    Other words take the place of the typed ones when these are nowhere, or when those lead to a title that says just
    that while these only stand scattered; never when the question is `verbatim`, and never in the place of a code.
    Behind a filter the same is looked for as without it, which `unfiltered` says: else a filter would leave other hits
    than it said it would.
    """
    found = _ranked(asking, query, wanted, verbatim=verbatim, unfiltered=unfiltered)
    if found.total or verbatim or not query.coded:
        return found
    return replace(found, meant=_nearest(asking, query))


def _ranked(
    asking: Asking, query: Query, wanted: int, *, verbatim: bool, unfiltered: Callable[[], "Ranked"] | None
) -> Ranked:
    typed = _judged(asking, query, wanted)
    settled = verbatim or not query.words or not query.plain or _side_by_side(asking, typed)
    if unfiltered is not None:
        if settled and typed.complete and typed.searched == query:
            return typed
        known = unfiltered()
        found = _judged(asking, known.query, wanted, searched=known.searched)
        return replace(found, spelled=known.spelled, meant=known.meant)
    if settled:
        return typed
    spelled = _spelled(asking, query)
    if not spelled:
        return typed
    other = _judged(asking, query.spelled(spelled), wanted)
    better = not typed.complete and other.total > 0 and (other.complete > 0 or not typed.total)
    better = better or (other.best > typed.best + CLEARLY and other.complete > 0)
    return replace(other, spelled=spelled, meant="") if better else typed


def _spelled(asking: Asking, query: Query) -> str:
    """Return the words that were meant, codes as they are; empty where there are no better ones."""
    codes, beside = text.apart(query.text)
    words = asking.lexicon().meant(beside, asking.finds) if beside else ""
    return " ".join([words, *codes]) if words else ""


def _nearest(asking: Asking, query: Query) -> str:
    """Return the search for the longest beginning of a code that leads anywhere: `code:QT-TP` for a QT-TP-77."""
    codes, _beside = text.apart(query.text)
    code = codes[0] if len(codes) == 1 and not query.phrases else ""
    for begun in text.code_beginnings(code):
        asked = f'code:"{begun}"' if " " in begun else f"code:{begun}"
        if asking.engine.search(Query.parse(asked), asking.index, asking.only, 1, asking.like).total:
            return asked
    return ""


def _judged(asking: Asking, query: Query, wanted: int, searched: Query | None = None) -> Ranked:
    """Ask for all the words, for most of them where too few have all, and order what was found by the second pass.

    `searched` says which of both is asked for, where that is known already.
    """
    limit = max(REREAD, wanted)
    found = asking.first(query, limit)
    complete = found.total
    if searched is None:
        searched = query.of_most_words() if _may_loosen(query, complete) else query
    if searched != query:
        found = asking.first(searched, limit)
    read = asking.read([id for id, _ in found.hits[:REREAD]])
    judged = [read[id]._replace(score=score) for id, score in found.hits[:REREAD] if id in read]
    order = _second_pass(query, judged)
    order += text.below_second_pass(found.hits[REREAD:], found.hits)
    meant = accents_meant(query.text, judged) if query.plain and not query.coded else ""
    return Ranked(found.total, min(complete, found.total), order, query, searched, meant=meant)


def _second_pass(query: Query, judged: Sequence[Candidate]) -> list[tuple[int, float]]:
    """Order hits by the way of asking that each of them answers best."""
    if not query.also:
        return text.second_pass(query.text, judged)
    best = dict(text.second_pass(query.text, judged))
    for way in query.also:
        for id, score in text.second_pass(way.text, judged):
            best[id] = max(round(score * OTHERWISE, 2), best[id])
    return sorted(best.items(), key=lambda hit: -hit[1])


def _side_by_side(asking: Asking, found: Ranked) -> bool:
    """Say whether one of the best has the typed words next to each other, or in its code: then they are what was meant."""
    read = asking.read([id for id, _ in found.hits[:LOOKED_AT]])
    typed = "-".join(text.code_parts(found.query.text))
    return any(
        typed in text.code_terms(candidate.code)
        or text.phrase_in(candidate.title, way.text)
        or text.phrase_in(candidate.body, way.text)
        for candidate in read.values()
        for way in found.query.ways
    )


def _may_loosen(query: Query, complete: int) -> bool:
    many = len({word.folded for word in query.words})
    coded = any("-" in word.folded for word in query.words)
    if query.codes or query.phrases or (coded and many < MANY_WORDS):
        return False  # Who asks for a code or a phrase wants that one.
    return many > 1 and (complete == 0 or (many >= MANY_WORDS and complete < FEW))


def _has_phrases(found: Candidate, query: Query) -> bool:
    def has(phrase: str) -> bool:
        return text.phrase_in(found.title, phrase) or text.phrase_in(found.body, phrase)

    wanted = all(has(phrase) or len(found.body) >= BODY_READ for phrase in query.phrases)
    return wanted and not any(map(has, query.without.longer))
