"""Documents: their codes, clashes of codes, the next free code, and titles as people type them."""

import unicodedata
from collections.abc import Callable
from datetime import timedelta

import pytest

from docctl import audit, clock, documents, revisions, units
from docctl.documents import Document
from docctl.rules import NoRole, Refused
from docctl.site import Site
from tests.conftest import Cast, Made, decide, keep, take

Make = Callable[..., int]


def stored(site: Site, document_id: int) -> Document:
    with site.database.reading() as session:
        return session.get_one(Document, document_id)


def test_a_document_without_a_code_gets_the_next_free_one_of_its_type(site: Site, make_document: Make) -> None:
    assert [stored(site, make_document(f"Quy trình {n}")).code for n in range(3)] == [
        "QT-TP-01",
        "QT-TP-02",
        "QT-TP-03",
    ]
    assert stored(site, make_document("Hướng dẫn", type="HD")).code.startswith("HD-TP-")


def test_the_next_code_passes_over_codes_that_are_taken_however_they_are_spelled(
    site: Site, make_document: Make
) -> None:
    make_document("Đã có", code="qt - tp - 01")
    assert stored(site, make_document("Mới")).code == "QT-TP-02"


def test_a_code_with_spaces_and_slashes_is_kept_as_written(site: Site, make_document: Make) -> None:
    assert stored(site, make_document("Chứng thực", code="  QT  01/CX-HCTP ")).code == "QT 01/CX-HCTP"


@pytest.mark.parametrize("code", ["//", "—", "x" * 81, " / "])
def test_a_code_without_letters_or_beyond_80_characters_is_refused(make_document: Make, code: str) -> None:
    with pytest.raises(Refused) as refused:
        make_document("Chứng thực", code=code)
    assert refused.value.field == "code"


def test_the_same_code_in_one_unit_and_field_is_refused_however_it_is_typed(make_document: Make) -> None:
    make_document("Một", code="QT 01/CX-HCTP", field="Hộ tịch")
    for again in ("QT 01/CX-HCTP", "qt01/cx-hctp", unicodedata.normalize("NFD", "QT 01/CX-HCTP")):
        with pytest.raises(Refused) as refused:
            make_document("Hai", code=again, field="Hộ tịch")
        assert refused.value.field == "code"


def test_the_same_code_in_another_field_or_unit_is_a_series_of_its_own(site: Site, make_document: Make) -> None:
    one = make_document("Một", code="QT-01", field="Hộ tịch")
    two = make_document("Hai", code="QT-01", field="Chứng thực")
    three = make_document("Ba", code="QT-01", by="neighbour")
    assert not any(stored(site, number).code_clash for number in (one, two, three))
    with site.database.reading() as session:
        found = documents.namesakes(session, "qt-01", unit_id=stored(site, one).unit_id, field="Hộ tịch")
        assert [(row.document.id, row.same_scope) for row in found] == [(one, True), (two, False), (three, False)]


def test_an_imported_clash_is_kept_and_shown_until_a_controller_settles_it(
    site: Site, cast: Cast, make_document: Make
) -> None:
    make_document("Một", code="QT-01")
    clashing = make_document("Hai", code="QT-01", allow_clash=True)
    assert stored(site, clashing).code_clash
    with site.database.writing() as session:
        row = session.get_one(Document, clashing)
        with pytest.raises(NoRole):
            documents.settle_code(session, row, by=cast.reader(session, "author"), code="QT-02", field="")
        with pytest.raises(Refused) as refused:
            documents.settle_code(session, row, by=cast.reader(session, "controller"), code="qt-01", field="")
        assert refused.value.field == "code"
        documents.settle_code(session, row, by=cast.reader(session, "controller"), code="QT-02", field="")
    assert (stored(site, clashing).code, stored(site, clashing).code_clash) == ("QT-02", False)
    with site.database.reading() as session:
        last = audit.of_record(session, "document", clashing)[-1]
        assert last.action == "document.code_settled"
        assert last.values["before"]["code"] == "QT-01"


def test_a_decomposed_title_is_stored_composed_on_one_line_without_invisible_characters(
    site: Site, make_document: Make
) -> None:
    typed = unicodedata.normalize("NFD", "Đăng ký\r\n  khai\u200b sinh\u202e")
    assert stored(site, make_document(typed)).title == "Đăng ký khai sinh"


def test_a_title_of_1094_characters_is_kept_and_one_of_2001_is_refused_with_its_length(
    site: Site, make_document: Make
) -> None:
    assert len(stored(site, make_document("ẫ" * 1094)).title) == 1094
    with pytest.raises(Refused) as refused:
        make_document("a" * 2001)
    assert "2001" in refused.value.sentence.en
    assert refused.value.field == "title"


@pytest.mark.parametrize("title", ["", "   ", "\u200b"])
def test_a_title_of_nothing_is_refused(make_document: Make, title: str) -> None:
    with pytest.raises(Refused):
        make_document(title)


@pytest.mark.parametrize("name", ["staff", "auditor", "admin", "approver", "reviewer", "neighbour"])
def test_only_an_author_of_the_unit_or_a_controller_adds_a_document(site: Site, cast: Cast, name: str) -> None:
    with site.database.writing() as session, pytest.raises(Refused):
        documents.add(
            session,
            by=cast.reader(session, name),
            title="Quy trình",
            type=documents.find_type(session, "QT"),
            unit=units.find(session, "TP"),
        )


def test_a_code_that_several_documents_bear_is_never_guessed(site: Site, make_document: Make) -> None:
    one, two = make_document("Một", code="QT-01"), make_document("Hai", code="QT-01", field="Đất đai")
    with site.database.reading() as session:
        with pytest.raises(Refused) as refused:
            documents.find(session, "qt-01")
        assert all(f"{number}:" in refused.value.sentence.en for number in (one, two))
        assert documents.find(session, str(two)).id == two
        for nothing in ("", "QT-99", "4711"):
            with pytest.raises(Refused):
                documents.find(session, nothing)


def test_a_new_title_becomes_the_documents_when_its_revision_is_issued_and_not_before(
    site: Site, make_revision: Callable[..., Made], cast: Cast
) -> None:
    made = make_revision("in_force", title="Tên cũ")
    with site.database.writing() as session:
        row = revisions.draft(
            session,
            session.get_one(Document, made.document_id),
            by=cast.reader(session, "author"),
            title="Tên mới",
            content=keep(site, session, "x"),
            file_name="x.txt",
            changes=[revisions.Change("1", "a", "b")],
        ).id
    for trigger in ("submit", "endorse", "endorse", "approve"):
        take(site, cast, row, trigger)
    assert stored(site, made.document_id).title == "Tên cũ"
    decide(site, cast, issue=[row], on=clock.today() - timedelta(days=2))
    assert stored(site, made.document_id).title == "Tên mới"
