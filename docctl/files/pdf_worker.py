"""The process that opens PDFs: it limits itself, does one task that a JSON file tells, writes a JSON answer, and ends.

Started as `python -m docctl.files.pdf_worker TASK JOB SECONDS BYTES`; see `docctl.files.pdf`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from docctl.files.worker import limit

MAX_PIXELS = 24_000_000
MAX_WORDS = 20_000  # On one page; a page with more is a drawing.
FINE = 100_000  # Device units across a page when places of letters are asked for.


def examine(job: dict[str, Any]) -> dict[str, Any]:
    """Return how many pages and digital signatures a PDF has, or `problem`: locked or damaged."""
    import pypdfium2
    from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY, FPDF_GetSignatureCount

    try:
        pdf = pypdfium2.PdfDocument(job["path"])
    except pypdfium2.PdfiumError as error:
        return {"problem": "locked" if error.err_code in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY) else "damaged"}
    pages = len(pdf)
    signatures = max(0, FPDF_GetSignatureCount(pdf.raw))
    return {"pages": pages, "signatures": signatures} if pages else {"problem": "damaged"}


def draw(job: dict[str, Any]) -> dict[str, Any]:
    """Write pages as PNG pictures of a width in pixels, and the words of each with their places as JSON."""
    import pypdfium2

    pdf = pypdfium2.PdfDocument(job["path"])
    if job["forms"]:
        pdf.init_forms()
    drawn = []
    for number in job["pages"]:
        if not 1 <= number <= len(pdf):
            continue
        page = pdf[number - 1]
        width, height = page.get_size()
        scale = min(job["width"] / width, (MAX_PIXELS / (width * height)) ** 0.5)
        picture = page.render(scale=scale, rev_byteorder=True).to_pil().convert("RGB")
        picture.save(f"{job['into']}/{number}.png", compress_level=3)
        words = _words(page, width, height)
        told = {"width": picture.width, "height": picture.height, "words": words}
        Path(f"{job['into']}/{number}.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        drawn.append(number)
    return {"drawn": drawn}


def texts(job: dict[str, Any]) -> dict[str, Any]:
    """Return the text of every page."""
    import pypdfium2

    pdf = pypdfium2.PdfDocument(job["path"])
    return {"texts": [page.get_textpage().get_text_range() for page in pdf]}


def press(job: dict[str, Any]) -> dict[str, Any]:
    """Stamp a PDF and write the stamped copy."""
    from docctl.files.stamp import Mark, Sheet, stamp

    given = dict(job["sheet"])
    given["facts"] = tuple(tuple(row) for row in given["facts"])
    given["marks"] = tuple(Mark(**mark) for mark in given["marks"])
    Path(job["into"]).write_bytes(stamp(Path(job["path"]), Sheet(**given)))
    return {"done": True}


def signatures(job: dict[str, Any]) -> dict[str, Any]:
    """Check the digital signatures of a PDF against the trust roots in a folder, without any network."""
    from docctl.files.signatures import check

    return {"signatures": check(Path(job["path"]), Path(job["roots"]))}


def _words(page: Any, width: float, height: float) -> list[list[Any]]:
    """Return every word with its box as fractions of the page as it is looked at: left, top, right, bottom."""
    import ctypes

    from pypdfium2 import raw

    text = page.get_textpage()
    down = max(1, round(FINE * height / width))
    x, y = ctypes.c_int(), ctypes.c_int()

    def place(at_x: float, at_y: float) -> tuple[float, float]:
        raw.FPDF_PageToDevice(page.raw, 0, 0, FINE, down, 0, at_x, at_y, x, y)
        return x.value / FINE, y.value / down

    words: list[list[Any]] = []
    letters = ""
    box: tuple[float, ...] | None = None
    for index in range(text.count_chars()):
        letter = chr(raw.FPDFText_GetUnicode(text.raw, index))
        if letter.isspace() or not letter.isprintable():
            if letters and box:
                words.append([letters, *box])
            letters, box = "", None
            if len(words) >= MAX_WORDS:
                break
            continue
        left, bottom, right, top = text.get_charbox(index, loose=True)
        (x0, y0), (x1, y1) = place(left, bottom), place(right, top)
        corners = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        box = corners if box is None else (*map(min, box[:2], corners[:2]), *map(max, box[2:], corners[2:]))
        letters += letter
    if letters and box:
        words.append([letters, *box])
    return [[word, *(round(value, 5) for value in places)] for word, *places in words]


TASKS = {"examine": examine, "draw": draw, "texts": texts, "press": press, "signatures": signatures}


def main(arguments: list[str]) -> None:
    """Do one task and print its result."""
    task, job, seconds, memory = arguments
    limit(int(seconds), int(memory))
    json.dump(TASKS[task](json.loads(Path(job).read_text(encoding="utf-8"))), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
