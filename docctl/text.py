"""Unicode and Vietnamese: the one analysis of words and codes that search, codes and import share."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby, islice, pairwise
from typing import NamedTuple

VERSION = 1  # Raise it when the same text would give other terms: every index is then rebuilt by itself.

LONGEST_WORD = 64  # Longer runs are no words of any language; cutting them bounds the size of a term.
MAX_CODE_PARTS = 8
MAX_MARKS = 400
_RANK = 1_000  # More than so many marks can add by their accents and their neighbours.
LONGEST_KEPT = 60_000  # Characters of a text of which it is kept where words stand.

_TONES = "\u0300\u0301\u0303\u0309\u0323"
# What may stand inside a word without parting it: marks that NFC could not compose, zero-width characters, soft hyphen.
_INSIDE = "\u0300-\u036f\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
_WORD = rf"[^\W_]+(?:[{_INSIDE}]+[^\W_]*)*"
_CHUNK = re.compile(rf"{_WORD}(?:[-./‐‑‒–]{_WORD})*")
_WORDS = re.compile(_WORD)
_SPACE, _SPACES = re.compile(r"\s"), re.compile(r"\s+")
_FILLER = re.compile(r"[-_.…](?:\s*[-_.…]){3,}|…(?:\s*[.…])+")  # What a form has where something is to be written.
_PARTS = re.compile(r"\d+|[^\W\d_]+")
_INVISIBLE = re.compile(rf"[{_INSIDE.replace(chr(0x300) + '-' + chr(0x36F), '')}]")
_VOWELS = frozenset("aeiouy")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_STROKES = dict.fromkeys(map(ord, "ÐĐƉðđɖ"), "d")
_ETH = {0xD0: "Đ"}  # The Icelandic letter that old fonts and keyboards put where Vietnamese has Đ; they look the same.


class Token(NamedTuple):
    """One word: folded and exact form, its number in the text, and its place in `nfc(text)`."""

    folded: str
    exact: str
    position: int
    start: int
    end: int


class Terms(NamedTuple):
    """What a text is found by, each term with how often it stands there.

    `words`: folded words and codes; `exact`: exact forms where they differ from the folded ones; `pairs`: neighbouring
    folded words, joined by a space; `length`: the number of words.
    """

    words: Counter[str]
    exact: Counter[str]
    pairs: Counter[str]
    length: int


class _Word(NamedTuple):
    folded: str
    exact: str


class _Chunk(NamedTuple):
    words: tuple[_Word, ...]
    codes: tuple[str, ...]


class _Folding(dict[int, str]):
    """A translation table that works out each character once."""

    def __missing__(self, character: int) -> str:
        folded = chr(character)
        while (once := _fold_once(folded)) != folded:
            folded = once
        self[character] = folded
        return folded


def _fold_once(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.translate(_STROKES).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c) != "Mn")


_FOLDING = _Folding()


def nfc(text: str) -> str:
    """Return a text with letters and marks composed (Unicode NFC)."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Return a text in lower case without accents, đ as d; NFC and NFD give the same."""
    return nfc(text).translate(_FOLDING)


def exact(text: str) -> str:
    """Return a text in lower case with its accents, in a form that is the same for old and new tone placement.

    The tone of each word goes to its end (hoà and hòa both become `hoa` + grave), so the form is for comparing only.
    """
    return _WORDS.sub(lambda found: _forms(found[0]).exact, nfc(text))


def clean_name(text: str) -> str:
    """Return a title, a code or a file name as it is kept: NFC, Ð as Đ, no control, bidi or zero-width characters.

    White space of every kind becomes plain spaces, so that words on two lines stay two words.
    """
    text = "".join(" " if c.isspace() else c for c in nfc(text).translate(_ETH))
    return nfc("".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))).strip()


def code_key(code: str) -> str:
    """Return the form by which codes are compared: upper case, no accents, no spaces, one dash; `QD` equals `QĐ`."""
    key = code
    for _ in range(4):  # A few rare letters need a second round before upper and lower case agree.
        before, key = key, "".join(fold(clean_name(key)).translate(_DASHES).split()).upper()
        if key == before:
            break
    return key


