"""Vietnamese from before Unicode: texts typed in TCVN3 and VNI fonts are recognised line by line and written anew.

Fonts such as .VnTime and VNI-Times draw Vietnamese letters in the places of others, so the stored text reads
`Céng hoµ x· héi` or `Coäng hoøa xaõ hoäi`. What tells is that only one reading gives Vietnamese syllables.
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

TCVN3, VNI = "tcvn3", "vni"

# How much of a text must read as Vietnamese one way and not the other before it is rewritten.
ENOUGH = 0.55
GAIN = 0.25
FEW_WORDS = 3  # Fewer telling words than this prove nothing.
BROKEN = 0.3  # Share of words with signs inside them above which a text that no table mends cannot be searched.


class Read(NamedTuple):
    """A text as it is to be read: the encodings it was rewritten from, or that it is in one that nobody here knows."""

    text: str
    encodings: tuple[str, ...] = ()
    unknown: bool = False


def read(text: str) -> Read:
    """Rewrite what was typed in the fonts of TCVN3 or VNI; any other text comes back as it is."""
    whole = _weigh(text, "")
    tried = {name: _weigh(text, name) for name in (TCVN3, VNI)}
    first, second = sorted(tried, key=lambda name: -tried[name].valid)
    best = tried[first]
    if best.words < FEW_WORDS or best.share < ENOUGH or best.share < whole.share + GAIN:
        mixed = best.words >= FEW_WORDS and best.valid > whole.valid and _has_lines(text, first)
        if not mixed:
            return Read(text, unknown=_broken(text, whole))
    used: Counter[str] = Counter()
    lines = [_line(line, first, second, used, settled=best.share >= whole.share + GAIN) for line in text.split("\n")]
    encodings = tuple(name for name in (first, second) if used[name] >= FEW_WORDS or (name == first and used[name]))
    return Read("\n".join(lines), encodings)


def convert(text: str, encoding: str) -> str:
    """Write a text anew that is known to be in an encoding."""
    if encoding == TCVN3:
        return _whole_capitals(_WORD.sub(lambda word: word[0].translate(_TCVN3), text))
    return _VNI.sub(lambda found: _vni(found[0]), text)


# --- The tables -----------------------------------------------------------------------------------------------------

# TCVN 5712:1993, third set (the ABC fonts): one byte for each letter, read here as the character of Windows-1252.
_TCVN3_LETTERS = (
    "A1Ă A2Â A3Ê A4Ô A5Ơ A6Ư A7Đ A8ă A9â AAê ABô ACơ ADư AEđ "
    "B5à B6ả B7ã B8á B9ạ BBằ BCẳ BDẵ BEắ C6ặ C7ầ C8ẩ C9ẫ CAấ CBậ "
    "CCè CEẻ CFẽ D0é D1ẹ D2ề D3ể D4ễ D5ế D6ệ D7ì D8ỉ DCĩ DDí DEị "
    "DFò E1ỏ E2õ E3ó E4ọ E5ồ E6ổ E7ỗ E8ố E9ộ EAờ EBở ECỡ EDớ EEợ "
    "EFù F1ủ F2ũ F3ú F4ụ F5ừ F6ử F7ữ F8ứ F9ự FAỳ FBỷ FCỹ FDý FEỵ"
)
_TCVN3 = {int(pair[:2], 16): pair[2:] for pair in _TCVN3_LETTERS.split()}
# Where ư stands, Windows-1252 has the soft hyphen, which PDF files give back as a minus or another hyphen.
_TCVN3 |= dict.fromkeys((0x2212, 0x2010, 0x2011), "ư")
# µ and · have doubles in Unicode that some programs write instead.
_TCVN3 |= {0x03BC: "à", 0x2219: "ã", 0x0110: "Đ", 0x01A1: "ơ", 0x01B0: "ư"}

# VNI: the plain letter, then a character for its mark; letters of their own for those that have no room beside them.
_MARKS = {
    "ø": "\u0300",
    "ù": "\u0301",
    "û": "\u0309",
    "õ": "\u0303",
    "ï": "\u0323",
    "â": "\u0302",
    "à": "\u0302\u0300",
    "á": "\u0302\u0301",
    "å": "\u0302\u0309",
    "ã": "\u0302\u0303",
    "ä": "\u0302\u0323",
    "ê": "\u0306",
    "è": "\u0306\u0300",
    "é": "\u0306\u0301",
    "ú": "\u0306\u0309",
    "ü": "\u0306\u0303",
    "ë": "\u0306\u0323",
}
_ALONE = {"ñ": "đ", "ô": "ơ", "ö": "ư", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
_TONES = "øùûõï"
_VNI = re.compile(r"[aeiouyôö][øùûõïâàáåãäêèéúüë]{1,2}|[ñôöæóòîìí]", re.IGNORECASE)


@lru_cache(maxsize=2048)
def _vni(written: str) -> str:
    letter = written[0]
    base = _ALONE.get(letter.lower(), letter.lower())
    marks = [mark.lower() for mark in written[1:]]
    if base in "ơưiy":  # These take tones only.
        kept = [mark for mark in marks if mark in _TONES]
    else:
        kept = marks[:1] + [mark for mark in marks[1:] if mark in _TONES and marks[0] not in _TONES]
    rest = "".join(written[1 + number] for number, mark in enumerate(marks) if mark not in kept)
    made = unicodedata.normalize("NFC", base + "".join(_MARKS[mark] for mark in kept))
    return (made.upper() if letter.isupper() else made) + rest


# --- What reads as Vietnamese ---------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\s\d.,;:!?()\[\]{}\"'“”‘’/\\|<>=+*&%$#@_~^…\x00-\x1f–—-]+(?:\u2212[^\W\d_]+)?")
_ONSET = r"(?:ngh|ng|nh|gh|gi|kh|ch|ph|th|tr|qu|[bcdđghklmnprstvx])?"
_OPEN = r"[aeêioôơuưy]|a[iouy]|âu|ây|e[ou]?|êu|i[au]|iêu|oa[iouy]?|o[ei]|oeo|ôi|ơi|u[aêiơy]|uây|uôi|uya|uyu|ư[aiu]|ươi|ươu|yêu"
_CLOSED = r"(?:[aăâeêioôơuưy]|iê|oa|oă|oe|oo|uâ|uê|uô|uy|uyê|ươ|yê)(?:ng|nh|ch|[cmnpt])"
_SYLLABLE = re.compile(rf"{_ONSET}(?:{_CLOSED}|{_OPEN})")
_STOPPED = re.compile(r"(?:ch|[cpt])$")
_TONE_MARKS = re.compile("[\u0300\u0301\u0303\u0309\u0323]")


@lru_cache(maxsize=1 << 16)
def is_syllable(word: str) -> bool:
    """Say whether a word is a possible Vietnamese syllable, its tone included."""
    parts = unicodedata.normalize("NFD", word.lower())
    tones = _TONE_MARKS.findall(parts)
    if len(tones) > 1:
        return False
    bare = unicodedata.normalize("NFC", _TONE_MARKS.sub("", parts))
    if not _SYLLABLE.fullmatch(bare):
        return False
    # What ends in a stop has the rising or the heavy tone and no other.
    return not _STOPPED.search(bare) or (bool(tones) and tones[0] in "\u0301\u0323")


class _Weight(NamedTuple):
    words: int
    valid: int

    @property
    def share(self) -> float:
        return self.valid / self.words if self.words else 0.0


def _weigh(text: str, encoding: str) -> _Weight:
    """Count the telling words of a text, those with a letter beyond ASCII, and how many are Vietnamese in a reading."""
    counted = Counter(word for word in _WORD.findall(text) if not word.isascii() and len(word) < 20)
    valid = sum(times for word, times in counted.items() if is_syllable(convert(word, encoding) if encoding else word))
    return _Weight(counted.total(), valid)


def _has_lines(text: str, encoding: str) -> bool:
    """Say whether part of a text, a table or an annex, is in an encoding though the rest is not."""
    telling = 0
    for line in text.split("\n"):
        plain, other = _weigh(line, ""), _weigh(line, encoding)
        if other.words >= 2 and other.share >= ENOUGH and plain.share < ENOUGH:
            telling += other.words
    return telling >= 5 * FEW_WORDS


def _line(line: str, first: str, second: str, used: Counter[str], *, settled: bool) -> str:
    plain = _weigh(line, "")
    if not plain.words:
        return line
    weighed = {name: _weigh(line, name).valid for name in (first, second)}
    chosen = first if weighed[first] >= weighed[second] else second
    if weighed[chosen] < plain.valid or (weighed[chosen] == plain.valid and (plain.valid or not settled)):
        return line
    used[chosen] += plain.words
    return convert(line, chosen)


def _whole_capitals(text: str) -> str:
    """Write in capitals what is so but for letters that TCVN3 has small only: `NGHị ĐịNH`."""
    return _CAPITALS.sub(lambda word: word[0].upper(), text)


_LETTERS = "".join(dict.fromkeys(letter.lower() for letter in _TCVN3.values()))
_CAPITALS = re.compile(rf"(?<![^\W\d_])[A-ZĂÂÊÔƠƯĐ{_LETTERS}]*[A-ZĂÂÊÔƠƯĐ]{{2}}[A-ZĂÂÊÔƠƯĐ{_LETTERS}]*(?![^\W\d_])")

_SIGN_INSIDE = re.compile(r"[A-Za-z][¡-¿×÷†-™][A-Za-z]|[A-Za-z][¡-¿×÷†-™]$")


def _broken(text: str, weight: _Weight) -> bool:
    """Say whether a text is full of signs in the middle of words: letters of a font that no table here knows."""
    if weight.words < 20 or weight.share > ENOUGH:
        return False
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    return sum(bool(_SIGN_INSIDE.search(word)) for word in words) / len(words) > BROKEN
