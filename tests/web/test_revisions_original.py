"""The file of a revision comes back byte for byte, under its own name, to those who may read it."""

import io
import unicodedata
from urllib.parse import unquote


def test_the_bytes_come_back_unchanged_as_a_download(make_revision, sign_in):
    made = make_revision("in_force", text="Nội dung, byte cho byte.\r\n")
    answer = sign_in("staff").get(f"/revisions/{made.id}/original")
    assert answer.status_code == 200
    assert answer.data == "Nội dung, byte cho byte.\r\n".encode()
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "private" in answer.headers["Cache-Control"]


def test_a_name_in_decomposed_vietnamese_travels_in_full(make_revision, sign_in):
    made = make_revision("draft", bare=True)
    browser = sign_in("author")
    browser.get(f"/revisions/{made.id}/edit")
    name = unicodedata.normalize("NFD", "Quy trình số 1.TXT")
    form = {"title": "Tên", "edition": "1", "amendment": "0", "lock": "1"}
    browser.send(f"/revisions/{made.id}", file=(io.BytesIO(b"Text."), name), **form)
    header = browser.get(f"/revisions/{made.id}/original").headers["Content-Disposition"]
    assert unquote(header.split("filename*=UTF-8''")[1]) == "Quy trình số 1.TXT"


def test_a_draft_without_a_file_has_none_to_give(make_revision, sign_in):
    made = make_revision("draft", bare=True)
    assert sign_in("author").get(f"/revisions/{made.id}/original").status_code == 404


def test_what_one_may_not_read_is_not_there(make_revision, sign_in, stranger):
    made = make_revision("in_review")
    assert sign_in("staff").get(f"/revisions/{made.id}/original").status_code == 404
    assert stranger.get(f"/revisions/{made.id}/original").status_code == 303
