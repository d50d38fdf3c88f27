"""Signed PDFs: the original untouched, its signatures told in plain words, and the office's own signature put on last."""

import io
from dataclasses import replace

import pikepdf
import pypdfium2
import pytest

from docctl import contents, jobs, renditions, web
from docctl.files import signatures
from docctl.files.kinds import Kind
from docctl.revisions import Revision
from tests.files import signing
from tests.web.conftest import Browser


@pytest.fixture
def signed_file():
    pdf = pikepdf.new()
    pdf.add_blank_page()
    out = io.BytesIO()
    pdf.save(out)
    return signing.sign(out.getvalue(), signing.person())


@pytest.fixture
def signed_draft(site, cast, make_revision, signed_file):
    """A draft whose file is a signed PDF, looked into already."""
    from docctl import revisions

    made = make_revision("draft")
    stored = site.store.put(io.BytesIO(signed_file), limit_bytes=1 << 20)
    with site.database.writing() as session:
        content = contents.keep(session, sha256=stored.sha256, size=stored.size, kind="pdf")
        revision = session.get_one(Revision, made.id)
        revisions.edit(
            session,
            revision,
            by=cast.reader(session, "author"),
            seen=revision.lock,
            content=content,
            file_name="ký.pdf",
        )
    renditions.ask(site.database, site.store, stored.sha256, Kind.PDF)
    jobs.render_waiting(site)
    return made


def test_a_signed_upload_comes_back_byte_for_byte_and_the_stamped_copy_says_that_it_is_one(
    site, signed_draft, signed_file, sign_in
):
    browser = sign_in("author")
    assert browser.get(f"/revisions/{signed_draft.id}/original").data == signed_file
    stamped = browser.get(f"/revisions/{signed_draft.id}/rendition").data
    text = " ".join(pypdfium2.PdfDocument(stamped)[0].get_textpage().get_text_range().split())
    assert "chữ ký số của người ký chỉ có trong tệp gốc" in text
    assert "/AcroForm" not in pikepdf.open(io.BytesIO(stamped)).Root, "no broken signature is left in the copy"
    with site.database.reading() as session:
        revision = session.get_one(Revision, signed_draft.id)
        row = renditions.of(session, revision.file_sha256)
        assert (row.sha256, row.engine, row.signatures) == (revision.file_sha256, "original", 1)


def test_its_signatures_are_told_in_plain_words_in_both_languages(site, signed_draft, sign_in):
    browser = sign_in("author")
    assert f'href="/revisions/{signed_draft.id}/signatures"' in browser.read(f"/revisions/{signed_draft.id}")
    page = browser.read(f"/revisions/{signed_draft.id}/signatures")
    assert "Trưởng phòng mẫu" in page
    assert "Unknown signer" in page
    signing.trusting(site.settings.trust, signing.root())
    assert "Revocation was not checked" in browser.read(f"/revisions/{signed_draft.id}/signatures")
    browser.send("/language", lang="vi")
    assert "Chưa kiểm tra việc thu hồi chứng thư" in browser.read(f"/revisions/{signed_draft.id}/signatures")


def test_who_may_not_see_the_revision_learns_nothing_of_its_signatures(signed_draft, sign_in):
    assert sign_in("staff").get(f"/revisions/{signed_draft.id}/signatures").status_code == 404


@pytest.fixture
def sealing(site, tmp_path, compiled):
    """Return a function that gives somebody a browser on a site that has the office's certificate."""

    def browser_of(name, **more):
        from tests.conftest import PASSWORD

        file = tmp_path / "co-quan.p12"
        if not file.exists():
            file.write_bytes(signing.person("Ủy ban nhân dân mẫu").p12(signing.root()))
        settings = replace(site.settings, **{"seal_file": file, "seal_password": signing.PASSWORD, **more})
        app = web.create(replace(site, settings=settings))
        app.jinja_env.bytecode_cache = compiled
        app.test_client_class = Browser
        browser = app.test_client()
        browser.get("/sign-in")
        browser.send("/sign-in", name=name, password=PASSWORD)
        return browser

    return browser_of


@pytest.fixture
def issued(site, make_revision):
    made = make_revision("in_force")
    with site.database.reading() as session:
        content = session.get_one(Revision, made.id).content
        sha256, kind = content.sha256, Kind(content.kind)
    renditions.ask(site.database, site.store, sha256, kind)
    jobs.render_waiting(site)
    return made


def checked(data, tmp_path):
    (tmp_path / "ra.pdf").write_bytes(data)
    return signatures.check(tmp_path / "ra.pdf", signing.trusting(tmp_path / "roots", signing.root()))


def test_the_office_signs_the_print_of_what_was_issued_last_and_it_says_how(issued, sealing, tmp_path):
    data = sealing("staff").get(f"/revisions/{issued.id}/rendition").data
    (row,) = checked(data, tmp_path)
    assert (row["verdict"], row["stamped"]) == ("unchecked", False)
    assert "Ủy ban nhân dân mẫu" in row["signer"]
    assert "PAdES B-B: không có dấu thời gian" in " ".join(
        pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range().split()
    )
    altered = bytearray(data)
    altered[altered.index(b"stream") + 40] ^= 1
    assert [row["verdict"] for row in checked(bytes(altered), tmp_path)] == ["changed"]


def test_with_a_timestamp_authority_the_time_is_told_by_it(issued, sealing, tmp_path):
    with signing.timestamp_authority() as address:
        data = sealing("staff", timestamp_url=address).get(f"/revisions/{issued.id}/rendition").data
    (row,) = checked(data, tmp_path)
    assert (row["verdict"], row["stamped"]) == ("unchecked", True)
    assert "PAdES B-T" in " ".join(pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range().split())


def test_an_authority_that_does_not_answer_is_said_and_nothing_less_is_handed_out(issued, sealing):
    answer = sealing("staff", timestamp_url="http://127.0.0.1:9/").get(f"/revisions/{issued.id}/rendition")
    assert answer.status_code == 409
    assert "timestamp authority does not answer" in answer.text


def test_a_wrong_password_of_the_certificate_is_said(issued, sealing):
    answer = sealing("staff", seal_password="sai").get(f"/revisions/{issued.id}/rendition")
    assert answer.status_code == 409
    assert "certificate cannot be opened" in answer.text


def test_a_draft_is_not_signed_by_the_office(signed_draft, sealing, tmp_path):
    data = sealing("author").get(f"/revisions/{signed_draft.id}/rendition").data
    assert checked(data, tmp_path) == []
