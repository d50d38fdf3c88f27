"""Writes the sample papers as real .docx files and as the same plain text; the same paper always gives the same bytes."""

import hashlib
import io
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from xml.sax.saxutils import escape

import docx
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from docctl.demo import organisation
from docctl.demo.organisation import Field, Paper, SampleUnit

ZIP_MOMENT = (2020, 1, 1, 0, 0, 0)
BODY = "word/document.xml"
BODY_MARK, TITLE_MARK = "BODY-OF-THE-PAPER", "TITLE-OF-THE-PAPER"
TEXT_WIDTH = 9350  # The width between the margins of an A4 page, in twentieths of a point.


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph and its style."""

    text: str
    style: str = "Normal"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; a cell is its paragraphs. `headed` repeats the first row on each page; `styles` are the columns'."""

    rows: tuple[tuple[tuple[str, ...], ...], ...]
    widths: tuple[int, ...]
    headed: bool = True
    styles: tuple[str, ...] = ()


Block = Paragraph | Table


def write_docx(paper: Paper) -> bytes:
    """Return the paper as a .docx file; equal papers give equal bytes."""
    body = "".join(_paragraph_xml(b) if isinstance(b, Paragraph) else _table_xml(b) for b in blocks(paper))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in _skeleton():
            if name == BODY:
                content = content.replace(_marked_paragraph(), body.encode())
            elif name == "docProps/core.xml":
                content = content.replace(TITLE_MARK.encode(), escape(f"{paper.code} {paper.title}").encode())
            part = zipfile.ZipInfo(name, ZIP_MOMENT)
            part.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(part, content, compresslevel=6)
    return file.getvalue()


def text_of(paper: Paper) -> str:
    """Return the text that an extractor reads from the file: each paragraph, also those of cells, on its own line."""
    lines: list[str] = []
    for block in blocks(paper):
        if isinstance(block, Paragraph):
            lines.append(block.text)
        else:
            lines += [line for row in block.rows for cell in row for line in cell]
    return "\n".join(lines)


def blocks(paper: Paper) -> list[Block]:
    """Return the paper from cover to records, as paragraphs and tables in reading order."""
    return [*_cover(paper), *_change_table(paper), *_Writer(paper).sections()]


def _cover(paper: Paper) -> list[Block]:
    of_office = organisation.unit(organisation.OFFICE)
    kind = organisation.document_type(paper.type)
    issued = paper.issued.strftime("%d/%m/%Y") if paper.issued else "…/…/……"
    head = (
        (of_office.name_vi.upper(), organisation.unit(paper.unit).name_vi),
        (kind.name_vi.upper(), paper.title),
        (
            f"Mã hiệu: {paper.code}",
            f"Lần ban hành: {paper.edition:02d}",
            f"Lần sửa đổi: {paper.amendment:02d}",
            f"Ngày ban hành: {issued}",
        ),
    )
    titles = {person.name: person.title_vi for person in organisation.PEOPLE}
    duties = (
        ("Trách nhiệm", "Soạn thảo", "Xem xét", "Phê duyệt"),
        ("Chức danh", titles["author"], (titles["reviewer"], titles["format-reviewer"]), titles["approver"]),
        ("Chữ ký", *["……………………"] * 3),
    )
    return [
        Table((head,), (2900, 3650, 2800), headed=False, styles=("CellHead", "Subtitle", "Cell")),
        Paragraph(""),
        _table(duties, (1700, 2450, 2600, 2600)),
    ]


def _change_table(paper: Paper) -> list[Block]:
    rows: list[Sequence[str | Sequence[str]]] = [
        ("STT", "Mục, trang", "Nội dung cũ", "Nội dung mới", "Căn cứ", "Lần", "Ngày"),
    ]
    issued = paper.issued.strftime("%d/%m/%Y") if paper.issued else ""
    for number, change in enumerate(paper.changes, 1):
        edition = f"{paper.edition:02d}/{paper.amendment:02d}"
        rows.append((str(number), change.section, change.old, change.new, change.basis, edition, issued))
    return [
        Paragraph("BẢNG THEO DÕI THAY ĐỔI TÀI LIỆU", "Heading 1"),
        _table(rows, (700, 1050, 1950, 1950, 1650, 850, 1400)),
    ]


