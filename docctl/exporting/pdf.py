"""Registers and minutes as PDF: A4, the head of a table on every page, page x of y, and the head of the audit trail."""

import io
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    LongTable,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from docctl.exporting import layout
from docctl.exporting.layout import BOLD, GAP, REGULAR, Column
from docctl.exporting.paper import EMPTY, MOTTO, PAGE, SIGN, Block, Cell, Paper, printable, written

MARGIN, HEAD, FOOT = 12 * mm, 16 * mm, 14 * mm
# The first of these sizes, and white beside a cell, at which every cell has one line; else at which no word is broken.
LARGE, SMALL = ((8.0, GAP), (7.5, GAP), (7.0, GAP)), ((6.5, GAP), (6.0, 4.0), (5.5, 3.0))
FEW = 9  # So many columns get large letters, whatever they say.
BOXES = {"☐": "❑", "☑": "✔", "☒": "✘"}  # As every reader of PDF has them.
LINE = colors.HexColor("#7a7a7a")
SHADE = colors.HexColor("#eeeeee")


def write(paper: Paper) -> bytes:
    """Return the paper as a PDF file; its text can be searched and copied."""
    layout.use_fonts()
    file = io.BytesIO()
    size = landscape(A4) if paper.landscape else A4
    document = BaseDocTemplate(
        file,
        pagesize=size,
        title=paper.title,
        author=paper.office,
        subject=paper.code,
        creator="docctl",
        invariant=1,
        lang="vi-VN" if paper.locale == "vi" else "en-GB",
    )
    width = size[0] - 2 * MARGIN
    frame = Frame(MARGIN, FOOT, width, size[1] - HEAD - FOOT, 0, 0, 0, 0)
    document.addPageTemplates(PageTemplate("page", [frame]))
    document.build(_story(paper, width), canvasmaker=lambda *given, **named: _Numbered(paper, *given, **named))
    return file.getvalue()


