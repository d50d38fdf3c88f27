"""Registers and minutes as Word documents: A4, the head of a table on every page, page x of y, the head of the trail."""

import io
from typing import Any
from xml.sax.saxutils import escape

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt

from docctl.exporting import layout
from docctl.exporting.paper import EMPTY, MOTTO, PAGE, SIGN, Block, Paper, printable, written

FONT = "Times New Roman"
MARGIN = 12
LONG = 300  # Letters; in the narrowest column that is half a page.
TWIPS = 20  # Twentieths of a point, in which Word measures tables.


def write(paper: Paper) -> bytes:
    """Return the paper as a .docx file; page numbers are fields that the word processor counts."""
    document = Document()
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = FONT, Pt(11)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    normal.paragraph_format.space_after = Pt(0)
    _properties(document, paper)
    width = _page(document, paper)
    if paper.motto:
        _motto(document, paper, width)
    _paragraph(document, paper.title.upper(), size=14, bold=True, centred=True)
    if paper.subtitle:
        _paragraph(document, paper.subtitle, size=10, centred=True)
    _paragraph(document, "", size=6)
    for line in paper.opening:
        _paragraph(document, line, after=3)
    for block in paper.blocks:
        if block.caption:
            _paragraph(document, block.caption, bold=True, before=8, after=4).paragraph_format.keep_with_next = True
        _table(document, paper, block, width)
    for line in paper.closing:
        _paragraph(document, line, before=3)
    if paper.signers:
        _signers(document, paper, width)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _properties(document: Any, paper: Paper) -> None:
    known = document.core_properties
    known.title, known.author, known.subject = printable(paper.title), printable(paper.office), printable(paper.code)
    known.created = known.modified = paper.made_at.replace(tzinfo=None)
    known.comments = ""


def _page(document: Any, paper: Paper) -> float:
    """Set up A4 with its head and foot, and return how many points wide the text is."""
    section = document.sections[0]
    wide, high = (297, 210) if paper.landscape else (210, 297)
    section.orientation = WD_ORIENT.LANDSCAPE if paper.landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(wide), Mm(high)
    section.left_margin = section.right_margin = Mm(MARGIN)
    section.top_margin, section.bottom_margin = Mm(17), Mm(15)
    section.header_distance, section.footer_distance = Mm(8), Mm(7)
    room = (wide - 2 * MARGIN) * 72 / 25.4
    right = " · ".join(part for part in (paper.code, paper.printed) if part)
    _edge(section.header.paragraphs[0], paper.office, right, room, pages=False)
    _edge(section.footer.paragraphs[0], paper.foot, f"{paper.say(PAGE)} ", room, pages=True)
    return room


def _edge(paragraph: Any, left: str, right: str, room: float, *, pages: bool) -> None:
    paragraph.style = "Normal"  # The styles of heads and feet bring tab stops for another paper.
    paragraph.paragraph_format.tab_stops.add_tab_stop(Pt(room), WD_TAB_ALIGNMENT.RIGHT)
    runs = [(left, 7 if pages else 9), ("\t", 9), (right, 9)]
    for text, size in runs:
        paragraph.add_run(printable(text)).font.size = Pt(size)
    if pages:
        for number, name in enumerate(("PAGE", "NUMPAGES")):
            if number:
                paragraph.add_run("/").font.size = Pt(9)
            field = f'<w:fldSimple {nsdecls("w")} w:instr=" {name} "><w:r><w:rPr><w:sz w:val="18"/></w:rPr><w:t>1</w:t></w:r></w:fldSimple>'
            paragraph._p.append(parse_xml(field))


def _paragraph(
    place: Any,
    text: str,
    *,
    size: float = 11,
    bold: bool = False,
    centred: bool = False,
    before: float = 0,
    after: float = 0,
) -> Any:
    paragraph = place.add_paragraph()
    run = paragraph.add_run(printable(text))
    run.font.size, run.bold = Pt(size), bold
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(before), Pt(after)
    if centred:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    return paragraph


def _table(document: Any, paper: Paper, block: Block, width: float) -> None:
    if not block.rows:
        _paragraph(document, paper.say(EMPTY), size=10)
        return
    size = 7.5 if len(block.headings) > 9 else 9.5
    columns = [
        round(points * TWIPS) for points in layout.widths(layout.measured(block.headings, block.rows), width, size)
    ]
    # Written as XML: python-docx looks every cell up anew, which takes minutes for a long register.
    grid = "".join(f'<w:gridCol w:w="{column}"/>' for column in columns)
    rows = [_row(block.headings, columns, size, head=True)]
    rows += [_row([written(value) for value in row], columns, size) for row in block.rows]
    edges = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="7A7A7A"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    table = (
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="{sum(columns)}" w:type="dxa"/><w:tblBorders>{edges}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar>'
        f"</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )
    document.element.body.insert_element_before(parse_xml(table), "w:sectPr")


def _row(texts: Any, columns: list[int], size: float, *, head: bool = False) -> str:
    bold, shade = ("<w:b/>", '<w:shd w:val="clear" w:color="auto" w:fill="EEEEEE"/>') if head else ("", "")
    # A row stays on one page, unless a cell of it may be longer than a page.
    whole = "<w:cantSplit/>" if all(len(text) < LONG for text in texts) else ""
    about = f"<w:trPr>{whole}{'<w:tblHeader/>' if head else ''}</w:trPr>" if whole or head else ""
    centred = '<w:pPr><w:jc w:val="center"/></w:pPr>' if head else ""
    half = round(size * 2)
    cells = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{column}" w:type="dxa"/>{shade}</w:tcPr><w:p>{centred}<w:r><w:rPr>{bold}<w:sz w:val="{half}"/></w:rPr>'
        f"{_breaks(text)}</w:r></w:p></w:tc>"
        for text, column in zip(texts, columns, strict=True)
    )
    return f"<w:tr>{about}{cells}</w:tr>"


def _breaks(text: str) -> str:
    lines = (f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in printable(text).split("\n"))
    return "<w:br/>".join(lines)


def _motto(document: Any, paper: Paper, width: float) -> None:
    table = document.add_table(rows=1, cols=2)
    table.autofit = False
    for cell, share in zip(table.rows[0].cells, (0.42, 0.58), strict=True):
        cell.width = Pt(width * share)
    left, right = table.rows[0].cells
    _in_cell(left, paper.office.upper(), bold=True)
    _in_cell(right, MOTTO[0], bold=True)
    _paragraph(right, MOTTO[1], bold=True, centred=True)
    _paragraph(document, "", size=6)


def _signers(document: Any, paper: Paper, width: float) -> None:
    _paragraph(document, "", size=8)
    first = int(len(paper.signers) == 1)  # Whoever signs alone signs on the right.
    across = min(4, len(paper.signers) + first)
    table = document.add_table(rows=-(-len(paper.signers) // across), cols=across)
    for number, signer in enumerate(paper.signers, start=first):
        cell = table.cell(number // across, number % across)
        cell.width = Pt(width / across)
        _in_cell(cell, signer.capacity.upper(), bold=True)
        _paragraph(cell, paper.say(SIGN), size=9, centred=True)
        _paragraph(cell, signer.name, bold=True, centred=True, before=48)
    for row in table.rows:
        row._tr.get_or_add_trPr().append(parse_xml(f"<w:cantSplit {nsdecls('w')}/>"))


def _in_cell(cell: Any, text: str, *, bold: bool) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run(printable(text)).bold = bold
