"""Our way of writing posting lists: the very files that Whoosh writes, only sooner."""

import random
from pathlib import Path

import pytest
from whoosh.codec.whoosh3 import W3Codec
from whoosh.index import FileIndex

from docctl.search import IndexedRevision, codec, whoosh
from docctl.search.codec import Codec

WORDS = [f"tu{number}" for number in range(60)] + ["quy", "trình", "hồ", "sơ", "QT-01/CX", "2115/QĐ-UBND"]


class Stock(W3Codec):
    """What Whoosh itself would write with our settings."""

    length_stats = False

    def __init__(self) -> None:
        super().__init__(blocklimit=codec.BLOCK, compression=0)


def revisions(many: int) -> list[IndexedRevision]:
    chance = random.Random(5)
    return [
        IndexedRevision(
            id, f"QT {id:03}", f"Quy trình {id}", " ".join(chance.choices(WORDS, k=chance.randrange(1, 90))), True
        )
        for id in range(1, many + 1)
    ]


def written(folder: Path, by: W3Codec, some: list[IndexedRevision]) -> dict[str, bytes]:
    """Write one segment and return its terms and its postings."""
    folder.mkdir()
    storage = whoosh.DurableStorage(folder)
    index = FileIndex.create(storage, whoosh.SCHEMA)
    writer = index.writer(compound=False, codec=by)
    for revision in some:
        writer.add_document(**whoosh._row(revision))
    writer.commit()
    return {path.suffix: path.read_bytes() for path in folder.iterdir() if path.suffix in (".trm", ".pst")}


@pytest.mark.parametrize(("many", "block"), [(1, 1024), (40, 1024), (40, 8), (40, 1)])
def test_the_files_are_those_that_whoosh_writes_byte_for_byte(tmp_path, monkeypatch, many, block):
    monkeypatch.setattr(codec, "BLOCK", block)
    some = revisions(many)
    ours, theirs = written(tmp_path / "ours", Codec(), some), written(tmp_path / "theirs", Stock(), some)
    assert sorted(ours) == [".pst", ".trm"]
    assert ours == theirs
