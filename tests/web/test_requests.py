"""The pages of change requests: asked from a document's page, judged with opinions, and what waits on the home page."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from docctl.requests import ChangeRequest
from docctl.site import Site
from tests.conftest import PASSWORD, Made
from tests.web.conftest import Browser

Make = Callable[..., Made]
SignIn = Callable[..., Browser]
ROW = {"changes-0-section": "5.2", "changes-0-old": "05 ngày", "changes-0-new": "03 ngày", "changes-0-basis": ""}


def made(browser: Browser, document: Made, **given: Any) -> int:
    browser.read(f"/requests/new?kind=amend&document={document.document_id}")
    form = {"kind": "amend", "document": document.code, "reason": "Luật mới.", "drafter": "author", **ROW} | given
    answer = browser.send("/requests", **form)
    assert answer.status_code == 303, answer.text
    return int(answer.headers["Location"].rsplit("/", 1)[1])


def press(browser: Browser, request_id: int, trigger: str, **given: Any) -> Any:
    page = browser.read(f"/requests/{request_id}")
    lock = re.search(r'name="lock" value="(\d+)"', page)
    assert lock, page
    return browser.send(f"/requests/{request_id}/transitions", trigger=trigger, lock=lock[1], **given)


def state(site: Site, request_id: int) -> str:
    with site.database.reading() as session:
        return session.get_one(ChangeRequest, request_id).state


def test_a_request_goes_from_the_documents_page_to_a_draft_of_its_author(
    site: Site, sign_in: SignIn, make_revision: Make
) -> None:
    document = make_revision("in_force")
    staff = sign_in("staff")
    page = staff.read(f"/documents/{document.document_id}")
    assert f"/requests/new?document={document.document_id}" in page
    assert "kind=withdraw" in staff.read(f"/requests/new?document={document.document_id}")
    request_id = made(staff, document)
    assert press(staff, request_id, "submit", password=PASSWORD).status_code == 303
    for who in ("reviewer", "format-reviewer"):
        judge = sign_in(who)
        assert "Sign an opinion" in judge.read("/")
        assert press(judge, request_id, "opine", conclusion="agree", remark="", password=PASSWORD).status_code == 303
    approver = sign_in("approver")
    assert press(approver, request_id, "accept", password=PASSWORD).status_code == 303
    page = approver.read(f"/requests/{request_id}")
    assert "Waiting for its draft 01/01 to be finished." in page
    revision = re.search(r"/revisions/(\d+)", page)
    assert revision
    author = sign_in("author")
    assert "Finish the draft" in author.read("/")
    assert f'<a href="/requests/{request_id}">001/' in author.read(f"/revisions/{revision[1]}")


def test_an_opinion_against_without_a_remark_is_asked_again_with_what_was_chosen(
    site: Site, sign_in: SignIn, make_revision: Make
) -> None:
    staff, request_id = sign_in("staff"), 0
    request_id = made(staff, make_revision("in_force"))
    press(staff, request_id, "submit", password=PASSWORD)
    judge = sign_in("reviewer")
    answer = press(judge, request_id, "opine", conclusion="disagree", password=PASSWORD)
    assert answer.status_code == 409
    assert "Say why you do not agree." in answer.text
    assert 'value="disagree" id="act-opine-disagree" required checked' in answer.text
    assert state(site, request_id) == "in_review"


def test_a_wrong_day_is_marked_on_its_field_and_nothing_typed_is_lost(sign_in: SignIn, make_revision: Make) -> None:
    document, staff = make_revision("in_force"), sign_in("staff")
    staff.read("/requests/new?kind=amend")
    answer = staff.send(
        "/requests", kind="amend", document=document.code, reason="Giữ lại nhé.", draft_due="31/02/2026", **ROW
    )
    assert answer.status_code == 409
    assert "Giữ lại nhé." in answer.text
    assert "03 ngày" in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_what_is_missing_is_said_on_the_page_and_submitting_is_disabled_with_the_reason(
    sign_in: SignIn, make_revision: Make
) -> None:
    staff = sign_in("staff")
    request_id = made(staff, make_revision("in_force"), drafter="", reason="")
    page = staff.read(f"/requests/{request_id}")
    assert "Choose who writes the draft." in page
    assert re.search(r"disabled[^>]*>Sign and submit", page)


def test_the_list_keeps_its_questions_in_the_address(sign_in: SignIn, make_revision: Make) -> None:
    document, staff = make_revision("in_force"), sign_in("staff")
    made(staff, document)
    assert document.code in staff.read("/requests?kind=amend&state=open&q=luat")
    assert document.code not in staff.read("/requests?kind=withdraw")
    assert "No request answers these questions." in staff.read("/requests?q=khongco")


@pytest.mark.parametrize(("who", "status"), [("neighbour", 404), ("staff", 200), ("auditor", 200), ("admin", 404)])
def test_who_may_open_a_request(sign_in: SignIn, make_revision: Make, who: str, status: int) -> None:
    request_id = made(sign_in("staff"), make_revision("in_force"))
    assert sign_in(who).get(f"/requests/{request_id}").status_code == status


def test_the_auditor_may_not_make_one(sign_in: SignIn) -> None:
    assert sign_in("auditor").get("/requests/new").status_code == 403


def test_a_document_that_staff_may_not_see_is_not_there_for_a_request(sign_in: SignIn, make_revision: Make) -> None:
    hidden = make_revision("draft", code="QT-AN-01")
    staff = sign_in("staff")
    staff.read("/requests/new?kind=amend")
    answer = staff.send("/requests", kind="amend", document=hidden.code, reason="?", **ROW)
    assert answer.status_code == 409
    assert "There is no document QT-AN-01" in answer.text


def test_a_request_that_rests_on_a_law_shows_the_day_by_which_it_must_be_worked_in(
    sign_in: SignIn, make_revision: Make
) -> None:
    staff, document = sign_in("staff"), make_revision("in_force")
    plain = staff.read(f"/requests/{made(staff, document)}")
    assert "three months" not in plain
    on_time = made(staff, document, legal_basis="Luật Hộ tịch", law_effective_on="01/07/2022")
    page = staff.read(f"/requests/{on_time}")
    assert "03/10/2022" in page.split("To be worked in by (three months)")[1].split("</dd>")[0]
    assert "overdue" in page.split("To be worked in by (three months)")[1].split("</dd>")[0]
