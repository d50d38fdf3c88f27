"""The controlled PDF and reading in the browser: made in the background, stamped at the moment of download, for readers only."""

import io
from datetime import timedelta

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from docx import Document as WordDocument
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from PIL import Image

from docctl import clock, contents, jobs, renditions, revisions
from docctl.files import convert
from docctl.revisions import Revision


@pytest.fixture
def made_pdfs(site):
    """Return a function that does what the server's worker does: make every PDF that waits."""
    return lambda: jobs.render_waiting(site)


@pytest.fixture
def readable(site, make_revision, made_pdfs):
    """Return a function that makes a revision whose PDF is there already."""

    def make(state="in_force", **given):
        made = make_revision(state, **given)
        with site.database.reading() as session:
            revision = session.get_one(Revision, made.id)
            sha256, kind = revision.content.sha256, revision.content.kind
        renditions.ask(site.database, site.store, sha256, renditions_kind(kind))
        made_pdfs()
        return made

    return make


def renditions_kind(kind):
    from docctl.files.kinds import Kind

    return Kind(kind)


def text_of(pdf: bytes, page: int = 0) -> str:
    return " ".join(pypdfium2.PdfDocument(pdf)[page].get_textpage().get_text_range().split())


def test_a_file_that_is_gone_from_the_storage_folder_holds_up_nobody_elses_pdf(site, make_revision, made_pdfs, sign_in):
    lost, other = make_revision("in_force", text="Đã mất."), make_revision("in_force", text="Còn đây.")
    browser = sign_in("staff")
    for made in (lost, other):
        browser.get(f"/revisions/{made.id}/read")
    with site.database.reading() as session:
        site.store.path(session.get_one(Revision, lost.id).file_sha256).unlink()
    assert made_pdfs() == 2
    assert "Còn đây." in text_of(browser.get(f"/revisions/{other.id}/rendition").data)
    assert "from a backup" in browser.get(f"/revisions/{lost.id}/read").text


def test_it_is_asked_for_by_the_first_reader_made_in_the_background_and_then_read(make_revision, made_pdfs, sign_in):
    made = make_revision("in_force", text="Nộp hồ sơ tại bộ phận một cửa.")
    browser = sign_in("staff")
    answer = browser.get(f"/revisions/{made.id}/read")
    assert "is being made" in answer.text
    assert answer.headers["Refresh"] == "3"
    assert made_pdfs() == 1
    answer = browser.get(f"/revisions/{made.id}/read")
    assert "Refresh" not in answer.headers
    assert "Nộp hồ sơ tại bộ phận một cửa." in answer.text
    assert made_pdfs() == 0, "it is made once"


@pytest.mark.parametrize(
    ("state", "watermark", "says"),
    [
        ("draft", "DỰ THẢO", "DỰ THẢO – chưa ban hành"),
        ("approved", "DỰ THẢO", "DỰ THẢO – chưa ban hành"),
        ("scheduled", "CHƯA CÓ HIỆU LỰC", "CHƯA CÓ HIỆU LỰC; có hiệu lực từ"),
        ("in_force", "BẢN IN KHÔNG KIỂM SOÁT", "CÒN HIỆU LỰC từ"),
        ("superseded", "HẾT HIỆU LỰC", "HẾT HIỆU LỰC từ"),
        ("withdrawn", "HẾT HIỆU LỰC", "HẾT HIỆU LỰC từ"),
    ],
)
def test_a_print_says_what_holds_at_the_moment_of_download(readable, sign_in, state, watermark, says):
    made = readable(state)
    answer = sign_in("controller").get(f"/revisions/{made.id}/rendition")
    assert answer.mimetype == "application/pdf"
    text = text_of(answer.data)
    for words in (watermark, says, made.code, "Lần ban hành/sửa đổi", "Trang 1/2"):
        assert words in text, words
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_same_stored_pdf_says_something_else_the_day_it_ends(site, readable, sign_in):
    made = readable("scheduled")
    browser = sign_in("controller")
    assert "CHƯA CÓ HIỆU LỰC" in text_of(browser.get(f"/revisions/{made.id}/rendition").data)
    try:
        clock.stop(clock.now() + timedelta(days=31))
        browser = sign_in("controller")
        assert "BẢN IN KHÔNG KIỂM SOÁT" in text_of(browser.get(f"/revisions/{made.id}/rendition").data)
    finally:
        clock.stop(None)


