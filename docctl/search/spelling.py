"""“Did you mean”: what somebody meant to type, judged by the words and neighbours of the titles that he may see.

Vietnamese goes wrong in its own ways: accents of a word that has others, keys beside the right one, a letter left out, and
Telex or VNI codes that the keyboard program did not turn into letters (`trifnh`, `tri2nh`).
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

from docctl import text
from docctl.text import Candidate

T = TypeVar("T")

MOST_CANDIDATES = 8
ALL_WORDS = 12  # Of a longer question only the words that are nowhere are looked at.
LONG = 6  # From so many letters on, two may be wrong.

# What each kind of slip costs; a change must pay for itself by the words beside it.
CODES, ALIKE, NEAR_KEY, SWAPPED, SPLIT, EDIT, UNFINISHED = 0.3, 0.4, 0.7, 0.7, 1.0, 1.2, 1.4
STRANGER = 1.6  # For two words that no title has side by side.
NOWHERE = 6.0  # For a word that no title has.

_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    frozenset((a, b))
    for y, row in enumerate(_ROWS)
    for x, a in enumerate(row)
    for other, line in ((0, row), (1, _ROWS[y + 1] if y + 1 < len(_ROWS) else ""))
    for b in (line[x + 1 : x + 2] if other == 0 else line[max(0, x - 1) : x + 1])
}
_TELEX_TONES, _VNI_TONES = "sfrxjz", "123450"
_TELEX = (
    ("uow", "uo"),
    ("aw", "a"),
    ("ow", "o"),
    ("uw", "u"),
    ("dd", "d"),
    ("aa", "a"),
    ("ee", "e"),
    ("oo", "o"),
    ("w", "u"),
)
_VOWELS = "aeiouy"


def telex(word: str) -> set[str]:
    """Return the folded words that a folded word may be when it still carries Telex codes."""
    found = {word}
    for place, letter in enumerate(word):
        if letter in _TELEX_TONES and any(vowel in word[:place] for vowel in _VOWELS):
            found.add(word[:place] + word[place + 1 :])
    for toned in list(found):
        plain = toned
        for typed, meant in _TELEX:
            plain = plain.replace(typed, meant)
        found.add(plain)
        # A key that doubles a letter may come at the end of the word: `hono` for hôn, `dangd` for đang.
        for start in (toned, plain):
            if len(start) > 2 and start[-1] in "aeod" and start[-1] in start[:-1]:
                found.add(start[:-1])
            if "w" in toned:
                found.add(toned.replace("w", ""))
    return found - {word}


def vni(word: str) -> set[str]:
    """Return the folded word that a word with VNI digits may be."""
    return {re.sub(r"\d", "", word)} if re.fullmatch(r"[a-z]+(?:\d[a-z]*)+", word) else set()


class Lexicon:
    """The words of some titles: how each is written, how often, and beside which others."""

    def __init__(self, titles: Iterable[str]) -> None:
        folded, written = _in_a_row(titles)
        self.written: dict[str, Counter[str]] = {}
        for (word, form), many in Counter(zip(folded, written, strict=True)).items():
            if word:
                self.written.setdefault(word, Counter())[form] = many
        self.pairs = _beside(folded)
        self.pairs_written = _beside(written)

    @cached_property
    def shortened(self) -> dict[str, list[str]]:
        """For each word without one or two of its letters, the words that it may have been."""
        found: dict[str, list[str]] = {}
        for word in self.written:
            for short in _shortened(word):
                found.setdefault(short, []).append(word)
        return found

    def changed(self, without: Iterable[str], beside: Iterable[str]) -> "Lexicon":
        """Return a lexicon without some titles and with some others; this one stays what it is for those who read it."""
        minus, plus, after = Lexicon(without), Lexicon(beside), Lexicon(())
        after.written = dict(self.written)
        for word in minus.written.keys() | plus.written.keys():
            forms = _less_and_more(self.written.get(word, Counter()), minus.written.get(word), plus.written.get(word))
            after.written[word] = forms
            if not forms:
                del after.written[word]
        after.pairs = _less_and_more(self.pairs, minus.pairs, plus.pairs)
        after.pairs_written = _less_and_more(self.pairs_written, minus.pairs_written, plus.pairs_written)
        if "shortened" in self.__dict__:
            shortened = dict(self.shortened)
            for word in (minus.written.keys() | plus.written.keys()) & (self.written.keys() ^ after.written.keys()):
                for short in _shortened(word):
                    others = [other for other in shortened.get(short, ()) if other != word]
                    shortened[short] = [*others, word] if word in after.written else others
            after.shortened = shortened
        return after

    def meant(self, typed: str, known: Callable[[str], bool] = lambda word: False) -> str:
        """Return what was meant, with accents, or the empty text when that is what was typed.

        `known` says of a folded word whether it stands somewhere else than in titles.
        """
        words = [token.folded for token in text.tokens(typed)]
        if not words or not self.written:
            return ""
        choices = [
            self._choices(word, last=n == len(words) - 1, known=known, many=len(words)) for n, word in enumerate(words)
        ]
        best = self._likeliest(choices)
        if [part for parts in best for part in parts] == words:
            return ""
        return " ".join(self.accented([part for parts in best for part in parts]))

    def _choices(
        self, word: str, *, last: bool, known: Callable[[str], bool], many: int
    ) -> list[tuple[float, tuple[str, ...]]]:
        """Return what a word may have been, each with its cost, itself among them."""
        here = word in self.written or word.isdigit()
        elsewhere = here or known(word)
        stays = (0.0 if here else STRANGER if elsewhere else NOWHERE, (word,))
        if elsewhere and many > ALL_WORDS:
            return [stays]
        found: dict[tuple[str, ...], float] = {}

        def offer(cost: float, *parts: str) -> None:
            if all(part in self.written for part in parts) and parts != (word,):
                found[parts] = min(cost, found.get(parts, cost))

        for plain in telex(word) | vni(word):
            offer(CODES, plain)
        for other in {other for short in _shortened(word) for other in self.shortened.get(short, ())}:
            if (cost := _slip(word, other)) is not None:
                offer(cost, other)
        for cut in range(2, len(word) - 1):
            if (word[:cut], word[cut:]) in self.pairs:
                offer(SPLIT, word[:cut], word[cut:])
        if last and len(word) > 1 and not elsewhere:
            for other in self.written:
                if other.startswith(word):
                    offer(UNFINISHED, other)
        ranked = sorted(found.items(), key=lambda item: (item[1] - math.log1p(self._often(item[0])) / 8, item[0]))
        return [stays, *((cost, parts) for parts, cost in ranked[: 4 * MOST_CANDIDATES])]

    def _often(self, parts: Sequence[str]) -> int:
        return min(sum(self.written[part].values()) for part in parts)

    def _likeliest(self, choices: Sequence[Sequence[tuple[float, tuple[str, ...]]]]) -> list[tuple[str, ...]]:
        """Return one choice for each word, so that costs and strange neighbours together are fewest (Viterbi)."""
        paths: dict[str, tuple[float, list[tuple[str, ...]]]] = {"": (0.0, [])}
        for options in choices:
            reached: dict[str, tuple[float, list[tuple[str, ...]]]] = {}
            for before, (spent, chosen) in paths.items():
                for cost, parts in options:
                    total = spent + cost + self._strangeness(before, parts[0])
                    if parts[-1] not in reached or total < reached[parts[-1]][0]:
                        reached[parts[-1]] = (total, [*chosen, parts])
            paths = dict(sorted(reached.items(), key=lambda item: item[1][0])[: 4 * MOST_CANDIDATES])
        return min(paths.values(), key=lambda path: path[0])[1]

    def _strangeness(self, before: str, word: str) -> float:
        together = self.pairs.get((before, word), 0)
        if together:
            return -math.log1p(together) / 4
        return STRANGER if before else 0.0

    def accented(self, folded: Sequence[str]) -> list[str]:
        """Return folded words as titles write them, each as beside the one before it."""
        written: list[str] = []
        for place, word in enumerate(folded):
            forms = self.written.get(word)
            before = written[-1] if place else ""
            after = folded[place + 1] if place + 1 < len(folded) else ""
            if not forms:
                written.append(word)
                continue

            followers: Iterable[str] = self.written.get(after, ())
            fits = [(self._fit(form, before, followers), count, form) for form, count in forms.items()]
            written.append(max(fits)[2])
        return written

    def _fit(self, form: str, before: str, followers: Iterable[str]) -> int:
        """Return how often a written form stands after one word, and before any form of another."""
        return self.pairs_written[before, form] + max(
            (self.pairs_written[form, other] for other in followers), default=0
        )


def _in_a_row(titles: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the words of titles one after the other, folded and as they are written; an empty one before each title."""
    found: list[tuple[str, str]] = []
    for title in titles:
        found.append(("", ""))
        found += text.words(title)
    return [word for word, _ in found], [form for _, form in found]


