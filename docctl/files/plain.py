"""Plain text as a PDF: pages of lines in the font that docctl brings, without any office program."""

from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

from docctl.files import fonts
from docctl.files.readers import decode, tidy

SIZE, LEADING, MARGIN = 11, 16, 60
MAX_LINES = 200_000


class TooLong(Exception):
    """A text that would give more sheets than anybody reads."""


def to_pdf(source: Path, target: Path) -> None:
    """Write a text file as a PDF; a form feed begins a page. Raises TooLong beyond MAX_LINES lines."""
    fonts.use()
    width, height = A4
    canvas = Canvas(str(target), pagesize=A4, invariant=1, lang="vi")
    lines = 0
    for page in tidy(decode(source.read_bytes())).split("\f"):
        y = height - MARGIN
        canvas.setFont(fonts.REGULAR, SIZE)
        for paragraph in page.split("\n"):
            for line in simpleSplit(paragraph.expandtabs(4), fonts.REGULAR, SIZE, width - 2 * MARGIN) or [""]:
                lines += 1
                if lines > MAX_LINES:
                    raise TooLong
                if y < MARGIN:
                    canvas.showPage()
                    canvas.setFont(fonts.REGULAR, SIZE)
                    y = height - MARGIN
                canvas.drawString(MARGIN, y, line)
                y -= LEADING
        canvas.showPage()
    canvas.save()
