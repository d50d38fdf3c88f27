"""The Word file a draft begins with says what the record says, and is read back as its own cover."""

import io
import subprocess
from pathlib import Path

import docx
import pytest

from docctl import revisions
from docctl.exporting import template
from docctl.files import check, convert
from docctl.files.kinds import Kind
from docctl.files.readers import read
from docctl.importing.cover import read_cover


@pytest.fixture
def written(site, cast, make_revision, tmp_path):
    """Return a function that writes the template of a new draft after an edition in force."""

    def write(locale: str = "vi") -> Path:
        now = make_revision("in_force", title="Quy trình đăng ký khai sinh & nhận <con>")
        made = make_revision("draft", document_id=now.document_id, bare=True)
        path = tmp_path / "template.docx"
        with site.database.writing() as session:
            revision = session.get_one(revisions.Revision, made.id)
            author = cast.reader(session, "author")
            revisions.edit(
                session,
                revision,
                by=author,
                seen=revision.lock,
                changes=[revisions.Change("6", "hai năm", "ba năm", "Luật Lưu trữ")],
            )
            path.write_bytes(template.write(template.cover_of(session, revision, by=author, locale=locale)))
        return path

    return write


def test_its_cover_reads_back_as_the_record_says(written) -> None:
    path = written()
    assert check.check(path, path.name) == Kind.DOCX
    cover = read_cover(read(path, Kind.DOCX).text, path.name)
    assert (cover.code, cover.edition, cover.amendment) == ("QT-TP-01", 1, 1)
    assert "ĐĂNG KÝ KHAI SINH & NHẬN <CON>" in cover.title.upper()


def test_the_change_table_tells_of_this_edition_and_of_those_before(written) -> None:
    tables = docx.Document(str(written())).tables
    rows = [[cell.text for cell in row.cells] for row in tables[-1].rows]
    assert rows[0][:4] == ["STT", "Mục / trang", "Nội dung cũ", "Nội dung mới"]
    assert rows[1][:6] == ["1", "5.2", "05 ngày làm việc", "03 ngày làm việc", "Luật Hộ tịch", "01/00"]
    assert rows[2][:6] == ["2", "6", "hai năm", "ba năm", "Luật Lưu trữ", "01/01"]
    assert len(rows) == 3 + template.EMPTY_ROWS


def test_who_drafts_reviews_and_approves_has_a_place(written) -> None:
    signing = docx.Document(str(written())).tables[2]
    assert [cell.text for cell in signing.rows[0].cells] == ["", "Soạn thảo", "Xem xét", "Phê duyệt"]
    assert signing.rows[2].cells[1].text == "Chức danh author"
    assert [cell.text for cell in signing.rows[1].cells][2:] == ["", ""]


def test_its_headings_are_headings_to_whoever_compares_later(written) -> None:
    found = read(written("en"), Kind.DOCX)
    assert [heading.title for heading in found.headings][:2] == ["1. PURPOSE", "2. SCOPE"]


def test_every_page_bears_code_edition_date_and_its_number(written) -> None:
    header = docx.Document(str(written())).sections[0].header
    said = header.tables[0].rows[0].cells[2].text
    assert "Mã hiệu: QT-TP-01" in said
    assert "01/01" in said
    assert "theo quyết định ban hành" in said
    assert "NUMPAGES" in header._element.xml


@pytest.mark.large
@pytest.mark.skipif(convert.available() is not None, reason="LibreOffice in its sandbox is not here")
def test_a_word_processor_shows_it_on_three_pages(written, tmp_path: Path) -> None:
    import pypdfium2

    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation=file://{tmp_path}/p",
            "--headless",
            "--convert-to",
            "pdf",
            "--outdir",
            tmp_path,
            written(),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    pdf = pypdfium2.PdfDocument(io.BytesIO((tmp_path / "template.pdf").read_bytes()))
    pages = [page.get_textpage().get_text_bounded() for page in pdf]
    assert len(pages) == 3
    assert "Trang: 2/3" in pages[1]
    assert "QUY TRÌNH ĐĂNG KÝ KHAI SINH" in " ".join(pages[0].split())
    pdf.close()
