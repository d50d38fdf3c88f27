"""What the writers promise: every row in every format, text that stays text, a head on each page, and true page counts."""

import csv
import io
import os
import re
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pypdfium2
import pytest
from docx import Document
from python_calamine import CalamineWorkbook

from docctl import exporting
from docctl.audit import Head
from docctl.exporting import Block, Paper, Signer

HEADINGS = ("STT", "Mã", "Tên tài liệu", "Ngày hiệu lực", "Ghi chú")
FORMULA = '=HYPERLINK("http://127.0.0.1";"bấm")'
ODD = "Quy trình <b>đậm</b> & “trích”\x07 số 1-2"


def rows(count: int) -> list[list[str | int | date | None]]:
    titles = [FORMULA, ODD, "Quy trình tiếp nhận và giải quyết hồ sơ đăng ký lại khai sinh có yếu tố nước ngoài"]
    return [
        [number, f"QT {number:03d}/TP", titles[number % 3], date(2022, 10, 26), None] for number in range(1, count + 1)
    ]


def paper(count: int = 120, **given: object) -> Paper:
    values: dict[str, object] = {
        "title": "Danh mục tài liệu nội bộ",
        "office": "Ủy ban nhân dân huyện mẫu",
        "code": "F2",
        "made_at": datetime(2022, 10, 26, 3, 5, tzinfo=UTC),
        "blocks": [
            Block("I. Tài liệu còn hiệu lực", HEADINGS, rows(count)),
            Block("II. Tài liệu hết hiệu lực", HEADINGS, rows(7)),
        ],
        "head": Head(4711, "c0ffee" * 10 + "abcd"),
        "signers": [Signer("Người lập"), Signer("Trưởng ban ISO", "Chức danh")],
    }
    return Paper(**{**values, **given})  # type: ignore[arg-type]


def pages_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [document[number].get_textpage().get_text_range() for number in range(len(document))]
    finally:
        document.close()


def test_a_workbook_has_every_row_and_a_title_that_begins_with_an_equals_sign_is_text() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(exporting.write(paper(), "xlsx")))
    first, second, about = (book.get_sheet_by_index(number).to_python() for number in range(3))
    assert [len(first), len(second)] == [1 + 120, 1 + 7]
    assert first[0] == list(HEADINGS)
    assert first[3] == [3, "QT 003/TP", FORMULA, date(2022, 10, 26), ""]
    assert first[1][2] == ODD.replace("\x07", "")
    assert any("c0ffee" in str(row[0]) for row in about)


def test_a_workbook_holds_no_formula_and_no_link() -> None:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(exporting.write(paper(), "xlsx"))) as file:
        sheets = "".join(file.read(name).decode() for name in file.namelist() if "sheets/sheet" in name)
    assert "<f>" not in sheets
    assert "<hyperlink" not in sheets


def test_every_page_of_a_pdf_says_office_form_day_page_and_head_of_the_trail_and_repeats_the_head_of_the_table() -> (
    None
):
    pages = pages_of(exporting.write(paper(), "pdf"))
    assert len(pages) > 3
    for number, text in enumerate(pages, start=1):
        assert f"Trang {number}/{len(pages)}" in text
        assert "Ủy ban nhân dân huyện mẫu" in text
        assert "F2 · In ngày 26/10/2022 10:05" in text
        assert "Nhật ký đến mục 4711" in text
        if re.search(r"QT \d{3}/TP", text):
            assert "Tên tài liệu" in text
    found = re.findall(r"QT (\d{3})/TP", "".join(pages))
    assert [int(number) for number in found] == [*range(1, 121), *range(1, 8)]
    assert "<b>đậm</b> & “trích”" in "".join(pages)


def test_a_pdf_is_landscape_a4_unless_asked_otherwise() -> None:
    for landscape, wide in ((True, 842), (False, 595)):
        document = pypdfium2.PdfDocument(exporting.write(paper(3, landscape=landscape), "pdf"))
        assert round(document[0].get_width()) == wide
        document.close()


def test_a_text_longer_than_a_page_is_split_and_not_lost() -> None:
    long = " ".join(f"từ{number}" for number in range(3000))
    block = Block("", HEADINGS, [[1, "QT 01", long, None, "cuối"]])
    pages = pages_of(exporting.write(paper(blocks=[block]), "pdf"))
    assert len(pages) > 1
    assert re.sub(r"\s", "", "".join(pages)).count("từ2999") == 1