class _Numbered(Canvas):  # type: ignore[misc]  # reportlab has no types.
    """A canvas that keeps its pages until their number is known, then writes head and foot on each."""

    def __init__(self, paper: Paper, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._paper = paper
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:
        """Keep the page instead of writing it."""
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Write every page with its number and how many there are."""
        for page in self._pages:
            self.__dict__.update(page)
            self._edges(len(self._pages))
            super().showPage()
        super().save()

    def _edges(self, pages: int) -> None:
        paper, (width, height) = self._paper, self._pagesize
        top, low = height - HEAD + 5 * mm, FOOT - 5 * mm
        self.setFont(REGULAR, 7.5)
        self.drawString(MARGIN, top, paper.office)
        self.drawRightString(width - MARGIN, top, " · ".join(part for part in (paper.code, paper.printed) if part))
        self.setStrokeColor(LINE)
        self.setLineWidth(0.4)
        self.line(MARGIN, top - 1.5 * mm, width - MARGIN, top - 1.5 * mm)
        self.setFont(REGULAR, 6)
        self.drawString(MARGIN, low, paper.foot)
        self.setFont(REGULAR, 7.5)
        self.drawRightString(width - MARGIN, low, f"{paper.say(PAGE)} {self._pageNumber}/{pages}")


def _story(paper: Paper, width: float) -> list[Flowable]:
    story: list[Flowable] = [_motto(paper, width), Spacer(0, 6)] if paper.motto else []
    story.append(Paragraph(_safe(paper.title.upper()), _style(13, bold=True, centred=True)))
    if paper.subtitle:
        story.append(Paragraph(_safe(paper.subtitle), _style(8.5, centred=True)))
    story.append(Spacer(0, 8))
    text = _style(9.5, after=3)
    story += [Paragraph(_safe(line), text) for line in paper.opening]
    for block in paper.blocks:
        if block.caption:
            # Not keepWithNext: it would take a long table for one piece and begin it on a page of its own.
            story.append(CondPageBreak(30 * mm))
            story.append(Paragraph(_safe(block.caption), _style(9.5, bold=True, before=8, after=4)))
        story.append(_table(paper, block, width))
    if not paper.closing and not paper.signers:
        return story  # Not even white after the last table: it would make a page of its own where that one is full.
    closing: list[Flowable] = [Spacer(0, 6), *(Paragraph(_safe(line), text) for line in paper.closing)]
    if paper.signers:
        # Nobody signs on a page that bears nothing else.
        closing = [KeepTogether([*closing, Spacer(0, 8), _signers(paper, width)])]
    return [*story, *closing]


def _table(paper: Paper, block: Block, width: float) -> Flowable:
    if not block.rows:
        return Paragraph(_safe(paper.say(EMPTY)), _style(9))
    columns = layout.measured(block.headings, block.rows)
    size, gap = _size(columns, width)
    rooms = layout.widths(columns, width, size, gap)
    head, body = _style(size, bold=True, centred=True), _style(size)
    rows = [[Paragraph(_safe(heading), head) for heading in block.headings]]
    rows += [
        [_cell(value, room - gap, size, body) for value, room in zip(row, rooms, strict=True)] for row in block.rows
    ]
    table = LongTable(rows, colWidths=rooms, repeatRows=1, splitInRow=1)
    table.setStyle(
        [
            ("GRID", (0, 0), (-1, -1), 0.4, LINE),
            ("BACKGROUND", (0, 0), (-1, 0), SHADE),
            ("FONT", (0, 0), (-1, -1), REGULAR, size, size * 1.3),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            *(
                (f"{side}PADDING", (0, 0), (-1, -1), space)
                for side, space in (("LEFT", gap / 2), ("RIGHT", gap / 2), ("TOP", 1.5), ("BOTTOM", 2.5))
            ),
        ]
    )
    return table


def _size(columns: Sequence[Column], width: float) -> tuple[float, float]:
    """Return the size of the letters of a table, and the white beside its cells."""
    for size, gap in LARGE:
        if layout.fits(columns, width, size, gap, one_line=True):
            return size, gap
    if len(columns) <= FEW:
        return LARGE[0]
    # A tenth to spare, so that the longer texts get more than their longest word.
    return next((pair for pair in SMALL if layout.fits(columns, width * 0.9, *pair)), SMALL[-1])


def _cell(value: Cell, room: float, size: float, style: ParagraphStyle) -> str | Paragraph:
    """Return a text that fits on its line as it is, which is far quicker to lay out than a paragraph."""
    text = written(value)
    if "\n" not in text and layout.width_of(text, size) <= room and not layout.lacks(text):
        return text
    return Paragraph(_safe(layout.broken(text, room, size)), style)


def _motto(paper: Paper, width: float) -> Flowable:
    bold = _style(9.5, bold=True, centred=True)
    right = [Paragraph(MOTTO[0], bold), Paragraph(MOTTO[1], bold)]
    return Table(
        [[Paragraph(_safe(paper.office.upper()), bold), right]],
        colWidths=[width * 0.42, width * 0.58],
        style=[("VALIGN", (0, 0), (-1, -1), "TOP")],
    )


def _signers(paper: Paper, width: float) -> Flowable:
    bold, plain = _style(9, bold=True, centred=True), _style(7.5, centred=True)
    cells = [
        [
            Paragraph(_safe(signer.capacity.upper()), bold),
            Paragraph(_safe(paper.say(SIGN)), plain),
            Spacer(0, 48),
            Paragraph(_safe(signer.name), bold),
        ]
        for signer in paper.signers
    ]
    if len(cells) == 1:
        cells = [[], *cells]  # Whoever signs alone signs on the right.
    rows = [cells[start : start + 4] for start in range(0, len(cells), 4)]
    rows = [[*row, *[[]] * (len(rows[0]) - len(row))] for row in rows]
    table = Table(rows, colWidths=[width / len(rows[0])] * len(rows[0]))
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("NOSPLIT", (0, 0), (-1, -1))])
    return table


def _style(
    size: float,
    *,
    bold: bool = False,
    centred: bool = False,
    before: float = 0,
    after: float = 0,
) -> ParagraphStyle:
    return ParagraphStyle(
        "text",
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size * 1.3,
        alignment=TA_CENTER if centred else 0,
        spaceBefore=before,
        spaceAfter=after,
        splitLongWords=1,
    )


def _safe(text: str) -> str:
    """Return a text whose signs are no orders to reportlab, with its line breaks, and with the letters that our font lacks."""
    safe = escape(printable(text)).replace("\n", "<br/>")
    return "".join(map(_letter, safe)) if layout.lacks(safe) else safe


def _letter(letter: str) -> str:
    letter = BOXES.get(letter, letter)
    font = layout.font_of(letter)
    return letter if font == REGULAR else f'<font name="{font}">{letter}</font>' if font else "?"
