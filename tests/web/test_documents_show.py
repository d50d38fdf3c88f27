"""The page of a document: what is in force since when by which decision, its revisions, its namesakes."""

import pytest


def test_it_opens_with_what_is_in_force_since_when_by_which_decision(make_revision, sign_in):
    made = make_revision("in_force")
    page = sign_in("staff").read(f"/documents/{made.document_id}")
    assert "Edition 01/00 is in force since" in page
    assert "by decision 1/QĐ-UBND" in page


@pytest.mark.parametrize(
    "state", ["draft", "in_review", "in_approval", "approved", "scheduled", "withdrawn", "discarded"]
)
def test_what_staff_may_not_see_is_not_there(make_revision, sign_in, state):
    made = make_revision(state)
    assert sign_in("staff").get(f"/documents/{made.document_id}").status_code == 404


def test_staff_see_of_a_document_only_the_edition_in_force(make_revision, sign_in):
    made = make_revision("in_force")
    draft = make_revision("draft", document_id=made.document_id)
    page = sign_in("staff").read(f"/documents/{made.document_id}")
    assert f"/revisions/{made.id}" in page
    assert f"/revisions/{draft.id}" not in page
    assert "New revision" not in page


def test_a_code_that_two_documents_bear_is_shown_on_both(make_document, sign_in):
    one = make_document("Một", code="QT 01", field="Hộ tịch")
    two = make_document("Hai", code="QT 01", field="Chứng thực")
    controller = sign_in("controller")
    assert f'href="/documents/{two}"' in controller.read(f"/documents/{one}")
    assert f'href="/documents/{one}"' in controller.read(f"/documents/{two}")


def test_a_namesake_that_one_may_not_see_is_not_named(make_document, make_revision, sign_in):
    shown = make_revision("in_force", code="QT 01")
    make_document("Bí mật", code="QT 01", by="neighbour")
    assert "Bí mật" not in sign_in("staff").read(f"/documents/{shown.document_id}")


def test_a_title_of_markup_is_text(make_document, sign_in):
    document = make_document("<script>alert(1)</script> & “trích”")
    text = sign_in("author").get(f"/documents/{document}").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_document_that_does_not_exist_is_not_found(sign_in):
    assert sign_in("auditor").get("/documents/999").status_code == 404
