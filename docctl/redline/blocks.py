"""A text as the blocks that are compared: paragraphs, headings and rows of tables, each in its section and on its page."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from docctl.text import fold, nfc

LONGEST_HEADING = 200  # Characters; a numbered paragraph longer than this is no heading.
EDGE_LINES = 3  # Lines at the top and at the foot of a page among which headers and footers are looked for.


@dataclass(frozen=True, slots=True)
class Layout:
    """What the format says of a text, by offsets into it: where rows of tables and headings are, and whether lines wrap.

    `rows`: for each row of a table the offsets where its cells begin, then its end. `headings`: the level (from 1) of
    the paragraph that begins at an offset. `wrapped`: a paragraph may run over several lines, as in a PDF.
    """

    rows: Sequence[Sequence[int]] = ()
    headings: Mapping[int, int] = field(default_factory=dict)
    wrapped: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Where a block stands: the number of the section as written (`5.2`, empty where it has none) and its heading."""

    number: str
    title: str

    @property
    def label(self) -> str:
        """The heading as a person reads it."""
        return self.title


FRONT = Section("", "")  # What stands before the first heading.


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, or one row of a table with its cells; `page` counts from 1, or is 0 where the format has none."""

    text: str
    section: Section = FRONT
    page: int = 0
    cells: tuple[str, ...] = ()
    heading: bool = False


# 1. · 5.2 · 5.2.1) · IV. · A. · Điều 5 · Chương II · Mục 3 · Phần 1 · Phụ lục 2 · Bước 4
_NUMBERED = re.compile(
    r"(?P<dotted>\d{1,3}(?:\.\d{1,3}){1,5})(?:[.)/]|(?=\s))\s*\S"
    r"|(?P<simple>\d{1,2})[.)/]\s+\S"
    r"|(?P<roman>[IVX]{1,5})[.)/]\s+\S"
    r"|(?P<named>(?i:điều|chương|mục|phần|phụ lục|article|chapter|section|part|annex|appendix)\s+[\dIVXA-Z][\d.]*)\b"
)
_LOWER = re.compile(r"[^\W\d_]")
_NEW_PARAGRAPH = re.compile(
    r"\s*(?:[-–•+*▪]|\(?[\dIVXa-zđ]{1,4}[.)]|\d+(?:\.\d+)+|(?:điều|chương|mục|bước|phụ lục)\s)", re.I
)


def blocks(text: str, layout: Layout | None = None) -> list[Block]:
    """Return the blocks of a text whose pages are parted by form feeds; empty lines, and page headers that repeat, are left out."""
    layout = layout or Layout()
    text = nfc(text)
    section, found = FRONT, []
    for start, words, cells, page in _raw(text, layout):
        level = layout.headings.get(start, 0)
        number = "" if cells else _number(words)
        heading = not cells and bool(level or (number and _heads(words, number)))
        if heading:
            section = Section(number, words)
        found.append(Block(words, section, page, cells, heading))
    return found


def _raw(text: str, layout: Layout) -> Iterator[tuple[int, str, tuple[str, ...], int]]:
    pages = text.split("\f")
    paged = len(pages) > 1
    running = _running(pages) if paged and layout.wrapped else frozenset()
    starts = {row[0]: row for row in layout.rows if len(row) > 1}
    offset = 0
    for number, page in enumerate(pages, start=1):
        pieces = _pieces(text, offset, offset + len(page), starts)
        if layout.wrapped:
            pieces = _unwrapped(pieces, running)
        for start, words, cells in pieces:
            yield start, words, cells, number if paged else 0
        offset += len(page) + 1


def _pieces(
    text: str, offset: int, end: int, rows: Mapping[int, Sequence[int]]
) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Yield the lines and rows between two offsets; the lines of a row are its cells' and come with it."""
    while offset < end:
        if offset in rows:
            row = rows[offset]
            cells = tuple(_flat(text[a:b]) for a, b in pairwise(row))
            if any(cells):
                yield offset, "\t".join(cells), cells
            offset = max(row[-1], offset + 1)
            continue
        stop = text.find("\n", offset, end)
        stop = end if stop < 0 else stop
        # A row may begin inside what looks like one line, where a cell of the row before ended without a line feed.
        if words := _flat(text[offset:stop]):
            yield offset, words, ()
        offset = stop + 1


def _unwrapped(
    pieces: Iterable[tuple[int, str, tuple[str, ...]]], running: frozenset[str]
) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Join the lines of a page into its paragraphs: a line goes on until a sentence ends or something new begins."""
    start, words = 0, ""
    for at, line, _cells in pieces:
        if _shape(line) in running:
            continue
        goes_on = bool(words) and not words.endswith((".", ":", ";", "!", "?")) and not _NEW_PARAGRAPH.match(line)
        if goes_on and (line[0].islower() or len(words) - words.rfind("\n") > 60) and not line.isupper():
            words = f"{words} {line}"
            continue
        if words:
            yield start, words, ()
        start, words = at, line
    if words:
        yield start, words, ()


def _running(pages: Sequence[str]) -> frozenset[str]:
    """Return the lines, numbers apart, that stand at the top or the foot of most pages."""
    seen: Counter[str] = Counter()
    for page in pages:
        lines = [shape for line in page.splitlines() if (shape := _shape(line))]
        edge = min(EDGE_LINES, max(1, len(lines) // 4))
        seen.update(set(lines[:edge] + lines[-edge:]))
    return frozenset(shape for shape, times in seen.items() if times >= max(3, len(pages) // 2))


def _shape(line: str) -> str:
    return re.sub(r"\d+", "#", _flat(line))


def _flat(text: str) -> str:
    return " ".join(text.split())


def _number(words: str) -> str:
    found = _NUMBERED.match(words)
    if not found:
        return ""
    number = found["dotted"] or found["simple"] or found["roman"] or found["named"]
    return number.rstrip(".") if number else ""


def _heads(words: str, number: str) -> bool:
    """Say whether a numbered paragraph is short enough, and begins as a title does, to be a heading."""
    rest = words[len(number) :].lstrip(" .)/:-–")
    if len(words) > LONGEST_HEADING or (not _LOWER.search(rest) and not fold(number)[0].isalpha()):
        return False
    return not rest or (not rest[0].islower() and not rest.endswith((";", ",")))