def test_a_word_document_has_every_row_repeats_its_head_and_counts_its_pages() -> None:
    document = Document(io.BytesIO(exporting.write(paper(), "docx")))
    first, second, signing = document.tables
    assert [len(first._tbl.tr_lst), len(second._tbl.tr_lst), len(signing.rows)] == [121, 8, 1]
    assert first._tbl.tr_lst[0].xpath("./w:trPr/w:tblHeader")
    assert [cell.text for cell in first.rows[3].cells][:4] == ["3", "QT 003/TP", FORMULA, "26/10/2022"]
    section = document.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (297, 210)
    assert section.footer._element.xpath(".//w:fldSimple/@w:instr") == [" PAGE ", " NUMPAGES "]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_a_word_document_renders_to_the_page_count_it_says(tmp_path: Path) -> None:
    source = tmp_path / "register.docx"
    source.write_bytes(exporting.write(paper(), "docx"))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120, env={**os.environ, "HOME": str(tmp_path)})
    pages = pages_of((tmp_path / "register.pdf").read_bytes())
    assert len(pages) > 3
    for number, text in enumerate(pages, start=1):
        assert f"Trang {number}/{len(pages)}" in text
        assert "Nhật ký đến mục 4711" in text
        if re.search(r"QT \d{3}/TP", text):
            assert "Tên tài liệu" in text
    found = re.findall(r"QT (\d{3})/TP", "".join(pages))
    assert [int(number) for number in found] == [*range(1, 121), *range(1, 8)]


def test_text_with_commas_has_every_row_with_its_table_and_runs_nothing_in_a_spreadsheet() -> None:
    written = exporting.write(paper(), "csv")
    assert written.startswith(b"\xef\xbb\xbf")
    found = list(csv.reader(io.StringIO(written.decode("utf-8-sig"))))
    assert len(found) == 1 + 120 + 7
    assert found[3] == ["I. Tài liệu còn hiệu lực", "3", "QT 003/TP", f"'{FORMULA}", "2022-10-26", ""]
    assert found[-1][0] == "II. Tài liệu hết hiệu lực"


@pytest.mark.parametrize("format", exporting.FORMATS)
def test_a_paper_without_rows_or_head_can_be_written_too(format: str) -> None:
    bare = paper(blocks=[Block("Không có", HEADINGS, [])], head=None, signers=(), locale="en", motto=True)
    assert exporting.write(bare, format)
    if format == "pdf":
        [page] = pages_of(exporting.write(bare, format))
        assert "There are no rows." in page
        assert "Độc lập - Tự do - Hạnh phúc" in page


def crowded(columns: int) -> Block:
    """A table with so many columns that hardly a word has room: codes, dates, numbers of laws, names, and an opinion."""
    cells = (
        "QT-LDTBXH-12",
        "26/10/2022",
        "104/2022/NĐ-CP",
        "Chuyên viên tổng hợp",
        "Đồng ý, cần sửa cả biểu mẫu kèm theo",
    )
    heads = ("Mã tài liệu", "Ngày hiệu lực", "Văn bản pháp luật", "Người đề nghị", "Ý kiến")
    row = [cells[number % 5] for number in range(columns)]
    return Block("", [heads[number % 5] for number in range(columns)], [row] * 3)


def parts(word: str) -> list[str]:
    """Return a word, and what it may be broken into: pieces that end with a stroke or a dash, alone or several together."""
    pieces = re.split(r"(?<=[/-])", word)
    return ["".join(pieces[begin:end]) for begin in range(len(pieces)) for end in range(begin + 1, len(pieces) + 1)]


@pytest.mark.parametrize("columns", [5, 12, 18, 21])
def test_no_word_is_broken_but_after_a_stroke_or_a_dash(columns: int) -> None:
    block = crowded(columns)
    (text,) = pages_of(exporting.write(paper(blocks=[block], signers=[]), "pdf"))
    said = text.split()
    known = {word for line in (*block.rows, block.headings) for cell in line for word in str(cell).split()}
    allowed = {part for word in known for part in parts(word)}
    assert [one for one in said if one not in allowed and any(one in word for word in known)] == []
    for whole in ("Đồng", "biểu", "26/10/2022", "Chuyên"):
        assert whole in said


def test_letters_that_the_font_lacks_are_printed_all_the_same(tmp_path: Path) -> None:
    said = "5.2: 05 ngày → 03 ngày, ≠ α ☐ ☑ 中"
    file = exporting.write(paper(blocks=[Block("", ["Nội dung (cũ → mới)"], [[said], ["→"]])], signers=[]), "pdf")
    (text,) = pages_of(file)
    assert "05 ngày → 03 ngày, ≠ α" in text
    assert "(cũ → mới)" in text
    assert text.count("→") == 3
    assert "?" in text, "a letter that no font has is at least seen to be missing"


def test_a_table_that_fills_its_page_leaves_no_empty_page_behind() -> None:
    for lines in range(1, 9):
        for count in range(20, 30):
            listed = [*rows(count), [count, "", "\n".join(["Tên"] * lines), None, None]]
            last = pages_of(exporting.write(paper(blocks=[Block("", HEADINGS, listed)], signers=[]), "pdf"))[-1]
            assert "Tên tài liệu" in last, (count, lines)


def test_whoever_signs_alone_signs_on_the_right() -> None:
    file = exporting.write(paper(3, signers=[Signer("TM. ỦY BAN\nCHỦ TỊCH", "Người ký mẫu")]), "pdf")
    document = pypdfium2.PdfDocument(file)
    page = document[0]
    words = page.get_textpage()
    found = words.search("Người ký mẫu").get_next()
    assert words.get_charbox(found[0])[0] > page.get_width() / 2
    document.close()
