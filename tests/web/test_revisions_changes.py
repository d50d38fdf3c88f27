"""The page of changes: what is compared, who may see it, and what it says when there is nothing to compare."""

from docctl import contents, revisions

FIRST = "5.2. Trình tự giải quyết\nThời hạn giải quyết là 05 ngày làm việc.\n6. Lưu trữ\nHồ sơ lưu hai năm."
THEN = "5.2. Trình tự giải quyết\nThời hạn giải quyết là 03 ngày làm việc.\n6. Lưu trữ\nHồ sơ lưu ba năm."


def test_an_approver_compares_with_what_is_in_force_from_the_page_of_the_revision(make_revision, sign_in):
    now = make_revision("in_force", text=FIRST)
    made = make_revision("in_approval", document_id=now.document_id, text=THEN)
    browser = sign_in("approver")
    assert f"/revisions/{made.id}/changes" in browser.read(f"/revisions/{made.id}")
    page = browser.read(f"/revisions/{made.id}/changes")
    assert "<del>05</del><ins>03</ins>" in page
    assert "From edition 01/00 to 01/01" in page


def test_the_change_table_is_told_what_it_forgot(make_revision, sign_in):
    now = make_revision("in_force", text=FIRST)
    made = make_revision("in_approval", document_id=now.document_id, text=THEN)
    page = sign_in("approver").read(f"/revisions/{made.id}/changes")
    forgotten = page.split("The change table says nothing of these sections")[1].split("</ul>")[0]
    assert "6. Lưu trữ" in forgotten
    assert "5.2" not in forgotten  # The row of the draft names it.


def test_side_by_side_and_whole_text_are_addresses_of_their_own(make_revision, sign_in):
    long = "\n".join(f"Đoạn số {n} không đổi." for n in range(1, 30))
    now = make_revision("in_force", text=f"{FIRST}\n{long}")
    made = make_revision("in_review", document_id=now.document_id, text=f"{THEN}\n{long}")
    browser = sign_in("reviewer")
    folded = browser.read(f"/revisions/{made.id}/changes?view=side")
    assert 'class="table redline-sides"' in folded
    assert "unchanged" in folded
    assert "Đoạn số 20 không đổi." not in folded
    whole = browser.read(f"/revisions/{made.id}/changes?view=side&whole=1")
    assert "Đoạn số 20 không đổi." in whole


def test_the_first_edition_has_nothing_to_be_compared_with(make_revision, sign_in):
    made = make_revision("in_review", text=FIRST)
    browser = sign_in("reviewer")
    assert "nothing to compare with" in browser.read(f"/revisions/{made.id}/changes")
    assert f"/revisions/{made.id}/changes" not in browser.read(f"/revisions/{made.id}")


def test_the_same_text_is_said_to_be_the_same(make_revision, sign_in):
    now = make_revision("in_force", text=FIRST)
    made = make_revision("in_review", document_id=now.document_id, text=FIRST)
    assert "the same file, byte for byte" in sign_in("reviewer").read(f"/revisions/{made.id}/changes")


def test_a_text_that_is_not_there_yet_or_not_any_more_gives_a_sentence(site, make_revision, sign_in):
    now = make_revision("in_force", text=FIRST)
    made = make_revision("in_review", document_id=now.document_id, text=THEN)
    browser = sign_in("reviewer")
    with site.database.writing() as session:
        row = contents.text_of(session, session.get_one(revisions.Revision, now.id).file_sha256)
        row.status = contents.WAITING
    assert "is being read" in browser.read(f"/revisions/{made.id}/changes")
    with site.database.writing() as session:
        session.delete(contents.text_of(session, session.get_one(revisions.Revision, now.id).file_sha256))
    assert "The text of edition 01/00 is not here" in browser.read(f"/revisions/{made.id}/changes")


def test_what_one_may_not_read_is_neither_compared_nor_offered(make_revision, sign_in):
    now = make_revision("in_force", text=FIRST)
    made = make_revision("in_review", document_id=now.document_id, text=THEN)
    other = make_revision("in_force", title="Quy trình khác", text=FIRST)
    staff = sign_in("staff")
    assert staff.get(f"/revisions/{made.id}/changes").status_code == 404
    assert staff.get(f"/revisions/{now.id}/changes?against={made.id}").status_code == 404
    assert sign_in("reviewer").get(f"/revisions/{made.id}/changes?against={other.id}").status_code == 404


def test_words_of_a_text_are_never_markup(make_revision, sign_in):
    now = make_revision("in_force", text="Đoạn một <script>alert(1)</script> cuối.")
    made = make_revision("in_review", document_id=now.document_id, text="Đoạn một <script>alert(2)</script> cuối.")
    answer = sign_in("reviewer").get(f"/revisions/{made.id}/changes")
    assert "<script>alert" not in answer.text
