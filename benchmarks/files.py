"""Files measured: the redline of two books and the reading of texts, beside the plain libraries they stand on; `python -m benchmarks.files`."""

import argparse
import json
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from pathlib import Path

import docx
import pypdfium2
from reportlab.pdfgen.canvas import Canvas

from docctl import redline
from docctl.files import convert, extract, legacy
from docctl.files.kinds import Kind
from docctl.files.readers import read

RESULTS = Path(__file__).parent / "results" / "files.json"
ROUNDS = 3
PARAGRAPHS_A_PAGE = 12
WORDS = re.findall(
    r"\w+",
    "hồ sơ công dân cán bộ tiếp nhận trả kết quả thẩm định trình ký phòng ban thời hạn ngày làm việc quyết định thủ tục "
    "hành chính đăng ký khai sinh giấy tờ bản sao chứng thực lệ phí bộ phận một cửa ủy ban nhân dân",
)


@dataclass(frozen=True)
class Line:
    """One row of the table: seconds of ours, of the plain way, and their ratio."""

    what: str
    docctl: float
    plain: float
    beside: str

    @property
    def ratio(self) -> float:
        return self.docctl / self.plain


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.files", description=__doc__)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = [*redlines(options.pages), *readings(options.pages, Path(folder))]
    print(f"{options.pages} pages each, median of {ROUNDS}\n")
    print("| what | docctl s | plain s | docctl : plain | plain is |\n|---|--:|--:|--:|---|")
    for line in lines:
        print(f"| {line.what} | {line.docctl:.3f} | {line.plain:.3f} | {line.ratio:.2f} | {line.beside} |")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    rows = [{**asdict(line), "ratio": line.ratio} for line in lines]
    options.out.write_text(json.dumps({"pages": options.pages, "rounds": ROUNDS, "lines": rows}, indent=1) + "\n")


def book(pages: int, seed: int) -> list[str]:
    """Return the paragraphs of a book, a numbered heading at the beginning of each page."""
    chance = random.Random(seed)
    found = []
    for page in range(1, pages + 1):
        found.append(f"{page}. {' '.join(chance.choices(WORDS, k=5)).capitalize()}")
        found += [" ".join(chance.choices(WORDS, k=chance.randint(20, 60))) + "." for _ in range(PARAGRAPHS_A_PAGE - 1)]
    return found


def edited(paragraphs: list[str]) -> list[str]:
    """Change, drop, add and move some paragraphs, as an amendment does."""
    chance, found = random.Random(5), []
    for text in paragraphs:
        luck = chance.random()
        if luck < 0.03:
            continue
        words = text.split()
        if luck < 0.3:
            words[chance.randrange(len(words))] = chance.choice(WORDS)
        found.append(" ".join(words))
        if luck > 0.97:
            found.append(" ".join(chance.choices(WORDS, k=30)) + ".")
    for _ in range(5):
        found.insert(chance.randrange(len(found)), found.pop(chance.randrange(len(found))))
    return found


def redlines(pages: int) -> list[Line]:
    old, new = book(pages, 1), edited(book(pages, 1))
    texts = "\n".join(old), "\n".join(new)

    def ours() -> object:
        return redline.compare(redline.blocks(texts[0]), redline.blocks(texts[1]))

    def paragraphs_only() -> object:
        return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()

    rare = ["\n".join(book(max(1, pages // 10), 1)), "\n".join(edited(book(max(1, pages // 10), 1)))]

    def all_words() -> object:
        return SequenceMatcher(None, rare[0].split(), rare[1].split(), autojunk=False).get_opcodes()

    tenth = [redline.blocks(text) for text in rare]
    return [
        Line("redline", timed(ours), timed(paragraphs_only), "difflib over whole paragraphs"),
        Line("redline, a tenth", timed(lambda: redline.compare(*tenth)), timed(all_words), "difflib over all words"),
    ]


def readings(pages: int, folder: Path) -> list[Line]:
    paragraphs = book(pages, 1)
    word, pdf = folder / "a.docx", folder / "a.pdf"
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    document.save(str(word))
    canvas = Canvas(str(pdf))
    for page in range(pages):
        for line in range(40):
            canvas.drawString(50, 800 - 18 * line, f"Page {page} line {line} of a plain document")
        canvas.showPage()
    canvas.save()

    def plain_word() -> object:
        return [paragraph.text for paragraph in docx.Document(str(word)).paragraphs]

    def plain_pdf() -> object:
        opened = pypdfium2.PdfDocument(pdf)
        texts = [page.get_textpage().get_text_bounded() for page in opened]
        opened.close()
        return texts

    old = "\n".join("C¨n cø NghÞ ®Þnh cña ChÝnh phñ vÒ viÖc tiÕp nhËn hå s¬" for _ in paragraphs)
    lines = [
        Line(".docx, in this process", timed(lambda: read(word, Kind.DOCX)), timed(plain_word), "python-docx"),
        Line(".pdf, in this process", timed(lambda: read(pdf, Kind.PDF)), timed(plain_pdf), "pypdfium2"),
        Line(
            ".docx, in a limited worker",
            timed(lambda: extract.extract_in_worker(word, Kind.DOCX)),
            timed(plain_word),
            "python-docx",
        ),
        Line(
            "TCVN3 rewritten",
            timed(lambda: legacy.read(old)),
            timed(lambda: read(word, Kind.DOCX)),
            "reading the .docx",
        ),
    ]
    if convert.available() is None:
        rtf = folder / "a.rtf"
        rtf.write_text("{\\rtf1 " + "\\par ".join(text.encode("ascii", "ignore").decode() for text in paragraphs) + "}")
        worker = timed(lambda: extract.extract_in_worker(word, Kind.DOCX))
        lines.append(
            Line(
                ".rtf by LibreOffice",
                timed(lambda: extract.extract_in_worker(rtf, Kind.RTF)),
                worker,
                ".docx in a worker",
            )
        )
    return lines


def timed(work: Callable[[], object]) -> float:
    """Return the median seconds of some rounds."""
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


if __name__ == "__main__":
    main()
