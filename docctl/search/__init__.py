"""Search: the one small interface behind which an engine finds revisions; the words and their order are ours."""

from collections.abc import Collection, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from docctl.search.query import MOST_WORDS, Query, Word

__all__ = ["MOST_WORDS", "Engine", "EngineResult", "Index", "IndexedRevision", "Query", "Word", "open_engine"]

Index = Literal["current", "all"]


@dataclass(frozen=True)
class IndexedRevision:
    """What an engine keeps of a revision: the terms of its code, title and body, and whether staff may look for it.

    `current` means issued and not ended when it was indexed, a future effective date included; the reader's rights
    and the present state are asked of the database at each search.
    """

    revision_id: int
    code: str
    title: str
    body: str
    current: bool
    mention: str = ""  # What else it is looked for by: the number of the decision that issued it.
    facts: Collection[str] = ()  # What it can be narrowed down by, as it was when it was indexed.


@dataclass(frozen=True)
class EngineResult:
    """How many revisions there are, and the best of them with their scores, best first.

    `matching` names them all, in no order, where the engine has them at hand; None where it would have to be asked.
    """

    total: int
    hits: Sequence[tuple[int, float]]
    matching: Collection[int] | None = field(default=None, repr=False, compare=False)


class Engine(Protocol):
    """An index of revisions that follows the trail and can be thrown away at any time."""

    def position(self) -> int:
        """Return the sequence of the trail's entry up to which the index is complete; 0 when it must be built."""

    def mark(self) -> str:
        """Return the hash of that entry, by which a restored or other database is noticed."""

    def generation(self) -> Hashable:
        """Return what changes whenever a search might answer otherwise: the build and its latest commit."""

    def indexing(self) -> AbstractContextManager[bool]:
        """Hold the right to index, which one process and thread has at a time; False when another kept it too long."""

    def apply(
        self, upserts: Sequence[IndexedRevision], removals: Collection[int], position: int, mark: str = ""
    ) -> None:
        """Replace and remove revisions and move the position, durably; doing it twice changes nothing."""

    def tidy(self) -> None:
        """Make later searches cheaper by what would hold up an act; to be called when nothing waits to be indexed."""

    def rebuilding(self) -> AbstractContextManager["Engine"]:
        """Give an engine that takes this one's place at a clean end; until then this one answers.

        It is empty, or, with a position below 0, as far as an attempt came whose process was ended.
        """

    def search(
        self,
        query: Query,
        index: Index = "current",
        only: frozenset[int] | None = None,
        limit: int = 50,
        like: Sequence[Collection[str]] = (),
    ) -> EngineResult:
        """Find revisions among those in `only` (None: all), with the exact total of them; a broken index finds none.

        Nearly all of `only`, and nearly no others, had one fact of each collection in `like` when they were indexed: an
        engine may be quicker by that, and finds nothing else by it.
        """

    def clear(self) -> None:
        """Forget everything; the next follow builds the index again."""

    def close(self) -> None:
        """Close the files that this thread has open."""


def open_engine(name: str, folder: Path) -> Engine:
    """Open the engine of a setting's name on a folder, which need not exist."""
    if name == "tantivy":
        from docctl.search.tantivy import TantivyEngine

        return TantivyEngine(folder)
    if name != "whoosh":
        raise ValueError(f"there is no search engine {name}")
    from docctl.search.whoosh import WhooshEngine

    return WhooshEngine(folder)
