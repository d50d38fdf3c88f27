"""An engine in a folder of its own, and the real procedures as revisions."""

from pathlib import Path

import pytest

from docctl.search import IndexedRevision
from docctl.search.whoosh import WhooshEngine


@pytest.fixture
def engine(tmp_path: Path) -> WhooshEngine:
    return WhooshEngine(tmp_path / "index")


@pytest.fixture(scope="session")
def procedures(shared_data: Path) -> list[IndexedRevision]:
    """The 38 real procedures: code from the list beside them, title from the file's name."""
    folder = shared_data / "vn-iso-procedures"
    codes = {}
    for line in (folder / "expected.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        file, code, *_ = line.split("\t")
        codes[Path(file).with_suffix("").name] = code
    files = sorted((folder / "_text").rglob("*.txt"))
    return [
        IndexedRevision(
            number, codes.get(file.stem, ""), file.stem.split(". ", 1)[1], file.read_text(encoding="utf-8"), True
        )
        for number, file in enumerate(files, start=1)
    ]
