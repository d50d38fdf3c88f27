"""The index follows the trail, and every answer is what its reader may see at that moment, read from the database."""

import shutil
from datetime import timedelta

import pytest

from docctl import clock, people, units
from docctl.rules import Refused
from docctl.search import finding, following
from docctl.site import Site
from tests.conftest import CAST, Cast, decide


def look(site: Site, cast: Cast, words: str, who: str | None = "staff", **asked) -> finding.Results:
    with site.database.reading() as session:
        reader = cast.reader(session, who) if who else None
        return finding.find(session, site.engine, words, reader=reader, **asked)


def ids(results: finding.Results) -> set[int]:
    return {hit.revision for hit in results.hits}


def test_what_was_issued_is_found_once_the_index_has_followed(site, cast, make_revision):
    made = make_revision("in_force", title="Quy trình cấp phép tàu cá")
    assert following.follow(site.database, site.engine) == 1
    (hit,) = look(site, cast, "tau ca").hits
    assert (hit.document, hit.revision, hit.code, hit.state) == (made.document_id, made.id, made.code, "in_force")
    assert following.follow(site.database, site.engine) == 0


def test_only_what_was_touched_is_indexed_again(site, cast, make_revision):
    make_revision("in_force", code="QT 01")
    following.follow(site.database, site.engine)
    make_revision("in_force", code="QT 02")
    assert following.follow(site.database, site.engine) == 1
    assert look(site, cast, "quy trinh").total == 2


STATES = ("draft", "in_review", "approved", "scheduled", "in_force", "superseded", "withdrawn", "discarded")


def test_hits_and_totals_are_of_what_the_reader_may_see(site, cast, make_revision):
    for number, state in enumerate(STATES):
        make_revision(state, code=f"QT {number}", title="Quy trình mật")
    following.follow(site.database, site.engine)
    for who in (*CAST, None):
        results = look(site, cast, "quy trinh mat", who, scope="all")
        seen = {hit.state for hit in results.hits}
        assert results.total == len(results.hits)
        assert seen == ({"in_force"} if who in ("staff", "neighbour", "admin", None) else set(STATES)), who
        assert {hit.state for hit in look(site, cast, "quy trinh mat", who).hits} == {"in_force"}, who


def test_no_suggestion_says_what_the_reader_may_not_see(site, cast, make_revision):
    make_revision("draft", title="Quy trình thanh tra")
    make_revision("in_force", code="QT 9", title="Quy trình đăng ký")
    following.follow(site.database, site.engine)
    assert look(site, cast, "thanhh tra", "staff", scope="all").suggestions == []
    assert look(site, cast, "thanhh tra", "auditor", scope="all").suggestions == ["thanh tra"]
    assert look(site, cast, "dang ki", "staff").suggestions == ["đăng ký"]


def test_midnight_needs_nobody(site, cast, make_revision):
    made = make_revision("scheduled", title="Quy trình ngày mai")
    following.follow(site.database, site.engine)
    begins = clock.midnight(clock.today() + timedelta(days=30))
    assert look(site, cast, "ngay mai").total == 0
    with clock.at(begins - timedelta(seconds=1)):
        assert look(site, cast, "ngay mai").total == 0
    with clock.at(begins):
        assert ids(look(site, cast, "ngay mai")) == {made.id}


def test_what_ended_at_midnight_is_gone_without_the_index_knowing(site, cast, make_revision):
    made = make_revision("in_force", title="Quy trình sắp hết")
    decide(site, cast, withdraw=[made.document_id], on=clock.today() + timedelta(days=3))
    following.follow(site.database, site.engine)
    ends = clock.midnight(clock.today() + timedelta(days=3))
    with clock.at(ends - timedelta(seconds=1)):
        assert ids(look(site, cast, "sap het")) == {made.id}
    with clock.at(ends):
        assert look(site, cast, "sap het").total == 0
        assert [hit.state for hit in look(site, cast, "sap het", "auditor", scope="all").hits] == ["withdrawn"]


def test_a_superseded_hit_offers_the_edition_in_force(site, cast, make_revision):
    old = make_revision("superseded", title="Quy trình đổi mới")
    following.follow(site.database, site.engine)
    hits = {hit.revision: hit for hit in look(site, cast, "doi moi", "auditor", scope="all").hits}
    new = next(id for id in hits if id != old.id)
    assert (hits[old.id].state, hits[old.id].in_force, hits[new].in_force) == ("superseded", new, None)


def test_an_auditor_finds_the_edition_that_was_in_force_on_a_day(site, cast, make_revision):
    old = make_revision("superseded", title="Quy trình đổi mới")
    following.follow(site.database, site.engine)
    asked = clock.midnight(clock.today() - timedelta(days=20))
    (hit,) = look(site, cast, "doi moi", "auditor", on=asked).hits
    assert (hit.revision, hit.state) == (old.id, "in_force")