def test_the_code_on_every_sheet_leads_to_the_status_page(site, readable, sign_in, stranger):
    made = readable("in_force")
    answer = sign_in("staff").get(f"/revisions/{made.id}/rendition")
    pdf = pypdfium2.PdfDocument(answer.data)
    with site.database.reading() as session:
        token = session.get_one(Revision, made.id).status_token
    for page in pdf:
        (code,) = zxingcpp.read_barcodes(page.render(scale=3).to_pil())
        assert code.text == f"http://localhost/s/{token}"
    assert "IN FORCE" in stranger.read(f"/s/{token}")


def test_the_last_sheet_says_who_signed_what_with_which_title_and_when(site, readable, sign_in):
    made = readable("in_force")
    answer = sign_in("staff").get(f"/revisions/{made.id}/rendition")
    last = text_of(answer.data, 1)
    for words in ("TRANG CHỮ KÝ", "Đã xem xét, đồng ý", "Phê duyệt", "Ký ban hành", "Chức danh approver", "1/QĐ-UBND"):
        assert words in last, words
    with site.database.reading() as session:
        digest = session.get_one(Revision, made.id).content_hash
    assert digest in last.replace(" ", "")


def test_a_controlled_copy_bears_its_number_only_while_it_holds():
    assert renditions.watermark("in_force", "003/010") == "BẢN KIỂM SOÁT số 003/010"
    assert renditions.watermark("superseded", "003/010") == "HẾT HIỆU LỰC"


def test_what_one_may_not_see_one_may_not_read_page_by_page_either(readable, sign_in):
    made = readable("draft")
    browser = sign_in("staff")
    for path in ("read", "rendition", "pages/1"):
        assert browser.get(f"/revisions/{made.id}/{path}").status_code == 404
    assert sign_in("author").get(f"/revisions/{made.id}/pages/1").status_code == 200


def test_a_page_is_a_picture_that_only_the_readers_own_browser_keeps(readable, sign_in):
    made = readable("in_force")
    browser = sign_in("staff")
    answer = browser.get(f"/revisions/{made.id}/pages/1?width=900")
    assert Image.open(io.BytesIO(answer.data)).width == 900
    assert answer.headers["Cache-Control"] == "private, no-cache"
    same = browser.get(f"/revisions/{made.id}/pages/1?width=900", headers={"If-None-Match": answer.headers["ETag"]})
    assert same.status_code == 304


@pytest.mark.parametrize("path", ["pages/0", "pages/99", "pages/1?width=12345"])
def test_a_page_or_a_size_that_there_is_not_is_not_drawn(readable, sign_in, path):
    assert sign_in("staff").get(f"/revisions/{readable('in_force').id}/{path}").status_code == 404


def test_words_that_were_looked_for_are_marked_and_their_pages_named(readable, sign_in):
    made = readable("in_force", text="Trang đầu.\fHồ sơ hộ tịch.\fTrang giữa.\fHộ tịch lần nữa.")
    browser = sign_in("staff")
    page = browser.read(f"/revisions/{made.id}/read?q=ho+tich&page=2")
    assert page.count('class="hit"') == 3, "hồ, hộ and tịch, since no accent was typed"
    assert "stands on 2 of 4 pages" in page
    assert "page=4" in page
    assert browser.read(f"/revisions/{made.id}/read?q=hộ&page=2").count('class="hit"') == 1
    assert "stands on no page" in browser.read(f"/revisions/{made.id}/read?q=khongco")


def test_a_page_number_out_of_range_or_no_number_shows_the_nearest_page(readable, sign_in):
    made = readable("in_force", text="Một.\fHai.")
    browser = sign_in("staff")
    for typed, number in (("99", 2), ("0", 1), ("x", 1)):
        assert f"Page {number} of 2" in browser.read(f"/revisions/{made.id}/read?page={typed}")


