"""What somebody types, read as words, phrases, codes, units, types and exclusions; nothing typed is ever an error."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil
from typing import TypeVar

from docctl import text

MOST_WORDS = 30
SHORTEST_PREFIX = 3

_PIECES = re.compile(
    r'(?P<without>(?<!\S)-(?=[\w"]))?'
    r"(?:(?<![^\W_])(?:(?P<code>code|mã|ma)|(?P<unit>unit|đơn vị|don vi|donvi|đv)|(?P<type>type|loại|loai)):[^\S\n]?)?"
    r'(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+))',
    re.I,
)
_EITHER = {"va", "hoac", "and", "or"}  # Between several codes.
_MINUS = re.compile(r"(?<!\S)[–—−](?=[\w\"])")  # As a word processor writes it.
# "Quyết định số 12 /QĐ-UBND ngày 01/03/2024" says nothing that its number does not, and what it issued seldom has these
# words.
_DECISION = re.compile(
    r"(?<![^\W_])(?i:(?:căn\s+cứ|can\s+cu|theo)\s+)?(?i:(?:quyết\s+định|quyet\s+dinh)\s+)?(?i:(?:số|so)\s+)?"
    r"(?<![\w/])(?P<number>\d+(?:/\d{4})?)\s?/\s?(?P<rest>(?i:q[đd])(?:-(?i:[a-zđ]+)|(?:\s-\s?|-\s)[A-ZĐ]{2,})*)(?![^\W_])"
    r"(?:,?\s+(?i:ngày|ngay)\s+\d{1,2}[/.-]\d{1,2}[/.-]\d{4})?"
)
T = TypeVar("T")
_QUOTES = dict.fromkeys(map(ord, "“”„«»″"), '"')


@dataclass(frozen=True)
class Word:
    """A word to find: its folded form, the typed accents (empty when there are none), and whether it may go on."""

    folded: str
    exact: str = ""
    prefix: bool = False


@dataclass(frozen=True)
class Without:
    """What must not be there: words, whole phrases, terms of the document's own code, units and types by their codes."""

    words: tuple[Word, ...] = ()
    phrases: tuple[str, ...] = ()
    codes: tuple[Word, ...] = ()
    units: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()  # All of it as it was typed, to tell of it.

    @property
    def pairs(self) -> tuple[str, ...]:
        """The neighbouring folded words of each phrase of two: an index knows who has them next to each other."""
        return tuple(pair for phrase in self.phrases if len(pairs := text.terms(phrase).pairs) == 1 for pair in pairs)

    @property
    def longer(self) -> tuple[str, ...]:
        """The phrases of three words and more, which have to be compared with the texts."""
        return tuple(phrase for phrase in self.phrases if len(text.tokens(phrase)) > 2)


