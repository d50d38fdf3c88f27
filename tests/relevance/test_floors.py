"""What search is promised to find on known items; the figures are printed by `make bench`, beside those of SQLite FTS5."""

import gzip
import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from benchmarks import relevance
from docctl import text
from docctl.search import IndexedRevision, open_engine

pytestmark = pytest.mark.large


@pytest.fixture(scope="module", params=["whoosh", "tantivy"])
def engine(request):
    """The name of an engine: what is promised is promised of both."""
    if request.param == "tantivy":
        pytest.importorskip("tantivy", reason="the extra tantivy is not installed")
    return request.param


@pytest.fixture(scope="module")
def laws(shared_data, tmp_path_factory, engine):
    revisions, questions = relevance.laws()
    return relevance.Shelf(open_engine(engine, tmp_path_factory.mktemp("laws")), revisions), questions


@pytest.fixture(scope="module")
def procedures(shared_data, tmp_path_factory, engine):
    revisions, questions = relevance.procedures()
    questions |= relevance.short_titles(revisions)
    return relevance.Shelf(open_engine(engine, tmp_path_factory.mktemp("procedures")), revisions), questions


def test_every_question_has_a_right_answer(laws, procedures):
    for _, questions in (laws, procedures):
        assert all(question.right for some in questions.values() for question in some)


@pytest.mark.parametrize("typed", ["with accents", "without accents"])
def test_a_question_about_a_law_finds_its_article(laws, typed):
    shelf, questions = laws
    recall, mrr = relevance.recall_and_mrr(shelf.ids, questions[typed])
    assert recall >= 0.97
    assert mrr >= 0.88


@pytest.mark.parametrize(
    ("typed", "places", "floor"),
    [
        ("code", 1, 1.0),
        ("title", 1, 0.99),
        ("title without accents", 1, 0.99),
        ("title with one wrong accent", 3, 0.98),
        ("title with one letter missing", 3, 0.97),
        ("title with Telex leftovers", 3, 0.98),
        ("four words, a letter missing", 3, 0.94),
        ("four words, Telex leftovers", 3, 0.98),
    ],
)
def test_a_procedure_is_found_as_people_type_it(procedures, typed, places, floor):
    shelf, questions = procedures
    share, missed = relevance.within(shelf.ids, questions[typed], places)
    assert share >= floor, missed


WAYS: dict[str, Callable[[str], str]] = {
    "NFC": text.nfc,
    "NFD": lambda written: unicodedata.normalize("NFD", written),
    "upper case": str.upper,
    "without accents": text.fold,
}


def ways(title: str) -> list[str]:
    """Return a title in NFC, NFD, upper case and without accents."""
    return [way(title) for way in WAYS.values()]


def test_every_way_to_write_a_real_title_finds_the_same(procedures):
    shelf, _ = procedures
    for revision in list(shelf.by_id.values())[::9]:
        assert len({frozenset(shelf.ids(typed, 1000)) for typed in ways(revision.title)}) == 1, revision.title


def test_the_real_procedures_are_found_alike_however_they_and_the_question_are_written(shared_data, tmp_path, engine):
    papers = relevance.real_papers()
    assert len(papers) == 38
    shelves = [
        relevance.Shelf(
            open_engine(engine, tmp_path / name),
            [replace(paper, title=way(paper.title), body=way(paper.body)) for paper in papers],
        )
        for name, way in WAYS.items()
    ]
    for paper in papers:
        words = paper.body.split()
        middle = " ".join(words[len(words) // 2 : len(words) // 2 + 6])
        for asked in (paper.title.replace("-", " "), middle.replace("-", " ")):  # A dash before a word excludes it.
            found = {frozenset(shelf.ids(typed, 1000)) for shelf in shelves for typed in ways(asked)}
            assert len(found) == 1, asked
            assert paper.revision_id in found.pop(), asked


# The vowel that bears the tone: the first of the two in the old manner, the second in the new one.
_OLD_TO_NEW = {
    unicodedata.normalize("NFC", first + tone + second): unicodedata.normalize("NFC", first + second + tone)
    for first, second in ("oa", "oe", "uy")
    for tone in ("\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
}


def retoned(written: str) -> str:
    """Return a text with the tones in the new manner."""
    for old, new in _OLD_TO_NEW.items():
        written = written.replace(old, new).replace(old.upper(), new.upper())
    return written


def test_every_law_article_is_found_alike_in_old_and_new_tone_placement(shared_data, tmp_path, engine):
    lines = gzip.decompress((shared_data / "vn-phap-dien" / "articles.jsonl.gz").read_bytes()).decode().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 290
    old = [IndexedRevision(n, "", row["title"], row["text"], True) for n, row in enumerate(rows, start=1)]
    new = [IndexedRevision(row.revision_id, "", retoned(row.title), retoned(row.body), True) for row in old]
    assert sum(one != other for one, other in zip(old, new, strict=True)) > 100
    shelves = [
        relevance.Shelf(open_engine(engine, tmp_path / name), some) for name, some in (("old", old), ("new", new))
    ]
    ids = [cache(lambda typed, shelf=shelf: shelf.ids(typed, 50)) for shelf in shelves]
    for row in old:
        typed = [" ".join(words.split()[:12]) for words in (row.body, retoned(row.body))]
        assert len({tuple(find(words)) for find in ids for words in typed}) == 1, typed
