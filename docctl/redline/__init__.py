"""Redline: two texts compared paragraph by paragraph, then word by word; pure functions over text."""

from docctl.redline.blocks import Block, Layout, blocks
from docctl.redline.comparing import TOO_LONG, Entry, compare
from docctl.redline.sections import ChangedSection, Forgotten, changed_sections, forgotten
from docctl.redline.words import Piece

__all__ = [
    "TOO_LONG",
    "Block",
    "ChangedSection",
    "Entry",
    "Forgotten",
    "Layout",
    "Piece",
    "blocks",
    "changed_sections",
    "compare",
    "forgotten",
]
