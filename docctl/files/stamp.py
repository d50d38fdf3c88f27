"""Stamps a PDF so that every sheet says what it is: header, footer with page x of y, watermark, QR code, signature page."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pikepdf
import segno
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from docctl.files import fonts
from docctl.files.fonts import BOLD, REGULAR

EDGE, QR = 18.0, 42.0  # Points from the edge of the sheet, and the side of the code.
SMALL = 7.2  # The size of header and footer on a sheet that is at least FULL points wide and high.
FULL = 420.0
STRIP = (90.0, 12.0)  # The box of a page number.


@dataclass(frozen=True)
class Mark:
    """One signature as the signature page tells it; all words are ready to print."""

    meaning: str
    person: str
    title: str
    at: str
    hash: str


@dataclass(frozen=True)
class Sheet:
    """What every sheet says, ready to print; `facts` and `marks` fill the signature page, which is left out without marks."""

    office: str
    code: str
    edition: str
    state: str
    printed: str
    url: str
    watermark: str = ""
    void: bool = False  # The watermark warns: it is red.
    title: str = ""
    note: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    marks: tuple[Mark, ...] = ()
    remark: str = ""  # Stands under the signatures.
    flatten: bool = False  # The source bears digital signatures, which a stamped copy cannot keep.
    words: dict[str, str] = field(
        default_factory=lambda: {
            "page": "Trang",
            "signatures": "TRANG CHỮ KÝ",
            "meaning": "Ý nghĩa",
            "person": "Người ký",
            "title": "Chức danh ngày ký",
            "at": "Thời điểm",
            "hash": "Mã băm nội dung đã ký (SHA-256)",
        }
    )


@dataclass(frozen=True)
class _View:
    """A page as it is looked at: its size after cropping and turning, and the matrix from there to its own space."""

    width: float
    height: float
    matrix: tuple[float, float, float, float, float, float]


def stamp(source: Path, sheet: Sheet) -> bytes:
    """Return a stamped copy of a PDF, its signature page at the end; the source is only read."""
    fonts.use()
    with pikepdf.open(source) as pdf:
        if sheet.flatten:
            _without_signatures(pdf)
        if sheet.marks or sheet.facts:
            with pikepdf.open(io.BytesIO(_signature_page(sheet))) as signed:
                pdf.pages.extend(signed.pages)
        _overlay(pdf, sheet)
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True)
    return out.getvalue()


def _overlay(pdf: pikepdf.Pdf, sheet: Sheet) -> None:
    pages = list(pdf.pages)
    views = [_view(page) for page in pages]
    sizes = list(dict.fromkeys((view.width, view.height) for view in views))
    with pikepdf.open(io.BytesIO(_drawn(sheet, sizes, len(pages)))) as drawn:
        forms = [pdf.copy_foreign(page.as_form_xobject()) for page in drawn.pages]
    frames = dict(zip(sizes, forms, strict=False))
    for page, view, number in zip(pages, views, forms[len(sizes) :], strict=True):
        scale = _scale(view.width, view.height)
        x = view.width - (EDGE + QR + 6 + STRIP[0]) * scale
        y = (EDGE + 12) * scale
        own = _copied_resources(page)
        own["/DocctlFrame"], own["/DocctlNumber"] = frames[view.width, view.height], number
        matrix = " ".join(f"{value:.4f}" for value in view.matrix)
        content = (
            f"\nQ q {matrix} cm /DocctlFrame Do q {scale:.4f} 0 0 {scale:.4f} {x:.3f} {y:.3f} cm /DocctlNumber Do Q Q\n"
        )
        page.contents_add(b"q\n", prepend=True)
        page.contents_add(content.encode())


def _copied_resources(page: pikepdf.Page) -> Any:
    """Give a page resources of its own, since many pages may share one dictionary; returns that of the forms."""
    resources = pikepdf.Dictionary(_dictionary(_inherited(page.obj, "/Resources")))
    resources["/XObject"] = pikepdf.Dictionary(_dictionary(resources.get("/XObject")))
    page.obj["/Resources"] = resources
    return page.obj["/Resources"]["/XObject"]


def _dictionary(given: Any) -> Any:
    return given if isinstance(given, pikepdf.Dictionary) else pikepdf.Dictionary()


def _inherited(node: pikepdf.Object, name: str) -> Any:
    """Return an attribute of a page, or of the nearest of its ancestors that has it."""
    for _ in range(64):
        if name in node:
            return node[name]
        if "/Parent" not in node:
            return None
        node = node["/Parent"]
    return None


def _view(page: pikepdf.Page) -> _View:
    media = _box(_inherited(page.obj, "/MediaBox")) or (0.0, 0.0, *A4)
    crop = _box(_inherited(page.obj, "/CropBox")) or media
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    if right - left < 1 or top - bottom < 1:
        left, bottom, right, top = media
    across, up = right - left, top - bottom
    turned = int(_inherited(page.obj, "/Rotate") or 0) % 360
    if turned == 90:
        return _View(up, across, (0, 1, -1, 0, right, bottom))
    if turned == 180:
        return _View(across, up, (-1, 0, 0, -1, right, top))
    if turned == 270:
        return _View(up, across, (0, -1, 1, 0, left, top))
    return _View(across, up, (1, 0, 0, 1, left, bottom))


def _box(given: Any) -> tuple[float, float, float, float] | None:
    if given is None or len(given) != 4:
        return None
    x0, y0, x1, y1 = (float(value) for value in given)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _scale(width: float, height: float) -> float:
    return min(1.0, min(width, height) / FULL)


def _drawn(sheet: Sheet, sizes: Sequence[tuple[float, float]], pages: int) -> bytes:
    """Return a PDF of one frame for each size of page, then of one page number for each page."""
    out = io.BytesIO()
    canvas = Canvas(out, pageCompression=0, invariant=1)
    code = [[bool(cell) for cell in row] for row in segno.make(sheet.url, error="m", micro=False).matrix]
    for size in sizes:
        canvas.setPageSize(size)
        _frame(canvas, sheet, *size, code)
        canvas.showPage()
    canvas.setPageSize(STRIP)
    for number in range(1, pages + 1):
        canvas.setFont(BOLD, SMALL)
        canvas.drawRightString(STRIP[0], 2, f"{sheet.words['page']} {number}/{pages}")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _frame(canvas: Canvas, sheet: Sheet, width: float, height: float, code: list[list[bool]]) -> None:
    if sheet.watermark:
        _watermark(canvas, sheet, width, height)
    scale = _scale(width, height)
    canvas.scale(scale, scale)
    width, height = width / scale, height / scale
    canvas.saveState()
    canvas.setFillColor(colors.white)
    canvas.setFillAlpha(0.8)  # What stands below stays to be seen, and the words above it to be read.
    canvas.rect(0, height - 27, width, 27, stroke=0, fill=1)
    canvas.rect(0, 0, width - EDGE - QR - 6, 42, stroke=0, fill=1)
    canvas.restoreState()
    third = (width - 2 * EDGE) / 3
    canvas.setFillColor(colors.black)
    canvas.setFont(REGULAR, SMALL)
    canvas.drawString(EDGE, height - 19, fonts.fitted(sheet.office, REGULAR, SMALL, third * 1.4))
    canvas.drawRightString(width - EDGE, height - 19, fonts.fitted(sheet.edition, REGULAR, SMALL, third * 0.8))
    canvas.setFont(BOLD, SMALL)
    canvas.drawCentredString(width / 2 + third * 0.2, height - 19, fonts.fitted(sheet.code, BOLD, SMALL, third * 0.75))
    canvas.setStrokeColor(colors.HexColor("#8a8a8a"))
    canvas.setLineWidth(0.4)
    canvas.line(EDGE, height - 24, width - EDGE, height - 24)
    room = width - 2 * EDGE - QR - 12
    canvas.line(EDGE, 42, width - EDGE - QR - 6, 42)
    canvas.setFont(BOLD, SMALL)
    canvas.drawString(EDGE, EDGE + 14, fonts.fitted(sheet.state, BOLD, SMALL, room - STRIP[0]))
    canvas.setFont(REGULAR, SMALL - 0.7)
    canvas.drawString(EDGE, EDGE + 4, fonts.fitted(sheet.printed, REGULAR, SMALL - 0.7, room))
    if sheet.note:
        canvas.drawString(EDGE, EDGE - 6, fonts.fitted(sheet.note, REGULAR, SMALL - 0.7, room))
    _code(canvas, code, width - EDGE - QR, EDGE - 8)


def _code(canvas: Canvas, code: list[list[bool]], x: float, y: float) -> None:
    """Draw a QR code with its quiet zone on white, so that it can be scanned on any ground."""
    canvas.setFillColor(colors.white)
    canvas.rect(x, y, QR, QR, stroke=0, fill=1)
    canvas.setFillColor(colors.black)
    module = QR / (len(code) + 8)
    path = canvas.beginPath()
    for row, cells in enumerate(code):
        start = None
        for column, dark in enumerate([*cells, False]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                path.rect(x + (start + 4) * module, y + QR - (row + 5) * module, (column - start) * module, module)
                start = None
    canvas.drawPath(path, stroke=0, fill=1)


def _watermark(canvas: Canvas, sheet: Sheet, width: float, height: float) -> None:
    diagonal = math.hypot(width, height)
    size = min(0.72 * diagonal / max(stringWidth(sheet.watermark, BOLD, 1), 1e-6), min(width, height) / 5)
    canvas.saveState()
    canvas.setFillColor(colors.HexColor("#b00020") if sheet.void else colors.HexColor("#505050"))
    canvas.setFillAlpha(0.2 if sheet.void else 0.13)
    canvas.translate(width / 2, height / 2)
    canvas.rotate(math.degrees(math.atan2(height, width)))
    canvas.setFont(BOLD, size)
    canvas.drawCentredString(0, -size / 3, sheet.watermark)
    canvas.restoreState()


def _signature_page(sheet: Sheet) -> bytes:
    """Return the page that says who signed what, with which title on that day, and when."""
    out, words = io.BytesIO(), sheet.words
    plain = ParagraphStyle("plain", fontName=REGULAR, fontSize=9, leading=13)
    small = ParagraphStyle("small", parent=plain, fontSize=7.5, leading=11)
    head = ParagraphStyle("head", parent=plain, fontName=BOLD)
    title = ParagraphStyle("title", parent=head, fontSize=14, leading=20, alignment=1)

    def cell(text: str, style: ParagraphStyle = plain) -> Paragraph:
        return Paragraph(escape(text), style)

    def broken(text: str) -> Paragraph:
        return Paragraph("<br/>".join(escape(text[start : start + 16]) for start in range(0, len(text), 16)), small)

    story: list[Any] = [cell(words["signatures"], title), Spacer(0, 10)]
    facts = [[cell(label), cell(value, head)] for label, value in sheet.facts]
    line = ("LINEBELOW", (0, 0), (-1, -1), 0.3, colors.HexColor("#b0b0b0"))
    top = ("VALIGN", (0, 0), (-1, -1), "TOP")
    if facts:
        story += [LongTable(facts, colWidths=[130, 360], style=TableStyle([line, top])), Spacer(0, 14)]
    if sheet.marks:
        heads = [cell(words[name], head) for name in ("meaning", "person", "title", "at", "hash")]
        rows = [
            [cell(mark.meaning), cell(mark.person), cell(mark.title), cell(mark.at), broken(mark.hash)]
            for mark in sheet.marks
        ]
        widths = [95, 95, 110, 85, 105]
        story.append(LongTable([heads, *rows], colWidths=widths, repeatRows=1, style=TableStyle([line, top])))
    if sheet.remark:
        story += [Spacer(0, 14), cell(sheet.remark)]
    margins = {"leftMargin": 52, "rightMargin": 52, "topMargin": 52, "bottomMargin": 60}
    SimpleDocTemplate(out, pagesize=A4, invariant=1, lang="vi-VN", **margins).build(story)
    return out.getvalue()


def _without_signatures(pdf: pikepdf.Pdf) -> None:
    """Keep how signatures look and take away what would call this copy a damaged original."""
    pdf.flatten_annotations("all")
    for name in ("/AcroForm", "/Perms", "/DSS"):
        if name in pdf.Root:
            del pdf.Root[name]
