"""Readers that give the plain text of a file, one for each kind; they run where a hostile file can do no harm."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from lxml import etree

from docctl.files.compound import BrokenCompound
from docctl.files.kinds import Kind
from docctl.files.package import Bomb, BrokenPackage, Package, UnsafeName, parse
from docctl.files.word97 import read_word97
from docctl.rules import Sentence

MAX_CHARACTERS = 20_000_000

UNREADABLE = Sentence(
    "Không đọc được chữ trong tệp: tệp bị hỏng hoặc không đúng định dạng.",
    "The text cannot be read: the file is damaged or not what its format says.",
)
NO_TEXT = Sentence(
    "Tệp không có chữ, có thể là bản quét hoặc biểu mẫu trống; tên và mã vẫn tìm được.",
    "The file has no text; it may be a scan or a blank form. Its title and code can still be found.",
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


def read(path: Path, kind: Kind) -> str:
    """Return the text of a file in NFC, pages parted by form feeds; raises NotExtractable."""
    try:
        text = tidy(READERS[kind](path))
    except (BrokenPackage, BrokenCompound, Bomb, UnsafeName, RecursionError) as error:
        raise NotExtractable(UNREADABLE) from error
    if not text:
        raise NotExtractable(NO_TEXT)
    return text


def tidy(text: str) -> str:
    """Return a text in NFC without control characters, trailing blanks and long runs of empty lines."""
    if len(text) > MAX_CHARACTERS:
        raise NotExtractable(TOO_LONG)
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_UNWANTED)
    # Many real documents hold letters and tone marks apart; every search and comparison wants them together.
    text = unicodedata.normalize("NFC", text)
    text = re.sub(r"[^\S\n\f]+(?=\n|\f|$)", "", text)
    return re.sub(r"\n{4,}", "\n\n\n", text).strip()


# All of C0 but tab, line feed and form feed, and what PDFs leave where a word was hyphenated.
_UNWANTED = dict.fromkeys([*range(9), 11, *range(14, 32), 127, 0xFEFF, 0xFFFE, 0xFFFF])


def decode(data: bytes) -> str:
    """Return plain text from bytes: by its byte order mark, else UTF-8, else the Windows code page of Vietnamese."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1258", "replace")


def _plain(path: Path) -> str:
    return decode(path.read_bytes())


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
        texts = ["".join(_word_text(parse(package.read(part)))).strip() for part in parts]
    return "\n".join(dict.fromkeys(text for text in texts if text))


# A drawing is kept twice, for new and for old programs; the older copy (Fallback) would double its text.
_WORD_SKIPPED = frozenset(
    ["del", "delText", "delInstrText", "instrText", "moveFrom", "Fallback", "pPr", "rPr", "sectPr", "sdtPr", "tblPr"]
)
_WORD_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


def _word_text(element: etree._Element) -> Iterator[str]:
    for child in element:
        name = _local(child)
        if name == "t":
            yield child.text or ""
        elif name in _WORD_SIGNS:
            yield _WORD_SIGNS[name]
        elif name == "tr" and child.find("{*}trPr/{*}del") is not None:
            continue
        elif name and name not in _WORD_SKIPPED:
            if name == "txbxContent":
                yield "\n"
            yield from _word_text(child)
            if name == "p":
                yield "\n"


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


def _open_text(element: etree._Element) -> Iterator[str]:
    """Yield the text below an element; only paragraphs and headings own text, blanks elsewhere are layout of the XML."""
    for child in element:
        name = _local(child)
        if name == "s":
            yield " " * min(_number(child, "c", 1), 100)
        elif name in _OPEN_SIGNS:
            yield _OPEN_SIGNS[name]
        elif name and name not in _OPEN_SKIPPED:
            if name in {"note-body", "text-box"}:
                yield "\n"
            if name in {"p", "h", "span", "a"}:
                yield child.text or ""
            yield from _open_text(child)
            if name in {"p", "h"}:
                yield "\n"
        if _local(element) in {"p", "h", "span", "a"}:
            yield child.tail or ""


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
        line = "\t".join(cell for cell in cells if cell)
        if line:
            yield line


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


def _pdf(path: Path) -> str:
    import pypdfium2  # Takes longer to load than all else here, and most files are no PDF.

    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise NotExtractable(UNREADABLE) from error
    try:
        pages, length = [], 0
        for number in range(len(pdf)):
            page = pdf[number]
            textpage = page.get_textpage()
            pages.append(textpage.get_text_bounded())
            textpage.close()
            page.close()
            length += len(pages[-1])
            if length > MAX_CHARACTERS:
                raise NotExtractable(TOO_LONG)
    finally:
        pdf.close()
    return "\f".join(pages)


def _main_part(package: Package, kind: Kind) -> str:
    main = package.main()
    if main is None or main[0] != kind:
        raise BrokenPackage(f"not a .{kind}")
    return main[1]


def _local(element: etree._Element) -> str:
    """Return an element's name without its namespace; comments and unread entities have none."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _number(element: etree._Element, name: str, default: int) -> int:
    value = next((str(v) for k, v in element.attrib.items() if str(k).endswith("}" + name)), "")
    return int(value) if value.isdecimal() else default


READERS: dict[Kind, Callable[[Path], str]] = {
    Kind.DOC: read_word97,  # Only where LibreOffice does not run, or fails; it knows older formats too.
    Kind.DOCX: _docx,
    Kind.ODT: _opendocument,
    Kind.ODS: _opendocument,
    Kind.XLSX: _xlsx,
    Kind.PDF: _pdf,
    Kind.TXT: _plain,
    Kind.MD: _plain,
}
