"""Scans are read in the background: their words are searchable, and said to be nobody's proofed copy."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from docctl import contents, jobs, openings, revisions
from docctl.files import extract, ocr
from docctl.files.kinds import Kind
from docctl.files.readers import NotExtractable
from docctl.site import Site
from tests.conftest import Made

needs_ocr = pytest.mark.skipif(not ocr.available(), reason="tesseract with Vietnamese is not here")
WORDS = ("Quy trinh tiep nhan ho so", "Thoi han giai quyet la 05 ngay lam viec")


@pytest.fixture
def scan(tmp_path: Path) -> Callable[..., Path]:
    """Make a PDF whose pages are pictures of words; the pages named in `typed` have a text layer as well."""

    def make(*pages: str, typed: tuple[int, ...] = ()) -> Path:
        source, path = tmp_path / "typed.pdf", tmp_path / "scan.pdf"
        _write(source, pages)
        canvas = Canvas(str(path), pagesize=(595, 842))
        drawn = pypdfium2.PdfDocument(source)
        for number, words in enumerate(pages, start=1):
            if number in typed:
                canvas.setFont("Helvetica", 20)
                canvas.drawString(60, 700, words)
            else:
                picture = drawn[number - 1].render(scale=3).to_pil()
                canvas.drawImage(ImageReader(picture), 0, 0, 595, 842)
            canvas.showPage()
        canvas.save()
        drawn.close()
        return path

    return make


def _write(path: Path, pages: tuple[str, ...]) -> None:
    canvas = Canvas(str(path), pagesize=(595, 842))
    for words in pages:
        canvas.setFont("Helvetica", 20)
        canvas.drawString(60, 700, words)
        canvas.showPage()
    canvas.save()


def given(site: Site, made: Made, path: Path) -> str:
    """Put a file into a draft, as an upload does, and return its SHA-256."""
    with site.database.writing() as session, path.open("rb") as file:
        stored = site.store.put(file, limit_bytes=1 << 24)
        contents.keep(session, sha256=stored.sha256, size=stored.size, kind="pdf")
        session.get_one(revisions.Revision, made.id).file_sha256 = stored.sha256
    return stored.sha256


def told(site: Site, made: Made) -> str:
    with site.database.reading() as session:
        return " ".join(row.en for row in openings.of_text(session, session.get_one(revisions.Revision, made.id)))


def test_a_page_that_is_a_picture_is_known_as_a_scan(scan) -> None:
    found = extract.extract_in_worker(scan(*WORDS, typed=(1,)), Kind.PDF)
    assert found.scans == (2,)
    assert WORDS[0] in found.text


@needs_ocr
def test_a_scan_is_read_after_the_upload_and_marked_as_unproofed(site, make_revision, scan) -> None:
    made = make_revision("draft", bare=True)
    sha256 = given(site, made, scan(*WORDS))
    jobs.extract_waiting(site)
    assert "are being read in the background" in told(site, made)
    jobs.read_scans(site)
    with site.database.reading() as session:
        row = contents.text_of(session, sha256)
        assert (row.status, row.method, row.ocr) == ("extracted", "ocr", "done")
        assert "05 ngay" in row.text.split("\f")[1]
        assert [page.source for page in contents.pages(session, sha256)] == ["ocr", "ocr"]
    assert "nobody has proofed them" in told(site, made)


@needs_ocr
def test_only_the_pages_that_are_scans_are_read_by_machine(site, make_revision, scan) -> None:
    made = make_revision("draft", bare=True)
    sha256 = given(site, made, scan(*WORDS, typed=(1,)))
    jobs.extract_waiting(site)
    jobs.read_scans(site)
    with site.database.reading() as session:
        assert [page.source for page in contents.pages(session, sha256)] == ["text", "ocr"]
    assert "The words of 1 pages were recognised" in told(site, made)


@needs_ocr
def test_a_scan_is_read_once_however_often_the_work_is_done(site, make_revision, scan) -> None:
    made = make_revision("draft", bare=True)
    given(site, made, scan(WORDS[0]))
    jobs.extract_waiting(site)
    assert [jobs.read_scans(site), jobs.read_scans(site)] == [1, 0]


@needs_ocr
def test_a_scan_without_a_word_says_so(scan) -> None:
    with pytest.raises(NotExtractable) as refused:
        ocr.read(scan(""), "", (1,))
    assert refused.value.sentence == ocr.NOTHING


def test_without_tesseract_the_scan_is_kept_and_the_page_says_what_is_missing(
    site, make_revision, scan, monkeypatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    ocr.available.cache_clear()
    try:
        made = make_revision("draft", bare=True)
        sha256 = given(site, made, scan(WORDS[0]))
        jobs.extract_waiting(site)
        assert "tesseract with Vietnamese" in told(site, made)
        assert site.store.check(sha256)
    finally:
        ocr.available.cache_clear()


def test_a_book_of_scans_is_not_begun(scan) -> None:
    with pytest.raises(NotExtractable) as refused:
        ocr.read(scan("x"), "", range(1, ocr.MAX_PAGES + 2))
    assert refused.value.sentence == ocr.TOO_MANY.fill(n=ocr.MAX_PAGES)
