"""Readers that give the plain text of a file, one for each kind; they run where a hostile file can do no harm."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from docctl.files import legacy
from docctl.files.compound import BrokenCompound
from docctl.files.kinds import Kind
from docctl.files.package import Bomb, BrokenPackage, Package, UnsafeName, parse
from docctl.files.word97 import read_word97
from docctl.rules import Sentence

MAX_CHARACTERS = 20_000_000
MAX_ROWS = 20_000  # Rows of tables whose places are kept; a longer workbook is compared line by line.
MAX_HEADINGS = 2_000
LONGEST_HEADING = 200

UNREADABLE = Sentence(
    "Không đọc được chữ trong tệp: tệp bị hỏng hoặc không đúng định dạng.",
    "The text cannot be read: the file is damaged or not what its format says.",
)
NO_TEXT = Sentence(
    "Tệp không có chữ, có thể là bản quét hoặc biểu mẫu trống; tên và mã vẫn tìm được.",
    "The file has no text; it may be a scan or a blank form. Its title and code can still be found.",
)
SCAN = Sentence(
    "Tệp là bản quét, không có lớp chữ.",
    "The file is a scan without a text layer.",
)
UNKNOWN_FONT = Sentence(
    "Không tìm kiếm được: tệp gõ bằng phông chữ cũ mà hệ thống không nhận ra (không phải TCVN3, VNI hay Unicode). "
    "Hãy chuyển tệp sang Unicode rồi tải lên lại.",
    "Not searchable: the file was typed in an old font that is not recognised (neither TCVN3, VNI nor Unicode). "
    "Convert it to Unicode, then upload it again.",
)
TOO_LONG = Sentence(
    "Nội dung chữ dài hơn 20 triệu ký tự nên không đưa vào tìm kiếm; hãy tách tài liệu.",
    "The text is longer than 20 million characters and is left out of the search; split the document.",
)


class NotExtractable(Exception):
    """There is no text to be had from a file; carries the sentence that says why."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence.en)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading as the format marks it: where it begins in the text, its level from 1, its words."""

    start: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says: its text in NFC with pages parted by form feeds, and what its format tells of that text.

    `rows`: the offsets of each table row's cells and its end. `encodings`: the old encodings it was rewritten from.
    `scans`: the numbers of the pages (from 1) that are pictures without a text layer.
    """

    text: str
    rows: tuple[tuple[int, ...], ...] = ()
    headings: tuple[Heading, ...] = ()
    encodings: tuple[str, ...] = ()
    scans: tuple[int, ...] = ()


def read(path: Path, kind: Kind) -> Reading:
    """Read a file; raises NotExtractable. Of a scan the text is empty and `scans` names the pages."""
    try:
        found = READERS[kind](path)
    except (BrokenPackage, BrokenCompound, Bomb, UnsafeName, RecursionError) as error:
        raise NotExtractable(UNREADABLE) from error
    marked, scans = found if isinstance(found, tuple) else (found, ())
    given = legacy.read(tidy(marked))
    if given.unknown:
        raise NotExtractable(UNKNOWN_FONT)
    text, rows, headings = _parted(unicodedata.normalize("NFC", given.text.replace("\u00ad", "")))
    if not text.strip():
        if scans:
            return Reading("", scans=scans)
        raise NotExtractable(NO_TEXT)
    return Reading(text, rows, headings, given.encodings, scans)


def tidy(text: str) -> str:
    """Return a text in NFC without control characters, trailing blanks and long runs of empty lines; marks stay."""
    if len(text) > MAX_CHARACTERS:
        raise NotExtractable(TOO_LONG)
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_UNWANTED)
    # Many real documents hold letters and tone marks apart; every search and comparison wants them together.
    text = unicodedata.normalize("NFC", text)
    text = re.sub(r"[^\S\n\f]+(?=\n|\f|$)", "", text)
    return _EMPTY_LINES.sub(lambda run: "\n\n\n" + run[0].replace("\n", ""), text).strip()


def _parted(marked: str) -> tuple[str, tuple[tuple[int, ...], ...], tuple[Heading, ...]]:
    """Take the marks out of a text and return it with the places that they marked."""
    pieces, at = [], 0
    rows: list[tuple[int, ...]] = []
    begun: list[tuple[int, int]] = []
    row: list[int] = []
    for piece in _MARKS.split(marked):
        if piece in (ROW, CELL, END):
            if piece == CELL:
                row.append(at)
            elif piece == END and row:
                rows.append((*row, at))
            row = [] if piece != CELL else row
        elif len(piece) == 1 and HEADING < piece <= LEVELS:
            begun.append((at, ord(piece) - ord(HEADING)))
        else:
            pieces.append(piece)
            at += len(piece)
    whole = "".join(pieces)
    text = whole.strip()
    lead = len(whole) - len(whole.lstrip())
    placed = [tuple(min(max(0, place - lead), len(text)) for place in row) for row in rows]
    lines = {place: (level, _line_at(whole, place)) for place, level in begun[:MAX_HEADINGS]}
    # Whole paragraphs that somebody gave an outline level are no headings.
    headings = [
        Heading(max(0, place - lead), level, title)
        for place, (level, title) in lines.items()
        if re.search(r"\w", title) and len(title) <= LONGEST_HEADING
    ]
    kept = [row for row in placed if row[0] < row[-1]] if len(placed) <= MAX_ROWS else []
    return text, tuple(kept), tuple(headings)


def _line_at(text: str, place: int) -> str:
    end = text.find("\n", place)
    return " ".join(text[place : end if end >= 0 else None].split())[:300]


# While a file is read, control characters that no document may hold mark what its format says: the beginning of a row,
# of a cell, the end of a row, and headings (HEADING plus their level).
ROW, CELL, END, HEADING, LEVELS = "\x01", "\x02", "\x03", "\x10", "\x19"
_MARKS = re.compile(r"([\x01-\x03\x11-\x19])")
_EMPTY_LINES = re.compile(r"(?:\n[\x01-\x03\x11-\x19]*){4,}")


def _heading(level: int) -> str:
    return chr(ord(HEADING) + min(max(level, 1), 9))


# All of C0 but tab, line feed and form feed, and what PDFs leave where a word was hyphenated; not our own marks.
_UNWANTED = dict.fromkeys([0, *range(4, 9), 11, 14, 15, 16, *range(26, 32), 127, 0xFEFF, 0xFFFE, 0xFFFF])
_FOREIGN_MARKS = dict.fromkeys([1, 2, 3, *range(17, 26)])


def decode(data: bytes) -> str:
    """Return plain text from bytes: by its byte order mark, else UTF-8, else an old encoding or the code page of Vietnamese."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Texts in TCVN3 and VNI are bytes of the Western code page; of those that are not, Vietnam's own is likelier.
        western = data.decode("cp1252", "replace")
        return western if legacy.read(western).encodings else data.decode("cp1258", "replace")


