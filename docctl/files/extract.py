"""The text of files, read in processes that a hostile file can neither hang nor fill nor leave."""

import json
import math
import os
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docctl
from docctl.files import convert
from docctl.files.kinds import Kind
from docctl.files.process import run_and_kill
from docctl.files.readers import READERS, Heading, NotExtractable, Reading, read
from docctl.rules import Sentence

MEMORY = 512 << 20  # Bytes of address space of a worker.

TOO_SLOW = Sentence(
    "Đọc chữ trong tệp quá {seconds} giây nên đã dừng; tệp gốc vẫn được giữ nguyên.",
    "Reading the text took more than {seconds} seconds and was stopped; the original is kept as it is.",
)
TOO_HEAVY = Sentence(
    "Đọc chữ trong tệp cần quá nhiều bộ nhớ hoặc tệp làm hỏng bộ đọc nên đã dừng; tệp gốc vẫn được giữ nguyên.",
    "Reading the text needs too much memory or breaks the reader, and was stopped; the original is kept as it is.",
)


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was read out of a file, and how: a kind's name, or `libreoffice`. See `readers.Reading` for the rest."""

    text: str
    method: str
    rows: tuple[tuple[int, ...], ...] = ()
    headings: tuple[Heading, ...] = ()
    encodings: tuple[str, ...] = ()
    scans: tuple[int, ...] = ()


def extract(path: Path, kind: Kind) -> Extracted:
    """Return the text of a file that is trusted, read in this very process; raises NotExtractable."""
    if kind in convert.CONVERTED:
        return extract_in_worker(path, kind)
    return _extracted(read(path, kind), kind.value)


def extract_in_worker(path: Path, kind: Kind, *, timeout: float = 60) -> Extracted:
    """Return the text of any file, read in a limited process (.doc, .rtf and .xls in the sandbox of LibreOffice).

    Raises NotExtractable, also when the file takes more than `timeout` seconds or MEMORY bytes.
    """
    if kind not in convert.CONVERTED:
        return _extracted(_read_in_worker(path, kind, timeout), kind.value)
    result = extract_batch({path: kind}, timeout=timeout)[path]
    if isinstance(result, NotExtractable):
        raise result
    return result


def extract_batch(files: Mapping[Path, Kind], *, timeout: float = 60) -> dict[Path, Extracted | NotExtractable]:
    """Return the text of many files, or why there is none, file by file; one run of LibreOffice serves them all.

    `timeout` is the seconds that any one file may take.
    """
    with tempfile.TemporaryDirectory(prefix="docctl-") as folder:
        wanted = {path: kind for path, kind in files.items() if kind in convert.CONVERTED}
        converted = convert.convert_batch(wanted, Path(folder), timeout=timeout)
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as workers:
            results = workers.map(lambda path: _result(path, files[path], converted.get(path), timeout), files)
            return dict(zip(files, results, strict=True))


def _result(path: Path, kind: Kind, converted: Path | Sentence | None, timeout: float) -> Extracted | NotExtractable:
    try:
        if isinstance(converted, Path):
            return _extracted(_read_in_worker(converted, Kind(converted.suffix[1:]), timeout), "libreoffice")
        if kind in READERS:
            return _extracted(_read_in_worker(path, kind, timeout), kind.value)
    except NotExtractable as error:
        # Where LibreOffice was needed, why it gave nothing says more than why the reader in its place failed.
        return NotExtractable(converted) if isinstance(converted, Sentence) else error
    return NotExtractable(converted if isinstance(converted, Sentence) else convert.LOST)


def probe_pdf(path: Path, *, timeout: float = 20) -> tuple[str, int]:
    """Open a PDF in a worker; return what is wrong with it (see `worker.probe`; empty: nothing) and how many pages it has."""
    try:
        found = work("probe", path, Kind.PDF, timeout)
    except NotExtractable:
        return "damaged", 0
    return str(found["problem"]), int(found["pages"])


def _extracted(found: Reading, method: str) -> Extracted:
    return Extracted(found.text, method, found.rows, found.headings, found.encodings, found.scans)


def _read_in_worker(path: Path, kind: Kind, timeout: float) -> Reading:
    result = work("text", path, kind, timeout)
    if "text" not in result:
        raise NotExtractable(Sentence(result["vi"], result["en"]))
    return Reading(
        text=result["text"],
        rows=tuple(map(tuple, result["rows"])),
        headings=tuple(Heading(*heading) for heading in result["headings"]),
        encodings=tuple(result["encodings"]),
        scans=tuple(result["scans"]),
    )


def work(task: str, path: Path, kind: Kind, timeout: float, *more: str) -> dict[str, Any]:
    """Run one task of `docctl.files.worker` and return what it printed; raises NotExtractable when it did not end well."""
    seconds = math.ceil(timeout)
    module = [sys.executable, "-P", "-s", "-m", "docctl.files.worker"]
    # Nothing of this process's environment, which holds secrets, reaches the worker.
    environment = {"PYTHONPATH": str(Path(docctl.__file__).parent.parent), "LANG": "C.UTF-8", "PATH": os.defpath}
    # A file takes the answer: unlike a pipe it is bounded by the worker's own limit on file size.
    with tempfile.TemporaryFile() as answer:
        arguments = [task, str(path.absolute()), kind.value, str(seconds), str(MEMORY), *more]
        if run_and_kill([*module, *arguments], timeout=timeout, stdout=answer, environment=environment) is None:
            raise NotExtractable(TOO_SLOW.fill(seconds=seconds))
        answer.seek(0)
        try:
            result: dict[str, Any] = json.load(answer)
        except ValueError as error:
            raise NotExtractable(TOO_HEAVY) from error
    return result