@pytest.fixture
def tracked_file(tmp_path):
    """A Word file in which one word is tracked as inserted."""
    document = WordDocument()
    paragraph = document.add_paragraph("Thời hạn ")
    inserted = OxmlElement("w:ins")
    inserted.set(qn("w:id"), "1")
    inserted.set(qn("w:author"), "Người soạn thảo")
    run = paragraph.add_run("03 ngày")._r
    inserted.append(run)
    paragraph._p.append(inserted)
    document.save(tmp_path / "sửa.docx")
    return (tmp_path / "sửa.docx").read_bytes()


@pytest.fixture
def upload(site, make_revision, sign_in):
    """Return a function that gives a draft a file through its form, and returns the draft and the author's browser."""

    def send(data, name):
        made = make_revision("draft")
        browser = sign_in("author")
        browser.get(f"/revisions/{made.id}/edit")
        with site.database.reading() as session:
            lock = session.get_one(Revision, made.id).lock
        answer = browser.send(
            f"/revisions/{made.id}",
            title="Quy trình",
            edition="1",
            amendment="0",
            lock=str(lock),
            file=(io.BytesIO(data), name),
            **{"changes-0-section": "1", "changes-0-new": "Mới"},
        )
        assert answer.status_code == 303, answer.text
        return made, browser

    return send


def test_tracked_changes_stop_the_submission_until_the_author_settles_them(site, upload, tracked_file, made_pdfs):
    made, browser = upload(tracked_file, "sửa.docx")
    assert "tracked changes or comments; accept or refuse" in browser.read(f"/revisions/{made.id}")
    answer = browser.send(f"/revisions/{made.id}/transitions", trigger="submit", lock="2")
    assert answer.status_code == 409
    assert "1 tracked changes and 0 comments" in browser.read(f"/revisions/{made.id}/read")
    assert browser.send(f"/revisions/{made.id}/rendition/choice", choice="maybe").status_code == 409
    assert browser.send(f"/revisions/{made.id}/rendition/choice", choice="accept").status_code == 303
    with site.database.reading() as session:
        revision = session.get_one(Revision, made.id)
        assert not revisions.unsettled(session, revision)
        lock = str(revision.lock)
    browser.get(f"/revisions/{made.id}")
    assert browser.send(f"/revisions/{made.id}/transitions", trigger="submit", lock=lock).status_code == 303


def test_only_the_author_settles_and_only_once(upload, tracked_file, sign_in):
    made, browser = upload(tracked_file, "sửa.docx")
    other = sign_in("controller")
    page = other.read(f"/revisions/{made.id}/read")
    assert "The author settles it in the draft." in page
    assert other.send(f"/revisions/{made.id}/rendition/choice", choice="accept").status_code == 409
    browser.get(f"/revisions/{made.id}/read")
    assert browser.send(f"/revisions/{made.id}/rendition/choice", choice="refuse").status_code == 303
    assert browser.send(f"/revisions/{made.id}/rendition/choice", choice="accept").status_code == 409


@pytest.mark.skipif(convert.available() is not None, reason="LibreOffice or bubblewrap is not installed")
@pytest.mark.parametrize(("choice", "said"), [("accept", "Thời hạn 03 ngày"), ("refuse", "Thời hạn")])
def test_the_pdf_shows_what_the_author_settled(site, upload, tracked_file, made_pdfs, choice, said):
    made, browser = upload(tracked_file, "sửa.docx")
    browser.get(f"/revisions/{made.id}/read")
    browser.send(f"/revisions/{made.id}/rendition/choice", choice=choice)
    made_pdfs()
    with site.database.reading() as session:
        row = renditions.of(session, session.get_one(Revision, made.id).file_sha256)
        assert (row.status, row.choice) == ("ready", choice)
        assert row.engine.startswith("libreoffice")
        pdf = site.store.path(row.sha256).read_bytes()
    assert text_of(pdf) == said


@pytest.fixture(autouse=True)
def asked_anew():
    """What a machine can do is found out once in a process; here some tests take its programs away."""
    convert.available.cache_clear()
    yield
    convert.available.cache_clear()