def _word97(path: Path) -> str:
    return read_word97(path).translate(_FOREIGN_MARKS)


def _plain(path: Path) -> str:
    return decode(path.read_bytes()).translate(_FOREIGN_MARKS)


def _markdown(path: Path) -> str:
    """Read Markdown as it is, with its headings marked; a fence of code holds none."""
    lines, fenced = [], False
    for line in _plain(path).splitlines():
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        found = re.match(r"#{1,6}(?=\s)", line)
        lines.append(f"{_heading(len(found[0]))}{line}" if found and not fenced else line)
    return "\n".join(lines)


def _docx(path: Path) -> str:
    """Read headers, body, notes and footers; what is tracked as deleted is no part of the document any more."""
    with Package(path) as package:
        main = _main_part(package, Kind.DOCX)
        folder = main.rpartition("/")[0]
        around = [name for name in package.names if name.rpartition("/")[0] == folder]
        parts = [
            *sorted(name for name in around if re.search(r"/header\d*\.xml$", name)),
            main,
            *sorted(name for name in around if re.search(r"/(footnotes|endnotes|footer\d*)\.xml$", name)),
        ]
        levels = _word_levels(package, f"{folder}/styles.xml")
        texts = ["".join(_word_text(parse(package.read(part)), levels)).strip() for part in parts]
    return "\n".join(dict.fromkeys(text for text in texts if text))


# A drawing is kept twice, for new and for old programs; the older copy (Fallback) would double its text.
_WORD_SKIPPED = frozenset(
    ["del", "delText", "delInstrText", "instrText", "moveFrom", "Fallback", "pPr", "rPr", "sectPr", "sdtPr", "tblPr"]
)
_WORD_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": "\u00ad"}


def _word_levels(package: Package, part: str) -> dict[str, int]:
    """Return which paragraph styles are headings, with their level from 1: by their outline level, own or inherited."""
    if part not in package.names:
        return {}
    own: dict[str, int] = {}
    based: dict[str, str] = {}
    for style in parse(package.read(part)).iterchildren("{*}style"):
        name = _attribute(style, "styleId")
        level = style.find("{*}pPr/{*}outlineLvl")
        parent = style.find("{*}basedOn")
        if level is not None and (value := _attribute(level, "val")).isdecimal() and int(value) < 9:
            own[name] = int(value) + 1
        if parent is not None:
            based[name] = _attribute(parent, "val")
    levels = dict(own)
    for name in based:
        above, steps = name, 0
        while above and above not in own and steps < 20:
            above, steps = based.get(above, ""), steps + 1
        if above in own:
            levels[name] = own[above]
    return levels


