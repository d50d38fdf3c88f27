"""An engine in a folder of its own, and the real procedures as revisions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import relevance
from docctl.search import Engine, IndexedRevision, open_engine
from docctl.search.whoosh import WhooshEngine


@pytest.fixture
def engine(tmp_path: Path) -> WhooshEngine:
    return WhooshEngine(tmp_path / "index")


@pytest.fixture(params=["whoosh", "tantivy"])
def either_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Each of the engines, with nothing indexed."""
    if request.param == "tantivy":
        pytest.importorskip("tantivy", reason="the extra tantivy is not installed")
    engine = open_engine(request.param, tmp_path / "index")
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def procedures(shared_data: Path) -> list[IndexedRevision]:
    """The 38 real procedures: code from the list beside them, title from the file's name."""
    return relevance.real_papers()
