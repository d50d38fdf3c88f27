"""The process that opens untrusted files: it limits itself, does one task, prints one JSON object, and ends.

Started as `python -m docctl.files.worker TASK PATH KIND SECONDS BYTES …`; see `docctl.files.extract`.
"""

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

MAX_PIXELS = 40_000_000  # Of one page, as a picture: A3 at 400 dpi has 31 million.


def limit(seconds: int, memory: int) -> None:
    """Bound this process for good: CPU seconds, bytes of address space, files, and no core dump."""
    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 256 << 20),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def text(path: Path, kind: str) -> dict[str, Any]:
    """Return the text of a file with what its format says of it, or the sentence why there is none."""
    from docctl.files.kinds import Kind
    from docctl.files.readers import NotExtractable, read

    try:
        found = read(path, Kind(kind))
    except NotExtractable as error:
        return {"vi": error.sentence.vi, "en": error.sentence.en}
    headings = [[heading.start, heading.level, heading.title] for heading in found.headings]
    return {
        "text": found.text,
        "rows": found.rows,
        "headings": headings,
        "encodings": found.encodings,
        "scans": found.scans,
    }


def probe(path: Path, kind: str) -> dict[str, Any]:
    """Say what is wrong with a PDF, `locked` by a password, `damaged` or nothing, and how many pages it has."""
    import pypdfium2
    from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

    try:
        pdf = pypdfium2.PdfDocument(path)
        pages = len(pdf)
        pdf.close()
    except pypdfium2.PdfiumError as error:
        locked = error.err_code in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY)
        return {"problem": "locked" if locked else "damaged", "pages": 0}
    return {"problem": "" if pages else "damaged", "pages": pages}


def picture(path: Path, kind: str, page: str, into: str) -> dict[str, Any]:
    """Draw one page of a PDF in grey, about 300 dots an inch, as a portable greymap that OCR reads."""
    import pypdfium2

    try:
        drawn = pypdfium2.PdfDocument(path)[int(page) - 1]
        width, height = drawn.get_size()
        scale = min(300 / 72, (MAX_PIXELS / max(1.0, width * height)) ** 0.5)
        bitmap = drawn.render(scale=scale, grayscale=True)
    except pypdfium2.PdfiumError:
        return {"drawn": False}
    with Path(into).open("wb") as file:
        file.write(b"P5 %d %d 255\n" % (bitmap.width, bitmap.height))
        rows = memoryview(bitmap.buffer).cast("B")
        for row in range(bitmap.height):
            file.write(rows[row * bitmap.stride : row * bitmap.stride + bitmap.width])
    return {"drawn": True}


def main(arguments: list[str]) -> None:
    """Do one task and print its result."""
    task, path, kind, seconds, memory, *more = arguments
    limit(int(seconds), int(memory))
    tasks: dict[str, Callable[..., dict[str, Any]]] = {"text": text, "probe": probe, "picture": picture}
    result = tasks[task](Path(path), kind, *more)
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
