"""Beginning and editing a draft: by its author, while it is a draft, and nothing typed is ever lost."""

import io

import pytest
from sqlalchemy import func, select

from docctl.revisions import Revision


def a_file(text: str = "Nội dung mới", name: str = "Quy trình lần 2.txt") -> tuple[io.BytesIO, str]:
    """Return a file as a browser sends it."""
    return io.BytesIO(text.encode()), name


def typed(page: str, **other: object) -> dict[str, object]:
    """Return the answers of the form as it was opened, with some changed."""
    lock = page.split('name="lock"')[1].split('value="')[1].split('"')[0]
    rows = {"changes-0-section": "5.2", "changes-0-new": "03 ngày"}
    return {"title": "Tên mới", "edition": "2", "amendment": "0", "lock": lock, **rows, **other}


def row(site, revision_id: int) -> Revision:
    with site.database.reading() as session:
        found = session.get_one(Revision, revision_id)
        assert found.change_rows is not None
        session.expunge_all()
        return found


def test_an_author_begins_a_revision_of_a_document_in_force(make_revision, sign_in):
    made = make_revision("in_force")
    browser = sign_in("author")
    assert "New revision" in browser.read(f"/documents/{made.document_id}")
    answer = browser.send(f"/documents/{made.document_id}/revisions")
    assert "Edit the draft" in browser.read(answer.location)


def test_begun_twice_it_is_begun_once(site, make_revision, sign_in):
    made = make_revision("in_force")
    browser = sign_in("author")
    browser.get(f"/documents/{made.document_id}")
    first, second = (browser.send(f"/documents/{made.document_id}/revisions") for _ in range(2))
    assert first.location == second.location
    with site.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Revision)) == 2


def test_the_draft_of_somebody_else_stands_in_the_way(make_revision, sign_in, site, cast):
    made = make_revision("in_review")
    browser = sign_in("author")
    answer = browser.send(f"/documents/{made.document_id}/revisions")
    assert answer.status_code == 409
    assert "Revision 01/00 of this document is still open" in answer.text


@pytest.mark.parametrize("who", ["staff", "auditor", "controller", "approver", "admin"])
def test_only_an_author_begins_one(make_revision, sign_in, who):
    made = make_revision("in_force")
    browser = sign_in(who)
    assert "New revision" not in browser.read(f"/documents/{made.document_id}")
    assert browser.send(f"/documents/{made.document_id}/revisions").status_code == 403


def test_a_draft_is_saved_with_its_file_and_its_change_table(site, make_revision, sign_in):
    made = make_revision("draft", bare=True)
    browser = sign_in("author")
    page = browser.read(f"/revisions/{made.id}/edit")
    answer = browser.send(f"/revisions/{made.id}", **typed(page, file=a_file()))
    assert answer.status_code == 303, answer.text
    saved = row(site, made.id)
    assert (saved.title, saved.edition_text, saved.file_name) == ("Tên mới", "02/00", "Quy trình lần 2.txt")
    assert [(change.section, change.new) for change in saved.change_rows] == [("5.2", "03 ngày")]
    assert "disabled" not in browser.read(f"/revisions/{made.id}").split('<div class="acts"')[1].split("</section>")[0]


def test_without_a_new_file_the_old_one_stays_and_the_same_one_again_is_the_same(site, make_revision, sign_in):
    made = make_revision("draft")
    before = row(site, made.id).file_sha256
    browser = sign_in("author")
    for given in ({}, {"file": a_file("Nội dung của quy trình.", "Quy trình.txt")}):
        page = browser.read(f"/revisions/{made.id}/edit")
        assert browser.send(f"/revisions/{made.id}", **typed(page, **given)).status_code == 303
        assert row(site, made.id).file_sha256 == before


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"title": ""}, "Give the document a title"),
        ({"edition": "hai"}, "Write a number from 0 to 999"),
        ({"amendment": "-1"}, "Write a number from 0 to 999"),
        ({"edition": "1", "amendment": "0"}, "Edition 01/00 exists already"),
        ({"changes-1-old": "cũ"}, "Row 2 of the change table needs a section"),
        ({"file": a_file("", "rong.docx")}, "The file is empty"),
        ({"file": a_file("PK", "anh.png")}, "This is a picture"),
        ({"file": a_file("%PDF-1.7 broken", "hỏng.pdf")}, "is damaged or incomplete"),
        ({"file": a_file("chỉ là chữ", "giả.docx")}, "This file is named .docx but is"),
    ],
)
def test_bad_input_gets_a_sentence_and_nothing_typed_is_lost(site, make_revision, sign_in, wrong, sentence):
    made = make_revision("in_force")
    draft = make_revision("draft", document_id=made.document_id)
    before = row(site, draft.id)
    browser = sign_in("author")
    page = browser.read(f"/revisions/{draft.id}/edit")
    answer = browser.send(f"/revisions/{draft.id}", **typed(page, **{"change_summary": "Tóm tắt đã ghi", **wrong}))
    assert answer.status_code == 409
    assert sentence in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "Tóm tắt đã ghi" in answer.text
    after = row(site, draft.id)
    assert (after.lock, after.title, after.file_sha256) == (before.lock, before.title, before.file_sha256)


