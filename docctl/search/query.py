"""What somebody types, read as words, phrases, codes, units, types and exclusions; nothing typed is ever an error."""

import re
from dataclasses import dataclass, replace
from math import ceil

from docctl import text

MOST_WORDS = 30
SHORTEST_PREFIX = 3

_PIECES = re.compile(
    r'(?P<without>(?<!\S)-(?=[\w"]))?'
    r"(?:(?<![\w-])(?:(?P<code>code|mã|ma)|(?P<unit>unit|đơn vị|don vi|donvi|đv)|(?P<type>type|loại|loai)):)?"
    r'(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))',
    re.I,
)
_QUOTES = dict.fromkeys(map(ord, "“”„«»″"), '"')


@dataclass(frozen=True)
class Word:
    """A word to find: its folded form, the typed accents (empty when there are none), and whether it may go on."""

    folded: str
    exact: str = ""
    prefix: bool = False


@dataclass(frozen=True)
class Query:
    """What somebody looks for.

    `words` must be there: all of them, or as many as `least` says when it is not 0. So must every neighbouring pair of
    `phrases` and every term of `codes` (in the document's own code); `without` must not. `units` and `types` are codes
    that narrow the search.
    """

    words: tuple[Word, ...] = ()
    phrases: tuple[str, ...] = ()
    codes: tuple[Word, ...] = ()
    without: tuple[Word, ...] = ()
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

    @property
    def shown(self) -> str:
        """All words to be marked in a text."""
        return " ".join(query.text for query in self.ways)

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
        """Read words, "phrases", code:QT-01, unit:TP, type:QT, -word and word* (from three letters on)."""
        words: list[Word] = []
        phrases: list[str] = []
        codes: list[Word] = []
        without: list[Word] = []
        shown: list[str] = []
        narrowed: dict[str, list[str]] = {"unit": [], "type": []}
        for piece in _PIECES.finditer(text.nfc(typed).translate(_QUOTES)):
            written = piece["phrase"] if piece["phrase"] is not None else piece["word"]
            found = _words(written)
            narrows = next((name for name in narrowed if piece[name]), None)
            if piece["without"]:
                without += found
            elif narrows:
                narrowed[narrows].append(written)
            elif piece["code"]:
                codes += _code(written)
                shown.append(written)
            elif found:
                words += found
                shown.append(written)
                if piece["phrase"] and len(text.tokens(written)) > 1:
                    phrases.append(written)
        few = [tuple(dict.fromkeys(some))[:MOST_WORDS] for some in (words, codes, without)]
        unit, type = (tuple(dict.fromkeys(narrowed[name]))[:MOST_WORDS] for name in ("unit", "type"))
        return cls(few[0], tuple(phrases[:MOST_WORDS]), few[1], few[2], " ".join(shown), unit, type)


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
