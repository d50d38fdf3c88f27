"""What search is promised to find on known items; the figures are printed by `make bench`, beside those of SQLite FTS5."""

import gzip
import json
import unicodedata
from functools import cache

import pytest

from benchmarks import relevance
from docctl import text
from docctl.search import IndexedRevision
from docctl.search.whoosh import WhooshEngine

pytestmark = pytest.mark.large


@pytest.fixture(scope="module")
def laws(shared_data, tmp_path_factory):
    revisions, questions = relevance.laws()
    return relevance.Shelf(WhooshEngine(tmp_path_factory.mktemp("laws")), revisions), questions


@pytest.fixture(scope="module")
def procedures(shared_data, tmp_path_factory):
    revisions, questions = relevance.procedures()
    questions |= relevance.short_titles(revisions)
    return relevance.Shelf(WhooshEngine(tmp_path_factory.mktemp("procedures")), revisions), questions


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


def ways(title: str) -> list[str]:
    """Return a title in NFC, NFD, upper case and without accents."""
    return [
        text.nfc(title),
        unicodedata.normalize("NFD", title),
        title.upper(),
        text.fold(title),
    ]


def test_every_way_to_write_a_real_title_finds_the_same(procedures):
    shelf, _ = procedures
    for revision in list(shelf.by_id.values())[::9]:
        assert len({frozenset(shelf.ids(typed, 1000)) for typed in ways(revision.title)}) == 1, revision.title


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


def test_every_law_article_is_found_alike_in_old_and_new_tone_placement(shared_data, tmp_path):
    lines = gzip.decompress((shared_data / "vn-phap-dien" / "articles.jsonl.gz").read_bytes()).decode().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 290
    old = [IndexedRevision(n, "", row["title"], row["text"], True) for n, row in enumerate(rows, start=1)]
    new = [IndexedRevision(row.revision_id, "", retoned(row.title), retoned(row.body), True) for row in old]
    assert sum(one != other for one, other in zip(old, new, strict=True)) > 100
    shelves = [relevance.Shelf(WhooshEngine(tmp_path / name), some) for name, some in (("old", old), ("new", new))]
    ids = [cache(lambda typed, shelf=shelf: shelf.ids(typed, 50)) for shelf in shelves]
    for row in old[::7]:
        typed = [" ".join(words.split()[:12]) for words in (row.body, retoned(row.body))]
        assert len({tuple(find(words)) for find in ids for words in typed}) == 1, typed
