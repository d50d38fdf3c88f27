"""A code means that very one: it is never spelled otherwise, and the number of a decision brings up what it issued."""

import pytest

from docctl import clock
from docctl.search import finding, following
from tests.conftest import decide


@pytest.fixture
def find(site, cast, either_engine):
    """Return a function that searches as somebody, with either engine."""

    def look(words, who="staff", **asked):
        following.follow(site.database, either_engine)
        with site.database.reading() as session:
            return finding.find(session, either_engine, words, reader=cast.reader(session, who), **asked)

    return look


@pytest.fixture
def shelf(make_revision):
    """Procedures whose titles have words that letters of codes could be taken for, and one that was withdrawn."""
    for number, title in enumerate(("Tổ chức đại hội", "Vệ sinh phòng vệ", "Quản lý đất và tổ dân phố"), start=11):
        make_revision("in_force", title=title, code=f"QT-VP-{number}", text="Tổ vệ đất 18 77 quyết toán.")
    return make_revision("withdrawn", title="Sao lưu dữ liệu", code="QT-VP-18")


@pytest.mark.parametrize("typed", ["QT-VP-18", "QT-VP-77", "code:QT-VP-77", "qt vp 77/2", "1.001193.000.00", "VP 77"])
def test_a_code_that_is_not_there_is_not_spelled_otherwise(find, shelf, typed):
    found = find(typed)
    assert found.spelled == ""
    if "QT-VP" in typed:
        assert (found.total, found.suggestions) == (0, ["code:QT-VP"])
        assert find(found.suggestions[0]).total == 3


def test_an_offer_keeps_what_narrows_the_search_and_leads_somewhere(find, shelf):
    (offer,) = find("QT-VP-77 -đại unit:TP").suggestions
    assert offer == "code:QT-VP -đại unit:TP"
    assert find(offer).total == 2
    assert find("QT-VP-77", unit="NV").suggestions == []


def test_a_code_with_a_space_is_not_spelled_otherwise_either(find, make_revision):
    make_revision("in_force", title="Bổ nhiệm và hệ số", code="QT 01/CX-HCTP", text="Bổ nhiệm, tố cáo.")
    for typed in ("BM 01/CX-HCTP", "HĐ 07/CX-HCTP", "TC 01/CX-HCTP"):
        assert (find(typed).total, find(typed).spelled) == (0, ""), typed
    assert find("QT 99/CX-HCTP").suggestions == []
    found = find("bổ nhiệmm QT 01/CX-HCTP")
    assert (found.total, found.spelled) == (1, "bổ nhiệm QT 01/CX-HCTP")


def test_whoever_may_see_the_withdrawn_one_finds_it_by_its_code(find, shelf):
    assert [hit.revision for hit in find("QT-VP-18", "auditor", scope="all").hits] == [shelf.id]
    assert find("QT-VP-18", "auditor").total == 0


def test_words_beside_a_code_are_spelled_and_the_code_stays(find, shelf):
    found = find("QT-VP-11 dai hoii")
    assert found.spelled == "đại hội QT-VP-11"
    assert [hit.code for hit in found.hits] == ["QT-VP-11"]


@pytest.mark.parametrize("typed", ["qtvp11", "QTVP 11", "qt.vp.11", "QT–VP–11"])
def test_a_code_is_found_however_its_parts_are_joined(find, shelf, typed):
    assert [hit.code for hit in find(typed).hits][:1] == ["QT-VP-11"]


def test_several_codes_bring_each_of_them(find, shelf):
    found = find("QT-VP-11 QT-VP-13 QT-VP-99")
    assert {hit.code for hit in found.hits} == {"QT-VP-11", "QT-VP-13"}
    assert "QT-VP-99" in found.understood[-1].en


def test_the_number_of_a_decision_brings_up_what_it_issued_before_what_cites_it(find, site, cast, make_revision):
    title, text = "Tiếp công dân", "Lịch tiếp công dân của lãnh đạo ủy ban nhân dân."
    issued = make_revision("approved", title=title, text=text)
    decide(site, cast, issue=[issued.id], on=clock.today())  # The first of the year: 1/QĐ-UBND.
    cites = "Căn cứ Quyết định số 1/QĐ-UBND. " * 20
    others = [make_revision("approved", title=f"Quy trình viện dẫn số {n}", text=cites).id for n in range(60)]
    decide(site, cast, issue=others, on=clock.today())
    for typed in ("1/QĐ-UBND", "1/qd-ubnd", "quyết định số 01/QĐ-UBND"):
        found = find(typed)
        assert found.total == 61, typed
        assert found.hits[0].revision == issued.id, typed
