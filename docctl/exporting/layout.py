"""How wide the columns of a table are on paper: no word broken where it can be helped, and as few lines as possible."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import fontpkg_be_vietnam_pro
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from docctl.exporting.paper import Row, written

REGULAR, BOLD = "BeVietnamPro", "BeVietnamPro-Bold"
GAP = 6.0  # Points of white left and right of a cell together.
WIDEST_WORD, WIDEST_TEXT = 11.0, 65.0  # At a size of one point; what is longer gets more lines.
_WORD, _PIECE, _DATE = re.compile(r"\S+"), re.compile(r"(?<=[/\-–])"), re.compile(r"\d\d?/\d\d?(/\d{4})?\W?")


@cache
def use_fonts() -> None:
    """Register the font that has every Vietnamese letter; it comes with the program, the machine needs none."""
    folder = Path(os.fspath(fontpkg_be_vietnam_pro.__file__)).parent / "files"
    for name, file in ((REGULAR, "BeVietnamPro-Regular.ttf"), (BOLD, "BeVietnamPro-Bold.ttf")):
        pdfmetrics.registerFont(TTFont(name, folder / file))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a text is on one line, in points."""
    use_fonts()
    return float(pdfmetrics.stringWidth(text, BOLD if bold else REGULAR, size))


@dataclass(frozen=True)
class Column:
    """How wide a column must be, would be and might be, in points at a size of one, without the white beside it."""

    pieces: float  # No word broken but after a stroke or a dash.
    words: float  # No word broken.
    usual: float  # Most of its cells on one line.
    whole: float  # All of them on one line, the heading on two.


def measured(headings: Sequence[str], rows: Sequence[Row]) -> list[Column]:
    """Measure the columns of a table."""
    return [
        _measured(heading, Counter(written(row[number]) for row in rows)) for number, heading in enumerate(headings)
    ]


def widths(columns: Sequence[Column], total: float, size: float, gap: float = GAP) -> list[float]:
    """Share `total` points among columns: first no word is broken, then most cells get one line, then all of them."""
    levels = _levels(columns, size, gap)
    if sum(levels[0]) >= total:
        return _capped(levels[0], total)
    for low, high in pairwise(levels):
        wanted = sum(high) - sum(low)
        if sum(high) >= total and wanted:
            share = (total - sum(low)) / wanted
            return [one + share * (other - one) for one, other in zip(low, high, strict=True)]
    # There is more than enough: numbers and codes stay narrow, texts get the rest.
    words, whole = levels[1], levels[-1]
    grows = [high - low for low, high in zip(words, whole, strict=True)]
    grows = grows if sum(grows) > 0 else whole
    return [high + (total - sum(whole)) * grow / sum(grows) for high, grow in zip(whole, grows, strict=True)]


def fits(columns: Sequence[Column], total: float, size: float, gap: float = GAP, *, one_line: bool = False) -> bool:
    """Say whether no word need be broken, or every cell has room on one line."""
    return sum(_levels(columns, size, gap)[-1 if one_line else 1]) <= total


def broken(text: str, room: float, size: float) -> str:
    """Return a text whose words are broken after a stroke or a dash where they are wider than the room."""
    if all(width_of(word, size) <= room for word in text.split()):
        return text
    return _WORD.sub(lambda found: _broken(found.group(), room, size), text)


def lacks(text: str) -> bool:
    """Say whether the font lacks a letter of a text."""
    return any(font_of(letter) != REGULAR for letter in set(text) if letter > "~")


@cache
def font_of(letter: str) -> str:
    """Return the font that has a letter: the program's own, or one that every reader of PDF has; empty when none does."""
    use_fonts()
    if letter == "\n" or ord(letter) in pdfmetrics.getFont(REGULAR).face.charToGlyph:
        return REGULAR
    for name in ("Symbol", "ZapfDingbats"):
        try:
            letter.encode(pdfmetrics.getFont(name).encName)
        except UnicodeEncodeError:
            continue
        return name
    return ""


def _measured(heading: str, texts: Counter[str]) -> Column:
    wide = {text: max((width_of(line, 1) for line in text.splitlines()), default=0.0) for text in texts}
    words = {word for text in texts for word in text.split()}
    pieces = {piece for word in words for piece in _pieces(word)}
    head = max((width_of(word, 1, bold=True) for word in heading.split()), default=0.0)
    word = max(head, min(max((width_of(one, 1) for one in words), default=0.0), WIDEST_WORD))
    piece = max(head, min(max((width_of(one, 1) for one in pieces), default=0.0), WIDEST_WORD))
    full, title = min(max(wide.values(), default=0.0), WIDEST_TEXT), width_of(heading, 1, bold=True)
    # One long cell makes no wide column, and a column that is mostly empty gets little.
    mean = sum(number * wide[text] for text, number in texts.items()) / max(1, texts.total())
    whole = max(word, full, title / 2)
    return Column(piece, word, min(max(word, 1.25 * mean, title / 3), whole), whole)


def _levels(columns: Sequence[Column], size: float, gap: float) -> list[list[float]]:
    # A point to spare, or the last letter of the widest code slips to a line of its own.
    return [
        [getattr(column, level) * size + gap + 1 for column in columns]
        for level in ("pieces", "words", "usual", "whole")
    ]


def _capped(wanted: Sequence[float], total: float) -> list[float]:
    """Cut the widest columns down to what is left for each of them, and leave the narrow ones as they are."""
    left, result = total, list(wanted)
    for done, number in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        result[number] = min(wanted[number], left / (len(wanted) - done))
        left -= result[number]
    return result


def _pieces(word: str) -> list[str]:
    return [word] if _DATE.fullmatch(word) else [piece for piece in _PIECE.split(word) if piece]


def _broken(word: str, room: float, size: float) -> str:
    lines = [""]
    for piece in _pieces(word):
        if lines[-1] and width_of(lines[-1] + piece, size) > room:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)
