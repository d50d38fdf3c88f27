"""The page that a print points to: it says whether the paper still holds, to anybody, and gives nothing away."""

import re

import pytest

from docctl import audit, documents, revisions, status
from docctl.documents import Document
from docctl.revisions import Revision


@pytest.fixture
def token_of(site):
    """Return a function that gives the token of a revision's papers."""

    def token(revision_id: int) -> str:
        with site.database.reading() as session:
            return session.get_one(Revision, revision_id).status_token

    return token


@pytest.mark.parametrize(
    ("state", "vi", "en"),
    [
        ("in_force", "CÒN HIỆU LỰC", "IN FORCE"),
        ("scheduled", "CHƯA CÓ HIỆU LỰC", "NOT YET IN FORCE"),
        ("superseded", "HẾT HIỆU LỰC – ĐÃ ĐƯỢC THAY THẾ", "NO LONGER IN FORCE – SUPERSEDED"),
        ("withdrawn", "HẾT HIỆU LỰC – ĐÃ HỦY BỎ", "NO LONGER IN FORCE – WITHDRAWN"),
    ],
)
def test_it_answers_without_sign_in_in_both_languages(make_revision, token_of, stranger, state, vi, en):
    made = make_revision(state)
    page = stranger.read(f"/s/{token_of(made.id)}")
    assert f"<strong>{en}</strong>" in page
    assert made.code in page
    stranger.send("/language", lang="vi")
    assert f"<strong>{vi}</strong>" in stranger.read(f"/s/{token_of(made.id)}")


def test_a_superseded_paper_leads_to_the_page_of_what_replaces_it(site, make_revision, token_of, stranger):
    old = make_revision("superseded")
    with site.database.reading() as session:
        new = revisions.in_force(session, document=session.get_one(Document, old.document_id))[0]
    page = stranger.read(f"/s/{token_of(old.id)}")
    assert f'href="/s/{new.status_token}"' in page
    assert "IN FORCE" in stranger.read(f"/s/{new.status_token}")


def test_a_withdrawn_paper_that_nothing_replaces_says_so(make_revision, token_of, stranger):
    assert "nothing replaces it" in stranger.read(f"/s/{token_of(make_revision('withdrawn').id)}")


def test_a_withdrawn_paper_leads_to_the_document_named_in_its_place(site, make_revision, token_of):
    new, old = make_revision("in_force", title="Thay thế"), make_revision("in_force", title="Cũ")
    from docctl import clock, decisions
    from tests.conftest import Cast

    cast = Cast(site)
    with site.database.writing() as session:
        controller = cast.reader(session, "controller")
        line = decisions.Line(
            "withdraw",
            document=session.get_one(Document, old.document_id),
            reason="Gộp.",
            replaced_by=session.get_one(Document, new.document_id),
        )
        decision = decisions.draft(
            session,
            by=controller,
            title="Hủy",
            effective_from=clock.today(),
            number="99/QĐ",
            signed_on=clock.today(),
            lines=[line],
        )
        decisions.check(session, decision, by=controller)
        decisions.sign(
            session, decision, by=cast.reader(session, "approver"), signing=cast.signing(session, "approver")
        )
        decisions.execute(session, decision, by=controller)
    with site.database.reading() as session:
        told = status.of_revision(session, session.get_one(Revision, old.id))
    assert told.replacement is not None
    assert told.replacement.token == token_of(new.id)


@pytest.mark.parametrize("state", ["draft", "in_review", "in_approval", "approved", "discarded"])
def test_papers_of_what_was_never_issued_are_as_unknown_as_a_made_up_code(make_revision, token_of, stranger, state):
    token, made_up = token_of(make_revision(state).id), "A" * 22
    answers = [stranger.get(f"/s/{each}") for each in (token, made_up, made_up)]
    assert {answer.status_code for answer in answers} == {404}
    # Nothing but the address that was asked for and the token of the form may differ.
    bare = [
        re.sub(r'name="csrf_token"[^>]*value="[^"]+"', "", answer.text.replace(each, "")).strip()
        for each, answer in zip((token, made_up, made_up), answers, strict=True)
    ]
    assert len(set(bare)) == 1
    assert "do not work by this paper" in answers[0].text


def test_no_content_and_no_confidential_title_gets_out(site, cast, make_revision, token_of, stranger):
    made = make_revision("in_force", title="Quy trình xử lý tin tố giác", text="Nội dung kín của quy trình.")
    assert "Quy trình xử lý tin tố giác" in stranger.read(f"/s/{token_of(made.id)}")
    with site.database.writing() as session:
        document = session.get_one(Document, made.document_id)
        documents.set_confidential(session, document, by=cast.reader(session, "controller"), confidential=True)
    page = stranger.read(f"/s/{token_of(made.id)}")
    assert "tố giác" not in page
    assert "Nội dung kín" not in page
    assert made.code in page


def test_the_replacement_of_a_paper_keeps_its_title_to_itself_too(site, cast, make_revision, token_of, stranger):
    old = make_revision("superseded", title="Quy trình xử lý tin tố giác")
    with site.database.writing() as session:
        document = session.get_one(Document, old.document_id)
        documents.set_confidential(session, document, by=cast.reader(session, "controller"), confidential=True)
    assert "tố giác" not in stranger.read(f"/s/{token_of(old.id)}")


def test_the_page_names_the_fingerprint_of_the_issued_file(site, make_revision, token_of, stranger):
    made = make_revision("in_force")
    with site.database.reading() as session:
        sha256 = session.get_one(Revision, made.id).file_sha256
    assert f'data-compare="{sha256}"' in stranger.read(f"/s/{token_of(made.id)}")


def test_search_engines_and_other_sites_learn_nothing_of_it(make_revision, token_of, stranger):
    answer = stranger.get(f"/s/{token_of(make_revision('in_force').id)}")
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_every_revision_gets_a_token_of_its_own_that_cannot_be_guessed(make_revision, token_of):
    first, second = (token_of(make_revision("draft", title=title).id) for title in ("Một", "Hai"))
    assert first != second
    assert len(first) == 22


def test_a_controller_keeps_a_title_back_and_it_is_recorded(site, make_revision, sign_in):
    made = make_revision("in_force")
    browser = sign_in("controller")
    assert "Keep the title back" in browser.read(f"/documents/{made.document_id}")
    assert browser.send(f"/documents/{made.document_id}/confidentiality", confidential="1").status_code == 303
    assert "kept back: confidential" in browser.read(f"/documents/{made.document_id}")
    with site.database.reading() as session:
        entry = audit.of_document(session, made.document_id)[-1]
        assert (entry.action, entry.values["confidential"]) == ("document.confidentiality_set", True)


def test_nobody_but_a_controller_says_what_the_public_is_told(make_revision, sign_in):
    made = make_revision("in_force")
    browser = sign_in("staff")
    assert "Keep the title back" not in browser.read(f"/documents/{made.document_id}")
    assert browser.send(f"/documents/{made.document_id}/confidentiality", confidential="1").status_code == 403


def test_a_new_document_can_be_confidential_from_the_start(site, sign_in):
    browser = sign_in("author")
    browser.get("/documents/new")
    answer = browser.send("/documents", title="Kín", type="QT", unit="TP", confidential="y")
    assert answer.status_code == 303, answer.text
    with site.database.reading() as session:
        document = session.get_one(Document, int(answer.location.rsplit("/", 1)[-1]))
        assert document.confidential
