"""The page of a revision says what is known of its text, and lets those who may have the file read again."""

from docctl import contents, revisions
from docctl.audit import Action, AuditEntry
from docctl.rules import Sentence

BROKEN = Sentence("Tệp hỏng.", "The file is damaged.")


def unread(site, made):
    with site.database.writing() as session:
        contents.has_no_text(session, session.get_one(revisions.Revision, made.id).file_sha256, BROKEN)


def test_a_text_that_was_read_says_how(site, make_revision, sign_in):
    made = make_revision("in_force")
    with site.database.writing() as session:
        sha256 = session.get_one(revisions.Revision, made.id).file_sha256
        contents.has_text(session, sha256, text="một\fhai", method="libreoffice", encodings=("tcvn3",))
    page = sign_in("staff").read(f"/revisions/{made.id}")
    assert "The text was read and can be searched. 2 pages." in page
    assert "TCVN3 (ABC) was rewritten in Unicode" in page


def test_the_author_has_a_file_read_again_that_could_not_be_read(site, make_revision, sign_in):
    made = make_revision("draft")
    unread(site, made)
    browser = sign_in("author")
    page = browser.read(f"/revisions/{made.id}")
    assert "The file is damaged." in page
    assert "Read the file again" in page
    assert browser.send(f"/revisions/{made.id}/text").status_code == 303
    assert "can be searched" in browser.read(f"/revisions/{made.id}")  # Read on the spot: no workers run here.
    with site.database.reading() as session:
        asked = session.query(AuditEntry).filter_by(action=Action.TEXT_ASKED_AGAIN).one()
        assert (asked.document_id, asked.actor_title) == (made.document_id, "Chức danh author")


def test_what_was_read_is_not_read_again(make_revision, sign_in):
    made = make_revision("draft")
    browser = sign_in("author")
    assert "Read the file again" not in browser.read(f"/revisions/{made.id}")
    assert browser.send(f"/revisions/{made.id}/text").status_code == 409


def test_others_may_not_ask_and_do_not_see_the_button(site, make_revision, sign_in):
    made = make_revision("in_force")
    unread(site, made)
    staff = sign_in("staff")
    assert "Read the file again" not in staff.read(f"/revisions/{made.id}")
    assert staff.send(f"/revisions/{made.id}/text").status_code == 409
    assert sign_in("neighbour").send(f"/revisions/{make_revision('draft').id}/text").status_code == 404


def test_asking_needs_a_form_of_ours(site, make_revision, sign_in):
    made = make_revision("draft")
    unread(site, made)
    browser = sign_in("author")
    assert browser.post(f"/revisions/{made.id}/text").status_code == 400
    assert browser.get(f"/revisions/{made.id}/text").status_code == 405
