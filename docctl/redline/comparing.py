"""The comparison of two texts: first their paragraphs, then the words of those that became another; moves are followed.

Comparing all words of two books at once never ends; two levels take a fraction of a second.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Literal

from docctl.redline import words
from docctl.redline.blocks import Block
from docctl.redline.words import Piece
from docctl.rules import Refused, Sentence
from docctl.text import fold

MAX_BLOCKS = 20_000
ALIKE = 0.5  # Share of common words from which a paragraph counts as the other one, changed.
MOVED_ALIKE = 0.8  # The same, for one that is found elsewhere.
FEW_WORDS = 4  # A paragraph of fewer words is no proof that anything moved.
LONG = 2000  # Paragraphs above which very frequent ones do not anchor the comparison.
MAX_HEADINGS = 1500  # Above this the headings are no outline but a table, and are compared as any paragraph.
MAX_PAIRS = 40_000  # Pairs of paragraphs weighed against each other, at the most, in one place.

TOO_LONG = Sentence(
    "Văn bản quá dài để so sánh (hơn {n} đoạn); hãy tải hai tệp về và so sánh bằng chương trình văn phòng.",
    "The texts are too long to compare (more than {n} paragraphs); download both files and compare them in an office program.",
)

Kind = Literal["same", "changed", "accents", "added", "removed", "moved_from", "moved_to"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a redline: a block of the old text, of the new one, or both.

    `cells` holds the pieces of each cell of a row, and of the one cell of a paragraph. `move` numbers the two ends of a
    move: `moved_from` stands where the block was, `moved_to` where it is now.
    """

    kind: Kind
    old: Block | None
    new: Block | None
    cells: tuple[tuple[Piece, ...], ...]
    move: int = 0

    @property
    def block(self) -> Block:
        """The block as it is now, or as it was."""
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def is_row(self) -> bool:
        """Whether it is a row of a table."""
        return bool(self.block.cells)


def compare(old: Sequence[Block], new: Sequence[Block]) -> list[Entry]:
    """Return every block of two texts in reading order with what became of it; raises Refused when they are too long."""
    if max(len(old), len(new)) > MAX_BLOCKS:
        raise Refused(TOO_LONG.fill(n=MAX_BLOCKS))
    ranges = list(_ranges(old, new))
    gone = [i for same, olds, _ in ranges if not same for i in olds]
    come = [j for same, _, news in ranges if not same for j in news]
    moves = _moved_whole(old, new, gone, come)
    pairs = {
        i: j
        for same, olds, news in ranges
        if not same
        for i, j in _pairs(old, new, [i for i in olds if i not in moves], [j for j in news if j not in moves.values()])
    }
    moves |= _moved_changed(
        old,
        new,
        [i for i in gone if i not in moves and i not in pairs],
        [j for j in come if j not in moves.values() and j not in pairs.values()],
    )
    return list(_entries(old, new, ranges, pairs, moves))


def _ranges(old: Sequence[Block], new: Sequence[Block]) -> Iterator[tuple[bool, range, range]]:
    """Yield what is equal and what is not, in order; headings that both texts have keep their sections apart."""
    begun_old = begun_new = 0
    for i, j in [*_headings(old, new), (len(old), len(new))]:
        keys = [block.text for block in old[begun_old:i]], [block.text for block in new[begun_new:j]]
        matcher = SequenceMatcher(None, *keys, autojunk=max(map(len, keys)) > LONG)
        for op, a, b, c, d in matcher.get_opcodes():
            yield op == "equal", range(begun_old + a, begun_old + b), range(begun_new + c, begun_new + d)
        begun_old, begun_new = i, j


def _headings(old: Sequence[Block], new: Sequence[Block]) -> list[tuple[int, int]]:
    """Return the headings that stand once in both texts, as many as keep their order."""
    places = _once(new)
    common = [(i, places[text]) for text, i in sorted(_once(old).items(), key=lambda row: row[1]) if text in places]
    if len(common) > MAX_HEADINGS:
        return []
    best = [1] * len(common)
    before = [-1] * len(common)
    for here, (_, j) in enumerate(common):
        for earlier in range(here):
            if common[earlier][1] < j and best[earlier] + 1 > best[here]:
                best[here], before[here] = best[earlier] + 1, earlier
    chain: list[tuple[int, int]] = []
    at = max(range(len(common)), key=lambda place: best[place], default=-1)
    while at >= 0:
        chain.append(common[at])
        at = before[at]
    return chain[::-1]


def _once(blocks: Sequence[Block]) -> dict[str, int]:
    times = Counter(block.text for block in blocks if block.heading)
    return {block.text: place for place, block in enumerate(blocks) if block.heading and times[block.text] == 1}


def _entries(
    old: Sequence[Block],
    new: Sequence[Block],
    ranges: Sequence[tuple[bool, range, range]],
    pairs: dict[int, int],
    moves: dict[int, int],
) -> Iterator[Entry]:
    numbers = {i: number for number, i in enumerate(sorted(moves, key=lambda i: moves[i]), start=1)}
    origins = {j: i for i, j in moves.items()}
    for same, olds, news in ranges:
        if same:
            yield from (_same(old[i], new[j]) for i, j in zip(olds, news, strict=True))
            continue
        waiting = iter(news)
        for i in olds:
            if i in pairs:
                # What was added before the partner goes before it.
                for j in waiting:
                    if j == pairs[i]:
                        break
                    yield _arrived(old, new[j], origins.get(j), numbers)
                yield _changed(old[i], new[pairs[i]])
            elif i in moves:
                yield replace(_gone(old[i]), kind="moved_from", move=numbers[i])
            else:
                yield _gone(old[i])
        for j in waiting:
            yield _arrived(old, new[j], origins.get(j), numbers)


