"""Tables as offices have them: .xlsx with merged title rows, .xls, .tsv and .csv, read as rows under known headings."""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from docctl.rules import Refused, Sentence
from docctl.text import fold, nfc

LOOKED_THROUGH = 30  # Rows above which the head of a table stands, whatever titles come first.
_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")

Headings = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Line:
    """A row of a table: where it stands in the file, and its texts by the name of the column."""

    number: int
    values: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def read(path: Path, headings: Headings, *, needed: Iterable[str]) -> list[Line]:
    """Return the rows below the head of a table; raises Refused when no row has the headings that are needed.

    `headings` names what each column may be called; accents, case, line breaks and what stands in brackets do not count.
    """
    rows = [[_text(cell) for cell in row] for row in _rows(path)]
    wanted = {_heading(word): name for name, words in headings.items() for word in (name, *words)}
    for number, row in enumerate(rows[:LOOKED_THROUGH]):
        columns = {
            wanted[key]: place for place, cell in reversed(list(enumerate(row))) if (key := _heading(cell)) in wanted
        }
        if set(needed) <= columns.keys():
            return list(_below(rows, number + 1, columns))
    names = ", ".join(headings[name][0] if headings[name] else name for name in needed)
    raise Refused(
        Sentence(
            "Không thấy dòng tiêu đề có các cột: {names}. Hãy ghi tên cột ở đầu bảng rồi nhập lại.",
            "No row has the headings {names}. Write the names of the columns above the table and import again.",
        ).fill(names=names)
    )


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield each line of a .jsonl or .jsonl.gz file with its number; None for a line that is no JSON object."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    loaded = json.loads(line)
                except ValueError:
                    loaded = None
                yield number, loaded if isinstance(loaded, dict) else None


def day(typed: str) -> date | None:
    """Read a day as the offices write it or in ISO form; None for anything else."""
    if found := _DAY.search(typed):
        parts = (int(found[3]), int(found[2]), int(found[1]))
    elif found := _ISO.search(typed):
        parts = (int(found[1]), int(found[2]), int(found[3]))
    else:
        return None
    try:
        return date(*parts)
    except ValueError:
        return None


def _rows(path: Path) -> list[list[Any]]:
    suffix = path.suffix.casefold()
    if suffix in (".tsv", ".csv", ".txt"):
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
        if suffix == ".csv":
            return list(csv.reader(io.StringIO(text), delimiter=";" if text.split("\n")[0].count(";") > 1 else ","))
        return [line.split("\t") for line in text.splitlines()]
    try:
        return CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise Refused(
            Sentence(
                "Không đọc được bảng trong tệp {name}. Hãy lưu lại thành .xlsx rồi nhập lại.",
                "No table can be read from {name}. Save it as .xlsx and import again.",
            ).fill(name=path.name)
        ) from error


def _below(rows: Sequence[Sequence[str]], first: int, columns: Mapping[str, int]) -> Iterator[Line]:
    for number, row in enumerate(rows[first:], start=first + 1):
        values = {name: row[place] for name, place in columns.items() if place < len(row)}
        if any(values.values()):
            yield Line(number, values)


def _text(cell: Any) -> str:
    if isinstance(cell, datetime | date):
        return cell.strftime("%d/%m/%Y")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return nfc(str(cell if cell is not None else "")).strip()


def _heading(cell: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", re.sub(r"\(.*?\)", " ", fold(cell))).strip()
