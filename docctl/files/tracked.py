"""Tracked changes and comments: found before anything is made of a file, and settled one way or the other, never printed."""

import re
import struct
import zipfile
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from docctl.files.compound import BrokenCompound, Compound
from docctl.files.kinds import Kind
from docctl.files.package import Bomb, BrokenPackage, Package, UnsafeName, parse
from docctl.files.word97 import marks

_PARTS = re.compile(r"(^|/)(document|header\d*|footer\d*|footnotes|endnotes)\.xml$")
_ADDED, _TAKEN = ("ins", "moveTo"), ("del", "moveFrom")
_RANGES = frozenset(
    ["moveFromRangeStart", "moveFromRangeEnd", "moveToRangeStart", "moveToRangeEnd", "cellIns", "cellDel", "cellMerge"]
    + [f"customXml{act}Range{end}" for act in ("Ins", "Del", "MoveFrom", "MoveTo") for end in ("Start", "End")]
    + ["commentRangeStart", "commentRangeEnd", "commentReference", "annotationRef"]
)
_RTF_TRACKED = re.compile(rb"\\(?:revised|deleted)(?![a-z0-9])")
_RTF_COMMENT = re.compile(rb"\\annotation(?![a-z])")


@dataclass(frozen=True)
class Marks:
    """How many tracked changes and comments a file holds."""

    tracked: int = 0
    comments: int = 0

    def __bool__(self) -> bool:
        return bool(self.tracked or self.comments)


def look(path: Path, kind: Kind) -> Marks:
    """Count the tracked changes and comments of a text document; a file that cannot be read so has none to speak of."""
    try:
        if kind == Kind.DOCX:
            return _look_docx(path)
        if kind == Kind.ODT:
            with Package(path) as package:
                body = parse(package.read("content.xml"))
            return Marks(len(list(body.iter("{*}changed-region"))), len(list(body.iter("{*}annotation"))))
        if kind == Kind.RTF:
            data = path.read_bytes()
            return Marks(len(_RTF_TRACKED.findall(data)), len(_RTF_COMMENT.findall(data)))
        if kind == Kind.DOC:
            compound = Compound(path)
            return Marks(*marks(compound))
    except (BrokenPackage, BrokenCompound, Bomb, UnsafeName, RecursionError, struct.error, IndexError):
        return Marks()
    return Marks()


def settle(source: Path, target: Path, *, accept: bool) -> None:
    """Write a .docx in which every tracked change is accepted, or refused, and no comment is left.

    Raises BrokenPackage, Bomb or UnsafeName for what is no sound package.
    """
    with Package(source) as package, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for name in package.names:
            data = package.read(name)
            if _PARTS.search(name):
                root = parse(data)
                _settle(root, accept=accept)
                data = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
            out.writestr(name, data)


def _look_docx(path: Path) -> Marks:
    tracked = comments = 0
    with Package(path) as package:
        for name in package.names:
            if _PARTS.search(name):
                for element in parse(package.read(name)).iter():
                    local = _local(element)
                    tracked += local in (*_ADDED, *_TAKEN) or local.endswith("PrChange")
                    comments += local == "commentReference"
    return Marks(tracked, comments)


def _settle(root: etree._Element, *, accept: bool) -> None:
    gone, kept = (_TAKEN, _ADDED) if accept else (_ADDED, _TAKEN)
    joined = [p for p in root.iter("{*}p") if _marked(p, gone)]
    for row in [row for row in root.iter("{*}tr") if _row_marked(row, gone)]:
        _remove(row)
    for change in _named(root, lambda local: local.endswith("PrChange") or local == "numberingChange"):
        _settle_properties(change, accept=accept)
    # What holds others goes first, so that nothing is looked at twice.
    for element in _named(root, lambda local: local in gone):
        _remove(element)
    for element in _named(root, lambda local: local in kept):
        _unwrap(element)
    for element in _named(root, lambda local: local in _RANGES):
        _remove(element)
    for element in _named(root, lambda local: local in ("delText", "delInstrText")):
        element.tag = f"{{{etree.QName(element).namespace}}}{'t' if _local(element) == 'delText' else 'instrText'}"
    for paragraph in joined:
        _join_with_next(paragraph)


def _named(root: etree._Element, wanted: Callable[[str], bool]) -> list[etree._Element]:
    return [element for element in root.iter() if wanted(_local(element))]


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _marked(paragraph: etree._Element, names: Iterable[str]) -> bool:
    """Say whether the mark at the end of a paragraph is among what goes: then it runs on into the next one."""
    return any(paragraph.find(f"{{*}}pPr/{{*}}rPr/{{*}}{name}") is not None for name in names)


def _row_marked(row: etree._Element, names: Iterable[str]) -> bool:
    return any(row.find(f"{{*}}trPr/{{*}}{name}") is not None for name in names)


def _settle_properties(change: etree._Element, *, accept: bool) -> None:
    """Keep the new properties, or put the old ones, which the change remembers, back in their place."""
    owner = change.getparent()
    if owner is None:
        return
    if not accept and len(change):
        old = change[0]
        marks = [child for child in owner if _local(child) in (*_ADDED, *_TAKEN, "rPr")]
        for child in list(owner):
            owner.remove(child)
        owner.extend([deepcopy(child) for child in old])
        owner.extend(mark for mark in marks if owner.find(f"{{*}}{_local(mark)}") is None)
        return
    owner.remove(change)


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _unwrap(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    at = parent.index(element)
    for child in reversed(list(element)):
        parent.insert(at, child)
    parent.remove(element)


def _join_with_next(paragraph: etree._Element) -> None:
    following = paragraph.getnext()
    if following is None or _local(following) != "p":
        return
    first = 1 if len(following) and _local(following[0]) == "pPr" else 0
    for child in reversed([child for child in paragraph if _local(child) != "pPr"]):
        following.insert(first, child)
    _remove(paragraph)
