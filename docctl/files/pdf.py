"""PDFs seen from outside: each is opened in a limited process of its own, for its facts, its pictures, its stamped copy."""

import json
import math
import os
import sys
import tempfile
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import docctl
from docctl.files.process import run_and_kill
from docctl.files.stamp import Sheet
from docctl.rules import Sentence

MEMORY = 2 << 30  # Bytes of address space of a worker.
AT_ONCE = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))

LOCKED = Sentence(
    "PDF được bảo vệ bằng mật khẩu nên không hiện được; hãy bỏ mật khẩu rồi tải lên lại.",
    "The PDF is protected by a password and cannot be shown; remove the password and upload it again.",
)
DAMAGED = Sentence(
    "PDF bị hỏng hoặc quá nặng nên không hiện được; hãy lưu lại rồi tải lên.",
    "The PDF is damaged or too heavy to be shown; save it again, then upload it.",
)


class CannotBeShown(Exception):
    """A PDF from which nothing can be made; carries the sentence that says why."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence.en)
        self.sentence = sentence


@dataclass(frozen=True)
class Examined:
    """How many pages a PDF has, and how many digital signatures."""

    pages: int
    signatures: int


def examine(path: Path, *, timeout: float = 30) -> Examined:
    """Count the pages and the digital signatures of a PDF; raises CannotBeShown."""
    told = work("examine", {"path": str(path)}, timeout=timeout)
    if "pages" not in told:
        raise CannotBeShown(LOCKED if told.get("problem") == "locked" else DAMAGED)
    return Examined(told["pages"], told["signatures"])


def draw(
    path: Path, pages: list[int], *, width: int, into: Path, forms: bool = False, timeout: float = 60
) -> list[int]:
    """Write pages (from 1) as `N.png`, `width` pixels wide, with the places of their words as `N.json`; return which."""
    job = {"path": str(path), "pages": pages, "width": width, "into": str(into), "forms": forms}
    drawn: list[int] = work("draw", job, timeout=timeout)["drawn"]
    return drawn


def texts(path: Path, *, timeout: float = 60) -> list[str]:
    """Return the text of every page of a PDF; raises CannotBeShown."""
    told: list[str] = work("texts", {"path": str(path)}, timeout=timeout)["texts"]
    return told


def press(path: Path, sheet: Sheet, *, timeout: float = 60) -> bytes:
    """Return a stamped copy of a PDF; raises CannotBeShown."""
    with tempfile.TemporaryDirectory(prefix="docctl-") as folder:
        into = Path(folder) / "stamped.pdf"
        work("press", {"path": str(path), "sheet": asdict(sheet), "into": str(into)}, timeout=timeout)
        return into.read_bytes()


def work(task: str, job: dict[str, Any], *, timeout: float) -> dict[str, Any]:
    """Do one task of `docctl.files.pdf_worker`; raises CannotBeShown when it does not end well or in time."""
    module = [sys.executable, "-P", "-s", "-m", "docctl.files.pdf_worker"]
    # Nothing of this process's environment, which holds secrets, reaches the worker.
    environment = {"PYTHONPATH": str(Path(docctl.__file__).parent.parent), "LANG": "C.UTF-8", "PATH": os.defpath}
    seconds = math.ceil(timeout)
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as told, tempfile.TemporaryFile() as answer:
        json.dump(job, told, ensure_ascii=False)
        told.flush()
        with AT_ONCE:
            command = [*module, task, told.name, str(seconds), str(MEMORY)]
            run_and_kill(command, timeout=timeout, stdout=answer, environment=environment)
        answer.seek(0)
        try:
            result: dict[str, Any] = json.load(answer)
        except ValueError as error:
            raise CannotBeShown(DAMAGED) from error
    return result