def number(typed: str) -> int | None:
    """Return the whole number of at most nine digits 0–9 that was typed, None for anything else; every database takes it."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


def tokens(text: str) -> list[Token]:
    """Return the words of a text in order; codes come apart into their words."""
    found = _WORDS.finditer(nfc(text))
    return [Token(*_forms(word[0]), position, word.start(), word.end()) for position, word in enumerate(found)]


def words(text: str) -> list[tuple[str, str]]:
    """Return the words of a text in order, each folded and as it is written, in lower case."""
    return [(_forms(word).folded, word.lower()) for word in _WORDS.findall(nfc(text))]


def terms(text: str) -> Terms:
    """Return the terms of a text for an index."""
    chunks = _CHUNK.findall(nfc(text))
    analysed = [_analysed(chunk) for chunk in chunks]
    words = [word for chunk in analysed for word in chunk.words]
    folded = [word.folded for word in words]
    counted = Counter(folded)
    counted.update(code for chunk in analysed if chunk.codes for code in chunk.codes)
    counted.update(_codes_with_a_space(chunks))
    return Terms(
        words=counted,
        exact=Counter(word.exact for word in words if word.exact != word.folded),
        pairs=Counter(map(" ".join, pairwise(folded))),
        length=len(words),
    )


def code_terms(code: str) -> set[str]:
    """Return everything a document's own code is found by: its words, its parts and every run of neighbouring parts.

    Leading zeros are off and separators are all alike, so `qt1/cx` and `QT 01.CX` find `QT 01/CX-HCTP`. So does a code
    whose letters were typed without any between them: `qttp15` is QT-TP-15.
    """
    parts = code_parts(code)[: 2 * MAX_CODE_PARTS]
    runs = {
        "-".join(parts[start:end])
        for start in range(len(parts))
        for end in range(start + 1, min(len(parts), start + MAX_CODE_PARTS) + 1)
    }
    glued = ["-".join(run) if digits else "".join(run) for digits, run in groupby(parts, str.isdigit)]
    return runs | {token.folded for token in tokens(code)} | ({"-".join(parts), "-".join(glued)} if parts else set())


def code_parts(code: str) -> list[str]:
    """Return the folded parts of a code: runs of letters and runs of digits, leading zeros off."""
    return [_unpadded(part) for part in written_parts(code)]


def written_parts(code: str) -> list[str]:
    """Return the folded parts of a code with the zeros that are written, whatever signs part them."""
    return _PARTS.findall(fold(code))


def code_beginnings(code: str) -> list[str]:
    """Return what a code begins with, as it is written and the longest first: all parts but the last, down to two."""
    ends = [part.end() for part in _PARTS.finditer(code)]
    return [code[:end] for end in reversed(ends[1:-1])]


def is_code(chunk: str) -> bool:
    """Say whether a word is written like a code: parts joined by signs or letters joined to digits, with a digit."""
    return bool(_analysed(chunk).codes)


def chunks(text: str) -> list[str]:
    """Return the words of a text with codes whole."""
    return _CHUNK.findall(nfc(text))


def codes(text: str) -> list[tuple[int, int]]:
    """Return where in a composed text its codes stand, with the letters and the space that offices begin some with."""
    found: list[tuple[int, int]] = []
    before: re.Match[str] | None = None
    for chunk in _CHUNK.finditer(text):
        if before and _codes_with_a_space((before[0], chunk[0])):
            found.append((before.start(), chunk.end()))
        elif is_code(chunk[0]):
            found.append(chunk.span())
        before = chunk
    return found


def apart(text: str) -> tuple[list[str], str]:
    """Return the codes in a text and what is left of it."""
    text, left = nfc(text), []
    found, last = [], 0
    for start, end in codes(text):
        found.append(text[start:end])
        left.append(text[last:start])
        last = end
    return found, " ".join([*left, text[last:]]).strip()


def whole_code(chunk: str) -> str:
    """Return the one term that stands for a whole code."""
    return "-".join(code_parts(chunk)[:MAX_CODE_PARTS])


@lru_cache(maxsize=1 << 16)
def _forms(word: str) -> _Word:
    word = _INVISIBLE.sub("", word)[:LONGEST_WORD]
    folded = fold(word)
    if folded.isdigit():
        return _Word(_unpadded(folded), folded)
    if word.isascii():
        return _Word(folded, folded)
    decomposed = unicodedata.normalize("NFD", word.translate(_ETH).casefold())
    tones = "".join(sorted((c for c in decomposed if c in _TONES), key=unicodedata.combining))
    base = "".join(c for c in decomposed if c not in _TONES)
    return _Word(folded, unicodedata.normalize("NFC", base) + tones)


@lru_cache(maxsize=1 << 16)
def _analysed(chunk: str) -> _Chunk:
    words = tuple(_forms(word) for word in _WORDS.findall(chunk))
    parts = code_parts(chunk)
    if len(parts) < 2 or not any(part.isdigit() for part in parts):
        return _Chunk(words, ())
    plain = {word.folded for word in words}
    prefixes = ["-".join(parts[:end]) for end in range(2, min(len(parts), MAX_CODE_PARTS) + 1)]
    glued = [part for part in parts if part not in plain]  # The `u` and the `3` of U003.
    return _Chunk(words, tuple(prefixes + glued))


def _codes_with_a_space(chunks: Sequence[str]) -> list[str]:
    """Return `qt-1` and `qt-1-cx-hctp` for `QT 01/CX-HCTP`: offices put a space after the letters of a code."""
    found = []
    for before, chunk in pairwise(chunks):
        if chunk[0].isdigit() and 2 <= len(before) <= 5 and before.isupper() and before.isalpha():
            parts = code_parts(f"{before} {chunk}")[:MAX_CODE_PARTS]
            found += ["-".join(parts[:end]) for end in {2, len(parts)}]
    return found


def _unpadded(part: str) -> str:
    return part.lstrip("0") or "0" if part.isdigit() else part


# --- Finding the words of a query in a text -------------------------------------------------------------------------


class Passage(NamedTuple):
    """The part of a text that a query is best seen in: pieces, marked or not, and where in the composed text it begins."""

    pieces: list[tuple[str, bool]]
    start: int
    found: bool


def snippet(text: str, query: str, width: int = 240) -> list[tuple[str, bool]]:
    """Return about `width` characters of a text around the words of a query, in pieces: (text, marked or not)."""
    return passage(text, query, width).pieces


def passage(text: str, query: str, width: int = 240, also: Sequence[str] = ()) -> Passage:
    """Return the passage of a text with the most words of a query, those with the typed accents first.

    One regular expression runs over the text as it is: each letter stands for itself with every accent. Marked is what
    comes nearest to the query in the passage: the whole of it, else its words with the typed accents, else its words.
    `also` are other words for the same, each of which counts as the query does.
    """
    text = nfc(text)
    ways = (query, *also)
    spans, chosen = _densest(text, ways, width)
    start, end = _window(text, spans, chosen, width)
    if end - start > width and spans and (pattern := _pattern(" ".join(ways))):
        spans = [
            found.span() for found in pattern.finditer(text, start, end + 1)
        ]  # The lines of a form made it longer.
    inside = [span for span in spans if span[0] >= start and span[1] <= end]
    marked = _joined(text, _nearest(text, ways, inside, start, end))
    return Passage(_pieces(text, start, end, marked), marked[0][0] if marked else start, bool(marked))


def phrase_in(text: str, phrase: str) -> bool:
    """Say whether the words of a phrase stand in a text (in NFC) next to each other, whatever the accents and the case."""
    return _place(text, phrase, accents=False) >= 0


def has_exactly(text: str, words: str) -> bool:
    """Say whether words stand in a text (in NFC) next to each other with the very accents that were typed."""
    return _place(text, words, accents=True) >= 0


def _place(text: str, words: str, *, accents: bool) -> int:
    """Return where words first stand in a text next to each other, below 0 where they do nowhere.

    The second pass and the passage ask the same of the same texts, so the latest answers are kept.
    """
    if len(text) > LONGEST_KEPT:
        return _searched(text, words, accents)
    return _kept_place(text, words, accents)


def _searched(text: str, words: str, accents: bool) -> int:
    pattern = _phrase_pattern(words, accents=accents)
    found = pattern.search(text) if pattern else None
    return found.start() if found else -1


_kept_place = lru_cache(maxsize=1024)(_searched)


def _densest(text: str, ways: Sequence[str], width: int) -> tuple[list[tuple[int, int]], int]:
    """Return where words of a query stand, and the first of them of the window in which most different ones stand.

    Where they stand as a phrase only the text around it is read, else no further than a window that has them all.
    """
    pattern, asked = _pattern(" ".join(ways)), _query_tokens(" ".join(ways))
    typed = {token.exact for token in asked}
    # Different words count first, then those with the typed accents and those that touch; plain numbers, for the speed.
    most = len(typed)
    all_of_them = _RANK * len({token.folded for token in asked}) + most
    phrase = next((place for way in ways if (place := _phrase(text, way, _query_tokens(way))) >= 0), -1)
    begin = max(0, phrase - width)
    spans: list[tuple[int, int]] = []
    forms: list[_Word] = []
    folded: dict[str, int] = {}
    exact: dict[str, int] = dict.fromkeys(typed, 0)
    different = right = touching = chosen = first = last = 0
    best = -1.0
    for found in islice(pattern.finditer(text, begin), MAX_MARKS) if pattern else ():
        start, end = found.span()
        spans.append((start, end))
        if phrase >= 0:
            if start - phrase > width:
                break
            chosen += start < phrase
            continue
        if best >= all_of_them:
            if start - spans[chosen][0] > width:
                break
            continue
        forms.append(form := _forms(found[0]))
        word, written = form
        many = folded.get(word, 0)
        folded[word] = many + 1
        different += not many
        if written in exact:
            right += not exact[written]
            exact[written] += 1
        touching += start - last <= 1 and len(forms) > 1
        last = end
        while end - spans[first][0] > width and first < len(forms) - 1:
            word, written = forms[first]
            folded[word] -= 1
            different -= not folded[word]
            if written in exact:
                exact[written] -= 1
                right -= not exact[written]
            first += 1
            touching -= spans[first][0] - spans[first - 1][1] <= 1
        score = _RANK * different + right + (touching if touching < most else most) / 2
        if score > best:
            best, chosen = score, first
    return spans, min(chosen, max(0, len(spans) - 1))


def _phrase(text: str, query: str, asked: Sequence[Token]) -> int:
    """Return where the words of a query first stand next to each other, with the typed accents if they do anywhere."""
    if len(asked) < 2:
        return -1
    place = _place(text, query, accents=True) if _accented(asked) else -1
    return place if place >= 0 else _place(text, query, accents=False)


def _accented(asked: Sequence[Token]) -> bool:
    return any(token.exact != token.folded and not token.folded.isdigit() for token in asked)


def _window(text: str, spans: Sequence[tuple[int, int]], chosen: int, width: int) -> tuple[int, int]:
    """Return the bounds, at word boundaries, of what is shown around the words from the chosen one on."""
    begin = spans[chosen][0] if spans else 0
    # A third of what the words leave free goes before the first of them.
    inside = [end for start, end in spans[chosen:] if end - begin <= width]
    start = max(0, begin - max(0, width - (max(inside, default=begin) - begin)) // 3)
    end = min(len(text), max(_reach(text, start, width), min(max(inside, default=0), len(text))))
    if start > 0 and (space := _SPACE.search(text, start, begin)):
        start = space.end()
    if end < len(text) and (cut := max(text.rfind(" ", begin, end), text.rfind("\n", begin, end))) > begin:
        end = max(cut, *(e for _, e in spans[chosen:] if e <= end)) if inside else cut
    return start, end


def _reach(text: str, start: int, width: int) -> int:
    """Return where a passage of some width ends, of whose fillers one character each is shown; a bounded way off."""
    place, end = start, start + width
    while end < start + 8 * width and (filler := _FILLER.search(text, place, end)):
        place = filler.end()
        end += place - filler.start() - 1
    return end


def _nearest(
    text: str, ways: Sequence[str], spans: list[tuple[int, int]], start: int, end: int
) -> list[tuple[int, int]]:
    """Return which of the words in a passage come nearest to a query: beside `quyền sử dụng đất` stands no `Đạt`."""
    strict = [way for way in ways if _accented(_query_tokens(way))]
    if not spans or not (strict or len(ways) > 1 or len(_query_tokens(ways[0])) > 1):
        return spans
    if row := _in_rows(text, {way: way in strict for way in ways}, spans, start, end):
        return row
    if not strict:
        return spans
    typed = {token.exact for way in strict for token in _query_tokens(way)}
    forms = [_forms(text[begin:stop]) for begin, stop in spans]
    met = {form.folded for form in forms if form.exact in typed}
    short = all({token.folded for token in _query_tokens(way)} - met for way in strict)
    # Where the typed words do not all stand with these accents, they may stand as a whole with others.
    if short and (row := _in_rows(text, dict.fromkeys(strict, False), spans, start, end)):
        return row
    return [span for span, form in zip(spans, forms, strict=True) if form.exact in typed or form.folded not in met]


def _in_rows(
    text: str, ways: Mapping[str, bool], spans: Iterable[tuple[int, int]], start: int, end: int
) -> list[tuple[int, int]]:
    """Return the words between two places that stand as a whole query does, each with the typed accents or with any."""
    patterns = [_phrase_pattern(way, accents=accents) for way, accents in ways.items()]
    rows = [row.span() for pattern in patterns if pattern for row in pattern.finditer(text, start, end + 1)]
    return [span for span in spans if any(begin <= span[0] and span[1] <= stop <= end for begin, stop in rows)]


def _joined(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _pieces(text: str, start: int, end: int, marked: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    pieces: list[tuple[str, bool]] = []
    position = start
    for mark_start, mark_end in marked:
        pieces += [(text[position:mark_start], False), (text[mark_start:mark_end], True)]
        position = mark_end
    pieces.append((text[position:end], False))
    spaced = [(_SPACES.sub(" ", _FILLER.sub("…", piece)), mark) for piece, mark in pieces]
    spaced = [(piece, mark) for piece, mark in spaced if piece]
    if start > 0 and spaced and not spaced[0][0].startswith("…"):
        spaced.insert(0, ("… ", False))
    if end < len(text) and spaced and not spaced[-1][0].endswith("…"):
        spaced.append((" …", False))
    return spaced


@lru_cache(maxsize=256)
def _query_tokens(query: str) -> tuple[Token, ...]:
    return tuple(tokens(query))


@lru_cache(maxsize=256)
def _pattern(query: str) -> re.Pattern[str] | None:
    """Return a pattern of any word of a query.

    It begins with one class of first letters, which the regex machine skips to; each word then looks back at its own.
    """
    wanted = list(dict.fromkeys(token.folded for token in tokens(query)))[:64]
    wanted += list(dict.fromkeys(part for part in code_parts(query) if part not in wanted))[:16]
    if not wanted:
        return None
    stems = {token.folded for token in tokens(" ".join(re.findall(r"(\S+)\*(?=\s|$)", nfc(query))))}
    firsts, words = "", []
    for word in sorted(wanted, key=len, reverse=True):
        starts = [(word[0], word[1:])] + ([("0", f"0*{word}")] if word.isdigit() else [])
        for first, rest in starts:
            firsts += _written(first)
            loose = "".join(c if c in "0*" else _class(c) for c in rest) if first == "0" else _loose(rest)
            words.append(rf"(?<={_class(first)}){loose}" + (r"[^\W_]*" if word in stems else ""))
    return re.compile(rf"[{re.escape(firsts)}]{_NOTHING_BEFORE}(?:{'|'.join(words)})(?![^\W_])")


@lru_cache(maxsize=256)
def _phrase_pattern(phrase: str, *, accents: bool) -> re.Pattern[str] | None:
    """Return a pattern of the words of a phrase next to each other, with the accents as typed or with any.

    A tone may stand on either vowel (hoà, hòa): both are the same word with the same accents.
    """
    words = _WORDS.findall(nfc(phrase))[:64]
    if not words:
        return None
    first, *others = [
        [list(map(_cased, way)) for way in _placements(word)] if accents else [list(map(_class, fold(word)))]
        for word in words
    ]
    if not all(first):
        return None
    heads = list(dict.fromkeys(way[0] for way in first))
    if len(heads) > 1:  # One class of all first letters, which the regex machine skips to, as in `_pattern`.
        begun = f"[{''.join(head[1:-1] for head in heads)}]{_NOTHING_BEFORE}"
        begun += _any_of([[f"(?<={way[0]})", *way[1:]] for way in first])
    else:
        begun = heads[0] + _NOTHING_BEFORE + _any_of([way[1:] for way in first])
    return re.compile(r"[\W_]{1,8}".join([begun, *map(_any_of, others)]) + r"(?![^\W_])")


# What stands behind the first letter of a word, to say that none stands before it: a pattern that begins with a class of
# letters is many times faster than one that begins by looking back.
_NOTHING_BEFORE = r"(?<![^\W_].)"


def _loose(folded: str) -> str:
    """Return a pattern of a folded word with every accent and case that a letter may have."""
    return "".join(map(_class, folded))


def _cased(letter: str) -> str:
    """Return a pattern of a letter with its accents, in any case."""
    upper = letter.upper()
    both = letter.lower() + (upper if len(upper) == 1 else letter) + ("Ð" if upper == "Đ" else "")
    return f"[{re.escape(both)}]"


def _any_of(ways: Sequence[Sequence[str]]) -> str:
    """Return a pattern of one of several rows of patterns."""
    rows = ["".join(way) for way in ways]
    return rows[0] if len(rows) == 1 else f"(?:{'|'.join(rows)})"


def _placements(word: str) -> list[str]:
    """Return a word with its tone on each of the neighbouring vowels: hoà and hòa, uỷ and ủy have the same exact form."""
    word = word.translate(_ETH)
    apart = [unicodedata.normalize("NFD", letter) for letter in word]
    toned = [place for place, letters in enumerate(apart) if any(c in _TONES for c in letters)]
    if len(toned) != 1:
        return [word]
    tone = "".join(c for c in apart[toned[0]] if c in _TONES)
    bare = [nfc("".join(c for c in letters if c not in _TONES)) for letters in apart]
    vowels = [letter in _VOWELS for letter in map(fold, bare)]
    begin = end = toned[0]
    while begin > 0 and vowels[begin - 1]:
        begin -= 1
    while end + 1 < len(bare) and vowels[end + 1]:
        end += 1
    ways = (nfc("".join([*bare[:at], bare[at] + tone, *bare[at + 1 :]])) for at in range(begin, end + 1))
    return [word, *(way for way in ways if way != word and len(way) == len(word))]


def _class(folded: str) -> str:
    return f"[{re.escape(_written(folded))}]"


def _written(folded: str) -> str:
    """Return the composed letters, of both cases, that fold to a character."""
    return _letters().get(folded, folded)


@lru_cache(maxsize=1)
def _letters() -> dict[str, str]:
    variants: dict[str, str] = {}
    for character in map(chr, [*range(0x30, 0x3A), *range(0x41, 0x7B), *range(0xC0, 0x530), *range(0x1E00, 0x1F00)]):
        if len(folded := fold(character)) == 1:
            variants[folded] = variants.get(folded, "") + character
    return variants


# --- The second pass ------------------------------------------------------------------------------------------------


class Candidate(NamedTuple):
    """A hit of the first pass with what the second pass looks at; title and body are in NFC."""

    key: int
    score: float
    code: str
    title: str
    body: str
    lead: float = 0.0  # What it has before others for a reason of its own, such as being in force.
    mention: str = ""  # The number of the decision that issued it.


def second_pass(query: str, candidates: Sequence[Candidate]) -> list[tuple[int, float]]:
    """Order hits again by what a person looks for: the code, the title, the typed accents, words next to each other.

    Returns (key, score) with the best first; scores lie between 0 and 100, and equal ones keep their order.
    """
    top = max((candidate.score for candidate in candidates), default=0.0)
    asked = _Asked(query)
    judged = [
        (candidate.key, _share(candidate.score, top) + asked.merit(candidate) + candidate.lead)
        for candidate in candidates
    ]
    judged.sort(key=lambda pair: -pair[1])
    return [(key, round(100 * score / _BEST, 2)) for key, score in judged]


def below_second_pass(rest: Sequence[tuple[int, float]], hits: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the hits that the second pass left out, with scores on its scale; `hits` are all of the first pass."""
    top = max((score for _, score in hits), default=0.0)
    return [(key, round(100 * _share(score, top) / _BEST, 2)) for key, score in rest]


