"""Where in a workflow file something is, and everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from docctl.rules import Sentence
from docctl.workflow.definition import Workflow

Place = tuple[str | int, ...]  # Such as ("triggers", 2, "roles").

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w\"'][\w\"'.\s-]*?)\s*=")


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a workflow file."""

    path: Path
    line: int  # Counted from 1.
    sentence: Sentence

    def text(self, locale: str) -> str:
        """Return `file:line: sentence` in one language."""
        return f"{self.path}:{self.line}: {self.sentence.get(locale)}"


class WorkflowError(Exception):
    """Workflow files that cannot be used; lists every problem found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.text("en"))

    def text(self, locale: str) -> str:
        """Return all problems in one language, one on a line."""
        return "\n".join(problem.text(locale) for problem in self.problems)

    @classmethod
    def changed(cls, workflow: Workflow) -> WorkflowError:
        """Return the error of a file that was edited without raising its version, saying what to do."""
        sentence = Sentence(
            "Tệp quy trình đã được sửa nhưng vẫn mang phiên bản {version} đã đăng ký; hãy tăng lên "
            "“version = {next}”, hoặc khôi phục tệp như cũ.",
            "The file was edited but still says version {version}, which is registered; raise it to "
            '"version = {next}", or restore the file.',
        ).fill(version=workflow.version, next=workflow.version + 1)
        return cls([Problem(workflow.path, Source(workflow.path, workflow.source).line(("version",)), sentence)])


class Source:
    """The text of a workflow file with the line of each table and key; collects problems as they are found."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines() or [""]
        self.places = _places(self.lines)
        self.problems: list[Problem] = []

    def line(self, place: Place, value: str | None = None) -> int:
        """Return the line of a key (or of the nearest table around it), of the quoted value under it when given."""
        while not (within := [n for known, n in self.places.items() if known[: len(place)] == place]) and place:
            place = place[:-1]
        start = min(within, default=1)
        if value is None:
            return start
        later = sorted(n for n in self.places.values() if n > start)
        end = later[0] if later else len(self.lines) + 1
        quoted = (f'"{value}"', f"'{value}'")
        return next((n for n in range(start, end) if any(q in self.lines[n - 1] for q in quoted)), start)

    def wrong(self, place: Place, vi: str, en: str, value: str | None = None, **values: object) -> None:
        """Note a problem at a place; `{placeholders}` are filled with the values."""
        self.wrong_at(self.line(place, value), vi, en, value=value, **values)

    def wrong_at(self, line: int, vi: str, en: str, **values: object) -> None:
        """Note a problem on a line."""
        self.problems.append(Problem(self.path, line, Sentence(vi, en).fill(**values)))


def _places(lines: list[str]) -> dict[Place, int]:
    """Map the path of every table and key to its line; tomllib itself keeps no positions."""
    places: dict[Place, int] = {}
    table: Place = ()
    counts: dict[Place, int] = {}
    for number, line in enumerate(lines, 1):
        if header := _HEADER.match(line):
            table = _inside(_parts(header[2]), counts)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            places.setdefault(table, number)
        elif key := _KEY.match(line):
            places.setdefault((*table, *_parts(key[1])), number)
    return places


def _inside(parts: Place, counts: dict[Place, int]) -> Place:
    """Return the path of a header, through the latest element of every array of tables on its way."""
    path: Place = ()
    for part in parts:
        if path in counts:
            path = (*path, counts[path])
        path = (*path, part)
    return path


def _parts(dotted: str) -> Place:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
