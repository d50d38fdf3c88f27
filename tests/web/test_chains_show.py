"""The chain of evidence on one page: every step with its date and its signer, gaps and odd dates flagged."""

from datetime import timedelta

from docctl import clock


def test_the_chain_of_an_issued_edition_names_every_step(sign_in, make_revision):
    made = make_revision("in_force")
    page = sign_in("auditor").read(f"/documents/{made.document_id}/chain")
    places = [page.index(f">{step}<") for step in ("Draft", "Submitted for review", "Review", "Approval", "In force")]
    assert places == sorted(places)
    assert "Title of approver" in page or "Chức danh approver" in page
    assert "Decision executed" in page


def test_gaps_and_dates_out_of_order_are_flagged(sign_in, make_revision):
    made = make_revision("in_force")  # Took effect 30 days ago, by a decision executed today.
    page = sign_in("auditor").read(f"/documents/{made.document_id}/chain")
    assert "There is no change request." in page
    assert "It took effect before its decision was executed." in page


def test_a_draft_lacks_what_is_still_to_come(sign_in, make_revision):
    made = make_revision("draft")
    page = sign_in("auditor").read(f"/documents/{made.document_id}/chain")
    for gap in ("It was not submitted for review.", "Nobody has approved it.", "No decision has issued it."):
        assert gap in page


def test_an_older_edition_is_one_click_away(sign_in, make_revision):
    made = make_revision("superseded")
    page = sign_in("auditor").read(f"/documents/{made.document_id}/chain?revision={made.id}")
    assert "No longer in force" in page
    assert f"/documents/{made.document_id}/chain?revision=" in page


def test_the_chain_of_a_decision(sign_in, make_revision):
    make_revision("in_force", on=clock.today() + timedelta(days=1))
    page = sign_in("auditor").read("/decisions/1/chain")
    assert page.index("Draft") < page.index("Decision executed")


def test_who_does_not_see_the_document_does_not_see_its_chain(sign_in, make_revision):
    made = make_revision("draft")
    assert sign_in("staff").get(f"/documents/{made.document_id}/chain").status_code == 404
    assert sign_in("auditor").get("/documents/999/chain").status_code == 404
