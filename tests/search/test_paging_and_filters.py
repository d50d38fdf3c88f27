"""Every page of a long answer is there, whoever asked for what before; and every filter leaves what it says it leaves."""

import random
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import select

from benchmarks.pages import fill
from docctl import audit, people, text
from docctl.audit import Action
from docctl.authority import reader
from docctl.config import load
from docctl.contents import ContentText
from docctl.revisions import Revision
from docctl.search import finding, following
from docctl.site import Site, open_site

PAGE = 20
OFFICE = 240


@pytest.fixture(scope="module", params=["whoosh", "tantivy"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An office with many documents in force, in divisions below it, behind either engine."""
    if request.param == "tantivy":
        pytest.importorskip("tantivy", reason="the extra tantivy is not installed")
    storage = tmp_path_factory.mktemp("library")
    site = open_site(
        load({"DOCCTL_STORAGE": str(storage), "DOCCTL_SECRET_KEY": "k", "DOCCTL_SEARCH": request.param}), migrate=True
    )
    fill(site, OFFICE)
    following.rebuild(site.database, site.engine)
    yield site
    site.close()


def look(site: Site, words: str, **asked) -> finding.Results:
    with site.database.reading() as session:
        staff = reader(session, people.find(session, "staff"))
        return finding.find(session, site.engine, words, reader=staff, **asked)


def with_phrase(site: Site, phrase: str) -> set[int]:
    """Return the revisions in whose text or title the words of a phrase stand in a row, whatever an index says."""
    with site.database.reading() as session:
        rows = session.execute(
            select(Revision.id, Revision.title, ContentText.text).join(
                ContentText, ContentText.sha256 == Revision.file_sha256
            )
        )
        return {id for id, title, body in rows if text.phrase_in(title, phrase) or text.phrase_in(body, phrase)}


def forgotten(site: Site) -> None:
    """Let something be done that search heeds, so that nothing is remembered."""
    with site.database.writing() as session:
        audit.record(session, Action.DOCUMENT_RENAMED, by=None, noun="document", document_id=1)


def walked(site: Site, words: str, pages: Sequence[int], **asked) -> list[int]:
    found = {page: look(site, words, offset=page * PAGE, limit=PAGE, **asked).hits for page in pages}
    return [hit.revision for page in sorted(found) for hit in found[page]]


@pytest.mark.parametrize("words", ["thủ tục", "thu tuc ho so", '"thủ tục"'])
@pytest.mark.parametrize("sort", ["relevance", "newest"])
def test_a_walk_through_all_pages_meets_every_hit_once_in_any_order_of_pages(library, words, sort):
    total = look(library, words, sort=sort).total
    assert total > 6 * PAGE, "Otherwise nothing is shown."
    pages = list(range(-(-total // PAGE)))
    for order in (pages, pages[::-1], random.Random(5).sample(pages, len(pages))):
        forgotten(library)
        met = walked(library, words, order, sort=sort)
        assert len(met) == len(set(met)) == total, order
    assert look(library, words, offset=len(pages) * PAGE).hits == []


@pytest.mark.parametrize("phrase", ["tiep nhan va", "luu tai bo", "truong phong tai", "bộ phận một cửa"])
def test_a_phrase_is_found_where_it_stands_and_nowhere_else(library, phrase):
    wanted = with_phrase(library, phrase)
    total = look(library, f'"{phrase}"').total
    met = walked(library, f'"{phrase}"', range(-(-total // PAGE)))
    assert (total, len(met), set(met)) == (len(wanted), len(wanted), wanted)


ASKED = [
    "thủ tục",
    "gia han ho so khai sinh dat dai trong nuoc nao do",  # No document has all of these.
    "cap moi bao hiem xay dung",
    "khai sin",  # Spelled otherwise.
    '"bộ phận một cửa" -thuế',
    "unit:UBND ho so",
]


@pytest.mark.parametrize("words", ASKED)
def test_every_filter_leaves_as_many_hits_as_it_said_it_would(library, words):
    forgotten(library)
    facets = look(library, words, counted=True).facets
    pressed = 0
    for name, choices in facets.items():
        for choice in choices:
            forgotten(library)  # Whoever opens a saved address has not seen the list before.
            value = int(choice.key) if name == "year" else choice.key
            assert look(library, words, **{name: value}).total == choice.hits, (name, choice)
            pressed += 1
    assert pressed > 5
    assert facets["unit"][0].key == "UBND", "The office has at least what each of its divisions has."


def test_a_unit_alone_lists_what_it_has_and_a_minus_leaves_it_out(library):
    of_justice, all_of_it = look(library, "unit:TP"), look(library, "unit:UBND")
    assert 0 < of_justice.total < all_of_it.total == OFFICE
    assert {hit.unit for hit in of_justice.hits} == {"TP"}
    some = look(library, "thủ tục")
    here, elsewhere = look(library, "thủ tục unit:TP"), look(library, "thủ tục -unit:TP")
    assert here.total + elsewhere.total == some.total
    assert "TP" not in {hit.unit for hit in elsewhere.hits}
    for nothing in ("-khai", '"', "-unit:TP -khai"):
        found = look(library, nothing)
        assert found.total == 0
        assert "Type at least one word" in found.understood[-1].en, nothing


@pytest.mark.parametrize("phrase", ["một cửa", "bộ phận một cửa", "luu tai bo", "truong phong tai"])
def test_a_minus_before_a_phrase_leaves_out_the_phrase_and_nothing_else(library, phrase):
    every = {hit.revision for hit in look(library, "hồ sơ", limit=OFFICE).hits}
    left = {hit.revision for hit in look(library, f'hồ sơ -"{phrase}"', limit=OFFICE).hits}
    assert left == every - with_phrase(library, phrase)
    assert 0 < len(left) < len(every)
