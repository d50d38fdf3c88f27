"""A reader of Word 97–2003 text by its piece table, for machines without LibreOffice ([MS-DOC] 2.4.1)."""

import re
import struct
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from docctl.files.compound import BrokenCompound, Compound

_OLDEST = 0x00C1  # nFib of Word 97; what is older keeps its text otherwise.
_MAX_PIECES = 1_000_000
_DELETED = 0x0800  # sprmCFRMarkDel: the characters are tracked as deleted.
_INSERTED = 0x0801  # sprmCFRMarkIns: the characters are tracked as inserted.
_OPERAND = (1, 1, 2, 4, 2, 2, None, 3)  # Bytes after a sprm, by its three highest bits; None: the next byte says.


def read_word97(path: Path) -> str:
    """Return body, notes, text boxes, headers and footers, without comments, field codes and tracked deletions.

    Raises BrokenCompound for what is older than Word 97, locked, or damaged.
    """
    compound = Compound(path)
    word = compound.read("WordDocument")
    try:
        identity, version = struct.unpack_from("<HH", word)
        (flags,) = struct.unpack_from("<H", word, 10)
        if identity != 0xA5EC or version < _OLDEST or flags & 0x0100:
            raise BrokenCompound("older than Word 97, or locked")
        table = compound.read("1Table" if flags & 0x0200 else "0Table")
        text = "".join(_characters(word, table))
        body, notes, headers, _, comments, endnotes, boxes, header_boxes = struct.unpack_from("<8I", word, 0x4C)
    except (struct.error, IndexError) as error:
        raise BrokenCompound(str(error)) from error
    parts, at = [], 0
    for length in (body, notes, headers, comments, endnotes, boxes, header_boxes):
        parts.append(_plain(text[at : at + length]))
        at += length
    # Page headers and footers lie in one part here, and a stale footer must not be taken for the cover: they come last.
    order = (parts[0], parts[1], parts[4], parts[5], parts[6], parts[2])
    return "\n".join(part for part in order if part.strip())


def marks(compound: Compound) -> tuple[int, int]:
    """Return how many runs are tracked as inserted or deleted, and whether there are comments (0 or 1).

    Raises BrokenCompound, struct.error or IndexError for what is damaged.
    """
    word = compound.read("WordDocument")
    (flags,) = struct.unpack_from("<H", word, 10)
    table = compound.read("1Table" if flags & 0x0200 else "0Table")
    comments = int(struct.unpack_from("<8I", word, 0x4C)[4])
    tracked = len(_runs_with(word, table, _DELETED)) + len(_runs_with(word, table, _INSERTED))
    return tracked, int(comments > 0)


def _characters(word: bytes, table: bytes) -> Iterator[str]:
    """Yield the text piece by piece; a deleted character becomes a NUL, so that the lengths of the parts still hold."""
    deleted = _deleted(word, table)
    starts = [start for start, _ in deleted]
    for first, last, place in _pieces(word, table):
        narrow = bool(place & 0x4000_0000)
        width = 1 if narrow else 2
        start = (place & 0x3FFF_FFFF) // 2 if narrow else place & 0x3FFF_FFFF
        end = start + (last - first) * width
        raw = bytearray(word[start:end])
        if len(raw) < end - start:
            raise BrokenCompound("a piece lies outside the text")
        for number in range(max(0, bisect_left(starts, start) - 1), len(deleted)):
            low, high = max(start, deleted[number][0]), min(end, deleted[number][1])
            if deleted[number][0] >= end:
                break
            if low < high:
                raw[low - start : high - start] = bytes(high - low)
        # Narrow pieces are Latin letters only; Vietnamese ones are UTF-16.
        yield raw.decode("cp1252" if narrow else "utf-16-le", "replace")


def _pieces(word: bytes, table: bytes) -> list[tuple[int, int, int]]:
    """Return first character, last character and place of every piece: the Pcdt at the end of the Clx."""
    at, length = struct.unpack_from("<II", word, 0x01A2)
    end = at + length
    while table[at] == 1:  # Formatting that the pieces share.
        at += 3 + int(struct.unpack_from("<H", table, at + 1)[0])
        if at >= end:
            raise BrokenCompound("no piece table")
    (size,) = struct.unpack_from("<I", table, at + 1)
    count = (size - 4) // 12
    if table[at] != 2 or not 0 < count <= _MAX_PIECES:
        raise BrokenCompound("no piece table")
    borders = struct.unpack_from(f"<{count + 1}I", table, at + 5)
    first_place = at + 5 + 4 * (count + 1)
    places = [struct.unpack_from("<I", table, first_place + 8 * number + 2)[0] for number in range(count)]
    if any(low > high for low, high in pairwise(borders)) or borders[-1] > len(word):
        raise BrokenCompound("pieces out of order")
    return [(low, high, place) for (low, high), place in zip(pairwise(borders), places, strict=True)]


def _deleted(word: bytes, table: bytes) -> list[tuple[int, int]]:
    """Return the byte ranges of WordDocument whose characters are tracked as deleted, in order."""
    return _runs_with(word, table, _DELETED)


def _runs_with(word: bytes, table: bytes, wanted: int) -> list[tuple[int, int]]:
    """Return the byte ranges of WordDocument for whose characters a property of one byte is on, in order."""
    at, length = struct.unpack_from("<II", word, 0x00FA)
    count = max(0, (length - 4) // 8)
    pages = struct.unpack_from(f"<{count}I", table, at + 4 * (count + 1)) if count else ()
    ranges = []
    for page in pages:
        base = (page & 0x3F_FFFF) * 512
        runs = word[base + 511]
        borders = struct.unpack_from(f"<{runs + 1}I", word, base)
        for run in range(runs):
            offset = 2 * word[base + 4 * (runs + 1) + run]
            if offset and _is_on(word[base + offset + 1 : base + offset + 1 + word[base + offset]], wanted):
                ranges.append((borders[run], borders[run + 1]))
    return sorted(ranges)


def _is_on(properties: bytes, wanted: int) -> bool:
    at = 0
    while at + 3 <= len(properties):
        (sprm,) = struct.unpack_from("<H", properties, at)
        if sprm == wanted:
            return properties[at + 2] == 1
        operand = _OPERAND[sprm >> 13]
        at += 2 + (properties[at + 2] + 1 if operand is None else operand)
    return False


def _plain(text: str) -> str:
    """Return a part as lines: of a field the result without its code; ends of cells and paragraphs are line feeds."""
    kept: list[str] = []
    fields: list[bool] = []  # The fields that are open, and whether their code is still being read.
    for part in re.split(r"([\x13\x14\x15])", text.replace("\0", "")):
        if part == "\x13":
            fields.append(True)
        elif part == "\x14" and fields:
            fields[-1] = False
        elif part == "\x15" and fields:
            fields.pop()
        elif not any(fields):
            kept.append(part)
    return "".join(kept).translate({7: "\n", 11: "\n", 12: "\n", 13: "\n", 30: "-"})
