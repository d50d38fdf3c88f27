"""Settling a clash of codes: by the controller, on the page of the document, and recorded."""

import pytest

from docctl import audit, documents, units
from docctl.documents import Document


@pytest.fixture
def clash(site, cast, make_document) -> int:
    """Return a document whose code clashes, as an import leaves it."""
    make_document("Một", code="QT 01")
    with site.database.writing() as session:
        return documents.add(
            session,
            by=cast.reader(session, "author"),
            title="Hai",
            type=documents.find_type(session, "QT"),
            unit=units.find(session, "TP"),
            code="QT 01",
            allow_clash=True,
        ).id


def test_a_controller_settles_it_with_another_field(site, clash, sign_in):
    browser = sign_in("controller")
    assert "Settle the code" in browser.read(f"/documents/{clash}")
    answer = browser.send(f"/documents/{clash}/code", code="QT 01", field="Chứng thực")
    assert answer.status_code == 303, answer.text
    with site.database.reading() as session:
        document = session.get_one(Document, clash)
        assert (document.field, document.code_clash) == ("Chứng thực", False)
        assert audit.of_document(session, clash)[-1].action == "document.code_settled"


def test_a_code_that_still_clashes_is_refused_on_its_field(clash, sign_in):
    browser = sign_in("controller")
    browser.get(f"/documents/{clash}")
    answer = browser.send(f"/documents/{clash}/code", code="qt01", field="")
    assert answer.status_code == 409
    assert "still clashes" in answer.text
    assert 'value="qt01"' in answer.text


def test_it_waits_on_the_controllers_home(clash, sign_in):
    assert f'href="/documents/{clash}"' in sign_in("controller").read("/")


def test_an_author_may_not(site, clash, sign_in):
    browser = sign_in("author")
    assert "Settle the code" not in browser.read(f"/documents/{clash}")
    assert browser.send(f"/documents/{clash}/code", code="QT 02", field="").status_code == 403


def test_another_units_document_is_not_found(clash, sign_in):
    browser = sign_in("neighbour")
    assert browser.send(f"/documents/{clash}/code", code="QT 02", field="").status_code == 404


def test_reading_the_address_settles_nothing(clash, sign_in):
    assert sign_in("controller").get(f"/documents/{clash}/code").status_code == 405
