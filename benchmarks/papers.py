"""Papers measured: stamping, pages to read, conversion; each beside the cheapest thing that could be done to the same file.

`python -m benchmarks.papers`. The Word file is made here; `--doc FILE` takes a real one.
"""

import argparse
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import docx
import pikepdf
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from docctl.files import convert, fonts, pdf
from docctl.files.kinds import Kind
from docctl.files.pages import WIDTHS, Pages
from docctl.files.stamp import Sheet, stamp

RESULTS = Path(__file__).parent / "results" / "papers.json"
PAGES, ROUNDS = 300, 5
SHEET = Sheet(
    office="Ủy ban nhân dân mẫu",
    code="QT-01",
    edition="Lần ban hành/sửa đổi 02/01",
    state="CÒN HIỆU LỰC từ 26/10/2022",
    printed="Tải về 25/11/2022 10:03.",
    url="https://iso.vidu.gov.vn/s/0123456789abcdefghijAB",
    watermark="BẢN IN KHÔNG KIỂM SOÁT",
    facts=(("Mã hiệu", "QT-01"),),
)


@dataclass(frozen=True)
class Line:
    """One row of the table: seconds of docctl and of what it is compared with."""

    what: str
    docctl: float
    beside: str
    baseline: float

    @property
    def ratio(self) -> float:
        """How many times the baseline docctl takes."""
        return self.docctl / self.baseline


def main() -> None:
    """Measure and print one table, and write it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.papers", description=__doc__)
    parser.add_argument("--doc", type=Path, help="a Word file of about 12 pages to convert")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = [*_stamping(Path(folder)), *_reading(Path(folder)), *_converting(Path(folder), options.doc)]
    print("| what | docctl, s | beside | s | ratio |\n|---|--:|---|--:|--:|")
    for line in lines:
        print(f"| {line.what} | {line.docctl:.3f} | {line.beside} | {line.baseline:.3f} | {line.ratio:.2f} |")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([asdict(line) | {"ratio": line.ratio} for line in lines], indent=1) + "\n")


def _stamping(folder: Path) -> list[Line]:
    source = _book(folder / "book.pdf")

    def copied() -> None:
        with pikepdf.open(source) as opened:
            opened.save(io.BytesIO())

    ours, copy = _median(lambda: stamp(source, SHEET)), _median(copied)
    worker = _median(lambda: pdf.press(source, SHEET))
    return [
        Line(f"stamp {PAGES} pages", ours, "open and save the same file", copy),
        Line(f"stamp {PAGES} pages in the limited worker, start included", worker, "stamp without the worker", ours),
    ]


def _reading(folder: Path) -> list[Line]:
    source, pages = folder / "book.pdf", Pages(folder / "pages")

    def page(number: int) -> Callable[[], object]:
        return lambda: pages.page(source, "ab" * 32, number, PAGES, width=WIDTHS[1])

    cold = statistics.median(_spent(page(number)) for number in range(1, 2 * ROUNDS, 2))
    warm = _median(page(1))
    return [Line("page image, warm", warm, "page image, cold (two pages are drawn)", cold)]


def _converting(folder: Path, given: Path | None) -> list[Line]:
    if sentence := convert.available():
        print(f"conversion left out: {sentence.en}")
        return []
    empty = folder / "empty.docx"
    docx.Document().save(empty)
    target = given or _letter(folder / "letter.docx")
    kind = Kind(target.suffix[1:].lower())
    made = convert.to_pdf(target, kind, folder)
    assert isinstance(made, Path), made
    length = pdf.examine(made).pages
    ours = _spent(lambda: convert.to_pdf(target, kind, folder))
    least = _spent(lambda: convert.to_pdf(empty, Kind.DOCX, folder))
    return [Line(f".{kind} of {length} pages to PDF", ours, "an empty .docx to PDF", least)]


def _book(path: Path) -> Path:
    fonts.use()
    canvas = Canvas(str(path))
    for number in range(PAGES):
        canvas.setPageSize(A4)
        canvas.setFont(fonts.REGULAR, 11)
        for line in range(40):
            canvas.drawString(60, 780 - 17 * line, f"Dòng {line} của trang {number}: hồ sơ đăng ký hộ tịch.")
        canvas.showPage()
    canvas.save()
    return path


def _letter(path: Path) -> Path:
    document = docx.Document()
    for line in range(430):
        document.add_paragraph(f"Điều {line}. Hồ sơ đăng ký hộ tịch nộp tại bộ phận tiếp nhận và trả kết quả.")
    document.save(path)
    return path


def _median(work: Callable[[], object]) -> float:
    return statistics.median(_spent(work) for _ in range(ROUNDS))


def _spent(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
