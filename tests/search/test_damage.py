"""An index that is not what was written answers nothing, says so, and is built again by itself; with either engine."""

import os
import random
import time
from dataclasses import replace

import pytest

from docctl.search import finding, following, open_engine, seals
from docctl.site import Site, open_site
from tests.conftest import Cast, settings

TITLES = ("Quy trình cấp phép tàu cá", "Quy trình đăng ký khai sinh", "Quy trình thẩm định dự án")


@pytest.fixture(params=["whoosh", "tantivy"])
def indexed(request, site, cast, make_revision):
    """The sample office with one of the engines, which has indexed three procedures."""
    if request.param == "tantivy":
        pytest.importorskip("tantivy", reason="the extra tantivy is not installed")
    for number, title in enumerate(TITLES):
        make_revision("in_force", code=f"QT {number}", title=title)
    site.close()
    opened = open_site(replace(settings(site.settings.storage), search=request.param))
    following.follow(opened.database, opened.engine)
    yield opened
    opened.close()


def look(site: Site, words: str, engine=None) -> finding.Results:
    with site.database.reading() as session:
        reader = Cast(site).reader(session, "staff")
        return finding.find(session, engine or site.engine, words, reader=reader)


def sealed(site: Site):
    """Return the files of the index that have a seal."""
    build = site.settings.index / site.engine.builds.live()
    return [build / name for name in seals.read(build)]


def flip(path, chance) -> None:
    """Flip a bit where it stands, as a disk does: a file that is written anew is empty for a moment."""
    with path.open("r+b") as file:
        place = chance.randrange(path.stat().st_size)
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ 1 << chance.randrange(8)]))


def test_one_flipped_bit_anywhere_is_noticed_said_and_healed(indexed, caplog):
    assert look(indexed, "tau ca").total == 1
    chance = random.Random(4)
    whole = [path for path in sealed(indexed) if path.stat().st_size]
    for number in {chance.randrange(len(whole)) for _ in range(5)}:
        files = [path for path in sealed(indexed) if path.stat().st_size]
        caplog.clear()
        flip(files[number % len(files)], chance)
        results = look(indexed, "khai sinh")
        # What stands in the other part of the index is not asked and does no harm.
        assert (results.total, finding.BEING_BUILT in results.understood) in ((0, True), (1, False))
        assert following.follow(indexed.database, indexed.engine) == len(TITLES)
        assert "is damaged" in caplog.text
        results = look(indexed, "khai sinh")
        assert (results.total, results.understood) == (1, [])


def test_a_file_cut_short_under_an_open_searcher_ends_no_process(indexed):
    for _ in range(2):
        assert look(indexed, "quy trinh").total == len(TITLES)
        # A thread of tantivy's own reads a fresh index once more; nobody can keep a file whole under it.
        time.sleep(0.2)
        for path in sealed(indexed):
            os.truncate(path, 0)
        for words in ("khai sinh", "tha*", '"tàu cá"'):
            assert look(indexed, words).total == 0
        following.follow(indexed.database, indexed.engine)


def test_damage_is_noticed_without_a_search(indexed):
    flip(sealed(indexed)[0], random.Random(1))
    assert following.follow(indexed.database, indexed.engine) == len(TITLES)
    assert look(indexed, "tau ca").total == 1


def test_a_search_never_waits_for_whoever_builds(indexed):
    flip(sealed(indexed)[0], random.Random(1))
    other = open_engine(indexed.settings.search, indexed.settings.index)
    with indexed.engine.indexing():
        results = look(indexed, "tau ca", other)
    assert results.took_ms < 5000
    assert results.understood == [finding.BEING_BUILT]
    assert other.position() == 0
    other.close()


def test_switching_the_engine_is_a_setting_and_the_index_builds_itself(indexed):
    name = {"whoosh": "tantivy", "tantivy": "whoosh"}[indexed.settings.search]
    pytest.importorskip("tantivy", reason="the extra tantivy is not installed")
    other = open_site(replace(indexed.settings, search=name))
    assert look(other, "tau ca").understood == [finding.BEING_BUILT]
    assert following.follow(other.database, other.engine) == len(TITLES)
    assert look(other, "tau ca").total == 1
    other.close()
