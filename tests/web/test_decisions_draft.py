"""Drafting a decision by page."""

from tests.conftest import Made

DETAILS = {
    "title": "Về việc ban hành quy trình",
    "number": "12/QĐ-UBND",
    "signed_on": "1/10/2026",
    "effective_from": "2026-11-02",
}


def test_the_controller_drafts_a_decision_and_lands_on_its_page(sign_in):
    controller = sign_in("controller")
    controller.read("/decisions/new")
    answer = controller.send("/decisions", **DETAILS, signer_form="KT.")
    assert answer.status_code == 303
    page = controller.read(answer.location)
    assert "Decision 12/QĐ-UBND" in page
    assert "01/10/2026" in page
    assert "02/11/2026" in page
    assert "KT." in page


def test_everything_that_waits_can_be_added_at_once(sign_in, make_revision):
    made = [make_revision("approved", title=f"Quy trình số {n}") for n in range(3)]
    controller = sign_in("controller")
    assert "Add all 3 approved revisions" in controller.read("/decisions/new")
    page = controller.read(controller.send("/decisions", **DETAILS, everything="1").location)
    for one in made:
        assert one.code in page
    assert "would issue 3 documents and withdraw 0" in page


def test_a_day_that_does_not_exist_is_answered_with_a_sentence_and_nothing_typed_is_lost(sign_in):
    controller = sign_in("controller")
    controller.read("/decisions/new")
    answer = controller.send("/decisions", **DETAILS | {"effective_from": "31/02/2026"})
    assert answer.status_code == 409
    assert "There is no day “31/02/2026”" in answer.text
    assert 'value="31/02/2026"' in answer.text
    assert "Về việc ban hành quy trình" in answer.text
    assert 'value="12/QĐ-UBND"' in answer.text


def test_a_decision_needs_a_title(sign_in):
    controller = sign_in("controller")
    controller.read("/decisions/new")
    answer = controller.send("/decisions", **DETAILS | {"title": "   "})
    assert answer.status_code == 409
    assert "Say what the decision is about." in answer.text


def test_only_the_controller_drafts_decisions(sign_in):
    for name in ("author", "approver", "staff", "auditor", "admin"):
        browser = sign_in(name)
        assert browser.get("/decisions/new").status_code == 403, name
        assert browser.send("/decisions", **DETAILS).status_code == 403, name


def test_the_list_has_no_button_for_those_who_may_not(sign_in):
    assert "New decision" in sign_in("controller").read("/decisions")
    assert "New decision" not in sign_in("approver").read("/decisions")


def test_without_the_token_of_the_form_nothing_is_drafted(sign_in):
    controller = sign_in("controller")
    assert controller.post("/decisions", data=DETAILS).status_code == 400
    assert DETAILS["title"] not in controller.read("/decisions")


def test_open_decisions_stand_first_and_staff_see_executed_ones_only(sign_in, make_revision):
    made: Made = make_revision("in_force")
    controller = sign_in("controller")
    controller.read("/decisions/new")
    controller.send("/decisions", **DETAILS)
    page = controller.read("/decisions")
    assert page.index(DETAILS["title"]) < page.index("Executed and cancelled") < page.index("1/QĐ-UBND</td>")
    staff = sign_in("staff").read("/decisions")
    assert "1/QĐ-UBND</td>" in staff
    assert DETAILS["title"] not in staff
    assert made.id