def test_unit_and_type_narrow_the_total_too(site, cast, make_revision):
    here = make_revision("in_force", code="QT 1", unit="TP")
    there = make_revision("in_force", code="QT 2", by="neighbour", unit="NV")
    following.follow(site.database, site.engine)
    assert ids(look(site, cast, "quy trinh", unit="TP")) == {here.id}
    assert ids(look(site, cast, "quy trinh", unit="UBND")) == {here.id, there.id}
    assert look(site, cast, "quy trinh", type="BM").total == 0
    with pytest.raises(Refused):
        look(site, cast, "quy trinh", unit="không có")


def test_a_phrase_of_three_words_is_compared_with_the_text(site, cast, make_revision):
    right = make_revision("in_force", code="QT 1", text="Hồ sơ đăng ký lại khai sinh.")
    make_revision("in_force", code="QT 2", text="Phải đăng ký. Nếu ký lại thì nộp; ký lại khai báo.")
    following.follow(site.database, site.engine)
    results = look(site, cast, '"đăng ký lại"')
    assert (results.total, ids(results)) == (1, {right.id})


def test_pages_of_results_follow_each_other(site, cast, make_revision):
    for number in range(1, 8):
        make_revision("in_force", code=f"QT {number}", text="chung " * number)
    following.follow(site.database, site.engine)
    whole = [hit.revision for hit in look(site, cast, "chung", limit=10).hits]
    pages = [hit.revision for at in (0, 3, 6) for hit in look(site, cast, "chung", limit=3, offset=at).hits]
    assert (pages, len(whole)) == (whole, 7)
    scores = [hit.score for hit in look(site, cast, "chung", limit=10).hits]
    assert scores == sorted(scores, reverse=True)


def test_a_hit_shows_its_words_and_the_page_they_stand_on(site, cast, make_revision):
    make_revision("in_force", text="Trang đầu.\fTrang hai nói về tàu cá.\fTrang ba.")
    following.follow(site.database, site.engine)
    (hit,) = look(site, cast, "tau ca").hits
    assert ("tàu cá", True) in hit.snippet
    assert hit.page == 2


def test_results_have_the_shape_that_others_build_on(site, cast, make_revision):
    make_revision("in_force")
    following.follow(site.database, site.engine)
    result = look(site, cast, "quy trinh").as_dict()
    assert set(result) == {"total", "took_ms", "hits", "suggestions", "understood"}
    assert set(result["hits"][0]) == {
        "document", "code", "title", "revision", "edition", "state", "unit", "type", "score", "snippet",
    }  # fmt: skip


@pytest.mark.parametrize("typed", ["", "   ", '"', "-", "*", "code:", "\x00\ud800", "a" * 5000, "từ " * 400])
def test_nothing_typed_is_an_error(site, cast, make_revision, typed):
    make_revision("in_force")
    following.follow(site.database, site.engine)
    assert look(site, cast, typed).total == 0


def test_an_index_that_was_deleted_is_built_again(site, cast, make_revision):
    make_revision("in_force")
    following.follow(site.database, site.engine)
    shutil.rmtree(site.settings.index)
    assert look(site, cast, "quy trinh").total == 0
    assert following.follow(site.database, site.engine) == 1
    assert look(site, cast, "quy trinh").total == 1


def test_an_index_of_another_database_is_built_again(site, cast, make_revision):
    make_revision("in_force")
    following.follow(site.database, site.engine)
    site.engine.apply([], [1], site.engine.position(), "the hash of another trail")
    assert look(site, cast, "quy trinh").total == 0
    assert following.follow(site.database, site.engine) == 1
    assert look(site, cast, "quy trinh").total == 1


def test_an_index_ahead_of_a_restored_database_is_built_again(site, cast, make_revision):
    make_revision("in_force")
    following.follow(site.database, site.engine)
    site.engine.apply([], [], site.engine.position() + 50, site.engine.mark())
    assert following.follow(site.database, site.engine) == 1
    assert following.follow(site.database, site.engine) == 0


def test_a_rebuild_can_be_asked_for(site, make_revision):
    make_revision("in_force")
    assert following.rebuild(site.database, site.engine) == 1
    assert following.follow(site.database, site.engine) == 0


def test_a_role_taken_away_takes_its_hits_away_at_once(site, cast, make_revision):
    make_revision("draft", title="Quy trình dự thảo")
    following.follow(site.database, site.engine)
    assert look(site, cast, "du thao", "reviewer", scope="all").total == 1
    with site.database.writing() as session:
        reviewer = people.find(session, "reviewer")
        elsewhere = units.find(session, "NV")
        for grant in list(session.query(people.RoleGrant).filter_by(account_id=reviewer.id)):
            if grant.unit_id != elsewhere.id:
                session.delete(grant)
    assert look(site, cast, "du thao", "reviewer", scope="all").total == 0