class _Writer:
    """The numbered sections of one paper; which variant of a sentence it uses depends on its code alone."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.topic = paper.topic
        self.unit: SampleUnit = organisation.unit(paper.unit)
        self.field: Field = organisation.fields()[paper.field]
        self.commune = paper.field.endswith("cấp xã")
        self.public = paper.type == "QT" and not self.field.internal
        self.slots = {
            "title": paper.title,
            "topic": _lowered(paper.title),
            "field": paper.field.lower(),
            "unit": "Ủy ban nhân dân xã, thị trấn" if self.commune else self.unit.name_vi,
            "result": _lowered(paper.topic.result),
            "days": f"{paper.topic.days:02d}",
            "office": organisation.unit(organisation.OFFICE).name_vi,
            "use": paper.topic.result,
            "code": paper.code,
            "desk": f"Bộ phận Tiếp nhận và Trả kết quả của {'xã, thị trấn' if self.commune else 'huyện'}",
            "years": str(organisation.document_type(paper.type).retention_years),
        }

    def sections(self) -> list[Block]:
        """Return sections 1 to 7."""
        audience = "paper" if self.paper.type != "QT" else "public" if self.public else "internal"
        return [
            Paragraph("1. MỤC ĐÍCH", "Heading 1"),
            Paragraph(f"{self.say('purpose', audience)} {self.say('purpose', 'more')}"),
            Paragraph("2. PHẠM VI", "Heading 1"),
            Paragraph(f"{self.say('scope', audience)} {self.say('scope', 'more')}"),
            Paragraph("3. TÀI LIỆU VIỆN DẪN", "Heading 1"),
            *self.bullets(self.paper.basis),
            *self.bullets(("Sổ tay chất lượng và các tài liệu kiểm soát tài liệu, hồ sơ của cơ quan",)),
            Paragraph("4. ĐỊNH NGHĨA, VIẾT TẮT", "Heading 1"),
            *self.bullets((*self.field.terms, "UBND: Ủy ban nhân dân; HĐND: Hội đồng nhân dân")),
            Paragraph("5. NỘI DUNG", "Heading 1"),
            *self.content(),
            Paragraph("6. BIỂU MẪU", "Heading 1"),
            *self.forms(),
            Paragraph("7. HỒ SƠ LƯU", "Heading 1"),
            *self.records(),
        ]

    def content(self) -> list[Block]:
        """Return section 5 in the shape of the document's type."""
        shapes: dict[str, Callable[[], list[Block]]] = {"QT": self.procedure, "BM": self.form, "MT": self.objectives}
        return shapes.get(self.paper.type, self.points)()

    def procedure(self) -> list[Block]:
        """Return conditions, dossier, copies, time, place, fee, steps and cautions of a procedure."""
        public = self.public
        dossier = "Thành phần hồ sơ" if public else "Tài liệu đầu vào"
        fee = self.say("content", "fee") if self.field.fee else self.say("content", "free")
        return [
            Paragraph("5.1. Điều kiện thực hiện", "Heading 2"),
            Paragraph(self.say("content", "conditions" if public else "conditions_internal")),
            Paragraph(f"5.2. {dossier}", "Heading 2"),
            *self.bullets(self.topic.items),
            Paragraph("5.3. Số bộ hồ sơ", "Heading 2"),
            Paragraph(self.say("content", "copies") if public else "01 bộ, lưu tại đơn vị chủ trì."),
            Paragraph("5.4. Thời hạn giải quyết", "Heading 2"),
            Paragraph(self.say("content", "time") if public else f"{self.slots['days']} ngày làm việc."),
            Paragraph("5.5. Nơi tiếp nhận và trả kết quả", "Heading 2"),
            Paragraph(self.say("content", "place" if public else "place_internal")),
            Paragraph("5.6. Phí, lệ phí", "Heading 2"),
            Paragraph(fee if public else "Không thu phí, lệ phí."),
            Paragraph("5.7. Các bước thực hiện", "Heading 2"),
            _table([("Bước", "Trách nhiệm", "Thời gian", "Nội dung"), *self.steps()], (750, 2100, 1300, 5200)),
            Paragraph("5.8. Lưu ý", "Heading 2"),
            *self.bullets(self.field.notes),
        ]

    def steps(self) -> list[tuple[str, str, str, str]]:
        """Return the rows of the table of steps; their times add up to the paper's working days."""
        officer, head, signer = self.actors()
        desk = self.slots["desk"] if self.public else f"Đầu mối của {self.unit.name_vi}"
        suffix = "" if self.public else "_internal"
        review = ". ".join(self.field.checks) + "."
        rows = [
            (desk, self.say("steps", f"receive{suffix}")),
            (head, self.say("steps", "assign")),
            (officer, f"{review} Đạt yêu cầu thì dự thảo {self.slots['result']}."),
            (head, self.say("steps", "submit")),
            (signer, self.say("steps", "sign")),
            ("Văn thư", self.say("steps", "hand")),
        ]
        numbered = [
            (f"B{number}", who, spent, what)
            for number, ((who, what), spent) in enumerate(zip(rows, _times(self.topic.days), strict=True), 1)
        ]
        return [
            *numbered,
            ("B7", desk, "Theo giấy hẹn" if self.public else "Trong ngày", self.say("steps", f"give{suffix}")),
        ]

    def actors(self) -> tuple[str, str, str]:
        """Return who verifies, who heads the unit and who signs."""
        if self.commune:
            return "Công chức tư pháp – hộ tịch", "Phó Chủ tịch UBND xã, thị trấn", "Chủ tịch UBND xã, thị trấn"
        head = (
            f"{self.unit.head} {self.unit.name_vi.removeprefix('Phòng ')}" if self.unit.code != "VP" else self.unit.head
        )
        return (
            f"Công chức {self.unit.name_vi}",
            head.replace("Chánh Thanh tra Thanh tra", "Chánh Thanh tra"),
            "Lãnh đạo UBND huyện",
        )

    def points(self) -> list[Block]:
        """Return one heading and paragraph for each point of a policy, manual, instruction or decision."""
        found: list[Block] = [Paragraph("Đối tượng thực hiện: " + self.topic.result + ".")]
        for number, point in enumerate(self.topic.items, 1):
            self.slots["point"] = point
            found.append(Paragraph(f"5.{number}. {point}", "Heading 2"))
            said = [self.say("points", part, number) for part in ("opening", "middle", "closing")]
            found.append(Paragraph(" ".join(said)))
        found.append(Paragraph(f"5.{len(self.topic.items) + 1}. Kiểm tra và lưu ý", "Heading 2"))
        return found + self.bullets((*self.field.checks, *self.field.notes))

    def form(self) -> list[Block]:
        """Return how to fill in each box of a form, then the form itself."""
        guide = [("STT", "Ô, cột", "Cách ghi"), *self.numbered(lambda item, n: (item, self.say("form", "how", n)))]
        blank = [("Nội dung", "Phần ghi"), *((item, "……………………………………") for item in self.topic.items)]
        return [
            Paragraph("5.1. Cách dùng", "Heading 2"),
            Paragraph(self.say("form", "intro")),
            Paragraph("5.2. Cách ghi từng ô", "Heading 2"),
            _table(guide, (700, 3000, 5650)),
            Paragraph("5.3. Mẫu", "Heading 2"),
            Paragraph(self.paper.title.upper(), "Subtitle"),
            Paragraph("Số: ……/…… Ngày …… tháng …… năm ……"),
            _table(blank, (3700, 5650)),
            Paragraph("Người lập biểu (ký, ghi chức danh) …… Người kiểm tra (ký, ghi chức danh) ……"),
            Paragraph("5.4. Kiểm tra và lưu ý", "Heading 2"),
            *self.bullets((*self.field.checks, *self.field.notes)),
            Paragraph(f"{self.say('points', 'middle', 1)} {self.say('points', 'middle', 2)}"),
        ]

    def objectives(self) -> list[Block]:
        """Return the unit's targets of the period, each with level, measure and who answers for it."""
        pool = _wording()["objectives"]
        start = self.pick("targets", len(pool["targets"]))
        chosen = [(start + step * 3) % len(pool["targets"]) for step in range(6)]
        rows = [
            (str(number), pool["targets"][at], pool["levels"][at], pool["measures"][at], self.actors()[number % 2])
            for number, at in enumerate(chosen, 1)
        ]
        plan = [self.say("objectives", "plan", step) for step in range(4)]
        return [
            Paragraph(f"5.1. Chỉ tiêu giai đoạn {self.topic.result}", "Heading 2"),
            _table([("STT", "Chỉ tiêu", "Mức", "Cách đo", "Trách nhiệm"), *rows], (600, 2900, 1700, 2400, 1750)),
            Paragraph("5.2. Kế hoạch thực hiện", "Heading 2"),
            *(Paragraph(sentence) for sentence in plan),
            Paragraph("5.3. Theo dõi", "Heading 2"),
            *self.bullets((*self.field.checks, *self.field.notes)),
        ]

    def forms(self) -> list[Block]:
        """Return the forms that go with the paper."""
        code = self.paper.code
        if self.public:
            return self.bullets(
                (
                    f"Mẫu {code}-M1: {self.topic.items[0]}",
                    "Giấy tiếp nhận hồ sơ và hẹn trả kết quả",
                    "Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ",
                )
            )
        if self.paper.type == "QT":
            return self.bullets((f"Mẫu {code}-M1: Phiếu theo dõi công việc “{self.paper.title}”",))
        return self.bullets((f"Phiếu yêu cầu viết mới, sửa đổi, hủy bỏ tài liệu (khi cần sửa {code})",))

    def records(self) -> list[Block]:
        """Return what is kept, where and how long."""
        kept = [f"Bản gốc {self.paper.code}", "Hồ sơ thực hiện"]
        if self.paper.type == "QT":
            kept = [f"{'Hồ sơ' if self.public else 'Tài liệu'} nêu tại mục 5.2", self.topic.result]
        rows = [("STT", "Tên hồ sơ", "Nơi lưu", "Thời hạn")]
        rows += [(str(n), name, self.slots["unit"], f"{self.slots['years']} năm") for n, name in enumerate(kept, 1)]
        return [
            _table(rows, (700, 4350, 3000, 1300)),
            Paragraph(f"{self.say('records', 'keep')} {self.say('records', 'care')}"),
        ]

    def numbered(self, row: Callable[[str, int], tuple[str, str]]) -> list[tuple[str, str, str]]:
        """Return a numbered row for each item of the topic."""
        return [(str(number), *row(item, number)) for number, item in enumerate(self.topic.items, 1)]

    def bullets(self, items: Sequence[str]) -> list[Block]:
        """Return a list, each item closed by a full stop."""
        return [Paragraph(f"– {item.rstrip('.;')}.", "Item") for item in items]

    def say(self, group: str, part: str, turn: int = 0) -> str:
        """Return this paper's variant of a sentence, filled in; the next `turn` gives the next variant."""
        variants = _wording()[group][part]
        said = variants[(self.pick(f"{group}.{part}", len(variants)) + turn) % len(variants)]
        return _capitalised(said.format_map(self.slots))

    def pick(self, what: str, among: int) -> int:
        """Return a number below `among` that only the paper's code and `what` decide."""
        return hashlib.sha256(f"{self.paper.code}|{what}".encode()).digest()[0] % among