def without_programs(patch) -> None:
    """Leave this process on a machine that has neither LibreOffice nor a sandbox."""
    patch.setenv("PATH", "/nonexistent")
    convert.available.cache_clear()


def a_pdf() -> bytes:
    pdf = pikepdf.new()
    pdf.add_blank_page()
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


def test_without_a_converter_the_page_says_so_and_takes_a_pdf_beside_the_file(site, upload, made_pdfs, monkeypatch):
    without_programs(monkeypatch)
    document = WordDocument()
    document.add_paragraph("Nội dung")
    file = io.BytesIO()
    document.save(file)
    made, browser = upload(file.getvalue(), "a.docx")
    made_pdfs()
    page = browser.read(f"/revisions/{made.id}/read")
    assert "sandbox is missing" in page
    assert "bring a PDF of this very file" in page
    wrong = browser.send(f"/revisions/{made.id}/rendition", file=(io.BytesIO(b"khong"), "a.txt"))
    assert wrong.status_code == 409
    assert browser.send(f"/revisions/{made.id}/rendition", file=(io.BytesIO(a_pdf()), "a.pdf")).status_code == 303
    assert "Page 1 of 1" in browser.read(f"/revisions/{made.id}/read")
    assert browser.send(f"/revisions/{made.id}/rendition", file=(io.BytesIO(a_pdf()), "a.pdf")).status_code == 409


def test_a_pdf_that_could_not_be_made_can_be_tried_again(site, upload, made_pdfs, monkeypatch):
    document = WordDocument()
    file = io.BytesIO()
    document.save(file)
    with monkeypatch.context() as broken:
        without_programs(broken)
        made, browser = upload(file.getvalue(), "a.docx")
        made_pdfs()
    browser.read(f"/revisions/{made.id}/read")
    assert browser.send(f"/revisions/{made.id}/rendition/attempts").status_code == 303
    with site.database.reading() as session:
        row = renditions.of(session, session.get_one(Revision, made.id).file_sha256)
        assert row.status == "waiting"


def test_an_uploaded_pdf_is_its_own_rendition(site, upload, made_pdfs):
    made, browser = upload(a_pdf(), "a.pdf")
    made_pdfs()
    with site.database.reading() as session:
        revision = session.get_one(Revision, made.id)
        row = renditions.of(session, revision.file_sha256)
        assert (row.sha256, row.engine, row.pages) == (revision.file_sha256, "original", 1)
        stored = site.store.path(row.sha256).read_bytes()
    assert browser.get(f"/revisions/{made.id}/original").data == stored


def test_the_made_pdf_counts_as_the_issued_one_on_the_status_page(site, readable, stranger):
    made = readable("in_force")
    with site.database.reading() as session:
        revision = session.get_one(Revision, made.id)
        row, token = renditions.of(session, revision.file_sha256), revision.status_token
        assert contents.text_of(session, row.sha256) is None, "the text is that of the file, read once"
    assert row.sha256 in stranger.read(f"/s/{token}")


def test_a_controlled_copy_is_printed_with_its_number_and_no_other_is(site, cast, readable, sign_in):
    from docctl import distribution, units

    made, other = readable("in_force"), readable("in_force", title="Quy trình khác", text="Khác.")
    with site.database.writing() as session:
        for each in (made, other):
            distribution.issue_more(
                session,
                session.get_one(Revision, each.id),
                by=cast.reader(session, "controller"),
                medium="paper",
                count=2,
                unit=units.find(session, "TP"),
            )
    browser = sign_in("controller")
    page = browser.read(f"/revisions/{made.id}/distribution")
    assert f'href="/revisions/{made.id}/rendition?copy=2"' in page
    assert "BẢN KIỂM SOÁT số 002/002" in text_of(browser.get(f"/revisions/{made.id}/rendition?copy=2").data)
    assert "BẢN IN KHÔNG KIỂM SOÁT" in text_of(browser.get(f"/revisions/{made.id}/rendition").data)
    for foreign in ("3", "99", "x"):
        assert browser.get(f"/revisions/{made.id}/rendition?copy={foreign}").status_code == 404
    assert sign_in("staff").get(f"/revisions/{made.id}/rendition?copy=2").status_code == 404
