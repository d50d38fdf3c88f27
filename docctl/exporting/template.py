"""The Word file a new draft begins with: cover (F9) and change table (F8) filled from the record, then the usual headings."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from docx import Document as new_document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt
from sqlalchemy.orm import Session

from docctl import clock, lifecycle, requests, revisions, units
from docctl.exporting.paper import MOTTO, printable
from docctl.lifecycle import Signature
from docctl.people import Reader
from docctl.revisions import Revision
from docctl.rules import Sentence

FONT = "Times New Roman"
ROOM = 9638  # Twentieths of a point between the margins: 170 mm.
EMPTY_ROWS = 3  # Rows to write in at the end of the change table.

CODE, EDITION, AMENDMENT = (
    Sentence("Mã hiệu", "Code"),
    Sentence("Lần ban hành", "Edition"),
    Sentence("Lần sửa đổi", "Amendment"),
)
EFFECTIVE = Sentence("Ngày hiệu lực", "Effective date")
BY_DECISION = Sentence("theo quyết định ban hành", "by the decision of issue")
PAGE = Sentence("Trang", "Page")
SIGNING = (
    Sentence("Soạn thảo", "Drafted"),
    Sentence("Xem xét", "Reviewed"),
    Sentence("Phê duyệt", "Approved"),
)
NAME, TITLE = Sentence("Họ và tên", "Name"), Sentence("Chức danh", "Title")
SIGN, DATE = Sentence("Chữ ký", "Signature"), Sentence("Ngày", "Date")
DISTRIBUTION = Sentence("Nơi nhận (phân phối)", "Distribution")
COPY, HOLDER = Sentence("Bản số", "Copy no."), Sentence("Nơi nhận", "Holder")
CHANGES = Sentence("BẢNG THEO DÕI SỬA ĐỔI", "CHANGE TABLE")
COLUMNS = (
    Sentence("STT", "No."),
    Sentence("Mục / trang", "Section / page"),
    Sentence("Nội dung cũ", "Old content"),
    Sentence("Nội dung mới", "New content"),
    Sentence("Căn cứ", "Basis"),
    Sentence("Lần", "Edition"),
    Sentence("Ngày", "Date"),
    Sentence("Số phiếu", "Request"),
)
WIDTHS = (0.07, 0.12, 0.17, 0.19, 0.13, 0.09, 0.13, 0.1)
HEADINGS = (
    Sentence("MỤC ĐÍCH", "PURPOSE"),
    Sentence("PHẠM VI", "SCOPE"),
    Sentence("TÀI LIỆU VIỆN DẪN", "REFERENCES"),
    Sentence("ĐỊNH NGHĨA / VIẾT TẮT", "DEFINITIONS AND ABBREVIATIONS"),
    Sentence("NỘI DUNG", "CONTENT"),
    Sentence("BIỂU MẪU", "FORMS"),
    Sentence("HỒ SƠ CẦN LƯU", "RECORDS TO KEEP"),
)


@dataclass(frozen=True)
class Signed:
    """One of the three who answer for a document: name, title on that day, and the day of signature where there is one."""

    name: str = ""
    title: str = ""
    day: str = ""


@dataclass(frozen=True)
class Cover:
    """All that the template says of a draft."""

    office: str
    unit: str
    type: str
    title: str
    code: str
    edition: str
    amendment: str
    effective: str
    signed: Sequence[Signed]
    changes: Sequence[Sequence[str]]
    locale: str = "vi"

    def say(self, sentence: Sentence) -> str:
        """Return a sentence in the language of the paper."""
        return sentence.get(self.locale)


def cover_of(session: Session, revision: Revision, *, by: Reader, locale: str = "vi") -> Cover:
    """Gather what the record says of a draft: its cover, who signs, and the changes of this edition and those before it."""
    document = revision.document
    before = [
        row
        for row in revisions.of_document(session, document, by=by)
        if (row.edition, row.amendment) < (revision.edition, revision.amendment) and row.effective_from is not None
    ]
    rows = [line for row in [*before[::-1], revision] for line in _changes(session, row, by=by)]
    return Cover(
        office=units.office(session).name(locale),
        unit=document.unit.name(locale),
        type=document.type.name(locale),
        title=revision.title,
        code=document.code,
        edition=f"{revision.edition:02d}",
        amendment=f"{revision.amendment:02d}",
        effective=_day(revision) or BY_DECISION.get(locale),
        signed=_signed(session, revision, locale),
        changes=[[str(number), *row] for number, row in enumerate(rows, start=1)],
        locale=locale,
    )


def file_name(revision: Revision) -> str:
    """Return what the file is called when it is saved."""
    return f"{revision.document.code} {revision.edition_text.replace('/', '.')}.docx".replace("/", "-")


def _changes(session: Session, revision: Revision, *, by: Reader) -> list[list[str]]:
    asked = requests.of_revision(session, revision, by=by)
    number = asked.number_text if asked else ""
    return [
        [row.section, row.old, row.new, row.basis, revision.edition_text, _day(revision), number]
        for row in revision.change_rows
    ]


def _day(revision: Revision) -> str:
    return clock.local(revision.effective_from).strftime("%d/%m/%Y") if revision.effective_from else ""


def _signed(session: Session, revision: Revision, locale: str) -> list[Signed]:
    """Return drafter, reviewer and approver; of those who have not signed in this round only the place is known."""
    given = lifecycle.signed_in_round(session, revision)
    author = Signed(revision.author.full_name, revision.author.title(locale))
    return [author, *(_of_meaning(given, meaning) for meaning in ("endorsed", "approved"))]


def _of_meaning(given: Sequence[Signature], meaning: str) -> Signed:
    row = next((row for row in given if row.meaning == meaning), None)
    return Signed(row.person, row.title, clock.local(row.signed_at).strftime("%d/%m/%Y")) if row else Signed()


def write(cover: Cover) -> bytes:
    """Return the template as a .docx file; page numbers are fields that the word processor counts."""
    document = new_document()
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = FONT, Pt(13)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    normal.paragraph_format.space_after = Pt(0)
    _heading_style(document)
    known = document.core_properties
    known.title, known.author, known.comments = printable(cover.title), printable(cover.office), ""
    _page(document, cover)
    _front(document, cover)
    document.paragraphs[-1].add_run().add_break(WD_BREAK.PAGE)
    _line(document, cover.say(CHANGES), bold=True, after=6)
    rows = [*cover.changes, *([""] * len(COLUMNS) for _ in range(EMPTY_ROWS))]
    _table(document, [[cover.say(name) for name in COLUMNS], *rows], WIDTHS, size=10, head=True)
    _line(document, "").add_run().add_break(WD_BREAK.PAGE)
    for number, heading in enumerate(HEADINGS, start=1):
        document.add_heading(f"{number}. {cover.say(heading)}", level=1)
        _line(document, "", after=6)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _front(document: Any, cover: Cover) -> None:
    _table(
        document,
        [[f"{cover.office.upper()}\n{cover.unit.upper()}", "\n".join(MOTTO)]],
        (0.42, 0.58),
        size=12,
        bold=True,
        edges=False,
        centred=True,
    )
    _line(document, cover.type.upper(), size=20, bold=True, before=90, centred=True)
    _line(document, cover.title.upper(), size=18, bold=True, before=12, after=48, centred=True)
    facts = [
        [f"{cover.say(CODE)}:", cover.code],
        [f"{cover.say(EDITION)}:", cover.edition],
        [f"{cover.say(AMENDMENT)}:", cover.amendment],
        [f"{cover.say(EFFECTIVE)}:", cover.effective],
    ]
    _table(document, facts, (0.35, 0.65))
    _line(document, "", after=18)
    signing = [
        ["", *(cover.say(act) for act in SIGNING)],
        [cover.say(NAME), *(row.name for row in cover.signed)],
        [cover.say(TITLE), *(row.title for row in cover.signed)],
        [f"{cover.say(SIGN)}\n\n\n", "", "", ""],
        [cover.say(DATE), *(row.day for row in cover.signed)],
    ]
    _table(document, signing, (0.16, 0.28, 0.28, 0.28), size=12, head=True)
    _line(document, cover.say(DISTRIBUTION), bold=True, before=18, after=4)
    holders = [[cover.say(COPY), cover.say(HOLDER)] * 2, *([f"{n:03d}", "", f"{n + 3:03d}", ""] for n in range(1, 4))]
    _table(document, holders, (0.1, 0.4, 0.1, 0.4), size=12, head=True)
    _line(document, "")


def _page(document: Any, cover: Cover) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin = Mm(25), Mm(15)
    section.top_margin = section.bottom_margin = Mm(20)
    section.header_distance = Mm(8)
    says = f"{cover.say(CODE)}: {cover.code}\n{cover.say(EDITION)}/{cover.say(AMENDMENT).lower()}: {cover.edition}/{cover.amendment}"
    fields = "".join(
        f'<w:r><w:rPr><w:sz w:val="18"/></w:rPr><w:t xml:space="preserve">{before}</w:t></w:r>'
        f'<w:fldSimple w:instr=" {name} "><w:r><w:rPr><w:sz w:val="18"/></w:rPr><w:t>1</w:t></w:r></w:fldSimple>'
        for before, name in ((f"{cover.say(PAGE)}: ", "PAGE"), ("/", "NUMPAGES"))
    )
    day = f"{cover.say(EFFECTIVE)}: {cover.effective}"
    cells = (
        _cell(cover.office, round(ROOM * 0.3), 9),
        _cell(cover.title, round(ROOM * 0.35), 9, bold=True, centred=True),
        _cell(f"{says}\n{day}", round(ROOM * 0.35), 9, more=f"<w:p>{fields}</w:p>"),
    )
    section.header._element.insert(0, _grid((0.3, 0.35, 0.35), [f"<w:tr>{''.join(cells)}</w:tr>"]))


def _heading_style(document: Any) -> None:
    style = document.styles["Heading 1"]
    style.font.name, style.font.size, style.font.bold = FONT, Pt(13), True
    style.font.color.rgb = None
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{name}"), None)
    fonts.set(qn("w:eastAsia"), FONT)
    style.paragraph_format.space_before = Pt(12)


def _line(
    document: Any,
    text: str,
    *,
    size: float = 13,
    bold: bool = False,
    before: float = 0,
    after: float = 0,
    centred: bool = False,
) -> Any:
    paragraph = document.add_paragraph()
    run = paragraph.add_run(printable(text))
    run.font.size, run.bold = Pt(size), bold
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(before), Pt(after)
    if centred:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    return paragraph


def _table(
    document: Any,
    rows: Iterable[Sequence[str]],
    shares: Sequence[float],
    *,
    size: float = 13,
    head: bool = False,
    bold: bool = False,
    edges: bool = True,
    centred: bool = False,
) -> None:
    made = []
    for number, row in enumerate(rows):
        first = head and number == 0
        cells = (
            _cell(text, round(ROOM * share), size, bold=bold or first, centred=centred or first)
            for text, share in zip(row, shares, strict=True)
        )
        about = "<w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>" if first else "<w:trPr><w:cantSplit/></w:trPr>"
        made.append(f"<w:tr>{about}{''.join(cells)}</w:tr>")
    document.element.body.insert_element_before(_grid(shares, made, edges=edges), "w:sectPr")


def _grid(shares: Sequence[float], rows: Sequence[str], *, edges: bool = True) -> Any:
    lines = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    borders = f"<w:tblBorders>{lines}</w:tblBorders>" if edges else ""
    columns = "".join(f'<w:gridCol w:w="{round(ROOM * share)}"/>' for share in shares)
    return parse_xml(
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="{ROOM}" w:type="dxa"/>{borders}<w:tblLayout w:type="fixed"/></w:tblPr>'
        f"<w:tblGrid>{columns}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


def _cell(text: str, width: int, size: float, *, bold: bool = False, centred: bool = False, more: str = "") -> str:
    about = '<w:pPr><w:jc w:val="center"/></w:pPr>' if centred else ""
    face = f'<w:rPr>{"<w:b/>" if bold else ""}<w:sz w:val="{round(size * 2)}"/></w:rPr>'
    lines = "".join(
        f'<w:p>{about}<w:r>{face}<w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>'
        for line in printable(text).split("\n")
    )
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{lines}{more}</w:tc>'