def _times(days: int) -> list[str]:
    """Return the times of the six steps before handing over: hours up to three days, else half days and days."""
    small = 1 if days == 1 else 2
    if days <= 3:
        return [f"{hours:02d} giờ" for hours in (small, small, 8 * days - 5 * small, small, small, small)]
    rest = f"{days - 2.5:g}".replace(".", ",")
    return ["0,5 ngày", "0,5 ngày", f"{rest} ngày", "0,5 ngày", "0,5 ngày", "0,5 ngày"]


def _lowered(text: str) -> str:
    """Return the text as it reads inside a sentence; an abbreviation at its start stays in capitals."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


@cache
def _wording() -> dict[str, dict[str, list[str]]]:
    table: dict[str, dict[str, list[str]]] = tomllib.loads(
        (files(__package__) / "wording.toml").read_text(encoding="utf-8")
    )
    return table


def _table(rows: Sequence[Sequence[str | Sequence[str]]], widths: tuple[int, ...]) -> Table:
    made = tuple(tuple((cell,) if isinstance(cell, str) else tuple(cell) for cell in row) for row in rows)
    return Table(made, tuple(width * TEXT_WIDTH // sum(widths) for width in widths))


def _paragraph_xml(paragraph: Paragraph) -> str:
    style = paragraph.style.replace(" ", "")
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{_run_xml(paragraph.text)}</w:p>'


def _run_xml(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r>' if text else ""


def _table_xml(table: Table) -> str:
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in table.widths)
    rows = []
    for number, row in enumerate(table.rows):
        heading = table.headed and number == 0
        properties = f"<w:trPr><w:cantSplit/>{'<w:tblHeader/>' if heading else ''}</w:trPr>"
        styles = table.styles or (("CellHead" if heading else "Cell",) * len(row))
        cells = "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>'
            + "".join(_paragraph_xml(Paragraph(line, style)) for line in cell)
            + "</w:tc>"
            for cell, width, style in zip(row, table.widths, styles, strict=True)
        )
        rows.append(f"<w:tr>{properties}{cells}</w:tr>")
    properties = (
        '<w:tblPr><w:tblStyle w:val="TableGrid"/><w:tblW w:w="0" w:type="auto"/><w:tblLayout w:type="fixed"/></w:tblPr>'
    )
    return f"<w:tbl>{properties}<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"


def _marked_paragraph() -> bytes:
    return f"<w:p><w:r><w:t>{BODY_MARK}</w:t></w:r></w:p>".encode()


@cache
def _skeleton() -> tuple[tuple[str, bytes], ...]:
    """Return the parts of an empty paper, made once by python-docx: styles, page, properties and a mark for the body."""
    document = docx.Document()
    document.add_paragraph(BODY_MARK)
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin, page.right_margin, page.top_margin, page.bottom_margin = Cm(2.7), Cm(1.8), Cm(2), Cm(2)
    _set_styles(document)
    properties = document.core_properties
    properties.title, properties.language = TITLE_MARK, "vi-VN"
    properties.author = properties.last_modified_by = organisation.unit(organisation.OFFICE).name_vi
    properties.comments = ""
    properties.created = properties.modified = datetime(*ZIP_MOMENT)  # noqa: DTZ001 python-docx takes naive UTC.
    file = io.BytesIO()
    document.save(file)
    with zipfile.ZipFile(file) as archive:
        return tuple((name, archive.read(name)) for name in archive.namelist())


def _set_styles(document: docx.document.Document) -> None:
    """Give the styles the look of an administrative paper: black Times New Roman, which has every Vietnamese letter."""
    for name, based_on in (("Item", "Normal"), ("Cell", "Normal"), ("CellHead", "Cell")):
        document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = document.styles[based_on]
    sizes = {
        "Normal": 13,
        "Title": 20,
        "Subtitle": 15,
        "Heading 1": 13,
        "Heading 2": 13,
        "Cell": 11,
        "CellHead": 11,
    }
    for name, size in sizes.items():
        style = document.styles[name]
        style.font.name, style.font.size = "Times New Roman", Pt(size)
        style.font.color.rgb = RGBColor(0, 0, 0)
        style.font.bold = name not in {"Normal", "Cell"}
        style.font.italic = False
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for attribute in [each for each in fonts.attrib if "Theme" in each]:
            # A theme font would win over the named one.
            del fonts.attrib[attribute]
        for script in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
            fonts.set(qn(script), "Times New Roman")
        style.paragraph_format.space_after = Pt(2 if name.startswith("Cell") else 6)
    for name in ("Title", "Subtitle", "CellHead"):
        document.styles[name].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    document.styles["Item"].paragraph_format.left_indent = Cm(0.6)
