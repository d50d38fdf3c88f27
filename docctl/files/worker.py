"""The process that opens untrusted files: it limits itself, does one task, prints one JSON object, and ends.

Started as `python -m docctl.files.worker TASK PATH KIND SECONDS BYTES …`; see `docctl.files.extract`.
"""

import json
import resource
import sys
from collections.abc import Callable, Iterator
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
    """Say what is wrong with a PDF, and how many pages it has.

    Wrong are `locked` by a password, `damaged`, and `script`, `launch`, `program`, `archive`: what acts or is brought along.
    """
    import pypdfium2
    from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

    try:
        pdf = pypdfium2.PdfDocument(path)
        pages = len(pdf)
        pdf.close()
    except pypdfium2.PdfiumError as error:
        locked = error.err_code in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY)
        return {"problem": "locked" if locked else "damaged", "pages": 0}
    return {"problem": _brought(path) if pages else "damaged", "pages": pages}


def _brought(path: Path) -> str:
    """Say what a PDF does or brings that no document needs: `script`, `launch`, `program`, `archive`, or nothing (empty)."""
    import pikepdf

    from docctl.files.inside import strange

    try:
        with pikepdf.open(path) as pdf:
            for found in pdf.objects:
                for kept in _dictionaries(found):
                    act = str(kept.get("/S", ""))
                    if act == "/JavaScript" or "/JS" in kept:
                        return "script"
                    if act == "/Launch":
                        return "launch"
            for name, file in pdf.attachments.items():
                brought = strange(name, file.get_file().read_bytes()[:16])
                if brought:
                    return "program" if brought == "program" else "archive"
    except pikepdf.PdfError:
        return "damaged"
    return ""


def _dictionaries(found: Any, depth: int = 0) -> Iterator[Any]:
    """Yield an object's dictionary and those written inside of it; what it refers to comes as an object of its own."""
    import pikepdf

    if isinstance(found, pikepdf.Stream | pikepdf.Dictionary):
        yield found
        inner = [value for _, value in found.items()]
    elif isinstance(found, pikepdf.Array):
        inner = list(found)
    else:
        return
    for value in inner:
        if depth < 8 and isinstance(value, pikepdf.Object) and not value.is_indirect:
            yield from _dictionaries(value, depth + 1)


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
