"""Which sections changed, and what the change table says of them: what it forgot, and what it names without cause."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from docctl.redline.blocks import FRONT, Section
from docctl.redline.comparing import Entry
from docctl.text import fold

_WHOLE = ("toan bo", "toan van", "ca tai lieu", "whole", "entire", "all sections", "ban hanh moi")
_NUMBERS = re.compile(r"\d{1,3}(?:\.\d{1,3})*")
_PAGES = re.compile(r"(?:trang|page|pages|tr)\.? *(\d+)(?: *[-–] *(\d+))?")
_ROMAN = re.compile(r"\b[IVX]{1,5}\b")


@dataclass(slots=True)
class ChangedSection:
    """A section in which something changed: how many blocks of each kind, and on which pages."""

    section: Section
    counts: dict[str, int] = field(default_factory=dict)
    pages: set[int] = field(default_factory=set)
    first: int = 0  # The number of its first changed entry, for a link.

    @property
    def total(self) -> int:
        """How many blocks changed."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What differs between the text and the change table: changed sections without a row, and rows without a change."""

    sections: list[ChangedSection]
    rows: list[str]


def changed_sections(entries: Sequence[Entry]) -> list[ChangedSection]:
    """Return the sections in which something changed, in the order of the text."""
    found: dict[Section, ChangedSection] = {}
    for number, entry in enumerate(entries):
        if entry.kind == "same":
            continue
        section = entry.block.section
        here = found.setdefault(section, ChangedSection(section, first=number))
        here.counts[entry.kind] = here.counts.get(entry.kind, 0) + 1
        here.pages |= {block.page for block in (entry.old, entry.new) if block and block.page}
    return list(found.values())


def forgotten(changed: Sequence[ChangedSection], rows: Iterable[str]) -> Forgotten:
    """Compare the changed sections with what the rows of a change table name in their first column.

    A row names a section by its number, by a number above it, by its heading, by its page, or by saying that all changed.
    """
    named = [_Named(row) for row in rows]
    # The cover changes with every edition, and nobody writes a row for it.
    told = [part for part in changed if part.section != FRONT] or list(changed)
    missing = [part for part in told if not any(row.covers(part) for row in named)]
    idle = [row.text for row in named if not any(row.covers(part) or row.inside(part) for part in changed)]
    return Forgotten(missing, idle)


class _Named:
    """What one row of a change table names."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = " ".join(fold(text).split())
        pages = list(_PAGES.finditer(self.folded))
        self.pages = {
            page
            for found in pages
            for page in range(int(found[1]), min(int(found[2] or found[1]), int(found[1]) + 999) + 1)
        }
        rest = _PAGES.sub(" ", self.folded)
        self.numbers = {_key(number) for number in _NUMBERS.findall(rest)} | set(_ROMAN.findall(text))
        self.whole = any(word in self.folded for word in _WHOLE)

    def covers(self, part: ChangedSection) -> bool:
        """Say whether the row names a section, or one above it."""
        if self.whole or self.pages & part.pages:
            return True
        number = _section_number(part.section)
        if number and any(number == named or number.startswith(f"{named}.") for named in self.numbers):
            return True
        title = _title(part.section)
        return len(title) > 3 and (title in self.folded or (len(self.folded) > 3 and self.folded in title))

    def inside(self, part: ChangedSection) -> bool:
        """Say whether the row names a part of a section that changed; then it is not without cause."""
        number = _section_number(part.section)
        return bool(number) and any(named.startswith(f"{number}.") for named in self.numbers)


def _section_number(section: Section) -> str:
    found = _NUMBERS.search(section.number) or _ROMAN.search(section.number)
    return _key(found[0]) if found else ""


def _key(number: str) -> str:
    return ".".join(str(int(part)) if part.isdigit() else part for part in number.split("."))


def _title(section: Section) -> str:
    return " ".join(fold(section.title.removeprefix(section.number)).strip(" .)/:-–").split())
