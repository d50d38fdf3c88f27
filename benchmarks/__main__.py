"""Search measured: docctl's engines and SQLite FTS5 on the same text in the same run, as ratios; `python -m benchmarks`."""

import argparse
import json
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pysqlite3

from benchmarks import growth
from benchmarks.corpus import Made, documents
from benchmarks.fts5 import Fts5
from benchmarks.queries import mix
from docctl.search import Engine, IndexedRevision, Query
from docctl.search.following import DOCUMENTS_AT_ONCE
from docctl.search.tantivy import TantivyEngine
from docctl.search.whoosh import WhooshEngine

RESULTS = Path(__file__).parent / "results" / "search.json"
SIZES = [300, 1_000, 3_000, 10_000, 30_000, 100_000]
WHOOSH_TO = 10_000  # Beyond it nobody should use Whoosh, and building it takes an hour.
ROUNDS = 4  # The first, with nothing decoded yet, is told apart.
ALLOWED_SHARE = 0.4  # Of the documents, under the filter.

T = TypeVar("T")

ENGINES: dict[str, Callable[[Path], Engine]] = {"whoosh": WhooshEngine, "tantivy": TantivyEngine}


@dataclass(frozen=True)
class Line:
    """One row of the table: a kind of query, or a cost of the build, for one engine."""

    documents: int
    engine: str
    what: str
    unit: str
    docctl: float
    fts5: float
    ratio: float
    docctl_first: float | None = None
    same_total: str = ""


class Measured:
    """An engine under measurement, and what it has cost so far."""

    def __init__(self, name: str, engine: Engine, folder: Path) -> None:
        self.name = name
        self.engine = engine
        self.folder = folder
        self.spent = 0.0


def main() -> None:
    """Let one index of each engine grow, measure at each size, and print one table."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        lines = _grow(sorted(options.sizes), options.whoosh_to, Path(folder))
    _print(lines)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    about = {"python": platform.python_version(), "sqlite": pysqlite3.sqlite_version, "rounds": ROUNDS}
    options.out.write_text(json.dumps({"about": about, "lines": [asdict(line) for line in lines]}, indent=1) + "\n")
    _say(f"written to {options.out}")
    if options.plot:
        options.plot.write_text(growth.drawn([asdict(line) for line in lines]), encoding="utf-8")
        _say(f"drawn in {options.plot}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="documents at which to measure")
    parser.add_argument("--whoosh-to", type=int, default=WHOOSH_TO, help="documents up to which Whoosh grows too")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the JSON goes")
    parser.add_argument("--plot", type=Path, help="where the picture of the growth goes")
    return parser.parse_args()


def _grow(sizes: list[int], whoosh_to: int, folder: Path) -> list[Line]:
    began = time.monotonic()
    baseline, theirs = Fts5(folder / "fts5.sqlite"), 0.0
    lines: list[Line] = []
    with ExitStack() as building:
        engines = []
        for name, open_it in ENGINES.items():
            fresh = building.enter_context(open_it(folder / name).rebuilding())
            engines.append(Measured(name, fresh, folder / name))
        made = documents(sizes[-1])
        done = 0
        for size in sizes:
            growing = [each for each in engines if each.name != "whoosh" or size <= whoosh_to]
            for some in _batches(islice(made, size - done), DOCUMENTS_AT_ONCE):
                revisions = [IndexedRevision(each.id, each.code, each.title, each.body, True) for each in some]
                for each in growing:
                    each.spent += _cpu(partial(each.engine.apply, revisions, (), some[-1].id))[0]
                theirs += _cpu(partial(baseline.add, some))[0]
            done = size
            _say(f"{size} documents indexed after {time.monotonic() - began:.0f} s")
            lines += _at_size(size, growing, baseline, theirs, folder)
    return lines


def _at_size(size: int, engines: list[Measured], baseline: Fts5, theirs: float, folder: Path) -> list[Line]:
    allowed = frozenset(random.Random(1).sample(range(1, size + 1), int(size * ALLOWED_SHARE)))
    baseline.allow(allowed)
    lines: list[Line] = []
    mixes: dict[str, tuple[list[float], list[float]]] = {each.name: ([], []) for each in engines}
    for name, typed in mix(size).items():
        for each in engines:
            line, ours, others = _kind(size, name, typed, each, baseline, allowed)
            lines.append(line)
            mixes[each.name][0].extend(ours)
            mixes[each.name][1].extend(others)
    for each in engines:
        p50 = [1000 * statistics.median(times) for times in mixes[each.name]]
        disk = _size(each.folder) / 1e6, _size(folder, "fts5*") / 1e6
        lines.append(Line(size, each.name, "whole mix", "CPU ms, p50", p50[0], p50[1], p50[0] / p50[1]))
        lines.append(Line(size, each.name, "build", "CPU s", each.spent, theirs, each.spent / theirs))
        lines.append(Line(size, each.name, "size on disk", "MB", disk[0], disk[1], disk[0] / disk[1]))
    return lines


def _kind(
    size: int, name: str, typed: list[str], each: Measured, baseline: Fts5, allowed: frozenset[int]
) -> tuple[Line, list[float], list[float]]:
    """Ask each query in turn of both, the round in which nothing is decoded yet told apart."""
    only = allowed if name.startswith("filter") else None
    first: list[float] = []
    ours: list[float] = []
    theirs: list[float] = []
    same = 0
    for number in range(ROUNDS):
        for words in typed:
            query = Query.parse(words)
            spent, found = _cpu(partial(each.engine.search, query, "current", only, 20))
            (ours if number else first).append(spent)
            spent, (total, _) = _cpu(partial(baseline.search, query, only is not None))
            theirs.append(spent)
            same += number == 0 and total == found.total
    p50 = [1000 * statistics.median(times) for times in (ours, theirs, first)]
    kind = Line(
        size, each.name, name, "CPU ms, p50", p50[0], p50[1], p50[0] / p50[1], p50[2], f"{same} of {len(typed)}"
    )
    return kind, ours, theirs


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
    print("| documents | engine | what | unit | docctl | first time | FTS5 | docctl : FTS5 | same totals |")
    print("|--:|---|---|---|--:|--:|--:|--:|---|")
    for line in lines:
        first = "" if line.docctl_first is None else f"{line.docctl_first:.2f}"
        print(
            f"| {line.documents} | {line.engine} | {line.what} | {line.unit} | {line.docctl:.2f} | {first} "
            f"| {line.fts5:.2f} | {line.ratio:.2f} | {line.same_total} |"
        )


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
