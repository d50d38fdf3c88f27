"""How wide the columns of a table are on paper: no word broken where it can be helped, and as few lines as possible."""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import fontpkg_be_vietnam_pro
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from docctl.exporting.paper import Block, written

REGULAR, BOLD = "BeVietnamPro", "BeVietnamPro-Bold"
GAP = 6.0  # Points of white left and right of a cell together.
WIDEST_WORD = 70.0
WIDEST_TEXT = 420.0


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


def widths(block: Block, total: float, size: float) -> list[float]:
    """Share `total` points among the columns: each gets its longest word, the rest goes where the text is long."""
    least, whole = [], []
    for number, heading in enumerate(block.headings):
        texts = {written(row[number]) for row in block.rows}
        words = {word for text in texts for word in text.split()}
        longest = max((width_of(word, size) for word in words), default=0.0)
        head = max((width_of(word, size, bold=True) for word in heading.split()), default=0.0)
        least.append(min(max(longest, head), WIDEST_WORD) + GAP)
        # A point to spare, or the last letter of the widest code slips to a line of its own.
        whole.append(1 + min(max((width_of(text, size) for text in texts), default=0.0), WIDEST_TEXT) + GAP)
    return _shared(least, [max(pair) for pair in zip(least, whole, strict=True)], total)


def _shared(least: Sequence[float], whole: Sequence[float], total: float) -> list[float]:
    if sum(least) >= total:
        return [width * total / sum(least) for width in least]
    if sum(whole) <= total:
        return [width * total / sum(whole) for width in whole]
    spare, wanted = total - sum(least), sum(whole) - sum(least)
    return [low + spare * (high - low) / wanted for low, high in zip(least, whole, strict=True)]