FIRST_PASS = 4.0  # What the best hit of the first pass has before its merits count.
_BEST = FIRST_PASS + 21.0


def _share(score: float, top: float) -> float:
    return FIRST_PASS * score / top if top > 0 else 0.0


class _Asked:
    """The words of a query as candidates are compared with them."""

    def __init__(self, query: str) -> None:
        asked = tokens(query)
        self.typed = [_typed(token) for token in asked]
        self.wanted = set(self.typed)
        self.folded = {token.folded for token in asked}
        self.code = "-".join(code_parts(query))
        self.names_code = is_code(query.replace(" ", ""))
        self.codes = {whole_code(chunk) for chunk in chunks(query) if is_code(chunk)}
        # Whoever names a code wants what bears it, and not what cites it most.
        in_body = not self.codes or len(self.codes) < len(chunks(query))
        self.query, self.strict, self.loose = query, in_body and _accented(asked), in_body and len(asked) > 1

    def merit(self, candidate: Candidate) -> float:
        """Return 0 to 21: up to 6 for the code, 11 for the title, 4 for the body; a word typed with accents means them."""
        if not self.typed:
            return 0.0
        named = max(self._of_code(candidate.code), self._of_mention(candidate.mention))
        return named + self._of_title(candidate.title) + self._of_body(candidate.body)

    def _of_code(self, code: str) -> float:
        key = _code_of(code)
        if key and key == self.code:
            return 6.0
        if key in self.codes:
            return 5.0
        return 2.0 if self.names_code and self.code in code_terms(code) else 0.0

    def _of_mention(self, mention: str) -> float:
        if not mention or not self.codes:
            return 0.0
        return 5.0 if whole_code(mention) in self.codes else 2.0 if self.codes & code_terms(mention) else 0.0

    def _of_title(self, title: str) -> float:
        forms, folded, row = _title_of(title)
        met, alike = len(self.wanted & forms), len(self.folded & folded)
        # Cubes, since some words of a long question stand in many titles: only a title with nearly all of them says much.
        # What was asked stands in the title …
        merit: float = (met / len(self.wanted)) ** 3 + 0.3 * (alike / len(self.folded)) ** 3
        merit += (met / max(len(self.wanted), len(folded))) ** 3  # … and the title says little else.
        if len(self.typed) > 1 and met == len(self.wanted) and self._in_a_row(row):
            merit += 8.0 if len(self.typed) == len(row) else 2.0  # … or nothing else at all.
        return merit

    def _in_a_row(self, title: Sequence[Token]) -> bool:
        """Say whether the words asked for stand in a title in their order, next to each other."""
        many = len(self.typed)
        rows = (title[start : start + many] for start in range(len(title) - many + 1))
        return any(all(word in token[:2] for word, token in zip(self.typed, row, strict=True)) for row in rows)

    def _of_body(self, body: str) -> float:
        if self.strict and has_exactly(body, self.query):
            return 4.0
        return 1.5 if self.loose and phrase_in(body, self.query) else 0.0


@lru_cache(maxsize=1 << 14)
def _title_of(title: str) -> tuple[frozenset[str], frozenset[str], tuple[Token, ...]]:
    """Return the forms of the words of a title, folded and exact, then the folded ones alone, then the words in order."""
    found = tuple(tokens(title))
    folded = frozenset(token.folded for token in found)
    return folded | {token.exact for token in found}, folded, found


@lru_cache(maxsize=1 << 14)
def _code_of(code: str) -> str:
    return "-".join(code_parts(code))


def _typed(token: Token) -> str:
    """Return the exact form of a word typed with accents, the folded form of one typed without."""
    return token.exact if token.exact != token.folded else token.folded
