"""Two paragraphs compared word by word; a word of which only the accents changed is told apart."""

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from docctl.text import exact, fold

LONG = 3000  # Tokens above which very frequent ones do not anchor the comparison.

Op = Literal["same", "added", "removed", "accents"]
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


class Piece(NamedTuple):
    """A run of text: the same on both sides, removed, added, or written with other accents (`old` and `new`)."""

    op: Op
    old: str
    new: str


def words(text: str) -> list[str]:
    """Return the words, blanks and signs of a text; together they are the text."""
    return _TOKEN.findall(text)


def diff(old: str, new: str) -> list[Piece]:
    """Return how a paragraph became another."""
    before, after = words(old), words(new)
    matcher = SequenceMatcher(None, before, after, autojunk=max(len(before), len(after)) > LONG)
    pieces: list[Piece] = []
    for op, a, b, c, d in matcher.get_opcodes():
        if op == "equal":
            pieces.append(Piece("same", "".join(before[a:b]), "".join(after[c:d])))
        else:
            pieces += _accents_apart(before[a:b], after[c:d])
    return list(_joined(pieces))


def accents_only(pieces: Iterable[Piece]) -> bool:
    """Say whether nothing changed but accents."""
    ops = {piece.op for piece in pieces}
    return "accents" in ops and ops <= {"same", "accents"}


def _accents_apart(before: Sequence[str], after: Sequence[str]) -> Iterator[Piece]:
    """Part a replaced run: words that agree without their accents, and the rest as removed and added."""
    plain, other = ([fold(word) for word in side] for side in (before, after))
    for op, a, b, c, d in SequenceMatcher(None, plain, other, autojunk=False).get_opcodes():
        if op != "equal":
            yield from _replaced("".join(before[a:b]), "".join(after[c:d]))
            continue
        for old, new in zip(before[a:b], after[c:d], strict=True):
            if old == new:
                yield Piece("same", old, new)
            elif old.lower() == new.lower() or (exact(old) == exact(new) and old.lower() == old and new.lower() != new):
                yield from _replaced(old, new)
            else:
                yield Piece("accents", old, new)


def _replaced(old: str, new: str) -> Iterator[Piece]:
    if old:
        yield Piece("removed", old, "")
    if new:
        yield Piece("added", "", new)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Join neighbours of one kind, and changes that only a blank parts; the two sides still are the whole of both texts."""
    listed = list(pieces)
    old, new = "", ""
    for number, piece in enumerate(listed):
        follows = listed[number + 1].op if number + 1 < len(listed) else "same"
        between = piece.op == "same" and piece.old.isspace() and (old or new) and follows in ("removed", "added")
        if between or piece.op in ("removed", "added"):
            old, new = old + piece.old, new + piece.new
            continue
        yield from _replaced(old, new)
        old = new = ""
        yield piece
    yield from _replaced(old, new)
