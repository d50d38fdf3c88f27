"""What is read off covers, and what is left to a person."""

import csv
import unicodedata
from datetime import date
from pathlib import Path

import pytest

from docctl.files import convert
from docctl.files.extract import Extracted, extract_batch
from docctl.files.kinds import Kind
from docctl.importing.cover import Cover, read_cover

COVER = """ỦY BAN NHÂN DÂN
QUY TRÌNH
Mã hiệu: QT 05/VP
Tiếp nhận
và trả kết quả
Lần ban hành:
02

Lần sửa đổi: 01
Ngày ban hành: 26/10/2022
"""


def doubts(cover: Cover) -> dict[str, str]:
    return {doubt.field: doubt.sentence.vi for doubt in cover.doubts}


def differences(texts: dict[str, str], expected: Path) -> list[str]:
    wrong = []
    with expected.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            cover = read_cover(texts[row["file"]], Path(row["file"]).name)
            day, month, year = map(int, row["ngay_ban_hanh"].split("/"))
            wanted = (row["ma_hieu"], int(row["lan_ban_hanh"]), date(year, month, day), None, [])
            if (cover.code, cover.edition, cover.date, cover.amendment, cover.doubts) != wanted:
                wrong.append(f"{row['file']}: {cover}")
    return wrong


def test_all_38_real_procedures_are_read_off_their_text(shared_data: Path) -> None:
    folder = shared_data / "vn-iso-procedures"
    found = {
        p.relative_to(folder / "_text").with_suffix(".doc").as_posix(): p for p in (folder / "_text").rglob("*.txt")
    }
    texts = {name: path.read_text(encoding="utf-8") for name, path in found.items()}
    assert len(texts) == 38
    assert differences(texts, folder / "expected.tsv") == []


@pytest.mark.large
@pytest.mark.skipif(convert.available() is not None, reason="LibreOffice does not run here")
def test_all_38_real_procedures_are_read_off_their_doc_files(shared_data: Path) -> None:
    folder = shared_data / "vn-iso-procedures"
    results = extract_batch(dict.fromkeys(sorted(folder.rglob("*.doc")), Kind.DOC))
    texts = {p.relative_to(folder).as_posix(): r.text for p, r in results.items() if isinstance(r, Extracted)}
    assert len(texts) == 38
    assert differences(texts, folder / "expected.tsv") == []


def test_titles_are_those_of_the_cover_also_over_several_lines(shared_data: Path) -> None:
    folder = shared_data / "vn-iso-procedures" / "_text" / "quy_trinh_cap_ho_tich_cap_xa"
    for number, title in {
        "20": "Đăng ký giám hộ có yếu tố nước ngoài",
        "33": "Cấp Giấy xác nhận tình trạng hôn nhân",
        "35": "Xác nhận thông tin hộ tịch",
    }.items():
        (path,) = folder.glob(f"{number}. *")
        assert read_cover(path.read_text(encoding="utf-8"), path.name).title == title


def test_labels_and_values_on_one_line_on_two_lines_and_in_cells() -> None:
    expected = Cover("QT 05/VP", "Tiếp nhận và trả kết quả", 2, 1, date(2022, 10, 26))
    assert read_cover(COVER, "x.doc") == expected
    one_line = "QUY TRÌNH\nTiếp nhận và trả kết quả\nMã hiệu: QT 05/VP Lần ban hành: 02 Lần sửa đổi: 01 Ngày ban hành: 26/10/2022"
    assert read_cover(one_line, "x.doc") == expected
    cells = "QUY TRÌNH\nTiếp nhận và trả kết quả\nMã hiệu\tLần ban hành\tLần sửa đổi\tNgày ban hành\nQT 05/VP\t02\t01\t26/10/2022"
    assert read_cover(cells, "x.doc") == expected
    combined = COVER.replace("Lần ban hành:\n02\n\nLần sửa đổi: 01", "Lần ban hành/sửa đổi: 02/01")
    assert read_cover(combined, "x.doc") == expected


@pytest.mark.parametrize(
    "written",
    [
        "26/10/2022",
        "26-10-2022",
        "26.10.2022",
        "26 / 10 / 2022",
        "2022-10-26",
        "ngày 26 tháng 10 năm 2022",
        "26 October 2022",
    ],
)
def test_one_day_is_written_in_many_ways(written: str) -> None:
    assert read_cover(COVER.replace("26/10/2022", written), "x.doc").date == date(2022, 10, 26)


def test_decomposed_letters_are_read_too() -> None:
    assert read_cover(unicodedata.normalize("NFD", COVER), "x.doc").title == "Tiếp nhận và trả kết quả"


def test_a_day_that_does_not_exist_is_a_doubt_and_no_date() -> None:
    cover = read_cover(COVER.replace("26/10/2022", "31/02/2022"), "x.doc")
    assert cover.date is None
    assert doubts(cover) == {"date": "Bìa ghi ngày 31/02/2022, là ngày không tồn tại."}


@pytest.mark.parametrize("written", ["…/…/2022", "ngày … tháng … năm 2022", "2022", "26/10/22"])
def test_an_incomplete_date_is_a_doubt_and_no_date(written: str) -> None:
    cover = read_cover(COVER.replace("26/10/2022", written), "x.doc")
    assert cover.date is None
    assert set(doubts(cover)) == {"date"}


def test_contradictions_are_named_and_nothing_is_chosen() -> None:
    cover = read_cover(COVER + "Ngày ban hành: 27/10/2022\nMã hiệu: QT 06/VP\n", "x.doc")
    assert cover.date is None
    assert cover.code is None
    assert doubts(cover) == {
        "code": "Bìa ghi nhiều mã khác nhau: QT 05/VP, QT 06/VP.",
        "date": "Bìa ghi nhiều ngày ban hành khác nhau: 26/10/2022, 27/10/2022.",
    }


