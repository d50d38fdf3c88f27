"""The text of scans: each page is drawn in a worker and read by tesseract, in the background, as words nobody has proofed."""

import functools
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from docctl.files import extract
from docctl.files.kinds import Kind
from docctl.files.process import run_and_kill
from docctl.files.readers import NotExtractable, tidy
from docctl.rules import Sentence

MAX_PAGES = 300
PAGE_SECONDS = 60

NO_TESSERACT = Sentence(
    "Tệp là bản quét, không có lớp chữ, và máy chủ chưa cài tesseract với tiếng Việt (vie) để nhận dạng.",
    "The file is a scan without a text layer, and tesseract with Vietnamese (vie) is not installed on the server to read it.",
)
TOO_MANY = Sentence(
    "Tệp là bản quét quá {n} trang nên không được nhận dạng; hãy tách tệp.",
    "The file is a scan of more than {n} pages and is not read; split it.",
)
NOTHING = Sentence(
    "Tệp là bản quét và máy không nhận dạng được chữ nào; hãy quét lại rõ hơn hoặc tải lên bản có lớp chữ.",
    "The file is a scan and no words could be recognised; scan it more clearly, or upload one with a text layer.",
)

# Kilobytes of address space, seconds of CPU, blocks of 512 bytes in one file; then the command.
_LIMITED = 'ulimit -v 1048576; ulimit -t "$1"; ulimit -f 65536; ulimit -c 0; shift; exec "$@"'


@functools.cache
def available() -> bool:
    """Say whether this machine can read scans in Vietnamese (found out once)."""
    program = shutil.which("tesseract")
    if not program:
        return False
    with tempfile.TemporaryFile() as answer:
        done = run_and_kill([program, "--list-langs"], timeout=20, stdout=answer, environment=_environment())
        answer.seek(0)
        return done == 0 and b"vie" in answer.read().split()


def read(path: Path, text: str, scans: Sequence[int], *, going_on: Callable[[], bool] = lambda: True) -> str | None:
    """Return a PDF's text with the words of its scanned pages in their places; None when `going_on` says to stop.

    `text` is what the text layer gave, pages parted by form feeds; `scans` are page numbers from 1. Raises NotExtractable.
    """
    if len(scans) > MAX_PAGES:
        raise NotExtractable(TOO_MANY.fill(n=MAX_PAGES))
    pages = text.split("\f")
    pages += [""] * (max(scans, default=0) - len(pages))
    for number in scans:
        if not going_on():
            return None
        pages[number - 1] = _page(path, number)
    found = "\f".join(pages)
    if not any(page.strip() for page in pages):
        raise NotExtractable(NOTHING)
    return found


def _page(path: Path, number: int) -> str:
    """Return the words of one page; a page that cannot be drawn or takes too long has none."""
    with tempfile.TemporaryDirectory(prefix="docctl-") as folder:
        picture, out = Path(folder) / "page.pgm", Path(folder) / "page"
        try:
            drawn = extract.work("picture", path, Kind.PDF, PAGE_SECONDS, str(number), str(picture))["drawn"]
        except NotExtractable:
            return ""
        if not drawn:
            return ""
        program = shutil.which("tesseract") or "tesseract"
        command = ["/bin/sh", "-c", _LIMITED, "sh", str(PAGE_SECONDS), program, str(picture), str(out), "-l", "vie"]
        run_and_kill(command, timeout=PAGE_SECONDS, environment=_environment())
        result = out.with_suffix(".txt")
        if not result.is_file():
            return ""
        return tidy(result.read_text(encoding="utf-8", errors="replace").replace("\f", "\n"))


def _environment() -> dict[str, str]:
    # One thread: the office's server has other work to do.
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "OMP_THREAD_LIMIT": "1"}