def _beside(words: Sequence[str]) -> Counter[tuple[str, str]]:
    """Return how often each word follows another one; the first of a title follows the empty one."""
    found = Counter(pairwise(words))
    for pair in [pair for pair in found if not pair[1]]:
        del found[pair]
    return found


def _less_and_more(counts: Counter[T], less: Counter[T] | None, more: Counter[T] | None) -> Counter[T]:
    after = counts.copy()
    after.subtract(less or ())
    after.update(more or ())
    for key in less or ():
        if after[key] <= 0:
            del after[key]
    return after


def _shortened(word: str) -> set[str]:
    """Return a word without any one of its letters (any two in a long one), and itself.

    Two words that are one slip apart share one of these, so that candidates are looked up and not searched for.
    """
    found = {word}
    for _ in range(2 if LONG <= len(word) <= text.LONGEST_WORD // 2 else 1):
        found |= {some[:place] + some[place + 1 :] for some in found for place in range(len(some))}
    found.add(word.replace("y", "i"))
    return found


def _slip(typed: str, meant: str) -> float | None:
    """Return the cost of one slip (two in a long word) between two folded words, None for more."""
    if typed.replace("y", "i") == meant.replace("y", "i"):
        return ALIKE  # Many words are written with i by some and with y by others: kí, ký.
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    one, other = typed[start:], meant[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    # A slip in a very short word leaves nothing to recognise it by.
    if min(len(typed), len(meant)) < 2 and len(typed) + len(meant) < 4:
        return None
    if len(one) + len(other) == 1:
        return EDIT
    if len(one) == len(other) == 1:
        return NEAR_KEY if frozenset((one, other)) in _NEIGHBOURS else EDIT + 0.3
    if len(one) == len(other) == 2 and one == other[::-1]:
        return SWAPPED
    if min(len(typed), len(meant)) >= LONG and max(len(one), len(other)) <= 2:
        return 2 * EDIT
    return None


def accents_meant(typed: str, found: Sequence[Candidate]) -> str:
    """Return the words with the accents that the titles found have, where those typed stand in none of the texts found.

    The empty text when the accents are right, or when none were typed.
    """
    composed = text.nfc(typed)
    asked = text.tokens(composed)
    if all(token.exact == token.folded for token in asked):
        return ""
    lexicon = Lexicon(candidate.title for candidate in found)
    right = {text.exact(form) for forms in lexicon.written.values() for form in forms}
    forms = lexicon.accented([token.folded for token in asked])
    meant = [composed[token.start : token.end] for token in asked]
    changed = False
    for place, token in enumerate(asked):
        wrong = token.exact != token.folded and token.exact not in right and token.folded in lexicon.written
        if wrong and not any(text.has_exactly(candidate.body, meant[place]) for candidate in found):
            changed, meant[place] = True, forms[place]
    return " ".join(meant) if changed else ""