def test_what_a_running_header_repeats_is_no_contradiction() -> None:
    assert read_cover(COVER + "Mã hiệu: QT 05/VP\nLần ban hành: 2\n", "x.doc").doubts == []


def test_the_effective_date_is_kept_apart_and_stands_in_for_a_missing_date_of_issue() -> None:
    both = read_cover(COVER + "Ngày hiệu lực: 01/11/2022\n", "x.doc")
    assert (both.date, both.effective) == (date(2022, 10, 26), date(2022, 11, 1))
    only = read_cover(COVER.replace("Ngày ban hành", "Có hiệu lực từ ngày"), "x.doc")
    assert (only.date, only.effective) == (date(2022, 10, 26), date(2022, 10, 26))


def test_an_english_date_that_may_be_read_two_ways_is_a_doubt() -> None:
    english = "PROCEDURE\nControl of documents\nDocument No: QP-07\nEdition: 3\nEffective date: {}\n"
    cover = read_cover(english.format("03/04/2020"), "x.docx")
    assert (cover.code, cover.title, cover.edition, cover.date) == ("QP-07", "Control of documents", 3, None)
    assert "03/04/2020" in doubts(cover)["effective"]
    assert read_cover(english.format("26/10/2022"), "x.docx").date == date(2022, 10, 26)


def test_a_revision_alone_is_neither_edition_nor_amendment_until_a_person_says() -> None:
    cover = read_cover("Document No: QP-07\nRevision: 04\n", "x.docx")
    assert (cover.edition, cover.amendment) == (None, None)
    assert "Revision 04" in doubts(cover)["edition"]


@pytest.mark.parametrize("written", ["......", "QT-XX/VP", "sẽ cấp sau", "Đăng ký khai sinh"])
def test_a_code_that_is_none_is_not_taken_for_one(written: str) -> None:
    cover = read_cover(COVER.replace("QT 05/VP", written), "x.doc")
    assert cover.code is None
    assert "code" in doubts(cover)


def test_the_table_of_changes_is_not_read_as_the_cover() -> None:
    cover = read_cover(COVER.replace("Lần sửa đổi: 01\n", "") + "BẢNG THEO DÕI SỬA ĐỔI\nLần sửa đổi\n3\n", "x.doc")
    assert cover.amendment is None


def test_a_form_about_changes_keeps_its_title() -> None:
    form = COVER.replace("QUY TRÌNH", "BIỂU MẪU").replace(
        "Tiếp nhận\nvà trả kết quả", "Phiếu theo dõi thay đổi tài liệu"
    )
    cover = read_cover(form.replace("Mã hiệu: QT 05/VP\n", "").replace("Lần ban", "Mã hiệu: BM 05\nLần ban"), "x.doc")
    assert (cover.title, cover.code, cover.edition) == ("Phiếu theo dõi thay đổi tài liệu", "BM 05", 2)


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ("SỔ TAY CHẤT LƯỢNG", "SỔ TAY CHẤT LƯỢNG"),
        ("CHÍNH SÁCH\nChính sách chất lượng", "Chính sách chất lượng"),
        ("QUY TRÌNH TIẾP DÂN", "QUY TRÌNH TIẾP DÂN"),
    ],
)
def test_a_heading_that_says_more_than_the_kind_of_document_is_its_title(heading: str, title: str) -> None:
    cover = read_cover(COVER.replace("QUY TRÌNH", heading).replace("Tiếp nhận\nvà trả kết quả\n", ""), "x.doc")
    assert cover.title == title
    assert cover.doubts == []


def test_a_paper_without_a_cover_gives_doubts_and_the_title_of_its_file() -> None:
    cover = read_cover("Mã số thuế của doanh nghiệp được ghi ở mục 3.\nCode of conduct\n", "07. Ghi chú họp.docx")
    assert cover.title == "Ghi chú họp"
    assert cover.code is None
    assert set(doubts(cover)) == {"code", "title", "edition", "date"}


def test_an_official_paper_bears_its_date_beside_its_place() -> None:
    paper = "CHÍNH PHỦ\nSố: 82/2018/NĐ-CP\nHà Nội, ngày 22 tháng 5 năm 2018\nNGHỊ ĐỊNH\n"
    assert read_cover(paper, "x.doc").date == date(2018, 5, 22)


def test_real_papers_without_covers_give_no_invented_codes(shared_data: Path) -> None:
    plain = [
        *(shared_data / "qms-md").rglob("*.md"),
        *(shared_data / "vn-legacy-encoding" / "ground-truth").glob("*.txt"),
    ]
    assert len(plain) > 50
    covers = {path.name: read_cover(path.read_text(encoding="utf-8"), path.name) for path in plain}
    assert {name: cover.code for name, cover in covers.items() if cover.code} == {}
    assert all("code" in doubts(cover) for cover in covers.values())
    assert covers["Quality-Policy.md"].date == date(2025, 10, 28)


def test_hostile_strings_are_read_without_harm(shared_data: Path) -> None:
    naughty = (shared_data / "lists" / "blns.txt").read_text(encoding="utf-8")
    for line in naughty.splitlines():
        cover = read_cover(f"Mã hiệu: {line}\nLần ban hành: {line}\nNgày ban hành: {line}\n", f"{line}.doc")
        assert cover.code is None or len(cover.code) <= 40
    assert read_cover("{code} {0}\nMã hiệu: {value}\n", "{x}.doc").title == "{x}"
    assert read_cover("", "").code is None
