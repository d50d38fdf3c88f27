"""The process that opens untrusted files: it limits itself, does one task, prints one JSON object, and ends.

Started as `python -m docctl.files.worker TASK PATH KIND SECONDS BYTES`; see `docctl.files.extract`.
"""

import json
import resource
import sys
from pathlib import Path


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


def text(path: Path, kind: str) -> dict[str, str]:
    """Return the text of a file, or the sentence why there is none."""
    from docctl.files.kinds import Kind
    from docctl.files.readers import NotExtractable, read

    try:
        return {"text": read(path, Kind(kind))}
    except NotExtractable as error:
        return {"vi": error.sentence.vi, "en": error.sentence.en}


def probe(path: Path, kind: str) -> dict[str, str]:
    """Say what is wrong with a PDF: `locked` by a password, `damaged`, or nothing."""
    import pypdfium2
    from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

    try:
        pdf = pypdfium2.PdfDocument(path)
        pages = len(pdf)
        pdf.close()
    except pypdfium2.PdfiumError as error:
        return {"problem": "locked" if error.err_code in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY) else "damaged"}
    return {"problem": "" if pages else "damaged"}


def main(arguments: list[str]) -> None:
    """Do one task and print its result."""
    task, path, kind, seconds, memory = arguments
    limit(int(seconds), int(memory))
    result = {"text": text, "probe": probe}[task](Path(path), kind)
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