def _word_level(paragraph: etree._Element, levels: dict[str, int]) -> int:
    """Return the level of a paragraph that is a heading, else 0."""
    direct = paragraph.find("{*}pPr/{*}outlineLvl")
    if direct is not None and (value := _attribute(direct, "val")).isdecimal():
        return int(value) + 1 if int(value) < 9 else 0
    style = paragraph.find("{*}pPr/{*}pStyle")
    return levels.get(_attribute(style, "val"), 0) if style is not None else 0


def _word_text(element: etree._Element, levels: dict[str, int], *, inside: bool = False) -> Iterator[str]:
    """Yield the text below an element; rows of tables are marked, but not those of tables `inside` others."""
    for child in element:
        name = _local(child)
        if name == "t":
            yield child.text or ""
        elif name in _WORD_SIGNS:
            yield _WORD_SIGNS[name]
        elif name == "tr" and child.find("{*}trPr/{*}del") is not None:
            continue
        elif name == "tr" and not inside:
            yield ROW
            yield from _word_text(child, levels, inside=True)
            yield END
        elif name and name not in _WORD_SKIPPED:
            if name == "tc" and inside and _local(element) in {"tr", "sdtContent"} and not _nested(child):
                yield CELL
            if name == "txbxContent":
                yield "\n"
            if name == "p" and not inside and (level := _word_level(child, levels)) and _says(child):
                yield _heading(level)
            yield from _word_text(child, levels, inside=inside)
            if name == "p":
                yield "\n"


def _says(paragraph: etree._Element) -> bool:
    """Say whether a paragraph has words of its own: an empty one in the style of a heading is none."""
    return any(re.search(r"\w", str(piece)) for piece in paragraph.itertext())


def _nested(cell: etree._Element) -> bool:
    return any(_local(above) == "tc" for above in cell.iterancestors())


def _opendocument(path: Path) -> str:
    """Read the page headers and footers of an OpenDocument file and then its body."""
    with Package(path) as package:
        texts = []
        if "styles.xml" in package.names:
            masters = parse(package.read("styles.xml")).findall("{*}master-styles/{*}master-page")
            texts = ["".join(_open_text(page)).strip() for page in masters]
        body = parse(package.read("content.xml")).find("{*}body")
        if body is None:
            raise BrokenPackage("no body")
        texts.append("".join(_open_text(body)))
    return "\n".join(dict.fromkeys(text for text in texts if text))


_OPEN_SKIPPED = frozenset(["tracked-changes", "annotation", "annotation-end", "desc", "title", "forms", "script"])
_OPEN_SIGNS = {"tab": "\t", "line-break": "\n"}


def _open_text(element: etree._Element, *, inside: bool = False) -> Iterator[str]:
    """Yield the text below an element; only paragraphs and headings own text, blanks elsewhere are layout of the XML."""
    for child in element:
        name = _local(child)
        if name == "s":
            yield " " * min(_number(child, "c", 1), 100)
        elif name in _OPEN_SIGNS:
            yield _OPEN_SIGNS[name]
        elif name and name not in _OPEN_SKIPPED:
            row = name == "table-row" and not inside
            if name in {"note-body", "text-box"}:
                yield "\n"
            if row:
                yield ROW
            if name == "table-cell" and inside and not _nested_cell(child):
                yield CELL
            if name == "h" and not inside and _says(child):
                yield _heading(_number(child, "outline-level", 1))
            if name in {"p", "h", "span", "a"}:
                yield child.text or ""
            yield from _open_text(child, inside=inside or row)
            if name in {"p", "h"}:
                yield "\n"
            if row:
                yield END
        if _local(element) in {"p", "h", "span", "a"}:
            yield child.tail or ""


def _nested_cell(cell: etree._Element) -> bool:
    return any(_local(above) == "table-cell" for above in cell.iterancestors())


def _xlsx(path: Path) -> str:
    """Read the sheets of a workbook: its name, then a line for each row, cells parted by tabs."""
    with Package(path) as package:
        main = _main_part(package, Kind.XLSX)
        folder = main.rpartition("/")[0]
        shared = _shared_strings(package, f"{folder}/sharedStrings.xml")
        relations = parse(package.read(f"{folder}/_rels/{main.rpartition('/')[2]}.rels"))
        targets = {
            str(relation.get("Id")): str(relation.get("Target")) for relation in relations.iter("{*}Relationship")
        }
        lines: list[str] = []
        for sheet in parse(package.read(main)).iter("{*}sheet"):
            target = targets.get(next((str(v) for k, v in sheet.attrib.items() if str(k).endswith("}id")), ""), "")
            part = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}"
            if part in package.names and "worksheet" in part:
                lines.append(sheet.get("name", ""))
                lines += _rows(parse(package.read(part)), shared)
    return "\n".join(lines)


