"""A sheet of labels for numbered copies on paper: A4, three by eight, each with the QR code by which the copy comes back."""

import io
from collections.abc import Sequence

import segno
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from docctl.distribution import ControlledCopy
from docctl.exporting import layout
from docctl.exporting.layout import BOLD, REGULAR
from docctl.exporting.paper import printable
from docctl.rules import Sentence

ACROSS, DOWN = 3, 8
WIDE, HIGH = 70 * mm, 37 * mm  # The commonest sheet of labels: 24 on A4, without a border.
QUIET, SIDE = 4 * mm, 26 * mm
NUMBERED = Sentence("BẢN KIỂM SOÁT {number}", "CONTROLLED COPY {number}")
EDITION = Sentence("{code} · lần {edition}", "{code} · edition {edition}")


def address(copy: ControlledCopy, base: str) -> str:
    """Return what the QR of a copy says: the public status page of its edition, and the mark by which it is taken back."""
    return f"{base}/s/{copy.revision.status_token}#{copy.mark}"


def write(copies: Sequence[ControlledCopy], *, base: str, office: str, locale: str) -> bytes:
    """Return the labels of copies as a PDF file, to be printed without scaling."""
    layout.use_fonts()
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=1)
    canvas.setTitle("QR")
    canvas.setCreator("docctl")
    for place, copy in enumerate(copies):
        if place and place % (ACROSS * DOWN) == 0:
            canvas.showPage()
        row, column = divmod(place % (ACROSS * DOWN), ACROSS)
        top = A4[1] - (A4[1] - DOWN * HIGH) / 2 - row * HIGH
        _label(canvas, copy, column * WIDE, top - HIGH, address(copy, base), office, locale)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def _label(canvas: Canvas, copy: ControlledCopy, left: float, low: float, url: str, office: str, locale: str) -> None:
    _code(canvas, url, left + QUIET, low + (HIGH - SIDE) / 2)
    x, room = left + QUIET + SIDE + 2 * mm, WIDE - QUIET - SIDE - 5 * mm
    revision = copy.revision
    said = EDITION.fill(code=revision.document.code, edition=revision.edition_text).get(locale)
    lines = [
        (office, REGULAR, 6.0, 2),
        (NUMBERED.fill(number=copy.number_text).get(locale), BOLD, 8.0, 2),
        (said, BOLD, 7.5, 2),
        (revision.title, REGULAR, 6.5, 3 if layout.width_of(office, 6.0) <= room else 2),
        (copy.holder.get(locale), REGULAR, 6.5, 2),
        (copy.mark, BOLD, 8.0, 1),
    ]
    # From line to line as much as the lower one is high: capitals with two marks touch nothing above them.
    y = low + HIGH - 3 * mm
    for text, font, size, most in lines:
        for line in _wrapped(printable(text), size, room, most, bold=font == BOLD):
            y -= size * 1.25
            canvas.setFont(font, size)
            canvas.drawString(x, y, line)


def _code(canvas: Canvas, url: str, left: float, low: float) -> None:
    matrix = [[bool(cell) for cell in row] for row in segno.make(url, error="m", micro=False).matrix]
    cell = SIDE / len(matrix)
    canvas.setFillColor(colors.black)
    for down, row in enumerate(matrix):
        for across, dark in enumerate(row):
            if dark:
                canvas.rect(left + across * cell, low + SIDE - (down + 1) * cell, cell, cell, stroke=0, fill=1)


def _wrapped(text: str, size: float, room: float, most: int, *, bold: bool) -> list[str]:
    """Return a text on at most so many lines; what does not fit ends in three dots."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and layout.width_of(longer, size, bold=bold) > room:
            lines.append(line)
            line = word
        else:
            line = longer
    lines.append(line)
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1] + "…"]
    return [_cut(one, size, room, bold=bold) for one in lines]


def _cut(line: str, size: float, room: float, *, bold: bool) -> str:
    while len(line) > 2 and layout.width_of(line, size, bold=bold) > room:
        line = line[:-2] + "…"
    return line
