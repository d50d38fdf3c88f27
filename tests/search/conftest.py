"""An engine in a folder of its own, and the real procedures as revisions."""

from pathlib import Path

import pytest

from benchmarks import relevance
from docctl.search import IndexedRevision
from docctl.search.whoosh import WhooshEngine


@pytest.fixture
def engine(tmp_path: Path) -> WhooshEngine:
    return WhooshEngine(tmp_path / "index")


@pytest.fixture(scope="session")
def procedures(shared_data: Path) -> list[IndexedRevision]:
    """The 38 real procedures: code from the list beside them, title from the file's name."""
    return relevance.real_papers()
