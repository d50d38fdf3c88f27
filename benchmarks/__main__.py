"""Search measured: docctl's engine and SQLite FTS5 on the same text in the same run, as ratios; `python -m benchmarks`."""

import argparse
import json
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pysqlite3

from benchmarks.corpus import Made, documents
from benchmarks.fts5 import Fts5
from docctl.search import IndexedRevision, Query
from docctl.search.following import DOCUMENTS_AT_ONCE
from docctl.search.whoosh import WhooshEngine

RESULTS = Path(__file__).parent / "results" / "search.json"
ROUNDS = 4  # The first, with nothing decoded yet, is told apart.
ALLOWED_SHARE = 0.4  # Of the documents, under the filter.

T = TypeVar("T")

PHRASES = (
    "bộ phận tiếp nhận",
    "thời hạn giải quyết",
    "ngày làm việc",
    "công chức tư pháp",
    "quyền sử dụng đất",
    "trường hợp cần xác minh",
    "lưu trữ cơ quan",
    "kiểm tra thực tế",
)
FOUR = (
    "dang ky khai sinh ho",
    "thoi han giai quyet",
    "cap lai giay phep",
    "quy trinh tham dinh dat",
    "tro cap xa hoi",
    "bao cao so lieu",
    "le phi ho ngheo",
    "van ban bo sung mau",
)
TWO = ("quy trinh", "ho so", "khai sinh", "giay phep", "van thu", "tham dinh", "bien ban", "luu tru")


@dataclass(frozen=True)
class Line:
    """One row of the table: a kind of query, or a cost of the build."""

    documents: int
    what: str
    unit: str
    docctl: float
    fts5: float
    ratio: float
    docctl_first: float | None = None
    same_total: str = ""


def main() -> None:
    """Measure each size and print one table."""
    options = _options()
    began = time.monotonic()
    lines: list[Line] = []
    for size in options.sizes:
        _say(f"{size} documents")
        with tempfile.TemporaryDirectory() as folder:
            lines += _measure(size, Path(folder))
        _say(f"{size} documents done after {time.monotonic() - began:.0f} s")
    _print(lines)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    about = {"python": platform.python_version(), "sqlite": pysqlite3.sqlite_version, "rounds": ROUNDS}
    options.out.write_text(json.dumps({"about": about, "lines": [asdict(line) for line in lines]}, indent=1) + "\n")
    _say(f"written to {options.out}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[300, 1_000, 10_000], help="documents in each run")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the JSON goes")
    return parser.parse_args()


def _measure(size: int, folder: Path) -> list[Line]:
    engine, baseline = WhooshEngine(folder / "index"), Fts5(folder / "fts5.sqlite")
    spent = _build(size, engine, baseline)
    sizes = _size(folder / "index") / 1e6, _size(folder, "fts5*") / 1e6
    allowed = frozenset(random.Random(1).sample(range(1, size + 1), int(size * ALLOWED_SHARE)))
    baseline.allow(allowed)
    lines = [_kind(size, name, typed, engine, baseline, allowed) for name, typed in _queries(size).items()]
    lines.append(Line(size, "build", "CPU s", spent[0], spent[1], spent[0] / spent[1]))
    lines.append(Line(size, "size on disk", "MB", sizes[0], sizes[1], sizes[0] / sizes[1]))
    return lines


def _build(size: int, engine: WhooshEngine, baseline: Fts5) -> tuple[float, float]:
    """Build both indexes in batches as large as docctl's own, and return the CPU seconds of each."""
    ours = theirs = 0.0
    with engine.rebuilding() as fresh:
        for some in _batches(documents(size), DOCUMENTS_AT_ONCE):
            revisions = [IndexedRevision(made.id, made.code, made.title, made.body, True) for made in some]
            ours += _cpu(partial(fresh.apply, revisions, (), some[-1].id))[0]
            theirs += _cpu(partial(baseline.add, some))[0]
            _say(f"  {some[-1].id} of {size} indexed, {ours:.0f} s and {theirs:.0f} s of CPU")
    return ours, theirs


def _queries(size: int) -> dict[str, list[str]]:
    chance = random.Random(size)
    made = list(documents(min(size, 300)))
    rare = [f"{chance.randint(1, 3000)}/QĐ-UBND" for _ in range(8)]
    return {
        "rare term": [word.split("/")[0] for word in rare],
        "4 folded terms": list(FOUR),
        "phrase": [f'"{phrase}"' for phrase in PHRASES],
        "filter + count": list(TWO),
        "code": [chance.choice(made).code for _ in range(8)],
    }


def _kind(
    size: int, name: str, typed: list[str], engine: WhooshEngine, baseline: Fts5, allowed: frozenset[int]
) -> Line:
    only = allowed if name.startswith("filter") else None
    first: list[float] = []
    ours: list[float] = []
    theirs: list[float] = []
    same = 0
    for number in range(ROUNDS):
        for words in typed:
            query = Query.parse(words)
            spent, found = _cpu(partial(engine.search, query, "current", only, 20))
            (ours if number else first).append(spent)
            spent, (total, _) = _cpu(partial(baseline.search, query, only is not None))
            theirs.append(spent)
            same += number == 0 and total == found.total
    p50 = [1000 * statistics.median(times) for times in (ours, theirs, first)]
    return Line(size, name, "CPU ms, p50", p50[0], p50[1], p50[0] / p50[1], p50[2], f"{same} of {len(typed)}")


def _cpu(work: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def _batches(made: Iterator[Made], size: int) -> Iterator[list[Made]]:
    while some := list(islice(made, size)):
        yield some


def _size(folder: Path, pattern: str = "**/*") -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())


def _print(lines: list[Line]) -> None:
    print("| documents | what | unit | docctl | first time | FTS5 | docctl : FTS5 | same totals |")
    print("|--:|---|---|--:|--:|--:|--:|---|")
    for line in lines:
        first = "" if line.docctl_first is None else f"{line.docctl_first:.2f}"
        print(
            f"| {line.documents} | {line.what} | {line.unit} | {line.docctl:.2f} | {first} "
            f"| {line.fts5:.2f} | {line.ratio:.2f} | {line.same_total} |"
        )


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
