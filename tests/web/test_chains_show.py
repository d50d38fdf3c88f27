"""The chain of evidence on one page: every step with its date and its signer, gaps and odd dates flagged."""

from datetime import timedelta

from sqlalchemy import text

from docctl import clock, documents, recall, units
from docctl.distribution import lists
from tests.conftest import decide


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


def test_every_step_leads_to_its_record_from_the_request_to_the_minutes_of_the_recall(
    sign_in, make_revision, site, cast
):
    made = make_revision("in_force", document_id=on_the_list(site, cast))
    later = make_revision("approved", document_id=made.document_id, text="Lần sau.")
    decide(site, cast, issue=[later.id], on=clock.today() - timedelta(days=1))
    page = sign_in("auditor").read(f"/documents/{made.document_id}/chain?revision={made.id}")
    rows = page.split("<tbody")[1].split("</tbody>")[0].split("<tr")
    linked = {
        "Approval": f"/revisions/{made.id}",
        "Decision": "/decisions/1",
        "Distribution": f"/revisions/{made.id}/distribution",
        "Receipts": f"/revisions/{made.id}/distribution",
        "Recall of the old copies": "/recalls/1",
        "Minutes of the recall": "/recalls/1",
    }
    for step, address in linked.items():
        assert any(f'<a href="{address}">{step}</a>' in row for row in rows), step
    assert "The minutes of the recall do not have their two signatures yet." in page
    assert "1 of 1 copies are not accounted for." in page
    finish_recall(site, cast)
    page = sign_in("auditor").read("/decisions/2/chain")
    for words in ("Decision checked", "1 of 1 copies are returned", "Number 01/BB: Witnessed the minutes."):
        assert words in page
    assert "two signatures yet" not in page


def test_an_approval_whose_authority_is_not_on_record_is_flagged(sign_in, make_revision, site):
    made = make_revision("in_force")
    assert "on that day is not on record" not in sign_in("auditor").read(f"/documents/{made.document_id}/chain")
    with site.database.writing() as session:
        names = [
            row.name
            for row in session.execute(text("SELECT name FROM sqlite_master WHERE tbl_name = 'signature'"))
            if "never" in row.name
        ]
        for name in names:
            session.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        session.execute(text("UPDATE signature SET authority = '' WHERE meaning = 'approved'"))
    assert "on that day is not on record" in sign_in("auditor").read(f"/documents/{made.document_id}/chain")


def on_the_list(site, cast):
    with site.database.writing() as session:
        controller = cast.reader(session, "controller")
        kind = documents.find_type(session, "QT")
        lists.add(session, by=controller, type=kind, target="own_unit", medium=lists.PAPER, copies=1)
        document = documents.add(
            session,
            by=cast.reader(session, "author"),
            title="Quy trình có danh sách",
            type=kind,
            unit=units.find(session, "TP"),
        )
        return document.id


def finish_recall(site, cast):
    with site.database.writing() as session:
        controller, found = cast.reader(session, "controller"), recall.of_decision(session, 2)
        for line in recall.lines_of(session, found):
            recall.settle(session, found, line.copy, by=controller, condition="Nguyên vẹn")
        recall.dispose(session, found, "destroy", by=controller)
        words = {"number": "01/BB", "held_on": clock.today(), "participants": "Văn thư"}
        recall.edit(session, found, by=controller, **words)
        recall.act(session, found, "reconcile", by=controller, signing=cast.signing(session, "controller"))
        witness = cast.reader(session, "format-reviewer")
        recall.act(session, found, "witness", by=witness, signing=cast.signing(session, "format-reviewer"))
