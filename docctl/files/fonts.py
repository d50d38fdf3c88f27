"""The font of everything that docctl prints itself: it has every Vietnamese letter and comes with the program."""

from functools import cache
from pathlib import Path

import fontpkg_be_vietnam_pro
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = "DocctlSheet", "DocctlSheet-Bold"


@cache
def use() -> None:
    """Register both faces with reportlab, once in a process."""
    folder = Path(fontpkg_be_vietnam_pro.__file__).parent / "files"
    registerFont(TTFont(REGULAR, folder / "BeVietnamPro-Regular.ttf"))
    registerFont(TTFont(BOLD, folder / "BeVietnamPro-Bold.ttf"))


def fitted(text: str, font: str, size: float, width: float) -> str:
    """Return a text that is no wider than `width` points, its end replaced by an ellipsis where need be."""
    if stringWidth(text, font, size) <= width:
        return text
    while text and stringWidth(f"{text}…", font, size) > width:
        text = text[:-1]
    return f"{text.rstrip()}…" if text else ""
