"""Search: the one small interface behind which an engine finds revisions; the words and their order are ours."""

import re
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from docctl import text

MOST_WORDS = 30
SHORTEST_PREFIX = 3

Index = Literal["current", "all"]

_PIECES = re.compile(
    r'(?P<without>(?<!\S)-(?=[\w"]))?(?P<code>(?<![\w-])(?:code|mã):)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))', re.I
)
_QUOTES = dict.fromkeys(map(ord, "“”„«»″"), '"')


@dataclass(frozen=True)
class IndexedRevision:
    """What an engine keeps of a revision: the terms of its code, title and body, and whether staff may look for it.

    `current` means issued and not ended when it was indexed, a future effective date included; the reader's rights
    and the present state are asked of the database at each search.
    """

    revision_id: int
    code: str
    title: str
    body: str
    current: bool


@dataclass(frozen=True)
class Word:
    """A word to find: its folded form, the typed accents (empty when there are none), and whether it may go on."""

    folded: str
    exact: str = ""
    prefix: bool = False


@dataclass(frozen=True)
class Query:
    """What somebody looks for, read from the words as typed; nothing typed is ever an error.

    `words` must all be there; so must every neighbouring pair of `phrases` and every term of `codes` (in the
    document's own code); `without` must not.
    """

    words: tuple[Word, ...] = ()
    phrases: tuple[str, ...] = ()
    codes: tuple[Word, ...] = ()
    without: tuple[Word, ...] = ()
    text: str = ""  # The words that are looked for, to mark in a text and to compare with a title.

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

    @classmethod
    def parse(cls, typed: str) -> "Query":
        """Read words, "phrases", code:QT-01, -word and word* (from three letters on)."""
        words: list[Word] = []
        phrases: list[str] = []
        codes: list[Word] = []
        without: list[Word] = []
        shown: list[str] = []
        for piece in _PIECES.finditer(text.nfc(typed).translate(_QUOTES)):
            written = piece["phrase"] if piece["phrase"] is not None else piece["word"]
            found = _words(written)
            if piece["without"]:
                without += found
            elif piece["code"]:
                codes += _code(written)
                shown.append(written)
            elif found:
                words += found
                shown.append(written)
                if piece["phrase"] and len(text.tokens(written)) > 1:
                    phrases.append(written)
        few = [tuple(dict.fromkeys(some))[:MOST_WORDS] for some in (words, codes, without)]
        return cls(few[0], tuple(phrases[:MOST_WORDS]), few[1], few[2], " ".join(shown))


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


@dataclass(frozen=True)
class EngineResult:
    """How many revisions there are, and the best of them with their scores, best first."""

    total: int
    hits: Sequence[tuple[int, float]]


class Engine(Protocol):
    """An index of revisions that follows the trail and can be thrown away at any time."""

    def position(self) -> int:
        """Return the sequence of the trail's entry up to which the index is complete; 0 when it must be built."""

    def mark(self) -> str:
        """Return the hash of that entry, by which a restored or other database is noticed."""

    def indexing(self) -> AbstractContextManager[bool]:
        """Hold the right to index, which one process and thread has at a time; False when another kept it too long."""

    def apply(
        self, upserts: Sequence[IndexedRevision], removals: Collection[int], position: int, mark: str = ""
    ) -> None:
        """Replace and remove revisions and move the position, durably; doing it twice changes nothing."""

    def rebuilding(self) -> AbstractContextManager["Engine"]:
        """Give an empty engine that takes this one's place at a clean end; until then this one answers."""

    def search(
        self, query: Query, index: Index = "current", only: frozenset[int] | None = None, limit: int = 50
    ) -> EngineResult:
        """Find revisions among those in `only` (None: all), with the exact total of them; a broken index finds none."""

    def clear(self) -> None:
        """Forget everything; the next follow builds the index again."""

    def close(self) -> None:
        """Close the files that this thread has open."""


def open_engine(name: str, folder: Path) -> Engine:
    """Open the engine of a setting's name on a folder, which need not exist."""
    if name != "whoosh":
        raise ValueError(f"there is no search engine {name}")
    from docctl.search.whoosh import WhooshEngine

    return WhooshEngine(folder)
