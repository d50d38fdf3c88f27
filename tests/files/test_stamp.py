"""Every sheet says what it is, whichever way it lies: read back from the PDF, letter by letter, and scanned."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from PIL import ImageChops
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from docctl.files import fonts
from docctl.files.stamp import Mark, Sheet, stamp

LETTERS = (
    "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụưừửữứựvxyỳỷỹýỵ"
    "AÀẢÃÁẠĂẰẲẴẮẶÂẦẨẪẤẬBCDĐEÈẺẼÉẸÊỀỂỄẾỆGHIÌỈĨÍỊKLMNOÒỎÕÓỌÔỒỔỖỐỘƠỜỞỠỚỢPQRSTUÙỦŨÚỤƯỪỬỮỨỰVXYỲỶỸÝỴ"
)
URL = "https://iso.vidu.gov.vn/s/0123456789abcdefghijAB"
SHEET = Sheet(
    office="Ủy ban nhân dân huyện Mẫu",
    code="QT-TP-01",
    edition="Lần ban hành/sửa đổi 02/01",
    state="CÒN HIỆU LỰC từ 26/10/2022 · Quyết định 2804/QĐ-UBND",
    printed="Tải về 25/11/2022 10:03. Quét mã để biết giấy này còn hiệu lực không.",
    url=URL,
    watermark="BẢN IN KHÔNG KIỂM SOÁT",
)
SAID = (SHEET.office, SHEET.code, SHEET.edition, SHEET.state, SHEET.printed)


@pytest.fixture
def sheets(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a PDF of a size, turned and cropped as asked."""

    def make(
        pages: int = 1, *, size: tuple[float, float] = A4, turned: int = 0, crop: tuple[float, ...] | None = None
    ) -> Path:
        fonts.use()
        path = tmp_path / "tờ.pdf"
        canvas = Canvas(str(path))
        for number in range(1, pages + 1):
            canvas.setPageSize(size)
            canvas.setFont(fonts.REGULAR, 12)
            canvas.drawString(size[0] / 2, size[1] / 2, f"Nội dung {number}")
            canvas.showPage()
        canvas.save()
        with pikepdf.open(path, allow_overwriting_input=True) as pdf:
            for page in pdf.pages:
                if turned:
                    page.obj["/Rotate"] = turned
                if crop:
                    page.obj["/CropBox"] = pikepdf.Array(crop)
            pdf.save(path)
        return path

    return make


def said(made: bytes, page: int = 0) -> str:
    """Return the text of a page on one line."""
    return " ".join(pypdfium2.PdfDocument(made)[page].get_textpage().get_text_range().split())


def scanned(made: bytes, page: int = 0) -> list[zxingcpp.Barcode]:
    """Return the codes that a scanner finds on a page printed at 216 dots to the inch."""
    return zxingcpp.read_barcodes(pypdfium2.PdfDocument(made)[page].render(scale=3).to_pil())


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("size", [A4, landscape(A4)], ids=["portrait", "landscape"])
def test_a_sheet_is_stamped_upright_however_it_lies(
    sheets: Callable[..., Path], size: tuple[float, float], turned: int
) -> None:
    made = stamp(sheets(size=size, turned=turned), SHEET)
    page = pypdfium2.PdfDocument(made)[0]
    width, height = page.get_size()
    text = said(made)
    for words in (*SAID, SHEET.watermark, "Trang 1/1"):
        assert words in text, words
    (code,) = scanned(made)
    assert code.text == URL
    # The code stands upright in the corner at the right below, as the sheet is looked at.
    assert abs(code.orientation) <= 2
    corner = code.position.bottom_right
    assert corner.x > width * 3 - 120
    assert corner.y > height * 3 - 120


def test_a_cropped_sheet_is_stamped_inside_of_what_is_seen(sheets: Callable[..., Path]) -> None:
    for turned in (0, 90):
        made = stamp(sheets(crop=(100, 150, 500, 700), turned=turned), SHEET)
        (code,) = scanned(made)
        assert code.text == URL
        assert "Trang 1/1" in said(made)


def test_every_vietnamese_letter_comes_back_from_the_sheet(sheets: Callable[..., Path]) -> None:
    half = len(LETTERS) // 2
    made = stamp(
        sheets(size=(1400, 800)), replace(SHEET, state=LETTERS[:half], printed=LETTERS[half:], watermark="ĐỀ XUẤT")
    )
    text = said(made)
    assert LETTERS[:half] in text
    assert LETTERS[half:] in text


def test_pages_are_numbered_through_to_the_signature_page(sheets: Callable[..., Path]) -> None:
    mark = Mark("Phê duyệt", "Phó Chủ tịch", "Phó Chủ tịch (KT. CHỦ TỊCH)", "25/10/2022 09:00", "0123456789abcdef" * 4)
    made = stamp(sheets(3), replace(SHEET, facts=(("Mã hiệu", "QT-TP-01"),), marks=(mark,), remark="Ghi chú."))
    assert [f"Trang {number}/4" in said(made, number - 1) for number in range(1, 5)] == [True] * 4
    last = said(made, 3)
    for words in ("TRANG CHỮ KÝ", mark.meaning, "KT. CHỦ TỊCH", mark.at, "0123456789abcdef", "Ghi chú."):
        assert words in last, words
    assert scanned(made, 3)[0].text == URL


def test_many_signatures_run_on_over_pages_that_are_stamped_too(sheets: Callable[..., Path]) -> None:
    mark = Mark("Đã xem xét, đồng ý", "Người ký", "Chức danh", "25/10/2022 09:00", "ab" * 32)
    made = stamp(sheets(1), replace(SHEET, marks=(mark,) * 60))
    pages = len(pypdfium2.PdfDocument(made))
    assert pages > 3
    assert f"Trang {pages}/{pages}" in said(made, pages - 1)


def test_a_warning_across_the_sheet_is_red_and_another_grey(sheets: Callable[..., Path]) -> None:
    def reddest(sheet: Sheet) -> int:
        red, green, _blue = (
            pypdfium2.PdfDocument(stamp(sheets(), sheet))[0].render(scale=1).to_pil().convert("RGB").split()
        )
        return int(ImageChops.subtract(red, green).getextrema()[1])

    assert reddest(replace(SHEET, watermark="HẾT HIỆU LỰC", void=True)) > 30
    assert reddest(SHEET) < 5


def test_pages_that_share_resources_and_one_that_leaves_its_state_open_are_stamped_right(tmp_path: Path) -> None:
    path = tmp_path / "chung.pdf"
    pdf = pikepdf.new()
    shared = pdf.make_indirect(pikepdf.Dictionary(XObject=pikepdf.Dictionary()))
    for _ in range(2):
        pdf.add_blank_page(page_size=A4)
    for page in pdf.pages:
        page.obj["/Resources"] = shared
        page.obj["/Contents"] = pdf.make_stream(b"0.2 0 0 0.2 100 100 cm 0 0 50 50 re f")
    pdf.save(path)
    made = stamp(path, SHEET)
    for number in (0, 1):
        assert f"Trang {number + 1}/2" in said(made, number)
        assert scanned(made, number)[0].text == URL


def test_the_source_is_only_read_and_the_same_sheet_gives_the_same_bytes(sheets: Callable[..., Path]) -> None:
    source = sheets(2)
    before = source.read_bytes()
    assert stamp(source, SHEET) == stamp(source, SHEET)
    assert source.read_bytes() == before
    assert pikepdf.open(io.BytesIO(stamp(source, SHEET))).check_pdf_syntax() == []