def test_the_file_survives_the_refusal_of_something_else(site, make_revision, sign_in):
    made = make_revision("draft", bare=True)
    browser = sign_in("author")
    page = browser.read(f"/revisions/{made.id}/edit")
    refused = browser.send(f"/revisions/{made.id}", **typed(page, title="", file=a_file()))
    assert "Chosen: Quy trình lần 2.txt" in refused.text
    kept = refused.text.split('name="kept"')[1].split('value="')[1].split('"')[0]
    assert browser.send(f"/revisions/{made.id}", **typed(refused.text, kept=kept)).status_code == 303
    assert row(site, made.id).file_name == "Quy trình lần 2.txt"


def test_a_forged_token_of_a_file_is_no_file(site, make_revision, sign_in):
    made = make_revision("draft", bare=True)
    browser = sign_in("author")
    page = browser.read(f"/revisions/{made.id}/edit")
    browser.send(f"/revisions/{made.id}", **typed(page, kept='["' + "a" * 64 + '",1,"txt","x.txt",1].forged'))
    assert row(site, made.id).file_sha256 is None


def test_a_file_over_the_limit_is_refused_with_the_limit_named(make_revision, sign_in, app):
    app.config["MAX_CONTENT_LENGTH"] = 1 << 20
    made = make_revision("draft")
    browser = sign_in("author")
    page = browser.read(f"/revisions/{made.id}/edit")
    answer = browser.send(f"/revisions/{made.id}", **typed(page, file=a_file("x" * (1 << 20))))
    assert answer.status_code == 413
    assert "larger than 100 MB" in answer.text


def test_a_second_tab_cannot_write_over_the_first_unseen(site, make_revision, sign_in):
    made = make_revision("draft")
    browser = sign_in("author")
    first, second = (browser.read(f"/revisions/{made.id}/edit") for _ in range(2))
    assert browser.send(f"/revisions/{made.id}", **typed(first, title="Từ trang thứ nhất")).status_code == 303
    answer = browser.send(f"/revisions/{made.id}", **typed(second, title="Từ trang thứ hai"))
    assert answer.status_code == 409
    assert "The draft was saved from another page" in answer.text
    assert 'value="Từ trang thứ hai"' in answer.text
    assert row(site, made.id).title == "Từ trang thứ nhất"


def test_more_rows_keep_what_was_typed_and_save_nothing(site, make_revision, sign_in):
    made = make_revision("draft")
    browser = sign_in("author")
    page = browser.read(f"/revisions/{made.id}/edit")
    answer = browser.send(f"/revisions/{made.id}", **typed(page, title="Chưa lưu", more="1", file=a_file()))
    assert answer.status_code == 200
    assert 'value="Chưa lưu"' in answer.text
    assert 'name="changes-3-section"' in answer.text
    assert "Chosen: Quy trình lần 2.txt" in answer.text
    assert row(site, made.id).lock == 1


@pytest.mark.parametrize("state", ["in_review", "in_approval", "approved", "in_force", "discarded"])
def test_what_was_submitted_can_no_longer_be_edited(site, make_revision, sign_in, state):
    made = make_revision(state)
    browser = sign_in("author")
    assert browser.get(f"/revisions/{made.id}/edit").status_code == 409
    answer = browser.send(
        f"/revisions/{made.id}", title="Tên khác", edition="1", amendment="0", lock=str(row(site, made.id).lock)
    )
    assert answer.status_code == 409
    assert row(site, made.id).title != "Tên khác"


@pytest.mark.parametrize("who", ["reviewer", "controller", "approver"])
def test_nobody_edits_the_draft_of_somebody_else(site, make_revision, sign_in, who):
    made = make_revision("draft")
    browser = sign_in(who)
    assert browser.get(f"/revisions/{made.id}/edit").status_code == 409
    assert (
        browser.send(f"/revisions/{made.id}", title="Tên khác", edition="1", amendment="0", lock="1").status_code == 409
    )
    assert row(site, made.id).title != "Tên khác"


def test_anothers_draft_is_not_found(make_revision, sign_in):
    made = make_revision("draft")
    browser = sign_in("neighbour")
    assert browser.get(f"/revisions/{made.id}/edit").status_code == 404
    assert browser.send(f"/revisions/{made.id}", title="Tên khác").status_code == 404


def test_without_the_token_of_the_page_nothing_happens(make_revision, sign_in):
    made = make_revision("draft")
    browser = sign_in("author")
    assert browser.post(f"/revisions/{made.id}", data={"title": "x"}).status_code == 400
    assert browser.post(f"/documents/{made.document_id}/revisions").status_code == 400


def test_the_page_of_a_draft_offers_the_template_and_only_its_author_gets_it(make_revision, sign_in):
    made = make_revision("draft", bare=True)
    browser = sign_in("author")
    assert f"/revisions/{made.id}/template" in browser.read(f"/revisions/{made.id}/edit")
    answer = browser.get(f"/revisions/{made.id}/template")
    assert answer.status_code == 200
    assert answer.data.startswith(b"PK")
    assert f"{made.code} 01.00.docx" in answer.headers["Content-Disposition"]
    assert sign_in("reviewer").get(f"/revisions/{made.id}/template").status_code == 409
    assert sign_in("neighbour").get(f"/revisions/{made.id}/template").status_code == 404