@dataclass(frozen=True)
class Query:
    """What somebody looks for.

    `words` must be there: all of them, or as many as `least` says when it is not 0. So must every neighbouring pair of
    `phrases` and every term of `codes` (in the document's own code, or the number of its decision); what is in `without`
    must not. `units` and `types` are codes that narrow the search. Several codes and nothing else mean any of them.
    """

    words: tuple[Word, ...] = ()
    phrases: tuple[str, ...] = ()
    codes: tuple[Word, ...] = ()
    without: Without = Without()
    text: str = ""  # The words that are looked for, to mark in a text and to compare with a title.
    units: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    least: int = 0
    also: tuple["Query", ...] = ()  # Other words for the same: what answers one of them answers the query.

    def __bool__(self) -> bool:
        return bool(self.words or self.phrases or self.codes)

    @property
    def pairs(self) -> tuple[str, ...]:
        """The neighbouring folded words of all phrases."""
        return tuple(dict.fromkeys(pair for phrase in self.phrases for pair in text.terms(phrase).pairs))

    @property
    def neighbours(self) -> tuple[str, ...]:
        """The neighbouring folded words of everything typed: documents with them next to each other rank higher."""
        return tuple(dict.fromkeys(text.terms(self.text).pairs))[:MOST_WORDS]

    @property
    def coded(self) -> bool:
        """Whether a code is among the words: it means that very one, and no other word may take its place."""
        return bool(text.apart(self.text)[0])

    def completed(self, words: str) -> str:
        """Return other words with what was typed to narrow the search: what must not be there, units and types."""
        narrowing = [("unit", code) for code in self.units] + [("type", code) for code in self.types]
        kept = [f'{name}:"{code}"' if " " in code else f"{name}:{code}" for name, code in narrowing]
        return " ".join([words, *(f"-{piece}" for piece in self.without.shown), *kept])

    @property
    def plain(self) -> bool:
        """Whether it is words only, apart from what narrows the search."""
        return not (self.phrases or self.codes or any(word.prefix for word in self.words))

    def of_most_words(self) -> "Query":
        """Return the query that most words answer: all but one of up to four, half of up to eight, else three in ten.

        In a question of twenty-five words most are there for the grammar; which of them count is for the ranking to say.
        """
        many = len({word.folded for word in self.words})
        least = many - 1 if many <= 4 else ceil(many * (0.5 if many <= 8 else 0.3))
        return replace(self, least=max(1, least), also=tuple(query.of_most_words() for query in self.also))

    def spelled(self, words: str) -> "Query":
        """Return the query with other words in the place of its own."""
        other = Query.parse(words)
        return replace(self, words=other.words, text=other.text, also=())

    @property
    def ways(self) -> tuple["Query", ...]:
        """The query itself and those with other words for the same."""
        return (self, *self.also)

    @classmethod
    def unfinished(cls, typed: str) -> "Query":
        """Read what was typed so far: its last word may go on, and one letter of it says nothing yet."""
        chunks = text.chunks(typed)[:MOST_WORDS]
        if not chunks:
            return cls()
        *before, last = chunks
        words = [word for chunk in before for word in _words(chunk)]
        if typed[-1:].isspace():
            return cls(words=tuple(dict.fromkeys([*words, *_words(last)])), text=typed)
        # The 0 of QT-TP.0 is a zero that the whole number, QT-TP.01, is found without.
        parts = text.code_parts(last)[: text.MAX_CODE_PARTS] if text.is_code(last) else []
        if parts:
            begun = "-".join(parts[:-1]) + "-" if parts[-1] == "0" else "-".join(parts)
            return cls(words=tuple(dict.fromkeys([*words, Word(begun, "", True)])), text=typed)
        *inside, end = text.tokens(last)
        words += [Word(token.folded) for token in inside]
        if _whole(end):
            words.append(Word(end.folded))
        elif len(end.folded) > 1:
            words.append(Word(end.folded, "", True))
        return cls(words=tuple(dict.fromkeys(words)), text=typed)

    @classmethod
    def parse(cls, typed: str) -> "Query":
        """Read words, "phrases", code:QT-01, unit:TP, type:QT, word* (from three letters on), and a minus before any."""
        words: list[Word] = []
        phrases: list[str] = []
        codes: list[Word] = []
        narrowed: dict[str, list[str]] = {"unit": [], "type": []}
        without = _Without()
        shown: list[str] = []
        written = _MINUS.sub("-", text.nfc(typed).translate(_QUOTES))
        if '"' not in written:
            written = _DECISION.sub(lambda found: f"{found['number']}/{''.join(found['rest'].split())}", written)
        for piece in _PIECES.finditer(written):
            written = piece["phrase"] if piece["phrase"] is not None else piece["word"]
            found = _words(written)
            # A code in quotation marks is that code.
            in_a_row = piece["phrase"] is not None and len(text.tokens(written)) > 1 and not text.is_code(written)
            narrows = next((name for name in narrowed if piece[name]), None)
            without.shown += [piece[0][1:]] if piece["without"] else []
            if narrows:
                (without.narrowed if piece["without"] else narrowed)[narrows].append(written)
            elif piece["code"]:
                (without.codes if piece["without"] else codes).extend(_code(written))
                shown += [written] if not piece["without"] else []
            elif piece["without"]:
                without.phrases += [written] if in_a_row else []
                without.words += found if not in_a_row else []
            elif found:
                words += found
                shown.append(written)
                phrases += [written] if in_a_row else []
        query = cls(
            words=_few(words),
            phrases=tuple(phrases[:MOST_WORDS]),
            codes=_few(codes),
            without=without.kept(),
            text=" ".join(shown),
            units=_few(narrowed["unit"]),
            types=_few(narrowed["type"]),
        )
        return query._any_of_its_codes()

    def _any_of_its_codes(self) -> "Query":
        """Return the query, or, where it is several codes and nothing else, one that any of them answers."""
        codes, beside = text.apart(self.text)
        codes = list({text.whole_code(code): code for code in codes}.values())
        if self.phrases or any(word.prefix for word in (*self.words, *self.codes)):
            return self
        if self.codes and not self.words and len(self.codes) > 1:
            ways = [replace(self, codes=(code,)) for code in self.codes]
        elif not self.codes and len(codes) > 1 and {token.folded for token in text.tokens(beside)} <= _EITHER:
            ways = [replace(self, words=_few(_words(code)), text=code) for code in codes]
        else:
            return self
        return replace(ways[0], also=tuple(ways[1:]))


class _Without:
    """Collects what must not be there."""

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.phrases: list[str] = []
        self.codes: list[Word] = []
        self.narrowed: dict[str, list[str]] = {"unit": [], "type": []}
        self.shown: list[str] = []

    def kept(self) -> Without:
        """Return it as a part of a query."""
        narrowed = _few(self.narrowed["unit"]), _few(self.narrowed["type"])
        return Without(_few(self.words), _few(self.phrases), _few(self.codes), *narrowed, _few(self.shown))


def _few(some: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(some))[:MOST_WORDS]


def _whole(token: text.Token) -> bool:
    """Say whether a number is written as the whole number of a code: with its zero, 01 is no beginning of 12."""
    return len(token.exact) > 1 and token.exact.startswith("0") and token.exact.isdigit()


def _words(written: str) -> list[Word]:
    found = []
    for chunk in text.chunks(written):
        prefix = written.endswith(f"{chunk}*")
        if text.is_code(chunk):
            found.append(Word(text.whole_code(chunk), "", prefix))
            continue
        for token in text.tokens(chunk):
            exact = token.exact if token.exact != token.folded else ""
            found.append(Word(token.folded, exact, prefix and len(token.folded) >= SHORTEST_PREFIX))
    return found


def _code(written: str) -> list[Word]:
    whole = "-".join(text.code_parts(written)[: text.MAX_CODE_PARTS])
    return [Word(whole, "", written.endswith("*"))] if whole else []