def _same(old: Block, new: Block) -> Entry:
    texts = new.cells or (new.text,)
    return Entry("same", old, new, tuple((Piece("same", text, text),) for text in texts))


def _gone(block: Block) -> Entry:
    texts = block.cells or (block.text,)
    return Entry("removed", block, None, tuple((Piece("removed", text, ""),) if text else () for text in texts))


def _arrived(old: Sequence[Block], block: Block, origin: int | None, numbers: dict[int, int]) -> Entry:
    if origin is not None:
        return replace(_changed(old[origin], block), kind="moved_to", move=numbers[origin])
    texts = block.cells or (block.text,)
    return Entry("added", None, block, tuple((Piece("added", "", text),) if text else () for text in texts))


def _changed(old: Block, new: Block) -> Entry:
    if len(old.cells) == len(new.cells):
        sides = list(zip(old.cells or (old.text,), new.cells or (new.text,), strict=True))
    else:
        sides = _aligned_cells(old.cells or (old.text,), new.cells or (new.text,))
    cells = tuple(tuple(words.diff(before, after)) for before, after in sides)
    only = words.accents_only(piece for cell in cells for piece in cell)
    return Entry("accents" if only else "changed", old, new, cells)


def _aligned_cells(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, str]]:
    """Pair the cells of two rows, one of which has a column more."""
    sides: list[tuple[str, str]] = []
    for op, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        width = max(b - a, d - c)
        before, after = [*old[a:b], *[""] * width][:width], [*new[c:d], *[""] * width][:width]
        sides += zip(before, after, strict=True) if op != "equal" else zip(old[a:b], new[c:d], strict=True)
    return sides


def _moved_whole(
    old: Sequence[Block], new: Sequence[Block], gone: Sequence[int], come: Sequence[int]
) -> dict[int, int]:
    """Return which blocks that are gone stand elsewhere, word for word; only what is there once on each side counts."""
    places: dict[str, list[int]] = defaultdict(list)
    for j in come:
        places[new[j].text].append(j)
    times = Counter(old[i].text for i in gone)
    return {
        i: places[old[i].text][0]
        for i in gone
        if _telling(old[i]) and times[old[i].text] == 1 and len(places[old[i].text]) == 1
    }


def _moved_changed(
    old: Sequence[Block], new: Sequence[Block], gone: Sequence[int], come: Sequence[int]
) -> dict[int, int]:
    """Return which blocks that are gone stand elsewhere, changed a little."""
    gone = [i for i in gone if _telling(old[i])]
    come = [j for j in come if _telling(new[j])]
    if len(gone) * len(come) > MAX_PAIRS:
        return {}
    likeness = _likeness(old, new)
    weighed = sorted(((likeness(i, j), i, j) for i in gone for j in come), key=lambda row: (-row[0], row[1], row[2]))
    moves: dict[int, int] = {}
    for share, i, j in weighed:
        if share >= MOVED_ALIKE and i not in moves and j not in moves.values():
            moves[i] = j
    return moves


def _pairs(
    old: Sequence[Block], new: Sequence[Block], olds: Sequence[int], news: Sequence[int]
) -> list[tuple[int, int]]:
    """Pair the blocks of a replaced place in order, so that the pairs have most in common."""
    if not olds or not news:
        return []
    likeness = _likeness(old, new)
    if len(olds) * len(news) > MAX_PAIRS:
        return [(i, j) for i, j in zip(olds, news, strict=False) if likeness(i, j) >= ALIKE]
    best = [[0.0] * (len(news) + 1) for _ in range(len(olds) + 1)]
    shares = [[likeness(i, j) for j in news] for i in olds]
    for a in range(len(olds) - 1, -1, -1):
        for b in range(len(news) - 1, -1, -1):
            paired = shares[a][b] + best[a + 1][b + 1] if shares[a][b] >= ALIKE else 0.0
            best[a][b] = max(best[a + 1][b], best[a][b + 1], paired)
    pairs, a, b = [], 0, 0
    while a < len(olds) and b < len(news):
        if shares[a][b] >= ALIKE and best[a][b] == shares[a][b] + best[a + 1][b + 1]:
            pairs.append((olds[a], news[b]))
            a, b = a + 1, b + 1
        elif best[a + 1][b] >= best[a][b + 1]:
            a += 1
        else:
            b += 1
    return pairs


def _likeness(old: Sequence[Block], new: Sequence[Block]) -> Callable[[int, int], float]:
    """Return a function that gives the share of words, without accents, that two blocks have in common (Dice, 0 to 1)."""
    bags: dict[tuple[bool, int], Counter[str]] = {}

    def bag(side: bool, number: int) -> Counter[str]:
        key = (side, number)
        if key not in bags:
            bags[key] = Counter(fold((new if side else old)[number].text).split())
        return bags[key]

    def likeness(i: int, j: int) -> float:
        one, other = bag(False, i), bag(True, j)
        if len(one) > len(other):
            one, other = other, one
        common = sum(min(times, other[word]) for word, times in one.items() if word in other)
        return 2 * common / (one.total() + other.total()) if one or other else 0.0

    return likeness


def _telling(block: Block) -> bool:
    return block.heading or len(block.text.split()) >= FEW_WORDS