def _shared_strings(package: Package, part: str) -> list[str]:
    if part not in package.names:
        return []
    return ["".join(_cell_text(item)) for item in parse(package.read(part)).iterchildren("{*}si")]


def _rows(sheet: etree._Element, shared: list[str]) -> Iterator[str]:
    for row in sheet.iter("{*}row"):
        cells = (_cell(cell, shared) for cell in row.iterchildren("{*}c"))
        line = "\t".join(CELL + cell for cell in cells if cell)
        if line:
            yield f"{ROW}{line}{END}"


def _cell(cell: etree._Element, shared: list[str]) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return "".join(_cell_text(cell))
    value = cell.findtext("{*}v") or ""
    if kind == "s":
        return shared[int(value)] if value.isdecimal() and int(value) < len(shared) else ""
    return value if kind in {"n", "str", "d"} else ""


def _cell_text(element: etree._Element) -> Iterator[str]:
    for child in element:
        if _local(child) == "t":
            yield child.text or ""
        elif _local(child) != "rPh":  # The reading aid of Japanese cells.
            yield from _cell_text(child)


def _pdf(path: Path) -> tuple[str, tuple[int, ...]]:
    """Read the pages of a PDF, with what its bookmarks call headings; returns also which pages are pictures only."""
    import pypdfium2  # Takes longer to load than all else here, and most files are no PDF.

    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise NotExtractable(UNREADABLE) from error
    try:
        pages: list[str] = []
        scans: list[int] = []
        length = 0
        for number in range(len(pdf)):
            try:
                page = pdf[number]
            except pypdfium2.PdfiumError:
                pages.append("")  # A page that cannot be opened has nothing to read; the others have.
                continue
            textpage = page.get_textpage()
            pages.append(textpage.get_text_bounded().translate(_FOREIGN_MARKS))
            textpage.close()
            if not re.search(r"\w", pages[-1]) and any(True for _ in page.get_objects(max_depth=1)):
                scans.append(number + 1)
            page.close()
            length += len(pages[-1])
            if length > MAX_CHARACTERS:
                raise NotExtractable(TOO_LONG)
        _mark_bookmarks(pdf, pages)
    finally:
        pdf.close()
    return "\f".join(pages), tuple(scans)


def _mark_bookmarks(pdf: Any, pages: list[str]) -> None:
    """Mark the lines that the bookmarks of a PDF point at; one whose words are not on its page is left out."""
    import pypdfium2

    try:
        marks = [
            (bookmark.level + 1, bookmark.get_title(), destination.get_index())
            for bookmark, _ in zip(pdf.get_toc(max_depth=9), range(MAX_HEADINGS), strict=False)
            if (destination := bookmark.get_dest()) is not None
        ]
    except pypdfium2.PdfiumError:
        return
    for level, title, index in marks:
        words = re.findall(r"\w+", title)
        if not words or index is None or not 0 <= index < len(pages):
            continue
        pattern = r"(?m)^[^\w\n]*" + r"[\W_]+".join(map(re.escape, words[:12]))
        if found := re.search(pattern, pages[index], re.IGNORECASE):
            at = found.start()
            pages[index] = pages[index][:at] + _heading(level) + pages[index][at:]


def _main_part(package: Package, kind: Kind) -> str:
    main = package.main()
    if main is None or main[0] != kind:
        raise BrokenPackage(f"not a .{kind}")
    return main[1]


def _local(element: etree._Element) -> str:
    """Return an element's name without its namespace; comments and unread entities have none."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _attribute(element: etree._Element, name: str) -> str:
    """Return an attribute by its name without its namespace, empty when it is not there."""
    return next((str(v) for k, v in element.attrib.items() if str(k).endswith("}" + name)), "")


def _number(element: etree._Element, name: str, default: int) -> int:
    value = _attribute(element, name)
    return int(value) if value.isdecimal() else default


READERS: dict[Kind, Callable[[Path], str | tuple[str, tuple[int, ...]]]] = {
    Kind.DOC: _word97,  # Only where LibreOffice does not run, or fails; it knows older formats too.
    Kind.DOCX: _docx,
    Kind.ODT: _opendocument,
    Kind.ODS: _opendocument,
    Kind.XLSX: _xlsx,
    Kind.PDF: _pdf,
    Kind.TXT: _plain,
    Kind.MD: _markdown,
}
